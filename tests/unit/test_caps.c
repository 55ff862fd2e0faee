#include <stdlib.h>
#include <string.h>

#include "imap/caps.h"
#include "imap/sasl.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *text;
    uint32_t bits;
    uint64_t append_max;
} cases[] = {
    {"", 0, 0},
    {"IMAP4rev1", CAP_IMAP4REV1, 0},
    {"  imap4REV1 \t idle   QResync  ", CAP_IMAP4REV1 | CAP_QRESYNC, 0},
    {"IMAP4rev1 LITERAL + MOVE",
     CAP_IMAP4REV1 | CAP_LITERAL_PLUS | CAP_MOVE, 0},
    {"LITERAL - X", CAP_LITERAL_MINUS, 0},
    {"LITERAL+ + MOVE", CAP_LITERAL_PLUS | CAP_MOVE, 0},
    {"LITERAL", 0, 0},
    {"MOVEX XMOVE AUTH=PLAINX AUTH= AUTH", 0, 0},
    {"AUTH=PLAIN auth=login SASL-IR", CAP_SASL_IR, 0},
    {"AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=OAUTHBEARER AUTH=XOAUTH2",
     0, 0},
    {"AUTH=EXTERNAL AUTH=SCRAM-SHA-256-PLUS", 0, 0},
    {"APPENDLIMIT=35651584", 0, 35651584},
    {"APPENDLIMIT", 0, 0},
    {"APPENDLIMIT=-1", 0, 0},
    {"APPENDLIMIT=99999999999999999999", 0, 0},
    {"STARTTLS LOGINDISABLED", CAP_STARTTLS | CAP_LOGINDISABLED, 0},
    {"ENABLE CONDSTORE UIDPLUS MULTIAPPEND LIST-EXTENDED LIST-STATUS",
     CAP_ENABLE | CAP_CONDSTORE | CAP_UIDPLUS | CAP_MULTIAPPEND |
     CAP_LIST_EXTENDED | CAP_LIST_STATUS, 0},
    {"SPECIAL-USE CREATE-SPECIAL-USE ESEARCH UNSELECT NAMESPACE ID CHILDREN",
     CAP_SPECIAL_USE | CAP_CREATE_SPECIAL_USE | CAP_ESEARCH | CAP_UNSELECT |
     CAP_NAMESPACE | CAP_ID | CAP_CHILDREN, 0},
    {"COMPRESS=DEFLATE OBJECTID STATUS=SIZE LITERAL-",
     CAP_COMPRESS | CAP_OBJECTID | CAP_STATUS_SIZE | CAP_LITERAL_MINUS, 0},
    {"IMAP4rev1 IMAP4rev2", CAP_IMAP4REV1 | CAP_IMAP4REV2, 0},
    {"IMAP4rev2",
     CAP_IMAP4REV2 | CAP_NAMESPACE | CAP_UNSELECT | CAP_UIDPLUS |
     CAP_ESEARCH | CAP_ENABLE | CAP_SASL_IR | CAP_LIST_EXTENDED |
     CAP_LIST_STATUS | CAP_MOVE | CAP_LITERAL_MINUS | CAP_SPECIAL_USE |
     CAP_STATUS_SIZE, 0},
};

/* clang-format on */

int main(void)
{
    struct caps caps = {.bits = CAP_MOVE, .append_max = 7};
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        caps_parse(&caps, bytes_of(cases[i].text));
        ok(caps.known && caps.bits == cases[i].bits &&
               caps.append_max == cases[i].append_max,
           "\"%s\"", cases[i].text);
    }
    caps_parse(&caps,
               B("AUTH=PLAIN auth=scram-sha-256-plus AUTH=SCRAM-SHA-1X"));
    ok(caps.auth == (1u << SASL_PLAIN | 1u << SASL_SCRAM_SHA_256_PLUS),
       "ways to log in");
    caps_clear(&caps);
    ok(!caps.known && caps.bits == 0 && caps.auth == 0 && caps.append_max == 0,
       "forgotten");
    caps_parse(&caps, B("MOVE \0 IDLE ID\0 UIDPLUS"));
    ok(caps.bits == (CAP_MOVE | CAP_UIDPLUS), "NULs are no blanks");
    return done_testing();
}
