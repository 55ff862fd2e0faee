/* Runs the pairs of one sync, plan or check side by side, in one event loop. */
#ifndef CMD_RUNNER_H
#define CMD_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/conf.h"
#include "cmd/console.h"
#include "cmd/exitcode.h"

struct runner_options {
    struct console *console;
    const char *state_dir; /* one state per pair below it */
    bool dry;              /* plan and check */
    bool check;            /* check */
    bool deep;             /* check --deep */
    bool force_delete;
    unsigned wait_seconds; /* for another run of the pair to end */
};

/* Run @n pairs, tell of them, and record what status will tell. Returns the
 * most severe of their exit codes. */
enum exitcode runner_run(const struct runner_options *options,
                         struct pair *const *pairs, size_t n);

#endif
