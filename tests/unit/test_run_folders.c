/*
 * Whole runs over folders that come, go and change their names: one by one, then
 * random worlds with connections that are cut.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/tap.h"
#include "tests/unit/run_world.h"

static void test_folders(void)
{
    struct world world;

    world_init(&world, 4);
    fill(&world, LEFT, "INBOX", 5, 'm');
    fill(&world, LEFT, "Gone", 3, 'g');
    fill(&world, LEFT, "Kept", 3, 'k');
    sync_once(&world);
    for (uint32_t uid = 1; uid <= 3; uid++) {
        model_expunge(model_folder(&world.side[RIGHT], "Gone"), uid);
        model_expunge(model_folder(&world.side[RIGHT], "Kept"), uid);
    }
    sync_once(&world);
    ok(model_folder(&world.side[LEFT], "Gone")->n_mail == 0,
       "emptied on the right is emptied on the left");
    fill(&world, LEFT, "Gone", 3, 'h');
    fill(&world, LEFT, "Kept", 3, 'k');
    sync_once(&world);
    /* Delete both on the right; the left has new mail in one of them. */
    model_remove(&world.side[RIGHT], "Gone");
    model_remove(&world.side[RIGHT], "Kept");
    model_deliver(&world.side[LEFT], "Kept", "unread news", 0);
    ok(sync_once(&world) == 0 &&
           model_folder(&world.side[LEFT], "Gone") == NULL,
       "a folder deleted on one side is deleted on the other");
    ok(model_count(&world.side[RIGHT], "Kept", "unread news") == 1 &&
           model_folder(&world.side[RIGHT], "Kept")->n_mail == 1,
       "row 10: but new mail in it brings it back, with that mail only");
    world_deinit(&world);
}

/* Deleted with its messages, under the guard; and what must stay. */
static void test_deleted(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 25);
    world.policy.max_size = 40;
    fill(&world, LEFT, "INBOX", 30, 'i');
    fill(&world, LEFT, "Big", 20, 'b');
    fill(&world, LEFT, "P", 3, 'p');
    fill(&world, LEFT, "P/Child", 3, 'c');
    fill(&world, RIGHT, "Apart", 2, 'a');
    model_deliver(right, "Apart",
                  "a message that is much too large for such a small pair", 0);
    sync_once(&world);
    model_remove(left, "Big");
    ok(sync_once(&world) == 0 && world.result.held == 20 &&
           model_folder(right, "Big")->n_mail == 20,
       "a deleted folder with many messages is held");
    model_deliver(right, "Big", "new over there", 0);
    ok(sync_once(&world) == 0 && world.result.held == 20 &&
           model_folder(right, "Big")->n_mail == 21 &&
           model_folder(left, "Big") == NULL,
       "and again; it does not come back by itself");
    world.force_delete = true;
    ok(sync_once(&world) == 0 && model_folder(right, "Big")->n_mail == 1 &&
           model_count(left, "Big", "new over there") == 1,
       "let through, what is new in it lives");
    world.force_delete = false;
    model_remove(left, "P");
    ok(sync_once(&world) == 0 && model_folder(right, "P") == NULL &&
           model_folder(right, "P/Child")->n_mail == 3 &&
           model_folder(left, "P/Child")->n_mail == 3,
       "a parent goes, and its child stays");
    model_remove(left, "Apart");
    ok(sync_once(&world) == 0 && model_folder(right, "Apart") != NULL &&
           model_folder(right, "Apart")->n_mail == 1,
       "messages that stay apart keep their folder");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_idle(&world),
       "and it is settled");
    fill(&world, LEFT, "Both", 3, 'b');
    sync_once(&world);
    model_remove(left, "Both");
    model_remove(right, "Both");
    ok(sync_once(&world) == 0 && model_folder(left, "Both") == NULL &&
           model_folder(right, "Both") == NULL && world.result.failed == 0,
       "deleted on both sides");
    ok(sync_once(&world) == 0 && is_idle(&world), "it is forgotten");
    fill(&world, LEFT, "Both", 2, 'n');
    ok(sync_once(&world) == 0 && model_folder(left, "Both")->n_mail == 2 &&
           model_folder(right, "Both")->n_mail == 2,
       "made again, it is a new one");
    world_deinit(&world);
}

/* With the new name comes a new UIDVALIDITY: nothing shows that it is the same
 * folder, but what is in it. */
static void test_renamed_anew(void)
{
    struct world world;

    world_init(&world, 26);
    world.policy.moves = true;
    fill(&world, LEFT, "INBOX", 5, 'i');
    fill(&world, LEFT, "Old", 20, 'o');
    sync_once(&world);
    model_rename(&world.side[LEFT], "Old", "New");
    model_folder(&world.side[LEFT], "New")->uidvalidity++;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[RIGHT], "New")->n_mail == 20 &&
           model_folder(&world.side[RIGHT], "Old") == NULL &&
           world.result.held == 0,
       "a folder renamed with a new UIDVALIDITY");
    ok(world.side[LEFT].n_read == 0 && world.side[RIGHT].n_read == 0 &&
           world.side[RIGHT].n_placed == 20,
       "is found by identity, and no body is sent");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

static void test_renames(void)
{
    struct world world;

    world_init(&world, 12);
    fill(&world, LEFT, "A", 15, 'a');
    fill(&world, LEFT, "A/B", 15, 'b');
    fill(&world, LEFT, "C", 15, 'c');
    model_make(&world.side[LEFT], "INBOX");
    sync_once(&world);
    model_rename(&world.side[LEFT], "A", "New/A");
    model_rename(&world.side[RIGHT], "C", "D");
    model_deliver(&world.side[LEFT], "New/A", "arrived since", 0);
    world.dry = true;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FOLDER_RENAME] == 3 &&
           world.result.todo == 4,
       "a plan tells of renamed folders");
    world.dry = false;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[RIGHT], "New/A/B")->n_mail == 15 &&
           model_folder(&world.side[LEFT], "D")->n_mail == 15 &&
           model_folder(&world.side[RIGHT], "A") == NULL,
       "renamed folders are renamed on the other side, with their children");
    ok(world.side[LEFT].n_read == 1 && world.side[RIGHT].n_read == 0 &&
           world.result.counts[RIGHT].folders_renamed == 2 &&
           world.result.counts[LEFT].folders_renamed == 1,
       "and no message is sent but the new one");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    /* Gone here, and another one made with the same token: no rename. */
    model_rename(&world.side[LEFT], "D", "E");
    for (size_t i = 0; i < 15; i++) {
        struct model_mail *mail =
            &model_folder(&world.side[LEFT], "E")->mail[i];

        mail->content[0] = 'x';
    }
    ok(sync_once(&world) == 0 && world.result.held == 15 &&
           model_folder(&world.side[RIGHT], "D")->n_mail == 15 &&
           model_folder(&world.side[RIGHT], "E")->n_mail == 15,
       "a folder with other mail is no renamed one");
    world_deinit(&world);
}

static void swap_names(struct model *model, const char *one, const char *two)
{
    model_rename(model, one, "aside");
    model_rename(model, two, one);
    model_rename(model, "aside", two);
}

static void fill_swap(struct world *world)
{
    model_make(&world->side[LEFT], "INBOX");
    fill(world, LEFT, "A", 12, 'a');
    fill(world, LEFT, "A/X", 12, 'x');
    fill(world, LEFT, "B", 12, 'b');
    sync_once(world);
}

static bool is_swapped(struct world *world, enum side side)
{
    struct model *model = &world->side[side];

    return model_count(model, "B", "a0 of A") == 1 &&
           model_count(model, "B/X", "x0 of A/X") == 1 &&
           model_count(model, "A", "b0 of B") == 1 && model->n_folders == 4;
}

static bool nothing_sent(const struct world *world)
{
    return world->side[LEFT].n_read == 0 && world->side[RIGHT].n_read == 0 &&
           world->side[LEFT].n_placed == 0 && world->side[RIGHT].n_placed == 0;
}

static void test_swap(void)
{
    struct world world;
    uint32_t bad = 0;

    world_init(&world, 15);
    fill_swap(&world);
    swap_names(&world.side[LEFT], "A", "B");
    world.dry = true;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FOLDER_RENAME] == 3 &&
           world.result.todo == 3,
       "a plan tells of swapped folders");
    world.dry = false;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           is_swapped(&world, RIGHT) && nothing_sent(&world),
       "swapped folders are swapped on the other side, and nothing is sent");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
    /* Cut before and after each of the three renames. */
    for (uint32_t cut = 1; cut <= 3; cut++) {
        for (int lost = 0; lost <= 1; lost++) {
            world_init(&world, 16 + cut);
            world.policy.on_conflict = RIGHT;
            fill_swap(&world);
            swap_names(&world.side[LEFT], "A", "B");
            model_reconnect(&world.side[LEFT]);
            model_reconnect(&world.side[RIGHT]);
            world.side[RIGHT].cut_after = cut;
            world.side[RIGHT].lose_answer = lost == 1;
            run_once(&world);
            bad += sync_once(&world) != 0 || !is_swapped(&world, LEFT) ||
                   !is_swapped(&world, RIGHT) || !nothing_sent(&world) ||
                   sync_once(&world) != 0 || !is_idle(&world);
            world_deinit(&world);
        }
    }
    ok(bad == 0, "cut at any rename, the next run goes on (%u do not)", bad);
}

static void test_rename_conflicts(void)
{
    struct world world;

    world_init(&world, 20);
    fill_swap(&world);
    /* Row 11: new mail in the old name, and a new folder below it. */
    model_rename(&world.side[LEFT], "A", "C");
    model_deliver(&world.side[RIGHT], "A", "late", 0);
    model_deliver(&world.side[RIGHT], "A/Y", "deep", 0);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(&world.side[LEFT], "C", "late") == 1 &&
           model_count(&world.side[LEFT], "C/Y", "deep") == 1 &&
           model_folder(&world.side[RIGHT], "A") == NULL,
       "row 11: new mail in a folder that is renamed goes along");
    /* Row 12: other names on both sides, then the same name. */
    model_rename(&world.side[LEFT], "C", "L");
    model_rename(&world.side[RIGHT], "C", "R");
    world.policy.on_conflict = RIGHT;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[LEFT], "R") != NULL &&
           model_folder(&world.side[LEFT], "L") == NULL && nothing_sent(&world),
       "row 12: of two new names the configured one wins");
    model_rename(&world.side[LEFT], "R", "S");
    model_rename(&world.side[RIGHT], "R", "S");
    ok(sync_once(&world) == 0 && is_equal(&world) && nothing_sent(&world) &&
           world.result.counts[LEFT].folders_renamed == 0 &&
           world.result.counts[RIGHT].folders_renamed == 0,
       "row 12: the same new name on both sides is taken over");
    /* Row 12: renamed here, deleted there. */
    model_rename(&world.side[LEFT], "B", "T");
    model_remove(&world.side[RIGHT], "B");
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(&world.side[RIGHT], "T", "b0 of B") == 1 &&
           model_folder(&world.side[LEFT], "T")->n_mail == 12,
       "row 12: renamed here and deleted there, it lives on");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    /* The new name is another new folder's over there. */
    world.policy.moves = true;
    model_rename(&world.side[LEFT], "T", "U");
    model_deliver(&world.side[RIGHT], "U", "stranger", 0);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           world.side[LEFT].n_read == 0 &&
           model_folder(&world.side[LEFT], "U")->n_mail == 13,
       "where the new name is taken, both become one folder");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_idle(&world),
       "and it is settled");
    world_deinit(&world);
}

static bool subscribed_on(struct world *world, const char *name, bool left,
                          bool right)
{
    return model_folder(&world->side[LEFT], name)->subscribed == left &&
           model_folder(&world->side[RIGHT], name)->subscribed == right;
}

static void test_subscriptions(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 23);
    world.policy.subscriptions = true;
    model_make(left, "A")->subscribed = true;
    model_make(left, "B");
    model_make(right, "B")->subscribed = true;
    model_make(right, "C")->subscribed = true;
    model_make(right, "D");
    ok(sync_once(&world) == 0 && subscribed_on(&world, "A", true, true) &&
           subscribed_on(&world, "B", true, true) &&
           subscribed_on(&world, "C", true, true) &&
           subscribed_on(&world, "D", false, false),
       "subscriptions: a first run unites them");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    model_folder(left, "A")->subscribed = false;
    model_folder(right, "B")->subscribed = false;
    model_folder(right, "D")->subscribed = true;
    world.dry = true;
    ok(sync_once(&world) == 0 && world.result.todo == 3 &&
           world.n_events[REPORT_UNSUBSCRIBE] == 2,
       "a plan tells of them");
    world.dry = false;
    ok(sync_once(&world) == 0 && subscribed_on(&world, "A", false, false) &&
           subscribed_on(&world, "B", false, false) &&
           subscribed_on(&world, "D", true, true),
       "what changes on one side changes on the other");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    model_rename(left, "C", "E");
    ok(sync_once(&world) == 0 && subscribed_on(&world, "E", true, true),
       "a rename loses none");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world.policy.direction = DIRECTION_LEFT_TO_RIGHT;
    model_folder(right, "E")->subscribed = false;
    sync_once(&world);
    ok(subscribed_on(&world, "E", true, true),
       "a one-way pair's target has those of its source");
    world.policy.direction = DIRECTION_BOTH;
    world.policy.subscriptions = false;
    model_folder(right, "E")->subscribed = false;
    sync_once(&world);
    ok(subscribed_on(&world, "E", true, false),
       "subscriptions = no leaves them alone");
    world_deinit(&world);
}

static void test_rename_one_way(void)
{
    struct world world;

    world_init(&world, 21);
    fill_swap(&world);
    world.policy.direction = DIRECTION_LEFT_TO_RIGHT;
    sync_once(&world);
    model_rename(&world.side[RIGHT], "B", "mine");
    ok(sync_once(&world) == 0 && is_equal(&world) && nothing_sent(&world) &&
           model_folder(&world.side[RIGHT], "mine") == NULL,
       "a one-way pair's target gets its names back");
    model_rename(&world.side[LEFT], "B", "C");
    ok(sync_once(&world) == 0 && is_equal(&world) && nothing_sent(&world) &&
           model_folder(&world.side[RIGHT], "C") != NULL,
       "and follows its source");
    world_deinit(&world);
}

/* Row 19. */
static void test_two_names_one(bool together)
{
    struct world world;

    world_init(&world, 24);
    world.side[RIGHT].folds_case = true;
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, together ? "Foo" : "foo", 3, 'f');
    if (!together)
        sync_once(&world);
    fill(&world, LEFT, together ? "foo" : "Foo", 3, 'g');
    model_deliver(&world.side[LEFT], "INBOX", "news", 0);
    ok(sync_once(&world) == 0 && world.result.failed == 2 &&
           model_count(&world.side[RIGHT], "INBOX", "news") == 1,
       "row 19: two names that are one over there are both refused (%s)",
       together ? "both new" : "one after the other");
    model_deliver(&world.side[LEFT], "foo", "a", 0);
    model_deliver(&world.side[LEFT], "Foo", "b", 0);
    ok(sync_once(&world) == 0 && world.result.failed == 2 &&
           model_count(&world.side[RIGHT], "foo", "a") == 0 &&
           model_count(&world.side[RIGHT], "foo", "b") == 0 &&
           model_count(&world.side[RIGHT], "Foo", "a") == 0 &&
           model_count(&world.side[RIGHT], "Foo", "b") == 0,
       "each time, and nothing is put into either");
    model_rename(&world.side[LEFT], "Foo", "Bar");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 &&
           world.result.failed == 0 && is_equal(&world),
       "until one of them has another name");
    world_deinit(&world);
}

static void test_rename_out(void)
{
    struct world world;

    world_init(&world, 22);
    world.policy.folders = mem_copy("*, !old/*");
    fill_swap(&world);
    model_rename(&world.side[LEFT], "B", "old/B");
    ok(sync_once(&world) == 0 && world.result.held == 12 &&
           model_folder(&world.side[RIGHT], "B")->n_mail == 12,
       "a folder that is renamed out of the pair is not deleted on the other "
       "side");
    ok(sync_once(&world) == 0 && world.result.held == 12,
       "which is told again");
    model_rename(&world.side[LEFT], "old/B", "D");
    ok(sync_once(&world) == 0 && world.result.held == 0 && is_equal(&world) &&
           model_folder(&world.side[RIGHT], "D")->n_mail == 12 &&
           nothing_sent(&world),
       "renamed back into it, it is followed");
    model_rename(&world.side[LEFT], "D", "old/D");
    world.force_delete = true;
    ok(sync_once(&world) == 0 &&
           model_folder(&world.side[RIGHT], "D") == NULL &&
           model_folder(&world.side[LEFT], "old/D")->n_mail == 12,
       "--force-delete lets it go");
    free(world.policy.folders);
    world_deinit(&world);
}

/* A folder went along with the one above it, and nobody can look whether it is
 * the same: to rename the one above would take the twin along, to a name where
 * it meets what nobody knows to be its twin. */
static void test_rename_unseen(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 27);
    fill(&world, LEFT, "INBOX", 3, 'i');
    model_make(left, "A");
    fill(&world, LEFT, "A/X", 1, 'x');
    fill(&world, LEFT, "A/Y", 4, 'y');
    fill(&world, LEFT, "C", 4, 'c');
    sync_once(&world);
    model_rename(right, "A", "B");
    model_rename(right, "C", "D");
    model_expunge(model_folder(right, "B/X"), 1);
    model_deliver(left, "A", "late", 0);
    right->mute = "B/X";
    ok(sync_once(&world) == 0 && world.result.failed == 3 &&
           model_folder(left, "A/X")->n_mail == 1 &&
           model_folder(left, "A/Y")->n_mail == 4 &&
           model_folder(left, "B") == NULL &&
           model_folder(right, "B/X")->n_mail == 0,
       "where nobody can look what went along, the whole tree waits");
    ok(model_folder(left, "D") != NULL && model_folder(left, "C") == NULL,
       "and nothing else does");
    ok(sync_once(&world) == 0 && world.result.failed == 3,
       "which is told again");
    right->mute = NULL;
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world) &&
           model_folder(left, "B/X")->n_mail == 0 &&
           model_count(right, "B", "late") == 1 &&
           world.side[LEFT].n_placed == 0 && world.side[LEFT].n_read == 1,
       "then it is renamed, and what was deleted in it stays deleted");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* One below a folder that is renamed has to go elsewhere first, and is refused
 * that: the one above it must not take it to a name that is neither's. */
static void test_rename_refused(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 50);
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, "A", 12, 'a');
    fill(&world, LEFT, "A/X", 12, 'x');
    sync_once(&world);
    model_rename(left, "A/X", "X");
    model_rename(left, "A", "C");
    right->keeps = "A/X";
    ok(sync_once(&world) == 0 && world.result.failed == 2 &&
           model_folder(right, "A")->n_mail == 12 &&
           model_folder(right, "A/X")->n_mail == 12,
       "a folder waits for one below it that is refused its name");
    right->keeps = NULL;
    ok(sync_once(&world) == 0 && is_equal(&world) && nothing_sent(&world) &&
           model_folder(right, "C")->n_mail == 12 &&
           model_folder(right, "X")->n_mail == 12,
       "then both are renamed");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* One is deleted, another one gets its name, and a new one that one's: as logs
 * are put away. */
static void rotate(struct world *world, uint32_t seed)
{
    struct model *left = &world->side[LEFT];

    world_init(world, seed);
    world->policy.max_delete.kind = MAX_DELETE_OFF;
    world->policy.moves = true;
    fill(world, LEFT, "INBOX", 3, 'i');
    fill(world, LEFT, "New", 12, 'n');
    fill(world, LEFT, "New/X", 4, 'x');
    fill(world, LEFT, "Old", 10, 'o');
    fill(world, LEFT, "Old/X", 5, 'y');
    sync_once(world);
    model_remove(left, "Old");
    model_remove(left, "Old/X");
    model_rename(left, "New", "Old");
    model_deliver(left, "New", "another", 0);
}

static bool is_rotated(struct world *world, enum side side)
{
    struct model *model = &world->side[side];

    return model_folder(model, "New")->n_mail == 1 &&
           model_folder(model, "Old")->n_mail == 12 &&
           model_folder(model, "Old/X")->n_mail == 4 &&
           model_count(model, "Old", "n0 of New") == 1;
}

static void test_rotation(void)
{
    struct world world;
    uint32_t bad = 0;

    rotate(&world, 29);
    world.dry = true;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FOLDER_RENAME] == 4,
       "a plan tells of a folder that makes way for one that gets its name");
    world.dry = false;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           is_rotated(&world, RIGHT) && world.side[LEFT].n_read == 1 &&
           world.side[RIGHT].n_read == 0 && world.side[RIGHT].n_folders == 4,
       "which is renamed; the other one and what was in it is gone");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);

    rotate(&world, 30);
    model_deliver(&world.side[RIGHT], "Old", "late", 0);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           is_rotated(&world, RIGHT) &&
           model_folder(&world.side[LEFT], "Old" FOLDER_KEPT)->n_mail == 1 &&
           model_count(&world.side[LEFT], "Old" FOLDER_KEPT, "late") == 1,
       "row 10: new mail in it is kept, under another name");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);

    rotate(&world, 31);
    world.policy.max_delete.kind = MAX_DELETE_COUNT;
    world.policy.max_delete.value = 9;
    for (int run = 0; run < 2; run++)
        ok(sync_once(&world) == 0 && world.result.held == 15 &&
               is_rotated(&world, RIGHT) &&
               model_folder(&world.side[RIGHT], "Old" FOLDER_KEPT)->n_mail ==
                   10 &&
               model_folder(&world.side[LEFT], "Old" FOLDER_KEPT) == NULL,
           "too many to be deleted, they are held there (run %d)", run);
    world.force_delete = true;
    ok(sync_once(&world) == 0 && is_equal(&world) && is_rotated(&world, RIGHT),
       "and let through");
    world_deinit(&world);

    for (uint32_t cut = 1; cut <= 14; cut++) {
        rotate(&world, 32 + cut / 2);
        model_reconnect(&world.side[LEFT]);
        model_reconnect(&world.side[RIGHT]);
        world.side[RIGHT].cut_after = 1 + cut / 2;
        world.side[RIGHT].lose_answer = cut % 2 == 1;
        run_once(&world);
        bad += sync_once(&world) != 0 || !is_equal(&world) ||
               !is_rotated(&world, RIGHT) || world.side[RIGHT].n_read > 0 ||
               sync_once(&world) != 0 || !is_idle(&world);
        world_deinit(&world);
    }
    ok(bad == 0, "cut at any change, the next run goes on (%u do not)", bad);
}

/* What is left of a folder that was deleted went along with the one above it:
 * another folder that gets its old name is not its twin. */
static void test_rename_half(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 28);
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, "A", 3, 'a');
    fill(&world, LEFT, "A/X", 20, 'x');
    sync_once(&world);
    model_remove(left, "A/X");
    model_rename(left, "A", "C");
    ok(sync_once(&world) == 0 && world.result.held == 20 &&
           model_folder(right, "C/X")->n_mail == 20,
       "a deleted folder is held, and goes along with the one above it");
    model_deliver(left, "A/X", "another", 0);
    ok(sync_once(&world) == 0 && world.result.held == 20 &&
           model_count(right, "A/X", "another") == 1 &&
           model_folder(right, "C/X")->n_mail == 20 &&
           model_folder(left, "C/X") == NULL,
       "a new one of its old name is another");
    world.force_delete = true;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(right, "C/X") == NULL,
       "let through, it is deleted where it is");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* The user deletes a folder and makes another one of that name. */
static void replace_folder(struct world *world, const char *name,
                           const char *content)
{
    model_remove(&world->side[RIGHT], name);
    model_deliver(&world->side[RIGHT], name, content, 0);
}

/* A folder that a run made, and never listed: the UIDs on record are not those of
 * the folder that has its name in the next run. */
static void test_replaced(void)
{
    struct world world;

    world_init(&world, 23);
    world.policy.moves = true;
    world.side[RIGHT].endpoint.tokens_prove = false;
    fill(&world, LEFT, "INBOX", 6, 'm');
    sync_once(&world);
    user_moves(&world, LEFT, "INBOX", "New", "m0 of INBOX");
    ok(sync_once(&world) == 0 && world.side[RIGHT].n_placed == 1 &&
           is_equal(&world),
       "a message is moved into a new folder");
    replace_folder(&world, "New", "another");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_equal(&world) &&
           model_count(&world.side[LEFT], "New", "another") == 1,
       "which is replaced: what is in it now is not taken for that message");
    world.side[RIGHT].endpoint.tokens_prove = true;
    fill(&world, LEFT, "Cut", 6, 'c');
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    world.side[RIGHT].cut_after = 4;
    ok(run_once(&world) != 0 &&
           model_folder(&world.side[RIGHT], "Cut")->n_mail > 0,
       "a run is cut while it fills a new folder");
    replace_folder(&world, "Cut", "another");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_equal(&world) &&
           model_count(&world.side[LEFT], "Cut", "another") == 1,
       "nor there");
    world_deinit(&world);
}

/* Both sides have the folder, and its messages are paired in a run that is cut
 * before it is settled; then the user makes it again on one side. */
static void test_replaced_unsettled(void)
{
    struct world world;
    struct model *right = &world.side[RIGHT];

    world_init(&world, 24);
    fill(&world, LEFT, "INBOX", 6, 'm');
    sync_once(&world);
    fill(&world, LEFT, "Both", 1, 'b');
    fill(&world, RIGHT, "Both", 1, 'b');
    fill(&world, LEFT, "INBOX", 3, 'n');
    model_reconnect(&world.side[LEFT]);
    model_reconnect(right);
    right->cut_after = 1;
    ok(run_once(&world) != 0 && world.n_events[REPORT_PAIR] == 1,
       "a run is cut after it paired a folder's messages");
    replace_folder(&world, "Both", "another");
    model_expunge(model_folder(&world.side[LEFT], "Both"), 1);
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_equal(&world) &&
           model_count(right, "Both", "another") == 1 &&
           model_count(&world.side[LEFT], "Both", "another") == 1,
       "what has their UIDs in a new folder is not deleted for them");

    replace_folder(&world, "Both", "another");
    model_deliver(right, "Both", "late", 0);
    fill(&world, LEFT, "INBOX", 3, 'o');
    model_reconnect(&world.side[LEFT]);
    model_reconnect(right);
    right->cut_after = 1;
    ok(run_once(&world) != 0 && world.n_events[REPORT_NOTICE] == 1,
       "a run is cut after it paired them anew");
    model_expunge(model_folder(&world.side[LEFT], "Both"), 2);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(right, "Both", "another") == 0 &&
           world.n_events[REPORT_NOTICE] == 0,
       "what is deleted then does not come back");
    world_deinit(&world);
}

/* The record knows a folder, and no message in it: what comes into another one of
 * that name is on record as that one's from the start. */
static void test_replaced_empty(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 29);
    fill(&world, LEFT, "INBOX", 6, 'm');
    model_make(left, "Empty");
    model_make(left, "Other");
    sync_once(&world);
    replace_folder(&world, "Empty", "new here");
    model_deliver(left, "Empty", "new there", 0);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(left, "Empty", "new here") == 1 &&
           model_count(right, "Empty", "new there") == 1 &&
           world.n_events[REPORT_NOTICE] == 0,
       "what is new in a folder that was made anew is copied, and that is all");
    replace_folder(&world, "Other", "b1");
    model_deliver(right, "Other", "b2", 0);
    fill(&world, RIGHT, "INBOX", 3, 'n');
    model_reconnect(left);
    model_reconnect(right);
    left->cut_after = 4;
    ok(run_once(&world) != 0 && model_folder(left, "Other")->n_mail == 2,
       "a run is cut once it filled its twin");
    model_expunge(model_folder(right, "Other"), 1);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_count(right, "Other", "b1") == 0 &&
           world.n_events[REPORT_NOTICE] == 0,
       "what is deleted then does not come back");
    world_deinit(&world);
}

/* A folder got the name of one that was deleted, in a list that does not tell of
 * it: the run takes it for what has that name, and is cut. The next one is told,
 * and sticks to that. */
static void test_replaced_untold(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model *right = &world.side[RIGHT];

    world_init(&world, 30);
    left->has_objects = true;
    fill(&world, LEFT, "INBOX", 6, 'm');
    model_make(left, "A");
    model_make(left, "B");
    sync_once(&world);
    model_remove(left, "B");
    model_rename(left, "A", "B");
    model_deliver(left, "B", "here", 0);
    model_deliver(right, "B", "there", 0);
    model_flag(inbox(&world, RIGHT),
               by_content(inbox(&world, RIGHT), "m0 of INBOX"), FLAG_FLAGGED);
    model_reconnect(left);
    model_reconnect(right);
    left->untold = "B";
    left->cut_after = 1;
    ok(run_once(&world) != 0 && model_count(right, "B", "here") == 1,
       "a run is cut after it filled a folder of which nothing was told");
    left->untold = NULL;
    ok(sync_once(&world) == 0 && is_equal(&world) && left->n_folders == 2 &&
           model_count(left, "B", "here") == 1 &&
           model_count(left, "B", "there") == 1,
       "the next one takes it for the same");
    world_deinit(&world);
}

/* RFC 9051 2.3.1.1: a server that tells none means that UIDs do not last. */
static void test_no_uidvalidity(void)
{
    struct world world;
    struct model *left = &world.side[LEFT];

    world_init(&world, 30);
    fill(&world, LEFT, "INBOX", 3, 'm');
    sync_once(&world);
    fill(&world, LEFT, "New", 3, 'n');
    model_folder(left, "New")->uidvalidity = 0;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[RIGHT], "New")->n_mail == 3,
       "a folder without UIDVALIDITY is copied");
    model_expunge(model_folder(left, "New"), 1);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[RIGHT], "New")->n_mail == 2,
       "and on record: what is deleted does not come back");
    world_deinit(&world);
}

/* --- random worlds ------------------------------------------------------------- */

static const char *const names[] = {"INBOX", "A", "B", "A/X", "B/X", "C"};

#define NAMES    (sizeof(names) / sizeof(names[0]))
#define MAIL_MAX 400

struct history {
    unsigned delivered;      /* "message 1" to this */
    bool deleted[MAIL_MAX];  /* with a folder, by somebody, somewhere */
    enum side changes_names; /* who makes, renames and deletes folders; SIDES:
                                both, so that they get into each other's way */
    bool was_wild;           /* both did, at some time */
    unsigned doubled;        /* messages that are in two folders for it */
};

static struct model_folder *any_folder(struct model *model)
{
    return model->n_folders == 0 ? NULL
                                 : model->folders[sim_random(
                                       model->sim, (uint32_t)model->n_folders)];
}

static bool is_within(const char *name, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(name, folder, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

/* What a server would allow. */
static void edit_name(struct model *model)
{
    const char *to = names[sim_random(model->sim, NAMES)];
    struct model_folder *folder = any_folder(model);
    struct model_folder *second = any_folder(model);

    if (folder == NULL || strcmp(folder->name, "INBOX") == 0)
        return;
    if (strcmp(second->name, "INBOX") != 0 && sim_random(model->sim, 3) == 0 &&
        !is_within(folder->name, second->name) &&
        !is_within(second->name, folder->name)) {
        char *one = mem_copy(folder->name);
        char *two = mem_copy(second->name);

        swap_names(model, one, two);
        free(one);
        free(two);
        return;
    }
    for (size_t i = 0; i < model->n_folders; i++) {
        if (is_within(model->folders[i]->name, to))
            return;
    }
    if (!is_within(to, folder->name)) {
        char *from = mem_copy(folder->name);

        model_rename(model, from, to);
        free(from);
    }
}

static void edit_away(struct model *model, struct history *history)
{
    struct model_folder *folder = any_folder(model);

    if (folder == NULL || strcmp(folder->name, "INBOX") == 0)
        return;
    for (size_t i = 0; i < folder->n_mail; i++)
        history->deleted[atoi(folder->mail[i].content + 8)] = true;
    model_remove(model, folder->name);
}

static void edit(struct world *world, struct history *history)
{
    enum side side = sim_random(&world->sim, 2) == 0 ? LEFT : RIGHT;
    struct model *model = &world->side[side];
    bool may_rename =
        history->changes_names == SIDES || history->changes_names == side;
    struct model_folder *folder = any_folder(model);
    uint32_t what = sim_random(&world->sim, 8);
    char *text;

    if (what == 0 && may_rename) {
        edit_away(model, history);
    } else if (what <= 3 && may_rename) {
        edit_name(model);
    } else if (what == 4 && may_rename) {
        model_make(model, names[sim_random(&world->sim, NAMES)]);
    } else if (what == 5 && folder != NULL && folder->n_mail > 0) {
        struct model_mail *mail =
            &folder->mail[sim_random(&world->sim, (uint32_t)folder->n_mail)];

        model_flag(folder, mail, mail->flags.system ^ FLAG_SEEN);
    } else if (history->delivered + 1 < MAIL_MAX) {
        text = mem_printf("message %u", ++history->delivered);
        model_deliver(model,
                      folder != NULL &&
                              (!may_rename || sim_random(&world->sim, 2) == 0)
                          ? folder->name
                          : names[sim_random(&world->sim, NAMES)],
                      text, sim_random(&world->sim, 32));
        free(text);
    }
}

static size_t count_all(struct model *model, const char *content)
{
    size_t n = 0;

    for (size_t i = 0; i < model->n_folders; i++)
        n += model_count(model, model->folders[i]->name, content);
    return n;
}

static bool is_once(struct model *model, const char *content)
{
    for (size_t i = 0; i < model->n_folders; i++) {
        if (model_count(model, model->folders[i]->name, content) > 1)
            return false;
    }
    return true;
}

/* What nobody deleted is there. @settled: on both sides, and once. Where both
 * sides gave one folder other names, and made new ones of these names, it may be
 * in two folders, but never twice in one. */
static bool nothing_lost(struct world *world, struct history *history,
                         bool settled)
{
    history->doubled = 0;
    for (unsigned i = 1; i <= history->delivered; i++) {
        char *text = mem_printf("message %u", i);
        size_t left = count_all(&world->side[LEFT], text);
        size_t right = count_all(&world->side[RIGHT], text);
        bool once = is_once(&world->side[LEFT], text) &&
                    is_once(&world->side[RIGHT], text);

        free(text);
        if (left + right == 0 && !history->deleted[i])
            return false;
        if (settled &&
            (left != right || !once || (left > 1 && !history->was_wild)))
            return false;
        history->doubled += left > 1;
    }
    return true;
}

static bool has_temporary(struct world *world)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        for (size_t i = 0; i < world->side[side].n_folders; i++) {
            if (strstr(world->side[side].folders[i]->name, "renaming") != NULL)
                return true;
        }
    }
    return false;
}

static void show(struct world *world, const char *when)
{
    if (!world->trace)
        return;
    printf("# %s\n", when);
    for (enum side side = LEFT; side < SIDES; side++) {
        const struct model *model = &world->side[side];

        for (size_t i = 0; i < model->n_folders; i++) {
            const struct model_folder *folder = model->folders[i];

            printf("#   %d %s (%u):", (int)side, folder->name,
                   folder->uidvalidity);
            for (size_t k = 0; k < folder->n_mail; k++)
                printf(" %u=%s", folder->mail[k].uid,
                       folder->mail[k].content + 8);
            printf("\n");
        }
    }
}

/* Returns NULL, or what went wrong. */
static const char *play(uint32_t seed, bool trace, unsigned *doubled)
{
    struct world world;
    struct history history = {.changes_names = SIDES};
    const char *wrong = NULL;

    world_init(&world, seed);
    world.force_delete = true;
    world.trace = trace;
    for (enum side side = LEFT; side < SIDES; side++) {
        world.side[side].tier = (enum model_tier)sim_random(&world.sim, 2);
        world.side[side].no_uids = sim_random(&world.sim, 6) == 0;
        model_make(&world.side[side], "INBOX");
    }
    world.policy.moves = sim_random(&world.sim, 4) > 0;
    world.policy.on_conflict = sim_random(&world.sim, 2) == 0 ? LEFT : RIGHT;
    for (int round = 0; round < 4 && wrong == NULL; round++) {
        enum side cut = sim_random(&world.sim, 2) == 0 ? LEFT : RIGHT;
        int r;

        history.changes_names = (enum side)sim_random(&world.sim, 3);
        history.was_wild = history.was_wild || history.changes_names == SIDES;
        for (uint32_t i = sim_random(&world.sim, 12); i > 0; i--)
            edit(&world, &history);
        show(&world, "edited");
        model_reconnect(&world.side[LEFT]);
        model_reconnect(&world.side[RIGHT]);
        world.side[cut].cut_after = 1 + sim_random(&world.sim, 8);
        world.side[cut].lose_answer = sim_random(&world.sim, 2) == 0;
        run_once(&world);
        if (!nothing_lost(&world, &history, false))
            wrong = "lost by a cut run";
        show(&world, "after a run that was cut");
        r = sync_once(&world);
        show(&world, "after the next run");
        if (wrong == NULL && (r != 0 || world.result.failed > 0))
            wrong = "the next run fails";
        /* What both sides did to one folder may take a second run. */
        if (wrong == NULL && !is_equal(&world))
            wrong = sync_once(&world) == 0 && is_equal(&world)
                        ? NULL
                        : "not in step after two runs";
        if (wrong == NULL && !nothing_lost(&world, &history, true))
            wrong = "lost or doubled";
        /* A folder that was new on one side, and made way there when the run was
         * cut, is not on record yet: it keeps that name. */
        if (wrong == NULL && !history.was_wild && has_temporary(&world))
            wrong = "a temporary name is left";
        if (wrong == NULL && (sync_once(&world) != 0 || !is_idle(&world)))
            wrong = "not idle";
    }
    *doubled += history.doubled;
    world_deinit(&world);
    return wrong;
}

/* A folder goes in a run that is cut off behind that. Another one gets its name,
 * and gives it up again for one that the other side has made meanwhile. */
static void test_gone_unsettled(void)
{
    struct world world;

    world_init(&world, 25);
    world.policy.moves = true;
    world.policy.max_delete.kind = MAX_DELETE_OFF;
    fill(&world, LEFT, "INBOX", 4, 'm');
    fill(&world, LEFT, "A", 1, 'a');
    fill(&world, LEFT, "C", 3, 'c');
    sync_once(&world);
    model_remove(&world.side[LEFT], "A");
    model_deliver(&world.side[LEFT], "INBOX", "new", 0);
    model_reconnect(&world.side[LEFT]);
    model_reconnect(&world.side[RIGHT]);
    world.side[RIGHT].loses = "new";
    world.side[RIGHT].n_loses = 1;
    world.side[RIGHT].cut_after = 4;
    ok(run_once(&world) == ERR_CONNECT &&
           model_folder(&world.side[RIGHT], "A") == NULL,
       "a folder is gone on both sides when the run is cut off");
    ok(sync_once(&world) == 0 && is_equal(&world), "the next run is through");
    model_rename(&world.side[LEFT], "C", "A");
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[RIGHT], "A")->n_mail == 3,
       "another one gets its name");
    model_rename(&world.side[LEFT], "A", "C");
    model_make(&world.side[RIGHT], "C");
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_equal(&world) &&
           model_folder(&world.side[LEFT], "A") == NULL &&
           model_folder(&world.side[LEFT], "C")->n_mail == 3,
       "what is in that goes where it was moved, and does not come back");
    world_deinit(&world);
}

static void test_worlds(uint32_t n)
{
    uint32_t failed = 0;
    const char *wrong = NULL;
    unsigned doubled = 0;

    for (uint32_t seed = 1; seed <= n && wrong == NULL; seed++) {
        wrong = play(seed, false, &doubled);
        failed = seed;
    }
    ok(wrong == NULL, "%u worlds with folders that change their names (%u: %s)",
       n, failed, wrong != NULL ? wrong : "good");
    printf("# %u messages are in two folders, after changes on both sides\n",
           doubled);
}

/* One seed, or many: test_run_folders SEED | test_run_folders -n COUNT */
int main(int argc, char **argv)
{
    if (argc > 2) {
        test_worlds((uint32_t)atoi(argv[2]));
        return done_testing();
    }
    if (argc > 1) {
        unsigned doubled = 0;
        const char *wrong = play((uint32_t)atoi(argv[1]), true, &doubled);

        return puts(wrong != NULL ? wrong : "good") < 0;
    }
    test_folders();
    test_deleted();
    test_renamed_anew();
    test_renames();
    test_swap();
    test_rename_conflicts();
    test_subscriptions();
    test_rename_one_way();
    test_rename_out();
    test_rename_half();
    test_rotation();
    test_rename_refused();
    test_rename_unseen();
    test_replaced();
    test_replaced_unsettled();
    test_replaced_empty();
    test_replaced_untold();
    test_no_uidvalidity();
    test_gone_unsettled();
    test_two_names_one(true);
    test_two_names_one(false);
    test_worlds(300);
    return done_testing();
}
