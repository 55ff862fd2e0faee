/*
 * The brakes against mass deletion. Pure.
 */
#ifndef SYNC_GUARD_H
#define SYNC_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "sync/policy.h"

/* Fewer deletions than this never trip a percentage. */
#define GUARD_FREE_DELETES 10u

/* Are @deletes out of @messages (of a folder, or of the pair) more than the
 * pair's max_delete allows? */
bool guard_exceeds(const struct max_delete *limit, uint64_t deletes,
                   uint64_t messages);

/* Does it look as if a whole side had been emptied: all of @messages gone, and
 * not just a few? Holds whatever max_delete says. */
bool guard_emptied(uint64_t gone, uint64_t messages);

#endif
