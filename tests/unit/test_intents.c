/* Goal: what may have happened over there is on record before it can: an answer
 * that is lost leaves an intent for each message that was under way, and the
 * next run ends them. */
#include "tests/unit/run_world.h"

static int count_one(void *owner, const struct state_intent *intent)
{
    unsigned *n = owner;

    *n += intent->source_uid != 0 && intent->target_uidnext != 0;
    return 0;
}

static unsigned count_intents(struct world *world)
{
    struct state_open_options open = {
        .dir = world->dir,
        .pair = "test",
        .identity = {"left", "right"},
        .read_only = true,
    };
    struct state *state;
    unsigned n = 0;

    if (state_open(&open, NULL, &state, NULL) < 0)
        return 0;
    (void)state_intent_each(state, count_one, &n, NULL);
    state_close(state);
    return n;
}

/* The connection is lost with the answer to the first change after the folder
 * was made. */
static void test_lost_answer(uint32_t seed)
{
    struct world world;

    world_init(&world, seed);
    (void)inbox(&world, LEFT);
    (void)inbox(&world, RIGHT);
    (void)sync_once(&world);
    fill(&world, LEFT, "INBOX", 3, 'a');
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    world.side[RIGHT].cut_after = 1;
    world.side[RIGHT].lose_answer = true;
    ok(run_once(&world) == ERR_CONNECT, "seed %u: the answer is lost", seed);
    ok(count_intents(&world) == 3, "seed %u: all three were announced", seed);
    world.side[RIGHT].cut_after = 0;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           inbox(&world, RIGHT)->n_mail == 3,
       "seed %u: the next run finds what arrived, and sends the rest", seed);
    ok(world.side[RIGHT].on_its_way && !world.side[LEFT].on_its_way,
       "seed %u: after a wait for what may have been on its way", seed);
    ok(count_intents(&world) == 0, "seed %u: and nothing is announced any more",
       seed);
    ok(sync_once(&world) == 0 && !world.side[RIGHT].on_its_way,
       "seed %u: the run after it need not wait", seed);
    world_deinit(&world);
}

int main(void)
{
    for (uint32_t seed = 1; seed <= 3; seed++)
        test_lost_answer(seed);
    return done_testing();
}
