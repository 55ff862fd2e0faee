/* The state of a pair of the configuration. */
#ifndef CMD_PAIR_STATE_H
#define CMD_PAIR_STATE_H

#include "cmd/conf.h"
#include "store/state.h"

/* Open it; @state_dir has one of each pair. @read_only as in struct
 * state_open_options. Returns as state_open(). */
int pair_state_open(const struct pair *pair, const char *state_dir,
                    bool read_only, const struct log *log, struct state **out,
                    struct err *err);

#endif
