"""The owner of the mail, who changes something between two runs.

Messages are numbered over all folders: the first ones of each, then the second
ones of each, and so on, so that what is done to some hundred of them is done in
every folder.
"""

import collections

import corpus


class Owner:
    def __init__(self, server, user):
        self.client = server.client(user)
        self.folders = sorted(name.decode() for name in self.client.folders()
                              if name not in (b"Sent", b"Trash"))

    def places(self, numbers):
        """Folder -> sequence numbers, as a set of the protocol."""
        found = collections.defaultdict(list)
        for number in numbers:
            found[self.folders[number % len(self.folders)]].append(
                b"%d" % (number // len(self.folders) + 1))
        return {folder: b",".join(found[folder]) for folder in found}

    def flag(self, numbers, change):
        """@change: +FLAGS (\\\\Flagged), say."""
        for folder, these in self.places(numbers).items():
            self.client.select(folder)
            self.client.command(b"STORE %s %s" % (these, change.encode()))

    def toggle(self, folder, number):
        """Flag a message that is not, or the other way round."""
        self.client.select(folder)
        flags = self.client.command(b"FETCH %d FLAGS" % number)
        self.client.command(b"STORE %d %sFLAGS (\\Flagged)" % (
            number, b"-" if b"\\Flagged" in flags else b"+"))

    def delete(self, count):
        """The last ones of each folder."""
        for folder, these in self.places(range(count)).items():
            there = self.client.select(folder)
            first = there - these.count(b",")
            self.client.command(b"STORE %d:%d +FLAGS.SILENT (\\Deleted)" % (
                first, there))
            self.client.command(b"EXPUNGE")

    def add(self, count, seed):
        """Some new messages, spread over the folders."""
        messages = list(corpus.small(count, seed))
        for number, folder in enumerate(self.folders):
            self.client.append(folder, messages[number::len(self.folders)])
        self.client.settle()

    def move(self, folder, count, target):
        self.client.select(folder)
        self.client.command(b"MOVE 1:%d %s" % (count, target.encode()))

    def rename(self, folder, name):
        self.client.command(b"RENAME %s %s" % (folder.encode(), name.encode()))
