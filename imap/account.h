/*
 * How to reach an account, as configured.
 */
#ifndef IMAP_ACCOUNT_H
#define IMAP_ACCOUNT_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "imap/quirks.h"
#include "imap/session.h"
#include "imap/tls_trust.h"

enum tls_mode { TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE };

/* COMPRESS=DEFLATE, where the server has it: where it was measured that the
 * link is slow (gauge.h), on each connection, or never. */
enum account_compress { COMPRESS_AUTO, COMPRESS_YES, COMPRESS_NO };

struct imap_account {
    const char *name; /* of the account, for messages */
    const char *host;
    uint16_t port;
    enum tls_mode tls;
    const char *tls_ca_file;     /* or NULL: the system's */
    const char *tls_fingerprint; /* "sha256:HEX", colons allowed, or NULL */
    struct tls_trust *trust;     /* shared with other accounts, or NULL */
    const char *tls_certificate; /* our own, of which tls_key is, or NULL */
    const char *tls_key;
    const char *user;
    const char *authzid;  /* the user to act for; NULL: itself */
    const char *password; /* NULL: none */
    const char *token;    /* an OAuth access token in its place */
    enum session_auth auth;
    /* Begin to get another token in place of one that was refused, or NULL.
     * Ends with imap_endpoint_renewed(), by when it is in this struct; the old
     * one is kept until the endpoint is freed. */
    void (*renew_token)(void *owner);
    void *renew_owner;
    const char *version;       /* of mailtwin, told in ID; or NULL */
    struct quirks_wish quirks; /* what is said of the server's kind */
    unsigned connections;      /* at most, 1 or more */
    enum account_compress compress;
    unsigned connect_ms; /* TCP, TLS and login together */
    unsigned idle_ms;    /* silence while an answer is due */
    unsigned wait_ms;    /* before trying again what went wrong once, or
                                  0: PATIENCE_UNIT_MS; see patience.h */
};

/* A session to log in there; it borrows the strings of @account as
 * session_options says, and the rest for its life. */
struct session *imap_account_session(const struct imap_account *account,
                                     struct keywords *keywords,
                                     const struct log *log,
                                     const char *log_name);

#endif
