#include "store/state_check.h"

#include <stdint.h>
#include <string.h>

#include "store/pages.h"
#include "store/record.h"
#include "store/record_block.h"

struct check {
    const char *name; /* of the table that the last row was in: */
    enum record_table table;
    struct record_key last; /* of the last block's last row */
    uint32_t n_sets;        /* rows of keywords: sets 1 to this */
    uint32_t set_max;       /* that a pair refers to */
    struct err *err;
};

static int bad_row(struct check *check, struct bytes database)
{
    err_set(check->err, ERR_STATE, "a row of \"%.*s\" is damaged",
            (int)database.len, database.ptr);
    return PAGES_DAMAGED;
}

/* The meta table comes first: what follows is only read if it is of our
 * schema. */
static int check_schema(struct check *check, struct bytes key,
                        struct bytes value)
{
    struct bytes text;
    uint64_t schema;

    if (!bytes_equal(key, B(STATE_SCHEMA_NAME)))
        return 0;
    if (!record_decode_text(key, value, &text) ||
        !bytes_to_u64(text, UINT32_MAX, &schema) || schema == 0)
        return bad_row(check, bytes_of(record_key_table_name(RECORD_META)));
    if (schema > STATE_SCHEMA) {
        return err_set(check->err, ERR_STATE,
                       "the state was written by a newer mailtwin (layout "
                       "%llu, this one knows %u): update mailtwin, or move "
                       "the pair's directory away to start anew",
                       (unsigned long long)schema, STATE_SCHEMA);
    }
    return 0;
}

static bool is_sound(struct check *check, struct bytes key, struct bytes value)
{
    struct state_pair pair;

    if (check->table == RECORD_PAIR) {
        if (!record_decode_pair(key, value, &pair))
            return false;
        if (pair.flags.keywords > check->set_max)
            check->set_max = pair.flags.keywords;
        return true;
    }
    if (check->table == RECORD_KEYWORD)
        check->n_sets++;
    return record_valid(check->table, key, value);
}

/* The rows of a block are sound, and behind those of the block before. */
static bool is_sound_block(struct check *check, struct bytes key,
                           struct bytes value)
{
    size_t prefix = record_key_prefix(check->table);
    size_t n = record_key_number_bytes(check->table);
    struct record_block block;
    struct record_key row = {.len = key.len};

    if (!record_block_decode(check->table, key, value, &block))
        return false;
    if (check->last.len == key.len &&
        memcmp(check->last.text, key.ptr, key.len) >= 0)
        return false;
    memcpy(row.text, key.ptr, key.len);
    for (size_t i = 0; i < block.n; i++) {
        record_key_store(row.text + prefix, block.rows[i].number, n);
        if (!is_sound(check, record_key_bytes(&row), block.rows[i].value))
            return false;
    }
    check->last = row;
    return true;
}

static int on_row(void *owner, struct bytes database, struct bytes key,
                  struct bytes value)
{
    struct check *check = owner;
    bool sound;

    if (database.ptr != check->name) {
        if (!record_key_table_find(database, &check->table))
            return bad_row(check, database);
        check->name = database.ptr;
        check->last.len = 0;
    }
    if (check->table == RECORD_META) {
        int r = check_schema(check, key, value);

        if (r != 0)
            return r;
    }
    sound = record_key_prefix(check->table) > 0
                ? is_sound_block(check, key, value)
                : is_sound(check, key, value);
    return sound ? 0 : bad_row(check, database);
}

int state_check(int fd, size_t snapshot, struct err *err)
{
    struct check check = {.err = err};
    struct pages_rows rows = {
        .row = on_row,
        .owner = &check,
        .first = bytes_of(record_key_table_name(RECORD_META)),
    };
    int r = pages_check(fd, snapshot, &rows, err);

    if (r == 0 && check.set_max > check.n_sets)
        r = bad_row(&check, bytes_of(record_key_table_name(RECORD_KEYWORD)));
    return r;
}
