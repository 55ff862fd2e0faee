#!/usr/bin/python3
"""Goal of this test: no server, no name, no message, no file in a Maildir, no
damage to the state, no configuration and no certificate makes mailtwin crash,
hang, use memory without bound, leave its directories, show a secret, lose,
double or delete a message.

    tests/torture/hostile.t [-v] [PART-OF-A-CASE'S-NAME ...]

Each case is one run in which something is wrong, and honest runs after it; the
cases are data (tests/lib/hostile_cases.py and those beside it), what they must
leave is in tests/lib/hostile_world.py. Every item of section "hostile input" of
docs/hostile-input.md has its case. TORTURE=1 does those that take long, too.
"""
import collections
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
# pylint: disable=wrong-import-position
import hostile_cases
import hostile_certs
import hostile_items
from hostile_world import World, try_case

MAILTWIN = os.path.abspath(os.environ.get("MAILTWIN", "build-san/mailtwin"))
WORKERS = 2
SHARE = 24  # one case of so many is in the short part
COUNTS = ("lost", "doubled", "unjustified", "crashes", "hangs", "escapes",
          "leaks")


class Tap:
    def __init__(self):
        self.lock = threading.Lock()
        self.run = self.failed = 0

    def ok(self, good, name, notes=(), todo=""):
        with self.lock:
            self.run += 1
            self.failed += not good and not todo
            print("%sok %d - %s%s" % ("" if good else "not ", self.run, name,
                                      " # TODO " + todo if todo else ""))
            for note in notes:
                for line in str(note).splitlines():
                    print("#    " + line)
            sys.stdout.flush()

    def end(self):
        print("1..%d" % self.run)
        return 1 if self.failed or not self.run else 0


def work(world, cases, tap, sums, verbose):
    while True:
        try:
            case = cases.get_nowait()
        except queue.Empty:
            return
        began = time.monotonic()
        if case.skip:
            tap.ok(True, "%s # SKIP %s" % (case.name, case.skip))
            continue
        try:
            result = try_case(world, case)
        except Exception as error:  # pylint: disable=broad-except
            import traceback
            tap.ok(False, case.name, [traceback.format_exc(), error])
            continue
        notes = list(result.problems)
        if result.problems or verbose:
            notes.append("exit %d, %.2f s, %d KB, %.2f s in all" % (
                result.code, result.seconds, result.kilobytes,
                time.monotonic() - began))
            notes += result.err.decode("utf-8", "backslashreplace") \
                .splitlines()[-(60 if verbose else 8):]
            notes += ["out: " + line for line in
                      result.out.decode("utf-8", "backslashreplace")
                      .splitlines()[-3:]]
        tap.ok(not result.problems, case.name, notes, case.todo)
        with tap.lock:
            row = sums[hostile_cases.row_of(case)]
            row["cases"] += 1
            for count in COUNTS:
                row[count] += getattr(result, count)


def print_rows(sums):
    for what, row in sums.items():
        print("# row: %s | %d cases | %s" % (
            what, row["cases"],
            " | ".join("%s %d" % (name, row[name]) for name in COUNTS)))


def main():
    words = [word for word in sys.argv[1:] if word != "-v"]
    everything = bool(os.environ.get("TORTURE"))
    quick = {case.name for i, case in enumerate(hostile_cases.CASES)
             if not case.slow and (i % SHARE == 0 or "cve/20" in case.name)}
    chosen = [case for case in hostile_cases.CASES
              if (any(word in case.name for word in words) if words
                  else everything or case.name in quick)]
    tap = Tap()
    top = tempfile.mkdtemp(prefix="mt", dir="/tmp")
    os.chmod(top, 0o711)
    sums = collections.OrderedDict()
    for case in hostile_cases.CASES:
        sums.setdefault(hostile_cases.row_of(case), collections.Counter())
    try:
        certificates = hostile_certs.make(os.path.join(top, "tls"))
        cases = queue.Queue()
        for case in chosen:
            cases.put(case)
        threads = [threading.Thread(target=work, args=(
            World(os.path.join(top, "w%d" % i), MAILTWIN, certificates), cases,
            tap, sums, "-v" in sys.argv)) for i in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not words:
            hostile_items.check(tap, hostile_cases.CASES)
    finally:
        subprocess.run(["chattr", "-R", "-i", top], check=False,
                       stderr=subprocess.DEVNULL)
        if not os.environ.get("KEEP"):
            shutil.rmtree(top, ignore_errors=True)
    print_rows({what: row for what, row in sums.items() if row["cases"]})
    return tap.end()


sys.exit(main())
