#!/usr/bin/python3
"""A program that moves a Maildir's files about at full speed, as mail readers
and scripts do, by rename() alone.

    mover.py ROOT SECONDS SEED PREFIX AWAY

Works in the nested folders of ROOT on files whose base names begin with PREFIX:
flags change, files go from new to cur and, with the probability AWAY, into
other folders. Nothing is made or removed. Prints how many renames it made.
"""

import os
import random
import sys
import time


def folders(root):
    return [path for path, below, _ in os.walk(root)
            if "cur" in below and "new" in below]


def step(places, prefix, away, dice):
    folder = dice.choice(places)
    sub = dice.choice(["cur", "cur", "new"])
    names = [name for name in os.listdir(os.path.join(folder, sub))
             if name.startswith(prefix)]
    if not names:
        return 0
    done = 0
    for name in dice.sample(names, min(len(names), 20)):
        base = name.partition(":2,")[0]
        target = dice.choice(places) if dice.random() < away else folder
        flags = "".join(f for f in "DFRS" if dice.random() < 0.5)
        try:
            os.rename(os.path.join(folder, sub, name),
                      os.path.join(target, "cur", base + ":2," + flags))
            done += 1
        except FileNotFoundError:
            pass  # somebody else was faster
    return done


def main():
    root, seconds, seed, prefix, away = sys.argv[1:]
    dice, done = random.Random(int(seed)), 0
    places = folders(root)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        done += step(places, prefix, float(away), dice)
        if dice.random() < 0.02:
            time.sleep(0.05)  # it has to think, too
    print(done)


main()
