"""The list of hostile inputs, docs/hostile-input.md: what is written there is
checked against the cases, and

    python3 tests/lib/hostile_items.py > docs/hostile-input.md

writes it anew from them."""
import collections
import os
import re
import sys

sys.dont_write_bytecode = True

TITLES = {
    "lexical": "IMAP lexical", "response": "Response logic", "uids": "UIDs",
    "partial": "Partial truth", "names": "Mailbox names",
    "messages": "Messages", "maildir": "Maildir", "confined": "Maildir",
    "state": "State database", "config": "Configuration and command line",
    "tls": "TLS", "cve": "Peers' CVEs",
}
# Shown elsewhere: (part, item) -> test, and a word that must stand in it.
ELSEWHERE = {
    ("Maildir", "case-insensitive file systems"):
        ("tests/e2e/64-two-names-one.t", "differ by case"),
    ("Maildir", "quota, full disk"): ("tests/unit/test_maildir_full.c", "tmpfs"),
    ("Maildir", "read-only mount"): ("tests/e2e/21-full-disk.t", "Goal"),
    ("Maildir", "files renamed during a scan"):
        ("tests/unit/test_maildir_storm.c", "rename"),
    ("Maildir", "writes outside of the root"):
        ("tests/unit/test_confine.c", "outside"),
    ("State database", "newer version, no space, two users, stale readers"):
        ("tests/unit/test_state_open.c", "test_newer"),
    ("Configuration and command line", "setuid: no new privileges"):
        ("tests/e2e/71-confined.t", "NoNewPrivs"),
    ("TLS", "wildcards at each level, addresses, several names"):
        ("tests/unit/test_tls.c", "a wildcard two levels up"),
    ("TLS", "SNI set"): ("tests/unit/test_tls.c", "test_server_name"),
    ("TLS", "fingerprints that are none"):
        ("tests/unit/test_tls.c", "test_parse_pin"),
    ("TLS", "records cut and damaged"): ("tests/unit/test_tls.c", "test_end"),
    ("IMAP lexical", "each transcript cut at every byte"):
        ("tests/unit/transcript.h", "behind every byte"),
    ("IMAP lexical", "damaged streams"):
        ("tests/unit/test_session_hostile.c", "damaged streams"),
}
HEAD = """# Hostile input

What a server, a disk or a user may do wrong, and the cases that show what comes of it.
`tests/torture/hostile.t` runs them (a case's name chooses it: `tests/torture/hostile.t names/dots`); a part of
them in `make check`, all in `make torture`. After each: no crash, no hang, no file outside of the roots, no secret or
message in any output, no control character on a terminal, nothing lost, doubled or deleted without a reason; and
honest runs afterwards bring both sides into step. `tests/lib/hostile_items.py` writes this list.
"""


def table(cases):
    items = collections.OrderedDict()
    for case in cases:
        part = TITLES[case.name.split("/")[0]]
        for item in case.of:
            items.setdefault((part, item), []).append(case.name)
    return items


def text(cases):
    lines, last = [HEAD], None
    items = table(cases)
    keys = list(items) + list(ELSEWHERE)
    for part in dict.fromkeys(TITLES.values()):
        lines.append("## %s\n\n| input | shown by |\n|---|---|" % part)
        for key in keys:
            if key[0] != part:
                continue
            names = items.get(key) or [ELSEWHERE[key][0]]
            shown = ", ".join("`%s`" % name for name in names[:4])
            more = ", and %d more" % (len(names) - 4) if len(names) > 4 else ""
            lines.append("| %s | %s%s |" % (key[1].replace("|", "\\|"), shown,
                                            more))
        lines.append("")
    return "\n".join(lines)


def check(tap, cases):
    """Is the list what is tested, and what it names there?"""
    with open("docs/hostile-input.md", encoding="utf-8") as file:
        written = file.read()
    names = {case.name for case in cases}
    tap.ok(len(names) == len(cases), "no two cases have one name")
    missing = [name for name in re.findall(r"`([a-z]+/[^`]+)`", written)
               if name not in names and not name.startswith("tests/")]
    tap.ok(not missing, "each case of the list exists", missing)
    tap.ok(written.split("## ", 1)[1] == text(cases).split("## ", 1)[1],
           "the list is that of the cases",
           ["python3 tests/lib/hostile_items.py > docs/hostile-input.md"])
    for (part, item), (path, word) in ELSEWHERE.items():
        with open(path, encoding="utf-8") as file:
            tap.ok(word in file.read(), "%s: %s is in %s" % (part, item, path))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import hostile_cases
    sys.stdout.write(text(hostile_cases.CASES))
