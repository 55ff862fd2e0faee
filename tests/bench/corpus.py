#!/usr/bin/python3
"""Write a mailbox for the benchmark, the same one for the same seed.

    corpus.py PATH FOLDERS MESSAGES BYTES [SEED]

PATH becomes a Maildir tree as Dovecot keeps it (LAYOUT=fs, INBOX at the top,
sizes in the file names): MESSAGES in all, about BYTES each, over FOLDERS.
Sizes are spread as those of real mail are: most are small, a few are large.
"""
import base64
import os
import random
import sys


def body_pool(dice):
    """Lines to cut bodies from: as dense as the base64 of real attachments."""
    raw = base64.b64encode(dice.randbytes(3 << 20)).decode()
    lines = [raw[i:i + 72] for i in range(0, len(raw), 72)]
    return "\n".join(lines) + "\n"


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
    start = dice.randrange(len(pool) // 146) * 73
    return (head + pool[start:start + max(size - len(head), 1)]
            .rstrip("\n") + "\n").encode()


def main():
    path, folders, messages, mean = (sys.argv[1],) + tuple(
        map(int, sys.argv[2:5]))
    dice = random.Random(int((sys.argv + ["1"])[5]))
    pool = body_pool(dice)
    places = [path] + [os.path.join(path, "Folder%04d" % number)
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


main()
