/* Messages that one side refused for good: told every run, sent no more. */
#include <string.h>

#include "sync/run_internal.h"

static struct folder_work *folder_of(const struct run *run, uint32_t id)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run->folders[i]->row.id == id)
            return run->folders[i];
    }
    return NULL;
}

static int retry(void *owner, const struct state_apart *apart)
{
    struct run *run = owner;
    struct folder_work *work = folder_of(run, apart->folder);
    enum side to = other(apart->side);

    if (work == NULL || apart->kind != APART_REFUSED ||
        apart->limit == run->options.endpoint[to]->append_max)
        return 0;
    state_apart_del(run->options.state, apart->folder, apart->side, apart->uid);
    work->has_token[apart->side] = false;
    run_list_anew(work, apart->side);
    return 0;
}

int run_retry_refused(struct run *run, struct err *err)
{
    int r = state_apart_each(run->options.state, 0, retry, run, err);

    if (r < 0 || run->options.dry)
        return r;
    return state_commit(run->options.state, err);
}

static int tell(void *owner, const struct state_apart *apart)
{
    struct run *run = owner;
    struct folder_work *work = folder_of(run, apart->folder);

    if (work == NULL || apart->kind != APART_REFUSED ||
        uidset_has(&work->skip[apart->side], apart->uid))
        return 0; /* not ours to tell, or told in this run */
    run_tell_failed(work, apart->side, apart->uid, apart->reason);
    return 0;
}

int run_tell_refused(struct run *run, struct err *err)
{
    return state_apart_each(run->options.state, 0, tell, run, err);
}
