/*
 * Ask one side, or both, who some messages are, in as many folders as it
 * takes: a request for each folder, all of them at once.
 */
#ifndef SYNC_INQUIRY_H
#define SYNC_INQUIRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

struct run;
struct folder_work;

/* A message that is asked about. */
struct inquiry_item {
    struct folder_work *work;
    uint32_t uid;    /* there, on the side that is asked */
    uint32_t number; /* the caller's name for it */
};

/* The upper part is the caller's to fill; lives until over(). */
struct inquiry {
    struct run *run;
    enum identify_level level;
    /* Called for each message that is there; @identity is borrowed. */
    void (*item)(struct inquiry *inquiry, enum side side, uint32_t number,
                 const struct identity *identity);
    /* All is answered, or never will be: a folder that cannot be asked gives
     * no answers, and the run goes on. Not from inside inquiry_send(). */
    void (*over)(struct inquiry *inquiry);
    void *owner;
    unsigned pending; /* requests under way; 0 before the first */
};

/* Ask @side about @items, which are sorted by this, and copied. May be called
 * again before over(). Nothing is under way after it where @n is 0. */
void inquiry_send(struct inquiry *inquiry, enum side side,
                  struct inquiry_item *items, size_t n);

#endif
