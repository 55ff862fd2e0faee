#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_scan.h"
#include "tests/tap.h"

#define FILES        1500u
#define SETTLED_WANT 25u
#define SCANS_MAX    4000u

struct place {
    char root[64];
    int cur;
    int new;
};

__attribute__((noreturn)) static void die(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(1);
}

static void make_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

    if (fd < 0 || close(fd) < 0) {
        die(name);
    }
}

static void make_place(struct place *place)
{
    int root;

    (void)strcpy(place->root, "/tmp/test_maildir_scan.XXXXXX");
    if (mkdtemp(place->root) == NULL ||
        (root = open(place->root, O_RDONLY)) < 0 ||
        mkdirat(root, "cur", 0700) < 0 || mkdirat(root, "new", 0700) < 0) {
        die("no directory");
    }
    place->cur = openat(root, "cur", O_RDONLY);
    place->new = openat(root, "new", O_RDONLY);
    close(root);
}

static void remove_place(struct place *place)
{
    char *command = mem_printf("rm -rf '%s'", place->root);

    close(place->cur);
    close(place->new);
    ok(system(command) == 0, "cleaned up");
    free(command);
}

/* As the endpoint does it, but for the timer. */
static void begin(struct maildir_scan *scan)
{
    unsigned wait_ms;

    while (maildir_scan_begin(scan, &wait_ms, NULL) == MAILDIR_SCAN_WAIT) {
        const struct timespec pause = {.tv_nsec = (long)wait_ms * 1000000};

        (void)nanosleep(&pause, NULL);
    }
}

/* One scan: what it found, and whether it may be believed. */
static bool scan_all(struct maildir_scan *scan, struct buf *names,
                     struct folder_token *token)
{
    begin(scan);
    buf_clear(names);
    while (maildir_scan_read(scan, names, 100, NULL) == MAILDIR_SCAN_MORE) {
        continue;
    }
    return maildir_scan_settled(scan, token);
}

static bool has_record(const struct buf *names, const char *record)
{
    struct bytes all = buf_peek(names);
    size_t n = strlen(record) + 1;

    for (size_t i = 0; i + n <= all.len; i++) {
        if (memcmp(all.ptr + i, record, n) == 0) {
            return true;
        }
    }
    return false;
}

static void test_kinds(void)
{
    struct folder_token token;
    struct folder_token again;
    struct place place;
    struct maildir_scan *scan;
    struct buf names;

    make_place(&place);
    make_file(place.cur, "1.a:2,S");
    make_file(place.new, "2.b");
    make_file(place.new, ".dot");
    make_file(place.cur, "new\nline");
    if (mkdirat(place.cur, "3.dir:2,", 0700) < 0 ||
        mkfifoat(place.cur, "4.fifo:2,", 0600) < 0 ||
        symlinkat("/etc/passwd", place.cur, "5.link:2,") < 0 ||
        symlinkat("5.loop", place.new, "5.loop") < 0) {
        die("cannot make odd files");
    }
    scan = maildir_scan_new(place.cur, place.new);
    buf_init(&names, 0);
    ok(scan_all(scan, &names, &token), "a quiet folder settles");
    ok(has_record(&names, "c1.a:2,S") && has_record(&names, "n2.b") &&
           has_record(&names, "cnew\nline"),
       "regular files are found, with their place");
    ok(buf_len(&names) == 9 + 5 + 10,
       "directories, pipes, symbolic links and dot files are not");
    ok(token.uidvalidity == 1 && token.cur_mtime_ns != 0 &&
           token.new_mtime_ns != 0,
       "the token has the times");
    maildir_scan_free(scan);
    scan = maildir_scan_new(place.cur, place.new);
    ok(scan_all(scan, &names, &again) && folder_token_equal(&token, &again),
       "nothing changed: the same token");
    begin(scan);
    make_file(place.new, "6.c");
    while (maildir_scan_read(scan, &names, 100, NULL) == MAILDIR_SCAN_MORE) {
        continue;
    }
    ok(!maildir_scan_settled(scan, &again) && again.new_mtime_ns == 0 &&
           !folder_token_equal(&token, &again),
       "a file that arrives meanwhile: not settled, no token");
    ok(scan_all(scan, &names, &again) && !folder_token_equal(&token, &again),
       "the next scan settles, with another token");
    maildir_scan_free(scan);
    buf_deinit(&names);
    remove_place(&place);
}

static void test_future(void)
{
    const struct timespec future[2] = {
        {.tv_sec = time(NULL) + 100000, .tv_nsec = 5},
        {.tv_sec = time(NULL) + 100000, .tv_nsec = 5}
    };
    struct folder_token token;
    struct maildir_scan *scan;
    struct place place;
    struct buf names;

    make_place(&place);
    buf_init(&names, 0);
    (void)futimens(place.cur, future);
    scan = maildir_scan_new(place.cur, place.new);
    ok(scan_all(scan, &names, &token), "a time in the future settles too");
    maildir_scan_free(scan);
    buf_deinit(&names);
    remove_place(&place);
}

/* --- the race: another program renames while we read ------------------------- */

struct renamer {
    int cur;
    atomic_bool stop;
    bool seen[FILES];
};

static void file_name(char out[64], unsigned i, bool seen)
{
    (void)snprintf(out, 64, "1700000000.M%06uP1.host:2,%s", i, seen ? "S" : "");
}

/* Bursts of flag changes, as a mail reader makes them. */
static void *rename_files(void *owner)
{
    const struct timespec pause = {.tv_nsec = 21000000};
    struct renamer *renamer = owner;
    unsigned state = 1;

    while (!atomic_load(&renamer->stop)) {
        for (unsigned n = 0; n < 200; n++) {
            char from[64];
            char to[64];
            unsigned i;

            state = state * 1103515245u + 12345u;
            i = (state >> 8) % FILES;
            file_name(from, i, renamer->seen[i]);
            renamer->seen[i] = !renamer->seen[i];
            file_name(to, i, renamer->seen[i]);
            if (renameat(renamer->cur, from, renamer->cur, to) < 0) {
                die("rename");
            }
        }
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

/* How many of the files a scan passed over. */
static unsigned count_missing(struct bytes names)
{
    bool *found = mem_new(FILES, sizeof(*found));
    unsigned missing = 0;

    while (names.len > 0) {
        /* "c1700000000.M000123P1.host:2,S" */
        unsigned long i = strtoul(names.ptr + 13, NULL, 10);

        if (i < FILES) {
            found[i] = true;
        }
        names = bytes_skip(names, strlen(names.ptr) + 1);
    }
    for (unsigned i = 0; i < FILES; i++) {
        missing += !found[i];
    }
    free(found);
    return missing;
}

static void test_race(void)
{
    struct renamer renamer = {.stop = false};
    struct folder_token token;
    struct maildir_scan *scan;
    struct place place;
    struct buf names;
    pthread_t thread;
    unsigned settled = 0;
    unsigned bad = 0;
    unsigned unsettled_missing = 0;
    unsigned scans;

    make_place(&place);
    for (unsigned i = 0; i < FILES; i++) {
        char name[64];

        file_name(name, i, false);
        make_file(place.cur, name);
    }
    renamer.cur = place.cur;
    buf_init(&names, 0);
    if (pthread_create(&thread, NULL, rename_files, &renamer) != 0) {
        die("no thread");
    }
    for (scans = 0; scans < SCANS_MAX && settled < SETTLED_WANT; scans++) {
        unsigned missing;
        bool believed;

        scan = maildir_scan_new(place.cur, place.new);
        believed = scan_all(scan, &names, &token);
        missing = count_missing(buf_peek(&names));
        settled += believed;
        bad += believed && missing > 0;
        unsettled_missing += !believed && missing > 0;
        maildir_scan_free(scan);
    }
    atomic_store(&renamer.stop, true);
    (void)pthread_join(thread, NULL);
    printf("# %u scans, %u settled, %u unsettled ones missed files\n", scans,
           settled, unsettled_missing);
    ok(settled >= SETTLED_WANT, "scans settle between bursts of renames");
    ok(bad == 0, "a settled scan never misses a file");
    buf_deinit(&names);
    remove_place(&place);
}

int main(void)
{
    test_kinds();
    test_future();
    test_race();
    return done_testing();
}
