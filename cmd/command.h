/* The commands. Each says what went wrong itself, and returns the exit status
 * of the program. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cmd/conf.h"
#include "cmd/console.h"
#include "cmd/exitcode.h"
#include "cmd/options.h"

/* What a command works with; borrowed for the call. */
struct command {
    const struct options *options;
    const struct conf *conf;
    struct console *console;
    const char *state_dir;
};

/* sync, plan and check. */
enum exitcode cmd_sync(const struct command *command);
enum exitcode cmd_status(const struct command *command);
enum exitcode cmd_probe(const struct command *command);

/**
 * The pairs that were named, or all of them; each once.
 *
 * @out  free() the array
 *
 * Returns 0, or ERR_USAGE for a name that is none, or no pair at all.
 */
int command_pairs(const struct command *command, struct pair ***out, size_t *n,
                  struct err *err);

#endif
