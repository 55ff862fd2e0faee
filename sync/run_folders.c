/* Three folder lists (left, right, record) to one list of work. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

void run_folder_free(struct folder_work *work)
{
    run_compare_free(work);
    free(work->row.name);
    free(work->alias[LEFT]);
    free(work->alias[RIGHT]);
    uidset_deinit(&work->skip[LEFT]);
    uidset_deinit(&work->skip[RIGHT]);
    free(work);
}

static int by_name(const void *a, const void *b)
{
    const struct folder_work *const *one = a;
    const struct folder_work *const *two = b;

    return strcmp((*one)->row.name, (*two)->row.name);
}

static struct folder_work *find(const struct run *run, size_t n,
                                const char *name)
{
    struct folder_work key = {.row.name = NULL};
    struct folder_work *wanted = &key;
    struct folder_work **found;
    char *copy = mem_copy(name);

    key.row.name = copy;
    found = n == 0 ? NULL
                   : bsearch(&wanted, run->folders, n, sizeof(*run->folders),
                             by_name);
    free(copy);
    return found != NULL ? *found : NULL;
}

static struct folder_work *add(struct run *run, const char *name)
{
    struct folder_work *work = MEM_NEW(struct folder_work);

    work->run = run;
    work->row.name = mem_copy(name);
    run->folders = mem_grow(run->folders, run->n_folders, &run->folders_cap,
                            sizeof(*run->folders));
    run->folders[run->n_folders++] = work;
    return work;
}

static void sort(struct run *run)
{
    if (run->n_folders > 1)
        qsort(run->folders, run->n_folders, sizeof(*run->folders), by_name);
}

static int add_recorded(struct run *run, struct err *err)
{
    struct state_folder *rows;
    size_t n;
    int r = state_folders(run->options.state, &rows, &n, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        struct folder_work *work;

        if (!filter_accepts(run->filter, rows[i].name))
            continue;
        work = add(run, rows[i].name);
        free(work->row.name);
        work->row = rows[i];
        work->in_state = true;
        rows[i].name = NULL; /* taken over */
        for (int side = 0; side < SIDES; side++) {
            work->has_token[side] = work->row.has_token[side];
            work->token[side] = work->row.token[side];
        }
    }
    state_folders_free(rows, n);
    sort(run);
    return 0;
}

static void tell_problem(struct run *run, enum side side,
                         const struct folder_entry *entry)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .folder = entry->name,
        .reason = entry->problem,
    };

    run_report(run, &event);
}

/* Join one side's list to the work known so far, which is sorted. */
static void add_listed(struct run *run, enum side side)
{
    const struct list_request *list = &run->list[side];
    size_t n_sorted = run->n_folders;

    for (size_t i = 0; i < list->n_folders; i++) {
        const struct folder_entry *entry = &list->folders[i];
        struct folder_work *work;

        if (!filter_accepts(run->filter, entry->name))
            continue;
        work = find(run, n_sorted, entry->name);
        if (entry->problem != NULL) {
            tell_problem(run, side, entry);
            if (work != NULL)
                work->failed = true;
            continue;
        }
        if (!entry->selectable)
            continue;
        if (work == NULL)
            work = add(run, entry->name);
        work->present[side] = true;
        work->subscribed[side] = entry->subscribed;
        work->has_now[side] = entry->has_token;
        work->now[side] = entry->token;
        if (work->use == USE_NONE)
            work->use = entry->use;
    }
    sort(run);
}

/* A folder is gone only if the whole list was understood. */
static void doubt_absent(struct run *run, enum side side)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .reason = "the folder list holds lines that are not understood: what "
                  "is missing in it is left as it is",
    };
    struct err err;

    if (!run->list[side].doubtful)
        return;
    run_report(run, &event);
    err_set(&err, ERR_PROTOCOL, "not in %s's list, which was not understood",
            run->options.endpoint[side]->name);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (work->row.exists[side] && !work->present[side])
            run_folder_failed(work, side, &err);
    }
}

/* A side that listed nothing, though the record knows of mail in there. */
static int guard_empty_list(struct run *run, enum side side, struct err *err)
{
    size_t lost = 0;

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        if (work->present[side])
            return 0;
        if (work->row.exists[side] && work->row.pairs > 0)
            lost++;
    }
    if (lost == 0 || run->options.force_delete)
        return 0;
    return err_set(err, ERR_GUARD,
                   "%s has no folders any more, and %zu were there; nothing "
                   "was deleted: check the account, or run with "
                   "--force-delete if that is meant",
                   run->options.endpoint[side]->name, lost);
}

static int mark_intent(void *owner, const struct state_intent *intent)
{
    struct run *run = owner;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (work->in_state && work->row.id == intent->folder) {
            work->ask[LEFT] = true;
            work->ask[RIGHT] = true;
        }
    }
    return 0;
}

/* Must this side be opened to know what changed? */
static bool must_ask(const struct folder_work *work, enum side side)
{
    const struct endpoint *endpoint = work->run->options.endpoint[side];

    if (!work->present[side])
        return work->row.exists[side];
    if (!endpoint->tokens_prove || !work->has_token[side] ||
        !work->has_now[side])
        return true;
    return !folder_token_equal(&work->now[side], &work->token[side]);
}

void run_ask(struct folder_work *work)
{
    bool check = work->run->options.check;

    for (enum side side = LEFT; side < SIDES; side++) {
        work->ask[side] = work->ask[side] || check || must_ask(work, side);
        work->want_full[side] = check;
    }
}

/* Filters and direction decide what stays apart; where they changed, that is
 * decided anew, from full listings. */
static char *policy_text(const struct policy *policy)
{
    return mem_printf("%d %llu %llu", (int)policy->direction,
                      (unsigned long long)policy->max_size,
                      (unsigned long long)policy->newer_than_seconds);
}

static int drop_filtered(void *owner, const struct state_apart *apart)
{
    struct run *run = owner;

    if (apart->kind != APART_REFUSED)
        state_apart_del(run->options.state, apart->folder, apart->side,
                        apart->uid);
    return 0;
}

static int note_policy(struct run *run, struct err *err)
{
    struct state *state = run->options.state;
    char *now = policy_text(run->options.policy);
    char *before = NULL;
    int r = state_meta_get(state, "policy", &before, err);

    if (r == 0 && before != NULL && strcmp(before, now) != 0) {
        r = state_apart_each(state, 0, drop_filtered, run, err);
        for (size_t i = 0; i < run->n_folders; i++) {
            run->folders[i]->has_token[LEFT] = false;
            run->folders[i]->has_token[RIGHT] = false;
        }
    }
    if (r == 0 && (before == NULL || strcmp(before, now) != 0))
        state_meta_put(state, "policy", now);
    if (r == 0 && !run->options.dry)
        r = state_commit(state, err);
    free(before);
    free(now);
    return r;
}

/* A folder that one side wants left alone takes no part at all. Said once. */
static void leave_skipped(struct run *run, enum side side)
{
    const struct list_request *list = &run->list[side];

    for (size_t i = 0; i < list->n_folders; i++) {
        const struct folder_entry *entry = &list->folders[i];
        struct report_event event = {
            .kind = REPORT_NOTICE,
            .side = side,
            .folder = entry->name,
            .reason = entry->skipped,
        };

        if (entry->skipped == NULL || !filter_accepts(run->filter, entry->name))
            continue;
        filter_exclude(run->filter, entry->name);
        if (state_is_new(run->options.state) && entry->selectable)
            run_report(run, &event);
    }
}

int run_folders(struct run *run, struct err *err)
{
    int r;

    leave_skipped(run, LEFT);
    leave_skipped(run, RIGHT);
    r = add_recorded(run, err);
    if (r < 0)
        return r;
    r = note_policy(run, err);
    if (r < 0)
        return r;
    r = run_retry_refused(run, err);
    if (r < 0)
        return r;
    for (enum side side = LEFT; side < SIDES; side++) {
        add_listed(run, side);
        doubt_absent(run, side);
        r = guard_empty_list(run, side, err);
        if (r < 0)
            return r;
    }
    r = state_intent_each(run->options.state, mark_intent, run, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!work->in_state)
            work->row.id = state_folder_new_id(run->options.state);
        run_ask(work);
    }
    return 0;
}
