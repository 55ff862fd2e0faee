"""The mail behind tests/lib/provider.py: folders, messages, what changed when.

A Store is shared by all sessions, which hold its lock for each command. Three
kinds differ in what a folder is: Store (folders, as in most servers),
LabelStore (folders are labels on one heap of messages, as in Gmail) and
MergingStore (one copy of equal messages in a folder, as in Proton Bridge).
"""
import email.utils
import hashlib
import re
import threading


class Message:
    """What all rows of one message share."""

    def __init__(self, body, date, number):
        self.body, self.date, self.number = body, date, number
        self.flags = set()  # LabelStore only
        self.was_asked = False
        self.email_id = "M" + hashlib.sha1(body).hexdigest()[:24]

    def header(self, name):
        head = self.body.split(b"\r\n\r\n", 1)[0]
        match = re.search(rb"(?im)^" + name + rb": *(.*?)\r?$", head)
        return match.group(1).decode("utf-8", "replace") if match else ""

    def has_subject(self, word):
        return word in self.header(b"Subject").split()


class Row:
    """A message in a folder."""

    def __init__(self, uid, message, flags, modseq, shared):
        self.uid, self.message, self.modseq = uid, message, modseq
        self.own = None if shared else set(flags)
        if shared:
            message.flags |= set(flags)

    @property
    def flags(self):
        return self.message.flags if self.own is None else self.own


class Box:
    def __init__(self, name, attributes, uidvalidity):
        self.name, self.attributes = name, attributes
        self.uidvalidity = uidvalidity
        self.mailbox_id = "F%08x" % uidvalidity
        self.uidnext = 1
        self.rows = []
        self.vanished = []  # (modseq, uid)
        self.modseq = 1

    def find(self, uid):
        for row in self.rows:
            if row.uid == uid:
                return row
        return None


class Refused(Exception):
    """The tagged answer to a command that is not carried out."""


class Store:
    shares_flags = False

    def __init__(self, options):
        self.lock = threading.RLock()
        self.options = options
        self.boxes = {}
        self.subscribed = set()
        self.modseq = 100
        self.numbers = 0
        self.uidvalidity = 1000
        self.connections = 0
        for name, attributes in options["folders"]:
            self.create(name, attributes)

    def find(self, name):
        if name.upper() == "INBOX":
            return self.boxes["INBOX"]
        box = self.boxes.get(name)
        if box is None and self.options["folds_case"]:
            for other in self.boxes.values():
                if other.name.lower() == name.lower():
                    return other
        return box

    def open(self, name):
        box = self.find(name)
        if box is None or "\\Noselect" in box.attributes:
            raise Refused("NO [NONEXISTENT] there is no " + name)
        return box

    def create(self, name, attributes=""):
        name = name.rstrip("/")
        if self.find(name) if name.upper() != "INBOX" else self.boxes:
            raise Refused("NO Mailbox already exists")
        self.uidvalidity += 1
        self.boxes[name] = Box(name, attributes, self.uidvalidity)
        self.subscribed.add(name)

    def delete(self, name):
        box = self.open(name)
        if box.name == "INBOX" or box.attributes:
            raise Refused("NO [CANNOT] it stays")
        del self.boxes[box.name]
        self.subscribed.discard(box.name)

    def rename(self, name, new_name):
        box = self.open(name)
        if self.find(new_name):
            raise Refused("NO Mailbox already exists")
        for other in list(self.boxes.values()):
            if other is box or other.name.startswith(box.name + "/"):
                del self.boxes[other.name]
                other.name = new_name + other.name[len(name):]
                self.boxes[other.name] = other

    def touch(self, box, row=None):
        self.modseq += 1
        box.modseq = self.modseq
        if row is not None:
            row.modseq = self.modseq

    def put(self, box, message, flags):
        """A new row at the end of a folder."""
        self.touch(box)
        row = Row(box.uidnext, message, flags, self.modseq, self.shares_flags)
        box.uidnext += 1
        box.rows.append(row)
        return row

    def message(self, body, date):
        self.numbers += 1
        return Message(body, date, 1700000000000000000 + self.numbers)

    def append(self, box, body, flags, date):
        """Returns the UID that APPENDUID tells."""
        return self.put(box, self.message(body, date), flags).uid

    def remove(self, box, row):
        box.rows.remove(row)
        self.touch(box)
        box.vanished.append((self.modseq, row.uid))

    def expunge(self, box, row):
        self.remove(box, row)

    def place(self, box, row, target, move):
        new = self.put(target, row.message, row.flags)
        if move:
            self.remove(box, row)
        return new.uid

    def set_flags(self, box, row, flags):
        if flags == row.flags:
            return
        row.flags.clear()
        row.flags.update(flags)
        self.touch(box, row)


class MergingStore(Store):
    """Of equal messages in a folder only the first is kept. What APPENDUID
    tells then: the UID of that one, or one that is gone at once."""

    def twin(self, box, body):
        for row in box.rows:
            if row.message.body == body:
                return row
        return None

    def append(self, box, body, flags, date):
        row = self.twin(box, body)
        if row is None:
            return super().append(box, body, flags, date)
        if self.options["merge"] == "existing":
            return row.uid
        box.uidnext += 1
        return box.uidnext - 1


class LabelStore(MergingStore):
    """Folders are labels. Flags belong to the message; expunging takes the
    label off; All Mail holds whatever is not in Trash or Spam."""
    shares_flags = True

    def by_use(self, use):
        for box in self.boxes.values():
            if use in box.attributes.split():
                return box
        return None

    def is_hidden(self, box):
        return box in (self.by_use("\\Trash"), self.by_use("\\Junk"))

    def label(self, box, message, flags):
        everything = self.by_use("\\All")
        for row in box.rows:
            if row.message is message:
                return row
        row = self.put(box, message, flags)
        if box is not everything and not self.is_hidden(box):
            self.label(everything, message, flags)
        return row

    def append(self, box, body, flags, date):
        if self.twin(box, body):
            return super().append(box, body, flags, date)
        for other in self.boxes.values():
            row = self.twin(other, body)
            if row is not None and not self.is_hidden(other):
                return self.label(box, row.message, flags).uid
        return self.label(box, self.message(body, date), flags).uid

    def expunge(self, box, row):
        if box is not self.by_use("\\All"):
            self.remove(box, row)

    def place(self, box, row, target, move):
        uid = self.label(target, row.message, row.flags).uid
        if self.is_hidden(target):
            for other in list(self.boxes.values()):
                for twin in [r for r in other.rows
                             if r.message is row.message and other is not target]:
                    self.remove(other, twin)
        elif move and box is not target:
            self.expunge(box, row)
        return uid

    def set_flags(self, box, row, flags):
        if flags == row.flags:
            return
        super().set_flags(box, row, flags)
        for other in self.boxes.values():
            for twin in other.rows:
                if twin.message is row.message:
                    self.touch(other, twin)


def rebuilt(message, count):
    """The message as a server writes it that keeps no MIME: the header folded
    and ordered its own way, the text in a part with a border of its own."""
    body = message.body
    head, _, text = body.partition(b"\r\n\r\n")
    lines = [line for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
             if not line.lower().startswith((b"content-", b"mime-"))]
    lines.sort()
    border = b"_000_%08x_" % count
    lines += [b'Content-Type: multipart/mixed;\r\n\tboundary="%s"' % border,
              b"MIME-Version: 1.0", b"X-Rebuilt: yes"]
    return b"\r\n".join(lines + [
        b"", b"--" + border,
        b'Content-Type: text/plain; charset="utf-8"', b"", text,
        b"--" + border + b"--", b""])


def internal_date(epoch):
    text = email.utils.formatdate(epoch)  # Mon, 02 Feb 2026 10:00:00 -0000
    _, day, month, year, time, _ = text.split()
    return '"%2d-%s-%s %s +0000"' % (int(day), month, year, time)


def parse_date(text):
    return int(email.utils.parsedate_to_datetime(
        text.strip().replace("-", " ", 2)).timestamp())
