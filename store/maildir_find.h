/*
 * From UIDs to files: a batch of them, each with the name it probably has now,
 * and a second look where another program renamed it meanwhile.
 */
#ifndef STORE_MAILDIR_FIND_H
#define STORE_MAILDIR_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uidset.h"
#include "store/maildir_files.h"
#include "store/maildir_meta.h"
#include "store/maildir_tree.h"

struct maildir_entry {
    uint32_t uid;
    char *base;
    char *name; /* of the file, as far as known; NULL: not at all */
    bool in_new;
    bool gone;  /* looked for and not found */
    bool found; /* in the look under way */
};

struct maildir_batch {
    struct maildir_entry *entries;
    size_t n;
    size_t cap;
};

/* Fill an empty batch with the next files of a walk, @max at most; UIDs
 * without a file are left out. Loop's thread. Returns 0 (with an empty batch
 * at the end of the walk) or ERR_STATE. */
int maildir_find_next(struct maildir_files *files, struct uidset_walk *walk,
                      size_t max, struct maildir_batch *batch, struct err *err);

/* By UID. */
void maildir_find_sort(struct maildir_batch *batch);

/* Put the file with @uid at the end of a batch, if there is one. @odd, sorted,
 * are those that were seen with names that cannot be written down again; it may
 * be NULL. Loop's thread. Returns 0, MAILDIR_FILES_NONE or ERR_STATE. */
int maildir_find_add(struct maildir_files *files, uint32_t uid,
                     const struct maildir_batch *odd,
                     struct maildir_batch *batch, struct err *err);

/* Empty a batch; maildir_find_free() frees it too. */
void maildir_find_clear(struct maildir_batch *batch);
void maildir_find_free(struct maildir_batch *batch);

/**
 * Make sure that entry->name is worth a try. Worker.
 *
 * @attempt  0 first; 1 after the name turned out to be wrong: then the folder
 *           is read, once for all entries of the batch
 *
 * Returns 0; 1 where the file is gone; -1 with errno where that cannot be
 * known.
 */
int maildir_find_locate(const struct maildir_dirs *dirs,
                        struct maildir_batch *batch,
                        struct maildir_entry *entry, unsigned attempt);

/* The directory that entry->name is in. */
int maildir_find_dir(const struct maildir_dirs *dirs,
                     const struct maildir_entry *entry);

/* Append to @all every file whose base name one in @batch has: of one base name
 * there may be several. Worker. Returns 0; or -1 with errno, and some may be
 * missing. */
int maildir_find_all(const struct maildir_dirs *dirs,
                     const struct maildir_batch *batch,
                     struct maildir_batch *all);

/* Size and date; false where they cannot be known. Worker. */
bool maildir_find_meta(const struct maildir_dirs *dirs,
                       struct maildir_batch *batch, struct maildir_entry *entry,
                       struct maildir_meta *out);

/* Open for reading; -1 where it is gone (ENOENT) or is no regular file that
 * may be read: then errno tells. Worker. */
int maildir_find_open(const struct maildir_dirs *dirs,
                      struct maildir_batch *batch, struct maildir_entry *entry);

#endif
