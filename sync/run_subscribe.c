/*
 * Subscriptions follow: three ways against what both sides agreed on last, as
 * flags do. A server keeps them by name, so that a rename loses one; that is
 * not read as an unsubscription.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* --- the names that were listed as subscribed --------------------------------- */

struct names {
    const char **sorted;
    size_t n;
};

static int compare_names(const void *a, const void *b)
{
    const char *const *one = a;
    const char *const *two = b;

    return strcmp(*one, *two);
}

static void sort_names(struct names *names)
{
    if (names->n > 1)
        qsort(names->sorted, names->n, sizeof(*names->sorted), compare_names);
}

static bool has_name(const struct names *names, const char *name)
{
    return names->n > 0 &&
           bsearch(&name, names->sorted, names->n, sizeof(*names->sorted),
                   compare_names) != NULL;
}

static struct names listed_names(const struct run *run, enum side side)
{
    const struct list_request *list = &run->list[side];
    struct names names = {0};

    names.sorted = mem_new(list->n_folders, sizeof(*names.sorted));
    for (size_t i = 0; i < list->n_folders; i++) {
        if (list->folders[i].subscribed)
            names.sorted[names.n++] = list->folders[i].name;
    }
    sort_names(&names);
    return names;
}

/* The names that folders have there now. */
static struct names present_names(const struct run *run, enum side side)
{
    struct names names = {0};

    names.sorted = mem_new(run->n_folders, sizeof(*names.sorted));
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run->folders[i]->present[side])
            names.sorted[names.n++] = run->folders[i]->row.name[side];
    }
    sort_names(&names);
    return names;
}

/* --- what is to be ------------------------------------------------------------------ */

static bool is_subscribed(const struct folder_work *work, enum side side,
                          const struct names listed[SIDES])
{
    /* A dry run has renamed nothing. */
    if (work->run->options.dry)
        return work->entry[side] != NULL && work->entry[side]->subscribed;
    return work->entry[side] != NULL &&
           has_name(&listed[side], work->row.name[side]);
}

static bool wanted(const struct folder_work *work, const bool now[SIDES])
{
    const struct policy *policy = work->run->options.policy;

    if (policy->direction == DIRECTION_LEFT_TO_RIGHT)
        return now[LEFT];
    if (policy->direction == DIRECTION_RIGHT_TO_LEFT)
        return now[RIGHT];
    /* One that was just made says nothing. */
    for (enum side side = LEFT; side < SIDES; side++) {
        if (work->entry[side] == NULL)
            return now[other(side)];
    }
    if (!work->row.has_subscribed)
        return now[LEFT] || now[RIGHT];
    if (work->was_renamed)
        return work->row.subscribed || now[LEFT] || now[RIGHT];
    return now[LEFT] != work->row.subscribed ? now[LEFT] : now[RIGHT];
}

/* --- carrying out --------------------------------------------------------------------- */

struct subscribing {
    struct folder_request request;
    struct run *run;
    enum side side;
    struct folder_work *work; /* whose record waits for it, or NULL */
};

/* What both sides have goes on record. */
static void record(struct folder_work *work, bool subscribed)
{
    if (work->row.has_subscribed && work->row.subscribed == subscribed)
        return;
    work->row.has_subscribed = true;
    work->row.subscribed = subscribed;
    work->looked = true; /* its row has news */
}

/* One that a server does not take is tried again by the next run; the folder is
 * a folder all the same. */
static void on_done(struct request *base)
{
    struct subscribing *subscribing = base->owner;
    struct folder_work *work = subscribing->work;
    struct run *run = subscribing->run;

    if (!run_is_over(run, subscribing->side, base->result, &base->err) &&
        base->result == 0 && work != NULL)
        record(work, subscribing->request.action == FOLDER_SUBSCRIBE);
    free(subscribing);
    run_end(run);
}

static void send(struct run *run, enum side side, const char *name,
                 enum folder_action action, struct folder_work *work)
{
    struct subscribing *subscribing = MEM_NEW(struct subscribing);

    subscribing->run = run;
    subscribing->side = side;
    subscribing->work = work;
    subscribing->request.base.done = on_done;
    subscribing->request.base.owner = subscribing;
    subscribing->request.action = action;
    subscribing->request.name = name;
    run_begin(run);
    endpoint_folder(run->options.endpoint[side], &subscribing->request);
}

static void tell(struct folder_work *work, enum side side, bool subscribe)
{
    struct run *run = work->run;
    struct report_event event = {
        .kind = subscribe ? REPORT_SUBSCRIBE : REPORT_UNSUBSCRIBE,
        .side = side,
        .folder = work->row.name[side],
    };

    if (run->options.dry)
        run->result.todo++;
    run_report(run, &event);
}

static void follow(struct folder_work *work, const struct names listed[SIDES])
{
    struct run *run = work->run;
    bool now[SIDES];
    bool want;

    if (work->failed || !work->present[LEFT] || !work->present[RIGHT])
        return;
    for (enum side side = LEFT; side < SIDES; side++)
        now[side] = is_subscribed(work, side, listed);
    want = wanted(work, now);
    for (enum side side = LEFT; side < SIDES; side++) {
        if (now[side] == want || !rules_may_change(run->options.policy, side))
            continue;
        tell(work, side, want);
        if (!run->options.dry)
            send(run, side, work->row.name[side],
                 want ? FOLDER_SUBSCRIBE : FOLDER_UNSUBSCRIBE,
                 now[other(side)] == want ? work : NULL);
    }
    if (now[LEFT] == want && now[RIGHT] == want && !run->options.dry)
        record(work, want);
}

/* A name that was subscribed to, until its folder went away from it. */
static void forget_names(struct run *run, enum side side)
{
    struct names present = present_names(run, side);

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_entry *entry = run->folders[i]->entry[side];

        if (entry == NULL || !entry->subscribed || run->folders[i]->failed ||
            has_name(&present, entry->name))
            continue;
        send(run, side, entry->name, FOLDER_UNSUBSCRIBE, NULL);
    }
    free(present.sorted);
}

void run_subscribe(struct run *run)
{
    struct names listed[SIDES];

    if (!run->options.policy->subscriptions || run->pass > 0 ||
        !run->options.endpoint[LEFT]->keeps_subscriptions ||
        !run->options.endpoint[RIGHT]->keeps_subscriptions)
        return;
    listed[LEFT] = listed_names(run, LEFT);
    listed[RIGHT] = listed_names(run, RIGHT);
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++)
        follow(run->folders[i], listed);
    for (enum side side = LEFT; side < SIDES; side++) {
        if (!run->options.dry && rules_may_change(run->options.policy, side))
            forget_names(run, side);
    }
    run_end(run);
    free(listed[LEFT].sorted);
    free(listed[RIGHT].sorted);
}
