/*
 * The state's LMDB environment: tables of entries, and transactions. The only
 * files that know LMDB's functions; nothing is known here of what rows mean.
 */
#ifndef STORE_STATE_DB_H
#define STORE_STATE_DB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/record.h"

struct state_db;
struct MDB_txn;

#define STATE_DB_MISSING 1 /* read_only: there is nothing to open */
#define STATE_DB_DAMAGED 2 /* the error's text says what was found */

/**
 * Open the environment in the directory @dir, made where it is missing, and
 * check all of it (state_check.h). One process may have it open once.
 *
 * Returns 0, STATE_DB_MISSING, STATE_DB_DAMAGED, ERR_STATE for one of a newer
 * version, or ERR_DISK.
 */
int state_db_open(const char *dir, bool read_only, struct state_db **out,
                  struct err *err);

/* Close; no transaction is open. NULL is fine. */
void state_db_close(struct state_db *db);

/* One transaction. A zeroed one sees nothing. */
struct state_tx {
    struct state_db *db;
    struct MDB_txn *txn;
    bool writes;
};

/* Are there tables of an older layout? */
bool state_db_is_old(const struct state_db *db);

/* Begin to read what is committed; any thread, several at once. A NULL @db is
 * an empty one. Returns 0, ERR_STATE or ERR_DISK. */
int state_db_read(struct state_db *db, struct state_tx *tx, struct err *err);

/* Begin to write. Returns as state_db_read(). */
int state_db_write(struct state_db *db, struct state_tx *tx, struct err *err);

/* End the transaction; what it wrote is dropped. */
void state_db_end(struct state_tx *tx);

/* End the transaction; what it wrote is durable. Returns 0, ERR_STATE or
 * ERR_DISK: then it is dropped. */
int state_db_commit(struct state_tx *tx, struct err *err);

/* Give back the memory of what was read so far: done now and then in any case.
 * Nothing that is borrowed ends. NULL is fine. */
void state_db_let_go(struct state_db *db);

/*
 * What follows is about entries of the database; what the state's own code asks
 * for is rows (state_rows.h).
 */

/* Look an entry up. Returns 0 with *@value set (borrowed until the next write
 * or the end of @tx), 1 where there is none, ERR_STATE or ERR_DISK. */
int state_db_get(const struct state_tx *tx, enum record_table table,
                 struct bytes key, struct bytes *value, struct err *err);

/* Of the entries that share @prefix bytes of @key, the last one that is not
 * above it, else the first one. Returns as state_db_get(). */
int state_db_near(const struct state_tx *tx, enum record_table table,
                  struct bytes key, size_t prefix, struct bytes *found,
                  struct bytes *value, struct err *err);

/* Of those, the first one that is not below it. */
int state_db_above(const struct state_tx *tx, enum record_table table,
                   struct bytes key, size_t prefix, struct bytes *found,
                   struct bytes *value, struct err *err);

/* Call @row for all entries whose key begins with @prefix, in the order of keys;
 * it does not write through @tx. Returns 0, ERR_STATE, ERR_DISK, or the first
 * value of @row that is not 0, which ends it. */
int state_db_each(const struct state_tx *tx, enum record_table table,
                  struct bytes prefix,
                  int (*row)(void *owner, struct bytes key, struct bytes value),
                  void *owner, struct err *err);

/* Write, delete (it may be missing), delete all whose key begins with
 * @prefix. Return 0, ERR_STATE or ERR_DISK: then @tx can only be ended, and
 * state_db_is_full() says whether the map was too small. */
int state_db_put(struct state_tx *tx, enum record_table table, struct bytes key,
                 struct bytes value, struct err *err);
/* As state_db_put() of an entry behind all others: leaves full pages. */
int state_db_append(struct state_tx *tx, enum record_table table,
                    struct bytes key, struct bytes value, struct err *err);
int state_db_del(struct state_tx *tx, enum record_table table, struct bytes key,
                 struct err *err);
int state_db_del_prefix(struct state_tx *tx, enum record_table table,
                        struct bytes prefix, struct err *err);

/* Was the map too small for the last write or commit that failed? */
bool state_db_is_full(const struct state_db *db);

/* Make the map twice as large as it is, and for a file of @bytes at least; no
 * transaction is open. Returns 0 or ERR_DISK. */
int state_db_grow(struct state_db *db, size_t bytes, struct err *err);

#endif
