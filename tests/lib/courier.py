#!/usr/bin/python3
"""The front of a Courier IMAP server: connections and logins. Courier's own
wants an authentication daemon at a fixed place of the system.

    courier.py DIR IMAPD LIBRARIES

Listens at a free port of 127.0.0.1, says which in DIR/imap_port, takes any user
with the password "secret", and makes IMAPD of the session, with the user's mail
in DIR/home/USER/Maildir. Settings of Courier are taken from the environment.
"""

import os
import pwd
import re
import signal
import socket
import sys

# As Debian's /etc/courier/imapd has them.
SETTINGS = {
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE "
                       "THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    "IMAP_ACL": "1",
    "IMAP_CHECK_ALL_FOLDERS": "0",
    "IMAP_EMPTYTRASH": "Trash:7",
    "IMAP_ENHANCEDIDLE": "0",
    "IMAP_IDLE_TIMEOUT": "60",
    "IMAP_KEYWORDS": "1",
    "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_MOVE_EXPUNGE_TO_TRASH": "0",
    "IMAP_OBSOLETE_CLIENT": "0",
    "IMAP_TRASHFOLDERNAME": "Trash",
    "IMAP_USELOCKS": "1",
    "HEADERFROM": "X-IMAP-Sender",
    "SENDMAIL": "/bin/false",
}


def read_line(client):
    """Not an octet more than the line: the rest is imapd's."""
    line = b""
    while not line.endswith(b"\n"):
        octet = client.recv(1)
        if not octet:
            sys.exit()
        line += octet
    return line.decode("ascii", "replace").strip()


def login(client, capability):
    """Returns the user and the tag that imapd will answer."""
    def say(text):
        client.sendall(text.encode() + b"\r\n")

    say("* OK [CAPABILITY %s] Courier-IMAP ready." % capability)
    while True:
        tag, _, command = read_line(client).partition(" ")
        match = re.match(r'LOGIN "?([^" ]+)"? "?secret"?$', command, re.I)
        if match:
            return match.group(1), tag
        if command.upper() == "LOGOUT":
            say("* BYE Courier-IMAP server shutting down")
            say(tag + " OK LOGOUT completed")
            sys.exit()
        if command.upper() == "CAPABILITY":
            say("* CAPABILITY " + capability)
            say(tag + " OK CAPABILITY completed")
        else:
            say(tag + " NO Error in IMAP command received by server.")


def serve(client, directory, imapd, libraries):
    settings = {name: os.environ.get(name, value)
                for name, value in SETTINGS.items()}
    user, tag = login(client, settings["IMAP_CAPABILITY"])
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    home = os.path.join(directory, "home", user)
    for sub in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(home, "Maildir", sub), 0o700, exist_ok=True)
    os.chdir(home)
    os.dup2(client.fileno(), 0)
    os.dup2(client.fileno(), 1)
    os.execve(imapd, [imapd, "Maildir"], dict(
        settings, LD_LIBRARY_PATH=libraries, HOME=home, MAILDIR="Maildir",
        AUTHENTICATED=user, AUTHADDR=user, IMAPLOGINTAG=tag, PROTOCOL="IMAP",
        TCPREMOTEIP="127.0.0.1", TCPREMOTEPORT="1"))


def main():
    directory, imapd, libraries = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    with open(os.path.join(directory, "imap_port.new"), "w",
              encoding="ascii") as file:
        file.write("%d\n" % listener.getsockname()[1])
    os.rename(file.name, os.path.join(directory, "imap_port"))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            serve(client, directory, imapd, libraries)
        client.close()


main()
