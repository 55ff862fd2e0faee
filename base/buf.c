#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAP_MIN    256 /* bytes of the first allocation */
#define PRINTF_MIN 128 /* room that spares most texts a second printf */

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_deinit(struct buf *buf)
{
    free(buf->ptr);
    buf_init(buf, buf->max);
}

struct bytes buf_peek(const struct buf *buf)
{
    if (buf->start == buf->end)
        return B("");
    return (struct bytes){buf->ptr + buf->start, buf->end - buf->start};
}

size_t buf_len(const struct buf *buf)
{
    return buf->end - buf->start;
}

void buf_ack(struct buf *buf, size_t n)
{
    buf->start += n;
    if (buf->start == buf->end)
        buf_clear(buf);
}

void buf_cut(struct buf *buf, size_t n)
{
    buf->end -= n;
}

void buf_clear(struct buf *buf)
{
    buf->start = buf->end = 0;
}

/* Is there room for @n more below the maximum? */
static bool may_add(const struct buf *buf, size_t n)
{
    size_t len = buf_len(buf);

    return buf->max == 0 || (len <= buf->max && n <= buf->max - len);
}

static void compact(struct buf *buf)
{
    size_t len = buf_len(buf);

    memmove(buf->ptr, buf->ptr + buf->start, len);
    buf->start = 0;
    buf->end = len;
}

static void grow(struct buf *buf, size_t n)
{
    size_t need = n <= SIZE_MAX - buf->end ? buf->end + n : SIZE_MAX;
    size_t cap = buf->cap < CAP_MIN ? CAP_MIN : buf->cap;

    while (cap < need)
        cap = cap <= SIZE_MAX / 2 ? cap * 2 : SIZE_MAX;
    buf->ptr = mem_resize(buf->ptr, cap, 1);
    buf->cap = cap;
}

char *buf_reserve(struct buf *buf, size_t n)
{
    if (buf->ptr != NULL && buf->cap - buf->end >= n)
        return buf->ptr + buf->end;
    /* Moving costs no more than the bytes already taken, so that a queue that
     * stays nearly full is not moved for every byte. */
    if (buf->ptr != NULL && buf->start >= buf_len(buf))
        compact(buf);
    if (buf->ptr == NULL || buf->cap - buf->end < n)
        grow(buf, n);
    return buf->ptr + buf->end;
}

void buf_commit(struct buf *buf, size_t n)
{
    buf->end += n;
}

bool buf_add(struct buf *buf, struct bytes text)
{
    if (!may_add(buf, text.len))
        return false;
    if (text.len > 0) {
        memcpy(buf_reserve(buf, text.len), text.ptr, text.len);
        buf_commit(buf, text.len);
    }
    return true;
}

bool buf_add_char(struct buf *buf, char c)
{
    if (!may_add(buf, 1))
        return false;
    *buf_reserve(buf, 1) = c;
    buf_commit(buf, 1);
    return true;
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    char *place = buf_reserve(buf, PRINTF_MIN);
    size_t room = buf->cap - buf->end;
    int len;

    va_start(args, format);
    len = vsnprintf(place, room, format, args);
    va_end(args);
    if (len < 0 || !may_add(buf, (size_t)len))
        return false;
    if ((size_t)len >= room) {
        place = buf_reserve(buf, (size_t)len + 1);
        va_start(args, format);
        len = vsnprintf(place, (size_t)len + 1, format, args);
        va_end(args);
    }
    buf_commit(buf, (size_t)len);
    return true;
}

const char *buf_text(struct buf *buf)
{
    *buf_reserve(buf, 1) = '\0';
    return buf->ptr + buf->start;
}
