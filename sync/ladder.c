#include "sync/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

void ladder_init(struct ladder *ladder, struct run *run, enum side left)
{
    memset(ladder, 0, sizeof(*ladder));
    ladder->run = run;
    ladder->asked[LEFT] = left;
    ladder->asked[RIGHT] = other(left);
    match_init(&ladder->match, run_fidelity(run));
}

void ladder_deinit(struct ladder *ladder)
{
    match_deinit(&ladder->match);
    free(ladder->offers[LEFT]);
    free(ladder->offers[RIGHT]);
}

void ladder_add(struct ladder *ladder, enum side of, struct offer offer,
                const struct listed *listed)
{
    struct listed numbered = *listed;

    ladder->offers[of] = mem_grow(ladder->offers[of], ladder->n[of],
                                  &ladder->cap[of], sizeof(offer));
    ladder->offers[of][ladder->n[of]++] = offer;
    numbered.uid = (uint32_t)ladder->n[of];
    match_add(&ladder->match, of, &numbered);
}

const struct offer *ladder_offer(const struct ladder *ladder,
                                 const struct match_link *link, enum side of)
{
    return &ladder->offers[of][link->uid[of] - 1];
}

static void on_item(struct inquiry *inquiry, enum side side, uint32_t number,
                    const struct identity *identity)
{
    struct ladder *ladder = inquiry->owner;
    enum side of = side == ladder->asked[LEFT] ? LEFT : RIGHT;

    match_identified(&ladder->match, of, number, identity);
}

static void on_answered(struct inquiry *inquiry)
{
    ladder_climb(inquiry->owner);
}

static void ask(struct ladder *ladder, enum side of)
{
    const struct uidset *want = &ladder->match.want[of];
    struct uidset_walk walk = {.set = want};
    struct inquiry_item *items =
        mem_new((size_t)uidset_count(want), sizeof(*items));
    size_t n = 0;
    uint32_t number;

    while (uidset_next(&walk, &number)) {
        const struct offer *offer = &ladder->offers[of][number - 1];

        items[n++] = (struct inquiry_item){offer->work, offer->uid, number};
    }
    inquiry_send(&ladder->inquiry, ladder->asked[of], items, n);
    free(items);
}

void ladder_climb(struct ladder *ladder)
{
    if (run_is_closing(ladder->run) || !match_next(&ladder->match)) {
        ladder->over(ladder);
        return;
    }
    ladder->inquiry = (struct inquiry){.run = ladder->run,
                                       .level = ladder->match.level,
                                       .item = on_item,
                                       .over = on_answered,
                                       .owner = ladder};
    ask(ladder, LEFT);
    ask(ladder, RIGHT);
}
