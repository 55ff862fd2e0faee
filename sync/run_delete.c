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
    struct uidset there; /* of these: in the Trash already */
    struct uidset rest;  /* those that are to be put there, if any */
    struct uidset placed;
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
        if (removal->trash != NULL)
            run_trash_arrived(work, side, &removal->placed);
        err_set(&err, ERR_REFUSED,
                "%zu messages are flagged \\Deleted, but not expunged: the "
                "server has no UIDPLUS, and other messages in the folder are "
                "flagged so, too",
                work->compare->plan.n_deletes[side]);
        run_folder_failed(work, side, &err);
    } else if (base->result == 0) {
        record_removal(removal);
        run_trash_gone(work, side, &removal->uids);
    } else if (base->result == ERR_UNSURE) {
        run_doubt(work, side);
        if (removal->trash != NULL)
            run_doubt(removal->trash, side);
    } else if (!run_is_over(run, side, base->result, &base->err)) {
        run_folder_failed(work, side, &base->err);
    }
    uidset_deinit(&removal->uids);
    uidset_deinit(&removal->there);
    uidset_deinit(&removal->rest);
    uidset_deinit(&removal->placed);
    free(removal);
    run_end(run);
}

static void on_deleted(struct request *base)
{
    struct removal *removal = base->owner;

    removed(removal, base, removal->request.kept);
}

static void send_expunge(struct removal *removal, const struct uidset *uids);

/* Those that were there before go with those that only now are: without UIDPLUS
 * neither can be expunged while the others carry \Deleted. */
static void on_trashed(struct request *base)
{
    struct removal *removal = base->owner;

    if (base->result == 0 && removal->there.n > 0) {
        uidset_add_set(&removal->placed, &removal->there);
        send_expunge(removal, &removal->placed);
        return;
    }
    removed(removal, base, removal->into_trash.kept);
}

/* What arrives in the Trash is new there for the next pass. */
static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    struct removal *removal = request->base.owner;

    (void)to_uid;
    uidset_add(&removal->placed, uid);
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

static void send_expunge(struct removal *removal, const struct uidset *uids)
{
    removal->request.base.done = on_deleted;
    removal->request.base.owner = removal;
    removal->request.folder = run_folder_ref(removal->work, removal->side);
    removal->request.uids = uids;
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
    place->uids = &removal->rest;
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
        trash = run_find_trash(run, side);
        if (trash == NULL) {
            no_trash(work, side);
            return;
        }
    }
    if (trash != NULL && run_trash_is_blind(work, side, trash)) {
        /* The next run may see what came of it. */
        work->unconsumed[other(side)] = true;
        return;
    }
    removal = MEM_NEW(struct removal);
    removal->work = work;
    removal->side = side;
    removal->trash = trash != work ? trash : NULL;
    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        uidset_add(&removal->uids, plan->deletes[side][i].uid[side]);
    if (removal->trash != NULL) {
        run_trash_there(work, side, &removal->there);
        uidset_add_set(&removal->rest, &removal->uids);
        uidset_remove_set(&removal->rest, &removal->there);
    }
    tell_removals(work, side, removal->trash);
    run_begin(run);
    if (removal->rest.n > 0)
        send_to_trash(removal);
    else
        send_expunge(removal, &removal->uids);
}

/* What is not done in one step is on record before the first. */
static void announce(struct folder_work *work, enum side side)
{
    const struct run_options *options = &work->run->options;
    const struct folder_work *trash;

    if (!options->policy->delete_to_trash ||
        !options->endpoint[side]->moves_by_copy ||
        work->compare->plan.n_deletes[side] == 0)
        return;
    trash = run_find_trash(work->run, side);
    if (trash != NULL && trash != work)
        run_trash_announce(work, side, trash);
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
    run_trash_settle(run);
}

void run_delete(struct run *run)
{
    bool deletes = run_has_deletes(run, LEFT) || run_has_deletes(run, RIGHT);

    run->progress.phase = deletes ? "deleting" : "flags";
    note_deletes(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        if (!run_takes_part(run->folders[i]))
            continue;
        announce(run->folders[i], LEFT);
        announce(run->folders[i], RIGHT);
    }
    run_trash_write(run);
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
