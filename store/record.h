/*
 * The rows of the state as bytes (docs/store-format.md): a pure codec that
 * knows no database. A value is a version byte, its fields, and a checksum
 * over key and value: a row that was damaged, or moved to another key, does
 * not decode. The keys are record_key.h's.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "store/record_key.h"
#include "store/state.h"

/* Rows by folder that can be counted without a walk. */
struct record_counts {
    uint32_t pairs;
    uint32_t gone[SIDES];
    uint32_t apart[SIDES];
};

/*
 * Encode: append the value to @out; @key takes part in the checksum.
 *
 * Decode: false where @key and @value cannot be a row; what decodes is the
 * same when it was encoded again. What is a struct bytes in the result is
 * borrowed from @value; the name of a folder is fresh memory.
 */
void record_encode_text(struct buf *out, struct bytes key, struct bytes text);
bool record_decode_text(struct bytes key, struct bytes value,
                        struct bytes *out);

void record_encode_uid(struct buf *out, struct bytes key, uint32_t uid);
bool record_decode_uid(struct bytes key, struct bytes value, uint32_t *out);

void record_encode_folder(struct buf *out, struct bytes key,
                          const struct state_folder *folder);
bool record_decode_folder(struct bytes key, struct bytes value,
                          struct state_folder *out);

void record_encode_counts(struct buf *out, struct bytes key,
                          const struct record_counts *counts);
bool record_decode_counts(struct bytes key, struct bytes value,
                          struct record_counts *out);

void record_encode_apart(struct buf *out, struct bytes key,
                         const struct state_apart *apart);
bool record_decode_apart(struct bytes key, struct bytes value,
                         struct state_apart *out);

void record_encode_intent(struct buf *out, struct bytes key,
                          const struct state_intent *intent);
bool record_decode_intent(struct bytes key, struct bytes value,
                          struct state_intent *out);

/* Rows in blocks (record_block.h), which have the version and the checksum. The
 * base name of a file is record_name.h's. */
void record_encode_pair(struct buf *out, const struct state_pair *pair);
bool record_decode_pair(struct bytes key, struct bytes value,
                        struct state_pair *out);

void record_encode_right(struct buf *out, uint32_t uid);
bool record_decode_right(struct bytes value, uint32_t *out);

/* UIDs with one name: one more at the end, and one off the front; false where
 * there is none. */
void record_list_add(struct buf *list, uint32_t uid);
bool record_list_next(struct bytes *list, uint32_t *uid);
bool record_list_valid(struct bytes list);

/* Does a row of @table decode? */
bool record_valid(enum record_table table, struct bytes key,
                  struct bytes value);

#endif
