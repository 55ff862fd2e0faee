/* The folders on record, and what has to be opened to know what changed. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

void run_folder_free(struct folder_work *work)
{
    run_compare_free(work);
    for (int side = 0; side < SIDES; side++) {
        free(work->row.name[side]);
        uidset_deinit(&work->skip[side]);
        uidset_deinit(&work->bare[side]);
        uidset_deinit(&work->added[side]);
        uidset_deinit(&work->vanished[side]);
        for (size_t i = 0; i < RUN_DOUBTS_MAX; i++)
            uidset_deinit(&work->unsure[side][i]);
    }
    free(work->bases);
    free(work->unanswered);
    free(work);
}

static int by_name(const void *a, const void *b)
{
    const struct folder_work *const *one = a;
    const struct folder_work *const *two = b;

    return strcmp(run_folder_name(*one), run_folder_name(*two));
}

void run_folders_sort(struct run *run)
{
    if (run->n_folders > 1)
        qsort(run->folders, run->n_folders, sizeof(*run->folders), by_name);
}

enum special_use run_folder_use(const struct folder_work *work, enum side side)
{
    return work->entry[side] != NULL ? work->entry[side]->use : USE_NONE;
}

static struct folder_work *add(struct run *run)
{
    struct folder_work *work = MEM_NEW(struct folder_work);

    work->run = run;
    work->winner = SIDES;
    run->folders = mem_grow(run->folders, run->n_folders, &run->folders_cap,
                            sizeof(*run->folders));
    run->folders[run->n_folders++] = work;
    return work;
}

struct folder_work *run_folder_new(struct run *run, const char *left,
                                   const char *right)
{
    struct folder_work *work = add(run);

    work->row.id = state_folder_new_id(run->options.state);
    work->row.name[LEFT] = mem_copy(left);
    work->row.name[RIGHT] = mem_copy(right);
    return work;
}

/* What this run knows by UIDs of the folder as it was. */
static void forget_uids(struct folder_work *work)
{
    work->n_bases = 0;
    for (int side = 0; side < SIDES; side++) {
        uidset_clear(&work->skip[side]);
        uidset_clear(&work->bare[side]);
        uidset_clear(&work->added[side]);
        uidset_clear(&work->vanished[side]);
        for (size_t i = 0; i < RUN_DOUBTS_MAX; i++)
            uidset_clear(&work->unsure[side][i]);
    }
}

void run_forget_token(struct folder_work *work, enum side side)
{
    work->has_token[side] = false;
    work->token[side] = (struct folder_token){0};
    work->row.has_token[side] = false;
    work->row.token[side] = (struct folder_token){0};
}

void run_list_anew(struct folder_work *work, enum side side)
{
    work->row.has_token[side] = false;
    if (!work->run->options.dry)
        state_folder_put(work->run->options.state, &work->row);
}

void run_folder_forget(struct folder_work *work)
{
    struct state *state = work->run->options.state;

    if (work->in_state)
        state_folder_del(state, work->row.id);
    work->in_state = false;
    work->row.id = state_folder_new_id(state);
    work->row.pairs = 0;
    memset(work->row.gone, 0, sizeof(work->row.gone));
    memset(work->row.apart, 0, sizeof(work->row.apart));
    memset(work->row.has_shown, 0, sizeof(work->row.has_shown));
    memset(work->row.shown, 0, sizeof(work->row.shown));
    run_forget_token(work, LEFT);
    run_forget_token(work, RIGHT);
    forget_uids(work);
}

/* Of which folder the UIDs on record are. It is not settled: what changed since
 * is not to be asked by it. */
static bool note_token(struct folder_work *work, enum side side,
                       const struct folder_token *token)
{
    struct state_folder *row = &work->row;

    if (row->has_token[side] || row->token[side].uidvalidity != 0 ||
        token->uidvalidity == 0)
        return false;
    row->token[side] = *token;
    return true;
}

void run_note_uidvalidity(struct folder_work *work, enum side side,
                          uint32_t uidvalidity)
{
    const struct folder_token token = {.uidvalidity = uidvalidity};

    if (work->token[side].uidvalidity == 0)
        work->token[side].uidvalidity = uidvalidity;
    if (note_token(work, side, &token))
        state_folder_put(work->run->options.state, &work->row);
}

bool run_note_listed(struct folder_work *work)
{
    bool noted = false;

    for (enum side side = LEFT; side < SIDES; side++) {
        if (work->has_token[side])
            noted = note_token(work, side, &work->token[side]) || noted;
    }
    return noted;
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

        if (!filter_accepts(run->filter, rows[i].name[LEFT]))
            continue;
        work = add(run);
        work->row = rows[i];
        work->in_state = true;
        rows[i].name[LEFT] = NULL; /* taken over */
        rows[i].name[RIGHT] = NULL;
        for (enum side side = LEFT; side < SIDES; side++) {
            work->has_token[side] = work->row.has_token[side];
            work->token[side] = work->row.token[side];
            if (work->row.follows[side])
                work->winner = other(side);
        }
    }
    state_folders_free(rows, n);
    return 0;
}

/* Must this side be opened to know what changed? */
static bool must_ask(const struct folder_work *work, enum side side)
{
    const struct endpoint *endpoint = work->run->options.endpoint[side];
    const struct folder_entry *entry = work->entry[side];

    if (!work->present[side])
        return work->row.exists[side];
    if (!endpoint->tokens_prove || !work->has_token[side] || entry == NULL ||
        !entry->has_token)
        return true;
    return !folder_token_equal(&entry->token, &work->token[side]);
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

    if (apart->kind != APART_REFUSED && apart->kind != APART_KEPT)
        state_apart_del(run->options.state, apart->folder, apart->side,
                        apart->uid);
    return 0;
}

/* Those that take no part in this run, too: when they do, the policy is the same
 * as before. */
static int list_all_anew(struct run *run, struct err *err)
{
    struct state_folder *rows;
    size_t n;
    int r = state_folders(run->options.state, &rows, &n, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n && !run->options.dry; i++) {
        rows[i].has_token[LEFT] = false;
        rows[i].has_token[RIGHT] = false;
        state_folder_put(run->options.state, &rows[i]);
    }
    state_folders_free(rows, n);
    for (size_t i = 0; i < run->n_folders; i++) {
        for (enum side side = LEFT; side < SIDES; side++) {
            run->folders[i]->has_token[side] = false;
            run->folders[i]->row.has_token[side] = false;
        }
    }
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
        if (r == 0)
            r = list_all_anew(run, err);
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

/* Is what is on record of a time that one side has not come to? */
static bool is_void(const struct run *run)
{
    return run->options.endpoint[LEFT]->is_older ||
           run->options.endpoint[RIGHT]->is_older;
}

/* As without a state, from here on: that its end is queued is not enough, what
 * is read is what was committed. A dry run just does not look. */
static int forget_all(struct run *run, struct err *err)
{
    return run->options.dry ? 0 : state_commit(run->options.state, err);
}

int run_folders(struct run *run, struct err *err)
{
    int r;

    leave_skipped(run, LEFT);
    leave_skipped(run, RIGHT);
    r = is_void(run) ? forget_all(run, err) : add_recorded(run, err);
    if (r == 0)
        r = note_policy(run, err);
    if (r == 0)
        r = run_retry_refused(run, err);
    if (r == 0)
        r = run_deletes_recall(run, err);
    return r;
}
