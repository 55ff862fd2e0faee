#include "store/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"

#define TRIES     500u
#define PAUSE_NS  10000000
#define STALE_S   120 /* Dovecot's own time */
#define OWN_BYTES 300
#define SIGNATURE "\nmailtwin\n" /* behind "pid:host", as Dovecot writes it */

/* Fill a file of our own, and hold it with flock() for as long as we live: the
 * kernel lets go of it when we die, however that happens. What it says is
 * durable before its name is the lock's: after a power cut, an empty lock would
 * be anybody's. */
static int sign(int fd)
{
    char text[OWN_BYTES];
    char host[256] = "";
    size_t length;

    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(text, sizeof(text), "%ld:%s" SIGNATURE, (long)getpid(),
                   host);
    length = strlen(text);
    errno = ENOSPC; /* what a short write means */
    if (write(fd, text, length) != (ssize_t)length || fsync(fd) < 0) {
        return -1;
    }
    return flock(fd, LOCK_EX | LOCK_NB);
}

/* A new file @path, complete before it gets the lock's name. Returns a
 * descriptor, or -1 with errno. */
static int make_private(int folder, const char *path)
{
    int fd = openat(folder, path,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error_number;

    if (fd >= 0 && sign(fd) < 0) {
        error_number = errno;
        (void)unlinkat(folder, path, 0);
        (void)close(fd);
        errno = error_number;
        return -1;
    }
    return fd;
}

/* Is @fd a lock of ours? Others do not hold theirs with flock(). */
static bool is_signed(int fd)
{
    char text[OWN_BYTES + 1] = "";
    ssize_t n = read(fd, text, sizeof(text) - 1);
    size_t length = strlen(SIGNATURE);

    return n > (ssize_t)length &&
           strcmp(text + (size_t)n - length, SIGNATURE) == 0;
}

/* Remove the lock of a mailtwin that is no more. While we hold its file nobody
 * else can do the same, so that the name still means this file. */
static void break_dead(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat mine;
    struct stat named;

    if (fd < 0) {
        return;
    }
    if (is_signed(fd) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        fstat(fd, &mine) == 0 &&
        fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        mine.st_ino == named.st_ino && mine.st_dev == named.st_dev) {
        (void)unlinkat(folder, name, 0);
    }
    (void)close(fd);
}

static void break_stale(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_mtime + STALE_S < time(NULL)) {
        (void)unlinkat(folder, name, 0);
    } else {
        break_dead(folder, name);
    }
}

/* Give the private file the lock's name. Where the file system has no links,
 * the name is made directly, and *@fd is that file. Returns 0 or -1 with
 * errno. */
static int claim(int folder, const char *path, const char *name, int *fd)
{
    int direct;

    if (linkat(folder, path, folder, name, 0) == 0) {
        return 0;
    }
    if (errno != EPERM && errno != ENOTSUP && errno != EOPNOTSUPP) {
        return -1;
    }
    direct = make_private(folder, name);
    if (direct < 0) {
        return -1;
    }
    (void)close(*fd);
    *fd = direct;
    return 0;
}

int dotlock_take(int folder, const char *name, struct err *err)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    unsigned long long random;
    char path[64];
    int fd;
    int r;

    digest_random((uint8_t *)&random, sizeof(random));
    (void)snprintf(path, sizeof(path), "tmp/lock.%016llx", random);
    fd = make_private(folder, path);
    if (fd < 0) {
        return err_errno(err, ERR_DISK, errno, "%s", path);
    }
    r = claim(folder, path, name, &fd);
    for (unsigned i = 0; i < TRIES && r < 0 && errno == EEXIST; i++) {
        break_stale(folder, name);
        (void)nanosleep(&pause, NULL);
        r = claim(folder, path, name, &fd);
    }
    if (r < 0 && errno == EEXIST) {
        r = err_set(err, ERR_BUSY, "%s: another program keeps the lock", name);
    } else if (r < 0) {
        r = err_errno(err, ERR_DISK, errno, "%s", name);
    }
    (void)unlinkat(folder, path, 0);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    return fd;
}

void dotlock_release(int folder, const char *name, int lock)
{
    (void)unlinkat(folder, name, 0);
    (void)close(lock);
}
