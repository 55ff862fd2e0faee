/*
 * One look at all files of a folder, and whether it may be believed.
 *
 * A flag change is a rename, and readdir() may pass over a file that is being
 * renamed. So a scan is settled only if cur and new kept their modification
 * times throughout, and those were already older than a tick of the kernel's
 * clock when it began: file times move once a tick (RELIABILITY.md 1.1).
 *
 * May block: for worker threads. Knows nothing of UIDs.
 */
#ifndef STORE_MAILDIR_SCAN_H
#define STORE_MAILDIR_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/endpoint.h"
#include "base/err.h"

#define MAILDIR_SCAN_MARGIN_MS 20

struct maildir_scan;

/* @cur and @new are descriptors of the two directories; borrowed. */
struct maildir_scan *maildir_scan_new(int cur, int new);
void maildir_scan_free(struct maildir_scan *scan);

enum { MAILDIR_SCAN_MORE = 1, MAILDIR_SCAN_WAIT = 2 };

/**
 * Begin, or begin again.
 *
 * @wait_ms  set for MAILDIR_SCAN_WAIT; NULL: begin at once, settled or not
 *
 * Returns 0; MAILDIR_SCAN_WAIT where the folder changed just now: call again
 * after @wait_ms (where that never helps, it begins a scan that cannot
 * settle); or ERR_DISK.
 */
int maildir_scan_begin(struct maildir_scan *scan, unsigned *wait_ms,
                       struct err *err);

/**
 * Read on.
 *
 * @names    gets a record for each message file: 'n' or 'c' for where it is,
 *           its name, a NUL
 * @entries  directory entries to read at most
 *
 * Returns MAILDIR_SCAN_MORE, 0 at the end, or ERR_DISK.
 */
int maildir_scan_read(struct maildir_scan *scan, struct buf *names,
                      size_t entries, struct err *err);

/* After the end: may it be believed? @token is set in any case: without times
 * where not, so that it equals nothing. */
bool maildir_scan_settled(const struct maildir_scan *scan,
                          struct folder_token *token);

#endif
