#include "base/bytes.h"

#include <string.h>

/* ASCII only, whatever the locale says. */
static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes bytes_of(const char *text)
{
    if (text == NULL)
        return B("");
    return (struct bytes){text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool bytes_starts_nocase(struct bytes text, struct bytes prefix)
{
    if (text.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++) {
        if (lower(text.ptr[i]) != lower(prefix.ptr[i]))
            return false;
    }
    return true;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    return a.len == b.len && bytes_starts_nocase(a, b);
}

bool bytes_has_nocase(struct bytes text, struct bytes part)
{
    for (; text.len >= part.len; text = bytes_skip(text, 1)) {
        if (bytes_starts_nocase(text, part))
            return true;
        if (text.len == 0)
            break;
    }
    return false;
}

struct bytes bytes_trim(struct bytes text)
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text = bytes_skip(text, 1);
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

bool bytes_to_u64(struct bytes text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';

        if (digit > 9)
            return false;
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool bytes_take_u64(struct bytes *text, uint64_t max, uint64_t *out)
{
    struct bytes digits = {text->ptr, 0};

    while (digits.len < text->len && text->ptr[digits.len] >= '0' &&
           text->ptr[digits.len] <= '9')
        digits.len++;
    if (!bytes_to_u64(digits, max, out))
        return false;
    *text = bytes_skip(*text, digits.len);
    return true;
}
