/*
 * The ladder of match.h for messages that lie in many folders: each is an
 * offer, and the questions go to where its identity can be asked.
 */
#ifndef SYNC_LADDER_H
#define SYNC_LADDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "sync/inquiry.h"
#include "sync/match.h"

/* A place in a folder's plan. */
struct offer {
    struct folder_work *work;
    size_t index; /* in the list of the plan that it is from */
    uint32_t uid; /* where it is asked */
};

/* Zeroed but for what ladder_init() sets; lives until over(). */
struct ladder {
    struct run *run;
    enum side asked[SIDES]; /* which endpoint knows the offers of each side of
                               the match; not the same for both */
    struct match match;
    struct offer *offers[SIDES]; /* its UID in the match is its index + 1 */
    size_t n[SIDES];
    size_t cap[SIDES];
    struct inquiry inquiry;
    /* There is no more to ask: match.links is final. */
    void (*over)(struct ladder *ladder);
    void *owner;
};

/* @fidelity and the endpoints by @run; @left is asked for the left side of the
 * match, the other one for the right. */
void ladder_init(struct ladder *ladder, struct run *run, enum side left);
void ladder_deinit(struct ladder *ladder);

/* An offer of one side of the match; size and date of @listed are those to go
 * by. */
void ladder_add(struct ladder *ladder, enum side of, struct offer offer,
                const struct listed *listed);

/* The offer that @link has on one side. */
const struct offer *ladder_offer(const struct ladder *ladder,
                                 const struct match_link *link, enum side of);

/* Ask until nothing is left to ask, or the run ends; then over(), also at
 * once. */
void ladder_climb(struct ladder *ladder);

#endif
