"""Where a case of hostile_cases.py happens: two sides that were in step, then
changed a little on both; a run of mailtwin against the server's tricks; a look
at what came of it; and honest runs, after which all must be well.

A World has one port and one directory, and cases one after the other.
"""
import collections
import hashlib
import os
import re
import shutil
import subprocess
import time

from hostile_server import PASSWORD, Slot, TIERS, options_of
from provider_store import Store

CANARY = b"BODYCANARY-93ab"
LIMIT_SECONDS = 30
UIDVALIDITY_MARK = 1000
OUTSIDE = {"canary": "stays", "home/.netrc": "stays", "disk-not/cur/x": "stays",
           "state-not/main/data.mdb": "stays", "cur/x": "stays"}


def body_of(name, size=0):
    return (b"From: a@example.org\r\nSubject: %s\r\nMessage-ID: <%s@example.org>"
            b"\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n%s %s\r\n%s"
            % (name.encode(), name.encode(), CANARY, name.encode(),
               b"x" * 76 * (size > 0) + b"\r\n" if size else b""))


def digest(body):
    return hashlib.sha256(body.replace(b"\r\n", b"\n")).hexdigest()[:16]


SEEDED = [("INBOX", "m%d" % i) for i in range(1, 7)] + \
         [("Work", "w%d" % i) for i in range(1, 4)]
# What happens between the runs, and who may be gone for it.
REMOTE_NEW, LOCAL_NEW = "m7", "m8"
REMOTE_GONE, LOCAL_GONE = "m3", "m5"


class Honest:
    name, tricks, tls = "honest", (), "none"


class Result:
    """What a case ended with."""

    def __init__(self):
        self.problems = []
        self.crashes = self.hangs = self.escapes = 0
        self.lost = self.doubled = self.unjustified = self.leaks = 0
        self.code, self.seconds, self.kilobytes = 0, 0.0, 0
        self.err, self.out = b"", b""

    def problem(self, counter, text):
        if counter:
            setattr(self, counter, getattr(self, counter) + 1)
        self.problems.append(text)


class World:
    def __init__(self, top, mailtwin, certificates):
        self.top, self.mailtwin = top, mailtwin
        os.makedirs(top)
        self.certificates = certificates
        self.slot = Slot(certificates)
        self.templates = {}

    def path(self, *names):
        return os.path.join(self.top, *names)

    # --- the worlds ---------------------------------------------------------------

    def new_store(self, tier, names):
        store = Store(dict(options_of(tier), folders=[("INBOX", ""),
                                                      ("Work", "")]))
        for folder, name in names:
            store.append(store.boxes[folder], body_of(name), set(), 1770026400)
        return store

    def configure(self, case):
        lines = [
            "[account far]", "type = imap",
            "port = %d" % self.slot.port, "password = " + PASSWORD]
        if not any(line.startswith("user ") for line in case.lines):
            lines.append("user = ann")
        if "host" not in " ".join(case.lines):
            lines.append("host = 127.0.0.1")
        if case.tls == "none":
            lines += ["tls = none", "allow_plaintext = yes"]
        else:
            lines += ["tls = " + case.tls]
            if not any("tls_" in line for line in case.lines):
                lines += ["tls_ca_file = " + self.certificates["ca"]]
        lines += case.lines
        lines += ["[account disk]", "type = maildir",
                  "path = " + self.path("disk"), "layout = " + case.layout,
                  "[pair main]", "left = far", "right = disk"]
        lines += case.pair_lines
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(self.path("conf"), 0o600)

    def clean(self):
        for name in ("disk", "state"):
            subprocess.run(["rm", "-rf", self.path(name)], check=True)

    def lay_out(self):
        """What must not be touched."""
        for name, text in OUTSIDE.items():
            path = self.path(name)
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="ascii") as file:
                    file.write(text)

    def outside(self):
        found = {}
        for place, dirs, files in os.walk(self.top):
            if place == self.top:
                dirs[:] = [d for d in dirs
                           if d not in ("disk", "state", "templates")]
            for name in dirs + files:
                path = os.path.join(place, name)
                about = os.lstat(path)
                found[path] = (about.st_ino, about.st_size, about.st_mode,
                               about.st_mtime_ns)
        return found

    def template(self, case):
        """Both sides in step, in the directory of a first honest run."""
        key = (case.tier, case.layout)
        if key not in self.templates:
            self.clean()
            store = self.new_store(case.tier, SEEDED)
            plain = Honest()
            plain.lines, plain.layout, plain.pair_lines = [], case.layout, []
            self.configure(plain)
            self.slot.begin(plain, store, options_of(case.tier))
            first = self.run(["sync"])
            if first.code != 0:
                raise SystemExit("the honest run failed: %r" % first.err)
            self.slot.end()
            place = self.path("templates", "-".join(key))
            os.makedirs(place)
            for name in ("disk", "state"):
                subprocess.run(["cp", "-a", self.path(name), place], check=True)
            self.templates[key] = place
        return self.templates[key]

    def start(self, case):
        """The world in which a case begins."""
        self.lay_out()
        if case.world == "new":
            self.clean()
            return self.new_store(case.tier, SEEDED)
        place = self.template(case)
        self.clean()
        for name in ("disk", "state"):
            subprocess.run(["cp", "-a", os.path.join(place, name), self.top],
                           check=True)
        store = self.new_store(case.tier, SEEDED)
        box = store.boxes["INBOX"]
        store.append(box, body_of(REMOTE_NEW), {"\\Flagged"}, 1770026500)
        store.set_flags(box, box.find(1), {"\\Seen"})
        store.remove(box, box.find(3))
        self.change_local(case)
        return store

    def inbox(self, layout):
        return self.path("disk") if layout == "maildir++" else \
            self.path("disk", "INBOX")

    def change_local(self, case):
        inbox = self.inbox(case.layout)
        for name in ("cur", "new"):
            for file in os.listdir(os.path.join(inbox, name)):
                path = os.path.join(inbox, name, file)
                with open(path, "rb") as stream:
                    text = stream.read()
                if b"Subject: %s\n" % LOCAL_GONE.encode() in text:
                    os.remove(path)
                elif b"Subject: m4\n" in text:
                    os.rename(path, os.path.join(
                        inbox, "cur", file.split(":")[0] + ":2,S"))
        with open(os.path.join(inbox, "new", "1770026600.M1P1.here"), "wb") as f:
            f.write(body_of(LOCAL_NEW).replace(b"\r\n", b"\n"))

    # --- runs --------------------------------------------------------------------------

    def run(self, arguments, limit=LIMIT_SECONDS, prefix=(), more=None):
        result = Result()
        env = dict(os.environ, HOME=self.path("home"), TERM="xterm",
                   MAILTWIN_TEST_WAIT_MS="5", TMPDIR=self.path("home"),
                   **(more or {}))
        with open(self.path("out"), "wb") as out, \
                open(self.path("err"), "wb") as err:
            began = time.monotonic()
            process = subprocess.Popen(
                list(prefix) + [self.mailtwin, "-c", self.path("conf"),
                                "--state-dir", self.path("state")] + arguments,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                cwd=self.top)
            self.wait(process, began + limit, result)
        result.seconds = time.monotonic() - began
        for name in ("out", "err"):
            with open(self.path(name), "rb") as file:
                setattr(result, name, file.read())
            os.remove(self.path(name))
        if result.hangs == 0 and (result.code < 0 or result.code in (98, 99)
                                  or result.code > 130):
            result.problem("crashes", "it crashed: %d" % result.code)
        return result

    @staticmethod
    def wait(process, until, result):
        nap = 0.002
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                break
            if time.monotonic() > until and not result.hangs:
                result.problem("hangs", "it hung")
                process.kill()
            time.sleep(nap)
            nap = min(nap * 1.3, 0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        result.code = process.returncode
        result.kilobytes = usage.ru_maxrss

    # --- what there is ------------------------------------------------------------------

    def local(self, layout):
        """folder -> Counter of digests; of folders that the store has too."""
        found = {}
        for folder in ("INBOX", "Work"):
            if layout == "maildir++":
                place = self.path("disk", "" if folder == "INBOX"
                                  else "." + folder)
            else:
                place = self.path("disk", folder)
            names = collections.Counter()
            for part in ("cur", "new"):
                directory = os.path.join(place, part)
                if not os.path.isdir(directory):
                    continue
                for name in os.listdir(directory):
                    path = os.path.join(directory, name)
                    if os.path.isfile(path) and not os.path.islink(path) \
                            and os.access(path, os.R_OK):
                        with open(path, "rb") as stream:
                            names[digest(stream.read())] += 1
            found[folder] = names
        return found

    @staticmethod
    def remote(store):
        return {name: collections.Counter(digest(row.message.body)
                                          for row in box.rows)
                for name, box in store.boxes.items()
                if name in ("INBOX", "Work")}


def must_stay(case):
    """(side, folder, name) that nobody deleted."""
    both = ("local", "remote")
    stay = [(side, folder, name) for side in both for folder, name in SEEDED]
    if case.world == "new":
        return [row for row in stay if row[0] == "remote"]
    gone = [(side, name) for side in both
            for name in (REMOTE_GONE, LOCAL_GONE)]
    stay = [row for row in stay if (row[0], row[2]) not in gone]
    return stay + [("local", "INBOX", LOCAL_NEW), ("remote", "INBOX",
                                                    REMOTE_NEW)]


def look_at_words(case, result):
    """What it said: harmless, and no secret."""
    import base64
    for name, text in (("standard error", result.err),
                       ("standard output", result.out)):
        if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", text):
            result.problem("escapes", "a control character on " + name)
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            result.problem("escapes", "no UTF-8 on " + name)
        if re.search("[\u0080-\u009f\u202a-\u202e\u2066-\u2069]",
                     text.decode("utf-8", "replace")):
            result.problem("escapes", "a C1 or direction character on " + name)
        for secret in (PASSWORD.encode(), CANARY,
                       base64.b64encode(b"\0ann\0" + PASSWORD.encode())):
            if secret in text:
                result.problem("leaks", "a secret or a message on " + name)
    if b"Permission denied" in result.err and not case.denied:
        result.problem("escapes", "it wanted to leave its bounds")
    if b"Sanitizer" in result.err or b"runtime error" in result.err:
        result.problem("crashes", "a sanitizer spoke")


def try_case(world, case, recover=True):
    store = world.start(case)
    world.configure(case)
    if case.prepare:
        case.prepare(world, store)
    before = world.outside()
    world.slot.begin(case, store, case.options())
    result = world.run(case.arguments, case.limit, case.prefix,
                       case.env)
    complaints = list(world.slot.complaints)
    deleted = set(world.slot.deleted)
    world.slot.end()
    look_at_words(case, result)
    if not case.may_escape and world.outside() != before:
        changed = set(world.outside().items()) ^ set(before.items())
        result.problem("escapes", "touched outside: %s" % sorted(changed)[:4])
    for complaint in complaints:
        counter = "leaks" if "password" in complaint else "unjustified"
        result.problem(counter, complaint)
    if case.kilobytes and result.kilobytes > case.kilobytes:
        result.problem("hangs", "used %d KB of memory" % result.kilobytes)
    if case.codes is not None and result.code not in case.codes \
            and not result.hangs and not result.crashes:
        result.problem(None, "exit %d" % result.code)
    judge(world, case, store, deleted, result)
    for pattern in case.says:
        if not re.search(pattern, result.err + result.out):
            result.problem(None, "it does not say %r" % pattern)
    if case.check:
        for text in case.check(world, store, result) or ():
            result.problem(None, text)
    if recover and case.recovers and not result.hangs:
        recovery(world, case, store, result)
    return result


def judge(world, case, store, deleted, result):
    sides = {"local": world.local(case.layout), "remote": world.remote(store)}
    for side, folder, name in must_stay(case):
        if (side, name) in case.spoils or name in case.spoils:
            continue
        if not sides[side].get(folder, {}).get(digest(body_of(name))):
            result.problem("lost", "%s: %s is gone from %s" % (side, name,
                                                              folder))
    allowed = {("INBOX", 5)} if case.world == "known" else set()
    for folder, uid in deleted - allowed - case.deletes:
        result.problem("unjustified", "deleted %s %d" % (folder, uid))
    if result.code == 0 and not case.lies and sides["local"] != sides["remote"]:
        result.problem(None, "exit 0, and the sides differ")


def recovery(world, case, store, result):
    """Honest from now on: in step after two runs, all there once."""
    honest = Honest()
    honest.lines, honest.layout, honest.pair_lines = [], case.layout, []
    honest.lines = case.honest_lines
    world.configure(honest)
    if case.mend:
        case.mend(world, store)
    for row_box in store.boxes.values():
        for row in row_box.rows:
            row.flags.discard("\\Deleted") if case.undelete else None
    world.slot.begin(honest, store, options_of(case.tier))
    for _ in range(2):
        after = world.run(["sync"])
        if after.code == 0:
            break
    world.slot.end()
    if after.code in case.honest_codes and after.code != 0:
        return
    if after.code != 0:
        result.problem(None, "the honest runs end with %d: %s" % (
            after.code, after.err.decode("utf-8", "replace")[-300:]))
        return
    sides = {"local": world.local(case.layout), "remote": world.remote(store)}
    if sides["local"] != sides["remote"] and not case.spoils:
        result.problem(None, "after honest runs the sides differ")
    for side, folder, name in must_stay(case):
        if (side, name) in case.spoils or name in case.spoils:
            continue
        for where in sides:
            n = sides[where].get(folder, {}).get(digest(body_of(name)), 0)
            if n == 0:
                result.problem("lost", "in the end %s is not in %s, %s"
                               % (name, where, folder))
            elif n > 1 and name not in case.doubles:
                result.problem("doubled", "in the end %s is %d times in %s, %s"
                               % (name, n, where, folder))
