"""Damage on the own disk: Maildirs, states, configurations, command lines."""
import os
import random
import shutil
import socket
import stat
import struct

from hostile_case import Case
from hostile_server import call


def _file(world, name, text=b"Subject: odd\n\nodd\n", folder="INBOX", part="cur"):
    path = os.path.join(os.fsencode(world.path("disk", folder, part)),
                        os.fsencode(name))
    with open(path, "wb") as file:
        file.write(text)
    return path


def _replace(path, make):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)
    make(path)


def _fifo(path):
    os.mkfifo(path)


def _socket(path):
    here = os.getcwd()
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
    except OSError:  # a path that is too long for one
        os.mkfifo(path)
    os.chdir(here)
    sock.close()


def _link(target):
    return lambda path: os.symlink(target, path)


def _empty(path):
    open(path, "wb").close()


# --- Maildirs ------------------------------------------------------------------------

KINDS = [
    ("symlink-passwd", "symlinks (to /etc/passwd, loops, to outside)",
     _link("/etc/passwd")),
    ("symlink-loop", "symlinks (to /etc/passwd, loops, to outside)",
     _link("loop:2,")),
    ("symlink-out", "symlinks (to /etc/passwd, loops, to outside)",
     _link("../../../canary")),
    ("symlink-nowhere", "symlinks (to /etc/passwd, loops, to outside)",
     _link("nowhere")),
    ("fifo", "FIFOs, devices, sockets", _fifo),
    ("socket", "FIFOs, devices, sockets", _socket),
    ("device", "FIFOs, devices, sockets",
     lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))),
    ("directory", "directories named as messages", os.mkdir),
]
NAMES = ["plain", "a:2,", "a:2,S:2,F", "a:2,SSS", "a:2,ZYX", "a:2,sfr", "a:1,x",
         "a!2,S", "a:2,S,extra", ":2,S", ":", "a b\tc:2,", "caf\u00e9:2,",
         "a\nb:2,S", "a\x1b[31m:2,", b"\xff\xfe:2,", "n" * 255, "m" * 250 + ":2,S",
         "a,U=1:2,", "a,U=7,U=8:2,", "a,U=99999999999999999999:2,",
         "a,S=1,W=2:2,S", "a,S=-1:2,", ".hidden", "..x", "-rf", "*", "%s%n",
         "a:2,\u202eS", "dovecot-uidlist", "a~", "#a#", "a.lock"]


def _maildir():
    name = "maildir/"
    for label, of, make in KINDS:
        skip = "only root makes devices" \
            if label == "device" and os.geteuid() != 0 else ""
        for part in ("cur", "new", "tmp"):
            yield Case(name + "%s-%s" % (label, part), of, prepare=lambda world,
                       _store, make=make, part=part: _replace(world.path(
                           "disk", "INBOX", part, "loop:2,"), make),
                       codes=(0, 1), skip=skip)
        for part in ("cur", "new", "tmp", ""):
            yield Case(name + "%s-for-%s" % (label, part or "folder"),
                       "missing cur/new/tmp, files in place of directories",
                       prepare=lambda world, _store, make=make, part=part:
                       _replace(world.path("disk", "Work", part).rstrip("/"),
                                make), codes=(0, 1, 3), recovers=False,
                       skip=skip,
                       spoils=("w1", "w2", "w3"), lies=True,
                       # The user's own: an empty directory, no folder.
                       deletes={("Work", i) for i in (1, 2, 3)}
                       if label == "directory" else set())
    for part in ("cur", "new", "tmp"):
        for mail in ("cur", "new"):
            yield Case(name + "missing-%s%s" % (part, "-mail-in-cur"
                                                if mail == "cur" else ""),
                       "missing cur/new/tmp, files in place of directories",
                       prepare=lambda world, _store, part=part, mail=mail:
                       _lose(world, part, mail),
                       codes=(0,) if part == "tmp" else (1,),
                       says=() if part == "tmp" else
                       (rb"Work.*create %s" % part.encode(),),
                       spoils=[("local", w) for w in ("w1", "w2", "w3")]
                       if part == mail else (), recovers=part == "tmp")
    for label, make in (("file", _empty), ("fifo", _fifo)):
        yield Case(name + "root-is-" + label, "missing cur/new/tmp, files in place "
                   "of directories", prepare=lambda world, _store, make=make:
                   _replace(world.path("disk"), make), codes=(3, 7),
                   recovers=False, spoils=[("local", name) for name in ALL])
    yield Case(name + "root-gone", "unmounted mount point (root marker)",
               prepare=lambda world, _store: shutil.rmtree(world.path("disk")),
               codes=(3,), recovers=False, spoils=[("local", n) for n in ALL])
    yield Case(name + "root-empty", "unmounted mount point (root marker)",
               prepare=lambda world, _store: _replace(world.path("disk"),
                                                      os.mkdir),
               codes=(3,), recovers=False, spoils=[("local", n) for n in ALL])
    yield Case(name + "marker-foreign", "unmounted mount point (root marker)",
               prepare=lambda world, _store: _write(world.path(
                   "disk", ".mailtwin"), b"0" * 32 + b"\n"), codes=(3,),
               recovers=False)
    yield Case(name + "marker-link", "unmounted mount point (root marker)",
               prepare=lambda world, _store: _replace(
                   world.path("disk", ".mailtwin"), _link("/etc/passwd")),
               codes=(3,), recovers=False)
    for i, odd in enumerate(NAMES):
        for part in ("cur", "new"):
            yield Case(name + "name-%d-%s" % (i, part), "names without \":2,\", two "
                       "\":2,\", unknown or unsorted or repeated flags, \"!2,\", "
                       "non-UTF-8, newline, 255 bytes", prepare=lambda world,
                       _store, odd=odd, part=part: _file(world, odd, part=part),
                       # A name that begins with a dot is no message.
                       lies=odd.__class__ is str and odd.startswith("."),
                       recovers=str(odd)[0] != ".",
                       codes=(0, 1), slow=i % 3 != 0 or part == "new")
    yield Case(name + "same-name", "same base name in new and cur or with 2 flag "
               "sets", prepare=lambda world, _store: [
                   _file(world, "twin:2,S", b"Subject: 1\n\n1\n"),
                   _file(world, "twin:2,F", b"Subject: 2\n\n2\n"),
                   _file(world, "twin", b"Subject: 3\n\n3\n", part="new")] and None,
               codes=(0,), check=_twins(b"1", b"2", b"3"))
    yield Case(name + "same-name-known", "same base name in new and cur or with 2 "
               "flag sets", prepare=lambda world, _store: _copy_name(world),
               codes=(0,), check=_twins(b"1"))
    yield Case(name + "same-uid", "duplicate U= values", prepare=lambda world,
               _store: [_file(world, "d%d,U=7:2," % i, b"Subject: %d\n\n" % i)
                        for i in range(5)] and None, codes=(0, 1))
    yield Case(name + "hard-links", "hard links", prepare=lambda world, _store:
               os.link(_file(world, "one:2,"), world.path(
                   "disk", "INBOX", "cur", "two:2,")), codes=(0, 1))
    yield Case(name + "hard-link-out", "hard links", prepare=lambda world, _store:
               os.link(world.path("canary"), world.path(
                   "disk", "INBOX", "cur", "three:2,")), codes=(0, 1),
               may_escape=True, check=_canary)
    yield Case(name + "zero-bytes", "0-byte files", prepare=lambda world, _store:
               _file(world, "zero:2,", b"") and None, codes=(0, 1),
               honest_codes=(0, 1))
    yield Case(name + "stale-tmp", "stale tmp files (> 36 h and fresh)",
               prepare=_tmp_files, codes=(0, 1), check=_tmp_left)
    yield Case(name + "future", "mtime in the future", prepare=lambda world,
               _store: os.utime(_file(world, "late:2,"), (1 << 33, 1 << 33)),
               codes=(0, 1))
    yield Case(name + "past", "mtime in the future", prepare=lambda world, _store:
               os.utime(_file(world, "early:2,"), (-(1 << 31), -(1 << 31))),
               codes=(0, 1))
    yield Case(name + "future-directory", "mtime in the future",
               prepare=lambda world, _store: os.utime(
                   world.path("disk", "INBOX", "cur"), (1 << 33, 1 << 33)),
               codes=(0, 1), honest_codes=(0, 1), limit=60)
    yield Case(name + "vanishing", "file vanishing between scan and open", call(
        "APPEND|STORE|FETCH|SELECT", lambda session: _vanish(session)),
        prepare=_many_new, codes=(0, 1, 3), honest_codes=(0, 1, 3), lies=True)
    yield Case(name + "growing", "file growing while read", call(
        "APPEND|STORE|FETCH|SELECT", lambda session: _grow(session)),
        prepare=_many_new, codes=(0, 1), lies=True, recovers=False)
    yield Case(name + "root-swapped", "directory replaced by a symlink between "
               "calls", call("LIST|SELECT|FETCH|BODY|STORE", _swap("")),
               prepare=_remember, codes=None, may_escape=True,
                   check=_nothing_elsewhere,
               recovers=False, lies=True,
               spoils=[("local", n) for n in ALL + ["m8"]])
    for part in ("INBOX", "INBOX/cur", "INBOX/new", "INBOX/tmp"):
        yield Case(name + "swapped-" + part.replace("/", "-"), "directory replaced"
                   " by a symlink between calls", call(
                       "SELECT|FETCH|BODY|STORE|APPEND", _swap(part)),
                   prepare=_remember, codes=None, may_escape=True,
                   check=_nothing_elsewhere,
                   recovers=False, lies=True,
                   spoils=[("local", n) for n in ALL + ["m8"]])
        yield Case("confined/swapped-" + part.replace("/", "-"), "directory "
                   "replaced by a symlink between calls", call(
                       "SELECT|FETCH|BODY|STORE|APPEND", _swap(part)),
                   prepare=_remember, codes=None, may_escape=True,
                   check=_nothing_elsewhere,
                   recovers=False, lies=True, world="new",
                   spoils=[("local", n) for n in ALL + ["m8"]])
    yield Case("confined/root-swapped", "directory replaced by a symlink between "
               "calls", call("LIST|SELECT|FETCH|BODY|STORE", _swap("")),
               prepare=_remember, codes=None, may_escape=True,
                   check=_nothing_elsewhere,
               recovers=False, lies=True, world="new",
               spoils=[("local", n) for n in ALL + ["m8"]])
    yield Case(name + "unreadable", "unreadable (000) or immutable files",
               prepare=lambda world, _store: os.chmod(
                   _file(world, "secret:2,"), 0), codes=(1,), recovers=False,
               may_escape=True, denied=True,
               skip="" if os.geteuid() != 0 else "root may read everything")
    yield Case(name + "many", "1 million files", prepare=lambda world, _store: [
        _file(world, "many%d:2,S" % i, b"Subject: %d\n\n%d\n" % (i, i))
        for i in range(20000)] and None, codes=(0, 1), slow=True, limit=600,
        arguments=["sync"])


ALL = ["m%d" % i for i in range(1, 9)] + ["w1", "w2", "w3"]


def _write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def _lose(world, part, mail):
    """Of a folder with all its mail in one directory, one is lost."""
    new = world.path("disk", "Work", "new")
    for name in os.listdir(new) if mail == "cur" else ():
        os.rename(os.path.join(new, name),
                  world.path("disk", "Work", "cur", name + ":2,"))
    shutil.rmtree(world.path("disk", "Work", part))


def _copy_name(world):
    """Another message under the name that one on record has."""
    new = world.path("disk", "INBOX", "new")
    for name in os.listdir(new):
        with open(os.path.join(new, name), "rb") as file:
            if b"Subject: m1\n" in file.read():
                _file(world, name + ":2,F", b"Subject: 1\n\n1\n")
                return
    raise RuntimeError("m1 is not in new")


def _twins(*texts):
    """Each of these messages is once on both sides."""
    def check(world, store, _result):
        names = [os.path.join(place, file) for place, _, files in os.walk(
            world.path("disk", "INBOX")) for file in files]
        for text in texts:
            body = b"Subject: %s\n\n%s\n" % (text, text)
            here = sum(1 for path in names if open(path, "rb").read() == body)
            there = sum(1 for row in store.boxes["INBOX"].rows
                        if row.message.body.replace(b"\r\n", b"\n") == body)
            if (here, there) != (1, 1):
                yield "%d of %r here, %d there" % (here, text, there)
    return check


def _canary(world, _store, _result):
    with open(world.path("canary"), encoding="ascii") as file:
        if file.read() != "stays":
            yield "the other name of a file was written to"


def _tmp_files(world, _store):
    for label, age in (("old", 200000), ("fresh", 10)):
        path = _file(world, label, part="tmp")
        now = os.stat(path).st_mtime
        os.utime(path, (now - age, now - age))


def _tmp_left(world, _store, _result):
    if not os.path.exists(world.path("disk", "INBOX", "tmp", "fresh")):
        yield "another program's fresh file in tmp is gone"


def _many_new(world, store):
    store.here = world
    for i in range(40):
        _file(world, "churn%d" % i, b"Subject: churn %d\n\n%s\n" % (
            i, b"x" * 500), part="new")


def _churning(session):
    world = session.store.here
    for part in ("cur", "new"):
        place = world.path("disk", "INBOX", part)
        for name in sorted(os.listdir(place)):
            if name.startswith("churn"):
                yield os.path.join(place, name)


def _vanish(session):
    for path in list(_churning(session))[:3]:
        try:
            os.remove(path)
        except OSError:
            pass


def _grow(session):
    for path in list(_churning(session))[:3]:
        try:
            with open(path, "ab") as file:
                file.write(b"more\n" * 1000)
        except OSError:
            pass


def _remember(world, store):
    store.here = world
    shutil.rmtree(world.path("elsewhere"), ignore_errors=True)


def _swap(part):
    def swap(session):
        world = session.store.here
        path = world.path("disk", part).rstrip("/")
        if os.path.isdir(path) and not os.path.islink(path) and \
                not os.path.exists(world.path("elsewhere")):
            os.makedirs(world.path("elsewhere"))
            for name in ("cur", "new", "tmp"):
                os.mkdir(world.path("elsewhere", name))
            _hide(world)
            os.rename(path, world.path("state", "aside"))
            os.symlink(world.path("elsewhere"), path)
    return swap


def _hide(world):
    shutil.rmtree(world.path("state", "aside"), ignore_errors=True)


def _nothing_elsewhere(world, _store, _result):
    found = [os.path.join(place, name)
             for place, _dirs, files in os.walk(world.path("elsewhere"))
             for name in files]
    shutil.rmtree(world.path("elsewhere"), ignore_errors=True)
    if found:
        yield "written to where a link leads: %s" % found[:3]


# --- the state -------------------------------------------------------------------------

def _state(world):
    return world.path("state", "main", "data.mdb")


def _change(change):
    def prepare(world, _store):
        with open(_state(world), "rb") as file:
            data = bytearray(file.read())
        data = change(data)
        _write(_state(world), bytes(data))
    return prepare


def _flip(seed):
    def change(data):
        dice = random.Random(seed)
        for _ in range(1 + seed % 40):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        return data
    return change


def _page(number, filling):
    def change(data):
        at = number * 4096
        if at < len(data):
            data[at:at + 4096] = filling * 4096
        return data
    return change


# A state that was lost may bring back what was deleted (who-wins, row 14), and
# an own deletion is not known any more.
LOST = {"codes": (0, 1, 3), "spoils": ("m3", "m5"), "lies": False,
        "honest_codes": (0,)}


def _states():
    name = "state/"
    yield Case(name + "0-bytes", "0 bytes", prepare=_change(lambda d: b""), **LOST)
    for pages in (1, 2, 3, 5, 8):
        yield Case(name + "cut-%d" % pages, "truncated at every 4 KB",
                   prepare=_change(lambda d, n=pages: d[:n * 4096]), **LOST)
    for size in (1, 100, 4095, 4097, 10000):
        yield Case(name + "cut-at-%d" % size, "truncated at every 4 KB",
                   prepare=_change(lambda d, n=size: d[:n]), **LOST)
    for number in range(12):
        for label, filling in (("zero", b"\0"), ("ones", b"\xff")):
            yield Case(name + "page-%d-%s" % (number, label), "each page "
                       "overwritten", prepare=_change(_page(number, filling)),
                       slow=number > 7 and label == "ones", **LOST)
    for seed in range(60):
        yield Case(name + "flips-%d" % seed, "random flips",
                   prepare=_change(_flip(seed)), slow=seed >= 8, **LOST)
    yield Case(name + "doubled", "random flips", prepare=_change(
        lambda d: d + d), **LOST)
    yield Case(name + "other-endian", "wrong version/endianness", prepare=_change(
        lambda d: b"".join(struct.pack(">I", *struct.unpack("<I", d[i:i + 4]))
                           for i in range(0, len(d) - 3, 4))), **LOST)
    yield Case(name + "text", "wrong version/endianness", prepare=_change(
        lambda d: bytearray(b"not a database\n" * 1000)), **LOST)
    yield Case(name + "sparse", "map full", prepare=_sparse, **LOST)
    yield Case(name + "missing", "other account's file", prepare=lambda world,
               _store: shutil.rmtree(world.path("state")), **LOST)
    yield Case(name + "missing-root-too", "other account's file",
               prepare=lambda world, _store: (
                   shutil.rmtree(world.path("state")),
                   shutil.rmtree(world.path("disk"))) and None,
               codes=(0,), recovers=False, lies=False,
               spoils=[("local", n) for n in ALL])
    yield Case(name + "foreign", "other account's file", prepare=_rewrite(
        lambda text: text.replace(b"user = ann", b"user = bob")),
        **dict(LOST, recovers=False))
    yield Case(name + "older", "older snapshot", prepare=_older, codes=(0, 1, 3))
    for label, make in (("directory", os.mkdir), ("fifo", _fifo),
                        ("symlink", _link("../../canary")),
                        ("symlink-passwd", _link("/etc/passwd"))):
        yield Case(name + "is-" + label, "reserved state file names",
                   prepare=lambda world, _store, make=make:
                   _replace(_state(world), make), codes=(0, 1, 3, 7),
                   recovers=False, check=_canary,
                   spoils=("m3", "m5"), lies=True)
    for lock in ("lock", "lock.mdb"):
        for label, make in (("garbage", lambda p: _write(p, b"\xff" * 9000)),
                            ("empty", _empty), ("fifo", _fifo),
                            ("directory", os.mkdir),
                            ("symlink", _link("inner"))):
            yield Case(name + "%s-is-%s" % (lock, label), "stale lock",
                       prepare=lambda world, _store, lock=lock, make=make:
                       _replace(world.path("state", "main", lock), make),
                       codes=(0, 1, 3, 7), recovers=False, check=_canary,
                       lies=True)


def _sparse(world, _store):
    os.truncate(_state(world), 1 << 34)


def _older(world, store):
    """The state of before a message came, went and was known."""
    box = store.boxes["INBOX"]
    row = box.find(7)
    store.set_flags(box, row, set())


# --- configuration and command line -------------------------------------------------------

LINES = [
    ("unknown-key", "unknown key", ["colour = red"], []),
    ("missing-value", "missing value", ["host ="], []),
    ("empty-user", "missing value", ["user ="], []),
    ("twice", "duplicate section", [], ["[pair main]", "left = far",
                                         "right = disk"]),
    ("self", "same store twice", [], ["right = far"]),
    ("quote", "quotes", ['user = "open'], []),
    ("nul-host", "host with NUL or newline", ["host = 127.0.0.1\0evil"], []),
    ("cr-host", "host with NUL or newline", ["host = a\rb"], []),
    ("blank-host", "host with NUL or newline", ["host = a b"], []),
    ("port-0", "port 0/65536", ["port = 0"], []),
    ("port-65536", "port 0/65536", ["port = 65536"], []),
    ("port-minus", "port 0/65536", ["port = -1"], []),
    ("port-huge", "port 0/65536", ["port = 18446744073709551617"], []),
    ("long-line", "1 MB line", ["user = " + "u" * (1 << 20)], []),
    ("long-key", "1 MB line", ["k" * (1 << 16) + " = 1"], []),
    ("many-keys", "1 MB line", ["x%d = 1" % i for i in range(5000)], []),
    ("esc", "NUL in the configuration", ["\x1b[31mkey = 1"], []),
    ("nul", "NUL in the configuration", ["user = a\0b"], []),
    ("include", "include loops", ["include = conf"], []),
    ("open-section", "duplicate section", ["[account"], []),
    ("folders-quote", "quotes", [], ['folders = "open']),
    ("max-delete", "missing value", [], ["max_delete = 101%%"]),
]
SECRETS = [
    ("fails", "password command that fails, hangs, prints 10 MB, non-UTF-8 or "
     "trailing newline", "exit 3", (5,)),
    ("missing", "password command that fails, hangs, prints 10 MB, non-UTF-8 or "
     "trailing newline", "/nowhere/at/all", (5,)),
    ("prints-much", "password command that fails, hangs, prints 10 MB, non-UTF-8 "
     "or trailing newline", "head -c 10000000 /dev/zero | tr '\\\\0' x", (5,)),
    ("prints-nothing", "password command that fails, hangs, prints 10 MB, "
     "non-UTF-8 or trailing newline", "true", (5,)),
    ("non-utf8", "password command that fails, hangs, prints 10 MB, non-UTF-8 or "
     "trailing newline", "printf '\\\\377\\\\376\\\\n'", (5,)),
    ("nul", "password command that fails, hangs, prints 10 MB, non-UTF-8 or "
     "trailing newline", "printf 'a\\\\000b'", (5,)),
    ("crlf", "user/password with quote, backslash, CR LF", "printf 'a\\\\rb'", (5,)),
    ("quotes", "user/password with quote, backslash, CR LF",
     "printf 'a\"b\\\\\\\\c{5}'", (5,)),
    ("killed", "password command that fails, hangs, prints 10 MB, non-UTF-8 or "
     "trailing newline", "kill -9 $$", (5,)),
    ("shouts", "password command that fails, hangs, prints 10 MB, non-UTF-8 or "
     "trailing newline", "yes x | head -c 200000 >&2; exit 1", (5,)),
]


def _config():
    name = "config/"
    for label, of, lines, pair_lines in LINES:
        yield Case(name + label, of, lines=lines, pair_lines=pair_lines,
                   codes=(0, 2) if label == "quote" else (2,),
                   recovers=False, says=(rb"mailtwin: ",)
                   if label != "quote" else ())
    for label, of, command, codes in SECRETS:
        yield Case(name + "command-" + label, of, recovers=False, codes=codes,
                   prepare=lambda world, _store, command=command:
                   _set_secret(world, "password_command = " + command.replace(
                       "\\\\", "\\")))
    yield Case(name + "command-hangs", SECRETS[0][1], slow=True, limit=90,
               codes=(5,), recovers=False, prepare=lambda world, _store:
               _set_secret(world, "password_command = sleep 600"))
    for label, user in (("quote", 'a"b'), ("backslash", "a\\b"),
                        ("8-bit", "m\u00fcller"), ("brace", "{5}"),
                        ("blank", "a b"), ("paren", "a(b)%*"),
                        ("long", "u" * 4000)):
        yield Case(name + "user-" + label, "user/password with quote, backslash, "
                   "CR LF", lines=["user = " + user], honest_lines=[
                       "user = " + user], codes=(0, 4, 5), recovers=False,
                   lies=True, world="new")
    yield Case(name + "crlf", "CRLF, BOM", codes=(0,), prepare=_rewrite(
        lambda text: text.replace(b"\n", b"\r\n")))
    yield Case(name + "bom", "CRLF, BOM", codes=(0,), prepare=_rewrite(
        lambda text: b"\xef\xbb\xbf" + text))
    yield Case(name + "utf16", "CRLF, BOM", codes=(2,), recovers=False,
               prepare=_rewrite(lambda text: text.decode().encode("utf-16")))
    yield Case(name + "binary", "NUL in the configuration", codes=(2,),
               recovers=False, prepare=_rewrite(lambda text: bytes(range(256))
                                                * 100))
    yield Case(name + "empty", "missing value", codes=(2,), recovers=False,
               prepare=_rewrite(lambda text: b""))
    yield Case(name + "large", "1 MB line", codes=(2,), recovers=False,
               prepare=_rewrite(lambda text: text + b"# x\n" * (1 << 19)))
    yield Case(name + "readable", "world-readable secrets (warn)", codes=(0,),
               prepare=lambda world, _store: os.chmod(world.path("conf"), 0o644),
               says=(rb"others may read|chmod 600",))
    yield Case(name + "symlink", "symlink", codes=(0,), may_escape=True,
               prepare=_linked_config, check=_unlink_config)
    yield Case(name + "directory", "symlink", codes=(2,), recovers=False,
               arguments=["-c", "/tmp", "sync"])
    yield Case(name + "dev-zero", "symlink", codes=(2,), recovers=False,
               arguments=["-c", "/dev/zero", "sync"])
    yield Case(name + "near-inside-far", "near inside far", recovers=False,
               prepare=_nested, codes=(0, 1, 2, 3, 7), lies=True)
    for label, shell in (
            ("no-stdin", "exec <&-; exec \"$@\""),
            ("no-stdout", "exec >&-; exec \"$@\""),
            ("no-stderr", "exec 2>&-; exec \"$@\""),
            ("no-streams", "exec <&- >&- 2>&-; exec \"$@\""),
            ("pipe", "(exec \"$@\") | true"),
            ("no-home", "unset HOME; exec \"$@\""),
            ("relative-home", "HOME=x; exec \"$@\""),
            ("umask-0", "umask 0; exec \"$@\""),
            ("umask-777", "umask 777; exec \"$@\""),
            ("few-files", "ulimit -n 12; exec \"$@\""),
            ("file-size", "ulimit -f 1; exec \"$@\""),
            ("no-path", "PATH=; exec \"$@\"")):
        yield Case(name + label, {
            "no-home": "no HOME", "relative-home": "no HOME",
            "umask-0": "umask 000", "umask-777": "umask 000", "pipe": "SIGPIPE",
            }.get(label, "closed stdin/stdout/stderr"),
            prefix=("/bin/sh", "-c", shell, "sh"), codes=(0, 1, 4, 7),
            lies=label in ("pipe", "few-files"),
            check=_private if label == "umask-0" else None)
    for label, arguments in (
            ("no-command", []), ("unknown", ["frobnicate"]),
            ("esc", ["\x1b[31m"]), ("long", ["x" * 100000]),
            ("pair", ["sync", "../../x"]), ("pair-esc", ["sync", "\x1b[2J"]),
            ("option", ["sync", "--\x1b[2J"]), ("wait", ["sync", "--wait", "-1"]),
            ("wait-huge", ["sync", "--wait", "99999999999999999999"]),
            ("account", ["probe", "..\n"]), ("bytes", ["sync", b"\xff\xfe"])):
        yield Case(name + "line-" + label, "unknown key", arguments=arguments,
                   codes=(2,), recovers=False)


def _set_secret(world, line):
    _rewrite(lambda text: b"".join(
        line.encode() + b"\n" if part.startswith(b"password = ") else part
        for part in text.splitlines(True)))(world, None)


def _rewrite(change):
    def prepare(world, _store):
        with open(world.path("conf"), "rb") as file:
            text = file.read()
        _write(world.path("conf"), change(text))
    return prepare


def _linked_config(world, _store):
    os.rename(world.path("conf"), world.path("real-conf"))
    os.symlink("real-conf", world.path("conf"))


def _unlink_config(world, _store, _result):
    os.remove(world.path("conf"))
    os.remove(world.path("real-conf"))
    return ()


def _nested(world, _store):
    _rewrite(lambda text: text.replace(
        world.path("disk").encode(), world.path("disk", "INBOX").encode()))(
            world, None)


def _private(world, _store, _result):
    for top in ("disk", "state"):
        for place, _dirs, files in os.walk(world.path(top)):
            for name in files:
                path = os.path.join(place, name)
                if os.lstat(path).st_mode & 0o077 and "here" not in name:
                    yield "others may read %s" % path


def cases():
    for part in (_maildir, _states, _config):
        yield from part()
