/*
 * The directories of a Maildir: open, create, delete. Every step goes
 * from the root downwards by descriptor and follows no symbolic link, so that
 * nothing outside the root is ever reached. May block: for worker threads.
 */
#ifndef STORE_MAILDIR_TREE_H
#define STORE_MAILDIR_TREE_H

#include <dirent.h>
#include <stdbool.h>

#include "base/err.h"
#include "store/maildir_endpoint.h"

/* Descriptors of one folder; -1 where not opened. */
struct maildir_dirs {
    int self;
    int cur;
    int new;
    int tmp;
};

/**
 * Open a folder.
 *
 * @path      from maildir_path_encode()
 * @with_tmp  tmp too, made where it is missing
 *
 * Returns 0 with @out to be closed by maildir_tree_close(); ERR_GONE where
 * there is no such folder, ERR_REFUSED where a symbolic link is in the way,
 * or ERR_DISK.
 */
int maildir_tree_open(int root, const char *path, bool with_tmp,
                      struct maildir_dirs *out, struct err *err);
void maildir_tree_close(struct maildir_dirs *dirs);

/* Walk down to @path ("" is the root itself). Returns a descriptor, or an error
 * as maildir_tree_open(). */
int maildir_tree_descend(int root, const char *path, struct err *err);

/* The last part of @path, borrowed. */
const char *maildir_tree_leaf(const char *path);

/* The directory above @path, as maildir_tree_descend(). @make: durably make the
 * plain directories that are missing; then errors are those of
 * maildir_tree_create(). */
int maildir_tree_parent(int root, const char *path, bool make, struct err *err);

/**
 * Create a folder with its parents, durably; it may be there.
 *
 * @taken  out: the path of the directory that answers to that name, or to a
 *         part of it, on this file system; free() it. Untouched where there is
 *         none. NULL: not wanted.
 *
 * Returns 0; ERR_REFUSED where there is such a directory, or something that is
 * no directory; or ERR_DISK.
 */
int maildir_tree_create(int root, enum maildir_layout layout, const char *path,
                        char **taken, struct err *err);

/* A stream over an open directory, on a descriptor of its own: closedir() it.
 * Returns NULL with errno. */
DIR *maildir_tree_stream(int dir);

/* The next entry, NULL at the end with errno 0, or NULL with errno. */
struct dirent *maildir_tree_next(DIR *stream);

/* Open the directory @name in @parent, following no symbolic link. Returns a
 * descriptor, or -1 with errno. */
int maildir_tree_enter(int parent, const char *name);

/* Remove from the directory tmp what nobody can still be writing: it was left
 * there 36 hours ago, or by a run that was killed. */
void maildir_tree_clear_tmp(int tmp);

/* Is @name a file that Dovecot or we keep beside cur, new and tmp? */
bool maildir_tree_is_helper(const char *name);

/* Remove the directory @path, durably, unless it holds anything; it may be
 * gone. Returns 0 or an error. */
int maildir_tree_remove(int root, const char *path, struct err *err);

/**
 * Delete a folder, durably; it may be gone. What is not ours or Dovecot's
 * stays, and so does the directory that holds it, and child folders.
 *
 * Returns 0; ERR_REFUSED where there are still messages in it; or ERR_DISK.
 */
int maildir_tree_delete(int root, const char *path, struct err *err);

#endif
