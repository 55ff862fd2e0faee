/* What a struct state_db is made of; for the files that implement state_db.h,
 * the only ones that know LMDB's functions. */
#ifndef STORE_STATE_DB_PARTS_H
#define STORE_STATE_DB_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include <lmdb.h>

#include "store/state_db.h"

#define STATE_DB_IDLE_MAX 8 /* read transactions kept for the next use */
#define STATE_DB_NO_TABLE 0 /* LMDB's handle of a table of its own */

struct state_db {
    MDB_env *env;
    const char *map; /* NULL: not known */
    size_t map_bytes;
    atomic_uint touched; /* rows, so far */
    MDB_dbi tables[RECORD_TABLES];
    bool read_only;
    bool is_old;
    bool full;
    pthread_mutex_t lock; /* of the two below */
    MDB_txn *idle[STATE_DB_IDLE_MAX];
    size_t n_idle;
};

/* What LMDB says, as ours: its own codes are negative, errno positive. Returns
 * ERR_STATE or ERR_DISK. */
int state_db_fail(struct err *err, int rc);

/* Find out where the map is: LMDB does not tell. Returns what LMDB says. */
int state_db_find_map(struct state_db *db);

#endif
