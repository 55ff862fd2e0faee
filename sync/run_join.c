/*
 * The entries of both lists that are of no folder on record: new folders, and
 * the twins that were listed for them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "sync/run_internal.h"

/* --- entries that are nobody's ------------------------------------------------ */

/* The entries of one side that have a folder by now, sorted. */
struct seated {
    const struct folder_entry **entries;
    size_t n;
};

static int by_address(const void *a, const void *b)
{
    const struct folder_entry *const *one = a;
    const struct folder_entry *const *two = b;

    return *one < *two ? -1 : *one > *two;
}

static struct seated seated_on(const struct run *run, enum side side)
{
    struct seated seated = {0};

    seated.entries = mem_new(run->n_folders, sizeof(*seated.entries));
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run->folders[i]->entry[side] != NULL)
            seated.entries[seated.n++] = run->folders[i]->entry[side];
    }
    if (seated.n > 1)
        qsort(seated.entries, seated.n, sizeof(*seated.entries), by_address);
    return seated;
}

static bool is_seated(const struct seated *seated,
                      const struct folder_entry *entry)
{
    return seated->n > 0 &&
           bsearch(&entry, seated->entries, seated->n, sizeof(*seated->entries),
                   by_address) != NULL;
}

/* --- folders by their names on one side --------------------------------------- */

struct named {
    const char *name;
    struct folder_work *work;
};

struct index {
    struct named *named;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    const struct named *one = a;
    const struct named *two = b;

    return strcmp(one->name, two->name);
}

static struct index index_by(const struct run *run, enum side side)
{
    struct index index = {.n = run->n_folders};

    index.named = mem_new(index.n, sizeof(*index.named));
    for (size_t i = 0; i < index.n; i++) {
        struct folder_work *work = run->folders[i];

        index.named[i] = (struct named){work->row.name[side], work};
    }
    if (index.n > 1)
        qsort(index.named, index.n, sizeof(*index.named), by_name);
    return index;
}

static struct folder_work *find(const struct index *index, const char *name)
{
    struct named key = {.name = name};
    const struct named *found = index->n == 0
                                    ? NULL
                                    : bsearch(&key, index->named, index->n,
                                              sizeof(*index->named), by_name);

    return found != NULL ? found->work : NULL;
}

/* --- special use ---------------------------------------------------------------- */

/* The only folder of that use there, and of no folder on record; else NULL. */
static const struct folder_entry *only_of_use(const struct run *run,
                                              const struct seated *seated,
                                              enum side side,
                                              enum special_use use)
{
    const struct list_request *list = &run->list[side];
    const struct folder_entry *found = NULL;

    for (size_t i = 0; i < list->n_folders; i++) {
        const struct folder_entry *entry = &list->folders[i];

        if (entry->use != use || !entry->selectable || entry->problem != NULL ||
            entry->skipped != NULL)
            continue;
        if (found != NULL || is_seated(seated, entry) ||
            strcmp(entry->name, "INBOX") == 0)
            return NULL;
        found = entry;
    }
    return found;
}

bool run_is_listed(const struct run *run, enum side side, const char *name)
{
    for (size_t i = 0; i < run->list[side].n_folders; i++) {
        if (strcmp(run->list[side].folders[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Two folders of one use are each other's twin where neither name is on the
 * other side. The name on the left decides whether they take part. */
static void map_uses(struct run *run)
{
    struct seated seated[SIDES] = {seated_on(run, LEFT), seated_on(run, RIGHT)};

    for (enum special_use use = USE_ALL; use <= USE_TRASH; use++) {
        const struct folder_entry *left =
            only_of_use(run, &seated[LEFT], LEFT, use);
        const struct folder_entry *right =
            only_of_use(run, &seated[RIGHT], RIGHT, use);
        struct folder_work *work;

        if (left == NULL || right == NULL ||
            run_is_listed(run, RIGHT, left->name) ||
            run_is_listed(run, LEFT, right->name))
            continue;
        if (!filter_accepts(run->filter, left->name)) {
            filter_exclude(run->filter, right->name); /* nor does its twin */
            continue;
        }
        work = run_folder_new(run, left->name, right->name);
        work->entry[LEFT] = left;
        work->entry[RIGHT] = right;
    }
    free(seated[LEFT].entries);
    free(seated[RIGHT].entries);
}

/* --- halves --------------------------------------------------------------------- */

/* On @side only. */
static bool is_half(const struct folder_work *work, enum side side)
{
    return work->entry[side] != NULL && work->entry[other(side)] == NULL &&
           !work->failed;
}

/* Were it alone, would it be made on @side? */
static bool is_to_be_made(const struct folder_work *work, enum side side)
{
    return !work->row.exists[side];
}

/* A half that was a whole is on its way out, unless there is mail to come into
 * it. Such a one must not come back only as it has another one's name. */
static bool are_twins(const struct folder_work *left,
                      const struct folder_work *right)
{
    return (left->row.pairs == 0 && right->row.pairs == 0) ||
           is_to_be_made(left, RIGHT) || is_to_be_made(right, LEFT);
}

static struct folder_work *twin_of(const struct run *run,
                                   const struct index *halves,
                                   const struct folder_work *left)
{
    char *name = run_map_name(run, RIGHT, left->row.name[LEFT]);
    struct folder_work *right = find(halves, name);

    free(name);
    return right != NULL && are_twins(left, right) ? right : NULL;
}

static struct index index_halves(const struct run *run, enum side side)
{
    struct index index = index_by(run, side);
    size_t n = 0;

    for (size_t i = 0; i < index.n; i++) {
        if (is_half(index.named[i].work, side))
            index.named[n++] = index.named[i];
    }
    index.n = n;
    return index;
}

/* What was paired was paired with another folder: it is as if both were seen
 * for the first time. Nothing is deleted for it. */
static void join_half(struct folder_work *left, struct folder_work *right)
{
    struct report_event event = {
        .kind = REPORT_NOTICE,
        .folder = left->row.name[LEFT],
        .reason = "is a folder of this name on both sides now: its messages "
                  "are paired anew",
    };

    if (left->row.pairs > 0 || right->row.pairs > 0)
        run_report(left->run, &event);
    run_folder_forget(left);
    run_folder_forget(right);
    free(left->row.name[RIGHT]);
    left->row.name[RIGHT] = mem_copy(right->row.name[RIGHT]);
    left->winner = SIDES;
    left->entry[RIGHT] = right->entry[RIGHT];
    right->entry[RIGHT] = NULL;
    for (enum side side = LEFT; side < SIDES; side++) {
        left->row.follows[side] = false;
        left->present[side] = true;
        left->ask[side] = true;
        right->row.exists[side] = false;
        right->present[side] = false;
        right->ask[side] = false;
    }
}

void run_join_halves(struct run *run)
{
    struct index halves = index_halves(run, RIGHT);
    bool any = false;

    for (size_t i = 0; i < run->n_folders && halves.n > 0; i++) {
        struct folder_work *left = run->folders[i];
        struct folder_work *right =
            is_half(left, LEFT) ? twin_of(run, &halves, left) : NULL;

        if (right == NULL || !is_half(right, RIGHT))
            continue;
        join_half(left, right);
        any = true;
    }
    free(halves.named);
    if (any)
        run_commit(run);
}

/* --- names that cross ------------------------------------------------------------- */

static struct folder_work *new_half(const struct run *run, enum side side,
                                    const char *name)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (is_half(work, side) && work->row.pairs == 0 &&
            is_to_be_made(work, other(side)) &&
            strcmp(work->row.name[side], name) == 0)
            return work;
    }
    return NULL;
}

/* The name that a twin is to have is a new folder's there, and on the other side
 * the name it has is a new folder's: these two are each other's twin, and the
 * names are exchanged. */
static bool cross(struct run *run, const struct folder_work *work)
{
    enum side side = other(work->winner);
    struct folder_work *half[SIDES];

    half[side] = new_half(run, side, work->row.name[work->winner]);
    half[work->winner] = new_half(run, work->winner, work->row.name[side]);
    if (half[LEFT] == NULL || half[RIGHT] == NULL)
        return false;
    join_half(half[LEFT], half[RIGHT]);
    half[LEFT]->winner = work->winner;
    half[LEFT]->row.follows[side] = true;
    half[LEFT]->row.exists[LEFT] = true;
    half[LEFT]->row.exists[RIGHT] = true;
    half[LEFT]->in_state = true;
    if (!run->options.dry)
        state_folder_put(run->options.state, &half[LEFT]->row);
    return true;
}

static void cross_names(struct run *run)
{
    bool any = false;

    if (run->options.policy->direction != DIRECTION_BOTH)
        return;
    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        if (work->winner != SIDES && work->entry[LEFT] != NULL &&
            work->entry[RIGHT] != NULL && !work->failed)
            any = cross(run, work) || any;
    }
    if (any)
        run_commit(run);
}

/* --- joining -------------------------------------------------------------------- */

static void tell_problem(struct run *run, enum side side,
                         const struct folder_entry *entry)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .folder = entry->name,
        .reason = entry->problem,
    };

    run_report(run, &event);
}

/* An entry that is nobody's: of a folder that the other list has named, or of a
 * new one. */
static void join_entry(struct run *run, const struct index *index,
                       enum side side, const struct folder_entry *entry)
{
    struct folder_work *work = find(index, entry->name);
    char *name[SIDES];

    if (entry->problem == NULL && work != NULL && work->entry[side] == NULL) {
        work->entry[side] = entry;
        return;
    }
    name[side] = mem_copy(entry->name);
    name[other(side)] = run_map_name(run, other(side), entry->name);
    if (entry->skipped != NULL || !filter_accepts(run->filter, name[LEFT])) {
        /* takes no part */
    } else if (entry->problem != NULL) {
        tell_problem(run, side, entry);
        if (work != NULL) {
            work->failed = true;
            work->unseen = work->unseen || run_knows_anything(work);
        }
    } else {
        run_folder_new(run, name[LEFT], name[RIGHT])->entry[side] = entry;
    }
    free(name[LEFT]);
    free(name[RIGHT]);
}

static void join_list(struct run *run, enum side side)
{
    const struct list_request *list = &run->list[side];
    struct seated seated = seated_on(run, side);
    struct index index = index_by(run, side);

    for (size_t i = 0; i < list->n_folders; i++) {
        const struct folder_entry *entry = &list->folders[i];

        if ((entry->selectable || entry->problem != NULL) &&
            !is_seated(&seated, entry))
            join_entry(run, &index, side, entry);
    }
    free(seated.entries);
    free(index.named);
}

/* A folder is gone only if the whole list was understood. */
static void doubt_absent(struct run *run, enum side side)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .reason = "the folder list holds lines that are not understood: what "
                  "is missing in it is left as it is",
    };
    struct err err;

    if (!run->list[side].doubtful || SABOTAGED(any_folder_list))
        return;
    run_report(run, &event);
    err_set(&err, ERR_PROTOCOL, "not in %s's list, which was not understood",
            run->options.endpoint[side]->name);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!work->row.exists[side] || work->present[side])
            continue;
        work->unseen = work->unseen || run_knows_anything(work);
        run_folder_failed(work, side, &err);
    }
}

/* A side that listed nothing, though the record knows of mail in there. */
static int guard_empty_list(struct run *run, enum side side, struct err *err)
{
    size_t lost = 0;

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        if (work->present[side])
            return 0;
        if (work->row.exists[side] && work->row.pairs > 0)
            lost++;
    }
    if (lost == 0 || run->options.force_delete)
        return 0;
    return err_set(err, ERR_GUARD,
                   "%s has no folders any more, and %zu were there; nothing "
                   "was deleted: check the account, or run with "
                   "--force-delete if that is meant",
                   run->options.endpoint[side]->name, lost);
}

static int mark_intent(void *owner, const struct state_intent *intent)
{
    struct run *run = owner;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (work->in_state && work->row.id == intent->folder) {
            work->ask[LEFT] = true;
            work->ask[RIGHT] = true;
        }
    }
    return 0;
}

/* What stays with a folder goes on record once it is known. */
static void note_object(struct folder_work *work, enum side side)
{
    const struct folder_entry *entry = work->entry[side];

    if (entry == NULL || !entry->has_token || entry->token.object == 0 ||
        entry->token.object == work->token[side].object)
        return;
    work->token[side].object = entry->token.object;
    if (work->in_state && work->has_token[side])
        work->looked = true;
}

static void take_entries(struct folder_work *work)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        work->present[side] = work->entry[side] != NULL;
        note_object(work, side);
    }
    run_ask(work);
}

int run_join(struct run *run, struct err *err)
{
    int r;

    if (run->options.policy->special_use)
        map_uses(run);
    join_list(run, LEFT);
    join_list(run, RIGHT);
    cross_names(run);
    run_folders_sort(run);
    for (size_t i = 0; i < run->n_folders; i++)
        take_entries(run->folders[i]);
    for (enum side side = LEFT; side < SIDES; side++) {
        doubt_absent(run, side);
        r = guard_empty_list(run, side, err);
        if (r < 0)
            return r;
    }
    return state_intent_each(run->options.state, mark_intent, run, err);
}

/* --- two folders, one name -------------------------------------------------------- */

static bool is_somewhere(const struct folder_work *work)
{
    return work->present[LEFT] || work->present[RIGHT];
}

/* Of folders that share a name there, those that are not there must not be made:
 * they would be one. */
static void note_holder(const struct named *named, size_t n, enum side side)
{
    for (size_t i = 0; i < n; i++) {
        named[i].work->holder[side] = NULL;
        for (size_t k = 0; k < n; k++) {
            if (k != i && !named[i].work->present[side] &&
                is_somewhere(named[k].work) &&
                (named[i].work->holder[side] == NULL ||
                 named[k].work->present[side]))
                named[i].work->holder[side] = named[k].work;
        }
    }
}

void run_note_holders(struct run *run)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        struct index index = index_by(run, side);
        size_t end;

        for (size_t i = 0; i < index.n; i = end) {
            for (end = i + 1; end < index.n; end++) {
                if (strcmp(index.named[i].name, index.named[end].name) != 0)
                    break;
            }
            note_holder(index.named + i, end - i, side);
        }
        free(index.named);
    }
}
