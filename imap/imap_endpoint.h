/* An IMAP account as an endpoint: requests onto a pool of connections. */
#ifndef IMAP_IMAP_ENDPOINT_H
#define IMAP_IMAP_ENDPOINT_H

#include "base/endpoint.h"
#include "imap/conn.h"

/* @account, @keywords and @log live at least as long as the endpoint. */
struct endpoint *imap_endpoint_new(uv_loop_t *loop,
                                   const struct imap_account *account,
                                   struct keywords *keywords,
                                   const struct log *log);

/* The account's renew_token() came to @result: 0, or negative with @err. Fine
 * until the endpoint is freed. */
void imap_endpoint_renewed(struct endpoint *endpoint, int result,
                           const struct err *err);

#endif
