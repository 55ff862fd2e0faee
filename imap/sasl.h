/*
 * One SASL exchange (RFC 4422) as a value: challenges in, responses out, both in
 * base64 as they stand in IMAP's lines.
 *
 *     where sasl_begins(sasl): send sasl_first(sasl)
 *     for each challenge: sasl_step(sasl, challenge, out), send out
 *     believe the server's OK only where sasl_is_complete(sasl)
 */
#ifndef IMAP_SASL_H
#define IMAP_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "imap/binding.h"

/* Of a challenge in base64 that is looked into: a nonce, a salt, a number. */
#define SASL_CHALLENGE_BYTES_MAX 4096u

/* Fewer rounds of hashing would give the password to whoever records the
 * exchange (RFC 7677 section 4); more of them keep us busy for nothing. */
#define SASL_ITERATIONS_MIN 4096u
#define SASL_ITERATIONS_MAX 1000000u

enum sasl_mechanism {
    SASL_OAUTHBEARER,        /* RFC 7628 */
    SASL_XOAUTH2,            /* Google's and Microsoft's, from before it */
    SASL_SCRAM_SHA_256_PLUS, /* bound to the TLS connection */
    SASL_SCRAM_SHA_1_PLUS,
    SASL_SCRAM_SHA_256, /* RFC 5802, RFC 7677 */
    SASL_SCRAM_SHA_1,
    SASL_PLAIN,    /* RFC 4616 */
    SASL_EXTERNAL, /* RFC 4422 appendix A */
    SASL_CRAM_MD5, /* RFC 2195; the server begins */
    SASL_MECHANISMS
};

struct sasl_options {
    enum sasl_mechanism mechanism;
    const char *user;
    const char *authzid;  /* act for this user, where not NULL; not with
                             XOAUTH2 and CRAM-MD5 */
    const char *password; /* SCRAM, PLAIN and CRAM-MD5 */
    const char *token;    /* OAUTHBEARER and XOAUTH2 */
    const char *host;     /* OAUTHBEARER tells them, where not NULL */
    uint16_t port;
    struct binding binding; /* SCRAM-PLUS */
};

struct sasl;

/* As in "AUTHENTICATE name". */
const char *sasl_name(enum sasl_mechanism mechanism);

/* Can it say for whom the user acts? */
bool sasl_takes_authzid(enum sasl_mechanism mechanism);

/* Does it need a binding? */
bool sasl_is_bound(enum sasl_mechanism mechanism);

/**
 * Begin an exchange.
 *
 * @options  copied, strings included
 * @out      set on success; sasl_free() it
 *
 * Returns 0; or ERR_AUTH where the user or the secret holds what the mechanism
 * cannot carry.
 */
int sasl_new(const struct sasl_options *options, struct sasl **out,
             struct err *err);

/* Wipe and free it. NULL is fine. */
void sasl_free(struct sasl *sasl);

/* Does the client speak first? */
bool sasl_begins(const struct sasl *sasl);

/* What to send first, where it does; secret. Borrowed for the life of @sasl. */
struct bytes sasl_first(const struct sasl *sasl);

/**
 * Answer a challenge.
 *
 * @challenge  as in the server's line, without "+ "
 * @out        empty; gets the response, which may be empty, too. Secret.
 *
 * Returns 0; or
 *   ERR_AUTH      the server did not prove that it knows the password
 *   ERR_PROTOCOL  the challenge cannot be understood, or none was due
 *   ERR_LIMIT     it passes a limit above
 */
int sasl_step(struct sasl *sasl, struct bytes challenge, struct buf *out,
              struct err *err);

/* Was all said that belongs to a login, by the server, too? */
bool sasl_is_complete(const struct sasl *sasl);

/* Could the password be guessed by trial from the challenges? */
bool sasl_is_telling(const struct sasl *sasl);

#endif
