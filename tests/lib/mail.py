#!/usr/bin/python3
"""A small mail client that knows nothing of mailtwin, to tell the truth.

    mail.py COMMAND STORE [ARGUMENTS]

STORE is imap:PORT:USER (loopback, no TLS, password "secret"), maildir:PATH
(nested) or maildir++:PATH. FOLDER is UTF-8 with "/". A message is named by a
word of its Subject, and must be the only one; "all" is every message, "word*"
those that have a word with this beginning.

    wait STORE                          until the server greets and takes a login
    dump STORE [FILE]                   one line a folder, one line a message:
                                        folder, SHA-256 in CRLF form, date, flags
    folders STORE                       their names
    subjects STORE                      one line a message: folder, subject, flags
    seed STORE COUNT [SEED]             messages in several folders, all flags
    bulk STORE FOLDER COUNT BYTES       many messages of about that size
    add STORE FOLDER [FLAGS [EPOCH]]    one message from standard input
    new STORE FOLDER SUBJECT            one small message made up from its subject
    flag STORE FOLDER SUBJECT +F|-F ... change flags or keywords
    delete STORE FOLDER SUBJECT         remove for good
    drop STORE FOLDER SUBJECT           the same, the first of several
    move STORE FOLDER SUBJECT TARGET
    copy STORE FOLDER SUBJECT TARGET
    mkdir|rmdir STORE FOLDER
    rename STORE FOLDER NAME            a folder
    subscribe|unsubscribe STORE FOLDER  IMAP only, as the next one
    subscribed STORE                    the names, of folders or not
    raw STORE FOLDER SUBJECT            the bytes, as they are
    script NAME=STORE ...               commands from standard input, a line each:
                                        NAME[+NAME ...] COMMAND ARGUMENTS, quoted
                                        as in a shell, # begins a comment

Where KEYWORDS=no is in the environment, no keywords are set on any store.
"""

import base64
import contextlib
import datetime
import hashlib
import imaplib
import os
import random
import re
import shlex
import shutil
import socket
import sys
import time

imaplib._MAXLINE = 1 << 30
PHRASES = ["Re: Meeting on Thursday", "Minutes", "[PATCH v2] Fix the build",
           "Photos of the weekend", "Your parcel is on its way", "Fwd: Tickets",
           "Re: Re: Which train?", "Weekly report", "Happy birthday!"]
KEYWORDS = os.environ.get("KEYWORDS") != "no"
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded",
           "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}


# --- names ------------------------------------------------------------------

def to_mutf7(name):
    """RFC 3501 section 5.1.3."""
    def shift(match):
        raw = base64.b64encode(match.group().encode("utf-16-be"))
        return "&" + raw.decode().rstrip("=").replace("/", ",") + "-"
    return re.sub(r"[^\x20-\x7e]+", shift, name.replace("&", "&-"))


def from_mutf7(name):
    def unshift(match):
        if match.group(1) == "":
            return "&"
        raw = match.group(1).replace(",", "/")
        raw += "=" * (-len(raw) % 4)
        return base64.b64decode(raw).decode("utf-16-be")
    return re.sub(r"&([^-]*)-", unshift, name)


def from_disk(name):
    return re.sub(r"%([0-9A-Fa-f]{2})",
                  lambda m: chr(int(m.group(1), 16)), name)


def to_disk(name, layout):
    name = re.sub(r"%(?=[0-9A-Fa-f]{2})", "%25", name)
    name = re.sub(r"[\x00-\x1f\x7f]", lambda m: "%%%02X" % ord(m.group()), name)
    if layout == "maildir++":
        return name.replace(".", "%2E")
    if name in ("cur", "new", "tmp") or name.startswith("."):
        return "%%%02X" % ord(name[0]) + name[1:]
    return name


def crlf(body):
    # The expression is slow, and most mail is plain one way or the other.
    if b"\r" not in body:
        return body.replace(b"\n", b"\r\n")
    if body.count(b"\n") == body.count(b"\r\n"):
        return body
    return re.sub(rb"(?<!\r)\n", b"\r\n", body)


def subject_of(body):
    head = re.split(rb"\r?\n\r?\n", body, 1)[0]
    match = re.search(rb"(?im)^Subject: (.*?)\r?$", head)
    return match.group(1).decode("utf-8", "replace") if match else ""


class Message:
    def __init__(self, key, body, date, flags):
        self.key, self.body = key, body
        self.date, self.flags = date, sorted(flags)


def choose(messages, subject):
    if subject == "all":
        return list(messages)
    if subject.endswith("*"):
        return [m for m in messages if any(
            word.startswith(subject[:-1]) for word in subject_of(m.body).split())]
    found = [m for m in messages if subject in subject_of(m.body).split()]
    if len(found) != 1:
        sys.exit("mail.py: %d messages have the subject %s"
                 % (len(found), subject))
    return found


# --- IMAP -------------------------------------------------------------------

class Imap:
    def __init__(self, port, user, password="secret"):
        self.imap = imaplib.IMAP4("127.0.0.1", int(port))
        self.imap.login(user, password)
        self.imap.capabilities = tuple(
            self.check(self.imap.capability())[-1].decode().upper().split())
        self.separator, self.prefix = self.namespace()
        self.selected = None

    def close(self):
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            # GNU mailutils answers LOGOUT before it writes down what it did.
            self.leave()
            self.imap.logout()

    def check(self, answer):
        status, data = answer
        if status != "OK":
            sys.exit("mail.py: %s %s" % (status, data))
        return data

    def can(self, what):
        return what in self.imap.capabilities

    def namespace(self):
        """What new folders are made with: the separator, and a prefix."""
        if self.can("NAMESPACE"):
            text = self.check(self.imap.namespace())[0].decode("ascii")
            match = re.match(r'\(\("([^"]*)" "(.)"\)', text)
            if match:
                return match.group(2), match.group(1)
        text = self.check(self.imap.list('""', '""'))[0].decode("ascii")
        return re.match(r'\([^)]*\) "\\?(.)"', text).group(1), ""

    def list(self):
        names = []
        for line in self.check(self.imap.list()):
            if line is None:
                continue
            if isinstance(line, tuple):
                line = line[0].rsplit(b"{", 1)[0] + b'"' + line[1] + b'"'
            match = re.match(r'\(([^)]*)\) (NIL|"\\?(.)") (.*)',
                             line.decode("ascii"))
            attributes, _, separator, name = match.groups()
            if name.startswith('"'):
                name = re.sub(r"\\(.)", r"\1", name[1:-1])
            if self.prefix and name.startswith(self.prefix):
                name = name[len(self.prefix):]
            name = from_mutf7(name)
            if separator and separator != "/":
                name = name.replace(separator, "/")
            if "\\noselect" not in attributes.lower():
                names.append(name)
        return sorted(names)

    def wire(self, folder):
        name = to_mutf7(folder.replace("/", self.separator))
        if folder != "INBOX":
            name = self.prefix + name
        name = name.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + name + '"'

    def select(self, folder):
        if self.selected != folder:
            self.check(self.imap.select(self.wire(folder)))
            self.selected = folder

    def leave(self):
        if self.selected is not None and self.can("UNSELECT"):
            self.check(self.imap.unselect())
        self.selected = None

    def messages(self, folder):
        self.selected = None
        self.select(folder)
        data = self.check(self.imap.uid(
            "FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])"))
        found = []
        for index, part in enumerate(data):
            if not isinstance(part, tuple):
                continue
            head = part[0] + data[index + 1]
            found.append(Message(
                re.search(rb"UID (\d+)", head).group(1).decode(), part[1],
                self.date(re.search(rb'INTERNALDATE "([^"]*)"', head)),
                [flag for flag in re.search(rb"FLAGS \(([^)]*)\)", head)
                 .group(1).decode().split() if flag != "\\Recent"]))
        return found

    @staticmethod
    def date(match):
        text = match.group(1).decode().strip()
        when = datetime.datetime.strptime(text, "%d-%b-%Y %H:%M:%S %z")
        return int(when.timestamp())

    def add(self, folder, body, flags, date):
        if not self.can("UIDPLUS"):
            # GNU mailutils makes an INBOX when it is first selected, and mixes
            # up what it knows of a folder that is selected all along.
            self.select(folder)
            self.leave()
        # IMAP4.append() would "mend" bare CR and LF.
        self.imap.literal = body
        self.check(self.imap._simple_command(
            "APPEND", self.wire(folder), "(" + " ".join(flags) + ")",
            imaplib.Time2Internaldate(float(date))))
        if flags and not self.can("UIDPLUS"):
            # GNU mailutils forgets them.
            self.selected = None
            self.select(folder)
            last = self.check(self.imap.uid("SEARCH", "ALL"))[0].split()[-1]
            self.check(self.imap.uid("STORE", last.decode(), "+FLAGS",
                                     "(" + " ".join(flags) + ")"))
            self.leave()

    def flag(self, folder, message, plus, minus):
        self.select(folder)
        for sign, flags in (("+", plus), ("-", minus)):
            if flags:
                self.check(self.imap.uid("STORE", message.key, sign + "FLAGS",
                                         "(" + " ".join(flags) + ")"))

    def delete(self, folder, messages):
        self.select(folder)
        keys = ",".join(message.key for message in messages)
        self.check(self.imap.uid("STORE", keys, "+FLAGS", "(\\Deleted)"))
        if self.can("UIDPLUS"):
            self.check(self.imap.uid("EXPUNGE", keys))
        else:
            self.check(self.imap.expunge())

    def move(self, folder, message, target):
        if self.can("MOVE"):
            self.select(folder)
            self.check(self.imap.uid("MOVE", message.key, self.wire(target)))
        else:
            self.copy(folder, message, target)
            self.delete(folder, [message])

    def copy(self, folder, message, target):
        self.select(folder)
        self.check(self.imap.uid("COPY", message.key, self.wire(target)))

    def mkdir(self, folder):
        self.leave()
        self.check(self.imap.create(self.wire(folder)))

    def rmdir(self, folder):
        self.leave()
        self.check(self.imap.delete(self.wire(folder)))

    def rename(self, folder, name):
        self.leave()
        self.check(self.imap.rename(self.wire(folder), self.wire(name)))

    def subscribe(self, folder):
        self.check(self.imap.subscribe(self.wire(folder)))

    def unsubscribe(self, folder):
        self.check(self.imap.unsubscribe(self.wire(folder)))

    def subscribed(self):
        # One quoted name a line, as no test has others.
        lines = [line.decode("ascii") for line in self.check(self.imap.lsub())
                 if line is not None]
        found = [re.match(r'.*?\) "(.)" "?(.*?)"?$', line) for line in lines]
        return sorted(from_mutf7(match.group(2)).replace(match.group(1), "/")
                      for match in found)


# --- Maildir ----------------------------------------------------------------

class Maildir:
    def __init__(self, layout, path):
        self.layout, self.root = layout, path
        self.count = 0
        self.told = ""  # of a new file, in its name
        self.places = {}

    def close(self):
        pass

    def path(self, folder):
        if folder in self.places:
            return self.places[folder]
        levels = [to_disk(level, self.layout) for level in folder.split("/")]
        if self.layout == "maildir":
            return os.path.join(self.root, *levels)
        if folder == "INBOX":
            return self.root
        return os.path.join(self.root, "." + ".".join(levels))

    def name(self, path):
        relative = os.path.relpath(path, self.root)
        if self.layout == "maildir":
            return "/".join(map(from_disk, relative.split(os.sep)))
        if relative == ".":
            return "INBOX"
        return "/".join(map(from_disk, relative[1:].split(".")))

    def list(self):
        names = []
        for path, folders, _ in os.walk(self.root):
            if "cur" in folders and "new" in folders:
                if self.layout == "maildir++" or path != self.root:
                    names.append(self.name(path))
                    self.places[names[-1]] = path
            folders[:] = [f for f in folders if f not in ("cur", "new", "tmp")]
        return sorted(names)

    def keywords(self, folder):
        names = {}
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.path(folder), "dovecot-keywords"),
                      encoding="utf-8") as file:
                for line in file:
                    number, name = line.split(None, 1)
                    names[chr(ord("a") + int(number))] = name.strip()
        return names

    def messages(self, folder):
        found, keywords = [], self.keywords(folder)
        if folder not in self.places:
            self.list()
        for sub in ("cur", "new"):
            where = os.path.join(self.path(folder), sub)
            for name in sorted(os.listdir(where)):
                if name.startswith("."):
                    continue
                path = os.path.join(where, name)
                with open(path, "rb") as file:
                    body = file.read()
                letters = name.rpartition(":2,")[2] if ":2," in name else ""
                flags = [LETTERS.get(letter) or keywords.get(letter)
                         for letter in letters]
                found.append(Message(path, body, int(os.stat(path).st_mtime),
                                     [flag for flag in flags if flag]))
        return found

    def letters(self, folder, flags):
        table = {flag: letter for letter, flag in LETTERS.items()}
        known = {name: letter for letter, name in self.keywords(folder).items()}
        for flag in flags:
            if flag not in table and flag not in known:
                letter = chr(ord("a") + len(known))
                known[flag] = letter
                with open(os.path.join(self.path(folder), "dovecot-keywords"),
                          "a", encoding="utf-8") as file:
                    file.write("%d %s\n" % (ord(letter) - ord("a"), flag))
        return "".join(sorted(table.get(f) or known[f] for f in flags))

    def add(self, folder, body, flags, date):
        self.count += 1
        name = "%d.M%dP%d_%d.test%s" % (
            time.time(), time.time_ns() % 1000000000, os.getpid(), self.count,
            self.told)
        base = self.path(folder)
        with open(os.path.join(base, "tmp", name), "wb") as file:
            file.write(body)
        os.utime(os.path.join(base, "tmp", name), (float(date), float(date)))
        target = os.path.join(base, "cur", name + ":2,"
                              + self.letters(folder, flags))
        if not flags:
            target = os.path.join(base, "new", name)
        os.rename(os.path.join(base, "tmp", name), target)

    def flag(self, folder, message, plus, minus):
        flags = (set(message.flags) | set(plus)) - set(minus)
        base = os.path.basename(message.key).partition(":2,")[0]
        os.rename(message.key, os.path.join(
            self.path(folder), "cur",
            base + ":2," + self.letters(folder, flags)))

    def delete(self, _folder, messages):
        for message in messages:
            os.unlink(message.key)

    def move(self, _folder, message, target):
        # The letters of keywords mean something else in another folder.
        base = os.path.basename(message.key).partition(":2,")[0]
        os.rename(message.key, os.path.join(
            self.path(target), "cur",
            base + ":2," + self.letters(target, message.flags)))

    def copy(self, _folder, message, target):
        self.add(target, message.body, message.flags, message.date)

    def mkdir(self, folder):
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.path(folder), sub), 0o700,
                        exist_ok=True)

    def rmdir(self, folder):
        for sub in ("cur", "new", "tmp"):
            shutil.rmtree(os.path.join(self.path(folder), sub))
        for name in os.listdir(self.path(folder)):
            path = os.path.join(self.path(folder), name)
            if not os.path.isdir(path):
                os.unlink(path)
        with contextlib.suppress(OSError):
            os.rmdir(self.path(folder))

    def rename(self, folder, name):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        os.rename(self.path(folder), self.path(name))


def open_store(store):
    kind, rest = store.split(":", 1)
    if kind == "imap":
        return Imap(*rest.split(":", 1))
    return Maildir(kind, rest)


# --- commands ---------------------------------------------------------------

def make_message(subject, size=300, dice=None):
    dice = dice or random.Random(subject)
    lines = ["From: Ann Author <ann@example.org>",
             "To: Ben Reader <ben@example.org>",
             "Subject: " + subject,
             "Date: Mon, 02 Feb 2026 10:00:00 +0000",
             "Message-ID: <%s.%d@example.org>" % (
                 re.sub(r"[^\w.]", "-", subject, flags=re.A),
                 dice.getrandbits(40)),
             "MIME-Version: 1.0",
             "Content-Type: text/plain; charset=utf-8", ""]
    length = sum(map(len, lines))
    while length < size:
        lines.append("%070x" % dice.getrandbits(280))
        length += 72
    return "\r\n".join(lines + [""]).encode()


def allowed(flags):
    return [flag for flag in flags if KEYWORDS or flag.startswith("\\")]


def deliver(store, folder, body, flags, date):
    """Mail lies in a Maildir as local programs put it there: with LF."""
    if isinstance(store, Maildir):
        body = body.replace(b"\r\n", b"\n")
    store.add(folder, body, allowed(flags), date)


def ensure(store, folder):
    if folder not in store.list():
        store.mkdir(folder)


def cmd_wait(spec):
    deadline = time.monotonic() + 30
    while True:
        try:
            open_store(spec).close()
            return
        except (OSError, imaplib.IMAP4.error, socket.error) as failure:
            if time.monotonic() > deadline:
                sys.exit("mail.py: %s" % failure)
            time.sleep(0.02)


def cmd_dump(store, path=None):
    lines = []
    for folder in store.list():
        lines.append("%s\t(folder)" % folder)
        for message in store.messages(folder):
            lines.append("%s\t%s\t%d\t%s" % (
                folder, hashlib.sha256(crlf(message.body)).hexdigest(),
                message.date, " ".join(message.flags)))
    text = "".join(line + "\n" for line in sorted(lines))
    if path is None:
        sys.stdout.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def cmd_subjects(store):
    print("\n".join(sorted(
        "\t".join([folder, subject_of(message.body), " ".join(message.flags)])
        for folder in store.list() for message in store.messages(folder))))


def cmd_subscribe(store, folder):
    store.subscribe(folder)


def cmd_unsubscribe(store, folder):
    store.unsubscribe(folder)


def cmd_subscribed(store):
    print("\n".join(store.subscribed()))


def cmd_folders(store):
    print("\n".join(store.list()))


def cmd_seed(store, count, seed="1"):
    dice = random.Random(int(seed))
    folders = ["INBOX", "Sent", "Lists/dev", "Lists/users", "Bücher & Öl"]
    flags = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Work", "later"]
    for folder in folders:
        ensure(store, folder)
    for number in range(int(count)):
        chosen = [flag for flag in flags if dice.random() < 0.3]
        deliver(store, folders[number % len(folders)],
                make_message("s%s-%d %s" % (seed, number,
                                              dice.choice(PHRASES)),
                             dice.randrange(200, 6000), dice),
                chosen, 1500000000 + dice.randrange(200000000))


def cmd_bulk(store, folder, count, size):
    ensure(store, folder)
    for number in range(int(count)):
        dice = random.Random("%s %d" % (folder, number))
        deliver(store, folder, make_message("bulk-%d" % number, int(size), dice),
                ["\\Seen"] if number % 2 else [], 1600000000 + number)


def cmd_add(store, folder, flags="", date=None):
    ensure(store, folder)
    store.add(folder, sys.stdin.buffer.read(), flags.split(),
              int(date or time.time()))


def cmd_new(store, folder, *subjects):
    ensure(store, folder)
    for subject in subjects:
        deliver(store, folder, make_message(subject), [], 1700000000)


def cmd_flag(store, folder, subject, *changes):
    plus = [change[1:] for change in changes if change[0] == "+"]
    minus = [change[1:] for change in changes if change[0] == "-"]
    for message in choose(store.messages(folder), subject):
        store.flag(folder, message, allowed(plus), allowed(minus))


def cmd_delete(store, folder, *subjects):
    messages = store.messages(folder)
    store.delete(folder, [message for subject in subjects
                          for message in choose(messages, subject)])


def cmd_drop(store, folder, subject):
    twins = [message for message in store.messages(folder)
             if subject in subject_of(message.body).split()]
    store.delete(folder, twins[:1])


def cmd_move(store, folder, subject, target):
    ensure(store, target)
    for message in choose(store.messages(folder), subject):
        store.move(folder, message, target)


def cmd_copy(store, folder, subject, target):
    ensure(store, target)
    for message in choose(store.messages(folder), subject):
        store.copy(folder, message, target)


def cmd_mkdir(store, *folders):
    for folder in folders:
        store.mkdir(folder)


def cmd_rmdir(store, folder):
    store.rmdir(folder)


def cmd_rename(store, folder, name):
    store.rename(folder, name)


def cmd_raw(store, folder, subject):
    for message in choose(store.messages(folder), subject):
        sys.stdout.buffer.write(message.body)


def cmd_script(*specs):
    specs = dict(spec.split("=", 1) for spec in specs)
    stores = {}
    for line in sys.stdin:
        words = shlex.split(line, comments=True)
        if not words:
            continue
        for name in words[0].split("+"):
            if name not in stores:
                stores[name] = open_store(specs[name])
            globals()["cmd_" + words[1]](stores[name], *words[2:])
    for store in stores.values():
        store.close()


def main():
    if len(sys.argv) < 3 or "cmd_" + sys.argv[1] not in globals():
        sys.exit(__doc__)
    command = globals()["cmd_" + sys.argv[1]]
    if command is cmd_wait:
        return cmd_wait(sys.argv[2])
    try:
        if command is cmd_script:
            return cmd_script(*sys.argv[2:])
        store = open_store(sys.argv[2])
        command(store, *sys.argv[3:])
        store.close()
    except (OSError, imaplib.IMAP4.error) as failure:
        sys.exit("mail.py: %s" % failure)
    return None


if __name__ == "__main__":
    main()
