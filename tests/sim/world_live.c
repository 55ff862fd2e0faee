/* The history of a world. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/content.h"
#include "tests/sim/net.h"
#include "tests/sim/sched.h"
#include "tests/sim/snapshot.h"
#include "tests/sim/world.h"

#define ROUNDS   4u
#define RUNS_MAX 2u /* without faults, until both sides are in step */

static void tell_sides(const struct world *world)
{
    for (enum side side = LEFT; world->tell && side < SIDES; side++) {
        struct look look;

        half_look(world->half[side], &look);
        for (size_t i = 0; i < look.n_folders; i++) {
            printf("#   %s %s:", side == LEFT ? "left" : "right",
                   look.folders[i]);
            for (size_t k = 0; k < look.n_mail; k++) {
                if (look.mail[k].folder == i)
                    printf(" %u=%u.%x", look.mail[k].uid, look.mail[k].content,
                           look.mail[k].flags);
            }
            printf("\n");
        }
        look_free(&look);
    }
}

/* --- faults ------------------------------------------------------------------- */

static void set_faults(struct world *world, bool any)
{
    static const uint32_t rates[] = {0, 0, 0, 8, 20, 50, 200};
    struct net_faults *net = net_faults();

    net->lookup = any && sched_chance(8) ? 4 : 0;
    net->connect = any && sched_chance(4) ? 4 : 0;
    net->cut = any && sched_chance(2) ? 1 + sched_random(4) : 0;
    net->cut_max = 1u << (6 + sched_random(9));
    for (enum side side = LEFT; side < SIDES; side++) {
        struct server *server = half_server(world->half[side]);

        for (int i = 0; server != NULL && i < SERVER_FAULTS; i++)
            server->fault[i] = any ? rates[sched_random(7)] : 0;
    }
    world->users_edit = any && sched_chance(2);
    world_disk_fault(world, any);
}

static void renumber(struct world *world)
{
    struct half *half = world->half[sched_random(SIDES)];
    struct look look;
    const char *name;

    if (half == world->maildir)
        half = world->half[other(world->maildir_side)];
    half_look(half, &look);
    name = look.folders[sched_random((uint32_t)look.n_folders)];
    if (world->tell)
        printf("# UIDVALIDITY of %s changes on the %s\n", name,
               half == world->half[LEFT] ? "left" : "right");
    half->class->renumber(half, name);
    world->counts->faults[WORLD_RENUMBERED]++;
    world->account.reset = true;
    look_free(&look);
}

static void put_state(struct world *world, const struct snapshot *state)
{
    disk_others_begin();
    snapshot_restore(state, world->state_dir, false);
    disk_others_end();
    disk_settle();
}

/* What may happen to the record, or to a Maildir, between two runs. */
static void forget(struct world *world)
{
    switch (sched_random(24)) {
    case 0:
        renumber(world);
        break;
    case 1:
        world->counts->faults[WORLD_STATE_LOST]++;
        put_state(world, NULL);
        world->account.reset = true;
        if (world->tell)
            printf("# the state is lost\n");
        break;
    case 2:
        if (world->old_state == NULL)
            break;
        world->counts->faults[WORLD_STATE_OLD]++;
        put_state(world, world->old_state);
        world->account.aged = true;
        world->account.reset = true;
        if (world->tell)
            printf("# the state is an old one\n");
        break;
    case 3:
        snapshot_free(world->old_state);
        world->old_state = snapshot_take(world->state_dir);
        break;
    case 4:
    case 5:
        if (world->maildir != NULL)
            world_disk_copy(world);
        break;
    case 6:
    case 7:
        if (world->old_mail != NULL)
            world_disk_put_back(world);
        break;
    default:
        break;
    }
}

static void take_counts(struct world *world)
{
    struct world_counts *counts = world->counts;

    for (enum side side = LEFT; side < SIDES; side++) {
        const struct server *server = half_server(world->half[side]);

        for (int i = 0; server != NULL && i < SERVER_FAULTS; i++)
            counts->server_faults[i] += server->n_fault[i];
    }
    for (int i = 0; i < NET_CUTS; i++)
        counts->cuts[i] += net_faults()->n_cuts[i];
    counts->connects += net_faults()->n_connects + net_faults()->n_lookups;
    for (int i = 0; i < EVILS; i++)
        counts->evils[i] += world->account.evils[i];
}

/* --- history ------------------------------------------------------------------ */

static bool is_well(const struct world *world)
{
    return world->account.wrong[0] == '\0';
}

static void check_loss(struct world *world)
{
    struct look left;
    struct look right;

    half_look(world->half[LEFT], &left);
    half_look(world->half[RIGHT], &right);
    account_check_loss(&world->account, &left, &right);
    look_free(&left);
    look_free(&right);
    tell_sides(world);
}

static void edit(struct world *world)
{
    for (uint32_t i = sched_random(10); i > 0; i--)
        world_edit(world);
}

static void run_with_faults(struct world *world)
{
    uint64_t kill_after =
        sched_chance(2) ? 1 + sched_random(1u << (2 + sched_random(10))) : 0;

    set_faults(world, true);
    world_run(world, kill_after);
    set_faults(world, false);
    check_loss(world);
    if (sched_chance(2))
        world_settle(world);
    if (sched_chance(2))
        edit(world);
}

/* In step after at most two runs, and then nothing is left to do. */
static void run_to_peace(struct world *world)
{
    char why[200] = "";
    bool waited = false;
    uint32_t n = 0;
    int r;

    do {
        r = world_run(world, 0);
        check_loss(world);
        n++;
        if (world->littered && !waited) {
            waited = true;
            n = 0;
            half_maildir_tidy(world->maildir, true);
        }
    } while (
        is_well(world) && n < RUNS_MAX &&
        (r != 0 || world->result.failed > 0 || !world_in_step(world, why)));
    if (!is_well(world) || world->stuck)
        return;
    if (r != 0 || world->result.failed > 0)
        account_wrong(&world->account, "run %u without faults: %d, %u failed",
                      n, r, world->result.failed);
    else if (!world_in_step(world, why))
        account_wrong(&world->account, "not in step after two runs: %s", why);
}

static void run_idle(struct world *world)
{
    if (world_run(world, 0) != 0)
        account_wrong(&world->account, "the run with nothing to do fails");
    if (world->sends > 0)
        account_wrong(&world->account,
                      "the run with nothing to do makes %u changes",
                      world->sends);
}

static void live_round(struct world *world)
{
    struct look look;

    edit(world);
    forget(world);
    tell_sides(world);
    for (uint32_t i = sched_random(3); i > 0 && is_well(world); i--)
        run_with_faults(world);
    world_settle(world);
    if (is_well(world))
        run_to_peace(world);
    if (!is_well(world) || world->stuck)
        return;
    half_look(world->half[LEFT], &look);
    account_check(&world->account, &look);
    account_begin(&world->account, &look);
    look_free(&look);
    if (is_well(world))
        run_idle(world);
}

const char *world_live(const struct world_kind *kind, uint64_t seed, bool tell,
                       struct world_counts *counts)
{
    static char wrong[400];
    struct world world;

    world_init(&world, kind, seed, tell, counts);
    counts->worlds++;
    for (uint32_t i = 0; i < ROUNDS && is_well(&world) && !world.stuck; i++)
        live_round(&world);
    counts->stuck += world.stuck;
    take_counts(&world);
    memcpy(wrong, world.account.wrong, sizeof(wrong));
    world_deinit(&world);
    return wrong[0] != '\0' ? wrong : NULL;
}
