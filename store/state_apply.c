#include "store/state_apply.h"

#include <stdint.h>

#include "store/state_files.h"
#include "store/state_parts.h"

/* In all functions here: 0 is success, 1 is "there is none" where the comment
 * says so, and everything else ends the transaction. */
struct apply {
    struct state_tx *tx;
    struct err *err;
    struct buf value; /* of the row that is written */
    /* The counts of one folder, while rows of it come one after another. */
    bool has_counts;
    uint32_t folder;
    struct record_counts counts;
};

/* Write what was encoded to apply->value. */
static int write_value(struct apply *apply, enum record_table table,
                       struct bytes key)
{
    return state_rows_put(apply->tx, table, key, buf_peek(&apply->value),
                          apply->err);
}

/* --- counts ---------------------------------------------------------------- */

static int flush_counts(struct apply *apply)
{
    struct record_key key = record_key_id(apply->folder);

    if (!apply->has_counts)
        return 0;
    apply->has_counts = false;
    buf_clear(&apply->value);
    record_encode_counts(&apply->value, record_key_bytes(&key), &apply->counts);
    return write_value(apply, RECORD_COUNTS, record_key_bytes(&key));
}

/* Make apply->counts those of @folder. */
static int need_counts(struct apply *apply, uint32_t folder)
{
    struct record_key key = record_key_id(folder);
    struct bytes value;
    int r;

    if (apply->has_counts && apply->folder == folder)
        return 0;
    r = flush_counts(apply);
    if (r != 0)
        return r;
    r = state_rows_get(apply->tx, RECORD_COUNTS, record_key_bytes(&key), &value,
                       apply->err);
    if (r < 0)
        return r;
    apply->counts = (struct record_counts){0};
    if (r == 0 &&
        !record_decode_counts(record_key_bytes(&key), value, &apply->counts))
        return state_rows_damaged(apply->err, RECORD_COUNTS);
    apply->folder = folder;
    apply->has_counts = true;
    return 0;
}

/* Count a pair in (@n is 1) or out (-1). */
static int count_pair(struct apply *apply, uint32_t folder,
                      const struct state_pair *pair, int n)
{
    int r = need_counts(apply, folder);

    if (r != 0)
        return r;
    apply->counts.pairs += (uint32_t)n;
    for (unsigned side = LEFT; side < SIDES; side++)
        apply->counts.gone[side] += pair->gone[side] ? (uint32_t)n : 0;
    return 0;
}

static int count_apart(struct apply *apply, struct record_id id, int n)
{
    int r = need_counts(apply, id.folder);

    if (r == 0)
        apply->counts.apart[id.side] += (uint32_t)n;
    return r;
}

/* --- pairs ----------------------------------------------------------------- */

/* The pair with this key; 1: there is none. */
static int load_pair(struct apply *apply, struct bytes key,
                     struct state_pair *pair)
{
    struct bytes value;
    int r = state_rows_get(apply->tx, RECORD_PAIR, key, &value, apply->err);

    if (r == 0 && !record_decode_pair(key, value, pair))
        return state_rows_damaged(apply->err, RECORD_PAIR);
    return r;
}

/* Delete the rows of @pair, which is there. */
static int drop_pair(struct apply *apply, uint32_t folder,
                     const struct state_pair *pair)
{
    struct record_key left = record_key_pair(folder, pair->uid[LEFT]);
    struct record_key right = record_key_pair(folder, pair->uid[RIGHT]);
    int r = count_pair(apply, folder, pair, -1);

    if (r == 0) {
        r = state_rows_del(apply->tx, RECORD_PAIR, record_key_bytes(&left),
                           apply->err);
    }
    if (r == 0) {
        r = state_rows_del(apply->tx, RECORD_RIGHT, record_key_bytes(&right),
                           apply->err);
    }
    return r;
}

/* Delete the pair that a right UID is in, if it is in one. */
static int drop_by_right(struct apply *apply, uint32_t folder,
                         struct bytes right)
{
    struct state_pair pair;
    struct record_key left;
    struct bytes value;
    uint32_t uid;
    int r = state_rows_get(apply->tx, RECORD_RIGHT, right, &value, apply->err);

    if (r != 0)
        return r == 1 ? 0 : r;
    if (!record_decode_right(value, &uid))
        return state_rows_damaged(apply->err, RECORD_RIGHT);
    left = record_key_pair(folder, uid);
    r = load_pair(apply, record_key_bytes(&left), &pair);
    if (r == 0)
        r = drop_pair(apply, folder, &pair);
    return r == 1 ? state_rows_damaged(apply->err, RECORD_RIGHT) : r;
}

static int put_pair(struct apply *apply, const struct state_op *op)
{
    uint32_t folder = record_key_read(op->table, op->key).folder;
    struct state_pair old;
    struct state_pair pair;
    struct record_key right;
    bool same;
    int r = load_pair(apply, op->key, &old);

    if (r < 0)
        return r;
    if (!record_decode_pair(op->key, op->value, &pair))
        return state_rows_damaged(apply->err, op->table);
    same = r == 0 && old.uid[RIGHT] == pair.uid[RIGHT];
    right = record_key_pair(folder, pair.uid[RIGHT]);
    if (same) {
        r = count_pair(apply, folder, &old, -1);
    } else {
        r = r == 0 ? drop_pair(apply, folder, &old) : 0;
    }
    if (r == 0 && !same)
        r = drop_by_right(apply, folder, record_key_bytes(&right));
    if (r == 0)
        r = count_pair(apply, folder, &pair, 1);
    if (r == 0) {
        r = state_rows_put(apply->tx, RECORD_PAIR, op->key, op->value,
                           apply->err);
    }
    if (r != 0 || same)
        return r;
    buf_clear(&apply->value);
    record_encode_right(&apply->value, pair.uid[LEFT]);
    return write_value(apply, RECORD_RIGHT, record_key_bytes(&right));
}

/* The operation carries the whole pair: one that took its left UID since
 * stays. */
static int del_pair(struct apply *apply, const struct state_op *op)
{
    struct state_pair pair;
    struct state_pair there;
    int r = load_pair(apply, op->key, &there);

    if (r != 0)
        return r == 1 ? 0 : r;
    if (!record_decode_pair(op->key, op->value, &pair))
        return state_rows_damaged(apply->err, op->table);
    if (there.uid[RIGHT] != pair.uid[RIGHT])
        return 0;
    return drop_pair(apply, record_key_read(op->table, op->key).folder, &there);
}

/* --- other rows --------------------------------------------------------------- */

static int change_apart(struct apply *apply, const struct state_op *op)
{
    struct record_id id = record_key_read(op->table, op->key);
    struct bytes value;
    int was = state_rows_get(apply->tx, op->table, op->key, &value, apply->err);
    int r = 0;

    if (was < 0)
        return was;
    if (was == 0 && op->deletes)
        r = count_apart(apply, id, -1);
    if (was == 1 && !op->deletes)
        r = count_apart(apply, id, 1);
    if (r != 0)
        return r;
    if (op->deletes)
        return state_rows_del(apply->tx, op->table, op->key, apply->err);
    return state_rows_put(apply->tx, op->table, op->key, op->value, apply->err);
}

/* A search for an intent that is about one folder. */
struct search {
    uint32_t folder;
    struct record_key found;
    bool damaged;
};

static int match_intent(void *owner, struct bytes key, struct bytes value)
{
    struct search *search = owner;
    struct state_intent intent;

    search->damaged = !record_decode_intent(key, value, &intent);
    search->found = record_key_intent(intent.number);
    return search->damaged || intent.folder == search->folder;
}

static int drop_intents(struct apply *apply, uint32_t folder)
{
    struct search search = {.folder = folder};
    int r = 1;

    while (r == 1) {
        r = state_rows_each(apply->tx, RECORD_INTENT, B(""), match_intent,
                            &search, apply->err);
        if (search.damaged)
            return state_rows_damaged(apply->err, RECORD_INTENT);
        if (r == 1) {
            int deleted =
                state_rows_del(apply->tx, RECORD_INTENT,
                               record_key_bytes(&search.found), apply->err);

            if (deleted < 0)
                return deleted;
        }
    }
    return r;
}

static int del_folder(struct apply *apply, const struct state_op *op)
{
    static const enum record_table by_folder[] = {
        RECORD_FOLDER, RECORD_COUNTS, RECORD_PAIR, RECORD_RIGHT, RECORD_APART};

    static const enum record_table by_side[] = {RECORD_FILE, RECORD_LAST,
                                                RECORD_NAME};

    uint32_t folder = record_key_read(op->table, op->key).folder;
    int r = flush_counts(apply);

    for (size_t i = 0; i < sizeof(by_folder) / sizeof(*by_folder); i++) {
        if (r == 0) {
            r = state_rows_del_prefix(apply->tx, by_folder[i], op->key,
                                      apply->err);
        }
    }
    for (size_t i = 0; i < sizeof(by_side) / sizeof(*by_side) * SIDES; i++) {
        struct record_key key =
            record_key_side(i % SIDES == 0 ? LEFT : RIGHT, folder);

        if (r == 0) {
            r = state_rows_del_prefix(apply->tx, by_side[i / SIDES],
                                      record_key_bytes(&key), apply->err);
        }
    }
    return r == 0 ? drop_intents(apply, folder) : r;
}

static int change_file(struct apply *apply, const struct state_op *op)
{
    return op->deletes
               ? state_files_del(apply->tx, op->key, &op->value, apply->err)
               : state_files_put(apply->tx, op->key, op->value, apply->err);
}

static int apply_op(struct apply *apply, const struct state_op *op)
{
    if (op->table == RECORD_PAIR)
        return op->deletes ? del_pair(apply, op) : put_pair(apply, op);
    if (op->table == RECORD_APART)
        return change_apart(apply, op);
    if (op->table == RECORD_FILE)
        return change_file(apply, op);
    if (op->table == RECORD_FOLDER && op->deletes)
        return del_folder(apply, op);
    if (op->deletes)
        return state_rows_del(apply->tx, op->table, op->key, apply->err);
    return state_rows_put(apply->tx, op->table, op->key, op->value, apply->err);
}

/* --- files of pairs that ended -------------------------------------------------- */

/* Is @uid still known otherwise than as a file? 0: yes, 1: no. */
static int is_known(struct apply *apply, enum side side, uint32_t folder,
                    uint32_t uid)
{
    struct record_key pair = record_key_pair(folder, uid);
    struct record_key apart = record_key_apart(folder, side, uid);
    struct bytes value;
    int r = state_rows_get(apply->tx, side == LEFT ? RECORD_PAIR : RECORD_RIGHT,
                           record_key_bytes(&pair), &value, apply->err);

    if (r == 1) {
        r = state_rows_get(apply->tx, RECORD_APART, record_key_bytes(&apart),
                           &value, apply->err);
    }
    return r;
}

/* A UID that is gone needs no file row, if its pair did not only change: the
 * other side's UID may be new (UIDVALIDITY). So this comes last. */
static int drop_files(struct apply *apply, const struct state_op *op)
{
    uint32_t folder = record_key_read(op->table, op->key).folder;
    struct state_pair pair;
    int r = 0;

    if (!record_decode_pair(op->key, op->value, &pair))
        return state_rows_damaged(apply->err, op->table);
    for (unsigned i = LEFT; i < SIDES && r == 0; i++) {
        enum side side = i == LEFT ? LEFT : RIGHT;
        struct record_key key = record_key_file(side, folder, pair.uid[side]);

        if (!pair.gone[side])
            continue;
        r = is_known(apply, side, folder, pair.uid[side]);
        if (r == 1) {
            r = state_files_del(apply->tx, record_key_bytes(&key), NULL,
                                apply->err);
        }
    }
    return r;
}

static int apply_all(struct apply *apply, const struct state_queue *queue)
{
    struct state_op op;
    size_t at = 0;
    int r = 0;

    while (r == 0 && state_queue_next(queue, &at, &op))
        r = apply_op(apply, &op);
    at = 0;
    while (r == 0 && state_queue_next(queue, &at, &op)) {
        if (op.table == RECORD_PAIR && op.deletes)
            r = drop_files(apply, &op);
    }
    return r == 0 ? flush_counts(apply) : r;
}

int state_apply(struct state_tx *tx, const struct state_queue *queue,
                struct err *err)
{
    struct apply apply = {.tx = tx, .err = err};
    int r;

    buf_init(&apply.value, 0);
    r = apply_all(&apply, queue);
    buf_deinit(&apply.value);
    return r;
}
