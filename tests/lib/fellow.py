#!/usr/bin/python3
"""A user at work on one side while mailtwin runs, who knows what should be there.

    fellow.py work STORE PREFIX STEPS SEED   make, flag, move and delete messages
                                             of its own; print what is left
    fellow.py list STORE PREFIX              print what is there

STORE is as in mail.py. Messages have the subjects PREFIX-0001 and so on, each
only once; printed is a sorted line for each: folder, subject, flags. Steps are
made one after the other, each on what the one before has left.
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mail  # noqa: E402

FOLDERS = ["INBOX", "Work", "Lists/dev"]
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Work", "later"]
PATIENCE_S = 20


class Fellow:
    def __init__(self, store, prefix, dice):
        self.store, self.prefix, self.dice = store, prefix, dice
        self.messages = {}  # subject: [folder, flags]
        self.count = 0

    def find(self, subject, folder):
        """The message, once this side shows it: a rename by somebody else may
        hide it for a moment."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.store.selected = None
            self.store.select(folder)
            found = self.store.check(self.store.imap.uid(
                "SEARCH", "HEADER", "Subject", subject))[0].split()
            if len(found) == 1:
                return mail.Message(found[0].decode(), b"", 0, [])
            if time.monotonic() > deadline:
                sys.exit("fellow.py: %d messages %s in %s"
                         % (len(found), subject, folder))

    def make(self):
        self.count += 1
        subject = "%s-%04d" % (self.prefix, self.count)
        folder = self.dice.choice(FOLDERS)
        flags = [flag for flag in FLAGS if self.dice.random() < 0.2]
        mail.deliver(self.store, folder, mail.make_message(subject), flags,
                     1600000000 + self.count)
        self.messages[subject] = [folder, set(flags)]

    def flag(self, subject):
        folder, flags = self.messages[subject]
        flag = self.dice.choice(FLAGS)
        plus, minus = ([], [flag]) if flag in flags else ([flag], [])
        self.store.flag(folder, self.find(subject, folder), plus, minus)
        flags ^= {flag}

    def move(self, subject):
        folder = self.messages[subject][0]
        target = self.dice.choice([f for f in FOLDERS if f != folder])
        self.store.move(folder, self.find(subject, folder), target)
        self.messages[subject][0] = target

    def delete(self, subject):
        folder = self.messages.pop(subject)[0]
        self.store.delete(folder, [self.find(subject, folder)])

    def step(self):
        if len(self.messages) < 8 or self.dice.random() < 0.3:
            return self.make()
        subject = self.dice.choice(sorted(self.messages))
        act = self.dice.choice([self.flag, self.flag, self.move, self.move,
                                self.delete])
        return act(subject)


def show(messages):
    print("\n".join(sorted("%s\t%s\t%s" % (folder, subject,
                                           " ".join(sorted(flags)))
                           for folder, subject, flags in messages)))


def work(spec, prefix, steps, seed):
    store = mail.open_store(spec)
    fellow = Fellow(store, prefix, random.Random(int(seed)))
    for folder in FOLDERS:
        mail.ensure(store, folder)
    for _ in range(int(steps)):
        fellow.step()
    store.close()
    show((folder, subject, flags)
         for subject, (folder, flags) in fellow.messages.items())


def list_store(spec, prefix):
    store = mail.open_store(spec)
    show((folder, mail.subject_of(message.body), message.flags)
         for folder in store.list() for message in store.messages(folder)
         if mail.subject_of(message.body).startswith(prefix + "-"))
    store.close()


if __name__ == "__main__":
    {"work": work, "list": list_store}[sys.argv[1]](*sys.argv[2:])
