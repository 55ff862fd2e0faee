/*
 * The list of a Maildir's folders: one walk over the directories, two stats a
 * folder. May block: for worker threads.
 */
#ifndef STORE_MAILDIR_LIST_H
#define STORE_MAILDIR_LIST_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "store/maildir_endpoint.h"

/* UIDVALIDITY of every folder: files are told apart by their base names, so a
 * folder that was made anew needs no new one. */
#define MAILDIR_LIST_UIDVALIDITY 1u

/* A modification time in nanoseconds, never 0. */
int64_t maildir_list_mtime(const struct stat *st);

/* The token of a folder with these two directories. */
struct folder_token maildir_list_token(const struct stat *cur,
                                       const struct stat *new);

/**
 * All folders below the root, with tokens. A directory with cur and new is a
 * folder; one that only holds such directories further down is listed as not
 * selectable. What cannot be a folder but looks like one (symbolic links,
 * names that are not written as we would, half of cur and new) has a problem.
 *
 * Returns 0 with *@out to be freed by folder_list_free(), or ERR_DISK where a
 * directory could not be read: a list that is not whole is none, as what is
 * missing in it would be taken for deleted.
 */
int maildir_list_folders(int root, enum maildir_layout layout,
                         struct folder_entry **out, size_t *n, struct err *err);

#endif
