"""The runs of order.t, and what is wrong with their calls."""

import collections
import os
import sys

import lint
import trial

# So many in one group that whole file systems are synced.
MANY = trial.scenarios.scenario("many", "imap", "maildir", "", """
    left bulk INBOX 60 700
    left bulk One/two 15 300
""")


def without(check, name, path):
    """The same run, had it not synced what @path accepts."""
    check.calls = [call for call in check.calls
                   if not (call.name in name and path(call.paths[0]))]
    return len(check.check().wrong)


def main():
    lab = trial.Lab(*sys.argv[1:])
    tap = trial.Tap()
    log = os.path.join(lab.work, "log")
    wrong, sums = [], collections.Counter()
    for scenario in [*trial.chosen(), MANY]:
        lab.prepare(scenario)
        lab.reset()
        result = lab.run([trial.KILLAT, "-l", log, "-x", "data.mdb"])
        if result.code == 125:
            tap.skip("the order of calls", "ptrace is not allowed here")
            tap.end()
        check = lint.of(lab, log).check()
        wrong += ["%s: %s" % (scenario.name, words) for words in check.wrong]
        sums.update(files=check.files, folders=check.folders,
                    commits=check.commits)
        if scenario.name == "pull":
            tap.ok("a file that is not synced is seen", without(
                lint.of(lab, log), ("fsync",), lambda path: "/tmp/" in path)
                >= check.files - 3)
            tap.ok("a directory that is not synced is seen", without(
                lint.of(lab, log), ("fsync",), lambda path: path.endswith("cur")
                or path.endswith("new")) > 0)
            tap.ok("a folder that is not synced is seen", without(
                lint.of(lab, log), ("fsync",), lambda path: path == lab.disk) > 0)
            tap.ok("a state that is not synced is seen", without(
                lint.of(lab, log), ("fdatasync",), lambda path: True)
                == check.commits)
        if scenario is MANY:
            tap.ok("a file system that is not synced is seen", without(
                lint.of(lab, log), ("syncfs",), lambda path: True)
                > check.files / 2)
        lab.clear()
    for words in wrong:
        print("# " + words)
    print("# row: durability order | %d files | %d folders, %d commits, "
          "%d out of order" % (sums["files"], sums["folders"],
                               sums["commits"], len(wrong)))
    tap.ok("nothing is out of order", not wrong)
    tap.ok("there was something to look at", sums["files"] > 50
           and sums["commits"] > 20 and sums["folders"] > 5)
    tap.end()


main()
