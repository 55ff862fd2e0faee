/*
 * What a server's "no" means for what is to be done next. Servers say it in
 * response codes, or in words only; both are data here (verdict.c). Pure.
 */
#ifndef IMAP_VERDICT_H
#define IMAP_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "imap/session.h"

enum verdict_kind {
    VERDICT_OK,
    VERDICT_REFUSED, /* and it would be again */
    VERDICT_GONE,    /* there is no such folder */
    VERDICT_DENIED,  /* not in this run: waiting a little does not help */
    VERDICT_FULL,    /* no room: the account is over its quota */
    /* From here on a wait helps: */
    VERDICT_BUSY,      /* with what it was asked for, not with other things */
    VERDICT_CROWDED,   /* too many connections: fewer will do */
    VERDICT_THROTTLED, /* too much was asked of it: all has to wait */
};

struct verdict {
    enum verdict_kind kind;
    uint32_t wait_ms; /* that the server asks for; 0: it does not say */
};

/* Of a tagged answer to a command. */
struct verdict verdict_of_answer(const struct session_reply *reply);

/* Of a refused login, or of BYE: before it a LIMIT is one of connections, and
 * VERDICT_GONE does not come. */
struct verdict verdict_of_farewell(const struct session_reply *reply);

/* Will the same be granted after a wait? */
static inline bool verdict_passes(struct verdict verdict)
{
    return verdict.kind >= VERDICT_BUSY;
}

#endif
