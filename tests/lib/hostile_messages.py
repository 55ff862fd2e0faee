"""Messages as no program should write them: name, item, bodies with CRLF."""
HEAD = b"From: a@example.org\r\nSubject: odd\r\nDate: Mon, 02 Feb 2026 10:00:00 "\
    b"+0000\r\n"
MB = 1 << 20

MESSAGES = [
    ("empty", "0 bytes", [b""]),
    ("no-header", "no header", [b"\r\ntext\r\n", b"text without a colon\r\n"]),
    ("no-body", "no body", [HEAD + b"\r\n"]),
    ("header-only", "header only", [HEAD]),
    ("no-newline", "no final newline", [HEAD + b"\r\ntext"]),
    ("bare-cr", "bare CR", [HEAD + b"\r\na\rb\r\r\nc\r", b"\r", b"\r\r\r"]),
    ("bare-lf", "bare CR", [HEAD + b"\r\na\nb\r\nc\n", b"\n"]),
    ("crcrlf", "CRCRLF", [HEAD + b"\r\na\r\r\nb\r\r\n"]),
    ("nul", "NUL", [HEAD + b"\r\na\0b\r\n", b"Sub\0ject: x\r\n\r\n\0"]),
    ("8-bit", "8-bit", [b"Subject: \xff\xfe\x80\r\n\r\n\xe4\r\n"]),
    ("long-line", "100 MB line", [HEAD + b"\r\n" + b"x" * MB + b"\r\n"]),
    ("from-lines", "\"From \" lines", [b"From me Mon Feb  2\r\n" + HEAD
                                       + b"\r\nFrom x\r\n>From y\r\n"]),
    ("dots", "\".\" lines", [HEAD + b"\r\n.\r\n..\r\n.x\r\n"]),
    ("many-headers", "1 million headers", [
        b"".join(b"X-%d: y\r\n" % i for i in range(20000)) + b"\r\ntext\r\n"]),
    ("long-header", "1 million headers", [b"Subject: " + b"z" * MB
                                          + b"\r\n\r\ntext\r\n"]),
    ("folded-header", "1 million headers", [
        b"Subject: a\r\n" + b" b\r\n" * 20000 + b"\r\ntext\r\n"]),
    ("no-message-id", "missing/duplicate/identical/1 MB Message-ID", [
        HEAD + b"\r\n1\r\n", HEAD + b"\r\n2\r\n"]),
    ("same-message-id", "missing/duplicate/identical/1 MB Message-ID", [
        HEAD + b"Message-ID: <m1@example.org>\r\n\r\n1\r\n",
        HEAD + b"Message-ID: <m1@example.org>\r\nMessage-ID: <z@x>\r\n\r\n2\r\n"]),
    ("long-message-id", "missing/duplicate/identical/1 MB Message-ID", [
        HEAD + b"Message-ID: <" + b"i" * MB + b"@x>\r\n\r\n1\r\n"]),
    ("odd-dates", "dates 0000, 9999, > 2038, INTERNALDATE \"32-Foo-0000\"", [
        b"Date: 32 Foo 0000\r\n\r\nx\r\n", b"Date: Mon, 1 Jan 9999 99:99:99 "
        b"+9999\r\n\r\nx\r\n", b"Date: \r\n\r\ny\r\n"]),
    ("twins", "identical twins x 1,000", [HEAD + b"\r\ntwin\r\n"] * 40),
    ("looks-like-imap", "\".\" lines", [
        b"a1 OK done\r\n* BYE x\r\n{99}\r\n)\r\n" + HEAD + b"\r\n"]),
    ("mime-bomb", "1 million headers", [
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(
            b"--b\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % i
            for i in range(5000))]),
]


def add(_world, store, bodies):
    for body in bodies:
        store.append(store.boxes["INBOX"], body, set(), 1770026700)


def add_files(world, bodies):
    """As files: LF, but for what has bare CR or LF, which is kept as it is."""
    for i, body in enumerate(bodies):
        path = world.path("disk", "INBOX", "new", "17700268%02d.M1P%d.odd" % (
            i, i))
        with open(path, "wb") as file:
            file.write(body.replace(b"\r\n", b"\n"))
