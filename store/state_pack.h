/*
 * The state's file, written anew, in today's layout: rows that came in another order than that of
 * their keys leave pages half empty, and changes leave pages unused. In the
 * order of keys all pages are full.
 */
#ifndef STORE_STATE_PACK_H
#define STORE_STATE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/state_db.h"

/* Has the file in the directory @dir grown by a quarter since it had @packed
 * bytes, and is it worth the trouble? */
bool state_pack_is_due(const char *dir, uint64_t packed);

/* Remove what a run that was killed over this has left. */
void state_pack_clean(const char *dir);

/**
 * Put a packed copy of @db, which is open in the directory @dir, in its place.
 * @db is still what it was: nothing may be written to it any more.
 *
 * The copy is made, made durable and checked in a directory of its own, and
 * takes the old file's name then: whenever this is cut short, one of the two is
 * there, and both say the same. Who reads the old one goes on to.
 *
 * Returns 0, ERR_STATE or ERR_DISK: then the old file is still there.
 */
int state_pack(struct state_db *db, const char *dir, struct err *err);

#endif
