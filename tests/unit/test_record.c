#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/record.h"
#include "store/record_name.h"
#include "tests/tap.h"

struct key_case {
    const char *name;
    struct record_key key;
    const char *hex;
};

static const char *hex_of(struct bytes text, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < text.len; i++) {
        out[2 * i] = digits[(uint8_t)text.ptr[i] >> 4];
        out[2 * i + 1] = digits[(uint8_t)text.ptr[i] & 15];
    }
    out[2 * i] = '\0';
    return out;
}

static void test_keys(void)
{
    const struct key_case cases[] = {
        {"an id",               record_key_id(0x01020304), "01020304"                         },
        {"a pair",              record_key_pair(1,         UINT32_MAX),                         "00000001ffffffff"},
        {"a message apart on the right",                     record_key_apart(2,                 RIGHT,              3),
         "000000020100000003"},
        {"a side",                   record_key_side(LEFT,                             7),                                                                "0000000007"},
        {"a file",record_key_file(RIGHT,7,258), "010000000700000102"},
        {"the empty name",              record_key_name(LEFT,                                    1,                                                                                             B("")),
         "0000000001cbf29ce484222325"},
        {"the name \"a\"", record_key_name(LEFT,                          1,                                              B("a")),
         "0000000001af63dc4c8601ec8c"},
        {"an intent",                    record_key_intent(0x8000000000000001u),
         "8000000000000001"                                                         },
    };
    char hex[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ok(strcmp(hex_of(record_key_bytes(&cases[i].key), hex), cases[i].hex) ==
               0,
           "the key of %s is big-endian: %s", cases[i].name, hex);
}

/* By the time and the microseconds in them, but not by what follows. */
static void test_order(void)
{
    const char *const names[] = {
        "0.x", "5.M1P1Q1.host",    "5.M100P1Q1.host",      "05.M20000P3.host",
        "6",   "6.M999999P1.host", "4294967295.M0P1.host",
    };
    uint64_t last = 0;
    bool rises = true;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        uint64_t order = record_key_order(bytes_of(names[i]));

        rises = rises && order > last;
        last = order;
    }
    ok(rises, "names of files are in the order of their times");
    ok(record_key_order(B("5.M1P1Q1.host")) !=
           record_key_order(B("5.M1P1Q2.host")),
       "two of one time are told apart, mostly");
    ok(record_key_order(B("4294967296.M1P1")) >> 32 != 0 &&
           record_key_order(B("5.M1000000P1")) >> 32 == 5,
       "what is no time is none");
}

static void test_key_read(void)
{
    struct record_key key = record_key_file(RIGHT, 7, 9);
    struct record_id id = record_key_read(RECORD_FILE, record_key_bytes(&key));

    ok(id.side == RIGHT && id.folder == 7 && id.uid == 9, "a file's key reads");
    key = record_key_apart(8, RIGHT, 10);
    id = record_key_read(RECORD_APART, record_key_bytes(&key));
    ok(id.side == RIGHT && id.folder == 8 && id.uid == 10,
       "the key of a message apart reads");
    key = record_key_pair(9, 11);
    id = record_key_read(RECORD_PAIR, record_key_bytes(&key));
    ok(id.folder == 9 && id.uid == 11, "a pair's key reads");
    id = record_key_read(RECORD_PAIR, B("ab"));
    ok(id.folder == 0 && id.uid == 0, "a short key says nothing");
}

static void test_tables(void)
{
    bool all = true;

    for (unsigned i = 0; i < RECORD_TABLES; i++) {
        enum record_table table = RECORD_TABLES;
        const char *name = record_key_table_name((enum record_table)i);

        all = all && record_key_table_find(bytes_of(name), &table) &&
              (unsigned)table == i;
    }
    ok(all, "all tables are found by their names");
    ok(!record_key_table_find(B("pairs2"), &(enum record_table){RECORD_META}),
       "another name is no table");
}

/* --- values ---------------------------------------------------------------- */

/* One row of each table with all fields in use, encoded. */
struct sample {
    enum record_table table;
    struct record_key key;
    struct buf value;
};

static const struct state_pair sample_pair = {
    .uid = {0x01020304,                       UINT32_MAX     },
    .flags = {.system = FLAG_SEEN | FLAG_DRAFT, .keywords = 300},
    .size = UINT64_MAX,
    .date = INT64_MAX,
    .gone = {false,                            true           },
};

static const struct state_apart sample_apart = {
    .folder = 3,
    .side = RIGHT,
    .uid = 4,
    .kind = APART_FOREIGN,
    .size = 5000000000,
    .limit = 1,
    .reason = "[LIMIT] too big \xc3\xa9",
};

static const struct state_intent sample_intent = {
    .number = 12,
    .folder = 3,
    .side = RIGHT,
    .source_uid = 77,
    .target_uidvalidity = UINT32_MAX,
    .target_uidnext = 78,
    .size = 12345678901,
    .date = -86400,
};

static struct state_folder sample_folder(void)
{
    static char name[] = "INBOX/\xc3\xa4";
    static char other_name[] = "INBOX/o";

    return (struct state_folder){
        .id = 5,
        .name = {name,                                            other_name},
        .follows = {false,                                           true      },
        .has_subscribed = true,
        .token = {{.object = UINT64_MAX,
                   .uidvalidity = 1,
                   .uidnext = UINT32_MAX,
                   .messages = 3,
                   .highestmodseq = UINT64_MAX},
                 {.uidvalidity = 9,
                   .cur_mtime_ns = -1,
                   .new_mtime_ns = INT64_MAX}                               },
        .has_token = {true,                                            true      },
        .exists = {false,                                           true      },
    };
}

static void make_sample(struct sample *sample, enum record_table table)
{
    struct state_folder folder = sample_folder();
    struct record_name name;
    struct bytes host;
    struct buf row;

    buf_init(&sample->value, 0);
    buf_init(&row, 0);
    sample->table = table;
    switch (table) {
    case RECORD_META:
    case RECORD_KEYWORD:
    case RECORD_HOST:
        sample->key = record_key_id(1);
        record_encode_text(&sample->value, record_key_bytes(&sample->key),
                           B("$Forwarded \0x"));
        break;
    case RECORD_FOLDER:
        sample->key = record_key_id(folder.id);
        record_encode_folder(&sample->value, record_key_bytes(&sample->key),
                             &folder);
        break;
    case RECORD_COUNTS:
        sample->key = record_key_id(5);
        record_encode_counts(&sample->value, record_key_bytes(&sample->key),
                             &(struct record_counts){
                                 .pairs = UINT32_MAX, .apart = {0, 1000}
        });
        break;
    case RECORD_PAIR:
        sample->key = record_key_pair(5, sample_pair.uid[LEFT]);
        record_encode_pair(&sample->value, &sample_pair);
        break;
    case RECORD_RIGHT:
        sample->key = record_key_pair(5, 6);
        record_encode_right(&sample->value, 0x80000000u);
        break;
    case RECORD_FILE:
        sample->key = record_key_file(RIGHT, 5, 6);
        record_name_parse(B("1700000000.M1P2.host,S=3"), &name, &host);
        name.host = 1;
        record_name_encode(&sample->value, &name);
        break;
    case RECORD_LAST:
        sample->key = record_key_side(RIGHT, 5);
        record_encode_uid(&sample->value, record_key_bytes(&sample->key),
                          UINT32_MAX);
        break;
    case RECORD_NAME:
        sample->key = record_key_name(RIGHT, 5, B("x"));
        record_list_add(&sample->value, 1);
        record_list_add(&sample->value, UINT32_MAX);
        break;
    case RECORD_APART:
        sample->key = record_key_apart(sample_apart.folder, sample_apart.side,
                                       sample_apart.uid);
        record_encode_apart(&sample->value, record_key_bytes(&sample->key),
                            &sample_apart);
        break;
    case RECORD_INTENT:
        sample->key = record_key_intent(sample_intent.number);
        record_encode_intent(&sample->value, record_key_bytes(&sample->key),
                             &sample_intent);
        break;
    case RECORD_OLD_PAIR:
        sample->key = record_key_pair(5, sample_pair.uid[LEFT]);
        record_encode_pair(&row, &sample_pair);
        record_encode_text(&sample->value, record_key_bytes(&sample->key),
                           buf_peek(&row));
        break;
    case RECORD_OLD_RIGHT:
        sample->key = record_key_pair(5, 6);
        record_encode_uid(&sample->value, record_key_bytes(&sample->key), 7);
        break;
    case RECORD_OLD_FILE:
    case RECORD_OLD_NAME:
        sample->key = record_key_file(RIGHT, 5, 6);
        record_encode_text(&sample->value, record_key_bytes(&sample->key),
                           B("1700000000.M1P2.host"));
        break;
    case RECORD_TABLES:
        break;
    }
    buf_deinit(&row);
}

static bool sample_valid(const struct sample *sample, struct bytes value)
{
    return record_valid(sample->table, record_key_bytes(&sample->key), value);
}

/* No prefix, no longer text, no flipped bit of a value or key decodes: not of a
 * row that is an entry by itself. Of those in blocks, the blocks are checked. */
static void test_damage(enum record_table table)
{
    const char *name = record_key_table_name(table);
    struct sample sample;
    struct bytes value;
    struct sample moved;
    char *copy;
    bool refused = true;

    make_sample(&sample, table);
    value = buf_peek(&sample.value);
    ok(sample_valid(&sample, value), "%s: a row is valid", name);
    if (record_key_prefix(table) > 0) {
        buf_deinit(&sample.value);
        return;
    }
    copy = mem_new(value.len + 1, 1);
    for (size_t n = 0; n < value.len; n++) {
        /* On the heap, so that a sanitizer sees every byte too far. */
        char *prefix = mem_new(n + 1, 1);

        memcpy(prefix, value.ptr, n);
        refused = refused && !sample_valid(&sample, (struct bytes){prefix, n});
        free(prefix);
    }
    memcpy(copy, value.ptr, value.len);
    refused =
        refused && !sample_valid(&sample, (struct bytes){copy, value.len + 1});
    ok(refused, "%s: no other length is", name);
    refused = true;
    for (size_t bit = 0; bit < value.len * 8; bit++) {
        memcpy(copy, value.ptr, value.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        refused =
            refused && !sample_valid(&sample, (struct bytes){copy, value.len});
    }
    ok(refused, "%s: no flipped bit of the value is", name);
    refused = true;
    for (size_t bit = 0; bit < sample.key.len * 8; bit++) {
        moved = sample;
        moved.key.text[bit / 8] =
            (char)(moved.key.text[bit / 8] ^ 1 << bit % 8);
        refused = refused && !sample_valid(&moved, value);
    }
    ok(refused, "%s: no flipped bit of the key is", name);
    free(copy);
    buf_deinit(&sample.value);
}

static void test_pair(void)
{
    struct record_key key = record_key_pair(1, sample_pair.uid[LEFT]);
    struct state_pair pair = {
        .uid = {1, 2},
          .size = 100
    };
    struct state_pair got;
    struct buf value;

    buf_init(&value, 0);
    record_encode_pair(&value, &sample_pair);
    ok(record_decode_pair(record_key_bytes(&key), buf_peek(&value), &got),
       "a pair decodes");
    ok(got.uid[LEFT] == sample_pair.uid[LEFT] &&
           got.uid[RIGHT] == sample_pair.uid[RIGHT],
       "... with its UIDs");
    ok(flags_equal(got.flags, sample_pair.flags) &&
           got.size == sample_pair.size && got.date == sample_pair.date &&
           !got.gone[LEFT] && got.gone[RIGHT],
       "... and all else");
    buf_clear(&value);
    key = record_key_pair(1, 1);
    record_encode_pair(&value, &pair);
    ok(buf_len(&value) == 4, "a small pair takes 4 bytes");
    ok(record_decode_pair(record_key_bytes(&key), buf_peek(&value), &got) &&
           got.date == 0,
       "without a date it has none");
    buf_clear(&value);
    pair.uid[RIGHT] = 0;
    record_encode_pair(&value, &pair);
    ok(!record_decode_pair(record_key_bytes(&key), buf_peek(&value), &got),
       "a pair without a right UID is none");
    buf_deinit(&value);
}

static void free_names(struct state_folder *folder)
{
    free(folder->name[LEFT]);
    free(folder->name[RIGHT]);
}

/* "A" on both sides, with a left token, as version 1 wrote it: "version, bits,
 * name, token, checksum". */
static void test_old_folder(void)
{
    static const char body[] = "\x01\x0d\x01"
                               "A\x07\x09\x02\x05"
                               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct record_key key = record_key_id(5);
    struct state_folder got = {0};
    struct buf value;
    uLong sum;

    buf_init(&value, 0);
    buf_add(&value, (struct bytes){body, sizeof(body) - 1});
    sum = crc32(0, (const Bytef *)key.text, (uInt)key.len);
    sum = crc32(sum, (const Bytef *)body, sizeof(body) - 1);
    sum ^= sum >> 16;
    buf_add_char(&value, (char)(sum >> 8));
    buf_add_char(&value, (char)sum);
    ok(record_decode_folder(record_key_bytes(&key), buf_peek(&value), &got),
       "a folder of the older layout decodes");
    ok(strcmp(got.name[LEFT], "A") == 0, "... its name is that on the left");
    ok(strcmp(got.name[RIGHT], "A") == 0, "... and on the right");
    ok(got.has_token[LEFT] && !got.has_token[RIGHT] && got.exists[LEFT] &&
           got.exists[RIGHT] && got.token[LEFT].uidvalidity == 7 &&
           got.token[LEFT].highestmodseq == 5 && got.token[LEFT].object == 0,
       "... with its token");
    free_names(&got);
    buf_deinit(&value);
}

static void test_folder(void)
{
    struct state_folder folder = sample_folder();
    struct record_key key = record_key_id(folder.id);
    struct state_folder got = {0};
    struct buf value;

    buf_init(&value, 0);
    record_encode_folder(&value, record_key_bytes(&key), &folder);
    ok(record_decode_folder(record_key_bytes(&key), buf_peek(&value), &got) &&
           got.id == 5 && strcmp(got.name[LEFT], folder.name[LEFT]) == 0 &&
           strcmp(got.name[RIGHT], folder.name[RIGHT]) == 0 &&
           !got.follows[LEFT] && got.follows[RIGHT] && got.has_subscribed &&
           !got.subscribed,
       "a folder decodes");
    ok(folder_token_equal(&got.token[LEFT], &folder.token[LEFT]) &&
           folder_token_equal(&got.token[RIGHT], &folder.token[RIGHT]) &&
           got.has_token[LEFT] && got.has_token[RIGHT] && !got.exists[LEFT] &&
           got.exists[RIGHT],
       "... with both tokens");
    ok(got.token[LEFT].object == UINT64_MAX, "... which know the folder");
    free_names(&got);
    buf_clear(&value);
    folder.has_token[LEFT] = false;
    record_encode_folder(&value, record_key_bytes(&key), &folder);
    ok(record_decode_folder(record_key_bytes(&key), buf_peek(&value), &got) &&
           !got.has_token[LEFT] && got.token[LEFT].uidvalidity == 1,
       "one that is not settled still tells which folder it is");
    free_names(&got);
    buf_clear(&value);
    folder.token[LEFT].uidvalidity = 0;
    record_encode_folder(&value, record_key_bytes(&key), &folder);
    ok(record_decode_folder(record_key_bytes(&key), buf_peek(&value), &got) &&
           !got.has_token[LEFT] && got.token[LEFT].uidvalidity == 0 &&
           got.token[RIGHT].uidvalidity == 9,
       "one token is left out");
    free_names(&got);
    buf_deinit(&value);
}

static void test_others(void)
{
    struct sample sample;
    struct state_apart apart;
    struct state_intent intent;
    struct record_counts counts;
    struct bytes text;
    uint32_t uid;

    make_sample(&sample, RECORD_APART);
    ok(record_decode_apart(record_key_bytes(&sample.key),
                           buf_peek(&sample.value), &apart) &&
           apart.folder == 3 && apart.side == RIGHT && apart.uid == 4 &&
           apart.kind == APART_FOREIGN && apart.size == sample_apart.size &&
           apart.limit == 1 && strcmp(apart.reason, sample_apart.reason) == 0,
       "a message apart decodes");
    buf_deinit(&sample.value);
    make_sample(&sample, RECORD_INTENT);
    ok(record_decode_intent(record_key_bytes(&sample.key),
                            buf_peek(&sample.value), &intent) &&
           intent.number == 12 && intent.folder == 3 && intent.side == RIGHT &&
           intent.source_uid == 77 && intent.target_uidvalidity == UINT32_MAX &&
           intent.target_uidnext == 78 && intent.size == 12345678901 &&
           intent.date == -86400,
       "an intent decodes");
    buf_deinit(&sample.value);
    make_sample(&sample, RECORD_COUNTS);
    ok(record_decode_counts(record_key_bytes(&sample.key),
                            buf_peek(&sample.value), &counts) &&
           counts.pairs == UINT32_MAX && counts.apart[RIGHT] == 1000 &&
           counts.gone[LEFT] == 0,
       "counts decode");
    buf_deinit(&sample.value);
    make_sample(&sample, RECORD_NAME);
    text = buf_peek(&sample.value);
    ok(record_list_valid(text) && record_list_next(&text, &uid) && uid == 1 &&
           record_list_next(&text, &uid) && uid == UINT32_MAX &&
           !record_list_next(&text, &uid),
       "a list of UIDs decodes");
    ok(!record_list_valid(B("")) && !record_list_valid(B("\0")) &&
           !record_list_valid(B("\1\x80")),
       "no UIDs, none of zero, none cut short");
    buf_deinit(&sample.value);
    make_sample(&sample, RECORD_META);
    ok(record_decode_text(record_key_bytes(&sample.key),
                          buf_peek(&sample.value), &text) &&
           bytes_equal(text, B("$Forwarded \0x")),
       "a text decodes, NUL and all");
    buf_deinit(&sample.value);
}

static void test_reason(void)
{
    struct state_apart apart = {.folder = 1, .uid = 1};
    struct record_key key = record_key_apart(1, LEFT, 1);
    struct state_apart got;
    struct buf value;

    buf_init(&value, 0);
    memset(apart.reason, 'x', sizeof(apart.reason));
    record_encode_apart(&value, record_key_bytes(&key), &apart);
    ok(record_decode_apart(record_key_bytes(&key), buf_peek(&value), &got) &&
           strlen(got.reason) == sizeof(got.reason) - 1,
       "a reason without an end is cut");
    buf_deinit(&value);
}

int main(void)
{
    test_keys();
    test_order();
    test_key_read();
    test_tables();
    test_pair();
    test_folder();
    test_old_folder();
    test_others();
    test_reason();
    for (unsigned table = 0; table < RECORD_TABLES; table++)
        test_damage((enum record_table)table);
    return done_testing();
}
