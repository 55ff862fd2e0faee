"""The trials of limits.t: SERVER_DIRECTORY WORK_DIRECTORY MOUNT_POINT."""

import os
import subprocess
import sys
import time

import trial

PAGE = 4096
WIDE = "size=64m,nr_inodes=10000"


def remount(place, options):
    """What a run had open may be let go of a little after it has ended."""
    argv = ["mount", "-o", "remount," + options, place]
    deadline = time.monotonic() + 20
    while (done := subprocess.run(argv, stderr=subprocess.PIPE)).returncode:
        if time.monotonic() > deadline:
            raise AssertionError("cannot %s: %s" % (argv, done.stderr))
        time.sleep(0.01)


def run_limited(lab, limit):
    """@limit as prlimit(1) takes it."""
    verdict = trial.Verdict()
    result = lab.run(["prlimit", limit], {"LD_PRELOAD": trial.FAILALLOC})
    # The loader's own words, where it does not get far enough to be us.
    if result.code != 127 or "loading shared libraries" not in result.err:
        verdict.judge_end(result)
    lab.judge_at_once(result, verdict)
    lab.judge_recovery(verdict)
    if not verdict.good():
        verdict.say(result.err[-500:])
    return verdict


def run_small(lab, place, options):
    """@options: of the file system, for one run."""
    verdict = trial.Verdict()
    remount(place, options)
    result = lab.run()
    verdict.judge_end(result)
    lab.judge_at_once(result, verdict)
    remount(place, "rw," + WIDE)
    lab.judge_recovery(verdict)
    if not verdict.good():
        verdict.say(result.err[-500:])
    return verdict


def limits(scenario):
    """None of the limits is one at the upper end."""
    yield from ("--nofile=%d" % n for n in range(4, 50))
    yield from ("--fsize=%d" % (n * 512) for n in (*range(17), 32, 64, 128))
    if scenario.name == "large":
        yield from ("--fsize=%d" % n for n in range(200000, 3200000, 300000))
    yield from ("--as=%d" % (n << 20) for n in range(20, 400, 20))


def sizes(place):
    """From no room at all to enough of it; a size of 0 would be no limit."""
    status = os.statvfs(place)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    inodes = status.f_files - status.f_ffree
    yield "ro"
    yield from ("size=%d" % (max(used, PAGE) + n * PAGE) for n in range(0, 40))
    yield from ("nr_inodes=%d" % (inodes + n) for n in range(0, 40))


def some(dice, points, n):
    points = list(points)
    return points if trial.torture() else dice.sample(points, n)


def main():
    lab = trial.Lab(*sys.argv[1:3])
    place = sys.argv[3]
    tap, dice = trial.Tap(), trial.dice()
    again = "SCENARIOS='%s' tests/torture/limits.t"
    limited = trial.Tally("limits of files, sizes and memory", again)
    small = trial.Tally("really full and read-only disks", again)
    for scenario in trial.chosen():
        lab.prepare(scenario)
        for limit in some(dice, limits(scenario), 2):
            lab.reset()
            limited.add("%s %s" % (scenario.name, limit),
                        run_limited(lab, limit))
        lab.clear()
    limited.row("points")
    tap.clean(limited)
    if not os.path.ismount(place):
        tap.skip("a full disk", "root and mount are needed for a small tmpfs")
        tap.end()
    lab.disk = os.path.join(place, "disk")
    lab.state = os.path.join(place, "state")
    for scenario in trial.chosen():
        lab.prepare(scenario)
        lab.reset()
        for options in some(dice, sizes(place), 2):
            lab.reset()
            small.add("%s %s" % (scenario.name, options),
                      run_small(lab, place, options))
        lab.clear()
    small.row("points")
    tap.clean(small)
    tap.end()


main()
