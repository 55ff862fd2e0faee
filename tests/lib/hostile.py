#!/usr/bin/python3
"""An IMAP server that means harm. Serves until it is killed.

    hostile.py PORT_FILE MODE

names      folder names that lead out of a directory; each holds one message
cut-list   hangs up in the middle of the answer to LIST
bye        says BYE instead of the answer to LIST
no-list    refuses LIST
empty      lists no folder at all
literal    announces a literal of 2^64 - 1 octets
nesting    opens 100,000 parentheses
long-line  a line without an end
garbage    bytes that are no IMAP at all, instead of a greeting
bad-tag    answers with tags that nobody asked for
escape     terminal control characters in what it says
cut-body   hangs up in the middle of a message
short      says OK to FETCH without having sent the message
"""
import os
import re
import socket
import sys
import threading

NAMES = ["../out", "..", ".", "a/../../out", "/etc/passwd", "//", "a//b", "",
         "a/", "~root", "tmp", "cur/new", "a\\nb", "x" * 300,
         "/".join("d" * 40), "&AC4ALg-/&AC4ALg-", "&-&-", "&AGE-", "&",
         "&2D3&3D3-", "INBOX/../../out", "Ünescaped"]
BODY = b"Subject: escaped\r\n\r\nhello\r\n"


class Session:
    def __init__(self, client, mode):
        self.client, self.mode = client, mode
        self.file = client.makefile("rb")

    def say(self, text):
        self.client.sendall(text if isinstance(text, bytes)
                            else text.encode() + b"\r\n")

    def flood(self, chunk):
        while True:
            self.client.sendall(chunk)

    def run(self):
        if self.mode == "garbage":
            self.say(bytes(range(256)) * 64)
            return
        self.say("* OK hello")
        for line in self.file:
            while re.search(rb"\{\d+\+?\}\r\n$", line):
                size = int(re.search(rb"\{(\d+)\+?\}\r\n$", line).group(1))
                if not line.endswith(b"+}\r\n"):
                    self.say("+ go on")
                line += self.file.read(size) + self.file.readline()
            if not self.command(*(line.decode().split() + ["", ""])[:3]):
                return

    def command(self, tag, verb, noun):
        verb = verb.upper()
        if verb == "UID":
            verb = noun.upper()
        handler = getattr(self, "on_" + verb.lower(), None)
        if self.mode == "escape":
            self.say("* OK [ALERT] \x1b[2J\x1b]0;owned\x07 red\x1b[31m")
        if self.mode == "bad-tag" and verb == "LIST":
            self.say("zzz999 OK not yours")
        if verb == "AUTHENTICATE" and noun.upper() == "PLAIN":
            return self.on_authenticate(tag)
        if handler and handler() is False:
            return False
        refused = self.mode in ("no-list", "escape") and verb == "LIST"
        self.say(tag + (" NO no\x1b[31m" if refused else " OK done"))
        return True

    def on_authenticate(self, tag):
        self.say("+ ")
        self.file.readline()
        self.say(tag + " OK done")
        return True

    def on_capability(self):
        self.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN UIDPLUS ESEARCH")

    def on_list(self):
        if self.mode == "cut-list":
            self.say(b'* LIST () "/" INBOX\r\n* LIST () "/" "Unfin')
            return False
        if self.mode == "bye":
            self.say("* BYE come back later")
            return False
        if self.mode == "literal":
            self.say('* LIST () "/" {18446744073709551615}')
            self.flood(b"x" * 65536)
        if self.mode == "nesting":
            self.say(b"* LIST " + b"(" * 100000 + b"\r\n")
        if self.mode == "long-line":
            self.say(b"* LIST ")
            self.flood(b"x" * 65536)
        if self.mode in ("empty", "no-list", "escape"):
            return None
        self.say('* LIST () "/" INBOX')
        for name in NAMES if self.mode == "names" else []:
            raw = name.encode()
            self.say(b'* LIST () "/" {%d}\r\n%s\r\n' % (len(raw), raw))
        return None

    def on_status(self):
        self.say("* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)")

    def on_select(self):
        self.say("* FLAGS (\\Seen)")
        self.say("* 1 EXISTS")
        self.say("* OK [UIDVALIDITY 7] ok")
        self.say("* OK [UIDNEXT 2] ok")

    on_examine = on_select

    def on_search(self):
        self.say("* SEARCH 1")

    def on_fetch(self):
        self.say("* 1 FETCH (UID 1 FLAGS () RFC822.SIZE %d INTERNALDATE "
                 '"01-Jan-2026 00:00:00 +0000")' % len(BODY))
        if self.mode == "short":
            return None
        if self.mode == "cut-body":
            self.say(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s"
                     % (len(BODY), BODY[:9]))
            return False
        self.say(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n"
                 % (len(BODY), BODY))
        return None

    def on_logout(self):
        self.say("* BYE")


def serve(client, mode):
    try:
        Session(client, mode).run()
        client.close()
    except OSError:
        pass


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    with open(sys.argv[1] + ".tmp", "w", encoding="ascii") as file:
        file.write("%d\n" % listener.getsockname()[1])
    os.rename(sys.argv[1] + ".tmp", sys.argv[1])
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, sys.argv[2]),
                         daemon=True).start()


main()
