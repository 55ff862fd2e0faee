/* A Maildir tree as an endpoint. Its UIDs live in the pair's state. */
#ifndef STORE_MAILDIR_ENDPOINT_H
#define STORE_MAILDIR_ENDPOINT_H

#include <uv.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "store/state.h"

enum maildir_layout {
    MAILDIR_NESTED,  /* root/A/B/{cur,new,tmp}; INBOX is root/INBOX */
    MAILDIR_PLUSPLUS /* root/.A.B/{cur,new,tmp}; INBOX is root itself */
};

struct maildir_account {
    const char *name; /* of the account, for messages */
    const char *path; /* of the root */
    enum maildir_layout layout;
};

/**
 * Create the root where it is missing and @state knows of none, as opening the
 * endpoint would: for a process that will not be allowed to then.
 *
 * Returns 0, also where it is missing and known; ERR_DISK or ERR_STATE.
 */
int maildir_endpoint_prepare(const struct maildir_account *account,
                             struct state *state, enum side side,
                             struct err *err);

/* @account, @state and @log live at least as long as the endpoint. @side is
 * which side of the pair it is. @state may be NULL for probe: then only open,
 * list, describe and close work. */
struct endpoint *maildir_endpoint_new(uv_loop_t *loop,
                                      const struct maildir_account *account,
                                      struct state *state, enum side side,
                                      const struct log *log);

#endif
