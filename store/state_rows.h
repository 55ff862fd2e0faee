/*
 * The rows of the state's tables, wherever they lie: those of most tables are
 * entries of the database (state_db.h), those of the large ones are in blocks
 * (record_block.h). Nothing is known here of what rows mean.
 */
#ifndef STORE_STATE_ROWS_H
#define STORE_STATE_ROWS_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "store/record_block.h"
#include "store/record_key.h"
#include "store/state_db.h"

/* Look a row up. Returns 0 with *@value set (borrowed until the next write or
 * the end of @tx), 1 where there is none, ERR_STATE or ERR_DISK. */
int state_rows_get(const struct state_tx *tx, enum record_table table,
                   struct bytes key, struct bytes *value, struct err *err);

/*
 * A block that is kept, taken apart: look-ups in the order of the keys mostly
 * find their row where the one before was. It is a copy, and tells what was on
 * record when it was read. Of one table, which lies in blocks.
 */
struct state_rows_block {
    struct record_key key;
    struct buf copy;           /* what it had, which the rows borrow from */
    struct record_block block; /* no rows: none is kept */
};

void state_rows_block_init(struct state_rows_block *kept);
void state_rows_block_deinit(struct state_rows_block *kept);
void state_rows_block_forget(struct state_rows_block *kept);

#define STATE_ROWS_ELSEWHERE 2

/* Look a row up in what is kept. Returns 0 with *@value set (borrowed from
 * @kept), 1 where there is none, STATE_ROWS_ELSEWHERE where another block would
 * have it. */
int state_rows_find(const struct state_rows_block *kept,
                    enum record_table table, struct bytes key,
                    struct bytes *value);

/* Keep the block that has the row @key, if there is one; or the first block
 * that begins at @key or above. Return 0, 1 where there is none, ERR_STATE or
 * ERR_DISK. */
int state_rows_keep(const struct state_tx *tx, enum record_table table,
                    struct bytes key, struct state_rows_block *kept,
                    struct err *err);
int state_rows_keep_next(const struct state_tx *tx, enum record_table table,
                         struct bytes key, struct state_rows_block *kept,
                         struct err *err);

/* Call @row for all rows whose key begins with @prefix, in the order of keys;
 * it does not write through @tx. Returns 0, ERR_STATE, ERR_DISK, or the first
 * value of @row that is not 0, which ends it. */
int state_rows_each(const struct state_tx *tx, enum record_table table,
                    struct bytes prefix,
                    int (*row)(void *owner, struct bytes key,
                               struct bytes value),
                    void *owner, struct err *err);

/* Write, delete (it may be missing), delete all whose key begins with
 * @prefix. Return 0, ERR_STATE or ERR_DISK: then @tx can only be ended, and
 * state_db_is_full() says whether the map was too small. */
int state_rows_put(struct state_tx *tx, enum record_table table,
                   struct bytes key, struct bytes value, struct err *err);
int state_rows_del(struct state_tx *tx, enum record_table table,
                   struct bytes key, struct err *err);
int state_rows_del_prefix(struct state_tx *tx, enum record_table table,
                          struct bytes prefix, struct err *err);

/* Rows written to their tables in the order of their keys, each table empty
 * before: their blocks are full, and so are the pages. */
struct state_rows_writer {
    struct state_tx *tx;
    enum record_table table;
    struct record_key key; /* of the block's last row */
    struct record_block block;
    char values[RECORD_BLOCK_BYTES]; /* of its rows */
    size_t n_values;
};

/* @tx may end and begin again between two calls. */
void state_rows_writer_init(struct state_rows_writer *writer,
                            struct state_tx *tx);

/* Write a row, at the latest with the next _end(). Returns 0, ERR_STATE or
 * ERR_DISK. */
int state_rows_append(struct state_rows_writer *writer, enum record_table table,
                      struct bytes key, struct bytes value, struct err *err);

/* Write what waits. Returns as state_rows_append(). */
int state_rows_append_end(struct state_rows_writer *writer, struct err *err);

/* "a row of ... is damaged". Returns ERR_STATE. */
int state_rows_damaged(struct err *err, enum record_table table);

#endif
