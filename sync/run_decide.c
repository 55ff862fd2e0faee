/* Plans for all compared folders together, the guards, and a dry run's words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/guard.h"
#include "sync/run_internal.h"

/* Messages on record and on both sides. */
static uint64_t paired(const struct folder_work *work)
{
    return work->row.pairs - work->row.gone[LEFT] - work->row.gone[RIGHT];
}

/* A server that does not tell the UIDs of what it took, and changed it on the
 * way, too: nobody can say which is which, and going on would double mail. */
static bool lost_sight(struct folder_work *work)
{
    struct err err;

    if (work->compare->match.n_links >= work->expect_links)
        return false;
    err_set(&err, ERR_REFUSED,
            "%zu messages were added, but cannot be found there again: the "
            "server has no UIDPLUS and changes what it stores",
            work->expect_links - work->compare->match.n_links);
    run_folder_failed(work, LEFT, &err);
    return true;
}

struct plan_input run_plan_input(const struct folder_work *work)
{
    const struct compare *compare = work->compare;
    const struct run *run = work->run;
    struct plan_edge edge[SIDES] = {{0}};

    for (int side = 0; side < SIDES; side++) {
        if (work->windowed[side] && work->row.pairs == 0)
            edge[side] = compare->oldest[side];
    }
    return (struct plan_input){
        .delta = {&compare->delta[LEFT], &compare->delta[RIGHT]},
        .shown = {compare->shown[LEFT],  compare->shown[RIGHT] },
        .edge = {edge[LEFT],            edge[RIGHT]           },
        .known = &compare->known,
        .match = &compare->match,
        .keywords = run->keywords,
        .policy = run->options.policy,
        .folder = work->row.id,
        .now = run->now,
        .skip = {&work->skip[LEFT],     &work->skip[RIGHT]    },
        .added = {&work->added[LEFT],    &work->added[RIGHT]   },
        .bases = work->bases,
        .n_bases = work->n_bases,
    };
}

struct copy {
    uint32_t folder;
    enum side to;
};

static int is_open(void *owner, const struct state_intent *intent)
{
    const struct copy *copy = owner;

    return intent->folder == copy->folder && intent->side == copy->to;
}

/* A message that cannot be measured now may be the original of one that was sent
 * without an answer, and what is new on the other side its copy. */
static int doubt_unmeasured(struct folder_work *work, struct err *err)
{
    struct plan *plan = &work->compare->plan;
    int r = 0;

    for (enum side side = LEFT; side < SIDES && r == 0; side++) {
        struct copy copy = {work->row.id, other(side)};

        if (plan->unmeasured[side].n > 0)
            r = state_intent_each(work->run->options.state, is_open, &copy,
                                  err);
    }
    if (r > 0)
        plan_ask_anew(plan);
    return r < 0 ? r : 0;
}

/* One whose size never came can be matched with nothing: it stays on its side,
 * and is named. The next run asks again. */
static void tell_unmeasured(struct folder_work *work, enum side side)
{
    const struct run *run = work->run;
    struct uidset_walk walk = {.set = &work->compare->plan.unmeasured[side]};
    uint32_t uid;

    if (!run->options.dry && run->pass + 1 < RUN_PASSES_MAX)
        return; /* it is asked for again */
    while (uidset_next(&walk, &uid)) {
        run_message_failed(work, side, uid,
                           "its size cannot be told: see whether it can be "
                           "read");
        work->unconsumed[side] = true;
    }
}

static int plan_one(struct folder_work *work, struct err *err)
{
    struct compare *compare = work->compare;
    struct plan_input input = run_plan_input(work);
    int r;

    if (work->n_bases > 1)
        qsort(work->bases, work->n_bases, sizeof(*work->bases),
              plan_base_order);
    if (lost_sight(work))
        return 0;
    r = plan_make(&compare->plan, &input, err);
    if (r == 0)
        r = doubt_unmeasured(work, err);
    if (r < 0)
        return r;
    for (int side = 0; side < SIDES; side++) {
        if (compare->plan.unsure[side])
            work->unconsumed[side] = true;
        if (compare->plan.relist[side])
            work->want_full[side] = true;
        tell_unmeasured(work, side);
    }
    return 0;
}

/* Take the deletions on @side out of the folder's plan, and say so. */
static void hold(struct folder_work *work, enum side side,
                 enum report_kind kind, const char *reason)
{
    struct plan *plan = &work->compare->plan;
    struct report_event event = {
        .kind = kind,
        .side = side,
        .source = other(side),
        .folder = run_folder_name(work),
        .count = (uint32_t)plan->n_deletes[side],
        .reason = reason,
    };

    if (plan->n_deletes[side] == 0)
        return;
    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        uidset_add(&work->skip[side], plan->deletes[side][i].uid[side]);
    plan->n_deletes[side] = 0;
    /* Next time they have to be found again. */
    work->unconsumed[other(side)] = true;
    run_report(work->run, &event);
}

struct totals {
    uint64_t messages;
    uint64_t deletes[SIDES];
};

static struct totals count_deletes(const struct run *run)
{
    struct totals totals = {0};

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        totals.messages += paired(work);
        if (!run_takes_part(work))
            continue;
        for (int side = 0; side < SIDES; side++)
            totals.deletes[side] += work->compare->plan.n_deletes[side];
    }
    return totals;
}

static void guard_folder(struct folder_work *work, enum side side)
{
    const struct max_delete *limit = &work->run->options.policy->max_delete;
    uint64_t deletes = work->compare->plan.n_deletes[side];
    char reason[160];

    if (!guard_exceeds(limit, deletes, paired(work)))
        return;
    snprintf(reason, sizeof(reason),
             "%" PRIu64 " of %" PRIu64 " messages would be deleted, more than "
             "max_delete allows: run once with --force-delete if that is meant",
             deletes, paired(work));
    hold(work, side, REPORT_HELD, reason);
}

static void guard_side(struct run *run, enum side side,
                       const struct totals *totals)
{
    const struct max_delete *limit = &run->options.policy->max_delete;
    uint64_t deletes = totals->deletes[side];
    bool emptied = guard_emptied(deletes, totals->messages);
    char reason[200];

    if (emptied)
        snprintf(reason, sizeof(reason),
                 "%s looks emptied, all of its %" PRIu64 " messages are gone: "
                 "run once with --force-delete if that is meant",
                 run->options.endpoint[other(side)]->name, deletes);
    else
        snprintf(reason, sizeof(reason),
                 "%" PRIu64 " of %" PRIu64 " messages in all would be deleted, "
                 "more than max_delete allows: run once with --force-delete "
                 "if that is meant",
                 deletes, totals->messages);
    emptied = emptied || guard_exceeds(limit, deletes, totals->messages);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!run_takes_part(work))
            continue;
        if (emptied)
            hold(work, side, REPORT_HELD, reason);
        else
            guard_folder(work, side);
    }
}

int run_plan(struct run *run, struct err *err)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];
        int r;

        if (!run_takes_part(work))
            continue;
        r = plan_one(work, err);
        if (r < 0)
            return r;
    }
    return 0;
}

void run_close_gaps(struct run *run, enum side side)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (run_takes_part(work))
            plan_close_gaps(&work->compare->plan, side);
    }
}

static bool has_unmeasured(const struct folder_work *work)
{
    const struct uidset *unmeasured = work->compare->plan.unmeasured;

    return unmeasured[LEFT].n > 0 || unmeasured[RIGHT].n > 0;
}

/* What is gone from one folder may have been moved into another one that could
 * not be looked at, or be what is new there and cannot be measured: its deletion
 * waits, or the other side would have it in neither. */
static void wait_for_unseen(struct run *run)
{
    const struct folder_work *unseen = NULL;
    char reason[300];

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        if (work->unseen || (run_takes_part(work) && has_unmeasured(work)))
            unseen = work;
    }
    if (unseen == NULL)
        return;
    snprintf(reason, sizeof(reason),
             "what is gone here may be in %s, which could not be looked at%s: "
             "deletions wait",
             run_folder_name(unseen), unseen->unseen ? "" : " in full");
    for (size_t i = 0; i < run->n_folders; i++) {
        if (!run_takes_part(run->folders[i]))
            continue;
        hold(run->folders[i], LEFT, REPORT_NOTICE, reason);
        hold(run->folders[i], RIGHT, REPORT_NOTICE, reason);
    }
}

void run_decide(struct run *run)
{
    struct totals totals;

    if (run->options.force_delete)
        return;
    wait_for_unseen(run);
    totals = count_deletes(run);
    guard_side(run, LEFT, &totals);
    guard_side(run, RIGHT, &totals);
}

/* Where a folder is, and which one, before anything that is in it: a run that
 * finds it gone, or another one, is to ask what became of that. */
static void record_folder(struct folder_work *work)
{
    bool changed = run_note_listed(work) || !work->in_state;

    for (enum side side = LEFT; side < SIDES; side++) {
        changed = changed || (work->present[side] && !work->row.exists[side]);
        work->row.exists[side] = work->row.exists[side] || work->present[side];
    }
    if (changed)
        state_folder_put(work->run->options.state, &work->row);
    work->in_state = true;
}

static void record_plan(struct folder_work *work)
{
    struct state *state = work->run->options.state;
    struct compare *compare = work->compare;
    const struct plan *plan = &compare->plan;
    struct uidset_walk walk;
    uint32_t uid;

    record_folder(work);
    for (enum side side = LEFT; side < SIDES; side++) {
        if (plan->n_parts > 0 && plan->relist[side])
            run_list_anew(work, side);
    }
    for (size_t i = 0; i < plan->n_forgets; i++)
        state_pair_del(state, work->row.id, &plan->forgets[i]);
    for (size_t i = 0; i < plan->n_parts; i++)
        state_pair_part(state, work->row.id, &plan->parts[i]);
    for (size_t i = 0; i < plan->n_records; i++)
        state_pair_put(state, work->row.id, &plan->records[i]);
    for (size_t i = 0; i < plan->n_aparts; i++)
        state_apart_put(state, &plan->aparts[i]);
    for (enum side side = LEFT; side < SIDES; side++) {
        walk = (struct uidset_walk){.set = &compare->delta[side].gone_apart};
        while (uidset_next(&walk, &uid))
            state_apart_del(state, work->row.id, side, uid);
    }
}

static void tell_links(struct folder_work *work)
{
    struct report_event event = {
        .kind = REPORT_PAIR,
        .folder = run_folder_name(work),
        .count = work->compare->plan.n_links,
    };

    work->run->paired += event.count;
    if (event.count > 0)
        run_report(work->run, &event);
}

void run_record_plans(struct run *run)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!run_takes_part(work))
            continue;
        record_plan(work);
        tell_links(work);
    }
}

static void tell(struct folder_work *work, struct report_event event)
{
    if (event.folder == NULL)
        event.folder = run_folder_name(work);
    work->run->result.todo++;
    run_report(work->run, &event);
}

static void tell_side(struct folder_work *work, enum side side)
{
    const struct plan *plan = &work->compare->plan;

    if (run_must_create(work, side))
        tell(work, (struct report_event){.kind = REPORT_FOLDER_CREATE,
                                         .side = side,
                                         .folder = work->row.name[side]});
    for (size_t i = 0; i < plan->n_copies[side]; i++) {
        struct listed listed = plan_copy(plan, side, i);

        tell(work, (struct report_event){
                       .kind = REPORT_COPY,
                       .side = side,
                       .source = other(side),
                       .uid = listed.uid,
                       .count = 1,
                       .bytes = listed.size,
                   });
    }
    for (size_t i = 0; i < plan->n_flags; i++) {
        if (plan->flags[i].push[side])
            tell(work, (struct report_event){
                           .kind = REPORT_FLAG,
                           .side = side,
                           .source = side,
                           .uid = plan->flags[i].pair.uid[side],
                           .count = 1,
                           .change = plan->flags[i].change[side],
                       });
    }
    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        tell(work, (struct report_event){
                       .kind = REPORT_DELETE,
                       .side = side,
                       .source = side,
                       .uid = plan->deletes[side][i].uid[side],
                       .count = 1,
                   });
}

static void tell_placements(struct run *run)
{
    for (size_t i = 0; i < run->n_placements; i++) {
        run->result.todo += !run_placement_is_idle(&run->placements[i]);
        run_tell_placement(&run->placements[i]);
    }
}

void run_tell_plans(struct run *run)
{
    tell_placements(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!run_takes_part(work))
            continue;
        tell_links(work);
        tell_side(work, LEFT);
        tell_side(work, RIGHT);
    }
    run_subscribe(run);
}
