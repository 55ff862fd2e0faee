#include <sys/wait.h>
#include <time.h>

#include "store/maildir_name.h"
#include "store/maildir_unique.h"
#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define ID 7u /* the state's number of the folder under test */

static const struct flags none;

static struct flags flags_of(struct world *world, uint32_t system,
                             const char *keywords)
{
    return (struct flags){system, keywords_intern(state_keywords(world->state),
                                                  bytes_of(keywords))};
}

/* --- the root and its marker ------------------------------------------------- */

static void test_root(void)
{
    struct list_request list;
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    ok(world_open(&world, true) == 0 && world_list(&world, &list) == 0 &&
           list.n_folders == 0,
       "dry: a missing root is an empty one");
    ok(world_delta(&world, "INBOX", ID, false) == ERR_GONE,
       "dry: no folder is there");
    ok(world_close(&world) == 0 && access(world.root, F_OK) < 0,
       "dry: nothing was made");
    ok(world_open(&world, false) == 0 && world_close(&world) == 0,
       "a first run makes the root");
    world_commit(&world);
    ok(world_shell(&world, "test -f mail/.mailtwin") == 0, "with a marker");
    ok(world_open(&world, false) == 0 && world_close(&world) == 0,
       "it is known again");
    (void)world_shell(&world, "mv mail/.mailtwin kept");
    ok(world_open(&world, false) == ERR_GUARD &&
           strstr(world.err.text, "nothing was deleted") != NULL,
       "without its marker it is a guard: %s", world.err.text);
    (void)world_close(&world);
    (void)world_shell(&world, "echo 0123456789abcdef0123456789abcdef "
                              ">mail/.mailtwin");
    ok(world_open(&world, false) == ERR_GUARD, "so is another marker");
    (void)world_close(&world);
    (void)world_shell(&world, "mv kept mail/.mailtwin; mv mail mail2");
    ok(world_open(&world, false) == ERR_GUARD, "so is a missing root");
    ok(world_shell(&world, "test ! -e mail") == 0, "which is not made anew");
    (void)world_close(&world);
    (void)world_shell(&world, ": >mail");
    ok(world_open(&world, false) == ERR_GUARD, "so is a file in its place");
    (void)world_close(&world);
    (void)world_shell(&world, "rm mail; mv mail2 mail");
    ok(world_open(&world, false) == 0, "put back, all is well");
    ok(world_end(&world), "cleaned up");
}

static void test_root_parent(void)
{
    struct world world;
    char *path;

    world_make(&world, MAILDIR_NESTED);
    path = mem_printf("%s/no/where", world.dir);
    world.account.path = path;
    ok(world_open(&world, false) == ERR_DISK, "no parent directory: %s",
       world.err.text);
    ok(world_end(&world), "cleaned up");
    free(path);
}

/* A lost state: the marker that is there is adopted. */
static void test_root_adopted(void)
{
    struct world world;
    size_t len;
    char *before;
    char *after;

    world_make(&world, MAILDIR_NESTED);
    (void)world_shell(&world, "mkdir mail && echo "
                              "0123456789abcdef0123456789abcdef "
                              ">mail/.mailtwin");
    before = world_get(&world, ".mailtwin", &len);
    ok(world_open(&world, false) == 0, "a root with a marker is opened");
    after = world_get(&world, ".mailtwin", &len);
    ok(strcmp(before, after) == 0, "the marker stays");
    free(before);
    free(after);
    ok(world_end(&world), "cleaned up");
}

/* --- folders ------------------------------------------------------------------- */

static const struct folder_entry *find_entry(const struct list_request *list,
                                             const char *name)
{
    for (size_t i = 0; i < list->n_folders; i++) {
        if (strcmp(list->folders[i].name, name) == 0) {
            return &list->folders[i];
        }
    }
    return NULL;
}

static void test_folders(enum maildir_layout layout, const char *shown,
                         const char *deep)
{
    const struct folder_entry *entry;
    struct list_request list;
    struct world world;
    char *command = mem_printf("test -d 'mail/%s/cur'", deep);

    world_make(&world, layout);
    (void)world_open(&world, false);
    ok(world_folder(&world, FOLDER_CREATE, "INBOX") == 0 &&
           world_folder(&world, FOLDER_CREATE, "A/v1.2") == 0 &&
           world_folder(&world, FOLDER_CREATE, "A/v1.2") == 0 &&
           world_folder(&world, FOLDER_CREATE, "cur") == 0 &&
           world_folder(&world, FOLDER_CREATE, "../x") == 0,
       "%s: folders are made, and may be there", shown);
    ok(world_shell(&world, command) == 0, "%s: %s is there", shown, deep);
    free(command);
    ok(world_folder(&world, FOLDER_CREATE, "a//b") == ERR_REFUSED,
       "%s: an empty level is refused", shown);
    ok(world_folder(&world, FOLDER_SUBSCRIBE, "INBOX") == 0,
       "%s: subscribing does nothing, well", shown);
    ok(world_list(&world, &list) == 0, "%s: list", shown);
    entry = find_entry(&list, "INBOX");
    ok(entry != NULL && entry->selectable && entry->has_token &&
           entry->token.uidvalidity == 1 && entry->token.cur_mtime_ns != 0 &&
           entry->problem == NULL && !entry->subscribed,
       "%s: INBOX is listed with its token", shown);
    ok(find_entry(&list, "A/v1.2") != NULL &&
           find_entry(&list, "cur") != NULL &&
           find_entry(&list, "../x") != NULL,
       "%s: names come back as they were", shown);
    entry = find_entry(&list, "A");
    ok(layout == MAILDIR_PLUSPLUS ? entry == NULL
                                  : entry != NULL && !entry->selectable,
       "%s: what only holds folders cannot be selected", shown);
    folder_list_free(list.folders, list.n_folders);
    (void)world_add(&world, "A/v1.2", ID, B("x"), none);
    ok(world_folder(&world, FOLDER_DELETE, "A/v1.2") == ERR_REFUSED,
       "%s: a folder with mail is not deleted", shown);
    ok(world_add(&world, "A/v1.2", ID, B("y"), none) == 0,
       "%s: and still works", shown);
    ok(world_folder(&world, FOLDER_DELETE, "cur") == 0 &&
           world_folder(&world, FOLDER_DELETE, "cur") == 0,
       "%s: an empty one is, and may be gone", shown);
    ok(world_list(&world, &list) == 0 && find_entry(&list, "cur") == NULL,
       "%s: it is not listed any more", shown);
    folder_list_free(list.folders, list.n_folders);
    ok(world_end(&world), "%s: cleaned up", shown);
}

/* As a run of process @pid leaves it in tmp of the folder "old". */
static void leave_in_tmp(struct world *world, pid_t pid)
{
    struct maildir_name_unique unique = {.seconds = 1700000000,
                                         .pid = (uint64_t)pid};
    char host[MAILDIR_UNIQUE_HOST_BYTES] = "";
    struct buf command;

    (void)gethostname(host, sizeof(host) - 1);
    unique.host = bytes_of(host);
    buf_init(&command, 0);
    buf_printf(&command, "echo half >'mail/old/tmp/");
    maildir_name_print_unique(&command, &unique);
    buf_printf(&command, "'");
    buf_add_char(&command, '\0');
    (void)world_shell(world, buf_peek(&command).ptr);
    buf_deinit(&command);
}

/* What was being written when a run was killed holds nobody up. */
static void test_killed(void)
{
    struct world world;
    pid_t child = fork();

    if (child == 0) {
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "old");
    leave_in_tmp(&world, getpid());
    ok(world_folder(&world, FOLDER_DELETE, "old") == ERR_REFUSED &&
           world_count(&world, "old/tmp", NULL) == 1,
       "a folder that somebody writes into is not deleted");
    (void)world_shell(&world, "rm mail/old/tmp/*");
    leave_in_tmp(&world, child);
    ok(world_folder(&world, FOLDER_DELETE, "old") == 0,
       "one into which a run was writing that was killed is");
    ok(world_end(&world), "cleaned up");
}

static void test_odd_folders(void)
{
    const struct folder_entry *entry;
    struct list_request list;
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_shell(
        &world, "mkdir -p mail/ok/cur mail/ok/new mail/%41/cur mail/%41/new "
                "mail/half/cur mail/plain/dir mail/.git/cur mail/.git/new "
                "mail/lost+found mail/keep/cur mail/keep/new mail/keep/tmp "
                "mail/keep/sub/cur mail/keep/sub/new && "
                "mkdir -p mail/begun/new mail/ended/cur mail/oldest/tmp "
                "mail/lost/cur mail/lost/tmp mail/worse/new mail/worse/tmp && "
                "touch mail/half/cur/m "
                "&& touch mail/keep/foreign mail/keep/dovecot-keywords && "
                "ln -s /etc mail/etc && ln -s ok mail/alias && "
                "ln -s loop mail/loop && touch mail/file && mkfifo mail/pipe");
    ok(world_open(&world, false) == 0 && world_list(&world, &list) == 0,
       "a root full of odd things is listed");
    entry = find_entry(&list, "ok");
    ok(entry != NULL && entry->problem == NULL, "cur and new are enough");
    entry = find_entry(&list, "%41");
    ok(entry != NULL && entry->problem != NULL,
       "a name that we would not write is a problem");
    entry = find_entry(&list, "half");
    ok(entry != NULL && entry->problem != NULL,
       "so is half a folder that holds mail");
    ok(find_entry(&list, "begun") == NULL &&
           find_entry(&list, "ended") == NULL &&
           find_entry(&list, "oldest") == NULL,
       "one that is only half made, or half removed, is none");
    entry = find_entry(&list, "lost");
    ok(entry != NULL && entry->problem != NULL,
       "but one that has lost its new is: %s",
       entry != NULL ? entry->problem : "not listed");
    entry = find_entry(&list, "worse");
    ok(entry != NULL && entry->problem != NULL,
       "and one that has lost its cur: %s",
       entry != NULL ? entry->problem : "not listed");
    entry = find_entry(&list, "alias");
    ok(entry != NULL && entry->problem != NULL, "so is a symbolic link");
    ok(find_entry(&list, "plain") == NULL &&
           find_entry(&list, ".git") == NULL &&
           find_entry(&list, "file") == NULL &&
           find_entry(&list, "loop") == NULL &&
           find_entry(&list, "pipe") == NULL &&
           find_entry(&list, "lost+found") == NULL,
       "all else is no folder");
    folder_list_free(list.folders, list.n_folders);
    ok(world_delta(&world, "etc", ID, false) == ERR_REFUSED ||
           world_delta(&world, "etc", ID, false) == ERR_GONE,
       "nothing is read through a symbolic link");
    ok(world_delta(&world, "alias", ID, false) == ERR_REFUSED,
       "not even within the root: %s", world.err.text);
    ok(world_folder(&world, FOLDER_CREATE, "alias/new one") == ERR_REFUSED,
       "and nothing is made through it");
    ok(world_folder(&world, FOLDER_DELETE, "keep") == 0 &&
           world_shell(&world, "test ! -e mail/keep/cur && "
                               "test ! -e mail/keep/dovecot-keywords && "
                               "test -e mail/keep/foreign && "
                               "test -d mail/keep/sub/cur") == 0,
       "deleting keeps foreign files and child folders");
    ok(world_end(&world), "cleaned up");
}

/* --- messages ------------------------------------------------------------------- */

#define T(lit)                  \
    {                           \
        "" lit, sizeof(lit) - 1 \
    }

static const struct {
    const char *what;
    struct bytes text;
    struct bytes stored;
} bodies[] = {
    {"CRLF",              T("A: b\r\n\r\nx\r\n"),  T("A: b\n\nx\n")     },
    {"no final line end", T("A: b\r\n\r\nx"),      T("A: b\n\nx")       },
    {"a bare LF",         T("A: b\r\n\nx\r\n"),    T("A: b\r\n\nx\r\n") },
    {"only bare LF",      T("A: b\n\nx\n"),        T("A: b\n\nx\n")     },
    {"a bare CR",         T("A: b\r\n\r\nx\ry"),   T("A: b\r\n\r\nx\ry")},
    {"CR CR LF",          T("A: b\r\r\n"),         T("A: b\r\r\n")      },
    {"a CR at the end",   T("A: b\r\n\r"),         T("A: b\r\n\r")      },
    {"NUL",               T("A: b\r\n\r\n\0\r\n"), T("A: b\n\n\0\n")    },
    {"nothing at all",    T(""),                   T("")                },
};

/* The only file of the folder, wherever it is. */
static char *only_file(struct world *world, char name[256])
{
    if (world_count(world, "INBOX/new", name) == 1) {
        return mem_printf("INBOX/new/%s", name);
    }
    if (world_count(world, "INBOX/cur", name) == 1) {
        return mem_printf("INBOX/cur/%s", name);
    }
    return mem_copy("INBOX/none");
}

static void check_body(struct world *world, size_t i)
{
    struct uidset uids = {0};
    char name[256];
    char *path;
    char *stored;
    size_t len;
    uint32_t uid;

    ok(world_add(world, "INBOX", ID, bodies[i].text, none) == 0 &&
           world->added_result == 0 && world->added_uid > 0,
       "add: %s", bodies[i].what);
    uid = world->added_uid;
    path = only_file(world, name);
    stored = world_get(world, path, &len);
    ok(bytes_equal((struct bytes){stored, len}, bodies[i].stored),
       "it is stored as it should: %s", name);
    ok(world_read(world, "INBOX", ID, uid) == 0 && world->begun == 1 &&
           world->ended == 1 && world->size == bodies[i].text.len &&
           bytes_equal(buf_peek(&world->text), bodies[i].text),
       "and comes back exactly");
    ok(world_delta(world, "INBOX", ID, true) == 0 && world->n_listed == 1 &&
           world->listed[0].uid == uid && world->listed[0].has_meta &&
           world->listed[0].size == bodies[i].text.len &&
           world->listed[0].date == 1234567890,
       "it is listed with its size and date");
    uidset_add(&uids, uid);
    ok(world_remove(world, "INBOX", ID, &uids) == 0 &&
           world_count(world, "INBOX/new", NULL) == 0,
       "and removed");
    uidset_deinit(&uids);
    free(stored);
    free(path);
}

static void test_bodies(void)
{
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        check_body(&world, i);
    }
    ok(world_count(&world, "INBOX/tmp", NULL) == 0, "tmp is empty");
    ok(world_end(&world), "cleaned up");
}

/* Three megabytes, with @tail at the very end, where the decision to store it
 * with LF was taken long ago. */
static void check_large(struct world *world, const char *what, const char *tail)
{
    struct buf text;
    struct uidset uids = {0};
    uint8_t want[DIGEST_BYTES];

    buf_init(&text, 0);
    buf_add(&text, B("Subject: large\r\n\r\n"));
    while (buf_len(&text) < 3u * 1024 * 1024) {
        buf_printf(&text, "line at %zu of a large message\r\n", buf_len(&text));
    }
    buf_add(&text, bytes_of(tail));
    digest_of(buf_peek(&text), want);
    ok(world_add(world, "INBOX", ID, buf_peek(&text), none) == 0 &&
           world->added_result == 0,
       "large, %s: added", what);
    ok(world_read(world, "INBOX", ID, world->added_uid) == 0 &&
           world->size == buf_len(&text) && world->end_result == 0 &&
           bytes_equal(buf_peek(&world->text), buf_peek(&text)),
       "large, %s: comes back exactly", what);
    ok(world_identify(world, "INBOX", ID, world->added_uid, IDENTIFY_BODY) ==
               0 &&
           world->begun == 1 && world->identity.size == buf_len(&text) &&
           memcmp(world->identity.digest, want, DIGEST_BYTES) == 0,
       "large, %s: its digest is that of the CRLF form", what);
    uidset_add(&uids, world->added_uid);
    (void)world_remove(world, "INBOX", ID, &uids);
    uidset_deinit(&uids);
    buf_deinit(&text);
}

static void test_large(void)
{
    struct world world;

    world_make(&world, MAILDIR_PLUSPLUS);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    check_large(&world, "CRLF", "end\r\n");
    check_large(&world, "a bare LF in the end", "end\n");
    check_large(&world, "a bare CR in the end", "end\r");
    ok(world_count(&world, "tmp", NULL) == 0, "tmp is empty");
    ok(world_end(&world), "cleaned up");
}

static void test_identify(void)
{
    struct world world;
    struct identity header;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    (void)world_add(&world, "INBOX", ID,
                    B("Message-ID: <1@x>\r\nX: 1\r\n\r\nbody\r\n"), none);
    ok(world_identify(&world, "INBOX", ID, 1, IDENTIFY_META) == 0 &&
           world.identity.size == 33 && world.identity.date == 1234567890,
       "size and date");
    ok(world_identify(&world, "INBOX", ID, 1, IDENTIFY_HEADER) == 0 &&
           world.identity.has_header,
       "the header's digest");
    header = world.identity;
    (void)world_add(&world, "INBOX", ID,
                    B("Message-ID: <1@x>\r\nX: 2\r\n\r\nother\r\n"), none);
    ok(world_identify(&world, "INBOX", ID, 2, IDENTIFY_HEADER) == 0 &&
           memcmp(world.identity.digest, header.digest, DIGEST_BYTES) == 0,
       "is that of the fields that count");
    ok(world_identify(&world, "INBOX", ID, 99, IDENTIFY_META) == 0 &&
           world.begun == 0,
       "what is not there is not mentioned");
    ok(world_end(&world), "cleaned up");
}

/* --- flags ---------------------------------------------------------------------- */

static void test_flags(void)
{
    struct world world;
    struct flags seen;
    char name[256];
    const struct listed *listed;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    (void)world_add(&world, "INBOX", ID, B("a\r\n"), none);
    ok(world_count(&world, "INBOX/new", name) == 1 && strchr(name, ':') == NULL,
       "without flags: in new, without info");
    seen = flags_of(&world, FLAG_SEEN, "");
    ok(world_flag(&world, "INBOX", ID, 1, none, seen) == 0 &&
           world_count(&world, "INBOX/new", NULL) == 1,
       "taking a flag away that is not there: it stays in new");
    ok(world_flag(&world, "INBOX", ID, 1,
                  flags_of(&world, FLAG_SEEN | FLAG_DRAFT, "$Forwarded Work"),
                  none) == 0 &&
           world_count(&world, "INBOX/new", NULL) == 0 &&
           world_count(&world, "INBOX/cur", name) == 1 &&
           strcmp(strchr(name, ':'), ":2,DPSa") == 0,
       "flags and keywords move it to cur: %s", name);
    ok(world_shell(&world, "test \"$(cat mail/INBOX/dovecot-keywords)\" = "
                           "'0 Work'") == 0,
       "dovecot-keywords says what the letter means");
    ok(world_delta(&world, "INBOX", ID, false) == 0 && world.n_listed == 1 &&
           flags_equal(
               world.listed[0].flags,
               flags_of(&world, FLAG_SEEN | FLAG_DRAFT, "$Forwarded Work")),
       "they are listed");
    ok(world.delta.kind == LISTING_FULL && world.delta.complete &&
           world.delta.storable.any_keyword &&
           world.delta.storable.system == FLAGS_SYSTEM,
       "the listing is complete, and more keywords can be stored");
    (void)world_shell(&world, "cd mail/INBOX/cur && for f in *; do "
                              "mv $f ${f%%:*}:2,DPSXaz,extra; done");
    ok(world_flag(&world, "INBOX", ID, 1, flags_of(&world, FLAG_FLAGGED, ""),
                  flags_of(&world, FLAG_DRAFT, "Work")) == 0 &&
           world_count(&world, "INBOX/cur", name) == 1 &&
           strcmp(strchr(name, ':'), ":2,FPSXz,extra") == 0,
       "renamed meanwhile: found again, foreign letters kept: %s", name);
    ok(world_flag(&world, "INBOX", ID, 1, flags_of(&world, 0, "more"), none) ==
               0 &&
           world_count(&world, "INBOX/cur", name) == 1,
       "another keyword: %s", name);
    ok(world_shell(&world, "rmdir mail/INBOX/tmp") == 0 &&
           world_flag(&world, "INBOX", ID, 1, flags_of(&world, 0, "late"),
                      none) == 0 &&
           world_count(&world, "INBOX/cur", name) == 1 &&
           strcmp(strchr(name, ':'), ":2,FPSXbcz,extra") == 0,
       "another one where a power cut took tmp: %s", name);
    (void)world_add(&world, "INBOX", ID, B("b\r\n"),
                    flags_of(&world, FLAG_ANSWERED, "More new"));
    ok(world_delta(&world, "INBOX", ID, true) == 0 &&
           (listed = world_listed(&world, 2)) != NULL &&
           flags_equal(listed->flags,
                       flags_of(&world, FLAG_ANSWERED, "more new")),
       "a message comes with flags and keywords");
    ok(world_flag(&world, "INBOX", ID, 9, seen, none) == 0,
       "a message that is not there is left out");
    ok(world_end(&world), "cleaned up");
}

static void test_many_keywords(void)
{
    struct world world;
    struct buf names;
    struct flags all;
    struct flags kept;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    (void)world_add(&world, "INBOX", ID, B("a\r\n"), none);
    buf_init(&names, 0);
    for (unsigned i = 0; i < 30; i++) {
        buf_printf(&names, "k%02u ", i);
    }
    all = flags_of(&world, 0, buf_text(&names));
    ok(world_flag(&world, "INBOX", ID, 1, all, none) == 0,
       "30 keywords on a message");
    ok(world_delta(&world, "INBOX", ID, true) == 0 &&
           !world.delta.storable.any_keyword,
       "no more can be stored");
    kept = flags_limit(state_keywords(world.state), all, &world.delta.storable);
    ok(flags_equal(kept, world.listed[0].flags) && !flags_equal(kept, all),
       "those that could be are the same as those that are");
    buf_deinit(&names);
    ok(world_end(&world), "cleaned up");
}

/* --- foreign files --------------------------------------------------------------- */

static void test_foreign_files(void)
{
    struct world world;
    uint32_t uids[10];
    bool same = true;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    world_put(&world, "INBOX/cur/1.lf:2,S", B("A: b\n\nx\n"));
    world_put(&world, "INBOX/cur/2.crlf:2,F", B("A: b\r\n\r\nx\r\n"));
    world_put(&world, "INBOX/cur/3.mixed", B("A: b\r\n\nx\n"));
    world_put(&world, "INBOX/cur/4.empty:2,", B(""));
    world_put(&world, "INBOX/new/99999999999.lying,S=9,W=900",
              B("A: b\n\nx\n"));
    world_put(&world, "INBOX/cur/6.thrice:2,RS", B("x"));
    world_put(&world, "INBOX/cur/6.thrice:2,FRS", B("x"));
    world_put(&world, "INBOX/new/6.thrice", B("x"));
    world_put(&world, "INBOX/new/.dot", B("x"));
    world_put(&world, "INBOX/new/7\n\xff", B("x"));
    (void)world_shell(&world,
                      "cd mail/INBOX/cur && mkdir 8.dir:2, && "
                      "mkfifo 9.fifo:2, && ln -s /etc/passwd 10.link:2, && "
                      "ln 1.lf:2,S 11.hard:2,");
    ok(world_delta(&world, "INBOX", ID, false) == 0 && world.n_listed == 10 &&
           world.delta.complete,
       "ten messages are listed, one for each file");
    for (size_t i = 0; i < 10; i++) {
        uids[i] = world.listed[i].uid;
        if (world.listed[i].flags.system == FLAG_SEEN) {
            ok(world.listed[i].size == 11, "LF: the size counts CRLF");
            ok(world_read(&world, "INBOX", ID, uids[i]) == 0 &&
                   bytes_equal(buf_peek(&world.text), B("A: b\r\n\r\nx\r\n")),
               "LF: read as CRLF");
        } else if (world.listed[i].flags.system == FLAG_FLAGGED) {
            ok(world.listed[i].size == 11, "CRLF: the size is the file's");
            ok(world_read(&world, "INBOX", ID, uids[i]) == 0 &&
                   bytes_equal(buf_peek(&world.text), B("A: b\r\n\r\nx\r\n")),
               "CRLF: read as it is");
        }
    }
    world_commit(&world);
    (void)world_close(&world);
    (void)world_open(&world, false);
    (void)world_delta(&world, "INBOX", ID, true);
    for (size_t i = 0; i < 10; i++) {
        same =
            same && world.listed[i].uid == uids[i] && !world.listed[i].has_meta;
    }
    ok(same, "in the next run they keep their numbers, and need no stats");
    (void)world_shell(&world, "cd mail/INBOX/cur && mv 1.lf:2,S 1.lf:2,FRS "
                              "&& rm 4.empty:2,");
    ok(world_delta(&world, "INBOX", ID, true) == 0 && world.n_listed == 9,
       "a renamed file is the same message, a removed one is gone");
    ok(world_end(&world), "cleaned up");
}

static void test_gone(void)
{
    struct uidset uids = {0};
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    for (unsigned i = 0; i < 5; i++) {
        (void)world_add(&world, "INBOX", ID, B("x\r\n"), none);
    }
    (void)world_delta(&world, "INBOX", ID, false);
    (void)world_shell(&world, "cd mail/INBOX && rm new/*Q3R* && "
                              "for f in new/*Q4R*; do mv $f "
                              "cur/${f#new/}:2,RS; done");
    ok(world_read(&world, "INBOX", ID, 3) == 0 && world.begun == 0,
       "a message that vanished is not mentioned");
    ok(world_read(&world, "INBOX", ID, 4) == 0 && world.begun == 1 &&
           bytes_equal(buf_peek(&world.text), B("x\r\n")),
       "one that was renamed is found again");
    uidset_add_range(&uids, 1, 4);
    ok(world_remove(&world, "INBOX", ID, &uids) == 0 &&
           world_count(&world, "INBOX/new", NULL) == 1 &&
           world_count(&world, "INBOX/cur", NULL) == 0,
       "removing takes what is there, and nothing else");
    if (geteuid() != 0) {
        (void)world_shell(&world, "chmod 0 mail/INBOX/new/*");
        ok(world_read(&world, "INBOX", ID, 5) == 0 && world.ended == 1 &&
               world.end_result < 0,
           "an unreadable one is told: %s", world.err.text);
    }
    ok(world_delta(&world, "Nowhere", 8, false) == ERR_GONE,
       "a folder that is not there is gone");
    uidset_deinit(&uids);
    ok(world_end(&world), "cleaned up");
}

/* --- many at once ------------------------------------------------------------------ */

#define MANY 3000u

static void test_many(void)
{
    struct add_request request[2];
    struct uidset uids = {0};
    struct world world;
    struct read_request read;
    char body[9000];
    bool told = false;

    (void)memset(body, 'x', sizeof(body));
    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    (void)world_folder(&world, FOLDER_CREATE, "Other");
    request[0] = world_add_request(&world, "INBOX", ID);
    endpoint_add_open(world.endpoint, &request[0]);
    for (unsigned i = 0; i < MANY; i++) {
        struct message_meta meta = {.size = sizeof(body), .date = i};

        endpoint_add_message(world.endpoint, &request[0], &meta);
        if (!endpoint_add_data(world.endpoint, &request[0],
                               (struct bytes){body, sizeof(body)})) {
            told = true;
            while (!world.room) {
                (void)uv_run(&world.loop, UV_RUN_ONCE);
            }
            world.room = false;
        }
    }
    endpoint_add_close(world.endpoint, &request[0]);
    ok(world_wait(&world, &request[0].base) == 0 && world.n_added == MANY &&
           world.n_bad == 0 && world.in_order,
       "%u messages, each told once, in order", MANY);
    ok(told, "the caller was held back meanwhile");
    ok(world_count(&world, "INBOX/new", NULL) == MANY &&
           world_count(&world, "INBOX/tmp", NULL) == 0,
       "all of them are there");
    uidset_add_range(&uids, 1, 100);
    read = world_read_request(&world, "INBOX", ID, &uids);
    endpoint_read(world.endpoint, &read);
    endpoint_read_pause(world.endpoint, &read, true);
    for (unsigned i = 0; i < 200; i++) {
        (void)uv_run(&world.loop, UV_RUN_NOWAIT);
    }
    ok(!world.done && buf_len(&world.text) < 1024 * 1024,
       "a paused read waits");
    endpoint_read_pause(world.endpoint, &read, false);
    ok(world_wait(&world, &read.base) == 0 && world.ended == 100 &&
           buf_len(&world.text) == 100 * sizeof(body),
       "and then brings all");
    uidset_deinit(&uids);
    ok(world_end(&world), "cleaned up");
}

/* What a listing told of many files. */
struct crowd {
    unsigned n;
    uint32_t last;
    unsigned seen;    /* flagged so */
    unsigned wrong;   /* against the order, or a number that was not expected */
    uint32_t missing; /* numbers up to HUGE that are to be missing: one in so
                         many */
};

#define HUGE 7000u /* more than one look at the record, or at the folder */

static struct crowd crowd;

static void on_crowd(struct delta_request *request, const struct listed *listed)
{
    (void)request;
    crowd.n++;
    crowd.wrong += listed->uid <= crowd.last;
    crowd.wrong += crowd.missing != 0 && listed->uid <= HUGE &&
                   listed->uid % crowd.missing == 0;
    if ((listed->flags.system & FLAG_SEEN) != 0) {
        crowd.seen++;
        crowd.wrong += listed->uid % 10 != 1;
    }
    crowd.last = listed->uid;
}

static int list_crowd(struct world *world, bool has_since, uint32_t missing)
{
    struct delta_request request = {
        .base = world_request(world),
        .folder = {.name = "INBOX", .id = ID},
        .has_since = has_since,
        .item = on_crowd,
    };
    int r;

    crowd = (struct crowd){.missing = missing};
    endpoint_delta(world->endpoint, &request);
    r = world_wait(world, &request.base);
    world_commit(world);
    uidset_deinit(&request.vanished);
    return r < 0 ? r : request.complete ? 0 : 1;
}

/* Of ten files one goes, one is seen, one goes to new. */
static void change_crowd(const struct world *world)
{
    struct buf base;

    buf_init(&base, 0);
    for (uint32_t uid = 1; uid <= HUGE; uid++) {
        const char *name;
        char *from;
        char *to;

        buf_clear(&base);
        (void)state_file_name(world->state, LEFT, ID, uid, &base, NULL);
        name = buf_text(&base);
        from = mem_printf("%s/INBOX/cur/%s:2,", world->root, name);
        to = mem_printf(uid % 10 == 1 ? "%s/INBOX/cur/%s:2,S"
                                      : "%s/INBOX/new/%s",
                        world->root, name);
        if (uid % 10 == 0) {
            (void)unlink(from);
        } else if (uid % 10 <= 2) {
            (void)rename(from, to);
        }
        free(from);
        free(to);
    }
    buf_deinit(&base);
}

/* Numbers go with names, whatever happens to the files of a large folder. */
static void test_crowd(void)
{
    struct world world;
    char *command;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    command = mem_printf("cd mail/INBOX/cur && for i in $(seq %u); do "
                         "echo x >17000$((10000 + i)).M1P$i.host,S=2:2,; done",
                         HUGE);
    (void)world_shell(&world, command);
    free(command);
    ok(list_crowd(&world, false, 0) == 0 && crowd.n == HUGE &&
           crowd.last == HUGE && crowd.wrong == 0,
       "a large folder: each file has a number");
    ok(list_crowd(&world, true, 0) == 0 && crowd.n == HUGE &&
           crowd.last == HUGE && crowd.wrong == 0,
       "again: it is the same one");
    change_crowd(&world);
    (void)world_shell(&world, "cd mail/INBOX/cur && for i in $(seq 3000); do "
                              "echo x >1700099999.M${i}P1.other,S=2:2,; done");
    ok(list_crowd(&world, true, 10) == 0 &&
           crowd.n == HUGE - HUGE / 10 + 3000 && crowd.last == HUGE + 3000 &&
           crowd.wrong == 0 && crowd.seen == HUGE / 10,
       "renamed, moved to new, gone and new ones: numbers stay with names");
    (void)world_shell(&world, "cd mail/INBOX/cur && "
                              "echo edited >1700099999.M7P1.other,S=2:2, && "
                              "cp -p 1700099999.M8P1.other,S=2:2, "
                              "../new/1700099999.M8P1.other,S=2");
    ok(list_crowd(&world, true, 10) == 0 &&
           crowd.n == HUGE - HUGE / 10 + 3001 && crowd.last == HUGE + 3003 &&
           crowd.wrong == 0,
       "an edited one and twins get numbers of their own: %u up to %u", crowd.n,
       (unsigned)crowd.last);
    ok(world_end(&world), "cleaned up");
}

static void test_abort(void)
{
    struct message_meta meta = {.size = 10};
    struct add_request request;
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    request = world_add_request(&world, "INBOX", ID);
    endpoint_add_open(world.endpoint, &request);
    endpoint_add_message(world.endpoint, &request, &meta);
    (void)endpoint_add_data(world.endpoint, &request, B("0123456789"));
    endpoint_add_message(world.endpoint, &request, &meta);
    (void)endpoint_add_data(world.endpoint, &request, B("01234"));
    endpoint_add_abort(world.endpoint, &request);
    ok(world_wait(&world, &request.base) == 0 && world.n_added == 2 &&
           world.n_bad == 1 && world.added_result == ERR_CANCELLED,
       "an aborted message is told so, the one before is stored");
    ok(world_count(&world, "INBOX/new", NULL) == 1 &&
           world_count(&world, "INBOX/tmp", NULL) == 0,
       "and nothing of it is left");
    ok(world_add(&world, "Nowhere", 9, B("x"), none) == ERR_GONE &&
           world.n_bad == 1,
       "adding to a folder that is not there fails");
    ok(world_end(&world), "cleaned up");
}

struct counted {
    struct world *world;
    unsigned ended;
    unsigned cancelled;
};

static void count_done(struct request *request)
{
    struct counted *counted = request->owner;

    counted->ended++;
    counted->cancelled += request->result == ERR_CANCELLED;
}

static void ignore_added(struct add_request *request, size_t index, int result,
                         uint32_t uid, const struct err *err)
{
    (void)request;
    (void)index;
    (void)result;
    (void)uid;
    (void)err;
}

static void ignore_begin(struct read_request *request, uint32_t uid,
                         uint64_t size)
{
    (void)request;
    (void)uid;
    (void)size;
}

static void ignore_data(struct read_request *request, struct bytes data)
{
    (void)request;
    (void)data;
}

static void ignore_end(struct read_request *request, int result,
                       const struct err *err)
{
    (void)request;
    (void)result;
    (void)err;
}

static void test_close(void)
{
    struct message_meta meta = {.size = 10};
    struct world world;
    struct counted counted = {.world = &world};
    struct uidset uids = {0};
    struct request base = {.done = count_done, .owner = &counted};
    struct add_request add = {
        .base = base,
        .folder = {.name = "INBOX", .id = ID},
        .added = ignore_added
    };
    struct read_request read = {
        .base = base,
        .folder = {.name = "INBOX", .id = ID},
        .uids = &uids,
        .begin = ignore_begin,
        .data = ignore_data,
        .end = ignore_end
    };
    struct list_request list = {.base = base};

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    (void)world_add(&world, "INBOX", ID, B("x\r\n"), none);
    uidset_add(&uids, 1);
    endpoint_read(world.endpoint, &read);
    endpoint_read_pause(world.endpoint, &read, true);
    endpoint_add_open(world.endpoint, &add);
    endpoint_add_message(world.endpoint, &add, &meta);
    (void)endpoint_add_data(world.endpoint, &add, B("012"));
    for (unsigned i = 0; i < 200; i++) {
        (void)uv_run(&world.loop, UV_RUN_NOWAIT);
    }
    endpoint_list(world.endpoint, &list);
    ok(counted.ended == 0, "three requests are under way");
    ok(world_close(&world) == 0 && counted.ended == 3 && counted.cancelled == 3,
       "closing ends them all");
    ok(world_count(&world, "INBOX/tmp", NULL) == 0, "nothing is left in tmp");
    uidset_deinit(&uids);
    ok(world_end(&world), "cleaned up");
}

static void test_probe(void)
{
    struct list_request list;
    struct world world;
    struct state *state;
    struct buf text;

    world_make(&world, MAILDIR_NESTED);
    (void)world_shell(&world, "mkdir -p mail/INBOX/cur mail/INBOX/new");
    state = world.state;
    world.state = NULL;
    buf_init(&text, 0);
    ok(world_open(&world, false) == 0 && world_list(&world, &list) == 0 &&
           list.n_folders == 1,
       "without a state: open and list");
    endpoint_describe(world.endpoint, &text);
    ok(strstr(buf_text(&text), "layout: nested") != NULL, "and describe");
    ok(world_shell(&world, "test ! -e mail/.mailtwin") == 0,
       "nothing was written");
    folder_list_free(list.folders, list.n_folders);
    buf_deinit(&text);
    (void)world_close(&world);
    world.state = state;
    ok(world_end(&world), "cleaned up");
}

int main(void)
{
    test_root();
    test_root_parent();
    test_root_adopted();
    test_folders(MAILDIR_NESTED, "nested", "A/v1.2");
    test_folders(MAILDIR_PLUSPLUS, "maildir++", ".A.v1%2E2");
    test_killed();
    test_odd_folders();
    test_bodies();
    test_large();
    test_identify();
    test_flags();
    test_many_keywords();
    test_foreign_files();
    test_gone();
    test_many();
    test_crowd();
    test_abort();
    test_close();
    test_probe();
    return done_testing();
}
