/*
 * COMPRESS=DEFLATE (RFC 4978) as a value: both directions of a connection as
 * raw deflate streams (RFC 1951). Knows no wire and no protocol.
 *
 *     in:   deflate_feed(d, from the wire), deflate_read(d) until it gives
 *           nothing
 *     out:  deflate_write(d, plaintext), deflate_flush(d) behind the last of a
 *           flight; send deflate_output(d), then deflate_sent(d, how many)
 *
 * Nothing is expanded before somebody has room for it, and never more than
 * there is room for, so that a few bytes that stand for gigabytes cost nothing.
 */
#ifndef IMAP_DEFLATE_H
#define IMAP_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct deflate;

/* Both streams at their beginning. deflate_free() it. */
struct deflate *deflate_new(void);

/* Free it. NULL is fine. */
void deflate_free(struct deflate *self);

/* Lend it @in, bytes that came from the wire, until deflate_read() gives
 * nothing; as it does before the first. */
void deflate_feed(struct deflate *self, struct bytes in);

/**
 * Take plaintext.
 *
 * @n  out: how many bytes are in @out; 0 where bytes from the wire are missing
 *
 * Returns 0; 1 where the server ended the stream; ERR_CONNECT where it is not
 * one.
 */
int deflate_read(struct deflate *self, char *out, size_t size, size_t *n,
                 struct err *err);

/* Has it turned out not to be one? */
bool deflate_is_garbled(const struct deflate *self);

/* Give plaintext. Returns how many bytes of it were taken: fewer than there
 * are where output must be sent first. */
size_t deflate_write(struct deflate *self, struct bytes plain);

/* Let the server see all that was given so far. It costs bytes: once for a
 * flight. Returns whether it is all in the output; where not, call it again
 * when output was sent. */
bool deflate_flush(struct deflate *self);

/* What to send next; borrowed until the next call that takes @self. */
struct bytes deflate_output(const struct deflate *self);

/* @n bytes of deflate_output() are on their way. */
void deflate_sent(struct deflate *self, size_t n);

/* Bytes so far. */
struct deflate_sums {
    uint64_t in_wire; /* came, of which in_plain was made */
    uint64_t in_plain;
    uint64_t out_plain; /* went, as out_wire */
    uint64_t out_wire;
};

struct deflate_sums deflate_sums(const struct deflate *self);

#endif
