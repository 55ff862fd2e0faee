#include "store/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"

#define TRIES     500u
#define PAUSE_NS  10000000
#define STALE_S   120 /* Dovecot's own time */
#define OWN_BYTES 300

/* "pid:host", as Dovecot writes it. */
static void describe_owner(char text[OWN_BYTES])
{
    char host[256] = "";

    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(text, OWN_BYTES, "%ld:%s", (long)getpid(), host);
}

/* A file of our own, complete before it gets the lock's name: @path in tmp/.
 * Returns 0 or -1 with errno set. */
static int make_private(int folder, const char *path)
{
    char text[OWN_BYTES];
    int fd = openat(folder, path,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ssize_t n;

    if (fd < 0) {
        return -1;
    }
    describe_owner(text);
    errno = ENOSPC; /* what a short write means */
    n = write(fd, text, strlen(text));
    if (close(fd) < 0 || n != (ssize_t)strlen(text)) {
        (void)unlinkat(folder, path, 0);
        return -1;
    }
    return 0;
}

/* Was the lock made by a process of this machine that is no more? */
static bool owner_is_dead(int folder, const char *name)
{
    char text[OWN_BYTES] = "";
    char own[OWN_BYTES];
    char *end;
    long pid;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    if (n <= 0) {
        return false;
    }
    describe_owner(own);
    pid = strtol(text, &end, 10);
    if (pid <= 0 || *end != ':' || strcmp(end, strchr(own, ':')) != 0) {
        return false;
    }
    return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static void break_stale(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return;
    }
    if (st.st_mtime + STALE_S < time(NULL) || owner_is_dead(folder, name)) {
        (void)unlinkat(folder, name, 0);
    }
}

/* Give the private file the lock's name. Where the file system has no links,
 * the name is made directly. Returns 0 or -1 with errno set. */
static int claim(int folder, const char *path, const char *name)
{
    if (linkat(folder, path, folder, name, 0) == 0) {
        return 0;
    }
    if (errno != EPERM && errno != ENOTSUP && errno != EOPNOTSUPP) {
        return -1;
    }
    return make_private(folder, name);
}

int dotlock_take(int folder, const char *name, struct err *err)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    unsigned long long random;
    char path[64];
    int r;

    digest_random((uint8_t *)&random, sizeof(random));
    (void)snprintf(path, sizeof(path), "tmp/lock.%016llx", random);
    if (make_private(folder, path) < 0) {
        return err_errno(err, ERR_DISK, errno, "%s", path);
    }
    r = claim(folder, path, name);
    for (unsigned i = 0; i < TRIES && r < 0 && errno == EEXIST; i++) {
        break_stale(folder, name);
        (void)nanosleep(&pause, NULL);
        r = claim(folder, path, name);
    }
    if (r < 0 && errno == EEXIST) {
        r = err_set(err, ERR_BUSY, "%s: another program keeps the lock", name);
    } else if (r < 0) {
        r = err_errno(err, ERR_DISK, errno, "%s", name);
    }
    (void)unlinkat(folder, path, 0);
    return r;
}

void dotlock_release(int folder, const char *name)
{
    (void)unlinkat(folder, name, 0);
}
