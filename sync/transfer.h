/*
 * One batch of messages on its way from a folder on one side to its twin on
 * the other: read streamed into add, with back-pressure. Nothing is held in
 * memory but what is on its way.
 */
#ifndef SYNC_TRANSFER_H
#define SYNC_TRANSFER_H

#include <stddef.h>

#include "sync/run_internal.h"

enum transfer_outcome {
    TRANSFER_WAITING, /* not begun */
    TRANSFER_BEGUN,
    TRANSFER_DONE,
    TRANSFER_FAILED, /* told, and given up */
    TRANSFER_RETRY,  /* through no fault of its own: to be sent again */
    TRANSFER_SINGLY, /* went down with others: to be sent alone */
    TRANSFER_UNSURE, /* it may be over there: the next pass looks */
    TRANSFER_MISSING /* not delivered, and not there any more */
};

struct transfer {
    struct folder_work *work;
    enum side to;
    struct listed *items; /* sorted by UID */
    size_t n;
    uint64_t octets;                /* of all messages */
    uint64_t *intents;              /* the number of each message's intent */
    enum transfer_outcome *outcome; /* of each message */
    unsigned tries;                 /* in vain before, of the only message */
    struct err why;                 /* of the latest failure */

    struct uidset uids;
    struct read_request read;
    struct add_request add;
    struct identify_request identify;
    size_t *order; /* index of the message that was the k-th to be added */
    size_t n_begun;
    bool streaming; /* between begin() and end() */
    bool aborted;   /* the add is over early; what still arrives is dropped */
    bool cut;       /* what was not settled is to be sent again */
    bool closed;    /* add was closed or aborted */
    bool read_over;
    bool add_over;
    struct transfer *next; /* in a list of run_copy.c */
};

/* A batch of @n @items, which it takes over; queues an intent for each, to be
 * committed before transfer_start(). transfer_free() it. */
struct transfer *transfer_new(struct folder_work *work, enum side to,
                              struct listed *items, size_t n);

/* How often one message is sent in vain before it is given up: beside others;
 * with none beside it; over a connection that nothing else can have worn out. */
#define TRANSFER_TRIES_MAX   3u
#define TRANSFER_TRIES_FRESH 2u

/* Is the message at @index to be sent again, after the transfer is over? */
bool transfer_owes(const struct transfer *transfer, size_t index);

/* Begin. run_copy_over() is called at the end. */
void transfer_start(struct transfer *transfer);

void transfer_free(struct transfer *transfer);

/* run_copy.c: @transfer came to its end; frees it. */
void run_copy_over(struct transfer *transfer);

#endif
