#include "store/state_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/state_check.h"
#include "store/state_parts.h"

#define PACK_BYTES_MIN ((uint64_t)1 << 20) /* a small file is as it is */
#define PACK_GROWTH    4u                  /* a quarter more: pack it again */
#define COMMIT_ROWS    32768u

static uint64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

bool state_pack_is_due(const char *dir, uint64_t packed)
{
    char *path = mem_printf("%s/data.mdb", dir);
    uint64_t size = size_of(path);

    free(path);
    return size >= PACK_BYTES_MIN && size >= packed + packed / PACK_GROWTH;
}

void state_pack_clean(const char *dir)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char *place = mem_printf("%s/packed", dir);
    bool any = rmdir(place) < 0 && errno != ENOENT;

    for (size_t i = 0; any && i < sizeof(files) / sizeof(*files); i++) {
        char *path = mem_printf("%s/%s", place, files[i]);

        (void)unlink(path);
        free(path);
    }
    if (any)
        (void)rmdir(place);
    free(place);
}

/* --- the copy ------------------------------------------------------------------ */

struct pack {
    struct state_db *to;
    struct state_tx tx;
    struct state_rows_writer writer;
    enum record_table table;
    struct bytes schema; /* the text that names our layout */
    size_t rows;         /* not committed yet */
    struct err *err;
};

/* Of an older layout: the rows are what they are now, but each has the frame of
 * a text. The two indexes are made anew. */
static int convert_row(struct pack *pack, struct bytes key, struct bytes value)
{
    struct state_pair pair;
    struct record_key right;
    struct bytes row;
    struct buf left;
    int r;

    if (!record_decode_text(key, value, &row))
        return state_rows_damaged(pack->err, pack->table);
    if (pack->table == RECORD_OLD_FILE)
        return state_files_put(&pack->tx, key, row, pack->err);
    if (pack->table != RECORD_OLD_PAIR)
        return 0;
    if (!record_decode_pair(key, row, &pair))
        return state_rows_damaged(pack->err, pack->table);
    right = record_key_pair(record_key_read(RECORD_PAIR, key).folder,
                            pair.uid[RIGHT]);
    buf_init(&left, 0);
    record_encode_right(&left, pair.uid[LEFT]);
    r = state_rows_put(&pack->tx, RECORD_RIGHT, record_key_bytes(&right),
                       buf_peek(&left), pack->err);
    buf_deinit(&left);
    return r == 0 ? state_rows_put(&pack->tx, RECORD_PAIR, key, row, pack->err)
                  : r;
}

static int put_row(struct pack *pack, struct bytes key, struct bytes value)
{
    if (record_key_is_old(pack->table))
        return convert_row(pack, key, value);
    if (pack->table == RECORD_META && bytes_equal(key, B(STATE_SCHEMA_NAME)))
        return state_put_text(&pack->tx, pack->table, key, pack->schema,
                              pack->err);
    return state_rows_append(&pack->writer, pack->table, key, value, pack->err);
}

static int copy_row(void *owner, struct bytes key, struct bytes value)
{
    struct pack *pack = owner;
    int r = put_row(pack, key, value);

    if (r != 0 || ++pack->rows < COMMIT_ROWS)
        return r;
    pack->rows = 0;
    r = state_db_commit(&pack->tx, pack->err);
    state_db_end(&pack->tx);
    return r == 0 ? state_db_write(pack->to, &pack->tx, pack->err) : r;
}

static int copy_rows(struct pack *pack, struct state_db *from)
{
    struct state_tx tx;
    int r = state_db_read(from, &tx, pack->err);

    if (r != 0)
        return r;
    state_rows_writer_init(&pack->writer, &pack->tx);
    r = state_db_write(pack->to, &pack->tx, pack->err);
    for (size_t i = 0; r == 0 && i < RECORD_TABLES; i++) {
        pack->table = (enum record_table)i;
        r = state_rows_each(&tx, pack->table, B(""), copy_row, pack, pack->err);
    }
    if (r == 0)
        r = state_rows_append_end(&pack->writer, pack->err);
    if (r == 0)
        r = state_db_commit(&pack->tx, pack->err);
    state_db_end(&pack->tx);
    state_db_end(&tx);
    return r;
}

/* How large it is, for the next time. This is a transaction of its own: the two
 * meta pages both have all of the rows then. */
static int note_size(struct pack *pack, uint64_t size)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRIu64, size);
    int r = state_db_write(pack->to, &pack->tx, pack->err);

    if (r != 0)
        return r;
    r = state_put_text(&pack->tx, RECORD_META, B(STATE_PACKED_NAME),
                       (struct bytes){text, (size_t)n}, pack->err);
    if (r == 0)
        r = state_db_commit(&pack->tx, pack->err);
    state_db_end(&pack->tx);
    return r;
}

/* A copy of @from in the directory @place. */
static int make_copy(struct state_db *from, uint64_t room, const char *place,
                     const char *data, struct err *err)
{
    char schema[16];
    int n = snprintf(schema, sizeof(schema), "%u", STATE_SCHEMA);
    struct pack pack = {
        .schema = {schema, (size_t)n},
          .err = err
    };
    int r = state_db_open(place, false, &pack.to, err);

    if (r == 0)
        r = state_db_grow(pack.to, (size_t)room, err);
    if (r == 0)
        r = copy_rows(&pack, from);
    if (r == 0)
        r = note_size(&pack, size_of(data));
    state_db_close(pack.to);
    return r;
}

/* Opening it looks at every page and every row. */
static int check_copy(const char *place, struct err *err)
{
    struct state_db *db = NULL;
    int r = state_db_open(place, false, &db, err);

    state_db_close(db);
    return r > 0 ? ERR_STATE : r;
}

/* --- in its place --------------------------------------------------------------- */

static int sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return r;
}

/* LMDB's table of readers counts in transactions of the old file. */
static int take_place(const char *dir, const char *copy, struct err *err)
{
    char *data = mem_printf("%s/data.mdb", dir);
    char *readers = mem_printf("%s/lock.mdb", dir);
    int r = 0;

    if (rename(copy, data) < 0) {
        r = err_errno(err, ERR_DISK, errno, "%s", data);
    } else {
        (void)unlink(readers);
        (void)sync_dir(dir); /* until then it may be the old one: as good */
    }
    free(data);
    free(readers);
    return r;
}

int state_pack(struct state_db *db, const char *dir, struct err *err)
{
    char *data = mem_printf("%s/data.mdb", dir);
    char *place = mem_printf("%s/packed", dir);
    char *copy = mem_printf("%s/data.mdb", place);
    int r;

    state_pack_clean(dir);
    if (mkdir(place, 0700) < 0)
        r = err_errno(err, ERR_DISK, errno, "%s", place);
    else
        r = make_copy(db, size_of(data) * 2, place, copy, err);
    if (r == 0)
        r = check_copy(place, err);
    if (r == 0)
        r = take_place(dir, copy, err);
    state_pack_clean(dir);
    free(data);
    free(place);
    free(copy);
    return r > 0 ? ERR_STATE : r;
}
