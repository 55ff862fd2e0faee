#include "store/state_rows.h"

#include <string.h>

#include "base/buf.h"

int state_rows_damaged(struct err *err, enum record_table table)
{
    /* The check at the start of the next run moves the state aside. */
    return err_set(err, ERR_STATE,
                   "state: a row of \"%s\" is damaged: run again",
                   record_key_table_name(table));
}

static bool in_blocks(enum record_table table)
{
    return record_key_prefix(table) > 0;
}

static uint64_t number_in(enum record_table table, struct bytes key)
{
    return record_key_load(key.ptr + record_key_prefix(table),
                           record_key_number_bytes(table));
}

/* @key with another number. */
static struct record_key key_for(enum record_table table, struct bytes key,
                                 uint64_t number)
{
    size_t prefix = record_key_prefix(table);
    size_t n = record_key_number_bytes(table);
    struct record_key other = {.len = prefix + n};

    memcpy(other.text, key.ptr, prefix);
    record_key_store(other.text + prefix, number, n);
    return other;
}

/* --- one block ------------------------------------------------------------------ */

/* Where the row @number is in @block, or would be. */
static size_t place_in(const struct record_block *block, uint64_t number)
{
    size_t low = 0;
    size_t high = block->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (block->rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_row(const struct record_block *block, size_t at,
                    uint64_t number)
{
    return at < block->n && block->rows[at].number == number;
}

/* Keep a copy of the block that was found, taken apart; @r is how that went. */
static int keep_block(int r, enum record_table table, struct bytes found,
                      struct bytes value, struct state_rows_block *kept,
                      struct err *err)
{
    kept->block.n = 0;
    if (r != 0)
        return r;
    if (found.len > sizeof(kept->key.text))
        return state_rows_damaged(err, table);
    kept->key.len = found.len;
    memcpy(kept->key.text, found.ptr, found.len);
    buf_clear(&kept->copy);
    buf_add(&kept->copy, value);
    if (record_block_decode(table, record_key_bytes(&kept->key),
                            buf_peek(&kept->copy), &kept->block))
        return 0;
    kept->block.n = 0;
    return state_rows_damaged(err, table);
}

/* The block that a row belongs to. */
struct place {
    struct state_rows_block in;
    size_t at; /* of the row, or where it would be */
    bool has;  /* it is there */
};

/* As keep_block(): 1, there is none, is a block without rows. */
static int load_place(int r, enum record_table table, struct bytes found,
                      struct bytes value, struct place *place, struct err *err)
{
    place->has = false;
    place->at = 0;
    r = keep_block(r, table, found, value, &place->in, err);
    return r == 1 ? 0 : r;
}

/* Find the row @key to change it. Where no block reaches down to it, it belongs
 * to the first one; where there is none, to one without rows. */
static int find_place(const struct state_tx *tx, enum record_table table,
                      struct bytes key, struct place *place, struct err *err)
{
    struct bytes found = B("");
    struct bytes value = B("");
    int r = state_db_near(tx, table, key, record_key_prefix(table), &found,
                          &value, err);

    r = load_place(r, table, found, value, place, err);
    if (r == 0) {
        uint64_t number = number_in(table, key);

        place->at = place_in(&place->in.block, number);
        place->has = has_row(&place->in.block, place->at, number);
    }
    return r;
}

/* Does @row fit in behind all others? */
static bool fits_behind(struct place *place, struct record_row row)
{
    struct record_block *block = &place->in.block;

    if (block->n == RECORD_BLOCK_ROWS)
        return false;
    block->rows[block->n] = row;
    return record_block_bytes(block->rows, block->n + 1) <= RECORD_BLOCK_BYTES;
}

/* Is there room for some more like it? */
static bool has_room(const struct place *place, struct record_row row)
{
    return record_block_bytes(place->in.block.rows, place->in.block.n) +
               2 * record_block_bytes(&row, 1) <=
           RECORD_BLOCK_BYTES;
}

/* Find the block that @row is to go into, if it is not there yet. Behind all of
 * a full one it goes into the next one: else rows that come against their order
 * would get a block each. Not where that is full, too: it would be split in the
 * middle by the rows after, where they come in their order. */
static int find_room(const struct state_tx *tx, enum record_table table,
                     struct bytes key, struct record_row row,
                     struct place *place, struct err *err)
{
    struct bytes found = B("");
    struct bytes value = B("");
    int r = find_place(tx, table, key, place, err);

    if (r != 0 || place->has || place->in.block.n == 0 ||
        place->at < place->in.block.n || fits_behind(place, row))
        return r;
    r = state_db_above(tx, table, key, record_key_prefix(table), &found, &value,
                       err);
    r = load_place(r, table, found, value, place, err);
    if (r == 0 && !has_room(place, row))
        place->in.block.n = 0;
    return r;
}

/* Rows that are to be written, in as many blocks as it takes. */
struct pieces {
    struct state_tx *tx;
    enum record_table table;
    struct bytes key; /* of any of the rows */
    struct err *err;
};

/* @put  state_db_put() or state_db_append() */
static int write_block(const struct pieces *pieces,
                       const struct record_row *rows, size_t n,
                       int (*put)(struct state_tx *tx, enum record_table table,
                                  struct bytes key, struct bytes value,
                                  struct err *err))
{
    struct record_key key = key_for(pieces->table, pieces->key, rows[0].number);
    struct buf value;
    int r;

    buf_init(&value, 0);
    record_block_encode(&value, record_key_bytes(&key), rows, n);
    r = put(pieces->tx, pieces->table, record_key_bytes(&key), buf_peek(&value),
            pieces->err);
    buf_deinit(&value);
    return r;
}

#define ROW_BYTES 2u /* of a row beside its value, mostly */

/* How many of the rows make half of the bytes: one or more, but not all. */
static size_t half_of(const struct record_row *rows, size_t n)
{
    size_t half = record_block_bytes(rows, n) / 2;
    size_t bytes = record_block_bytes(rows, 1);
    size_t first = 1;

    while (first < n - 1 && bytes < half) {
        bytes += rows[first].value.len + ROW_BYTES;
        first++;
    }
    return first;
}

/* @at is the row that is new: before all others it gets a block of its own, so
 * that rows that come against their order leave full ones. */
static int write_pieces(const struct pieces *pieces,
                        const struct record_row *rows, size_t n, size_t at)
{
    size_t first;
    int r;

    if (n <= 1 || record_block_bytes(rows, n) <= RECORD_BLOCK_BYTES)
        return n == 0 ? 0 : write_block(pieces, rows, n, state_db_put);
    first = at == 0 ? 1 : half_of(rows, n);
    r = write_pieces(pieces, rows, first, first);
    /* What is left is split in halves, if at all. */
    return r == 0 ? write_pieces(pieces, rows + first, n - first, n) : r;
}

/* Write what the block at @place has now, @at of it new. */
static int write_place(const struct pieces *pieces, const struct place *place,
                       bool was)
{
    const struct record_block *block = &place->in.block;
    int r = 0;

    if (was && (block->n == 0 ||
                number_in(pieces->table, record_key_bytes(&place->in.key)) !=
                    block->rows[0].number)) {
        r = state_db_del(pieces->tx, pieces->table,
                         record_key_bytes(&place->in.key), pieces->err);
    }
    return r == 0 ? write_pieces(pieces, block->rows, block->n, place->at) : r;
}

static int put_in_block(struct state_tx *tx, enum record_table table,
                        struct bytes key, struct bytes value,
                        struct place *place, struct err *err)
{
    const struct pieces pieces = {tx, table, key, err};
    struct record_row row = {number_in(table, key), value};
    struct record_block *block = &place->in.block;
    int r = find_room(tx, table, key, row, place, err);
    bool was = block->n > 0;

    if (r != 0)
        return r;
    if (!place->has) {
        if (block->n == RECORD_BLOCK_ROWS)
            return state_rows_damaged(err, table);
        memmove(&block->rows[place->at + 1], &block->rows[place->at],
                (block->n - place->at) * sizeof(block->rows[0]));
        block->n++;
    }
    block->rows[place->at] = row;
    return write_place(&pieces, place, was);
}

static int del_in_block(struct state_tx *tx, enum record_table table,
                        struct bytes key, struct place *place, struct err *err)
{
    const struct pieces pieces = {tx, table, key, err};
    struct record_block *block = &place->in.block;
    int r = find_place(tx, table, key, place, err);

    if (r != 0 || !place->has)
        return r;
    block->n--;
    memmove(&block->rows[place->at], &block->rows[place->at + 1],
            (block->n - place->at) * sizeof(block->rows[0]));
    return write_place(&pieces, place, true);
}

/* Without a copy: what it borrows stays as long as the value is to. */
static int get_in_block(const struct state_tx *tx, enum record_table table,
                        struct bytes key, struct bytes *value, struct err *err)
{
    struct record_block block;
    struct bytes found;
    struct bytes text;
    uint64_t number = number_in(table, key);
    size_t at;
    int r = state_db_near(tx, table, key, record_key_prefix(table), &found,
                          &text, err);

    if (r != 0)
        return r;
    if (!record_block_decode(table, found, text, &block))
        return state_rows_damaged(err, table);
    at = place_in(&block, number);
    if (!has_row(&block, at, number))
        return 1;
    *value = block.rows[at].value;
    return 0;
}

/* --- blocks that are kept --------------------------------------------------------- */

void state_rows_block_init(struct state_rows_block *kept)
{
    kept->block.n = 0;
    buf_init(&kept->copy, 0);
}

void state_rows_block_deinit(struct state_rows_block *kept)
{
    kept->block.n = 0;
    buf_deinit(&kept->copy);
}

void state_rows_block_forget(struct state_rows_block *kept)
{
    kept->block.n = 0;
}

int state_rows_find(const struct state_rows_block *kept,
                    enum record_table table, struct bytes key,
                    struct bytes *value)
{
    const struct record_block *block = &kept->block;
    uint64_t number = number_in(table, key);
    size_t at;

    if (block->n == 0 || number < block->rows[0].number ||
        number > block->rows[block->n - 1].number ||
        memcmp(key.ptr, kept->key.text, record_key_prefix(table)) != 0)
        return STATE_ROWS_ELSEWHERE;
    at = place_in(block, number);
    if (!has_row(block, at, number))
        return 1;
    *value = block->rows[at].value;
    return 0;
}

int state_rows_keep(const struct state_tx *tx, enum record_table table,
                    struct bytes key, struct state_rows_block *kept,
                    struct err *err)
{
    struct bytes found = B("");
    struct bytes value = B("");
    int r = state_db_near(tx, table, key, record_key_prefix(table), &found,
                          &value, err);

    return keep_block(r, table, found, value, kept, err);
}

int state_rows_keep_next(const struct state_tx *tx, enum record_table table,
                         struct bytes key, struct state_rows_block *kept,
                         struct err *err)
{
    struct bytes found = B("");
    struct bytes value = B("");
    int r = state_db_above(tx, table, key, record_key_prefix(table), &found,
                           &value, err);

    return keep_block(r, table, found, value, kept, err);
}

/* --- one block after the other ---------------------------------------------------- */

void state_rows_writer_init(struct state_rows_writer *writer,
                            struct state_tx *tx)
{
    writer->tx = tx;
    writer->table = RECORD_META;
    writer->key.len = 0;
    writer->block.n = 0;
    writer->n_values = 0;
}

int state_rows_append_end(struct state_rows_writer *writer, struct err *err)
{
    const struct pieces pieces = {writer->tx, writer->table,
                                  record_key_bytes(&writer->key), err};
    int r = 0;

    if (writer->block.n > 0) {
        r = write_block(&pieces, writer->block.rows, writer->block.n,
                        state_db_append);
    }
    writer->block.n = 0;
    writer->n_values = 0;
    return r;
}

/* May a row with @key be in the block that waits? */
static bool is_same_block(const struct state_rows_writer *writer,
                          enum record_table table, struct bytes key)
{
    return table == writer->table && key.len == writer->key.len &&
           memcmp(key.ptr, writer->key.text, record_key_prefix(table)) == 0;
}

/* Put a row behind those that wait, if there is room; else it is not. */
static bool add_row(struct state_rows_writer *writer, struct bytes key,
                    struct bytes value)
{
    struct record_block *block = &writer->block;
    struct record_row *row = &block->rows[block->n];

    if (block->n == RECORD_BLOCK_ROWS)
        return false;
    *row = (struct record_row){number_in(writer->table, key), value};
    if (record_block_bytes(block->rows, block->n + 1) > RECORD_BLOCK_BYTES)
        return false;
    memcpy(writer->values + writer->n_values, value.ptr, value.len);
    row->value.ptr = writer->values + writer->n_values;
    writer->n_values += value.len;
    block->n++;
    writer->key.len = key.len;
    memcpy(writer->key.text, key.ptr, key.len);
    return true;
}

static int append_to_block(struct state_rows_writer *writer,
                           enum record_table table, struct bytes key,
                           struct bytes value, struct err *err)
{
    const struct pieces alone = {writer->tx, table, key, err};
    struct record_row row = {number_in(table, key), value};
    int r;

    if (is_same_block(writer, table, key) && add_row(writer, key, value))
        return 0;
    r = state_rows_append_end(writer, err);
    writer->table = table;
    if (r != 0 || add_row(writer, key, value))
        return r;
    return write_block(&alone, &row, 1, state_db_put);
}

/* --- a walk through blocks -------------------------------------------------------- */

struct walk {
    enum record_table table;
    int (*row)(void *owner, struct bytes key, struct bytes value);
    void *owner;
    struct err *err;
};

static int on_block(void *owner, struct bytes key, struct bytes value)
{
    const struct walk *walk = owner;
    struct record_block block;
    int r = 0;

    if (!record_block_decode(walk->table, key, value, &block))
        return state_rows_damaged(walk->err, walk->table);
    for (size_t i = 0; i < block.n && r == 0; i++) {
        struct record_key row_key =
            key_for(walk->table, key, block.rows[i].number);

        r = walk->row(walk->owner, record_key_bytes(&row_key),
                      block.rows[i].value);
    }
    return r;
}

/* --- state_rows.h ------------------------------------------------------------------- */

int state_rows_get(const struct state_tx *tx, enum record_table table,
                   struct bytes key, struct bytes *value, struct err *err)
{
    return in_blocks(table) ? get_in_block(tx, table, key, value, err)
                            : state_db_get(tx, table, key, value, err);
}

int state_rows_each(const struct state_tx *tx, enum record_table table,
                    struct bytes prefix,
                    int (*row)(void *owner, struct bytes key,
                               struct bytes value),
                    void *owner, struct err *err)
{
    struct walk walk = {table, row, owner, err};

    return in_blocks(table)
               ? state_db_each(tx, table, prefix, on_block, &walk, err)
               : state_db_each(tx, table, prefix, row, owner, err);
}

int state_rows_put(struct state_tx *tx, enum record_table table,
                   struct bytes key, struct bytes value, struct err *err)
{
    struct place place;
    int r;

    if (!in_blocks(table))
        return state_db_put(tx, table, key, value, err);
    buf_init(&place.in.copy, 0);
    r = put_in_block(tx, table, key, value, &place, err);
    buf_deinit(&place.in.copy);
    return r;
}

int state_rows_append(struct state_rows_writer *writer, enum record_table table,
                      struct bytes key, struct bytes value, struct err *err)
{
    return in_blocks(table) ? append_to_block(writer, table, key, value, err)
                            : state_db_put(writer->tx, table, key, value, err);
}

int state_rows_del(struct state_tx *tx, enum record_table table,
                   struct bytes key, struct err *err)
{
    struct place place;
    int r;

    if (!in_blocks(table))
        return state_db_del(tx, table, key, err);
    buf_init(&place.in.copy, 0);
    r = del_in_block(tx, table, key, &place, err);
    buf_deinit(&place.in.copy);
    return r;
}

/* No block has rows of two prefixes. */
int state_rows_del_prefix(struct state_tx *tx, enum record_table table,
                          struct bytes prefix, struct err *err)
{
    return state_db_del_prefix(tx, table, prefix, err);
}
