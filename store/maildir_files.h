/*
 * The files of one folder by UID, for one run: which UID belongs to a base
 * name (kept in the state), and the name that a file had when it was seen
 * last. Touches no disk but the state; for the loop's thread.
 */
#ifndef STORE_MAILDIR_FILES_H
#define STORE_MAILDIR_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/err.h"
#include "base/uidset.h"
#include "store/state.h"

struct maildir_files;

struct maildir_files *maildir_files_new(struct state *state, enum side side,
                                        uint32_t folder);
void maildir_files_free(struct maildir_files *files);

/* The folder's number in the state. */
uint32_t maildir_files_folder(const struct maildir_files *files);

enum { MAILDIR_FILES_FRESH = 1, MAILDIR_FILES_NONE = 1 };

/**
 * The UID of the file with base name @base; one that has none gets the next.
 *
 * Returns 0; MAILDIR_FILES_FRESH where the number may not be on record yet;
 * ERR_STATE, also where all numbers are used up.
 */
int maildir_files_uid(struct maildir_files *files, struct bytes base,
                      uint32_t *uid, struct err *err);

/* As maildir_files_uid() for a name that is not on record. */
int maildir_files_give(struct maildir_files *files, struct bytes base,
                       uint32_t *uid, struct err *err);

/* A walk through all files that are on record, in the order of their UIDs. It
 * ends where something is committed: what was told does not stand any more. */
struct maildir_files_walk {
    uint64_t commits;
    struct state_file_walk next;
};

void maildir_files_walk_begin(const struct maildir_files *files,
                              struct maildir_files_walk *walk);
bool maildir_files_walk_stands(const struct maildir_files *files,
                               const struct maildir_files_walk *walk);

/* Call @each for the next @rows files, or a few more. Returns 1 where there may
 * be others, 0 at the end, or ERR_STATE. */
int maildir_files_walk(const struct maildir_files *files,
                       struct maildir_files_walk *walk, size_t rows,
                       void (*each)(void *owner, uint32_t uid,
                                    struct bytes base),
                       void *owner, struct err *err);

/* Has the base name a number? Returns 0, MAILDIR_FILES_NONE or ERR_STATE. One
 * that was forgotten in this run may still count as having it. */
int maildir_files_knows(const struct maildir_files *files, struct bytes base,
                        struct err *err);

/* Append the base name of @uid. Returns 0, MAILDIR_FILES_NONE or ERR_STATE. */
int maildir_files_base(struct maildir_files *files, uint32_t uid,
                       struct buf *out, struct err *err);

/* The file is no more: forget its number. */
void maildir_files_remove(struct maildir_files *files, uint32_t uid,
                          struct bytes base);

/* Which names got their numbers after this moment? */
uint32_t maildir_files_mark(const struct maildir_files *files);
bool maildir_files_is_since(const struct maildir_files *files, uint32_t mark,
                            uint32_t uid);
/* Forget the numbers of all those. */
void maildir_files_forget(struct maildir_files *files, uint32_t mark);

/* How a file was seen: enough to write its name down again, in 12 bytes. */
struct maildir_seen {
    uint32_t uid;
    uint32_t letters; /* maildir_name.h */
    bool in_new;
    bool plain; /* the name is the base (new), or maildir_name_print() (cur) */
    bool fresh; /* MAILDIR_FILES_FRESH when it was seen */
    bool found; /* by the scan: for maildir_census.h */
};

/* Sort by UID, each once: what has two names goes into @doubled. Returns how
 * many are left. */
size_t maildir_files_sort_seen(struct maildir_seen *seen, size_t n,
                               struct uidset *doubled);

/* Take over what a scan saw: @seen, sorted by UID, becomes this one's. */
void maildir_files_keep_take(struct maildir_files *files,
                             struct maildir_seen *seen, size_t n);

/* A file was renamed. */
void maildir_files_moved(struct maildir_files *files,
                         const struct maildir_seen *seen);

/* How the file was seen last, or NULL; borrowed until the next call. */
const struct maildir_seen *maildir_files_seen(const struct maildir_files *files,
                                              uint32_t uid);

/* All of them, sorted by UID; borrowed until the next scan is taken over. */
const struct maildir_seen *maildir_files_all(const struct maildir_files *files,
                                             size_t *n);

/* All letters that files were seen with. */
uint32_t maildir_files_letters(const struct maildir_files *files);

#endif
