"""What each provider's server says and does, as data for tests/lib/provider.py.

Every profile is laid over DEFAULTS. A value on the command line (KEY=VALUE)
goes over both; numbers are numbers there, words are words.
"""
from provider_store import LabelStore, MergingStore, Store

FLAGS = "\\Seen \\Answered \\Flagged \\Deleted \\Draft"

DEFAULTS = {
    "store": Store,
    "greeting": "ready",
    "before": "IMAP4rev1 SASL-IR AUTH=PLAIN",
    "after": "IMAP4rev1 UIDPLUS MOVE UNSELECT LITERAL+",
    "tells_caps": True,         # CAPABILITY in the answer to the login
    "folders": [("INBOX", "")],
    "folds_case": False,        # names that differ by case are one
    "storable": FLAGS + " \\*",  # PERMANENTFLAGS
    "forgets": "",              # flags that STORE says OK to, and does not set
    "refuses": "",              # flags that it does not take though it says so
    "keyword_answer": "",       # to STORE and APPEND with another keyword
    "merge": "",                # existing | vanish: see MergingStore
    "echo": False,              # FETCH lines in spite of .SILENT
    "size_factor": 1,           # RFC822.SIZE is that many times too large
    "rebuild": "",              # once | each: MIME is not what came in
    "swapped": False,           # items of FETCH in another order
    "raw_lines": "",            # a line that is no IMAP, before SELECT's OK
    "blank_status": False,      # a blank at the end of STATUS
    "bare_modseq": False,       # [HIGHESTMODSEQ n] and no text
    "window": 0,                # messages of a folder that are visible
    "unavailable": "",          # subjects of mail that is listed, not delivered
    "poison": "",               # a text in messages that it hangs up at
    "empty_once": "",           # the same, the first time only
    "empty_body": "",           # the same: BODY[] is NIL
    "line_max": 8192,           # octets of a command
    "errors_max": 0,            # commands in error before it hangs up
    "connections": 0,           # at once
    "injects": False,           # a proxy that writes into the stream
    "says_enabled": True,
    "false_vanished": False,    # VANISHED names what is there
    "needs_id": False,          # before SELECT
    "append_max": 0,
    "throttle": 0,              # messages read before it asks for a rest
    "rest": 300,                # of so many milliseconds
    "throttle_answer": "NO [THROTTLED] slow down",
    "throttle_bye": "",
    "certificate": "",          # a file with key and certificate: TLS
}

PROFILES = {
    # The truth, on the second port: no lies, no windows, no whims.
    "witness": {},

    "gmail": {
        "store": LabelStore,
        "greeting": "Gimap ready for requests from 127.0.0.1 k4mb1234",
        "before": "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN "
                  "X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN "
                  "AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER",
        "after": "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN "
                 "X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE "
                 "ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- "
                 "SPECIAL-USE APPENDLIMIT=35651584",
        "folders": [("INBOX", ""), ("[Gmail]", "\\Noselect"),
                    ("[Gmail]/All Mail", "\\All"),
                    ("[Gmail]/Drafts", "\\Drafts"),
                    ("[Gmail]/Important", "\\Important"),
                    ("[Gmail]/Sent Mail", "\\Sent"),
                    ("[Gmail]/Spam", "\\Junk"),
                    ("[Gmail]/Starred", "\\Flagged"),
                    ("[Gmail]/Trash", "\\Trash")],
        "merge": "existing",
        "echo": True,
        "bare_modseq": True,
        "connections": 15,
        "append_max": 35651584,
        "throttle_answer": "NO [THROTTLED] Account exceeded command or "
                           "bandwidth limits. (Failure)",
    },

    "exchange": {
        "greeting": "The Microsoft Exchange IMAP4 service is ready. [abc=]",
        "before": "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS "
                  "MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
        "after": "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS "
                 "MOVE ID UNSELECT CLIENTACCESSRULES "
                 "CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN "
                 "IDLE NAMESPACE LITERAL+",
        "tells_caps": False,
        "folders": [("INBOX", ""), ("Calendar", ""), ("Contacts", ""),
                    ("Deleted Items", ""), ("Drafts", ""),
                    ("Journal", ""), ("Junk Email", ""), ("Notes", ""),
                    ("Sent Items", ""), ("Tasks", "")],
        "folds_case": True,
        "storable": FLAGS + " $MDNSent",
        "keyword_answer": "BAD Command Argument Error. 11",
        "size_factor": 3,
        "rebuild": "each",
        "swapped": True,
        "raw_lines": "Server Unavailable. 15",
        "blank_status": True,
        "line_max": 10000,
        "errors_max": 10,
        "connections": 20,
        "throttle_answer": "BAD Request is throttled. Suggested Backoff Time: "
                           "%d milliseconds",
        "throttle_bye": "Connection closed. 14",
    },

    "icloud": {
        "greeting": "iCloud IMAP ready",
        "before": "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN "
                  "AUTH=PLAIN AUTH=ATOKEN2 AUTH=XOAUTH2",
        "after": "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ENABLE QRESYNC "
                 "QUOTA XAPPLELITERAL NAMESPACE UIDPLUS CHILDREN BINARY "
                 "UNSELECT SORT CATENATE ESEARCH ESORT WITHIN SASL-IR "
                 "SEARCHRES ID X-UNAUTHENTICATE IDLE LIST-STATUS",
        "folders": [("INBOX", ""), ("Archive", ""), ("Deleted Messages", ""),
                    ("Drafts", ""), ("Junk", ""), ("Sent Messages", "")],
        "injects": True,
        "says_enabled": False,
        "false_vanished": True,
    },

    "yahoo": {
        "greeting": "IMAP4rev1 imapgate-1.0 ready",
        "before": "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 "
                  "AUTH=OAUTHBEARER ID MOVE NAMESPACE XYMHIGHESTMODSEQ "
                  "UIDPLUS LITERAL+ CHILDREN X-MSG-EXT UNSELECT OBJECTID",
        "after": "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS "
                 "LITERAL+ CHILDREN X-MSG-EXT UNSELECT OBJECTID",
        "folders": [("INBOX", ""), ("Archive", "\\Archive"),
                    ("Bulk", "\\Junk"), ("Draft", "\\Drafts"),
                    ("Sent", "\\Sent"), ("Trash", "\\Trash")],
        "window": 10000,
        "line_max": 1000,
        "connections": 5,
    },

    "proton": {
        "store": MergingStore,
        "greeting": "gluon session ID 1",
        "before": "IMAP4rev1 AUTH=PLAIN ID IDLE MOVE STARTTLS UIDPLUS UNSELECT",
        "after": "IMAP4rev1 ID IDLE MOVE UIDPLUS UNSELECT",
        "folders": [("INBOX", ""), ("All Mail", "\\All"),
                    ("Archive", "\\Archive"), ("Drafts", "\\Drafts"),
                    ("Folders", "\\Noselect"), ("Labels", "\\Noselect"),
                    ("Sent", "\\Sent"), ("Spam", "\\Junk"),
                    ("Starred", "\\Flagged"), ("Trash", "\\Trash"),
                    ("Folders/Work", ""), ("Labels/Blue", "")],
        "storable": FLAGS + " $Forwarded",
        "keyword_answer": "NO operation not allowed",
        "merge": "existing",
        "size_factor": 2,
        "rebuild": "once",
    },

    "fastmail": {
        "greeting": "Cyrus IMAP ready",
        "before": "IMAP4rev1 LITERAL+ ID ENABLE AUTH=PLAIN SASL-IR",
        "after": "IMAP4rev1 LITERAL+ ID ENABLE ACL BINARY CATENATE CHILDREN "
                 "CONDSTORE ESEARCH ESORT LIST-EXTENDED LIST-STATUS MOVE "
                 "NAMESPACE OBJECTID QRESYNC QUOTA SAVEDATE SPECIAL-USE "
                 "STATUS=SIZE UIDPLUS UNSELECT WITHIN IDLE "
                 "APPENDLIMIT=71000000",
        "folders": [("INBOX", ""), ("Archive", "\\Archive"),
                    ("Drafts", "\\Drafts"), ("Junk Mail", "\\Junk"),
                    ("Sent Items", "\\Sent"), ("Trash", "\\Trash")],
        "echo": True,
    },

    # 163.com and its sisters.
    "coremail": {
        "greeting": "Coremail System IMap Server Ready(163com)",
        "before": "IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS "
                  "APPENDLIMIT=71680000 AUTH=PLAIN",
        "after": "IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ UIDPLUS",
        "tells_caps": False,
        "folders": [("INBOX", ""), ("&XfJT0ZAB-", "\\Sent")],
        "needs_id": True,
        "storable": FLAGS,
    },
}


def profile(name, overrides):
    options = dict(DEFAULTS)
    options.update(PROFILES[name])
    for text in overrides:
        key, _, value = text.partition("=")
        if key not in options:
            raise SystemExit("provider.py: no such key: " + key)
        options[key] = int(value) if value.isdigit() else value
    return options
