#include "imap/worth.h"

#include "base/uidset.h"

static uint64_t worth_of_messages(uint64_t n)
{
    return n < WORTH_MESSAGES
               ? n * ((WORTH_ENOUGH + WORTH_MESSAGES - 1) / WORTH_MESSAGES)
               : WORTH_ENOUGH;
}

uint64_t worth_of(const struct session_event *event)
{
    switch (event->kind) {
    case SESSION_CODE: /* it only says that it is at it */
    case SESSION_EXISTS:
    case SESSION_CONTINUE: /* what is sent then counts */
        return 0;
    case SESSION_EXPUNGE:
        return worth_of_messages(1);
    case SESSION_VANISHED:
        return event->vanished.earlier
                   ? WORTH_ENOUGH
                   : worth_of_messages(uidset_count(event->vanished.set));
    case SESSION_FETCH:
        /* RFC 9051 section 6.4.9: the answer to a UID command has the UID. */
        return (event->fetch.has & FETCH_UID) != 0 ? WORTH_ENOUGH
                                                   : worth_of_messages(1);
    case SESSION_BODY_DATA:
        return event->data.len;
    default:
        return WORTH_ENOUGH;
    }
}
