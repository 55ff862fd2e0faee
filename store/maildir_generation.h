/*
 * How far a Maildir has come with one state: a number in a file of its root,
 * which is raised before the state puts pairs on record. Each of those pairs
 * was in the Maildir by then. So a Maildir with a lower number than its state
 * knows is an older copy: what it lacks was not deleted, it had not come yet.
 *
 * Each state has a file of its own, so that one which sees an older copy and
 * goes on does not hide it from the others. May block.
 */
#ifndef STORE_MAILDIR_GENERATION_H
#define STORE_MAILDIR_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define MAILDIR_GENERATION_ID_BYTES 16u /* hexadecimal digits */

struct maildir_generation {
    char id[MAILDIR_GENERATION_ID_BYTES + 1]; /* names the file; empty: none */
    uint64_t number;                          /* 0: none was ever written */
};

/* To text for the state (free() it), and back: without a number where @text is
 * NULL or no such text. */
char *maildir_generation_print(const struct maildir_generation *generation);
struct maildir_generation maildir_generation_parse(const char *text);

/* The number in the root's file into *@out, 0 where there is none. Returns 0, or
 * ERR_DISK where that cannot be told. */
int maildir_generation_read(int root,
                            const struct maildir_generation *generation,
                            uint64_t *out, struct err *err);

/**
 * Raise the number, durably: above what the root and @generation say. One
 * without an id gets it.
 *
 * Returns 0 with @generation as it is now; MAILDIR_GENERATION_STUCK where the
 * root may not be written (a source that is only read), and the number is what
 * it was; or ERR_DISK, the number in the root may be raised or not.
 */
enum { MAILDIR_GENERATION_STUCK = 1 };

int maildir_generation_raise(int root, struct maildir_generation *generation,
                             struct err *err);

#endif
