"""Break one run of mailtwin at one point, then look, and look again.

A Lab is one directory, and two users of a private Dovecot that was started
with homes=password (tests/lib/dovecot.sh). It prepares a scenario once
(tests/lib/scenarios.py): both sides in step, then what their users did. Each
trial begins there: fresh copies of the users' mail on the server, of the
Maildir and of the state.

    lab = trial.Lab(SERVER_DIRECTORY, WORK_DIRECTORY)
    for scenario in trial.chosen():
        lab.prepare(scenario)               # and tries it without any fault
        for k in ...:
            lab.reset()
            result = lab.run(["build/tools/killat", "-b", str(k)])
            tally.add("pull before 7", lab.judge(result))
        lab.clear()

judge() holds what is there right after the fault against S1: no message that
no user deleted is missing on a side where it was, none is torn. Then it lets
mailtwin run, and looks for the rest: after two runs at most both sides are
what the model is, and one more run does nothing.

One lab does one thing at a time; labs of several processes know nothing of
each other.
"""

import collections
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import mail
import scenarios

SIDES = ("left", "right")
EVILS = ("lost", "doubled", "unjustified", "resurrected")
TIMEOUT = 60
PLAIN = "tls = none\nallow_plaintext = yes"
# How a run may end that a fault befell.
CODES = (0, 1, 2, 3, 4, 6, 7)
# What a run that does nothing has none of.
DEEDS = ("copied", "flagged", "moved", "deleted", "folders_created",
         "folders_renamed", "folders_deleted")

Result = collections.namedtuple("Result", "code out err summary")


class Reader(mail.Imap):
    """Looks, and leaves no trace."""

    def select(self, folder):
        self.check(self.imap.select(self.wire(folder), readonly=True))


class Look:
    """What a side holds: per folder and content, and the same with date and
    flags."""

    def __init__(self, store):
        self.placed = collections.Counter()
        self.exact = collections.Counter()
        present = store.list()
        # An empty INBOX is the same as none.
        self.folders = sorted({"INBOX", *present})
        for folder in present:
            for message in store.messages(folder):
                digest = hashlib.sha256(mail.crlf(message.body)).hexdigest()
                self.placed[folder, digest] += 1
                self.exact[folder, digest, message.date,
                           " ".join(message.flags)] += 1

    def total(self):
        count = collections.Counter()
        for (_, digest), number in self.placed.items():
            count[digest] += number
        return count


class Verdict:
    """What was found wrong with one trial: counted, and in words."""

    def __init__(self):
        self.count = collections.Counter()
        self.words = []
        self.runs = 0

    def add(self, evil, number, words):
        if number > 0:
            self.count[evil] += number
            self.words.append("%s: %s" % (evil, words))

    def say(self, words):
        self.words.append(words)

    def judge_end(self, result):
        """It ends as docs/mailtwin.1 says, and says why. libuv alone has the
        right to end it without a word, where it gets no thread: nothing is
        lost by being stopped (base/mem.h)."""
        if result.code == 134 and re.search(r"^abort\(\) from .*/libuv",
                                            result.err, re.M):
            return
        if result.code is not None and result.code not in CODES:
            self.say("exit %d: %s" % (result.code, result.err[-500:]))
        if result.code not in (0, None) and not any(
                line.startswith("mailtwin: ")
                for line in result.err.splitlines()):
            self.say("exit %d, and nobody says why" % result.code)

    def good(self):
        return not self.words


class Lab:
    """@port: where mailtwin connects, if not straight to the server; or one for
    each side. @more: lines for the account of each server."""

    homes = 0  # given out so far, by all labs of this process

    def __init__(self, server, work, mailtwin=None, port=None, more=""):
        self.server, self.work = server, work
        self.mailtwin = mailtwin or os.environ.get("PLAIN_MAILTWIN",
                                                   "./mailtwin")
        with open(os.path.join(server, "imap_port"), encoding="ascii") as file:
            self.server_port = int(file.read())
        self.port = port if isinstance(port, dict) else \
            dict.fromkeys(SIDES, port or self.server_port)
        self.more = more
        self.disk = os.path.join(work, "disk")
        self.state = os.path.join(work, "state")
        self.conf = os.path.join(work, "conf")
        self.scenario = None
        self.home = {}
        os.makedirs(work, exist_ok=True)

    # --- places ---

    def _home(self, side):
        return os.path.join(self.server, "home", self.home[side])

    def _template(self, part):
        return os.path.join(self.work, "template", part)

    def _new_homes(self):
        """Names for fresh homes of both users: their passwords. No other lab
        of this server has them."""
        for side in self.home:
            remove(self._home(side))
        Lab.homes += 1
        self.home = {side: "%s-%d-%d" % (side, os.getpid(), Lab.homes)
                     for side in SIDES}

    def kind(self, side):
        return getattr(self.scenario, side)

    def store(self, side, reader=False):
        """@side for a plain mail client; close() it."""
        if self.kind(side) == "maildir":
            return mail.Maildir("maildir", self.disk)
        client = Reader if reader else mail.Imap
        return client(self.server_port, side, self.home[side])

    def _write_conf(self):
        parts = []
        for side in SIDES:
            parts.append("[account %s]\n" % side)
            if self.kind(side) == "maildir":
                parts.append("type = maildir\npath = %s\n" % self.disk)
                continue
            parts.append("type = imap\nhost = 127.0.0.1\nport = %d\n"
                         "user = %s\npassword = %s\n%s\n" % (
                             self.port[side], side, self.home[side],
                             self.more or PLAIN))
        parts.append("[pair main]\nleft = left\nright = right\n")
        with open(self.conf, "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("\n".join(parts))

    # --- looking ---

    def look(self, side):
        """A server may still be at the last thing that a run has asked, which
        has ended since: what it lists may be gone when it is opened."""
        for patience in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0):
            store = self.store(side, reader=True)
            try:
                return Look(store)
            except SystemExit:
                if patience == 0:
                    raise
            finally:
                store.close()

    # --- preparing ---

    def prepare(self, scenario):
        """Make its beginning, and see that a run without any fault ends as the
        model does."""
        self.scenario = scenario
        self._make()
        self.model = Look(self.model_store)
        self.start = {side: self.look(side) for side in SIDES}
        self._keep()
        result = self.run()
        verdict = self.judge(result)
        if result.code != 0 or not verdict.good():
            raise AssertionError("%s without any fault: exit %d, %s\n%s" % (
                scenario.name, result.code, verdict.words, result.err))

    def _make(self):
        self._new_homes()
        self._write_conf()
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.disk, ignore_errors=True)
        os.mkdir(self.state, 0o700)
        if self.scenario.left == "maildir":
            os.mkdir(self.disk, 0o700)
        self.model_store = scenarios.Model()
        stores = {}
        for script in (self.scenario.base, self.scenario.changes):
            for side in SIDES:
                stores[side] = self.store(side)
            scenarios.act(script, stores, self.model_store)
            for store in stores.values():
                store.close()
            if script is self.scenario.base and script:
                result = self.run()
                if result.code != 0:
                    raise AssertionError("%s cannot begin: exit %d\n%s" % (
                        self.scenario.name, result.code, result.err))

    def _keep(self):
        """Take what is there as what every trial begins with."""
        shutil.rmtree(os.path.join(self.work, "template"), ignore_errors=True)
        os.mkdir(os.path.join(self.work, "template"))
        self.directories = {}
        if os.path.isdir(self.disk):
            copy(self.disk, self._template("disk"))
            for path, _, _ in os.walk(self.disk):
                status = os.stat(path)
                self.directories[os.path.relpath(path, self.disk)] = (
                    status.st_ino, status.st_mtime_ns)
        copy(self.state, self._template("state"))
        for side in SIDES:
            if self.kind(side) == "imap":
                copy(self._home(side), self._template(side))

    # --- beginning a trial ---

    def reset(self):
        """Everything as it was after prepare()."""
        if not self._put_back_disk():
            self._make()
            self._keep()
            return
        self._put_back_homes()
        remove(self.state)
        copy(self._template("state"), self.state)

    def _put_back_homes(self):
        self._new_homes()
        for side in SIDES:
            if self.kind(side) == "imap":
                copy(self._template(side), self._home(side))
        self._write_conf()

    def _put_back_disk(self):
        """The Maildir as it was. The state knows its directories by their
        inodes: where one is gone, false."""
        if not self.directories:
            remove(self.disk)
            return True
        for name, (inode, _) in self.directories.items():
            try:
                if os.stat(os.path.join(self.disk, name)).st_ino != inode:
                    return False
            except FileNotFoundError:
                return False
        for path, folders, files in os.walk(self.disk):
            for name in files:
                os.unlink(os.path.join(path, name))
            for name in list(folders):
                where = os.path.join(path, name)
                if os.path.relpath(where, self.disk) not in self.directories:
                    shutil.rmtree(where)
                    folders.remove(name)
        for name in self.directories:
            source = os.path.join(self._template("disk"), name)
            target = os.path.join(self.disk, name)
            with os.scandir(source) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        shutil.copy2(entry.path, target)
        for name, (_, mtime) in self.directories.items():
            os.utime(os.path.join(self.disk, name), ns=(mtime, mtime))
        return True

    def clear(self):
        """The end of a scenario."""
        for side in SIDES:
            if self.kind(side) == "imap":
                remove(self._home(side))
        for path in (self.disk, self.state, self._template("")):
            remove(path)

    # --- running ---

    def run(self, before=(), env=None, arguments=("--json",)):
        """mailtwin sync, its command line after the words of @before."""
        argv = [*before, self.mailtwin, "-c", self.conf, "--state-dir",
                self.state, *arguments, "sync"]
        environment = {**os.environ, "MAILTWIN_TEST_WAIT_MS": "5", **(env or {})}
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment, start_new_session=True,
                              ) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT)
                code = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                code = None
        summary = None
        for line in out.decode("utf-8", "replace").splitlines():
            if line.startswith("{") and '"summary"' in line:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if event.get("event") == "summary":
                    summary = event
        return Result(code, out.decode("utf-8", "replace"),
                      err.decode("utf-8", "replace"), summary)

    # --- judging ---

    def judge(self, result):
        """@result: of the broken run. Two more runs at least."""
        verdict = Verdict()
        self.judge_at_once(result, verdict)
        self.judge_recovery(verdict)
        return verdict

    def judge_at_once(self, result, verdict):
        """S1; and a run that says it was done has done it (L3)."""
        if result.code is None:
            verdict.say("no end after %d s" % TIMEOUT)
        for side in SIDES:
            now, start = self.look(side), self.start[side]
            missing = (start.placed & self.model.placed) - now.placed
            gone = (start.total() & self.model.total()) - now.total()
            verdict.add("lost", max(sum(missing.values()), sum(gone.values())),
                        "at once, on the %s: %s" % (side, names(missing)))
            torn = set(now.total()) - set(start.total()) - \
                set(self.model.total())
            verdict.add("lost", len(torn), "torn, on the " + side)
            if result.code == 0 and now.exact != self.model.exact:
                verdict.say("exit 0, but the %s is not in step" % side)

    def judge_recovery(self, verdict):
        """At most two runs to be in step (S2, S3, S4, L1), and one that finds
        nothing to do."""
        deleted = dict.fromkeys(SIDES, 0)
        while True:
            result = self.run()
            verdict.runs += 1
            if result.code is None or result.summary is None:
                verdict.say("run %d after it: exit %s: %s" % (
                    verdict.runs, result.code, result.err[-300:]))
                break
            for side in SIDES:
                deleted[side] += result.summary[side]["deleted"]
            if result.code == 0 and not deeds(result.summary):
                break
            if verdict.runs == 3:
                verdict.say("run 3 after it still has something to do: "
                            "exit %d, %s\n%s" % (
                                result.code, json.dumps(result.summary),
                                result.err[-300:]))
                break
        for side in SIDES:
            # Deleted by their users, or moved: a move may end as a deletion.
            allowed = sum((self.start[side].placed
                           - self.model.placed).values())
            verdict.add("unjustified", deleted[side] - allowed,
                        "deletions on the " + side)
            self.judge_side(side, verdict)

    def judge_side(self, side, verdict):
        now, want = self.look(side), self.model
        missing = want.placed - now.placed
        verdict.add("lost", sum(missing.values()),
                    "in the end, on the %s: %s" % (side, names(missing)))
        extra = now.placed - want.placed
        for (folder, digest), number in extra.items():
            was = self.start[side].placed[folder, digest]
            verdict.add("resurrected" if was > want.placed[folder, digest]
                        else "doubled", number,
                        "in the end, on the %s: %s" % (
                            side, names({(folder, digest): number})))
        if not missing and not extra and now.exact != want.exact:
            verdict.say("dates or flags differ on the %s: %s" % (
                side, sorted((now.exact - want.exact)
                             | (want.exact - now.exact))))
        if now.folders != want.folders:
            verdict.say("folders differ on the %s: %s" % (
                side, sorted(set(now.folders) ^ set(want.folders))))


def secured(server):
    """A Lab's port and more, for TLS."""
    with open(os.path.join(server, "imaps_port"), encoding="ascii") as file:
        return {"port": int(file.read()),
                "more": "tls_ca_file = %s/ca.pem" % server}


def deeds(summary):
    """How much a run did to either side."""
    return sum(summary[side][deed] for side in SIDES for deed in DEEDS)


def names(placed):
    return ", ".join("%s in %s" % (digest[:8], folder)
                     for folder, digest in sorted(placed))


def copy(source, target):
    subprocess.run(["cp", "-a", source, target], check=True)


def remove(path):
    shutil.rmtree(path, ignore_errors=True)


class Tally:
    """Counts trials for one row of the table, and says how to see a bad one
    again."""

    def __init__(self, what, again):
        self.what, self.again = what, again
        self.points = 0
        self.count = collections.Counter()
        self.bad = 0
        self.runs = collections.Counter()

    def add(self, point, verdict):
        self.points += 1
        self.runs[verdict.runs] += 1
        self.count.update(verdict.count)
        if verdict.good():
            return
        self.bad += 1
        print("# %s\n#   again: %s" % (
            "\n#   ".join("\n".join(verdict.words).splitlines()),
            self.again % point))
        sys.stdout.flush()

    def row(self, unit, *more):
        print("# row: %s" % " | ".join(
            [self.what, "%d %s" % (self.points, unit)]
            + ["%s %d" % (evil, self.count[evil]) for evil in EVILS]
            + list(more)))
        sys.stdout.flush()


def named(name):
    return next(scenario for scenario in scenarios.SCENARIOS
                if scenario.name == name)


def chosen():
    """The scenarios named in SCENARIOS, or all."""
    wanted = os.environ.get("SCENARIOS", "").split()
    return [scenario for scenario in scenarios.SCENARIOS
            if not wanted or scenario.name in wanted]


def show(verdict):
    """The end of a test that tries one point AGAIN."""
    print("\n".join(verdict.words) or "good")
    sys.exit(not verdict.good())


class Tap:
    """The test's own lines."""

    def __init__(self):
        self.run = 0
        self.failed = 0

    def ok(self, name, good):
        self.run += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.run, name))
        sys.stdout.flush()

    def skip(self, name, why):
        self.run += 1
        print("ok %d - %s # SKIP %s" % (self.run, name, why))

    def clean(self, tally):
        """Were all of its trials good?"""
        self.ok("%s: %d of %d are good" % (
            tally.what, tally.points - tally.bad, tally.points),
            tally.bad == 0)

    def end(self):
        print("1..%d" % self.run)
        sys.exit(1 if self.failed else 0)


def torture():
    """Is all to be done, not only a sample of it?"""
    return "TORTURE" in os.environ


def dice():
    """The same numbers again with the same SEED."""
    return random.Random(os.environ.get("SEED", "1"))


FAILALLOC = os.path.abspath(os.path.join(
    os.environ.get("TOOLS", "build/tools"), "failalloc.so"))
KILLAT = os.path.join(os.environ.get("TOOLS", "build/tools"), "killat")


def count_calls(lab, *options):
    """How many calls killat's @options leave to choose from, in a good run."""
    path = os.path.join(lab.work, "count")
    lab.reset()
    result = lab.run([KILLAT, *options, "-c", path])
    if result.code == 125:
        return None
    if result.code != 0:
        raise AssertionError("exit %s under killat: %s" % (
            result.code, result.err))
    with open(path, encoding="ascii") as file:
        return int(file.read())
