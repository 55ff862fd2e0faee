#!/usr/bin/env python3
"""Branch coverage of what make coverage has run, by file and by group.

    tests/coverage/coverage.py BUILD REASONS

BUILD is a directory of objects built with --coverage, after its tests have run.
A line of REASONS says why branches of a function are not taken by any test:

    sync/plan.c: judge_uid: 1: the state cannot fail between two reads of it

The number is how many; one more, and they are shown as before. A branch is one way out of one condition, as gcc
compiles it at -O0; the line with it is shown where no reason is known.

Exits 1 where a group falls short of what it has to reach, or leaves branches of
which nobody has said why; or where a reason is given for branches that are
taken. A group that has to reach nothing is only counted.
"""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

# What decides, and what reads a server's words, are held to the mark.
GROUPS = (
    ("planner", 95, "sync", "delta match rules plan guard filter known ladder "
     "heirs rename_order run_decide run_moves run_crossed run_within"),
    ("parser", 95, "imap", "framer token reply reply_code reply_fetch "
     "reply_flags reply_list reply_set reply_status session session_auth "
     "session_command session_log session_login caps mutf7 date verdict"),
    ("base", 0, "base", "*"),
    ("store's codecs", 0, "store", "record record_block record_key record_name "
     "pages pages_head maildir_name maildir_keywords maildir_eol"),
    ("the rest of sync", 0, "sync", "*"),
)


def gcov(build):
    """All files of a build: {source: {(line, branch): [function, count]}}."""
    notes = sorted(path for layer in ("base", "imap", "store", "sync")
                   for path in glob.glob(f"{build}/{layer}/*.gcno"))
    root = os.getcwd()
    found = collections.defaultdict(dict)
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["gcov", "--json-format", "--branch-probabilities",
                        *(os.path.join(root, path) for path in notes)],
                       cwd=work, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for path in glob.glob(f"{work}/*.gz"):
            with gzip.open(path) as file:
                take(json.load(file), found)
    return found


def take(report, found):
    for file in report["files"]:
        if not file["file"].endswith(".c"):
            continue
        branches = found[file["file"]]
        for line in file["lines"]:
            for i, branch in enumerate(line["branches"]):
                key = (line["line_number"], i)
                known = branches.setdefault(
                    key, [line.get("function_name", "?"), 0])
                known[1] += branch["count"]


def reasons(path):
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = line.rstrip("\n").split(": ", 3)
            if len(parts) < 4 or not parts[2].isdigit():
                sys.exit(f"{path}:{number}: not file: function: number: reason")
            found[parts[0], parts[1]] = [int(parts[2]), parts[3]]
    return found


def files_of(group, found):
    """Each file is in the first group that names it."""
    taken = set()
    for other in GROUPS:
        names = [f"{other[2]}/{name}.c" for name in other[3].split()]
        if other[3] == "*":
            names = [name for name in found if name.startswith(other[2] + "/")]
        names = [name for name in sorted(names) if name not in taken]
        if other is group:
            return [name for name in names if found.get(name)]
        taken.update(names)
    return []


def explain(name, branches, why):
    """Show what has no reason; tell of reasons that are none."""
    missed = collections.defaultdict(list)
    for (line, _), (function, count) in sorted(branches.items()):
        if count == 0:
            missed[function].append(line)
    with open(name, encoding="utf-8") as file:
        text = file.readlines()
    open_lines = 0
    for function, lines in missed.items():
        allowed = why.get((name, function), [0])[0]
        if allowed == len(lines):
            continue
        open_lines += len(lines)
        for line in lines:
            print(f"    {name}:{line}: {function}: {text[line - 1].strip()}")
    stale = [f"{name}: {function}: {n} branches have a reason, "
             f"{len(missed[function])} are not taken"
             for (file, function), (n, _) in why.items()
             if file == name and n != len(missed[function])]
    return open_lines, stale


def main():
    build, table = sys.argv[1:]
    found = gcov(build)
    why = reasons(table)
    stale, shares, bad = [], [], False
    for group in GROUPS:
        print(f"{group[0]}:")
        total = hit = unknown = 0
        for name in files_of(group, found):
            branches = found[name]
            n = len(branches)
            taken = sum(1 for _, count in branches.values() if count)
            print(f"  {name:32} {taken:5} of {n:5} branches "
                  f"{100 * taken / n:6.1f} %")
            total, hit = total + n, hit + taken
            unexplained, old = explain(name, branches, why)
            unknown += unexplained
            stale += old
        share = 100 * hit / max(total, 1)
        low = share < group[1]
        silent = group[1] > 0 and unknown > 0
        bad = bad or low or silent or total == 0
        shares.append((group[0], share))
        print(f"  {'in all':32} {hit:5} of {total:5} branches {share:6.1f} %"
              f"{', less than %d %%' % group[1] if low else ''}"
              f"; {unknown} without a reason{', not one may be' if silent else ''}")
    for line in stale:
        print(f"stale reason: {line}")
    names, percents = zip(*((name, f"{share:.1f} %") for name, share in shares))
    print(f"row: coverage: {', '.join(names[:2])} | "
          f"{', '.join(percents[:2])} of branches | "
          + ", ".join(f"{name} {percent}" for name, percent
                      in zip(names[2:], percents[2:])))
    sys.exit(1 if bad or stale else 0)


main()
