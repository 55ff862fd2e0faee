#include "tests/sim/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct file {
    char *name;
    char *bytes;
    size_t len;
};

struct snapshot {
    struct file *files;
    size_t n;
    size_t cap;
};

static void take_file(struct snapshot *snapshot, int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    struct file *file;
    struct stat info;

    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        snapshot->files = mem_grow(snapshot->files, snapshot->n, &snapshot->cap,
                                   sizeof(*snapshot->files));
        file = &snapshot->files[snapshot->n++];
        file->name = mem_copy(name);
        file->len = (size_t)info.st_size;
        file->bytes = mem_new(file->len + 1, 1);
        if (read(fd, file->bytes, file->len) != (ssize_t)file->len)
            abort();
    }
    close(fd);
}

struct snapshot *snapshot_take(const char *path)
{
    struct snapshot *snapshot = MEM_NEW(struct snapshot);
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            take_file(snapshot, dirfd(dir), entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return snapshot;
}

static void put_file(int dir, const struct file *file)
{
    int fd =
        openat(dir, file->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, file->bytes, file->len) != (ssize_t)file->len)
        abort();
    close(fd);
}

void snapshot_restore(const struct snapshot *snapshot, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    for (size_t i = 0; snapshot != NULL && i < snapshot->n; i++)
        put_file(dirfd(dir), &snapshot->files[i]);
    closedir(dir);
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->n; i++) {
        free(snapshot->files[i].name);
        free(snapshot->files[i].bytes);
    }
    free(snapshot->files);
    free(snapshot);
}
