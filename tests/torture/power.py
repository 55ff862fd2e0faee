"""The trials of power.t: SERVER_DIRECTORY WORK_DIRECTORY."""

import collections
import multiprocessing
import os
import shutil
import sys

import powerlab
import trial

# Two at a time: they wait for the disk more than they work.
WORKERS = 2
SCENARIOS = ["pull", "push", "mixed", "moves", "folders", "uidvalidity",
             "flags"]

# The disks that the mail and the state lie on, and after which calls of a run
# the power goes: every step-th. A quick run takes a few of each row.
Disks = collections.namedtuple("Disks", "mail state step")
ROWS = [
    ("power cut, ext4", 10, [Disks("ext4", "same", 1),
                             Disks("ext4-journal", "same", 4),
                             Disks("ext4-writeback", "same", 4)]),
    ("power cut, xfs", 6, [Disks("xfs", "same", 1)]),
    ("power cut, mail and state on two disks", 6,
     [Disks("ext4", "xfs", 2), Disks("xfs", "ext4", 2),
      Disks("ext4", "ext4", 2)]),
    ("power cut, under one of them only", 4,
     [Disks(mail, state, 4) for mail, state in (
         ("ext4", "safe"), ("safe", "ext4"), ("xfs", "safe"),
         ("safe", "xfs"))]),
]


def one(lab, at):
    """Kill -9 after the call, and nothing more gets to the disk: not what the
    kernel holds, nor its journal."""
    lab.reset()
    result = lab.run([trial.KILLAT, "-a", str(at)])
    lab.cut_power()
    lab.power_on()
    return lab.judge(result)


def can(disks):
    """The kinds of file systems that can be made here."""
    return all(kind in ("same", "safe") or
               shutil.which("mkfs." + kind.split("-")[0]) for kind in disks[:2])


def points(row, dice):
    """What a quick run takes of a row: (disks, scenario, which of its calls)."""
    _, sample, disks = row
    everything = [(one_of, name) for one_of in disks for name in SCENARIOS]
    if trial.torture():
        return [(one_of, name, None) for one_of, name in everything]
    chosen = [dice.choice([pair for pair in everything if pair[0] == one_of])
              for one_of in disks][:2]
    return [(one_of, name, sample // len(chosen)) for one_of, name in chosen]


def share(server, work, jobs, number, results):
    """What one process does of a row."""
    dice = trial.dice()
    try:
        for disks, name, sample in jobs:
            lab = powerlab.PowerLab(server, os.path.join(work, str(number)),
                                    disks.mail, disks.state)
            lab.prepare(trial.named(name))
            calls = list(range(1, trial.count_calls(lab) + 1, disks.step))
            if sample:
                calls = dice.sample(calls, min(sample, len(calls)))
            for at in calls[number::WORKERS]:
                results.put(("%s %s %s %d" % (disks.mail, disks.state, name,
                                              at), one(lab, at)))
            lab.clear()
            lab.close()
    finally:
        results.put(None)


def run_row(server, work, row, tap):
    jobs = points(row, trial.dice())
    if not all(can(disks) for disks, _, _ in jobs):
        tap.skip(row[0], "mkfs.xfs is not there")
        return
    results = multiprocessing.Queue()
    shares = [multiprocessing.Process(target=share, args=(
        server, work, jobs, number, results)) for number in range(WORKERS)]
    for process in shares:
        process.start()
    tally = trial.Tally(row[0], 'AGAIN="%s" tests/torture/power.t')
    running = len(shares)
    while running > 0:
        result = results.get()
        if result is None:
            running -= 1
        else:
            tally.add(*result)
    for process in shares:
        process.join()
        tally.bad += process.exitcode != 0
    tally.row("cuts", "%d in step after one run" % tally.runs[1])
    tap.clean(tally)


def again(server, work, words):
    mail, state, name, at = words
    lab = powerlab.PowerLab(server, work, mail, state)
    lab.prepare(trial.named(name))
    verdict = one(lab, int(at))
    print("# " + "\n# ".join(verdict.words or ["good"]))
    lab.close()


def main():
    server, work = sys.argv[1:]
    tap = trial.Tap()
    if "AGAIN" in os.environ:
        again(server, work, os.environ["AGAIN"].split())
        return
    for row in ROWS:
        if os.environ.get("ROW", "") in row[0]:
            run_row(server, work, row, tap)
    tap.end()


if __name__ == "__main__":
    main()
