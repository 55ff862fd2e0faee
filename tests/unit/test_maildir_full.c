/* A disk that is full: no message is called stored, nothing half-written is
 * left. Needs a file system of its own, so root; a file too large needs
 * nobody. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define ID 7u

static const struct flags none;

/* A small file system of our own at the root; false where that cannot be. */
static bool mount_small(const struct world *world)
{
#ifdef __linux__
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mkdir(world->root, 0700) == 0 &&
           mount("small", world->root, "tmpfs", 0, "size=1m") == 0;
#else
    (void)world;
    return false;
#endif
}

static void test_full_disk(void)
{
    struct message_meta meta = {.size = 100000};
    struct add_request request;
    struct world world;
    char body[1000];
    unsigned stored;

    (void)memset(body, 'x', sizeof(body));
    world_make(&world, MAILDIR_NESTED);
    if (!mount_small(&world)) {
        ok(true, "a full disk # SKIP needs root to mount a small one");
        (void)world_end(&world);
        return;
    }
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    request = world_add_request(&world, "INBOX", ID);
    endpoint_add_open(world.endpoint, &request);
    for (unsigned i = 0; i < 20; i++) {
        endpoint_add_message(world.endpoint, &request, &meta);
        for (unsigned n = 0; n < 100; n++) {
            (void)endpoint_add_data(world.endpoint, &request,
                                    (struct bytes){body, sizeof(body)});
        }
    }
    endpoint_add_close(world.endpoint, &request);
    ok(world_wait(&world, &request.base) == ERR_DISK, "a full disk: %s",
       world.err.text);
    stored = world_count(&world, "INBOX/new", NULL);
    ok(world.n_added == 20 && world.in_order && world.n_bad > 0 &&
           stored == 20 - world.n_bad,
       "each message is told of: %u of 20 are stored", stored);
    ok(world_count(&world, "INBOX/tmp", NULL) == 0,
       "nothing half-written is left");
    (void)world_close(&world);
    (void)umount(world.root);
    ok(world_end(&world), "cleaned up");
}

static void test_large_file(void)
{
    const struct rlimit limit = {.rlim_cur = 2 * 1024 * 1024,
                                 .rlim_max = RLIM_INFINITY};
    struct world world;
    struct rlimit before;
    struct buf text;

    buf_init(&text, 0);
    while (buf_len(&text) < 3u * 1024 * 1024) {
        buf_add(&text, B("a line\r\n"));
    }
    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    (void)signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_FSIZE, &before) < 0 ||
        setrlimit(RLIMIT_FSIZE, &limit) < 0) {
        world_die("no limit");
    }
    ok(world_add(&world, "INBOX", ID, buf_peek(&text), none) == 0 &&
           world.added_result == ERR_REFUSED,
       "a file too large is a failure of that message: %s", world.err.text);
    ok(world_add(&world, "INBOX", ID, B("small"), none) == 0 &&
           world.added_result == 0,
       "a small one goes through");
    ok(world_count(&world, "INBOX/tmp", NULL) == 0,
       "nothing half-written is left");
    (void)setrlimit(RLIMIT_FSIZE, &before);
    buf_deinit(&text);
    ok(world_end(&world), "cleaned up");
}

int main(void)
{
    test_full_disk();
    test_large_file();
    return done_testing();
}
