/* An account of the configuration as an endpoint. */
#ifndef CMD_REACH_H
#define CMD_REACH_H

#include "base/endpoint.h"
#include "cmd/conf.h"
#include "cmd/keyring.h"
#include "cmd/loop.h"
#include "imap/imap_endpoint.h"
#include "store/maildir_endpoint.h"

struct reach {
    const struct account *account;
    struct keyring *keyring;
    struct keyring_wish wish; /* for another token */
    struct imap_account imap;
    struct maildir_account maildir;
    struct endpoint *endpoint;
};

/* What the endpoint needs beside its account. */
struct reach_options {
    struct loop *loop;
    struct state *state; /* NULL for probe, and then @keywords are needed */
    struct keywords *keywords;
    enum side side;
    const char *secret;      /* of an IMAP account */
    struct keyring *keyring; /* for another token where that one is refused */
    struct tls_trust *trust; /* shared with other accounts, or NULL */
    const struct log *log;
};

/* Make the endpoint. @reach must not move, and it, @account and what @options
 * points to live until reach_deinit(). */
void reach_init(struct reach *reach, const struct account *account,
                const struct reach_options *options);

/* Free the closed endpoint. */
void reach_deinit(struct reach *reach);

/* Where its mail is, so that two accounts that are one are known for it, and a
 * Maildir within another by its beginning: "imap:me@host:993", or the path
 * without links; free() it. */
char *reach_place(const struct account *account);

/* What tells the account's mail store from others, e.g. "imap:me@host:993" or
 * "maildir:/path"; free() it. */
char *reach_identity(const struct account *account);

#endif
