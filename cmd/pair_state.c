#include "cmd/pair_state.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/reach.h"

int pair_state_open(const struct pair *pair, const char *state_dir,
                    bool read_only, const struct log *log, struct state **out,
                    struct err *err)
{
    char *left = reach_identity(pair->account[LEFT]);
    char *right = reach_identity(pair->account[RIGHT]);
    char *dir = mem_printf("%s/%s", state_dir, pair->name);
    struct state_open_options options = {
        .dir = dir,
        .pair = pair->name,
        .identity = {left, right},
        .read_only = read_only,
    };
    int r = state_open(&options, log, out, err);

    free(left);
    free(right);
    free(dir);
    return r;
}
