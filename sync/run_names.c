/*
 * What is listed under another name is proved, or waits: from here on that is its
 * name, and its twin's is to be the same. Whose name it is where both sides gave
 * it one, and what is to be done about another folder that has the name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* The side whose name wins. What is on record stands; else a one-way pair's
 * source does, else the one that was renamed, and where both were, what the
 * configuration says. */
static enum side winner(const struct folder_work *work)
{
    const struct policy *policy = work->run->options.policy;
    const bool renamed[SIDES] = {
        run_is_renamed(work, LEFT) && !work->ours[LEFT],
        run_is_renamed(work, RIGHT) && !work->ours[RIGHT],
    };

    if (work->winner != SIDES)
        return work->winner;
    if (!renamed[LEFT] && !renamed[RIGHT])
        return work->ours[LEFT] ? RIGHT : LEFT;
    if (policy->direction == DIRECTION_LEFT_TO_RIGHT)
        return LEFT;
    if (policy->direction == DIRECTION_RIGHT_TO_LEFT)
        return RIGHT;
    if (renamed[LEFT] == renamed[RIGHT])
        return policy->on_conflict;
    return renamed[LEFT] ? LEFT : RIGHT;
}

/* Two folders that are each other's twin by their special use keep names of
 * their own. */
static bool is_mapped(const struct folder_work *work)
{
    return work->winner == SIDES &&
           strcmp(work->row.name[LEFT], work->row.name[RIGHT]) != 0 &&
           work->entry[LEFT]->use != USE_NONE &&
           work->entry[LEFT]->use == work->entry[RIGHT]->use;
}

/* The entry that has the name which the twin of @work is to get; or NULL. */
static const struct folder_entry *entry_in_place(const struct folder_work *work)
{
    enum side side = other(winner(work));
    const struct list_request *list = &work->run->list[side];

    for (size_t i = 0; i < list->n_folders; i++) {
        const struct folder_entry *entry = &list->folders[i];

        if (entry->selectable && entry != work->entry[side] &&
            strcmp(entry->name, work->entry[winner(work)]->name) == 0)
            return entry;
    }
    return NULL;
}

/* Whose entry is it? NULL: of no folder on record. */
static struct folder_work *owner_of(const struct run *run, enum side side,
                                    const struct folder_entry *entry)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run->folders[i]->entry[side] == entry)
            return run->folders[i];
    }
    return NULL;
}

/* Another folder of the twin's side has the name, and keeps it: then this is no
 * rename; its messages go into that one. */
static bool is_taken(const struct folder_work *work)
{
    const struct folder_entry *entry = entry_in_place(work);
    enum side side = other(winner(work));
    const struct folder_work *owner;

    if (entry == NULL)
        return false;
    owner = owner_of(work->run, side, entry);
    return owner == NULL ||
           !(owner->makes_way ||
             ((run_seems_renamed(owner) || owner->winner != SIDES) &&
              winner(owner) != side));
}

/* Where both sides gave it another name, the other one may do. */
static bool try_other_name(struct folder_work *work)
{
    if (work->winner != SIDES || !run_is_renamed(work, LEFT) ||
        !run_is_renamed(work, RIGHT) ||
        work->run->options.policy->direction != DIRECTION_BOTH)
        return false;
    work->winner = other(winner(work));
    return !is_taken(work);
}

/* Is a folder called so, on record or in a list? */
static bool is_known(const struct run *run, const char *name)
{
    bool known =
        run_is_listed(run, LEFT, name) || run_is_listed(run, RIGHT, name);

    for (size_t i = 0; i < run->n_folders && !known; i++) {
        known = strcmp(run->folders[i]->row.name[LEFT], name) == 0 ||
                strcmp(run->folders[i]->row.name[RIGHT], name) == 0;
    }
    return known;
}

/* What a folder is called that is gone from @side, and lives on though another
 * one gets its name: fresh memory. */
static char *name_aside(const struct folder_work *work, enum side side)
{
    char *name = folder_kept_name(work->row.name[side], 1);

    for (unsigned n = 2; is_known(work->run, name); n++) {
        free(name);
        name = folder_kept_name(work->row.name[side], n);
    }
    return name;
}

/* The folder that has the name was deleted with all that is in it where the name
 * was given to this one. Put aside, it goes in this run, too; all that its users
 * have not deleted lives on there. */
static bool puts_aside(const struct folder_work *work)
{
    enum side side = other(winner(work));
    const struct folder_entry *entry = entry_in_place(work);
    struct folder_work *owner = owner_of(work->run, side, entry);
    bool is_gone = owner != NULL && owner->entry[other(side)] == NULL &&
                   owner->row.exists[other(side)] &&
                   !work->run->list[other(side)].doubtful;
    char *name;

    if (!is_gone || owner->failed || owner->winner != SIDES ||
        run_seems_renamed(owner) || strcmp(entry->name, "INBOX") == 0)
        return false;
    name = name_aside(owner, other(side));
    owner->makes_way = filter_accepts(work->run->filter, name);
    free(name);
    return owner->makes_way;
}

/* So it was decided in a run that was killed since. */
static bool is_still_to_go(const struct folder_work *work)
{
    return work->winner != SIDES && work->entry[work->winner] == NULL &&
           work->entry[other(work->winner)] != NULL;
}

static void give_way(struct folder_work *work)
{
    enum side side = work->entry[LEFT] != NULL ? LEFT : RIGHT;
    char *name = name_aside(work, other(side));

    free(work->row.name[other(side)]);
    work->row.name[other(side)] = name;
    work->row.follows[side] = true;
    work->winner = other(side);
    work->looked = true;
    if (!work->run->options.dry)
        state_folder_put(work->run->options.state, &work->row);
}

static bool drop_taken(struct run *run)
{
    bool any = false;

    for (size_t i = 0; i < run->n_folders; i++)
        run->folders[i]->makes_way = is_still_to_go(run->folders[i]);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!run_seems_renamed(work) || work->entry[LEFT] == NULL ||
            work->entry[RIGHT] == NULL || is_mapped(work) || !is_taken(work) ||
            puts_aside(work))
            continue;
        any = true;
        if (try_other_name(work))
            continue;
        work->by_name = true;
        work->winner = SIDES;
    }
    return any;
}

/* A rename is still to be carried out, and another folder has the name by now.
 * Then the name before it comes back, if that is still free. */
static bool turn_back(struct folder_work *work)
{
    if (work->winner == SIDES || work->entry[LEFT] == NULL ||
        work->entry[RIGHT] == NULL ||
        work->run->options.policy->direction != DIRECTION_BOTH ||
        !is_taken(work))
        return false;
    work->winner = other(work->winner);
    if (!is_taken(work))
        return true;
    work->winner = other(work->winner);
    return false;
}

/* What was renamed to a name that takes no part has left the pair. That must
 * not look like a deletion of all its messages. */
static void hold_left(struct folder_work *work, enum side side)
{
    struct run *run = work->run;
    char *reason;
    struct report_event event = {
        .kind = REPORT_HELD,
        .side = other(side),
        .source = side,
        .folder = run_folder_name(work),
        .count = work->row.pairs > 0 ? work->row.pairs : 1,
    };

    if (run->options.force_delete) {
        work->entry[side] = NULL; /* it is gone */
        return;
    }
    reason =
        mem_printf("it was renamed to \"%s\" on %s, which takes no part: "
                   "give it another name there, or run once with "
                   "--force-delete if it is to be deleted here",
                   work->entry[side]->name, run->options.endpoint[side]->name);
    event.reason = reason;
    work->failed = true;
    run_report(run, &event);
    free(reason);
}

static bool has_left(const struct folder_work *work, enum side side)
{
    return run_is_renamed(work, side) && !work->ours[side] &&
           winner(work) == side &&
           !filter_accepts(work->run->filter, work->entry[side]->name);
}

static void take_name(struct folder_work *work)
{
    bool has_twin = work->entry[LEFT] != NULL && work->entry[RIGHT] != NULL;

    if (has_twin && work->winner == SIDES && !is_mapped(work))
        work->winner = winner(work);
    for (enum side side = LEFT; side < SIDES; side++) {
        if (work->entry[side] == NULL)
            continue;
        free(work->row.name[side]);
        work->row.name[side] = mem_copy(work->entry[side]->name);
        work->row.follows[side] = work->winner == other(side);
    }
    work->was_renamed = true;
    work->looked = true; /* its row has another name */
    if (!work->run->options.dry)
        state_folder_put(work->run->options.state, &work->row);
}

void run_take_names(struct run *run)
{
    bool any = false;

    run_prove_rest(run);
    do {
        run_seat_all(run, true);
    } while (drop_taken(run));
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (work->makes_way && work->winner == SIDES) {
            give_way(work);
            any = true;
        }
        if (work->failed || (!run_seems_renamed(work) && !turn_back(work)))
            continue;
        for (enum side side = LEFT; side < SIDES; side++) {
            if (!work->failed && has_left(work, side))
                hold_left(work, side);
        }
        if (work->failed)
            continue;
        take_name(work);
        any = true;
    }
    /* From here on a run that is killed only has to rename the twins. */
    if (any)
        run_commit(run);
}
