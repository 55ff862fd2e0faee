/* The way to SESSION_READY, good and bad. */
#include "tests/unit/transcript.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of a server that says at once what it offers. */
#define GREETING "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\n"
#define PLAIN    "C: a1 AUTHENTICATE PLAIN AGJvYgBzZXNhbWU=\n"

/* clang-format off */
static const struct transcript transcripts[] = {
    {.name = "one round trip: all capabilities unasked",
     .lines = GREETING PLAIN
              "S: a1 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\n"
              "E: ready 101\n"},
    {.name = "greeting without capabilities",
     .lines = "S: * OK hi\n"
              "C: a1 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\nS: a1 OK done\n"
              "C: a2 AUTHENTICATE PLAIN AGJvYgBzZXNhbWU=\n"
              "S: a2 OK in\n"
              "C: a3 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1 MOVE\nS: a3 OK\n"
              "E: ready 201\n"},
    {.name = "capabilities in front of the tagged OK are not asked again",
     .lines = GREETING PLAIN
              "S: * CAPABILITY IMAP4rev1 MOVE\nS: a1 OK in\n"
              "E: ready 201\n"},
    {.name = "ID goes out without being waited for",
     .options = {.version = "1.2.3"},
     .lines = GREETING PLAIN
              "S: a1 OK [CAPABILITY IMAP4rev1 ID] in\n"
              "E: ready 100001\n"
              ">: NOOP\n"
              "C: a2 ID (\"name\" \"mailtwin\" \"version\" \"1.2.3\")\n"
              "C: a3 NOOP\n"
              "S: * ID (\"name\" \"Dovecot\")\nS: a2 OK\nS: a3 OK\n"
              "E: tagged 3 OK code=0 text=<>\n"},
    {.name = "ID refused is nobody's business",
     .lines = GREETING PLAIN
              "S: a1 OK [CAPABILITY IMAP4rev1 ID] in\n"
              "E: ready 100001\n"
              "C: a2 ID (\"name\" \"mailtwin\")\n"
              "S: a2 BAD no\n"},
    {.name = "without SASL-IR the server asks first",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n"
              "C: a1 AUTHENTICATE PLAIN\n"
              "S: + \n"
              "C: AGJvYgBzZXNhbWU=\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "asked again in spite of SASL-IR",
     .lines = GREETING PLAIN
              "S: +\n"
              "C: AGJvYgBzZXNhbWU=\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "asked for ever",
     .lines = GREETING PLAIN
              "S: +\n"
              "C: AGJvYgBzZXNhbWU=\n"
              "S: + and your mother's name?\n"
              "E: fail PROTOCOL: the server asks for more than a user and a "
              "password\n"},
    {.name = "in before the password was sent",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n"
              "C: a1 AUTHENTICATE PLAIN\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: fail PROTOCOL: logged in before the password was asked "
              "for\n"},
    {.name = "LOGIN where there is no AUTH=PLAIN",
     .options = {.user = "b\"o\\b"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1] hi\n"
              "C: a1 LOGIN \"b\\\"o\\\\b\" \"sesame\"\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "LOGIN where it is asked for",
     .options = {.auth = SESSION_AUTH_LOGIN},
     .lines = GREETING
              "C: a1 LOGIN \"bob\" \"sesame\"\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "LOGIN with literals",
     .options = {.user = "b\303\266b", .password = "sesame\303\266"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1] hi\n"
              "C: a1 LOGIN {4}\n"
              "S: + go on\n"
              "C: b\303\266b {8}\n"
              "S: + go on\n"
              "C: sesame\303\266\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "LOGIN with literals at once",
     .options = {.user = "b\303\266b"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 LITERAL-] hi\n"
              "C: a1 LOGIN {4+}\n"
              "C: b\303\266b \"sesame\"\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "LOGIN refused at its first literal",
     .options = {.user = "b\303\266b"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1] hi\n"
              "C: a1 LOGIN {4}\n"
              "S: a1 BAD no literals\n"
              "E: fail AUTH: login refused: no literals\n"},
    {.name = "LOGINDISABLED is honoured",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\n"
              "E: fail AUTH: the server offers no login with a password\n"},
    {.name = "AUTH=PLAIN asked for and not offered",
     .options = {.auth = SESSION_AUTH_PLAIN},
     .lines = "S: * OK [CAPABILITY IMAP4rev1] hi\n"
              "E: fail AUTH: the server offers no AUTH=PLAIN\n"},
    {.name = "a line break in the user name",
     .options = {.user = "bob\r\na9 DELETE INBOX"},
     .lines = GREETING
              "E: fail AUTH: a line break in the user name or the password\n"},
    {.name = "a line break in the password",
     .options = {.password = "ses\name"},
     .lines = GREETING
              "E: fail AUTH: a line break in the user name or the password\n"},
    {.name = "wrong password",
     .lines = GREETING PLAIN
              "S: a1 NO [AUTHENTICATIONFAILED] wrong\n"
              "E: fail AUTH: login refused: [AUTHENTICATIONFAILED] wrong\n"},
    {.name = "refused without a word",
     .lines = GREETING PLAIN
              "S: a1 NO\n"
              "E: fail AUTH: login refused: the server gives no reason\n"},
    {.name = "escapes in the server's words are shown",
     .lines = GREETING PLAIN
              "S: a1 BAD \033[2J\r clear\n"
              "E: fail AUTH: login refused: \\x1B[2J\\x0D clear\n"},
    {.name = "busy: UNAVAILABLE", .lines = GREETING PLAIN
              "S: a1 NO [UNAVAILABLE] later\n"
              "E: fail BUSY: login refused: [UNAVAILABLE] later\n"},
    {.name = "busy: INUSE", .lines = GREETING PLAIN
              "S: a1 NO [INUSE] later\n"
              "E: fail BUSY: login refused: [INUSE] later\n"},
    {.name = "busy: LIMIT", .lines = GREETING PLAIN
              "S: a1 NO [LIMIT] later\n"
              "E: fail BUSY: login refused: [LIMIT] later\n"},
    {.name = "busy: THROTTLED", .lines = GREETING PLAIN
              "S: a1 NO [THROTTLED] later\n"
              "E: fail BUSY: login refused: [THROTTLED] later\n"},
    {.name = "busy: SERVERBUG", .lines = GREETING PLAIN
              "S: a1 NO [SERVERBUG] later\n"
              "E: fail BUSY: login refused: [SERVERBUG] later\n"},
    {.name = "BYE as a greeting",
     .lines = "S: * BYE too many of you\n"
              "E: fail CONNECT: the server says good-bye: too many of you\n"},
    {.name = "BYE during the login",
     .lines = GREETING PLAIN
              "S: * BYE gone\n"
              "E: fail CONNECT: the server says good-bye: gone\n"},
    {.name = "no greeting of IMAP",
     .lines = "S: 220 mail.example ESMTP\n"
              "E: fail PROTOCOL: no IMAP greeting: 220 mail.example ESMTP\n"},
    {.name = "NO as a greeting",
     .lines = "S: * NO\n"
              "E: fail PROTOCOL: no IMAP greeting\n"},
    {.name = "untagged data before the login is over",
     .lines = GREETING PLAIN
              "S: * 3 EXISTS\nS: * 1 FETCH (UID 1 BODY[] {3}\nS: abc)\n"
              "S: * 2 FETCH (BODY[] \"quoted\")\n"
              "S: * LIST () NIL x\nS: * OK [ALERT] read this\nS: junk\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "PREAUTH over TLS",
     .lines = "S: * PREAUTH [CAPABILITY IMAP4rev1] hi bob\n"
              "E: ready 1\n"},
    {.name = "PREAUTH without a list",
     .lines = "S: * PREAUTH hi bob\n"
              "C: a1 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1\nS: a1 OK\n"
              "E: ready 1\n"},
    {.name = "PREAUTH where STARTTLS is asked for",
     .options = {.starttls = true},
     .lines = "S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\n"
              "E: fail PROTOCOL: PREAUTH greeting where STARTTLS is asked "
              "for\n"},
    {.name = "PREAUTH without TLS",
     .no_tls = true,
     .lines = "S: * PREAUTH [CAPABILITY IMAP4rev1] hi\n"
              "E: fail PROTOCOL: PREAUTH greeting, which would go on without "
              "TLS\n"},
    {.name = "no password without TLS",
     .no_tls = true,
     .lines = GREETING
              "E: fail CONNECT: the password would go out in plain text; set "
              "tls = starttls or implicit, or allow_plaintext = yes\n"},
    {.name = "a password without TLS where it is allowed",
     .no_tls = true, .options = {.plaintext = true},
     .lines = GREETING PLAIN
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "LOGINDISABLED for want of TLS",
     .no_tls = true, .options = {.plaintext = true},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\n"
              "E: fail CONNECT: the server takes no password without TLS; set "
              "tls = starttls or implicit\n"},
    {.name = "STARTTLS",
     .options = {.starttls = true},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\n"
              "C: a1 STARTTLS\n"
              "S: a1 OK begin\n"
              "E: starttls\n"
              "T:\n"
              "C: a2 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\nS: a2 OK\n"
              "C: a3 AUTHENTICATE PLAIN AGJvYgBzZXNhbWU=\n"
              "S: a3 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "STARTTLS not in the greeting",
     .options = {.starttls = true},
     .lines = "S: * OK hi\n"
              "C: a1 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: a1 OK\n"
              "C: a2 STARTTLS\n"
              "S: a2 OK begin\n"
              "E: starttls\n"},
    {.name = "STARTTLS not offered",
     .options = {.starttls = true},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n"
              "C: a1 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: a1 OK\n"
              "E: fail CONNECT: the server offers no STARTTLS; set tls = "
              "implicit\n"},
    {.name = "STARTTLS refused: NO",
     .options = {.starttls = true},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n"
              "C: a1 STARTTLS\n"
              "S: a1 NO not today\n"
              "E: fail CONNECT: STARTTLS refused: not today\n"},
    {.name = "STARTTLS refused: BAD",
     .options = {.starttls = true},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n"
              "C: a1 STARTTLS\n"
              "S: a1 BAD what\n"
              "E: fail CONNECT: STARTTLS refused: what\n"},
    {.name = "capabilities from before TLS are forgotten",
     .options = {.starttls = true},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN] hi\n"
              "C: a1 STARTTLS\n"
              "S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\n"
              "S: * OK [ALERT] call this number\n"
              "S: a1 OK begin\n"
              "E: starttls\n"
              "T:\n"
              "C: a2 CAPABILITY\n"
              "S: * CAPABILITY IMAP4rev1 LOGINDISABLED\nS: a2 OK\n"
              "E: fail AUTH: the server offers no login with a password\n"},
    {.name = "an answer before the command was sent",
     .lines = GREETING
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: fail PROTOCOL: an answer to a command that was not sent: "
              "a1 OK [CAPABILITY IMAP4rev1] in\n"},
    {.name = "an answer to nobody",
     .lines = GREETING PLAIN
              "S: a2 OK in\n"
              "E: fail PROTOCOL: an answer to a command that was not sent: "
              "a2 OK in\n"},
    {.name = "a tag that looks like ours",
     .lines = GREETING PLAIN
              "S: a01 OK in\n"
              "E: fail PROTOCOL: an answer to a command that was not sent: "
              "a01 OK in\n"},
};

/* clang-format on */

/* Bytes behind the answer to STARTTLS: whether they come in the same segment
 * or later depends on the cut, but they are never taken for the server's. */
static void test_injection(void)
{
    static const char answer[] = "a1 OK begin\r\n* OK [CAPABILITY X] x\r\n";
    const struct session_options options = {
        .user = "bob", .password = "sesame", .starttls = true};
    size_t cut;

    for (cut = 1; cut < sizeof(answer); cut++) {
        struct session *session = session_new(&options);
        struct session_event event;
        struct err err;
        bool asked = false;
        int r;

        session_feed(session, B("* OK [CAPABILITY STARTTLS] hi\r\n"));
        ok(session_next(session, &event, &err) == 1, "greeting");
        session_sent(session, session_output(session).len);
        session_feed(session, (struct bytes){answer, cut});
        while ((r = session_next(session, &event, &err)) == 0)
            asked |= event.kind == SESSION_STARTTLS;
        session_feed(session,
                     (struct bytes){answer + cut, sizeof(answer) - 1 - cut});
        while (r == 1 && !asked &&
               (r = session_next(session, &event, &err)) == 0)
            asked |= event.kind == SESSION_STARTTLS;
        if (asked) {
            session_tls_started(session);
            r = session_next(session, &event, &err);
        }
        ok((cut == 13 ? asked : true) && r == ERR_PROTOCOL &&
               session_output(session).len == 0,
           "injected plain text, cut at %zu", cut);
        session_free(session);
    }
}

/* The failure stays. */
static void test_failure_is_for_good(void)
{
    const struct session_options options = {
        .user = "bob", .password = "sesame", .tls = true};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err = {""};

    session_feed(session, B("* BYE x\r\n* OK hi\r\n"));
    ok(session_next(session, &event, NULL) == ERR_CONNECT, "BYE fails");
    ok(session_next(session, &event, &err) == ERR_CONNECT, "and once more");
    ok(strcmp(err.text, "the server says good-bye: x") == 0, "with its text");
    session_free(session);
    session_free(NULL);
}

int main(void)
{
    size_t i;

    for (i = 0; i < COUNT(transcripts); i++)
        check_transcript(&transcripts[i]);
    test_injection();
    test_failure_is_for_good();
    return done_testing();
}
