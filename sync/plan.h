/*
 * What is to be done about one folder: two deltas and the record in, lists of
 * work out. Decides and does nothing. Pure.
 */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "sync/delta.h"
#include "sync/known.h"
#include "sync/match.h"
#include "sync/policy.h"
#include "sync/rules.h"

/* A pair whose flags have to be sent; pair.flags is what both sides have when
 * that is done. */
struct plan_flag {
    struct state_pair pair;
    bool push[SIDES];
    struct flags_change change[SIDES];
};

/* Growing lists; the indices are sides that get the change. */
struct plan {
    const struct delta *delta[SIDES]; /* borrowed from plan_make()'s input */
    uint32_t *copies[SIDES]; /* to be added here: places in the other side's
                                delta, in the order of UIDs; see plan_copy() */
    size_t n_copies[SIDES];
    size_t copies_cap[SIDES];
    struct plan_flag *flags;
    size_t n_flags;
    size_t flags_cap;
    struct state_pair *deletes[SIDES];
    size_t n_deletes[SIDES];
    size_t deletes_cap[SIDES];
    struct state_pair *records; /* to put on record: nothing to send */
    size_t n_records;
    size_t records_cap;
    struct state_pair *forgets; /* to take off the record: gone on both sides */
    size_t n_forgets;
    size_t forgets_cap;
    struct state_pair *parts; /* to take off the record, though one message is
                                 there: it is looked at anew */
    size_t n_parts;
    size_t parts_cap;
    struct state_apart *aparts; /* messages that stay on their side */
    size_t n_aparts;
    size_t aparts_cap;
    uint32_t n_links;   /* of records and flags: found equal on both sides */
    uint32_t hidden;    /* of aparts: they may be there, out of sight */
    bool unsure[SIDES]; /* a listing was not complete: ask again next time */
    bool relist[SIDES]; /* list this side in full in the next pass */
    bool anew;          /* who is who is asked anew then: nothing is copied
                           before */
    struct uidset unmeasured[SIDES]; /* what is new there, without its size */
    /* Of parts: the copy on this side is of this run, and gone already. */
    struct state_pair *vanished[SIDES];
    size_t n_vanished[SIDES];
    size_t vanished_cap[SIDES];
};

/* Which flags a side was ever seen to show on any message of the folder. One
 * that it never showed was not removed there: it was never stored, whatever
 * the server said. */
struct plan_shown {
    bool known;          /* false: any */
    struct flags before; /* until the listing at hand */
    struct flags fresh;  /* in it for the first time */
};

/* The oldest message that a side shows, where it shows the newest only and
 * nothing is on record: what is older may be there, out of sight. */
struct plan_edge {
    bool known;
    int64_t date;
};

/* The base of a pair that is not on record yet: @uid of @side was put into the
 * folder on the other one, too, under a number that was not told. */
struct plan_base {
    enum side side;
    uint32_t uid;
    bool copied; /* not moved: the base is whatever flags it has over there */
    struct flags flags;
};

/* To sort an array of them, as plan_input wants it. */
int plan_base_order(const void *a, const void *b);

struct plan_input {
    const struct delta *delta[SIDES];
    struct plan_shown shown[SIDES];
    const struct known *known;
    const struct match *match; /* finished, or NULL: nothing to match */
    struct keywords *keywords;
    const struct policy *policy;
    uint32_t folder;
    int64_t now; /* seconds since 1970, for newer_than */
    struct plan_edge edge[SIDES];
    /* Messages of each side that this run has given up or holds back. */
    const struct uidset *skip[SIDES];
    /* What this run has added to a side. Gone by now, somebody there was quick
     * to delete it, or the server did not keep it: its original is not deleted
     * for that, but copied once more. */
    const struct uidset *added[SIDES];
    const struct plan_base *bases; /* sorted */
    size_t n_bases;
};

void plan_init(struct plan *plan);
void plan_deinit(struct plan *plan);

/* Fill an empty plan. Returns 0 or the record's error. */
int plan_make(struct plan *plan, const struct plan_input *input,
              struct err *err);

/* Merge the flags of a pair whose sides have @current now; pair->flags is the
 * base. Adds to the plan's flags what has to be sent, or to its records what
 * has not. */
void plan_merge(struct plan *plan, const struct plan_input *input,
                const struct state_pair *pair,
                const struct flags current[SIDES]);

/* The message that is to be copied to @to, and that it is not to be. */
struct listed plan_copy(const struct plan *plan, enum side to, size_t index);
void plan_drop_copy(struct plan *plan, enum side to, size_t index);

/* Drop the copies to @side that plan_drop_copy() was called for, and the
 * deletions on @side and forgets whose left UID was set to 0. */
void plan_close_gaps(struct plan *plan, enum side side);

/* Who is who is to be asked anew, from full listings of both sides: nothing is
 * copied before. */
void plan_ask_anew(struct plan *plan);

/* Of the copies to @to that plan_make() finds, those that the policy leaves on
 * their side, or that may be on @to out of sight, stay where they are; unless
 * @is_moved says that they may have been moved: then their twin goes from where
 * it was, and @to would have them nowhere. @by_size: it is their size that the
 * policy leaves out. */
void plan_find_staying(
    struct plan *plan, const struct plan_input *input, enum side to,
    bool (*is_moved)(void *owner, const struct listed *listed, bool by_size),
    void *owner);

/* A message stays on its side, on record. */
void plan_set_apart(struct plan *plan, const struct state_apart *apart);

/* The same of one that is new on @side. */
void plan_leave(struct plan *plan, const struct plan_input *input,
                enum side side, const struct listed *listed,
                enum apart_kind kind);

/* The message with @uid on the other side has to be copied to @to after all; it
 * is in that side's delta. */
void plan_copy_back(struct plan *plan, enum side to, uint32_t uid);

/* Is there nothing to do and nothing to record? */
bool plan_is_empty(const struct plan *plan);

/* How many things it would do on a side, for dry runs. */
size_t plan_work(const struct plan *plan);

#endif
