#include "cmd/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/env.h"
#include "cmd/report.h"

#define COLUMNS_DEFAULT 80u

static enum log_level level_of(const struct options *options)
{
    if (options->quiet) {
        return LOG_ERROR;
    }
    if (options->verbose == 0) {
        return LOG_NOTICE;
    }
    return options->verbose == 1 ? LOG_ACTION : LOG_WIRE;
}

static void log_sink(void *owner, enum log_level level, const char *line)
{
    if (level <= LOG_NOTICE) {
        console_complain(owner, line);
    } else {
        console_note(owner, line);
    }
}

void console_init(struct console *console, const struct options *options)
{
    const char *terminal = env_get("TERM");
    bool is_dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;

    /* Without memory it would leave things out. */
    json_set_alloc_funcs(mem_malloc, free);
    *console = (struct console){
        .quiet = options->quiet,
        .json = options->json,
        .verbose = options->verbose,
        .draws = !options->quiet && !options->json && !is_dumb &&
                 isatty(STDERR_FILENO),
        .log = {level_of(options), log_sink, console},
    };
}

void console_result(struct console *console, const char *line)
{
    console_undraw(console);
    /* Events are there when they happen, not when a buffer is full. */
    if ((printf("%s\n", line) < 0 || fflush(stdout) != 0) &&
        console->output_errno == 0) {
        console->output_errno = errno;
    }
}

void console_json(struct console *console, const json_t *json)
{
    struct buf text;

    buf_init(&text, 0);
    report_print(json, &text);
    console_result(console, buf_text(&text));
    buf_deinit(&text);
}

void console_note(struct console *console, const char *line)
{
    console_undraw(console);
    fprintf(stderr, "%s\n", line);
}

void console_complain(struct console *console, const char *line)
{
    struct buf clean;

    buf_init(&clean, 0);
    buf_printf(&clean, "mailtwin: ");
    log_clean(&clean, bytes_of(line));
    console_note(console, buf_text(&clean));
    buf_deinit(&clean);
}

void console_warnings(struct console *console, struct buf *lines)
{
    const char *text = buf_text(lines);
    struct buf line;

    buf_init(&line, 0);
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        buf_clear(&line);
        buf_add(&line, (struct bytes){text, len});
        console_complain(console, buf_text(&line));
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    buf_deinit(&line);
    buf_clear(lines);
}

void console_draw(struct console *console, const char *text)
{
    if (!console->draws) {
        return;
    }
    /* Back to the first column, the text, and away with what is behind it. */
    fprintf(stderr, "\r%s\033[K", text);
    (void)fflush(stderr);
    console->line_drawn = true;
}

void console_undraw(struct console *console)
{
    if (console->line_drawn) {
        fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        console->line_drawn = false;
    }
}

size_t console_columns(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) {
        return COLUMNS_DEFAULT - 1;
    }
    /* The last column stays free: some terminals wrap there. */
    return size.ws_col - 1u;
}

int console_finish(struct console *console, struct err *err)
{
    console_undraw(console);
    if (fflush(stdout) != 0 && console->output_errno == 0) {
        console->output_errno = errno;
    }
    if (console->output_errno == 0) {
        return 0;
    }
    if (console->output_errno == EPIPE) {
        return 1;
    }
    return err_errno(err, ERR_DISK, console->output_errno, "standard output");
}
