/* What does not belong into a Maildir, and what changes behind our back: nothing
 * outside is read, nothing hangs, and what is there stays what it is. */
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define ID 7u

static const struct flags none;
static const struct flags flagged = {.system = FLAG_FLAGGED};

static void begin(struct world *world)
{
    world_make(world, MAILDIR_NESTED);
    (void)world_open(world, false);
    (void)world_folder(world, FOLDER_CREATE, "INBOX");
}

static void test_no_messages(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct world world;

    begin(&world);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/INBOX/cur/1.s:2,",
                   world.root);
    ok(bind(server, (struct sockaddr *)&name, sizeof(name)) == 0, "a socket");
    if (geteuid() == 0) {
        (void)world_shell(&world, "mknod mail/INBOX/cur/2.zero:2, c 1 5 && "
                                  "mknod mail/INBOX/new/3.disk b 7 99");
        ok(world_count(&world, "INBOX/cur", NULL) == 2, "and devices");
    }
    ok(world_delta(&world, "INBOX", ID, false) == 0 && world.n_listed == 0 &&
           world.delta.complete,
       "are no messages");
    close(server);
    ok(world_end(&world), "cleaned up");
}

/* Another kind of file takes the name of one that was listed. */
static void test_replaced(void)
{
    static const char *const replacements[] = {
        "ln -s /etc/passwd %s", "mkfifo %s", "mkdir %s",
        "ln -s 1.a:2,S %s" /* a loop */
    };

    for (size_t i = 0; i < sizeof(replacements) / sizeof(replacements[0]);
         i++) {
        char *command =
            mem_printf("cd mail/INBOX/cur && rm 1.a:2,S && %.*s1.a:2,S",
                       (int)strlen(replacements[i]) - 2, replacements[i]);
        struct world world;

        begin(&world);
        world_put(&world, "INBOX/cur/1.a:2,S", B("A: b\n\n"));
        (void)world_delta(&world, "INBOX", ID, false);
        (void)world_shell(&world, command);
        ok(world_read(&world, "INBOX", ID, 1) == 0 &&
               buf_len(&world.text) == 0 &&
               (world.begun == 0 || world.end_result < 0),
           "nothing is read through what took its place: %s", command);
        ok(world_end(&world), "cleaned up");
        free(command);
    }
}

/* The directory itself. */
static void test_directory_replaced(void)
{
    struct uidset uids = {0};
    struct world world;

    begin(&world);
    uidset_add(&uids, 1);
    world_put(&world, "INBOX/cur/1.a:2,S", B("A: b\n\n"));
    (void)world_delta(&world, "INBOX", ID, false);
    (void)world_shell(&world,
                      "mkdir state.else && echo x >state.else/1.a:2,S && "
                      "mv mail/INBOX/cur state.cur && "
                      "ln -s ../../state.else mail/INBOX/cur");
    ok(world_read(&world, "INBOX", ID, 1) < 0 && buf_len(&world.text) == 0,
       "a directory that became a symbolic link is not read: %s",
       world.err.text);
    ok(world_flag(&world, "INBOX", ID, 1, flagged, none) < 0 &&
           world_remove(&world, "INBOX", ID, &uids) < 0 &&
           world_shell(&world, "test \"$(ls state.else)\" = 1.a:2,S") == 0,
       "nor is anything renamed or removed there");
    ok(world_delta(&world, "INBOX", ID, true) < 0,
       "nor are its messages taken for gone: %s", world.err.text);
    (void)world_shell(&world, "rm mail/INBOX/cur && "
                              "mv state.cur mail/INBOX/cur");
    ok(world_read(&world, "INBOX", ID, 1) == 0 && world.begun == 1,
       "put back, all is well");
    uidset_deinit(&uids);
    ok(world_end(&world), "cleaned up");
}

/* A flag is set on names of every kind; what is not understood stays. */
static void test_names(void)
{
    static const struct {
        const char *name;
        const char *flagged;
    } names[] = {
        {"1.none",          "1.none:2,F"      },
        {"1.two:2,S:2,R",   NULL              },
        {"1.other!2,S",     "1.other!2,S:2,F" },
        {"1.unsorted:2,SR", NULL              },
        {"1.unknown:2,QS",  NULL              },
        {"1.\xff\xfe:2,S",  "1.\xff\xfe:2,FS" },
        {"1.new\nline:2,S", "1.new\nline:2,FS"},
        {"1.rest:2,S,x=y",  "1.rest:2,FS,x=y" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = mem_printf("INBOX/cur/%s", names[i].name);
        char name[256] = "";
        struct world world;

        begin(&world);
        world_put(&world, path, B("x"));
        (void)world_delta(&world, "INBOX", ID, false);
        ok(world_flag(&world, "INBOX", ID, 1, flagged, none) == 0 &&
               world_count(&world, "INBOX/cur", name) == 1 &&
               (names[i].flagged == NULL ||
                strcmp(name, names[i].flagged) == 0),
           "a flag for name %zu", i);
        ok(world_delta(&world, "INBOX", ID, true) == 0 && world.n_listed == 1 &&
               world.listed[0].uid == 1 &&
               (world.listed[0].flags.system & FLAG_FLAGGED) != 0,
           "it is the same message with that flag");
        ok(strchr(names[i].name, 'Q') == NULL || strchr(name, 'Q') != NULL,
           "a letter that means nothing is kept");
        ok(world_end(&world), "cleaned up");
        free(path);
    }
}

/* 255 octets: no room for another letter. */
static void test_long_name(void)
{
    char *path = mem_printf("INBOX/cur/%0251d:2,S", 0);
    struct world world;
    int r;

    begin(&world);
    world_put(&world, path, B("A: b\n\n"));
    ok(world_delta(&world, "INBOX", ID, false) == 0 && world.n_listed == 1,
       "a name of 255 octets is listed");
    ok(world_read(&world, "INBOX", ID, 1) == 0 &&
           bytes_equal(buf_peek(&world.text), B("A: b\r\n\r\n")),
       "and read");
    r = world_flag(&world, "INBOX", ID, 1, flagged, none);
    ok(r < 0 && world_count(&world, "INBOX/cur", NULL) == 1,
       "a flag more does not fit, which is told: %s", world.err.text);
    free(path);
    ok(world_end(&world), "cleaned up");
}

/* With flags behind it, as it is looked for first, it is no name any more. */
static void test_long_base(void)
{
    char *path = mem_printf("INBOX/cur/%0255d", 0);
    struct world world;

    begin(&world);
    world_put(&world, path, B("A: b\n\n"));
    (void)world_delta(&world, "INBOX", ID, false);
    world_commit(&world);
    (void)world_close(&world);
    (void)world_open(&world, false);
    ok(world_read(&world, "INBOX", ID, 1) == 0 && world.end_result == 0 &&
           bytes_equal(buf_peek(&world.text), B("A: b\r\n\r\n")),
       "a base name of 255 octets is found in the next run");
    free(path);
    ok(world_end(&world), "cleaned up");
}

/* A base name stands for one message: files that share one are told apart. */
static void test_twins(void)
{
    struct world world;
    bool immutable;

    begin(&world);
    world_put(&world, "INBOX/cur/1.a:2,S", B("A: 1\n\n"));
    (void)world_delta(&world, "INBOX", ID, false);
    world_commit(&world);
    world_put(&world, "INBOX/cur/1.a:2,F", B("A: 2\n\n"));
    world_put(&world, "INBOX/new/1.a", B("A: 3\n\n"));
    world_put(&world, "INBOX/new/2.b", B("A: 4\n\n"));
    world_put(&world, "INBOX/cur/2.b:2,", B("A: 5\n\n"));
    ok(world_delta(&world, "INBOX", ID, true) == 0 && world.n_listed == 5 &&
           world.delta.complete,
       "five files with two base names are five messages");
    ok(world_listed(&world, 1) == NULL,
       "and none of them is the one on record: nobody knows which it is");
    ok(world_count(&world, "INBOX/cur", NULL) == 3 &&
           world_count(&world, "INBOX/new", NULL) == 2 &&
           world_shell(&world, "test -e mail/INBOX/cur/*:2,F && "
                               "test -e mail/INBOX/cur/*:2,S") == 0,
       "each file is where it was, with its flags");
    (void)world_close(&world);
    (void)world_open(&world, true);
    world_put(&world, "INBOX/new/3.c", B("A: 6\n\n"));
    world_put(&world, "INBOX/cur/3.c:2,", B("A: 7\n\n"));
    ok(world_delta(&world, "INBOX", ID, true) == 0 && world.n_listed == 6 &&
           world_shell(&world, "test -e mail/INBOX/new/3.c && "
                               "test -e mail/INBOX/cur/3.c:2,") == 0,
       "where nothing may be changed, none is renamed");
    (void)world_close(&world);
    (void)world_open(&world, false);
    immutable =
        world_shell(&world, geteuid() == 0
                                ? "chattr +a mail/INBOX/cur mail/INBOX/new "
                                  "2>/dev/null"
                                : "chmod 500 mail/INBOX/cur "
                                  "mail/INBOX/new") == 0;
    if (immutable) {
        ok(world_delta(&world, "INBOX", ID, true) == ERR_BUSY,
           "where they cannot be renamed the folder is left alone: %s",
           world.err.text);
        (void)world_shell(
            &world, geteuid() == 0 ? "chattr -a mail/INBOX/cur mail/INBOX/new"
                                   : "chmod 700 mail/INBOX/cur mail/INBOX/new");
    } else {
        ok(true, "where they cannot be renamed # SKIP no chattr here");
    }
    ok(world_delta(&world, "INBOX", ID, true) == 0 && world.n_listed == 7,
       "with the first run that can, they are told apart");
    ok(world_end(&world), "cleaned up");
}

int main(void)
{
    test_no_messages();
    test_replaced();
    test_directory_replaced();
    test_names();
    test_long_name();
    test_long_base();
    test_twins();
    return done_testing();
}
