#include "cmd/keyring.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/secret.h"

struct key {
    const struct account *account;
    char *secret;
};

struct keyring {
    struct key *keys;
    size_t n;
    size_t cap;
};

struct keyring *keyring_new(void)
{
    return MEM_NEW(struct keyring);
}

void keyring_free(struct keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    for (size_t i = 0; i < keyring->n; i++) {
        secret_free(keyring->keys[i].secret);
    }
    free(keyring->keys);
    free(keyring);
}

/* Ask for a secret and keep it. */
static int add(struct keyring *keyring, const struct account *account,
               const char **out, struct buf *warnings, struct err *err)
{
    char *secret = NULL;
    int r = secret_get(account, &secret, warnings, err);

    if (r != 0) {
        return r;
    }
    keyring->keys = mem_grow(keyring->keys, keyring->n, &keyring->cap,
                             sizeof(*keyring->keys));
    keyring->keys[keyring->n++] = (struct key){account, secret};
    *out = secret;
    return 0;
}

int keyring_get(struct keyring *keyring, const struct account *account,
                const char **out, struct buf *warnings, struct err *err)
{
    *out = NULL;
    if (account->type == ACCOUNT_MAILDIR) {
        return 0;
    }
    /* The newest is the last. */
    for (size_t i = keyring->n; i > 0; i--) {
        if (keyring->keys[i - 1].account == account) {
            *out = keyring->keys[i - 1].secret;
            return 0;
        }
    }
    return add(keyring, account, out, warnings, err);
}

int keyring_renew(struct keyring *keyring, const struct account *account,
                  const char **out, struct err *err)
{
    struct buf warnings;
    int r;

    buf_init(&warnings, 0); /* of files only */
    r = add(keyring, account, out, &warnings, err);
    buf_deinit(&warnings);
    return r;
}
