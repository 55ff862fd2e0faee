/*
 * One run at a time for a pair: an exclusive lock on a file that stays where
 * it is. The kernel lets go of it when the process ends, however it ends; the
 * holder's number stays in the file, until one says that it is through.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>

#include "base/err.h"

/**
 * Take the lock.
 *
 * @path        of the file; made where it is missing
 * @unfinished  out, may be NULL: the last holder did not call lock_finish()
 *
 * Returns a file descriptor for lock_release(); at once ERR_LOCKED where
 * another process has it, named by its number where that is known; ERR_DISK.
 */
int lock_take(const char *path, bool *unfinished, struct err *err);

/* The holder is through with what it began. */
void lock_finish(int fd);

/* Let go of the lock; -1 is fine. */
void lock_release(int fd);

#endif
