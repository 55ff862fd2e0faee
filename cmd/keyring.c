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
    struct loop *loop;
    struct loop_watch *watch;          /* for the helper's answer, or NULL */
    const struct account *asked_about; /* what it is asked, or NULL */
    struct keyring_wish *wishes;       /* that wait, oldest first */
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

void keyring_serve(struct keyring *keyring, struct loop *loop)
{
    keyring->loop = loop;
}

/* @secret is the keyring's from now on. */
static const char *keep(struct keyring *keyring, const struct account *account,
                        char *secret)
{
    keyring->keys = mem_grow(keyring->keys, keyring->n, &keyring->cap,
                             sizeof(*keyring->keys));
    keyring->keys[keyring->n++] = (struct key){account, secret};
    return secret;
}

/* The newest is the last. */
static const struct key *find(const struct keyring *keyring,
                              const struct account *account)
{
    for (size_t i = keyring->n; i > 0; i--) {
        if (keyring->keys[i - 1].account == account) {
            return &keyring->keys[i - 1];
        }
    }
    return NULL;
}

/* What nobody has to be asked for. Returns false where somebody has to be. */
static bool answer_at_once(struct keyring *keyring, struct keyring_wish *wish,
                           struct buf *warnings)
{
    const struct account *account = wish->account;
    const struct key *key = wish->anew ? NULL : find(keyring, account);
    char *secret = NULL;

    if (key != NULL) {
        wish->secret = key->secret;
    } else if (account->type == ACCOUNT_IMAP && needs_helper(account)) {
        return false;
    } else if (account->type == ACCOUNT_IMAP) {
        wish->result = secret_get(account, &secret, warnings, &wish->err);
        if (wish->result == 0) {
            wish->secret = keep(keyring, account, secret);
        }
    }
    return true;
}

static size_t number_of(const struct keyring *keyring,
                        const struct account *account)
{
    size_t i = 0;

    while (i < keyring->n_accounts && keyring->accounts[i] != account) {
        i++;
    }
    return i;
}

/* Put the wish's question to the helper. Returns 0, or negative with the wish's
 * error set. */
static int ask_helper(struct keyring *keyring, struct keyring_wish *wish)
{
    size_t i = number_of(keyring, wish->account);

    if (i == keyring->n_accounts) {
        wish->result =
            err_set(&wish->err, ERR_USAGE, "account %s: not one of the run's",
                    wish->account->name);
    } else {
        wish->result = secret_helper_ask(keyring->helper, i, &wish->err);
    }
    return wish->result;
}

/* Of those that wait, where it is one. */
static void take_out(struct keyring *keyring, struct keyring_wish *wish)
{
    struct keyring_wish **at = &keyring->wishes;

    while (*at != NULL && *at != wish) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = wish->next;
    }
    wish->waits = false;
}

static void on_answer(void *owner);

/* Whoever cannot be watched is waited for. */
static void listen_to_helper(struct keyring *keyring)
{
    keyring->watch = loop_watch(
        keyring->loop, secret_helper_line(keyring->helper), on_answer, keyring);
    if (keyring->watch == NULL) {
        on_answer(keyring);
    }
}

/* Without asking anybody, or, where that has to be, because nobody can be. */
static bool grant_at_once(struct keyring *keyring, struct keyring_wish *wish,
                          bool has_to_be)
{
    struct buf warnings;
    bool granted;

    buf_init(&warnings, 0);
    granted = answer_at_once(keyring, wish, &warnings) ||
              (has_to_be && ask_helper(keyring, wish) < 0);
    if (granted) {
        take_out(keyring, wish);
        wish->granted(wish, &warnings);
    }
    buf_deinit(&warnings);
    return granted;
}

/* The first wish's turn, unless the helper is at another one. */
static void ask_next(struct keyring *keyring)
{
    while (keyring->asked_about == NULL && keyring->wishes != NULL) {
        struct keyring_wish *wish = keyring->wishes;
        const struct account *account = wish->account;

        if (!grant_at_once(keyring, wish, true)) {
            keyring->asked_about = account;
        }
    }
    if (keyring->wishes != NULL && keyring->watch == NULL) {
        listen_to_helper(keyring);
    }
}

/* Whose wish it was may have forgotten it: the secret is kept for others. */
static void on_answer(void *owner)
{
    struct keyring *keyring = owner;
    struct keyring_wish lost = {.account = keyring->asked_about};
    struct keyring_wish *wish = keyring->wishes;
    struct buf warnings;
    char *secret = NULL;

    if (wish == NULL || wish->account != lost.account) {
        wish = &lost;
    }
    buf_init(&warnings, 0);
    wish->result =
        secret_helper_answer(keyring->helper, &secret, &warnings, &wish->err);
    if (wish->result == 0) {
        wish->secret = keep(keyring, wish->account, secret);
    }
    keyring->asked_about = NULL;
    keyring->watch = NULL;
    if (wish != &lost) {
        take_out(keyring, wish);
        wish->granted(wish, &warnings);
    }
    buf_deinit(&warnings);
    ask_next(keyring);
}

static void queue(struct keyring *keyring, struct keyring_wish *wish, bool anew)
{
    struct keyring_wish **end = &keyring->wishes;

    wish->result = 0;
    wish->secret = NULL;
    wish->anew = anew;
    wish->next = NULL;
    if (grant_at_once(keyring, wish, false)) {
        return;
    }
    wish->waits = true;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = wish;
    ask_next(keyring);
}

void keyring_ask(struct keyring *keyring, struct keyring_wish *wish)
{
    queue(keyring, wish, false);
}

void keyring_renew(struct keyring *keyring, struct keyring_wish *wish)
{
    queue(keyring, wish, true);
}

void keyring_forget(struct keyring *keyring, struct keyring_wish *wish)
{
    if (!wish->waits) {
        return;
    }
    take_out(keyring, wish);
    /* Nobody is left who waits: nor shall the loop. */
    if (keyring->wishes == NULL && keyring->watch != NULL) {
        loop_unwatch(keyring->watch);
        keyring->watch = NULL;
    }
}

bool keyring_is_asking(const struct keyring *keyring)
{
    return keyring->asked_about != NULL;
}
