#!/usr/bin/python3
"""What cannot be done faster: the floors of the benchmark.

    floor.py idle PORT USER [PORT USER]
                                 log in, LIST with STATUS; both at once
    floor.py accounts PORT USER ...
                                 the same for each USER, a few at once
    floor.py flags PORT USER     the flags of every message, into nowhere
    floor.py fetch PORT USER     every message, pipelined, into nowhere
    floor.py append PORT USER TREE
                                 every message of the Maildir tree TREE, from
                                 memory, in pipelined MULTIAPPENDs
    floor.py files TREE NEW      the same, from memory, into files of the
                                 directory NEW, then one syncfs()

Over TLS, on as many connections as mailtwin makes, and as many folders.
Prints seconds, processor seconds and bytes received, all of them without what
it takes to start Python and to read the tree.
"""

import ctypes
import os
import sys
import time
import zlib
from concurrent import futures

import corpus
import wire

LANES = 4
ACCOUNTS = 16  # at once, as many as mailtwin takes


def at_once(work, items, most=None):
    """Returns what work() does for each of the items, in order."""
    with futures.ThreadPoolExecutor(most or len(items)) as pool:
        return list(pool.map(work, items))


def lanes(port, user):
    return at_once(lambda _: wire.Client(int(port), user), range(LANES))


def timed(work):
    """Run it and print what it cost; it returns how many bytes came."""
    start, busy = time.monotonic(), time.process_time()
    received = work()
    print("%.3f %.3f %d" % (time.monotonic() - start,
                            time.process_time() - busy, received or 0))


def look(side):
    port, user = side
    client = wire.Client(int(port), user)
    client.send(b'e ENABLE QRESYNC\r\nl LIST "" * RETURN (SPECIAL-USE '
                b'STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))\r\n')
    client.until(b"l")
    client.close()


def idle(*sides):
    at_once(look, list(zip(sides[::2], sides[1::2])))


def accounts(port, *users):
    at_once(look, [(port, user) for user in users], ACCOUNTS)


def flags(port, user):
    """The answer is counted as it is and as DEFLATE makes it."""
    client = wire.Client(int(port), user)
    client.select("INBOX")
    answer = client.command(b"FETCH 1:* (UID FLAGS)")
    squeeze = zlib.compressobj(wbits=-15)
    print(len(answer), len(squeeze.compress(answer) + squeeze.flush()))


def fetch(port, user):
    clients = lanes(port, user)
    folders = clients[0].folders()

    def lane(number):
        client, mine = clients[number], folders[number::LANES]
        client.send(b"".join(
            b"s EXAMINE %s\r\nf UID FETCH 1:* (UID FLAGS INTERNALDATE "
            b"BODY.PEEK[])\r\n" % folder for folder in mine))
        for _ in mine:
            client.drain(b"f")
        client.close()
        return client.received
    return sum(at_once(lane, range(LANES)))


def append(port, user, tree):
    folders = sorted(tree.items())
    clients = lanes(port, user)

    def lane(number):
        client, mine = clients[number], folders[number::LANES]
        client.send(b"".join(b"c CREATE %s\r\n" % name.encode()
                             for name, _ in mine if name != "INBOX"))
        for name, messages in mine:
            client.append(name, messages, 100)
        client.settle()
        client.close()
    at_once(lane, range(LANES))


def files(tree, new):
    for name, messages in tree.items():
        place = os.path.join(new, name)
        os.makedirs(place)
        for number, body in enumerate(messages):
            file = os.open("%s/%d" % (place, number),
                           os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(file, body)
            os.close(file)
    directory = os.open(new, os.O_RDONLY)
    if ctypes.CDLL(None).syncfs(directory) != 0:
        sys.exit("floor.py: syncfs failed")


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "idle":
        timed(lambda: idle(*arguments))
    elif command == "accounts":
        timed(lambda: accounts(*arguments))
    elif command == "flags":
        flags(*arguments)
    elif command == "fetch":
        timed(lambda: fetch(*arguments))
    elif command == "append":
        tree = {name: [body.replace(b"\n", b"\r\n") for body in messages]
                for name, messages in corpus.read(arguments[2]).items()}
        timed(lambda: append(int(arguments[0]), arguments[1], tree))
    elif command == "files":
        tree = corpus.read(arguments[0])
        timed(lambda: files(tree, arguments[1]))


main()
