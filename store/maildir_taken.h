/*
 * Which base names a folder has, at 8 bytes a file: a hash that two names share
 * only makes a free name look taken. May block: for worker threads.
 */
#ifndef STORE_MAILDIR_TAKEN_H
#define STORE_MAILDIR_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/maildir_tree.h"

/* A zeroed struct has none. */
struct maildir_taken {
    uint64_t *hashes; /* sorted */
    size_t n;
    size_t cap;
    uint32_t letters; /* all that the files in cur carry (maildir_name.h) */
};

/* Read the folder. Returns 0 or ERR_DISK. */
int maildir_taken_load(struct maildir_taken *taken,
                       const struct maildir_dirs *dirs, struct err *err);
void maildir_taken_deinit(struct maildir_taken *taken);

bool maildir_taken_has(const struct maildir_taken *taken, struct bytes base);

#endif
