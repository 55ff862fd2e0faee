/*
 * How long to wait before trying again, and when to give up: longer after each
 * setback, never the same for two clients, and from the beginning after any
 * progress. Knows no clock and no source of chance. Pure.
 */
#ifndef IMAP_PATIENCE_H
#define IMAP_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* The first wait. Others follow at twice the length of the one before: 1, 2,
 * 4, 8 and 16 seconds. */
#define PATIENCE_UNIT_MS 1000u

/* Setbacks without progress between them that a wait follows; the next one is
 * the last. */
#define PATIENCE_SETBACKS 5u

/* Setbacks that one message is to blame for, without progress between them, that
 * are excused: of ten messages that cost three connections each. */
#define PATIENCE_EXCUSED 30u

/* All waits that a server may ask for, without progress between them. One
 * counts as the first wait at least. */
#define PATIENCE_ASKED_MS (10u * 60 * 1000)

/* A zeroed struct has had no setback. */
struct patience {
    unsigned setbacks;
    unsigned excused;
    uint64_t asked_ms; /* so far, by the server */
};

/**
 * There was a setback.
 *
 * @unit_ms   the first wait, 1 or more
 * @asked_ms  that the server asks for; 0: it does not say
 * @chance    any number, another one each time
 * @wait_ms   out: how long to wait
 *
 * Returns false where it is time to give up.
 */
bool patience_wait(struct patience *patience, uint32_t unit_ms,
                   uint32_t asked_ms, uint32_t chance, uint32_t *wait_ms);

/* The setback that patience_wait() is about to count has one message to blame,
 * which will not be tried for ever: those before it are forgotten, so that all
 * others get their chance. Not more than PATIENCE_EXCUSED times. */
void patience_excuse(struct patience *patience);

#endif
