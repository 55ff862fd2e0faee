#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define ID 7u

static const struct flags none;

static int rename_folder(struct world *world, const char *name,
                         const char *new_name)
{
    struct folder_request request = {.base = world_request(world),
                                     .action = FOLDER_RENAME,
                                     .name = name,
                                     .new_name = new_name};

    endpoint_folder(world->endpoint, &request);
    return world_wait(world, &request.base);
}

/* The names of all folders that can be selected, sorted, a blank behind
 * each. */
static bool folders_are(struct world *world, const char *want)
{
    const char *names[32];
    struct list_request list;
    struct buf text;
    bool good;

    if (world_list(world, &list) < 0 || list.n_folders > 32) {
        return false;
    }
    for (size_t i = 0; i < list.n_folders; i++) {
        size_t at = i;

        for (; at > 0 && strcmp(names[at - 1], list.folders[i].name) > 0;
             at--) {
            names[at] = names[at - 1];
        }
        names[at] = list.folders[i].name;
    }
    buf_init(&text, 0);
    for (size_t i = 0; i < list.n_folders; i++) {
        buf_printf(&text, "%s ", names[i]);
    }
    good = strcmp(buf_text(&text), want) == 0;
    if (!good) {
        printf("# folders: %s\n", buf_text(&text));
    }
    buf_deinit(&text);
    folder_list_free(list.folders, list.n_folders);
    return good;
}

static void make(struct world *world, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (world_folder(world, FOLDER_CREATE, names[i]) < 0) {
            world_die(names[i]);
        }
    }
}

static void test_both(enum maildir_layout layout, const char *shown)
{
    static const char *const names[] = {"INBOX",   "A",  "A/b.c",
                                        "A/b.c/d", "AB", "AB/x"};
    struct world world;

    world_make(&world, layout);
    (void)world_open(&world, false);
    make(&world, names, sizeof(names) / sizeof(names[0]));
    (void)world_add(&world, "A", ID, B("one\r\n"), none);
    (void)world_add(&world, "A/b.c/d", ID + 1, B("two\r\n"), none);
    ok(rename_folder(&world, "A", "B") == 0 &&
           world_delta(&world, "B", ID, false) == 0 && world.n_listed == 1 &&
           world.listed[0].uid == 1 && world_read(&world, "B", ID, 1) == 0 &&
           bytes_equal(buf_peek(&world.text), B("one\r\n")),
       "%s: a folder gets another name, its messages keep their numbers",
       shown);
    ok(world_read(&world, "B/b.c/d", ID + 1, 1) == 0 &&
           bytes_equal(buf_peek(&world.text), B("two\r\n")) &&
           world_delta(&world, "A", ID + 2, false) == ERR_GONE,
       "%s: those below go along", shown);
    ok(rename_folder(&world, "B/b.c", "New one/two/e") == 0 &&
           world_read(&world, "New one/two/e/d", ID + 1, 1) == 0 &&
           world.begun == 1,
       "%s: below a parent that was not there", shown);
    ok(rename_folder(&world, "New one/two/e", "AB") == ERR_REFUSED &&
           world_read(&world, "New one/two/e/d", ID + 1, 1) == 0 &&
           world.begun == 1,
       "%s: not onto one that is there: %s", shown, world.err.text);
    ok(rename_folder(&world, "INBOX", "x") == ERR_REFUSED &&
           rename_folder(&world, "B", "INBOX") == ERR_REFUSED,
       "%s: INBOX has no part in it", shown);
    ok(rename_folder(&world, "AB", "AB/x/y") == ERR_REFUSED &&
           rename_folder(&world, "AB", "AB") == ERR_REFUSED &&
           rename_folder(&world, "AB", "a//b") == ERR_REFUSED &&
           rename_folder(&world, "none", "some") == ERR_GONE,
       "%s: nor below itself, nor where nothing can be", shown);
    ok(rename_folder(&world, "New one", "AB/z") == 0 &&
           world_delta(&world, "AB/z/two/e/d", ID + 1, false) == 0,
       "%s: what only holds folders can be renamed, too", shown);
    ok(rename_folder(&world, "B", "cur/%41") == 0 &&
           world_delta(&world, "cur/%41", ID, false) == 0 &&
           world.n_listed == 1,
       "%s: names are written as they have to be", shown);
    ok(world_end(&world), "%s: cleaned up", shown);
}

/* The new name is that of a directory that only holds folders. */
static void test_container(void)
{
    static const char *const names[] = {"A", "A/a", "B/b", "C", "C/b", "D/e"};
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    make(&world, names, sizeof(names) / sizeof(names[0]));
    (void)world_add(&world, "A", ID, B("x\r\n"), none);
    (void)world_shell(&world, "cd mail/A && touch foreign dovecot-uidlist "
                              "dovecot.index.log && mkdir .hidden");
    ok(rename_folder(&world, "C", "B") == ERR_REFUSED &&
           folders_are(&world, "A A/a B B/b C C/b D D/e "),
       "both have a folder of one name below: %s", world.err.text);
    ok(rename_folder(&world, "A", "B") == 0 &&
           folders_are(&world, "B B/a B/b C C/b D D/e ") &&
           world_delta(&world, "B", ID, false) == 0 && world.n_listed == 1,
       "a directory that only holds folders becomes one");
    ok(world_shell(&world, "cd mail && test -e B/dovecot-uidlist && "
                           "test -e B/dovecot.index.log && test -e A/foreign "
                           "&& test -d A/.hidden && test ! -e A/tmp") == 0,
       "Dovecot's files go along, what is not ours stays");
    ok(rename_folder(&world, "D/e", "D") == 0 &&
           world_shell(&world, "test -d mail/D/cur && test ! -e mail/D/e") == 0,
       "a folder can take its parent's name");
    ok(world_end(&world), "cleaned up");
}

static void test_links(void)
{
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "A");
    (void)world_shell(&world, "mkdir -p out/x/cur out/x/new && ln -s ../out "
                              "mail/link && touch mail/file");
    ok(rename_folder(&world, "A", "link/a") == ERR_REFUSED &&
           rename_folder(&world, "A", "link") == ERR_REFUSED &&
           rename_folder(&world, "A", "file") == ERR_REFUSED &&
           rename_folder(&world, "link/x", "B") == ERR_REFUSED &&
           rename_folder(&world, "link", "B") == ERR_REFUSED,
       "no symbolic link is followed, renamed or replaced: %s", world.err.text);
    ok(world_shell(&world, "test -d out/x/cur && test -d mail/A/cur && "
                           "test -L mail/link && test -f mail/file && "
                           "test ! -e mail/B") == 0,
       "all is as it was");
    (void)world_shell(&world, "rm -r out");
    ok(world_end(&world), "cleaned up");
}

static void test_plusplus(void)
{
    struct world world;
    char *name;

    world_make(&world, MAILDIR_PLUSPLUS);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "A");
    (void)world_folder(&world, FOLDER_CREATE, "A/b");
    (void)world_folder(&world, FOLDER_CREATE, "A/c");
    /* As after a crash in the middle: the parent goes last. */
    (void)world_shell(&world, "mv mail/.A.c mail/.B.c");
    ok(rename_folder(&world, "A", "B") == 0 &&
           folders_are(&world, "B B/b B/c "),
       "a rename that was cut off is completed");
    (void)world_folder(&world, FOLDER_CREATE, "A");
    (void)world_folder(&world, FOLDER_CREATE, "A/b");
    (void)world_folder(&world, FOLDER_DELETE, "B");
    ok(rename_folder(&world, "A", "B") == ERR_REFUSED &&
           folders_are(&world, "A A/b B/b B/c "),
       "where one of them is taken, none is renamed: %s", world.err.text);
    /* 254 octets with the first dot, but 256 for the one below it. */
    name = mem_printf("%0253d", 0);
    ok(rename_folder(&world, "A", name) == ERR_REFUSED &&
           folders_are(&world, "A A/b B/b B/c "),
       "nor where one is too long: %s", world.err.text);
    free(name);
    /* "mailtwin" alone is written in another way: .mailtwin is the marker. */
    ok(rename_folder(&world, "A", "mailtwin") == 0 &&
           folders_are(&world, "B/b B/c mailtwin mailtwin/b ") &&
           rename_folder(&world, "mailtwin", "C") == 0 &&
           folders_are(&world, "B/b B/c C C/b ") &&
           world_shell(&world, "test -f mail/.mailtwin") == 0,
       "the marker's name is no trap");
    (void)world_shell(&world, "mkdir out && ln -s ../out mail/.C.link");
    ok(rename_folder(&world, "C", "E") == 0 &&
           world_shell(&world,
                       "test -L mail/.C.link && test -d mail/.E.b/cur") == 0,
       "a symbolic link stays where it is");
    (void)world_shell(&world, "rm -r out");
    ok(world_end(&world), "cleaned up");
}

int main(void)
{
    test_both(MAILDIR_NESTED, "nested");
    test_both(MAILDIR_PLUSPLUS, "maildir++");
    test_container();
    test_links();
    test_plusplus();
    return done_testing();
}
