/* imap/channel.c without TLS; what it does with TLS, test_conn.c tests. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/channel.h"
#include "tests/tap.h"

#define MUCH ((size_t)200 << 10)

static void feed(struct channel *channel, const char *text)
{
    size_t size;
    char *room = channel_room(channel, &size);

    memcpy(room, text, strlen(text));
    channel_fed(channel, strlen(text));
}

static void test_in(void)
{
    struct channel channel;
    struct bytes plain;
    struct err err;

    channel_init(&channel);
    ok(channel_read(&channel, &plain, &err) == 0 && plain.len == 0,
       "nothing came");
    feed(&channel, "one ");
    feed(&channel, "two");
    ok(channel_read(&channel, &plain, &err) == 0 &&
           bytes_equal(plain, B("one two")),
       "what came is read as it is");
    ok(channel_read(&channel, &plain, &err) == 0 && plain.len == 0,
       "and only once");
    channel_deinit(&channel);
}

static void test_out(void)
{
    struct channel channel;
    char *text = mem_new(MUCH, 1);
    struct err err;
    size_t n = 0;

    channel_init(&channel);
    ok(channel_output(&channel).len == 0, "nothing to send");
    ok(channel_write(&channel, B("hello"), &n, &err) == 0 && n == 5 &&
           bytes_equal(channel_output(&channel), B("hello")),
       "what is written is to be sent");
    channel_sent(&channel, 2);
    ok(bytes_equal(channel_output(&channel), B("llo")) &&
           channel_queued(&channel) == 3,
       "piece by piece");
    ok(channel_write(&channel, (struct bytes){text, MUCH}, &n, &err) == 0 &&
           n > 0 && n < MUCH,
       "not more is taken than there is room for");
    ok(channel_write(&channel, (struct bytes){text, MUCH}, &n, &err) == 0 &&
           n == 0,
       "and then nothing");
    channel_close(&channel);
    channel_sent(&channel, channel_queued(&channel));
    ok(channel_output(&channel).len == 0, "the end needs no word");
    channel_deinit(&channel);
    free(text);
}

static void test_start_tls(void)
{
    struct tls_context *context = tls_context_new("h.example", "/none", NULL);
    struct tls_context *pinned = tls_context_new(
        "h.example", NULL,
        "sha256:"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    struct channel channel;
    struct bytes plain;
    struct err err = {""};
    size_t n = 0;

    channel_init(&channel);
    feed(&channel, "* CAPABILITY");
    ok(channel_start_tls(&channel, pinned, &err) == ERR_PROTOCOL &&
           channel.tls == NULL,
       "not with plaintext that was not read: %s", err.text);
    channel_read(&channel, &plain, &err);
    channel_write(&channel, B("LOGIN"), &n, &err);
    ok(channel_start_tls(&channel, pinned, &err) == ERR_PROTOCOL &&
           channel.tls == NULL,
       "nor with plaintext that was not sent");
    channel_sent(&channel, n);
    ok(channel_start_tls(&channel, context, &err) == ERR_CONNECT,
       "nor without what to trust: %s", err.text);
    channel_deinit(&channel);

    channel_init(&channel);
    ok(channel_start_tls(&channel, pinned, &err) == 0 && !channel.is_open,
       "TLS begins");
    ok(channel_write(&channel, B("LOGIN"), &n, &err) == 0 && n == 0 &&
           channel_queued(&channel) == 0,
       "before the handshake is done nothing goes out");
    ok(channel_read(&channel, &plain, &err) == 0 && plain.len == 0 &&
           channel_output(&channel).len > 0 && !channel.is_open,
       "but its own first bytes");
    channel_deinit(&channel);
    tls_context_free(context);
    tls_context_free(pinned);
}

int main(void)
{
    test_in();
    test_out();
    test_start_tls();
    return done_testing();
}
