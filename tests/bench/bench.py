#!/usr/bin/python3
"""Measure mailtwin beside the floors, and the peers that are installed.

    bench.py [OPTION ...] [ROW ...]     the rows of the table (all)

    -q        a tenth of the size and two runs: under three minutes
    -s SCALE  only one SCALEth of the size
    -n RUNS   how often each program is run; the median counts (5)
    -o FILE   write the tables into FILE, too, as Markdown
    -d DIR    where mail and state lie: this disk is measured (/tmp)
    -p NAMES  only these peers, separated by commas ("" for none)
    -l        list the rows

All on this machine: Dovecot on loopback, TLS unless a row says otherwise,
delays by tests/tools/relay.c, durable writes on, each program with its own
defaults. docs/performance.md says how to read the tables. Exits with 1 where an
aim is missed.
"""

import argparse
import datetime
import os
import platform
import signal
import subprocess
import sys

import programs
import rows
import table
import world

QUICK = 10
RUNS = 5


class Bench:
    """What the rows need to know: where, how large, how often, and who is
    there to be measured."""

    def __init__(self, here, scale, runs, peers):
        self.here, self.scale, self.runs = here, scale, runs
        self.given = set()  # users who have their mail already
        self.programs = [programs.Mailtwin] + [
            peer for peer in programs.PEERS
            if peer.is_there() and (peers is None or peer.command in peers)]

    def sized(self, number, least=1):
        return max(least, number // self.scale)

    def takes_part(self, program):
        return any(issubclass(program, one) for one in self.programs)

    def ready(self, label, program, *pairs, runs=None):
        """An entry whose both sides are in step already."""
        if not self.takes_part(program):
            return None
        made = program(self.here, *pairs).prepare()
        return table.Entry(label, lambda: made, runs or self.runs)

    def anew(self, label, program, sides, runs=None):
        """An entry that begins each run without any state. @sides makes the
        pair of a run."""
        if not self.takes_part(program):
            return None
        return table.Entry(label, lambda: program(self.here, sides()),
                           runs or self.runs)

    def floor(self, label, arguments, relays=()):
        """@arguments makes those of a run of floor.py."""
        return table.Entry(
            label, lambda: programs.Floor(self.here, *arguments(),
                                          relays=relays), self.runs)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file
                 if line.startswith("model name")]
    return "%d x %s" % (os.cpu_count(), names[0] if names else
                        platform.machine())


def about(bench):
    """The machine and the versions, a line each."""
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", bench.here.path], check=True,
        stdout=subprocess.PIPE).stdout.decode().strip()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    size = "" if bench.scale == 1 else ", 1/%d of the size" % bench.scale
    return [
        datetime.date.today().isoformat() + ", median of %d%s" % (bench.runs,
                                                                  size),
        "%s, %d GiB, %s, Linux %s" % (processor(), memory >> 30, kind,
                                      platform.release()),
        "; ".join(program.version() for program in bench.programs)]


def options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("rows", nargs="*", default=list(rows.ROWS))
    parser.add_argument("-q", dest="quick", action="store_true")
    parser.add_argument("-s", dest="scale", type=int)
    parser.add_argument("-n", dest="runs", type=int)
    parser.add_argument("-o", dest="output")
    parser.add_argument("-d", dest="place", default="/tmp")
    parser.add_argument("-p", dest="peers")
    parser.add_argument("-l", dest="list", action="store_true")
    chosen = parser.parse_args()
    for row in chosen.rows:
        if row not in rows.ROWS:
            parser.error("there is no row " + row)
    chosen.scale = chosen.scale or (QUICK if chosen.quick else 1)
    chosen.runs = chosen.runs or (2 if chosen.quick else RUNS)
    if chosen.peers is not None:
        chosen.peers = chosen.peers.split(",")
    return chosen


def main():
    chosen = options()
    if chosen.list:
        for name, row in rows.ROWS.items():
            print("%3s  %s" % (name, row.__doc__.split("\n")[0]))
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    tables = []
    with world.World(chosen.place) as here:
        bench = Bench(here, chosen.scale, chosen.runs, chosen.peers)
        print("\n".join(about(bench)), flush=True)
        for name in chosen.rows:
            for made in rows.ROWS[name](bench):
                made.title = "%s. %s" % (name, made.title)
                tables.append(made)
                print(made.text(), flush=True)
        if chosen.output:
            with open(chosen.output, "w", encoding="utf-8") as file:
                file.write("\n".join(
                    ["\n".join("- " + line for line in about(bench)) + "\n"]
                    + [made.markdown() for made in tables]))
    missed = [verdict for made in tables for verdict in made.verdicts()
              if verdict[-1] != "ok"]
    print("\n%d aims, %d missed" % (
        sum(len(made.aims) for made in tables), len(missed)))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
