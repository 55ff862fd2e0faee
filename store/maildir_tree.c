#include "store/maildir_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_keywords.h"
#include "store/maildir_unique.h"

#define STALE_SECONDS 129600 /* 36 hours, as Dovecot and the Maildir paper */

int maildir_tree_enter(int parent, const char *name)
{
    return openat(parent, name,
                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The next component of a relative path into fresh memory; NULL at the end. */
static char *take_component(const char **path)
{
    const char *slash = strchr(*path, '/');
    size_t n = slash != NULL ? (size_t)(slash - *path) : strlen(*path);
    char *component = NULL;

    if (n > 0) {
        component = mem_text((struct bytes){*path, n});
    }
    *path += n + (slash != NULL);
    return component;
}

static int cannot_enter(int error_number, const char *path, struct err *err)
{
    if (error_number == ENOENT) {
        return err_set(err, ERR_GONE, "%s: no such folder", path);
    }
    if (error_number == ELOOP || error_number == ENOTDIR) {
        return err_set(err, ERR_REFUSED,
                       "%s: a symbolic link or a file is where a directory "
                       "should be",
                       path);
    }
    return err_errno(err, ERR_DISK, error_number, "%s", path);
}

int maildir_tree_descend(int root, const char *path, struct err *err)
{
    const char *rest = path;
    char *component;
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);

    while (at >= 0 && (component = take_component(&rest)) != NULL) {
        int next = maildir_tree_enter(at, component);
        int error_number = errno;

        close(at);
        free(component);
        at = next;
        errno = error_number;
    }
    return at < 0 ? cannot_enter(errno, path, err) : at;
}

static int open_tmp(int self)
{
    int fd = maildir_tree_enter(self, "tmp");

    if (fd < 0 && errno == ENOENT && mkdirat(self, "tmp", 0700) == 0) {
        fd = maildir_tree_enter(self, "tmp");
    }
    return fd;
}

int maildir_tree_open(int root, const char *path, bool with_tmp,
                      struct maildir_dirs *out, struct err *err)
{
    int r = 0;

    *out = (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    if (root < 0) {
        return err_set(err, ERR_GONE, "%s: no such folder", path);
    }
    out->self = maildir_tree_descend(root, path, err);
    if (out->self < 0) {
        return out->self;
    }
    out->cur = maildir_tree_enter(out->self, "cur");
    if (out->cur >= 0) {
        out->new = maildir_tree_enter(out->self, "new");
    }
    if (out->new >= 0 && with_tmp) {
        out->tmp = open_tmp(out->self);
    }
    if (out->new < 0 || (with_tmp && out->tmp < 0)) {
        r = cannot_enter(errno, path, err);
        maildir_tree_close(out);
    }
    return r;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void maildir_tree_close(struct maildir_dirs *dirs)
{
    close_one(&dirs->self);
    close_one(&dirs->cur);
    close_one(&dirs->new);
    close_one(&dirs->tmp);
}

DIR *maildir_tree_stream(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    int error_number = errno;

    if (stream == NULL && fd >= 0) {
        close(fd);
        errno = error_number;
    }
    return stream;
}

struct dirent *maildir_tree_next(DIR *stream)
{
    errno = 0;
    /* POSIX.1-2024: readdir() is safe on different streams at once. */
    return readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
}

/*
 * Is @name really in @parent, and not another name that the file system takes
 * for it (case, Unicode form)? Says in @err which one it is, and sets *@taken.
 */
static int check_spelling(int parent, const char *name, char **taken,
                          struct err *err)
{
    struct stat asked;
    struct stat st;
    struct dirent *entry;
    char *other = NULL;
    bool there = false;
    DIR *stream = maildir_tree_stream(parent);

    if (stream == NULL ||
        fstatat(parent, name, &asked, AT_SYMLINK_NOFOLLOW) < 0) {
        if (stream != NULL) {
            closedir(stream);
        }
        return err_errno(err, ERR_DISK, errno, "%s", name);
    }
    while (!there && (entry = maildir_tree_next(stream)) != NULL) {
        there = strcmp(entry->d_name, name) == 0;
        if (!there && other == NULL &&
            fstatat(parent, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_ino == asked.st_ino && st.st_dev == asked.st_dev) {
            other = mem_copy(entry->d_name);
        }
    }
    closedir(stream);
    if (!there) {
        (void)err_set(err, ERR_REFUSED,
                      "%s: falls on the same directory as %s on this file "
                      "system: rename one of the two",
                      name, other != NULL ? other : "another folder");
    }
    if (taken != NULL && !there) {
        *taken = other;
    } else {
        free(other);
    }
    return there ? 0 : ERR_REFUSED;
}

/* Make @name in @parent, or find it there. @taken may be NULL. Returns a
 * descriptor or an error. */
static int make_directory(int parent, const char *name, char **taken,
                          struct err *err)
{
    bool made = mkdirat(parent, name, 0700) == 0;
    int r;
    int fd;

    if (!made && errno == ENAMETOOLONG) {
        return err_set(err, ERR_REFUSED, "%s: too long for a directory name",
                       name);
    }
    if (!made && errno != EEXIST) {
        return err_errno(err, ERR_DISK, errno, "%s", name);
    }
    fd = maildir_tree_enter(parent, name);
    if (fd < 0) {
        return cannot_enter(errno, name, err);
    }
    r = made ? 0 : check_spelling(parent, name, taken, err);
    if (r == 0 && made && fsync(parent) < 0) {
        r = err_errno(err, ERR_DISK, errno, "%s", name);
    }
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

/* An empty file that says that this is a subfolder (Maildir++). */
static int make_mark(int self, struct err *err)
{
    int fd = openat(self, "maildirfolder",
                    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        return err_errno(err, ERR_DISK, errno, "maildirfolder");
    }
    close(fd);
    return 0;
}

/* tmp comes once new and cur are durable, and goes before they do: so one of
 * the two beside a tmp is not of our making (maildir_list.c). */
static int fill(int self, struct err *err)
{
    static const char *const names[] = {"new", "cur", "tmp"};

    for (size_t i = 0; i < 3; i++) {
        if (i == 2 && fsync(self) < 0) {
            return err_errno(err, ERR_DISK, errno, "fsync");
        }
        if (mkdirat(self, names[i], 0700) < 0 && errno != EEXIST) {
            return err_errno(err, ERR_DISK, errno, "%s", names[i]);
        }
    }
    return 0;
}

/* Walk down to @path, durably making the directories that are missing. Returns
 * a descriptor or an error. @taken may be NULL. */
static int make_path(int root, const char *path, char **taken, struct err *err)
{
    const char *rest = path;
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);

    if (at < 0) {
        return err_errno(err, ERR_DISK, errno, "%s", path);
    }
    while (at >= 0) {
        const char *begin = rest;
        char *component = take_component(&rest);
        char *name = NULL;
        int next;

        if (component == NULL) {
            break;
        }
        next = strcmp(component, ".") == 0
                   ? fcntl(at, F_DUPFD_CLOEXEC, 0)
                   : make_directory(at, component, &name, err);
        if (name != NULL && taken != NULL) {
            *taken = mem_printf("%.*s%s", (int)(begin - path), path, name);
        }
        free(name);
        close(at);
        free(component);
        at = next;
    }
    return at;
}

int maildir_tree_create(int root, enum maildir_layout layout, const char *path,
                        char **taken, struct err *err)
{
    int at = make_path(root, path, taken, err);
    int r;

    if (at < 0) {
        return at;
    }
    r = layout == MAILDIR_PLUSPLUS && strcmp(path, ".") != 0
            ? make_mark(at, err)
            : 0;
    if (r == 0) {
        r = fill(at, err);
    }
    close(at);
    return err_wrap(err, r, "%s", path);
}

const char *maildir_tree_leaf(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

int maildir_tree_parent(int root, const char *path, bool make, struct err *err)
{
    size_t length = (size_t)(maildir_tree_leaf(path) - path);
    char *above = mem_text((struct bytes){path, length > 0 ? length - 1 : 0});
    int parent = make ? make_path(root, above, NULL, err)
                      : maildir_tree_descend(root, above, err);

    free(above);
    return parent;
}

void maildir_tree_clear_tmp(int tmp)
{
    DIR *stream = maildir_tree_stream(tmp);
    struct dirent *entry;
    struct stat st;

    while (stream != NULL && (entry = maildir_tree_next(stream)) != NULL) {
        if (entry->d_name[0] == '.' ||
            fstatat(tmp, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode)) {
            continue;
        }
        if (st.st_ctime + STALE_SECONDS < time(NULL) ||
            maildir_unique_is_orphan(entry->d_name)) {
            (void)unlinkat(tmp, entry->d_name, 0);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
}

/* cur, new and tmp, if they are empty: rmdir() itself makes sure, so that mail
 * that arrives this very moment is safe. Each is gone for good before the next
 * one goes, cur before new: to mail programs a folder is what has a cur, and half
 * of one that a run leaves is to be none to anybody. */
static int remove_mail_directories(int self, const char *path, struct err *err)
{
    static const char *const names[] = {"tmp", "cur", "new"};

    for (size_t i = 0; i < 3; i++) {
        int error_number;

        if ((unlinkat(self, names[i], AT_REMOVEDIR) == 0 || errno == ENOENT) &&
            (i == 2 || fsync(self) == 0)) {
            continue;
        }
        error_number = errno;
        (void)fill(self, NULL);
        if (error_number == ENOTEMPTY || error_number == EEXIST) {
            return err_set(err, ERR_REFUSED, "%s: there is still mail in it",
                           path);
        }
        return err_errno(err, ERR_DISK, error_number, "%s", path);
    }
    return 0;
}

bool maildir_tree_is_helper(const char *name)
{
    return strcmp(name, MAILDIR_KEYWORDS_FILE) == 0 ||
           strcmp(name, "dovecot-uidlist") == 0 ||
           strcmp(name, "maildirfolder") == 0 ||
           strncmp(name, "dovecot.index", strlen("dovecot.index")) == 0;
}

static void remove_helpers(int self)
{
    DIR *stream = maildir_tree_stream(self);
    struct dirent *entry;

    while (stream != NULL && (entry = maildir_tree_next(stream)) != NULL) {
        if (maildir_tree_is_helper(entry->d_name)) {
            (void)unlinkat(self, entry->d_name, 0);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
}

int maildir_tree_remove(int root, const char *path, struct err *err)
{
    const char *name = maildir_tree_leaf(path);
    int parent = maildir_tree_parent(root, path, false, err);
    int r = 0;

    if (parent < 0) {
        return parent;
    }
    if ((unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY &&
         errno != EEXIST && errno != ENOENT) ||
        fsync(parent) < 0) {
        r = err_errno(err, ERR_DISK, errno, "%s", path);
    }
    close(parent);
    return r;
}

int maildir_tree_delete(int root, const char *path, struct err *err)
{
    int self;
    int tmp;
    int r;

    if (strcmp(path, ".") == 0) {
        return err_set(err, ERR_REFUSED, "INBOX cannot be deleted");
    }
    self = maildir_tree_descend(root, path, err);
    if (self < 0) {
        return self == ERR_GONE ? 0 : self;
    }
    tmp = maildir_tree_enter(self, "tmp");
    if (tmp >= 0) {
        maildir_tree_clear_tmp(tmp);
        close(tmp);
    }
    r = remove_mail_directories(self, path, err);
    if (r == 0) {
        remove_helpers(self);
        if (fsync(self) < 0) {
            r = err_errno(err, ERR_DISK, errno, "%s", path);
        }
    }
    close(self);
    return r < 0 ? r : maildir_tree_remove(root, path, err);
}
