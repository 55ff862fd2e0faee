/*
 * A byte queue: added at the end, read and taken from the front, with a hard
 * maximum so that no peer can make it grow without bound.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/bytes.h"

struct buf {
    char *ptr;
    size_t start; /* first byte that was not taken */
    size_t end;   /* behind the last byte */
    size_t cap;
    size_t max; /* bytes held at most; 0: no limit */
};

/* Start empty. @max  bytes held at most, or 0 for no limit. */
void buf_init(struct buf *buf, size_t max);

/* Free the memory and leave an empty queue with the same limit. */
void buf_deinit(struct buf *buf);

/* All that is queued; borrowed until the next call that takes @buf. */
struct bytes buf_peek(const struct buf *buf);

/* How many bytes are queued. */
size_t buf_len(const struct buf *buf);

/* Take @n bytes from the front; @n is at most buf_len(). */
void buf_ack(struct buf *buf, size_t n);

/* Drop the last @n bytes, which are at most buf_len(); they stay where they are
 * until something is queued. */
void buf_cut(struct buf *buf, size_t n);

/* Take everything; the memory is kept for the next use. */
void buf_clear(struct buf *buf);

/* Queue a copy of @text. Returns false, with nothing queued, where the
 * maximum would be passed. */
bool buf_add(struct buf *buf, struct bytes text);

/* Queue one byte. Returns as buf_add(). */
bool buf_add_char(struct buf *buf, char c);

/* printf to the end. Returns as buf_add(). */
bool buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for @n bytes at the end, to be written by the caller and then counted
 * by buf_commit(). Ignores the maximum. Borrowed until the next call. */
char *buf_reserve(struct buf *buf, size_t n);

/* Count @n bytes that were written to the place of buf_reserve(). */
void buf_commit(struct buf *buf, size_t n);

/* A NUL behind the content (not counted); the content as a C string,
 * borrowed until the next call that takes @buf. */
const char *buf_text(struct buf *buf);

#endif
