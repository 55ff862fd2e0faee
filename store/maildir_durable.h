/*
 * Files that other programs delivered, made durable before they are put on
 * record: a message that a power cut could still take from here, and that is
 * recorded as being on both sides, would be deleted on the other one next.
 */
#ifndef STORE_MAILDIR_DURABLE_H
#define STORE_MAILDIR_DURABLE_H

#include "base/err.h"
#include "store/maildir_find.h"
#include "store/maildir_tree.h"

/* Make the files of a batch durable, and their names; @all: everything, the
 * folder itself and those above it, too. Files that are gone are left out.
 * Worker. Returns 0 or ERR_DISK. */
int maildir_durable(const struct maildir_dirs *dirs,
                    struct maildir_batch *batch, bool all, struct err *err);

#endif
