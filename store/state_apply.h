/*
 * The operations of a queue in one transaction, with all that hangs on a row:
 * the other index of a pair, the counts of a folder, the names of files.
 */
#ifndef STORE_STATE_APPLY_H
#define STORE_STATE_APPLY_H

#include "base/err.h"
#include "store/state_db.h"
#include "store/state_queue.h"

/* Apply all of @queue. Returns 0, ERR_STATE or ERR_DISK: then @tx can only be
 * ended. */
int state_apply(struct state_tx *tx, const struct state_queue *queue,
                struct err *err);

#endif
