/*
 * Files that were edited in place. What a base name was given to is told by its
 * field ",S=<octets>", as we write it, and Dovecot: a file of another size that
 * was written later is another message by now, and gets a name of its own. (One
 * that was written earlier had a wrong name from the start, as where a program
 * compressed it.) So the edit is a message
 * that came, and the old one a message that went; it goes to the other side
 * before its predecessor is removed there, and no deletion can hit it.
 *
 * A name without the field, and an edit that keeps the size, tell nothing.
 *
 * May block: for worker threads.
 */
#ifndef STORE_MAILDIR_EDITED_H
#define STORE_MAILDIR_EDITED_H

#include "store/maildir_unique.h"

/* Was the file @name in @dir written after it got its name, which tells another
 * size? An empty one is just being written, or lost by a crash: that is not for
 * us to judge. Returns 1, 0, or -1 with errno where that cannot be known. */
int maildir_edited_is(int dir, const char *name);

/* Give it a name of its own, with what follows the base kept. Returns 0 or -1
 * with errno. */
int maildir_edited_rename(int dir, const char *name,
                          struct maildir_unique *unique);

#endif
