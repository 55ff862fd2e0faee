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

int keyring_get(struct keyring *keyring, const struct account *account,
                const char **out, struct buf *warnings, struct err *err)
{
    char *secret = NULL;
    int r;

    *out = NULL;
    if (account->type == ACCOUNT_MAILDIR) {
        return 0;
    }
    for (size_t i = 0; i < keyring->n; i++) {
        if (keyring->keys[i].account == account) {
            *out = keyring->keys[i].secret;
            return 0;
        }
    }
    r = secret_get(account, &secret, warnings, err);
    if (r != 0) {
        return r;
    }
    keyring->keys = mem_grow(keyring->keys, keyring->n, &keyring->cap,
                             sizeof(*keyring->keys));
    keyring->keys[keyring->n++] = (struct key){account, secret};
    *out = secret;
    return 0;
}
