#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/pages.h"
#include "store/state_check.h"
#include "store/state_db_parts.h"

/* LMDB's own, in the directory it is given. */
#define DATA_NAME "data.mdb"
#define LOCK_NAME "lock.mdb"

/* What LMDB makes of an empty lock file: a head and its usual 126 readers. */
#define LOCK_BYTES 8192

/* The map is address space, not memory nor disk; it is doubled when full. */
#define MAP_START ((size_t)16 << 20)
/* A reader cannot grow the map while another run makes the file larger. */
#define MAP_READ_SPARE ((size_t)1 << 30)

#define CHECKS_MAX 3 /* another run may write past the snapshot meanwhile */

/* What LMDB says while it opens: MDB_INVALID, MDB_VERSION_MISMATCH and the
 * like mean a file that is not ours to use. */
static int open_fail(struct err *err, int rc)
{
    int r = state_db_fail(err, rc);

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
        r = rc == 0 ? state_check(fd, mdb_txn_id(txn), err)
                    : state_db_fail(err, rc);
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
        rc = state_db_find_map(db);
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
