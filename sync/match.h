/*
 * Which new message on the left is which new one on the right. Asked on a
 * first run over two full sides, after a lost state, for an APPEND that was
 * never answered. One to one on multisets: two identical messages stay two.
 *
 * The ladder: equal size; then equal size, date and header digest, where that
 * is unique on both sides; then the digest of the whole message. Where sizes
 * lie it begins at the second step, and does without them; where messages are
 * made anew for each reader, there is one step only, the envelope's digest.
 * Where nobody knows whether sizes lie, what was not matched goes up once more,
 * by its date in place of its size, and every byte has to tell.
 * Pure: says which messages it wants identified, and is told.
 *
 *     match_init(); match_add() for each new message;
 *     while (match_next(&match)) {
 *         identify match.want[LEFT] and match.want[RIGHT] at match.level,
 *         match_identified() for each;
 *     }
 *     match.links
 */
#ifndef SYNC_MATCH_H
#define SYNC_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/identity.h"
#include "base/uidset.h"

struct candidate {
    uint32_t uid;
    bool identified; /* at the present level */
    bool linked;
    struct identity identity;
};

struct match_link {
    uint32_t uid[SIDES];
};

struct match {
    struct candidate *candidates[SIDES];
    size_t n[SIDES];
    size_t cap[SIDES];
    enum fidelity fidelity;
    unsigned step;                /* how far up the ladder */
    bool by_date;                 /* the date stands in for the size */
    struct candidate *all[SIDES]; /* to go up once more, or NULL */
    size_t n_all[SIDES];
    /* out */
    enum identify_level level;
    struct uidset want[SIDES];
    struct match_link *links;
    size_t n_links;
    size_t links_cap;
};

/* @fidelity  of the two sides, the lower one */
void match_init(struct match *match, enum fidelity fidelity);
void match_deinit(struct match *match);

/* A new message of @side, size and date as listed. */
void match_add(struct match *match, enum side side,
               const struct listed *listed);

/* Sizes may lie. After the last match_add(); @match is of FIDELITY_EXACT. */
void match_doubt_sizes(struct match *match);

/* The next question into want and level. Returns false where there is none:
 * links is final. */
bool match_next(struct match *match);

/* An answer. Messages that are not answered stay unmatched. */
void match_identified(struct match *match, enum side side, uint32_t uid,
                      const struct identity *identity);

#endif
