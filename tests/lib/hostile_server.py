"""A server that is honest but for its tricks: what the cases of hostile_cases.py
are made of.

A trick is a function (session, when, name, out) -> None or bytes. It is asked

    "connect"   before the greeting; out is the greeting
    "command"   before a command is carried out; out is b""
    "answer"    with the whole answer to it, which it may change

and None leaves things as they are. @name is the command in capitals, without
UID; FETCH of bodies is BODY, of headers HEADER. Bytes at "command" take the
place of the answer, and nothing is carried out; they may hold %TAG%.
"""
import base64
import re
import socket
import ssl
import threading
import time

import provider
from provider_profiles import profile

PASSWORD = "SECRETCANARY-7c1f"
HANG_UP = b"%HANG-UP%"      # at the end of bytes: close the connection
RESET = b"%RESET%"          # the same without manners

TIERS = {
    "plain": "IMAP4rev1 UIDPLUS MOVE UNSELECT LITERAL+ NAMESPACE ID",
    "condstore": "IMAP4rev1 UIDPLUS MOVE UNSELECT LITERAL+ NAMESPACE ID ENABLE "
                 "CONDSTORE ESEARCH LIST-EXTENDED LIST-STATUS",
    "resync": "IMAP4rev1 UIDPLUS MOVE UNSELECT LITERAL+ NAMESPACE ID ENABLE "
              "CONDSTORE QRESYNC ESEARCH LIST-EXTENDED LIST-STATUS",
}


def options_of(tier):
    options = profile("witness", ["line_max=10000000"])
    options["before"] = "IMAP4rev1 SASL-IR AUTH=PLAIN"
    options["after"] = TIERS[tier]
    return options


class HostileSession(provider.Session):
    def __init__(self, client, slot):
        super().__init__(client, slot.store, slot.options, None)
        self.slot, self.case = slot, slot.case
        self.name = "GREETING"
        self.secure = False
        self.lists = 0

    # --- bytes -----------------------------------------------------------------

    def send(self, out):
        """As they are; hang up where they say so."""
        end = None
        for mark in (HANG_UP, RESET):
            if out.endswith(mark):
                out, end = out[:-len(mark)], mark
        out = out.replace(b"%TAG%", self.tag.encode("utf-8", "replace"))
        if out:
            self.client.sendall(out)
        if end == RESET:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   b"\1\0\0\0\0\0\0\0")
        if end is not None:
            raise provider.HangUp

    def ask(self, when, out):
        replaced = False
        for trick in self.case.tricks:
            new = trick(self, when, self.name, out)
            if new is not None:
                out, replaced = new, True
        return out, replaced

    def flush(self):
        out = bytes(self.out)
        self.out.clear()
        self.send(out)

    def read_command(self):
        pieces = super().read_command()
        if pieces:
            self.slot.heard(self, b"".join(pieces))
        return pieces

    # --- the life of a session ------------------------------------------------------

    def run(self):
        self.say("* OK [CAPABILITY %s] ready" % self.caps())
        self.out[:] = self.ask("connect", bytes(self.out))[0]
        self.flush()
        pieces = self.read_command()
        while pieces is not None:
            self.serve_one(provider.tokens_of(pieces))
            pieces = self.read_command()

    def name_of(self, words):
        names = [w.upper() for w in words[1:3] if isinstance(w, str)] + ["", ""]
        name = names[1] if names[0] == "UID" else names[0]
        if name == "FETCH":
            text = repr(words)
            if "BODY.PEEK[]" in text:
                return "BODY"
            if "HEADER" in text:
                return "HEADER"
        return name

    def serve_one(self, words):
        self.tag = words[0] if words and isinstance(words[0], str) else "*"
        self.name = self.name_of(words)
        out, replaced = self.ask("command", b"")
        if replaced:
            self.send(out)
            return
        try:
            self.command(words)
            end = b""
        except provider.HangUp:
            end = HANG_UP
        out = self.ask("answer", bytes(self.out))[0]
        self.out.clear()
        self.send(out + (end if not out.endswith((HANG_UP, RESET)) else b""))

    # --- what the honest one has not ---------------------------------------------------

    def log_in(self, password):
        if password != PASSWORD:
            raise provider.Refused("NO [AUTHENTICATIONFAILED] no")
        self.logged_in = True
        return "OK [CAPABILITY %s] logged in" % self.caps()

    def on_store(self, uids, how, flags):
        self.slot.deleting(self.box, uids if "\\Deleted" in flags
                           and how[0] == "+" else "", self.chosen)
        return super().on_store(uids, how, flags)

    def on_expunge(self, uids=None):
        if uids is None:
            self.slot.complain("an unscoped EXPUNGE")
        return super().on_expunge(uids)

    def on_starttls(self):
        self.say("%s OK go ahead" % self.tag)
        out = self.ask("answer", bytes(self.out))[0]
        self.out.clear()
        self.send(out)
        self.start_tls()
        raise Quiet

    def command(self, words):
        try:
            super().command(words)
        except Quiet:
            self.out.clear()

    def check_state(self, name):
        if name != "STARTTLS":
            super().check_state(name)

    def start_tls(self):
        self.client = self.slot.case.context(self.slot).wrap_socket(
            self.client, server_side=True)
        self.input = self.client.makefile("rb")
        self.secure = True


class Quiet(Exception):
    """There is nothing to be said."""


class Slot:
    """A port, the mail behind it, and the case that is being tried."""

    def __init__(self, certificates):
        self.certificates = certificates
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.case = self.store = self.options = None
        self.complaints = []
        self.deleted = set()     # (folder, UID) that were told to go
        self.commands = 0
        self.clients = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def begin(self, case, store, options):
        with self.lock:
            self.case, self.store, self.options = case, store, options
            self.complaints, self.deleted = [], set()
            self.commands = 0

    def end(self):
        """Hang up on whoever is left."""
        with self.lock:
            clients, self.clients = self.clients, []
            self.case = None
        for client in clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                case = self.case
                self.clients.append(client)
            if case is None:
                client.close()
            else:
                threading.Thread(target=self.serve, args=(client, case),
                                 daemon=True).start()

    def serve(self, client, case):
        session = HostileSession(client, self)
        try:
            if case.tls == "implicit":
                session.start_tls()
            session.run()
        except (OSError, ValueError, provider.HangUp):
            pass
        finally:
            for end in (session.client, client):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def complain(self, text):
        self.complaints.append(text)

    def heard(self, session, data):
        self.commands += 1
        if self.case is None or self.case.tls == "none":
            return
        words = [PASSWORD.encode()]
        words += re.findall(rb"[A-Za-z0-9+/=]{16,}", data)
        for word in words:
            try:
                clear = base64.b64decode(word) if word in data else b""
            except ValueError:
                clear = b""
            if not session.secure and (PASSWORD.encode() in data
                                       or PASSWORD.encode() in clear):
                self.complain("the password without TLS")

    def deleting(self, box, uids, chosen):
        if uids:
            for row in chosen(uids):
                self.deleted.add((box.name, row.uid))


# --- tricks ------------------------------------------------------------------------

def _is(name, names):
    return name in names.split("|")


def edit(names, pattern, new, count=0):
    """Change what the answers to these commands (A|B) say."""
    def trick(_session, when, name, out):
        if when == "answer" and _is(name, names):
            return re.sub(pattern, new, out, count=count, flags=re.S)
        return None
    return trick


def first(names, data):
    """Say @data before the answer."""
    def trick(_session, when, name, out):
        return data + out if when == "answer" and _is(name, names) else None
    return trick


def amid(names, data):
    """Say @data between the untagged lines and the tagged one."""
    def trick(session, when, name, out):
        if when != "answer" or not _is(name, names):
            return None
        at = out.rfind(b"\r\n" + session.tag.encode())
        at = at + 2 if at >= 0 else 0
        return out[:at] + data + out[at:]
    return trick


def after(names, data):
    def trick(_session, when, name, out):
        return out + data if when == "answer" and _is(name, names) else None
    return trick


def instead(names, data):
    """Do nothing, and say this."""
    def trick(_session, when, name, _out):
        return data if when == "command" and _is(name, names) else None
    return trick


def lie(names, data):
    """Do it, and say this."""
    def trick(_session, when, name, _out):
        return data if when == "answer" and _is(name, names) else None
    return trick


def greet(data):
    def trick(_session, when, _name, _out):
        return data if when == "connect" else None
    return trick


def once(trick):
    """Only the first time that it would do something."""
    def wrapped(session, when, name, out):
        seen = session.store.__dict__.setdefault("seen", [])
        if trick in seen:
            return None
        new = trick(session, when, name, out)
        if new is not None:
            seen.append(trick)
        return new
    return wrapped


def cut(names, pattern):
    """Hang up behind the first match of @pattern in the answer."""
    def trick(_session, when, name, out):
        match = re.search(pattern, out, re.S)
        if when != "answer" or not _is(name, names) or match is None:
            return None
        return out[:match.end()] + HANG_UP
    return trick


def flood(names, chunk, total, end=b""):
    """Say @chunk again and again, @total bytes of it."""
    def trick(session, when, name, _out):
        if when != "command" or not _is(name, names):
            return None
        left = total
        while left > 0:
            session.client.sendall(chunk)
            left -= len(chunk)
        return end or HANG_UP
    return trick


def drip(names, data, pause):
    """One byte of @data at a time, again and again, for as long as anybody
    listens."""
    def trick(session, when, name, _out):
        if (when, name) != ("connect", names) and \
                (when != "command" or not _is(name, names)):
            return None
        while True:
            for byte in data:
                session.client.sendall(bytes([byte]))
                time.sleep(pause)
    return trick


def silence(names):
    def trick(session, when, name, _out):
        if (when, name) == ("connect", names) or \
                (when == "command" and _is(name, names)):
            session.client.recv(1 << 20, socket.MSG_PEEK)
            while session.client.recv(1 << 16):
                pass
            raise provider.HangUp
        return None
    return trick


def call(names, function):
    """Something of the case's own, when such a command comes."""
    def trick(session, when, name, _out):
        if when == "command" and _is(name, names):
            function(session)
    return trick


def tls_context(slot, name="good", minimum=None, maximum=None, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        context.set_ciphers(ciphers)
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    context.load_cert_chain(slot.certificates[name])
    return context
