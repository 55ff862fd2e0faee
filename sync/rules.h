/*
 * Who wins: the whole policy for a message that both sides knew, in one table.
 * Pure.
 */
#ifndef SYNC_RULES_H
#define SYNC_RULES_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "sync/policy.h"

/* What became of one side's message since the base. */
enum change { SAME, EDITED, GONE, CHANGES };

/* What to do about the pair. */
enum verdict {
    VERDICT_KEEP,         /* nothing */
    VERDICT_MERGE,        /* merge the flags, push them where they differ */
    VERDICT_DELETE_LEFT,  /* delete the left one, then forget the pair */
    VERDICT_DELETE_RIGHT, /* the same on the right */
    VERDICT_FORGET,       /* both are gone: drop the record */
    VERDICT_KEEP_LEFT,    /* gone on the right, stays on the left on purpose */
    VERDICT_KEEP_RIGHT,   /* gone on the left, stays on the right on purpose */
    VERDICT_AGAIN_LEFT,   /* copy it to the left again (one-way) */
    VERDICT_AGAIN_RIGHT   /* copy it to the right again (one-way) */
};

/* The verdict for a pair whose sides changed like this. */
enum verdict rules_verdict(const struct policy *policy, enum change left,
                           enum change right);

/* May mailtwin change @side at all, by the pair's direction? */
bool rules_may_change(const struct policy *policy, enum side side);

#endif
