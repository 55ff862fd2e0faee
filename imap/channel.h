/*
 * The bytes' way between a socket and a session: as they are, or, once
 * channel_start_tls() was called, through TLS; and from channel_start_deflate()
 * on compressed, within TLS where that is. Knows neither of the two ends.
 */
#ifndef IMAP_CHANNEL_H
#define IMAP_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "imap/deflate.h"
#include "imap/tls.h"

/* Room for channel_read(): what one record of TLS holds. */
#define CHANNEL_READ_BYTES ((size_t)TLS_RECORD_BYTES)

struct channel {
    struct tls *tls;         /* NULL: as they are */
    bool is_open;            /* plaintext can pass: no handshake is under way */
    struct buf in;           /* without TLS: from the wire */
    struct buf out;          /* without TLS: to the wire */
    struct deflate *deflate; /* NULL: not compressed */
    struct buf packed;       /* what it is reading */
};

/* A channel without TLS. */
void channel_init(struct channel *channel);

void channel_deinit(struct channel *channel);

/* Go on with TLS: is_open is false until the handshake is done, which
 * channel_read() works on. Returns 0; ERR_PROTOCOL where plaintext is still
 * under way in either direction; or as tls_new(). */
int channel_start_tls(struct channel *channel, struct tls_context *context,
                      struct err *err);

/* Go on compressed, in both directions. @in  what came already of the server's
 * compressed stream; copied. Once only. */
void channel_start_deflate(struct channel *channel, struct bytes in);

/* Where to put bytes that come from the wire: @size of them at most. Borrowed
 * until the next call that takes @channel. */
char *channel_room(struct channel *channel, size_t *size);

/* @n bytes were put into channel_room(). */
void channel_fed(struct channel *channel, size_t n);

/**
 * Take plaintext. What is compressed is expanded as far as there is room.
 *
 * @size  of @out, CHANNEL_READ_BYTES or more
 * @n     out: how many bytes are in @out; 0 where there are none
 *
 * Returns 0; 1 where the peer ended the stream in good order; or as
 *   tls_handshake(), tls_read() and deflate_read().
 */
int channel_read(struct channel *channel, char *out, size_t size, size_t *n,
                 struct err *err);

/* Give plaintext. @n  out: how many bytes of it were taken; 0 where output must
 * be sent first, or the handshake is under way. Call channel_flush() behind the
 * last of what belongs together. Returns as tls_write(). */
int channel_write(struct channel *channel, struct bytes plain, size_t *n,
                  struct err *err);

/* The peer waits for no more to understand what was written: to be called again
 * where output was sent. Returns as tls_write(). */
int channel_flush(struct channel *channel, struct err *err);

/* Queue the end of the stream, where TLS has a word for it. */
void channel_close(struct channel *channel);

/* What to send next; more may be behind it. It stays where it is until it is
 * taken by channel_sent(), as long as nothing is given to channel_write(). */
struct bytes channel_output(const struct channel *channel);

/* @n bytes of channel_output() are on their way. */
void channel_sent(struct channel *channel, size_t n);

/* How many bytes are to be sent in all. */
size_t channel_queued(const struct channel *channel);

#endif
