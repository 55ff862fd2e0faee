#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_scan.h"
#include "tests/tap.h"

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

int main(void)
{
    test_kinds();
    test_future();
    return done_testing();
}
