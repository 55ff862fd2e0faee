/* What a command may touch on the disk: the Maildirs of its accounts and the
 * state, and what looking up a host and TLS read. */
#ifndef CMD_BOUNDS_H
#define CMD_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cmd/conf.h"

struct bounds {
    struct account *const *accounts;
    size_t n_accounts;
    const char *state_dir; /* NULL: none is used */
    bool dry;              /* Maildirs are only read */
};

/* Confine the process to them, before its first thread. A Maildir root or state
 * directory that is not there yet will not be usable. @how  as
 * confine_enter(). */
void bounds_set(const struct bounds *bounds, struct buf *how);

#endif
