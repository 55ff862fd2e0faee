/*
 * Before anything is deleted: a message that is gone from one folder may be one
 * that came into another and could not be copied from there, as it could not be
 * read, or was refused. Then the twin is the only one that the other side has,
 * and perhaps the only good one. It stays until the copy is there.
 *
 * Moves that were seen as such do not come here: they need no copy.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* What did not reach a side. */
struct missing {
    struct {
        uint64_t size;
        int64_t date; /* 0: not known */
    } * messages;

    size_t n;
    size_t cap;
    bool alike; /* one may be any: sizes tell nothing here */
};

static void add(struct missing *missing, uint64_t size, int64_t date)
{
    missing->messages = mem_grow(missing->messages, missing->n, &missing->cap,
                                 sizeof(*missing->messages));
    missing->messages[missing->n].size = size;
    missing->messages[missing->n].date = date;
    missing->n++;
}

static void add_failed(struct missing *missing, const struct folder_work *work,
                       enum side to)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_copies[to]; i++) {
        struct listed item = plan_copy(plan, to, i);

        if (!work->failed && !uidset_has(&work->skip[other(to)], item.uid))
            continue;
        add(missing, item.size, item.date);
        missing->alike =
            missing->alike || run_fidelity(work->run) != FIDELITY_EXACT;
    }
}

struct refused {
    struct missing *missing;
    enum side to;
};

static int add_refused(void *owner, const struct state_apart *apart)
{
    const struct refused *refused = owner;

    if (apart->kind == APART_REFUSED && apart->side == other(refused->to))
        add(refused->missing, apart->size, 0);
    return 0;
}

static bool may_be(const struct missing *missing, const struct state_pair *pair)
{
    for (size_t i = 0; i < missing->n && !missing->alike; i++) {
        int64_t date = missing->messages[i].date;

        if (missing->messages[i].size == pair->size &&
            (date <= 0 || pair->date <= 0 || date == pair->date))
            return true;
    }
    return missing->alike;
}

/* Out of the folder's plan, for the next run to find again. */
static void keep(struct folder_work *work, enum side side,
                 const struct missing *missing)
{
    struct plan *plan = &work->compare->plan;
    struct run *run = work->run;
    char reason[200];
    struct report_event event = {.kind = REPORT_HELD,
                                 .side = side,
                                 .source = other(side),
                                 .folder = run_folder_name(work),
                                 .reason = reason};

    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        struct state_pair *pair = &plan->deletes[side][i];

        if (!may_be(missing, pair))
            continue;
        uidset_add(&work->skip[side], pair->uid[side]);
        work->unconsumed[other(side)] = true;
        pair->uid[LEFT] = 0;
        event.count++;
    }
    snprintf(reason, sizeof(reason),
             "%u messages are gone on %s, or moved to where they could not be "
             "copied from: run once with --force-delete if they are to go",
             event.count, run->options.endpoint[other(side)]->name);
    if (event.count > 0)
        run_report(run, &event);
}

static void keep_on(struct run *run, enum side side)
{
    struct missing missing = {0};
    struct refused refused = {&missing, side};
    struct err err;

    if (!run_has_deletes(run, side))
        return;
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run->folders[i]->compare != NULL)
            add_failed(&missing, run->folders[i], side);
    }
    if (state_apart_each(run->options.state, 0, add_refused, &refused, &err) <
        0)
        run_fail(run, side, ERR_STATE, &err);
    for (size_t i = 0; missing.n > 0 && i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            keep(run->folders[i], side, &missing);
    }
    run_close_gaps(run, side);
    free(missing.messages);
}

void run_keep_moved(struct run *run)
{
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        if (!run->options.force_delete)
            keep_on(run, side);
    }
    run_end(run);
}
