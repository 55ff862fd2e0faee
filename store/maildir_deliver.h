/*
 * Requests to add messages: puts what comes into the outbox, and tells what
 * became of it, each request's messages in their order.
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
