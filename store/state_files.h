/*
 * The UIDs of a Maildir's files: by UID, by name, and the highest one given.
 * Names may share a place in the index by name: the rows by UID tell who is
 * who.
 */
#ifndef STORE_STATE_FILES_H
#define STORE_STATE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/record.h"
#include "store/state_db.h"

/* The highest UIDs that were queued and are not on record yet. */
struct state_mark {
    enum side side;
    uint32_t folder;
    uint32_t last;
};

struct state_marks {
    struct state_mark *marks;
    size_t n;
    size_t cap;
};

/* Write what the marks say. Returns 0, ERR_STATE or ERR_DISK. */
int state_files_save(struct state_tx *tx, const struct state_marks *marks,
                     struct err *err);

/* Forget those of one folder; 0: all. */
void state_files_forget(struct state_marks *marks, uint32_t folder);

/* Write the row @key (record_key_file()); another file of that name, and
 * another name of that UID, end. Returns 0, ERR_STATE or ERR_DISK. */
int state_files_put(struct state_tx *tx, struct bytes key, struct bytes name,
                    struct err *err);

/* Delete the row @key, if it has @name; NULL: whatever its name. Returns as
 * state_files_put(). */
int state_files_del(struct state_tx *tx, struct bytes key,
                    const struct bytes *name, struct err *err);

#endif
