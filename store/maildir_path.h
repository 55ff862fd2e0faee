/*
 * Folder names to directories below the Maildir root and back, as laid down in
 * INTERFACE.md, "Folder names on disk". Pure.
 *
 * What a directory name cannot hold, or what would be misread there, is
 * written as %XX; decoding accepts only what encoding would have written, so
 * that the way back is exact and two directories never are one folder.
 */
#ifndef STORE_MAILDIR_PATH_H
#define STORE_MAILDIR_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "store/maildir_endpoint.h"

/* The file in the root that tells this Maildir from an empty mount point. */
#define MAILDIR_PATH_MARKER ".mailtwin"

#define MAILDIR_PATH_LEVELS_MAX 100u

/**
 * Append the directory of a folder, relative to the root: "A/B", ".A.B", or
 * "." for the root itself.
 *
 * @name  UTF-8 with "/" between levels
 *
 * Returns 0; or ERR_REFUSED where no directory can stand for it: not UTF-8, an
 * empty level, a level that is too long, too many levels, or INBOX in another
 * spelling.
 */
int maildir_path_encode(enum maildir_layout layout, struct bytes name,
                        struct buf *out, struct err *err);

/* Append the name of the folder that lives in directory @path (relative to the
 * root, as above). Returns false where maildir_path_encode() gives @path for
 * no name; @out then holds an unspecified part. */
bool maildir_path_decode(enum maildir_layout layout, struct bytes path,
                         struct buf *out);

#endif
