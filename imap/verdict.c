#include "imap/verdict.h"

#include "base/sabotage.h"

/* A server that asks for more means something else. */
#define WAIT_MS_MAX (24u * 60 * 60 * 1000)

/* What a code means in the answer to a command, and in a farewell. RFC 5530:
 * LIMIT is one of the implementation, such as the size of a message, so it
 * will be said again; at the login it is one of connections. */
static const struct {
    enum session_code code;
    enum verdict_kind answer;
    enum verdict_kind farewell;
} by_code[] = {
    {CODE_NONEXISTENT, VERDICT_GONE,      VERDICT_REFUSED  },
    {CODE_TRYCREATE,   VERDICT_GONE,      VERDICT_REFUSED  },
    {CODE_NOPERM,      VERDICT_DENIED,    VERDICT_REFUSED  },
    {CODE_SERVERBUG,   VERDICT_DENIED,    VERDICT_BUSY     },
    {CODE_OVERQUOTA,   VERDICT_FULL,      VERDICT_THROTTLED},
    {CODE_INUSE,       VERDICT_BUSY,      VERDICT_BUSY     },
    {CODE_UNAVAILABLE, VERDICT_BUSY,      VERDICT_BUSY     },
    {CODE_LIMIT,       VERDICT_REFUSED,   VERDICT_CROWDED  },
    {CODE_THROTTLED,   VERDICT_THROTTLED, VERDICT_THROTTLED},
};

/* What servers say without a code, or behind one that does not tell the half
 * of it. The first that fits counts. */
static const struct {
    struct bytes words;
    enum verdict_kind kind;
} by_words[] = {
    {B_INIT("too many simultaneous"),           VERDICT_CROWDED  }, /* Gmail */
    {B_INIT("too many connections"),            VERDICT_CROWDED  },
    {B_INIT("too many concurrent"),             VERDICT_CROWDED  },
    {B_INIT("number of connections"),           VERDICT_CROWDED  }, /* Dovecot */
    {B_INIT("connection limit"),                VERDICT_CROWDED  },
    {B_INIT("bandwidth limits"),                VERDICT_THROTTLED}, /* Gmail */
    {B_INIT("request is throttled"),            VERDICT_THROTTLED}, /* Exchange */
    {B_INIT("backoff time"),                    VERDICT_THROTTLED},
    {B_INIT("rate limit"),                      VERDICT_THROTTLED},
    {B_INIT("too many requests"),               VERDICT_THROTTLED},
    {B_INIT("authenticated but not connected"), VERDICT_BUSY     }, /* Exchange */
    {B_INIT("server unavailable"),              VERDICT_BUSY     },
    {B_INIT("session expired"),                 VERDICT_BUSY     }, /* Gmail */
    {B_INIT("try again later"),                 VERDICT_BUSY     },
};

/* What servers without a code for it say of a folder that is not there. */
static const struct bytes gone_words[] = {
    B_INIT("mailbox doesn't exist"),     /* Dovecot 2.3 */
    B_INIT("mailbox does not exist"),    /* Cyrus, Courier */
    B_INIT("no such file or directory"), /* GNU mailutils */
};

/* "Suggested Backoff Time: 299961 milliseconds", in Exchange's words. */
static uint32_t asked_wait(struct bytes text)
{
    static const struct bytes words = B_INIT("backoff time:");
    uint64_t wait_ms = 0;

    while (text.len > 0 && !bytes_starts_nocase(text, words))
        text = bytes_skip(text, 1);
    text = bytes_trim(bytes_skip(text, words.len));
    for (; text.len > 0 && *text.ptr >= '0' && *text.ptr <= '9' &&
           wait_ms <= WAIT_MS_MAX;
         text = bytes_skip(text, 1))
        wait_ms = wait_ms * 10 + (uint64_t)(*text.ptr - '0');
    return wait_ms < WAIT_MS_MAX ? (uint32_t)wait_ms : WAIT_MS_MAX;
}

/* By its words, where these are of the kind that passes; else @kind. */
static struct verdict refine(struct bytes text, enum verdict_kind kind)
{
    struct verdict verdict = {.kind = kind};

    for (size_t i = 0; i < sizeof(by_words) / sizeof(by_words[0]); i++) {
        if (bytes_has_nocase(text, by_words[i].words)) {
            verdict.kind = by_words[i].kind;
            break;
        }
    }
    if (verdict.kind == VERDICT_THROTTLED)
        verdict.wait_ms = asked_wait(text);
    return verdict;
}

static enum verdict_kind kind_of(enum session_code code, bool farewell)
{
    for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++) {
        if (by_code[i].code == code)
            return farewell ? by_code[i].farewell : by_code[i].answer;
    }
    return VERDICT_REFUSED;
}

static bool is_gone(const struct session_reply *reply)
{
    if (reply->status != IMAP_NO || reply->code != CODE_NONE)
        return false;
    for (size_t i = 0; i < sizeof(gone_words) / sizeof(gone_words[0]); i++) {
        if (bytes_has_nocase(reply->text, gone_words[i]))
            return true;
    }
    return false;
}

struct verdict verdict_of_answer(const struct session_reply *reply)
{
    struct verdict verdict = {.kind = VERDICT_OK};

    if (reply->status == IMAP_OK || SABOTAGED(no_is_ok))
        return verdict;
    verdict = refine(reply->text, kind_of(reply->code, false));
    /* BAD is about the command, unless the words say otherwise. */
    if (reply->status == IMAP_BAD && !verdict_passes(verdict))
        verdict.kind = VERDICT_REFUSED;
    if (is_gone(reply))
        verdict.kind = VERDICT_GONE;
    return verdict;
}

/* A wrong password stays wrong, whatever else is said of it: trying it again
 * locks accounts. */
static bool is_for_good(enum session_code code)
{
    return code == CODE_AUTHENTICATIONFAILED ||
           code == CODE_AUTHORIZATIONFAILED || code == CODE_EXPIRED ||
           code == CODE_PRIVACYREQUIRED;
}

struct verdict verdict_of_farewell(const struct session_reply *reply)
{
    struct verdict verdict = {.kind = VERDICT_REFUSED};

    if (is_for_good(reply->code))
        return verdict;
    return refine(reply->text, kind_of(reply->code, true));
}
