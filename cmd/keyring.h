/* The secrets of a run: each account is asked for once. */
#ifndef CMD_KEYRING_H
#define CMD_KEYRING_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd/conf.h"

struct keyring;

struct keyring *keyring_new(void);

/* Wipes the secrets; NULL is fine. */
void keyring_free(struct keyring *keyring);

/* The secret of @account into *@out, borrowed while @keyring lives; NULL for a
 * Maildir. Returns and fills @warnings as secret_get(). */
int keyring_get(struct keyring *keyring, const struct account *account,
                const char **out, struct buf *warnings, struct err *err);

#endif
