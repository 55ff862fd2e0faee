/*
 * Borrowed, counted strings. They may hold any byte, NUL included, and are
 * never terminated: whoever needs a C string copies (mem.h).
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const char *ptr;
    size_t len;
};

/* A string literal as bytes: B("OK"). Embedded NULs survive. */
#define B(lit) ((struct bytes){"" lit, sizeof(lit) - 1})

/* The same in the initializer of a static table, where C11 allows no compound
 * literal. */
#define B_INIT(lit)             \
    {                           \
        "" lit, sizeof(lit) - 1 \
    }

/* The bytes of a C string, without its NUL; NULL gives no bytes. */
struct bytes bytes_of(const char *text);

/* Byte for byte the same? */
bool bytes_equal(struct bytes a, struct bytes b);

/* The same but for the case of ASCII letters? */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

/* Does @text begin with @prefix, the case of ASCII letters apart? */
bool bytes_starts_nocase(struct bytes text, struct bytes prefix);

/* Does @text hold @part, the case of ASCII letters apart? */
bool bytes_has_nocase(struct bytes text, struct bytes part);

/* @text without its first @n bytes; all of it at most. */
static inline struct bytes bytes_skip(struct bytes text, size_t n)
{
    if (n > text.len)
        n = text.len;
    /* NULL has no bytes, and nothing may be added to it. */
    if (n > 0)
        text.ptr += n;
    text.len -= n;
    return text;
}

/* @text without blanks, tabs, CR and LF at both ends. */
struct bytes bytes_trim(struct bytes text);

/**
 * Read a decimal number: digits only, at least one, no sign, no blank.
 *
 * @max  the largest value that is believed
 * @out  set only on success
 *
 * Returns false where @text is anything else or is larger than @max.
 */
bool bytes_to_u64(struct bytes text, uint64_t max, uint64_t *out);

/* The same of the digits at the front of @text, which are taken off it. Where it
 * returns false, @text is as it was. */
bool bytes_take_u64(struct bytes *text, uint64_t max, uint64_t *out);

#endif
