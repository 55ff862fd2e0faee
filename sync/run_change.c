/* Folders made and removed, and flags: by set. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* --- folders --------------------------------------------------------------- */

struct folder_change {
    struct folder_request request;
    struct folder_work *work;
    enum side side;
    bool others; /* pairs on record that are not known to be gone there */
};

static void tell_folder(struct folder_work *work, enum side side,
                        enum report_kind kind)
{
    struct report_event event = {
        .kind = kind,
        .side = side,
        .folder = work->row.name[side],
    };

    run_report(work->run, &event);
}

/* The use that a new folder is to have: its twin's, where no other folder of
 * that side has it. */
static enum special_use use_for(const struct folder_work *work, enum side side)
{
    const struct list_request *list = &work->run->list[side];
    enum special_use use = run_folder_use(work, other(side));

    for (size_t i = 0; i < list->n_folders; i++) {
        if (list->folders[i].use == use)
            return USE_NONE;
    }
    return use;
}

static void change_folder(struct folder_work *work, enum side side,
                          enum folder_action action,
                          void (*done)(struct request *))
{
    struct folder_change *change = MEM_NEW(struct folder_change);

    change->work = work;
    change->side = side;
    change->request.base.done = done;
    change->request.base.owner = change;
    change->request.action = action;
    change->request.name = work->row.name[side];
    change->request.use = use_for(work, side);
    run_begin(work->run);
    endpoint_folder(work->run->options.endpoint[side], &change->request);
}

static int keep_apart(void *owner, const struct state_pair *pair)
{
    struct folder_change *change = owner;
    struct folder_work *work = change->work;
    struct state *state = work->run->options.state;
    struct state_apart apart = {
        .folder = work->row.id,
        .side = other(change->side),
        .uid = pair->uid[other(change->side)],
        .kind = APART_KEPT,
        .size = pair->size,
    };

    if (!pair->gone[change->side] && !work->in_circle) {
        change->others = true;
        return 0;
    }
    state_pair_del(state, work->row.id, pair);
    if (pair->gone[change->side]) /* else its move is next */
        state_apart_put(state, &apart);
    return 0;
}

/* The folder was there before, and its UIDs begin anew: they are not to be
 * taken for those of messages that are gone with it. */
static void forget_earlier(struct folder_change *change)
{
    struct folder_work *work = change->work;
    struct known known = work->compare->known;
    struct err err;

    /* What this pass has found gone is to be on record, too. */
    if (work->row.pairs == 0 || !run_commit(work->run))
        return;
    if (known.each_pair(known.owner, LEFT, keep_apart, change, &err) < 0)
        run_fail(work->run, change->side, ERR_STATE, &err);
    else
        run_commit(work->run);
    if (!change->others)
        run_forget_token(work, change->side);
}

/* Two names that are one there: neither goes on, whichever came first, as
 * nothing says whose the folder over there is. */
static void refuse_other(struct folder_work *work, enum side side,
                         const char *name)
{
    struct run *run = work->run;
    struct err err;

    err_set(&err, ERR_REFUSED,
            "on %s it is the same as %s: rename one of the two",
            run->options.endpoint[side]->name, work->row.name[side]);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *other_work = run->folders[i];

        if (other_work != work && strcmp(other_work->row.name[side], name) == 0)
            run_folder_failed(other_work, side, &err);
    }
}

static void on_created(struct request *base)
{
    struct folder_change *change = base->owner;
    struct folder_work *work = change->work;
    struct run *run = work->run;
    enum side side = change->side;

    if (base->result == 0) {
        forget_earlier(change);
        work->present[side] = true;
        work->made[side] = true;
        work->dirty[side] = true;
        work->row.has_shown[side] = true; /* nothing yet */
        memset(&work->row.shown[side], 0, sizeof(work->row.shown[side]));
        /* On record before the first message in it is, as in record_folder(). */
        work->row.exists[side] = true;
        state_folder_put(run->options.state, &work->row);
        run->result.counts[side].folders_created++;
        tell_folder(work, side, REPORT_FOLDER_CREATE);
    } else if (!run_is_over(run, side, base->result, &base->err)) {
        run_folder_failed(work, side, &base->err);
        if (change->request.taken_by != NULL)
            refuse_other(work, side, change->request.taken_by);
    }
    free(change->request.taken_by);
    free(change);
    run_end(run);
}

bool run_must_create(const struct folder_work *work, enum side side)
{
    if (!run_takes_part(work) || work->present[side] ||
        !work->present[other(side)] ||
        !rules_may_change(work->run->options.policy, side))
        return false;
    return !work->waits &&
           (!work->row.exists[side] || work->compare->plan.n_copies[side] > 0 ||
            run_is_placed_in(work, side));
}

static void refuse(struct folder_work *work, enum side side)
{
    struct err err;

    err_set(&err, ERR_REFUSED,
            "on %s it would be \"%s\", as \"%s\" is: rename one of the two",
            work->run->options.endpoint[side]->name, work->row.name[side],
            run_folder_name(work->holder[side]));
    run_folder_failed(work, side, &err);
}

/* A folder was deleted on @side, and has new mail on the other one (row 10).
 * What was paired has to be gone there first: the UIDs of the folder that is
 * made anew are not those on record. */
static bool must_wait(const struct folder_work *work, enum side side)
{
    const struct policy *policy = work->run->options.policy;

    return work->row.pairs > work->row.gone[side] && !policy->keep_deleted &&
           policy->direction == DIRECTION_BOTH;
}

/* Until the next pass; or, where the deletions are held, until another run. */
static void wait(struct folder_work *work, enum side side)
{
    work->compare->plan.n_copies[side] = 0;
    work->waits = true;
    if (work->run->pass == 0)
        work->want_full[other(side)] = true;
    else
        work->unconsumed[other(side)] = true;
}

static void count_circling(struct run *run)
{
    for (size_t i = 0; i < run->n_folders; i++)
        run->folders[i]->n_circling = 0;
    for (size_t i = 0; i < run->n_placements; i++) {
        const struct placement *placement = &run->placements[i];

        if (placement->move && placement->to->in_circle)
            placement->ended_in->n_circling++;
    }
}

static enum side absent_from(const struct folder_work *work)
{
    return work->present[LEFT] ? RIGHT : LEFT;
}

/* Does anything that it waits for come to its end by itself? */
static bool waits_for_others(const struct folder_work *work)
{
    const struct state_folder *row = &work->row;

    return row->pairs - row->gone[absent_from(work)] > work->n_circling;
}

/* Returns whether any folder has to wait. */
static bool note_waiting(struct run *run)
{
    bool any = false;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        work->in_circle = false;
        for (enum side side = LEFT; side < SIDES; side++) {
            if (run_must_create(work, side) && must_wait(work, side))
                work->in_circle = true;
        }
        any = any || work->in_circle;
    }
    return any;
}

/* Each that has to wait is in a circle, until it is seen not to be: folders that
 * were deleted, some here and some there, and what was in each is to be moved
 * into another one of them. None of these can wait for the others: they are
 * made at once, and such pairs go off the record just before they are moved. A
 * run that is broken off in between may leave a message in both folders, as it
 * looks new in either; never in neither. */
static void let_wait(struct run *run)
{
    bool changed = note_waiting(run);

    while (changed) {
        changed = false;
        count_circling(run);
        for (size_t i = 0; i < run->n_folders; i++) {
            struct folder_work *work = run->folders[i];

            if (!work->in_circle || !waits_for_others(work))
                continue;
            work->in_circle = false;
            wait(work, absent_from(work));
            changed = true;
        }
    }
}

/* What is made is called after its twin, which may have another name by now. */
static void name_new(struct folder_work *work, enum side side)
{
    free(work->row.name[side]);
    work->row.name[side] =
        run_map_name(work->run, side, work->row.name[other(side)]);
    work->has_token[side] = false;
    /* Else it is to be seen that it is another one. */
    if (work->row.pairs <= work->row.gone[side])
        run_forget_token(work, side);
}

/* Returns whether there is anything to make. */
static bool name_all_new(struct run *run)
{
    bool any = false;

    let_wait(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        for (enum side side = LEFT; side < SIDES; side++) {
            if (!run_must_create(work, side))
                continue;
            name_new(work, side);
            any = true;
        }
    }
    return any;
}

void run_create_folders(struct run *run)
{
    if (!name_all_new(run))
        return;
    run_note_holders(run);
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        for (enum side side = LEFT; side < SIDES; side++) {
            if (!run_must_create(work, side))
                continue;
            if (work->holder[side] != NULL)
                refuse(work, side);
            else
                change_folder(work, side, FOLDER_CREATE, on_created);
        }
    }
    run_end(run);
}

static void on_removed(struct request *base)
{
    struct folder_change *change = base->owner;
    struct folder_work *work = change->work;
    struct run *run = work->run;
    enum side side = change->side;

    if (base->result == 0) {
        work->present[side] = false;
        run->result.counts[side].folders_deleted++;
        tell_folder(work, side, REPORT_FOLDER_DELETE);
    } else if (!run_is_over(run, side, base->result, &base->err)) {
        run_folder_failed(work, side, &base->err);
    }
    free(change);
    run_end(run);
}

/* It was on both sides, is gone on the other one, and everything that was
 * paired here went without exception. */
static bool must_remove(const struct folder_work *work, enum side side)
{
    const struct policy *policy = work->run->options.policy;
    enum side from = other(side);

    if (!run_takes_part(work) || work->waits || !work->present[side] ||
        work->present[from] || !work->row.exists[from] ||
        policy->keep_deleted || !rules_may_change(policy, side) ||
        strcmp(run_folder_name(work), "INBOX") == 0)
        return false;
    return !work->unconsumed[LEFT] && !work->unconsumed[RIGHT] &&
           work->compare->plan.n_copies[from] == 0 &&
           work->row.apart[side] == 0 && work->compare->plan.n_aparts == 0;
}

void run_remove_folders(struct run *run)
{
    run_begin(run);
    /* Children before parents: the names are sorted. */
    for (size_t i = run->n_folders; i-- > 0;) {
        for (enum side side = LEFT; side < SIDES; side++) {
            if (must_remove(run->folders[i], side))
                change_folder(run->folders[i], side, FOLDER_DELETE, on_removed);
        }
    }
    run_end(run);
}

/* --- flags ------------------------------------------------------------------ */

void run_prove_flags(struct folder_work *work, enum side side,
                     struct flags flags)
{
    const struct state_folder *row = &work->row;
    struct flags_change fresh =
        flags_diff(work->run->keywords, row->shown[side], flags);

    if (row->has_shown[side] &&
        (fresh.add.system != 0 || fresh.add.keywords != 0))
        work->unproved[side] = true;
}

/* Equal changes share one request. */
struct flag_group {
    struct flag_request request;
    struct folder_work *work;
    enum side side;
    struct uidset uids;
};

/* When all groups of a folder are through, what was reached goes on record. */
static void record_flags(struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_flags; i++) {
        const struct plan_flag *flag = &plan->flags[i];
        bool reached = true;

        for (int side = 0; side < SIDES; side++) {
            if (flag->push[side] && work->flags_failed[side])
                reached = false;
        }
        if (reached)
            state_pair_put(work->run->options.state, work->row.id, &flag->pair);
    }
}

static void on_flagged(struct request *base)
{
    struct flag_group *group = base->owner;
    struct folder_work *work = group->work;
    struct run *run = work->run;
    enum side side = group->side;
    struct report_event event = {
        .kind = REPORT_FLAG,
        .side = side,
        .folder = run_folder_name(work),
        .count = (uint32_t)uidset_count(&group->uids),
        .change = group->request.change,
    };

    work->dirty[side] = true;
    if (base->result == 0) {
        run->result.counts[side].flagged += event.count;
        run_report(run, &event);
    } else {
        work->flags_failed[side] = true;
        if (!run_is_over(run, side, base->result, &base->err))
            run_folder_failed(work, side, &base->err);
    }
    uidset_deinit(&group->uids);
    free(group);
    if (--work->active == 0)
        record_flags(work);
    run_end(run);
}

struct flag_item {
    struct flags_change change;
    uint32_t uid;
};

static int compare_changes(const struct flags_change *a,
                           const struct flags_change *b)
{
    const uint32_t one[] = {a->add.system, a->add.keywords, a->remove.system,
                            a->remove.keywords};
    const uint32_t two[] = {b->add.system, b->add.keywords, b->remove.system,
                            b->remove.keywords};

    for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
        if (one[i] != two[i])
            return one[i] < two[i] ? -1 : 1;
    }
    return 0;
}

static int by_change(const void *a, const void *b)
{
    const struct flag_item *one = a;
    const struct flag_item *two = b;
    int r = compare_changes(&one->change, &two->change);

    if (r != 0)
        return r;
    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static void send_group(struct folder_work *work, enum side side,
                       const struct flag_item *items, size_t n)
{
    struct flag_group *group = MEM_NEW(struct flag_group);

    group->work = work;
    group->side = side;
    for (size_t i = 0; i < n; i++)
        uidset_add(&group->uids, items[i].uid);
    group->request.base.done = on_flagged;
    group->request.base.owner = group;
    group->request.folder = run_folder_ref(work, side);
    group->request.uids = &group->uids;
    group->request.change = items[0].change;
    run_prove_flags(work, side, items[0].change.add);
    work->active++;
    run_begin(work->run);
    endpoint_flag(work->run->options.endpoint[side], &group->request);
}

static void send_flags(struct folder_work *work, enum side side)
{
    const struct plan *plan = &work->compare->plan;
    struct flag_item *items = mem_new(plan->n_flags, sizeof(*items));
    size_t n = 0;

    for (size_t i = 0; i < plan->n_flags; i++) {
        const struct plan_flag *flag = &plan->flags[i];

        if (flag->push[side])
            items[n++] =
                (struct flag_item){flag->change[side], flag->pair.uid[side]};
    }
    if (n > 1)
        qsort(items, n, sizeof(*items), by_change);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n; end++) {
            if (compare_changes(&items[first].change, &items[end].change) != 0)
                break;
        }
        send_group(work, side, items + first, end - first);
    }
    free(items);
}

void run_push_flags(struct folder_work *work)
{
    if (work->compare->plan.n_flags == 0)
        return;
    send_flags(work, LEFT);
    send_flags(work, RIGHT);
}
