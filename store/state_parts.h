/* What a struct state is made of; for the files that implement state.h. */
#ifndef STORE_STATE_PARTS_H
#define STORE_STATE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/flags.h"
#include "store/state.h"
#include "store/state_db.h"
#include "store/state_files.h"
#include "store/state_queue.h"
#include "store/state_rows.h"

struct state {
    int lock; /* of lock_take(), -1 with read_only */
    char *dir;
    struct state_db *db; /* NULL with read_only: there is none that is of use */
    bool read_only;
    bool is_new;
    bool unfinished;  /* as state_is_unfinished() */
    bool is_finished; /* state_finish() was called */
    uint64_t packed;  /* size of the file when it was packed; 0: never */
    char *identity[SIDES];

    struct keywords *keywords;
    uint32_t sets_saved; /* sets below this number have a row */
    uint32_t next_folder;
    uint64_t next_intent;
    bool head_saved; /* the state's own meta rows say what is above */

    uint64_t commits;
    struct state_queue queue;
    struct state_marks marks;
    struct state_rows_block kept[SIDES]; /* of pair, of right: until a commit */
    struct buf value;                    /* of the operation that is queued */
    bool pairs_queued;                   /* of them, new or changed ones */
    struct state_witness witness[SIDES]; /* before is NULL: none */
};

/* Names of the state's own meta rows; STATE_SCHEMA_NAME is another one. */
#define STATE_LEFT_NAME        ".left"
#define STATE_RIGHT_NAME       ".right"
#define STATE_NEXT_FOLDER_NAME ".next-folder"
#define STATE_NEXT_INTENT_NAME ".next-intent"
#define STATE_PACKED_NAME      ".packed"

/* Write a row that is a text, at once. Returns as state_rows_put(). */
int state_put_text(struct state_tx *tx, enum record_table table,
                   struct bytes key, struct bytes text, struct err *err);

/* Queue a row whose value is in state->value, or its end; clears it. */
void state_queue_put(struct state *state, enum record_table table,
                     struct bytes key);
void state_queue_del(struct state *state, enum record_table table,
                     struct bytes key);

#endif
