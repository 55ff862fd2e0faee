#!/usr/bin/python3
"""Mail for the benchmark, the same for the same seed.

    corpus.py PATH FOLDERS MESSAGES BYTES    write() as a program

Sizes are spread as those of real mail are: most are small, a few are large.
"""

import base64
import os
import random
import sys

LINE = 72


def write(path, folders, messages, mean, inbox=""):
    """A Maildir tree at @path as Dovecot keeps it (LAYOUT=fs, sizes in the file
    names): @messages in all, of @mean bytes on average, over @folders. The
    INBOX is the directory @inbox in there."""
    dice = random.Random(1)
    pool = body_pool(dice)
    places = [os.path.join(path, inbox)]
    places += [os.path.join(path, "Folder%04d" % number)
               for number in range(1, folders)]
    for place in places:
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(place, sub))
    for number, size in enumerate(sizes(dice, messages, mean)):
        body = message(dice, number, size, pool)
        date = 1600000000 + number * 60
        name = "%d.M%dP1.bench,S=%d,W=%d:2,%s" % (
            date, number, len(body), len(body) + body.count(b"\n"),
            "S" if number % 3 else "")
        name = os.path.join(places[number % len(places)], "cur", name)
        with open(name, "wb") as file:
            file.write(body)
        os.utime(name, (date, date))


def body_pool(dice):
    """Lines to cut bodies from: as dense as the base64 of real attachments."""
    raw = base64.b64encode(dice.randbytes(3 << 20)).decode()
    return "\n".join(raw[i:i + LINE] for i in range(0, len(raw), LINE)) + "\n"


def sizes(dice, messages, mean):
    drawn = [dice.lognormvariate(0, 1.2) for _ in range(messages)]
    scale = mean * messages / sum(drawn)
    return [max(300, int(size * scale)) for size in drawn]


def message(dice, number, size, pool):
    head = ("Return-Path: <sender%d@example.org>\n"
            "From: Sender %d <sender%d@example.org>\n"
            "To: Reader <reader@example.net>\n"
            "Subject: Message %d of the benchmark\n"
            "Date: Mon, 02 Feb 2026 10:00:00 +0000\n"
            "Message-ID: <%d.%x@bench.example.org>\n\n"
            % (number % 97, number % 97, number % 97, number, number,
               dice.getrandbits(64)))
    start = dice.randrange(len(pool) // (2 * LINE)) * (LINE + 1)
    return (head + pool[start:start + max(size - len(head), 1)]
            .rstrip("\n") + "\n").encode()


def small(count, seed=1):
    """@count messages of some 250 bytes, one by one."""
    dice = random.Random(seed)
    for number in range(count):
        yield message(dice, number, 250, "0123456789\n" * 40).replace(
            b"\n", b"\r\n")


def read(path):
    """The tree at @path in memory: folder name -> messages as on disk."""
    tree = {}
    for place, subs, _ in os.walk(path):
        if "cur" not in subs:
            continue
        subs[:] = [sub for sub in subs if sub not in ("cur", "new", "tmp")]
        cur = os.path.join(place, "cur")
        name = os.path.relpath(place, path)
        tree["INBOX" if name == "." else name] = [
            read_file(os.path.join(cur, file)) for file in os.listdir(cur)]
    return tree


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    write(sys.argv[1], *map(int, sys.argv[2:5]))
