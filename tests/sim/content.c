#include "tests/sim/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/sim/sched.h"

/* "nonce 0000017\r\n" at the very end. */
#define NONCE_DIGITS 7u
#define NONCE_BYTES  (NONCE_DIGITS + 2)

struct content {
    struct buf text;
    size_t header_len;
    int64_t date;
};

static struct contents {
    struct content *list;
    size_t n;
    size_t cap;
} contents;

void contents_reset(void)
{
    for (size_t i = 0; i < contents.n; i++)
        buf_deinit(&contents.list[i].text);
    contents.n = 0;
}

static size_t body_lines(void)
{
    switch (sched_random(16)) {
    case 0:
        return 0;
    case 1:
        return 300 + sched_random(600);
    default:
        return sched_random(12);
    }
}

uint32_t content_new(void)
{
    uint32_t number = (uint32_t)contents.n;
    /* One in four is a near twin: all but its last line is another's. */
    bool near = number > 0 && sched_chance(4);
    uint32_t like = near ? sched_random(number) : number;
    struct content *content;
    struct buf *text;

    contents.list = mem_grow(contents.list, contents.n, &contents.cap,
                             sizeof(*contents.list));
    content = &contents.list[contents.n++];
    memset(content, 0, sizeof(*content));
    text = &content->text;
    content->date = 1600000000 + (int64_t)number * 1000;
    buf_init(text, 0);
    if (near) {
        struct content *other = &contents.list[like];
        struct bytes same = buf_peek(&other->text);

        same.len -= NONCE_BYTES;
        buf_add(text, same);
        content->header_len = other->header_len;
    } else {
        buf_printf(text, "From: somebody@example.org\r\nSubject: %u\r\n",
                   (unsigned)sched_random(4));
        if (!sched_chance(6))
            buf_printf(text, "Message-ID: <%u@example.org>\r\n",
                       (unsigned)(sched_chance(8) ? 0 : number));
        buf_printf(text, "Date: Mon, 2 Jan 2023 03:04:%02u +0000\r\n\r\n",
                   (unsigned)(number % 60));
        content->header_len = buf_len(text);
        for (size_t i = body_lines(); i > 0; i--)
            buf_printf(text, "%.*s\r\n", (int)sched_random(60),
                       "the quick brown fox jumps over the lazy dog again "
                       "and again and again");
        buf_add(text, B("nonce "));
    }
    buf_printf(text, "%0*u\r\n", (int)NONCE_DIGITS, (unsigned)number);
    return number;
}

uint32_t contents_count(void)
{
    return (uint32_t)contents.n;
}

struct bytes content_text(uint32_t content)
{
    return buf_peek(&contents.list[content].text);
}

int64_t content_date(uint32_t content)
{
    return contents.list[content].date;
}

struct bytes content_header(uint32_t content)
{
    struct bytes text = content_text(content);

    text.len = contents.list[content].header_len;
    return text;
}

uint32_t content_find(struct bytes text)
{
    char digits[NONCE_DIGITS + 1] = "";
    unsigned long number;

    if (text.len < NONCE_BYTES)
        return CONTENT_NONE;
    memcpy(digits, text.ptr + text.len - NONCE_BYTES, NONCE_DIGITS);
    number = strtoul(digits, NULL, 10);
    if (number >= contents.n ||
        !bytes_equal(text, content_text((uint32_t)number)))
        return CONTENT_NONE;
    return (uint32_t)number;
}

uint32_t content_find_lf(struct bytes text)
{
    struct buf crlf;
    uint32_t found;

    buf_init(&crlf, 0);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            buf_add_char(&crlf, '\r');
        buf_add_char(&crlf, text.ptr[i]);
    }
    found = content_find(buf_peek(&crlf));
    buf_deinit(&crlf);
    return found;
}
