/* Rename a folder of a Maildir, durably. May block: for worker threads. */
#ifndef STORE_MAILDIR_RENAME_H
#define STORE_MAILDIR_RENAME_H

#include "base/err.h"
#include "store/maildir_endpoint.h"

/**
 * Give a folder, and with it those below it, another name.
 *
 * Nested, it is one rename; only where a directory that is no folder already
 * has the new name, the mail and the folders below go into that one. In
 * Maildir++ every folder is renamed by itself, the last first and the parent
 * at the end, so that after a crash each is there under one of its names, and
 * doing it again does the rest.
 *
 * @from  UTF-8 with "/" between levels; may be no folder, but hold some
 * @to    the same
 *
 * Returns 0; ERR_GONE where there is nothing of that name; ERR_REFUSED where
 * the new one is taken, or INBOX is one of them, or it goes below itself, or no
 * directory can have that name; or ERR_DISK.
 */
int maildir_rename(int root, enum maildir_layout layout, const char *from,
                   const char *to, struct err *err);

#endif
