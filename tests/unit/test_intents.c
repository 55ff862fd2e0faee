/* Goal: what may have happened over there is on record before it can: an answer
 * that is lost leaves an intent for each message that was under way, and the
 * next run ends them. What it did is not taken for what a user did. */
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

/* Moved on the right, and on the left by the run whose connection is lost: the
 * server goes through with it. The right's user then puts it into @goal, while
 * the left's sends an equal one to another folder. */
static void test_own_move(uint32_t seed, enum side winner, const char *goal)
{
    static const char content[] = "m1 of INBOX";
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model_mail *mail;
    struct model_mail original;

    world_init(&world, seed);
    world.policy.moves = true;
    world.policy.on_conflict = winner;
    fill(&world, LEFT, "INBOX", 6, 'm');
    (void)model_make(left, "A");
    (void)model_make(left, "X");
    (void)model_make(left, "Y");
    (void)sync_once(&world);
    user_moves(&world, RIGHT, "INBOX", "X", content);
    mail = by_content(inbox(&world, LEFT), content);
    model_flag(inbox(&world, LEFT), mail, FLAG_DRAFT);
    original = *mail;
    model_reconnect(left);
    model_reconnect(&world.side[RIGHT]);
    left->cut_after = 1;
    left->lose_answer = true;
    ok(run_once(&world) == ERR_CONNECT && model_count(left, "X", content) == 1,
       "seed %u: it was moved, and the answer is lost", seed);
    model_expunge(inbox(&world, LEFT), original.uid);
    user_moves(&world, RIGHT, "X", goal, content);
    model_deliver(left, "A", content, 0)->date = original.date;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(left, goal, content) == 1 &&
           model_count(left, "X", content) == 0,
       "seed %u: it is in %s, where its user put it, once, though %s wins a "
       "conflict",
       seed, goal, winner == LEFT ? "the left" : "the right");
    mail = by_content(model_folder(left, goal), content);
    ok(mail != NULL && mail->flags.system == FLAG_DRAFT,
       "seed %u: with the flags that it got meanwhile", seed);
    ok(model_count(left, "A", content) == 1,
       "seed %u: what is like it stays where it came", seed);
    ok(sync_once(&world) == 0 && is_idle(&world) && count_intents(&world) == 0,
       "seed %u: and it is settled", seed);
    world_deinit(&world);
}

int main(void)
{
    for (uint32_t seed = 1; seed <= 3; seed++) {
        test_lost_answer(seed);
        for (enum side winner = LEFT; winner < SIDES; winner++) {
            test_own_move(seed, winner, "INBOX");
            test_own_move(seed, winner, "Y");
        }
    }
    return done_testing();
}
