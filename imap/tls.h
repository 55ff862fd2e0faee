/*
 * TLS as a value: bytes of the wire in, plaintext out, plaintext in, bytes of
 * the wire out. No descriptor, no clock, no callback to the owner, who moves
 * the bytes:
 *
 *     tls_room(tls, &size), read from the wire into it, tls_fed(tls, how many)
 *     tls_handshake(tls) until it stands
 *     tls_read(tls), tls_write(tls)
 *     send tls_output(tls), then tls_sent(tls, how many)
 *
 * TLS 1.2 at least. The server is verified by its certificate chain and name
 * (RFC 9525), or, where a pin is given, by the pin alone.
 */
#ifndef IMAP_TLS_H
#define IMAP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "imap/binding.h"
#include "imap/tls_trust.h"

#define TLS_PIN_BYTES    32         /* of a SHA-256 */
#define TLS_RECORD_BYTES (16 << 10) /* plaintext in one record at most */

/* Where OpenSSL looks for the system's certificates. */
const char *tls_system_ca_file(void);
const char *tls_system_ca_dir(void);

/* What the connections to one server share: the trusted certificates, loaded
 * when they are first needed, and the last session ticket, with which the next
 * handshake is cheaper (RFC 8446 section 2.2); none of a server that asks for
 * certificates. */
struct tls_context;

/* One connection. */
struct tls;

/* Read "sha256:HEX": 64 hexadecimal digits in any case, colons between them
 * allowed. Returns false for anything else. */
bool tls_parse_pin(struct bytes text, uint8_t pin[TLS_PIN_BYTES]);

/**
 * Say how a server is to be verified. Reads nothing yet, and cannot fail.
 *
 * @host         name or IP address, as configured
 * @ca_file      certificates to trust (PEM) in place of the system's, or NULL
 * @fingerprint  pin of the server's certificate in place of all other
 *               verification, see tls_parse_pin(); or NULL
 */
struct tls_context *tls_context_new(const char *host, const char *ca_file,
                                    const char *fingerprint);

/* Show the server who we are, where it asks: a certificate, which others of its
 * chain may follow, and its key without a pass phrase; files in PEM, read with
 * the first connection. */
void tls_context_identify(struct tls_context *context, const char *certificate,
                          const char *key);

/* Have the trusted certificates read from, and kept in, @trust, which lives as
 * long: others share it. */
void tls_context_share(struct tls_context *context, struct tls_trust *trust);

/* Free it, after all of its connections. NULL is fine. */
void tls_context_free(struct tls_context *context);

/**
 * Begin a connection; the first tls_handshake() makes its first bytes.
 *
 * @context  borrowed for the connection's life
 * @out      set on success; tls_free() it
 *
 * Returns 0, or ERR_CONNECT where the trusted certificates, our own or its key
 * cannot be read, or the pin is not one.
 */
int tls_new(struct tls_context *context, struct tls **out, struct err *err);

/* Free it, and wipe its keys. NULL is fine. */
void tls_free(struct tls *tls);

/* Where to put bytes that come from the wire, and how many (@size, 0 where
 * there is no room before tls_read()). Borrowed until the next call that takes
 * @tls. */
char *tls_room(struct tls *tls, size_t *size);

/* @n bytes were put into tls_room(). */
void tls_fed(struct tls *tls, size_t n);

/**
 * Go on with the handshake. There may be output after any outcome, a failure
 * included: the alert, which tells the server why.
 *
 * Returns 0 when the connection stands and its server is verified; 1 when
 *   bytes from the wire are missing; or ERR_CONNECT, with the reason and what
 *   to set: a mismatch shows the fingerprint that the server has.
 */
int tls_handshake(struct tls *tls, struct err *err);

/**
 * Take plaintext, after the handshake.
 *
 * @n  out: how many bytes are in @out; 0 where bytes from the wire are missing
 *
 * Returns 0; 1 where the server ended the stream (close_notify); or
 * ERR_CONNECT where the stream was tampered with or cannot be understood.
 */
int tls_read(struct tls *tls, char *out, size_t size, size_t *n,
             struct err *err);

/**
 * Give plaintext, after the handshake.
 *
 * @plain  not empty; copied as far as it is taken
 * @n      out: how many bytes were taken; fewer than there are, and then 0,
 *         where output must be sent first
 *
 * Returns 0 or ERR_CONNECT.
 */
int tls_write(struct tls *tls, struct bytes plain, size_t *n, struct err *err);

/* Queue the end of the stream (close_notify), as far as there is room. */
void tls_close(struct tls *tls);

/* What to send next; more may be behind it. It stays where it is, whatever is
 * called, until it is taken by tls_sent(). */
struct bytes tls_output(const struct tls *tls);

/* @n bytes of tls_output() are on their way. */
void tls_sent(struct tls *tls, size_t n);

/* How many bytes are to be sent in all. */
size_t tls_queued(const struct tls *tls);

/* "TLSv1.3", after the handshake; for the log. */
const char *tls_version(const struct tls *tls);

/* What a login may be bound to, after the handshake: tls-exporter from TLS 1.3
 * on, else tls-unique, where the server knows the extended master secret (RFC
 * 7627), without which that one proves nothing; or nothing. */
void tls_binding(const struct tls *tls, struct binding *out);

/* Did a ticket of an earlier connection spare us most of the handshake? */
bool tls_is_resumed(const struct tls *tls);

#endif
