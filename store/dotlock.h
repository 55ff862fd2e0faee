/*
 * Lock files as mail programs use them: whoever makes the file has the lock.
 * Ours are held with flock() too, so that the lock of a process that was killed
 * is seen for what it is at once, and not after minutes.
 */
#ifndef STORE_DOTLOCK_H
#define STORE_DOTLOCK_H

#include "base/err.h"

/**
 * Take the lock @name in a Maildir folder. Waits up to five seconds; blocks.
 *
 * @folder  descriptor of the folder, whose tmp/ is used on the way
 * @name    of the lock file, without "/"
 *
 * Returns a descriptor for dotlock_release(), ERR_BUSY where another program
 * keeps the lock, or ERR_DISK.
 */
int dotlock_take(int folder, const char *name, struct err *err);

/* Give back what dotlock_take() returned. */
void dotlock_release(int folder, const char *name, int lock);

#endif
