#include "cmd/ground.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "cmd/pair_state.h"
#include "store/maildir_endpoint.h"

/* A root that is missing is made on the pair's first run only, and whether this
 * is one the state knows. What is wrong with the state is not our concern. */
static int make_root(const struct pair *pair, enum side side,
                     const char *state_dir, struct err *err)
{
    const struct account *account = pair->account[side];
    struct maildir_account maildir = {
        .name = account->name,
        .path = account->path,
        .layout = account->layout,
    };
    struct state *state = NULL;
    int r;

    if (account->type != ACCOUNT_MAILDIR || access(account->path, F_OK) == 0 ||
        pair_state_open(pair, state_dir, true, NULL, &state, NULL) != 0) {
        return 0;
    }
    r = maildir_endpoint_prepare(&maildir, state, side, err);
    err_wrap(err, r, "%s", account->name);
    state_close(state);
    return r == ERR_DISK ? r : 0;
}

void ground_init(struct ground *ground, struct pair *const *pairs, size_t n,
                 const char *state_dir, bool dry)
{
    *ground = (struct ground){
        .accounts = mem_new(n * SIDES, sizeof(*ground->accounts)),
        .root_results = mem_new(n, sizeof(*ground->root_results)),
        .root_errs = mem_new(n, sizeof(*ground->root_errs)),
    };
    if (!dry) {
        ground->state_dir_result = dirs_make(state_dir, &ground->state_dir_err);
    }
    for (size_t i = 0; i < n; i++) {
        for (unsigned side = LEFT; side < SIDES; side++) {
            ground->accounts[ground->n_accounts++] = pairs[i]->account[side];
            if (!dry && ground->root_results[i] == 0) {
                ground->root_results[i] =
                    make_root(pairs[i], side == LEFT ? LEFT : RIGHT, state_dir,
                              &ground->root_errs[i]);
            }
        }
    }
}

void ground_deinit(struct ground *ground)
{
    free(ground->accounts);
    free(ground->root_results);
    free(ground->root_errs);
}
