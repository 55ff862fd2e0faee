"""What the owners of a random world do to their mail. Each act is a function of
(world, side, dice), named in ACTS with its weight; it leaves out what is not
possible just then. Choices are made by the dice among sorted candidates, so that
an act taken out of a failing world changes the others as little as possible.
"""

import mail

FOLDERS = ["INBOX", "Work", "Lists", "Lists/dev", "Bücher & Öl", "Old"]
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft"]
KEYWORDS = ["$Work", "later"]
EPOCH = 1500000000


def body_of(nonce, dice, size=0, headers=True, message_id=None):
    lines = []
    if headers:
        lines = ["From: Ann Author <ann@example.org>", "Subject: " + nonce,
                 "Date: Mon, 02 Feb 2026 10:00:00 +0000"]
        if message_id:
            lines.append("Message-ID: <%s@example.org>" % message_id)
        lines.append("")
    lines.append("nonce " + nonce)
    while size > 0:
        lines.append("%070x" % dice.getrandbits(280))
        size -= 72
    return "\r\n".join(lines + [""]).encode()


def candidates(world, side, folder=None):
    """(folder, Seen) of a side as it is now, in a fixed order."""
    names = [folder] if folder else sorted(world.names(side))
    found = []
    for name in names:
        seen = world.sides[side].look_at(name).messages
        found += [(name, seen[key]) for key in sorted(
            seen, key=lambda key: (seen[key].content, key))]
    return found


def pick(world, side, dice):
    found = candidates(world, side)
    return dice.choice(found) if found else (None, None)


def leaves(world, side):
    names = world.names(side)
    return sorted(name for name in names if name != "INBOX" and not any(
        other.startswith(name + "/") for other in names))


def put(world, side, dice, body, folder=None, raw=False):
    store = world.sides[side]
    folder = folder or dice.choice(sorted(world.names(side)))
    if store.is_maildir and not raw:
        body = body.replace(b"\r\n", b"\n")
    flags = [flag for flag in world.flags if dice.random() < 0.2]
    store.add(folder, body, flags, EPOCH + dice.randrange(200000000))


def deliver(world, side, dice):
    nonce = world.nonce(dice)
    put(world, side, dice, body_of(nonce, dice, dice.choice([0, 0, 300, 5000]),
                                   message_id=nonce))


def deliver_big(world, side, dice):
    put(world, side, dice, body_of(world.nonce(dice), dice, 3000000))


def deliver_no_id(world, side, dice):
    put(world, side, dice, body_of(world.nonce(dice), dice))


def deliver_same_id(world, side, dice):
    put(world, side, dice, body_of(world.nonce(dice), dice, message_id="same"))


def deliver_headless(world, side, dice):
    put(world, side, dice, b"\r\n" + body_of(world.nonce(dice), dice,
                                             headers=False))


def deliver_bare_cr(world, side, dice):
    put(world, side, dice, body_of(world.nonce(dice), dice)
        + b"a bare \r return\r\n")


def deliver_nul(world, side, dice):
    put(world, side, dice, body_of(world.nonce(dice), dice) + b"a\0b\r\n")


def deliver_empty(world, side, dice):
    put(world, side, dice, b"")


def deliver_twin(world, side, dice):
    """Once more what is there, to the octet and the second."""
    folder, seen = pick(world, side, dice)
    if seen and seen.content.size < 100000:
        world.sides[side].copy(folder, world.sides[side].message(seen), folder)


def flag(world, side, dice):
    folder, seen = pick(world, side, dice)
    if not seen:
        return
    chosen = dice.choice(world.flags)
    plus, minus = ([], [chosen]) if chosen in seen.flags else ([chosen], [])
    world.sides[side].flag(folder, world.sides[side].message(seen), plus, minus)


def mark_deleted(world, side, dice):
    folder, seen = pick(world, side, dice)
    if seen and "\\Deleted" not in seen.flags:
        world.sides[side].flag(folder, world.sides[side].message(seen),
                               ["\\Deleted"], [])


def expunge(world, side, dice):
    for folder, seen in candidates(world, side):
        if "\\Deleted" in seen.flags:
            world.sides[side].delete(folder, [world.sides[side].message(seen)])


def delete(world, side, dice):
    folder, seen = pick(world, side, dice)
    if seen:
        world.sides[side].delete(folder, [world.sides[side].message(seen)])


def place(world, side, dice, how):
    folder, seen = pick(world, side, dice)
    others = sorted(world.names(side) - {folder})
    if seen and others:
        store = world.sides[side]
        getattr(store, how)(folder, store.message(seen), dice.choice(others))


def move(world, side, dice):
    place(world, side, dice, "move")


def copy(world, side, dice):
    place(world, side, dice, "copy")


def move_many(world, side, dice):
    """All of a folder into another one."""
    names = sorted(world.names(side))
    source, target = dice.choice(names), dice.choice(names)
    if source != target:
        store = world.sides[side]
        for _, seen in candidates(world, side, source):
            store.move(source, store.message(seen), target)


def make_folder(world, side, dice):
    missing = [name for name in FOLDERS if name not in world.names(side)]
    if missing:
        name = dice.choice(missing)
        if "/" in name:
            mail.ensure(world.sides[side], name.split("/")[0])
        world.sides[side].mkdir(name)


def remove_folder(world, side, dice):
    names = leaves(world, side)
    if names:
        world.sides[side].rmdir(dice.choice(names))


def rename_folder(world, side, dice):
    names = leaves(world, side)
    missing = [name for name in FOLDERS + ["New", "Newer"]
               if name not in world.names(side)
               and ("/" not in name or name.split("/")[0] in world.names(side))]
    if names and missing:
        old, new = dice.choice(names), dice.choice(missing)
        if not new.startswith(old + "/"):
            world.sides[side].rename(old, new)
            world.notes.renames.append((old, new))


def remake_folder(world, side, dice):
    names = leaves(world, side)
    if names:
        name = dice.choice(names)
        world.sides[side].remake(name)
        world.notes.resets.add(name)


def lose_uids(world, side, dice):
    store = world.sides[side]
    if store.kind == "dovecot":
        name = dice.choice(sorted(world.names(side)))
        store.lose_uids(name)
        world.notes.resets.add(name)


def edit(world, side, dice):
    store = world.sides[side]
    folder, seen = pick(world, side, dice) if store.is_maildir else (None, None)
    # What else a name was given to cannot be known (docs/who-wins.md, 17).
    if seen and ",S=" in seen.handle:
        store.edit(seen, b"edited %d\n" % dice.getrandbits(40))
        world.notes.edited[seen.content] += 1


def lose_state(world, side, dice):
    world.lose_state()


def older_state(world, side, dice):
    world.restore_state()


def restore(world, side, dice):
    world.restore_side(side)


# name: (act, weight)
ACTS = {act.__name__: (act, weight) for act, weight in (
    (deliver, 6), (deliver_no_id, 1), (deliver_same_id, 1),
    (deliver_headless, 0.5), (deliver_bare_cr, 0.5), (deliver_nul, 0.4),
    (deliver_empty, 0.1), (deliver_big, 0.04), (deliver_twin, 1.5), (flag, 6),
    (mark_deleted, 1), (expunge, 1), (delete, 4), (move, 4), (copy, 2),
    (move_many, 0.6), (make_folder, 1), (remove_folder, 0.5),
    (rename_folder, 1), (remake_folder, 0.3), (lose_uids, 0.3), (edit, 0.7),
    (lose_state, 0.2), (older_state, 0.2), (restore, 0.3))}
# What there is before the first run.
BEGINNING = {"deliver", "deliver_no_id", "deliver_same_id", "deliver_twin",
             "make_folder"}
