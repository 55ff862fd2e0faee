/*
 * Deletions, last of all: by set, into the Trash where that is wanted. Only
 * what a plan names, and no guard holds, is ever removed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

struct removal {
    struct remove_request request;
    struct place_request into_trash; /* in place of request */
    struct folder_work *work;
    struct folder_work *trash; /* or NULL: expunge */
    enum side side;
    struct uidset uids;
};

void run_tell_removal(const struct folder_work *work, enum side side,
                      const struct state_pair *pair,
                      const struct folder_work *to)
{
    struct report_event event = {
        .kind = REPORT_REMOVAL,
        .side = side,
        .folder = work->row.name[side],
        .to = to != NULL ? to->row.name[side] : NULL,
        .uid = pair->uid[side],
        .twin = pair->uid[other(side)],
        .count = 1,
    };

    run_report(work->run, &event);
}

static void record_removal(const struct removal *removal)
{
    struct folder_work *work = removal->work;
    struct run *run = work->run;
    const struct plan *plan = &work->compare->plan;
    enum side side = removal->side;
    struct report_event event = {
        .kind = REPORT_DELETE,
        .side = side,
        .folder = run_folder_name(work),
        .count = (uint32_t)plan->n_deletes[side],
    };

    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        state_pair_del(run->options.state, work->row.id,
                       &plan->deletes[side][i]);
    run->result.counts[side].deleted += event.count;
    run_report(run, &event);
}

/* @kept  they could only be flagged */
static void removed(struct removal *removal, const struct request *base,
                    bool kept)
{
    struct folder_work *work = removal->work;
    struct run *run = work->run;
    enum side side = removal->side;
    struct err err;

    work->dirty[side] = true;
    if (removal->trash != NULL)
        removal->trash->dirty[side] = true;
    if (base->result == 0 && kept) {
        err_set(&err, ERR_REFUSED,
                "%zu messages are flagged \\Deleted, but not expunged: the "
                "server has no UIDPLUS, and other messages in the folder are "
                "flagged so, too",
                work->compare->plan.n_deletes[side]);
        run_folder_failed(work, side, &err);
    } else if (base->result == 0) {
        record_removal(removal);
    } else if (base->result == ERR_UNSURE) {
        run_doubt(work, side);
        if (removal->trash != NULL)
            run_doubt(removal->trash, side);
    } else if (!run_is_over(run, side, base->result, &base->err)) {
        run_folder_failed(work, side, &base->err);
    }
    uidset_deinit(&removal->uids);
    free(removal);
    run_end(run);
}

static void on_deleted(struct request *base)
{
    struct removal *removal = base->owner;

    removed(removal, base, removal->request.kept);
}

static void on_trashed(struct request *base)
{
    struct removal *removal = base->owner;

    removed(removal, base, removal->into_trash.kept);
}

/* What arrives in the Trash is new there for the next pass. */
static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    (void)request;
    (void)uid;
    (void)to_uid;
}

/* How much it looks like the Trash of that side: by its own use, its twin's, or
 * its usual name. */
static unsigned trash_rank(const struct folder_work *work, enum side side)
{
    if (!work->present[side])
        return 0;
    if (run_folder_use(work, side) == USE_TRASH)
        return 3;
    if (run_folder_use(work, other(side)) == USE_TRASH)
        return 2;
    return strcmp(work->row.name[side], "Trash") == 0 ? 1 : 0;
}

static struct folder_work *find_trash(const struct run *run, enum side side)
{
    struct folder_work *found = NULL;
    unsigned best = 0;

    for (size_t i = 0; i < run->n_folders; i++) {
        unsigned rank = trash_rank(run->folders[i], side);

        if (rank > best) {
            found = run->folders[i];
            best = rank;
        }
    }
    return found;
}

static void no_trash(struct folder_work *work, enum side side)
{
    struct err err;

    err_set(&err, ERR_REFUSED,
            "%s has no Trash folder for what is deleted: create one, or set "
            "delete_mode = expunge",
            work->run->options.endpoint[side]->name);
    run_folder_failed(work, side, &err);
}

static void send_expunge(struct removal *removal)
{
    removal->request.base.done = on_deleted;
    removal->request.base.owner = removal;
    removal->request.folder = run_folder_ref(removal->work, removal->side);
    removal->request.uids = &removal->uids;
    endpoint_remove(removal->work->run->options.endpoint[removal->side],
                    &removal->request);
}

static void send_to_trash(struct removal *removal)
{
    struct place_request *place = &removal->into_trash;

    place->base.done = on_trashed;
    place->base.owner = removal;
    place->from = run_folder_ref(removal->work, removal->side);
    place->to = run_folder_ref(removal->trash, removal->side);
    place->uids = &removal->uids;
    place->move = true;
    place->placed = on_placed;
    endpoint_place(removal->work->run->options.endpoint[removal->side], place);
}

/* Each message by itself, before anything is sent: who misses one can see why
 * it went. */
static void tell_removals(struct folder_work *work, enum side side,
                          const struct folder_work *trash)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        run_tell_removal(work, side, &plan->deletes[side][i], trash);
}

static void send_removal(struct folder_work *work, enum side side)
{
    const struct plan *plan = &work->compare->plan;
    struct run *run = work->run;
    struct folder_work *trash = NULL;
    struct removal *removal;

    if (plan->n_deletes[side] == 0)
        return;
    if (run->options.policy->delete_to_trash) {
        trash = find_trash(run, side);
        if (trash == NULL) {
            no_trash(work, side);
            return;
        }
    }
    removal = MEM_NEW(struct removal);
    removal->work = work;
    removal->side = side;
    removal->trash = trash != work ? trash : NULL;
    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        uidset_add(&removal->uids, plan->deletes[side][i].uid[side]);
    tell_removals(work, side, removal->trash);
    run_begin(run);
    if (removal->trash != NULL)
        send_to_trash(removal);
    else
        send_expunge(removal);
}

/* --- deletions whose end is not on record ----------------------------------------- */

#define UNDER_WAY "deleting"

bool run_has_deletes(const struct run *run, enum side side)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]) &&
            run->folders[i]->compare->plan.n_deletes[side] > 0)
            return true;
    }
    return false;
}

int run_deletes_recall(struct run *run, struct err *err)
{
    char *text = NULL;
    int r = state_meta_get(run->options.state, UNDER_WAY, &text, err);

    run->deletes_open = r == 0 && text != NULL;
    run->deletes_noted = run->deletes_open;
    free(text);
    return r;
}

static void note_deletes(struct run *run)
{
    if (run->deletes_noted ||
        (!run_has_deletes(run, LEFT) && !run_has_deletes(run, RIGHT)))
        return;
    run->deletes_noted = true;
    state_meta_put(run->options.state, UNDER_WAY, "yes");
}

void run_deletes_settle(struct run *run)
{
    if (run->deletes_noted)
        state_meta_put(run->options.state, UNDER_WAY, NULL);
}

void run_delete(struct run *run)
{
    bool deletes = run_has_deletes(run, LEFT) || run_has_deletes(run, RIGHT);

    run->progress.phase = deletes ? "deleting" : "flags";
    note_deletes(run);
    /* What was copied or paired is on disk before anything goes. */
    if (!run_commit(run))
        return;
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!run_takes_part(work))
            continue;
        run_push_flags(work);
        send_removal(work, LEFT);
        send_removal(work, RIGHT);
    }
    run_end(run);
}
