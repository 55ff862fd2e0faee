/* As disk_calls.c: the calls that change names and times, and those that look. */
#undef _FORTIFY_SOURCE /* its inline bodies of what is defined here */

#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/sim/disk_hook.h"

/* --- rename, link -------------------------------------------------------------------- */

static int rename_real(int from, const char *from_path, int to,
                       const char *to_path, unsigned flags)
{
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);

    return renameat2_real(from, from_path, to, to_path, flags);
}

static int rename_any(int from, const char *from_path, int to,
                      const char *to_path, unsigned flags)
{
    struct disk_place old;
    struct disk_place new;
    enum disk_verdict verdict = DISK_GO;
    int r;

    if (!disk_is_on())
        return rename_real(from, from_path, to, to_path, flags);
    enter();
    old = disk_find(from, from_path);
    new = disk_find(to, to_path);
    if (old.dir != NULL && new.dir != NULL && old.node != NULL &&
        (new.node == NULL || (flags & RENAME_NOREPLACE) == 0))
        verdict = disk_gate(CALL_RENAME, new.dir, new.name);
    if (verdict != DISK_REFUSE && old.node != NULL && !old.node->is_dir)
        disk_removes(old.dir, old.name, new.dir);
    r = verdict == DISK_REFUSE
            ? -1
            : rename_real(from, from_path, to, to_path, flags);
    if (r == 0 && old.dir != NULL && new.dir != NULL) {
        disk_order_published(old.dir, new.dir, new.name, old.node);
        disk_tree_rename(&disk.tree, old.dir, old.name, new.dir, new.name);
        touch_dir(from, from_path);
        touch_dir(to, to_path);
    }
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

int rename(const char *from, const char *to)
{
    return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from, const char *from_path, int to, const char *to_path)
{
    return rename_any(from, from_path, to, to_path, 0);
}

int renameat2(int from, const char *from_path, int to, const char *to_path,
              unsigned flags)
{
    return rename_any(from, from_path, to, to_path, flags);
}

int linkat(int from, const char *from_path, int to, const char *to_path,
           int flags)
{
    REAL(int, linkat, int, const char *, int, const char *, int);
    struct disk_place old;
    struct disk_place new;
    enum disk_verdict verdict = DISK_GO;
    int r;

    if (!disk_is_on())
        return linkat_real(from, from_path, to, to_path, flags);
    enter();
    old = disk_find(from, from_path);
    new = disk_find(to, to_path);
    if (new.dir != NULL &&new.node == NULL && old.node != NULL)
        verdict = disk_gate(CALL_LINK, new.dir, new.name);
    r = verdict == DISK_REFUSE
            ? -1
            : linkat_real(from, from_path, to, to_path, flags);
    if (r == 0 && new.dir != NULL) {
        disk_tree_set(&disk.tree, new.dir, new.name, old.node);
        touch_dir(to, to_path);
    }
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* --- unlink, mkdir ------------------------------------------------------------------- */

int unlinkat(int at, const char *path, int flags)
{
    REAL(int, unlinkat, int, const char *, int);
    struct disk_place place;
    enum disk_verdict verdict = DISK_GO;
    int r;

    if (!disk_is_on())
        return unlinkat_real(at, path, flags);
    enter();
    place = disk_find(at, path);
    if (place.dir != NULL && place.node != NULL)
        verdict =
            disk_gate((flags & AT_REMOVEDIR) != 0 ? CALL_RMDIR : CALL_UNLINK,
                      place.dir, place.name);
    if (verdict != DISK_REFUSE && place.node != NULL && !place.node->is_dir)
        disk_removes(place.dir, place.name, NULL);
    r = verdict == DISK_REFUSE ? -1 : unlinkat_real(at, path, flags);
    if (r == 0 && place.dir != NULL) {
        disk_tree_set(&disk.tree, place.dir, place.name, NULL);
        touch_dir(at, path);
    }
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    REAL(int, mkdirat, int, const char *, mode_t);
    struct disk_place place;
    enum disk_verdict verdict = DISK_GO;
    int r;

    if (!disk_is_on())
        return mkdirat_real(at, path, mode);
    enter();
    place = disk_find(at, path);
    if (place.dir != NULL && place.node == NULL)
        verdict = disk_gate(CALL_MKDIR, place.dir, place.name);
    r = verdict == DISK_REFUSE ? -1 : mkdirat_real(at, path, mode);
    if (r == 0 && place.dir != NULL) {
        disk_tree_set(&disk.tree, place.dir, place.name,
                      disk_tree_node(&disk.tree, true));
        touch_dir(at, path);
        touch_path(at, path);
    }
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* --- times --------------------------------------------------------------------------- */

static int64_t ns_of(const struct timespec times[2])
{
    if (times == NULL || times[1].tv_nsec == UTIME_NOW)
        return disk.tree.now;
    return (int64_t)times[1].tv_sec * 1000000000 + times[1].tv_nsec;
}

int futimens(int fd, const struct timespec times[2])
{
    REAL(int, futimens, int, const struct timespec *);
    struct disk_fd *entry = below(fd);
    enum disk_verdict verdict;
    int r;

    if (entry == NULL)
        return futimens_real(fd, times);
    enter();
    verdict = gate_fd(CALL_UTIMENS, entry);
    r = verdict == DISK_REFUSE ? -1 : futimens_real(fd, times);
    if (r == 0)
        disk_tree_write(&disk.tree, entry->node, DISK_TIMES, ns_of(times), NULL,
                        0);
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

int utimensat(int at, const char *path, const struct timespec times[2],
              int flags)
{
    REAL(int, utimensat, int, const char *, const struct timespec *, int);
    struct disk_place place = {0};
    enum disk_verdict verdict = DISK_GO;
    int r;

    if (!disk_is_on())
        return utimensat_real(at, path, times, flags);
    enter();
    place = disk_find(at, path);
    if (place.node != NULL)
        verdict = disk_gate(CALL_UTIMENS, place.dir, place.name);
    r = verdict == DISK_REFUSE ? -1 : utimensat_real(at, path, times, flags);
    if (r == 0 && place.node != NULL)
        disk_tree_write(&disk.tree, place.node, DISK_TIMES, ns_of(times), NULL,
                        0);
    if (r == 0 && verdict == DISK_DO_FAIL)
        r = fail(EIO);
    leave();
    return r;
}

/* --- those that only look -------------------------------------------------------------- */

static void tell_id(struct stat *st, const struct disk_node *node)
{
    if (node != NULL)
        st->st_ino = node->id;
}

int fstat(int fd, struct stat *st)
{
    REAL(int, fstat, int, struct stat *);
    struct disk_fd *entry = below(fd);
    int r;

    if (entry == NULL)
        return fstat_real(fd, st);
    enter();
    r = gate_fd(LOOK_STAT, entry) == DISK_REFUSE ? -1 : fstat_real(fd, st);
    if (r == 0)
        tell_id(st, entry->node);
    leave();
    return r;
}

int fstatat(int at, const char *restrict path, struct stat *restrict st,
            int flags)
{
    REAL(int, fstatat, int, const char *, struct stat *, int);
    struct disk_place place = {0};
    enum disk_verdict verdict = DISK_GO;
    int r;

    if (!disk_is_on())
        return fstatat_real(at, path, st, flags);
    enter();
    place = disk_find(at, path);
    if (place.node != NULL)
        verdict = disk_gate(LOOK_STAT, place.dir, place.name);
    r = verdict == DISK_REFUSE ? -1 : fstatat_real(at, path, st, flags);
    if (r == 0)
        tell_id(st, place.node);
    leave();
    return r;
}

int stat(const char *restrict path, struct stat *restrict st)
{
    return fstatat(AT_FDCWD, path, st, 0);
}

int lstat(const char *restrict path, struct stat *restrict st)
{
    return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
    REAL(ssize_t, pread, int, void *, size_t, off_t);
    struct disk_fd *entry = below(fd);
    ssize_t done = -1;

    if (entry == NULL)
        return pread_real(fd, bytes, n, at);
    enter();
    if (gate_fd(LOOK_READ, entry) != DISK_REFUSE)
        done = pread_real(fd, bytes, n, at);
    leave();
    return done;
}

ssize_t read(int fd, void *bytes, size_t n)
{
    REAL(ssize_t, read, int, void *, size_t);
    struct disk_fd *entry = below(fd);
    ssize_t done = -1;

    if (entry == NULL)
        return read_real(fd, bytes, n);
    enter();
    if (gate_fd(LOOK_READ, entry) != DISK_REFUSE)
        done = read_real(fd, bytes, n);
    leave();
    return done;
}

struct dirent *readdir(DIR *stream)
{
    REAL(struct dirent *, readdir, DIR *);
    struct disk_fd *entry = below(dirfd(stream));
    struct dirent *found = NULL;

    if (entry == NULL)
        return readdir_real(stream);
    enter();
    if (gate_fd(LOOK_READDIR, entry) != DISK_REFUSE)
        found = readdir_real(stream);
    leave();
    return found;
}

int msync(void *address, size_t n, int flags)
{
    REAL(int, msync, void *, size_t, int);

    return msync_real(address, n, flags); /* nobody maps a file to write here */
}
