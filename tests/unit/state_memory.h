/*
 * The state in memory: what store/state.h promises, as arrays, for tests that
 * run whole syncs by the million. It takes the place of LMDB at link time: the
 * test that includes this defines the functions of state.h that sync uses.
 */
#ifndef TESTS_UNIT_STATE_MEMORY_H
#define TESTS_UNIT_STATE_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/state.h"

enum memory_kind {
    MEMORY_FOLDER,
    MEMORY_PAIR,
    MEMORY_APART,
    MEMORY_INTENT,
    MEMORY_META
};

/* A row, or a queued change of one. */
struct memory_row {
    enum memory_kind kind;
    bool deletes;
    uint32_t folder;

    union {
        struct state_folder row; /* its names are ours */
        struct state_pair pair;
        struct state_apart apart;
        struct state_intent intent;

        struct {
            char *key;
            char *value;
        } meta;
    } as;
};

struct memory_rows {
    struct memory_row *row;
    size_t n;
    size_t cap;
};

struct state {
    struct keywords *keywords;
    bool is_new;
    const bool *broken; /* while it is set commits fail; or NULL */
    uint32_t last_folder;
    uint64_t last_intent;
    struct memory_rows rows;
    struct memory_rows queue;
};

/* --- rows -------------------------------------------------------------------- */

static void memory_own(struct memory_row *row)
{
    if (row->kind == MEMORY_FOLDER) {
        row->as.row.name[LEFT] = mem_copy(row->as.row.name[LEFT]);
        row->as.row.name[RIGHT] = mem_copy(row->as.row.name[RIGHT]);
    } else if (row->kind == MEMORY_META) {
        row->as.meta.key = mem_copy(row->as.meta.key);
        row->as.meta.value = mem_copy(row->as.meta.value);
    }
}

static void memory_disown(struct memory_row *row)
{
    if (row->kind == MEMORY_FOLDER) {
        free(row->as.row.name[LEFT]);
        free(row->as.row.name[RIGHT]);
    } else if (row->kind == MEMORY_META) {
        free(row->as.meta.key);
        free(row->as.meta.value);
    }
}

static void memory_add(struct memory_rows *rows, const struct memory_row *row)
{
    rows->row = mem_grow(rows->row, rows->n, &rows->cap, sizeof(*rows->row));
    rows->row[rows->n] = *row;
    memory_own(&rows->row[rows->n++]);
}

static void memory_clear(struct memory_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++)
        memory_disown(&rows->row[i]);
    rows->n = 0;
}

static void memory_drop(struct memory_rows *rows, size_t i)
{
    memory_disown(&rows->row[i]);
    rows->row[i] = rows->row[--rows->n];
}

/* Does @change go to the place of @row? */
static bool memory_replaces(const struct memory_row *change,
                            const struct memory_row *row)
{
    if (change->kind != row->kind || change->folder != row->folder)
        return false;
    switch (row->kind) {
    case MEMORY_PAIR:
        return change->as.pair.uid[LEFT] == row->as.pair.uid[LEFT] ||
               change->as.pair.uid[RIGHT] == row->as.pair.uid[RIGHT];
    case MEMORY_APART:
        return change->as.apart.side == row->as.apart.side &&
               change->as.apart.uid == row->as.apart.uid;
    case MEMORY_INTENT:
        return change->as.intent.number == row->as.intent.number;
    case MEMORY_META:
        return strcmp(change->as.meta.key, row->as.meta.key) == 0;
    case MEMORY_FOLDER:
        break;
    }
    return true;
}

/* The end of a pair spares one that took its place, that of a folder no row of
 * it. */
static bool memory_ends(const struct memory_row *change,
                        const struct memory_row *row)
{
    if (change->kind == MEMORY_FOLDER)
        return row->kind == MEMORY_INTENT
                   ? row->as.intent.folder == change->folder
                   : row->kind != MEMORY_META && row->folder == change->folder;
    if (!memory_replaces(change, row))
        return false;
    return change->kind != MEMORY_PAIR ||
           memcmp(change->as.pair.uid, row->as.pair.uid,
                  sizeof(row->as.pair.uid)) == 0;
}

static void memory_apply(struct memory_rows *rows,
                         const struct memory_row *change)
{
    for (size_t i = rows->n; i-- > 0;) {
        if (change->deletes ? memory_ends(change, &rows->row[i])
                            : memory_replaces(change, &rows->row[i]))
            memory_drop(rows, i);
    }
    if (!change->deletes)
        memory_add(rows, change);
}

/* --- the test's own ----------------------------------------------------------- */

__attribute__((unused)) static struct state *memory_new(void)
{
    struct state *state = MEM_NEW(struct state);

    state->keywords = keywords_new();
    state->is_new = true;
    return state;
}

/* What was not committed is lost, as in a crash. */
__attribute__((unused)) static void memory_crash(struct state *state)
{
    memory_clear(&state->queue);
}

__attribute__((unused)) static void memory_free(struct state *state)
{
    memory_clear(&state->rows);
    memory_clear(&state->queue);
    free(state->rows.row);
    free(state->queue.row);
    keywords_free(state->keywords);
    free(state);
}

/* @to becomes what is committed of @from. */
__attribute__((unused)) static void memory_copy(struct state *to,
                                                const struct state *from)
{
    memory_clear(&to->rows);
    memory_clear(&to->queue);
    for (size_t i = 0; i < from->rows.n; i++)
        memory_add(&to->rows, &from->rows.row[i]);
    to->is_new = from->is_new;
    to->last_folder = from->last_folder;
    to->last_intent = from->last_intent;
}

/* --- store/state.h -------------------------------------------------------------- */

bool state_is_new(const struct state *state)
{
    return state->is_new;
}

void state_finish(struct state *state)
{
    (void)state;
}

struct keywords *state_keywords(struct state *state)
{
    return state->keywords;
}

int state_commit(struct state *state, struct err *err)
{
    if (state->broken != NULL && *state->broken)
        return err_set(err, ERR_DISK, "broken");
    for (size_t i = 0; i < state->queue.n; i++)
        memory_apply(&state->rows, &state->queue.row[i]);
    state->is_new = state->is_new && state->queue.n == 0;
    memory_clear(&state->queue);
    return 0;
}

size_t state_queued(const struct state *state)
{
    return state->queue.n * sizeof(struct memory_row);
}

int state_meta_get(struct state *state, const char *key, char **out,
                   struct err *err)
{
    (void)err;
    *out = NULL;
    for (size_t i = 0; i < state->rows.n; i++) {
        const struct memory_row *row = &state->rows.row[i];

        if (row->kind == MEMORY_META && strcmp(row->as.meta.key, key) == 0)
            *out = mem_copy(row->as.meta.value);
    }
    return 0;
}

void state_meta_put(struct state *state, const char *key, const char *value)
{
    struct memory_row row = {.kind = MEMORY_META, .deletes = value == NULL};
    char *copy = mem_copy(key);
    char *text = mem_copy(value);

    row.as.meta.key = copy;
    row.as.meta.value = text;
    memory_add(&state->queue, &row);
    free(copy);
    free(text);
}

static void memory_count(const struct state *state, struct state_folder *folder)
{
    folder->pairs = 0;
    memset(folder->gone, 0, sizeof(folder->gone));
    memset(folder->apart, 0, sizeof(folder->apart));
    for (size_t i = 0; i < state->rows.n; i++) {
        const struct memory_row *row = &state->rows.row[i];

        if (row->folder != folder->id)
            continue;
        if (row->kind == MEMORY_APART)
            folder->apart[row->as.apart.side]++;
        if (row->kind != MEMORY_PAIR)
            continue;
        folder->pairs++;
        folder->gone[LEFT] += row->as.pair.gone[LEFT];
        folder->gone[RIGHT] += row->as.pair.gone[RIGHT];
    }
}

static int memory_by_name(const void *a, const void *b)
{
    const struct state_folder *one = a;
    const struct state_folder *two = b;

    return strcmp(one->name[LEFT], two->name[LEFT]);
}

int state_folders(struct state *state, struct state_folder **out, size_t *n,
                  struct err *err)
{
    (void)err;
    *out = mem_new(state->rows.n + 1, sizeof(**out));
    *n = 0;
    for (size_t i = 0; i < state->rows.n; i++) {
        struct memory_row row = state->rows.row[i];

        if (row.kind != MEMORY_FOLDER)
            continue;
        memory_own(&row);
        memory_count(state, &row.as.row);
        (*out)[(*n)++] = row.as.row;
    }
    qsort(*out, *n, sizeof(**out), memory_by_name);
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
    return ++state->last_folder;
}

void state_folder_put(struct state *state, const struct state_folder *folder)
{
    struct memory_row row = {.kind = MEMORY_FOLDER, .folder = folder->id};

    row.as.row = *folder;
    memory_add(&state->queue, &row);
}

void state_folder_del(struct state *state, uint32_t folder)
{
    struct memory_row row = {
        .kind = MEMORY_FOLDER, .deletes = true, .folder = folder};

    memory_add(&state->queue, &row);
}

int state_pair_get(struct state *state, uint32_t folder, enum side side,
                   uint32_t uid, struct state_pair *out, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < state->rows.n; i++) {
        const struct memory_row *row = &state->rows.row[i];

        if (row->kind != MEMORY_PAIR || row->folder != folder ||
            row->as.pair.uid[side] != uid)
            continue;
        *out = row->as.pair;
        return 0;
    }
    return 1;
}

static int memory_by_left(const void *a, const void *b)
{
    const struct state_pair *one = a;
    const struct state_pair *two = b;

    return one->uid[LEFT] < two->uid[LEFT] ? -1 : 1;
}

static int memory_by_right(const void *a, const void *b)
{
    const struct state_pair *one = a;
    const struct state_pair *two = b;

    return one->uid[RIGHT] < two->uid[RIGHT] ? -1 : 1;
}

int state_pair_each(struct state *state, uint32_t folder, enum side side,
                    int (*each)(void *owner, const struct state_pair *pair),
                    void *owner, struct err *err)
{
    struct state_pair *pairs = mem_new(state->rows.n + 1, sizeof(*pairs));
    size_t n = 0;
    int r = 0;

    (void)err;
    for (size_t i = 0; i < state->rows.n; i++) {
        const struct memory_row *row = &state->rows.row[i];

        if (row->kind == MEMORY_PAIR && row->folder == folder)
            pairs[n++] = row->as.pair;
    }
    qsort(pairs, n, sizeof(*pairs),
          side == LEFT ? memory_by_left : memory_by_right);
    for (size_t i = 0; i < n && r == 0; i++)
        r = each(owner, &pairs[i]);
    free(pairs);
    return r;
}

static void memory_pair(struct state *state, uint32_t folder,
                        const struct state_pair *pair, bool deletes)
{
    struct memory_row row = {
        .kind = MEMORY_PAIR, .deletes = deletes, .folder = folder};

    row.as.pair = *pair;
    memory_add(&state->queue, &row);
}

void state_pair_put(struct state *state, uint32_t folder,
                    const struct state_pair *pair)
{
    memory_pair(state, folder, pair, false);
}

void state_pair_del(struct state *state, uint32_t folder,
                    const struct state_pair *pair)
{
    memory_pair(state, folder, pair, true);
}

void state_pair_part(struct state *state, uint32_t folder,
                     const struct state_pair *pair)
{
    memory_pair(state, folder, pair, true);
}

int state_apart_get(struct state *state, uint32_t folder, enum side side,
                    uint32_t uid, struct state_apart *out, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < state->rows.n; i++) {
        const struct memory_row *row = &state->rows.row[i];

        if (row->kind != MEMORY_APART || row->folder != folder ||
            row->as.apart.side != side || row->as.apart.uid != uid)
            continue;
        *out = row->as.apart;
        return 0;
    }
    return 1;
}

int state_apart_each(struct state *state, uint32_t folder,
                     int (*each)(void *owner, const struct state_apart *apart),
                     void *owner, struct err *err)
{
    int r = 0;

    (void)err;
    for (size_t i = 0; i < state->rows.n && r == 0; i++) {
        const struct memory_row *row = &state->rows.row[i];

        if (row->kind == MEMORY_APART && (folder == 0 || row->folder == folder))
            r = each(owner, &row->as.apart);
    }
    return r;
}

void state_apart_put(struct state *state, const struct state_apart *apart)
{
    struct memory_row row = {.kind = MEMORY_APART, .folder = apart->folder};

    row.as.apart = *apart;
    memory_add(&state->queue, &row);
}

void state_apart_del(struct state *state, uint32_t folder, enum side side,
                     uint32_t uid)
{
    struct memory_row row = {
        .kind = MEMORY_APART, .deletes = true, .folder = folder};

    row.as.apart = (struct state_apart){.side = side, .uid = uid};
    memory_add(&state->queue, &row);
}

void state_intent_put(struct state *state, struct state_intent *intent)
{
    struct memory_row row = {.kind = MEMORY_INTENT};

    if (intent->number == 0)
        intent->number = ++state->last_intent;
    row.as.intent = *intent;
    memory_add(&state->queue, &row);
}

void state_intent_del(struct state *state, uint64_t number)
{
    struct memory_row row = {.kind = MEMORY_INTENT, .deletes = true};

    row.as.intent.number = number;
    memory_add(&state->queue, &row);
}

int state_intent_each(struct state *state,
                      int (*each)(void *owner,
                                  const struct state_intent *intent),
                      void *owner, struct err *err)
{
    int r = 0;

    (void)err;
    for (size_t i = 0; i < state->rows.n && r == 0; i++) {
        if (state->rows.row[i].kind == MEMORY_INTENT)
            r = each(owner, &state->rows.row[i].as.intent);
    }
    return r;
}

/* Its sides are servers. */
int state_file_name(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct buf *out, struct err *err)
{
    (void)state;
    (void)side;
    (void)folder;
    (void)uid;
    (void)out;
    (void)err;
    return 1;
}

#endif
