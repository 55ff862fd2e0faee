/*
 * The root of a Maildir and its marker: a file with a random number that the
 * state knows too. A root without it is an empty mount point, not a Maildir
 * whose mail was deleted. May block: for worker threads.
 */
#ifndef STORE_MAILDIR_ROOT_H
#define STORE_MAILDIR_ROOT_H

#include <stdbool.h>

#include "base/err.h"

#define MAILDIR_ROOT_MARKER_BYTES 32u /* hexadecimal digits */

struct maildir_root {
    int fd; /* -1: there is none yet (dry, first run) */
    char marker[MAILDIR_ROOT_MARKER_BYTES + 1]; /* empty: none yet (dry) */
};

/* Create the root, durably; its parent must be there. Returns 0 or ERR_DISK. */
int maildir_root_create(const char *path, struct err *err);

/**
 * Open the root, and make sure that it is the one that was meant.
 *
 * @known  the marker on record, or NULL on a first run: then what is missing
 *         is created, durably, and a marker that is there is adopted
 * @dry    create nothing
 *
 * Returns 0; ERR_GUARD where the state knows a root and this is not it;
 * ERR_DISK for anything else, a missing parent directory included.
 */
int maildir_root_open(const char *path, const char *known, bool dry,
                      struct maildir_root *out, struct err *err);

#endif
