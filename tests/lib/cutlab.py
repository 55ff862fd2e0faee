"""A trial.Lab whose servers are reached through tests/tools/cutter.c, and the
points worth cutting at.

    lab = cutlab.CutLab(SERVER_DIRECTORY, WORK_DIRECTORY)
    lab.prepare(scenario)
    for point in lab.points("right", ...):
        verdict = lab.cut(point)
"""

import collections
import glob
import os
import re
import subprocess

import mail
import trial

# One cut: on which side's CONNECTION (from 1), after so many BYTES of the WAY
# up or down, of which KIND, and when a late rest arrives (see cutter.c).
Point = collections.namedtuple("Point", "side connection way bytes kind when")
Point.__str__ = lambda point: "%s:%d:%s:%d:%s:%s" % point


def parse(text):
    """The point that str() made @text of."""
    side, connection, way, count, kind, when = text.split(":")
    return Point(side, int(connection), way, int(count), kind, when)


class Cutter:
    def __init__(self, port, directory):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.process = subprocess.Popen(
            [os.path.join(os.environ.get("TOOLS", "build/tools"), "cutter"),
             str(port), directory],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def order(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def state(self):
        words = self.order("state").split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def streams(self):
        """What went each way, by connection: {(1, "up"): bytes}."""
        found = {}
        for number in range(1, self.state()["connections"] + 1):
            for way in ("up", "down"):
                path = os.path.join(self.directory, "%d.%s" % (number, way))
                with open(path, "rb") as file:
                    found[number, way] = file.read()
        return found

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        for path in glob.glob(os.path.join(self.directory, "*")):
            os.unlink(path)


class OnDisk(mail.Maildir):
    """A user's mail as tests/lib/dovecot.sh has Dovecot keep it, without
    Dovecot: the INBOX is the root."""

    def __init__(self, path):
        super().__init__("maildir", path)

    def path(self, folder):
        return self.root if folder == "INBOX" else \
            os.path.join(self.root, mail.to_mutf7(folder))

    def name(self, path):
        return "INBOX" if path == self.root else \
            mail.from_mutf7(os.path.relpath(path, self.root))

    def list(self):
        names = super().list()
        if os.path.isdir(os.path.join(self.root, "cur")):
            self.places["INBOX"] = self.root
            names.append("INBOX")
        return sorted(names)


class CutLab(trial.Lab):
    """@how: "tls", of which the cutter sees only the records, "deflate":
    compressed; or ""."""

    def __init__(self, server, work, mailtwin=None, connections=1, how=""):
        name = "imaps_port" if how == "tls" else "imap_port"
        with open(os.path.join(server, name), encoding="ascii") as file:
            port = int(file.read())
        self.cutter = {side: Cutter(port, os.path.join(work, "wire-" + side))
                       for side in trial.SIDES}
        more = "tls_ca_file = %s/ca.pem" % server if how == "tls" else \
            trial.PLAIN
        if how == "deflate":
            more += "\ncompress = yes"
        super().__init__(
            server, work, mailtwin,
            {side: cutter.port for side, cutter in self.cutter.items()},
            "%s\nconnections = %d" % (more, connections))

    def close(self):
        for cutter in self.cutter.values():
            cutter.close()

    def look(self, side):
        if self.kind(side) == "maildir":
            return super().look(side)
        return trial.Look(OnDisk(os.path.join(self._home(side), "mail")))

    def _keep(self):
        # A user's home is made by the first login.
        for side in trial.SIDES:
            super().look(side)
        super()._keep()

    def plan(self, point=None):
        for side, cutter in self.cutter.items():
            if point is not None and point.side == side:
                cutter.order("plan %s %d %s %d %s" % (
                    point.kind, point.connection, point.way, point.bytes,
                    point.when))
            else:
                cutter.order("plan none")

    def record(self):
        """What goes over the wire in a run without any fault: {side: streams}.
        """
        self.reset()
        self.plan()
        result = self.run()
        if result.code != 0:
            raise AssertionError("exit %d\n%s" % (result.code, result.err))
        return {side: cutter.streams() for side, cutter in self.cutter.items()
                if self.kind(side) == "imap"}

    def cut(self, point, env=None):
        """One trial. Returns the verdict, and whether it came to the cut."""
        self.reset()
        self.plan(point)
        result = self.run(env=env)
        state = self.cutter[point.side].state()
        verdict = trial.Verdict()
        self.judge_at_once(result, verdict)
        self.judge_doubles(point, verdict)
        if point.when == "end":
            self.cutter[point.side].order("release")
            self.cutter[point.side].order("settle")
        self.judge_recovery(verdict)
        self.judge_thrift(verdict)
        verdict.code = result.code
        verdict.late = self.cutter[point.side].state()["late"]
        return verdict, state["cut"] > 0

    def judge_doubles(self, point, verdict):
        """No more of anything than there was or is to be: what one intent may
        have brought twice is seen and settled within the run."""
        for side in trial.SIDES:
            extra = self.look(side).placed - \
                (self.start[side].placed | self.model.placed)
            spare = 1 if point.kind == "late" and side == point.side else 0
            verdict.add("doubled", sum(extra.values()) - spare,
                        "at once, on the %s: %s" % (side, trial.names(extra)))

    def judge_thrift(self, verdict):
        """L2: each message goes over each wire once, and once more for each
        connection that was lost."""
        streams = {side: cutter.streams()
                   for side, cutter in self.cutter.items()
                   if self.kind(side) == "imap"}
        lost = sum(len(one) // 2 - 1 - verdict.runs for one in streams.values())
        # The run may have ended with the cut.
        lost = max(lost, sum(cutter.state()["cut"]
                             for cutter in self.cutter.values()))
        bodies = collections.Counter()
        for folder in self.model_store.list():
            for message in self.model_store.messages(folder):
                bodies[message.body.rstrip()[-60:]] += 1
        for side, found in streams.items():
            for way in ("up", "down"):
                octets = b"".join(found[key] for key in sorted(found)
                                  if key[1] == way)
                for mark, number in bodies.items():
                    often = octets.count(mark)
                    if often > number * (1 + lost):
                        verdict.say("%r went %s %d times on the %s, with %d "
                                    "connections lost" % (mark, way, often,
                                                          side, lost))


LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n")


def borders(stream, around=2):
    """Offsets in @stream within @around of the ends of lines and literals."""
    found, at = {0}, 0
    while at < len(stream):
        end = stream.find(b"\n", at) + 1
        if end == 0:
            break
        found.add(end)
        literal = LITERAL.search(stream, at, end)
        at = end
        if literal is not None and literal.end() == end:
            at += int(literal.group(1))
            found.add(min(at, len(stream)))
    found.add(len(stream))
    return sorted({offset + k for offset in found
                   for k in range(-around, around + 1)
                   if 0 <= offset + k <= len(stream)})
