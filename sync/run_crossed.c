/*
 * A message that both sides knew, and that each of them moved to another
 * folder: it is gone from where it was, and new in one folder here and in
 * another one there. It ends in one of the two, on both sides: on_conflict says
 * whose. The other side's is moved there.
 *
 * Unless we have put one of the two where it is: by a move that followed the
 * other side's, and whose answer was lost. Its intent is still open, and says
 * where to. Then the other side wins: its user has moved it on since, and nobody
 * moved it here.
 *
 * A pair that both sides lost has nothing left to be asked, so its size and
 * date stand for it; that the two new ones are the same is asked up the ladder
 * of match.h. The pair stays on record until the move is done, or until its
 * folder is made anew, which goes before: whatever comes between, the next run
 * finds the same again. Without proof both stay, one in each folder; as they do
 * after a run that was cut short while it deleted: then it may have been us who
 * took one of them away.
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
    size_t n_ours[SIDES]; /* the first so many we may have put there */
    struct lost *lost;    /* sorted */
    size_t n_lost;
    size_t lost_cap;
    struct state_intent *intents; /* of such a size and date */
    size_t n_intents;
    size_t intents_cap;
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

static bool is_of_lost(const struct search *search, uint64_t size, int64_t date)
{
    struct lost key = {.size = size, .date = date};

    return bsearch(&key, search->lost, search->n_lost, sizeof(key), by_kind) !=
           NULL;
}

static int add_intent(void *owner, const struct state_intent *intent)
{
    struct search *search = owner;

    if (!is_of_lost(search, intent->size, intent->date))
        return 0;
    search->intents = mem_grow(search->intents, search->n_intents,
                               &search->intents_cap, sizeof(*search->intents));
    search->intents[search->n_intents++] = *intent;
    return 0;
}

/* May we have put it there? Of a folder that was made in that run its UIDs were
 * not known. */
static bool is_ours(const struct search *search, enum side side,
                    const struct folder_work *work, const struct listed *listed)
{
    for (size_t i = 0; i < search->n_intents; i++) {
        const struct state_intent *intent = &search->intents[i];
        uint32_t uidvalidity = intent->target_uidvalidity;

        if (intent->folder == work->row.id && intent->side == side &&
            intent->size == listed->size && intent->date == listed->date &&
            listed->uid >= intent->target_uidnext &&
            (uidvalidity == 0 || uidvalidity == work->token[side].uidvalidity))
            return true;
    }
    return false;
}

static struct listed item_of(const struct offer *offer, enum side side)
{
    return plan_copy(&offer->work->compare->plan, other(side), offer->index);
}

static void drop(const struct offer *offer, enum side side)
{
    plan_drop_copy(&offer->work->compare->plan, other(side), offer->index);
}

/* What is new on @side, and may be what was lost: @ours, or what is not. */
static void add_new(struct search *search, enum side side,
                    struct folder_work *work, bool ours)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_copies[other(side)]; i++) {
        struct listed listed = plan_copy(plan, other(side), i);

        if (is_of_lost(search, listed.size, listed.date) &&
            is_ours(search, side, work, &listed) == ours)
            ladder_add(&search->ladder, side,
                       (struct offer){work, i, listed.uid}, &listed);
    }
}

/* Of messages that are equal the first offers are taken: ours, which were in a
 * pair for certain. */
static void add_offers(struct search *search, bool ours)
{
    const struct run *run = search->ladder.run;

    for (size_t i = 0; i < run->n_folders; i++) {
        for (enum side side = LEFT; side < SIDES; side++) {
            if (run_takes_part(run->folders[i]))
                add_new(search, side, run->folders[i], ours);
        }
    }
}

static void add_all_offers(struct search *search)
{
    struct run *run = search->ladder.run;
    struct err err;
    int r = state_intent_each(run->options.state, add_intent, search, &err);

    if (r < 0) {
        run_fail(run, LEFT, r, &err);
        return;
    }
    add_offers(search, true);
    for (int side = 0; side < SIDES; side++)
        search->n_ours[side] = search->ladder.n[side];
    add_offers(search, false);
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

/* Whose place counts? */
static enum side winner_of(const struct search *search,
                           const struct match_link *link)
{
    enum side winner = search->ladder.run->options.policy->on_conflict;
    bool ours[SIDES];

    for (int side = 0; side < SIDES; side++)
        ours[side] = link->uid[side] <= search->n_ours[side];
    return ours[winner] && !ours[other(winner)] ? other(winner) : winner;
}

static void take(struct search *search, const struct match_link *link)
{
    enum side winner = winner_of(search, link);
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
    free(search->intents);
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
    run_begin(run);
    if (search->n_lost > 0)
        add_all_offers(search);
    ladder_climb(&search->ladder);
}
