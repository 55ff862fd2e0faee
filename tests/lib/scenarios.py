"""Ten small worlds in which a run has something of each kind to do.

A scenario says what its sides are, how they come to be in step, and what their
users do afterwards; then comes the run that a test breaks. Lines are words of
mail.py, "left" or "right" first. All of it is done on a model too: no two lines
are at odds, so the model is what both sides must hold in the end.
"""

import collections
import random

import mail

Scenario = collections.namedtuple("Scenario", "name left right base changes")


def lines(text):
    return [line.split() for line in text.strip().splitlines() if line.strip()]


def scenario(name, left, right, base="", changes=""):
    return Scenario(name, left, right, lines(base), lines(changes))


A_LITTLE = """
    left new INBOX one two three
    left flag INBOX two +\\Seen +$Work
    left new Lists/dev four five five
    left flag Lists/dev four +\\Flagged
    left new Sent six
    left flag Sent six +\\Seen +\\Answered
"""

# Both sides' users at once, each on messages of their own.
BOTH_WAYS = """
    left new INBOX left-1 left-2
    left new Lists/dev left-3
    right new INBOX right-1
    right new Lists/fresh right-2 right-3
    left flag INBOX two -\\Seen
    left flag Lists/dev four +\\Answered
    right flag INBOX three +\\Flagged +later
    right flag INBOX two -$Work
    left delete INBOX one
    right delete Sent six
    left move Lists/dev seven INBOX
    right move INBOX eight Sent
"""

MORE = A_LITTLE + """
    left new Lists/dev seven
    left new INBOX eight nine
"""

SCENARIOS = [
    scenario("pull", "imap", "maildir", "", A_LITTLE),
    scenario("push", "maildir", "imap", "", A_LITTLE),
    scenario("imap", "imap", "imap", "", A_LITTLE),
    scenario("mixed", "imap", "maildir", MORE, BOTH_WAYS),
    scenario("mixed-imap", "imap", "imap", MORE, BOTH_WAYS),
    scenario("moves", "maildir", "imap", MORE, """
        left mkdir Box
        left move INBOX one Box
        left move INBOX two Sent
        left copy INBOX three Box
        left copy Lists/dev four INBOX
        right move INBOX eight Lists/dev
        right move Lists/dev seven New
        right copy INBOX nine Sent
    """),
    scenario("folders", "imap", "maildir", MORE + """
        left new Old/a ten eleven
        left new Old/b twelve
        left mkdir Gone/x
        left new Names thirteen
        left new Empty fourteen
    """, """
        left rename Old Young
        right rename Names Ways
        left rmdir Gone/x
        right delete Empty fourteen
        right rmdir Empty
        left mkdir Made/here
        right new Made/there fifteen
        left new Young/a sixteen
    """),
    scenario("uidvalidity", "imap", "maildir", MORE, """
        left reset Lists/dev
        left new Lists/dev left-1
        right new Lists/dev right-1
        right flag Lists/dev four +\\Answered
        left new INBOX left-2
        right delete INBOX one
    """),
    scenario("large", "imap", "maildir", "left new INBOX one two", """
        left bulk Left 1 3000000
        right bulk Right 1 3000000
        left new Left small
        right new Right small
    """),
    scenario("flags", "maildir", "imap", MORE + """
        left new INBOX twin twin twin
        left new Many m1 m2 m3 m4 m5 m6 m7 m8
    """, """
        left flag Many all +\\Seen
        right flag INBOX twin* +$Twin
        left drop INBOX twin
        left delete Many m1 m2
        right delete Many m3
        right flag Sent six -\\Answered
        right delete Lists/dev four
        left flag INBOX one +\\Deleted
        left flag INBOX nine +\\Draft +$Work
    """),
]


class Model:
    """A mailbox in memory, by the methods that mail.py's commands use."""

    def __init__(self):
        self.folders = {"INBOX": []}

    def list(self):
        return sorted(self.folders)

    def messages(self, folder):
        return list(self.folders[folder])

    def add(self, folder, body, flags, date):
        self.folders[folder].append(mail.Message(None, body, date, flags))

    def flag(self, _folder, message, plus, minus):
        message.flags = sorted((set(message.flags) | set(plus)) - set(minus))

    def delete(self, folder, messages):
        for message in messages:
            self.folders[folder].remove(message)

    def move(self, folder, message, target):
        self.folders[folder].remove(message)
        self.folders[target].append(message)

    def copy(self, _folder, message, target):
        self.add(target, message.body, message.flags, message.date)

    def mkdir(self, folder):
        self.folders[folder] = []

    def rmdir(self, folder):
        del self.folders[folder]

    def rename(self, folder, name):
        for old in self.list():
            if old == folder or old.startswith(folder + "/"):
                self.folders[name + old[len(folder):]] = self.folders.pop(old)


def reset(store, folder):
    """The same messages in a new folder of the same name: another
    UIDVALIDITY."""
    if isinstance(store, Model):
        return
    messages = store.messages(folder)
    store.rmdir(folder)
    store.mkdir(folder)
    for message in random.Random(folder).sample(messages, len(messages)):
        store.add(folder, message.body, message.flags, message.date)


def act(script, stores, model):
    """Do the lines of @script on @stores ("left", "right"), and on @model."""
    for side, command, *arguments in script:
        function = reset if command == "reset" else \
            getattr(mail, "cmd_" + command)
        function(stores[side], *arguments)
        function(model, *arguments)
