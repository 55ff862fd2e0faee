#include "imap/channel.h"

#include <stdlib.h>

#include "base/mem.h"

/* Without TLS: held in each direction at most. */
#define PLAIN_BYTES ((size_t)64 << 10)

void channel_init(struct channel *channel)
{
    *channel = (struct channel){.is_open = true};
    buf_init(&channel->in, 0);
    buf_init(&channel->out, 0);
}

void channel_deinit(struct channel *channel)
{
    tls_free(channel->tls);
    free(channel->record);
    buf_deinit(&channel->in);
    buf_deinit(&channel->out);
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
    channel->record = mem_new(TLS_RECORD_BYTES, 1);
    return tls_new(context, &channel->tls, err);
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

static int read_tls(struct channel *channel, struct bytes *plain,
                    struct err *err)
{
    int r;

    if (!channel->is_open) {
        r = tls_handshake(channel->tls, err);
        if (r != 0)
            return r < 0 ? r : 0;
        channel->is_open = true;
    }
    plain->ptr = channel->record;
    return tls_read(channel->tls, channel->record, TLS_RECORD_BYTES,
                    &plain->len, err);
}

int channel_read(struct channel *channel, struct bytes *plain, struct err *err)
{
    *plain = B("");
    if (channel->tls != NULL)
        return read_tls(channel, plain, err);
    *plain = buf_peek(&channel->in);
    buf_clear(&channel->in);
    return 0;
}

int channel_write(struct channel *channel, struct bytes plain, size_t *n,
                  struct err *err)
{
    *n = 0;
    if (!channel->is_open)
        return 0;
    if (channel->tls != NULL)
        return tls_write(channel->tls, plain, n, err);
    *n = PLAIN_BYTES - buf_len(&channel->out);
    *n = *n < plain.len ? *n : plain.len;
    buf_add(&channel->out, (struct bytes){plain.ptr, *n});
    return 0;
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
    return channel->tls != NULL ? tls_queued(channel->tls)
                                : buf_len(&channel->out);
}
