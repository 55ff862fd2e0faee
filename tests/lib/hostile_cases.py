"""All cases of tests/torture/hostile.t. Those of a server are here; the others in
the files beside this one."""
import hostile_disk
import hostile_names
import hostile_tls
from hostile_case import Case
from hostile_server import (HANG_UP, RESET, after, amid, cut, drip, edit, first,
                            flood, greet, instead, lie, once, silence)

ROWS = {
    "lexical": "hostile servers", "response": "hostile servers",
    "uids": "hostile servers", "partial": "hostile servers",
    "messages": "hostile servers", "names": "hostile names",
    "maildir": "hostile Maildirs", "state": "damaged states",
    "config": "configuration and command line", "tls": "TLS and STARTTLS",
    "cve": "peers' CVEs", "confined": "confined",
}


def row_of(case):
    return ROWS[case.name.split("/")[0]]


FETCHES = "FETCH|BODY|HEADER"
MB = 1 << 20
OK = b"%TAG% OK done\r\n"


def _lexical():
    name = "lexical/"
    lines = "SELECT|LIST|STATUS|FETCH"

    def literal(size, kind=b""):
        return b'* LIST () "/" ' + kind + b"{" + size + b"}\r\nINBOX\r\n" + OK
    for size in (b"4294967295", b"2147483648", b"18446744073709551616", b"-1",
                 b"4294967296", b"9223372036854775807", b"",
                 b"99999999999999999999999"):
        yield Case(name + "name-literal-" + size.decode(),
                   ["literal {%s}" % size.decode()], instead(
                       "LIST", literal(size) + b"x" * 70000), codes=(4,))
        yield Case(name + "body-literal-" + size.decode(),
                   ["literal {%s}" % size.decode()], instead(
                       "BODY", b"* 6 FETCH (UID 7 BODY[] {" + size
                       + b"}\r\nSubject: x\r\n\r\n" + HANG_UP), codes=(1, 4))
    yield Case(name + "literal-0", "literal {0}", instead(
        "LIST", b'* LIST () "/" {0}\r\n\r\n* LIST () "/" INBOX\r\n'
        b'* LIST () "/" Work\r\n' + OK), codes=(1,))
    yield Case(name + "body-literal-0", "literal {0}", instead(
        "BODY", b"* 6 FETCH (UID 7 BODY[] {0}\r\n)\r\n" + OK), codes=(1,))
    yield Case(name + "literal-007", "literal {007}", edit(
        "LIST", rb'"INBOX"', b"{005}\r\nINBOX"), codes=(0,))
    yield Case(name + "literal-plus", "`{5+}` from a server", edit(
        "LIST", rb'"INBOX"', b"{5+}\r\nINBOX"), codes=(0,))
    yield Case(name + "literal8", "`~{5}` from a server", edit(
        "LIST", rb'"INBOX"', b"~{5}\r\nINBOX"), codes=(0, 4))
    yield Case(name + "body-literal8", "`~{5}` from a server", edit(
        "BODY", rb"BODY\[\] \{", b"BODY[] ~{"), codes=(0, 1, 4))
    yield Case(name + "body-too-short", "literal shorter than announced", edit(
        "BODY", rb"\{(\d+)\}", b"{9999}"), cut("BODY", rb"OK done"),
        codes=(1, 4))
    yield Case(name + "body-too-long", "literal longer than announced", edit(
        "BODY", rb"\{(\d+)\}", b"{10}"), codes=(1, 4))
    yield Case(name + "name-too-long", "literal longer than announced", edit(
        "LIST", rb'"Work"', b"{2}\r\nWork"), codes=(1, 4))
    yield Case(name + "eof-in-body", "EOF in a literal", cut(
        "BODY", rb"Subject"), codes=(1, 4))
    yield Case(name + "eof-in-name", "EOF in a literal", instead(
        "LIST", b'* LIST () "/" {50}\r\nINB' + HANG_UP), codes=(4,))
    yield Case(name + "eof-in-line", "EOF in a literal", cut(
        "SELECT", rb"UIDVALI"), codes=(4,))
    for where, data in (
            ("atom", b'* LIST () "/" IN\0BOX\r\n'),
            ("quoted", b'* LIST () "/" "IN\0BOX"\r\n'),
            ("literal", b'* LIST () "/" {6}\r\nIN\0BOX\r\n'),
            ("flag", b'* LIST (\\Has\0Children) "/" INBOX\r\n'),
            ("text", b"* OK [ALERT] a\0b\r\n")):
        yield Case(name + "nul-in-" + where, "NUL in an atom, quoted, literal",
                   amid("LIST", data))
    yield Case(name + "nul-in-body", "NUL in an atom, quoted, literal", edit(
        "BODY", rb"BODYC", b"BODY\0"), lies=True, spoils=("m7",))
    yield Case(name + "bare-cr", "bare CR or LF", amid(
        "LIST", b"* OK a\rb\r* LIST () \"/\" no\r\n"))
    yield Case(name + "bare-lf", "bare CR or LF", edit(
        lines, rb"\r\n", b"\n"), codes=(0, 1, 4))
    yield Case(name + "crcrlf", "bare CR or LF", edit(
        lines, rb"\r\n", b"\r\r\n"), codes=None, lies=True, spoils=("m7",))
    yield Case(name + "8-bit-quoted", "8-bit in quoted", amid(
        "LIST", b'* LIST () "/" "\xff\xfe\x80"\r\n'), codes=(0, 1, 4))
    yield Case(name + "8-bit-tag", "8-bit in quoted", amid(
        "LIST", b"\xff\xfe OK x\r\n"))
    yield Case(name + "open-quote", "unterminated quote or \"(\"", instead(
        "LIST", b'* LIST () "/" "INBOX\r\n' + OK), codes=(1, 3, 4))
    yield Case(name + "open-parenthesis", "unterminated quote or \"(\"",
               instead("LIST", b'* LIST (\\HasChildren "/" INBOX\r\n' + OK),
               codes=(1, 3, 4))
    yield Case(name + "open-fetch", "unterminated quote or \"(\"", edit(
        "FETCH", rb"\)\r\n", b"\r\n", 1), codes=(1, 4))
    yield Case(name + "lone-backslash", "unterminated quote or \"(\"", instead(
        "LIST", b'* LIST () "/" "INBOX\\"\r\n' + OK), codes=(1, 3, 4))
    for depth in (33, 1000, 100000):
        yield Case(name + "nested-%d" % depth, "100,000 nested \"(\"", amid(
            "LIST", b"* LIST " + b"(" * depth + b"\r\n"), codes=(0, 1, 4))
        yield Case(name + "nested-fetch-%d" % depth, "100,000 nested \"(\"",
                   amid("FETCH", b"* 1 FETCH (BODYSTRUCTURE " + b"(" * depth
                        + b")" * depth + b" UID 1)\r\n"), codes=(0, 1, 4))
    for number in (b"4294967296", b"18446744073709551616", b"-1", b"+1",
                   b"1e9", b"0x10", b"\xd9\xa1", b"1" * 5000):
        label = number[:20].decode("utf-8", "replace")
        label = {"\u0661": "arabic"}.get(label, label)
        what = "numbers 2^32, 2^64, negative, leading +"
        yield Case(name + "exists-" + label, what, amid(
            "SELECT", b"* " + number + b" EXISTS\r\n"), codes=(0, 1, 4))
        yield Case(name + "uid-" + label, what, edit(
            "FETCH", rb"UID 7\b", b"UID " + number), codes=(0, 1, 4))
        yield Case(name + "size-" + label, what, edit(
            FETCHES, rb"RFC822.SIZE \d+", b"RFC822.SIZE " + number),
            codes=(0, 1, 4))
    yield Case(name + "lower-case", "lower-case keywords", edit(
        "LIST|STATUS|SELECT|FETCH", rb"(?<=\r\n)\* [A-Z]+ |(?<!.)\* [A-Z]+ ",
        lambda m: m.group().lower()), codes=(0,))
    yield Case(name + "lower-case-fetch", "lower-case keywords", edit(
        FETCHES, rb"FETCH|FLAGS|UID |BODY\[\]|RFC822.SIZE|INTERNALDATE",
        lambda m: m.group().lower()), codes=(0,))
    yield Case(name + "trailing-blanks", "trailing spaces", edit(
        "LIST|STATUS|SELECT|FETCH|STORE|SEARCH", rb"\r\n", b"  \r\n"),
        codes=(0, 1, 4))
    yield Case(name + "no-text", "empty text", edit(
        "SELECT|STORE|FETCH|LOGIN|EXPUNGE|LIST", rb"OK [a-z ]+\r\n",
        b"OK\r\n"), codes=(0,))
    yield Case(name + "no-text-blank", "empty text", edit(
        "SELECT|STORE|FETCH|LIST", rb"OK done\r\n", b"OK \r\n"), codes=(0,))
    yield Case(name + "no-text-code", "empty text", edit(
        "SELECT", rb"(\[[A-Z]+ \d+\])[^\r]*", rb"\1"), codes=(0,))
    yield Case(name + "empty-lines", "empty text", amid(
        "LIST|SELECT", b"\r\n\r\n"), codes=(0, 1))
    yield Case(name + "star-alone", "empty text", amid(
        "LIST|SELECT", b"*\r\n* \r\n* 1\r\n* 1 \r\n"), codes=(0, 1))
    for size, slow in ((1 << 30, True), (8 << 20, False)):
        for verb, kind in (("LIST", b"x"), ("SELECT", b"("), ("FETCH", b'"')):
            yield Case(name + "long-line-%s-%dM" % (verb.lower(), size >> 20),
                       "line of 1 GB without CRLF", flood(
                           verb, kind * 65536, size), codes=(4,), slow=slow,
                       kilobytes=700000)
    yield Case(name + "long-greeting", "line of 1 GB without CRLF", greet(
        b"* OK " + b"x" * (8 << 20)), codes=(4,))
    yield Case(name + "long-alert", "line of 1 GB without CRLF", amid(
        "SELECT", b"* OK [ALERT] " + b"y" * 900000 + b"\r\n"))


def _response():
    name = "response/"
    yield Case(name + "no-greeting", "no greeting", greet(HANG_UP), codes=(4,))
    yield Case(name + "no-greeting-reset", "no greeting", greet(RESET),
               codes=(4,))
    yield Case(name + "silent-greeting", "no greeting", silence("GREETING"),
               codes=(4,), limit=150, slow=True)
    yield Case(name + "garbage-greeting", "no greeting", greet(
        bytes(range(256)) * 64 + HANG_UP), codes=(4,))
    yield Case(name + "http-greeting", "no greeting", greet(
        b"HTTP/1.1 400 Bad Request\r\n\r\n<html>" + HANG_UP), codes=(4,))
    yield Case(name + "bye-greeting", "BYE greeting", greet(
        b"* BYE too busy\r\n" + HANG_UP), codes=(4,))
    yield Case(name + "bye-greeting-stays", "BYE greeting", greet(
        b"* BYE too busy\r\n"), codes=(4,))
    yield Case(name + "no-greeting-no", "no greeting", greet(
        b"* NO not today\r\n* BAD never\r\n"), codes=(4,))
    yield Case(name + "preauth", "PREAUTH greeting (with TLS required)", greet(
        b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"))
    yield Case(name + "two-greetings", "no greeting", greet(
        b"* OK hello\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] again\r\n"
        b"* PREAUTH and again\r\n"))
    for verb in ("LIST", "SELECT", "FETCH", "BODY", "APPEND", "STORE"):
        low = verb.lower()
        yield Case(name + "unknown-tag-" + low, "tagged answer with an unknown,"
                   " old, future or repeated tag", first(
                       verb, b"zzz999 OK not yours\r\n"), codes=(0, 1, 4))
        yield Case(name + "future-tag-" + low, "tagged answer with an unknown, "
                   "old, future or repeated tag", first(
                       verb, b"a900 OK not yet\r\n"), codes=(0, 1, 4))
        yield Case(name + "repeated-tag-" + low, "tagged answer with an "
                   "unknown, old, future or repeated tag", after(
                       verb, b"%TAG% OK and again\r\n%TAG% NO or not\r\n"),
                   codes=(0, 1, 4))
        yield Case(name + "no-" + low, "OK/NO/BAD swapped", lie(
            verb, b"%TAG% NO done\r\n"), codes=(0, 1, 3, 4),
            honest_codes=(0, 1))
        yield Case(name + "bad-" + low, "OK/NO/BAD swapped", lie(
            verb, b"%TAG% BAD done\r\n"), codes=(0, 1, 3, 4),
            honest_codes=(0, 1))
        yield Case(name + "bare-ok-" + low, "OK/NO/BAD swapped", instead(
            verb, OK), codes=(0, 1, 3, 4),
            lies=verb in ("STORE", "APPEND"))
        yield Case(name + "odd-word-" + low, "OK/NO/BAD swapped", lie(
            verb, b"%TAG% YES done\r\n" + HANG_UP), codes=(0, 1, 4))
        yield Case(name + "plus-" + low, "continuation \"+\" unasked, missing, "
                   "twice", first(verb, b"+ go on\r\n+ \r\n+\r\n"))
        yield Case(name + "bye-" + low, "BYE mid-FETCH", instead(
            verb, b"* BYE enough\r\n" + HANG_UP), codes=(1, 4))
        yield Case(name + "bye-once-" + low, "BYE mid-FETCH", once(instead(
            verb, b"* BYE enough\r\n" + HANG_UP)), codes=(0,))
        yield Case(name + "reset-" + low, "BYE mid-FETCH", once(instead(
            verb, RESET)), codes=(0, 4))
        yield Case(name + "early-ok-" + low, "tagged OK before the literal was "
                   "read", first(verb, b"%TAG% OK done\r\n"), codes=(0, 1, 3, 4),
                   lies=True)
    yield Case(name + "bye-mid-body", "BYE mid-FETCH", cut(
        "BODY", rb"\r\n\r\nBODYC"), codes=(1, 4))
    yield Case(name + "bye-in-body", "BYE mid-FETCH", edit(
        "BODY", rb"\r\n\r\nBODYC.*", b"\r\n* BYE shut\r\n" + HANG_UP),
        codes=(1, 4))
    yield Case(name + "no-plus", "continuation \"+\" unasked, missing, twice",
               instead("APPEND", b"* OK wait\r\n" + HANG_UP), codes=(1, 4),
               caps={"after": "IMAP4rev1 UIDPLUS MOVE UNSELECT"})
    yield Case(name + "two-plus", "continuation \"+\" unasked, missing, twice",
               amid("APPEND", b"+ more\r\n"), codes=(0, 1, 4),
               caps={"after": "IMAP4rev1 UIDPLUS MOVE UNSELECT"})
    yield Case(name + "early-ok-literal", "tagged OK before the literal was read",
               _early_append, codes=(0, 1, 4), lies=True,
               caps={"after": "IMAP4rev1 UIDPLUS MOVE UNSELECT"})
    yield Case(name + "out-of-order", "pipelined answers out of order",
               _Reversed(), codes=(0, 1, 3, 4))
    yield Case(name + "endless-untagged", "endless untagged data", flood(
        "SELECT", b"* OK [NOTICE] hi\r\n" * 3000, 1 << 40), codes=(4,),
        slow=True, limit=400, recovers=False, arguments=["sync"],
        env={"MAILTWIN_TEST_SILENCE_MS": "500"})
    yield Case(name + "much-untagged", "endless untagged data", flood(
        "SELECT", b"* OK [NOTICE] hi\r\n* 6 EXISTS\r\n" * 2000, MB,
        OK + HANG_UP), codes=(1, 4), kilobytes=500000, arguments=["sync"])
    yield Case(name + "much-fetch", "endless untagged data", flood(
        "FETCH", b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" * 2000, MB,
        OK), kilobytes=500000, arguments=["sync"], codes=(1, 4))
    yield Case(name + "much-junk", "endless untagged data", flood(
        "SELECT", b"* JUNK \r\njunk\r\n" * 2000, MB), codes=(4,))
    yield Case(name + "many-uids", "endless untagged data", _many_uids,
               arguments=["sync"], slow=True, limit=120,
               codes=(0, 1, 3, 4), kilobytes=900000, lies=True)
    yield Case(name + "byte-a-minute", "1 byte per minute", drip(
        "SELECT", b"* OK hi there\r\n", 0.2), codes=(4,), limit=400, slow=True,
        recovers=False, env={"MAILTWIN_TEST_SILENCE_MS": "500"})
    yield Case(name + "byte-a-minute-greeting", "1 byte per minute", drip(
        "GREETING", b"* OK hi there\r\n", 2), codes=(4,), limit=300, slow=True,
        recovers=False)
    yield Case(name + "silence", "1 byte per minute", silence("SELECT"),
               codes=(4,), limit=900, slow=True, recovers=False)
    yield Case(name + "byte-by-byte", "1 byte per minute", _slowly,
               codes=(0,))
    lists = "CAPABILITY lists that change after login or STARTTLS"
    yield Case(name + "caps-shrink", lists, amid(
        "LIST", b"* CAPABILITY IMAP4rev1\r\n"))
    yield Case(name + "caps-grow", lists, amid(
        "LIST", b"* CAPABILITY IMAP4rev1 QRESYNC CONDSTORE ENABLE OBJECTID "
        b"X-GM-EXT-1 COMPRESS=DEFLATE MULTIAPPEND LIST-STATUS\r\n"),
        codes=(0, 1, 3, 4))
    yield Case(name + "caps-no-imap", lists, edit(
        "LOGIN|AUTHENTICATE", rb"CAPABILITY [^\]]*", b"CAPABILITY POP3"))
    for label, caps in (("double", "IMAP4rev1 UIDPLUS UIDPLUS UIDPLUS IMAP4rev1"),
                        ("empty", ""), ("junk", "= =x AUTH= COMPRESS= LITERAL "
                                        "+ \u00ff APPENDLIMIT=x"),
                        ("many", " ".join("X-%d" % i for i in range(10000))),
                        ("limit", "IMAP4rev1 UIDPLUS APPENDLIMIT="
                                  "18446744073709551616")):
        yield Case(name + "caps-" + label, "duplicate, empty or 10,000 "
                   "capabilities", caps={"after": caps, "before":
                                         "IMAP4rev1 AUTH=PLAIN " + caps})
    escape = "ALERT text with terminal escapes"
    evil = b"\x1b[2J\x1b]0;owned\x07\x1b[31m \x9b31m \xc2\x9b31m " \
        b"\xe2\x80\xae evil \x08\x08 \x7f"
    for verb in ("LIST", "SELECT", "FETCH", "APPEND", "STORE"):
        low = verb.lower()
        yield Case(name + "escape-alert-" + low, escape, first(
            verb, b"* OK [ALERT] " + evil + b"\r\n"), codes=(0, 1, 4))
        yield Case(name + "escape-no-" + low, escape, instead(
            verb, b"%TAG% NO [CANNOT] " + evil + b"\r\n"), codes=(1, 3, 4),
            honest_codes=(0, 1))
        yield Case(name + "escape-bye-" + low, escape, instead(
            verb, b"* BYE " + evil + b"\r\n" + HANG_UP), codes=(1, 4))
    yield Case(name + "escape-greeting", escape, greet(
        b"* OK " + evil + b"\r\n"))
    yield Case(name + "escape-bye-greeting", escape, greet(
        b"* BYE " + evil + b"\r\n" + HANG_UP), codes=(4,))
    yield Case(name + "escape-login", escape, instead(
        "AUTHENTICATE|LOGIN", b"%TAG% NO [AUTHENTICATIONFAILED] " + evil
        + b"\r\n"), codes=(5,))
    yield Case(name + "escape-name", escape, amid(
        "LIST", b'* LIST () "/" {9}\r\na\x1b[2Jb\x07c\r\n'), codes=(0, 1))
    yield Case(name + "escape-utf7-name", escape, amid(
        "LIST", b'* LIST () "/" "x&ABs-[2Jy"\r\n'), codes=(0, 1))
    yield Case(name + "escape-bidi-name", escape, amid(
        "LIST", b'* LIST () "/" "x&IC4-y"\r\n'), codes=(0, 1))
    yield Case(name + "escape-keyword", escape, edit(
        "FETCH", rb"FLAGS \(", b"FLAGS (\x1b[31m "), codes=(0, 1, 4),
        lies=True)
    yield Case(name + "escape-id", escape, instead(
        "ID", b'* ID ("name" "' + evil + b'")\r\n' + OK))
    yield Case(name + "escape-probe", escape, first(
        "ID|LIST|NAMESPACE", b"* OK [ALERT] " + evil + b"\r\n"),
        amid("LIST", b'* LIST () "/" "x&ABs-[2Jy"\r\n'),
        arguments=["-vv", "probe", "far"], codes=(0, 4), lies=True)
    yield Case(name + "escape-plain-text", escape, instead(
        "LIST", b"%TAG% NO " + evil + b"\r\n"), arguments=["sync"],
        codes=(1, 3, 4))
    yield Case(name + "escape-plan", escape, amid(
        "LIST", b'* LIST () "/" "x&ABs-[2Jy"\r\n'), arguments=["plan"],
        codes=(8, 3, 1))
    for verb in ("LIST", "SELECT", "BODY", "STORE", "APPEND", "EXPUNGE"):
        low = verb.lower()
        unasked = "unsolicited FETCH/EXPUNGE/EXISTS anywhere"
        yield Case(name + "unasked-fetch-" + low, unasked, amid(
            verb, b"* 1 FETCH (FLAGS (\\Deleted) UID 1)\r\n"
            b"* 2 FETCH (UID 99 FLAGS ())\r\n* 3 FETCH (BODY[] {3}\r\nabc)\r\n"),
            codes=(0, 1, 3, 4), lies=True)
        yield Case(name + "unasked-expunge-" + low, unasked, amid(
            verb, b"* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n"), codes=(0, 1, 3, 4))
        yield Case(name + "unasked-exists-" + low, unasked, amid(
            verb, b"* 4000000000 EXISTS\r\n* 7 RECENT\r\n"), codes=(0, 1, 3, 4))
        yield Case(name + "exists-shrinks-" + low, "EXISTS shrinking", amid(
            verb, b"* 2 EXISTS\r\n* 0 EXISTS\r\n"), codes=(0, 1, 3, 4))
    for number in (b"0", b"7", b"4294967295", b"99999999999"):
        yield Case(name + "expunge-" + number.decode(), "EXPUNGE 0 or > EXISTS",
                   amid("SELECT|FETCH", b"* " + number + b" EXPUNGE\r\n"),
                   codes=(0, 1, 3, 4))
    sets = "SEARCH/ESEARCH with 2^32-wide sets"
    for tier in ("condstore", "resync"):
        for label, uids in (("huge", b"1:4294967295"), ("unknown", b"500:600"),
                            ("zero", b"0"), ("star", b"1:*"),
                            ("comma", b"1:2,"), ("back", b"9:1")):
            yield Case(name + "vanished-%s-%s" % (label, tier), "VANISHED for "
                       "unknown or huge ranges 1:4294967295", amid(
                           "SELECT|FETCH", b"* VANISHED " + uids + b"\r\n"),
                       tier=tier, codes=(0, 1, 3, 4))
            yield Case(name + "earlier-%s-%s" % (label, tier), "VANISHED for "
                       "unknown or huge ranges 1:4294967295", amid(
                           "SELECT", b"* VANISHED (EARLIER) " + uids + b"\r\n"),
                       tier=tier, codes=(0, 1, 3, 4))
        yield Case(name + "esearch-huge-" + tier, sets, lie(
            "SEARCH", b'* ESEARCH (TAG "%TAG%") UID ALL 1:4294967295\r\n' + OK),
            tier=tier, codes=(0, 1, 3, 4), lies=True, kilobytes=900000)
    yield Case(name + "search-huge", sets, lie(
        "SEARCH", b"* SEARCH" + b" 4294967295" * 60000 + b"\r\n" + OK),
        lies=True)
    yield Case(name + "search-other-tag", sets, lie(
        "SEARCH", b'* ESEARCH (TAG "zz") UID ALL 1:9\r\n' + OK), tier="resync",
        lies=True)


def _early_append(session, when, name, _out):
    """To a literal that waits for "+": OK at once."""
    if when == "command" and name == "APPEND":
        return OK
    return None


class _Reversed:
    """Holds an answer back until the next one, and says that first."""

    def __init__(self):
        self.held = {}

    def __call__(self, session, when, name, out):
        if when != "answer" or name not in ("STATUS", "SELECT", "STORE"):
            return None
        held = self.held.pop(id(session), None)
        if held is None and name == "STATUS":
            self.held[id(session)] = out.replace(
                b"%TAG%", session.tag.encode())
            return b""
        return out + (held or b"") if held else None


def _many_uids(session, when, name, out):
    if when != "command" or name != "FETCH":
        return None
    for start in range(1, 300000, 1000):
        session.client.sendall(b"".join(
            b"* %d FETCH (UID %d FLAGS ())\r\n" % (i, i)
            for i in range(start, start + 1000)))
    return OK


def _slowly(session, when, _name, out):
    if when == "answer" and len(out) < 4000:
        for byte in out:
            session.client.sendall(bytes([byte]))
        return b""
    return None


def _uids():
    name = "uids/"
    validity = ("UIDVALIDITY missing, 0, changing between SELECT and APPENDUID, "
                "changing mid-session")
    nxt = "UIDNEXT missing, 0, smaller than known UIDs, decreasing"
    both = "SELECT|STATUS|LIST"
    for tier in ("plain", "condstore", "resync"):
        more = {"tier": tier, "codes": (0, 1, 3, 4)}
        yield Case(name + "no-validity-" + tier, validity, edit(
            both, rb"\* OK \[UIDVALIDITY \d+\][^\r]*\r\n| UIDVALIDITY \d+",
            b""), **more)
        for value in (b"0", b"4294967296", b"-1", b"x"):
            yield Case(name + "validity-%s-%s" % (value.decode(), tier),
                       validity, edit(both, rb"UIDVALIDITY \d+",
                                      b"UIDVALIDITY " + value), **more)
        yield Case(name + "validity-changes-" + tier, validity, edit(
            "SELECT", rb"UIDVALIDITY \d+", b"UIDVALIDITY 77"), **more)
        yield Case(name + "validity-each-time-" + tier, validity, _ever_new,
                   **more)
        yield Case(name + "validity-amid-" + tier, validity, amid(
            "FETCH|BODY|STORE", b"* OK [UIDVALIDITY 99] now\r\n"), **more)
        yield Case(name + "no-next-" + tier, nxt, edit(
            both, rb"\* OK \[UIDNEXT \d+\][^\r]*\r\n| ?UIDNEXT \d+", b""),
            **more)
        for value in (b"0", b"1", b"3", b"4294967295", b"4294967296"):
            yield Case(name + "next-%s-%s" % (value.decode(), tier), nxt, edit(
                both, rb"UIDNEXT \d+", b"UIDNEXT " + value), **more)
        yield Case(name + "next-decreases-" + tier, nxt, amid(
            "SELECT|FETCH", b"* OK [UIDNEXT 2] less\r\n"), **more)
        yield Case(name + "no-modseq-" + tier, "HIGHESTMODSEQ missing, 0, going "
                   "back, 2^63, NOMODSEQ", edit(
                       both, rb"\* OK \[HIGHESTMODSEQ \d+\][^\r]*\r\n"
                       rb"| HIGHESTMODSEQ \d+", b""), **more)
        yield Case(name + "order-" + tier, "UIDs out of order", _Shuffled(),
                   **more)
        yield Case(name + "reused-" + tier, "UIDs reused", edit(
            "FETCH", rb"UID 7 ", b"UID 6 "), lies=True, **more)
        yield Case(name + "repeated-" + tier, "UIDs repeated", edit(
            "FETCH", rb"(\* \d+ FETCH [^\r]*\r\n)", rb"\1\1"), **more)
        yield Case(name + "zero-" + tier, "UIDs 0", edit(
            "FETCH", rb"UID 7 ", b"UID 0 "), lies=True, **more)
        yield Case(name + "past-next-" + tier, "UIDs > UIDNEXT", edit(
            "FETCH", rb"UID 7 ", b"UID 5000 "), lies=True, **more)
        yield Case(name + "last-" + tier, "UID 4294967295", edit(
            "FETCH", rb"UID 7 ", b"UID 4294967295 "), lies=True, **more)
        yield Case(name + "all-last-" + tier, "UID 4294967295", edit(
            "FETCH", rb"UID \d+ ", b"UID 4294967295 "), lies=True, **more)
        yield Case(name + "other-content-" + tier, "same UID, other content", edit(
            "FETCH", rb"RFC822.SIZE \d+", b"RFC822.SIZE 17"), **more)
    for value in (b"0", b"1", b"9223372036854775807", b"9223372036854775808",
                  b"18446744073709551615", b"18446744073709551616"):
        for tier in ("condstore", "resync"):
            yield Case(name + "modseq-%s-%s" % (value.decode(), tier),
                       "HIGHESTMODSEQ missing, 0, going back, 2^63, NOMODSEQ",
                       edit(both, rb"HIGHESTMODSEQ \d+", b"HIGHESTMODSEQ "
                            + value), tier=tier, codes=(0, 1, 3, 4), lies=True)
    yield Case(name + "nomodseq", "HIGHESTMODSEQ missing, 0, going back, 2^63, "
               "NOMODSEQ", edit("SELECT", rb"HIGHESTMODSEQ \d+", b"NOMODSEQ"),
               tier="resync", codes=(0, 1, 3, 4))
    yield Case(name + "changedsince-omits", "CHANGEDSINCE that omits changes",
               lie("FETCH", OK), tier="condstore", codes=(0, 1, 3, 4),
               lies=True, spoils=("m7",))
    yield Case(name + "qresync-omits", "CHANGEDSINCE that omits changes", edit(
        "SELECT", rb"\* \d+ FETCH [^\r]*\r\n", b""), tier="resync",
        codes=(0, 1, 3, 4), lies=True)
    for uids in (b"1", b"1:2", b"1:6", b"1:4294967295"):
        yield Case(name + "earlier-live-" + uids.decode(), "QRESYNC VANISHED"
                   "(EARLIER) naming live messages", amid(
                       "SELECT", b"* VANISHED (EARLIER) " + uids + b"\r\n"),
                   tier="resync", codes=(0, 1, 3, 4))
    for command, code in (("APPEND", b"APPENDUID"), ("STORE", b"APPENDUID"),
                          ("BODY", b"APPENDUID"), ("SELECT", b"COPYUID"),
                          ("NOOP", b"APPENDUID"), ("LIST", b"COPYUID"),
                          ("APPEND", b"COPYUID"), ("EXPUNGE", b"COPYUID")):
        for label, values in (
                ("wrong-validity", b"1 2"), ("zero", b"0 0"),
                ("huge", b"1001 4294967295"), ("known", b"1001 1"),
                ("three", b"1001 1:3 9"), ("unsorted", b"1001 9,3,1 1,2,3"),
                ("overlapping", b"1001 1:5,2:3 1:5,2:3"),
                ("empty", b""), ("words", b"x y z"), ("wide", b"1001 1:4294967295 "
                                                      b"1:4294967295")):
            yield Case(name + "%s-%s-%s" % (
                code.decode().lower(), label, command.lower()),
                "APPENDUID/COPYUID on the wrong command, wrong UIDVALIDITY, "
                "wrong counts, unsorted, overlapping, for another mailbox",
                edit(command, rb"(?<=OK )(?:\[[^\]]*\] )?(?=[a-z ]*\r\n\Z)",
                     b"[" + code + b" " + values + b"] "),
                # Servers that merge equal messages do say such UIDs.
                doubles=("m8",) if label == "known" else (),
                spoils=("m8",) if label == "known" else (),
                lies=command == "APPEND", codes=(0, 1, 3, 4))
    yield Case(name + "copyuid-twice", "APPENDUID/COPYUID on the wrong command, "
               "wrong UIDVALIDITY, wrong counts, unsorted, overlapping, for "
               "another mailbox", amid("APPEND", b"* OK [APPENDUID 1001 1] a\r\n"
                                       b"* OK [COPYUID 1001 1:9 1:9] b\r\n"),
               codes=(0, 1, 3, 4))
    yield Case(name + "appenduid-other-folder", "APPENDUID/COPYUID on the wrong "
               "command, wrong UIDVALIDITY, wrong counts, unsorted, "
               "overlapping, for another mailbox", edit(
                   "APPEND", rb"APPENDUID \d+", b"APPENDUID 1002"),
               codes=(0, 1, 3, 4), lies=True)


def _ever_new(session, when, name, out):
    import re
    if when != "answer" or name not in ("SELECT", "STATUS", "LIST"):
        return None
    session.store.count = getattr(session.store, "count", 5000) + 1
    return re.sub(rb"UIDVALIDITY \d+", b"UIDVALIDITY %d" % session.store.count,
                  out)


class _Shuffled:
    def __call__(self, session, when, name, out):
        if when != "answer" or name != "FETCH":
            return None
        lines = out.split(b"\r\n")
        fetches = [line for line in lines if b" FETCH (" in line]
        others = [line for line in lines if b" FETCH (" not in line]
        return b"\r\n".join(fetches[::-1] + others)


def _partial():
    name = "partial/"
    fewer = "listing cut with tagged OK but fewer than EXISTS"
    for tier in ("plain", "condstore", "resync"):
        more = {"tier": tier, "codes": (0, 1, 3, 4)}
        yield Case(name + "fewer-" + tier, fewer, edit(
            "FETCH", rb"\* 2 FETCH [^\r]*\r\n", b""), **more)
        # One that is new and one that is gone hide each other in the count.
        hidden = ("m7",) if tier != "plain" else ()
        yield Case(name + "none-" + tier, fewer, edit(
            "FETCH", rb"\* \d+ FETCH [^\r]*\r\n", b""), lies=bool(hidden),
            spoils=hidden, **more)
        yield Case(name + "search-fewer-" + tier, fewer, edit(
            "SEARCH", rb"(SEARCH|ALL) [^\r]*", rb"\1 1"), **more)
        yield Case(name + "search-none-" + tier, fewer, lie("SEARCH", OK),
                   **more)
        yield Case(name + "body-missing-" + tier, "FETCH OK with messages "
                   "missing", lie("BODY", OK), codes=(1,), tier=tier)
        yield Case(name + "body-nil-" + tier, "BODY[] NIL", lie(
            "BODY", b"* 6 FETCH (UID 7 BODY[] NIL)\r\n" + OK), codes=(1,),
            tier=tier)
        yield Case(name + "header-missing-" + tier, "FETCH OK with messages "
                   "missing", lie("HEADER", OK), tier=tier, world="new",
                   codes=(0, 1, 4))
    yield Case(name + "expunged-fetch", "FETCH of an expunged message", lie(
        "BODY", b"* 6 EXPUNGE\r\n%TAG% NO [EXPUNGEISSUED] gone\r\n"),
        codes=(0, 1, 4))
    yield Case(name + "body-empty", "BODY[] empty", lie(
        "BODY", b'* 6 FETCH (UID 7 BODY[] "")\r\n' + OK), codes=(1,))
    yield Case(name + "body-quoted", "BODY[] empty", lie(
        "BODY", b'* 6 FETCH (UID 7 BODY[] "Subject: x")\r\n' + OK),
        codes=(0, 1), spoils=("m7",), lies=True)
    yield Case(name + "body-other-uid", "FETCH OK with messages missing", edit(
        "BODY", rb"UID \d+", b"UID 1"), codes=(1, 4))
    yield Case(name + "body-no-uid", "FETCH OK with messages missing", edit(
        "BODY", rb"UID \d+ ", b""), codes=(0, 1, 4))
    yield Case(name + "body-twice", "different bytes on 2 fetches", edit(
        "BODY", rb"(\* \d+ FETCH .*?\r\n\))(\r\n)", rb"\1\2\1\2"),
        codes=(0, 1, 4))
    yield Case(name + "size-lies", "wrong size vs RFC822.SIZE", edit(
        FETCHES, rb"RFC822.SIZE \d+", b"RFC822.SIZE 999999"), codes=(0, 1, 4))
    yield Case(name + "size-zero", "wrong size vs RFC822.SIZE", edit(
        FETCHES, rb"RFC822.SIZE \d+", b"RFC822.SIZE 0"), codes=(0, 1, 4))
    yield Case(name + "bytes-differ", "different bytes on 2 fetches", _ever_other,
               codes=(0, 1, 4), lies=True, spoils=("m7",))
    yield Case(name + "store-not-kept", "STORE OK but flag not set", lie(
        "STORE", OK), codes=(0, 1, 3, 4), lies=True)
    yield Case(name + "store-nothing", "STORE OK but flag not set", instead(
        "STORE", OK), codes=(0, 1, 3, 4), lies=True)
    yield Case(name + "permanentflags-lie", "PERMANENTFLAGS lying", edit(
        "SELECT", rb"PERMANENTFLAGS \([^)]*\)", b"PERMANENTFLAGS ()"),
        codes=(0, 1), lies=True)
    yield Case(name + "permanentflags-twice", "PERMANENTFLAGS lying", edit(
        "SELECT", rb"(\* OK \[PERMANENTFLAGS)", rb"\1 (\\X)] x\r\n\1"))
    yield Case(name + "read-only", "read-only SELECT", edit(
        "SELECT", rb"READ-WRITE", b"READ-ONLY"), codes=(0, 1))
    yield Case(name + "read-only-refuses", "read-only SELECT", edit(
        "SELECT", rb"READ-WRITE", b"READ-ONLY"), instead(
            "STORE|EXPUNGE|APPEND", b"%TAG% NO read-only\r\n"), codes=(1,),
        # A message of this size was refused: nothing like it is deleted.
        honest_codes=(0, 1, 3))
    for label, answer in (("no", b"NO not this one"),
                          ("trycreate", b"NO [TRYCREATE] no folder"),
                          ("overquota", b"NO [OVERQUOTA] full"),
                          ("toobig", b"NO [TOOBIG] large"),
                          ("bad", b"BAD what?"),
                          ("limit", b"NO [LIMIT] too many"),
                          ("noperm", b"NO [NOPERM] you may not")):
        yield Case(name + "append-" + label, "APPEND NO after a full upload, "
                   "TRYCREATE, OVERQUOTA, TOOBIG", instead(
                       "APPEND", b"%TAG% " + answer + b"\r\n"), codes=(1,),
                   honest_codes=(0, 1))
    yield Case(name + "append-late", "APPEND late commit", lie(
        "APPEND", HANG_UP), codes=(0, 1, 4))
    yield Case(name + "append-late-once", "APPEND late commit", once(lie(
        "APPEND", HANG_UP)), codes=(0,))
    yield Case(name + "append-no-but-kept", "APPEND late commit", lie(
        "APPEND", b"%TAG% NO failed\r\n"), codes=(0, 1), lies=True,
        honest_codes=(0, 1))
    yield Case(name + "append-not-kept", "APPEND OK without storing", instead(
        "APPEND", OK), codes=(0, 1, 3, 4), lies=True)
    yield Case(name + "append-not-kept-uid", "APPEND OK without storing", instead(
        "APPEND", b"%TAG% OK [APPENDUID 1001 8] added\r\n"), codes=(0, 1, 3, 4),
        lies=True, spoils=("m8",))
    for verb in ("MOVE", "COPY"):
        low = verb.lower()
        for label, trick, more in (
                ("nothing", instead(verb, OK), {"lies": True}),
                ("false-uids", instead(verb, b"%TAG% OK [COPYUID 1002 1:2 4:5]"
                                       b" done\r\n"), {"lies": True}),
                ("no-answer", lie(verb, HANG_UP), {}),
                ("no-code", lie(verb, OK), {}),
                ("no", lie(verb, b"%TAG% NO in part\r\n"), {}),
                ("refused", instead(verb, b"%TAG% NO no\r\n"), {}),
                ("half", once(_half_move), {})):
            yield Case(name + "%s-%s" % (low, label), "MOVE partially done; COPY "
                       "OK without copy", trick, prepare=_move_locally,
                       codes=(0, 1, 3, 4), spoils=("m1", "m2"),
                       caps={} if verb == "MOVE" else {
                           "after": "IMAP4rev1 UIDPLUS UNSELECT LITERAL+"},
                       deletes={("INBOX", 1), ("INBOX", 2)},
                       check=_moved_once, **more)
    yield Case(name + "delete-refused", "DELETE of a non-empty folder", instead(
        "DELETE", b"%TAG% NO [INUSE] it is not empty\r\n"),
        prepare=_remove_folder, codes=(0, 1, 3, 4),
        spoils=("w1", "w2", "w3"), deletes={("Work", i) for i in (1, 2, 3)})
    yield Case(name + "delete-not-done", "DELETE of a non-empty folder", instead(
        "DELETE", OK), prepare=_remove_folder, codes=(0, 1, 3, 4), lies=True,
        spoils=("w1", "w2", "w3"), deletes={("Work", i) for i in (1, 2, 3)})
    for verb, label in (("CREATE", "create"), ("SUBSCRIBE", "subscribe")):
        yield Case(name + label + "-refused", "DELETE of a non-empty folder",
                   instead(verb, b"%TAG% NO no\r\n"), prepare=_new_folder,
                   codes=(0, 1))
        yield Case(name + label + "-not-done", "DELETE of a non-empty folder",
                   instead(verb, OK), prepare=_new_folder, codes=(0, 1, 3, 4),
                   lies=True)
    inbox, work = b'* LIST () "/" INBOX\r\n', b'* LIST () "/" Work\r\n'
    for label, listed, codes in (
            ("empty", b"", (3, 4)), ("no-inbox", work, (0, 1, 3, 4)),
            ("inbox-only", inbox, (0, 1, 3, 4)),
            ("noselect", b'* LIST (\\Noselect) "/" INBOX\r\n' + work,
             (0, 1, 3, 4)),
            ("nonexistent", b'* LIST (\\NonExistent) "/" Work\r\n' + inbox,
             (0, 1, 3, 4)),
            ("mixed-case", b'* LIST () "/" InBoX\r\n' + work, (0,)),
            ("inbox-twice", inbox + b'* LIST () "/" Inbox\r\n' + work,
             (0, 1, 3, 4)),
            ("work-twice", inbox + work + work, (0, 1, 3, 4))):
        yield Case(name + "list-" + label, "LIST empty, LIST without INBOX, "
                   "\\Noselect, \\NonExistent, INBOX in mixed case", instead(
                       "LIST", listed + OK), codes=codes, lies=True,
                   mend=_forget_nothing)
    yield Case(name + "list-changes", "LIST different each time", _list_changes,
               codes=(0, 1, 3, 4), lies=True)
    yield Case(name + "status-lies", "listing cut with tagged OK but fewer than "
               "EXISTS", edit("STATUS|LIST", rb"MESSAGES \d+", b"MESSAGES 0"),
               codes=(0, 1, 3, 4))
    yield Case(name + "status-other", "listing cut with tagged OK but fewer than "
               "EXISTS", edit("STATUS", rb"\* STATUS \S+", b"* STATUS other"),
               codes=(0, 1, 3, 4))
    yield Case(name + "select-other", "read-only SELECT", edit(
        "SELECT", rb"\* \d+ EXISTS", b"* 0 EXISTS"), codes=(0, 1, 3, 4),
        tier="resync")


def _ever_other(session, when, name, out):
    if when != "answer" or name != "BODY":
        return None
    session.store.count = getattr(session.store, "count", 0) + 1
    return out.replace(b"BODYC", b"OTHER" if session.store.count % 2
                       else b"DIFFR")


def _half_move(session, when, name, _out):
    """Does it to the first message only, and says OK."""
    if when != "command" or name not in ("MOVE", "COPY"):
        return None
    rows = session.rows()[:1]
    for row in rows:
        session.store.place(session.box, row, session.store.boxes["Work"],
                            name == "MOVE")
    return OK


def _files(world, folder):
    import os
    for part in ("cur", "new"):
        place = world.path("disk", folder, part)
        for file in sorted(os.listdir(place)):
            path = os.path.join(place, file)
            with open(path, "rb") as stream:
                yield path, stream.read()


def _move_locally(world, _store):
    import os
    for path, text in list(_files(world, "INBOX")):
        if b"Subject: m1\n" in text or b"Subject: m2\n" in text:
            os.rename(path, path.replace("/INBOX/", "/Work/"))


def _moved_once(world, store, _result):
    """At every instant, somewhere on each side."""
    from hostile_world import body_of, digest
    for name in ("m1", "m2"):
        for side in (world.local("nested"), world.remote(store)):
            if not any(box.get(digest(body_of(name))) for box in side.values()):
                yield "%s is nowhere" % name


def _remove_folder(world, _store):
    import shutil
    shutil.rmtree(world.path("disk", "Work"))


def _new_folder(world, _store):
    import os
    for part in ("cur", "new", "tmp"):
        os.makedirs(world.path("disk", "Fresh", part))


def _forget_nothing(_world, _store):
    pass


def _list_changes(session, when, name, out):
    if when != "answer" or name != "LIST":
        return None
    session.store.count = getattr(session.store, "count", 0) + 1
    if session.store.count % 2:
        return out.replace(b'"Work"', b'"Elsewhere"')
    return None


def _messages():
    from hostile_messages import MESSAGES
    for label, of, bodies in MESSAGES:
        def prepare(world, store, bodies=bodies):
            from hostile_messages import add
            add(world, store, bodies)
        yield Case("messages/" + label, of, prepare=prepare, codes=(0, 1),
                   honest_codes=(0, 1))
        yield Case("messages/local-" + label, of,
                   prepare=lambda world, store, bodies=bodies:
                   add_local(world, bodies), codes=(0, 1), honest_codes=(0, 1))
    for date in (b"32-Foo-0000 00:00:00 +0000", b"01-Jan-0000 00:00:00 +0000",
                 b"31-Dec-9999 23:59:60 +9999", b"19-Jan-2039 03:14:08 +0000",
                 b"01-Jan-1969 00:00:00 +0000", b"", b"x" * 3000,
                 b"01-Jan-99999999999 00:00:00 +0000"):
        yield Case("messages/date-" + (date[:22].decode().replace(" ", "_")
                                       or "empty"),
                   "dates 0000, 9999, > 2038, INTERNALDATE \"32-Foo-0000\"",
                   edit(FETCHES, rb'INTERNALDATE "[^"]*"',
                        b'INTERNALDATE "' + date + b'"'), codes=(0, 1, 4))


def add_local(world, bodies):
    from hostile_messages import add_files
    add_files(world, bodies)


def _cves():
    def of(number):
        return "CVE-" + number
    yield Case("cve/2021-20247-traversal", of("2021-20247"), amid(
        "LIST", b'* LIST () "/" "../../home/.evil"\r\n* LIST () "/" "a/../../x"'
        b'\r\n* LIST () "/" ".."\r\n* LSUB () "/" "../y"\r\n'), codes=(0, 1))
    yield Case("cve/2021-20247-absolute", of("2021-20247"), amid(
        "LIST", b'* LIST () "/" "/tmp/evil"\r\n* LIST () "/" "~/evil"\r\n'),
        codes=(0, 1))
    yield Case("cve/2021-20247-encoded", of("2021-20247"), amid(
        "LIST", b'* LIST () "/" "&AC4ALg-/evil"\r\n* LIST () "/" "a&AC8-b"\r\n'),
        codes=(0, 1))
    yield Case("cve/2021-3578-appenduid", of("2021-3578"), first(
        "LIST|SELECT|FETCH|BODY|STORE|EXPUNGE", b"* OK [APPENDUID 1 2] a\r\n"
        b"* OK [COPYUID 1 2 3] b\r\n"))
    yield Case("cve/2021-3578-tagged", of("2021-3578"), edit(
        "LIST|SELECT|FETCH|BODY|STORE|EXPUNGE", rb"OK (\[[^\]]*\] )?(?=[a-z ]*"
        rb"\r\n\Z)", b"OK [APPENDUID 1001 99] "))
    for size in (b"4294967295", b"4294967294", b"2147483647", b"4294967296"):
        yield Case("cve/2021-3657-" + size.decode(), of("2021-3657"), instead(
            "BODY", b"* 6 FETCH (UID 7 BODY[] {" + size + b"}\r\nx" + HANG_UP),
            codes=(1, 4))
        yield Case("cve/2021-3657-name-" + size.decode(), of("2021-3657"),
                   instead("LIST", b'* LIST () "/" {' + size + b"}\r\nx"
                           + HANG_UP), codes=(4,))
    for label, body in (("no-header", b"\r\nonly a body\r\n"),
                        ("only-cr", b"\r"), ("one-line", b"x"),
                        ("colon", b":"), ("no-end", b"Subject")):
        yield Case("cve/2021-44143-" + label, of("2021-44143"),
                   prepare=lambda world, store, body=body:
                   store.append(store.boxes["INBOX"], body, set(), 1770026400)
                   and None, codes=(0, 1))
    yield Case("cve/2018-14349-no-without-text", of("2018-14349"), instead(
        "SELECT", b"%TAG% NO\r\n"), codes=(1, 3, 4))
    yield Case("cve/2018-14362-dots-in-names", of("2018-14362"), amid(
        "LIST", b'* LIST () "/" ";/../x"\r\n'), codes=(0, 1))
    yield Case("cve/2018-14357-backquotes", of("2018-14357"), amid(
        "LIST", b'* LIST () "/" "`touch canary-2`$(touch canary-3)"\r\n'),
        codes=(0, 1))
    yield Case("cve/2018-14350-long-date", of("2018-14350"), edit(
        FETCHES, rb'INTERNALDATE "', b'INTERNALDATE "' + b"9" * 2000),
        codes=(0, 1, 4))
    yield Case("cve/2021-32055-trailing-comma", of("2021-32055"), amid(
        "SELECT", b"* VANISHED (EARLIER) 1:2,\r\n"), tier="resync",
        codes=(0, 1, 3, 4))
    yield Case("cve/2021-36386-long-log-line", of("2021-36386"), amid(
        "SELECT", b"* OK [ALERT] " + b"%s%n\xff" * 50000 + b"\r\n"))
    yield Case("cve/2017-1000257-fetch-size-0", of("2017-1000257"), instead(
        "BODY", b"* 6 FETCH (UID 7 BODY[] {0}\r\n)\r\n" + OK), codes=(1,))
    yield Case("cve/2022-4121-empty-status", of("2022-4121"), instead(
        "STATUS", b"* STATUS\r\n* STATUS INBOX\r\n* STATUS INBOX ()\r\n"
        b"* STATUS INBOX NIL\r\n" + OK), codes=(0, 1, 3, 4))
    yield Case("cve/2020-16117-capability", of("2020-16117"), first(
        "LIST", b"* CAPABILITY\r\n* CAPABILITY \r\n"), greet(
            b"* OK [CAPABILITY] hi\r\n"))


CASES = (list(_lexical()) + list(_response()) + list(_uids()) + list(_partial())
         + list(_messages()) + list(hostile_names.cases())
         + list(hostile_disk.cases()) + list(hostile_tls.cases())
         + list(_cves()) + list(hostile_tls.cves()))
