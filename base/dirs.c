#include "base/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int dirs_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -1 : fsync(fd);

    /* A file system that cannot do this has nothing to lose by it. */
    if (r < 0 && errno != EINVAL && errno != ENOTSUP)
        r = err_errno(err, ERR_DISK, errno, "%s", path);
    else
        r = 0;
    if (fd >= 0)
        close(fd);
    return r;
}

/* "a/b" is in "a", "/a" in "/", "a" in "."; free() it. */
static char *above(const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n == 0 ? mem_copy(".") : mem_text((struct bytes){path, n});
}

int dirs_sync_above(const char *path, struct err *err)
{
    char *parent = above(path);
    int r = access(parent, R_OK) == 0 ? dirs_sync(parent, err) : 0;

    free(parent);
    return r;
}

static int make_one(const char *path, struct err *err)
{
    if (mkdir(path, 0700) == 0)
        return dirs_sync_above(path, err);
    return errno == EEXIST ? 0 : err_errno(err, ERR_DISK, errno, "%s", path);
}

int dirs_make(const char *path, struct err *err)
{
    char *part = mem_copy(path);
    int r = 0;

    for (char *end = part; r == 0 && *end != '\0'; end++) {
        char next = end[1];

        if (next != '/' && next != '\0')
            continue;
        end[1] = '\0';
        r = make_one(part, err);
        end[1] = next;
    }
    free(part);
    return r;
}
