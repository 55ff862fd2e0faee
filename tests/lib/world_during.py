"""What may come of a message that its owners moved, deleted or put back while a
run was under way: the set of possible ends, by trying all orders.

A state is a set of copies: in a folder, on the left, on the right or on both,
and on record as a pair or not. A half that mailtwin added, and that goes at once,
may be copied again: it may be that the server did not keep it (sync/plan.h).
Owners change the side that they act on; mailtwin may at any time bring one copy
into step: delete what its twin is gone of, copy what is alone, pair what is on
both sides. Since a move is a copy in one folder and a deletion in another, no
more is needed (docs/who-wins.md).
"""

import collections

LEFT, RIGHT = 0, 1
# On record: which half mailtwin has added in this run, if any.
UNPAIRED, PAIRED, LEFT_ADDED, RIGHT_ADDED = 0, 1, 2, 3
# A message in one folder: is it there on the left, on the right; is it a pair?
Copy = collections.namedtuple("Copy", "folder left right paired")
# One deed of an owner, with the clock before and after. kind: add, remove, move.
Act = collections.namedtuple("Act", "side kind folder target begun done")


def has(copy, side):
    return copy.right if side else copy.left


def put(copy, side, there):
    return copy._replace(**{"right" if side else "left": there})


def cleaned(copies):
    """Without what is nowhere; in a fixed order."""
    return tuple(sorted(copy for copy in copies if copy.left or copy.right))


def removed(state, side, folder):
    for index, copy in enumerate(state):
        if copy.folder == folder and has(copy, side):
            yield state[:index] + (put(copy, side, False),) + state[index + 1:]


def applied(state, act):
    """All states that the act may lead to; none where it was not possible."""
    new = Copy(act.target, act.side == LEFT, act.side == RIGHT, UNPAIRED)
    if act.kind == "add":
        return {cleaned(state + (new,))}
    found = set()
    for after in removed(state, act.side, act.folder):
        found.add(cleaned(after + (new,)) if act.kind == "move"
                  else cleaned(after))
    return found


def is_alone(copy, side):
    """Is it new on this side, or taken for that?"""
    return has(copy, side) and not has(copy, 1 - side) and copy.paired in (
        UNPAIRED, (RIGHT_ADDED, LEFT_ADDED)[side])


def steps(state):
    """What mailtwin may do next, one copy at a time."""
    for index, copy in enumerate(state):
        rest = state[:index] + state[index + 1:]
        if copy.left and copy.right:
            if not copy.paired:
                yield cleaned(rest + (copy._replace(paired=PAIRED),))
            continue
        if copy.paired:
            yield cleaned(rest)  # the other one is deleted
        if is_alone(copy, LEFT) or is_alone(copy, RIGHT):
            yield cleaned(rest + (Copy(copy.folder, True, True, RIGHT_ADDED
                                       if copy.left else LEFT_ADDED),))
    # Found on both sides, or moved by both owners, each elsewhere.
    for one in state:
        for two in state:
            if is_alone(one, LEFT) and is_alone(two, RIGHT):
                rest = list(state)
                rest.remove(one)
                rest.remove(two)
                for folder in {one.folder, two.folder}:
                    yield cleaned(tuple(rest) + (Copy(folder, True, True,
                                                      PAIRED),))


def closed(states):
    """With all that mailtwin may make of them."""
    found, work = set(states), list(states)
    while work:
        for after in steps(work.pop()):
            if after not in found:
                found.add(after)
                work.append(after)
    return found


def ends(begin, acts, limit=20000):
    """The folders that may hold it in the end, on both sides: a set of sorted
    tuples. begin: folders where it is a pair. None: too many states to tell."""
    sides = [sorted((act for act in acts if act.side == side),
                    key=lambda act: act.begun) for side in (LEFT, RIGHT)]
    start = tuple(sorted(Copy(folder, True, True, PAIRED) for folder in begin))
    reached = {(0, 0): closed({start})}
    total = 0
    for i in range(len(sides[0]) + 1):
        for j in range(len(sides[1]) + 1):
            states = reached.setdefault((i, j), set())
            states |= step_from(reached, sides, i, j)
            total += len(states)
            if total > limit:
                return None
    last = reached[len(sides[0]), len(sides[1])]
    return {tuple(copy.folder for copy in state) for state in last
            if all(copy.left and copy.right and copy.paired for copy in state)}


def step_from(reached, sides, i, j):
    """The states after i acts on the left and j on the right."""
    found = set()
    for side, (a, b) in ((LEFT, (i - 1, j)), (RIGHT, (i, j - 1))):
        n = (a, b)[side]
        if n < 0:
            continue
        act = sides[side][n]
        other = sides[1 - side]
        m = (a, b)[1 - side]
        # It may come now only if nothing of the other side was over before
        # that is still to come, and all that was to come before it is done.
        if any(later.done < act.begun for later in other[m:]) or any(
                earlier.begun > act.done for earlier in other[:m]):
            continue
        for state in reached[a, b]:
            found |= applied(state, act)
    return closed(found)
