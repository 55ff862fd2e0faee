"""An IMAP client that does as little as possible: the floors are measured with
it, and it stands for the owner of the mail who changes something."""

import re
import socket
import ssl

# For all connections: to make one takes longer than to connect.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE

# An answer that nobody reads need not be kept; its last line is no longer.
SHORT = 512
LONG = 1 << 30


class Client:
    """Logged in as @user. All commands may be sent ahead of their answers."""

    def __init__(self, port, user, tls=True):
        plain = socket.create_connection(("localhost", port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = TLS.wrap_socket(plain) if tls else plain
        self.buffer = memoryview(bytearray(1 << 20))
        self.rest = bytearray(b"\r\n")
        self.received = self.pending = 0
        self.until(b"*")  # the greeting
        self.command(b"LOGIN %s secret" % user.encode())

    def send(self, data):
        self.socket.sendall(data)

    def command(self, line):
        """Send one command, and return its answer."""
        self.send(b"x " + line + b"\r\n")
        return self.until(b"x")

    def until(self, tag, keep=LONG):
        """Read up to the answer to @tag; return it, all of it up to @keep
        bytes, else only the end."""
        mark = b"\r\n" + tag + b" "
        looked = 0
        while True:
            # Each line has the end of the one before in front of it.
            start = self.rest.find(mark, looked)
            end = self.rest.find(b"\r\n", start + 2) if start >= 0 else -1
            if end >= 0:
                answer = bytes(self.rest[:end])
                del self.rest[:end]
                if not answer.startswith(b"OK", start + len(mark)):
                    raise OSError("IMAP: %r" % answer[start:])
                return answer
            looked = max(0, len(self.rest) - SHORT)
            size = self.socket.recv_into(self.buffer)
            if size == 0:
                raise OSError("IMAP: the server hung up")
            self.received += size
            if looked > keep:
                del self.rest[:looked]
                looked = 0
            self.rest += self.buffer[:size]

    def drain(self, tag):
        self.until(tag, SHORT)

    def close(self):
        self.send(b"x LOGOUT\r\n")
        self.socket.close()

    def folders(self):
        return re.findall(rb'\* LIST \([^)]*\) \S+ (\S+)\r\n',
                          self.command(b'LIST "" *'))

    def select(self, folder):
        """Returns how many messages are there."""
        answer = self.command(b"SELECT %s" % folder.encode())
        return int(re.search(rb"\* (\d+) EXISTS", answer).group(1))

    def append(self, folder, messages, batch=1000):
        """Send an iterable of messages by MULTIAPPEND, without waiting."""
        sent = 0
        for sent, body in enumerate(messages, 1):
            head = b" {%d+}\r\n" % len(body)
            if sent % batch == 1:
                head = b"%sa APPEND %s%s" % (b"\r\n" if sent > 1 else b"",
                                             folder.encode(), head)
                self.pending += 1
            self.send(head + body)
        if sent:
            self.send(b"\r\n")

    def settle(self):
        """Wait for all that was appended."""
        while self.pending:
            self.drain(b"a")
            self.pending -= 1
