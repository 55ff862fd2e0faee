#include "store/state_db.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "store/pages.h"
#include "store/state_db_parts.h"

/* The kernel maps some 64 KB of the file around each row that is touched. */
#define ROWS_MAPPED 128u

int state_db_fail(struct err *err, int rc)
{
    if (rc > 0)
        return err_errno(err, ERR_DISK, rc, "state");
    return err_set(err, ERR_STATE, "state: %s: run again", mdb_strerror(rc));
}

/* --- the map --------------------------------------------------------------- */

/* The key of LMDB's first row: its main table has one for each of ours. */
static int first_key(MDB_txn *txn, MDB_val *key)
{
    MDB_cursor *cursor;
    MDB_dbi dbi;
    int rc = mdb_dbi_open(txn, NULL, 0, &dbi);

    if (rc == 0)
        rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, key, NULL, MDB_FIRST);
    mdb_cursor_close(cursor);
    return rc;
}

int state_db_find_map(struct state_db *db)
{
    MDB_envinfo info;
    MDB_stat stat;
    MDB_txn *txn;
    MDB_val key;
    int rc = mdb_env_info(db->env, &info);

    db->map = NULL;
    if (rc == 0)
        rc = mdb_env_stat(db->env, &stat);
    if (rc == 0)
        rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = first_key(txn, &key);
    if (rc == 0) {
        db->map = pages_map_start(key.mv_data, stat.ms_psize);
        db->map_bytes = info.me_mapsize;
    }
    mdb_txn_abort(txn);
    return rc;
}

/* What was read of the file is in the page cache, which is the system's; that
 * it is mapped makes it ours. So a run over a million rows would take as much
 * memory as they have on disk: let go of it now and then. What is needed again
 * is mapped again. Any thread, at any time. */
void state_db_let_go(struct state_db *db)
{
#ifdef MADV_DONTNEED
    if (db != NULL && db->map != NULL)
        (void)madvise((void *)(uintptr_t)db->map, db->map_bytes, MADV_DONTNEED);
#else
    (void)db;
#endif
}

static void touch_row(struct state_db *db)
{
    unsigned touched =
        atomic_fetch_add_explicit(&db->touched, 1, memory_order_relaxed);

    if (touched % ROWS_MAPPED == ROWS_MAPPED - 1)
        state_db_let_go(db);
}

bool state_db_is_old(const struct state_db *db)
{
    return db->is_old;
}

/* --- transactions ------------------------------------------------------------ */

static MDB_txn *take_idle(struct state_db *db)
{
    MDB_txn *txn = NULL;

    pthread_mutex_lock(&db->lock);
    if (db->n_idle > 0)
        txn = db->idle[--db->n_idle];
    pthread_mutex_unlock(&db->lock);
    return txn;
}

static bool keep_idle(struct state_db *db, MDB_txn *txn)
{
    bool kept;

    mdb_txn_reset(txn);
    pthread_mutex_lock(&db->lock);
    kept = db->n_idle < STATE_DB_IDLE_MAX;
    if (kept)
        db->idle[db->n_idle++] = txn;
    pthread_mutex_unlock(&db->lock);
    return kept;
}

int state_db_read(struct state_db *db, struct state_tx *tx, struct err *err)
{
    int rc = 0;

    *tx = (struct state_tx){.db = db};
    if (db == NULL)
        return 0;
    tx->txn = take_idle(db);
    if (tx->txn == NULL) {
        rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &tx->txn);
    } else {
        rc = mdb_txn_renew(tx->txn);
        if (rc != 0)
            mdb_txn_abort(tx->txn);
    }
    if (rc == 0)
        return 0;
    tx->txn = NULL;
    return state_db_fail(err, rc);
}

int state_db_write(struct state_db *db, struct state_tx *tx, struct err *err)
{
    int rc;

    *tx = (struct state_tx){.db = db, .writes = true};
    db->full = false;
    rc = mdb_txn_begin(db->env, NULL, 0, &tx->txn);
    if (rc == 0)
        return 0;
    tx->txn = NULL;
    /* MDB_PANIC: an earlier failure to write a meta page. */
    return state_db_fail(err, rc == MDB_PANIC ? EIO : rc);
}

void state_db_end(struct state_tx *tx)
{
    if (tx->txn != NULL && (tx->writes || !keep_idle(tx->db, tx->txn)))
        mdb_txn_abort(tx->txn);
    tx->txn = NULL;
}

/* The result of a write. */
static int wrote(struct state_tx *tx, int rc, struct err *err)
{
    if (rc == 0)
        return 0;
    tx->db->full = rc == MDB_MAP_FULL;
    return state_db_fail(err, rc);
}

int state_db_commit(struct state_tx *tx, struct err *err)
{
    int rc = mdb_txn_commit(tx->txn);

    tx->txn = NULL;
    return wrote(tx, rc, err);
}

bool state_db_is_full(const struct state_db *db)
{
    return db->full;
}

int state_db_grow(struct state_db *db, size_t bytes, struct err *err)
{
    MDB_envinfo info;
    size_t size = 0;
    int rc = mdb_env_info(db->env, &info);

    db->full = false;
    if (rc == 0)
        size = info.me_mapsize;
    do {
        if (size > SIZE_MAX / 2)
            rc = ENOMEM;
        size *= 2;
    } while (rc == 0 && size < bytes);
    if (rc == 0)
        rc = mdb_env_set_mapsize(db->env, size);
    if (rc == 0)
        rc = state_db_find_map(db);
    return rc == 0 ? 0 : state_db_fail(err, rc);
}

/* --- rows -------------------------------------------------------------------- */

/* LMDB takes what it only reads without const. */
static MDB_val val_of(struct bytes text)
{
    return (MDB_val){.mv_size = text.len,
                     .mv_data = (void *)(uintptr_t)text.ptr};
}

static struct bytes bytes_of_val(MDB_val val)
{
    return (struct bytes){val.mv_data, val.mv_size};
}

int state_db_get(const struct state_tx *tx, enum record_table table,
                 struct bytes key, struct bytes *value, struct err *err)
{
    MDB_val key_val = val_of(key);
    MDB_val val;
    int rc;

    if (tx->txn == NULL)
        return 1;
    touch_row(tx->db);
    rc = mdb_get(tx->txn, tx->db->tables[table], &key_val, &val);
    if (rc == MDB_NOTFOUND)
        return 1;
    if (rc != 0)
        return state_db_fail(err, rc);
    *value = bytes_of_val(val);
    return 0;
}

static bool begins_with(MDB_val key, struct bytes prefix)
{
    return key.mv_size >= prefix.len &&
           memcmp(key.mv_data, prefix.ptr, prefix.len) == 0;
}

/* Go to the first key that is not below @prefix. */
static int seek(MDB_cursor *cursor, struct bytes prefix, MDB_val *key,
                MDB_val *val)
{
    *key = val_of(prefix);
    return mdb_cursor_get(cursor, key, val,
                          prefix.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
}

/* Returns what LMDB says, with *@key and *@val set. */
static int seek_near(MDB_cursor *cursor, struct bytes wanted,
                     struct bytes shared, MDB_val *key, MDB_val *val)
{
    MDB_val below;
    MDB_val below_val;
    bool above;
    int rc = seek(cursor, wanted, key, val);

    if (rc == 0 && bytes_equal(bytes_of_val(*key), wanted))
        return 0;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    above = rc == 0 && begins_with(*key, shared);
    rc = mdb_cursor_get(cursor, &below, &below_val,
                        rc == 0 ? MDB_PREV : MDB_LAST);
    if (rc == 0 && begins_with(below, shared)) {
        *key = below;
        *val = below_val;
        return 0;
    }
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    return above ? 0 : MDB_NOTFOUND;
}

static int seek_above(MDB_cursor *cursor, struct bytes wanted,
                      struct bytes shared, MDB_val *key, MDB_val *val)
{
    int rc = seek(cursor, wanted, key, val);

    return rc == 0 && !begins_with(*key, shared) ? MDB_NOTFOUND : rc;
}

/* Look for an entry by seek_near() or seek_above(). */
static int look(const struct state_tx *tx, enum record_table table,
                int (*way)(MDB_cursor *cursor, struct bytes wanted,
                           struct bytes shared, MDB_val *key, MDB_val *val),
                struct bytes key, size_t prefix, struct bytes *found,
                struct bytes *value, struct err *err)
{
    MDB_cursor *cursor;
    MDB_val at;
    MDB_val val;
    int rc;

    if (tx->txn == NULL)
        return 1;
    touch_row(tx->db);
    rc = mdb_cursor_open(tx->txn, tx->db->tables[table], &cursor);
    if (rc != 0)
        return state_db_fail(err, rc);
    rc = way(cursor, key, (struct bytes){key.ptr, prefix}, &at, &val);
    mdb_cursor_close(cursor);
    if (rc == MDB_NOTFOUND)
        return 1;
    if (rc != 0)
        return state_db_fail(err, rc);
    *found = bytes_of_val(at);
    *value = bytes_of_val(val);
    return 0;
}

int state_db_near(const struct state_tx *tx, enum record_table table,
                  struct bytes key, size_t prefix, struct bytes *found,
                  struct bytes *value, struct err *err)
{
    return look(tx, table, seek_near, key, prefix, found, value, err);
}

int state_db_above(const struct state_tx *tx, enum record_table table,
                   struct bytes key, size_t prefix, struct bytes *found,
                   struct bytes *value, struct err *err)
{
    return look(tx, table, seek_above, key, prefix, found, value, err);
}

int state_db_each(const struct state_tx *tx, enum record_table table,
                  struct bytes prefix,
                  int (*row)(void *owner, struct bytes key, struct bytes value),
                  void *owner, struct err *err)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val val;
    int r = 0;
    int rc;

    if (tx->txn == NULL)
        return 0;
    if (tx->db->tables[table] == STATE_DB_NO_TABLE)
        return 0;
    rc = mdb_cursor_open(tx->txn, tx->db->tables[table], &cursor);
    if (rc != 0)
        return state_db_fail(err, rc);
    rc = seek(cursor, prefix, &key, &val);
    while (rc == 0 && r == 0 && begins_with(key, prefix)) {
        touch_row(tx->db);
        r = row(owner, bytes_of_val(key), bytes_of_val(val));
        if (r == 0)
            rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == 0 || rc == MDB_NOTFOUND ? r : state_db_fail(err, rc);
}

static int put(struct state_tx *tx, enum record_table table, struct bytes key,
               struct bytes value, unsigned flags, struct err *err)
{
    MDB_val key_val = val_of(key);
    MDB_val val = val_of(value);
    int rc;

    touch_row(tx->db);
    rc = mdb_put(tx->txn, tx->db->tables[table], &key_val, &val, flags);
    return wrote(tx, rc, err);
}

int state_db_put(struct state_tx *tx, enum record_table table, struct bytes key,
                 struct bytes value, struct err *err)
{
    return put(tx, table, key, value, 0, err);
}

int state_db_append(struct state_tx *tx, enum record_table table,
                    struct bytes key, struct bytes value, struct err *err)
{
    return put(tx, table, key, value, MDB_APPEND, err);
}

int state_db_del(struct state_tx *tx, enum record_table table, struct bytes key,
                 struct err *err)
{
    MDB_val key_val = val_of(key);
    int rc;

    touch_row(tx->db);
    rc = mdb_del(tx->txn, tx->db->tables[table], &key_val, NULL);

    return wrote(tx, rc == MDB_NOTFOUND ? 0 : rc, err);
}

int state_db_del_prefix(struct state_tx *tx, enum record_table table,
                        struct bytes prefix, struct err *err)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val val;
    int rc = mdb_cursor_open(tx->txn, tx->db->tables[table], &cursor);

    if (rc != 0)
        return wrote(tx, rc, err);
    do {
        rc = seek(cursor, prefix, &key, &val);
        if (rc == 0 && !begins_with(key, prefix))
            rc = MDB_NOTFOUND;
        touch_row(tx->db);
        if (rc == 0)
            rc = mdb_cursor_del(cursor, 0);
    } while (rc == 0);
    mdb_cursor_close(cursor);
    return wrote(tx, rc == MDB_NOTFOUND ? 0 : rc, err);
}
