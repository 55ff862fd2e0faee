"""The rows of the benchmark: what is measured, and the aim of each.

A row is a function that takes the bench (bench.py) and yields its tables.
"""

import corpus
import owner
import programs
import table
from world import LOGIN_TRIPS, Imap, Maildir, disk_use, summary_of

MIB = 1 << 20
DELAY_MS = 25  # each way
RATE = 1000000

PULL = (20, 10000, 13200)  # folders, messages, bytes a message


# --- what several rows need ---------------------------------------------------

def servers(bench):
    """The first keeps Maildirs, as the corpora are; the second is quick to
    write to."""
    return (bench.here.server("one", list_index="yes"),
            bench.here.server("two", list_index="yes", storage="mdbox"))


def new_user(bench, server, relay=None, tls=True):
    """An account that nobody has used."""
    user = bench.here.fresh("user").rsplit("/", 1)[1]
    return Imap(server, user, relay, tls)


def new_maildir(bench):
    return Maildir(bench.here.fresh("maildir"))


def pull_corpus(bench):
    folders, messages, mean = PULL
    messages = bench.sized(messages, 5 * folders)
    return messages, bench.here.corpus("pull", folders, messages, mean)


def has(bench, server, user, tree):
    """The user, who gets the mail of a corpus when first asked for."""
    if (server.path, user) not in bench.given:
        server.give(user, tree)
        bench.given.add((server.path, user))
    return user


def expect(results, label, **deeds):
    """Measured what was meant to be? @deeds: what each run did, on both sides
    together."""
    for run in results.runs.get(label, []):
        if run is programs.FAILED:
            continue
        done = {deed: sum(summary[side][deed]
                          for summary in summary_of(run.output)
                          for side in ("left", "right")) for deed in deeds}
        if done != deeds:
            raise SystemExit("the benchmark is wrong: %s: %s instead of %s" % (
                results.title, done, deeds))


# --- nothing to do ------------------------------------------------------------

def idle(bench, server, trips, wall=None, peers=True):
    """One table a kind of right side; @trips and @wall seconds are allowed."""
    one, two = servers(bench)
    folders, messages = bench.sized(1000), bench.sized(100000)
    user = has(bench, one, "idle",
               bench.here.corpus("idle", folders, messages, 400))
    far = bench.here.relay("far", server, delay_ms=DELAY_MS)
    near = bench.here.relay("near", two, delay_ms=DELAY_MS)
    left = Imap(server, user, far)
    plan = [
        ("into a Maildir", lambda: new_maildir(bench), (far.port, user),
         [("mbsync", programs.Mbsync, 1)]),
        ("between two servers", lambda: new_user(bench, two, near),
         (far.port, user, near.port, "floor"),
         [("interimap", programs.Interimap, bench.runs)])]
    for where, right, ports, others in plan:
        result = table.Table("Nothing to do, %d folders, %d messages, 50 ms, %s"
                             % (folders, messages, where), ["floor"])
        table.in_turn(bench.runs, result, [
            bench.floor("floor", lambda: ("idle", *ports),
                        [far] + [near] * (len(ports) > 2)),
            bench.ready("mailtwin", programs.Mailtwin, (left, right()))] + [
                bench.ready(label, peer, (left, right()), runs=runs)
                for label, peer, runs in others if peers])
        expect(result, "mailtwin", copied=0)
        for side in ("left", "right")[:len(ports) // 2]:
            result.aim("round trips, %s" % side,
                       result.median("mailtwin", side, "trips"), trips)
        if wall:
            result.aim("wall time", result.median("mailtwin", "seconds"), wall,
                       "s")
        yield result


def idle_row(bench):
    """nothing to do, 1,000 folders, 50 ms"""
    return idle(bench, servers(bench)[0], 5, 0.35)


def idle_status_row(bench):
    """nothing to do, 1,000 folders, 50 ms, a server without LIST-STATUS

    Of the peers, mbsync never uses it, and interimap does not go without.
    """
    lacking = bench.here.server("lacking", list_index="yes", lack="LIST-STATUS",
                                mail_of=servers(bench)[0])
    return idle(bench, lacking, 6, peers=False)


# --- one large folder ---------------------------------------------------------

def wide_user(bench, name, count):
    """A user of the second server with so many messages in the INBOX."""
    two = servers(bench)[1]
    if (two.path, name) not in bench.given:
        client = two.client(name)
        client.append("INBOX", corpus.small(count))
        client.settle()
        bench.given.add((two.path, name))
    return name


def flag_one(server, user):
    """Before each round: the flags of one message change."""
    return lambda _: owner.Owner(server, user).toggle("INBOX", 1)


def wide_row(bench):
    """one folder of 200,000: nothing to do, and one flag changed"""
    two, count = servers(bench)[1], bench.sized(200000)
    user = wide_user(bench, "wide", count)
    far = bench.here.relay("far", two, tls=False)
    near = bench.here.relay("near", two, tls=False)
    left = Imap(two, user, far, tls=False)
    for where, right, peers in (
            ("into a Maildir", lambda: new_maildir(bench),
             [("mbsync", programs.Mbsync)]),
            ("between two servers",
             lambda: new_user(bench, two, near, tls=False),
             [("interimap", programs.Interimap)])):
        entries = [
            bench.ready("mailtwin", programs.Mailtwin, (left, right()))] + [
                bench.ready(label, peer, (left, right()))
                for label, peer in peers]
        for what, before in (("Nothing to do", None),
                             ("One flag changed", flag_one(two, user))):
            result = table.Table("%s, one folder of %d, no TLS, %s" % (
                what, count, where))
            table.in_turn(bench.runs, result, entries, before)
            expect(result, "mailtwin", flagged=1 if before else 0, copied=0)
            frugal(result, 12 * MIB)
            yield result


def frugal(result, memory):
    """The aims of a folder that hardly changed."""
    for side in ("left", "right"):
        received = result.most("mailtwin", side, "received")
        if received is not None:
            result.aim("bytes, %s" % side,
                       received + result.most("mailtwin", side, "sent"), 2000,
                       "KB")
    result.aim("peak memory", result.most("mailtwin", "memory"), memory, "MiB")


def plain_row(bench):
    """one flag changed, one folder of 200,000, no CONDSTORE, with and without
    COMPRESS"""
    two, count = servers(bench)[1], bench.sized(200000)
    user = wide_user(bench, "wide", count)
    plain = bench.here.server("plain", list_index="yes", storage="mdbox",
                              tier="plain", mail_of=two)
    floor = programs.Floor(bench.here, "flags", plain.imaps_port, user).run()
    answers = dict(zip((False, True), map(int, floor.output.split())))
    for compress, server in ((False, plain), (True, compressing(bench, two))):
        far = bench.here.relay("far", server, tls=False)
        left = Imap(server, user, far, tls=False, compress=compress)
        entries = [bench.ready(label, program, (left, new_maildir(bench)))
                   for label, program in (("mailtwin", programs.Mailtwin),
                                          ("mbsync", programs.Mbsync))]
        result = table.Table("One flag changed, one folder of %d, no CONDSTORE"
                             ", %s COMPRESS" % (count, "with" if compress
                                                else "without"))
        table.in_turn(bench.runs, result, entries, flag_one(two, user))
        expect(result, "mailtwin", flagged=1, copied=0)
        result.aim("bytes beyond the answer to FETCH (UID FLAGS)%s" % (
            ", deflated" if compress else ""),
            result.most("mailtwin", "left", "received") - answers[compress],
            2000, "KB")
        result.aim("peak memory", result.most("mailtwin", "memory"), 16 * MIB,
                   "MiB")
        yield result


def compressing(bench, mail_of):
    return bench.here.server("deflate", list_index="yes", storage="mdbox",
                             tier="plain", mail_of=mail_of, compress="yes")


# --- everything is new --------------------------------------------------------

def far_or_near(bench, name, server):
    """A relay with a delay, and how it is called; then none."""
    yield None, "loopback"
    yield bench.here.relay(name, server, delay_ms=DELAY_MS), "50 ms"


def pull_row(bench):
    """the first pull into a Maildir, loopback and 50 ms"""
    one = servers(bench)[0]
    messages, tree = pull_corpus(bench)
    user = has(bench, one, "pull", tree)
    for relay, where in far_or_near(bench, "far", one):
        left = Imap(one, user, relay)

        def sides(left=left):
            return left, new_maildir(bench)

        result = table.Table("First pull into a Maildir, %d messages, %s" % (
            messages, where), ["fetch floor", "files floor"])
        table.in_turn(bench.runs, result, [
            bench.floor("fetch floor",
                        lambda left=left: ("fetch", left.port, user),
                        [relay] * bool(relay)),
            bench.floor("files floor",
                        lambda: ("files", tree, bench.here.fresh("files"))),
            bench.anew("mailtwin", programs.Mailtwin, sides),
            bench.anew("mbsync", programs.Mbsync, sides, 2),
            *([] if relay else (
                bench.anew("doveadm", programs.Doveadm, sides, 1),
                bench.anew("offlineimap", programs.Offlineimap, sides, 1)))])
        expect(result, "mailtwin", copied=messages)
        pull_aim(result)
        yield result


def pull_aim(result):
    """The disk counts only where it is the slower one."""
    fetch = result.median("fetch floor", "seconds")
    files = result.median("files floor", "seconds")
    took = result.median("mailtwin", "seconds")
    if files <= fetch:
        result.aim("wall time / fetch floor", table.ratio(took, fetch), 1.4,
                   "x")
    else:
        result.aim("wall time / files floor, which is the slower",
                   table.ratio(took, files), 1.2, "x")


def push_row(bench):
    """the first push from a Maildir"""
    two = servers(bench)[1]
    messages, tree = pull_corpus(bench)

    def sides():
        return new_maildir(bench).fill(tree), new_user(bench, two)

    def swapped():
        return sides()[::-1]

    result = table.Table("First push from a Maildir, %d messages, loopback"
                         % messages, ["append floor"])
    table.in_turn(bench.runs, result, [
        append_floor(bench, two, two.imaps_port, tree),
        bench.anew("mailtwin", programs.Mailtwin, sides),
        bench.anew("mbsync", programs.Mbsync, sides, 2),
        bench.anew("offlineimap", programs.Offlineimap, swapped, 1)])
    expect(result, "mailtwin", copied=messages)
    result.aim("wall time / append floor", table.ratio(
        result.median("mailtwin", "seconds"), result.floor()), 1.4, "x")
    yield result


def append_floor(bench, server, port, tree, relays=()):
    return bench.floor("append floor", lambda: (
        "append", port, new_user(bench, server).user, tree), relays)


def servers_row(bench):
    """from server to server, loopback and 50 ms"""
    one, two = servers(bench)
    messages, tree = pull_corpus(bench)
    user = has(bench, one, "pull", tree)
    for (far, where), (near, _) in zip(far_or_near(bench, "far", one),
                                       far_or_near(bench, "near", two)):
        left = Imap(one, user, far)

        def sides(left=left, near=near):
            return left, new_user(bench, two, near)

        result = table.Table("From server to server, %d messages, %s" % (
            messages, where), ["fetch floor", "append floor"])
        table.in_turn(bench.runs, result, [
            bench.floor("fetch floor",
                        lambda left=left: ("fetch", left.port, user),
                        [far] * bool(far)),
            append_floor(bench, two, near.port if near else two.imaps_port,
                         tree, [None, near]),
            bench.anew("mailtwin", programs.Mailtwin, sides),
            bench.anew("interimap", programs.Interimap, sides, 3),
            bench.anew("mbsync", programs.Mbsync, sides, 2),
            None if far else
            bench.anew("doveadm", programs.Doveadm, sides, 1)])
        expect(result, "mailtwin", copied=messages)
        result.aim("wall time / the slower floor", table.ratio(
            result.median("mailtwin", "seconds"), result.floor()), 1.5, "x")
        yield result


# --- some changes -------------------------------------------------------------

def changed_by_owners(bench, far, near, tree, plan, tls=True):
    """Entries of which each has a left and a right user of its own, in step,
    and who they are."""
    one, two = servers(bench)
    entries, owners = [], []
    for label, program in plan:
        if bench.takes_part(program):
            left, right = (new_user(bench, one, far, tls),
                           new_user(bench, two, near, tls))
            one.give(left.user, tree)
            entries.append(bench.ready(label, program, (left, right)))
            owners.append((left, right))
    return entries, owners


def mixed_row(bench):
    """100 new, 500 flags, 100 deletions one way; 50 new, 100 flags the other"""
    one, two = servers(bench)
    tree = pull_corpus(bench)[1]
    new, flags, gone, back, marks = (
        bench.sized(count) for count in (100, 500, 100, 50, 100))
    far = bench.here.relay("far", one, delay_ms=DELAY_MS)
    near = bench.here.relay("near", two, delay_ms=DELAY_MS)
    entries, owners = changed_by_owners(
        bench, far, near, tree, (("mailtwin", programs.Mailtwin),
                                 ("interimap", programs.Interimap),
                                 ("mbsync", programs.Mbsync)))

    def change(round_):
        sign = "+-"[round_ % 2]
        for left, right in owners:
            left = owner.Owner(one, left.user)
            right = owner.Owner(two, right.user)
            left.flag(range(flags), sign + "FLAGS (\\Flagged)")
            left.delete(gone)
            left.add(new, 2 * round_ + 10)
            right.flag(range(flags, flags + marks), sign + "FLAGS (\\Answered)")
            right.add(back, 2 * round_ + 11)

    result = table.Table("%d new, %d flags, %d deletions one way, %d new, %d "
                         "flags the other, 50 ms" % (new, flags, gone, back,
                                                     marks))
    table.in_turn(min(bench.runs, 3), result, entries, change)
    expect(result, "mailtwin", copied=new + back, flagged=flags + marks,
           deleted=gone)
    for side in ("left", "right"):
        trips = result.median("mailtwin", side, "trips")
        result.aim("round trips after login, %s" % side,
                   trips and trips - LOGIN_TRIPS, 12)
    yield result


def moves_row(bench):
    """200 messages moved; a folder of 1,000 renamed"""
    one, two = servers(bench)
    each, count = bench.sized(1000, 10), bench.sized(200, 2)
    tree = bench.here.corpus("moves", 10, 10 * each, PULL[2])
    far = bench.here.relay("far", one, tls=False, delay_ms=DELAY_MS, log=True)
    near = bench.here.relay("near", two, tls=False, delay_ms=DELAY_MS, log=True)
    entries, owners = changed_by_owners(
        bench, far, near, tree, (("mailtwin", programs.Mailtwin),
                                 ("interimap", programs.Interimap),
                                 ("mbsync", programs.Mbsync)), tls=False)

    def move(round_):
        for left, _ in owners:
            owner.Owner(one, left.user).move(
                "Folder%04d" % (round_ + 1), count, "Folder%04d" % (round_ + 2))

    def rename(round_):
        for left, _ in owners:
            owner.Owner(one, left.user).rename("Folder0009" if round_ == 0 else
                                               "Renamed%d" % (round_ - 1),
                                               "Renamed%d" % round_)

    for title, change, deeds in (
            ("%d messages moved" % count, move, {"moved": count}),
            ("A folder of %d renamed" % each, rename, {"folders_renamed": 1})):
        result = table.Table(title + ", 50 ms, no TLS")
        table.in_turn(min(bench.runs, 3), result, entries, change)
        expect(result, "mailtwin", copied=0, **deeds)
        for side in ("left", "right"):
            result.aim("bytes of bodies, %s" % side,
                       result.most("mailtwin", side, "bodies"), 0, "KB")
            result.aim("round trips, %s" % side,
                       result.median("mailtwin", side, "trips"), 10)
        yield result


# --- very much ----------------------------------------------------------------

def million_row(bench):
    """one folder of 1,000,000 messages"""
    two, count = servers(bench)[1], bench.sized(1000000)
    user = wide_user(bench, "million", count)
    far = bench.here.relay("far", two, tls=False)
    twin = programs.Mailtwin(bench.here, (Imap(two, user, far, tls=False),
                                          new_maildir(bench)))
    entry = table.Entry("mailtwin", lambda: twin, bench.runs)

    first = table.Table("First pull of one folder of %d, into a Maildir"
                        % count)
    table.in_turn(1, first, [entry])
    expect(first, "mailtwin", copied=count)
    first.aim("peak memory", first.most("mailtwin", "memory"), 64 * MIB, "MiB")
    first.aim("state, a message", disk_use(twin.state) / count, 64, "bytes")
    yield first

    again = table.Table("Nothing to do, one folder of %d, into a Maildir"
                        % count)
    table.in_turn(bench.runs, again, [entry])
    expect(again, "mailtwin", copied=0)
    frugal(again, 12 * MIB)
    yield again


def accounts_row(bench):
    """200 accounts of 10 folders in one run, nothing to do"""
    one, count = servers(bench)[0], bench.sized(200, 2)
    tree = bench.here.corpus("account", 10, 100, 2000)
    users = [new_user(bench, one).user for _ in range(count)]
    for user in users:
        one.give(user, tree)
    for delay_ms, where, runs in ((0, "loopback", bench.runs),
                                  (DELAY_MS, "50 ms", 1)):
        far = bench.here.relay("far", one, delay_ms=delay_ms)

        def pairs(far=far):
            return [(Imap(one, user, far), new_maildir(bench))
                    for user in users]

        result = table.Table("Nothing to do, %d accounts of 10 folders, %s" % (
            count, where), ["floor"])
        table.in_turn(bench.runs, result, [
            bench.floor("floor", lambda far=far: ("accounts", far.port, *users),
                        [far]),
            bench.ready("mailtwin", programs.Mailtwin, *pairs()),
            bench.ready("mbsync in a loop", programs.MbsyncLoop, *pairs(),
                        runs=runs)])
        expect(result, "mailtwin", copied=0)
        accounts_aims(result, count)
        yield result


def accounts_aims(result, count):
    result.aim("peak memory", result.most("mailtwin", "memory"), 64 * MIB,
               "MiB")
    result.aim("connections at once, 4 an account at most",
               result.most("mailtwin", "left", "most"), 4 * count)
    loop = result.median("mbsync in a loop", "seconds")
    if loop:
        result.aim("times as fast as the loop", table.ratio(
            loop, result.median("mailtwin", "seconds")), 10, "x", True)


def sink_row(bench):
    """a server that takes 1 MB a second"""
    one, two = servers(bench)
    messages, tree = pull_corpus(bench)
    left = Imap(one, has(bench, one, "pull", tree))
    slow = bench.here.relay("near", two, rate=RATE)
    result = table.Table("From server to server, %d messages, which takes them "
                         "at its speed or at 1 MB a second" % messages,
                         base="at its speed")
    table.in_turn(1, result, [
        bench.anew("at its speed", programs.Mailtwin,
                   lambda: (left, new_user(bench, two))),
        bench.anew("at 1 MB a second", programs.Mailtwin,
                   lambda: (left, new_user(bench, two, slow)))])
    expect(result, "at 1 MB a second", copied=messages)
    result.aim("peak memory with the slow one",
               result.most("at 1 MB a second", "memory"),
               result.most("at its speed", "memory") + 4 * MIB, "MiB")
    yield result


ROWS = {
    "1": idle_row, "2": idle_status_row, "3": wide_row, "4": plain_row,
    "5": pull_row, "6": push_row, "7": servers_row, "8": mixed_row,
    "9": moves_row, "10": million_row, "11": accounts_row, "12": sink_row,
}
