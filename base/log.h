/*
 * Log lines on their way to one sink. Text from outside is made harmless here:
 * control characters and terminal escapes are shown as \xNN.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum log_level {
    LOG_ERROR,  /* always shown */
    LOG_NOTICE, /* hidden by --quiet */
    LOG_ACTION, /* one line per action: -v */
    LOG_WIRE    /* the protocol, secrets removed: -vv */
};

struct log {
    enum log_level level; /* shown up to this one */
    /* Gets one finished line without line end; borrowed for the call. */
    void (*sink)(void *owner, enum log_level level, const char *line);
    void *owner;
};

/* Is @level shown? A NULL @log shows nothing. */
bool log_shows(const struct log *log, enum log_level level);

/* Write one line, cleaned; does nothing where @level is not shown. */
void log_line(const struct log *log, enum log_level level, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/* Is the character (a Unicode code point) shown as itself, and does nothing to
 * a terminal or to what is around it? */
bool log_is_printable(uint32_t code);

/* Append @text to @out with all that is not printable UTF-8 as \xNN: C0, DEL,
 * C1, invalid bytes, and what turns the direction of text or has no width. */
void log_clean(struct buf *out, struct bytes text);

#endif
