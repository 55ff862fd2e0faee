#!/usr/bin/python3
"""Random worlds: two sides that their owners change as they like, mailtwin in
between, and an oracle that knows what may come of it.

    worlds.py [OPTIONS] LEFT RIGHT

LEFT and RIGHT are KIND:DIRECTORY of a running server (tests/lib/servers.sh), with
its relay's port in DIRECTORY/relay_port, or maildir or maildir++.

    --mailtwin PATH   the program
    --place DIR       where worlds are made
    --seed N          the first one (1)
    --count N         so many worlds (10), or
    --seconds N       as many as begin in that time
    --rounds N        of acts and runs in each (5)
    --acts NAME,...   only these (tests/lib/world_acts.py)
    --busy            acts while runs are under way (tests/lib/world_busy.py)
    --no-faults       no run is killed, cut off or doubled
    --skip N,...      leave out these acts of the world, by number
    --row TEXT        print a row of the table of the torture programme
    --keep            leave the last world where it is

A world that fails is made smaller: acts are left out as long as it still fails.
Then one line is printed that makes it again. Exits 1 where one failed.
"""

import argparse
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import mail
import wirelint
import world_acts
import world_oracle
from world_oracle import LEFT, RIGHT, Bad
from world_store import ImapSide, MaildirSide, Refused

# What a kind of server cannot do, in words of the acts and of the oracle.
LACKS = {
    "maildir": [],
    "maildir++": [],
    "dovecot": ["deliver_nul"],  # it makes 0x80 of each
    "bare": ["deliver_nul", "mark_deleted", "expunge"],
    "cyrus": ["deliver_nul", "deliver_headless", "restore"],
    "courier": ["deliver_bare_cr", "deliver_nul", "deliver_empty", "restore"],
    "mailutils": ["keywords", "dates", "mark_deleted", "expunge", "uidvalidity",
                  "deliver_bare_cr", "deliver_nul", "deliver_headless",
                  "deliver_empty", "restore", "rename_folder"],
}
# Where mailtwin cannot be told the right state of things any more it is given
# so many runs: those after a fault, and those without.
RUNS_MAX, RUNS_AFTER_FAULT = 2, 3
PASSWORD = "$6$abcdefgh$"  # of mailutils' users; see add_user()


class Counts(collections.Counter):
    """What was done and found, in all worlds."""


class World:
    def __init__(self, options, seed, moves, counts):
        self.options, self.seed, self.moves = options, seed, moves
        self.counts = counts
        self.place = os.path.join(options.place, "w%d%s" % (
            seed, "" if moves else "n"))
        shutil.rmtree(self.place, ignore_errors=True)
        os.mkdir(self.place, 0o711)
        self.lacks = {word for spec in options.specs for word in LACKS[spec[0]]}
        self.flags = world_acts.FLAGS + (
            [] if "keywords" in self.lacks else world_acts.KEYWORDS)
        self.sides = [self.make_side(side) for side in (LEFT, RIGHT)]
        self.notes = world_oracle.Notes()
        self.states, self.backups = [], {}
        self.nonces, self.acts_done, self.log = 0, 0, []
        self.results = []  # of rounds: (exact, counts)
        self.typical = 0.05
        self.write_conf()

    # --- the sides -------------------------------------------------------------

    def make_side(self, side):
        kind, directory = self.options.specs[side]
        name = ("left", "right")[side]
        if kind.startswith("maildir"):
            layout = "maildir++" if kind == "maildir++" else "maildir"
            return MaildirSide(layout, os.path.join(self.place, name),
                               self.lacks)
        user = "w%d%s%s%d" % (self.seed, name[0], "" if self.moves else "n",
                              self.options.attempt)
        if kind == "mailutils":
            user = add_user(directory, user)
        store = ImapSide("dovecot" if kind == "bare" else kind, directory, user,
                         self.lacks)
        self.wipe(store)
        return store

    @staticmethod
    def wipe(store):
        shutil.rmtree(store.home(), ignore_errors=True)

    def write_conf(self):
        text = ""
        for side, name in enumerate(("left", "right")):
            kind, directory = self.options.specs[side]
            text += "[account %s]\n" % name
            if kind.startswith("maildir"):
                text += "type = maildir\npath = %s\nlayout = %s\n\n" % (
                    self.sides[side].root,
                    "nested" if kind == "maildir" else kind)
                continue
            with open(os.path.join(directory, "relay_port"),
                      encoding="ascii") as file:
                port = int(file.read())
            text += ("type = imap\nhost = 127.0.0.1\nport = %d\ntls = none\n"
                     "allow_plaintext = yes\nuser = %s\npassword = secret\n%s\n"
                     % (port, self.sides[side].user,
                        "auth = login\n" if kind == "mailutils" else ""))
        text += ("[pair main]\nleft = left\nright = right\nmax_delete = off\n"
                 "moves = %s\n" % ("yes" if self.moves else "no"))
        self.conf = os.path.join(self.place, "conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.conf, 0o600)

    def state(self):
        return os.path.join(self.place, "state")

    def names(self, side):
        self.sides[side].open()
        return set(self.sides[side].list())

    def nonce(self, dice):
        self.nonces += 1
        return "w%d-%08x" % (self.seed, dice.getrandbits(32))

    def look(self):
        return [store.look() for store in self.sides]

    def lose_state(self):
        shutil.rmtree(self.state(), ignore_errors=True)
        self.notes.all_reset = True

    def restore_state(self):
        if self.states:
            shutil.rmtree(self.state(), ignore_errors=True)
            subprocess.run(["cp", "-a", self.states[0], self.state()],
                           check=True)
            self.notes.all_reset = True

    def restore_side(self, side):
        """A server's only: what a Maildir's backup lacks looks deleted. Only
        where the folders are those of the backup, for the same reason."""
        if side not in self.backups or self.sides[side].is_maildir:
            return
        where, look = self.backups[side]
        now = self.sides[side].look()
        if {(name, its.identity) for name, its in now.items()} == {
                (name, its.identity) for name, its in look.items()}:
            self.sides[side].restore(where)
            self.notes.restored[side] = set(now)
            self.finished_acts = True

    def back_up(self, dice):
        if dice.random() < 0.3 and os.path.exists(self.state()):
            where = os.path.join(self.place, "old-state%d" % len(self.states))
            subprocess.run(["cp", "-a", self.state(), where], check=True)
            self.states = [where]
        side = dice.choice((LEFT, RIGHT))
        if "restore" not in self.lacks and dice.random() < 0.2:
            where = os.path.join(self.place, "backup%d-%d" % (
                side, len(self.log)))
            look = self.sides[side].look()
            self.sides[side].save(where)
            self.backups[side] = (where, look)

    # --- runs ------------------------------------------------------------------

    def command(self, *arguments):
        return [self.options.mailtwin, "-c", self.conf, "--state-dir",
                self.state(), "-v", "sync", *arguments, "main"]

    def start(self, name, *arguments):
        with open(os.path.join(self.place, name + ".out"), "wb") as out, \
                open(os.path.join(self.place, name + ".err"), "wb") as err:
            return subprocess.Popen(self.command(*arguments), stdout=out,
                                    stderr=err)

    def said(self, name):
        with open(os.path.join(self.place, name), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def wire(self, side):
        return os.path.join(self.options.specs[side][1], "wire")

    def lint(self, *names):
        """Was each deletion of the run justified, and nothing sent that may not
        be?"""
        given = wirelint.reasons(
            [line for name in names
             for line in self.said(name + ".err").splitlines()])
        for side, account in enumerate(("left", "right")):
            if self.sides[side].is_maildir:
                continue
            lint = wirelint.Lint(account, given)
            if os.path.exists(self.wire(side)):
                with open(self.wire(side), "rb") as file:
                    lint.read(file.read())
                os.unlink(self.wire(side))
            self.counts["removed"] += lint.removed
            self.counts["justified"] += lint.justified
            if lint.broken:
                raise Bad("unjustified", "; ".join(lint.broken[:3]))

    def run(self, *arguments):
        begun = time.monotonic()
        process = self.start("run", *arguments)
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Bad("restless", "a run takes more than a minute") from None
        self.typical = 0.7 * self.typical + 0.3 * (time.monotonic() - begun)
        self.note("run %s: %d" % (" ".join(arguments), code))
        if self.options.verbose:
            print(self.said("run.err"), end="")
        self.counts["syncs"] += 1
        self.lint("run")
        if code not in (0, 1, 3, 4):
            raise Bad("untrue", "exit %d: %s" % (code, self.said("run.err")))
        return code

    def killed(self, dice):
        process = self.start("run")
        try:
            process.wait(dice.random() * self.typical * 1.2)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        self.note("killed: %d" % process.wait())
        self.counts["syncs"] += 1
        self.counts["faults"] += 1
        self.lint("run")

    def cut_off(self, dice):
        sides = [side for side in (LEFT, RIGHT)
                 if not self.sides[side].is_maildir]
        path = os.path.join(self.options.specs[dice.choice(sides)][1], "cut")
        with open(path, "w", encoding="ascii") as file:
            file.write("%d\n" % int(10 ** dice.uniform(2, 4.5)))
        process = self.start("run")
        try:
            # A run tries again as long as it gets on; the network heals.
            process.wait(dice.random() * 2 * self.typical)
        except subprocess.TimeoutExpired:
            pass
        os.unlink(path)
        self.note("cut off: %d" % process.wait(60))
        self.counts["syncs"] += 1
        self.counts["faults"] += 1
        self.lint("run")

    def two_at_once(self, _dice):
        processes = [self.start("run"), self.start("run2")]
        codes = sorted(process.wait(60) for process in processes)
        self.note("two at once: %s" % codes)
        self.counts["syncs"] += 2
        self.counts["faults"] += 1
        self.lint("run", "run2")
        if not set(codes) <= {0, 1, 3, 4, 6}:
            raise Bad("untrue", "two runs at once ended with %s" % codes)

    def fault(self, dice):
        kind = dice.random()
        if self.options.no_faults or kind < 0.6:
            return False
        if kind < 0.78:
            self.killed(dice)
        elif kind < 0.95:
            self.cut_off(dice)
        else:
            self.two_at_once(dice)
        return True

    def note(self, text):
        self.log.append(text)
        if self.options.verbose:
            print("#   " + text, flush=True)

    # --- a round ---------------------------------------------------------------

    def act(self, dice, number, names, weights):
        name = dice.choices(names, weights)[0]
        side = dice.choice((LEFT, RIGHT))
        own = random.Random("%d %d" % (self.seed, number))
        if number in self.options.skipped or self.finished_acts:
            return
        self.note("%d: %s %s" % (number, ("left", "right")[side], name))
        try:
            self.sides[side].open()
            world_acts.ACTS[name][0](self, side, own)
        except (Refused, OSError) as refusal:
            self.note("refused: %s" % refusal)

    def acts(self, dice, few, only):
        names = [name for name in world_acts.ACTS if name not in self.lacks and (
            not only or name in only)]
        weights = [world_acts.ACTS[name][1] for name in names]
        self.finished_acts = False
        for _ in range(few):
            self.acts_done += 1
            self.act(dice, self.acts_done, names, weights)

    def bring_in_step(self, expectation, after_fault):
        limit = RUNS_AFTER_FAULT if after_fault else RUNS_MAX
        if "mailutils" in (spec[0] for spec in self.options.specs):
            limit += 1  # an emptied folder has another UIDVALIDITY
        code = None
        for _ in range(limit):
            code = self.run()
            if code == 3:
                expectation.judge_meanwhile(self.look())
                code = self.run("--force-delete")
            looks = self.look()
            expectation.judge_meanwhile(looks)
            difference = world_oracle.differ(looks)
            if code == 0 and difference:
                raise Bad("untrue", "exit 0, but not in step: " + difference)
            if code == 0:
                return looks
            if code == 1 and self.is_refused(looks):
                return None
        raise Bad("restless", "exit %s after %d runs: %s%s" % (
            code, limit, self.said("run.err")[-600:], difference or ""))

    def is_refused(self, looks):
        """Is there a message without any octet? Servers refuse those."""
        return any(content.size == 0 for look in looks
                   for content in world_oracle.total(look))

    def purge_refused(self):
        for store in self.sides:
            for name, folder in store.look().items():
                for seen in folder.messages.values():
                    if seen.content.size == 0:
                        store.open()
                        store.delete(name, [store.message(seen)])

    def idle(self, looks):
        code = self.run()
        if code != 0 or "in step, nothing to do" not in self.said("run.out"):
            raise Bad("restless", "a run after it: exit %d, %s%s" % (
                code, self.said("run.out"), self.said("run.err")))
        if [world_oracle.instances(look) for look in self.look()] != [
                world_oracle.instances(look) for look in looks]:
            raise Bad("restless", "an idle run changed something")

    def expect(self, base):
        now = self.look()
        expectation = world_oracle.Expectation(base, now, self.notes,
                                               self.moves)
        if "uidvalidity" in self.lacks:
            self.notes.all_reset = True
            expectation = world_oracle.Expectation(base, now, self.notes,
                                                   self.moves)
        return expectation

    def round(self, dice, base, few, only):
        self.notes = world_oracle.Notes()
        self.back_up(dice)
        self.acts(dice, few, only)
        expectation = self.expect(base)
        # Those of the dice that depend on time are kept apart.
        faults = random.Random("%d %d" % (self.seed, dice.getrandbits(32)))
        after_fault = self.fault(faults)
        if after_fault:
            expectation.judge_meanwhile(self.look())
        looks = self.bring_in_step(expectation, after_fault)
        if looks is None:
            self.purge_refused()
            looks = self.bring_in_step(self.expect(base), after_fault)
        else:
            expectation.judge_end(looks[LEFT])
        if faults.random() < 0.5:
            self.idle(looks)
        self.results.append((expectation.is_exact(), collections.Counter(
            (name, content.digest)  # an edit's date is that of today
            for name, content in world_oracle.counts(looks[LEFT]).elements())))
        return looks

    def live(self):
        dice = random.Random(self.seed)
        if self.sides[LEFT].is_maildir or self.sides[RIGHT].is_maildir:
            for store in self.sides:
                if store.is_maildir:
                    os.mkdir(store.root, 0o700)
                    store.mkdir("INBOX")
        base = self.look()
        for number in range(self.options.rounds):
            if number == 0:
                base = self.round(dice, base, 24, world_acts.BEGINNING)
            else:
                base = self.round(dice, base, dice.randrange(1, 13),
                                  self.options.acts)

    def end(self):
        for side, store in enumerate(self.sides):
            store.close()
            if not store.is_maildir:
                if os.path.exists(self.wire(side)):
                    os.unlink(self.wire(side))
                if not self.options.keep:
                    self.wipe(store)
        if not self.options.keep:
            shutil.rmtree(self.place)


def add_user(directory, user):
    with open(os.path.join(directory, "passwd", "test"), "r+",
              encoding="ascii") as file:
        first = file.readline().split(":")
        file.seek(0, os.SEEK_END)
        first[0] = user
        first[5] = os.path.join(directory, "home", user)
        file.write(":".join(first))
    return user + "@test"


# --- many worlds ----------------------------------------------------------------


def try_world(options, seed, moves, counts):
    """The world's failure, or None; and what its rounds came to."""
    kind = World
    if options.busy:
        from world_busy import BusyWorld as kind
    world = kind(options, seed, moves, counts)
    try:
        world.live()
        failure = None
    except Bad as bad:
        failure = bad
    finally:
        world.end()
    counts["worlds"] += 1
    counts["acts"] += world.acts_done
    return failure, world


def compare_modes(with_moves, without):
    """A move is an optimisation: what comes of it is the same without."""
    for number, (one, two) in enumerate(zip(with_moves.results,
                                            without.results)):
        if not (one[0] and two[0]):
            return None
        if one[1] != two[1]:
            return Bad("untrue", "round %d ends otherwise with moves = no: "
                       "%s / %s" % (number + 1, one[1] - two[1],
                                    two[1] - one[1]))
    return None


def try_seed(options, seed, counts):
    options.attempt += 1
    failure, world = try_world(options, seed, seed % 4 != 1, counts)
    if failure is None and seed % 4 == 0 and not options.busy:
        failure, other = try_world(options, seed, False, counts)
        if failure is None:
            failure = compare_modes(world, other)
            counts["compared"] += 1
    return failure, world


def shrink(options, seed, failure, acts):
    """Leave out acts, several at a time, then one by one."""
    deadline = time.monotonic() + options.shrink_seconds
    size = max(1, acts // 2)
    while size >= 1 and time.monotonic() < deadline:
        for first in range(1, acts + 1, size):
            skipped = options.skipped
            more = set(range(first, first + size)) - skipped
            if not more or time.monotonic() > deadline:
                continue
            options.skipped = skipped | more
            again, _ = try_seed(options, seed, Counts())
            if again is None or again.evil != failure.evil:
                options.skipped = skipped
        size //= 2


def again_line(options, seed):
    return ("ONLY='%s' SEED=%d COUNT=1 %s%s tests/torture/worlds.t"
            % (options.name, seed,
               "ROUNDS=%d " % options.rounds if options.rounds != 5 else "",
               "SKIP=%s" % ",".join(map(str, sorted(options.skipped)))
               if options.skipped else ""))


def report(options, seed, failure, world):
    print("# %s: seed %d: %s" % (options.name, seed, failure))
    print("# again: %s" % again_line(options, seed))
    if options.shrink_seconds and not options.skipped and not options.busy:
        shrink(options, seed, failure, world.acts_done)
        print("# smaller: %s" % again_line(options, seed))
        last, world = try_seed(options, seed, Counts())
        print("# which ends with: %s" % last)
        options.skipped = set()
    for line in world.log:
        print("#     " + line)
    sys.stdout.flush()


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("left", "right"):
        parser.add_argument(name)
    parser.add_argument("--mailtwin", default="./mailtwin")
    parser.add_argument("--place", required=True)
    parser.add_argument("--name", default="worlds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--acts", default="")
    parser.add_argument("--skip", default="")
    parser.add_argument("--row")
    parser.add_argument("--shrink-seconds", type=float, default=60)
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.specs = [(spec + ":").split(":")[:2]
                     for spec in (options.left, options.right)]
    options.acts = set(filter(None, options.acts.split(",")))
    options.skipped = set(map(int, filter(None, options.skip.split(","))))
    options.attempt = 0
    return options


def during(options, counts):
    """What is only counted where owners act while runs are under way."""
    if not options.busy:
        return ""
    return ("%d ends judged, %d not, %d away for a while after a move between "
            "two looks, " % (counts["judged"],
                             counts["doubtful"] + counts["unjudged"],
                             counts["absent"]))


def main():
    options = arguments()
    counts, evils = Counts(), Counts()
    begun = time.monotonic()
    seed = options.seed
    while (time.monotonic() - begun < options.seconds if options.seconds
           else seed < options.seed + options.count):
        failure, world = try_seed(options, seed, counts)
        if failure:
            evils[failure.evil] += 1
            report(options, seed, failure, world)
        seed += 1
    seconds = time.monotonic() - begun
    if options.row:
        print("# row: %s | %d worlds, %d syncs | lost %d | doubled %d | "
              "unjustified %d | resurrected %d | %d acts, %d runs broken off, "
              "%d compared without moves, %d of %d deletions on the wire "
              "justified, %sother faults %d, %.1f syncs/s"
              % (options.row, counts["worlds"], counts["syncs"],
                 evils["lost"] + evils["corrupt"], evils["doubled"],
                 evils["unjustified"], evils["resurrected"], counts["acts"],
                 counts["faults"], counts["compared"], counts["justified"],
                 counts["removed"], during(options, counts), evils["untrue"] + evils["restless"],
                 counts["syncs"] / seconds))
    return 1 if evils else 0


if __name__ == "__main__":
    # One module, under its own name, for those that build on it.
    sys.modules["worlds"] = sys.modules["__main__"]
    sys.exit(main())
