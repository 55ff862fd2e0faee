#include "cmd/keyring.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/secret.h"
#include "cmd/secret_helper.h"

struct key {
    const struct account *account;
    char *secret;
};

struct keyring {
    struct account *const *accounts;
    size_t n_accounts;
    struct secret_helper *helper; /* NULL: the configuration says it all */
    struct key *keys;
    size_t n;
    size_t cap;
};

static bool needs_helper(const struct account *account)
{
    return account->type == ACCOUNT_IMAP &&
           (conf_account_login(account) == LOGIN_BY_TOKEN ||
            (conf_account_login(account) == LOGIN_BY_PASSWORD &&
             account->password == NULL));
}

struct keyring *keyring_new(struct account *const *accounts, size_t n)
{
    struct keyring *keyring = MEM_NEW(struct keyring);

    keyring->accounts = accounts;
    keyring->n_accounts = n;
    for (size_t i = 0; i < n && keyring->helper == NULL; i++) {
        if (needs_helper(accounts[i])) {
            keyring->helper = secret_helper_start(accounts, n);
        }
    }
    return keyring;
}

void keyring_free(struct keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    for (size_t i = 0; i < keyring->n; i++) {
        secret_free(keyring->keys[i].secret);
    }
    secret_helper_stop(keyring->helper);
    free(keyring->keys);
    free(keyring);
}

/* As secret_get(). */
static int ask(struct keyring *keyring, const struct account *account,
               char **out, struct buf *warnings, struct err *err)
{
    size_t i = 0;

    if (!needs_helper(account)) {
        return secret_get(account, out, warnings, err);
    }
    while (i < keyring->n_accounts && keyring->accounts[i] != account) {
        i++;
    }
    if (i == keyring->n_accounts) {
        return err_set(err, ERR_USAGE, "account %s: not one of the run's",
                       account->name);
    }
    return secret_helper_get(keyring->helper, i, out, warnings, err);
}

/* Ask for a secret and keep it. */
static int add(struct keyring *keyring, const struct account *account,
               const char **out, struct buf *warnings, struct err *err)
{
    char *secret = NULL;
    int r = ask(keyring, account, &secret, warnings, err);

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
