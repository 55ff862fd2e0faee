"""The trials of cut.t and its like: SERVERS_DIRECTORY WORK_DIRECTORY.

SERVERS_DIRECTORY holds a running server for each tier, by its name. A row is a
list of fields, each a scenario on a tier; a field's points come from what goes
over the wire in a run without any fault. Several processes share the points of
a field.
"""

import collections
import multiprocessing
import os
import sys

import cutlab
import scenarios
import trial

# They wait more than they work.
WORKERS = 4 if trial.torture() else 2

# Something of each kind, and not a byte more.
SMALL = scenarios.scenario("small", "maildir", "imap", """
    left new INBOX one two three
    left mkdir Box
""", """
    left new INBOX four
    right new INBOX five
    left move INBOX one Box
    left flag INBOX two +\\Seen
    left delete INBOX three
""")
# More than the network takes while nobody reads, less than what the kernel does.
STALLED = scenarios.scenario("stalled", "maildir", "imap", "",
                             "left bulk INBOX 1 60000")
ALL = {scenario.name: scenario
       for scenario in [SMALL, STALLED, *scenarios.SCENARIOS]}
BIG = ["pull", "push", "imap", "mixed", "mixed-imap", "moves", "folders",
       "flags", "large"]
TIERS = ["resync", "condstore", "plain", "bare"]
# Without UIDPLUS a \Deleted that a user set is in the way: named, exit 1.
NEVER = ("flags", "bare")

# Short silences, where that is what is waited for. Where the server acts late,
# it has the time for it that mailtwin gives it (SETTLE_UNITS), on a machine
# that is busy, too.
ENV = {"silence": {"MAILTWIN_TEST_SILENCE_MS": "300"},
       "late": {"MAILTWIN_TEST_WAIT_MS": "700"},
       "stall": {"MAILTWIN_TEST_SILENCE_MS": "300"}}

# When the rest comes that is late, and the ways that some kinds are for.
WHENS = {"late": ["0", "200", "next", "end"], "stall": ["end"]}
ONLY = {"late": "up", "stall": "up", "garbage": "down"}

Field = collections.namedtuple("Field", "tier scenario kinds points step how")
# quick: so many points, of two fields, where not all are run.
Row = collections.namedtuple("Row", "name what unit quick fields")


def each_byte(streams):
    for side, found in streams.items():
        for (connection, way), stream in found.items():
            for count in range(len(stream) + 1):
                yield side, connection, way, count


def each_border(streams):
    for side, found in streams.items():
        for (connection, way), stream in found.items():
            for count in cutlab.borders(stream):
                yield side, connection, way, count


def each_early_border(streams):
    """Where most of what follows is still with the client's kernel."""
    for side, connection, way, count in each_border(streams):
        if count < 2000:
            yield side, connection, way, count


def points_of(field, streams):
    """All points of @field, in an order that is always the same."""
    kinds = [(kind, when) for kind in field.kinds.split()
             for when in WHENS.get(kind, ["0"])]
    for number, (side, connection, way, count) in enumerate(
            field.points(streams)):
        if number % field.step:
            continue
        kind, when = kinds[number // field.step % len(kinds)]
        if way == ONLY.get(kind, way):
            yield cutlab.Point(side, connection, way, count, kind, when)


def fields(kind, every, others):
    """@kind after each byte of the small session on the tier @every, and after
    some on @others."""
    return [Field(tier, "small", kind, each_byte,
                  1 if tier == every else 37, "") for tier in
            [every, *others]]


def others(tier):
    return [other for other in TIERS if other != tier]


ROWS = [
    Row("FIN", "cut after each byte: FIN", "bytes", 20,
        fields("fin", "resync", others("resync"))),
    Row("RST", "cut after each byte: RST", "bytes", 14,
        fields("rst", "bare", others("bare"))),
    Row("silence", "cut after each byte: silence", "bytes", 10,
        fields("silence", "plain", others("plain"))),
    Row("garbage", "cut after each byte: garbage", "bytes", 10,
        fields("garbage", "condstore", others("condstore"))),
    Row("late", "late commit", "cuts", 10,
        [Field(tier, "small", "late", each_byte, 8, "")
         for tier in TIERS] +
        [Field("resync", "push", "late", each_border, 1, ""),
         Field("resync", "stalled", "stall", each_early_border, 1, ""),
         Field("bare", "stalled", "stall", each_early_border, 1, "")]),
    Row("borders", "cut at the borders of larger sessions", "cuts", 12,
        [Field(TIERS[(number + turn) % 4], name, "fin rst silence garbage",
               each_border, 5, "")
         for turn in (0, 3) for number, name in enumerate(BIG)
         if (name, TIERS[(number + turn) % 4]) != NEVER]),
    Row("TLS", "TLS without close_notify", "cuts", 6,
        [Field(tier, "small", "fin rst", each_byte, 29, "tls")
         for tier in ("resync", "bare")]),
    # No garbage: DEFLATE has no checksum, so what comes behind the cut is data like
    # any other, of which a few bytes may make whole, but wrong messages. It is
    # TLS that sees it.
    Row("deflate", "cut within what is compressed", "cuts", 8,
        [Field(tier, "small", "fin rst late", each_byte, 7, "deflate")
         for tier in ("resync", "bare")]),
]


def name_of(field, point):
    return "%s/%s%s/%s" % (field.tier, field.scenario,
                           "+" + field.how if field.how else "", point)


def open_lab(servers, work, field):
    lab = cutlab.CutLab(os.path.join(servers, field.tier), work,
                        os.environ.get("MAILTWIN", "./mailtwin"),
                        4 if field.points is each_border else 1, field.how)
    lab.prepare(ALL[field.scenario])
    return lab


def share(servers, work, fields_, quick, number, results):
    """What one process does of a row; @quick points of each field, or 0: all.
    """
    dice = trial.dice()
    try:
        for field in fields_:
            lab = open_lab(servers, os.path.join(work, "%s%d" % (field.tier,
                                                                number)), field)
            points = list(points_of(field, lab.record()))
            if quick:
                points = dice.sample(points, min(quick, len(points)))
            for point in points[number::WORKERS]:
                results.put((field, point,
                             *lab.cut(point, ENV.get(point.kind))))
            lab.clear()
            lab.close()
    finally:
        results.put(None)


def forgive_twins(point, verdict):
    """The rest came when mailtwin had waited for it, and sent its message
    again: nobody can tell it from a copy that a user has made (see
    docs/crash-safety.md). Returns whether that is all that is wrong."""
    if point.kind != "late" or point.when not in ("next", "end") or \
            not verdict.count["doubled"]:
        return False
    if not all(words.startswith(("doubled: ", "exit 0, but the "))
               for words in verdict.words):
        return False
    verdict.words, verdict.count = [], collections.Counter()
    return True


def gather(row, results, running):
    tally = trial.Tally(row.what, "AGAIN=%s tests/torture/cut.t")
    late, twins, codes = 0, 0, collections.Counter()
    while running > 0:
        result = results.get()
        if result is None:
            running -= 1
            continue
        field, point, verdict, reached = result
        if not reached:
            continue
        late += verdict.late > 0
        twins += forgive_twins(point, verdict)
        codes[verdict.code] += 1
        tally.add(name_of(field, point), verdict)
    more = ["%d runs went on" % codes[0]]
    if late > 0:
        more.append("%d stored late" % late)
    if twins > 0:
        more.append("%d of them after the wait, and twice" % twins)
    tally.row(row.unit, *more)
    return tally


def run_row(servers, work, row, tap):
    found = [field for field in row.fields
             if os.path.isdir(os.path.join(servers, field.tier))]
    quick = 0
    if not trial.torture():
        found = trial.dice().sample(found, min(2, len(found)))
        quick = row.quick // len(found)
    results = multiprocessing.Queue()
    shares = [multiprocessing.Process(target=share, args=(
        servers, work, found, quick, number, results))
        for number in range(WORKERS)]
    for process in shares:
        process.start()
    tally = gather(row, results, len(shares))
    for process in shares:
        process.join()
        tally.bad += process.exitcode != 0
    tap.clean(tally)


def again(servers, work, name):
    tier, scenario, point = name.split("/")
    scenario, _, how = scenario.partition("+")
    point = cutlab.parse(point)
    lab = open_lab(servers, work, Field(
        tier, scenario, "", each_byte if scenario == "small" else each_border,
        1, how))
    verdict, reached = lab.cut(point, ENV.get(point.kind))
    print("# %s, exit %s\n# %s" % ("cut" if reached else "not reached",
                                   verdict.code,
                                   "\n# ".join(verdict.words or ["good"])))
    lab.close()


def main():
    servers, work = sys.argv[1:]
    tap = trial.Tap()
    if "AGAIN" in os.environ:
        again(servers, work, os.environ["AGAIN"])
        return
    wanted = os.environ.get("ROWS", "").split()
    for row in ROWS:
        if not wanted or row.name in wanted:
            run_row(servers, work, row, tap)
    tap.end()


if __name__ == "__main__":
    main()
