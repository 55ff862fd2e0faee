#include "imap/account.h"

struct session *imap_account_session(const struct imap_account *account,
                                     struct keywords *keywords,
                                     const struct log *log,
                                     const char *log_name)
{
    const struct session_options options = {
        .user = account->user,
        .authzid = account->authzid,
        .password = account->password,
        .token = account->token,
        .host = account->host,
        .port = account->port,
        .auth = account->auth,
        .tls = account->tls == TLS_IMPLICIT,
        .starttls = account->tls == TLS_STARTTLS,
        .plaintext = account->tls == TLS_NONE,
        .keywords = keywords,
        .log = log,
        .log_name = log_name,
        .version = account->version,
        .quirks = account->quirks.provider != NULL
                      ? quirks_find(account->quirks.provider)
                      : NULL,
    };

    return session_new(&options);
}
