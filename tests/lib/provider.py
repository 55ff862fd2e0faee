#!/usr/bin/python3
"""A small IMAP server that behaves as a large provider's does. Serves until it
is killed.

    provider.py NAME PROFILE [KEY=VALUE ...]

PROFILE and KEY are those of provider_profiles.py. NAME.port is the port;
NAME.witness that of the same mail seen plainly, for other clients; NAME.wire
gets each command that came to the first, one a line, without literals.
Any user may log in with the password "secret".
"""
import base64
import os
import re
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from provider_profiles import PROFILES, profile
from provider_store import Refused, internal_date, parse_date, rebuilt

TOKEN = re.compile(rb'\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"\[]*\[[^\]]*\][^\s()]*'
                   rb'|[^\s()"]+')
BY_UID = ("FETCH", "STORE", "COPY", "MOVE", "SEARCH", "EXPUNGE")
LITERAL = re.compile(rb"~?\{(\d+)(\+?)\}\r\n$")


class Literal(bytes):
    pass


class HangUp(Exception):
    pass


def tokens_of(pieces):
    """Text and literals to a list of words, lists of words and literals."""
    stack = [[]]
    for piece in pieces:
        if isinstance(piece, Literal):
            stack[-1].append(piece)
            continue
        for match in TOKEN.finditer(LITERAL.sub(b"", piece)):
            word = match.group()
            if word == b"(":
                stack.append([])
            elif word == b")" and len(stack) > 1:
                done = stack.pop()
                stack[-1].append(done)
            elif word.startswith(b'"'):
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", word[1:-1]).decode())
            else:
                stack[-1].append(word.decode("utf-8", "replace"))
    return stack[0]


def text_of(token):
    return token.decode() if isinstance(token, bytes) else token


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def print_set(uids):
    parts, uids = [], sorted(uids)
    for uid in uids:
        if parts and parts[-1][1] == uid - 1:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return ",".join("%d:%d" % (a, b) if a != b else "%d" % a for a, b in parts)


def in_set(text, uid, last):
    for part in text.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        if min(ends) <= uid <= max(ends):
            return True
    return False


class Session:
    def __init__(self, client, store, options, wire):
        self.client, self.store, self.wire = client, store, wire
        self.options = options
        self.input = client.makefile("rb")
        self.out = bytearray()
        self.tag = ""
        self.logged_in = self.had_id = self.qresync = self.counted = False
        self.proxied = options["injects"]
        self.box = None
        self.view = []  # UIDs by message sequence number
        self.errors = 0
        self.fetched = 0

    # --- bytes ---------------------------------------------------------------

    def caps(self):
        return self.options["after" if self.logged_in else "before"]

    def offers(self, name):
        return name in self.caps().split()

    def say(self, text):
        self.out += text.encode() if isinstance(text, str) else text
        self.out += b"\r\n"

    def flush(self):
        out = bytes(self.out)
        if self.proxied:
            out = out.replace(b"CAPABILITY ", b"CAPABILITY XAPPLEPUSHSERVICE ")
        self.out.clear()
        self.client.sendall(out)

    def read_command(self):
        """The pieces of one command, or None at the end of the stream. A
        literal that is too large is refused before it is sent."""
        pieces = [self.input.readline()]
        length = len(pieces[0])
        match = LITERAL.search(pieces[0])
        while match:
            size = int(match.group(1))
            limit = self.options["append_max"]
            if limit and size > limit and not match.group(2):
                self.say(b"%s BAD [TOOBIG] Message too large."
                         % pieces[0].split()[0])
                self.flush()
                return self.read_command()
            if not match.group(2):
                self.say("+ go ahead")
                self.flush()
            pieces.append(Literal(self.input.read(size)))
            pieces.append(self.input.readline())
            length += len(pieces[-1])
            match = LITERAL.search(pieces[-1])
        if not pieces[-1].endswith(b"\n"):
            return None
        text = b"~".join(p for p in pieces if not isinstance(p, Literal))
        if self.wire is not None:
            shown = re.sub(rb"(LOGIN \S+|PLAIN) .*", rb"\1 ***", text.rstrip())
            self.wire.write(shown.replace(b"\r\n", b"") + b"\n")
            self.wire.flush()
        if length > self.options["line_max"]:
            self.say(pieces[0].split()[0] + b" BAD command line too long")
            return []
        return pieces

    # --- the life of a session ---------------------------------------------------

    def run(self):
        self.say("* OK [CAPABILITY %s] %s"
                 % (self.caps(), self.options["greeting"]))
        self.flush()
        try:
            pieces = self.read_command()
            while pieces is not None:
                self.command(tokens_of(pieces))
                self.flush()
                pieces = self.read_command()
        except HangUp:
            self.flush()
        finally:
            if self.counted:
                with self.store.lock:
                    self.store.connections -= 1

    def command(self, words):
        if not words:
            return
        self.tag = words.pop(0)
        name = words.pop(0).upper() if words else ""
        by_uid = name == "UID"
        if by_uid and words:
            name = words.pop(0).upper()
        handler = getattr(self, "on_" + name.lower(), None)
        with self.store.lock:
            try:
                if handler is None or by_uid != (name in BY_UID):
                    raise Refused("BAD Command Error. 10")
                self.check_state(name)
                answer = handler(*words)
                self.show_changes(name)
                self.say("%s %s" % (self.tag, answer or "OK done"))
            except Refused as refused:
                self.refuse(str(refused))
            except (TypeError, ValueError, IndexError):
                self.refuse("BAD Command Argument Error. 12")
        if name == "LOGOUT":
            raise HangUp

    def check_state(self, name):
        always = ("CAPABILITY", "NOOP", "LOGOUT", "ID", "LOGIN", "AUTHENTICATE")
        if not self.logged_in and name not in always:
            raise Refused("BAD not logged in")
        if self.options["needs_id"] and not self.had_id and name in (
                "SELECT", "EXAMINE", "STATUS"):
            raise Refused("NO %s Unsafe Login. Please contact "
                          "kefu@188.com for help" % name)
        if self.box is None and name in ("FETCH", "STORE", "COPY", "MOVE",
                                         "SEARCH", "EXPUNGE", "CLOSE"):
            raise Refused("BAD nothing is selected")

    def refuse(self, answer):
        self.say("%s %s" % (self.tag, answer))
        self.errors += answer.startswith("BAD")
        if self.options["errors_max"] and \
                self.errors >= self.options["errors_max"]:
            self.say("* BYE Connection is closed. 13")
            raise HangUp

    # --- what is visible ------------------------------------------------------

    def rows(self, box=None):
        rows = (box or self.box).rows
        window = self.options["window"]
        return rows[-window:] if window else rows

    def show_changes(self, name):
        if self.box is None:
            return
        now = [row.uid for row in self.rows()]
        there = set(now)
        if name in ("FETCH", "STORE", "SEARCH") and not self.qresync:
            there |= set(self.view)
        gone = [uid for uid in self.view if uid not in there]
        if gone and self.qresync:
            self.say("* VANISHED " + print_set(gone))
        for uid in gone:
            if not self.qresync:
                self.say("* %d EXPUNGE" % (self.view.index(uid) + 1))
            self.view.remove(uid)
        known = set(self.view)
        fresh = [uid for uid in now if uid not in known]
        if fresh:
            self.view += fresh
            self.say("* %d EXISTS" % len(self.view))

    def body(self, row):
        how = self.options["rebuild"]
        if not how:
            return row.message.body
        self.fetched += 1
        return rebuilt(row.message, row.uid if how == "once"
                       else time.time_ns() % 100000000 + self.fetched)

    # --- any state ------------------------------------------------------------

    def on_capability(self):
        if self.logged_in:
            self.proxied = False
        self.say("* CAPABILITY " + self.caps())

    def on_noop(self):
        pass

    def on_logout(self):
        self.say("* BYE see you")

    def on_id(self, fields):
        if not isinstance(fields, list) or not fields:
            raise Refused("BAD an empty ID")
        self.had_id = True
        self.say('* ID ("name" "%s")' % self.options["greeting"].split()[0])

    # --- login ------------------------------------------------------------------

    def log_in(self, password):
        limit = self.options["connections"]
        if password != "secret":
            raise Refused("NO [AUTHENTICATIONFAILED] Invalid credentials")
        if limit and self.store.connections >= limit:
            raise Refused("NO [ALERT] Too many simultaneous connections. "
                          "(Failure)")
        self.store.connections += 1
        self.counted = self.logged_in = True
        if self.options["tells_caps"]:
            return "OK [CAPABILITY %s] logged in" % self.caps()
        return "OK LOGIN completed."

    def on_login(self, _user, password):
        return self.log_in(text_of(password))

    def on_authenticate(self, mechanism, initial=None):
        if mechanism.upper() != "PLAIN":
            raise Refused("NO no such mechanism")
        if initial is None:
            self.say("+ ")
            self.flush()
            initial = self.input.readline().decode().strip()
        return self.log_in(base64.b64decode(initial).split(b"\0")[2].decode())

    # --- folders ------------------------------------------------------------------

    def on_enable(self, *names):
        wanted = [n.upper() for n in names if self.offers(n.upper())]
        self.qresync = self.qresync or "QRESYNC" in wanted
        if self.options["says_enabled"]:
            self.say("* ENABLED " + " ".join(wanted))

    def on_namespace(self):
        self.say('* NAMESPACE (("" "/")) NIL NIL')

    def matching(self, pattern):
        expression = re.escape(pattern).replace(r"\*", ".*").replace(
            "%", "[^/]*")
        for name in sorted(self.store.boxes):
            if re.fullmatch(expression, name):
                yield self.store.boxes[name]

    def on_list(self, _reference, pattern, *options):
        if options and not self.offers("LIST-EXTENDED"):
            raise Refused("BAD Command Argument Error. 12")
        returns = options[1] if options else []
        names = [word.upper() for word in returns if isinstance(word, str)]
        if pattern == "":
            self.say('* LIST (\\Noselect) "/" ""')
        items = returns[names.index("STATUS") + 1] if "STATUS" in names else []
        for box in self.matching(pattern):
            attributes = box.attributes
            if "SUBSCRIBED" in names and box.name in self.store.subscribed:
                attributes += " \\Subscribed"
            self.say("* LIST (%s) \"/\" %s"
                     % (attributes.strip(), quoted(box.name)))
            if items and "\\Noselect" not in box.attributes:
                self.say_status(box, items)

    def on_lsub(self, _reference, pattern):
        for box in self.matching(pattern):
            if box.name in self.store.subscribed:
                self.say('* LSUB () "/" ' + quoted(box.name))

    def say_status(self, box, items):
        values = {
            "MESSAGES": len(self.rows(box)), "UIDNEXT": box.uidnext,
            "UIDVALIDITY": box.uidvalidity, "HIGHESTMODSEQ": box.modseq,
            "SIZE": sum(len(row.message.body) for row in box.rows),
            "MAILBOXID": "(%s)" % box.mailbox_id, "RECENT": 0, "UNSEEN": 0}
        needs = {"HIGHESTMODSEQ": "CONDSTORE", "SIZE": "STATUS=SIZE",
                 "MAILBOXID": "OBJECTID"}
        for item in items:
            if item in needs and not self.offers(needs[item]):
                raise Refused("BAD no such STATUS item: " + item)
        self.say("* STATUS %s (%s%s)" % (
            quoted(box.name), " ".join("%s %s" % (i, values[i]) for i in items),
            " " if self.options["blank_status"] else ""))

    def on_status(self, name, items):
        self.say_status(self.store.open(text_of(name)), items)

    def on_create(self, name):
        self.store.create(text_of(name))

    def on_delete(self, name):
        self.store.delete(text_of(name))

    def on_rename(self, name, new_name):
        self.store.rename(text_of(name), text_of(new_name))

    def on_subscribe(self, name):
        self.store.subscribed.add(text_of(name))

    def on_unsubscribe(self, name):
        self.store.subscribed.discard(text_of(name))

    # --- a selected folder ---------------------------------------------------------

    def on_select(self, name, *parameters):
        self.box = None
        if parameters and not self.offers("CONDSTORE"):
            raise Refused("BAD Command Argument Error. 12")
        box = self.box = self.store.open(text_of(name))
        self.view = [row.uid for row in self.rows()]
        self.say("* FLAGS (%s)" % self.options["storable"].replace(" \\*", ""))
        self.say("* OK [PERMANENTFLAGS (%s)] kept" % self.options["storable"])
        self.say("* %d EXISTS" % len(self.view))
        self.say("* 0 RECENT")
        self.say("* OK [UIDVALIDITY %d] the folder" % box.uidvalidity)
        self.say("* OK [UIDNEXT %d] the next" % box.uidnext)
        if self.offers("OBJECTID"):
            self.say("* OK [MAILBOXID (%s)] ok" % box.mailbox_id)
        if self.offers("CONDSTORE"):
            self.say("* OK [HIGHESTMODSEQ %d]%s" % (
                box.modseq, "" if self.options["bare_modseq"] else " highest"))
        if self.options["raw_lines"]:
            self.say(self.options["raw_lines"])
        words = parameters[0] if parameters else []
        if "QRESYNC" in words:
            self.resync(words[words.index("QRESYNC") + 1])
        return "OK [READ-WRITE] it is"

    on_examine = on_select

    def resync(self, words):
        if int(words[0]) != self.box.uidvalidity:
            return
        since = int(words[1])
        gone = [uid for modseq, uid in self.box.vanished if modseq > since]
        if self.options["false_vanished"]:
            self.say("* VANISHED (EARLIER) 1:%d" % self.box.uidnext)
        elif gone:
            self.say("* VANISHED (EARLIER) " + print_set(gone))
        for row in self.rows():
            if row.modseq > since:
                self.say_fetch(row, ["UID", "FLAGS", "MODSEQ"])

    def on_unselect(self):
        self.box = None

    def on_close(self):
        self.on_expunge()
        self.view = []
        self.box = None

    def chosen(self, uids):
        rows = self.rows()
        last = rows[-1].uid if rows else 0
        return [row for row in rows
                if row.uid in self.view and in_set(uids, row.uid, last)]

    def on_search(self, *words):
        words = [text_of(w) if isinstance(w, bytes) else w for w in words]
        extended = bool(words) and words[0] == "RETURN"
        if extended and not self.offers("ESEARCH"):
            raise Refused("BAD Command Argument Error. 11")
        words = words[2:] if extended else words
        rows = self.rows()
        while words:
            key = words.pop(0).upper()
            if key == "UID":
                rows = [r for r in self.chosen(words.pop(0)) if r in rows]
            elif key in ("DELETED", "UNDELETED"):
                rows = [r for r in rows
                        if ("\\Deleted" in r.flags) == (key == "DELETED")]
            elif key != "ALL":
                raise Refused("BAD Command Argument Error. 11")
        uids = [row.uid for row in rows]
        if extended:
            self.say('* ESEARCH (TAG "%s") UID%s' % (
                self.tag, " ALL " + print_set(uids) if uids else ""))
        else:
            self.say("* SEARCH" + "".join(" %d" % uid for uid in uids))

    # --- FETCH ------------------------------------------------------------------------

    def on_fetch(self, uids, items, modifiers=()):
        items = items if isinstance(items, list) else [items]
        modifiers = list(modifiers)
        since = 0
        if "CHANGEDSINCE" in modifiers:
            if not self.offers("CONDSTORE"):
                raise Refused("BAD Command Argument Error. 12")
            since = int(modifiers[modifiers.index("CHANGEDSINCE") + 1])
            items = items + ["MODSEQ"]
        if "UID" not in items:
            items = ["UID"] + items
        rows = [r for r in self.chosen(uids) if r.modseq > since]
        wants_body = "BODY.PEEK[]" in items
        for row in rows:
            if wants_body and any(row.message.has_subject(word) for word
                                  in self.options["unavailable"].split(",")):
                raise Refused("NO [UNAVAILABLE] UID FETCH Server error - "
                              "Please try again later")
            if wants_body:
                self.taste(row.message.body)
            if wants_body:
                self.throttle()
            self.say_fetch(row, items)

    def taste(self, body):
        poison = self.options["poison"].encode()
        if poison and poison in body:
            raise HangUp

    def throttle(self):
        """After so many messages: no more for a while."""
        if not self.options["throttle"]:
            return
        store, now = self.store, time.monotonic()
        store.served = getattr(store, "served", 0) + 1
        if store.served > self.options["throttle"]:
            store.served = 0
            store.rests_until = now + self.options["rest"] / 1000
        if now < getattr(store, "rests_until", 0):
            answer = self.options["throttle_answer"]
            if "%d" in answer:
                answer %= self.options["rest"]
            if not self.options["throttle_bye"]:
                raise Refused(answer)
            self.say("%s %s" % (self.tag, answer))
            self.say("* BYE " + self.options["throttle_bye"])
            raise HangUp

    def header_fields(self, body, names):
        head = body.split(b"\r\n\r\n", 1)[0] + b"\r\n"
        wanted = [name.upper().encode() for name in names]
        return b"".join(
            field for field in re.findall(rb"(?s).+?\r\n(?![ \t])", head)
            if field.split(b":")[0].strip().upper() in wanted) + b"\r\n"

    def is_empty(self, message):
        for key in ("empty_body", "empty_once"):
            if any(message.has_subject(word)
                   for word in self.options[key].split(",")):
                was_asked, message.was_asked = message.was_asked, True
                return key == "empty_body" or not was_asked
        return False

    def item(self, row, name):
        if name.startswith("BODY"):
            shown = name.replace(".PEEK", "").encode()
            if self.is_empty(row.message):
                return shown + b" NIL"
            body = self.body(row)
            if "HEADER" in name:
                body = self.header_fields(
                    body, re.search(r"\(([^)]*)\)", name).group(1).split())
            return b"%s {%d}\r\n%s" % (shown, len(body), body)
        if name == "X-GM-LABELS":
            return b"X-GM-LABELS ()"
        values = {
            "UID": row.uid, "FLAGS": "(%s)" % " ".join(sorted(row.flags)),
            "MODSEQ": "(%d)" % row.modseq,
            "INTERNALDATE": internal_date(row.message.date),
            "X-GM-MSGID": row.message.number,
            "EMAILID": "(%s)" % row.message.email_id}
        needs = {"MODSEQ": "CONDSTORE", "X-GM-MSGID": "X-GM-EXT-1",
                 "EMAILID": "OBJECTID"}
        if name == "RFC822.SIZE":
            values[name] = len(self.body(row)) * self.options["size_factor"] \
                + self.options["size_factor"] - 1
        if name not in values or \
                (name in needs and not self.offers(needs[name])):
            raise Refused("BAD Command Argument Error. 11")
        return ("%s %s" % (name, values[name])).encode()

    def say_fetch(self, row, items):
        parts = [self.item(row, name) for name in items]
        if self.options["swapped"]:
            parts.reverse()
        self.say(b"* %d FETCH (%s)" % (self.view.index(row.uid) + 1,
                                       b" ".join(parts)))
        if len(self.out) > 1 << 20:
            self.flush()

    # --- changes ---------------------------------------------------------------------------

    def keep_storable(self, flags):
        """Those of @flags that are kept, or Refused."""
        able = self.options["storable"].lower().split()
        kept = set()
        for flag in flags:
            if flag.lower() in self.options["forgets"].split(","):
                continue
            if flag.lower() in self.options["refuses"].split(","):
                raise Refused(self.options["keyword_answer"])
            if "\\*" in able or flag.lower() in able:
                kept.add(flag)
            elif self.options["keyword_answer"]:
                raise Refused(self.options["keyword_answer"])
        return kept

    def on_store(self, uids, how, flags):
        items = ["UID", "FLAGS"] + ["MODSEQ"] * self.offers("CONDSTORE")
        kept = self.keep_storable(flags)
        for row in self.chosen(uids):
            if how[0] == "+":
                new = row.flags | kept
            else:
                new = row.flags - kept if how[0] == "-" else kept
            self.store.set_flags(self.box, row, new)
            if self.options["echo"] or not how.upper().endswith(".SILENT"):
                self.say_fetch(row, items)

    def on_expunge(self, uids=None):
        rows = self.rows() if uids is None else self.chosen(uids)
        for row in list(rows):
            if "\\Deleted" in row.flags:
                self.store.expunge(self.box, row)

    def place(self, uids, name, move):
        target = self.store.find(text_of(name))
        if target is None:
            raise Refused("NO [TRYCREATE] there is no such folder")
        rows = self.chosen(uids)
        new = [self.store.place(self.box, row, target, move) for row in rows]
        if not rows or not self.offers("UIDPLUS"):
            return ""
        return "[COPYUID %d %s %s]" % (
            target.uidvalidity, ",".join("%d" % row.uid for row in rows),
            ",".join("%d" % uid for uid in new))

    def on_copy(self, uids, name):
        return "OK %s done" % self.place(uids, name, False)

    def on_move(self, uids, name):
        if not self.offers("MOVE"):
            raise Refused("BAD Command Error. 10")
        code = self.place(uids, name, True)
        if code:
            self.say("* OK %s moved" % code)

    def on_append(self, name, *words):
        box = self.store.find(text_of(name))
        words = list(words)
        if box is None:
            raise Refused("NO [TRYCREATE] there is no such folder")
        flags = words.pop(0) if isinstance(words[0], list) else []
        date = time.time() if isinstance(words[0], Literal) \
            else parse_date(words.pop(0))
        if len(words) != 1:
            raise Refused("BAD [CLIENTBUG] Additional arguments found")
        body = bytes(words[0])
        if not body:
            raise Refused("NO an empty message")
        self.taste(body)
        uid = self.store.append(box, body, self.keep_storable(flags), int(date))
        if self.offers("UIDPLUS"):
            return "OK [APPENDUID %d %d] added" % (box.uidvalidity, uid)
        return "OK added"


def serve(client, store, options, wire):
    try:
        if options["certificate"]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options["certificate"])
            client = context.wrap_socket(client, server_side=True)
        Session(client, store, options, wire).run()
        client.close()
    except OSError:
        pass


def listen(path, store, options, wire):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, daemon=True,
                             args=(client, store, options, wire)).start()
    threading.Thread(target=accept, daemon=True).start()
    with open(path + ".tmp", "w", encoding="ascii") as file:
        file.write("%d\n" % listener.getsockname()[1])
    os.rename(path + ".tmp", path)


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in PROFILES:
        sys.exit(__doc__)
    name = sys.argv[1]
    options = profile(sys.argv[2], sys.argv[3:])
    store = options["store"](options)
    witness = profile("witness", ["line_max=1000000"])
    # What cannot be stored there cannot be brought in by another door.
    witness["storable"] = options["storable"]
    with open(name + ".wire", "wb") as wire:
        listen(name + ".witness", store, witness, None)
        listen(name + ".port", store, options, wire)
        threading.Event().wait()


if __name__ == "__main__":
    main()
