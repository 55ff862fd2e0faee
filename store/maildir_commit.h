/*
 * A group of messages from tmp into their folders, durably: first the data of
 * all (one syncfs), then the renames, then the directories. May block: for one
 * worker thread at a time.
 */
#ifndef STORE_MAILDIR_COMMIT_H
#define STORE_MAILDIR_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "store/maildir_keywords.h"
#include "store/maildir_tree.h"
#include "store/maildir_write.h"

/* A folder that messages go to. */
struct maildir_commit_folder {
    const char *name;         /* for people; borrowed from the request */
    struct maildir_dirs dirs; /* all open */
    dev_t device;
    struct maildir_keywords keywords; /* as of the last commit */
    uint32_t avoid; /* letters that files carry, with a name or not */
    /* While a commit runs. */
    bool new_touched;
    bool cur_touched;
    int error_number; /* its directories could not be made durable */
};

struct maildir_commit_item {
    struct maildir_commit_folder *folder;
    struct maildir_write write; /* finished */
    uint32_t system;            /* FLAG_ bits */
    char *keywords;             /* blank-separated, or NULL */
    bool in_new;                /* out: where it went */
    char *name;                 /* out: the file's name there; free() it */
    char *base;                 /* out: its base name; free() it */
    int r;                      /* out: 0 or an enum err_code */
    struct err *err;            /* out where r < 0; free() it */
};

/* Fail an item with the system's error; ERR_DISK, or ERR_REFUSED where it is
 * about this message alone. */
void maildir_commit_fail(struct maildir_commit_item *item, int error_number);

/* Are so many things better synced by the file system than one by one? Then by
 * the next function, with any descriptor on it; 0 or -1 with errno. */
bool maildir_commit_together(size_t n);
int maildir_commit_sync_all(int fd);

/* Commit all items; those that failed are not visible. */
void maildir_commit_group(struct maildir_commit_item **items, size_t n);

#endif
