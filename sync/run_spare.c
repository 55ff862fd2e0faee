/*
 * Before anything is deleted on a disk: a file that is neither of the size nor
 * of the date that its pair has on record was edited since, and the edit is
 * nobody's to delete. Its pair ends, and the next pass finds it as new.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "sync/inquiry.h"
#include "sync/run_internal.h"

/* One deletion; its number for the inquiry is its index. */
struct suspect {
    struct folder_work *work;
    size_t index; /* in plan.deletes */
};

struct search {
    struct run *run;
    enum side side;
    struct suspect *suspects;
    size_t n;
    size_t cap;
    struct inquiry inquiry;
};

static struct state_pair *pair_of(const struct search *search, uint32_t number)
{
    const struct suspect *suspect = &search->suspects[number];

    return &suspect->work->compare->plan.deletes[search->side][suspect->index];
}

static void on_item(struct inquiry *inquiry, enum side side, uint32_t number,
                    const struct identity *identity)
{
    struct search *search = inquiry->owner;
    struct folder_work *work = search->suspects[number].work;
    struct state_pair *pair = pair_of(search, number);

    if (identity->size == pair->size || identity->date == pair->date)
        return;
    state_pair_part(search->run->options.state, work->row.id, pair);
    work->want_full[side] = true;
    run_list_anew(work, side);
    pair->uid[LEFT] = 0; /* out of the plan, at the end */
}

static void on_over(struct inquiry *inquiry)
{
    struct search *search = inquiry->owner;
    struct run *run = search->run;

    run_close_gaps(run, search->side);
    free(search->suspects);
    free(search);
    run_end(run);
}

static void add_deletes(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_deletes[search->side]; i++) {
        const struct state_pair *pair = &plan->deletes[search->side][i];

        if (pair->size == 0 || pair->date <= 0)
            continue;
        search->suspects = mem_grow(search->suspects, search->n, &search->cap,
                                    sizeof(*search->suspects));
        search->suspects[search->n++] = (struct suspect){work, i};
    }
}

static void ask(struct search *search)
{
    struct inquiry_item *items = mem_new(search->n, sizeof(*items));

    for (size_t i = 0; i < search->n; i++)
        items[i] = (struct inquiry_item){
            search->suspects[i].work,
            pair_of(search, (uint32_t)i)->uid[search->side], (uint32_t)i};
    inquiry_send(&search->inquiry, search->side, items, search->n);
    free(items);
}

void run_spare_edits(struct run *run)
{
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct search *search;

        if (!run->options.endpoint[side]->is_local ||
            run_fidelity(run) != FIDELITY_EXACT)
            continue;
        search = MEM_NEW(struct search);
        search->run = run;
        search->side = side;
        search->inquiry = (struct inquiry){.run = run,
                                           .level = IDENTIFY_META,
                                           .item = on_item,
                                           .over = on_over,
                                           .owner = search};
        for (size_t i = 0; i < run->n_folders; i++) {
            if (run_takes_part(run->folders[i]))
                add_deletes(search, run->folders[i]);
        }
        run_begin(run);
        ask(search);
        if (search->n == 0)
            on_over(&search->inquiry);
    }
    run_end(run);
}
