"""The trials of malloc.t: SERVER_DIRECTORY WORK_DIRECTORY."""

import collections
import os
import sys

import trial

ROWS = {"at": "each allocation failed, once",
        "from": "each allocation failed, for good"}
SAMPLE = 4     # points of each scenario and way that a quick run takes


def one(lab, way, at):
    lab.reset()
    result = lab.run(env={"LD_PRELOAD": trial.FAILALLOC,
                          "FAIL" + way.upper(): str(at)})
    verdict = trial.Verdict()
    verdict.judge_end(result)
    lab.judge_at_once(result, verdict)
    lab.judge_recovery(verdict)
    if not verdict.good():
        verdict.say(result.err[-500:])
    return verdict


def kinds(lab):
    """The allocations of a good run: the numbers of those with the same
    callers."""
    log = os.path.join(lab.work, "log")
    lab.reset()
    result = lab.run(env={"LD_PRELOAD": trial.FAILALLOC, "ALLOCLOG": log})
    if result.code != 0:
        return None
    alike = collections.defaultdict(list)
    with open(log, encoding="ascii") as file:
        for number, callers in enumerate(file, 1):
            alike[callers].append(number)
    return alike


def points(lab, dice, share, seen):
    """By way, one of each kind that is not among @seen, and @share of all; and
    how many there are."""
    alike = kinds(lab)
    if alike is None:
        return None
    there = sum(map(len, alike.values()))
    chosen = {}
    for way in ROWS:
        chosen[way] = [(way, dice.choice(numbers))
                       for callers, numbers in alike.items()
                       if callers not in seen]
        chosen[way] += [(way, dice.randint(1, there))
                        for _ in range(round(there * share))]
    seen.update(alike)
    return chosen, there


def main():
    lab = trial.Lab(*sys.argv[1:], **trial.secured(sys.argv[1]))
    if os.environ.get("AGAIN"):
        words = os.environ["AGAIN"].split()
        lab.prepare(trial.named(words[0]))
        trial.show(one(lab, words[1], int(words[2])))
    tap, dice = trial.Tap(), trial.dice()
    share = float(os.environ.get("SHARE", "0.001"))
    tallies = {way: trial.Tally(what, "AGAIN='%s' tests/torture/malloc.t")
               for way, what in ROWS.items()}
    seen, total = set(), 0
    for scenario in trial.chosen():
        lab.prepare(scenario)
        both = points(lab, dice, share, seen)
        if both is None:
            tap.skip("any allocation failed", "the allocator has other ways")
            tap.end()
        total += both[1]
        for way, some in both[0].items():
            if not trial.torture():
                some = dice.sample(some, min(SAMPLE, len(some)))
            for point in some:
                tallies[way].add("%s %s %d" % (scenario.name, *point),
                                 one(lab, *point))
        lab.clear()
    for tally in tallies.values():
        tally.row("points", "of %d, each of %d kinds" % (total, len(seen)))
        tap.clean(tally)
    tap.end()


main()
