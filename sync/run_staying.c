/*
 * What stays on its side: max_size and newer_than leave it out, or the other
 * side may have it, out of sight. Not what was moved: its twin was in step, and
 * goes from the folder where it was, so the other side would have it nowhere.
 * One that was not seen as a move is copied.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* One that is to be deleted. */
struct ended {
    uint64_t size;
    int64_t date; /* 0: not known */
};

/* All that is to be deleted on one side: what was moved is among it. */
struct endings {
    struct ended *items; /* sorted */
    size_t n;
    size_t cap;
    bool exact; /* by size; else by date, as sizes tell nothing */
};

static int by_size(const void *a, const void *b)
{
    const struct ended *one = a;
    const struct ended *two = b;

    return one->size < two->size ? -1 : one->size > two->size;
}

static int by_date(const void *a, const void *b)
{
    const struct ended *one = a;
    const struct ended *two = b;

    return one->date < two->date ? -1 : one->date > two->date;
}

static void add_deletes(struct endings *endings, const struct plan *plan,
                        enum side side)
{
    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        const struct state_pair *pair = &plan->deletes[side][i];

        endings->items = mem_grow(endings->items, endings->n, &endings->cap,
                                  sizeof(*endings->items));
        endings->items[endings->n++] =
            (struct ended){pair->size, pair->date > 0 ? pair->date : 0};
    }
}

/* The first of them that is not before @key, or n. */
static size_t find(const struct endings *endings, const struct ended *key)
{
    size_t low = 0;
    size_t high = endings->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ended *item = &endings->items[middle];

        if ((endings->exact ? by_size(item, key) : by_date(item, key)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A program that moves a file may give it the date of the move. That of one
 * which is too old is still its own. */
static bool is_moved(void *owner, const struct listed *listed, bool large)
{
    const struct endings *endings = owner;
    struct ended key = {listed->size, listed->date};
    size_t at = find(endings, &key);

    if (!endings->exact)
        return endings->n > 0 &&
               (endings->items[0].date == 0 ||
                (at < endings->n && endings->items[at].date == listed->date));
    for (; at < endings->n && endings->items[at].size == listed->size; at++) {
        int64_t date = endings->items[at].date;

        if (large || date == 0 || date == listed->date)
            return true;
    }
    return false;
}

static void tell_hidden(struct folder_work *work)
{
    char reason[160];
    struct report_event event = {
        .kind = REPORT_NOTICE,
        .folder = run_folder_name(work),
        .reason = reason,
    };

    snprintf(reason, sizeof(reason),
             "%" PRIu32 " messages are older than what is shown on the other "
             "side, and may be there: they stay where they are",
             work->compare->plan.hidden);
    if (work->compare->plan.hidden > 0)
        run_report(work->run, &event);
}

static void find_on(struct run *run, enum side to)
{
    struct endings endings = {.exact = run_fidelity(run) == FIDELITY_EXACT};

    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            add_deletes(&endings, &run->folders[i]->compare->plan, to);
    }
    if (endings.n > 1)
        qsort(endings.items, endings.n, sizeof(*endings.items),
              endings.exact ? by_size : by_date);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];
        struct plan_input input;

        if (!run_takes_part(work))
            continue;
        input = run_plan_input(work);
        plan_find_staying(&work->compare->plan, &input, to, is_moved, &endings);
    }
    free(endings.items);
}

void run_find_staying(struct run *run)
{
    run_begin(run);
    find_on(run, LEFT);
    find_on(run, RIGHT);
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            tell_hidden(run->folders[i]);
    }
    run_end(run);
}
