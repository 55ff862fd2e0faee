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
    RECORD_FILE,     /* side, folder, UID             base name */
    RECORD_LAST,     /* side, folder                  highest UID ever given */
    RECORD_NAME,     /* side, folder, hash of a name  UIDs with such a name */
    RECORD_APART,    /* folder, side, UID             struct state_apart */
    RECORD_INTENT,   /* number                        struct state_intent */
    RECORD_TABLES
};

/* clang-format on */

/* The name of @table in the database. */
const char *record_key_table_name(enum record_table table);

/* The table called @name into *@out; false where there is none. */
bool record_key_table_find(struct bytes name, enum record_table *out);

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

/* The hash of a name, and the key by it: two names may have one. */
uint64_t record_key_hash(struct bytes name);
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
uint64_t record_key_load(const char *text, size_t n);
void record_key_store(char *text, uint64_t number, size_t n);

#endif
