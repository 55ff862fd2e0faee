/*
 * Whole runs over two mailboxes in memory, on a seeded scheduler, with the real
 * state on disk: every kind of change both ways, then the connection cut at
 * random places, with and without the last change having been made.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/tap.h"
#include "tests/unit/run_world.h"

static void test_first_and_second(void)
{
    struct world world;

    world_init(&world, 1);
    fill(&world, LEFT, "INBOX", 10, 'l');
    fill(&world, LEFT, "A/B", 4, 'l');
    fill(&world, RIGHT, "INBOX", 3, 'r');
    model_make(&world.side[RIGHT], "Empty");
    ok(sync_once(&world) == 0 && is_equal(&world), "a first run");
    ok(world.result.counts[RIGHT].copied == 14 &&
           world.result.counts[LEFT].copied == 3 &&
           world.result.counts[LEFT].folders_created == 1 &&
           world.result.counts[RIGHT].folders_created == 1,
       "is counted");
    ok(sync_once(&world) == 0 && is_idle(&world),
       "the second one opens no folder and changes nothing");
    world_deinit(&world);
}

/* Somebody deletes a copy at once: the server has not merged it, for there is no
 * message into which it could have. */
static void test_gone_at_once(bool merges, unsigned times)
{
    struct world world;
    bool held = times > 1;

    world_init(&world, 22);
    fill(&world, LEFT, "INBOX", 4, 'm');
    world.side[RIGHT].endpoint.merges = merges;
    world.side[RIGHT].loses = "m1 of INBOX";
    world.side[RIGHT].n_loses = times;
    ok(sync_once(&world) == 0 && is_equal(&world) == !held &&
           world.n_events[REPORT_FAILED] == held,
       "a copy is gone %u times: %s%s", times,
       held ? "it waits, and that is told" : "it is sent again",
       merges ? ", by a server that merges" : "");
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           world.n_events[REPORT_FAILED] == 0,
       "both sides are equal in the end");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* Of equal messages the server keeps one, and is known for it, or not. */
static void test_merged(bool known, bool lies)
{
    struct world world;

    world_init(&world, 23);
    fill(&world, LEFT, "INBOX", 4, 'm');
    model_deliver(&world.side[LEFT], "INBOX", "twin", 0);
    model_deliver(&world.side[LEFT], "INBOX", "twin", 0)->date += 1;
    world.side[RIGHT].endpoint.merges = known;
    world.side[RIGHT].keeps_one = true;
    if (lies)
        world.side[RIGHT].endpoint.fidelity = FIDELITY_CONTENT;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] == 0 &&
           model_count(&world.side[LEFT], "INBOX", "twin") == 2 &&
           model_count(&world.side[RIGHT], "INBOX", "twin") == 1 &&
           inbox(&world, RIGHT)->n_mail == 5,
       "one of two equal messages is merged by a server that %s known for it",
       known ? "is" : "is not");
    ok(sync_once(&world) == 0 && world.side[LEFT].n_changes == 0 &&
           world.side[RIGHT].n_changes == 0,
       "it stays, and is not sent again");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* A Maildir merges nothing: what is gone from it at once was taken away, though
 * an equal message is there. */
static void test_twin_gone(void)
{
    struct world world;

    world_init(&world, 24);
    model_deliver(&world.side[LEFT], "INBOX", "twin", 0);
    model_deliver(&world.side[LEFT], "INBOX", "twin", 0)->date += 1;
    world.side[RIGHT].endpoint.is_local = true;
    world.side[RIGHT].keeps_one = true;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] == 1 &&
           inbox(&world, RIGHT)->n_mail == 1,
       "a copy is gone twice from a Maildir, which is told");
    world.side[RIGHT].keeps_one = false;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] == 0 &&
           is_equal(&world),
       "it was not merged: the next run sends it again");
    world_deinit(&world);
}

/* What is over there when the connection is lost after so many of them. */
static void test_newest_first(void)
{
    struct world world;
    size_t early = 0;
    size_t n;

    world_init(&world, 21);
    for (enum side side = LEFT; side < SIDES; side++) {
        world.side[side].endpoint.lanes = 1;
        world.side[side].endpoint.small_lanes = 0;
    }
    fill(&world, LEFT, "A", 12, 'a');
    fill(&world, LEFT, "B", 12, 'b');
    fill(&world, LEFT, "INBOX", 12, 'm');
    for (size_t i = 0; i < 12; i++)
        model_folder(&world.side[LEFT], "B")->mail[i].date += 100;
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    world.side[RIGHT].cut_after = 3 + 7; /* three folders, seven messages */
    run_once(&world);
    n = inbox(&world, RIGHT)->n_mail;
    for (size_t i = 0; i < n; i++)
        early += inbox(&world, RIGHT)->mail[i].date < 1000 + 6;
    ok(n == 6 && early == 0, "the newest of the INBOX come first (%zu)", n);
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    world.side[RIGHT].cut_after = 6 + 7;
    run_once(&world);
    n = inbox(&world, RIGHT)->n_mail;
    ok(n == 12 && model_make(&world.side[RIGHT], "A")->n_mail == 0 &&
           model_make(&world.side[RIGHT], "B")->n_mail == 6,
       "then those of the folder with the newest");
    ok(sync_once(&world) == 0 && is_equal(&world), "and at last all");
    world_deinit(&world);
}

static void test_both_ways(enum model_tier tier)
{
    struct world world;
    struct model_folder *left;
    struct model_folder *right;

    world_init(&world, 2);
    world.side[LEFT].tier = tier;
    world.side[RIGHT].tier = tier;
    fill(&world, LEFT, "INBOX", 8, 'm');
    sync_once(&world);
    left = inbox(&world, LEFT);
    right = inbox(&world, RIGHT);
    model_flag(left, by_content(left, "m0 of INBOX"), FLAG_FLAGGED);
    model_flag(right, by_content(right, "m0 of INBOX"), FLAG_SEEN);
    model_expunge(left, by_content(left, "m1 of INBOX")->uid);
    model_expunge(right, by_content(right, "m2 of INBOX")->uid);
    model_deliver(&world.side[LEFT], "INBOX", "new left", 0);
    model_deliver(&world.side[RIGHT], "INBOX", "new right", FLAG_DRAFT);
    ok(sync_once(&world) == 0 && is_equal(&world) && left->n_mail == 8,
       "every kind of change, both ways, tier %d", (int)tier);
    ok(by_content(left, "m0 of INBOX")->flags.system ==
               (FLAG_FLAGGED | FLAG_SEEN) &&
           by_content(right, "m0 of INBOX")->flags.system ==
               (FLAG_FLAGGED | FLAG_SEEN),
       "flags are merged three ways");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static uint32_t flags_of(struct world *world, enum side side,
                         const char *content)
{
    return by_content(inbox(world, side), content)->flags.system;
}

static void flag(struct world *world, enum side side, const char *content,
                 uint32_t system)
{
    model_flag(inbox(world, side), by_content(inbox(world, side), content),
               system);
}

/* A server that says OK to a flag and does not store it. */
static void test_flags_not_taken(enum model_tier tier, bool proves)
{
    struct world world;

    world_init(&world, 20);
    world.side[RIGHT].tier = tier;
    world.side[RIGHT].endpoint.tokens_prove = proves;
    world.side[RIGHT].drops = FLAG_DRAFT;
    model_deliver(&world.side[LEFT], "INBOX", "a", FLAG_DRAFT | FLAG_SEEN);
    model_deliver(&world.side[LEFT], "INBOX", "b", 0);
    model_deliver(&world.side[LEFT], "INBOX", "c", 0);
    sync_once(&world);
    flag(&world, LEFT, "b", FLAG_DRAFT);
    ok(sync_once(&world) == 0 &&
           flags_of(&world, LEFT, "a") == (FLAG_DRAFT | FLAG_SEEN) &&
           flags_of(&world, LEFT, "b") == FLAG_DRAFT &&
           flags_of(&world, RIGHT, "a") == FLAG_SEEN,
       "a flag that is not taken is not read as removed");
    ok(sync_once(&world) == 0 && world.side[RIGHT].n_changes == 0 &&
           flags_of(&world, LEFT, "a") == (FLAG_DRAFT | FLAG_SEEN),
       "nor later, nor is it sent again");
    flag(&world, RIGHT, "a", 0);
    ok(sync_once(&world) == 0 && flags_of(&world, LEFT, "a") == FLAG_DRAFT,
       "one that was taken and is gone is removed");
    world.side[RIGHT].drops = 0;
    flag(&world, RIGHT, "c", FLAG_DRAFT);
    ok(sync_once(&world) == 0 && flags_of(&world, LEFT, "c") == FLAG_DRAFT &&
           flags_of(&world, LEFT, "a") == FLAG_DRAFT,
       "when the side begins to show it, it comes");
    if (tier == MODEL_FULL)
        ok(flags_of(&world, RIGHT, "a") == FLAG_DRAFT &&
               flags_of(&world, RIGHT, "b") == FLAG_DRAFT,
           "and those that were sent in vain are sent once more");
    flag(&world, RIGHT, "c", 0);
    ok(sync_once(&world) == 0 && flags_of(&world, LEFT, "c") == 0,
       "from then on it can be removed there, too");
    ok(sync_once(&world) == 0 && world.side[RIGHT].n_changes == 0 &&
           world.side[LEFT].n_changes == 0,
       "and it is settled");
    world_deinit(&world);
}

static void test_guards(void)
{
    struct world world;
    struct model_folder *left;

    world_init(&world, 3);
    fill(&world, LEFT, "INBOX", 20, 'm');
    sync_once(&world);
    left = inbox(&world, LEFT);
    while (left->n_mail > 9)
        model_expunge(left, left->mail[0].uid);
    ok(sync_once(&world) == 0 && world.result.held == 11 &&
           inbox(&world, RIGHT)->n_mail == 20,
       "too many deletions are held");
    model_deliver(&world.side[LEFT], "INBOX", "other work", 0);
    ok(sync_once(&world) == 0 && world.result.held == 11 &&
           inbox(&world, RIGHT)->n_mail == 21,
       "again, and the rest goes on");
    world.force_delete = true;
    ok(sync_once(&world) == 0 && world.result.held == 0 && is_equal(&world) &&
           left->n_mail == 10,
       "--force-delete lets them through");
    world.force_delete = false;
    world.policy.max_delete.kind = MAX_DELETE_OFF;
    model_deliver(&world.side[LEFT], "INBOX", "eleventh", 0);
    sync_once(&world);
    while (left->n_mail > 0)
        model_expunge(left, left->mail[0].uid);
    ok(sync_once(&world) == 0 && world.result.held == 11 &&
           inbox(&world, RIGHT)->n_mail == 11,
       "an emptied side is held though max_delete is off");
    world_deinit(&world);
}

static void test_refused(void)
{
    struct world world;

    world_init(&world, 5);
    world.side[RIGHT].refuses = "m2 of INBOX";
    fill(&world, LEFT, "INBOX", 8, 'm');
    ok(sync_once(&world) == 0 && world.result.failed == 1 &&
           inbox(&world, RIGHT)->n_mail == 7,
       "one that is refused does not stop the others");
    ok(sync_once(&world) == 0 && world.result.failed == 1 && is_idle(&world),
       "it is told again, and not sent again");
    model_expunge(inbox(&world, LEFT), 3);
    ok(sync_once(&world) == 0 && world.result.failed == 0, "until it is gone");
    world_deinit(&world);
}

static void test_no_room(void)
{
    struct world world;

    world_init(&world, 15);
    world.side[RIGHT].room = 25;
    fill(&world, LEFT, "INBOX", 20, 'm');
    fill(&world, LEFT, "A", 40, 'a');
    fill(&world, RIGHT, "B", 2, 'b');
    ok(sync_once(&world) == 0 && world.result.counts[RIGHT].copied == 23 &&
           world.result.failed == 37 && world.result.counts[LEFT].copied == 2,
       "for want of room some fail, and the other way goes on");
    ok(world.n_events[REPORT_FAILED] < 20 && world.side[RIGHT].n_changes < 40,
       "few are named, and tried: %u", world.n_events[REPORT_FAILED]);
    ok(sync_once(&world) == 0 && world.result.failed == 37,
       "the next run tries again");
    world.side[RIGHT].room = 0;
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world),
       "until there is room");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void test_poison(bool unsure)
{
    struct world world;

    world_init(&world, 16);
    world.side[RIGHT].poison = "m7 of INBOX";
    world.side[RIGHT].poison_unsure = unsure;
    fill(&world, LEFT, "INBOX", 60, 'm');
    ok(sync_once(&world) == 0 && world.result.failed == 1 &&
           inbox(&world, RIGHT)->n_mail == 59,
       "a message that costs the connection%s fails alone",
       unsure ? " and its answer" : "");
    world.side[RIGHT].poison = NULL;
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world),
       "and is tried again by the next run");
    world_deinit(&world);
}

static void test_uidvalidity(void)
{
    struct world world;

    world_init(&world, 6);
    fill(&world, LEFT, "INBOX", 30, 'm');
    sync_once(&world);
    inbox(&world, RIGHT)->uidvalidity++;
    model_expunge(inbox(&world, LEFT), 4);
    ok(sync_once(&world) == 0 && world.result.counts[LEFT].deleted == 0 &&
           world.result.counts[RIGHT].deleted == 0 &&
           world.result.counts[LEFT].copied == 1,
       "a new UIDVALIDITY deletes nothing, and copies only what is missing");
    ok(is_equal(&world) && inbox(&world, LEFT)->n_mail == 30,
       "and nothing is doubled");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void test_lost_state(void)
{
    struct world world;

    world_init(&world, 7);
    fill(&world, LEFT, "INBOX", 20, 'm');
    model_deliver(&world.side[LEFT], "INBOX", "twin", 0);
    model_deliver(&world.side[LEFT], "INBOX", "twin", 0);
    sync_once(&world);
    lose_state(&world);
    ok(sync_once(&world) == 0 && world.result.counts[LEFT].copied == 0 &&
           world.result.counts[RIGHT].copied == 0 &&
           world.n_events[REPORT_PAIR] == 1,
       "a lost state is rebuilt by identity, twins and all");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void test_no_uidplus(void)
{
    struct world world;

    world_init(&world, 8);
    world.side[RIGHT].no_uids = true;
    fill(&world, LEFT, "INBOX", 10, 'm');
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           inbox(&world, RIGHT)->n_mail == 10,
       "without UIDPLUS what was added is found by identity");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void test_plan(void)
{
    struct world world;

    world_init(&world, 9);
    fill(&world, LEFT, "INBOX", 5, 'm');
    world.dry = true;
    ok(sync_once(&world) == 0 && world.result.todo == 6 &&
           world.side[RIGHT].n_changes == 0 && world.side[RIGHT].n_folders == 0,
       "a plan tells, and changes nothing");
    world.dry = false;
    sync_once(&world);
    world.dry = true;
    ok(sync_once(&world) == 0 && world.result.todo == 0,
       "and has nothing to tell when all is done");
    world_deinit(&world);
}

/* One-way, what is deleted in the target comes again; moves are followed. */
static void test_one_way_moves(void)
{
    struct world world;

    world_init(&world, 30);
    world.policy.moves = true;
    world.policy.direction = DIRECTION_LEFT_TO_RIGHT;
    fill(&world, LEFT, "INBOX", 6, 'm');
    fill(&world, LEFT, "X", 1, 'x');
    sync_once(&world);
    model_expunge(inbox(&world, RIGHT), 2);
    user_moves(&world, LEFT, "INBOX", "X", "m4 of INBOX");
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           inbox(&world, LEFT)->n_mail == 5 && world.n_events[REPORT_MOVE] == 1,
       "one-way: what is deleted in the target comes again, moves go along");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void user_deletes(struct world *world, enum side side,
                         const char *content)
{
    struct model_folder *box = inbox(world, side);

    model_expunge(box, by_content(box, content)->uid);
}

/* Kept on purpose after a deletion, then deleted on the other side, too: no
 * trace of it is taken for the origin of something new. */
static void test_kept_then_lost(enum side first)
{
    struct world world;

    world_init(&world, 31);
    world.policy.moves = true;
    world.policy.keep_deleted = true;
    fill(&world, LEFT, "INBOX", 6, 'm');
    fill(&world, LEFT, "X", 1, 'x');
    fill(&world, LEFT, "Y", 1, 'y');
    sync_once(&world);
    user_deletes(&world, first, "m2 of INBOX");
    ok(sync_once(&world) == 0 && inbox(&world, first)->n_mail == 5 &&
           inbox(&world, other(first))->n_mail == 6,
       "deletes = keep: it stays on side %d", other(first));
    user_deletes(&world, other(first), "m2 of INBOX");
    model_deliver(&world.side[LEFT], "X", "m2 of INBOX", 0)->date += 2;
    model_deliver(&world.side[RIGHT], "Y", "m2 of INBOX", 0)->date += 2;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(&world.side[LEFT], "INBOX", "m2 of INBOX") == 0 &&
           model_count(&world.side[LEFT], "X", "m2 of INBOX") == 1 &&
           model_count(&world.side[LEFT], "Y", "m2 of INBOX") == 1,
       "gone from both, it is the origin of nothing new");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* Without a date nothing proves that what is gone is what is new. */
static void test_undated(void)
{
    struct world world;

    world_init(&world, 32);
    world.policy.moves = true;
    fill(&world, LEFT, "X", 1, 'x');
    fill(&world, LEFT, "Y", 1, 'y');
    model_deliver(&world.side[LEFT], "INBOX", "undated", 0)->date = 0;
    model_deliver(&world.side[LEFT], "INBOX", "stays", 0)->date = 0;
    sync_once(&world);
    user_moves(&world, LEFT, "INBOX", "X", "undated");
    user_moves(&world, RIGHT, "INBOX", "Y", "undated");
    model_deliver(&world.side[LEFT], "Y", "stays", 0)->date = 0;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(&world.side[LEFT], "X", "undated") == 1 &&
           model_count(&world.side[LEFT], "Y", "undated") == 1,
       "without a date, one moved to two places is in both");
    ok(model_count(&world.side[RIGHT], "Y", "stays") == 1,
       "and a copy is sent");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* All that a plan can tell of one folder and its neighbour. */
static void test_plan_of_everything(void)
{
    struct world world;
    struct model_folder *box;

    world_init(&world, 29);
    world.policy.moves = true;
    fill(&world, LEFT, "INBOX", 8, 'm');
    fill(&world, LEFT, "X", 1, 'x');
    sync_once(&world);
    box = inbox(&world, LEFT);
    model_flag(box, &box->mail[0], FLAG_DRAFT);
    model_expunge(box, box->mail[1].uid);
    user_moves(&world, LEFT, "INBOX", "X", "m5 of INBOX");
    model_deliver(&world.side[RIGHT], "INBOX", "new", 0);
    world.dry = true;
    ok(sync_once(&world) == 0 && world.result.todo == 4 &&
           world.n_events[REPORT_FLAG] == 1 &&
           world.n_events[REPORT_DELETE] == 1 &&
           world.n_events[REPORT_MOVE] == 1 && world.n_events[REPORT_COPY] == 1,
       "a plan tells of flags, deletions, moves and copies");
    world.dry = false;
    sync_once(&world);
    ok(is_equal(&world) && world.n_events[REPORT_FLAG] == 1 &&
           world.n_events[REPORT_DELETE] == 1 &&
           world.n_events[REPORT_MOVE] == 1 && world.n_events[REPORT_COPY] == 1,
       "and a run does just that");
    world_deinit(&world);
}

static bool is_only_in(struct world *world, const char *folder,
                       const char *content)
{
    size_t n = 0;

    for (enum side side = LEFT; side < SIDES; side++) {
        struct model *model = &world->side[side];

        for (size_t i = 0; i < model->n_folders; i++)
            n += model_count(model, model->folders[i]->name, content);
    }
    return n == 2 && model_count(&world->side[LEFT], folder, content) == 1 &&
           model_count(&world->side[RIGHT], folder, content) == 1;
}

/* How often both sides have @content in @folder: -1 where not equally often. */
static int count_both(struct world *world, const char *folder,
                      const char *content)
{
    size_t n = model_count(&world->side[LEFT], folder, content);

    return n == model_count(&world->side[RIGHT], folder, content) ? (int)n : -1;
}

/* Row 8. */
static void test_two_moves(enum side winner, bool no_uids)
{
    struct world world;
    struct model_folder *box;
    const char *goal = winner == LEFT ? "X" : "Y";

    world_init(&world, 18);
    world.policy.moves = true;
    world.policy.on_conflict = winner;
    world.side[other(winner)].no_uids = no_uids;
    fill(&world, LEFT, "INBOX", 12, 'm');
    for (int i = 0; i < 2; i++)
        model_deliver(&world.side[LEFT], "INBOX", "a twin", 0);
    sync_once(&world);
    user_moves(&world, LEFT, "INBOX", "X", "m4 of INBOX");
    user_moves(&world, RIGHT, "INBOX", "Y", "m4 of INBOX");
    box = model_folder(&world.side[other(winner)], winner == LEFT ? "Y" : "X");
    model_flag(box, by_content(box, "m4 of INBOX"), FLAG_DRAFT);
    user_moves(&world, LEFT, "INBOX", "X", "a twin");
    user_moves(&world, RIGHT, "INBOX", "Y", "a twin");
    /* Deleted on both sides, and something else arrives in their stead. */
    model_expunge(inbox(&world, LEFT), 1);
    model_expunge(inbox(&world, RIGHT), 1);
    model_deliver(&world.side[LEFT], "X", "n0 of INBOX", 0);
    model_deliver(&world.side[RIGHT], "Y", "o0 of INBOX", 0);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           is_only_in(&world, goal, "m4 of INBOX"),
       "row 8: moved to two places, a message is in %s, once%s", goal,
       no_uids ? ", without UIDPLUS" : "");
    ok(count_both(&world, goal, "a twin") == 1 &&
           count_both(&world, "INBOX", "a twin") == 1,
       "so is one of two twins");
    ok(is_only_in(&world, "X", "n0 of INBOX") &&
           is_only_in(&world, "Y", "o0 of INBOX"),
       "others of that size stay where they are");
    ok(world.side[LEFT].n_read + world.side[RIGHT].n_read == 2,
       "and only these were read");
    box = model_folder(&world.side[winner], goal);
    ok(by_content(box, "m4 of INBOX")->flags.system == FLAG_DRAFT,
       "flags are merged");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* A move that is none for us: the copy is refused where it is now. */
static void test_move_refused(void)
{
    struct world world;

    world_init(&world, 20);
    fill(&world, LEFT, "INBOX", 4, 'm');
    model_deliver(&world.side[LEFT], "INBOX", "of another size", 0);
    sync_once(&world);
    world.side[RIGHT].refuses = "m1 of INBOX";
    user_moves(&world, LEFT, "INBOX", "X", "m1 of INBOX");
    user_moves(&world, LEFT, "INBOX", "X", "of another size");
    ok(sync_once(&world) == 0 && world.result.failed == 1 &&
           world.result.held == 1 &&
           model_count(&world.side[RIGHT], "INBOX", "m1 of INBOX") == 1,
       "what may have been moved to where it is refused is not deleted");
    ok(model_count(&world.side[RIGHT], "INBOX", "of another size") == 0 &&
           is_only_in(&world, "X", "of another size"),
       "what was moved to where it is taken is");
    ok(sync_once(&world) == 0 && world.result.held == 1 &&
           model_count(&world.side[RIGHT], "INBOX", "m1 of INBOX") == 1,
       "nor in the next run, which does not send it again");
    world.force_delete = true;
    ok(sync_once(&world) == 0 && world.result.held == 0 &&
           model_count(&world.side[RIGHT], "INBOX", "m1 of INBOX") == 0,
       "but when that is meant");
    world_deinit(&world);
}

/* Moved into a folder that is gone on the other side. */
static void test_move_into_deleted(void)
{
    struct world world;

    world_init(&world, 19);
    world.policy.moves = true;
    world.policy.folders = mem_copy("INBOX, X");
    fill(&world, LEFT, "INBOX", 4, 'm');
    fill(&world, LEFT, "X", 1, 'x');
    sync_once(&world);
    user_moves(&world, LEFT, "INBOX", "X", "m1 of INBOX");
    model_expunge(model_folder(&world.side[RIGHT], "X"), 1);
    model_rename(&world.side[RIGHT], "X", "gone");
    ok(sync_once(&world) == 0 && is_only_in(&world, "X", "m1 of INBOX") &&
           model_folder(&world.side[LEFT], "X")->n_mail == 1,
       "row 10: a message moved into a deleted folder brings it back");
    free(world.policy.folders);
    world_deinit(&world);
}

static bool holds_one(struct model *model, const char *name)
{
    struct model_folder *folder = model_folder(model, name);

    return folder != NULL && folder->n_mail == 1;
}

static void cross_deleted(struct world *world)
{
    world_init(world, 29);
    world->policy.moves = true;
    fill(world, LEFT, "INBOX", 20, 'm');
    fill(world, LEFT, "A", 1, 'a');
    fill(world, LEFT, "B", 1, 'b');
    sync_once(world);
    user_moves(world, LEFT, "A", "B", "a0 of A");
    model_remove(&world->side[LEFT], "A");
    user_moves(world, RIGHT, "B", "A", "b0 of B");
    model_remove(&world->side[RIGHT], "B");
    model_deliver(&world->side[RIGHT], "A", "news", 0);
}

static bool is_crossed(struct world *world)
{
    return is_equal(world) && is_only_in(world, "B", "a0 of A") &&
           is_only_in(world, "A", "b0 of B") && is_only_in(world, "A", "news");
}

/* Two folders that are to be made anew, each on another side, and what is gone
 * with each went into the other one: neither may wait for the other. */
static void test_moves_between_deleted(void)
{
    struct world world;

    cross_deleted(&world);
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_crossed(&world),
       "moved into each other's folder, that is to be made anew");
    ok(holds_one(&world.side[RIGHT], "B"), "what was deleted is gone");
    ok(world.side[LEFT].n_placed == 1 && world.side[RIGHT].n_placed == 1,
       "no octets were sent for it");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* Broken off between the making of the folders and the moves, it may be in both
 * folders, but nothing is lost. */
static void test_moves_between_deleted_cut(void)
{
    unsigned cuts = 0;
    unsigned bad = 0;
    unsigned twice = 0;

    for (unsigned i = 0; i < 16; i++) {
        struct world world;
        struct model *left = &world.side[LEFT];
        struct model *cut = &world.side[i % SIDES];

        cross_deleted(&world);
        model_reconnect(left);
        model_reconnect(&world.side[RIGHT]);
        cut->lose_answer = i & 2;
        cut->cut_after = 1 + i / 4;
        cuts += run_once(&world) != 0;
        sync_once(&world);
        sync_once(&world);
        bad += !is_equal(&world) || !is_only_in(&world, "A", "news") ||
               model_count(left, "B", "a0 of A") != 1 ||
               model_count(left, "A", "b0 of B") != 1;
        twice += !is_crossed(&world);
        world_deinit(&world);
    }
    ok(cuts > 0 && bad == 0,
       "cut %u times, all is where it was moved (%u times in both folders)",
       cuts, twice);
}

/* Row 8, and the folder that the message is to be in was deleted on the side
 * that moves it back: the folder waits for what is on record of it, which must
 * not wait for the move into that folder. */
static void test_two_moves_into_deleted(bool others)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 27);
    world.policy.moves = true;
    world.policy.on_conflict = RIGHT;
    world.policy.folders = mem_copy("INBOX, A, B, X");
    fill(&world, LEFT, "INBOX", 20, 'm');
    fill(&world, LEFT, "A", others ? 4 : 1, 'a');
    fill(&world, LEFT, "B", others ? 4 : 1, 'b');
    fill(&world, LEFT, "X", 1, 'x');
    sync_once(&world);
    /* To X, which the right has not any more. */
    model_remove(right, "X");
    model_expunge(model_folder(left, "X"), 1);
    user_moves(&world, LEFT, "A", "X", "a0 of A");
    user_moves(&world, LEFT, "B", "X", "b0 of B");
    model_remove(left, "A");
    model_remove(left, "B");
    /* The one stays where it is, and so it would wait for itself; or both
     * would wait for each other. */
    if (others) {
        user_moves(&world, RIGHT, "A", "A", "a0 of A");
        user_moves(&world, RIGHT, "B", "B", "b0 of B");
    } else {
        user_moves(&world, RIGHT, "A", "B", "a0 of A");
        user_moves(&world, RIGHT, "B", "A", "b0 of B");
    }
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world),
       "row 8, into a folder that is to be made anew%s",
       others ? " once other mail is gone" : "");
    ok(is_only_in(&world, others ? "A" : "B", "a0 of A") &&
           is_only_in(&world, others ? "B" : "A", "b0 of B"),
       "each is there once, where the right has it");
    ok(holds_one(left, "A") && holds_one(left, "B") &&
           model_folder(left, "X") == NULL,
       "with nothing else, and the folder between is gone");
    ok(world.n_events[REPORT_NOTICE] == 0,
       "no folder of ours is taken for another's");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    free(world.policy.folders);
    world_deinit(&world);
}

/* The same, or a plain move, out of a folder that the mover emptied and deleted:
 * it is not to go before the message, nor to be taken for one that is there. */
static void test_move_out_of_deleted(bool two)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 28);
    world.policy.moves = true;
    world.policy.on_conflict = RIGHT;
    fill(&world, LEFT, "INBOX", 20, 'm');
    fill(&world, LEFT, "D", 1, 'd');
    fill(&world, LEFT, "Y", 2, 'y');
    sync_once(&world);
    user_moves(&world, LEFT, "D", two ? "X" : "Y", "d0 of D");
    if (two)
        user_moves(&world, RIGHT, "D", "Y", "d0 of D");
    model_remove(left, "D");
    model_remove(two ? left : right, "Y");
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world) &&
           is_only_in(&world, "Y", "d0 of D") && holds_one(right, "Y") &&
           model_folder(right, "D") == NULL,
       "%s out of a folder that is gone into one that is to be made anew",
       two ? "row 8:" : "moved");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void user_copies(struct world *world, enum side side, const char *from,
                        const char *to, const char *content)
{
    struct model *model = &world->side[side];
    struct model_mail copied = *by_content(model_folder(model, from), content);

    model_deliver(model, to, content, copied.flags.system)->date = copied.date;
}

static void test_moves(bool on, bool no_uids)
{
    struct world world;
    struct model_folder *box;

    world_init(&world, 10);
    world.policy.moves = on;
    world.side[RIGHT].no_uids = no_uids;
    fill(&world, LEFT, "INBOX", 12, 'm');
    model_make(&world.side[LEFT], "X");
    sync_once(&world);
    user_moves(&world, LEFT, "INBOX", "X", "m0 of INBOX");
    user_moves(&world, LEFT, "INBOX", "New", "m1 of INBOX");
    user_moves(&world, RIGHT, "INBOX", "X", "m2 of INBOX");
    /* Row 6: and flagged on both sides. */
    user_moves(&world, LEFT, "INBOX", "X", "m4 of INBOX");
    box = model_folder(&world.side[LEFT], "X");
    model_flag(box, by_content(box, "m4 of INBOX"), FLAG_SEEN | FLAG_FLAGGED);
    box = inbox(&world, RIGHT);
    model_flag(box, by_content(box, "m4 of INBOX"), FLAG_DRAFT | FLAG_FLAGGED);
    /* Row 5: moved here, deleted there. */
    user_moves(&world, LEFT, "INBOX", "X", "m5 of INBOX");
    model_expunge(box, by_content(box, "m5 of INBOX")->uid);
    /* Row 7: moved to the same folder on both sides. */
    user_moves(&world, LEFT, "INBOX", "X", "m6 of INBOX");
    user_moves(&world, RIGHT, "INBOX", "X", "m6 of INBOX");
    ok(sync_once(&world) == 0 && is_equal(&world), "moves, %s%s",
       on ? "recognised" : "as copy and deletion",
       no_uids ? ", without UIDPLUS" : "");
    ok(is_only_in(&world, "X", "m0 of INBOX") &&
           is_only_in(&world, "New", "m1 of INBOX") &&
           is_only_in(&world, "X", "m2 of INBOX") &&
           is_only_in(&world, "X", "m4 of INBOX") &&
           is_only_in(&world, "X", "m5 of INBOX") &&
           is_only_in(&world, "X", "m6 of INBOX"),
       "each is where it was moved to, once");
    if (on) {
        ok(world.side[RIGHT].n_placed == 3 && world.side[LEFT].n_placed == 1 &&
               world.side[LEFT].n_read == 1 && world.side[RIGHT].n_read == 0,
           "and only what was deleted over there was read");
        box = model_folder(&world.side[RIGHT], "X");
        ok(by_content(box, "m4 of INBOX")->flags.system ==
               (FLAG_SEEN | FLAG_FLAGGED | FLAG_DRAFT),
           "row 6: flags are merged on the way");
    }
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void make_copies(struct world *world)
{
    struct model_folder *box;

    user_copies(world, LEFT, "INBOX", "X", "m0 of INBOX");
    user_copies(world, LEFT, "INBOX", "New", "m1 of INBOX");
    user_copies(world, LEFT, "INBOX", "INBOX", "m2 of INBOX");
    user_copies(world, RIGHT, "INBOX", "X", "m3 of INBOX");
    /* Flags of its own. */
    box = model_folder(&world->side[LEFT], "X");
    model_flag(box, by_content(box, "m0 of INBOX"), FLAG_ANSWERED);
    /* Copied and moved in one run. */
    user_copies(world, LEFT, "INBOX", "X", "m4 of INBOX");
    user_moves(world, LEFT, "INBOX", "Y", "m4 of INBOX");
    /* Row 9: copied here, the original deleted there. */
    user_copies(world, LEFT, "INBOX", "X", "m5 of INBOX");
    model_expunge(inbox(world, RIGHT),
                  by_content(inbox(world, RIGHT), "m5 of INBOX")->uid);
    /* To two folders. */
    user_copies(world, RIGHT, "INBOX", "X", "m6 of INBOX");
    user_copies(world, RIGHT, "INBOX", "New", "m6 of INBOX");
}

static void test_copies(bool on, bool no_uids, bool local)
{
    struct world world;
    struct model_folder *box;
    size_t n[SIDES];

    world_init(&world, 15);
    world.policy.moves = on;
    world.side[LEFT].endpoint.is_local = local;
    world.side[RIGHT].no_uids = no_uids;
    fill(&world, LEFT, "INBOX", 12, 'm');
    fill(&world, LEFT, "X", 1, 'x');
    sync_once(&world);
    make_copies(&world);
    ok(sync_once(&world) == 0 && is_equal(&world), "copies, %s%s%s",
       on ? "recognised" : "with their octets",
       no_uids ? ", without UIDPLUS" : "", local ? ", from a disk" : "");
    ok(count_both(&world, "X", "m0 of INBOX") == 1 &&
           count_both(&world, "New", "m1 of INBOX") == 1 &&
           count_both(&world, "INBOX", "m2 of INBOX") == 2 &&
           count_both(&world, "X", "m3 of INBOX") == 1 &&
           count_both(&world, "X", "m4 of INBOX") == 1 &&
           count_both(&world, "Y", "m4 of INBOX") == 1 &&
           count_both(&world, "INBOX", "m4 of INBOX") == 0 &&
           count_both(&world, "X", "m6 of INBOX") == 1 &&
           count_both(&world, "New", "m6 of INBOX") == 1 &&
           count_both(&world, "INBOX", "m6 of INBOX") == 1,
       "each is where it was copied to, and where it was");
    ok(count_both(&world, "X", "m5 of INBOX") == 1 &&
           count_both(&world, "INBOX", "m5 of INBOX") == 0,
       "row 9: a copy outlives its original");
    n[LEFT] = world.side[LEFT].n_read;
    n[RIGHT] = world.side[RIGHT].n_read;
    if (on)
        ok(n[RIGHT] == 0 && n[LEFT] == (local ? 2 : 1) &&
               world.side[LEFT].n_placed == 3,
           "and only what the other side has not was read (%zu, %zu)", n[LEFT],
           n[RIGHT]);
    else
        ok(n[RIGHT] == 3 && n[LEFT] == 6, "and all of them were read");
    box = model_folder(&world.side[RIGHT], "X");
    ok(by_content(box, "m0 of INBOX")->flags.system == FLAG_ANSWERED &&
           by_content(inbox(&world, RIGHT), "m0 of INBOX")->flags.system == 0,
       "a copy has its own flags");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* Copies that are not certain. */
static void test_doubtful_copies(bool local)
{
    struct world world;
    struct model_folder *box;

    world_init(&world, 16);
    world.policy.moves = true;
    world.side[LEFT].endpoint.is_local = local;
    fill(&world, LEFT, "INBOX", 12, 'm');
    for (int i = 0; i < 2; i++)
        model_deliver(&world.side[LEFT], "INBOX", "a twin", 0);
    sync_once(&world);
    user_copies(&world, LEFT, "INBOX", "X", "m0 of INBOX");
    box = model_folder(&world.side[LEFT], "X");
    box->mail[0].date += 7;
    user_copies(&world, LEFT, "INBOX", "X", "a twin");
    user_copies(&world, LEFT, "INBOX", "X", "a twin");
    model_deliver(&world.side[LEFT], "X", "Xwin a", 0);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           count_both(&world, "X", "a twin") == 2 &&
           count_both(&world, "INBOX", "a twin") == 2,
       "twins stay as many as they are");
    ok(world.side[LEFT].n_read == (local ? 2 : 4),
       "what has another date%s is sent with its octets",
       local ? "" : ", or a twin");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void test_first_run_asks_nothing(void)
{
    struct world world;

    world_init(&world, 17);
    world.policy.moves = true;
    fill(&world, LEFT, "INBOX", 12, 'm');
    user_copies(&world, LEFT, "INBOX", "X", "m0 of INBOX");
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           world.side[LEFT].n_identified == 0 &&
           world.side[RIGHT].n_identified == 0,
       "a first run asks for no identity");
    model_deliver(&world.side[LEFT], "X", "nothing like it", 0);
    ok(sync_once(&world) == 0 && world.side[LEFT].n_identified == 0 &&
           world.side[RIGHT].n_identified == 0,
       "nor is one asked where nothing has that size");
    world_deinit(&world);
}

static void test_doubtful_list(void)
{
    struct world world;

    world_init(&world, 13);
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, "A", 3, 'a');
    sync_once(&world);
    model_remove(&world.side[LEFT], "A");
    world.side[LEFT].doubtful = true;
    ok(sync_once(&world) == 0 && world.result.failed == 2 &&
           model_folder(&world.side[RIGHT], "A")->n_mail == 3,
       "a folder missing in a list that was not understood is not gone");
    world.side[LEFT].doubtful = false;
    ok(sync_once(&world) == 0 && model_folder(&world.side[RIGHT], "A") == NULL,
       "in a list that was, it is");
    world_deinit(&world);
}

static void test_hidden_folder(void)
{
    struct world world;

    world_init(&world, 14);
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, "A", 3, 'a');
    sync_once(&world);
    world.side[RIGHT].hides = "A";
    ok(sync_once(&world) == 0 && world.result.counts[LEFT].deleted == 0 &&
           model_folder(&world.side[LEFT], "A")->n_mail == 3,
       "a folder that is not listed, but there, is not gone");
    world.side[RIGHT].hides = NULL;
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_idle(&world),
       "and all goes on when it is listed again");
    world_deinit(&world);
}

static void test_trash(void)
{
    struct world world;

    world_init(&world, 11);
    world.policy.delete_to_trash = true;
    world.policy.moves = true;
    fill(&world, LEFT, "INBOX", 4, 'm');
    sync_once(&world);
    model_expunge(inbox(&world, LEFT), 1);
    ok(sync_once(&world) == 0 && world.result.failed == 1 &&
           inbox(&world, RIGHT)->n_mail == 4,
       "delete_mode = trash without a Trash deletes nothing");
    model_make(&world.side[LEFT], "Trash");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 &&
           inbox(&world, RIGHT)->n_mail == 3 &&
           model_folder(&world.side[RIGHT], "Trash")->n_mail == 1,
       "with one, what is deleted goes there");
    ok(is_equal(&world), "on both sides");
    model_expunge(model_folder(&world.side[LEFT], "Trash"), 1);
    ok(sync_once(&world) == 0 &&
           model_folder(&world.side[RIGHT], "Trash")->n_mail == 0,
       "and what is deleted there is deleted");
    world_deinit(&world);
}

static struct model_folder *trash_of(struct world *world)
{
    return model_make(&world->side[RIGHT], "Trash");
}

/* Four messages on both sides; on the right a move is a copy and a removal. The
 * first one is deleted on the left. */
static void init_trash(struct world *world, uint32_t seed)
{
    world_init(world, seed);
    world->policy.delete_to_trash = true;
    world->policy.moves = true;
    world->side[RIGHT].endpoint.moves_by_copy = true;
    fill(world, LEFT, "INBOX", 4, 'm');
    (void)trash_of(world);
    sync_once(world);
    model_expunge(inbox(world, LEFT), 1);
}

static void test_trash_kept(uint32_t seed)
{
    struct world world;

    init_trash(&world, seed);
    world.side[RIGHT].keeps_flagged = true;
    for (unsigned i = 0; i < 3; i++)
        ok(sync_once(&world) == 0 && world.result.failed == 1 &&
               inbox(&world, RIGHT)->n_mail == 4 &&
               trash_of(&world)->n_mail == 1,
           "seed %u, run %u: what cannot be expunged is in the Trash once",
           seed, i);
    model_expunge(trash_of(&world), 1);
    ok(sync_once(&world) == 0 && trash_of(&world)->n_mail == 0,
       "seed %u: and not again where that was emptied", seed);
    model_expunge(inbox(&world, LEFT), 2);
    ok(sync_once(&world) == 0 && trash_of(&world)->n_mail == 1,
       "seed %u: the next one to be deleted goes there", seed);
    world.side[RIGHT].keeps_flagged = false;
    ok(sync_once(&world) == 0 && inbox(&world, RIGHT)->n_mail == 2 &&
           trash_of(&world)->n_mail == 1 && is_equal(&world),
       "seed %u: both are removed as soon as they can be", seed);
    ok(sync_once(&world) == 0 && is_idle(&world), "seed %u: that is all", seed);
    world_deinit(&world);
}

/* @had_one  an equal message was put into the Trash before, by its owner, and
 *           another one is deleted along with it */
static void test_trash_cut(uint32_t seed, uint32_t cut_after, bool had_one)
{
    struct world world;
    size_t n = had_one ? 2 : 1;

    init_trash(&world, seed);
    if (had_one) {
        const struct model_mail *mail = &inbox(&world, RIGHT)->mail[0];

        model_deliver(&world.side[RIGHT], "Trash", mail->content, 0)->date =
            mail->date;
        model_expunge(inbox(&world, LEFT), 2);
        n++;
    }
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    world.side[RIGHT].cut_after = cut_after;
    world.side[RIGHT].lose_answer = true;
    ok(run_once(&world) == ERR_CONNECT, "seed %u, cut after %u: it breaks off",
       seed, cut_after);
    world.side[RIGHT].cut_after = 0;
    ok(sync_once(&world) == 0 && world.side[RIGHT].on_its_way,
       "seed %u, cut after %u: the next run waits for what may arrive", seed,
       cut_after);
    ok(inbox(&world, RIGHT)->n_mail == (had_one ? 2 : 3) &&
           trash_of(&world)->n_mail == n && is_equal(&world),
       "seed %u, cut after %u: each is in the Trash once, %zu in all", seed,
       cut_after, trash_of(&world)->n_mail);
    ok(sync_once(&world) == 0 && is_idle(&world) &&
           !world.side[RIGHT].on_its_way,
       "seed %u, cut after %u: that is all", seed, cut_after);
    world_deinit(&world);
}

/* The answer is lost, and the same run goes on. */
static void test_trash_unsure(uint32_t seed)
{
    struct world world;

    init_trash(&world, seed);
    model_expunge(inbox(&world, LEFT), 2);
    world.side[RIGHT].shaky = 4;
    (void)sync_once(&world);
    world.side[RIGHT].shaky = 0;
    ok(sync_once(&world) == 0 && inbox(&world, RIGHT)->n_mail == 2 &&
           trash_of(&world)->n_mail == 2 && is_equal(&world),
       "seed %u: after lost answers each is in the Trash once, %zu in all",
       seed, trash_of(&world)->n_mail);
    world_deinit(&world);
}

static void test_trash_by_copy(void)
{
    for (uint32_t seed = 1; seed <= 5; seed++) {
        test_trash_kept(seed);
        test_trash_cut(seed, 1, false);
        test_trash_cut(seed, 1, true);
        test_trash_cut(seed, 2, true);
    }
    for (uint32_t seed = 1; seed <= 30; seed++)
        test_trash_unsure(seed);
}

/* --- faults ------------------------------------------------------------------- */

static const char *const names[] = {"INBOX", "A", "A/B"};

/* @mover  the side that may move messages, SIDES for none: moved to different
 * places on both sides, or before it is on record, one message becomes two */
static void edit(struct world *world, unsigned *content, enum side mover)
{
    enum side side = sim_random(&world->sim, 2) == 0 ? LEFT : RIGHT;
    const char *name = names[sim_random(&world->sim, 3)];
    struct model *model = &world->side[side];
    struct model_folder *folder = model_make(model, name);
    struct model_mail *mail;
    char *text;

    if (side == mover && folder->n_mail > 0 &&
        sim_random(&world->sim, 3) == 0) {
        const char *to = names[sim_random(&world->sim, 3)];
        bool copies = sim_random(&world->sim, 3) == 0;

        text = mem_copy(
            folder->mail[sim_random(&world->sim, (uint32_t)folder->n_mail)]
                .content);
        if (copies)
            user_copies(world, side, name, to, text);
        else if (strcmp(to, name) != 0)
            user_moves(world, side, name, to, text);
        world->copies[(unsigned)atoi(text + 8) % CONTENTS_MAX] += copies;
        free(text);
        return;
    }
    if (folder->n_mail == 0 || sim_random(&world->sim, 3) > 0) {
        text = mem_printf("message %u", ++*content);
        model_deliver(model, name, text, sim_random(&world->sim, 32))->date +=
            *content / 2;
        free(text);
        return;
    }
    mail = &folder->mail[sim_random(&world->sim, (uint32_t)folder->n_mail)];
    model_flag(folder, mail, mail->flags.system ^ FLAG_SEEN);
}

/* Every message there ever was (nobody deletes any here) is still there, on
 * the side where it was delivered, and as often as it was copied. */
static bool nothing_lost(struct world *world, unsigned contents, bool doubled)
{
    for (unsigned i = 1; i <= contents; i++) {
        char *text = mem_printf("message %u", i);
        size_t n[SIDES] = {0, 0};

        for (size_t k = 0; k < 3; k++) {
            n[LEFT] += model_count(&world->side[LEFT], names[k], text);
            n[RIGHT] += model_count(&world->side[RIGHT], names[k], text);
        }
        free(text);
        if (n[LEFT] + n[RIGHT] == 0)
            return false;
        if (doubled && (n[LEFT] != 1 + world->copies[i % CONTENTS_MAX] ||
                        n[RIGHT] != n[LEFT]))
            return false;
    }
    return true;
}

static bool survives(uint32_t seed)
{
    struct world world;
    unsigned contents = 0;
    bool good = true;

    world_init(&world, seed);
    for (enum side side = LEFT; side < SIDES; side++) {
        world.side[side].tier = (enum model_tier)sim_random(&world.sim, 2);
        world.side[side].no_uids = sim_random(&world.sim, 6) == 0;
        world.side[side].tells_once = sim_random(&world.sim, 3) == 0;
        world.side[side].endpoint.is_local = sim_random(&world.sim, 3) == 0;
    }
    world.policy.moves = sim_random(&world.sim, 4) > 0;
    for (int round = 0; round < 3 && good; round++) {
        enum side cut = sim_random(&world.sim, 2) == 0 ? LEFT : RIGHT;

        enum side mover = (enum side)sim_random(&world.sim, 2);

        for (uint32_t i = sim_random(&world.sim, 10); i > 0; i--)
            edit(&world, &contents, mover);
        model_reconnect(&world.side[LEFT]);
        model_reconnect(&world.side[RIGHT]);
        world.side[cut].cut_after = 1 + sim_random(&world.sim, 8);
        world.side[cut].lose_answer = sim_random(&world.sim, 2) == 0;
        run_once(&world);
        good = nothing_lost(&world, contents, false);
        for (uint32_t i = sim_random(&world.sim, 3); i > 0; i--)
            edit(&world, &contents, SIDES);
        good = good && sync_once(&world) == 0 && is_equal(&world) &&
               nothing_lost(&world, contents, true);
        good = good && sync_once(&world) == 0 && is_idle(&world);
    }
    world_deinit(&world);
    return good;
}

static void tell(struct world *world, unsigned contents)
{
    printf("# %d: %s, %u failed%s\n", world->result.result,
           world->result.err.text, world->result.failed,
           is_equal(world) ? "" : ", not equal");
    for (unsigned i = 1; i <= contents; i++) {
        char *text = mem_printf("message %u", i);

        printf("# %s:", text);
        for (size_t k = 0; k < 3; k++)
            printf(" %s %zu %zu", names[k],
                   model_count(&world->side[LEFT], names[k], text),
                   model_count(&world->side[RIGHT], names[k], text));
        printf("\n");
        free(text);
    }
}

struct tally {
    uint32_t runs;
    uint32_t unfinished;
    uint32_t shaken; /* lost connections */
};

/* The same where the connection is made again within the run: it goes on, and
 * ends with both sides equal, but where one message has no luck at all. */
static bool goes_on(uint32_t seed, struct tally *tally)
{
    struct world world;
    unsigned contents = 0;
    bool good = true;
    bool done;

    world_init(&world, seed);
    for (enum side side = LEFT; side < SIDES; side++) {
        world.side[side].tier = (enum model_tier)sim_random(&world.sim, 2);
        world.side[side].no_uids = sim_random(&world.sim, 6) == 0;
        world.side[side].tells_once = sim_random(&world.sim, 3) == 0;
        world.side[side].endpoint.is_local = sim_random(&world.sim, 3) == 0;
    }
    world.policy.moves = sim_random(&world.sim, 4) > 0;
    for (int round = 0; round < 3 && good; round++) {
        enum side mover = (enum side)sim_random(&world.sim, 2);

        for (uint32_t i = sim_random(&world.sim, 20); i > 0; i--)
            edit(&world, &contents, mover);
        world.side[LEFT].shaky = 8 + sim_random(&world.sim, 40);
        world.side[RIGHT].shaky = 8 + sim_random(&world.sim, 40);
        done = sync_once(&world) == 0 && world.result.failed == 0;
        good =
            nothing_lost(&world, contents, done) && (!done || is_equal(&world));
        tally->shaken += world.side[LEFT].n_shaken;
        tally->shaken += world.side[RIGHT].n_shaken;
        tally->runs++;
        tally->unfinished += !done;
        world.side[LEFT].shaky = 0;
        world.side[RIGHT].shaky = 0;
        good = good && sync_once(&world) == 0 && is_equal(&world) &&
               nothing_lost(&world, contents, true);
        good = good && sync_once(&world) == 0 && is_idle(&world);
        if (!good)
            tell(&world, contents);
    }
    world_deinit(&world);
    return good;
}

static void test_shaky(uint32_t n)
{
    struct tally tally = {0};
    uint32_t failed = 0;

    for (uint32_t seed = 100; seed < 100 + n && failed == 0; seed++) {
        if (!goes_on(seed, &tally))
            failed = seed;
    }
    ok(failed == 0,
       "in %u worlds runs go on over lost connections (first bad seed: %u)", n,
       failed);
    ok(tally.shaken > tally.runs / 2 && tally.unfinished <= tally.runs / 20,
       "%u of %u runs with %u of them did not come to their end",
       tally.unfinished, tally.runs, tally.shaken);
}

#define MAILS 12u /* messages in the worlds below */

/* --- both sides move ------------------------------------------------------------ */

/* Where message @which of @world is: a bit for each folder that has it once on
 * both sides, and a high one where that is not so. */
static unsigned whereabouts(struct world *world, unsigned which)
{
    char *text = mem_printf("message %u", which);
    unsigned bits = 0;

    for (unsigned k = 0; k < 3; k++) {
        int n = count_both(world, names[k], text);

        bits |= n == 1 ? 1u << k : 0;
        bits |= n == 0 || n == 1 ? 0 : 8u;
    }
    free(text);
    return bits;
}

/* Each message goes, or stays, as each side likes. @cut: and a connection is
 * lost on the way; then one that went two ways may be in both places. */
static bool agrees(uint32_t seed, bool cut)
{
    struct world world;
    unsigned goal[MAILS][SIDES];
    bool good = true;

    world_init(&world, seed);
    world.policy.moves = true;
    world.policy.max_delete.kind = MAX_DELETE_OFF;
    world.policy.on_conflict = sim_random(&world.sim, 2) ? RIGHT : LEFT;
    for (enum side side = LEFT; side < SIDES; side++) {
        world.side[side].tier = (enum model_tier)sim_random(&world.sim, 2);
        world.side[side].no_uids = sim_random(&world.sim, 6) == 0;
        world.side[side].tells_once = sim_random(&world.sim, 3) == 0;
    }
    for (unsigned i = 0; i < MAILS; i++) {
        char *text = mem_printf("message %u", i);

        model_deliver(&world.side[LEFT], names[0], text, 0)->date += i / 2;
        free(text);
    }
    sync_once(&world);
    for (unsigned i = 0; i < MAILS; i++) {
        char *text = mem_printf("message %u", i);

        for (enum side side = LEFT; side < SIDES; side++) {
            goal[i][side] = sim_random(&world.sim, 3);
            if (goal[i][side] > 0)
                user_moves(&world, side, names[0], names[goal[i][side]], text);
        }
        free(text);
    }
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    if (cut) {
        enum side side = sim_random(&world.sim, 2) ? RIGHT : LEFT;

        world.side[side].cut_after = 1 + sim_random(&world.sim, 12);
        world.side[side].lose_answer = sim_random(&world.sim, 2) == 0;
        run_once(&world);
    }
    good = sync_once(&world) == 0 && is_equal(&world);
    good = good && sync_once(&world) == 0 && is_idle(&world);
    for (unsigned i = 0; i < MAILS && good; i++) {
        enum side winner = world.policy.on_conflict;
        unsigned left = goal[i][LEFT];
        unsigned right = goal[i][RIGHT];
        unsigned place =
            left == 0 || right == 0 ? left + right : goal[i][winner];
        unsigned is = whereabouts(&world, i);

        good = is == 1u << place ||
               (cut && is == (1u << left | 1u << right) && left * right > 0);
    }
    world_deinit(&world);
    return good;
}

static void test_two_movers(uint32_t n)
{
    for (unsigned cut = 0; cut < 2; cut++) {
        uint32_t failed = 0;

        for (uint32_t seed = 100; seed < 100 + n && failed == 0; seed++) {
            if (!agrees(seed, cut))
                failed = seed;
        }
        ok(failed == 0,
           "rows 5 to 8: in %u worlds both sides agree where a message is%s "
           "(first bad seed: %u)",
           n, cut ? ", with cut connections" : "", failed);
    }
}

/* --- moves and copies are an optimisation --------------------------------------- */

/* What users do between two runs, by a generator of its own: the same in two
 * worlds. Each message is moved by one side only: by both to different folders
 * is row 8, which needs moves to be recognised. */
static void live(struct world *world, struct sim *dice, unsigned *contents)
{
    enum side mover[MAILS];

    for (unsigned i = 0; i < MAILS; i++)
        mover[i] = sim_random(dice, 2) == 0 ? LEFT : RIGHT;
    for (uint32_t n = sim_random(dice, 12); n > 0; n--) {
        unsigned which = sim_random(dice, MAILS);
        uint32_t act = sim_random(dice, 6);
        const char *from = names[sim_random(dice, 3)];
        const char *to = names[sim_random(dice, 3)];
        enum side side = act > 2 ? mover[which] : other(mover[which]);
        struct model_folder *folder = model_make(&world->side[side], from);
        struct model_mail *mail;
        char *text = mem_printf("message %u", which);

        mail = by_content(folder, text);
        for (size_t k = 0; mail == NULL && act > 0 && k < 3; k++) {
            from = names[k];
            folder = model_make(&world->side[side], from);
            mail = by_content(folder, text);
        }
        if (act == 0 && *contents < MAILS)
            model_deliver(&world->side[side], from, text, 0)->date +=
                (*contents)++ / 2;
        else if (act == 1 && mail != NULL)
            model_flag(folder, mail, mail->flags.system ^ FLAG_SEEN);
        else if (act == 2 && mail != NULL)
            model_expunge(folder, mail->uid);
        else if (act == 3 && mail != NULL)
            user_copies(world, side, from, to, text);
        else if (act > 3 && mail != NULL && strcmp(from, to) != 0)
            user_moves(world, side, from, to, text);
        free(text);
    }
}

static bool same_mail(struct world *one, struct world *two)
{
    for (unsigned i = 0; i < MAILS; i++) {
        char *text = mem_printf("message %u", i);

        for (size_t k = 0; k < 3; k++) {
            if (model_count(&one->side[LEFT], names[k], text) !=
                model_count(&two->side[LEFT], names[k], text)) {
                free(text);
                return false;
            }
        }
        free(text);
    }
    return true;
}

/* The same life in a world with moves recognised, and in one without. */
static bool is_only_faster(uint32_t seed, uint32_t *placed)
{
    struct world worlds[2];
    bool good = true;

    for (unsigned i = 0; i < 2; i++) {
        world_init(&worlds[i], seed);
        worlds[i].policy.moves = i == 0;
        worlds[i].policy.max_delete.kind = MAX_DELETE_OFF;
        for (enum side side = LEFT; side < SIDES; side++) {
            worlds[i].side[side].tier = (enum model_tier)(seed >> side & 1);
            worlds[i].side[side].no_uids = (seed >> 2) % 5 == side;
            worlds[i].side[side].endpoint.is_local = (seed >> 3) % 3 == side;
        }
    }
    for (uint32_t round = 0; round < 5 && good; round++) {
        unsigned contents[2] = {round * 2, round * 2};

        for (unsigned i = 0; i < 2; i++) {
            struct sim dice;

            sim_init(&dice, seed * 8 + round);
            live(&worlds[i], &dice, &contents[i]);
            sim_deinit(&dice);
            good = good && sync_once(&worlds[i]) == 0 && is_equal(&worlds[i]);
            *placed +=
                worlds[i].side[LEFT].n_placed + worlds[i].side[RIGHT].n_placed;
            good = good && sync_once(&worlds[i]) == 0 && is_idle(&worlds[i]);
        }
        good = good && same_mail(&worlds[0], &worlds[1]);
    }
    world_deinit(&worlds[0]);
    world_deinit(&worlds[1]);
    return good;
}

static void test_metamorphic(uint32_t n)
{
    uint32_t failed = 0;
    uint32_t placed = 0;

    for (uint32_t seed = 100; seed < 100 + n && failed == 0; seed++) {
        if (!is_only_faster(seed, &placed))
            failed = seed;
    }
    ok(failed == 0 && placed > n / 4,
       "in %u worlds the same mail ends in the same folders with moves = no "
       "(first bad seed: %u, %u moves and copies)",
       n, failed, placed);
}

static void test_cuts(uint32_t n)
{
    uint32_t failed = 0;

    for (uint32_t seed = 100; seed < 100 + n && failed == 0; seed++) {
        if (!survives(seed))
            failed = seed;
    }
    ok(failed == 0, "%u worlds survive cut connections (first bad seed: %u)", n,
       failed);
}

int main(int argc, char **argv)
{
    if (argc > 1) /* one seed, or many: test_run SEED | test_run -n COUNT */
        return strcmp(argv[1], "-n") == 0
                   ? (test_cuts((uint32_t)atoi(argv[2])),
                      test_shaky((uint32_t)atoi(argv[2])),
                      test_two_movers((uint32_t)atoi(argv[2])),
                      test_metamorphic((uint32_t)atoi(argv[2])), done_testing())
                   : !survives((uint32_t)atoi(argv[1]));
    test_first_and_second();
    for (unsigned i = 0; i < 4; i++) {
        test_gone_at_once(i & 1, 1 + i / 2);
        test_merged(i & 1, i & 2);
    }
    test_twin_gone();
    test_newest_first();
    test_both_ways(MODEL_FULL);
    test_both_ways(MODEL_CHANGES);
    for (unsigned i = 0; i < 4; i++)
        test_flags_not_taken(i & 1 ? MODEL_CHANGES : MODEL_FULL, i & 2);
    test_guards();
    test_refused();
    test_no_room();
    test_poison(false);
    test_poison(true);
    test_uidvalidity();
    test_lost_state();
    test_no_uidplus();
    test_plan();
    test_plan_of_everything();
    test_one_way_moves();
    test_kept_then_lost(LEFT);
    test_kept_then_lost(RIGHT);
    test_undated();
    test_moves(true, false);
    test_moves(false, false);
    test_moves(true, true);
    for (unsigned i = 0; i < 8; i++)
        test_copies(i & 1, i & 2, i & 4);
    for (unsigned i = 0; i < 4; i++)
        test_two_moves(i & 1 ? RIGHT : LEFT, i & 2);
    test_move_refused();
    test_move_into_deleted();
    test_moves_between_deleted();
    test_moves_between_deleted_cut();
    test_two_moves_into_deleted(false);
    test_two_moves_into_deleted(true);
    test_move_out_of_deleted(true);
    test_move_out_of_deleted(false);
    test_doubtful_copies(false);
    test_doubtful_copies(true);
    test_first_run_asks_nothing();
    test_doubtful_list();
    test_hidden_folder();
    test_trash();
    test_trash_by_copy();
    test_two_movers(150);
    test_metamorphic(150);
    test_cuts(300);
    test_shaky(300);
    return done_testing();
}
