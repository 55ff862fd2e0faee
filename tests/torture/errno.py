"""The trials of errno.t: SERVER_DIRECTORY WORK_DIRECTORY."""

import collections
import errno
import os
import re
import sys

import lint
import trial

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.EACCES,
          errno.EROFS, errno.EINTR)
ROWS = {"e": "each errno at each call, once",
        "E": "each errno at each call, for good",
        "s": "each write cut short",
        "f": "each sync failed, once and for good"}
SAMPLE = 8    # points of each scenario that a quick run takes
# Calls that were found to be taken for something else once: a scenario, an
# errno, and a word of the path that the call names.
FOUND = (
    ("moves", errno.EIO, "/disk/Box/new"),         # "no new": half a folder
    ("mixed", errno.EIO, "/disk/Lists/dev/new/."),  # "gone": flags left out
)


def options(lab, way, error_number):
    """From when the configuration is read: the loader is not our business."""
    fail = ["-s"] if way == "s" else ["-" + way, str(error_number)]
    return ["-w", lab.conf, *fail]


def judged(lab, result):
    verdict = trial.Verdict()
    judge(lab, result, verdict)
    return verdict


def judge(lab, result, verdict):
    verdict.judge_end(result)
    lab.judge_at_once(result, verdict)
    lab.judge_recovery(verdict)
    if not verdict.good():
        verdict.say(result.err[-500:])


def one(lab, way, error_number, at):
    lab.reset()
    if way in "fF":
        return not_synced(lab, "e" if way == "f" else "E", at)
    return judged(lab, lab.run(
        [trial.KILLAT, *options(lab, way, error_number), "-v", "-n", str(at)],
        {"LD_PRELOAD": trial.FAILALLOC}))


def not_synced(lab, way, at):
    """A sync fails: that is no success, not even when asked again, and nothing
    relies on it."""
    verdict = trial.Verdict()
    log = os.path.join(lab.work, "log")
    result = lab.run([trial.KILLAT, *options(lab, way, errno.EIO), "-v", "-n",
                      str(at), "-l", log, "-x", "data.mdb"])
    for words in lint.of(lab, log).check().wrong:
        verdict.say(words)
    # Threads take turns: another call may have had that number.
    struck = re.search(r"^killat: [0-9]+: ([a-z]+) ", result.err, re.M)
    if result.code == 0 and struck and struck.group(1) in lint.SYNCS:
        verdict.say("exit 0")
    judge(lab, result, verdict)
    return verdict


def found(lab, tap):
    """What was mended stays so."""
    for name, error_number, word in FOUND:
        lab.prepare(trial.named(name))
        lab.reset()
        verdict = judged(lab, lab.run([
            trial.KILLAT, "-w", word, "-e", str(error_number), "-v", "-n",
            "1"]))
        tap.ok("%s: %s at %s" % (name, errno.errorcode[error_number], word),
               verdict.good())
        for words in verdict.words:
            print("# " + words.replace("\n", "\n#   "))
        lab.clear()


def kinds(lab, error_number):
    """The calls that can fail so, in a good run: what they are, and the numbers
    of those that are alike. None where nothing can be traced."""
    log = os.path.join(lab.work, "log")
    lab.reset()
    if lab.run([trial.KILLAT, *options(lab, "e", error_number), "-n", "0",
                "-L", log]).code == 125:
        return None
    alike = collections.defaultdict(list)
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            number, _, mark, call = line.rstrip("\n").split(" ", 3)
            if mark == ">":
                alike[re.sub(r"[0-9a-f]{8,}|[0-9]+", "#",
                             call.replace(lab.work, ""))].append(int(number))
    return alike


def points(lab, dice, share, seen):
    """By way, those to try: one of each kind of call that is not among @seen,
    and @share of the rest; and how many there are. None where nothing can be
    traced."""
    chosen = {way: [] for way in ROWS}
    there = dict.fromkeys(ROWS, 0)
    for error_number in ERRORS:
        calls = kinds(lab, error_number)
        if calls is None:
            return None
        for way in "eE":
            # What is interrupted for good is stopped: kill.t.
            if (way, error_number) == ("E", errno.EINTR):
                continue
            for kind, alike in calls.items():
                there[way] += len(alike)
                n = round(len(alike) * share + dice.random() - 0.5)
                if (way, error_number, kind) not in seen:
                    seen.add((way, error_number, kind))
                    n = max(n, 1)
                chosen[way] += [(way, error_number, at)
                                for at in dice.sample(alike, max(n, 0))]
    there["s"] = trial.count_calls(lab, *options(lab, "s", 0), "-n", "0")
    chosen["s"] = [("s", 0, at) for at in range(1, there["s"] + 1)]
    chosen["f"] = [(way, errno.EIO, at)
                   for kind, alike in kinds(lab, errno.EIO).items()
                   if kind.split(" ")[0] in lint.SYNCS
                   for at in alike for way in "fF"]
    there["f"] = len(chosen["f"])
    return chosen, there


def sample(dice, chosen):
    """For a quick run."""
    total = sum(map(len, chosen.values()))
    return {way: dice.sample(some, max(1, round(len(some) * SAMPLE / total)))
            for way, some in chosen.items()}


def main():
    lab = trial.Lab(*sys.argv[1:])
    if os.environ.get("AGAIN"):
        words = os.environ["AGAIN"].split()
        lab.prepare(trial.named(words[0]))
        trial.show(one(lab, words[1], int(words[2]), int(words[3])))
    tap, dice = trial.Tap(), trial.dice()
    share = float(os.environ.get("SHARE", "0.15"))
    tallies = {way: trial.Tally(what, "AGAIN='%s' tests/torture/errno.t")
               for way, what in ROWS.items()}
    there = collections.Counter()
    seen = set()
    for scenario in trial.chosen():
        lab.prepare(scenario)
        both = points(lab, dice, share, seen)
        if both is None:
            tap.skip("any call failed", "ptrace is not allowed here")
            tap.end()
        there.update(both[1])
        chosen = both[0] if trial.torture() else sample(dice, both[0])
        for way, some in chosen.items():
            for point in some:
                tallies[way].add("%s %s %d %d" % (scenario.name, *point),
                                 one(lab, *point))
        lab.clear()
    found(lab, tap)
    for way, tally in tallies.items():
        tally.row("points", "of %d" % there[way] + (
            ", each kind of call" if way in "eE" else ""))
        tap.clean(tally)
    tap.end()


main()
