/* What has to be looked at again, in this run or the next. */
#include <stdlib.h>
#include <string.h>

#include "base/sabotage.h"
#include "sync/run_internal.h"

static int by_id(const void *a, const void *b)
{
    const struct state_folder *one = a;
    const struct state_folder *two = b;

    return one->id < two->id ? -1 : one->id > two->id;
}

/* The counters of the rows are kept by the state; take them over. */
static void refresh_rows(struct run *run)
{
    struct state_folder *rows;
    struct err err;
    size_t n;

    if (state_folders(run->options.state, &rows, &n, &err) < 0) {
        run_fail(run, LEFT, ERR_STATE, &err);
        return;
    }
    if (n > 1)
        qsort(rows, n, sizeof(*rows), by_id);
    for (size_t i = 0; i < run->n_folders && n > 0; i++) {
        struct state_folder *row = &run->folders[i]->row;
        const struct state_folder *now =
            bsearch(row, rows, n, sizeof(*rows), by_id);

        if (now == NULL)
            continue;
        row->pairs = now->pairs;
        memcpy(row->gone, now->gone, sizeof(row->gone));
        memcpy(row->apart, now->apart, sizeof(row->apart));
    }
    state_folders_free(rows, n);
}

/* A side that we changed has to show that it holds what was recorded, and
 * nothing else: only then may the next run leave it closed. One that is gone has
 * to say so again, or what went with it would look as if it were there. */
static bool must_look_again(const struct folder_work *work, enum side side)
{
    const struct endpoint *endpoint = work->run->options.endpoint[side];

    if (SABOTAGED(no_second_look))
        return false;
    if (!work->present[side])
        return work->row.exists[side] && work->want_full[side];
    if (work->want_full[side] || work->unnumbered > 0 || work->unproved[side])
        return true;
    if (!work->dirty[side])
        return false;
    /* What was added has to show that it was kept, flags and all. */
    return endpoint->tokens_prove ||
           (!endpoint->is_local && work->added[side].n > 0);
}

/* One that is gone is on record as there until what was in it is gone on the
 * other side, too: what a guard holds, or waits, has to be found again. */
static bool still_exists(const struct folder_work *work, enum side side)
{
    return work->present[side] ||
           (work->row.exists[side] && (work->failed || work->waits ||
                                       work->row.pairs > work->row.gone[side]));
}

void run_doubt(struct folder_work *work, enum side side)
{
    work->want_full[LEFT] = true;
    work->want_full[RIGHT] = true;
    work->run->in_doubt = true;
    work->run->doubtful = side;
}

static uint64_t achieved(const struct run *run)
{
    uint64_t sum = run->paired;

    for (int side = 0; side < SIDES; side++) {
        const struct run_counts *counts = &run->result.counts[side];

        sum += (uint64_t)counts->copied + counts->flagged + counts->moved +
               counts->deleted + counts->folders_created +
               counts->folders_renamed + counts->folders_deleted;
    }
    return sum;
}

void run_count_pass(struct run *run)
{
    uint64_t now = achieved(run);

    if (!run->in_doubt || now == run->achieved)
        run->pass++;
    run->achieved = now;
}

size_t run_next_pass(struct run *run)
{
    size_t n = 0;

    refresh_rows(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        for (enum side side = LEFT; side < SIDES; side++) {
            work->row.exists[side] = still_exists(work, side);
            work->ask[side] = !work->failed && must_look_again(work, side);
            work->flags_failed[side] = false;
            work->made[side] = false;
            /* What was sent without learning its UID is only found among all
             * that is new on both sides. */
            if (work->ask[side] && work->unnumbered > 0)
                work->want_full[side] = true;
        }
        work->waits = false;
        work->expect_links = work->unnumbered;
        work->unnumbered = 0;
        n += work->ask[LEFT] || work->ask[RIGHT];
    }
    return n;
}

/* There was to be another pass, and this run had its share of them. What it did
 * last was not looked at: not even whose copy is whose need be on record. */
static bool is_unfinished(const struct folder_work *work)
{
    return work->ask[LEFT] || work->ask[RIGHT];
}

/* May the next run begin where this one's last listing of @side stood? */
static bool is_settled(const struct folder_work *work, enum side side)
{
    if (!work->has_token[side] || work->unconsumed[side] || work->failed ||
        is_unfinished(work))
        return false;
    return !work->dirty[side] ||
           !work->run->options.endpoint[side]->tokens_prove;
}

/* Is the row as it was? Not where it is of a folder that went in a run that was
 * cut short: its name is to be another's. */
static bool is_untouched(const struct folder_work *work)
{
    bool nowhere = !work->row.exists[LEFT] && !work->row.exists[RIGHT];

    return !work->looked && !work->failed &&
           work->present[LEFT] == work->row.exists[LEFT] &&
           work->present[RIGHT] == work->row.exists[RIGHT] &&
           !(nowhere && work->row.pairs == 0);
}

static void settle_folder(struct folder_work *work)
{
    struct run *run = work->run;
    bool over = run->result.result == 0;

    if (!work->in_state || is_untouched(work))
        return;
    if (over && !work->failed && !work->present[LEFT] &&
        !work->present[RIGHT]) {
        state_folder_del(run->options.state, work->row.id);
        return;
    }
    for (enum side side = LEFT; side < SIDES; side++) {
        /* A run that was cut short leaves the old tokens: they tell more than
         * is new, never less. Where it took off the record what is no news to
         * them, run_list_anew() took them away. */
        if (!over)
            continue;
        work->row.exists[side] = still_exists(work, side);
        work->row.has_token[side] = is_settled(work, side);
        work->row.token[side] = work->token[side];
    }
    state_folder_put(run->options.state, &work->row);
}

static int drop_intent(void *owner, const struct state_intent *intent)
{
    struct run *run = owner;

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        if (work->row.id == intent->folder &&
            (work->failed || is_unfinished(work)))
            return 0; /* nobody has looked: it stays open */
    }
    state_intent_del(run->options.state, intent->number);
    return 0;
}

void run_settle(struct run *run)
{
    struct err err;

    for (size_t i = 0; i < run->n_folders; i++)
        settle_folder(run->folders[i]);
    /* All folders with open intents were compared, and what had arrived was
     * adopted by its identity. */
    if (run->result.result == 0) {
        state_intent_each(run->options.state, drop_intent, run, &err);
        run_deletes_settle(run);
    }
}
