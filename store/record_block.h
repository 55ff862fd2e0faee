/*
 * Rows side by side in one entry of the database. An entry costs 10 bytes, its
 * key, a version and a checksum; that is more than most rows of a message have
 * to say. So those of the large tables lie in blocks: rows whose keys differ
 * only in a number at their end, in the order of that number. A pure codec.
 *
 * The key of a block is that of its first row. Its value:
 *
 *     version (1 byte)   rows   checksum (4 bytes)
 *
 * A row is what its number is above the one before (0 for the first) and the
 * length of its value, as varints, and its value. The checksum is the CRC-32 of
 * key and value: a block that was damaged or moved does not decode.
 */
#ifndef STORE_RECORD_BLOCK_H
#define STORE_RECORD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "store/record_key.h"

/* No block of several rows has more bytes: with the longest key, eight fill a
 * page of 4096. */
#define RECORD_BLOCK_BYTES 486u

/* A row has two bytes or more, the frame five; and one that is to come. */
#define RECORD_BLOCK_ROWS ((RECORD_BLOCK_BYTES - 5) / 2 + 1)

struct record_row {
    uint64_t number;
    struct bytes value; /* borrowed */
};

struct record_block {
    size_t n;
    struct record_row rows[RECORD_BLOCK_ROWS];
};

/* Take a block of @table apart; false where @key and @value are none. */
bool record_block_decode(enum record_table table, struct bytes key,
                         struct bytes value, struct record_block *out);

/* How many bytes record_block_encode() appends. */
size_t record_block_bytes(const struct record_row *rows, size_t n);

/* Append the value of a block with @n rows, one or more, under @key. */
void record_block_encode(struct buf *out, struct bytes key,
                         const struct record_row *rows, size_t n);

#endif
