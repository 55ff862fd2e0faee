"""Random worlds whose owners act while runs are under way: one thread a side,
each act taken down with the clock before and after. In the end each message must
be where some order of these acts, and of what mailtwin does between them, may
have brought it (tests/lib/world_during.py)."""

import collections
import os
import random
import threading
import time

import mail
import world_acts
import world_during
import world_oracle
from world_during import Act
from world_oracle import LEFT, RIGHT, Bad
from world_store import Refused, content_of
from worlds import World

FOLDERS = ["INBOX", "Work", "Old", "Lists"]
RUNS_AFTER = 3
PACE_S = 0.03


class Owner(threading.Thread):
    """Who works on one side, as fast as it goes."""

    def __init__(self, world, side, dice, acts):
        super().__init__()
        self.world, self.side, self.dice, self.left = world, side, dice, acts
        self.store = world.sides[side]
        self.acts = []  # (digest, Act)
        self.failure = None

    def run(self):
        try:
            while self.left > 0:
                self.left -= 1
                # Spread over the run, or all would be over before it looks.
                time.sleep(self.dice.random() * PACE_S)
                self.step()
        except Exception as failure:  # told by who waits for the thread
            self.failure = failure

    def step(self):
        folder = self.dice.choice(FOLDERS)
        kind = self.dice.choices(["add", "flag", "move", "remove"],
                                 [2, 3, 5, 2])[0]
        target = self.dice.choice([f for f in FOLDERS if f != folder])
        try:
            if kind == "add":
                return self.add(folder)
            seen = self.store.look_at(folder).messages
            if seen:
                getattr(self, kind)(folder, seen[self.dice.choice(
                    sorted(seen, key=lambda key: (seen[key].content, key)))],
                                    target)
        except (Refused, FileNotFoundError):
            pass  # gone under our hands
        return None

    def took(self, digest, kind, folder, target, begun):
        self.acts.append((digest, Act(self.side, kind, folder, target, begun,
                                      time.monotonic())))

    def add(self, folder):
        nonce = "w%d-%d-%08x" % (self.world.seed, self.side,
                                 self.dice.getrandbits(32))
        body = world_acts.body_of(nonce, self.dice, message_id=nonce)
        digest = content_of(body, 0).digest
        begun = time.monotonic()
        mail.deliver(self.store, folder, body, [], world_acts.EPOCH)
        self.took(digest, "add", None, folder, begun)

    def flag(self, folder, seen, _target):
        self.store.flag(folder, self.store.message(seen),
                        [self.dice.choice(self.world.flags)], [])

    def move(self, folder, seen, target):
        begun = time.monotonic()
        if self.store.is_maildir:
            self.store.move(folder, self.store.message(seen), target)
        else:
            self.store.select(folder)
            self.store.imap.untagged_responses.pop("COPYUID", None)
            self.store.check(self.store.imap.uid("MOVE", seen.handle,
                                                 self.store.wire(target)))
            if not self.store.imap.untagged_responses.pop("COPYUID", None):
                return
        self.took(seen.content.digest, "move", folder, target, begun)

    def remove(self, folder, seen, _target):
        begun = time.monotonic()
        if self.store.is_maildir:
            self.store.delete(folder, [self.store.message(seen)])
        elif not self.expunge(folder, seen):
            return
        self.took(seen.content.digest, "remove", folder, None, begun)

    def expunge(self, folder, seen):
        """Was it this one that was removed, and not mailtwin's doing?"""
        imap, uid = self.store.imap, seen.handle
        self.store.select(folder)
        self.store.check(imap.uid("STORE", uid, "+FLAGS", "(\\Deleted)"))
        imap.untagged_responses.pop("EXPUNGE", None)
        self.store.check(imap.uid("EXPUNGE", uid))
        gone = imap.untagged_responses.pop("EXPUNGE", None)
        # Those of others are told, too: then it is not known whose deed it was.
        self.world.doubtful.add(seen.content.digest)
        return bool(gone)


def places(look):
    found = collections.defaultdict(list)
    for name, folder in look.items():
        for seen in folder.messages.values():
            found[seen.content.digest].append(name)
    return found


class BusyWorld(World):
    def live(self):
        dice = random.Random(self.seed)
        self.doubtful = set()
        for store in self.sides:
            if store.is_maildir:
                os.mkdir(store.root, 0o700)
            store.open()
            for name in FOLDERS:
                mail.ensure(store, name)
        for _ in range(12):
            world_acts.deliver(self, dice.choice((LEFT, RIGHT)), dice)
        looks = self.settle()
        for _ in range(self.options.rounds):
            looks = self.busy(dice, looks)

    def settle(self):
        for _ in range(RUNS_AFTER):
            code = self.run()
            looks = self.look()
            difference = world_oracle.differ(looks)
            if code == 0 and not difference:
                return looks
        raise Bad("restless" if code else "untrue",
                  "exit %d after %d quiet runs, %s" % (code, RUNS_AFTER,
                                                       difference))

    def busy(self, dice, before):
        self.doubtful.clear()
        owners = [Owner(self, side, random.Random(dice.getrandbits(32)),
                        dice.choice([0, 4, 10, 10])) for side in (LEFT, RIGHT)]
        for owner in owners:
            owner.start()
        while any(owner.is_alive() for owner in owners):
            self.run()
        for owner in owners:
            owner.join()
            if owner.failure:
                raise owner.failure
        acts = [act for owner in owners for act in owner.acts]
        for digest, act in sorted(acts, key=lambda one: one[1].begun):
            self.note("%s %s %s %s -> %s %.3f-%.3f" % (
                digest, ("left", "right")[act.side], act.kind, act.folder,
                act.target, act.begun, act.done))
        self.count_absent(before, acts)
        looks = self.settle()
        self.judge(places(before[LEFT]), acts, places(looks[LEFT]))
        self.acts_done += len(acts)
        return looks

    def count_absent(self, before, acts):
        """Known limit: who was moved while a run looked is gone for a while."""
        deleted = {digest for digest, act in acts if act.kind == "remove"}
        for side, look in enumerate(self.look()):
            here = places(look)
            for digest in places(before[side]):
                if digest not in deleted | self.doubtful and digest not in here:
                    self.counts["absent"] += 1
                    self.note("for now not on side %d: %s" % (side, digest))

    def judge(self, before, acts, after):
        mine = collections.defaultdict(list)
        for digest, act in acts:
            mine[digest].append(act)
        for digest in set(before) | set(mine) | set(after):
            if digest in self.doubtful:
                self.counts["doubtful"] += 1
                continue
            may = world_during.ends(before.get(digest, []), mine[digest])
            if may is None:
                self.counts["unjudged"] += 1
                continue
            self.counts["judged"] += 1
            got = tuple(sorted(after.get(digest, [])))
            if got in may:
                continue
            evil = ("lost" if len(got) < min(map(len, may)) else
                    "doubled" if len(got) > 1 else "resurrected" if
                    may == {()} else "untrue")
            raise Bad(evil, "%s ends in %s, not in one of %s" % (
                digest, list(got), sorted(may)))
