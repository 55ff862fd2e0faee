/* Directories that last: their names are made durable, too. May block. */
#ifndef BASE_DIRS_H
#define BASE_DIRS_H

#include "base/err.h"

/* Make a directory, for nobody but its owner, and those above it that are
 * missing. @path is absolute, or as the user gave it. Returns 0 or ERR_DISK. */
int dirs_make(const char *path, struct err *err);

/* Make durable which names are in a directory. Returns 0 or ERR_DISK. */
int dirs_sync(const char *path, struct err *err);

/* The same of the directory that holds @path, where we may read that: it was
 * not made by us otherwise. */
int dirs_sync_above(const char *path, struct err *err);

#endif
