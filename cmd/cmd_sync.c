#include <stdlib.h>

#include "cmd/command.h"
#include "cmd/runner.h"

enum exitcode cmd_sync(const struct command *command)
{
    const struct options *options = command->options;
    struct runner_options runner = {
        .console = command->console,
        .state_dir = command->state_dir,
        .dry = options->command != OPTIONS_SYNC,
        .check = options->command == OPTIONS_CHECK,
        .deep = options->deep,
        .force_delete = options->force_delete,
        .wait_seconds = options->wait_seconds,
    };
    struct pair **pairs = NULL;
    struct err err = {{0}};
    enum exitcode code;
    size_t n = 0;

    if (command_pairs(command, &pairs, &n, &err) != 0) {
        console_complain(command->console, err.text);
        return EXITCODE_USAGE;
    }
    code = runner_run(&runner, pairs, n);
    free(pairs);
    return code;
}
