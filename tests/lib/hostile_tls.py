"""TLS and STARTTLS: what is said before, instead of and besides it."""
import ssl

from hostile_case import Case
from hostile_certs import LEAVES, fingerprint
from hostile_server import (HANG_UP, RESET, PASSWORD, after, amid, edit, first,
                            greet, instead, tls_context)

GOOD = {"good", "weak-digest"}
BEFORE = "IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN"
START = {"caps": {"before": BEFORE}, "tls": "starttls", "codes": (4,),
         "recovers": False}


def _is_in_step(_world, _store, result):
    if result.code != 0:
        yield "it should have worked: exit %d" % result.code


def _with(name, **context):
    return lambda slot: tls_context(slot, name, **context)


def _start_then(data):
    """OK to STARTTLS, and more of it in the clear."""
    return after("STARTTLS", data)


def _certificates():
    for name in LEAVES:
        good = name == "good"
        for mode in ("implicit", "starttls"):
            host = "localhost" if name.startswith(("wildcard", "cn-", "nul")) \
                else "127.0.0.1"
            yield Case("tls/%s-%s" % (name, mode), "certificates: expired, wrong "
                       "name, wildcard, NUL in name, IP, self-signed, weak, "
                       "wrong EKU, not yet valid", tls=mode,
                       caps={"before": BEFORE} if mode == "starttls" else {},
                       tls_maker=_with(name, ciphers="ALL:@SECLEVEL=0"),
                       codes=(0,) if good else (4,), recovers=False,
                       lines=["host = " + host],
                       check=_is_in_step if good else None,
                       says=() if good else (rb"127.0.0.1|localhost",))


def _pins():
    def pinned(label, name, pin_of, codes, **more):
        def prepare(world, _store):
            path = world.path("conf")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("PIN", fingerprint(
                    world.certificates[pin_of])))
        return Case("tls/pin-" + label, "pinned changed", tls="implicit",
                    tls_maker=_with(name, ciphers="ALL:@SECLEVEL=0"),
                    codes=codes, recovers=False, prepare=prepare,
                    lines=["tls_fingerprint = PIN"], **more)
    yield pinned("right", "good", "good", (0,))
    yield pinned("self-signed", "self-signed", "self-signed", (0,))
    yield pinned("expired", "expired", "expired", (0,))
    yield pinned("changed", "good", "expired", (4,))
    yield pinned("of-the-ca", "good", "ca", (4,))


def _versions():
    old = ssl.TLSVersion
    for label, minimum, maximum, codes in (
            ("1.0", old.TLSv1, old.TLSv1, (4,)),
            ("1.1", old.TLSv1_1, old.TLSv1_1, (4,)),
            ("1.2", old.TLSv1_2, old.TLSv1_2, (0,)),
            ("1.3", old.TLSv1_3, old.TLSv1_3, (0,))):
        yield Case("tls/only-" + label, "TLS 1.0 only", tls="implicit",
                   tls_maker=_with("good", minimum=minimum, maximum=maximum,
                                   ciphers="ALL:@SECLEVEL=0"),
                   codes=codes, recovers=False)
    yield Case("tls/no-encryption", "weak", tls="implicit", codes=(4,),
               recovers=False, tls_maker=_with(
                   "good", maximum=old.TLSv1_2, ciphers="eNULL:@SECLEVEL=0"))
    yield Case("tls/anonymous", "weak", tls="implicit", codes=(4,),
               recovers=False, tls_maker=_with(
                   "good", maximum=old.TLSv1_2, ciphers="aNULL:@SECLEVEL=0"))
    yield Case("tls/3des", "weak", tls="implicit", codes=(4,), recovers=False,
               tls_maker=_with("good", maximum=old.TLSv1_2,
                               ciphers="AES128-SHA:@SECLEVEL=0"),
               check=None)


def _plain_after_all(session, when, name, _out):
    """STARTTLS is answered with OK, and then there is no TLS."""
    if when == "command" and name == "STARTTLS":
        return b"%TAG% OK go ahead\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] " \
            b"and now in the clear\r\n"
    return None


def _twice(_session, when, name, out):
    if when == "answer" and name == "STARTTLS":
        return out + out
    return None


def _cut_in_body(session, when, name, out):
    """The connection ends within a message, without TLS's own end."""
    if when != "answer" or name != "BODY":
        return None
    session.client.sendall(out[:out.find(b"BODYC") + 3])
    session.client.unwrap if False else None
    session.client.shutdown(2)
    return HANG_UP


def _end_in_body(session, when, name, out):
    """The same with close_notify: no less a cut."""
    if when != "answer" or name != "BODY":
        return None
    session.client.sendall(out[:out.find(b"BODYC") + 3])
    try:
        session.client.unwrap()
    except OSError:
        pass
    return HANG_UP


def _starttls():
    evil = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] injected\r\n"
    for label, data in (
            ("ok", evil), ("tagged", b"a2 OK [CAPABILITY IMAP4rev1] x\r\n"),
            ("preauth", b"* PREAUTH x\r\n"), ("byte", b"x"), ("crlf", b"\r\n"),
            ("list", b'* LIST () "/" evil\r\n'), ("bye", b"* BYE\r\n"),
            ("alert", b"\x15\x03\x03\0\x02\x02\x28")):
        yield Case("tls/injected-" + label, "STARTTLS answer with injected "
                   "plaintext after it", _start_then(data), **START)
        yield Case("tls/injected-before-" + label, "STARTTLS answer with "
                   "injected plaintext after it", first("STARTTLS", data),
                   **dict(START, codes=(0, 4), limit=60,
                          slow=label == "alert"))
    refused = "STARTTLS refused, not offered, answered twice"
    yield Case("tls/refused-no", refused, instead(
        "STARTTLS", b"%TAG% NO not now\r\n"), **START)
    yield Case("tls/refused-bad", refused, instead(
        "STARTTLS", b"%TAG% BAD what?\r\n"), **START)
    yield Case("tls/refused-bye", refused, instead(
        "STARTTLS", b"* BYE\r\n" + HANG_UP), **START)
    yield Case("tls/refused-reset", refused, instead("STARTTLS", RESET), **START)
    yield Case("tls/not-offered", refused, **dict(
        START, caps={"before": "IMAP4rev1 SASL-IR AUTH=PLAIN"},
        codes=(0, 4)))
    yield Case("tls/not-offered-refused", refused, instead(
        "STARTTLS", b"%TAG% BAD what?\r\n"), **dict(
            START, caps={"before": "IMAP4rev1 SASL-IR AUTH=PLAIN"}))
    yield Case("tls/answered-twice", refused, _twice, **START)
    yield Case("tls/answered-without-tls", refused, _plain_after_all, **START)
    yield Case("tls/garbage-handshake", refused, instead(
        "STARTTLS", b"%TAG% OK go\r\n" + bytes(range(256)) * 8 + HANG_UP),
        **START)
    yield Case("tls/cut-handshake", refused, instead(
        "STARTTLS", b"%TAG% OK go\r\n" + HANG_UP), **START)
    yield Case("tls/preauth", "PREAUTH greeting (with TLS required)", greet(
        b"* PREAUTH [CAPABILITY IMAP4rev1] come in\r\n"), **START)
    yield Case("tls/preauth-no-caps", "PREAUTH greeting (with TLS required)",
               greet(b"* PREAUTH come in\r\n"), **START)
    yield Case("tls/logindisabled", "LOGINDISABLED", **dict(
        START, codes=(5,), caps={"before": "IMAP4rev1 STARTTLS LOGINDISABLED"}))
    yield Case("tls/logindisabled-after", "LOGINDISABLED", _no_login,
               **dict(START, codes=(4, 5)))
    yield Case("tls/caps-forgotten", "CAPABILITY before TLS forgotten", edit(
        "CAPABILITY", rb"CAPABILITY [^\r]*", b"CAPABILITY IMAP4rev1"),
        **dict(START, codes=(0, 4, 5), caps={
            "before": "IMAP4rev1 STARTTLS AUTH=X-EVIL AUTH=PLAIN "
                      "COMPRESS=DEFLATE"}))
    yield Case("tls/other-mechanism", "AUTH answer asking for another mechanism",
               instead("AUTHENTICATE", b"+ PLAIN please use LOGIN\r\n"
                       b"%TAG% NO [AUTHENTICATIONFAILED] use LOGIN\r\n"),
               **dict(START, codes=(4, 5)))
    yield Case("tls/auth-endless", "AUTH answer asking for another mechanism",
               instead("AUTHENTICATE", b"+ \r\n" * 2000 + HANG_UP),
               **dict(START, codes=(4, 5)))
    yield Case("tls/no-plaintext", "downgrade on reconnect", greet(
        b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] no TLS here\r\n"), instead(
            "STARTTLS", b"%TAG% BAD no TLS here\r\n"), **START)
    yield Case("tls/downgrade", "downgrade on reconnect", _worse_later,
               **dict(START, codes=(4,)))


def _no_login(session, when, name, out):
    if when == "answer" and name == "CAPABILITY":
        return b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n%TAG% OK done\r\n"
    return None


def _worse_later(session, when, name, _out):
    """The first connection is cut; the next is told that there is no TLS."""
    count = session.store.__dict__.setdefault("clients", [])
    if when == "connect":
        count.append(session)
        if len(count) > 1:
            return b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] no TLS any more\r\n"
    if when == "command" and name == "STARTTLS" and len(count) > 1:
        return b"%TAG% BAD no TLS any more\r\n"
    if when == "command" and name in ("LIST", "SELECT") and len(count) == 1:
        return HANG_UP
    return None


def _streams():
    cut = "close without close_notify inside a literal"
    more = {"tls": "implicit", "codes": (1, 4)}
    yield Case("tls/cut-in-body", cut, _cut_in_body, recovers=False, **more)
    yield Case("tls/end-in-body", cut, _end_in_body, recovers=False, **more)
    yield Case("tls/cut-in-list", cut, instead(
        "LIST", b'* LIST () "/" {9}\r\nINB' + HANG_UP), recovers=False, **more)
    yield Case("tls/plain-on-tls-port", "truncated close", tls="implicit",
               codes=(4,), recovers=False, tls_maker=_no_tls)
    yield Case("tls/silent-port", "truncated close", tls="implicit", codes=(4,),
               recovers=False, tls_maker=_silent_tls, slow=True, limit=150)
    yield Case("tls/good-known", "session resumption against another name",
               tls="implicit", codes=(0,), recovers=False)


class _Instead(Exception):
    pass


class _NoTls:
    def __init__(self, data):
        self.data = data

    def wrap_socket(self, client, server_side=True):
        assert server_side
        client.sendall(self.data)
        if not self.data:
            while client.recv(1 << 16):
                pass
        raise OSError("no TLS here")


def _no_tls(_slot):
    return _NoTls(b"* OK IMAP4rev1 ready\r\n")


def _silent_tls(_slot):
    return _NoTls(b"")


def cases():
    for part in (_certificates, _pins, _versions, _starttls, _streams):
        yield from part()


def cves():
    evil = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] injected\r\n"
    yield Case("cve/2013-0289-host-name", "CVE-2013-0289", tls="implicit",
               tls_maker=_with("wrong-name"), codes=(4,), recovers=False)
    yield Case("cve/2009-2666-nul-in-name", "CVE-2009-2666", tls="implicit",
               tls_maker=_with("nul-in-name"), codes=(4,), recovers=False,
               lines=["host = localhost"])
    yield Case("cve/2010-4532-no-check", "CVE-2010-4532", tls="implicit",
               tls_maker=_with("self-signed"), codes=(4,), recovers=False)
    yield Case("cve/2020-14154-expired-issuer", "CVE-2020-14154", tls="implicit",
               tls_maker=_with("by-expired"), codes=(4,), recovers=False)
    yield Case("cve/2020-14093-preauth", "CVE-2020-14093", greet(
        b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"), **START)
    yield Case("cve/2020-14954-injection", "CVE-2020-14954", _start_then(evil),
               **START)
    yield Case("cve/2020-28896-bad-greeting", "CVE-2020-28896", greet(
        b"OK no star\r\n* junk\r\n"), **START)
    yield Case("cve/2021-39272-preauth", "CVE-2021-39272", greet(
        b"* PREAUTH welcome\r\n"), **START)
    yield Case("cve/2021-22946-skipped", "CVE-2021-22946", instead(
        "STARTTLS", b"%TAG% OK but not really\r\n" + evil), **START)
    yield Case("cve/2012-3482-challenge", "CVE-2012-3482", instead(
        "AUTHENTICATE", b"+ " + b"A" * 100000 + b"\r\n"
        b"%TAG% NO no\r\n"), codes=(4, 5), recovers=False)
