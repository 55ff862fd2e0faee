#!/usr/bin/python3
"""What the server alone needs: the floor that no client can go below.

    floor.py fetch PORT USER        every message, pipelined, into nowhere
    floor.py append PORT USER DIR   every message of the Maildir tree DIR, in
                                    pipelined MULTIAPPENDs, read beforehand

Over TLS, on four connections at once as long as there are folders. Prints the
seconds that it took.
"""
import os
import re
import socket
import ssl
import sys
import threading
import time

LANES = 4


class Client:
    def __init__(self, port, user):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port)))
        self.tail = b""
        self.buffer = memoryview(bytearray(1 << 20))
        self.send(b'l LOGIN %s secret\r\n' % user.encode())
        self.until(b"l")

    def send(self, data):
        self.socket.sendall(data)

    def until(self, tag):
        """Read up to the answer to @tag, and return what came lately: all of
        it is kept only as long as it is short."""
        pattern = re.compile(rb"(?:^|\r\n)" + tag + rb" (OK|NO|BAD)[^\r]*\r\n")
        while True:
            match = pattern.search(self.tail)
            if match:
                if match.group(1) != b"OK":
                    sys.exit("floor.py: %r" % match.group())
                data, self.tail = self.tail, self.tail[match.end() - 2:]
                return data
            size = self.socket.recv_into(self.buffer)
            if size == 0:
                sys.exit("floor.py: the server hung up")
            # The answer is short, and the last thing that comes.
            keep = 512 if tag == b"f" else 1 << 20
            self.tail = (self.tail + self.buffer[max(0, size - keep):size]
                         )[-keep:]

    def folders(self):
        self.send(b'list LIST "" *\r\n')
        return re.findall(rb'\* LIST \([^)]*\) \S+ (\S+)\r\n',
                          self.until(b"list"))


def lanes(work, items):
    """Give the items to a few threads, each with what it takes next."""
    lock = threading.Lock()

    def take():
        with lock:
            return items.pop() if items else None
    threads = [threading.Thread(target=work, args=(take,))
               for _ in range(LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fetch(port, user):
    def work(take):
        client = Client(port, user)
        folder = take()
        while folder is not None:
            client.send(b"s EXAMINE %s\r\nf UID FETCH 1:* (UID FLAGS "
                        b"INTERNALDATE BODY.PEEK[])\r\n" % folder)
            client.until(b"f")
            folder = take()
    start = time.monotonic()
    lanes(work, Client(port, user).folders())
    return time.monotonic() - start


def read_tree(path):
    folders = {}
    for place, subs, _ in os.walk(path):
        if "cur" not in subs:
            continue
        subs[:] = [sub for sub in subs if sub not in ("cur", "new", "tmp")]
        cur = os.path.join(place, "cur")
        messages = []
        for name in os.listdir(cur):
            with open(os.path.join(cur, name), "rb") as file:
                messages.append(file.read().replace(b"\n", b"\r\n"))
        folders[os.path.relpath(place, path)] = messages
    return folders


def append(port, user, path):
    tree = read_tree(path)

    def work(take):
        client = Client(port, user)
        item = take()
        while item is not None:
            name, messages = item
            name = b"INBOX" if name == "." else name.encode()
            client.send(b"c CREATE %s\r\n" % name if name != b"INBOX"
                        else b"c NOOP\r\n")
            client.until(b"c")
            for start in range(0, len(messages), 100):
                parts = [b" {%d+}\r\n%s" % (len(body), body)
                         for body in messages[start:start + 100]]
                client.send(b"a APPEND %s%s\r\n" % (name, b"".join(parts)))
            for start in range(0, len(messages), 100):
                client.until(b"a")
            item = take()
    start = time.monotonic()
    lanes(work, list(tree.items()))
    return time.monotonic() - start


def main():
    if sys.argv[1] == "fetch":
        took = fetch(int(sys.argv[2]), sys.argv[3])
    else:
        took = append(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    print("%.3f" % took)


main()
