"""The sides of a random world, as their owner's other mail client has them.

A look at a side is {folder: Folder}. A Folder has an identity (UIDVALIDITY, or
the directory's inode) and its messages by key: a UID, or a file's base name.
What a message is, is its content: SHA-256 of the CRLF form, date and size.
"""

import collections
import hashlib
import os
import re
import shutil
import subprocess

import mail

Content = collections.namedtuple("Content", "digest date size")
Seen = collections.namedtuple("Seen", "content flags handle")


class Folder:
    def __init__(self, identity):
        self.identity = identity
        self.messages = {}  # key: Seen

    def __eq__(self, other):
        return self.census() == other.census()

    def census(self):
        return collections.Counter((seen.content, seen.flags)
                                   for seen in self.messages.values())


class Refused(Exception):
    """The server said NO, or the folder was not as it should be."""


def content_of(body, date):
    body = mail.crlf(body)
    return Content(hashlib.sha256(body).hexdigest()[:16], date, len(body))


class ImapSide(mail.Imap):
    """traits: what this server cannot do, a set of words: dates, keywords."""

    is_maildir = False

    def __init__(self, kind, directory, user, lacks):
        self.kind, self.directory, self.user = kind, directory, user
        self.lacks = lacks
        self.bodies = {}  # (folder, uidvalidity, uid, mark): Content
        self.marks = {}  # of the folder looked at: marks_of()
        self.is_open = False
        with open(os.path.join(directory, "imap_port"), encoding="ascii") as f:
            self.port = int(f.read())

    def open(self):
        if not self.is_open:
            super().__init__(self.port, self.user)
            self.is_open = True

    def close(self):
        if self.is_open:
            self.is_open = False
            super().close()

    def leave(self):
        """A server may hang up on who has a deleted folder selected."""
        if self.selected is not None and not self.can("UNSELECT"):
            self.imap.select(self.wire("INBOX"), readonly=True)
        super().leave()

    def check(self, answer):
        status, data = answer
        if status != "OK":
            raise Refused("%s %s" % (status, data))
        return data

    def uids(self, data):
        """Flags by UID."""
        found = {}
        for line in data:
            line = line[0] + b" " + line[1] if isinstance(line, tuple) else line
            uid = re.search(rb"UID (\d+)", line or b"")
            flags = re.search(rb"FLAGS \(([^)]*)\)", line or b"")
            if uid and flags:
                found[uid.group(1).decode()] = frozenset(
                    flags.group(1).decode().split()) - {"\\Recent"}
        return found

    @staticmethod
    def marks_of(data):
        """Size and date by UID: where two folders have got one name after the
        other, and were made in the same second, UIDVALIDITY and UID may be the
        same for two messages (Cyrus: RENAME keeps UIDVALIDITY)."""
        found = {}
        for line in data:
            uid = re.search(rb"UID (\d+)", line or b"")
            size = re.search(rb"RFC822\.SIZE (\d+)", line or b"")
            date = re.search(rb'INTERNALDATE "([^"]*)"', line or b"")
            if uid and size and date:
                found[uid.group(1).decode()] = (size.group(1), date.group(1))
        return found

    def fetch(self, folder, identity, uids):
        data = self.check(self.imap.uid(
            "FETCH", ",".join(uids), "(UID INTERNALDATE BODY.PEEK[])"))
        for index, part in enumerate(data):
            body = b""
            if isinstance(part, tuple):
                head, body = part[0] + data[index + 1], part[1]
            elif part and b"INTERNALDATE" in part and b"UID " in part:
                head = part
            else:
                continue
            uid = re.search(rb"UID (\d+)", head).group(1).decode()
            date = self.date(re.search(rb'INTERNALDATE "([^"]*)"', head))
            self.bodies[folder, identity, uid, self.marks.get(uid)] = \
                content_of(body, 0 if "dates" in self.lacks else date)

    def look_at(self, name):
        self.open()
        self.selected = None
        self.select(name)
        identity = int(self.imap.untagged_responses["UIDVALIDITY"][-1])
        folder = Folder(identity)
        data = self.check(self.imap.uid(
            "FETCH", "1:*", "(UID FLAGS RFC822.SIZE INTERNALDATE)"))
        flags = self.uids(data)
        self.marks = self.marks_of(data)
        new = [uid for uid in flags
               if (name, identity, uid, self.marks.get(uid)) not in self.bodies]
        if new:
            self.fetch(name, identity, new)
        for uid, its in flags.items():
            content = self.bodies.get(
                (name, identity, uid, self.marks.get(uid)))
            if content is not None:
                folder.messages["%d/%s" % (identity, uid)] = Seen(
                    content, its, uid)
        return folder

    def look(self):
        """The server may still be at the last thing that a run has asked, which
        was killed: what it lists may be gone when it is opened."""
        self.open()
        for patience in range(9, -1, -1):
            try:
                result = {name: self.look_at(name) for name in self.list()}
                break
            except Refused:
                if patience == 0:
                    raise
        self.leave()
        return result

    def message(self, seen):
        return mail.Message(seen.handle, None, seen.content.date, seen.flags)

    def home(self):
        return os.path.join(self.directory, "home", self.user)

    def lose_uids(self, name):
        """Dovecot finds its list of UIDs gone: a new UIDVALIDITY."""
        self.close()
        path = os.path.join(self.home(), "mail", mail.to_mutf7(name))
        for file in os.listdir(path):
            if file.startswith(("dovecot-uidlist", "dovecot.index")):
                os.unlink(os.path.join(path, file))

    def save(self, where):
        self.close()
        copy_tree(self.home(), where)

    def restore(self, where):
        self.close()
        self.bodies = {}
        shutil.rmtree(self.home())
        copy_tree(where, self.home())

    def remake(self, name):
        """The folder is deleted and made again, with what was in it."""
        self.open()
        self.selected = None
        kept = self.messages(name)
        self.leave()
        self.rmdir(name)
        self.mkdir(name)
        for message in kept:
            self.add(name, message.body, message.flags, message.date)


class MaildirSide(mail.Maildir):
    is_maildir = True
    kind = "maildir"

    def __init__(self, layout, path, lacks):
        super().__init__(layout, path)
        self.lacks = lacks
        self.bodies = {}  # (base name, size, mtime): Content

    def open(self):
        pass

    def look_at(self, name):
        path = self.path(name)
        folder = Folder(os.stat(path).st_ino)
        keywords = self.keywords(name)
        for sub in ("cur", "new"):
            where = os.path.join(path, sub)
            for file in os.listdir(where):
                if not file.startswith("."):
                    self.look_at_file(folder, os.path.join(where, file),
                                      keywords)
        return folder

    def look_at_file(self, folder, path, keywords):
        base, _, letters = os.path.basename(path).partition(":2,")
        stat = os.stat(path)
        mark = (base, stat.st_size, stat.st_mtime_ns)
        if mark not in self.bodies:
            with open(path, "rb") as file:
                self.bodies[mark] = content_of(
                    file.read(),
                    0 if "dates" in self.lacks else int(stat.st_mtime))
        flags = frozenset(filter(None, (
            mail.LETTERS.get(letter) or keywords.get(letter)
            for letter in letters)))
        folder.messages[base] = Seen(self.bodies[mark], flags, path)

    def look(self):
        self.places = {}
        return {name: self.look_at(name) for name in self.list()}

    def message(self, seen):
        return mail.Message(seen.handle, None, seen.content.date,
                            sorted(seen.flags))

    def copy(self, folder, message, target):
        with open(message.key, "rb") as file:
            message.body = file.read()
        super().copy(folder, message, target)

    def rmdir(self, folder):
        super().rmdir(folder)
        self.places = {}

    def rename(self, folder, name):
        super().rename(folder, name)
        self.places = {}

    def add(self, folder, body, flags, date):
        """Some programs say in a file's name how many octets are in it."""
        self.told = ",S=%d" % len(body) if self.count % 2 else ""
        super().add(folder, body, flags, date)

    def edit(self, seen, extra):
        """As sed -i does it: another file under the same name."""
        draft = os.path.join(self.root, "draft")
        shutil.copyfile(seen.handle, draft)
        with open(draft, "ab") as file:
            file.write(extra)
        os.rename(draft, seen.handle)

    def save(self, where):
        copy_tree(self.root, where)

    def restore(self, where):
        shutil.rmtree(self.root)
        copy_tree(where, self.root)
        self.places = {}

    def remake(self, name):
        path = self.path(name)
        copy_tree(path, path + ".again")
        shutil.rmtree(path)
        os.rename(path + ".again", path)
        self.places = {}


def copy_tree(source, target):
    subprocess.run(["cp", "-a", source, target], check=True)
