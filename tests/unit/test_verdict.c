/* What servers say when they do not want to, and what it means. */
#include "imap/verdict.h"
#include "tests/tap.h"

struct verdict_case {
    const char *text;
    enum session_status status;
    enum session_code code;
    enum verdict_kind answer;
    enum verdict_kind farewell;
    uint32_t wait_ms;
};

/* clang-format off */
static const struct verdict_case cases[] = {
    {"[UNAVAILABLE] later", IMAP_NO, CODE_UNAVAILABLE,
     VERDICT_BUSY, VERDICT_BUSY, 0},
    {"[INUSE] locked", IMAP_NO, CODE_INUSE, VERDICT_BUSY, VERDICT_BUSY, 0},
    {"[THROTTLED] slow down", IMAP_NO, CODE_THROTTLED,
     VERDICT_THROTTLED, VERDICT_THROTTLED, 0},
    {"[LIMIT] too much", IMAP_NO, CODE_LIMIT,
     VERDICT_REFUSED, VERDICT_CROWDED, 0},
    {"[UNAVAILABLE] Maximum number of connections from user+IP exceeded "
     "(mail_max_userip_connections=1)", IMAP_NO, CODE_UNAVAILABLE,
     VERDICT_CROWDED, VERDICT_CROWDED, 0},
    {"[ALERT] Too many simultaneous connections. (Failure)", IMAP_NO,
     CODE_ALERT, VERDICT_CROWDED, VERDICT_CROWDED, 0},
    {"Request is throttled. Suggested Backoff Time: 299961 milliseconds",
     IMAP_BAD, CODE_NONE, VERDICT_THROTTLED, VERDICT_THROTTLED, 299961},
    {"Suggested Backoff Time: 99999999999999999999 milliseconds", IMAP_NO,
     CODE_NONE, VERDICT_THROTTLED, VERDICT_THROTTLED, 86400000},
    {"Suggested Backoff Time: 12ms", IMAP_NO, CODE_NONE,
     VERDICT_THROTTLED, VERDICT_THROTTLED, 12},
    {"[AUTHORIZATIONFAILED] too many", IMAP_NO, CODE_AUTHORIZATIONFAILED,
     VERDICT_REFUSED, VERDICT_REFUSED, 0},
    {"[EXPIRED] too old", IMAP_NO, CODE_EXPIRED,
     VERDICT_REFUSED, VERDICT_REFUSED, 0},
    {"[PRIVACYREQUIRED] not like this", IMAP_NO, CODE_PRIVACYREQUIRED,
     VERDICT_REFUSED, VERDICT_REFUSED, 0},
    {"[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
     IMAP_NO, CODE_OVERQUOTA, VERDICT_THROTTLED, VERDICT_THROTTLED, 0},
    {"[OVERQUOTA] full", IMAP_NO, CODE_OVERQUOTA,
     VERDICT_FULL, VERDICT_THROTTLED, 0},
    {"User is authenticated but not connected.", IMAP_BAD, CODE_NONE,
     VERDICT_BUSY, VERDICT_BUSY, 0},
    {"Session expired, please login again.", IMAP_NO, CODE_NONE,
     VERDICT_BUSY, VERDICT_BUSY, 0},
    {"[AUTHENTICATIONFAILED] Too many requests, try again later", IMAP_NO,
     CODE_AUTHENTICATIONFAILED, VERDICT_THROTTLED, VERDICT_REFUSED, 0},
    {"[TOOBIG] no", IMAP_BAD, CODE_TOOBIG, VERDICT_REFUSED, VERDICT_REFUSED, 0},
    {"[INUSE] what?", IMAP_BAD, CODE_INUSE, VERDICT_BUSY, VERDICT_BUSY, 0},
    {"[NOPERM] no", IMAP_NO, CODE_NOPERM, VERDICT_DENIED, VERDICT_REFUSED, 0},
    {"[SERVERBUG] Internal error", IMAP_NO, CODE_SERVERBUG,
     VERDICT_DENIED, VERDICT_BUSY, 0},
    {"[NONEXISTENT] none", IMAP_NO, CODE_NONEXISTENT,
     VERDICT_GONE, VERDICT_REFUSED, 0},
    {"Mailbox doesn't exist: X", IMAP_NO, CODE_NONE,
     VERDICT_GONE, VERDICT_REFUSED, 0},
    {"Mailbox does not exist, or must be subscribed to.", IMAP_NO, CODE_NONE,
     VERDICT_GONE, VERDICT_REFUSED, 0},
    {"SELECT Could not open X: No such file or directory", IMAP_NO, CODE_NONE,
     VERDICT_GONE, VERDICT_REFUSED, 0},
    {"No such file or directory", IMAP_BAD, CODE_NONE,
     VERDICT_REFUSED, VERDICT_REFUSED, 0},
    {"no", IMAP_NO, CODE_NONE, VERDICT_REFUSED, VERDICT_REFUSED, 0},
    {"", IMAP_BAD, CODE_NONE, VERDICT_REFUSED, VERDICT_REFUSED, 0},
};

/* clang-format on */

int main(void)
{
    struct session_reply fine = {.status = IMAP_OK, .code = CODE_UNAVAILABLE};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct verdict_case *test = &cases[i];
        struct session_reply reply = {.status = test->status,
                                      .code = test->code,
                                      .text = bytes_of(test->text)};
        struct verdict answer = verdict_of_answer(&reply);
        struct verdict farewell = verdict_of_farewell(&reply);

        ok(answer.kind == test->answer && farewell.kind == test->farewell,
           "%s: %d, %d", test->text, (int)answer.kind, (int)farewell.kind);
        ok(answer.wait_ms == test->wait_ms, "and how long to wait");
    }
    ok(verdict_of_answer(&fine).kind == VERDICT_OK, "OK is OK");
    return done_testing();
}
