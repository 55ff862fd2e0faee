#include "base/siphash.h"

#include <stddef.h>

/* Little-endian, which compilers know for one load. */
static inline uint64_t load(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
           (uint64_t)at[3] << 24 | (uint64_t)at[4] << 32 |
           (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

static inline uint64_t rotate(uint64_t number, unsigned bits)
{
    return number << bits | number >> (64 - bits);
}

static inline void rounds(uint64_t v[4], unsigned n)
{
    for (; n > 0; n--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static inline void take(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], struct bytes text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    uint64_t low = load(key);
    uint64_t high = load(key + 8);
    uint64_t v[4] = {low ^ UINT64_C(0x736f6d6570736575),
                     high ^ UINT64_C(0x646f72616e646f6d),
                     low ^ UINT64_C(0x6c7967656e657261),
                     high ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)text.len << 56;
    size_t left = text.len;

    for (; left >= 8; left -= 8, at += 8)
        take(v, load(at));
    while (left > 0) {
        left--;
        last |= (uint64_t)at[left] << 8 * left;
    }
    take(v, last);
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
