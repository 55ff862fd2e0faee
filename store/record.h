/*
 * The rows of the state as bytes (docs/store-format.md): a pure codec that
 * knows no database. Keys are big-endian, so that their order is the order of
 * the numbers in them. A value is a version byte, its fields, and a checksum
 * over key and value: a row that was damaged, or moved to another key, does
 * not decode.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/endpoint.h"
#include "store/state.h"

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
const char *record_table_name(enum record_table table);

/* The table called @name into *@out; false where there is none. */
bool record_table_find(struct bytes name, enum record_table *out);

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

/* By a hash of @name: two names may have one key. */
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

/* Rows by folder that can be counted without a walk. */
struct record_counts {
    uint32_t pairs;
    uint32_t gone[SIDES];
    uint32_t apart[SIDES];
};

/*
 * Encode: append the value to @out; @key takes part in the checksum.
 *
 * Decode: false where @key and @value are not exactly what encode makes. What
 * is a struct bytes in the result is borrowed from @value; the name of a
 * folder is fresh memory.
 */
void record_encode_text(struct buf *out, struct bytes key, struct bytes text);
bool record_decode_text(struct bytes key, struct bytes value,
                        struct bytes *out);

void record_encode_uid(struct buf *out, struct bytes key, uint32_t uid);
bool record_decode_uid(struct bytes key, struct bytes value, uint32_t *out);

/* @list is of 4 bytes a UID, see record_list_get(). */
void record_encode_list(struct buf *out, struct bytes key, struct bytes list);
bool record_decode_list(struct bytes key, struct bytes value,
                        struct bytes *out);

void record_encode_folder(struct buf *out, struct bytes key,
                          const struct state_folder *folder);
bool record_decode_folder(struct bytes key, struct bytes value,
                          struct state_folder *out);

void record_encode_counts(struct buf *out, struct bytes key,
                          const struct record_counts *counts);
bool record_decode_counts(struct bytes key, struct bytes value,
                          struct record_counts *out);

void record_encode_pair(struct buf *out, struct bytes key,
                        const struct state_pair *pair);
bool record_decode_pair(struct bytes key, struct bytes value,
                        struct state_pair *out);

void record_encode_apart(struct buf *out, struct bytes key,
                         const struct state_apart *apart);
bool record_decode_apart(struct bytes key, struct bytes value,
                         struct state_apart *out);

void record_encode_intent(struct buf *out, struct bytes key,
                          const struct state_intent *intent);
bool record_decode_intent(struct bytes key, struct bytes value,
                          struct state_intent *out);

/* How many UIDs are in a list, one of them, and one more at its end. */
size_t record_list_count(struct bytes list);
uint32_t record_list_get(struct bytes list, size_t index);
void record_list_add(struct buf *list, uint32_t uid);

/* Does a row of @table decode? */
bool record_valid(enum record_table table, struct bytes key,
                  struct bytes value);

#endif
