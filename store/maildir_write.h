/*
 * One message on its way into tmp, piece by piece: stored with LF; or as it
 * came, where it has bare CR or LF, so that the way back is exact. May block:
 * for worker threads.
 */
#ifndef STORE_MAILDIR_WRITE_H
#define STORE_MAILDIR_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct maildir_write {
    int tmp;    /* the directory; borrowed */
    char *name; /* in tmp: maildir_name_print_unique() */
    int fd;     /* -1 where not open */
    bool there; /* there is a file */
    bool verbatim;
    bool held;       /* a CR that waits for its LF */
    char last;       /* byte of the message so far */
    uint64_t octets; /* of the message so far */
    uint64_t stored; /* of the file so far */
    uint64_t bare;   /* LF without CR */
};

/* @name is taken over. */
void maildir_write_init(struct maildir_write *write, int tmp, char *name);

/* Add a piece. @scratch is the caller's, for any use, and empty afterwards.
 * Returns 0 or -1 with errno. */
int maildir_write_add(struct maildir_write *write, struct bytes piece,
                      struct buf *scratch);

/* The message is complete: the file gets its date and is closed. It is not
 * durable yet. Returns as maildir_write_add(). */
int maildir_write_finish(struct maildir_write *write, int64_t date,
                         struct buf *scratch);

/* Append the base name that the message is to have. */
void maildir_write_print_base(const struct maildir_write *write,
                              struct buf *out);

/* The file has left tmp, or never shall: close what is open, remove what is
 * there, free the name. */
void maildir_write_deinit(struct maildir_write *write);

/* Copy a stored message into @tmp as it is, with its date, durably. Returns 0,
 * or -1 with errno: nothing is left there then. */
int maildir_write_copy(int dir, const char *name, int tmp,
                       const char *tmp_name);

#endif
