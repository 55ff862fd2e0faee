/*
 * The certificates that servers are verified by, for all accounts that trust the
 * same: a system has hundreds, and to read them takes longer than to connect.
 */
#ifndef IMAP_TLS_TRUST_H
#define IMAP_TLS_TRUST_H

struct tls_trust;
struct x509_store_st;

struct tls_trust *tls_trust_new(void);

/* NULL is fine. What was got from it lives on. */
void tls_trust_free(struct tls_trust *trust);

/**
 * What is to be trusted, read when it is first asked for.
 *
 * @trust    where it is kept; NULL: nowhere
 * @ca_file  certificates (PEM); NULL: the system's
 *
 * Returns a reference that the caller gives back, or NULL with the reason in
 * OpenSSL's queue of errors.
 */
struct x509_store_st *tls_trust_get(struct tls_trust *trust,
                                    const char *ca_file);

#endif
