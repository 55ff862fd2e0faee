/* The command line. Options stand anywhere, before or behind the command. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum options_command {
    OPTIONS_NONE,
    OPTIONS_SYNC,
    OPTIONS_PLAN,
    OPTIONS_CHECK,
    OPTIONS_STATUS,
    OPTIONS_PROBE
};

#define OPTIONS_WAIT_SECONDS_MAX 86400u

struct options {
    enum options_command command;
    const char *config;    /* or NULL: the default */
    const char *state_dir; /* or NULL: the default */
    bool quiet;
    unsigned verbose; /* 0, 1 or 2 */
    bool json;
    bool help;
    bool version;
    bool force_delete;
    bool deep; /* check */
    unsigned wait_seconds;
    const char **words; /* behind the command: pairs, or an account */
    size_t n_words;
};

/**
 * Read the command line.
 *
 * @out  options_deinit() it, also after an error; its texts are those of @argv
 *
 * Returns 0, or ERR_USAGE with what to do instead. With help or version set
 * nothing else is required. "sync --dry-run" is OPTIONS_PLAN.
 */
int options_parse(int argc, char **argv, struct options *out, struct err *err);
void options_deinit(struct options *options);

/* Append the help for @command, or the overview for OPTIONS_NONE. */
void options_help(enum options_command command, struct buf *out);

#endif
