#include "store/record_block.h"

#include <zlib.h>

#include "store/record_varint.h"

#define VERSION        1
#define VERSION_BYTES  1
#define CHECKSUM_BYTES 4

static uint32_t checksum(struct bytes key, struct bytes value)
{
    uLong sum = crc32(0, (const Bytef *)key.ptr, (uInt)key.len);

    return (uint32_t)crc32(sum, (const Bytef *)value.ptr, (uInt)value.len);
}

/* The rows without their frame; false where it is not sound. */
static bool unframe(struct bytes key, struct bytes value, struct bytes *rows)
{
    struct bytes body = value;

    if (value.len < VERSION_BYTES + CHECKSUM_BYTES || value.len > UINT32_MAX)
        return false;
    body.len -= CHECKSUM_BYTES;
    *rows = bytes_skip(body, VERSION_BYTES);
    return body.ptr[0] == VERSION &&
           record_key_load(body.ptr + body.len, CHECKSUM_BYTES) ==
               checksum(key, body);
}

/* Read the row that follows one with the number *@number. */
static bool take_row(struct bytes *rest, bool first, uint64_t max,
                     uint64_t *number, struct record_row *row)
{
    uint64_t above;
    uint64_t len;

    if (!record_varint_take(rest, max - *number, &above) ||
        (above == 0) != first || !record_varint_take(rest, rest->len, &len) ||
        len > rest->len)
        return false;
    *number += above;
    *row = (struct record_row){
        *number, {rest->ptr, (size_t)len}
    };
    *rest = bytes_skip(*rest, (size_t)len);
    return true;
}

bool record_block_decode(enum record_table table, struct bytes key,
                         struct bytes value, struct record_block *out)
{
    size_t prefix = record_key_prefix(table);
    size_t n_bytes = record_key_number_bytes(table);
    uint64_t max = n_bytes < 8 ? ((uint64_t)1 << 8 * n_bytes) - 1 : UINT64_MAX;
    struct bytes rest;
    uint64_t number;

    out->n = 0;
    if (prefix == 0 || key.len != prefix + n_bytes ||
        !unframe(key, value, &rest))
        return false;
    number = record_key_load(key.ptr + prefix, n_bytes);
    while (rest.len > 0) {
        if (out->n == RECORD_BLOCK_ROWS ||
            !take_row(&rest, out->n == 0, max, &number, &out->rows[out->n]))
            return false;
        out->n++;
    }
    return out->n == 1 || (out->n > 1 && value.len <= RECORD_BLOCK_BYTES);
}

size_t record_block_bytes(const struct record_row *rows, size_t n)
{
    size_t bytes = VERSION_BYTES + CHECKSUM_BYTES;

    for (size_t i = 0; i < n; i++) {
        uint64_t above = i == 0 ? 0 : rows[i].number - rows[i - 1].number;

        bytes += record_varint_bytes(above) +
                 record_varint_bytes(rows[i].value.len) + rows[i].value.len;
    }
    return bytes;
}

void record_block_encode(struct buf *out, struct bytes key,
                         const struct record_row *rows, size_t n)
{
    size_t at = buf_len(out);

    buf_add_char(out, VERSION);
    for (size_t i = 0; i < n; i++) {
        record_varint_put(out,
                          i == 0 ? 0 : rows[i].number - rows[i - 1].number);
        record_varint_put(out, rows[i].value.len);
        buf_add(out, rows[i].value);
    }
    record_key_store(buf_reserve(out, CHECKSUM_BYTES),
                     checksum(key, bytes_skip(buf_peek(out), at)),
                     CHECKSUM_BYTES);
    buf_commit(out, CHECKSUM_BYTES);
}
