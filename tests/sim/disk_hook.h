/* What the files share in which calls of the C library are defined. */
#ifndef TESTS_SIM_DISK_HOOK_H
#define TESTS_SIM_DISK_HOOK_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk_parts.h"

/* Inside a function: @name_real is the C library's. */
#define REAL(type, name, ...)                \
    static type (*name##_real)(__VA_ARGS__); \
    if (name##_real == NULL)                 \
    *(void **)(&name##_real) = dlsym(RTLD_NEXT, #name)

__attribute__((unused)) static void enter(void)
{
    pthread_mutex_lock(&disk.lock);
    disk_visit();
    disk.tree.now = clock_now_ns();
}

__attribute__((unused)) static void leave(void)
{
    int error_number = errno;

    pthread_mutex_unlock(&disk.lock);
    errno = error_number;
}

__attribute__((unused)) static int fail(int error_number)
{
    errno = error_number;
    return -1;
}

/* The clock's time for the real thing. */
__attribute__((unused)) static void touch_fd(int fd)
{
    int64_t ns = disk.tree.now;
    const struct timespec now = {.tv_sec = (time_t)(ns / 1000000000),
                                 .tv_nsec = (long)(ns % 1000000000)};
    const struct timespec times[2] = {now, now};

    disk.asleep = true;
    (void)futimens(fd, times);
    disk.asleep = false;
}

__attribute__((unused)) static void touch_path(int at, const char *path)
{
    int64_t ns = disk.tree.now;
    const struct timespec now = {.tv_sec = (time_t)(ns / 1000000000),
                                 .tv_nsec = (long)(ns % 1000000000)};
    const struct timespec times[2] = {now, now};

    disk.asleep = true;
    (void)utimensat(at, path, times, 0);
    disk.asleep = false;
}

/* A directory in which a name changed, the way the caller named it. */
__attribute__((unused)) static void touch_dir(int at, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 1;
    char *dir = mem_text((struct bytes){slash != NULL ? path : ".", n});

    touch_path(at, dir);
    free(dir);
}

/* The entry of a descriptor below the root, or NULL. */
__attribute__((unused)) static struct disk_fd *below(int fd)
{
    struct disk_fd *entry = disk_is_on() ? disk_fd(fd) : NULL;

    return entry != NULL && entry->node != NULL ? entry : NULL;
}

__attribute__((unused)) static const char *name_in(const struct disk_node *node)
{
    const struct disk_node *dir = node->parent;

    for (size_t i = 0; dir != NULL && i < dir->seen.n; i++) {
        if (dir->seen.names[i].node == node)
            return dir->seen.names[i].name;
    }
    return "(no name)";
}

__attribute__((unused)) static enum disk_verdict gate_fd(
    enum disk_call call, const struct disk_fd *fd)
{
    return disk_gate(call, fd->node->parent, name_in(fd->node));
}

#endif
