/* Numbers of few bytes if they are small: seven bits a byte, the lowest first;
 * all but the last byte have the top bit. */
#ifndef STORE_RECORD_VARINT_H
#define STORE_RECORD_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

#define RECORD_VARINT_BYTES_MAX 10u

static inline size_t record_varint_bytes(uint64_t number)
{
    size_t n = 1;

    while (number > 0x7f) {
        number >>= 7;
        n++;
    }
    return n;
}

static inline void record_varint_put(struct buf *out, uint64_t number)
{
    while (number > 0x7f) {
        buf_add_char(out, (char)((number & 0x7f) | 0x80));
        number >>= 7;
    }
    buf_add_char(out, (char)number);
}

/* Take one off the front of @rest; false where there is none, or one above
 * @max. */
static inline bool record_varint_take(struct bytes *rest, uint64_t max,
                                      uint64_t *out)
{
    uint64_t number = 0;

    for (size_t i = 0; i < rest->len && i < RECORD_VARINT_BYTES_MAX; i++) {
        uint64_t byte = (uint8_t)rest->ptr[i];

        number |= (byte & 0x7f) << 7 * i;
        if ((byte & 0x80) == 0) {
            *rest = bytes_skip(*rest, i + 1);
            *out = number;
            return number <= max;
        }
    }
    return false;
}

#endif
