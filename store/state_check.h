/* Is everything in a state's file sound: its pages, and each of its rows? */
#ifndef STORE_STATE_CHECK_H
#define STORE_STATE_CHECK_H

#include <stddef.h>

#include "base/err.h"

/* The layout that this program writes; the text of the meta row of this name.
 * Names that begin with "." are the state's own. */
#define STATE_SCHEMA      3u
#define STATE_SCHEMA_NAME ".schema"

/**
 * Check a snapshot, see pages_check(): pages, schema version, rows.
 *
 * Returns 0, PAGES_GONE, PAGES_DAMAGED, ERR_STATE where a newer program wrote
 * it, or ERR_DISK.
 */
int state_check(int fd, size_t snapshot, struct err *err);

#endif
