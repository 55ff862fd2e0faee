#include "imap/channel.h"

#include <string.h>

/* Without TLS: held in each direction at most. */
#define PLAIN_BYTES ((size_t)64 << 10)

void channel_init(struct channel *channel)
{
    *channel = (struct channel){.is_open = true};
    buf_init(&channel->in, 0);
    buf_init(&channel->out, 0);
    buf_init(&channel->packed, 0);
}

void channel_deinit(struct channel *channel)
{
    tls_free(channel->tls);
    buf_deinit(&channel->in);
    buf_deinit(&channel->out);
    deflate_free(channel->deflate);
    buf_deinit(&channel->packed);
}

int channel_start_tls(struct channel *channel, struct tls_context *context,
                      struct err *err)
{
    if (buf_len(&channel->in) > 0 || buf_len(&channel->out) > 0) {
        return err_set(err, ERR_PROTOCOL, "plaintext behind the switch to TLS");
    }
    buf_deinit(&channel->in);
    buf_deinit(&channel->out);
    channel->is_open = false;
    return tls_new(context, &channel->tls, err);
}

void channel_start_deflate(struct channel *channel, struct bytes in)
{
    channel->deflate = deflate_new();
    (void)buf_add(&channel->packed, in);
    deflate_feed(channel->deflate, buf_peek(&channel->packed));
}

char *channel_room(struct channel *channel, size_t *size)
{
    if (channel->tls != NULL)
        return tls_room(channel->tls, size);
    *size = PLAIN_BYTES;
    return buf_reserve(&channel->in, PLAIN_BYTES);
}

void channel_fed(struct channel *channel, size_t n)
{
    if (channel->tls != NULL) {
        tls_fed(channel->tls, n);
    } else {
        buf_commit(&channel->in, n);
    }
}

/* What comes out of TLS, or from the wire. */
static int read_outer(struct channel *channel, char *out, size_t size,
                      size_t *n, struct err *err)
{
    struct bytes in;
    int r;

    *n = 0;
    if (channel->tls == NULL) {
        in = buf_peek(&channel->in);
        *n = in.len < size ? in.len : size;
        memcpy(out, in.ptr, *n);
        buf_ack(&channel->in, *n);
        return 0;
    }
    if (!channel->is_open) {
        r = tls_handshake(channel->tls, err);
        if (r != 0)
            return r < 0 ? r : 0;
        channel->is_open = true;
    }
    return tls_read(channel->tls, out, size, n, err);
}

/* Some of it may give nothing: it takes a few bytes to begin a block. */
static int read_packed(struct channel *channel, char *out, size_t size,
                       size_t *n, struct err *err)
{
    struct buf *packed = &channel->packed;
    size_t came;
    int r;

    for (;;) {
        r = deflate_read(channel->deflate, out, size, n, err);
        if (r != 0 || *n > 0)
            return r;
        buf_clear(packed);
        r = read_outer(channel, buf_reserve(packed, CHANNEL_READ_BYTES),
                       CHANNEL_READ_BYTES, &came, err);
        if (r != 0 || came == 0)
            return r;
        buf_commit(packed, came);
        deflate_feed(channel->deflate, buf_peek(packed));
    }
}

int channel_read(struct channel *channel, char *out, size_t size, size_t *n,
                 struct err *err)
{
    return channel->deflate != NULL ? read_packed(channel, out, size, n, err)
                                    : read_outer(channel, out, size, n, err);
}

static int write_outer(struct channel *channel, struct bytes text, size_t *n,
                       struct err *err)
{
    *n = 0;
    if (!channel->is_open)
        return 0;
    if (channel->tls != NULL)
        return tls_write(channel->tls, text, n, err);
    *n = PLAIN_BYTES - buf_len(&channel->out);
    *n = *n < text.len ? *n : text.len;
    buf_add(&channel->out, (struct bytes){text.ptr, *n});
    return 0;
}

/* As much of what is compressed as there is room for. */
static int write_packed(struct channel *channel, struct err *err)
{
    struct bytes packed;
    size_t n = 1;
    int r = 0;

    while (r == 0 && n > 0 &&
           (packed = deflate_output(channel->deflate)).len > 0) {
        r = write_outer(channel, packed, &n, err);
        deflate_sent(channel->deflate, n);
    }
    return r;
}

int channel_write(struct channel *channel, struct bytes plain, size_t *n,
                  struct err *err)
{
    if (channel->deflate == NULL)
        return write_outer(channel, plain, n, err);
    *n = deflate_write(channel->deflate, plain);
    return write_packed(channel, err);
}

int channel_flush(struct channel *channel, struct err *err)
{
    bool done;
    int r;

    if (channel->deflate == NULL)
        return 0;
    do {
        done = deflate_flush(channel->deflate);
        r = write_packed(channel, err);
    } while (r == 0 && !done && deflate_output(channel->deflate).len == 0);
    return r;
}

void channel_close(struct channel *channel)
{
    if (channel->tls != NULL)
        tls_close(channel->tls);
}

struct bytes channel_output(const struct channel *channel)
{
    return channel->tls != NULL ? tls_output(channel->tls)
                                : buf_peek(&channel->out);
}

void channel_sent(struct channel *channel, size_t n)
{
    if (channel->tls != NULL) {
        tls_sent(channel->tls, n);
    } else {
        buf_ack(&channel->out, n);
    }
}

size_t channel_queued(const struct channel *channel)
{
    size_t wire = channel->tls != NULL ? tls_queued(channel->tls)
                                       : buf_len(&channel->out);

    return channel->deflate != NULL
               ? wire + deflate_output(channel->deflate).len
               : wire;
}
