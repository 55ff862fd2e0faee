#include "store/state_files.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/record_name.h"
#include "store/state_parts.h"

/* Of so many hosts names are kept in parts: each takes a look. */
#define HOSTS_MAX 32u

/* --- rows, in a transaction ---------------------------------------------------- */

/* The host with a number, borrowed. Returns 0, 1: there is none, or
 * negative. */
static int load_host(const struct state_tx *tx, uint32_t number,
                     struct bytes *host, struct err *err)
{
    struct record_key key = record_key_id(number);
    struct bytes value;
    int r =
        state_rows_get(tx, RECORD_HOST, record_key_bytes(&key), &value, err);

    if (r == 0 && !record_decode_text(record_key_bytes(&key), value, host))
        return state_rows_damaged(err, RECORD_HOST);
    return r;
}

/* The number of a host, a new one where it has none yet. Returns 0; 1: they are
 * used up; or negative. */
static int number_host(struct state_tx *tx, struct bytes host, uint32_t *number,
                       struct err *err)
{
    struct record_key key;
    struct bytes known;
    int r = 0;

    for (*number = 1; *number <= HOSTS_MAX && r == 0; (*number)++) {
        r = load_host(tx, *number, &known, err);
        if (r == 0 && bytes_equal(known, host))
            return 0;
        if (r != 0)
            break;
    }
    if (r != 1)
        return r == 0 ? 1 : r;
    key = record_key_id(*number);
    return state_put_text(tx, RECORD_HOST, record_key_bytes(&key), host, err);
}

/* The name in the row @key into @out. Returns as load_host(). */
static int load_name(const struct state_tx *tx, struct bytes key,
                     struct buf *out, struct err *err)
{
    struct record_name name;
    struct bytes host = B("");
    struct bytes value;
    int r = state_rows_get(tx, RECORD_FILE, key, &value, err);

    if (r != 0)
        return r;
    if (!record_name_decode(value, &name))
        return state_rows_damaged(err, RECORD_FILE);
    if (!name.whole)
        r = load_host(tx, name.host, &host, err);
    if (r == 1)
        return state_rows_damaged(err, RECORD_HOST);
    if (r == 0)
        record_name_print(out, &name, host);
    return r;
}

static int save_name(struct state_tx *tx, struct bytes key, struct bytes text,
                     struct err *err)
{
    struct record_name name;
    struct bytes host;
    struct buf value;
    int r = 0;

    if (record_name_parse(text, &name, &host)) {
        r = number_host(tx, host, &name.host, err);
        if (r == 1)
            name = (struct record_name){.whole = true, .text = text};
    }
    if (r < 0)
        return r;
    buf_init(&value, 0);
    record_name_encode(&value, &name);
    r = state_rows_put(tx, RECORD_FILE, key, buf_peek(&value), err);
    buf_deinit(&value);
    return r;
}

/* Has the row @key this name? Returns as load_host(), 1 also where it has
 * another one. */
static int has_name(const struct state_tx *tx, struct bytes key,
                    struct bytes name, struct err *err)
{
    struct buf found;
    int r;

    buf_init(&found, 0);
    r = load_name(tx, key, &found, err);
    if (r == 0 && !bytes_equal(buf_peek(&found), name))
        r = 1;
    buf_deinit(&found);
    return r;
}

/* The UIDs whose names have the order in @key, borrowed. Returns as
 * load_host(). */
static int load_list(const struct state_tx *tx, struct bytes key,
                     struct bytes *list, struct err *err)
{
    int r = state_rows_get(tx, RECORD_NAME, key, list, err);

    if (r == 0 && !record_list_valid(*list))
        return state_rows_damaged(err, RECORD_NAME);
    if (r == 1)
        *list = B("");
    return r;
}

static int save_list(struct state_tx *tx, struct bytes key, struct bytes list,
                     struct err *err)
{
    return list.len == 0 ? state_rows_del(tx, RECORD_NAME, key, err)
                         : state_rows_put(tx, RECORD_NAME, key, list, err);
}

/* Take @uid off the list of @name. */
static int unlist(struct state_tx *tx, struct record_id id, struct bytes name,
                  struct err *err)
{
    struct record_key key = record_key_name(id.side, id.folder, name);
    struct bytes list;
    struct buf rest;
    uint32_t uid;
    int r = load_list(tx, record_key_bytes(&key), &list, err);

    if (r < 0)
        return r;
    buf_init(&rest, 0);
    while (record_list_next(&list, &uid)) {
        if (uid != id.uid)
            record_list_add(&rest, uid);
    }
    r = save_list(tx, record_key_bytes(&key), buf_peek(&rest), err);
    buf_deinit(&rest);
    return r;
}

/* Find the UID of the file called @name in a list. Returns as load_name(). */
static int find_in_list(const struct state_tx *tx, struct record_id *id,
                        struct bytes list, struct bytes name, struct err *err)
{
    uint32_t uid;
    int r = 1;

    while (r == 1 && record_list_next(&list, &uid)) {
        struct record_key key = record_key_file(id->side, id->folder, uid);

        r = has_name(tx, record_key_bytes(&key), name, err);
        if (r == 0)
            id->uid = uid;
    }
    return r;
}

/* Find the UID of the file called @name. Returns as load_name(). */
static int find_uid(const struct state_tx *tx, struct record_id *id,
                    struct bytes name, struct err *err)
{
    struct record_key key = record_key_name(id->side, id->folder, name);
    struct bytes list;
    int r = load_list(tx, record_key_bytes(&key), &list, err);

    return r == 0 ? find_in_list(tx, id, list, name, err) : r;
}

int state_files_del(struct state_tx *tx, struct bytes key,
                    const struct bytes *name, struct err *err)
{
    struct buf found;
    int r;

    buf_init(&found, 0);
    r = load_name(tx, key, &found, err);
    if (r == 0 && name != NULL && !bytes_equal(buf_peek(&found), *name))
        r = 1;
    if (r == 0) {
        r = unlist(tx, record_key_read(RECORD_FILE, key), buf_peek(&found),
                   err);
    }
    if (r == 0)
        r = state_rows_del(tx, RECORD_FILE, key, err);
    buf_deinit(&found);
    return r == 1 ? 0 : r;
}

/* End what stands in the way of @key having @name. Returns 0; 1 where it has
 * that name already; or negative. */
static int make_way(struct state_tx *tx, struct bytes key, struct bytes name,
                    struct err *err)
{
    struct record_id id = record_key_read(RECORD_FILE, key);
    uint32_t uid = id.uid;
    int r = find_uid(tx, &id, name, err);

    if (r == 0 && id.uid == uid)
        return 1;
    if (r == 0) {
        struct record_key other_key =
            record_key_file(id.side, id.folder, id.uid);

        r = state_files_del(tx, record_key_bytes(&other_key), NULL, err);
    }
    return r < 0 ? r : state_files_del(tx, key, NULL, err);
}

int state_files_put(struct state_tx *tx, struct bytes key, struct bytes name,
                    struct err *err)
{
    struct record_id id = record_key_read(RECORD_FILE, key);
    struct record_key name_key = record_key_name(id.side, id.folder, name);
    struct bytes list;
    struct buf value;
    int r = make_way(tx, key, name, err);

    if (r == 0) {
        r = load_list(tx, record_key_bytes(&name_key), &list, err);
    } else {
        return r == 1 ? 0 : r;
    }
    if (r < 0)
        return r;
    buf_init(&value, 0);
    buf_add(&value, list);
    record_list_add(&value, id.uid);
    r = save_list(tx, record_key_bytes(&name_key), buf_peek(&value), err);
    buf_deinit(&value);
    return r == 0 ? save_name(tx, key, name, err) : r;
}

/* --- the highest UID ------------------------------------------------------------- */

/* The highest UID on record into *@last, 0 where there is none. */
static int load_last(const struct state_tx *tx, struct bytes key,
                     uint32_t *last, struct err *err)
{
    struct bytes value;
    int r = state_rows_get(tx, RECORD_LAST, key, &value, err);

    *last = 0;
    if (r == 0 && !record_decode_uid(key, value, last))
        return state_rows_damaged(err, RECORD_LAST);
    return r < 0 ? r : 0;
}

static int save_mark(struct state_tx *tx, const struct state_mark *mark,
                     struct err *err)
{
    struct record_key key = record_key_side(mark->side, mark->folder);
    uint32_t last;
    struct buf value;
    int r = load_last(tx, record_key_bytes(&key), &last, err);

    if (r != 0 || last >= mark->last)
        return r;
    buf_init(&value, 0);
    record_encode_uid(&value, record_key_bytes(&key), mark->last);
    r = state_rows_put(tx, RECORD_LAST, record_key_bytes(&key),
                       buf_peek(&value), err);
    buf_deinit(&value);
    return r;
}

int state_files_save(struct state_tx *tx, const struct state_marks *marks,
                     struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < marks->n && r == 0; i++)
        r = save_mark(tx, &marks->marks[i], err);
    return r;
}

void state_files_forget(struct state_marks *marks, uint32_t folder)
{
    size_t kept = 0;

    for (size_t i = 0; i < marks->n; i++) {
        if (folder != 0 && marks->marks[i].folder != folder)
            marks->marks[kept++] = marks->marks[i];
    }
    marks->n = kept;
    if (folder == 0) {
        free(marks->marks);
        *marks = (struct state_marks){0};
    }
}

/* The mark of a folder, or NULL. The one asked for last is mostly the last. */
static struct state_mark *find_mark(const struct state_marks *marks,
                                    enum side side, uint32_t folder)
{
    for (size_t i = marks->n; i > 0; i--) {
        struct state_mark *mark = &marks->marks[i - 1];

        if (mark->side == side && mark->folder == folder)
            return mark;
    }
    return NULL;
}

static void set_mark(struct state_marks *marks, enum side side, uint32_t folder,
                     uint32_t uid)
{
    struct state_mark *mark = find_mark(marks, side, folder);

    if (mark == NULL) {
        marks->marks = mem_grow(marks->marks, marks->n, &marks->cap,
                                sizeof(*marks->marks));
        mark = &marks->marks[marks->n++];
        *mark = (struct state_mark){.side = side, .folder = folder};
    }
    if (uid > mark->last)
        mark->last = uid;
}

/* --- state.h ------------------------------------------------------------------------ */

int state_file_uid(struct state *state, enum side side, uint32_t folder,
                   struct bytes name, uint32_t *uid, struct err *err)
{
    struct record_id id = {.side = side, .folder = folder};
    struct state_tx tx;
    int r = state_db_read(state->db, &tx, err);

    if (r != 0)
        return r;
    r = find_uid(&tx, &id, name, err);
    state_db_end(&tx);
    if (r == 0)
        *uid = id.uid;
    return r;
}

/* What a walk through files needs on its way. */
struct walker {
    struct state_tx tx;
    struct state_rows_block kept;
    struct bytes hosts[HOSTS_MAX + 1]; /* by number, as far as needed */
    struct buf name;
    void (*each)(void *owner, uint32_t uid, struct bytes name);
    void *owner;
    struct err *err;
};

/* Returns 0 or negative. */
static int find_host(struct walker *walker, uint32_t number, struct bytes *host)
{
    bool keeps = number <= HOSTS_MAX;
    int r;

    if (keeps && walker->hosts[number].ptr != NULL) {
        *host = walker->hosts[number];
        return 0;
    }
    r = load_host(&walker->tx, number, host, walker->err);
    if (r == 0 && keeps)
        walker->hosts[number] = *host;
    return r == 1 ? state_rows_damaged(walker->err, RECORD_HOST) : r;
}

static int tell_row(struct walker *walker, const struct record_row *row)
{
    struct record_name name;
    struct bytes host = B("");
    int r = 0;

    if (!record_name_decode(row->value, &name))
        return state_rows_damaged(walker->err, RECORD_FILE);
    if (!name.whole)
        r = find_host(walker, name.host, &host);
    if (r != 0)
        return r;
    buf_clear(&walker->name);
    record_name_print(&walker->name, &name, host);
    walker->each(walker->owner, (uint32_t)row->number, buf_peek(&walker->name));
    return 0;
}

/* The next block. Returns as state_file_walk(), and counts the rows off. */
static int tell_block(struct walker *walker, struct state_file_walk *walk,
                      size_t *rows)
{
    const struct record_block *block = &walker->kept.block;
    struct record_key key =
        record_key_file(walk->side, walk->folder, walk->next);
    uint64_t last;
    int r =
        state_rows_keep_next(&walker->tx, RECORD_FILE, record_key_bytes(&key),
                             &walker->kept, walker->err);

    if (r != 0)
        return r == 1 ? 0 : r;
    for (size_t i = 0; i < block->n && r == 0; i++)
        r = tell_row(walker, &block->rows[i]);
    last = block->rows[block->n - 1].number;
    if (r != 0 || last == UINT32_MAX)
        return r;
    walk->next = (uint32_t)last + 1;
    *rows -= block->n < *rows ? block->n : *rows;
    return 1;
}

int state_file_walk(struct state *state, struct state_file_walk *walk,
                    size_t rows,
                    void (*each)(void *owner, uint32_t uid, struct bytes name),
                    void *owner, struct err *err)
{
    struct walker walker = {.each = each, .owner = owner, .err = err};
    int r = state_db_read(state->db, &walker.tx, err);

    if (r != 0)
        return r;
    state_rows_block_init(&walker.kept);
    buf_init(&walker.name, 0);
    do {
        r = tell_block(&walker, walk, &rows);
    } while (r == 1 && rows > 0);
    state_rows_block_deinit(&walker.kept);
    buf_deinit(&walker.name);
    state_db_end(&walker.tx);
    state_db_let_go(state->db);
    return r;
}

int state_file_name(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct buf *out, struct err *err)
{
    struct record_key key = record_key_file(side, folder, uid);
    struct state_tx tx;
    int r = state_db_read(state->db, &tx, err);

    if (r != 0)
        return r;
    r = load_name(&tx, record_key_bytes(&key), out, err);
    state_db_end(&tx);
    return r;
}

int state_file_next_uid(struct state *state, enum side side, uint32_t folder,
                        uint32_t *uid, struct err *err)
{
    struct record_key key = record_key_side(side, folder);
    const struct state_mark *mark = find_mark(&state->marks, side, folder);
    struct state_tx tx;
    uint32_t last;
    int r = state_db_read(state->db, &tx, err);

    if (r != 0)
        return r;
    r = load_last(&tx, record_key_bytes(&key), &last, err);
    state_db_end(&tx);
    if (r != 0)
        return r;
    if (mark != NULL && mark->last > last)
        last = mark->last;
    if (last == UINT32_MAX)
        return err_set(err, ERR_STATE, "all numbers for files are used up");
    *uid = last + 1;
    return 0;
}

void state_file_put(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct bytes name)
{
    struct record_key key = record_key_file(side, folder, uid);

    set_mark(&state->marks, side, folder, uid);
    buf_add(&state->value, name);
    state_queue_put(state, RECORD_FILE, record_key_bytes(&key));
}

void state_file_del(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct bytes name)
{
    struct record_key key = record_key_file(side, folder, uid);

    buf_add(&state->value, name);
    state_queue_del(state, RECORD_FILE, record_key_bytes(&key));
}
