#include "store/state_db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "base/mem.h"
#include "store/pages.h"
#include "store/state_check.h"

/* LMDB's own, in the directory it is given. */
#define DATA_NAME "data.mdb"
#define LOCK_NAME "lock.mdb"

/* What LMDB makes of an empty lock file: a head and its usual 126 readers. */
#define LOCK_BYTES 8192

/* The map is address space, not memory nor disk; it is doubled when full. */
#define MAP_START ((size_t)16 << 20)
/* A reader cannot grow the map while another run makes the file larger. */
#define MAP_READ_SPARE ((size_t)1 << 30)

#define NO_TABLE 0 /* LMDB's handle of a table of its own */

#define IDLE_MAX   8 /* read transactions that are kept for the next use */
#define CHECKS_MAX 3 /* another run may write past the snapshot meanwhile */

/* The kernel maps some 64 KB of the file around each row that is touched. */
#define ROWS_MAPPED 128u

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
    MDB_txn *idle[IDLE_MAX];
    size_t n_idle;
};

/* What LMDB says, as ours: its own codes are negative, errno positive. */
static int fail(struct err *err, int rc)
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

/* Find out where the map is: LMDB does not tell. */
static int find_map(struct state_db *db)
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
static void touch_row(struct state_db *db)
{
#ifdef MADV_DONTNEED
    unsigned touched =
        atomic_fetch_add_explicit(&db->touched, 1, memory_order_relaxed);

    if (touched % ROWS_MAPPED == ROWS_MAPPED - 1 && db->map != NULL)
        (void)madvise((void *)(uintptr_t)db->map, db->map_bytes, MADV_DONTNEED);
#else
    (void)db;
#endif
}

/* --- open ------------------------------------------------------------------ */

/* What LMDB says while it opens: MDB_INVALID, MDB_VERSION_MISMATCH and the
 * like mean a file that is not ours to use. */
static int open_fail(struct err *err, int rc)
{
    int r = fail(err, rc);

    if (r == ERR_STATE)
        err_set(err, ERR_STATE, "%s", mdb_strerror(rc));
    return r == ERR_STATE ? STATE_DB_DAMAGED : r;
}

/* Is the head of the file sound? Its size into *@size. */
static int check_head(int fd, size_t *size, struct err *err)
{
    struct stat st;
    int r;

    if (fstat(fd, &st) != 0)
        return err_errno(err, ERR_DISK, errno, "%s", DATA_NAME);
    if (!S_ISREG(st.st_mode)) {
        err_set(err, ERR_STATE, "it is not a file");
        return STATE_DB_DAMAGED;
    }
    *size = (size_t)st.st_size;
    r = pages_check_head(fd, err);
    return r == PAGES_DAMAGED ? STATE_DB_DAMAGED : r;
}

/* As check_head(); where there is no file, its size is 0. */
static int check_file(const char *dir, size_t *size, struct err *err)
{
    char *path = mem_printf("%s/%s", dir, DATA_NAME);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int r = 0;

    *size = 0;
    if (fd >= 0) {
        r = check_head(fd, size, err);
        close(fd);
    } else if (errno == ELOOP || errno == ENXIO) {
        err_set(err, ERR_STATE, "it is not a file");
        r = STATE_DB_DAMAGED;
    } else if (errno != ENOENT) {
        r = err_errno(err, ERR_DISK, errno, "%s", path);
    }
    free(path);
    return r;
}

/* Have room for the lock file. LMDB makes it by ftruncate() and writes it
 * through a map, where a full disk would end the process with SIGBUS. Where
 * this cannot be asked for, or the file not be made, LMDB says what is wrong. */
static int reserve_lock(const char *dir, struct err *err)
{
    char *path = mem_printf("%s/%s", dir, LOCK_NAME);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                  0600);
    int rc = 0;

#if defined(_POSIX_ADVISORY_INFO) && _POSIX_ADVISORY_INFO > 0
    if (fd >= 0) {
        do {
            rc = posix_fallocate(fd, 0, LOCK_BYTES);
        } while (rc == EINTR);
    }
#endif
    if (fd >= 0)
        close(fd);
    if (rc == ENOSPC || rc == EDQUOT || rc == EIO || rc == EFBIG)
        rc = err_errno(err, ERR_DISK, rc, "%s", path);
    else
        rc = 0;
    free(path);
    return rc;
}

static int open_env(struct state_db *db, const char *dir, size_t size,
                    struct err *err)
{
    /* Read transactions belong to no thread: they are kept and shared. */
    unsigned flags = MDB_NOTLS | (db->read_only ? MDB_RDONLY : 0);
    size_t map = MAP_START;
    int dead;
    int rc = mdb_env_create(&db->env);

    while (map < size + size / 2)
        map *= 2;
    if (db->read_only)
        map += MAP_READ_SPARE;
    if (rc == 0)
        rc = mdb_env_set_maxdbs(db->env, RECORD_TABLES);
    if (rc == 0)
        rc = mdb_env_set_mapsize(db->env, map);
    if (rc == 0)
        rc = mdb_env_open(db->env, dir, flags, 0600);
    /* Runs that were killed keep no old pages and no slots. */
    if (rc == 0)
        rc = mdb_reader_check(db->env, &dead);
    return rc == 0 ? 0 : open_fail(err, rc);
}

/* Hold a snapshot, and check the pages that it reaches. */
static int check_snapshot(struct state_db *db, struct err *err)
{
    MDB_txn *txn;
    int fd;
    int r = PAGES_GONE;

    for (int i = 0; i < CHECKS_MAX && r == PAGES_GONE; i++) {
        int rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);

        if (rc != 0)
            return open_fail(err, rc);
        rc = mdb_env_get_fd(db->env, &fd);
        r = rc == 0 ? state_check(fd, mdb_txn_id(txn), err) : fail(err, rc);
        mdb_txn_abort(txn);
    }
    if (r == PAGES_GONE) {
        err_set(err, ERR_STATE, "the head pages change all the time");
        r = STATE_DB_DAMAGED;
    }
    return r == PAGES_DAMAGED ? STATE_DB_DAMAGED : r;
}

/* Nothing of an older layout is made. */
static int open_table(struct state_db *db, MDB_txn *txn,
                      enum record_table table, unsigned flags)
{
    bool old = record_key_is_old(table);
    int rc = mdb_dbi_open(txn, record_key_table_name(table), old ? 0 : flags,
                          &db->tables[table]);

    if (old && rc == 0)
        db->is_old = true;
    if (old && rc == MDB_NOTFOUND)
        rc = 0;
    return rc;
}

static int open_tables(struct state_db *db, unsigned txn_flags,
                       unsigned table_flags)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(db->env, NULL, txn_flags, &txn);

    if (rc != 0)
        return rc;
    for (unsigned i = 0; i < RECORD_TABLES; i++) {
        int opened = open_table(db, txn, (enum record_table)i, table_flags);

        rc = rc == 0 ? opened : rc;
    }
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int find_tables(struct state_db *db, struct err *err)
{
    int rc = open_tables(db, MDB_RDONLY, 0);

    if (db->read_only && db->is_old) {
        return err_set(err, ERR_STATE,
                       "the state has an older layout: the next sync makes it "
                       "a new one, run that first");
    }
    if (rc == MDB_NOTFOUND && db->read_only)
        return STATE_DB_MISSING;
    if (rc == MDB_NOTFOUND)
        rc = open_tables(db, 0, MDB_CREATE);
    if (rc == 0)
        rc = find_map(db);
    return rc == 0 ? 0 : open_fail(err, rc);
}

int state_db_open(const char *dir, bool read_only, struct state_db **out,
                  struct err *err)
{
    struct state_db *db;
    size_t size;
    int r = check_file(dir, &size, err);

    if (r == 0 && read_only && size == 0)
        r = STATE_DB_MISSING;
    if (r != 0)
        return r;
    db = MEM_NEW(struct state_db);
    db->read_only = read_only;
    pthread_mutex_init(&db->lock, NULL);
    r = reserve_lock(dir, err);
    if (r == 0)
        r = open_env(db, dir, size, err);
    if (r == 0)
        r = check_snapshot(db, err);
    if (r == 0)
        r = find_tables(db, err);
    if (r != 0) {
        state_db_close(db);
        return r;
    }
    *out = db;
    return 0;
}

void state_db_close(struct state_db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->n_idle; i++)
        mdb_txn_abort(db->idle[i]);
    if (db->env != NULL)
        mdb_env_close(db->env);
    pthread_mutex_destroy(&db->lock);
    free(db);
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
    kept = db->n_idle < IDLE_MAX;
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
    return fail(err, rc);
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
    return fail(err, rc == MDB_PANIC ? EIO : rc);
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
    return fail(err, rc);
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
        rc = find_map(db);
    return rc == 0 ? 0 : fail(err, rc);
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
        return fail(err, rc);
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

int state_db_near(const struct state_tx *tx, enum record_table table,
                  struct bytes key, size_t prefix, struct bytes *found,
                  struct bytes *value, struct err *err)
{
    MDB_cursor *cursor;
    MDB_val near;
    MDB_val val;
    int rc;

    if (tx->txn == NULL)
        return 1;
    touch_row(tx->db);
    rc = mdb_cursor_open(tx->txn, tx->db->tables[table], &cursor);
    if (rc != 0)
        return fail(err, rc);
    rc = seek_near(cursor, key, (struct bytes){key.ptr, prefix}, &near, &val);
    mdb_cursor_close(cursor);
    if (rc == MDB_NOTFOUND)
        return 1;
    if (rc != 0)
        return fail(err, rc);
    *found = bytes_of_val(near);
    *value = bytes_of_val(val);
    return 0;
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
    if (tx->db->tables[table] == NO_TABLE)
        return 0;
    rc = mdb_cursor_open(tx->txn, tx->db->tables[table], &cursor);
    if (rc != 0)
        return fail(err, rc);
    rc = seek(cursor, prefix, &key, &val);
    while (rc == 0 && r == 0 && begins_with(key, prefix)) {
        touch_row(tx->db);
        r = row(owner, bytes_of_val(key), bytes_of_val(val));
        if (r == 0)
            rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == 0 || rc == MDB_NOTFOUND ? r : fail(err, rc);
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
