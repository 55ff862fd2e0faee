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
#include <string.h>

#include "base/mem.h"
#include "sync/inquiry.h"
#include "sync/run_internal.h"

#define APPEARED LEFT
#define VANISHED RIGHT

/* A candidate: a place in a folder's plan. Its number for the match is its
 * index + 1. */
struct spot {
    struct folder_work *work;
    size_t index; /* in plan.copies or plan.deletes of the side */
    uint32_t uid; /* where its identity can be asked */
};

/* The search for what is to be moved on one side. */
struct search {
    struct run *run;
    enum side side;
    struct match match;
    struct spot *spots[SIDES];
    size_t n[SIDES];
    size_t cap[SIDES];
    struct inquiry inquiry;
};

static void ask(struct search *search);

static bool takes_part(const struct folder_work *work)
{
    return !work->failed && work->compare != NULL;
}

static void add_spot(struct search *search, enum side of,
                     struct folder_work *work, size_t index, uint32_t uid)
{
    search->spots[of] = mem_grow(search->spots[of], search->n[of],
                                 &search->cap[of], sizeof(struct spot));
    search->spots[of][search->n[of]++] = (struct spot){work, index, uid};
}

static void add_folder(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;
    enum side side = search->side;

    for (size_t i = 0; i < plan->n_copies[side]; i++) {
        struct listed listed = plan->copies[side][i];

        add_spot(search, APPEARED, work, i, listed.uid);
        listed.uid = (uint32_t)search->n[APPEARED];
        match_add(&search->match, APPEARED, &listed);
    }
    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        const struct state_pair *pair = &plan->deletes[side][i];
        struct listed listed = {.size = pair->size, .has_meta = true};

        add_spot(search, VANISHED, work, i, pair->uid[side]);
        listed.uid = (uint32_t)search->n[VANISHED];
        match_add(&search->match, VANISHED, &listed);
    }
}

static void on_item(struct inquiry *inquiry, enum side side, uint32_t number,
                    const struct identity *identity)
{
    struct search *search = inquiry->owner;
    enum side of = side == search->side ? VANISHED : APPEARED;

    match_identified(&search->match, of, number, identity);
}

static void on_answered(struct inquiry *inquiry)
{
    ask(inquiry->owner);
}

/* The wanted candidates. Without an answer it is just not a move. */
static void ask_about(struct search *search, enum side of)
{
    const struct uidset *want = &search->match.want[of];
    struct uidset_walk walk = {.set = want};
    enum side side = of == APPEARED ? other(search->side) : search->side;
    struct inquiry_item *items =
        mem_new((size_t)uidset_count(want), sizeof(*items));
    size_t n = 0;
    uint32_t number;

    while (uidset_next(&walk, &number)) {
        const struct spot *spot = &search->spots[of][number - 1];

        items[n++] = (struct inquiry_item){spot->work, spot->uid, number};
    }
    inquiry_send(&search->inquiry, side, items, n);
    free(items);
}

/* Out of the plans: it is neither copied nor deleted. */
static void take_move(struct search *search, const struct match_link *link)
{
    const struct spot *appeared =
        &search->spots[APPEARED][link->uid[APPEARED] - 1];
    const struct spot *vanished =
        &search->spots[VANISHED][link->uid[VANISHED] - 1];
    struct run *run = search->run;
    enum side side = search->side;
    struct listed *item =
        &appeared->work->compare->plan.copies[side][appeared->index];
    struct state_pair *pair =
        &vanished->work->compare->plan.deletes[side][vanished->index];

    *run_placement_add(run) = (struct placement){
        .side = side,
        .move = true,
        .from = vanished->work,
        .to = appeared->work,
        .pair = *pair,
        .item = *item,
        .ended_in = vanished->work,
        .ended = *pair,
    };
    item->uid = 0;
    pair->uid[LEFT] = 0;
}

static void conclude(struct search *search)
{
    struct run *run = search->run;

    for (size_t i = 0; i < search->match.n_links; i++)
        take_move(search, &search->match.links[i]);
    for (size_t i = 0; i < run->n_folders; i++) {
        if (takes_part(run->folders[i]))
            plan_close_gaps(&run->folders[i]->compare->plan, search->side);
    }
    match_deinit(&search->match);
    free(search->spots[APPEARED]);
    free(search->spots[VANISHED]);
    free(search);
    run_end(run);
}

static void ask(struct search *search)
{
    if (run_is_closing(search->run) || !match_next(&search->match)) {
        conclude(search);
        return;
    }
    search->inquiry = (struct inquiry){.run = search->run,
                                       .level = search->match.level,
                                       .item = on_item,
                                       .over = on_answered,
                                       .owner = search};
    ask_about(search, APPEARED);
    ask_about(search, VANISHED);
}

void run_find_moves(struct run *run)
{
    run->n_placements = 0;
    if (!run->options.policy->moves)
        return;
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct search *search = MEM_NEW(struct search);

        search->run = run;
        search->side = side;
        match_init(&search->match, run_fidelity(run));
        for (size_t i = 0; i < run->n_folders; i++) {
            if (takes_part(run->folders[i]))
                add_folder(search, run->folders[i]);
        }
        run_begin(run);
        ask(search);
    }
    run_end(run);
}
