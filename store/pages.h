/*
 * A look at an LMDB 0.9 file before LMDB maps it. LMDB has no checksums and
 * believes every number in its pages: a file that was cut short or damaged
 * makes it read outside of the map and die. Here the file is read with
 * pread(), and every page that a snapshot reaches is held against what LMDB
 * relies on: page and node bounds, key order, page numbers in range, each page
 * used or free exactly once, the counts of each tree.
 *
 * Knows LMDB's file format (data version 1, this machine's byte order and word
 * size, no duplicate keys), not LMDB's functions, nor what the rows mean.
 */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"

#define PAGES_GONE    1 /* the snapshot is not there any more */
#define PAGES_DAMAGED 2 /* the error's text says what was found */

/**
 * Check the two head pages: enough for mdb_env_open() and a read transaction
 * to be safe.
 *
 * Returns 0, PAGES_DAMAGED, or ERR_DISK where the file cannot be read.
 */
int pages_check_head(int fd, struct err *err);

/* Where the map of a file begins that has a key at @key; NULL: not known. Its
 * snapshot was checked, and is still open. */
const char *pages_map_start(const char *key, size_t page_bytes);

struct pages_rows {
    /* Called for each row of each named database, in the order of keys. All
     * is borrowed. A value other than 0 ends the check. */
    int (*row)(void *owner, struct bytes database, struct bytes key,
               struct bytes value);
    void *owner;
    struct bytes first; /* the database to begin with */
};

/**
 * Check all pages of a snapshot. Reads every page of the file that is in use
 * once; keeps one bit for each page, and one page for each level of a tree.
 *
 * @snapshot  the number of a transaction that is still open (mdb_txn_id()), or
 *            else that nobody writes past
 *
 * Returns 0, PAGES_GONE, PAGES_DAMAGED, ERR_DISK, or the value of row().
 */
int pages_check(int fd, size_t snapshot, const struct pages_rows *rows,
                struct err *err);

#endif
