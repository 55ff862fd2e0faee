#!/usr/bin/python3
"""Hold what a run of mailtwin sent to a server against what it gave as reason.

    wirelint.py ACCOUNT WIRE [ERR]

WIRE is what tests/tools/relay.c -w wrote of ACCOUNT's connections (without
TLS), ERR what mailtwin -v said on standard error: there stands why each message
goes, before it goes. Without ERR no deletion needs a reason. Prints a line for
each rule that was broken, and last how many messages were removed, and how many
of these had their reason: "12 removed, 12 justified". Exits 1 where a rule was
broken.

The rules: messages are named by UID, never by number; flags are added and taken
away, never set; UID EXPUNGE only, or, from a server without UIDPLUS, EXPUNGE
after a search that found nothing marked but what has its reason; no CLOSE of a
folder that can be written; no change before the server told the UIDVALIDITY of
this SELECT; no message removed or moved away without its reason; no folder
deleted that was not seen empty.
"""

import collections
import re
import sys

import mail

REASON = re.compile(r"^[^:]+: (?P<folder>.*): message (?P<uid>\d+) on "
                    r"(?P<account>\S+) is to be (?:deleted|moved to .*): "
                    r"its twin on ")
CHANGES = (b"STORE", b"COPY", b"MOVE", b"EXPUNGE")


def reasons(lines):
    """{account: {folder: UIDs}}"""
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for line in lines:
        match = REASON.match(line)
        if match:
            found[match["account"]][match["folder"]].add(int(match["uid"]))
    return found


def uids(text):
    for part in text.decode("ascii").split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)


class Lines:
    """A stream of octets, cut into lines; a literal belongs to its line."""

    def __init__(self):
        self.rest = b""

    def add(self, data):
        self.rest += data
        while True:
            line, end = self.take(0)
            if line is None:
                return
            self.rest = self.rest[end:]
            yield line

    def refused(self, tag):
        """No literal comes after all: the server has answered before."""
        if self.rest.startswith(tag + b" ") and self.rest.endswith(b"}\r\n"):
            self.rest = b""

    def take(self, start):
        end = self.rest.find(b"\r\n", start)
        if end < 0:
            return None, 0
        literal = re.search(rb"~?\{(\d+)\+?\}$", self.rest[start:end])
        if not literal:
            return self.rest[:end], end + 2
        after = end + 2 + int(literal.group(1))
        return self.take(after) if len(self.rest) >= after else (None, 0)


class Link:
    """One connection, as far as the rules need it."""

    def __init__(self, lint):
        self.lint = lint
        self.lines = {"C": Lines(), "S": Lines()}
        self.folder, self.writable = None, False
        self.validity = None   # of this SELECT
        self.searching = None  # the tag of UID SEARCH DELETED
        self.marked = None     # what it found

    def line(self, who, line):
        (self.client if who == "C" else self.server)(line)

    def bad(self, text, line):
        self.lint.broken.append("%s: %r" % (text, line[:200]))

    # --- what mailtwin sends ---------------------------------------------------

    def client(self, line):
        words = line.split(b" ", 2)
        if len(words) < 2:
            return  # DONE, or an answer to a challenge
        verb, rest = words[1].upper(), words[2] if len(words) > 2 else b""
        if verb in CHANGES and not (verb == b"EXPUNGE" and self.may_expunge()):
            self.bad("not by UID", line)
        elif verb in (b"SELECT", b"EXAMINE"):
            self.folder = self.lint.name(rest)
            self.writable = verb == b"SELECT"
            self.validity, self.marked = None, None
        elif verb in (b"UNSELECT", b"CLOSE"):
            if verb == b"CLOSE" and self.writable:
                self.bad("CLOSE expunges", line)
            self.folder = None
        elif verb == b"UID":
            self.by_uid(words[0], rest, line)
        elif verb == b"DELETE":
            self.lint.folders_deleted += 1
            if self.lint.name(rest) not in self.lint.empty:
                self.bad("deletes a folder that was not seen empty", line)

    def may_expunge(self):
        if b"UIDPLUS" in self.lint.capabilities or self.marked is None:
            return False
        for uid in self.marked:
            self.lint.judge(self, uid, b"EXPUNGE")
        return True

    def by_uid(self, tag, rest, line):
        verb, _, rest = rest.partition(b" ")
        verb = verb.upper()
        if verb == b"SEARCH" and rest.strip().upper() == b"DELETED":
            self.searching, self.marked = tag, set()
        if verb not in CHANGES:
            return
        if not self.writable or self.folder is None:
            self.bad("no folder is open for it", line)
        if self.validity is None:
            self.bad("before UIDVALIDITY was told", line)
        if verb == b"STORE" and not re.match(rb"\S+ [+-]FLAGS", rest):
            self.bad("sets flags as a whole", line)
        if verb in (b"MOVE", b"EXPUNGE"):
            for uid in uids(rest.split(b" ")[0]):
                self.lint.judge(self, uid, line)

    # --- what the server answers -----------------------------------------------

    def server(self, line):
        upper = line[:4096].upper()
        self.lines["C"].refused(line.split(b" ", 1)[0])
        if b"CAPABILITY " in upper:
            self.lint.capabilities |= set(re.findall(rb"[^\s\]\[()]+", upper))
        match = re.match(rb"\* OK \[UIDVALIDITY (\d+)", upper)
        if match and self.folder is not None:
            self.validity = int(match.group(1))
            known = self.lint.validities.setdefault(self.folder, self.validity)
            if known != self.validity:
                self.lint.changed.add(self.folder)
        if upper.startswith(b"* SEARCH") and self.searching:
            self.marked |= set(map(int, upper.split()[2:]))
        match = re.match(rb"\* ESEARCH .*ALL ([\d:,]+)", upper)
        if match and self.searching:
            self.marked |= set(uids(match.group(1)))
        if self.searching and upper.startswith(self.searching.upper() + b" "):
            self.searching = None
        match = re.match(rb"\* STATUS (.*) \(.*MESSAGES (\d+)", line, re.I)
        if match and match.group(2) == b"0":
            self.lint.empty.add(self.lint.name(match.group(1)))
        match = re.match(rb"\* LIST \(([^)]*)\) \"\\?(.)\" (.*)", line,
                         re.I | re.S)
        if match:
            self.lint.separator = match.group(2).decode()
            if re.search(rb"\\no(select|nexistent)", match.group(1), re.I):
                self.lint.empty.add(self.lint.name(match.group(3)))
        match = re.match(rb"\* NAMESPACE \(\(\"([^\"]*)\"", line, re.I)
        if match:
            self.lint.prefix = match.group(1).decode()


class Lint:
    """All connections of one account in one run."""

    def __init__(self, account, reasons_given):
        self.reasons = None
        if reasons_given is not None:
            self.reasons = reasons_given.get(account, {})
        self.links = {}
        self.capabilities = set()
        self.validities, self.changed = {}, set()
        self.empty = set()
        self.separator, self.prefix = "/", ""
        self.broken = []
        self.removed, self.justified = 0, 0
        self.folders_deleted = 0

    def name(self, wire):
        wire = wire.strip()
        quoted = re.match(rb'"((?:[^"\\]|\\.)*)"', wire)
        literal = re.match(rb"\{(\d+)\+?\}\r\n", wire)
        if quoted:
            text = re.sub(rb"\\(.)", rb"\1", quoted.group(1))
        elif literal:
            text = wire[literal.end():literal.end() + int(literal.group(1))]
        else:
            text = wire.split(b" ")[0]
        text = mail.from_mutf7(text.decode("utf-8", "replace"))
        if self.prefix and text.startswith(self.prefix):
            text = text[len(self.prefix):]
        return text.replace(self.separator, "/")

    def judge(self, link, uid, line):
        self.removed += 1
        if self.reasons is None or uid in self.reasons.get(link.folder, ()):
            self.justified += 1
        else:
            link.bad("no reason given for message %d of %s" % (uid, link.folder),
                     line)

    def read(self, wire):
        """wire: what the relay wrote."""
        at = 0
        while at < len(wire):
            end = wire.index(b"\n", at)
            number, who, length = wire[at:end].split()
            at = end + 1
            data = wire[at:at + int(length)]
            at += int(length) + 1
            link = self.links.setdefault(number, Link(self))
            who = who.decode()
            for line in link.lines[who].add(data):
                link.line(who, line)


def main():
    given = None
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8", errors="replace") as file:
            given = reasons(file)
    lint = Lint(sys.argv[1], given)
    with open(sys.argv[2], "rb") as file:
        lint.read(file.read())
    print("".join(text + "\n" for text in lint.broken)
          + "%d removed, %d justified" % (lint.removed, lint.justified))
    return 1 if lint.broken else 0


if __name__ == "__main__":
    sys.exit(main())
