/* What a session tells once it is logged in, and how it says commands. */
#include <stdio.h>

#include "tests/unit/transcript.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Logged in, and that event. */
#define IN "S: * PREAUTH [CAPABILITY IMAP4rev1] hi\nE: ready 1\n"

/* clang-format off */
static const struct transcript transcripts[] = {
    {.name = "SELECT with QRESYNC",
     .lines = IN
              ">: SELECT INBOX (QRESYNC (67890007 20050715194045000 1:150))\n"
              "C: a1 SELECT INBOX (QRESYNC (67890007 20050715194045000 1:150))\n"
              "S: * OK [CLOSED] old one left\n"
              "S: * 314 EXISTS\n"
              "S: * 15 RECENT\n"
              "S: * FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen)\n"
              "S: * OK [PERMANENTFLAGS (\\Seen \\Draft $Junk x \\*)] some\n"
              "S: * OK [UIDVALIDITY 67890007] UIDVALIDITY\n"
              "S: * OK [UIDNEXT 567] next\n"
              "S: * OK [HIGHESTMODSEQ 90060115205545359] highest\n"
              "S: * VANISHED (EARLIER) 41,43:116,118,120:211\n"
              "S: * 49 FETCH (UID 117 FLAGS (\\Seen \\Answered) MODSEQ (90060115194045001))\n"
              "S: * 50 FETCH (FLAGS ($Junk \\Foo \\Recent b a) UID 119 MODSEQ (90060115194045308))\n"
              "S: a1 OK [READ-WRITE] mailbox selected\n"
              "E: code OK code=8 text=<[CLOSED] old one left>\n"
              "E: exists 314\n"
              "E: code OK code=19 system=17 any=1 keywords=<$Junk x> text=<[PERMANENTFLAGS (\\Seen \\Draft $Junk x \\*)] some>\n"
              "E: code OK code=28 number=67890007 text=<[UIDVALIDITY 67890007] UIDVALIDITY>\n"
              "E: code OK code=27 number=567 text=<[UIDNEXT 567] next>\n"
              "E: code OK code=11 number=90060115205545359 text=<[HIGHESTMODSEQ 90060115205545359] highest>\n"
              "E: vanished earlier set=41,43:116,118,120:211\n"
              "E: fetch uid=117 flags=3 modseq=90060115194045001\n"
              "E: fetch uid=119 flags=0 keywords=<$Junk a b> modseq=90060115194045308\n"
              "E: tagged 1 OK code=22 text=<[READ-WRITE] mailbox selected>\n"},
    {.name = "bodies in all forms and places",
     .lines = IN
              ">: UID FETCH 1:9 (UID BODY.PEEK[])\n"
              "C: a1 UID FETCH 1:9 (UID BODY.PEEK[])\n"
              "S: * 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {12}\n"
              "S: From: me\n"
              "S: \n"
              "S: )\n"
              "S: * 2 FETCH (BODY[] {3}\n"
              "S: abc UID 2 RFC822.SIZE 3)\n"
              "S: * 3 FETCH (UID 3 BODY[] {0}\n"
              "S: )\n"
              "S: * 4 FETCH (UID 4 BODY[] NIL)\n"
              "S: * 5 FETCH (UID 5 BODY[] \"quo\\\"ted\" FLAGS ())\n"
              "S: * 6 FETCH (UID 6 BODY[] \"\")\n"
              "S: * 7 FETCH (UID 7 BODY[HEADER.FIELDS (DATE \"FROM]\")] {9}\n"
              "S: Date: x\n"
              "S:  BODY[]<0> {2}\n"
              "S: \\x)\n"
              "S: * 8 FETCH (UID 8 BODY[] \"one\" BODY[HEADER] {3}\n"
              "S: two BODY[HEADER] \"three\")\n"
              "S: * 9 fetch (uid 9 body[] ~{7+}\n"
              "S: {5}\n"
              "S: \n"
              "S: )\n"
              "S: a1 OK done {7}\n"
              "E: body uid=1 size=12\nE: end data=<From: me\r\nE: \r\nE: >\n"
              "E: fetch uid=1 flags=1 body\n"
              "E: body uid=0 size=3\nE: end data=<abc>\nE: fetch uid=2 size=3 body\n"
              "E: body uid=3 size=0\nE: end data=<>\nE: fetch uid=3 body\n"
              "E: fetch uid=4 nil\n"
              "E: body uid=5 size=7\nE: end data=<quo\"ted>\nE: fetch uid=5 flags=0 body\n"
              "E: body uid=6 size=0\nE: end data=<>\nE: fetch uid=6 body\n"
              "E: body uid=7 size=9 header\nE: end data=<Date: x\r\nE: >\n"
              "E: body uid=7 size=2\nE: end data=<\\x>\nE: fetch uid=7 body\n"
              "E: body uid=8 size=3\nE: end data=<one>\n"
              "E: body uid=8 size=3 header\nE: end data=<two>\n"
              "E: body uid=8 size=5 header\nE: end data=<three>\nE: fetch uid=8 body\n"
              "E: body uid=9 size=7\nE: end data=<{5}\r\nE: \r\nE: >\nE: fetch uid=9 body\n"
              "E: tagged 1 OK code=0 text=<done {7}>\n"},
    {.name = "LIST with STATUS",
     .lines = IN
              "S: * LIST (\\HasNoChildren \\Marked) \"/\" INBOX\n"
              "S: * LIST (\\Noselect) \".\" \"a b\\\"c\\\\d\"\n"
              "S: * LIST (\\NonExistent \\Subscribed) \"\\\\\" {6}\n"
              "S: a\"b {5 ()\n"
              "S: * list (\\Noinferiors \\haschildren \\Sent) NIL &Jjo-!\n"
              "S: * LIST () \"/\" Foo/Bar (\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
              "S: * LSUB () \"\" #news.a\n"
              "S: * LIST () \"/\" \"un\"escaped\"\n"
              "S: * STATUS INBOX (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 7 HIGHESTMODSEQ 9 SIZE 5000000000 )\n"
              "S: * STATUS {3}\n"
              "S: a b (MESSAGES 0 UIDNEXT 0 UIDVALIDITY -1 HIGHESTMODSEQ 0 FOO (BAR {1}\n"
              "S: x \"y\") SIZE 0)\n"
              "S: * STATUS \"a\" ()\n"
              "S: * STATUS a (MESSAGES 4294967296 MAILBOXID (F2212ea87))\n"
              "S: * STATUS a (MESSAGES 4 MAILBOXID ())\n"
              "S: * STATUS a (MESSAGES 4 MAILBOXID (a.b))\n"
              "S: * STATUS a (MESSAGES 4 MAILBOXID (\x01\xfe" "()\n"
              "E: list 0 / name=<INBOX>\n"
              "E: list 1 . name=<a b\"c\\d>\n"
              "E: list 5 \\ name=<a\"b {5>\n"
              "E: list 522 NIL name=<&Jjo-!>\n"
              "E: list 0 / name=<Foo/Bar>\n"
              "E: list 4 NIL name=<#news.a>\n"
              "E: list 0 / name=<un\"escaped>\n"
              "E: status name=<INBOX> messages=231 uidnext=44292 uidvalidity=7 modseq=9 size=5000000000\n"
              "E: status name=<a b> messages=0 size=0\n"
              "E: status name=<a>\n"
              "E: status name=<a> id=65efeeb540bde16d\n"
              "E: status name=<a> messages=4\n"
              "E: status name=<a> messages=4\n"
              "E: status name=<a> messages=4\n"},
    {.name = "UID sets",
     .lines = IN
              ">: UID SEARCH RETURN (ALL) ALL\n"
              "C: a1 UID SEARCH RETURN (ALL) ALL\n"
              "S: * SEARCH\n"
              "S: * SEARCH 2 3 5 0 9 7  (MODSEQ 917)\n"
              "S: * ESEARCH (TAG \"a1\") UID MIN 1 ALL 1:5,7 COUNT 6\n"
              "S: * ESEARCH (TAG \"a1\") UID COUNT 0\n"
              "S: * ESEARCH UID ALL 4294967295\n"
              "S: * VANISHED 1:4294967295\n"
              "S: a1 OK\n"
              "E: search\nE: search set=2:3,5,7,9\nE: search set=1:5,7\n"
              "E: search\nE: search set=4294967295\n"
              "E: vanished set=1:4294967295\n"
              "E: tagged 1 OK code=0 text=<>\n"},
    {.name = "ESEARCH for nobody",
     .lines = IN
              "S: * ESEARCH (TAG \"a1\") UID ALL 1\n"
              "E: fail PROTOCOL: not understood: * ESEARCH (TAG \"a1\") UID ALL 1\n"},
    {.name = "response codes",
     .lines = IN
              "S: * OK [COPYUID 38505 304,319:320 3956:3958] done\n"
              "S: * [COPYUID 38505 1 2]\n"
              "S: [COPYUID 38505 3 4] no star\n"
              "S: * OK [APPENDUID 38505 3955:3957] in\n"
              "S: * NO [OVERQUOTA] full\n"
              "S: * BAD\n"
              "S: * OK [HIGHESTMODSEQ 0]\n"
              "S: * OK [UIDVALIDITY 0]\n"
              "S: * OK [MODIFIED 7,9:12] some failed\n"
              "S: * OK [X-UNHEARD (of \"it\")] text\n"
              "S: * OK [ALERT no end\n"
              "S: * OK see {5}\n"
              "S: * BYE and away\n"
              "E: code OK code=9 number=38505 set2=304,319:320 set=3956:3958 text=<[COPYUID 38505 304,319:320 3956:3958] done>\n"
              "E: code OK code=9 number=38505 set2=1 set=2 text=<[COPYUID 38505 1 2]>\n"
              "E: code OK code=9 number=38505 set2=3 set=4 text=<[COPYUID 38505 3 4] no star>\n"
              "E: code OK code=4 number=38505 set=3955:3957 text=<[APPENDUID 38505 3955:3957] in>\n"
              "E: code NO code=18 text=<[OVERQUOTA] full>\n"
              "E: code BAD code=0 text=<>\n"
              "E: code OK code=11 text=<[HIGHESTMODSEQ 0]>\n"
              "E: code OK code=28 text=<[UIDVALIDITY 0]>\n"
              "E: code OK code=14 set=7,9:12 text=<[MODIFIED 7,9:12] some failed>\n"
              "E: code OK code=1 text=<[X-UNHEARD (of \"it\")] text>\n"
              "E: code OK code=2 text=<[ALERT no end>\n"
              "E: code OK code=0 text=<see {5}>\n"
              "E: bye text=<and away>\n"},
    {.name = "response codes that say nothing",
     .lines = IN
              "S: * OK [COPYUID 1 1:3 5:6] unequal\n"
              "S: * OK [COPYUID 1 3,1 5:6] unsorted\n"
              "S: * OK [COPYUID 1 1:* 5] star\n"
              "S: * OK [COPYUID 1 1, 5] comma\n"
              "S: * OK [COPYUID 0 1 5] zero\n"
              "S: * OK [APPENDUID 1 0] zero\n"
              "S: * OK [APPENDUID 4294967296 1] large\n"
              "S: * OK [HIGHESTMODSEQ 9223372036854775808] large\n"
              "S: * OK [HIGHESTMODSEQ -1] small\n"
              "S: * OK [UIDNEXT +5] sign\n"
              "E: code OK code=1 text=<[COPYUID 1 1:3 5:6] unequal>\n"
              "E: code OK code=1 text=<[COPYUID 1 3,1 5:6] unsorted>\n"
              "E: code OK code=1 text=<[COPYUID 1 1:* 5] star>\n"
              "E: code OK code=1 text=<[COPYUID 1 1, 5] comma>\n"
              "E: code OK code=1 text=<[COPYUID 0 1 5] zero>\n"
              "E: code OK code=1 text=<[APPENDUID 1 0] zero>\n"
              "E: code OK code=1 text=<[APPENDUID 4294967296 1] large>\n"
              "E: code OK code=1 text=<[HIGHESTMODSEQ 9223372036854775808] large>\n"
              "E: code OK code=1 text=<[HIGHESTMODSEQ -1] small>\n"
              "E: code OK code=1 text=<[UIDNEXT +5] sign>\n"},
    {.name = "FETCH items, broken and unknown",
     .lines = IN
              "S: * 0 FETCH (FLAGS (\\Seen))\n"
              "S: *  5  FETCH  ( UID  7  FLAGS  ( \\sEEN ) )\n"
              "S: * 1 FETCH (FLAGS NIL UID 1)\n"
              "S: * 1 FETCH (FLAGS (\"\\\\Seen\" \"\\Draft\" \"kw\") UID 1)\n"
              "S: * 1 FETCH (UID 0 RFC822.SIZE -5 MODSEQ (0))\n"
              "S: * 1 FETCH (UID 4294967296 RFC822.SIZE 1.5 MODSEQ (-1))\n"
              "S: * 1 FETCH (UID 5 MODSEQ (9223372036854775808) INTERNALDATE \"00-Jan-0000 00:00:00 +0000\")\n"
              "S: * 1 FETCH (INTERNALDATE \" 1-Jan-1970 01:00:01 +0100\" UID 3)\n"
              "S: * 1 FETCH (X-GM-LABELS (a {3}\n"
              "S: b)c \"d\" (\\Inbox NIL)) ENVELOPE (NIL \"sub\"ject\" ((NIL {0}\n"
              "S:  NIL))) BODY (\"TEXT\" NIL 5) X-LINES -1.5e3 UID 6 RFC822.SIZE 99)\n"
              "S: * 1 FETCH (UID 7 X-A] [ BINARY[1] \"x\" UID 8)\n"
              "S: * 117 UIDFETCH (FLAGS (\\Deleted) MODSEQ (65402))\n"
              "S: * 1 FETCH ()\n"
              "E: fetch flags=1\nE: fetch uid=7 flags=1\nE: fetch uid=1 flags=0\n"
              "E: fetch uid=1 flags=17 keywords=<kw>\n"
              "E: fetch\nE: fetch size=1\nE: fetch uid=5\nE: fetch uid=3 date=1\n"
              "E: fetch uid=6 size=99\n"
              "E: fetch uid=117 flags=8 modseq=65402\n"
              "E: fetch\n"},
    {.name = "sizes in floating form",
     .lines = IN
              "S: * 1 FETCH (UID 1 RFC822.SIZE 9.3736e+06)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 12E2)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 1234.5678e1)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 999e-1)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 1e30)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 1.00000000000000000000000001)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 1e)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE 1e99)\n"
              "S: * 1 FETCH (UID 1 RFC822.SIZE .5)\n"
              "E: fetch uid=1 size=9373600\nE: fetch uid=1 size=1200\n"
              "E: fetch uid=1 size=12345\nE: fetch uid=1 size=99\n"
              "E: fetch uid=1 size=0\nE: fetch uid=1 size=1\n"
              "E: fetch uid=1\nE: fetch uid=1\nE: fetch uid=1\n"},
    {.name = "tags of nobody answer nothing",
     .lines = IN
              ">: NOOP\n"
              "C: a1 NOOP\n"
              "S: zzz999 OK not yours\n"
              "S: * OK hi\n"
              "S: a1 OK\n"
              "E: code OK code=0 text=<hi>\n"
              "E: tagged 1 OK code=0 text=<>\n"},
    {.name = "names in the server's own spelling",
     .lines = IN
              "S: * LIST () \"/\" \"back\\slash\"\n"
              "S: * LIST () \"/\" tab\x07" "bell\n"
              "S: * LIST () \"/\" Inbox\n"
              "S: * LIST () \"/\" Inbox\n"
              "S: * LSUB () \"/\" {5}\n"
              "S: a.b c\n"
              "S: * LIST () \"/\" .lock\n"
              "E: list 0 / name=<backslash>\n"
              "E: list 0 / name=<tab\x07" "bell>\n"
              "E: list 0 / name=<Inbox>\nE: list 0 / name=<Inbox>\n"
              "E: list 4 / name=<a.b c>\n"
              "E: list 0 / name=<.lock>\n"},
    {.name = "the rest",
     .lines = IN
              "S: * ENABLED CONDSTORE  QRESYNC \n"
              "S: * ENABLED\n"
              "S: * NAMESPACE ((\"INBOX.\" \".\")(\"#x\" \"/\")) NIL NIL\n"
              "S: * NAMESPACE NIL NIL NIL\n"
              "S: * NAMESPACE ((\"\" NIL)) NIL NIL\n"
              "S: + go ahead {5}\n"
              "S: +\n"
              "S: * 4294967295 EXISTS\n"
              "S: * 1 EXPUNGE \n"
              "S: * ID NIL\n"
              "S: * 5 XUNHEARD of\n"
              "S: * CAPABILITY IMAP4rev1\n"
              "s: \n"
              "E: enabled words=<CONDSTORE  QRESYNC>\nE: enabled words=<>\n"
              "E: namespace . prefix=<INBOX.>\nE: namespace 0 prefix=<>\n"
              "E: namespace 0 prefix=<>\n"
              "E: continue text=<go ahead {5}>\nE: continue text=<>\n"
              "E: exists 4294967295\nE: expunge 1\n"},
    {.name = "pipelined answers in any order",
     .lines = IN
              ">: NOOP\n>: NOOP\n>: NOOP\n"
              "C: a1 NOOP\nC: a2 NOOP\nC: a3 NOOP\n"
              "S: a2 NO [TRYCREATE] no\nS: a3  BAD\nS: a1 ok\n"
              "E: tagged 2 NO code=26 text=<[TRYCREATE] no>\n"
              "E: tagged 3 BAD code=0 text=<>\n"
              "E: tagged 1 OK code=0 text=<>\n"},
    {.name = "an answer twice",
     .lines = IN
              ">: NOOP\n"
              "C: a1 NOOP\n"
              "S: a1 OK\nS: a1 OK\n"
              "E: tagged 1 OK code=0 text=<>\n"
              "E: fail PROTOCOL: an answer to a command that was not sent: a1 OK\n"},
    {.name = "an answer too early",
     .lines = IN
              ">: NOOP\n"
              "S: a1 OK\n"
              "E: fail PROTOCOL: an answer to a command that was not sent: a1 OK\n"},
    {.name = "lines without sense are left out",
     .lines = IN
              "S: \nS: )\nS: hello\nS: *\nS: * \nS: * 5\nS: * 5 \nS: * !\n"
              "S: * LIST ( \"/\" x\nS: * LIST () \"//\" x\nS: * LIST () \"/\"\n"
              "S: * LIST () \"/\" a b\nS: * STATUS x (MESSAGES\nS: * 0 EXPUNGE\n"
              "S: * 1 FETCH\nS: * 1 FETCH (UID 1\nS: * 1 FETCH (FLAGS (\\Seen)\n"
              "S: * 1 FETCH (UID)\nS: * 1 FETCH (UID 1) x\nS: * 1 FETCH \"\n"
              "S: * 1 FETCH (UID 1 BODY[] x)\nS: * 1 FETCH (UID 1 BODY[)\n"
              "S: * 4294967296 EXISTS\nS: * -1 EXISTS\nS: * 1 EXISTS 2\n"
              "S: * NAMESPACE x\n"
              "S: * 2 EXISTS\n"
              "E: exists 2\n"},
};

/* clang-format on */

/* A session that is logged in. */
static struct session *ready_session(struct keywords *keywords,
                                     const struct log *log)
{
    const struct session_options options = {.user = "bob",
                                            .password = "sesame",
                                            .tls = true,
                                            .keywords = keywords,
                                            .log = log,
                                            .log_name = "work"};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err;

    session_feed(session, B("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"));
    (void)session_next(session, &event, &err);
    return session;
}

static void test_commands(void)
{
    struct keywords *keywords = keywords_new();
    struct session *session = ready_session(keywords, NULL);

    ok(session_begin(session) == 1, "the first tag");
    session_add(session, B("APPEND "), false);
    session_add_quoted(session, B("a \"b\\c"));
    session_printf(session, " {%u+}\r\n", 3u);
    session_add(session, B("\0\r\n"), true);
    session_end(session);
    ok(session_send(session, "%s", "NOOP") == 2, "the next tag");
    ok(bytes_equal(
           session_output(session),
           B("a1 APPEND \"a \\\"b\\\\c\" {3+}\r\n\0\r\n\r\na2 NOOP\r\n")),
       "commands as they were said");
    session_sent(session, 3);
    ok(bytes_starts_nocase(session_output(session), B("APPEND")),
       "sent bytes are gone");
    session_free(session);
    keywords_free(keywords);
}

/* NO instead of the "+" that a command's first part asks for. */
static void test_answer_before_the_end(void)
{
    struct keywords *keywords = keywords_new();
    struct session *session = ready_session(keywords, NULL);
    struct session_event event;
    struct err err;
    uint32_t tag = session_begin(session);

    session_add(session, B("APPEND x {3}\r\n"), false);
    session_sent(session, session_output(session).len);
    session_feed(session, B("a1 NO [TOOBIG] no\r\n"));
    ok(session_next(session, &event, &err) == 0 &&
           event.kind == SESSION_TAGGED && event.reply.tag == tag &&
           event.reply.code == CODE_TOOBIG,
       "a command refused at its literal");
    ok(!session_has_input(session) || session_next(session, &event, &err) == 1,
       "and no more");
    session_free(session);
    keywords_free(keywords);
}

static void test_log(void)
{
    static const char *const want = "work: C: a1 APPEND \"x\" {5+}\n"
                                    "work: C: <5 octets>\n"
                                    "work: S: * 1 FETCH (UID 1 BODY[] {6}\n"
                                    "work: S: <6 octets>\n"
                                    "work: S:  FLAGS ())\n"
                                    "work: S: * 2 FETCH (BODY[] \n"
                                    "work: S: <9 octets>\n"
                                    "work: S: * OK \\x1B[2J\n"
                                    "work: S: what\n"
                                    "work: not understood: what\n";
    struct buf wire;
    struct log log = {LOG_WIRE, to_wire, &wire};
    struct keywords *keywords = keywords_new();
    struct session *session;
    struct session_event event;
    struct err err;

    buf_init(&wire, 0);
    session = ready_session(keywords, &log);
    buf_clear(&wire);
    session_begin(session);
    session_add(session, B("APPEND "), false);
    session_add_quoted(session, B("x"));
    session_add(session, B(" {5+}\r\n"), false);
    session_add(session, B("se"), true);
    session_add(session, B("cre"), true);
    session_end(session);
    session_feed(session,
                 B("* 1 FETCH (UID 1 BODY[] {6}\r\nsecret FLAGS ())\r\n"
                   "* 2 FETCH (BODY[] \"secret\")\r\n"
                   "* OK \033[2J\r\nwhat\r\n"));
    while (session_next(session, &event, &err) == 0)
        continue;
    if (!ok(strcmp(buf_text(&wire), want) == 0, "the log shows no message"))
        printf("# got:\n%s# wanted:\n%s", buf_text(&wire), want);
    ok(session_junk_lines(session) == 1, "one line was not understood");
    session_free(session);
    keywords_free(keywords);
    buf_deinit(&wire);
}

/* Events and cursors survive bytes that are fed between two calls. */
static void test_feed_between(void)
{
    struct keywords *keywords = keywords_new();
    struct session *session = ready_session(keywords, NULL);
    struct session_event event;
    struct err err;
    char *filler = mem_new(65536, 1);
    unsigned kinds = 0;
    int r;

    memset(filler, 'x', 65536);
    session_feed(session, B("* 1 FETCH (BODY[] \"abc\" UID 5 BODY[] \"de\")\r\n"
                            "* OK "));
    while ((r = session_next(session, &event, &err)) == 0) {
        kinds = kinds * 3 + (event.kind == SESSION_BODY_DATA  ? 1
                             : event.kind == SESSION_BODY_END ? 2
                                                              : 0);
        session_feed(session, (struct bytes){filler, 65536});
    }
    ok(r == 1 && event.kind == SESSION_FETCH && event.fetch.uid == 5 &&
           kinds == (((1 * 3 + 2) * 3 + 0) * 3 + 1) * 9 + 2 * 3,
       "fed between two events");
    free(filler);
    session_free(session);
    keywords_free(keywords);
}

/* Some servers send what they did not fill of a buffer. */
static void test_leading_nuls(void)
{
    struct keywords *keywords = keywords_new();
    struct session *session = ready_session(keywords, NULL);
    struct session_event event;
    struct err err;

    session_feed(session, B("\0\0* 3 EXISTS\r\n"
                            "\0* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n"));
    ok(session_next(session, &event, &err) == 0 &&
           event.kind == SESSION_EXISTS && event.number == 3,
       "NULs in front of a line");
    ok(session_next(session, &event, &err) == 0 &&
           event.kind == SESSION_FETCH && event.fetch.uid == 7 &&
           event.fetch.flags.system == FLAG_SEEN,
       "and of a FETCH");
    ok(session_junk_lines(session) == 0, "no line was lost");
    session_free(session);
    keywords_free(keywords);
}

int main(void)
{
    size_t i;

    for (i = 0; i < COUNT(transcripts); i++)
        check_transcript(&transcripts[i]);
    test_commands();
    test_answer_before_the_end();
    test_log();
    test_feed_between();
    test_leading_nuls();
    return done_testing();
}
