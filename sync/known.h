/*
 * What the last run left on record about one folder, as the deciding part of
 * sync reads it: a small table of functions, so that it runs against the state
 * on disk, or against an array in a test.
 */
#ifndef SYNC_KNOWN_H
#define SYNC_KNOWN_H

#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "store/state.h"

struct known {
    void *owner;

    /* The pair that has @uid on @side: 0, 1 for none, or negative. */
    int (*pair)(void *owner, enum side side, uint32_t uid,
                struct state_pair *out, struct err *err);

    /* The message of @side that stays apart: 0, 1 for none, or negative. */
    int (*apart)(void *owner, enum side side, uint32_t uid,
                 struct state_apart *out, struct err *err);

    /* All pairs in the order of @side's UIDs; ends early at the first value of
     * @each that is not 0, and returns it. */
    int (*each_pair)(void *owner, enum side side,
                     int (*each)(void *each_owner,
                                 const struct state_pair *pair),
                     void *each_owner, struct err *err);

    /* All messages that stay apart; as each_pair. */
    int (*each_apart)(void *owner,
                      int (*each)(void *each_owner,
                                  const struct state_apart *apart),
                      void *each_owner, struct err *err);
};

/* A folder of a state; fill before use, and hand out by known_state(). */
struct known_state {
    struct state *state;
    uint32_t folder;
};

/* @on as the functions above; borrowed while @on lives. */
struct known known_of_state(struct known_state *on);

#endif
