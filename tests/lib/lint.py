"""What the system calls of a run, as killat -l -x data.mdb writes them down, have
to show: what is promised is on the disk before."""

import collections
import os
import re
import sys

META_BYTES = 120      # of LMDB's page that makes a commit count
SYNCS = ("fsync", "fdatasync", "syncfs")
FOLDER = ("cur", "new", "tmp")
NAME = re.compile(r"(\d+)\.M(\d+)P(\d+)(?:Q(\d+))?(?:R([0-9a-f]{16}))?\.[^,]*"
                  r"(?:,S=(\d+))?(?:,W=(\d+))?(?:,B=1)?")

Call = collections.namedtuple("Call", "begin end name paths result written")


def read_log(path):
    """The calls that came to an end, in the order in which they began."""
    calls, order = {}, []
    with open(path, encoding="utf-8", errors="replace") as file:
        for at, line in enumerate(file):
            number, _, mark, rest = line.rstrip("\n").split(" ", 3)
            if mark == ">":
                name, *paths = rest.split(" ")
                calls[number] = [at, None, name, paths, None, b""]
                order.append(number)
            elif mark == "=":
                calls[number][5] = bytes.fromhex(rest)
            else:
                calls[number][1], calls[number][4] = at, int(rest)
    return [Call(*calls[number]) for number in order
            if calls[number][1] is not None]


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def row_of(base):
    """What a page has of the base name of a file, wherever it has it: all its
    parts but the host, which has a number (docs/store-format.md, "files")."""
    parts = NAME.fullmatch(base)
    if parts is None:
        return base.encode()
    seconds, micro, pid, counter, random, octets, crlf = parts.groups()
    out = int(seconds).to_bytes(4, "big") + varint(int(micro)) + \
        varint(int(pid))
    if counter is not None:
        out += varint(int(counter))
    out += bytes.fromhex(random or "")
    if octets is not None:
        out += varint(int(octets))
    if crlf is not None:
        out += varint((int(crlf) - int(octets or 0)) % 2 ** 64)
    return out


def below(path, root):
    return path.startswith(root + "/")


class Lint:
    """What the calls of one run have to show."""

    def __init__(self, calls, disk, state):
        self.calls = [call for call in calls if call.result >= 0]
        self.failed = [call for call in calls if call.result < 0
                       and call.name in SYNCS]
        self.disk = disk
        self.state = os.path.join(state, "main/data.mdb")
        self.files = self.folders = self.commits = 0
        self.wrong = []

    def check(self):
        self.check_commits()
        for call in self.calls:
            if call.name.startswith("rename") and \
                    below(call.paths[0], self.disk):
                self.check_rename(call)
            elif call.name == "mkdirat" and below(call.paths[0], self.disk) \
                    and os.path.basename(call.paths[0]) not in FOLDER:
                self.check_folder(call)
        return self

    def say(self, what, call):
        self.wrong.append("%s: %s %s" % (what, call.name,
                                         " ".join(call.paths)))

    def synced(self, path, since, until):
        """Was @path synced wholly between two moments? What failed to be synced
        once is not by being synced again: the kernel says it only once."""
        first = min([call for call in [*self.calls, *self.failed]
                     if since < call.begin and call.end < until
                     and (call.name == "syncfs" or call.name in SYNCS
                          and call.paths[0] == path)],
                    key=lambda call: call.begin, default=None)
        return first is not None and first.result >= 0

    def last_write(self, path, until):
        return max([call.end for call in self.calls
                    if call.paths[:1] == [path] and call.begin < until
                    and call.name in ("write", "pwrite64", "writev",
                                      "openat", "utimensat")], default=None)

    def recorded(self, path, since):
        """When the state first has the name of the message at @path on one of
        its pages."""
        row = row_of(os.path.basename(path).split(":2,")[0])
        return min([call.begin for call in self.calls
                    if call.paths[:1] == [self.state]
                    and call.begin > since and row in call.written],
                   default=None)

    def check_rename(self, call):
        source, target = call.paths
        written = self.last_write(source, call.begin)
        if written is not None:
            self.files += 1
            if not self.synced(source, written, call.begin):
                self.say("renamed before it was synced", call)
        place = os.path.dirname(target)
        if os.path.basename(place) not in FOLDER:
            # A file of the folder's own, the names of keywords: the next use of
            # it is the next file that gets a keyword's letter there.
            later = min([other.begin for other in self.calls
                         if other.name.startswith("rename")
                         and other.begin > call.end
                         and below(other.paths[1], place)
                         and re.search(":2,[A-Z]*[a-z]", other.paths[1])],
                        default=None)
        elif os.path.basename(os.path.dirname(source)) == "tmp" or \
                not self.failed:
            later = self.recorded(target, call.begin)
        else:
            # A moved file keeps its name, which is on record as it was: where
            # its move failed, that is written again with its page.
            later = None
        if later is not None and not self.synced(place, call.end, later):
            self.say("relied on before its directory was synced", call)

    def check_folder(self, call):
        self.folders += 1
        path = call.paths[0]
        first = min([self.recorded(other.paths[1], other.begin)
                     or sys.maxsize for other in self.calls
                     if other.name.startswith("rename")
                     and os.path.dirname(os.path.dirname(other.paths[1]))
                     == path], default=None)
        if first is None:
            return
        # A tmp that is missing is made again, and no message is in it for good.
        inside = max(other.end for other in self.calls
                     if other.name == "mkdirat"
                     and os.path.basename(other.paths[0]) != "tmp"
                     and os.path.dirname(other.paths[0]) == path)
        if not self.synced(os.path.dirname(path), call.end, first) or \
                not self.synced(path, inside, first):
            self.say("used before it was synced", call)

    def check_commits(self):
        pages = None
        for call in self.calls:
            if call.paths[:1] != [self.state] or not call.written:
                continue
            if len(call.written) != META_BYTES:
                pages = call.end
                continue
            self.commits += 1
            if pages is not None and \
                    not self.synced(self.state, pages, call.begin):
                self.say("committed before its pages were synced", call)


def of(lab, log):
    """Of a trial's lab."""
    return Lint(read_log(log), lab.disk, lab.state)
