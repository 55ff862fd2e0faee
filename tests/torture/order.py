"""The runs of order.t, and what is wrong with their calls."""

import collections
import os
import sys

import trial

# So many in one group that whole file systems are synced.
MANY = trial.scenarios.scenario("many", "imap", "maildir", "", """
    left bulk INBOX 60 700
    left bulk One/two 15 300
""")
META_BYTES = 120      # of LMDB's page that makes a commit count
FOLDER = ("cur", "new", "tmp")

Call = collections.namedtuple("Call", "begin end name paths result written")


def read_log(path):
    """The calls that succeeded, in the order in which they began."""
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
            if calls[number][1] is not None and calls[number][4] >= 0]


def below(path, root):
    return path.startswith(root + "/")


class Lint:
    """What the calls of one run have to show."""

    def __init__(self, calls, disk, state):
        self.calls, self.disk = calls, disk
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
        """Was @path synced wholly between two moments?"""
        return any(since < call.begin and call.end < until
                   and (call.name in ("fsync", "fdatasync")
                        and call.paths[0] == path
                        or call.name == "syncfs")
                   for call in self.calls)

    def last_write(self, path, until):
        return max([call.end for call in self.calls
                    if call.paths[:1] == [path] and call.begin < until
                    and call.name in ("write", "pwrite64", "writev",
                                      "openat", "utimensat")], default=None)

    def recorded(self, name, since):
        """When the state first has @name on one of its pages."""
        return min([call.begin for call in self.calls
                    if call.paths[:1] == [self.state]
                    and call.begin > since and name in call.written],
                   default=None)

    def check_rename(self, call):
        source, target = call.paths
        written = self.last_write(source, call.begin)
        if written is not None:
            self.files += 1
            if not self.synced(source, written, call.begin):
                self.say("renamed before it was synced", call)
        place = os.path.dirname(target)
        base = os.path.basename(target).split(":2,")[0]
        if os.path.basename(place) not in FOLDER:
            # A file of the folder's own: the next use of it is the next file
            # that goes into the folder.
            later = min([other.begin for other in self.calls
                         if other.name.startswith("rename")
                         and other.begin > call.end
                         and below(other.paths[1], place)], default=None)
        else:
            later = self.recorded(base.encode(), call.begin)
        if later is not None and not self.synced(place, call.end, later):
            self.say("relied on before its directory was synced", call)

    def check_folder(self, call):
        self.folders += 1
        path = call.paths[0]
        first = min([self.recorded(os.path.basename(other.paths[1])
                                   .split(":2,")[0].encode(), other.begin)
                     or sys.maxsize for other in self.calls
                     if other.name.startswith("rename")
                     and os.path.dirname(os.path.dirname(other.paths[1]))
                     == path], default=None)
        if first is None:
            return
        inside = max(other.end for other in self.calls
                     if other.name == "mkdirat"
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


def lint(lab, log):
    return Lint(read_log(log), lab.disk, lab.state)


def without(check, name, path):
    """The same run, had it not synced what @path accepts."""
    check.calls = [call for call in check.calls
                   if not (call.name in name and path(call.paths[0]))]
    return len(check.check().wrong)


def main():
    lab = trial.Lab(*sys.argv[1:])
    tap = trial.Tap()
    log = os.path.join(lab.work, "log")
    wrong, sums = [], collections.Counter()
    for scenario in [*trial.chosen(), MANY]:
        lab.prepare(scenario)
        lab.reset()
        result = lab.run([trial.KILLAT, "-l", log, "-x", "data.mdb"])
        if result.code == 125:
            tap.skip("the order of calls", "ptrace is not allowed here")
            tap.end()
        check = lint(lab, log).check()
        wrong += ["%s: %s" % (scenario.name, words) for words in check.wrong]
        sums.update(files=check.files, folders=check.folders,
                    commits=check.commits)
        if scenario.name == "pull":
            tap.ok("a file that is not synced is seen", without(
                lint(lab, log), ("fsync",), lambda path: "/tmp/" in path)
                >= check.files - 3)
            tap.ok("a directory that is not synced is seen", without(
                lint(lab, log), ("fsync",), lambda path: path.endswith("cur")
                or path.endswith("new")) > 0)
            tap.ok("a folder that is not synced is seen", without(
                lint(lab, log), ("fsync",), lambda path: path == lab.disk) > 0)
            tap.ok("a state that is not synced is seen", without(
                lint(lab, log), ("fdatasync",), lambda path: True)
                == check.commits)
        if scenario is MANY:
            tap.ok("a file system that is not synced is seen", without(
                lint(lab, log), ("syncfs",), lambda path: True)
                > check.files / 2)
        lab.clear()
    for words in wrong:
        print("# " + words)
    print("# row: durability order | %d files | %d folders, %d commits, "
          "%d out of order" % (sums["files"], sums["folders"],
                               sums["commits"], len(wrong)))
    tap.ok("nothing is out of order", not wrong)
    tap.ok("there was something to look at", sums["files"] > 50
           and sums["commits"] > 20 and sums["folders"] > 5)
    tap.end()


main()
