/*
 * Messages into a Maildir. They are collected in memory, written into tmp by
 * workers, and committed by the group, whatever request and folder they belong
 * to: while one commit runs, the next group gathers.
 *
 *     COLLECTING -> QUEUED -> WRITING -> WRITTEN -> COMMITTING -> OVER
 *          ^                     |
 *          +--- large messages --+
 */
#ifndef STORE_MAILDIR_DELIVER_H
#define STORE_MAILDIR_DELIVER_H

#include "base/endpoint.h"
#include "store/maildir.h"

struct maildir_deliver *maildir_deliver_new(struct maildir *maildir);

/* When no request is under way any more; NULL is fine. */
void maildir_deliver_free(struct maildir_deliver *deliver);

/* The endpoint's functions (base/endpoint.h). */
void maildir_deliver_open(struct endpoint *endpoint,
                          struct add_request *request);
void maildir_deliver_message(struct endpoint *endpoint,
                             struct add_request *request,
                             const struct message_meta *meta);
bool maildir_deliver_data(struct endpoint *endpoint,
                          struct add_request *request, struct bytes data);
void maildir_deliver_close(struct endpoint *endpoint,
                           struct add_request *request);
void maildir_deliver_abort(struct endpoint *endpoint,
                           struct add_request *request);

#endif
