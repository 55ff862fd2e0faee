/*
 * A message that is gone from one folder and new in another, on the same side,
 * was moved; its twin follows without its octets crossing the wire. Only an
 * optimisation: without it the same messages end up in the same folders, by a
 * copy and a deletion.
 *
 * Who is who is asked up the ladder of match.h, across all folders: what
 * appeared plays its left side, the twins of what vanished its right.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "sync/ladder.h"
#include "sync/run_internal.h"

#define APPEARED LEFT
#define VANISHED RIGHT

/* The search for what is to be moved on one side. */
struct search {
    struct ladder ladder; /* first; its offers are places in plan.copies, and in
                             plan.deletes, of the side */
    enum side side;
};

static void add_vanished(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;
    enum side side = search->side;

    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        const struct state_pair *pair = &plan->deletes[side][i];
        struct listed listed = {.size = pair->size, .has_meta = true};

        ladder_add(&search->ladder, VANISHED,
                   (struct offer){work, i, pair->uid[side]}, &listed);
    }
}

static void add_appeared(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;
    enum side side = search->side;

    for (size_t i = 0; i < plan->n_copies[side]; i++) {
        struct listed item = plan_copy(plan, side, i);

        ladder_add(&search->ladder, APPEARED, (struct offer){work, i, item.uid},
                   &item);
    }
}

/* All that was moved has vanished somewhere: where nothing has, what is new
 * need not be looked at. */
static void add_folders(struct search *search)
{
    struct run *run = search->ladder.run;

    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            add_vanished(search, run->folders[i]);
    }
    for (size_t i = 0; search->ladder.n[VANISHED] > 0 && i < run->n_folders;
         i++) {
        if (run_takes_part(run->folders[i]))
            add_appeared(search, run->folders[i]);
    }
}

/* Out of the plans: it is neither copied nor deleted. */
static void take_move(struct search *search, const struct match_link *link)
{
    const struct offer *appeared =
        ladder_offer(&search->ladder, link, APPEARED);
    const struct offer *vanished =
        ladder_offer(&search->ladder, link, VANISHED);
    enum side side = search->side;
    struct plan *plan = &appeared->work->compare->plan;
    struct state_pair *pair =
        &vanished->work->compare->plan.deletes[side][vanished->index];

    *run_placement_add(search->ladder.run) = (struct placement){
        .side = side,
        .move = true,
        .from = vanished->work,
        .to = appeared->work,
        .pair = *pair,
        .item = plan_copy(plan, side, appeared->index),
        .ended_in = vanished->work,
        .ended = *pair,
    };
    plan_drop_copy(plan, side, appeared->index);
    pair->uid[LEFT] = 0;
}

/* Who was not answered for is just not a move. */
static void conclude(struct ladder *ladder)
{
    struct search *search = (struct search *)ladder;
    struct run *run = ladder->run;

    for (size_t i = 0; i < ladder->match.n_links; i++)
        take_move(search, &ladder->match.links[i]);
    run_close_gaps(run, search->side);
    ladder_deinit(ladder);
    free(search);
    run_end(run);
}

void run_find_moves(struct run *run)
{
    run->n_placements = 0;
    if (!run->options.policy->moves)
        return;
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct search *search = MEM_NEW(struct search);

        ladder_init(&search->ladder, run, other(side));
        search->ladder.over = conclude;
        search->side = side;
        add_folders(search);
        run_begin(run);
        ladder_climb(&search->ladder);
    }
    run_end(run);
}
