/*
 * SHA-256, streamed. The one file beside imap's TLS and SASL that knows
 * OpenSSL.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdint.h>

#include "base/bytes.h"

#define DIGEST_BYTES 32

/* Before anything that uses OpenSSL, here or elsewhere: have it take its memory
 * as we do (base/mem.h). Without it, it crashes where there is none. */
void digest_set_up(void);

struct digest; /* one computation */

struct digest *digest_new(void);
void digest_free(struct digest *digest);

/* More bytes. */
void digest_add(struct digest *digest, struct bytes text);

/* The result; the computation may then start anew with digest_add(). */
void digest_final(struct digest *digest, uint8_t out[DIGEST_BYTES]);

/* The digest of @text in one call. */
void digest_of(struct bytes text, uint8_t out[DIGEST_BYTES]);

/* Fill @out with @n random bytes; ends the process where there are none. */
void digest_random(uint8_t *out, size_t n);

#endif
