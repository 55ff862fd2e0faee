"""Folder names that lead somewhere else, or nowhere: of a server, and of a
directory."""
import os

from hostile_case import Case
from hostile_server import amid, edit

LONG = "x" * 300
# label, item, the name as the server says it
NAMES = [
    ("dots", "\"..\"", b".."), ("dot", "\".\"", b"."),
    ("dots-within", "\"a/../b\"", b"a/../b"),
    ("dots-out", "\"a/../b\"", b"a/../../../home/x"),
    ("dots-first", "\"a/../b\"", b"../home/x"),
    ("dots-last", "\"a/../b\"", b"a/.."),
    ("dots-three", "\"..\"", b"..."), ("dots-blank", "\"..\"", b".. "),
    ("dot-within", "\".\"", b"a/./b"),
    ("slash-first", "leading \"/\" or \"~\"", b"/etc/passwd"),
    ("slashes", "leading \"/\" or \"~\"", b"//"),
    ("slash-alone", "leading \"/\" or \"~\"", b"/"),
    ("tilde", "leading \"/\" or \"~\"", b"~root"),
    ("tilde-path", "leading \"/\" or \"~\"", b"~/x"),
    ("empty", "empty name", b""), ("empty-level", "empty name", b"a//b"),
    ("trailing", "trailing separator", b"a/"),
    ("backslash", "\"/\" inside when Maildir++ uses \".\"", b"a\\..\\b"),
    ("cur", "names \"cur\" \"new\" \"tmp\"", b"cur"),
    ("new-within", "names \"cur\" \"new\" \"tmp\"", b"a/new"),
    ("tmp-within", "names \"cur\" \"new\" \"tmp\"", b"tmp/cur/new"),
    ("validity", "names \".uidvalidity\" \"dovecot-uidlist\"", b".uidvalidity"),
    ("uidlist", "names \".uidvalidity\" \"dovecot-uidlist\"", b"dovecot-uidlist"),
    ("keywords", "names \".uidvalidity\" \"dovecot-uidlist\"",
     b"dovecot-keywords"),
    ("marker", "reserved state file names", b".mailtwin"),
    ("marker-new", "reserved state file names", b".mailtwin.new"),
    ("state", "reserved state file names", b"data.mdb"),
    ("lock", "reserved state file names", b"lock"),
    ("nul", "NUL in a name", b"a\0b"), ("nul-first", "NUL in a name", b"\0"),
    ("nul-cut", "NUL in a name", b"../x\0y"),
    ("newline", "newline in a name", b"a\nb"),
    ("crlf", "newline in a name", b"a\r\n* 9 EXISTS\r\nb"),
    ("esc", "ESC in a name", b"\x1b[31mred"),
    ("bell", "ESC in a name", b"a\x07"), ("del", "ESC in a name", b"a\x7f"),
    ("long", "255+ bytes", LONG.encode()),
    ("long-255", "255+ bytes", b"y" * 255),
    ("long-levels", "255+ bytes", b"/".join([b"z" * 250] * 20)),
    ("long-4096", "255+ bytes", b"w" * 4096),
    ("long-65000", "255+ bytes", b"v" * 65000),
    ("levels-100", "10,000 levels", b"/".join([b"d"] * 101)),
    ("levels-10000", "10,000 levels", b"/".join([b"d"] * 10000)),
    ("utf7-open", "invalid mUTF-7: unterminated &", b"&AOQ"),
    ("utf7-amp", "invalid mUTF-7: unterminated &", b"&"),
    ("utf7-end", "invalid mUTF-7: unterminated &", b"a&"),
    ("utf7-noncanonical", "invalid mUTF-7: non-canonical, \"&AGE-\"", b"&AGE-"),
    ("utf7-twice", "invalid mUTF-7: non-canonical, \"&AGE-\"", b"&AOQ-&AOQ-"),
    ("utf7-dots", "invalid mUTF-7: non-canonical, \"&AGE-\"",
     b"&AC4ALg-/&AC4ALg-"),
    ("utf7-slash", "invalid mUTF-7: non-canonical, \"&AGE-\"", b"a&AC8-b"),
    ("utf7-nul", "invalid mUTF-7: non-canonical, \"&AGE-\"", b"a&AAA-b"),
    ("utf7-high", "invalid mUTF-7: surrogates", b"&2AA-"),
    ("utf7-low", "invalid mUTF-7: surrogates", b"&3AA-"),
    ("utf7-swapped", "invalid mUTF-7: surrogates", b"&3AD YAA-"),
    ("utf7-padding", "invalid mUTF-7: base64 padding", b"&AOQ=-"),
    ("utf7-bits", "invalid mUTF-7: base64 padding", b"&AOR-"),
    ("utf7-comma", "invalid mUTF-7: base64 padding", b"&,,,,-"),
    ("utf7-plus", "invalid mUTF-7: base64 padding", b"+AOQ-"),
    ("utf8", "raw UTF-8", "Ünescaped".encode()),
    ("utf8-bad", "raw UTF-8", b"\xc0\xae\xc0\xae/x"),
    ("utf8-overlong", "raw UTF-8", b"\xe0\x80\xaf"),
    ("utf8-surrogate", "raw UTF-8", b"\xed\xa0\x80"),
    ("percent", "two names mapping to one directory", b"a%2Fb"),
    ("percent-dots", "two names mapping to one directory", b"%2E%2E"),
    ("shell", "ESC in a name", b"`touch x`;$(touch y)|&-"),
    ("option", "ESC in a name", b"-rf"), ("star", "ESC in a name", b"*"),
    ("format", "ESC in a name", b"%s%n%99999d"),
    ("blank", "trailing separator", b" "), ("dot-last", "trailing separator",
                                            b"a."),
    ("windows", "reserved state file names", b"CON"),
    ("inbox-below", "names \"cur\" \"new\" \"tmp\"", b"INBOX/../../out"),
    ("inbox-case", "case-only differences", b"inbox/x"),
]
GROUPS = [
    ("case", "case-only differences", [b"Case", b"case", b"CASE"]),
    ("unicode-forms", "NFC vs NFD", [b"&AOQ-", b"a&Awg-"]),
    ("prefix", "a name that is a prefix of another", [
        b"Work", b"Work/a", b"Work/a/b", b"Workshop", b"Wor"]),
    ("same-directory", "two names mapping to one directory", [
        b"a%2Eb", b"a.b", b".a", b"%2Ea"]),
    ("same-name", "two names mapping to one directory", [b"Twice"] * 3),
    ("file-and-folder", "a name that is a prefix of another", [
        b"m/cur", b"m/new", b"m/tmp", b"m"]),
]


def _line(raw, separator=b'"/"'):
    return b"* LIST () %s {%d}\r\n%s\r\n" % (separator, len(raw), raw)


def _listed(names, separator=b'"/"'):
    return amid("LIST", b"".join(_line(name, separator) for name in names))


def cases():
    for label, of, raw in NAMES:
        for layout in ("nested", "maildir++"):
            yield Case("names/%s-%s" % (label, layout), of, _listed([raw]),
                       layout=layout, codes=(0, 1, 4), mend=_forget_folders,
                       slow=layout == "maildir++" and label.startswith("utf"))
    for label, of, names in GROUPS:
        yield Case("names/" + label, of, _listed(names), codes=(0, 1),
                   mend=_forget_folders)
        yield Case("names/%s-there" % label, of, codes=(0, 1),
                   prepare=lambda _world, store, names=names:
                   _make(store, names), honest_codes=(0, 1))
    for label, separator in (("nil", b"NIL"), ("dot", b'"."'),
                             ("letter", b'"k"'), ("quote", b'"\\""'),
                             ("empty", b'""'), ("two", b'"//"'),
                             ("nul", b'"\0"'), ("high", b'"\xff"')):
        yield Case("names/separator-" + label, "separator NIL, separator "
                   "changing", edit("LIST", rb'\) "/" ', b") " + separator
                                    + b" "), codes=(0, 1, 3, 4),
                   mend=_forget_folders, lies=True)
        yield Case("names/separator-amid-" + label, "separator NIL, separator "
                   "changing", _listed([b"a.b/c", b"../x", b"Wor"], separator),
                   codes=(0, 1, 3, 4), mend=_forget_folders, lies=True)
    yield Case("names/5000", "5,000 folders", slow=True, limit=300, codes=(0,),
               prepare=lambda _world, store: _make(
                   store, [b"f%d/g%d" % (i % 50, i) for i in range(5000)]),
               arguments=["sync"])
    yield Case("names/500", "5,000 folders", codes=(0,), limit=60,
               prepare=lambda _world, store: _make(
                   store, [b"f%d/g%d" % (i % 50, i) for i in range(300)]),
               arguments=["sync"])
    for label, of, names in LOCAL:
        yield Case("names/local-" + label, of, prepare=lambda world, _store,
                   names=names: _make_local(world, names), codes=(0, 1),
                   honest_codes=(0, 1))


LOCAL = [
    ("not-utf8", "raw UTF-8", [b"\xff\xfe", b"a\xc0\xae"]),
    ("newline", "newline in a name", [b"a\nb", b"c\rd"]),
    ("esc", "ESC in a name", [b"\x1b[2J"]),
    ("percent", "two names mapping to one directory", [b"%2e%2e", b"%2E%2E",
                                                       b"%41"]),
    ("dot", "\".\"", [b".hidden", b"..x", b"..."]),
    ("deep", "10,000 levels", [b"/".join([b"d"] * 150)]),
    ("long", "255+ bytes", [b"n" * 255]),
    ("inbox", "case-only differences", [b"inbox", b"Inbox"]),
    ("star", "ESC in a name", [b"*", b"%", b"&", b"&AOQ-", b'"', b"\\"]),
]


def _make(store, names):
    from provider_store import Refused
    for name in names:
        try:
            store.create(name.decode())
        except Refused:
            pass


def _make_local(world, names):
    for name in names:
        place = os.path.join(os.fsencode(world.path("disk")), name)
        for part in (b"cur", b"new", b"tmp"):
            os.makedirs(os.path.join(place, part), exist_ok=True)
        with open(os.path.join(place, b"new", b"1.2.3"), "wb") as file:
            file.write(b"Subject: odd\n\nodd\n")


def _forget_folders(world, store):
    """What the server never had, and what came of it here."""
    import shutil
    disk = os.fsencode(world.path("disk"))
    for name in os.listdir(disk):
        path = os.path.join(disk, name)
        if name not in (b"INBOX", b"Work", b"cur", b"new", b"tmp", b".Work",
                        b".mailtwin") and os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
    for place in (b"INBOX", b"Work"):
        path = os.path.join(disk, place)
        if os.path.isdir(os.path.join(disk, b"INBOX")):
            for name in os.listdir(path) if os.path.isdir(path) else []:
                if name not in (b"cur", b"new", b"tmp") and \
                        os.path.isdir(os.path.join(path, name)):
                    shutil.rmtree(os.path.join(path, name), ignore_errors=True)
    for name in [n for n in store.boxes if n not in ("INBOX", "Work")]:
        del store.boxes[name]
