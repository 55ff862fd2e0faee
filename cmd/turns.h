/*
 * Which pair of a command may begin while others are under way. Pure.
 *
 * Pairs that share a place (an account at a server, a Maildir or a part of one)
 * take turns, in their order: what an account is set to, connections above all,
 * holds for all of them together then. The others begin in their order, as many
 * at once as was said.
 */
#ifndef CMD_TURNS_H
#define CMD_TURNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"

struct turns;

/* The two places of one pair. One that is another one's beginning, up to a
 * slash, is the same. */
struct turns_places {
    const char *place[SIDES];
};

/* @n pairs, of which at most @at_once are under way. @places may go after
 * that. turns_free() it. */
struct turns *turns_new(const struct turns_places *places, size_t n,
                        size_t at_once);
void turns_free(struct turns *turns);

/* Is there one that may begin? Its number is in *@pair then, and it is under
 * way. */
bool turns_next(struct turns *turns, size_t *pair);

/* One that was under way is over. */
void turns_end(struct turns *turns, size_t pair);

/* One that was under way has not begun, and will another time: turns_next()
 * passes it by, and whoever waited for its places, until turns_recall() has put
 * all of these back in their order. */
void turns_put_off(struct turns *turns, size_t pair);
void turns_recall(struct turns *turns);

#endif
