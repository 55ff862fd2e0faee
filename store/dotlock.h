/*
 * Lock files as mail programs use them: whoever makes the file has the lock.
 * Ours name the process, so that the lock of one that was killed is seen for
 * what it is at once, and not after minutes.
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
 * Returns 0, ERR_BUSY where another program keeps it, or ERR_DISK.
 */
int dotlock_take(int folder, const char *name, struct err *err);

/* Give it back. */
void dotlock_release(int folder, const char *name);

#endif
