/*
 * The ground that runs of pairs stand on: the accounts of all of them, the
 * state directory, and the Maildir roots. What of it is missing is made here,
 * as long as the process may make it, for then it is confined
 * (cmd/bounds.h).
 */
#ifndef CMD_GROUND_H
#define CMD_GROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cmd/conf.h"

struct ground {
    struct account **accounts; /* of all pairs */
    size_t n_accounts;
    int state_dir_result; /* 0 or ERR_DISK */
    struct err state_dir_err;
    int *root_results; /* of each pair; 0 or ERR_DISK */
    struct err *root_errs;
};

/* Make what is missing, or nothing where @dry. What fails is for the run of the
 * pair to tell. ground_deinit() it, with nothing that borrows accounts left. */
void ground_init(struct ground *ground, struct pair *const *pairs, size_t n,
                 const char *state_dir, bool dry);
void ground_deinit(struct ground *ground);

#endif
