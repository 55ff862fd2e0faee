/* Servers that lie, flood and break off. */
#include <stdio.h>

#include "tests/unit/transcript.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define X10  "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define IN "S: * PREAUTH [CAPABILITY IMAP4rev1] hi\nE: ready 1\n"

/* clang-format off */
static const struct transcript transcripts[] = {
    {.name = "no size: -1",
     .lines = IN "S: * LIST () NIL {-1}\n"
              "E: fail PROTOCOL: literal without a valid size: "
              "* LIST () NIL {-1}\n"},
    {.name = "no size: nothing",
     .lines = IN "S: * LIST () NIL {}\n"
              "E: fail PROTOCOL: literal without a valid size: "
              "* LIST () NIL {}\n"},
    {.name = "a size past all bounds",
     .lines = IN "S: * 1 FETCH (BODY[] {99999999999999999999}\n"
              "E: fail PROTOCOL: literal without a valid size: "
              "* 1 FETCH (BODY[] {99999999999999999999}\n"},
    {.name = "too large a name",
     .lines = IN "S: * LIST () NIL {2147483648}\n"
              "E: fail LIMIT: too long or too many literals in a response: "
              "* LIST () NIL {2147483648}\n"},
    {.name = "too large a message",
     .lines = IN "S: * 1 FETCH (BODY[] {9223372036854775807}\n"
              "E: fail LIMIT: a message of 9223372036854775807 bytes: "
              "* 1 FETCH (BODY[] {9223372036854775807}\n"},
    {.name = "a body that is too short",
     .lines = IN "S: * 1 FETCH (UID 1 BODY[] {4}\nS: a)\nS: * 2 EXISTS\n"
              "E: body uid=1 size=4\nE: end data=<a)\r\nE: >\n"
              "E: fail PROTOCOL: not understood: * 2 EXISTS\n"},
    {.name = "a body that is too long",
     .lines = IN "S: * 1 FETCH (UID 1 BODY[] {3}\nS: abcdef)\n"
              "E: body uid=1 size=3\nE: end data=<abc>\n"
              "E: fail PROTOCOL: not understood: def)\n"},
    {.name = "a body in the wrong place",
     .lines = IN "S: * 1 FETCH (X (BODY[] {3}\nS: abc))\n"
              "E: fail PROTOCOL: not understood: * 1 FETCH (X (BODY[] {3}\n"},
    {.name = "a body of nobody",
     .lines = IN "S: * 4294967296 FETCH (BODY[] {3}\nS: abc)\nS: * 1 EXISTS\n"
              "E: exists 1\n"},
    {.name = "sense lost behind a body",
     .lines = IN "S: * 1 FETCH (UID 1 BODY[] \"a\" (\n"
              "E: body uid=1 size=1\nE: end data=<a>\n"
              "E: fail PROTOCOL: not understood: "
              "* 1 FETCH (UID 1 BODY[] \"a\" (\n"},
    {.name = "BYE in front of a body's end",
     .lines = IN "S: * 1 FETCH (UID 1 BODY[] {100}\nS: abc\nS: * BYE\n"
              "E: body uid=1 size=100\n"},
    {.name = "a response that ends where a body follows",
     .lines = IN "S: * 1 FETCH (UID 1) BODY[] {3}\nS: abc)\n"
              "E: fail PROTOCOL: not understood: "
              "* 1 FETCH (UID 1) BODY[] {3}\n"},
    {.name = "more than a line of the log holds",
     .lines = IN "S: * XYZZY " X100 X100 X100 X100 X100 X100 X100 X100 X100
              X100 X100 "\nS: * 1 EXISTS\n"
              "E: exists 1\n"},
    {.name = "deeper than anybody nests",
     .lines = IN "S: * 1 FETCH (X ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((\n"
              "E: fail LIMIT: too many parentheses inside each other: "
              "* 1 FETCH (X (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((...\n"},
    {.name = "a set that is none",
     .lines = IN "S: * VANISHED 1,2,\n"
              "E: fail PROTOCOL: not understood: * VANISHED 1,2,\n"},
    {.name = "a long line is cut in the text",
     .lines = IN "S: * VANISHED 0123456789012345678901234567890123456789012345"
              "6789012345678901234567890123456789012345678901234567890123456\n"
              "E: fail PROTOCOL: not understood: * VANISHED 012345678901234567"
              "89012345678901234567890123456789012345678901234567890123456789"
              "012345678...\n"},
    {.name = "escapes in a line are shown",
     .lines = IN "S: * VANISHED \033]0;pwned\007 \377\n"
              "E: fail PROTOCOL: not understood: "
              "* VANISHED \\x1B]0;pwned\\x07 \\xFF\n"},
};

/* clang-format on */

static struct session *ready_session(struct keywords *keywords)
{
    const struct session_options options = {
        .user = "bob", .password = "sesame", .tls = true, .keywords = keywords};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err;

    session_feed(session, B("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"));
    (void)session_next(session, &event, &err);
    return session;
}

/* Feed @line until the session fails, @max times at most: returns how often;
 * what it fails with into @r. */
static size_t flood(struct bytes line, size_t max, int *r)
{
    struct keywords *keywords = keywords_new();
    struct session *session = ready_session(keywords);
    struct session_event event;
    struct err err;
    size_t n = 0;

    do {
        session_feed(session, line);
        while ((*r = session_next(session, &event, &err)) == 0)
            continue;
    } while (*r == 1 && ++n < max);
    session_free(session);
    keywords_free(keywords);
    return n;
}

static void test_floods(void)
{
    int r;

    ok(flood(B("junk\r\n"), 1000, &r) == SESSION_JUNK_LINES_MAX &&
           r == ERR_PROTOCOL,
       "junk is borne for a while");
    ok(flood(B("\r\n"), 1000, &r) == SESSION_JUNK_LINES_MAX &&
           r == ERR_PROTOCOL,
       "so are empty lines");
    ok(flood(B("* 1 EXISTS\r\n* OK hi\r\n"), 100000, &r) == 100000 && r == 1,
       "sense for ever");
    ok(flood(B("x"), SIZE_MAX, &r) == SESSION_LINE_BYTES_MAX && r == ERR_LIMIT,
       "a line without end, byte by byte");
}

/* xorshift: the same damage in each run. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static const char stream[] =
    "* OK [CAPABILITY IMAP4rev1 ID AUTH=PLAIN] {3}\r\n"
    "* 1 FETCH (UID 7 FLAGS (\\Seen kw) BODY[] {5}\r\nab\r\nc MODSEQ (5))\r\n"
    "* 2 FETCH (BODY[HEADER.FIELDS (\"A\")] \"x\\\"y\" X {2}\r\n() UID 3)\r\n"
    "* LIST (\\Noselect) \"/\" {3}\r\na b (\"X\" (y))\r\n"
    "* STATUS \"a\" (MESSAGES 3 X (1 NIL))\r\n"
    "* ESEARCH UID ALL 1:5,7 COUNT 6\r\n* SEARCH 3 2 1 (MODSEQ 4)\r\n"
    "* VANISHED (EARLIER) 1:9\r\n* NAMESPACE ((\"a\" \"/\")) NIL NIL\r\n"
    "* OK [COPYUID 1 2:3 4,6] x\r\n* 3 EXPUNGE\r\na1 OK [MODIFIED 3] y\r\n"
    "* OK [PERMANENTFLAGS (\\Draft x \\*)]\r\n* ENABLED X\r\n+ go\r\n";

/* Change up to four bytes of @text, cut some out or put some in twice. */
static size_t damage(char *text, size_t len, size_t max, uint32_t *state)
{
    static const char bytes[] = "\0\r\n {}()[]<>\"\\*+:,0159aN\377";
    uint32_t n = 1 + next_random(state) % 4;

    while (n-- > 0) {
        size_t at = next_random(state) % len;
        size_t part = next_random(state) % 12;

        if (part > len - at)
            part = len - at;
        if (next_random(state) % 3 == 0 && len > 100) {
            memmove(text + at, text + at + part, len - at - part);
            len -= part;
        } else if (next_random(state) % 3 == 0 && len + part <= max) {
            memmove(text + at + part, text + at, len - at);
            len += part;
        } else {
            text[at] = bytes[next_random(state) % (sizeof(bytes) - 1)];
        }
    }
    return len;
}

/* Does the owner get what the contract promises, whatever comes in? */
static bool is_orderly(struct session *session, uint64_t *left, bool *in_body)
{
    struct session_event event;
    struct err err;
    int r;

    while ((r = session_next(session, &event, &err)) == 0) {
        switch (event.kind) {
        case SESSION_BODY:
            if (*in_body)
                return false;
            *in_body = true;
            *left = event.body_size;
            break;
        case SESSION_BODY_DATA:
            if (!*in_body || event.data.len > *left || event.data.len == 0)
                return false;
            *left -= event.data.len;
            break;
        case SESSION_BODY_END:
            if (!*in_body || *left != 0)
                return false;
            *in_body = false;
            break;
        default:
            if (*in_body)
                return false;
            break;
        }
    }
    return r == 1 || (r < 0 && err.text[0] != '\0');
}

static void test_damage(void)
{
    uint32_t state = 123456789;
    size_t bad = 0;
    int i;

    for (i = 0; i < 20000; i++) {
        struct keywords *keywords = keywords_new();
        struct session *session = ready_session(keywords);
        char text[2 * sizeof(stream)];
        size_t len, at;
        uint64_t left = 0;
        bool in_body = false;

        (void)session_send(session, "NOOP");
        session_sent(session, session_output(session).len);
        memcpy(text, stream, sizeof(stream) - 1);
        len = damage(text, sizeof(stream) - 1, sizeof(text), &state);
        for (at = 0; at < len;) {
            size_t n = 1 + next_random(&state) % 200;

            if (n > len - at)
                n = len - at;
            session_feed(session, (struct bytes){text + at, n});
            bad += !is_orderly(session, &left, &in_body);
            at += n;
        }
        session_free(session);
        keywords_free(keywords);
    }
    ok(bad == 0, "20000 damaged streams");
}

int main(void)
{
    size_t i;

    for (i = 0; i < COUNT(transcripts); i++)
        check_transcript(&transcripts[i]);
    test_floods();
    test_damage();
    return done_testing();
}
