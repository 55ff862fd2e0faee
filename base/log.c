#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

/* Valid, but a terminal obeys them or hides text behind them. */
static const struct {
    uint32_t first, last;
} unprintable[] = {
    {0x0000,  0x001F }, /* C0 */
    {0x007F,  0x009F }, /* DEL, C1 */
    {0x061C,  0x061C }, /* marks, overrides and isolates of direction */
    {0x200B,  0x200F }, /* no width */
    {0x2028,  0x202E }, /* line ends, direction */
    {0x2060,  0x206F }, /* no width, direction */
    {0xFEFF,  0xFEFF }, /* no width */
    {0xFFF9,  0xFFFB }, /* annotations */
    {0xE0000, 0xE007F}, /* tags */
};

bool log_shows(const struct log *log, enum log_level level)
{
    return log != NULL && log->sink != NULL && level <= log->level;
}

bool log_is_printable(uint32_t code)
{
    size_t n = sizeof(unprintable) / sizeof(unprintable[0]);

    for (size_t i = 0; i < n; i++) {
        if (code >= unprintable[i].first && code <= unprintable[i].last)
            return false;
    }
    return true;
}

void log_clean(struct buf *out, struct bytes text)
{
    while (text.len > 0) {
        uint32_t code;
        size_t n = utf8_take(text, &code);

        if (n > 0 && log_is_printable(code)) {
            buf_add(out, (struct bytes){text.ptr, n});
        } else {
            n = n > 0 ? n : 1;
            for (size_t i = 0; i < n; i++)
                buf_printf(out, "\\x%02X", (unsigned char)text.ptr[i]);
        }
        text = bytes_skip(text, n);
    }
}

void log_line(const struct log *log, enum log_level level, const char *format,
              ...)
{
    char *raw = NULL;
    struct buf line;
    va_list args;
    int len;

    if (!log_shows(log, level))
        return;
    va_start(args, format);
    len = vasprintf(&raw, format, args);
    va_end(args);
    if (len < 0)
        return; /* no line is worth the process */
    buf_init(&line, 0);
    log_clean(&line, (struct bytes){raw, (size_t)len});
    log->sink(log->owner, level, buf_text(&line));
    buf_deinit(&line);
    free(raw);
}
