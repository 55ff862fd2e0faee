/* The way to SESSION_READY, good and bad. */
#include "tests/unit/fixed_nonce.h"
#include "tests/unit/transcript.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of a server that says at once what it offers. */
#define GREETING "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\n"
#define PLAIN    "C: a1 AUTHENTICATE PLAIN AGJvYgBzZXNhbWU=\n"

/* SCRAM with the fixed nonce; test_sasl.c shows what is in the base64. */
#define OFFER_SCRAM                                                     \
    "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-1" \
    " AUTH=SCRAM-SHA-256] hi\n"
#define SCRAM_FIRST "biwsbj1ib2Iscj1iV0ZwYkhSM2FXNGdiV0ZwYkhSM2FXNGc="
#define SCRAM       "C: a1 AUTHENTICATE SCRAM-SHA-256 " SCRAM_FIRST "\n"
#define SCRAM_ASKS                                                 \
    "S: + cj1iV0ZwYkhSM2FXNGdiV0ZwYkhSM2FXNGdzZXJ2ZXIscz1XMjJaYUo" \
    "wU05ZN3NvRXNVRWpiNmdRPT0saT00MDk2\n"
#define SCRAM_PROVES                                                 \
    "C: Yz1iaXdzLHI9YldGcGJIUjNhVzRnYldGcGJIUjNhVzRnc2VydmVyLHA9OVN" \
    "jdWFxanN2b2g3MVpEWFZUOUVTaGVsaUZQbHVhaHpkeXh6aEcyS1RNTT0=\n"
#define SCRAM_SIGNS \
    "S: + dj1Va0xGSmhhaDUvZkhsRVdkaUd2QmVzMEk5S3ZSRS92MVJTQm5lWk9FTHY4PQ==\n"

#define OFFER_TOKEN                                                 \
    "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2" \
    " AUTH=OAUTHBEARER AUTH=SCRAM-SHA-256] hi\n"
#define BEARER_FIRST  "bixhPWJvYiwBYXV0aD1CZWFyZXIgc2VzYW1lAQE="
#define BEARER        "C: a1 AUTHENTICATE OAUTHBEARER " BEARER_FIRST "\n"
#define XOAUTH2_FIRST "dXNlcj1ib2IBYXV0aD1CZWFyZXIgc2VzYW1lAQE="
#define ERROR_JSON    "S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiYmVhcmVyIn0=\n"

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
    {.name = "ID goes out with the first command, and is not waited for",
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
              ">: NOOP\n"
              "C: a2 ID (\"name\" \"mailtwin\")\n"
              "C: a3 NOOP\n"
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
              "E: fail PROTOCOL: the server asks for more than PLAIN has to "
              "say\n"},
    {.name = "in before the password was sent",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n"
              "C: a1 AUTHENTICATE PLAIN\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: fail PROTOCOL: logged in before the login was over\n"},
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
    {.name = "a line break in the name to act for",
     .options = {.authzid = "x\ny"},
     .lines = GREETING
              "E: fail AUTH: a line break in the user name or the password\n"},
    {.name = "to act for another one, by PLAIN",
     .options = {.authzid = "ann"},
     .lines = GREETING
              "C: a1 AUTHENTICATE PLAIN YW5uAGJvYgBzZXNhbWU=\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "to act for another one, by no mechanism that can",
     .options = {.authzid = "ann", .auth = SESSION_AUTH_CRAM_MD5},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5] hi\n"
              "E: fail AUTH: the server offers no AUTH=CRAM-MD5\n"},
    {.name = "to act for another one, and LOGIN cannot",
     .options = {.authzid = "ann"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1] hi\n"
              "E: fail AUTH: the server offers no login with a password\n"},
    {.name = "CRAM-MD5 is asked for first, whatever SASL-IR says",
     .options = {.auth = SESSION_AUTH_CRAM_MD5},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=CRAM-MD5] hi\n"
              "C: a1 AUTHENTICATE CRAM-MD5\n"
              "S: a1 NO not today\n"
              "E: fail AUTH: login refused: not today\n"},
    {.name = "LOGIN with literals of any size at once",
     .options = {.user = "b\303\266b"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 LITERAL+] hi\n"
              "C: a1 LOGIN {4+}\n"
              "C: b\303\266b \"sesame\"\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "a line break in the password",
     .options = {.password = "ses\name"},
     .lines = GREETING
              "E: fail AUTH: a line break in the user name or the password\n"},
    {.name = "SCRAM-SHA-256 comes first",
     .lines = OFFER_SCRAM SCRAM SCRAM_ASKS SCRAM_PROVES SCRAM_SIGNS
              "C: \n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "SCRAM-SHA-256 without SASL-IR",
     .options = {.auth = SESSION_AUTH_SCRAM_SHA_256},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256] hi\n"
              "C: a1 AUTHENTICATE SCRAM-SHA-256\n"
              "S: + \n"
              "C: " SCRAM_FIRST "\n"
              SCRAM_ASKS SCRAM_PROVES SCRAM_SIGNS
              "C: \n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "SCRAM-SHA-1 where there is nothing better",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN "
              "AUTH=SCRAM-SHA-1] hi\n"
              "C: a1 AUTHENTICATE SCRAM-SHA-1 " SCRAM_FIRST "\n"
              "S: a1 NO no\n"
              "E: fail AUTH: login refused: no\n"},
    {.name = "a mechanism that is bound to TLS, where nothing can be bound",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN"
              " AUTH=SCRAM-SHA-256-PLUS] hi\n" PLAIN
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "a name that SCRAM does not allow",
     .options = {.user = "b\001b"},
     .lines = OFFER_SCRAM
              "E: fail AUTH: the user name or the password holds characters "
              "that SCRAM-SHA-256 does not allow: set auth = plain\n"},
    {.name = "PLAIN where it is asked for",
     .options = {.auth = SESSION_AUTH_PLAIN},
     .lines = OFFER_SCRAM PLAIN
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "what SCRAM is refused, PLAIN does not try",
     .lines = OFFER_SCRAM SCRAM SCRAM_ASKS SCRAM_PROVES
              "S: a1 NO [AUTHENTICATIONFAILED] wrong\n"
              "E: fail AUTH: login refused: [AUTHENTICATIONFAILED] wrong\n"},
    {.name = "a server that lets us in without knowing the password",
     .lines = OFFER_SCRAM SCRAM SCRAM_ASKS SCRAM_PROVES
              "S: a1 OK in\n"
              "E: fail PROTOCOL: logged in before the login was over\n"},
    {.name = "a server that signs wrongly",
     .lines = OFFER_SCRAM SCRAM SCRAM_ASKS SCRAM_PROVES
              "S: + dj1Va0xG\n"
              "E: fail AUTH: SCRAM-SHA-256: the server does not prove that it "
              "knows the password: somebody may be in its place\n"},
    {.name = "a server that wants us to hash for ever",
     .lines = OFFER_SCRAM SCRAM
              "S: + cj1iV0ZwYkhSM2FXNGdiV0ZwYkhSM2FXNGdzZXJ2ZXIscz1XMjJaYUowU0"
              "5ZN3NvRXNVRWpiNmdRPT0saT0xMDAwMDAx\n"
              "E: fail LIMIT: SCRAM: the server wants the password hashed "
              "other than 4096 to 1000000 times\n"},
    {.name = "SCRAM-SHA-256 asked for and not offered",
     .options = {.auth = SESSION_AUTH_SCRAM_SHA_256},
     .lines = GREETING
              "E: fail AUTH: the server offers no AUTH=SCRAM-SHA-256\n"},
    {.name = "a token by OAUTHBEARER",
     .options = {.token = "sesame"},
     .lines = OFFER_TOKEN BEARER
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "a token by OAUTHBEARER with the server's name",
     .options = {.token = "sesame", .user = "b,o=b", .host = "h.example",
                 .port = 993},
     .lines = OFFER_TOKEN
              "C: a1 AUTHENTICATE OAUTHBEARER bixhPWI9MkNvPTNEYiwBaG9zdD1oLmV4"
              "YW1wbGUBcG9ydD05OTMBYXV0aD1CZWFyZXIgc2VzYW1lAQE=\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "a token by XOAUTH2 without SASL-IR",
     .options = {.token = "sesame"},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\n"
              "C: a1 AUTHENTICATE XOAUTH2\n"
              "S: +\n"
              "C: " XOAUTH2_FIRST "\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "a token refused: XOAUTH2",
     .options = {.token = "sesame", .auth = SESSION_AUTH_XOAUTH2},
     .lines = OFFER_TOKEN
              "C: a1 AUTHENTICATE XOAUTH2 " XOAUTH2_FIRST "\n"
              ERROR_JSON
              "C: \n"
              "S: a1 NO [AUTHENTICATIONFAILED] expired\n"
              "E: fail AUTH: login refused: [AUTHENTICATIONFAILED] expired\n"},
    {.name = "a token refused: OAUTHBEARER",
     .options = {.token = "sesame"},
     .lines = OFFER_TOKEN BEARER ERROR_JSON
              "C: AQ==\n"
              "S: a1 NO\n"
              "E: fail AUTH: login refused: the server gives no reason\n"},
    {.name = "a token refused at once",
     .options = {.token = "sesame"},
     .lines = OFFER_TOKEN BEARER
              "S: a1 BAD what\n"
              "E: fail AUTH: login refused: what\n"},
    {.name = "a token refused and then taken",
     .options = {.token = "sesame"},
     .lines = OFFER_TOKEN BEARER ERROR_JSON
              "C: AQ==\n"
              "S: a1 OK in\n"
              "E: fail PROTOCOL: logged in before the login was over\n"},
    {.name = "a token refused for ever",
     .options = {.token = "sesame"},
     .lines = OFFER_TOKEN BEARER ERROR_JSON
              "C: AQ==\n"
              ERROR_JSON
              "E: fail PROTOCOL: the server asks for more than OAUTHBEARER has "
              "to say\n"},
    {.name = "a token is no password",
     .options = {.token = "sesame"},
     .lines = OFFER_SCRAM
              "E: fail AUTH: the server offers no login with a token\n"},
    {.name = "no token without TLS",
     .no_tls = true, .options = {.token = "sesame", .plaintext = true},
     .lines = OFFER_SCRAM
              "E: fail CONNECT: the server takes no token without TLS; set tls "
              "= starttls or implicit\n"},
    {.name = "a certificate",
     .options = {.auth = SESSION_AUTH_EXTERNAL},
     .lines = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=EXTERNAL] hi\n"
              "C: a1 AUTHENTICATE EXTERNAL Ym9i\n"
              "S: a1 OK [CAPABILITY IMAP4rev1] in\n"
              "E: ready 1\n"},
    {.name = "a certificate only where it is asked for",
     .lines = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=EXTERNAL] hi\n"
              "E: fail AUTH: the server offers no login with a password\n"},
    {.name = "a \"+\" that nobody waits for",
     .lines = "S: * OK hi\n"
              "C: a1 CAPABILITY\n"
              "S: + more\n"
              "E: fail PROTOCOL: the server asks for more of a command without "
              "more\n"},
    {.name = "LOGIN asked for more",
     .options = {.auth = SESSION_AUTH_LOGIN},
     .lines = GREETING
              "C: a1 LOGIN \"bob\" \"sesame\"\n"
              "S: + more\n"
              "E: fail PROTOCOL: the server asks for more than LOGIN has to "
              "say\n"},
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
    {.name = "PREAUTH without TLS where that is allowed",
     .no_tls = true, .options = {.plaintext = true},
     .lines = "S: * PREAUTH [CAPABILITY IMAP4rev1] hi\n"
              "E: ready 1\n"},
    {.name = "a greeting of another kind",
     .lines = "S: * 1 EXISTS\n"
              "E: fail PROTOCOL: no IMAP greeting\n"},
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

/* As much as a server may say in one line, and more. */
static void test_long_error(void)
{
    static const struct {
        size_t size;
        int code;
        const char *answer;
    } cases[] = {
        {SESSION_LINE_BYTES_MAX - 100, 1,         "AQ==\r\n"},
        {SESSION_LINE_BYTES_MAX + 1,   ERR_LIMIT, ""        },
    };
    const struct session_options options = {
        .user = "bob", .token = "sesame", .tls = true};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct session *session = session_new(&options);
        char *json = mem_new(cases[i].size, 1);
        struct session_event event;
        struct err err = {""};
        int r;

        memset(json, 'A', cases[i].size);
        session_feed(session, B("* OK [CAPABILITY AUTH=OAUTHBEARER SASL-IR] "
                                "hi\r\n"));
        ok(session_next(session, &event, &err) == 1, "the token goes out");
        session_sent(session, session_output(session).len);
        session_feed(session, B("+ "));
        session_feed(session, (struct bytes){json, cases[i].size});
        session_feed(session, B("\r\n"));
        r = session_next(session, &event, &err);
        ok(r == cases[i].code &&
               bytes_equal(session_output(session), bytes_of(cases[i].answer)),
           "an error of %zu bytes: %s", cases[i].size, err.text);
        free(json);
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

/* A name that a literal of LITERAL- has no room for waits to be asked for. */
static void test_long_name(void)
{
    char *name = mem_printf("%05000d\303\266", 0);
    const struct session_options options = {
        .user = name, .password = "sesame", .tls = true};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err;

    session_feed(session, B("* OK [CAPABILITY IMAP4rev1 LITERAL-] hi\r\n"));
    ok(session_next(session, &event, &err) == 1 &&
           bytes_equal(session_output(session), B("a1 LOGIN {5002}\r\n")),
       "a long name is asked for");
    session_sent(session, 0);
    ok(session_output(session).len > 0, "nothing sent, nothing gone");
    session_free(session);
    free(name);
}

/* A text in quotes is told in pieces, without more of the server's. */
static void test_has_input(void)
{
    const struct session_options options = {
        .user = "bob", .password = "sesame", .tls = true};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err;

    session_feed(session, B("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
                            "* 1 FETCH (UID 1 BODY[] \"abc\")\r\n"));
    ok(session_next(session, &event, &err) == 0 &&
           event.kind == SESSION_READY &&
           session_next(session, &event, &err) == 0 &&
           event.kind == SESSION_BODY,
       "a body begins");
    ok(session_has_input(session), "its text is still to come");
    session_free(session);
}

/* A connection that began with TLS needs no STARTTLS. */
static void test_tls_twice(void)
{
    const struct session_options options = {
        .user = "bob", .password = "sesame", .tls = true, .starttls = true};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err;

    session_feed(session, B("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"));
    ok(session_next(session, &event, &err) == 0 && event.kind == SESSION_READY,
       "TLS stands already");
    session_free(session);
}

/* What the owner knows of the server is not guessed anew; and one that asks for
 * the capabilities again. */
static void test_quirks(void)
{
    const struct quirks *quirks =
        quirks_of_host(quirks_none(), "imap.mail.me.com");
    const struct session_options options = {
        .user = "bob", .password = "sesame", .tls = true, .quirks = quirks};
    struct session *session = session_new(&options);
    struct session_event event;
    struct err err;

    session_feed(session, B("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] "
                            "hi\r\n"));
    ok(session_next(session, &event, &err) == 1, "logs in");
    ok(!session_has_input(session), "all is read");
    session_sent(session, session_output(session).len);
    session_feed(session, B("a1 OK [CAPABILITY IMAP4rev1] in\r\n"));
    ok(session_has_input(session), "there is something to be read");
    ok(session_next(session, &event, &err) == 1 &&
           bytes_equal(session_output(session), B("a2 CAPABILITY\r\n")),
       "and asks again what it was told");
    session_free(session);
}

/* clang-format off */
static const struct {
    const char *name;
    const char *host;
    const char *greeting;
    const char *offer; /* behind TLS */
    const char *key;
    const char *set; /* by the configuration */
} kinds[] = {
    {"a capability from before TLS",   "h.example", "[CAPABILITY STARTTLS CLIENTACCESSRULES] x", "", "none", NULL},
    {"a greeting from before TLS",     "h.example", "[CAPABILITY STARTTLS] Gimap ready", "", "none", NULL},
    {"neither, by a server unnamed",   NULL, "[CAPABILITY STARTTLS XYMHIGHESTMODSEQ] gluon", "", "none", NULL},
    {"what is offered behind TLS",     "h.example", "[CAPABILITY STARTTLS CLIENTACCESSRULES] x", " X-GM-EXT-1", "gmail", NULL},
    {"the host, whatever is said",     "imap.mail.yahoo.com", "[CAPABILITY STARTTLS CLIENTACCESSRULES] x", "", "yahoo", NULL},
    {"a greeting on this machine",     "LocalHost", "[CAPABILITY STARTTLS] gluon", "", "proton", NULL},
    {"the same by address",            "127.1.2.3", "[CAPABILITY STARTTLS] gluon", "", "proton", NULL},
    {"the same by IPv6",               "::1", "[CAPABILITY STARTTLS] gluon", "", "proton", NULL},
    {"a name that looks like it",      "127.0.0.1.example", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"another one",                    "localhost.example", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"another address",                "128.0.0.1", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"another one by IPv6",            "::2", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"one with the same end",          "2001:db8::1", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"one with other words in it",     "0:0:7::1", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"one with another one",           "::7:0:1", "[CAPABILITY STARTTLS] gluon", "", "none", NULL},
    {"what is configured",             "h.example", "[CAPABILITY STARTTLS] Gimap ready", " X-GM-EXT-1", "proton", "proton"},
};

/* clang-format on */

/* Somebody in between may say anything before TLS stands. */
static void test_starttls_quirks(void)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct session_options options = {
            .user = "bob",
            .password = "sesame",
            .starttls = true,
            .host = kinds[i].host,
            .quirks = kinds[i].set != NULL ? quirks_find(kinds[i].set) : NULL};
        struct session *session = session_new(&options);
        struct session_event event;
        struct err err;
        char *lines = mem_printf("* OK %s\r\n", kinds[i].greeting);

        session_feed(session, bytes_of(lines));
        (void)session_next(session, &event, &err);
        session_sent(session, session_output(session).len);
        session_feed(session, B("a1 OK begin\r\n"));
        ok(session_next(session, &event, &err) == 0 &&
               event.kind == SESSION_STARTTLS,
           "%s: TLS begins", kinds[i].name);
        session_tls_started(session);
        session_sent(session, session_output(session).len);
        free(lines);
        lines = mem_printf("* CAPABILITY IMAP4rev1 AUTH=PLAIN%s\r\na2 OK\r\n",
                           kinds[i].offer);
        session_feed(session, bytes_of(lines));
        (void)session_next(session, &event, &err);
        ok(strcmp(session_quirks(session)->key, kinds[i].key) == 0,
           "%s: taken for %s", kinds[i].name, session_quirks(session)->key);
        session_free(session);
        free(lines);
    }
}

int main(void)
{
    size_t i;

    for (i = 0; i < COUNT(transcripts); i++)
        check_transcript(&transcripts[i]);
    test_long_name();
    test_has_input();
    test_tls_twice();
    test_quirks();
    test_starttls_quirks();
    test_injection();
    test_long_error();
    test_failure_is_for_good();
    return done_testing();
}
