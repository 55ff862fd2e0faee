#include "store/maildir_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/maildir_path.h"
#include "store/maildir_tree.h"

struct walk {
    enum maildir_layout layout;
    struct folder_entry *entries;
    size_t n;
    size_t cap;
    struct buf path; /* of the directory under way, relative to the root */
    unsigned depth;
};

int64_t maildir_list_mtime(const struct stat *st)
{
    int64_t ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

    return ns != 0 ? ns : 1;
}

struct folder_token maildir_list_token(const struct stat *cur,
                                       const struct stat *new)
{
    return (struct folder_token){.object = (uint64_t)cur->st_ino,
                                 .uidvalidity = MAILDIR_LIST_UIDVALIDITY,
                                 .cur_mtime_ns = maildir_list_mtime(cur),
                                 .new_mtime_ns = maildir_list_mtime(new)};
}

/* A fresh entry for the directory under way; its name tells whether there is
 * a folder name for it. */
static struct folder_entry *add_entry(struct walk *walk, const char *problem)
{
    struct folder_entry *entry;
    struct bytes path = buf_peek(&walk->path);
    struct buf name;

    walk->entries =
        mem_grow(walk->entries, walk->n, &walk->cap, sizeof(*walk->entries));
    entry = &walk->entries[walk->n];
    walk->n++;
    *entry = (struct folder_entry){.selectable = true};
    buf_init(&name, 0);
    if (!maildir_path_decode(walk->layout, path, &name)) {
        buf_clear(&name);
        log_clean(&name, path);
        problem = "the directory's name stands for no folder: rename it";
    }
    entry->name = mem_text(buf_peek(&name));
    entry->problem = mem_copy(problem);
    buf_deinit(&name);
    return entry;
}

static int cannot_look(struct walk *walk, struct err *err)
{
    return err_errno(err, ERR_DISK, errno, "directory %s",
                     buf_len(&walk->path) > 0 ? buf_text(&walk->path) : ".");
}

/* Is there a directory @name? Not to be able to tell is no answer: what is
 * not listed would be taken for removed. Returns 1, 0 or -1 with errno. */
static int is_directory(int parent, const char *name, struct stat *st)
{
    if (fstatat(parent, name, st, AT_SYMLINK_NOFOLLOW) == 0) {
        return S_ISDIR(st->st_mode) ? 1 : 0;
    }
    return errno == ENOENT ? 0 : -1;
}

static bool is_empty(int self, const char *name)
{
    int dir = maildir_tree_enter(self, name);
    DIR *stream = dir >= 0 ? maildir_tree_stream(dir) : NULL;
    struct dirent *entry = NULL;

    while (stream != NULL && (entry = maildir_tree_next(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            break;
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    if (dir >= 0) {
        close(dir);
    }
    return stream != NULL && entry == NULL;
}

/* Is it half made, or half removed, by a run that was killed? These have no tmp
 * (maildir_tree.c); with one, somebody has lost the other half, and perhaps the
 * mail in it. Returns 1, 0 or -1 with errno. */
static int is_half_made(int self, const char *half)
{
    struct stat st;
    int has_tmp = is_directory(self, "tmp", &st);

    return has_tmp < 0 ? -1 : has_tmp == 0 && is_empty(self, half);
}

/* Add the directory @self if it is a folder. Returns 1 where it is, 0 or an
 * error. */
static int look_at(struct walk *walk, int self, struct err *err)
{
    struct stat cur;
    struct stat new;
    int has_cur = is_directory(self, "cur", &cur);
    int has_new = has_cur < 0 ? -1 : is_directory(self, "new", &new);
    struct folder_entry *entry;

    if (has_new < 0) {
        return cannot_look(walk, err);
    }
    if (has_cur == 0 && has_new == 0) {
        return 0;
    }
    if (has_cur == 0 || has_new == 0) {
        int half_made = is_half_made(self, has_cur ? "cur" : "new");

        if (half_made != 0) {
            return half_made < 0 ? cannot_look(walk, err) : 0;
        }
        (void)add_entry(walk, has_cur ? "it has cur but no new: create new"
                                      : "it has new but no cur: create cur");
        return 1;
    }
    entry = add_entry(walk, NULL);
    entry->token = maildir_list_token(&cur, &new);
    entry->has_token = entry->problem == NULL;
    return 1;
}

/* What a directory entry is; symbolic links to directories are DT_LNK, all
 * else that is no directory DT_UNKNOWN. -1 with errno where that cannot be
 * known. */
static int kind_of(int parent, const struct dirent *entry)
{
    struct stat st;
    int kind = entry->d_type;

    if (kind == DT_UNKNOWN) {
        if (fstatat(parent, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            return errno == ENOENT ? DT_UNKNOWN : -1;
        }
        kind = S_ISDIR(st.st_mode)   ? DT_DIR
               : S_ISLNK(st.st_mode) ? DT_LNK
                                     : DT_UNKNOWN;
    }
    /* A link that leads nowhere, or where we may not look, is no folder. */
    if (kind == DT_LNK &&
        (fstatat(parent, entry->d_name, &st, 0) < 0 || !S_ISDIR(st.st_mode))) {
        kind = DT_UNKNOWN;
    }
    return kind == DT_DIR || kind == DT_LNK ? kind : DT_UNKNOWN;
}

/* Could a folder have this directory name, going by its first byte? What mkfs
 * puts into the root of a file system is none. */
static bool is_candidate(const struct walk *walk, const char *name)
{
    if (walk->layout == MAILDIR_PLUSPLUS) {
        return name[0] == '.' && strcmp(name, ".") != 0 &&
               strcmp(name, "..") != 0;
    }
    return name[0] != '.' && strcmp(name, "cur") != 0 &&
           strcmp(name, "new") != 0 && strcmp(name, "tmp") != 0 &&
           !(walk->depth == 0 && strcmp(name, "lost+found") == 0);
}

static int walk_directory(struct walk *walk, int fd, struct err *err);

/* A directory entry that may be a folder. */
static int walk_entry(struct walk *walk, int parent, const struct dirent *entry,
                      struct err *err)
{
    int kind = kind_of(parent, entry);
    size_t before = walk->n;
    int is_folder;
    int fd;
    int r = 0;

    if (kind < 0) {
        return cannot_look(walk, err);
    }
    if (kind == DT_LNK) {
        (void)add_entry(walk, "it is a symbolic link: these are not followed");
        return 0;
    }
    if (kind != DT_DIR) {
        return 0;
    }
    fd = maildir_tree_enter(parent, entry->d_name);
    if (fd < 0 && errno == ENOENT) {
        return 0;
    }
    if (fd < 0) {
        return cannot_look(walk, err);
    }
    is_folder = look_at(walk, fd, err);
    if (is_folder < 0) {
        close(fd);
        return is_folder;
    }
    if (walk->layout == MAILDIR_NESTED &&
        walk->depth < MAILDIR_PATH_LEVELS_MAX) {
        r = walk_directory(walk, fd, err);
    } else {
        close(fd);
    }
    if (r == 0 && is_folder == 0 && walk->n > before) {
        add_entry(walk, NULL)->selectable = false;
    }
    return r;
}

/* All entries of a directory; closes @fd. */
static int walk_directory(struct walk *walk, int fd, struct err *err)
{
    size_t length = buf_len(&walk->path);
    struct dirent *entry;
    DIR *stream = fdopendir(fd);
    int r = 0;

    if (stream == NULL) {
        r = cannot_look(walk, err);
        close(fd);
        return r;
    }
    while (r == 0) {
        entry = maildir_tree_next(stream);
        if (entry == NULL) {
            break;
        }
        if (!is_candidate(walk, entry->d_name)) {
            continue;
        }
        if (length > 0) {
            buf_add_char(&walk->path, '/');
        }
        buf_add(&walk->path, bytes_of(entry->d_name));
        walk->depth++;
        r = walk_entry(walk, fd, entry, err);
        walk->depth--;
        walk->path.end = walk->path.start + length;
    }
    if (r == 0 && errno != 0) {
        r = cannot_look(walk, err);
    }
    closedir(stream);
    return r;
}

int maildir_list_folders(int root, enum maildir_layout layout,
                         struct folder_entry **out, size_t *n, struct err *err)
{
    struct walk walk = {.layout = layout};
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = 0;

    if (fd < 0) {
        return err_errno(err, ERR_DISK, errno, "the Maildir root");
    }
    buf_init(&walk.path, 0);
    if (layout == MAILDIR_PLUSPLUS) {
        buf_add_char(&walk.path, '.');
        r = look_at(&walk, fd, err);
        buf_clear(&walk.path);
    }
    if (r < 0) {
        close(fd);
    } else {
        r = walk_directory(&walk, fd, err);
    }
    buf_deinit(&walk.path);
    if (r < 0) {
        folder_list_free(walk.entries, walk.n);
        return r;
    }
    *out = walk.entries;
    *n = walk.n;
    return 0;
}
