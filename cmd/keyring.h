/* The secrets of a run: each account is asked for once, unless its token is
 * refused. */
#ifndef CMD_KEYRING_H
#define CMD_KEYRING_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd/conf.h"

struct keyring;

/* The keyring of @accounts, borrowed while it lives, as they are now. Starts a
 * process where one of them has a command or a file to ask
 * (cmd/secret_helper.h). */
struct keyring *keyring_new(struct account *const *accounts, size_t n);

/* Wipes the secrets, ends the process; NULL is fine. */
void keyring_free(struct keyring *keyring);

/* The secret of @account, one of the accounts, into *@out, borrowed while @keyring lives; NULL for a
 * Maildir and where there is none. Returns and fills @warnings as
 * secret_get(). */
int keyring_get(struct keyring *keyring, const struct account *account,
                const char **out, struct buf *warnings, struct err *err);

/* Another token of @account into *@out, which takes the place of the one before
 * from now on; that one stays valid. Returns as secret_get(). */
int keyring_renew(struct keyring *keyring, const struct account *account,
                  const char **out, struct err *err);

#endif
