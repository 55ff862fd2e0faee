/*
 * Goal of this test: the number in a Maildir's root is raised, durably, before
 * pairs go on record and at no other time; a Maildir with a lower one than the
 * state's is an older copy, and what is on record is forgotten for it, whole.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/maildir_generation.h"
#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define KEY "left.generation"

static struct maildir_generation on_record(struct world *world)
{
    struct maildir_generation generation;
    struct err err;
    char *text = NULL;

    if (state_meta_get(world->state, KEY, &text, &err) < 0)
        world_die(err.text);
    generation = maildir_generation_parse(text);
    free(text);
    return generation;
}

static uint64_t in_root(struct world *world)
{
    struct maildir_generation generation = on_record(world);
    int root = open(world->root, O_RDONLY | O_DIRECTORY);
    struct err err;
    uint64_t number;

    if (maildir_generation_read(root, &generation, &number, &err) < 0)
        world_die(err.text);
    close(root);
    return number;
}

static void put_folder(struct world *world, uint32_t id)
{
    char name[] = "F";
    struct state_folder folder = {
        .id = id, .name = {name, name}
    };

    state_folder_put(world->state, &folder);
}

static void put_pair(struct world *world, uint32_t uid)
{
    struct state_pair pair = {
        .uid = {uid, uid}
    };

    state_pair_put(world->state, 1, &pair);
}

static size_t count_folders(struct world *world)
{
    struct state_folder *folders;
    struct err err;
    size_t n;

    if (state_folders(world->state, &folders, &n, &err) < 0)
        world_die(err.text);
    state_folders_free(folders, n);
    return n;
}

static void test_text(void)
{
    static const char *const bad[] = {"",
                                      "0123456789abcdef",
                                      "0123456789abcdef ",
                                      "0123456789abcdef -1",
                                      "0123456789abcdeX 1",
                                      "0123456789abcdef 1x",
                                      "0123456789abcdef 18446744073709551615",
                                      "0123456789abcdef 99999999999999999999"};
    struct maildir_generation generation = {"0123456789abcdef", 42};
    struct maildir_generation back;
    char *text = maildir_generation_print(&generation);

    back = maildir_generation_parse(text);
    ok(strcmp(back.id, generation.id) == 0 && back.number == 42,
       "to text and back: %s", text);
    free(text);
    back = maildir_generation_parse(NULL);
    ok(back.id[0] == 0 && back.number == 0, "no text is no number");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        back = maildir_generation_parse(bad[i]);
        ok(back.id[0] == 0 && back.number == 0, "nor is \"%s\"", bad[i]);
    }
}

static void test_raise(void)
{
    struct world world;
    uint64_t first;

    world_make(&world, MAILDIR_NESTED);
    ok(world_open(&world, false) == 0 && !world.endpoint->is_older,
       "a new root is no older copy");
    put_folder(&world, 1);
    world_commit(&world);
    ok(on_record(&world).id[0] == 0 &&
           world_shell(&world, "ls -A mail | grep -q '^.mailtwin-'") != 0,
       "a commit without pairs raises nothing");
    put_pair(&world, 1);
    world_commit(&world);
    first = in_root(&world);
    ok(first > 0 && on_record(&world).number == first,
       "a pair raises the number, in the root and on record");
    put_pair(&world, 2);
    world_commit(&world);
    ok(in_root(&world) > first && on_record(&world).number == in_root(&world),
       "the next one raises it again");
    first = in_root(&world);
    world_commit(&world);
    ok(in_root(&world) == first, "nothing to commit, nothing is raised");
    ok(world_close(&world) == 0 && world_open(&world, false) == 0 &&
           !world.endpoint->is_older,
       "the same root is no older copy");
    ok(world_end(&world), "cleaned up");
}

static void test_older(void)
{
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    put_folder(&world, 1);
    put_pair(&world, 1);
    world_commit(&world);
    (void)world_close(&world);
    (void)world_shell(&world, "cp -r mail mail.old");
    (void)world_open(&world, false);
    put_pair(&world, 2);
    world_commit(&world);
    (void)world_close(&world);
    (void)world_shell(&world, "mv mail mail.now && cp -r mail.old mail");

    ok(world_open(&world, true) == 0 && world.endpoint->is_older,
       "a lower number is an older copy, dry too");
    (void)world_close(&world);
    ok(world_open(&world, false) == 0 && world.endpoint->is_older &&
           count_folders(&world) == 1,
       "nothing is forgotten yet where nothing was committed");
    world_commit(&world);
    ok(count_folders(&world) == 0 &&
           on_record(&world).number == in_root(&world),
       "then all is, and the lower number is on record");
    (void)world_close(&world);
    ok(world_open(&world, false) == 0 && !world.endpoint->is_older,
       "it is told once");
    (void)world_close(&world);

    (void)world_shell(&world, "rm -r mail && mv mail.now mail");
    ok(world_open(&world, false) == 0 && !world.endpoint->is_older,
       "one that has come further than the state is no older copy");
    put_folder(&world, 2);
    put_pair(&world, 3);
    world_commit(&world);
    (void)world_close(&world);
    (void)world_shell(&world, "rm mail/.mailtwin-*");
    ok(world_open(&world, false) == 0 && world.endpoint->is_older,
       "one without a number, that had one, is");
    ok(world_end(&world), "cleaned up");
}

static void test_failure(void)
{
    struct world world;
    struct err err;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    put_folder(&world, 1);
    put_pair(&world, 1);
    world_commit(&world);
    /* In the way of the new file, and not to be removed. */
    (void)world_shell(&world, "mkdir mail/$(cd mail; ls -d .mailtwin-*).new");
    put_pair(&world, 2);
    ok(state_commit(world.state, &err) == ERR_DISK,
       "where it cannot be raised nothing goes on record: %s", err.text);
    ok(count_folders(&world) == 1, "the state is what it was");
    (void)world_shell(&world, "rmdir mail/.mailtwin-*.new");
    world_commit(&world);
    ok(on_record(&world).number == in_root(&world), "the next commit does");
    (void)world_close(&world);
    (void)world_shell(&world, "name=$(ls mail/.mailtwin-*) && mv $name kept && "
                              "mkdir $name");
    ok(world_open(&world, false) == ERR_DISK,
       "a number that cannot be read is not a low one: %s", world.err.text);
    (void)world_close(&world);
    (void)world_shell(&world,
                      "name=$(ls -d mail/.mailtwin-*) && rmdir $name && "
                      "mv kept $name");
    ok(world_open(&world, false) == 0 && !world.endpoint->is_older,
       "once it can be read, all is well");
    ok(world_end(&world), "cleaned up");
}

int main(void)
{
    test_text();
    test_raise();
    test_older();
    test_failure();
    return done_testing();
}
