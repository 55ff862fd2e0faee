#include "imap/mutf7.h"

#include <string.h>

#include "base/utf8.h"

/* Base64 with "," for "/". RFC 3501 section 5.1.3 */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Bits on their way between groups of six and of sixteen. */
struct bits {
    uint32_t value;
    unsigned n; /* below 22 */
};

/* "Printable US-ASCII characters represent themselves." */
static bool is_direct(uint32_t code)
{
    return code >= 0x20 && code <= 0x7e;
}

static void put_unit(struct bits *bits, uint32_t unit, struct buf *out)
{
    bits->value = bits->value << 16 | unit;
    bits->n += 16;
    while (bits->n >= 6) {
        bits->n -= 6;
        (void)buf_add_char(out, alphabet[bits->value >> bits->n & 63]);
    }
}

static void put_code(struct bits *bits, uint32_t code, struct buf *out)
{
    if (code >= 0x10000) {
        code -= 0x10000;
        put_unit(bits, 0xd800 | code >> 10, out);
        put_unit(bits, 0xdc00 | (code & 0x3ff), out);
    } else {
        put_unit(bits, code, out);
    }
}

/* Back to US-ASCII: the rest of the bits, padded with zeros, and "-". */
static void end_shift(struct bits *bits, struct buf *out)
{
    if (bits->n > 0)
        (void)buf_add_char(out, alphabet[bits->value << (6 - bits->n) & 63]);
    (void)buf_add_char(out, '-');
    *bits = (struct bits){0, 0};
}

/* One code point that stands for itself, "&" as "&-". */
static void put_direct(uint32_t code, struct buf *out)
{
    (void)buf_add_char(out, (char)code);
    if (code == '&')
        (void)buf_add_char(out, '-');
}

static void encode(struct bytes text, struct buf *out)
{
    struct bits bits = {0, 0};
    bool shifted = false;
    uint32_t code;
    size_t n;

    while ((n = utf8_take(text, &code)) > 0) {
        text = bytes_skip(text, n);
        if (is_direct(code)) {
            if (shifted)
                end_shift(&bits, out);
            put_direct(code, out);
        } else {
            if (!shifted)
                (void)buf_add_char(out, '&');
            put_code(&bits, code, out);
        }
        shifted = !is_direct(code);
    }
    if (shifted)
        end_shift(&bits, out);
}

bool mutf7_encode(struct bytes text, struct buf *out)
{
    if (!utf8_valid(text))
        return false;
    encode(text, out);
    return true;
}

static void put_utf8(uint32_t code, struct buf *out)
{
    char text[4];

    (void)buf_add(out, (struct bytes){text, utf8_put(code, text)});
}

/* One 16-bit unit; @high keeps the first half of a surrogate pair. */
static bool decode_unit(uint32_t unit, uint32_t *high, struct buf *out)
{
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

    if ((*high != 0) != is_low)
        return false;
    if (is_low) {
        put_utf8(0x10000 + ((*high & 0x3ff) << 10 | (unit & 0x3ff)), out);
        *high = 0;
    } else if (unit >= 0xd800 && unit <= 0xdbff) {
        *high = unit;
    } else {
        put_utf8(unit, out);
    }
    return true;
}

/* What stands between "&" and "-". */
static bool decode_shifted(struct bytes text, struct buf *out)
{
    struct bits bits = {0, 0};
    uint32_t high = 0;
    size_t i;

    for (i = 0; i < text.len; i++) {
        const char *digit = memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1);

        if (digit == NULL)
            return false;
        bits.value = bits.value << 6 | (uint32_t)(digit - alphabet);
        bits.n += 6;
        if (bits.n >= 16) {
            bits.n -= 16;
            if (!decode_unit(bits.value >> bits.n & 0xffff, &high, out))
                return false;
        }
    }
    return high == 0;
}

static bool decode(struct bytes text, struct buf *out)
{
    while (text.len > 0) {
        char c = text.ptr[0];
        const char *end;

        text = bytes_skip(text, 1);
        if (c != '&') {
            if (!is_direct((unsigned char)c))
                return false;
            (void)buf_add_char(out, c);
            continue;
        }
        end = text.len > 0 ? memchr(text.ptr, '-', text.len) : NULL;
        if (end == NULL)
            return false;
        if (end == text.ptr) {
            (void)buf_add_char(out, '&');
        } else if (!decode_shifted(
                       (struct bytes){text.ptr, (size_t)(end - text.ptr)},
                       out)) {
            return false;
        }
        text = bytes_skip(text, (size_t)(end - text.ptr) + 1);
    }
    return true;
}

bool mutf7_decode(struct bytes text, struct buf *out)
{
    struct buf utf8;
    struct buf again;
    bool good;

    buf_init(&utf8, 0);
    buf_init(&again, 0);
    /* There is exactly one canonical form: the one that encode() gives. That
     * catches superfluous shifts, US-ASCII in base64, and bits left over. */
    good = decode(text, &utf8) && mutf7_encode(buf_peek(&utf8), &again) &&
           bytes_equal(buf_peek(&again), text) && buf_add(out, buf_peek(&utf8));
    buf_deinit(&utf8);
    buf_deinit(&again);
    return good;
}
