/*
 * What a message file says of itself: its size with CRLF line ends, its date,
 * its identity. May block: for worker threads.
 */
#ifndef STORE_MAILDIR_META_H
#define STORE_MAILDIR_META_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/err.h"
#include "base/identity.h"

struct maildir_meta {
    uint64_t size; /* octets with CRLF line ends */
    int64_t date;  /* the file's modification time */
    bool verbatim; /* had bare CR or LF: goes out as it is */
};

/**
 * Size and date without reading the file, where its name has true sizes.
 *
 * @base  its base name
 * @st    of the file
 *
 * Returns false where the file must be read: @out->size is not set then.
 */
bool maildir_meta_of_name(struct bytes base, const struct stat *st,
                          struct maildir_meta *out);

/* The same for an open file, which is read where that must be. Returns 0 or
 * -1 with errno. */
int maildir_meta_of_file(int fd, struct bytes base, struct maildir_meta *out);

/* Count the octets of an open file, and those of its LF that have no CR before
 * them. Returns 0 or -1 with errno. */
int maildir_meta_count(int fd, uint64_t *octets, uint64_t *bare);

/**
 * Tell what identifies the message in an open file.
 *
 * Returns 0 with @out filled as far as @level asks, or -1 with errno.
 */
int maildir_meta_identify(int fd, struct bytes base, enum identify_level level,
                          struct identity *out);

#endif
