#include "store/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lock.h"
#include "store/state_parts.h"

/* One look at one row: begin, get, and the transaction that @value lives in is
 * left open where that went well. */
static int look_up(struct state *state, enum record_table table,
                   struct bytes key, struct state_tx *tx, struct bytes *value,
                   struct err *err)
{
    int r = state_db_read(state->db, tx, err);

    if (r != 0)
        return r;
    r = state_rows_get(tx, table, key, value, err);
    if (r != 0)
        state_db_end(tx);
    return r;
}

static void enqueue(struct state *state, const struct state_op *op)
{
    if (!state->read_only)
        state_queue_add(&state->queue, op);
    buf_clear(&state->value);
}

void state_queue_put(struct state *state, enum record_table table,
                     struct bytes key)
{
    enqueue(state, &(struct state_op){.table = table,
                                      .key = key,
                                      .value = buf_peek(&state->value)});
}

void state_queue_del(struct state *state, enum record_table table,
                     struct bytes key)
{
    enqueue(state, &(struct state_op){.table = table,
                                      .deletes = true,
                                      .key = key,
                                      .value = buf_peek(&state->value)});
}

bool state_is_new(const struct state *state)
{
    return state->is_new;
}

bool state_is_unfinished(const struct state *state)
{
    return state->unfinished;
}

void state_finish(struct state *state)
{
    lock_finish(state->lock);
    state->is_finished = true;
}

struct keywords *state_keywords(struct state *state)
{
    return state->keywords;
}

uint64_t state_commits(const struct state *state)
{
    return state->commits;
}

size_t state_queued(const struct state *state)
{
    return state_queue_bytes(&state->queue);
}

void state_set_witness(struct state *state, enum side side,
                       const struct state_witness *witness)
{
    const struct state_witness none = {.before = NULL};

    state->witness[side] = witness != NULL ? *witness : none;
}

/* --- meta ------------------------------------------------------------------ */

int state_meta_get(struct state *state, const char *key, char **out,
                   struct err *err)
{
    struct bytes name = bytes_of(key);
    struct bytes value;
    struct bytes text;
    struct state_tx tx;
    int r = look_up(state, RECORD_META, name, &tx, &value, err);

    *out = NULL;
    if (r != 0)
        return r == 1 ? 0 : r;
    if (record_decode_text(name, value, &text))
        *out = mem_text(text);
    state_db_end(&tx);
    return *out != NULL ? 0 : state_rows_damaged(err, RECORD_META);
}

void state_meta_put(struct state *state, const char *key, const char *value)
{
    struct bytes name = bytes_of(key);

    if (value == NULL) {
        state_queue_del(state, RECORD_META, name);
    } else {
        record_encode_text(&state->value, name, bytes_of(value));
        state_queue_put(state, RECORD_META, name);
    }
}

/* --- folders ---------------------------------------------------------------- */

struct folder_list {
    const struct state_tx *tx;
    struct err *err;
    struct state_folder *folders;
    size_t n;
    size_t cap;
};

/* The counts of a folder; none is a row of zeros. */
static int add_counts(struct folder_list *list, struct bytes key,
                      struct state_folder *folder)
{
    struct record_counts counts = {0};
    struct bytes value;
    int r = state_rows_get(list->tx, RECORD_COUNTS, key, &value, list->err);

    if (r < 0)
        return r;
    if (r == 0 && !record_decode_counts(key, value, &counts))
        return state_rows_damaged(list->err, RECORD_COUNTS);
    folder->pairs = counts.pairs;
    for (unsigned side = LEFT; side < SIDES; side++) {
        folder->gone[side] = counts.gone[side];
        folder->apart[side] = counts.apart[side];
    }
    return 0;
}

static int on_folder(void *owner, struct bytes key, struct bytes value)
{
    struct folder_list *list = owner;
    struct state_folder folder;

    if (!record_decode_folder(key, value, &folder))
        return state_rows_damaged(list->err, RECORD_FOLDER);
    list->folders =
        mem_grow(list->folders, list->n, &list->cap, sizeof(*list->folders));
    list->folders[list->n++] = folder;
    return add_counts(list, key, &list->folders[list->n - 1]);
}

static int by_name(const void *a, const void *b)
{
    const struct state_folder *left = a;
    const struct state_folder *right = b;

    return strcmp(left->name[LEFT], right->name[LEFT]);
}

int state_folders(struct state *state, struct state_folder **out, size_t *n,
                  struct err *err)
{
    struct state_tx tx;
    struct folder_list list = {.tx = &tx, .err = err};
    int r = state_db_read(state->db, &tx, err);

    *out = NULL;
    *n = 0;
    if (r != 0)
        return r;
    r = state_rows_each(&tx, RECORD_FOLDER, B(""), on_folder, &list, err);
    state_db_end(&tx);
    if (r != 0) {
        state_folders_free(list.folders, list.n);
        return r;
    }
    if (list.n > 0)
        qsort(list.folders, list.n, sizeof(*list.folders), by_name);
    *out = list.folders;
    *n = list.n;
    return 0;
}

int state_forget(struct state *state, struct err *err)
{
    struct state_folder *folders;
    size_t n;
    int r = state_folders(state, &folders, &n, err);

    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++)
        state_folder_del(state, folders[i].id);
    state_folders_free(folders, n);
    return 0;
}

void state_folders_free(struct state_folder *folders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(folders[i].name[LEFT]);
        free(folders[i].name[RIGHT]);
    }
    free(folders);
}

uint32_t state_folder_new_id(struct state *state)
{
    state->head_saved = false;
    return state->next_folder++;
}

void state_folder_put(struct state *state, const struct state_folder *folder)
{
    struct record_key key = record_key_id(folder->id);

    record_encode_folder(&state->value, record_key_bytes(&key), folder);
    state_queue_put(state, RECORD_FOLDER, record_key_bytes(&key));
}

void state_folder_del(struct state *state, uint32_t folder)
{
    struct record_key key = record_key_id(folder);

    state_files_forget(&state->marks, folder);
    state_queue_del(state, RECORD_FOLDER, record_key_bytes(&key));
}

/* --- pairs ------------------------------------------------------------------- */

/* A row of pair as the caller gets it. A keyword set that is not known here
 * was made by another run after this one was opened to read. */
static int read_pair(const struct state *state, struct bytes key,
                     struct bytes value, struct state_pair *out,
                     struct err *err)
{
    if (!record_decode_pair(key, value, out))
        return state_rows_damaged(err, RECORD_PAIR);
    if (out->flags.keywords >= keywords_count(state->keywords)) {
        return err_set(err, ERR_STATE,
                       "state: another run changed it meanwhile: run again");
    }
    return 0;
}

/* Look up a row of pair or right. Mostly their neighbours are looked up next: no
 * transaction begins before it takes one, and @tx stays open then. */
static int find_row(struct state *state, struct state_tx *tx,
                    enum record_table table, struct bytes key,
                    struct bytes *value, struct err *err)
{
    struct state_rows_block *kept =
        &state->kept[table == RECORD_PAIR ? LEFT : RIGHT];
    int r;

    /* Another run may commit at any time. */
    if (state->read_only)
        state_rows_block_forget(kept);
    r = state_rows_find(kept, table, key, value);
    if (r != STATE_ROWS_ELSEWHERE)
        return r;
    r = tx->txn == NULL ? state_db_read(state->db, tx, err) : 0;
    if (r == 0)
        r = state_rows_keep(tx, table, key, kept, err);
    if (r == 0)
        r = state_rows_find(kept, table, key, value);
    return r == STATE_ROWS_ELSEWHERE ? 1 : r;
}

/* The pair that a row of right points to. */
static int follow(struct state *state, struct state_tx *tx, struct bytes key,
                  struct bytes value, struct state_pair *out, struct err *err)
{
    struct record_key left;
    struct bytes row;
    uint32_t uid;
    int r;

    if (!record_decode_right(value, &uid))
        return state_rows_damaged(err, RECORD_RIGHT);
    left = record_key_pair(record_key_read(RECORD_RIGHT, key).folder, uid);
    r = find_row(state, tx, RECORD_PAIR, record_key_bytes(&left), &row, err);
    if (r == 1)
        return state_rows_damaged(err, RECORD_RIGHT);
    return r == 0 ? read_pair(state, record_key_bytes(&left), row, out, err)
                  : r;
}

int state_pair_get(struct state *state, uint32_t folder, enum side side,
                   uint32_t uid, struct state_pair *out, struct err *err)
{
    enum record_table table = side == LEFT ? RECORD_PAIR : RECORD_RIGHT;
    struct record_key key = record_key_pair(folder, uid);
    struct bytes value;
    struct state_tx tx = {0};
    int r = find_row(state, &tx, table, record_key_bytes(&key), &value, err);

    if (r == 0 && side == LEFT)
        r = read_pair(state, record_key_bytes(&key), value, out, err);
    else if (r == 0)
        r = follow(state, &tx, record_key_bytes(&key), value, out, err);
    state_db_end(&tx);
    return r;
}

/* A walk over rows for a caller's each(). */
struct each {
    struct state *state;
    struct state_tx *tx;
    struct err *err;
    void *owner;
    enum side side;
    int (*pair)(void *owner, const struct state_pair *pair);
    int (*apart)(void *owner, const struct state_apart *apart);
    int (*intent)(void *owner, const struct state_intent *intent);
};

static int each_row(struct state *state, enum record_table table,
                    struct bytes prefix, struct each *each,
                    int (*row)(void *owner, struct bytes key,
                               struct bytes value))
{
    struct state_tx tx;
    int r = state_db_read(state->db, &tx, each->err);

    if (r != 0)
        return r;
    each->state = state;
    each->tx = &tx;
    r = state_rows_each(&tx, table, prefix, row, each, each->err);
    state_db_end(&tx);
    return r;
}

static int on_pair(void *owner, struct bytes key, struct bytes value)
{
    const struct each *each = owner;
    struct state_pair pair;
    int r = each->side == LEFT
                ? read_pair(each->state, key, value, &pair, each->err)
                : follow(each->state, each->tx, key, value, &pair, each->err);

    return r == 0 ? each->pair(each->owner, &pair) : r;
}

int state_pair_each(struct state *state, uint32_t folder, enum side side,
                    int (*each)(void *owner, const struct state_pair *pair),
                    void *owner, struct err *err)
{
    struct record_key key = record_key_id(folder);
    struct each walk = {.err = err, .owner = owner, .side = side, .pair = each};

    return each_row(state, side == LEFT ? RECORD_PAIR : RECORD_RIGHT,
                    record_key_bytes(&key), &walk, on_pair);
}

void state_pair_put(struct state *state, uint32_t folder,
                    const struct state_pair *pair)
{
    struct record_key key = record_key_pair(folder, pair->uid[LEFT]);
    struct state_pair known = *pair;

    /* More sets than a dictionary holds: without keywords rather than with
     * those of another set. */
    if (known.flags.keywords >= keywords_count(state->keywords))
        known.flags.keywords = 0;
    record_encode_pair(&state->value, &known);
    state_queue_put(state, RECORD_PAIR, record_key_bytes(&key));
    state->pairs_queued = true;
}

/* In the queue: gone says whose file rows go. */
static void end_pair(struct state *state, uint32_t folder,
                     const struct state_pair *pair, bool gone)
{
    struct record_key key = record_key_pair(folder, pair->uid[LEFT]);
    struct state_pair end = *pair;

    end.gone[LEFT] = gone;
    end.gone[RIGHT] = gone;
    record_encode_pair(&state->value, &end);
    state_queue_del(state, RECORD_PAIR, record_key_bytes(&key));
}

void state_pair_del(struct state *state, uint32_t folder,
                    const struct state_pair *pair)
{
    end_pair(state, folder, pair, true);
}

void state_pair_part(struct state *state, uint32_t folder,
                     const struct state_pair *pair)
{
    end_pair(state, folder, pair, false);
}

/* --- apart -------------------------------------------------------------------- */

int state_apart_get(struct state *state, uint32_t folder, enum side side,
                    uint32_t uid, struct state_apart *out, struct err *err)
{
    struct record_key key = record_key_apart(folder, side, uid);
    struct bytes value;
    struct state_tx tx;
    int r =
        look_up(state, RECORD_APART, record_key_bytes(&key), &tx, &value, err);

    if (r != 0)
        return r;
    if (!record_decode_apart(record_key_bytes(&key), value, out))
        r = state_rows_damaged(err, RECORD_APART);
    state_db_end(&tx);
    return r;
}

static int on_apart(void *owner, struct bytes key, struct bytes value)
{
    const struct each *each = owner;
    struct state_apart apart;

    if (!record_decode_apart(key, value, &apart))
        return state_rows_damaged(each->err, RECORD_APART);
    return each->apart(each->owner, &apart);
}

int state_apart_each(struct state *state, uint32_t folder,
                     int (*each)(void *owner, const struct state_apart *apart),
                     void *owner, struct err *err)
{
    struct record_key key = record_key_id(folder);
    struct bytes prefix = folder == 0 ? B("") : record_key_bytes(&key);
    struct each walk = {.err = err, .owner = owner, .apart = each};

    return each_row(state, RECORD_APART, prefix, &walk, on_apart);
}

void state_apart_put(struct state *state, const struct state_apart *apart)
{
    struct record_key key =
        record_key_apart(apart->folder, apart->side, apart->uid);

    record_encode_apart(&state->value, record_key_bytes(&key), apart);
    state_queue_put(state, RECORD_APART, record_key_bytes(&key));
}

void state_apart_del(struct state *state, uint32_t folder, enum side side,
                     uint32_t uid)
{
    struct record_key key = record_key_apart(folder, side, uid);

    state_queue_del(state, RECORD_APART, record_key_bytes(&key));
}

/* --- intents -------------------------------------------------------------------- */

void state_intent_put(struct state *state, struct state_intent *intent)
{
    struct record_key key;

    if (intent->number == 0) {
        intent->number = state->next_intent++;
        state->head_saved = false;
    }
    key = record_key_intent(intent->number);
    record_encode_intent(&state->value, record_key_bytes(&key), intent);
    state_queue_put(state, RECORD_INTENT, record_key_bytes(&key));
}

void state_intent_del(struct state *state, uint64_t number)
{
    struct record_key key = record_key_intent(number);

    state_queue_del(state, RECORD_INTENT, record_key_bytes(&key));
}

static int on_intent(void *owner, struct bytes key, struct bytes value)
{
    const struct each *each = owner;
    struct state_intent intent;

    if (!record_decode_intent(key, value, &intent))
        return state_rows_damaged(each->err, RECORD_INTENT);
    return each->intent(each->owner, &intent);
}

int state_intent_each(struct state *state,
                      int (*each)(void *owner,
                                  const struct state_intent *intent),
                      void *owner, struct err *err)
{
    struct each walk = {.err = err, .owner = owner, .intent = each};

    return each_row(state, RECORD_INTENT, B(""), &walk, on_intent);
}
