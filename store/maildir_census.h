/*
 * The files of a folder, as a scan finds them. It begins with those that are on
 * record, read once and in their order, so that each name that comes by is found
 * without a look at the record: 23 bytes a file, no name among them but a digest
 * of each. For the loop's thread.
 */
#ifndef STORE_MAILDIR_CENSUS_H
#define STORE_MAILDIR_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/maildir_files.h"

struct maildir_census;

/* For one scan; nothing is read yet. @about  how many files are on record, as
 * far as known. */
struct maildir_census *maildir_census_new(struct maildir_files *files,
                                          size_t about);
/* NULL is fine. */
void maildir_census_free(struct maildir_census *census);

#define MAILDIR_CENSUS_MORE 1

/* Read on, some @rows of the record: so that whoever cannot wait for a million
 * need not. Returns MAILDIR_CENSUS_MORE; 0 at the end, and from then on; or
 * ERR_STATE. */
int maildir_census_read(struct maildir_census *census, size_t rows,
                        struct err *err);

/* A file with the base name @base was found. Sets *@seen to say how (uid and
 * fresh are told, the rest is for the caller); borrowed until the next call.
 * Returns as maildir_files_uid(), which it asks where it cannot tell. */
int maildir_census_count(struct maildir_census *census, struct bytes base,
                         struct maildir_seen **seen, struct err *err);

/* The scan is over, and so is @census: all that was found, by UID, each once;
 * what has two names goes into @doubled. free() it. */
struct maildir_seen *maildir_census_end(struct maildir_census *census,
                                        size_t *n, struct uidset *doubled);

#endif
