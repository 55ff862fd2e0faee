"""The programs that are measured: how each is configured and run.

Each keeps its own defaults, durable writes among them. A program is made for
one list of pairs of sides (world.Imap, world.Maildir) and keeps its state in a
directory of its own.
"""

import collections
import os
import pwd
import re
import shutil
import subprocess
import sys

import world

Run = collections.namedtuple("Run", "seconds cpu memory left right output")
FAILED = Run(None, None, None, None, None, "")


def measured(here, argv, relays):
    """Run a program to its end: what it cost, and what its two relays saw."""
    cost = os.path.join(here.path, "cost")
    ended = subprocess.run(
        [os.path.join(world.TOOLS, "measure"), cost, *argv], cwd=world.TOP,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    traffic = [relay.totals() if relay else None for relay in relays]
    output = ended.stdout.decode(errors="replace")
    if ended.returncode != 0:
        print("%s ended with %d:\n%s" % (argv[0], ended.returncode,
                                         output[-800:]), file=sys.stderr)
        return FAILED
    with open(cost, encoding="ascii") as file:
        seconds, cpu, kilobytes = file.read().split()
    return Run(float(seconds), float(cpu), int(kilobytes) * 1024, *traffic,
               output)


def version_of(*argv):
    """The first thing in what it says that looks like one."""
    said = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found = re.search(r"[0-9]+(\.[0-9]+)+", said.stdout.decode())
    return found.group() if found else "?"


class Program:
    command = None

    @classmethod
    def is_there(cls):
        return shutil.which(cls.command) is not None

    @classmethod
    def version(cls):
        return "%s %s" % (os.path.basename(cls.command),
                          version_of(cls.command, "--version"))

    def __init__(self, here, *pairs):
        self.here, self.pairs = here, pairs
        self.path = here.fresh(type(self).__name__.lower())
        os.makedirs(self.path)
        self.relays = [side.relay for side in pairs[0]]
        self.conf = os.path.join(self.path, "conf")
        self.state = os.path.join(self.path, "state")
        os.makedirs(self.state, 0o700)
        self.configure(durable=True)

    def configure(self, durable):
        with open(self.conf, "w", encoding="utf-8") as file:
            os.chmod(self.conf, 0o600)
            file.write(self.text(durable))

    def run(self):
        return measured(self.here, self.argv(), self.relays)

    def prepare(self):
        """Bring both sides into step, at once and unmeasured."""
        self.configure(durable=False)
        relays = [relay for relay in self.relays if relay]
        for relay in relays:
            relay.delay(0)
        self.run()
        for relay in relays:
            relay.delay(relay.delay_ms)
        self.configure(durable=True)
        return self


class Mailtwin(Program):
    command = os.environ.get("MAILTWIN") or os.path.join(world.TOP, "mailtwin")

    def text(self, durable):
        parts = []
        for number, (left, right) in enumerate(self.pairs):
            parts += [self.account("left%d" % number, left),
                      self.account("right%d" % number, right),
                      "[pair p{0}]\nleft = left{0}\nright = right{0}\n"
                      "max_delete = off\n".format(number)]
        return "\n".join(parts)

    @staticmethod
    def account(name, side):
        if isinstance(side, world.Maildir):
            return "[account %s]\ntype = maildir\npath = %s\n" % (name,
                                                                  side.path)
        return ("[account %s]\ntype = imap\nhost = localhost\nport = %d\n"
                "user = %s\npassword = secret\n%s%s\n" % (
                    name, side.port, side.user,
                    "compress = yes\n" if side.compress else "",
                    "tls_ca_file = " + side.server.authority if side.tls
                    else "tls = none\nallow_plaintext = yes"))

    def argv(self):
        return [self.command, "--json", "-c", self.conf, "--state-dir",
                self.state, "sync"]


class Mbsync(Program):
    command = "mbsync"

    def text(self, durable):
        parts = ["SyncState %s/" % self.state, "CopyArrivalDate yes",
                 "Create Both", "Expunge Both",
                 "" if durable else "FSync no", ""]
        for number, (left, right) in enumerate(self.pairs):
            parts += [self.store("far%d" % number, left),
                      self.store("near%d" % number, right),
                      "Channel p{0}\nFar :far{0}:\nNear :near{0}:\n"
                      "Patterns *\n".format(number)]
        return "\n".join(parts)

    @staticmethod
    def store(name, side):
        if isinstance(side, world.Maildir):
            os.makedirs(side.path, exist_ok=True)
            return ("MaildirStore %s\nPath %s/\nInbox %s/INBOX\n"
                    "SubFolders Verbatim\n" % (name, side.path, side.path))
        return ("IMAPStore %s\nHost localhost\nPort %d\nUser %s\nPass secret\n"
                "%s\n" % (
                    name, side.port, side.user,
                    "SSLType IMAPS\nCertificateFile " + side.server.authority
                    if side.tls else "SSLType None"))

    def argv(self):
        return [self.command, "-q", "-c", self.conf, "-a"]


class MbsyncLoop(Mbsync):
    """As people run it for many accounts: one after another."""

    def argv(self):
        return ["sh", "-c", 'for p; do mbsync -q -c "$0" "$p" || exit; done',
                self.conf] + ["p%d" % number
                              for number in range(len(self.pairs))]


class Interimap(Program):
    """Between servers only."""

    command = "interimap"

    def text(self, durable):
        left, right = self.pairs[0]
        return "database = %s/db\n\n%s\n%s" % (
            self.state, self.side("local", right), self.side("remote", left))

    @staticmethod
    def side(name, side):
        return ("[%s]\nhost = localhost\nport = %d\nusername = %s\n"
                "password = secret\n%s\n" % (
                    name, side.port, side.user,
                    "type = imaps\nSSL_CAfile = " + side.server.authority
                    if side.tls else "type = imap\nSTARTTLS = NO"))

    def argv(self):
        return [self.command, "-q", "--config=" + self.conf]


class Offlineimap(Program):
    """From a server to a Maildir."""

    command = "offlineimap"

    def text(self, durable):
        left, right = self.pairs[0]
        return """[general]
accounts = main
metadata = %s
fsync = %s

[Account main]
remoterepository = left
localrepository = right

[Repository left]
type = IMAP
remotehost = localhost
remoteport = %d
remoteuser = %s
remotepass = secret
%s

[Repository right]
type = Maildir
localfolders = %s
""" % (self.state, durable, left.port, left.user,
            "ssl = yes\nsslcacertfile = " + left.server.authority
            if left.tls else "ssl = no\nstarttls = no", right.path)

    def argv(self):
        return [self.command, "-o", "-u", "quiet", "-c", self.conf]


class Doveadm(Program):
    """dsync: reads a server by IMAP, and keeps mail itself: in a Maildir, or
    mdbox of its own where the others have a second server."""

    command = "doveadm"

    @classmethod
    def version(cls):
        return "doveadm " + version_of("dovecot", "--version")

    def text(self, durable):
        left, right = self.pairs[0]
        # It does nothing with mail as root.
        uid = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
        os.chown(self.path, uid, -1)
        if isinstance(right, world.Maildir):
            os.makedirs(right.path, exist_ok=True)
            os.chown(right.path, uid, -1)
            self.keeps = "maildir:%s:LAYOUT=fs" % right.path
        else:
            self.keeps = "mdbox:" + os.path.join(self.path, "mail")
        return """base_dir = {path}/run
log_path = /dev/stderr
ssl_client_ca_file = {authority}
mail_location = imapc:{path}/imapc
mail_home = {path}
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 0
first_valid_gid = 0
namespace inbox {{
  inbox = yes
  separator = /
}}
imapc_host = 127.0.0.1
imapc_port = {port}
imapc_ssl = {ssl}
imapc_user = {user}
imapc_password = secret
""".format(path=self.path, authority=left.server.authority,
            uid=uid, port=left.port, user=left.user,
            ssl="imaps" if left.tls else "no")

    def argv(self):
        return ["env", "USER=bench", self.command, "-c", self.conf, "backup",
                self.keeps]


class Floor:
    """tests/bench/floor.py, as if it were a program: it says itself what it
    took. @relays: the sides' relays, if its ports are theirs."""

    def __init__(self, here, *arguments, relays=()):
        self.here = here
        self.arguments = [str(argument) for argument in arguments]
        self.relays = list(relays) + [None] * (2 - len(relays))

    def run(self):
        run = measured(self.here, [
            sys.executable, os.path.join(os.path.dirname(__file__), "floor.py"),
            *self.arguments], self.relays)
        if run is FAILED:
            return run
        seconds, cpu = map(float, run.output.split()[:2])
        return run._replace(seconds=seconds, cpu=cpu, memory=None)


PEERS = (Mbsync, Interimap, Offlineimap, Doveadm)
