#include "cmd/reach.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/env.h"
#include "cmd/version.h"

/* TCP, TLS and login together. */
#define CONNECT_MS 30000
/* Of silence while an answer is due. */
#define IDLE_MS 120000

/* Tests do not wait for seconds: @name in the environment, and nowhere else,
 * holds the milliseconds to take instead of @usual. */
static unsigned test_ms(const char *name, unsigned usual)
{
    const char *text = env_get(name);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static void on_token(struct keyring_wish *wish, struct buf *warnings)
{
    struct reach *reach = wish->owner;

    (void)warnings; /* of files only */
    if (wish->result == 0) {
        reach->imap.token = wish->secret;
    }
    imap_endpoint_renewed(reach->endpoint, wish->result, &wish->err);
}

static void renew_token(void *owner)
{
    struct reach *reach = owner;

    reach->wish = (struct keyring_wish){
        .account = reach->account,
        .granted = on_token,
        .owner = reach,
    };
    keyring_renew(reach->keyring, &reach->wish);
}

static void init_imap(struct reach *reach, const struct account *account,
                      const struct reach_options *options)
{
    enum account_login login = conf_account_login(account);

    reach->imap = (struct imap_account){
        .name = account->name,
        .host = account->host,
        .port = account->port,
        .tls = account->tls,
        .tls_ca_file = account->tls_ca_file,
        .tls_fingerprint = account->tls_fingerprint,
        .trust = options->trust,
        .tls_certificate = account->tls_certificate,
        .tls_key = account->tls_key,
        .user = account->user,
        .authzid = account->authzid,
        .auth = account->auth,
        .version = VERSION,
        .connections = account->connections,
        .compress = account->compress,
        .connect_ms = test_ms("MAILTWIN_TEST_SILENCE_MS", CONNECT_MS),
        .idle_ms = test_ms("MAILTWIN_TEST_SILENCE_MS", IDLE_MS),
        .quirks = account->quirks,
        .wait_ms = test_ms("MAILTWIN_TEST_WAIT_MS", 0),
    };
    if (login == LOGIN_BY_TOKEN) {
        reach->imap.token = options->secret;
        reach->imap.renew_token = renew_token;
        reach->imap.renew_owner = reach;
    } else {
        reach->imap.password = options->secret;
    }
    reach->endpoint = imap_endpoint_new(&options->loop->uv, &reach->imap,
                                        options->keywords, options->log);
}

static void init_maildir(struct reach *reach, const struct account *account,
                         const struct reach_options *options)
{
    reach->maildir = (struct maildir_account){
        .name = account->name,
        .path = account->path,
        .layout = account->layout,
    };
    reach->endpoint =
        maildir_endpoint_new(&options->loop->uv, &reach->maildir,
                             options->state, options->side, options->log);
}

void reach_init(struct reach *reach, const struct account *account,
                const struct reach_options *options)
{
    *reach = (struct reach){.account = account, .keyring = options->keyring};
    if (account->type == ACCOUNT_IMAP) {
        init_imap(reach, account, options);
    } else {
        init_maildir(reach, account, options);
    }
}

void reach_deinit(struct reach *reach)
{
    keyring_forget(reach->keyring, &reach->wish);
    endpoint_free(reach->endpoint);
    reach->endpoint = NULL;
}

char *reach_identity(const struct account *account)
{
    if (account->type == ACCOUNT_MAILDIR) {
        return mem_printf("maildir:%s", account->path);
    }
    return mem_printf("imap:%s@%s:%u", conf_account_owner(account),
                      account->host, account->port);
}

char *reach_place(const struct account *account)
{
    char *path;

    if (account->type == ACCOUNT_IMAP) {
        return reach_identity(account);
    }
    path = realpath(account->path, NULL);
    return path != NULL ? path : mem_copy(account->path);
}
