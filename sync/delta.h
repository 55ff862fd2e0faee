/*
 * What changed on one side of one folder: a listing, held against what is on
 * record. Memory is O(changes): a message that is as recorded is dropped as it
 * streams by. Pure.
 */
#ifndef SYNC_DELTA_H
#define SYNC_DELTA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/uidset.h"
#include "sync/known.h"

/* A message of a listing, in 20 bytes; see delta_item(). */
struct delta_item {
    uint32_t uid;
    uint32_t keywords;
    uint32_t size_low;
    uint32_t date_low;
    uint16_t size_high;
    uint8_t date_high;
    uint8_t bits; /* FLAG_ bits, and whether size and date are known */
};

struct delta {
    enum side side;
    const struct known *known; /* borrowed */
    /* After delta_finish(): sorted by UID, each UID once. */
    struct delta_item *items; /* new, or with flags that are not on record */
    size_t n_items;
    size_t cap;
    struct uidset gone;       /* of pairs: were here, are not any more */
    struct uidset gone_apart; /* the same for messages that stay apart */
    bool asked;               /* false: this side is as it was; all empty */
    bool complete;            /* gone may be believed */
    struct folder_token token;
    struct flags_storable storable;
    /* While listing. */
    struct uidset seen; /* everything that was listed */
    struct uidset kept; /* what is in items */
    uint32_t fresh;     /* listed and not on record; repeats count once */
};

/* An empty delta: nothing changed. @known lives as long as it. Everything can
 * be stored. */
void delta_init(struct delta *delta, enum side side, const struct known *known);
void delta_deinit(struct delta *delta);

/* Take one message of a listing. Returns 0 or the state's error. */
int delta_add(struct delta *delta, const struct listed *listed,
              struct err *err);

/**
 * The listing is over; find out what is gone.
 *
 * @listing  the request as the endpoint left it
 * @row      the folder's row, for its counters
 *
 * Returns 0; DELTA_INCONSISTENT where the changes do not add up to the number
 * of messages in the folder (the server forgot something: start anew and ask
 * for a full listing); or the state's error.
 */
int delta_finish(struct delta *delta, const struct delta_request *listing,
                 const struct state_folder *row, struct err *err);

enum { DELTA_INCONSISTENT = 1 };

/* The folder is not there any more: all its messages are gone. Returns 0 or
 * the state's error. */
int delta_all_gone(struct delta *delta, struct err *err);

/* One of the items. Sizes from 2^48 on and dates that are as far off are those
 * limits. */
struct listed delta_item(const struct delta *delta, size_t index);

/* The place of the item with @uid, n_items where there is none; after
 * delta_finish(). O(log items). */
size_t delta_place(const struct delta *delta, uint32_t uid);

/* The item with @uid into @out, which may be NULL; false where there is none. */
bool delta_find(const struct delta *delta, uint32_t uid, struct listed *out);

#endif
