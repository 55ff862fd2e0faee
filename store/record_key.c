#include "store/record_key.h"

static const char *const table_names[RECORD_TABLES] = {
    [RECORD_META] = "meta",     [RECORD_FOLDER] = "folder",
    [RECORD_COUNTS] = "counts", [RECORD_PAIR] = "pairs",
    [RECORD_RIGHT] = "rights",  [RECORD_KEYWORD] = "keyword",
    [RECORD_HOST] = "host",     [RECORD_FILE] = "files",
    [RECORD_LAST] = "last",     [RECORD_NAME] = "names",
    [RECORD_APART] = "apart",   [RECORD_INTENT] = "intent",
    [RECORD_OLD_PAIR] = "pair", [RECORD_OLD_RIGHT] = "right",
    [RECORD_OLD_FILE] = "file", [RECORD_OLD_NAME] = "name",
};

const char *record_key_table_name(enum record_table table)
{
    return table_names[table];
}

bool record_key_table_find(struct bytes name, enum record_table *out)
{
    for (size_t i = 0; i < RECORD_TABLES; i++) {
        if (bytes_equal(name, bytes_of(table_names[i]))) {
            *out = (enum record_table)i;
            return true;
        }
    }
    return false;
}

size_t record_key_prefix(enum record_table table)
{
    if (table == RECORD_PAIR || table == RECORD_RIGHT)
        return 4;
    return table == RECORD_FILE || table == RECORD_NAME ? 5 : 0;
}

size_t record_key_number_bytes(enum record_table table)
{
    if (record_key_prefix(table) == 0)
        return 0;
    return table == RECORD_NAME ? 8 : 4;
}

bool record_key_is_old(enum record_table table)
{
    return table >= RECORD_OLD_PAIR && table <= RECORD_OLD_NAME;
}

static void key_add(struct record_key *key, uint64_t number, size_t n)
{
    record_key_store(key->text + key->len, number, n);
    key->len += n;
}

struct record_key record_key_id(uint32_t id)
{
    struct record_key key = {0};

    key_add(&key, id, 4);
    return key;
}

struct record_key record_key_pair(uint32_t folder, uint32_t uid)
{
    struct record_key key = record_key_id(folder);

    key_add(&key, uid, 4);
    return key;
}

struct record_key record_key_apart(uint32_t folder, enum side side,
                                   uint32_t uid)
{
    struct record_key key = record_key_id(folder);

    key_add(&key, side, 1);
    key_add(&key, uid, 4);
    return key;
}

struct record_key record_key_side(enum side side, uint32_t folder)
{
    struct record_key key = {0};

    key_add(&key, side, 1);
    key_add(&key, folder, 4);
    return key;
}

struct record_key record_key_file(enum side side, uint32_t folder, uint32_t uid)
{
    struct record_key key = record_key_side(side, folder);

    key_add(&key, uid, 4);
    return key;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(struct bytes name)
{
    uint64_t sum = 0xcbf29ce484222325u;

    for (size_t i = 0; i < name.len; i++) {
        sum ^= (uint8_t)name.ptr[i];
        sum *= 0x100000001b3u;
    }
    return sum;
}

/* Whoever makes two names collide only makes one list of two UIDs: the file
 * rows tell them apart. */
uint64_t record_key_order(struct bytes name)
{
    uint64_t sum = hash(name);
    uint64_t seconds;
    uint64_t micro;

    if (!bytes_take_u64(&name, UINT32_MAX, &seconds))
        return sum;
    if (bytes_starts_nocase(name, B(".M"))) {
        name = bytes_skip(name, 2);
        if (bytes_take_u64(&name, 999999, &micro))
            sum = micro * 65536 / 1000000 << 16 | (sum & 0xffff);
    }
    return seconds << 32 | (sum & UINT32_MAX);
}

struct record_key record_key_name(enum side side, uint32_t folder,
                                  struct bytes name)
{
    struct record_key key = record_key_side(side, folder);

    key_add(&key, record_key_order(name), 8);
    return key;
}

struct record_key record_key_intent(uint64_t number)
{
    struct record_key key = {0};

    key_add(&key, number, 8);
    return key;
}

/* Four bytes of @key at @at, 0 where it has not that many. */
static uint32_t key_u32(struct bytes key, size_t at)
{
    return key.len < at + 4 ? 0 : (uint32_t)record_key_load(key.ptr + at, 4);
}

struct record_id record_key_read(enum record_table table, struct bytes key)
{
    bool side_first = table == RECORD_FILE || table == RECORD_LAST ||
                      table == RECORD_OLD_FILE;
    size_t side_at = side_first ? 0 : 4;
    bool has_side = side_first || table == RECORD_APART;
    struct record_id id = {
        .folder = key_u32(key, side_first ? 1 : 0),
        .uid = key_u32(key, has_side ? 5 : 4),
    };

    if (has_side && key.len > side_at)
        id.side = key.ptr[side_at] == RIGHT ? RIGHT : LEFT;
    return id;
}
