#include "base/utf8.h"

size_t utf8_take(struct bytes text, uint32_t *code)
{
    /* The smallest value of each length: less is an overlong form. */
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text.ptr;
    uint32_t value;
    size_t len;

    if (text.len == 0)
        return 0;
    if (at[0] < 0x80) {
        *code = at[0];
        return 1;
    }
    if (at[0] < 0xC2 || at[0] > 0xF4)
        return 0;
    len = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (text.len < len)
        return 0;
    value = at[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3Fu);
    }
    if (value < least[len] || value > 0x10FFFF ||
        (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *code = value;
    return len;
}

size_t utf8_put(uint32_t code, char out[4])
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (len == 1) {
        out[0] = (char)code;
        return 1;
    }
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)((0xF00u >> len & 0xF0) | code);
    return len;
}

bool utf8_valid(struct bytes text)
{
    while (text.len > 0) {
        uint32_t code;
        size_t n = utf8_take(text, &code);

        if (n == 0)
            return false;
        text = bytes_skip(text, n);
    }
    return true;
}
