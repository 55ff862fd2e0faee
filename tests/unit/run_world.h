/*
 * A pair of mailboxes in memory, on a seeded scheduler, with the real state on
 * disk: whole runs over it, and a look at both sides.
 */
#ifndef TESTS_UNIT_RUN_WORLD_H
#define TESTS_UNIT_RUN_WORLD_H

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/run.h"
#include "tests/sim/model.h"
#include "tests/tap.h"

#define CONTENTS_MAX 256u /* messages that a random world may have */

struct world {
    struct sim sim;
    struct model side[SIDES];
    struct policy policy;
    char dir[64];
    struct run_result result; /* of the latest run */
    uint32_t n_events[REPORT_NOTICE + 1];
    unsigned copies[CONTENTS_MAX]; /* that users made of each message */
    bool over;
    bool dry;
    bool force_delete;
    bool trace; /* tell what happens */
};

__attribute__((unused)) static void on_report(void *owner,
                                              const struct report_event *event)
{
    struct world *world = owner;

    world->n_events[event->kind]++;
    if (world->trace || getenv("TELL") != NULL)
        printf("# event %d side %d %s from %s uid %u, %u: %s\n",
               (int)event->kind, (int)event->side, event->folder,
               event->from != NULL ? event->from : "", event->uid, event->count,
               event->reason != NULL ? event->reason : "");
}

__attribute__((unused)) static void on_done(void *owner,
                                            const struct run_result *result)
{
    struct world *world = owner;

    world->result = *result;
    world->over = true;
}

__attribute__((unused)) static void world_init(struct world *world,
                                               uint32_t seed)
{
    memset(world, 0, sizeof(*world));
    sim_init(&world->sim, seed);
    model_init(&world->side[LEFT], &world->sim, "left");
    model_init(&world->side[RIGHT], &world->sim, "right");
    world->policy.max_delete.kind = MAX_DELETE_PERCENT;
    world->policy.max_delete.value = 50;
    /* In memory where there is such a place: the state syncs a lot. */
    snprintf(world->dir, sizeof(world->dir), "%s/mailtwin-run-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(world->dir) == NULL)
        abort();
}

__attribute__((unused)) static int remove_one(const char *path,
                                              const struct stat *info, int type,
                                              struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

__attribute__((unused)) static void lose_state(struct world *world)
{
    nftw(world->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static void world_deinit(struct world *world)
{
    lose_state(world);
    model_deinit(&world->side[LEFT]);
    model_deinit(&world->side[RIGHT]);
    sim_deinit(&world->sim);
}

/* One run; model_reconnect() was called, and faults were set, before. */
__attribute__((unused)) static int run_once(struct world *world)
{
    struct state_open_options open = {
        .dir = world->dir,
        .pair = "test",
        .identity = {"left", "right"},
        .read_only = world->dry,
    };
    struct run_options options = {
        .pair = "test",
        .policy = &world->policy,
        .endpoint = {&world->side[LEFT].endpoint, &world->side[RIGHT].endpoint},
        .dry = world->dry,
        .force_delete = world->force_delete,
        .report = on_report,
        .done = on_done,
        .owner = world,
    };
    struct run *run;
    struct err err = {{0}};

    memset(world->n_events, 0, sizeof(world->n_events));
    if (state_open(&open, NULL, &options.state, &err) < 0) {
        printf("# %s\n", err.text);
        return ERR_STATE;
    }
    world->over = false;
    run = run_start(&options, &err);
    sim_run(&world->sim, &world->over);
    run_free(run);
    state_close(options.state);
    return world->over ? world->result.result : ERR_LIMIT;
}

__attribute__((unused)) static int sync_once(struct world *world)
{
    model_reconnect(&world->side[LEFT]);
    model_reconnect(&world->side[RIGHT]);
    return run_once(world);
}

__attribute__((unused)) static struct model_folder *inbox(struct world *world,
                                                          enum side side)
{
    return model_make(&world->side[side], "INBOX");
}

__attribute__((unused)) static struct model_mail *by_content(
    struct model_folder *folder, const char *content)
{
    for (size_t i = 0; i < folder->n_mail; i++) {
        if (strcmp(folder->mail[i].content, content) == 0)
            return &folder->mail[i];
    }
    return NULL;
}

__attribute__((unused)) static bool same_folder(struct world *world,
                                                enum side side,
                                                struct model_folder *folder)
{
    struct model *there = &world->side[other(side)];

    if (model_folder(there, folder->name) == NULL)
        return false;
    for (size_t i = 0; i < folder->n_mail; i++) {
        const char *content = folder->mail[i].content;

        if (model_count(&world->side[side], folder->name, content) !=
            model_count(there, folder->name, content))
            return false;
    }
    return true;
}

/* The same folders, and in them the same mail as often. */
__attribute__((unused)) static bool is_equal(struct world *world)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        struct model *model = &world->side[side];

        for (size_t i = 0; i < model->n_folders; i++) {
            if (!same_folder(world, side, model->folders[i]))
                return false;
        }
    }
    return true;
}

__attribute__((unused)) static bool is_idle(struct world *world)
{
    return world->side[LEFT].n_changes == 0 &&
           world->side[RIGHT].n_changes == 0 &&
           world->side[LEFT].n_opened == 0 && world->side[RIGHT].n_opened == 0;
}

__attribute__((unused)) static void fill(struct world *world, enum side side,
                                         const char *folder, unsigned n,
                                         char kind)
{
    for (unsigned i = 0; i < n; i++) {
        char *content = mem_printf("%c%u of %s", kind, i, folder);

        model_deliver(&world->side[side], folder, content, i % 32)->date += i;
        free(content);
    }
}

__attribute__((unused)) static void user_moves(struct world *world,
                                               enum side side, const char *from,
                                               const char *to,
                                               const char *content)
{
    struct model *model = &world->side[side];
    struct model_folder *folder = model_folder(model, from);
    struct model_mail *mail = by_content(folder, content);
    struct model_mail moved = *mail;

    model_deliver(model, to, content, moved.flags.system)->date = moved.date;
    model_expunge(folder, moved.uid);
}

#endif
