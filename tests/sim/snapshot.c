#include "tests/sim/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct file {
    char *path; /* below the directory */
    bool is_dir;
    char *bytes;
    size_t len;
    struct timespec mtime;
};

/* A directory comes before what is in it. */
struct snapshot {
    struct file *files;
    size_t n;
    size_t cap;
    struct timespec mtime;
};

static char *join(const char *dir, const char *name)
{
    return dir[0] != '\0' ? mem_printf("%s/%s", dir, name) : mem_copy(name);
}

static bool is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* --- take ------------------------------------------------------------------- */

static void take_bytes(struct file *file, const char *path, size_t len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    file->len = len;
    file->bytes = mem_new(len + 1, 1);
    if (fd < 0 || read(fd, file->bytes, len) != (ssize_t)len)
        abort();
    close(fd);
}

static void take_dir(struct snapshot *snapshot, const char *root,
                     const char *below);

/* @below  takes it over */
static void take_one(struct snapshot *snapshot, const char *root, char *below)
{
    char *path = join(root, below);
    struct file *file;
    struct stat info;

    if (lstat(path, &info) < 0)
        abort();
    snapshot->files = mem_grow(snapshot->files, snapshot->n, &snapshot->cap,
                               sizeof(*snapshot->files));
    file = &snapshot->files[snapshot->n++];
    *file = (struct file){
        .path = below, .is_dir = S_ISDIR(info.st_mode), .mtime = info.st_mtim};
    if (file->is_dir)
        take_dir(snapshot, root, below);
    else
        take_bytes(file, path, (size_t)info.st_size);
    free(path);
}

static void take_dir(struct snapshot *snapshot, const char *root,
                     const char *below)
{
    char *path = join(root, below);
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (is_entry(entry))
            take_one(snapshot, root, join(below, entry->d_name));
    }
    if (dir != NULL)
        closedir(dir);
    free(path);
}

struct snapshot *snapshot_take(const char *path)
{
    struct snapshot *snapshot = MEM_NEW(struct snapshot);
    struct stat info;

    if (stat(path, &info) == 0)
        snapshot->mtime = info.st_mtim;
    take_dir(snapshot, path, "");
    return snapshot;
}

/* --- restore ---------------------------------------------------------------- */

static void clear(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char *below;

        if (!is_entry(entry))
            continue;
        below = join(path, entry->d_name);
        if (unlink(below) < 0) {
            clear(below);
            (void)rmdir(below);
        }
        free(below);
    }
    if (dir != NULL)
        closedir(dir);
}

static void set_time(const char *path, struct timespec mtime)
{
    const struct timespec times[2] = {mtime, mtime};

    if (utimensat(AT_FDCWD, path, times, 0) < 0)
        abort();
}

static void put(const struct file *file, const char *path)
{
    int fd;

    if (file->is_dir) {
        if (mkdir(path, 0700) < 0)
            abort();
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, file->bytes, file->len) != (ssize_t)file->len)
        abort();
    close(fd);
    set_time(path, file->mtime);
}

void snapshot_restore(const struct snapshot *snapshot, const char *dir,
                      bool dir_times)
{
    clear(dir);
    for (size_t i = 0; snapshot != NULL && i < snapshot->n; i++) {
        char *path = join(dir, snapshot->files[i].path);

        put(&snapshot->files[i], path);
        free(path);
    }
    for (size_t i = 0; dir_times && i < snapshot->n; i++) {
        char *path = join(dir, snapshot->files[i].path);

        if (snapshot->files[i].is_dir)
            set_time(path, snapshot->files[i].mtime);
        free(path);
    }
    if (dir_times)
        set_time(dir, snapshot->mtime);
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->n; i++) {
        free(snapshot->files[i].path);
        free(snapshot->files[i].bytes);
    }
    free(snapshot->files);
    free(snapshot);
}
