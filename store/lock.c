#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/sabotage.h"

#define TEXT_BYTES 32 /* of a process number and its line end */

/* Say in the file who holds it. Only for the message of others: a failure
 * does not matter. */
static void sign(int fd)
{
    char text[TEXT_BYTES];
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return;
}

/* Who signed? 0 where it cannot be known. */
static uint64_t holder(int fd)
{
    char text[TEXT_BYTES];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    uint64_t pid = 0;

    if (n > 0) {
        bytes_to_u64(bytes_trim((struct bytes){text, (size_t)n}), INT32_MAX,
                     &pid);
    }
    return pid;
}

/* A number below 0 is an errno. */
static int try_lock(int fd)
{
    int r;

    do {
        r = flock(fd, LOCK_EX | LOCK_NB);
    } while (r != 0 && errno == EINTR);
    return r == 0 ? 0 : -errno;
}

int lock_take(const char *path, bool *unfinished, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    uint64_t pid;
    int r;

    if (fd < 0)
        return err_errno(err, ERR_DISK, errno, "%s", path);
    r = try_lock(fd);
    if (r == 0 || SABOTAGED(no_lock)) {
        if (unfinished != NULL)
            *unfinished = holder(fd) != 0;
        sign(fd);
        return fd;
    }
    pid = holder(fd);
    close(fd);
    if (r != -EWOULDBLOCK)
        return err_errno(err, ERR_DISK, -r, "%s", path);
    if (pid == 0) {
        return err_set(err, ERR_LOCKED,
                       "another run holds the pair: wait for its end, or "
                       "use --wait SECONDS");
    }
    return err_set(err, ERR_LOCKED,
                   "another run (process %llu) holds the pair: wait for its "
                   "end, or use --wait SECONDS",
                   (unsigned long long)pid);
}

void lock_finish(int fd)
{
    /* Where that fails the next one looks after what needs no looking after. */
    if (fd >= 0 && ftruncate(fd, 0) != 0)
        return;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
