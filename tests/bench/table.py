"""What a row of the benchmark measured: its table, and its aims.

    table = Table("First pull into a Maildir", floors=["fetch"])
    in_turn(3, table, entries)
    table.aim("wall time", table.median("mailtwin", "seconds"), 2.0, "s")
    print(table.text())

A run is a programs.Run; what was not measured is None, and shown as a dash.
"""

import collections
import statistics

# How a number of each unit is written.
UNITS = {
    "": lambda n: "%d" % n,
    "s": lambda n: "%.2f s" % n,
    "x": lambda n: "%.2f" % n,
    "KB": lambda n: "%.1f KB" % (n / 1e3),
    "MiB": lambda n: "%.1f MiB" % (n / (1 << 20)),
    "bytes": lambda n: "%.1f bytes" % n,
}

Aim = collections.namedtuple("Aim", "what measured limit unit at_least")

# One competitor: @make gives the program for each round, to be run @runs times.
Entry = collections.namedtuple("Entry", "label make runs")


def in_turn(runs, table, entries, before=None):
    """Each program once, and all of them again; before() comes before each
    round. An entry that is None is not installed here."""
    for number in range(runs):
        if before:
            before(number)
        for entry in entries:
            if entry and number < entry.runs:
                table.add(entry.label, entry.make().run())


def show(number, unit):
    return "-" if number is None else UNITS[unit](number)


def ratio(a, b):
    return None if a is None or not b else a / b


class Table:
    """@floors are labels whose medians bound the others; the slowest counts.
    The others are compared with the label @base, too."""

    def __init__(self, title, floors=(), base="mailtwin"):
        self.title, self.floors, self.base = title, floors, base
        self.runs, self.aims, self.notes = {}, [], []

    def add(self, label, run):
        self.runs.setdefault(label, []).append(run)

    def aim(self, what, measured, limit, unit="", at_least=False):
        self.aims.append(Aim(what, measured, limit, unit, at_least))

    def note(self, text):
        self.notes.append(text)

    def values(self, label, *fields):
        """Of a field of all runs, or of a field of a field."""
        values = self.runs.get(label, [])
        for field in fields:
            values = [getattr(value, field) for value in values
                      if getattr(value, field) is not None]
        return values

    def median(self, label, *fields):
        values = self.values(label, *fields)
        return statistics.median_low(values) if values else None

    def most(self, label, *fields):
        return max(self.values(label, *fields), default=None)

    def floor(self):
        return max((self.median(label, "seconds") or 0
                    for label in self.floors), default=0)

    def both(self, label, unit, field):
        """A field of what came by on the left and on the right."""
        left = self.median(label, "left", field)
        right = self.median(label, "right", field)
        if left is None and right is None:
            return "-"
        return "%s / %s" % (show(left, unit), show(right, unit))

    def cells(self, label):
        seconds = self.median(label, "seconds")
        times = self.values(label, "seconds")
        return (
            label,
            show(seconds, "s"),
            "%.2f..%.2f" % (min(times), max(times)) if times else "failed",
            show(ratio(seconds, self.floor()), "x"),
            show(ratio(seconds, self.median(self.base, "seconds")), "x"),
            show(self.median(label, "cpu"), "s"),
            show(self.median(label, "memory"), "MiB"),
            self.both(label, "KB", "received"),
            self.both(label, "KB", "sent"),
            self.both(label, "", "trips"),
            self.both(label, "KB", "bodies"))

    HEAD = ("program", "median", "min..max", "/ floor", "/ mailtwin",
            "processor", "peak memory", "received l / r", "sent l / r",
            "round trips", "bodies l / r")

    def rows(self):
        """The columns that say anything."""
        rows = [self.HEAD] + [self.cells(label) for label in self.runs]
        kept = [column for column in zip(*rows)
                if any(cell != "-" for cell in column[1:])]
        return list(zip(*kept))

    def verdicts(self):
        for aim in self.aims:
            if aim.measured is None:
                verdict = "not measured"
            elif (aim.measured >= aim.limit if aim.at_least
                  else aim.measured <= aim.limit):
                verdict = "ok"
            else:
                verdict = "SHORT"
            yield (aim.what, show(aim.measured, aim.unit),
                   (">= " if aim.at_least else "<= ")
                   + show(aim.limit, aim.unit), verdict)

    def text(self):
        lines = ["", self.title] + aligned(self.rows())
        lines += aligned([("aim", "measured", "wanted", "")]
                         + list(self.verdicts()))
        return "\n".join(lines + ["  " + note for note in self.notes])

    def markdown(self):
        return "\n".join(
            ["### " + self.title, ""] + piped(self.rows()) + [""]
            + piped([("aim", "measured", "wanted", "")]
                    + list(self.verdicts()))
            + ["\n" + note for note in self.notes]) + "\n"


def aligned(rows):
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  " + "  ".join(
        cell.rjust(width) if index else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in rows]


def piped(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return lines[:1] + ["|---" + "|--:" * (len(rows[0]) - 1) + "|"] + lines[1:]
