"""The trials of kill.t: SERVER_DIRECTORY WORK_DIRECTORY."""

import os
import sys

import trial

SAMPLE = 100        # points that a quick run takes, of all scenarios together
SAMPLE_PAIRS = 30
PAIRS = 250         # of each scenario


def kill(lab, way, at):
    return lab.run([trial.KILLAT, "-" + way, str(at)])


def one(lab, way, at):
    lab.reset()
    return lab.judge(kill(lab, way, at))


def two(lab, way, at, second_way, second_at):
    """The recovery is killed too."""
    verdict = trial.Verdict()
    lab.reset()
    lab.judge_at_once(kill(lab, way, at), verdict)
    lab.judge_at_once(kill(lab, second_way, second_at), verdict)
    lab.judge_recovery(verdict)
    return verdict


def cut_off_move(lab, tap):
    """A message that one user moved is not for a moment in neither folder, and
    not sent again, because an earlier run was killed before it moved it."""
    lab.prepare(trial.named("mixed"))
    lab.reset()
    result = lab.run([trial.KILLAT, "-m", " MOVE ", "-b", "1"])
    done = lab.run().summary["left"]
    tap.ok("killed before a move, the next run moves", result.code == 137
           and (done["moved"], done["deleted"]) == (1, 1))
    lab.clear()


def some(dice, points, n):
    """All of @points, or @n of them."""
    return points if trial.torture() else dice.sample(points,
                                                      min(n, len(points)))


def pairs(dice, calls, n):
    """Two moments each. A recovery has what was left to do, and a beginning
    and an end of its own."""
    for _ in range(n):
        at = dice.randint(1, calls)
        yield (dice.choice("ba"), at, dice.choice("ba"),
               dice.randint(1, calls - at + calls // 2))


def main():
    lab = trial.Lab(*sys.argv[1:])
    if os.environ.get("AGAIN"):
        words = os.environ["AGAIN"].split()
        words[2::2] = map(int, words[2::2])
        lab.prepare(trial.named(words[0]))
        trial.show(one(lab, *words[1:]) if len(words) == 3
                   else two(lab, *words[1:]))
    tap, dice = trial.Tap(), trial.dice()
    chosen = trial.chosen()
    once = trial.Tally("killed before and after each call",
                       "AGAIN='%s' tests/torture/kill.t")
    twice = trial.Tally("killed again in the recovery", once.again)
    all_calls = 0
    for scenario in chosen:
        lab.prepare(scenario)
        calls = trial.count_calls(lab)
        if calls is None:
            tap.skip("killed anywhere", "ptrace is not allowed here")
            break
        all_calls += calls
        for way, at in some(dice, [(way, at) for at in range(1, calls + 1)
                                   for way in "ba"], SAMPLE // len(chosen)):
            once.add("%s %s %d" % (scenario.name, way, at), one(lab, way, at))
        for pair in pairs(dice, calls, PAIRS if trial.torture()
                          else SAMPLE_PAIRS // len(chosen)):
            twice.add("%s %s %d %s %d" % (scenario.name, *pair),
                      two(lab, *pair))
        lab.clear()
    else:
        cut_off_move(lab, tap)
        once.row("points", "%d scenarios, %d calls" % (len(chosen), all_calls))
        twice.row("pairs of points")
        tap.ok("the scenarios make %d changing calls" % all_calls,
               all_calls > 50 * len(chosen))
        tap.clean(once)
        tap.clean(twice)
    tap.end()


main()
