"""What may come of a random world: judges looks, knows nothing of mailtwin.

All is counted: two equal messages in one folder are two. A move is a copy in
one folder and a deletion in another, nothing more, so each folder can be judged
alone: what was there (base), what each side's owner did away with, and what
each put there, give the least and the most that may be there in the end.
docs/who-wins.md has the rules.
"""

import collections

LEFT, RIGHT = 0, 1
SYSTEM_DELETED = "\\Deleted"


class Bad(Exception):
    """A broken promise: lost, doubled, resurrected, corrupt, untrue, restless,
    or unjustified."""

    def __init__(self, evil, text):
        super().__init__("%s: %s" % (evil, text))
        self.evil = evil


class Notes:
    """What the owners did that is more than messages come and gone."""

    def __init__(self):
        self.renames = []     # (old, new) names of folders
        self.resets = set()   # folders whose messages have to be known anew
        self.restored = {}    # side: {folders set back to a backup}
        self.edited = collections.Counter()  # contents that were overwritten
        self.all_reset = False


def total(look):
    """How often each content is there in all."""
    return collections.Counter(seen.content for folder in look.values()
                               for seen in folder.messages.values())


def counts(look):
    return collections.Counter((name, seen.content)
                               for name, folder in look.items()
                               for seen in folder.messages.values())


def instances(look):
    return {(name, key, seen.content) for name, folder in look.items()
            for key, seen in folder.messages.items()}


def tally(these):
    return collections.Counter((name, content) for name, _, content in these)


class Expectation:
    """From the last look at both sides in step, and one at each now."""

    def __init__(self, base, now, notes, moves):
        self.base, self.now, self.notes, self.moves = base, now, notes, moves
        self.b = counts(base[LEFT])
        self.have = [counts(now[side]) for side in (LEFT, RIGHT)]
        self.gone, self.new = [], []
        for side in (LEFT, RIGHT):
            before, after = instances(base[side]), instances(now[side])
            self.gone.append(tally(before - after))
            self.new.append(tally(after - before))
            for name in set(base[side]) & set(now[side]):
                if base[side][name].identity != now[side][name].identity:
                    notes.resets.add(name)
        self.classes = self.join_renamed()
        self.contents = {content for side in (LEFT, RIGHT)
                         for _, content in self.have[side]} | {
                             content for _, content in self.b}
        self.bounds = self.find_bounds()

    def join_renamed(self):
        """Folders that were renamed into each other are judged as one."""
        names = set(self.base[LEFT]) | set(self.now[LEFT]) | set(self.now[RIGHT])
        leader = {name: name for name in names}
        # What is made below it on the other side goes along.
        pairs = [(name, new + name[len(old):])
                 for old, new in self.notes.renames for name in names | {old}
                 if name == old or name.startswith(old + "/")]
        for old, new in pairs:
            for name in (old, new):
                leader.setdefault(name, name)
            a, b = leader[old], leader[new]
            leader = {name: a if its == b else its
                      for name, its in leader.items()}
        found = collections.defaultdict(list)
        for name, its in leader.items():
            found[its].append(name)
        return [tuple(sorted(members)) for members in found.values()]

    def alone(self, name, content):
        key = (name, content)
        b = self.b[key]
        gone = [self.gone[side][key] for side in (LEFT, RIGHT)]
        new = max(self.new[side][key] for side in (LEFT, RIGHT))
        have = [self.have[side][key] for side in (LEFT, RIGHT)]
        low = b - min(b, sum(gone)) + new
        high = b - max(gone) + new
        if self.notes.all_reset or name in self.notes.resets:
            low = min(low, min(have))
            high = max([high] + have)
        for side, folders in self.notes.restored.items():
            if name in folders:
                low = max(low, have[1 - side])
                high = max([high] + have)
        return low, high

    def together(self, names, content):
        bounds = [self.alone(name, content) for name in names]
        low = sum(low for low, _ in bounds)
        high = sum(high for _, high in bounds)
        if len(names) > 1:
            # As one folder under other names.
            b = sum(self.b[name, content] for name in names)
            have = [sum(self.have[side][name, content] for name in names)
                    for side in (LEFT, RIGHT)]
            kept = [min(b, n) for n in have]
            new = max(have[side] - kept[side] for side in (LEFT, RIGHT))
            low = min(low, max(0, sum(kept) - b) + new)
            high = max(high, min(kept) + new)
        return low, high + self.notes.edited[content]

    def find_bounds(self):
        return {(names, content): self.together(names, content)
                for names in self.classes for content in self.contents}

    def crossed(self, content):
        """How many of it both sides may have moved, each elsewhere: with moves
        as such each of them ends in one folder, without in two."""
        if not self.moves:
            return 0
        lost = sum(min(self.gone[LEFT][key], self.gone[RIGHT][key])
                   for key in self.b if key[1] == content)
        only = [0, 0]
        for names in self.classes:
            new = [sum(self.new[side][name, content] for name in names)
                   for side in (LEFT, RIGHT)]
            for side in (LEFT, RIGHT):
                only[side] += max(0, new[side] - new[1 - side])
        return min(lost, only[LEFT], only[RIGHT])

    def least(self, content):
        return sum(low for (_, its), (low, _) in self.bounds.items()
                   if its == content) - self.crossed(content)

    def is_exact(self):
        """May only one thing come of it, with moves and without?"""
        return all(low == high for low, high in self.bounds.values()) and not (
            any(self.crossed(content) for content in self.contents))

    # --- judgements ----------------------------------------------------------

    def judge_meanwhile(self, looks):
        """At any time: nothing that is to be kept is missing from a side that
        had it, and there is nothing that nobody wrote."""
        for side in (LEFT, RIGHT):
            here = total(looks[side])
            for content in here:
                if content not in self.contents:
                    raise Bad("corrupt", "%s on side %d was never delivered"
                              % (content, side))
            before = total(self.now[side])
            for content, n in before.items():
                if here[content] < min(n, self.least(content)):
                    raise Bad("lost", "%s: side %d had %d and has %d, at least"
                              " %d are to stay" % (content, side, n,
                                                   here[content],
                                                   self.least(content)))

    def judge_end(self, look):
        for content in total(look):
            if content not in self.contents:
                raise Bad("corrupt", "%s was never delivered" % (content,))
        here = counts(look)
        for content in self.contents:
            short = 0
            for names in self.classes:
                low, high = self.bounds[names, content]
                n = sum(here[name, content] for name in names)
                what = "%s in %s: %d, not %d to %d" % (content, names, n, low,
                                                       high)
                if n > high:
                    raise Bad("resurrected" if high == 0 else "doubled", what)
                short += max(0, low - n)
                if short > self.crossed(content):
                    raise Bad("lost", what)
        self.judge_flags(look)

    def only(self, look, name, content):
        """The message, where there is one such in the folder; and its key."""
        folder = look.get(name)
        found = [(key, seen) for key, seen in folder.messages.items()
                 if seen.content == content] if folder else []
        return found[0] if len(found) == 1 else (None, None)

    def judge_flags(self, look):
        for names in self.classes:
            if len(names) == 1 and not self.notes.all_reset:
                for content in self.contents:
                    self.judge_flags_of(look, names[0], content)

    def judge_flags_of(self, look, name, content):
        _, end = self.only(look, name, content)
        if end is None or name in self.notes.resets or any(
                name in folders for folders in self.notes.restored.values()):
            return
        was = [self.only(self.base[side], name, content) for side in (0, 1)]
        now = [self.only(self.now[side], name, content) for side in (0, 1)]
        if all(was[side][0] is not None and was[side][0] == now[side][0]
               for side in (0, 1)):
            base, left, right = was[0][1].flags, now[0][1].flags, now[1][1].flags
            want = {flag for flag in base | left | right
                    if ((flag in left) if (flag in left) != (flag in base)
                        else flag in right)}
        elif self.b[name, content] == 0 and sorted(
                self.have[side][name, content] for side in (0, 1)) == [0, 1]:
            want = (now[0][1] or now[1][1]).flags
            if self.was_moved(name, content):
                return
        else:
            return
        if set(end.flags) != set(want):
            raise Bad("lost", "flags of %s in %s: %s, not %s" % (
                content, name, sorted(end.flags), sorted(want)))

    def was_moved(self, name, content):
        """From elsewhere: then the other side's changes are merged in."""
        return any(self.gone[side][other, content] for side in (0, 1)
                   for other in set(self.base[LEFT]) - {name})


def differ(looks):
    """What is not the same on both sides, or None."""
    left, right = looks
    if set(left) != set(right):
        return "folders %s / %s" % (sorted(set(left) - set(right)),
                                    sorted(set(right) - set(left)))
    for name in sorted(left):
        a, b = left[name].census(), right[name].census()
        if a != b:
            return "%s: %s / %s" % (name, shown(a - b), shown(b - a))
    return None


def shown(census):
    return ["%s %d %d %s x%d" % (content.digest, content.date, content.size,
                                 sorted(flags), n)
            for (content, flags), n in census.items()]
