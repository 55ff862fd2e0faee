/*
 * Twins get the names that their folders have now, one after the other on each
 * side. Each step is put on record at once; what is still to be done follows
 * from the names alone, so that a run that was killed goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/rename_order.h"
#include "sync/run_internal.h"

/* The renames of one side. */
struct renaming {
    struct run *run;
    enum side side;
    struct rename_place *places;
    struct folder_work **works; /* of each place, or NULL */
    size_t n;
    size_t cap;
    size_t steps_left; /* to be sure that it ends */
    struct folder_request change;
    size_t index; /* of the place under way */
    char *to;
};

static void next_rename(struct renaming *renaming);

/* Without a twin, too, where it was to make way for another one. */
static bool follows(const struct folder_work *work, enum side side)
{
    return work->winner == other(side) && !work->failed &&
           work->entry[side] != NULL &&
           (work->entry[other(side)] != NULL || work->makes_way);
}

static bool any_follows(const struct run *run, enum side side)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        if (follows(run->folders[i], side))
            return true;
    }
    return false;
}

/* Without a twin it may go wherever its parent goes. */
static bool is_only_there(const struct folder_work *work, enum side side)
{
    return work->entry[other(side)] == NULL;
}

/* And its twin, when it is made, will be called after it. */
static bool is_new_there(const struct folder_work *work, enum side side)
{
    return is_only_there(work, side) && !work->row.exists[other(side)];
}

/* @want  taken over */
static void add_place(struct renaming *renaming, const char *name, char *want,
                      struct folder_work *work)
{
    size_t n = renaming->n++;
    size_t cap = renaming->cap;

    renaming->places =
        mem_grow(renaming->places, n, &cap, sizeof(*renaming->places));
    renaming->works =
        mem_grow(renaming->works, n, &renaming->cap, sizeof(*renaming->works));
    renaming->places[n] =
        (struct rename_place){.name = mem_copy(name), .want = want};
    renaming->works[n] = work;
}

/* Is, or will, anything be called so? */
static bool has_place(const struct renaming *renaming, const char *name)
{
    for (size_t i = 0; i < renaming->n; i++) {
        const struct rename_place *place = &renaming->places[i];

        if (strcmp(place->name, name) == 0 ||
            (place->want != NULL && strcmp(place->want, name) == 0))
            return true;
    }
    return false;
}

/* What could go along, but would run into another folder there, stays. */
static void keep_names(struct renaming *renaming)
{
    for (size_t i = 0; i < renaming->n; i++) {
        struct rename_place *place = &renaming->places[i];

        for (size_t k = 0; k < renaming->n && place->want == NULL; k++) {
            const struct rename_place *above = &renaming->places[k];
            char *name;

            if (renaming->works[i] == NULL || above->want == NULL ||
                strcmp(above->name, above->want) == 0 ||
                !rename_order_is_below(place->name, above->name))
                continue;
            name = rename_order_follow(place->name, above->name, above->want);
            if (has_place(renaming, name))
                place->want = mem_copy(place->name);
            free(name);
        }
    }
}

/* Everything that has a name there. What takes no part keeps its name, or goes
 * along with its parent. */
static void collect_places(struct renaming *renaming)
{
    struct run *run = renaming->run;
    enum side side = renaming->side;
    const struct list_request *list = &run->list[side];

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];
        char *want = NULL;

        if (work->entry[side] == NULL)
            continue;
        if (follows(work, side))
            want = run_map_name(run, side, work->row.name[other(side)]);
        else if (!work->failed && !is_only_there(work, side))
            want = mem_copy(work->entry[side]->name);
        add_place(renaming, work->entry[side]->name, want, work);
    }
    for (size_t i = 0; i < list->n_folders; i++) {
        const struct folder_entry *entry = &list->folders[i];
        bool known = !entry->selectable || entry->problem != NULL;

        for (size_t k = 0; k < run->n_folders && !known; k++)
            known = run->folders[k]->entry[side] == entry;
        if (!known)
            add_place(renaming, entry->name, NULL, NULL);
    }
    keep_names(renaming);
    renaming->steps_left = 4 * renaming->n + 4;
}

static void free_renaming(struct renaming *renaming)
{
    for (size_t i = 0; i < renaming->n; i++) {
        free(renaming->places[i].name);
        free(renaming->places[i].want);
    }
    free(renaming->places);
    free(renaming->works);
    free(renaming->to);
    free(renaming);
}

/* --- what became of it ---------------------------------------------------------- */

static void tell(const struct folder_work *work, enum side side)
{
    struct run *run = work->run;
    struct report_event event = {
        .kind = REPORT_FOLDER_RENAME,
        .side = side,
        .folder = work->row.name[other(side)],
        .from = work->entry[side]->name,
    };

    if (run->options.dry)
        run->result.todo++;
    else
        run->result.counts[side].folders_renamed++;
    run_report(run, &event);
}

static void tell_failure(const struct folder_work *work, enum side side,
                         const char *want, const char *reason)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .folder = run_folder_name(work),
    };
    char *text = mem_printf("it cannot be renamed from \"%s\" to \"%s\" on "
                            "%s: %s",
                            work->row.name[side], want,
                            work->run->options.endpoint[side]->name, reason);

    event.reason = text;
    run_report(work->run, &event);
    free(text);
}

/* Does it have its name now? */
static void conclude(struct renaming *renaming, size_t i)
{
    const struct rename_place *place = &renaming->places[i];
    struct folder_work *work = renaming->works[i];
    enum side side = renaming->side;

    if (work != NULL && is_new_there(work, side)) {
        free(work->row.name[other(side)]);
        work->row.name[other(side)] =
            run_map_name(work->run, other(side), place->name);
    }
    if (work == NULL || !follows(work, side) || place->want == NULL)
        return;
    if (strcmp(place->name, place->want) == 0) {
        work->winner = SIDES;
        work->row.follows[side] = false;
        if (strcmp(work->entry[side]->name, place->name) != 0)
            tell(work, side);
    } else if (!place->stays) {
        tell_failure(work, side, place->want,
                     rename_order_is_held_back(renaming->places, renaming->n, i)
                         ? "one below it could not be renamed first"
                         : "another folder has that name, and keeps it");
    }
}

static void finish(struct renaming *renaming)
{
    struct run *run = renaming->run;

    for (size_t i = 0; i < renaming->n && !run_is_closing(run); i++)
        conclude(renaming, i);
    run_folders_sort(run);
    run_end(run);
}

/* --- carrying out ------------------------------------------------------------------ */

/* Of what had a twin, and went along without it, the twin would have gone along
 * too: its old name on record would be taken for that of any other folder there
 * that gets it. */
static void note_lost_twin(struct renaming *renaming, size_t i)
{
    const struct folder_work *above = renaming->works[renaming->index];
    struct folder_work *work = renaming->works[i];
    enum side twin = other(renaming->side);
    char *name;

    if (above == NULL || work->failed || !is_only_there(work, renaming->side) ||
        is_new_there(work, renaming->side))
        return;
    name = rename_order_follow(renaming->places[i].name, renaming->to,
                               above->row.name[twin]);
    if (name == NULL)
        return;
    free(work->row.name[twin]);
    work->row.name[twin] = name;
}

static void note_name(struct renaming *renaming, size_t i)
{
    struct rename_place *place = &renaming->places[i];
    struct folder_work *work = renaming->works[i];
    struct run *run = renaming->run;
    enum side side = renaming->side;

    if (work == NULL || run->options.dry)
        return;
    free(work->row.name[side]);
    work->row.name[side] = mem_copy(place->name);
    if (!rename_order_is_temporary(renaming->to))
        note_lost_twin(renaming, i);
    work->looked = true;
    /* One that only stepped aside has to come back, too. */
    work->row.follows[side] =
        place->want != NULL && strcmp(place->name, place->want) != 0;
    if (work->in_state)
        state_folder_put(run->options.state, &work->row);
}

/* The folder has its new name, and all below it have theirs. */
static void note_step(struct renaming *renaming)
{
    char *from = mem_copy(renaming->places[renaming->index].name);

    for (size_t i = 0; i < renaming->n; i++) {
        struct rename_place *place = &renaming->places[i];
        char *name = rename_order_follow(place->name, from, renaming->to);

        if (name == NULL)
            continue;
        free(place->name);
        place->name = name;
        note_name(renaming, i);
    }
    free(from);
    free(renaming->to);
    renaming->to = NULL;
    run_commit(renaming->run);
}

static void give_up(struct renaming *renaming, const struct err *err)
{
    struct rename_place *place = &renaming->places[renaming->index];
    struct folder_work *work = renaming->works[renaming->index];

    if (work != NULL)
        tell_failure(work, renaming->side, renaming->to, err->text);
    place->stays = true; /* until the next run */
    free(renaming->to);
    renaming->to = NULL;
}

static void on_renamed(struct request *base)
{
    struct renaming *renaming = base->owner;

    if (!run_is_over(renaming->run, renaming->side, base->result, &base->err)) {
        if (base->result == 0)
            note_step(renaming);
        else
            give_up(renaming, &base->err);
    }
    next_rename(renaming);
}

static void send(struct renaming *renaming)
{
    struct folder_request *change = &renaming->change;

    memset(change, 0, sizeof(*change));
    change->base.done = on_renamed;
    change->base.owner = renaming;
    change->action = FOLDER_RENAME;
    change->name = renaming->places[renaming->index].name;
    change->new_name = renaming->to;
    endpoint_folder(renaming->run->options.endpoint[renaming->side], change);
}

static void next_rename(struct renaming *renaming)
{
    while (!run_is_closing(renaming->run) && renaming->steps_left > 0 &&
           rename_order_next(renaming->places, renaming->n, &renaming->index,
                             &renaming->to)) {
        renaming->steps_left--;
        if (!renaming->run->options.dry) {
            send(renaming);
            return;
        }
        note_step(renaming);
    }
    finish(renaming);
}

void run_renames(struct run *run)
{
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct renaming *renaming;

        if (!any_follows(run, side))
            continue;
        renaming = MEM_NEW(struct renaming);
        renaming->run = run;
        renaming->side = side;
        run->renaming[side] = renaming;
        collect_places(renaming);
        run_begin(run);
        next_rename(renaming);
    }
    run_end(run);
}

void run_renames_deinit(struct run *run)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        if (run->renaming[side] != NULL)
            free_renaming(run->renaming[side]);
    }
}
