/* Goal of this test: a block gives back the rows that were put into it, and
 * nothing else is taken for one: no other length, no flipped bit of value or
 * key, no order but the rising one. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "store/record_block.h"
#include "tests/tap.h"

static const struct record_row rows[] = {
    {6,              {"a", 1}  },
    {7,              {"", 0}   },
    {300,            {"bcd", 3}},
    {UINT32_MAX - 1, {"e", 1}  },
    {UINT32_MAX,     {"\0f", 2}},
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

static bool decodes(const struct record_key *key, struct bytes value)
{
    struct record_block block;

    return record_block_decode(RECORD_FILE, record_key_bytes(key), value,
                               &block);
}

static void test_rows(void)
{
    struct record_key key = record_key_file(RIGHT, 5, 6);
    struct record_block block;
    struct buf value;
    bool same;

    buf_init(&value, 0);
    record_block_encode(&value, record_key_bytes(&key), rows, N_ROWS);
    ok(buf_len(&value) == record_block_bytes(rows, N_ROWS),
       "a block is as large as it was said to be");
    same = record_block_decode(RECORD_FILE, record_key_bytes(&key),
                               buf_peek(&value), &block) &&
           block.n == N_ROWS;
    for (size_t i = 0; same && i < N_ROWS; i++) {
        same = block.rows[i].number == rows[i].number &&
               bytes_equal(block.rows[i].value, rows[i].value);
    }
    ok(same, "its rows come back");
    ok(!record_block_decode(RECORD_COUNTS, record_key_bytes(&key),
                            buf_peek(&value), &block),
       "a table without blocks has none");
    key = record_key_side(RIGHT, 5);
    ok(!decodes(&key, buf_peek(&value)), "nor a key that is too short");
    buf_deinit(&value);
}

static void test_damage(void)
{
    struct record_key key = record_key_file(RIGHT, 5, 6);
    struct record_key other;
    struct buf value;
    unsigned good = 0;
    char *copy;
    size_t len;

    buf_init(&value, 0);
    record_block_encode(&value, record_key_bytes(&key), rows, N_ROWS);
    len = buf_len(&value);
    for (size_t n = 0; n < len; n++) {
        /* On the heap, so that a sanitizer sees every byte too far. */
        copy = mem_new(n + 1, 1);
        memcpy(copy, buf_peek(&value).ptr, n);
        good += decodes(&key, (struct bytes){copy, n});
        free(copy);
    }
    copy = mem_new(len + 1, 1);
    memcpy(copy, buf_peek(&value).ptr, len);
    good += decodes(&key, (struct bytes){copy, len + 1});
    ok(good == 0, "no other length is a block");
    for (size_t bit = 0; bit < len * 8; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        good += decodes(&key, (struct bytes){copy, len});
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t bit = 0; bit < key.len * 8; bit++) {
        other = key;
        other.text[bit / 8] = (char)(other.text[bit / 8] ^ 1 << bit % 8);
        good += decodes(&other, (struct bytes){copy, len});
    }
    ok(good == 0, "no flipped bit of value or key is");
    ok(decodes(&key, (struct bytes){copy, len}), "but what was not touched");
    free(copy);
    buf_deinit(&value);
}

/* With a checksum that is right: is it a block? */
static bool framed(struct bytes body)
{
    struct record_key key = record_key_file(RIGHT, 5, UINT32_MAX - 1);
    uLong sum = crc32(0, (const Bytef *)key.text, (uInt)key.len);
    struct buf value;
    char text[4];
    bool good;

    buf_init(&value, 0);
    buf_add(&value, body);
    sum = crc32(sum, (const Bytef *)body.ptr, (uInt)body.len);
    record_key_store(text, sum, 4);
    buf_add(&value, (struct bytes){text, 4});
    good = decodes(&key, buf_peek(&value));
    buf_deinit(&value);
    return good;
}

static void test_shapes(void)
{
    char *large = mem_new(RECORD_BLOCK_BYTES, 2);

    ok(framed(B("\1\0\1x\1\0")), "two rows, up to the highest number");
    ok(!framed(B("\1")), "a block without rows is none");
    ok(!framed(B("\2\0\1x")), "nor is one of another version");
    ok(!framed(B("\1\1\1x")), "nor one whose key is not that of its first row");
    ok(!framed(B("\1\0\1x\0\1y")), "nor one that has a row twice");
    ok(!framed(B("\1\0\1x\2\1y")), "nor one with a number too high");
    ok(!framed(B("\1\0\1x\1\2y")), "nor one whose last row is cut short");
    memcpy(large, "\1\0\x84\7", 4);
    ok(framed((struct bytes){large, 4 + 900}), "one row may be large");
    memcpy(large, "\1\0\xff\3\0\1\0", 4);
    memcpy(large + 4 + 511, "\1", 2);
    ok(!framed((struct bytes){large, 4 + 511 + 2}), "two may not");
    free(large);
}

int main(void)
{
    test_rows();
    test_damage();
    test_shapes();
    return done_testing();
}
