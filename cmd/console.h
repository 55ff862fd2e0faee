/*
 * Standard output and standard error. Results go to the first; errors, notices
 * and the progress line, which is drawn over and over, to the second.
 */
#ifndef CMD_CONSOLE_H
#define CMD_CONSOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "cmd/options.h"

struct console {
    bool quiet;
    bool json;
    unsigned verbose;
    bool draws;       /* a progress line is wanted and possible */
    bool line_drawn;  /* there is one on the screen */
    int output_errno; /* the first failure of standard output; 0: none */
    struct log log;   /* lines of the layers below */
};

/* @console must not move afterwards: its log points to it. */
void console_init(struct console *console, const struct options *options);

/* A line on standard output; the progress line makes way. */
void console_result(struct console *console, const char *line);

/* The same for a JSON object, on one line. */
void console_json(struct console *console, const json_t *json);

/* "mailtwin: LINE" on standard error, control characters made harmless. */
void console_complain(struct console *console, const char *line);

/* A line on standard error as it is. */
void console_note(struct console *console, const char *line);

/* Each line of @lines by console_complain(); @lines is emptied. */
void console_warnings(struct console *console, struct buf *lines);

/* Draw the progress line anew; @text fits the screen. */
void console_draw(struct console *console, const char *text);

/* Take the progress line off the screen, if there is one. */
void console_undraw(struct console *console);

/* Characters of a line on the screen. */
size_t console_columns(void);

/**
 * Everything on standard output has arrived?
 *
 * Returns 0, ERR_DISK, or 1 where the reader has gone (a pipe was closed).
 */
int console_finish(struct console *console, struct err *err);

#endif
