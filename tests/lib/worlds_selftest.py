#!/usr/bin/python3
"""Could the judges of random worlds find anything? Each case is a world with one
thing wrong, and what has to be said of it; exits 1 where it was not said."""

import sys

import wirelint
import world_during
from world_during import Act
from world_oracle import Bad, Expectation, Notes
from world_store import Content, Folder, Seen

A, B, C = (Content(name, 1500000000, 100) for name in "abc")


def look(**folders):
    """INBOX=[(key, content, flag ...)]"""
    found = {}
    for name, messages in folders.items():
        found[name] = Folder(1)
        for key, content, *flags in messages:
            found[name].messages[key] = Seen(content, frozenset(flags), key)
    return found


def verdict(base, left, right, end, notes=None):
    try:
        Expectation([base, base], [left, right], notes or Notes(),
                    True).judge_end(end)
    except Bad as bad:
        return bad.evil
    return "fine"


def judge_worlds():
    both = look(INBOX=[(1, A), (2, B)], Work=[])
    less = look(INBOX=[(1, A)], Work=[])
    moved = look(INBOX=[(1, A)], Work=[(1, B)])
    twice = look(INBOX=[(1, A), (2, B), (3, B)], Work=[])
    double = look(INBOX=[(1, A), (2, B)], Work=[(1, B)])
    flagged = look(INBOX=[(1, A), (2, B, "F")], Work=[])
    stranger = look(INBOX=[(1, A), (2, B), (3, C)], Work=[])
    nothing = look(INBOX=[], Work=[])
    reset = Notes()
    reset.all_reset = True
    return [
        ("nothing happened", verdict(both, both, both, both), "fine"),
        ("lost", verdict(both, both, both, less), "lost"),
        ("doubled", verdict(both, both, both, twice), "doubled"),
        ("brought back", verdict(both, less, both, both), "resurrected"),
        ("a deletion", verdict(both, less, both, less), "fine"),
        ("brought back after a reset",
         verdict(both, less, both, both, reset), "fine"),
        ("a move", verdict(both, moved, both, moved), "fine"),
        ("a move that ends nowhere", verdict(both, moved, both, less), "lost"),
        ("a move that leaves one behind",
         verdict(both, moved, both, double), "resurrected"),
        ("a move against a deletion", verdict(both, moved, less, moved), "fine"),
        ("a move lost to a deletion", verdict(both, moved, less, less), "lost"),
        ("one of two twins too many",
         verdict(twice, both, twice, less), "lost"),
        ("one of two twins", verdict(twice, both, twice, both), "fine"),
        ("a flag", verdict(both, flagged, both, flagged), "fine"),
        ("a flag that is lost", verdict(both, flagged, both, both), "lost"),
        ("never delivered", verdict(both, both, both, stranger), "corrupt"),
        ("all gone", verdict(both, both, both, nothing), "lost"),
    ]


def judge_ends():
    def ends(*acts):
        return world_during.ends(["A"], [Act(*act) for act in acts])
    left, right = 0, 1
    return [
        ("nothing", ends(), {("A",)}),
        ("a deletion", ends((left, "remove", "A", None, 1, 2)), {()}),
        ("a move and back", ends((left, "move", "A", "X", 1, 2),
                                 (left, "move", "X", "A", 3, 4)), {("A",)}),
        ("a move, then deleted",
         ends((left, "move", "A", "X", 1, 2), (left, "remove", "X", None, 3, 4)),
         {()}),
        ("two moves",
         ends((left, "move", "A", "X", 1, 2), (right, "move", "A", "Y", 1, 2)),
         {("X",), ("Y",), ("X", "Y")}),
        ("moved here, and on from there",
         ends((left, "move", "A", "X", 1, 2), (right, "move", "X", "Y", 3, 4)),
         {("Y",), ("X", "Y"), ("X",)}),
    ]


def wire(*lines):
    """What the relay writes: C: or S:, and a line of the protocol."""
    log = b""
    for line in lines:
        data = line[3:].encode() + b"\r\n"
        log += b"1 %s %d\n%s\n" % (line[:1].encode(), len(data), data)
    return log


def complaints(*lines):
    lint = wirelint.Lint("left", wirelint.reasons(
        ["main: A: message 7 on left is to be deleted: its twin on right, "
         "message 9, is gone from here"]))
    lint.read(wire("S: * OK [CAPABILITY IMAP4rev1 UIDPLUS] hello", *lines))
    return len(lint.broken)


def judge_wires():
    opened = ("C: 1 SELECT A", "S: * OK [UIDVALIDITY 5] yes", "S: 1 OK")
    return [
        ("what has its reason",
         complaints(*opened, "C: 2 UID STORE 7 +FLAGS.SILENT (\\Deleted)",
                    "C: 3 UID EXPUNGE 7"), 0),
        ("what has none", complaints(*opened, "C: 2 UID EXPUNGE 7:8"), 1),
        ("moved without a reason", complaints(*opened, "C: 2 UID MOVE 8 B"), 1),
        ("another folder's", complaints("C: 1 SELECT B", *opened[1:],
                                        "C: 2 UID EXPUNGE 7"), 1),
        ("by number", complaints(*opened, "C: 2 STORE 7 +FLAGS (\\Seen)"), 1),
        ("EXPUNGE", complaints(*opened, "C: 2 EXPUNGE"), 1),
        ("CLOSE", complaints(*opened, "C: 2 CLOSE"), 1),
        ("CLOSE after EXAMINE", complaints("C: 1 EXAMINE A", "C: 2 CLOSE"), 0),
        ("flags as a whole",
         complaints(*opened, "C: 2 UID STORE 7 FLAGS (\\Seen)"), 1),
        ("too early", complaints("C: 1 SELECT A", "C: 2 UID EXPUNGE 7"), 1),
        ("a full folder", complaints("S: * STATUS B (MESSAGES 3)",
                                     "C: 2 DELETE B"), 1),
        ("an empty folder", complaints("S: * STATUS B (MESSAGES 0)",
                                       "C: 2 DELETE B"), 0),
        ("a literal that was refused before it came",
         complaints("C: 0 SELECT B", "C: 0 APPEND B {0}", "S: 0 NO", *opened,
                    "C: 2 UID EXPUNGE 7"), 0),
    ]


def main():
    wrong = 0
    for name, got, want in judge_worlds() + judge_ends() + judge_wires():
        if got != want:
            wrong += 1
            print("%s: %s, not %s" % (name, got, want))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
