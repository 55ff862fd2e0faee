"""Where the benchmark takes place: one directory, Dovecots, relays, mail.

    with world.World(place) as here:
        one = here.server("one")
        one.give("ann", here.corpus("small", 20, 1000, 4000))
        left = world.Imap(one, "ann", here.relay("far", one, delay_ms=25))
        right = world.Maildir(here.fresh("maildir"))

Nothing of it is left when the block ends, however it ends.
"""

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent import futures

import corpus
import wire

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TOOLS = os.environ.get("TOOLS") or os.path.join(TOP, "build", "tools")
PATIENCE = 60

# What a relay saw: bytes to and from the server, round trips (tests/tools/
# relay.c says what that is; None without a delay), connections, the most of
# them at once, and, where it reads along, the bytes of messages among all.
Traffic = collections.namedtuple("Traffic",
                                 "sent received trips links most bodies")
# Round trips until a user is logged in over TLS 1.3: TCP, the handshake, its
# end and the greeting, the password.
LOGIN_TRIPS = 4
BODY = re.compile(rb"BODY\[\] \{(\d+)\}\r\n")
LITERAL = re.compile(rb"\{(\d+)[+-]?\}\r\n")


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise OSError("waited in vain for " + what)
        time.sleep(0.005)


class World:
    def __init__(self, place):
        # A Unix socket's path is short, and mail belongs to another user where
        # this runs as root.
        self.path = tempfile.mkdtemp(prefix="mt", dir=place)
        os.chmod(self.path, 0o711)
        self.servers, self.relays, self.corpora = {}, {}, {}
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for relay in self.relays.values():
            relay.stop()
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(Dovecot.stop, self.servers.values()))
        wait_for("the files to go", self.removed)

    def removed(self):
        """A server that takes its time may still write."""
        shutil.rmtree(self.path, ignore_errors=True)
        return not os.path.exists(self.path)

    def fresh(self, name):
        """A path that nothing is at yet."""
        self.number += 1
        return os.path.join(self.path, "%s-%d" % (name, self.number))

    def server(self, name, **options):
        """The Dovecot of that name; the first to ask says which kind it is."""
        if name not in self.servers:
            self.servers[name] = Dovecot(os.path.join(self.path, name),
                                         **options)
        return self.servers[name]

    def relay(self, name, server, tls=True, **options):
        """A new relay in front of @server, in the place of one that had the
        name."""
        if name in self.relays:
            self.relays[name].stop()
        port = server.imaps_port if tls else server.imap_port
        self.relays[name] = Relay(self.fresh(name), port, **options)
        return self.relays[name]

    def corpus(self, name, folders, messages, mean):
        """The path of a tree of mail that nobody is to change."""
        if name not in self.corpora:
            self.corpora[name] = os.path.join(self.path, "corpus-" + name)
            corpus.write(self.corpora[name], folders, messages, mean)
        return self.corpora[name]


class Dovecot:
    """tests/lib/dovecot.sh tells the options; mail_of is another Dovecot whose
    users' mail this one shows, too."""

    def __init__(self, path, mail_of=None, **options):
        self.path = path
        os.makedirs(path)
        if mail_of:
            os.symlink(os.path.join(mail_of.path, "home"),
                       os.path.join(path, "home"))
        self.tell("start", *("%s=%s" % option for option in options.items()))
        self.imap_port = self.number("imap_port")
        self.imaps_port = self.number("imaps_port")
        self.authority = os.path.join(path, "ca.pem")

    def tell(self, command, *arguments, check=True):
        subprocess.run(
            ["sh", "-c", '. tests/lib/dovecot.sh; dovecot_"$@"', "sh", command,
             self.path, *arguments], cwd=TOP, check=check,
            stdin=subprocess.DEVNULL)

    def number(self, name):
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return int(file.read())

    def stop(self):
        self.tell("stop", check=False)

    def give(self, user, tree):
        """Let @user have the mail of a corpus: the files are shared, as nobody
        writes into one."""
        home = os.path.join(self.path, "home", user)
        shutil.copytree(tree, os.path.join(home, "mail"), copy_function=os.link)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "nobody", home], check=True)
        subprocess.run(["doveadm", "-c", os.path.join(self.path, "conf"),
                        "index", "-u", user, "*"], check=True)

    def client(self, user):
        return wire.Client(self.imap_port, user, tls=False)


class Relay:
    """tests/tools/relay.c in front of a port."""

    def __init__(self, path, target, delay_ms=0, rate=0, log=False):
        os.makedirs(path)
        self.path, self.port = path, None
        self.log = os.path.join(path, "wire") if log else None
        self.delay(delay_ms)
        self.delay_ms = delay_ms
        self.process = subprocess.Popen(
            [os.path.join(TOOLS, "relay"), "-p", self.file("port"),
             "-t", self.file("totals"), "-D", self.file("delay"),
             "-r", str(rate)] + (["-w", self.log] if log else [])
            + [str(target)])
        wait_for("a relay", lambda: os.path.exists(self.file("port")))
        with open(self.file("port"), encoding="ascii") as file:
            self.port = int(file.read())

    def file(self, name):
        return os.path.join(self.path, name)

    def delay(self, delay_ms):
        """From the next connection on."""
        with open(self.file("delay"), "w", encoding="ascii") as file:
            file.write("%d\n" % delay_ms)

    def totals(self):
        """What came by since this was last asked; waits until all connections
        have ended."""
        self.process.send_signal(signal.SIGUSR1)
        wait_for("a relay's totals",
                 lambda: os.path.exists(self.file("totals")))
        with open(self.file("totals"), encoding="ascii") as file:
            sent, received, trips, *links = map(int, file.read().split())
        os.unlink(self.file("totals"))
        return Traffic(sent, received, trips if self.delay_ms else None,
                       *links, self.bodies() if self.log else None)

    def bodies(self):
        """Bytes of the messages that were fetched or appended."""
        said = collections.defaultdict(bytearray)
        if os.path.exists(self.log):
            with open(self.log, "rb") as file:
                for line in iter(file.readline, b""):
                    link, who, size = line.split()
                    said[link, who] += file.read(int(size))
                    file.read(1)
            os.replace(self.log, self.log + ".last")
        return sum(int(size) for (_, who), text in said.items() for size in
                   (BODY if who == b"S" else LITERAL).findall(text))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Imap:
    """One user's account on a server; through a relay, if there is one."""

    def __init__(self, server, user, relay=None, tls=True, compress=False):
        self.server, self.user, self.relay, self.tls = server, user, relay, tls
        self.compress = compress
        own = server.imaps_port if tls else server.imap_port
        self.port = relay.port if relay else own


class Maildir:
    relay = None

    def __init__(self, path):
        self.path = path

    def fill(self, tree):
        """Let it have the mail of a corpus, whose files it shares."""
        shutil.copytree(tree, self.path, copy_function=os.link)
        os.mkdir(os.path.join(self.path, "INBOX"))
        for sub in ("cur", "new", "tmp"):
            os.rename(os.path.join(self.path, sub),
                      os.path.join(self.path, "INBOX", sub))
        return self


def disk_use(path):
    """Bytes that the files below @path take on disk."""
    return sum(os.lstat(os.path.join(place, name)).st_blocks * 512
               for place, _, names in os.walk(path) for name in names)


def summary_of(output):
    """The summaries that a run with --json ended with."""
    events = [json.loads(line) for line in output.splitlines() if line]
    return [event for event in events if event["event"] == "summary"]
