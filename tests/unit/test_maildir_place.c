#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "store/maildir_write.h"
#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define FROM 7u /* the state's numbers of the two folders */
#define TO   8u
#define MANY 3000u

static const struct flags none;

/* A request and what it told. */
struct placing {
    struct place_request request; /* first */
    uint32_t uid;                 /* the last one */
    uint32_t to_uid;
    unsigned n;
    bool rising; /* so did the new numbers */
};

static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    struct placing *placing = (struct placing *)request;

    placing->rising = placing->rising && to_uid > placing->to_uid;
    placing->uid = uid;
    placing->to_uid = to_uid;
    placing->n++;
}

/* Place messages from From, whose UIDs are @first to @last, into To. */
static int place(struct world *world, bool move, uint32_t first, uint32_t last,
                 struct placing *placing)
{
    struct uidset uids = {0};
    int r;

    uidset_add_range(&uids, first, last);
    *placing = (struct placing){
        .request = {.base = world_request(world),
                    .from = {.name = "From", .id = FROM, .uidvalidity = 1},
                    .to = {.name = "To", .id = TO, .uidvalidity = 1},
                    .uids = &uids,
                    .move = move,
                    .placed = on_placed,
                    .kept = true},
        .rising = true
    };
    endpoint_place(world->endpoint, &placing->request);
    r = world_wait(world, &placing->request.base);
    uidset_deinit(&uids);
    return r;
}

static void begin(struct world *world, enum maildir_layout layout)
{
    world_make(world, layout);
    (void)world_open(world, false);
    (void)world_folder(world, FOLDER_CREATE, "From");
    (void)world_folder(world, FOLDER_CREATE, "To");
}

static struct flags flags_of(struct world *world, uint32_t system,
                             const char *keywords)
{
    return (struct flags){system, keywords_intern(state_keywords(world->state),
                                                  bytes_of(keywords))};
}

static bool has_info(const char *name, const char *info)
{
    const char *colon = strchr(name, ':');

    return strcmp(colon != NULL ? colon : "", info) == 0;
}

/* --- moves ------------------------------------------------------------------- */

static void test_move(enum maildir_layout layout, const char *from,
                      const char *to)
{
    char *from_new = mem_printf("%s/new", from);
    char *to_new = mem_printf("%s/new", to);
    char *to_cur = mem_printf("%s/cur", to);
    struct placing placing;
    struct world world;
    char before[256] = "";
    char after[256] = "";

    begin(&world, layout);
    (void)world_add(&world, "From", FROM, B("a\r\n"), none);
    (void)world_count(&world, from_new, before);
    (void)world_delta(&world, "From", FROM, false);
    ok(place(&world, true, 1, 1, &placing) == 0 && placing.n == 1 &&
           placing.uid == 1 && placing.to_uid == 1 && !placing.request.kept,
       "%s: a message is moved", from);
    ok(world_count(&world, from_new, NULL) == 0 &&
           world_count(&world, to_new, after) == 1 &&
           world_count(&world, to_cur, NULL) == 0 && strcmp(before, after) == 0,
       "%s: its file keeps its name, and stays new", from);
    ok(world_read(&world, "To", TO, placing.to_uid) == 0 &&
           bytes_equal(buf_peek(&world.text), B("a\r\n")) &&
           world_read(&world, "From", FROM, 1) == 0 && world.begun == 0,
       "%s: it is read there, and not here", from);
    ok(world_delta(&world, "To", TO, false) == 0 && world.n_listed == 1 &&
           world.listed[0].uid == placing.to_uid &&
           world.listed[0].date == 1234567890 &&
           world_delta(&world, "From", FROM, false) == 0 && world.n_listed == 0,
       "%s: it is listed with the number told, and its date", from);
    ok(place(&world, true, 1, 9, &placing) == 0 && placing.n == 0,
       "%s: what is gone is left out", from);
    world_commit(&world);
    (void)world_close(&world);
    (void)world_open(&world, false);
    ok(world_delta(&world, "To", TO, false) == 0 && world.n_listed == 1 &&
           world.listed[0].uid == 1,
       "%s: the number outlives the run", from);
    ok(world_end(&world), "%s: cleaned up", from);
    free(from_new);
    free(to_new);
    free(to_cur);
}

/* Renamed and removed by another program since they were seen. */
static void test_changed_meanwhile(void)
{
    struct placing placing;
    struct world world;
    char name[256] = "";

    begin(&world, MAILDIR_NESTED);
    for (unsigned i = 0; i < 3; i++) {
        (void)world_add(&world, "From", FROM, B("a\r\n"), none);
    }
    (void)world_delta(&world, "From", FROM, false);
    (void)world_shell(&world, "cd mail/From && rm new/*Q1R* && for f in "
                              "new/*Q2R*; do mv $f cur/${f#new/}:2,RTX,e; "
                              "done");
    ok(place(&world, true, 1, 3, &placing) == 0 && placing.n == 2 &&
           placing.rising,
       "the two that are there are moved");
    ok(world_count(&world, "To/cur", name) == 1 && has_info(name, ":2,RTX,e") &&
           world_count(&world, "To/new", NULL) == 1 &&
           world_count(&world, "From/new", NULL) == 0,
       "one with the name it got meanwhile, foreign letters and all: %s", name);
    ok(world_end(&world), "cleaned up");
}

/* A base name stands for one message in a folder. */
static void test_collision(void)
{
    struct placing placing;
    struct world world;
    uint32_t first;

    begin(&world, MAILDIR_NESTED);
    world_put(&world, "From/cur/one.host,S=2,W=3,B=1:2,S", B("a\n"));
    world_put(&world, "To/cur/one.host,S=2,W=3,B=1:2,F", B("b\n"));
    (void)world_delta(&world, "From", FROM, false);
    ok(place(&world, true, 1, 1, &placing) == 0 && placing.n == 1 &&
           world_shell(&world, "cd mail/To/cur && test $(ls | wc -l) = 2 && "
                               "test $(cat one.host,*:2,F) = b && "
                               "test $(cat *R*,S=2,W=3,B=1:2,S) = a") == 0,
       "a base name that is there: the message gets another, with its sizes");
    ok(world_delta(&world, "To", TO, false) == 0 && world.n_listed == 2 &&
           world_listed(&world, placing.to_uid)->flags.system == FLAG_SEEN,
       "both are listed, each with its flags");
    first = placing.to_uid;
    /* The numbers of what was there once are not given to what comes now. */
    (void)world_shell(&world, "rm mail/To/cur/one.host*");
    world_put(&world, "From/cur/one.host,S=2,W=3,B=1:2,S", B("c\n"));
    (void)world_delta(&world, "From", FROM, false);
    ok(place(&world, true, 1, 9, &placing) == 0 && placing.n == 1 &&
           placing.to_uid > first + 1 &&
           world_shell(&world, "test ! -e mail/To/cur/one.host*") == 0,
       "nor does one that was there come back under its old number");
    ok(world_end(&world), "cleaned up");
}

static void test_many(void)
{
    char *command = mem_printf("cd mail/From/cur && i=0 && while [ $i -lt %u "
                               "]; do : >$i.host:2,S; i=$((i+1)); done",
                               MANY);
    struct placing placing;
    struct world world;

    begin(&world, MAILDIR_NESTED);
    (void)world_shell(&world, command);
    (void)world_delta(&world, "From", FROM, false);
    (void)world_shell(&world,
                      "cd mail/From/cur && for f in 1*; do mv $f ${f}T; done");
    ok(place(&world, true, 1, MANY, &placing) == 0 && placing.n == MANY &&
           placing.rising,
       "%u messages are moved, a third of them renamed meanwhile", MANY);
    ok(world_count(&world, "From/cur", NULL) == 0 &&
           world_count(&world, "To/cur", NULL) == MANY,
       "all of them");
    ok(world_end(&world), "cleaned up");
    free(command);
}

/* --- copies ------------------------------------------------------------------- */

static void test_copy(void)
{
    struct placing placing;
    struct world world;

    begin(&world, MAILDIR_NESTED);
    (void)world_add(&world, "From", FROM, B("a\n\r\n"),
                    flags_of(&world, FLAG_SEEN, "Work"));
    ok(place(&world, false, 1, 1, &placing) == 0 && placing.n == 1 &&
           placing.uid == 1 && placing.to_uid == 1,
       "a message is copied");
    ok(world_shell(&world, "cd mail && test $(stat -c %h From/cur/*) = 2 && "
                           "test From/cur/* -ef To/cur/* && test $(basename "
                           "From/cur/*) != $(basename To/cur/*)") == 0,
       "by a link, with another base name");
    ok(world_read(&world, "To", TO, 1) == 0 &&
           bytes_equal(buf_peek(&world.text), B("a\n\r\n")) &&
           world_read(&world, "From", FROM, 1) == 0 && world.begun == 1,
       "both can be read, exactly");
    ok(world_delta(&world, "To", TO, false) == 0 && world.n_listed == 1 &&
           flags_equal(world.listed[0].flags,
                       flags_of(&world, FLAG_SEEN, "Work")) &&
           world.listed[0].date == 1234567890,
       "with flags, keywords and date");
    ok(place(&world, false, 1, 1, &placing) == 0 && placing.to_uid == 2 &&
           world_count(&world, "To/cur", NULL) == 2,
       "and again: another copy");
    ok(world_end(&world), "cleaned up");
}

static void test_copy_octets(void)
{
    struct world world;
    size_t len;
    char *text;
    int dir;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_shell(&world, "cd mail && mkfifo pipe && ln -s a link && "
                              "printf 'a\\0b' >a && touch -d @1234567890.5 a");
    dir = open(world.root, O_RDONLY | O_DIRECTORY);
    ok(maildir_write_copy(dir, "a", dir, "b") == 0 &&
           world_shell(&world, "test $(stat -c %Y mail/b) = 1234567890") == 0,
       "a copy has the date");
    text = world_get(&world, "b", &len);
    ok(bytes_equal((struct bytes){text, len}, (struct bytes){"a\0b", 3}),
       "and the octets");
    free(text);
    ok(maildir_write_copy(dir, "a", dir, "b") < 0 && errno == EEXIST &&
           world_shell(&world, "test -e mail/b") == 0,
       "nothing is replaced, nor removed");
    ok(maildir_write_copy(dir, "link", dir, "c") < 0 && errno == ELOOP &&
           maildir_write_copy(dir, "pipe", dir, "c") < 0 && errno == EINVAL &&
           maildir_write_copy(dir, "none", dir, "c") < 0 && errno == ENOENT &&
           world_shell(&world, "test ! -e mail/c") == 0,
       "only regular files are copied");
    close(dir);
    ok(world_end(&world), "cleaned up");
}

/* The target is another file system; only where we may mount one. */
static void test_other_device(bool may_mount)
{
    struct placing placing;
    struct world world;
    char *target;

    begin(&world, MAILDIR_NESTED);
    target = mem_printf("%s/To", world.root);
    if (!may_mount ||
        mount("test", target, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m") < 0) {
        ok(true, "another file system # SKIP cannot mount one");
        free(target);
        (void)world_end(&world);
        return;
    }
    (void)world_folder(&world, FOLDER_CREATE, "To");
    (void)world_add(&world, "From", FROM, B("a\r\n"),
                    flags_of(&world, FLAG_SEEN, "Work"));
    ok(place(&world, false, 1, 1, &placing) == 0 && placing.n == 1 &&
           world_count(&world, "From/cur", NULL) == 1 &&
           world_count(&world, "To/cur", NULL) == 1,
       "another file system: a copy is one of octets");
    ok(place(&world, true, 1, 1, &placing) == 0 && placing.n == 1 &&
           world_count(&world, "From/cur", NULL) == 0 &&
           world_count(&world, "To/cur", NULL) == 2 &&
           world_count(&world, "To/tmp", NULL) == 0,
       "a move is a copy, and then the original goes");
    ok(world_delta(&world, "To", TO, false) == 0 && world.n_listed == 2 &&
           world.listed[0].date == 1234567890 &&
           flags_equal(world.listed[1].flags,
                       flags_of(&world, FLAG_SEEN, "Work")),
       "flags, keywords and date have come along");
    (void)world_close(&world);
    ok(umount(target) == 0 && world_end(&world), "cleaned up");
    free(target);
}

/* --- keywords ------------------------------------------------------------------ */

static void test_keywords(void)
{
    struct placing placing;
    struct world world;
    char name[256] = "";

    begin(&world, MAILDIR_NESTED);
    world_put(&world, "From/dovecot-keywords", B("0 Work\n1 Later\n2 $Junk\n"));
    world_put(&world, "To/dovecot-keywords", B("0 Home\n1 work\n"));
    world_put(&world, "From/cur/1.host:2,FPSXabqz,more", B("a\n"));
    (void)world_delta(&world, "From", FROM, false);
    ok(place(&world, true, 1, 1, &placing) == 0 && placing.n == 1 &&
           world_count(&world, "To/cur", name) == 1 &&
           strcmp(name, "1.host:2,FPSXbcqz,more") == 0,
       "letters are those of the target, others are kept: %s", name);
    ok(world_shell(&world, "test \"$(cat mail/To/dovecot-keywords)\" = "
                           "\"$(printf '0 Home\\n1 work\\n2 Later')\"") == 0,
       "what had none there got one, and only that");
    ok(world_delta(&world, "To", TO, false) == 0 &&
           flags_equal(world.listed[0].flags,
                       flags_of(&world, FLAG_FLAGGED | FLAG_SEEN,
                                "$Forwarded Later Work")),
       "they are listed as what they were");
    /* A nameless letter does not get the name that it has over there. */
    world_put(&world, "From/cur/2.host:2,Sd", B("a\n"));
    (void)world_shell(&world, "echo '3 Urgent' >>mail/To/dovecot-keywords");
    (void)world_delta(&world, "From", FROM, false);
    ok(place(&world, true, 2, 2, &placing) == 0 && placing.n == 1 &&
           world_shell(&world, "test -e mail/To/cur/2.host:2,S") == 0,
       "a letter without a name does not get one by a move");
    ok(world_end(&world), "cleaned up");
}

static void test_no_letters(void)
{
    struct placing placing;
    struct world world;
    struct buf text;

    begin(&world, MAILDIR_NESTED);
    buf_init(&text, 0);
    for (unsigned i = 0; i < 26; i++) {
        buf_printf(&text, "%u k%u\n", i, i);
    }
    world_put(&world, "To/dovecot-keywords", buf_peek(&text));
    world_put(&world, "From/dovecot-keywords", B("0 Work\n1 k7\n"));
    world_put(&world, "From/cur/1.host:2,Sab", B("a\n"));
    world_put(&world, "From/cur/2.host:2,a", B("b\n"));
    (void)world_delta(&world, "From", FROM, false);
    ok(place(&world, true, 1, 2, &placing) == 0 && placing.n == 2 &&
           world_shell(&world, "cd mail/To/cur && test -e 1.host:2,Sh && "
                               "test -e 2.host:2,") == 0,
       "a keyword for which there is no letter is dropped");
    buf_deinit(&text);
    ok(world_end(&world), "cleaned up");
}

/* --- failures ------------------------------------------------------------------- */

static void test_failures(void)
{
    struct placing placing;
    struct world world;

    begin(&world, MAILDIR_NESTED);
    (void)world_add(&world, "From", FROM, B("a\r\n"), none);
    (void)world_shell(&world, "mv mail/To kept");
    ok(place(&world, true, 1, 1, &placing) == ERR_GONE && placing.n == 0 &&
           world_count(&world, "From/new", NULL) == 1,
       "no such target: nothing is moved: %s", world.err.text);
    (void)world_shell(&world, "mkdir elsewhere && ln -s ../elsewhere mail/To");
    ok(place(&world, true, 1, 1, &placing) == ERR_REFUSED && placing.n == 0 &&
           world_shell(&world, "test -z \"$(ls elsewhere)\"") == 0,
       "nothing goes through a symbolic link: %s", world.err.text);
    (void)world_shell(&world, "rm -r mail/To elsewhere && mv kept mail/To");
    ok(place(&world, true, 1, 1, &placing) == 0 && placing.n == 1,
       "put back, it is moved");
    ok(world_end(&world), "cleaned up");
}

int main(void)
{
    /* Before there are threads, so that they see what is mounted. */
    bool may_mount = unshare(CLONE_NEWNS) == 0 &&
                     mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;

    test_move(MAILDIR_NESTED, "From", "To");
    test_move(MAILDIR_PLUSPLUS, ".From", ".To");
    test_changed_meanwhile();
    test_collision();
    test_many();
    test_copy();
    test_copy_octets();
    test_other_device(may_mount);
    test_keywords();
    test_no_letters();
    test_failures();
    return done_testing();
}
