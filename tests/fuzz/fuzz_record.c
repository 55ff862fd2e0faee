/*
 * Goal: any value of a row of the state decodes or does not; what decodes is
 * the same when it was encoded again. The checksum is made right first, since
 * it is what keeps damage out: behind it stands the codec alone. The same of
 * blocks of rows.
 *
 * The input: a byte for the table, the length of the key, the key, the value.
 */
#include <zlib.h>

#include "base/buf.h"
#include "store/record.h"
#include "store/record_block.h"
#include "store/record_name.h"
#include "tests/fuzz/fuzz.h"

#define CHECKSUM_BYTES       2u
#define BLOCK_CHECKSUM_BYTES 4u

/* See store/record.c. */
static void mend(struct bytes key, char *value, size_t len)
{
    uLong sum = crc32(0, (const Bytef *)key.ptr, (uInt)key.len);

    if (len <= CHECKSUM_BYTES)
        return;
    sum = crc32(sum, (const Bytef *)value, (uInt)(len - CHECKSUM_BYTES));
    record_key_store(value + len - CHECKSUM_BYTES, (sum ^ sum >> 16) & 0xffff,
                     CHECKSUM_BYTES);
}

/* See store/record_block.c. */
static void mend_block(struct bytes key, char *value, size_t len)
{
    uLong sum = crc32(0, (const Bytef *)key.ptr, (uInt)key.len);

    if (len <= BLOCK_CHECKSUM_BYTES)
        return;
    sum = crc32(sum, (const Bytef *)value, (uInt)(len - BLOCK_CHECKSUM_BYTES));
    record_key_store(value + len - BLOCK_CHECKSUM_BYTES, sum,
                     BLOCK_CHECKSUM_BYTES);
}

static bool recode_folder(struct bytes key, struct bytes value, struct buf *out)
{
    struct state_folder folder;
    bool good = record_decode_folder(key, value, &folder);

    if (good)
        record_encode_folder(out, key, &folder);
    free(folder.name[LEFT]);
    free(folder.name[RIGHT]);
    return good;
}

static bool recode_number(enum record_table table, struct bytes key,
                          struct bytes value, struct buf *out)
{
    struct record_counts counts;
    struct state_intent intent;
    uint32_t uid;
    bool good;

    if (table == RECORD_COUNTS) {
        good = record_decode_counts(key, value, &counts);
        if (good)
            record_encode_counts(out, key, &counts);
    } else if (table == RECORD_INTENT) {
        good = record_decode_intent(key, value, &intent);
        if (good)
            record_encode_intent(out, key, &intent);
    } else {
        bool right = table == RECORD_RIGHT;

        good = right ? record_decode_right(value, &uid)
                     : record_decode_uid(key, value, &uid);
        if (good && right)
            record_encode_right(out, uid);
        else if (good)
            record_encode_uid(out, key, uid);
    }
    return good;
}

static bool recode_message(enum record_table table, struct bytes key,
                           struct bytes value, struct buf *out)
{
    struct state_pair pair;
    struct state_apart apart;
    bool good;

    if (table == RECORD_PAIR) {
        good = record_decode_pair(key, value, &pair);
        if (good)
            record_encode_pair(out, &pair);
    } else {
        good = record_decode_apart(key, value, &apart);
        if (good)
            record_encode_apart(out, key, &apart);
    }
    return good;
}

static bool recode_list(struct bytes value, struct buf *out)
{
    uint32_t uid;

    if (!record_list_valid(value))
        return false;
    while (record_list_next(&value, &uid))
        record_list_add(out, uid);
    return true;
}

/* What the row says as text has to be taken apart into the same row. */
static bool recode_name(struct bytes value, struct buf *out)
{
    struct record_name name;
    struct record_name again;
    struct bytes host;
    struct buf text;

    if (!record_name_decode(value, &name))
        return false;
    record_name_encode(out, &name);
    buf_init(&text, 0);
    record_name_print(&text, &name, B("host"));
    if (record_name_parse(buf_peek(&text), &again, &host)) {
        struct buf second;

        buf_init(&second, 0);
        record_name_print(&second, &again, host);
        must(bytes_equal(buf_peek(&text), buf_peek(&second)));
        buf_deinit(&second);
    }
    buf_deinit(&text);
    return true;
}

/* A block decodes or does not; what decodes is the same when it was encoded
 * again. */
static void check_block(enum record_table table, struct bytes key,
                        struct bytes value)
{
    struct record_block block;
    struct buf once;

    if (!record_block_decode(table, key, value, &block))
        return;
    buf_init(&once, 0);
    record_block_encode(&once, key, block.rows, block.n);
    must(buf_len(&once) == record_block_bytes(block.rows, block.n));
    must(buf_len(&once) <= value.len);
    buf_deinit(&once);
}

/* Decode and encode again. */
static bool recode(enum record_table table, struct bytes key,
                   struct bytes value, struct buf *out)
{
    struct bytes text;

    switch (table) {
    case RECORD_FOLDER:
        return recode_folder(key, value, out);
    case RECORD_COUNTS:
    case RECORD_INTENT:
    case RECORD_RIGHT:
    case RECORD_LAST:
        return recode_number(table, key, value, out);
    case RECORD_PAIR:
    case RECORD_APART:
        return recode_message(table, key, value, out);
    case RECORD_NAME:
        return recode_list(value, out);
    case RECORD_FILE:
        return recode_name(value, out);
    default:
        if (!record_decode_text(key, value, &text))
            return false;
        record_encode_text(out, key, text);
        return true;
    }
}

static void check(enum record_table table, struct bytes key, struct bytes value)
{
    struct buf once;
    struct buf twice;

    buf_init(&once, 0);
    buf_init(&twice, 0);
    if (recode(table, key, value, &once)) {
        must(recode(table, key, buf_peek(&once), &twice));
        must(bytes_equal(buf_peek(&once), buf_peek(&twice)));
        must(buf_len(&once) <= value.len || table == RECORD_FOLDER);
    } else {
        must(!record_valid(table, key, value));
    }
    buf_deinit(&once);
    buf_deinit(&twice);
}

void fuzz_one(struct bytes input)
{
    enum record_table table =
        (enum record_table)(fuzz_byte(&input) % RECORD_TABLES);
    size_t n = fuzz_byte(&input) % 16;
    struct bytes key;
    struct bytes value;

    if (n >= input.len)
        return;
    key = fuzz_copy((struct bytes){input.ptr, n});
    value = fuzz_copy(bytes_skip(input, n));
    if (record_key_prefix(table) > 0) {
        check(table, key, value);
        mend_block(key, fuzz_data(value), value.len);
        check_block(table, key, value);
    } else {
        mend(key, fuzz_data(value), value.len);
        check(table, key, value);
    }
    (void)record_key_read(table, key);
    fuzz_free(key);
    fuzz_free(value);
}
