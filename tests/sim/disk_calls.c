/*
 * The calls of the C library that change files, in front of the real ones.
 * Each asks the gate, does the real thing, and notes in the tree what it did.
 */
#undef _FORTIFY_SOURCE /* its inline bodies of what is defined here */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/sim/disk_hook.h"

/* --- open, close ----------------------------------------------------------------- */

static void set_fd(int fd, struct disk_node *node, int flags)
{
    struct disk_fd *entry = disk_fd(fd);

    if (entry != NULL)
        *entry = (struct disk_fd){.node = node,
                                  .writable = (flags & O_ACCMODE) != O_RDONLY,
                                  .dsync = (flags & O_DSYNC) != 0};
}

static int open_real(int at, const char *path, int flags, mode_t mode)
{
    REAL(int, openat, int, const char *, int, ...);

    return openat_real(at, path, flags, mode);
}

static int open_below(int at, const char *path, int flags, mode_t mode,
                      struct disk_place *place)
{
    bool creates = (flags & O_CREAT) != 0 && place->node == NULL;
    bool empties = (flags & O_TRUNC) != 0 && place->node != NULL;
    bool changes = creates || empties;
    enum disk_verdict verdict =
        disk_gate(changes ? CALL_OPEN : LOOK_OPEN, place->dir, place->name);
    int fd;

    if (verdict == DISK_REFUSE)
        return -1;
    fd = open_real(at, path, flags, mode);
    if (fd < 0)
        return fd;
    if (creates) {
        place->node = disk_tree_node(&disk.tree, false);
        disk_tree_set(&disk.tree, place->dir, place->name, place->node);
        touch_dir(at, path);
    }
    if (empties && !place->node->is_dir)
        disk_tree_write(&disk.tree, place->node, DISK_SIZE, 0, NULL, 0);
    set_fd(fd, place->node, flags);
    if (verdict == DISK_DO_FAIL) {
        disk.asleep = true;
        close(fd);
        disk.asleep = false;
        set_fd(fd, NULL, 0);
        return fail(EIO);
    }
    return fd;
}

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    struct disk_place place;
    int fd;

    if (!disk_is_on()) {
        fd = open_real(at, path, flags, mode);
        if (fd >= 0)
            set_fd(fd, NULL, 0);
        return fd;
    }
    enter();
    place = disk_find(at, path);
    if (place.dir != NULL) {
        fd = open_below(at, path, flags, mode, &place);
    } else {
        fd = open_real(at, path, flags, mode);
        set_fd(fd, NULL, 0);
    }
    leave();
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

#define OPEN(name)                                    \
    int name(const char *path, int flags, ...)        \
    {                                                 \
        va_list args;                                 \
        mode_t mode;                                  \
                                                      \
        va_start(args, flags);                        \
        mode = mode_of(flags, args);                  \
        va_end(args);                                 \
        return open_any(AT_FDCWD, path, flags, mode); \
    }

#define OPENAT(name)                                   \
    int name(int at, const char *path, int flags, ...) \
    {                                                  \
        va_list args;                                  \
        mode_t mode;                                   \
                                                       \
        va_start(args, flags);                         \
        mode = mode_of(flags, args);                   \
        va_end(args);                                  \
        return open_any(at, path, flags, mode);        \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* Those that _FORTIFY_SOURCE calls. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int __openat_2(int at, const char *path, int flags)
{
    return open_any(at, path, flags, 0);
}

int __openat64_2(int at, const char *path, int flags)
{
    return open_any(at, path, flags, 0);
}

int close(int fd)
{
    REAL(int, close, int);
    enum disk_verdict verdict = DISK_GO;
    const struct disk_fd *entry;
    int error_number;
    int r;

    enter();
    entry = below(fd);
    if (entry != NULL && entry->writable)
        verdict = gate_fd(CALL_CLOSE, entry);
    error_number = errno;
    set_fd(fd, NULL, 0);
    r = close_real(fd); /* it is closed whatever is said */
    if (verdict != DISK_GO)
        r = fail(error_number);
    leave();
    return r;
}

int closedir(DIR *stream)
{
    REAL(int, closedir, DIR *);

    set_fd(dirfd(stream), NULL, 0);
    return closedir_real(stream);
}

static int duplicate(int fd, int command, long arg)
{
    REAL(int, fcntl, int, int, ...);
    int r = fcntl_real(fd, command, arg);

    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && r >= 0) {
        struct disk_fd *from = disk_fd(fd);
        struct disk_fd *to = disk_fd(r);

        if (from != NULL && to != NULL)
            *to = *from;
    }
    return r;
}

#define FCNTL(name)                         \
    int name(int fd, int command, ...)      \
    {                                       \
        va_list args;                       \
        long arg;                           \
                                            \
        va_start(args, command);            \
        arg = va_arg(args, long);           \
        va_end(args);                       \
        return duplicate(fd, command, arg); \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

/* --- write -------------------------------------------------------------------------- */

static ssize_t pwrite_real_at(int fd, const void *bytes, size_t n, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);

    return pwrite_real(fd, bytes, n, at);
}

/* A process is killed between two pages of a file. */
static size_t whole_pages(off_t at, size_t n)
{
    size_t end = ((size_t)at + n) & ~(size_t)4095;

    return end > (size_t)at ? end - (size_t)at : 0;
}

/* Write at @at, and note it. */
static ssize_t write_below(int fd, struct disk_fd *entry, const void *bytes,
                           size_t n, off_t at)
{
    enum disk_verdict verdict = gate_fd(CALL_WRITE, entry);
    ssize_t done;

    if (verdict == DISK_REFUSE)
        return -1;
    if (verdict == DISK_ONE_BYTE && n > 1)
        n = 1;
    if (verdict == DISK_HALF)
        n = whole_pages(at, n / 2);
    done = pwrite_real_at(fd, bytes, n, at);
    if (done < 0)
        return done;
    touch_fd(fd);
    disk_tree_write(&disk.tree, entry->node, DISK_DATA, at, bytes,
                    (size_t)done);
    if (!disk.others)
        disk_order_wrote(entry, bytes, (size_t)done);
    if (verdict == DISK_HALF || verdict == DISK_DO_FAIL)
        return fail(EIO);
    if (entry->dsync) {
        struct disk_node *node = entry->node;
        struct disk_write *last = &node->writes[node->n_writes - 1];

        disk_tree_apply(node, last);
        free(last->bytes);
        node->n_writes--;
    }
    return done;
}

static off_t place_of(int fd)
{
    REAL(int, fcntl, int, int, ...);

    if ((fcntl_real(fd, F_GETFL) & O_APPEND) != 0)
        return lseek(fd, 0, SEEK_END);
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    struct disk_fd *entry = below(fd);
    ssize_t done;
    off_t at;

    if (entry == NULL)
        return write_real(fd, bytes, n);
    enter();
    at = place_of(fd);
    done = write_below(fd, entry, bytes, n, at);
    if (done > 0) {
        int error_number = errno;

        (void)lseek(fd, at + done, SEEK_SET);
        errno = error_number;
    }
    leave();
    return done;
}

static ssize_t pwrite_any(int fd, const void *bytes, size_t n, off_t at)
{
    struct disk_fd *entry = below(fd);
    ssize_t done;

    if (entry == NULL)
        return pwrite_real_at(fd, bytes, n, at);
    enter();
    done = write_below(fd, entry, bytes, n, at);
    leave();
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite_any(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    return pwrite_any(fd, bytes, n, at);
}

static char *gather(const struct iovec *parts, int n_parts, size_t *n)
{
    char *bytes;

    *n = 0;
    for (int i = 0; i < n_parts; i++)
        *n += parts[i].iov_len;
    bytes = mem_new(*n + 1, 1);
    *n = 0;
    for (int i = 0; i < n_parts; i++) {
        memcpy(bytes + *n, parts[i].iov_base, parts[i].iov_len);
        *n += parts[i].iov_len;
    }
    return bytes;
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    ssize_t done;
    char *bytes;
    size_t n;

    if (below(fd) == NULL)
        return writev_real(fd, parts, n_parts);
    bytes = gather(parts, n_parts, &n);
    done = write(fd, bytes, n);
    free(bytes);
    return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int n_parts, off_t at)
{
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
    ssize_t done;
    char *bytes;
    size_t n;

    if (below(fd) == NULL)
        return pwritev_real(fd, parts, n_parts, at);
    bytes = gather(parts, n_parts, &n);
    done = pwrite_any(fd, bytes, n, at);
    free(bytes);
    return done;
}

static int truncate_any(int fd, off_t size)
{
    REAL(int, ftruncate, int, off_t);
    struct disk_fd *entry = below(fd);
    enum disk_verdict verdict;
    int r;

    if (entry == NULL)
        return ftruncate_real(fd, size);
    enter();
    verdict = gate_fd(CALL_TRUNCATE, entry);
    r = verdict == DISK_REFUSE ? -1 : ftruncate_real(fd, size);
    if (r == 0) {
        touch_fd(fd);
        disk_tree_write(&disk.tree, entry->node, DISK_SIZE, size, NULL, 0);
    }
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

int ftruncate(int fd, off_t size)
{
    return truncate_any(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return truncate_any(fd, size);
}

/* --- sync --------------------------------------------------------------------------- */

static int sync_any(int fd, enum disk_call call, int (*real)(int))
{
    enum disk_verdict verdict;
    struct disk_fd *entry = below(fd);
    int r = 0;

    if (entry == NULL)
        return real(fd);
    enter();
    verdict =
        call == CALL_SYNCFS ? disk_gate(call, NULL, "") : gate_fd(call, entry);
    if (verdict != DISK_GO) {
        r = -1;
        if (!disk.is_dead && call == CALL_FSYNC)
            disk_tree_sync_failed(entry->node);
        for (size_t i = 0;
             !disk.is_dead && call == CALL_SYNCFS && i < disk.tree.n_nodes; i++)
            disk_tree_sync_failed(disk.tree.nodes[i]);
    } else if (call == CALL_SYNCFS) {
        disk_tree_sync_all(&disk.tree);
    } else {
        disk_tree_sync(&disk.tree, entry->node);
    }
    leave();
    return r;
}

int fsync(int fd)
{
    REAL(int, fsync, int);

    return sync_any(fd, CALL_FSYNC, fsync_real);
}

int fdatasync(int fd)
{
    REAL(int, fdatasync, int);

    return sync_any(fd, CALL_FSYNC, fdatasync_real);
}

int syncfs(int fd)
{
    REAL(int, syncfs, int);

    return sync_any(fd, CALL_SYNCFS, syncfs_real);
}
