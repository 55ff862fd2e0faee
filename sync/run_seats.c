/*
 * Which listed folder is which on record. One that was renamed is found by what
 * stays with it (heirs.h), and a sample of its messages has to show that it is
 * so. It is only an optimisation: a rename that is not recognised is messages
 * that move, one by one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/heirs.h"
#include "sync/rename_order.h"
#include "sync/run_internal.h"

bool run_is_renamed(const struct folder_work *work, enum side side)
{
    return work->entry[side] != NULL &&
           strcmp(work->entry[side]->name, work->row.name[side]) != 0;
}

bool run_seems_renamed(const struct folder_work *work)
{
    return run_is_renamed(work, LEFT) || run_is_renamed(work, RIGHT);
}

static void seat_side(struct run *run, enum side side)
{
    const struct list_request *list = &run->list[side];
    struct heir *heirs = mem_new(run->n_folders, sizeof(*heirs));

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        heirs[i].name = work->row.name[side];
        heirs[i].token = &work->row.token[side];
        heirs[i].by_name = work->by_name;
    }
    heirs_find(heirs, run->n_folders, list->folders, list->n_folders);
    for (size_t i = 0; i < run->n_folders; i++) {
        run->folders[i]->entry[side] =
            heirs[i].entry != HEIR_NONE ? &list->folders[heirs[i].entry] : NULL;
    }
    free(heirs);
}

char *run_map_name(const struct run *run, enum side side, const char *name)
{
    const struct folder_work *above = NULL;
    enum side from = other(side);
    size_t longest = 0;

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];
        size_t n = strlen(work->row.name[from]);

        if (n > longest && work->winner == SIDES && work->entry[LEFT] != NULL &&
            work->entry[RIGHT] != NULL &&
            rename_order_is_below(name, work->row.name[from])) {
            above = work;
            longest = n;
        }
    }
    return above != NULL
               ? mem_printf("%s%s", above->row.name[side], name + longest)
               : mem_copy(name);
}

/* What a folder above it, which was still to be renamed when the last run ended,
 * would have made of its name; fresh memory, or NULL. */
static char *name_below(const struct folder_work *above,
                        const struct folder_work *work, enum side side)
{
    char *want;
    char *name;

    if (!above->row.follows[side] ||
        !rename_order_is_below(work->row.name[side], above->row.name[side]))
        return NULL;
    want = run_map_name(work->run, side, above->row.name[other(side)]);
    name =
        rename_order_follow(work->row.name[side], above->row.name[side], want);
    free(want);
    return name;
}

/* Was it us who gave it its name, in a run that was killed before that was on
 * record? */
static bool is_our_name(const struct folder_work *work, enum side side)
{
    const struct run *run = work->run;
    const char *name = work->entry[side]->name;
    bool is_ours = rename_order_is_temporary(name);
    char *want;

    if (work->row.follows[side]) {
        want = run_map_name(run, side, work->row.name[other(side)]);
        is_ours = is_ours || strcmp(name, want) == 0;
        free(want);
    }
    for (size_t i = 0; i < run->n_folders && !is_ours; i++) {
        want = name_below(run->folders[i], work, side);
        is_ours = want != NULL && strcmp(name, want) == 0;
        free(want);
    }
    return is_ours;
}

/* A name is only followed where there is a twin to follow it: a folder that was
 * renamed here and deleted there lives on as a new one, unless it was us who
 * renamed it. */
static bool may_be_renamed(const struct folder_work *work, bool only_proved)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        if (work->entry[side] == NULL)
            return work->ours[other(side)];
    }
    return work->proved || work->failed || !only_proved;
}

/* Those that cannot be what they seem are sought by their names, until all
 * fits. */
void run_seat_all(struct run *run, bool only_proved)
{
    bool again = true;

    while (again) {
        again = false;
        seat_side(run, LEFT);
        seat_side(run, RIGHT);
        for (size_t i = 0; i < run->n_folders; i++) {
            struct folder_work *work = run->folders[i];

            for (enum side side = LEFT; side < SIDES; side++)
                work->ours[side] =
                    run_is_renamed(work, side) && is_our_name(work, side);
            if (work->by_name || !run_seems_renamed(work) ||
                may_be_renamed(work, only_proved))
                continue;
            work->by_name = true;
            again = true;
        }
    }
}

void run_seats(struct run *run)
{
    run_seat_all(run, false);
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];

        if (run_seems_renamed(work) && work->entry[LEFT] != NULL &&
            work->entry[RIGHT] != NULL)
            run_prove(run->folders[i]);
    }
    run_end(run);
}
