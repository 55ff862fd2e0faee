/*
 * The tables of the state and the keys of their rows. Numbers are big-endian,
 * so that the order of keys is the order of the numbers in them.
 */
#ifndef STORE_RECORD_KEY_H
#define STORE_RECORD_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/endpoint.h"

/* clang-format off */
enum record_table {  /* key                           value */
    RECORD_META,     /* name                          text */
    RECORD_FOLDER,   /* folder                        struct state_folder */
    RECORD_COUNTS,   /* folder                        struct record_counts */
    RECORD_PAIR,     /* folder, left UID              struct state_pair */
    RECORD_RIGHT,    /* folder, right UID             left UID */
    RECORD_KEYWORD,  /* number of the set             text of the set */
    RECORD_HOST,     /* number                        host in names of files */
    RECORD_FILE,     /* side, folder, UID             base name, packed */
    RECORD_LAST,     /* side, folder                  highest UID ever given */
    RECORD_NAME,     /* side, folder, order of a name UIDs with such a name */
    RECORD_APART,    /* folder, side, UID             struct state_apart */
    RECORD_INTENT,   /* number                        struct state_intent */
    /* Of an older layout, only read: rows one by one, by a hash of the name. */
    RECORD_OLD_PAIR,
    RECORD_OLD_RIGHT,
    RECORD_OLD_FILE,
    RECORD_OLD_NAME,
    RECORD_TABLES
};

/* clang-format on */

/* The name of @table in the database. */
const char *record_key_table_name(enum record_table table);

/* The table called @name into *@out; false where there is none. */
bool record_key_table_find(struct bytes name, enum record_table *out);

/* Rows that lie in blocks (record_block.h) have keys of a prefix, which all rows
 * of a block share, and a number: the bytes of both; 0 for other tables. */
size_t record_key_prefix(enum record_table table);
size_t record_key_number_bytes(enum record_table table);

/* Is it a table of an older layout? */
bool record_key_is_old(enum record_table table);

/* A key made of numbers. */
struct record_key {
    size_t len;
    char text[16];
};

/* @key as bytes, borrowed. */
static inline struct bytes record_key_bytes(const struct record_key *key)
{
    return (struct bytes){key->text, key->len};
}

/* One number: a folder or a keyword set. The first as a prefix of pair, right
 * and apart too. */
struct record_key record_key_id(uint32_t id);

/* Of pair (@uid is of the left side) and right (of the right one). */
struct record_key record_key_pair(uint32_t folder, uint32_t uid);

struct record_key record_key_apart(uint32_t folder, enum side side,
                                   uint32_t uid);

/* Of last; a prefix of file and name. */
struct record_key record_key_side(enum side side, uint32_t folder);

struct record_key record_key_file(enum side side, uint32_t folder,
                                  uint32_t uid);

/* A number for a name, and the key by it: two names may have one. Names that
 * begin with the time, as most do, have it in its upper half: what is delivered
 * together is side by side on disk. */
uint64_t record_key_order(struct bytes name);
struct record_key record_key_name(enum side side, uint32_t folder,
                                  struct bytes name);

struct record_key record_key_intent(uint64_t number);

/* What a key says; 0 where it does not say it. */
struct record_id {
    enum side side;
    uint32_t folder;
    uint32_t uid;
};

/* Read a key of pair, right, file, apart, last, folder or counts. */
struct record_id record_key_read(enum record_table table, struct bytes key);

/* @n bytes at @text as a big-endian number, and the other way round. */
static inline uint64_t record_key_load(const char *text, size_t n)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n; i++)
        number = number << 8 | (uint8_t)text[i];
    return number;
}

static inline void record_key_store(char *text, uint64_t number, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        text[i - 1] = (char)(number & 0xff);
        number >>= 8;
    }
}

#endif
