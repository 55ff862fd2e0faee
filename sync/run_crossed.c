/*
 * A message that both sides knew, and that each of them moved to another
 * folder: it is gone from where it was, and new in one folder here and in
 * another one there. It ends in one of the two, on both sides: on_conflict says
 * whose. The other side's is moved there.
 *
 * A pair that both sides lost has nothing left to be asked, so its size and
 * date stand for it; that the two new ones are the same is asked up the ladder
 * of match.h. The pair stays on record until the move is done: whatever comes
 * between, the next run finds the same again. Without proof both stay, one in
 * each folder; as they do after a run that was cut short while it deleted: then
 * it may have been us who took one of them away.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "sync/ladder.h"
#include "sync/run_internal.h"

/* A pair that is gone on both sides. */
struct lost {
    struct folder_work *work;
    size_t index; /* in plan.forgets */
    uint64_t size;
    int64_t date;
};

struct search {
    struct ladder ladder; /* first; its offers are what is new on each side, in
                             plan.copies of the other one */
    struct lost *lost;    /* sorted */
    size_t n_lost;
    size_t lost_cap;
};

static int by_kind(const void *a, const void *b)
{
    const struct lost *one = a;
    const struct lost *two = b;

    if (one->size != two->size)
        return one->size < two->size ? -1 : 1;
    return one->date < two->date ? -1 : one->date > two->date;
}

static void add_lost(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_forgets; i++) {
        const struct state_pair *pair = &plan->forgets[i];

        if (pair->gone[LEFT] || pair->gone[RIGHT] || pair->date <= 0)
            continue;
        search->lost = mem_grow(search->lost, search->n_lost, &search->lost_cap,
                                sizeof(*search->lost));
        search->lost[search->n_lost++] =
            (struct lost){work, i, pair->size, pair->date};
    }
}

static struct listed item_of(const struct offer *offer, enum side side)
{
    return plan_copy(&offer->work->compare->plan, other(side), offer->index);
}

static void drop(const struct offer *offer, enum side side)
{
    plan_drop_copy(&offer->work->compare->plan, other(side), offer->index);
}

/* What is new on @side, and may be what was lost. */
static void add_new(struct search *search, enum side side,
                    struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_copies[other(side)]; i++) {
        struct listed listed = plan_copy(plan, other(side), i);
        struct lost key = {.size = listed.size, .date = listed.date};

        if (bsearch(&key, search->lost, search->n_lost, sizeof(key), by_kind) !=
            NULL)
            ladder_add(&search->ladder, side,
                       (struct offer){work, i, listed.uid}, &listed);
    }
}

/* The pair that both of them were, not yet taken by others; or NULL. */
static struct lost *find_lost(const struct search *search,
                              const struct listed *left,
                              const struct listed *right)
{
    for (size_t i = 0; i < search->n_lost; i++) {
        struct lost *lost = &search->lost[i];

        if (lost->work != NULL && lost->size == left->size &&
            lost->date == left->date && lost->date == right->date)
            return lost;
    }
    return NULL;
}

static void take(struct search *search, const struct match_link *link)
{
    enum side winner = search->ladder.run->options.policy->on_conflict;
    enum side side = other(winner);
    const struct offer *goal = ladder_offer(&search->ladder, link, winner);
    const struct offer *from = ladder_offer(&search->ladder, link, side);
    struct listed item = item_of(goal, winner);
    struct listed moved = item_of(from, side);
    struct lost *lost = find_lost(search, &item, &moved);
    struct placement *placement;
    struct state_pair *base;

    if (lost == NULL || goal->work == from->work)
        return;
    base = &lost->work->compare->plan.forgets[lost->index];
    placement = run_placement_add(search->ladder.run);
    *placement = (struct placement){
        .side = side,
        .move = true,
        .from = from->work,
        .to = goal->work,
        .pair = *base,
        .item = item,
        .ended_in = lost->work,
        .ended = *base,
    };
    placement->pair.uid[side] = moved.uid;
    placement->pair.uid[winner] = item.uid;
    lost->work = NULL;
    base->uid[LEFT] = 0;
    drop(goal, winner);
    drop(from, side);
}

static void conclude(struct ladder *ladder)
{
    struct search *search = (struct search *)ladder;
    struct run *run = ladder->run;

    for (size_t i = 0; i < ladder->match.n_links; i++)
        take(search, &ladder->match.links[i]);
    run_close_gaps(run, LEFT);
    run_close_gaps(run, RIGHT);
    ladder_deinit(ladder);
    free(search->lost);
    free(search);
    run_end(run);
}

void run_find_crossed(struct run *run)
{
    struct search *search;

    if (!run->options.policy->moves || run->deletes_open ||
        run->options.policy->direction != DIRECTION_BOTH)
        return;
    search = MEM_NEW(struct search);
    ladder_init(&search->ladder, run, LEFT);
    search->ladder.over = conclude;
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            add_lost(search, run->folders[i]);
    }
    if (search->n_lost > 1)
        qsort(search->lost, search->n_lost, sizeof(*search->lost), by_kind);
    for (size_t i = 0; search->n_lost > 0 && i < run->n_folders; i++) {
        for (enum side side = LEFT; side < SIDES; side++) {
            if (run_takes_part(run->folders[i]))
                add_new(search, side, run->folders[i]);
        }
    }
    run_begin(run);
    ladder_climb(&search->ladder);
}
