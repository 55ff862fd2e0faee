#include "store/maildir_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "store/maildir_list.h"
#include "store/maildir_tree.h"

#define NS_IN_MS 1000000
/* A file system that keeps whole seconds, or two (FAT). */
#define COARSE_MARGIN_MS 2000
#define WAITS_MAX        60u

enum { NEW, CUR, PLACES };

struct maildir_scan {
    int dir[PLACES];
    DIR *stream[PLACES];
    struct stat before[PLACES];
    bool believable;       /* the times were old enough */
    int64_t mtime[PLACES]; /* seen last, by begin */
    int64_t since_ns;      /* on the monotonic clock: seen so from then on */
    unsigned waits;
};

struct maildir_scan *maildir_scan_new(int cur, int new)
{
    struct maildir_scan *scan = MEM_NEW(struct maildir_scan);

    scan->dir[CUR] = cur;
    scan->dir[NEW] = new;
    return scan;
}

static void close_streams(struct maildir_scan *scan)
{
    for (int i = 0; i < PLACES; i++) {
        if (scan->stream[i] != NULL) {
            closedir(scan->stream[i]);
            scan->stream[i] = NULL;
        }
    }
}

void maildir_scan_free(struct maildir_scan *scan)
{
    if (scan != NULL) {
        close_streams(scan);
        free(scan);
    }
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * How much longer a directory must stay as it is. A time in the future (a
 * server's clock, a bad restore) can grow old only on our own clock: from when
 * we saw it first.
 */
static int64_t too_young_by_ns(const struct maildir_scan *scan, int64_t mtime)
{
    int64_t margin =
        (mtime % 1000000000 == 0 ? COARSE_MARGIN_MS : MAILDIR_SCAN_MARGIN_MS) *
        (int64_t)NS_IN_MS;
    int64_t age = clock_ns(CLOCK_REALTIME) - mtime;

    if (age < 0) {
        age = clock_ns(CLOCK_MONOTONIC) - scan->since_ns;
    }
    return margin - age;
}

static int look(struct maildir_scan *scan, struct err *err)
{
    bool same = true;

    for (int i = 0; i < PLACES; i++) {
        if (fstat(scan->dir[i], &scan->before[i]) < 0) {
            return err_errno(err, ERR_DISK, errno, "cur and new");
        }
        same = same && maildir_list_mtime(&scan->before[i]) == scan->mtime[i];
        scan->mtime[i] = maildir_list_mtime(&scan->before[i]);
    }
    if (!same) {
        scan->since_ns = clock_ns(CLOCK_MONOTONIC);
    }
    return 0;
}

static int open_streams(struct maildir_scan *scan, struct err *err)
{
    close_streams(scan);
    for (int i = 0; i < PLACES; i++) {
        scan->stream[i] = maildir_tree_stream(scan->dir[i]);
        if (scan->stream[i] == NULL) {
            return err_errno(err, ERR_DISK, errno, "cur and new");
        }
    }
    return 0;
}

int maildir_scan_begin(struct maildir_scan *scan, unsigned *wait_ms,
                       struct err *err)
{
    int64_t wait_ns = 0;
    int r = look(scan, err);

    if (r < 0) {
        return r;
    }
    for (int i = 0; i < PLACES; i++) {
        int64_t more = too_young_by_ns(scan, scan->mtime[i]);

        wait_ns = more > wait_ns ? more : wait_ns;
    }
    if (wait_ns > 0 && wait_ms != NULL && scan->waits < WAITS_MAX) {
        scan->waits++;
        *wait_ms = (unsigned)(wait_ns / NS_IN_MS) + 1;
        return MAILDIR_SCAN_WAIT;
    }
    scan->believable = wait_ns <= 0;
    return open_streams(scan, err);
}

/* Only regular files are messages: no directories, no symbolic links (to
 * /etc/passwd), no pipes that would block us. Returns 1, 0, or -1 with errno
 * where that cannot be known. */
static int is_message(int dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_name[0] == '.') {
        return 0;
    }
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_REG ? 1 : 0;
    }
    if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    return S_ISREG(st.st_mode) ? 1 : 0;
}

static void add_name(struct buf *names, int place, const char *name)
{
    struct bytes record = bytes_of(name);

    record.len++; /* with its NUL */
    buf_add_char(names, place == NEW ? 'n' : 'c');
    buf_add(names, record);
}

/* Up to @entries from one stream; closes it at its end. */
static int read_stream(struct maildir_scan *scan, int place, struct buf *names,
                       size_t *entries, struct err *err)
{
    for (; *entries > 0; (*entries)--) {
        const struct dirent *entry = maildir_tree_next(scan->stream[place]);
        int is;

        if (entry == NULL && errno != 0) {
            return err_errno(err, ERR_DISK, errno, "cur and new");
        }
        if (entry == NULL) {
            closedir(scan->stream[place]);
            scan->stream[place] = NULL;
            return 0;
        }
        is = is_message(scan->dir[place], entry);
        if (is < 0) {
            return err_errno(err, ERR_DISK, errno, "cur and new");
        }
        if (is > 0) {
            add_name(names, place, entry->d_name);
        }
    }
    return 0;
}

int maildir_scan_read(struct maildir_scan *scan, struct buf *names,
                      size_t entries, struct err *err)
{
    for (int i = 0; i < PLACES; i++) {
        int r;

        if (scan->stream[i] == NULL) {
            continue;
        }
        r = read_stream(scan, i, names, &entries, err);
        if (r < 0) {
            return r;
        }
        if (scan->stream[i] != NULL) {
            return MAILDIR_SCAN_MORE;
        }
    }
    return 0;
}

bool maildir_scan_settled(const struct maildir_scan *scan,
                          struct folder_token *token)
{
    bool settled = scan->believable;

    if (SABOTAGED(any_scan)) {
        *token = maildir_list_token(&scan->before[CUR], &scan->before[NEW]);
        return true;
    }

    for (int i = 0; i < PLACES; i++) {
        struct stat st;

        if (fstat(scan->dir[i], &st) < 0 ||
            maildir_list_mtime(&st) != maildir_list_mtime(&scan->before[i])) {
            settled = false;
        }
    }
    *token = maildir_list_token(&scan->before[CUR], &scan->before[NEW]);
    if (!settled) {
        token->cur_mtime_ns = 0;
        token->new_mtime_ns = 0;
    }
    return settled;
}
