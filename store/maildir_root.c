#include "store/maildir_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/sabotage.h"
#include "store/maildir_path.h"

#define NEW_MARKER MAILDIR_PATH_MARKER ".new"

static int guard(const char *path, const char *what, struct err *err)
{
    return err_set(err, ERR_GUARD,
                   "the Maildir root %s %s; nothing was deleted: mount it, "
                   "or, if it was moved on purpose, put its file %s into the "
                   "new place",
                   path, what, MAILDIR_PATH_MARKER);
}

/* Make what was just created in @path's parent durable. */
static int sync_parent(const char *path)
{
    char *parent = mem_copy(path);
    char *slash;
    int fd;
    int r;

    while (strlen(parent) > 1 && parent[strlen(parent) - 1] == '/') {
        parent[strlen(parent) - 1] = 0;
    }
    slash = strrchr(parent, '/');
    if (slash != NULL) {
        slash[slash == parent ? 1 : 0] = 0;
    }
    fd = open(slash != NULL ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (fd < 0) {
        return -1;
    }
    r = fsync(fd);
    close(fd);
    return r;
}

int maildir_root_create(const char *path, struct err *err)
{
    if (mkdir(path, 0700) == 0) {
        if (sync_parent(path) < 0) {
            return err_errno(err, ERR_DISK, errno, "%s", path);
        }
        return 0;
    }
    if (errno == ENOENT) {
        return err_set(err, ERR_DISK,
                       "%s: the directory above it does not exist: create it, "
                       "mount it, or correct the path",
                       path);
    }
    return err_errno(err, ERR_DISK, errno, "%s", path);
}

/* Read the marker. Returns false where there is none that could be ours. */
static bool read_marker(struct maildir_root *root)
{
    int fd = openat(root->fd, MAILDIR_PATH_MARKER,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n;

    root->marker[0] = 0;
    if (fd < 0) {
        return false;
    }
    n = read(fd, root->marker, MAILDIR_ROOT_MARKER_BYTES);
    close(fd);
    root->marker[n > 0 ? n : 0] = 0;
    return strspn(root->marker, "0123456789abcdef") ==
           MAILDIR_ROOT_MARKER_BYTES;
}

static bool write_file(int fd, const char *text)
{
    size_t n = strlen(text);

    return write(fd, text, n) == (ssize_t)n && write(fd, "\n", 1) == 1 &&
           fsync(fd) == 0;
}

/* A new marker, whole or not at all. */
static int create_marker(const char *path, struct maildir_root *root,
                         struct err *err)
{
    uint8_t random[MAILDIR_ROOT_MARKER_BYTES / 2];
    int error_number = 0;
    int fd;

    digest_random(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        (void)snprintf(root->marker + 2 * i, 3, "%02x", random[i]);
    }
    (void)unlinkat(root->fd, NEW_MARKER, 0);
    fd = openat(root->fd, NEW_MARKER,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_errno(err, ERR_DISK, errno, "%s/%s", path, NEW_MARKER);
    }
    errno = ENOSPC; /* what a short write means */
    if (!write_file(fd, root->marker) ||
        renameat(root->fd, NEW_MARKER, root->fd, MAILDIR_PATH_MARKER) < 0 ||
        fsync(root->fd) < 0) {
        error_number = errno;
        (void)unlinkat(root->fd, NEW_MARKER, 0);
    }
    close(fd);
    if (error_number != 0) {
        return err_errno(err, ERR_DISK, error_number, "%s/%s", path,
                         MAILDIR_PATH_MARKER);
    }
    return 0;
}

/* The root, where the state does not know one yet. */
static int open_first(const char *path, bool dry, struct maildir_root *out,
                      struct err *err)
{
    int r;

    if (out->fd < 0) {
        if (dry) {
            return 0;
        }
        r = maildir_root_create(path, err);
        if (r < 0) {
            return r;
        }
        out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (out->fd < 0) {
            return err_errno(err, ERR_DISK, errno, "%s", path);
        }
    }
    if (read_marker(out)) {
        return 0;
    }
    out->marker[0] = 0;
    return dry ? 0 : create_marker(path, out, err);
}

int maildir_root_open(const char *path, const char *known, bool dry,
                      struct maildir_root *out, struct err *err)
{
    int r = 0;

    /* The root itself may be reached through symbolic links: the user named
     * it. Nothing below it may. */
    out->marker[0] = 0;
    out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->fd < 0 && errno == ENOTDIR) {
        r = known != NULL
                ? guard(path, "is not a directory", err)
                : err_set(err, ERR_DISK,
                          "%s: is not a directory: correct the path", path);
    } else if (out->fd < 0 && errno != ENOENT) {
        r = err_errno(err, ERR_DISK, errno, "%s", path);
    } else if (known == NULL) {
        r = open_first(path, dry, out, err);
    } else if (out->fd < 0) {
        r = guard(path, "is missing (not mounted?)", err);
    } else if (SABOTAGED(no_marker)) {
        r = open_first(path, dry, out, err);
    } else if (!read_marker(out)) {
        r = guard(path, "has lost its marker file (not mounted?)", err);
    } else if (strcmp(out->marker, known) != 0) {
        r = guard(path, "is another one (wrong disk mounted?)", err);
    }
    if (r < 0 && out->fd >= 0) {
        close(out->fd);
        out->fd = -1;
    }
    return r;
}
