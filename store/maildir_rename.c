#include "store/maildir_rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_move.h"
#include "store/maildir_path.h"
#include "store/maildir_tree.h"

static int cannot_rename(int error_number, const char *name, struct err *err)
{
    switch (error_number) {
    case EEXIST:
    case ENOTEMPTY:
        return err_set(err, ERR_REFUSED, "%s: there is one already", name);
    case EBUSY:
    case EINVAL:
    case ENAMETOOLONG:
    case EXDEV:
        return err_errno(err, ERR_REFUSED, error_number, "%s", name);
    default:
        return err_errno(err, ERR_DISK, error_number, "%s", name);
    }
}

static int sync_both(int to, int from, const char *name, struct err *err)
{
    if (fsync(to) < 0 || fsync(from) < 0) {
        return err_errno(err, ERR_DISK, errno, "%s", name);
    }
    return 0;
}

static bool exists(int parent, const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_directory(int parent, const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

/* --- a list of renames, all done or none, as far as that can be ------------ */

struct pair {
    char *from;
    char *to;
};

struct names {
    struct pair *pairs;
    size_t n;
    size_t cap;
};

static void add_pair(struct names *names, const char *from, const char *to)
{
    names->pairs =
        mem_grow(names->pairs, names->n, &names->cap, sizeof(*names->pairs));
    names->pairs[names->n].from = mem_copy(from);
    names->pairs[names->n].to = mem_copy(to);
    names->n++;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->pairs[i].from);
        free(names->pairs[i].to);
    }
    free(names->pairs);
}

/* Is none of the new names taken? */
static int check_free(const struct names *names, int to, struct err *err)
{
    for (size_t i = 0; i < names->n; i++) {
        if (exists(to, names->pairs[i].to)) {
            return cannot_rename(EEXIST, names->pairs[i].to, err);
        }
    }
    return 0;
}

/* Rename from @from to @to, the last first; after a failure put back what was
 * renamed. */
static int rename_all(const struct names *names, int from, int to,
                      struct err *err)
{
    int r = check_free(names, to, err);

    if (r < 0) {
        return r;
    }
    for (size_t i = names->n; i > 0; i--) {
        if (maildir_move(from, names->pairs[i - 1].from, to,
                         names->pairs[i - 1].to) < 0) {
            r = cannot_rename(errno, names->pairs[i - 1].to, err);
            for (; i < names->n; i++) {
                (void)maildir_move(to, names->pairs[i].to, from,
                                   names->pairs[i].from);
            }
            return r;
        }
    }
    return sync_both(to, from, names->n > 0 ? names->pairs[0].to : "", err);
}

/* --- nested ---------------------------------------------------------------- */

static bool is_mail(const char *name)
{
    return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
           strcmp(name, "tmp") == 0;
}

/* What belongs to the folder in @self: its mail, which is put first, so that
 * it is renamed last, Dovecot's files and the folders below it. */
static int collect_content(int self, struct names *names, struct err *err)
{
    static const char *const mail[] = {"cur", "new", "tmp"};
    DIR *stream = maildir_tree_stream(self);
    const struct dirent *entry;
    int r = 0;

    if (stream == NULL) {
        return err_errno(err, ERR_DISK, errno, "directory");
    }
    for (size_t i = 0; i < 3; i++) {
        if (is_directory(self, mail[i])) {
            add_pair(names, mail[i], mail[i]);
        }
    }
    while ((entry = maildir_tree_next(stream)) != NULL) {
        const char *name = entry->d_name;

        if (maildir_tree_is_helper(name) ||
            (name[0] != '.' && !is_mail(name) && is_directory(self, name))) {
            add_pair(names, name, name);
        }
    }
    if (errno != 0) {
        r = err_errno(err, ERR_DISK, errno, "directory");
    }
    closedir(stream);
    return r;
}

/* Into the directory @to, which is no folder yet. */
static int move_content(int root, const char *from, int to, struct err *err)
{
    struct names names = {0};
    int self = maildir_tree_descend(root, from, err);
    int r = self;

    if (r >= 0) {
        r = collect_content(self, &names, err);
    }
    if (r == 0) {
        r = rename_all(&names, self, to, err);
    }
    if (self >= 0) {
        close(self);
    }
    free_names(&names);
    /* What is not ours stays there, and so does its directory. */
    return r < 0 ? r : maildir_tree_remove(root, from, err);
}

/* Where nothing has the new name yet. */
static int move_directory(int root, const char *from, const char *to,
                          struct err *err)
{
    int source = maildir_tree_parent(root, from, false, err);
    int target = source < 0 ? source : maildir_tree_parent(root, to, true, err);
    int r = target < 0 ? target : 0;

    if (r == 0 && maildir_move(source, maildir_tree_leaf(from), target,
                               maildir_tree_leaf(to)) < 0) {
        r = cannot_rename(errno, to, err);
    }
    if (r == 0) {
        r = sync_both(target, source, to, err);
    }
    if (target >= 0) {
        close(target);
    }
    if (source >= 0) {
        close(source);
    }
    return r;
}

static int rename_nested(int root, const char *from, const char *to,
                         struct err *err)
{
    int self = maildir_tree_descend(root, from, err);
    int target;
    int r;

    if (self < 0) {
        return self;
    }
    close(self);
    target = maildir_tree_descend(root, to, err);
    if (target == ERR_GONE) {
        return move_directory(root, from, to, err);
    }
    if (target < 0) {
        return target;
    }
    r = exists(target, "cur") || exists(target, "new")
            ? cannot_rename(EEXIST, to, err)
            : move_content(root, from, target, err);
    close(target);
    return r;
}

/* --- Maildir++ -------------------------------------------------------------- */

/* Is @name @folder, or below it? Then *@rest is set to what
 * follows. */
static bool is_within(const char *folder, const char *name, const char **rest)
{
    size_t n = strlen(folder);

    if (strncmp(name, folder, n) != 0 || (name[n] != 0 && name[n] != '/')) {
        return false;
    }
    *rest = name + n;
    return true;
}

/* A directory of the root: note its new name, if it is to have one. */
static int collect_one(const char *path, const char *from, const char *to,
                       struct names *names, struct err *err)
{
    struct buf name;
    struct buf target;
    const char *rest;
    int r = 0;

    buf_init(&name, 0);
    buf_init(&target, 0);
    if (maildir_path_decode(MAILDIR_PLUSPLUS, bytes_of(path), &name) &&
        is_within(from, buf_text(&name), &rest)) {
        char *new_name = mem_printf("%s%s", to, rest);

        r = maildir_path_encode(MAILDIR_PLUSPLUS, bytes_of(new_name), &target,
                                err);
        err_wrap(err, r, "%s", new_name);
        if (r == 0) {
            add_pair(names, path, buf_text(&target));
        }
        free(new_name);
    }
    buf_deinit(&name);
    buf_deinit(&target);
    return r;
}

static int collect_folders(int root, const char *from, const char *to,
                           struct names *names, struct err *err)
{
    DIR *stream = maildir_tree_stream(root);
    const struct dirent *entry;
    int r = 0;

    if (stream == NULL) {
        return err_errno(err, ERR_DISK, errno, "the Maildir root");
    }
    while (r == 0 && (entry = maildir_tree_next(stream)) != NULL) {
        if (entry->d_name[0] == '.' && is_directory(root, entry->d_name)) {
            r = collect_one(entry->d_name, from, to, names, err);
        }
    }
    if (r == 0 && errno != 0) {
        r = err_errno(err, ERR_DISK, errno, "the Maildir root");
    }
    closedir(stream);
    return r;
}

/* A parent comes before what is below it. */
static int by_target(const void *a, const void *b)
{
    const struct pair *left = a;
    const struct pair *right = b;

    return strcmp(left->to, right->to);
}

static int rename_plusplus(int root, const char *from, const char *to,
                           struct err *err)
{
    struct names names = {0};
    int r = collect_folders(root, from, to, &names, err);

    if (r == 0 && names.n == 0) {
        r = err_set(err, ERR_GONE, "%s: no such folder", from);
    }
    if (r == 0) {
        qsort(names.pairs, names.n, sizeof(*names.pairs), by_target);
        r = rename_all(&names, root, root, err);
    }
    free_names(&names);
    return r;
}

/* --- both ------------------------------------------------------------------- */

static int rename_paths(int root, const char *from, const char *to,
                        struct err *err)
{
    struct buf source;
    struct buf target;
    int r;

    buf_init(&source, 0);
    buf_init(&target, 0);
    r = maildir_path_encode(MAILDIR_NESTED, bytes_of(from), &source, err);
    if (r == 0) {
        r = maildir_path_encode(MAILDIR_NESTED, bytes_of(to), &target, err);
    }
    if (r == 0) {
        r = rename_nested(root, buf_text(&source), buf_text(&target), err);
    }
    buf_deinit(&source);
    buf_deinit(&target);
    return r;
}

int maildir_rename(int root, enum maildir_layout layout, const char *from,
                   const char *to, struct err *err)
{
    const char *rest;

    if (strcmp(from, "INBOX") == 0 || strcmp(to, "INBOX") == 0) {
        return err_set(err, ERR_REFUSED, "INBOX cannot be renamed");
    }
    if (is_within(from, to, &rest)) {
        return err_set(err, ERR_REFUSED, "%s cannot go below itself", from);
    }
    return layout == MAILDIR_PLUSPLUS ? rename_plusplus(root, from, to, err)
                                      : rename_paths(root, from, to, err);
}
