/* imap/channel.c without TLS; what it does with TLS, test_conn.c tests. The
 * other end is another one. */
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

static struct bytes read_some(struct channel *channel, char *room)
{
    struct err err = {""};
    size_t n;
    int r = channel_read(channel, room, CHANNEL_READ_BYTES, &n, &err);

    return r == 0 ? (struct bytes){room, n} : B("failed");
}

static void test_in(void)
{
    struct channel channel;
    char room[CHANNEL_READ_BYTES];

    channel_init(&channel);
    ok(read_some(&channel, room).len == 0, "nothing came");
    feed(&channel, "one ");
    feed(&channel, "two");
    ok(bytes_equal(read_some(&channel, room), B("one two")),
       "what came is read as it is");
    ok(read_some(&channel, room).len == 0, "and only once");
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
    char room[CHANNEL_READ_BYTES];
    struct err err = {""};
    size_t n = 0;

    channel_init(&channel);
    feed(&channel, "* CAPABILITY");
    ok(channel_start_tls(&channel, pinned, &err) == ERR_PROTOCOL &&
           channel.tls == NULL,
       "not with plaintext that was not read: %s", err.text);
    read_some(&channel, room);
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
    ok(read_some(&channel, room).len == 0 && channel_output(&channel).len > 0 &&
           !channel.is_open,
       "but its own first bytes");
    channel_deinit(&channel);
    tls_context_free(context);
    tls_context_free(pinned);
}

/* Two ends, of which one stands for the server. */
static void pass(struct channel *from, struct channel *to)
{
    struct bytes out = channel_output(from);
    size_t size;
    char *room = channel_room(to, &size);

    memcpy(room, out.ptr, out.len);
    channel_fed(to, out.len);
    channel_sent(from, out.len);
}

static void say(struct channel *channel, struct bytes text)
{
    struct err err = {""};
    size_t n = 0;

    ok(channel_write(channel, text, &n, &err) == 0 && n == text.len &&
           channel_flush(channel, &err) == 0,
       "said: %.*s", (int)text.len, text.ptr);
}

static void test_start_deflate(void)
{
    struct channel here;
    struct channel there;
    char room[CHANNEL_READ_BYTES];
    struct bytes came;
    struct err err = {""};
    size_t n = 0;

    channel_init(&here);
    channel_init(&there);
    channel_start_deflate(&there, B(""));
    say(&there, B("* 3 EXISTS\r\n"));
    pass(&there, &here);
    came = read_some(&here, room);
    ok(came.len > 0 && !bytes_equal(came, B("* 3 EXISTS\r\n")),
       "it came before we knew that it is compressed");
    channel_start_deflate(&here, came);
    memset(room, 'x', sizeof(room)); /* @came was copied */
    ok(bytes_equal(read_some(&here, room), B("* 3 EXISTS\r\n")),
       "and is understood");
    say(&here, B("a1 NOOP\r\n"));
    ok(channel_queued(&here) == channel_output(&here).len,
       "all that is queued can be sent");
    pass(&here, &there);
    ok(bytes_equal(read_some(&there, room), B("a1 NOOP\r\n")),
       "the other way, too");
    ok(channel_flush(&here, &err) == 0 && channel_output(&here).len == 0,
       "to flush where nothing was written costs nothing");
    say(&there, B("* 4 EXISTS\r\n"));
    pass(&there, &here);
    ok(bytes_equal(read_some(&here, room), B("* 4 EXISTS\r\n")) &&
           read_some(&here, room).len == 0,
       "and on");
    feed(&here, "this is no deflate stream");
    ok(channel_read(&here, room, sizeof(room), &n, &err) == ERR_CONNECT,
       "garbage: %s", err.text);
    channel_deinit(&here);
    channel_deinit(&there);
}

/* More than there is room for, by one that never waits. */
static void test_deflate_full(void)
{
    struct channel here;
    struct channel there;
    char room[CHANNEL_READ_BYTES];
    char *text = mem_new(MUCH, 1);
    size_t given = 0;
    size_t got = 0;
    size_t wrong = 0;
    size_t held = 0;
    struct err err = {""};

    for (size_t i = 0; i < MUCH; i++)
        text[i] = (char)(i * i * 2654435761u >> 24);
    channel_init(&here);
    channel_init(&there);
    channel_start_deflate(&here, B(""));
    channel_start_deflate(&there, B(""));
    while (got < MUCH) {
        struct bytes came;
        size_t n = 1;

        while (n > 0 && given < MUCH) {
            channel_write(&here, (struct bytes){text + given, MUCH - given}, &n,
                          &err);
            given += n;
        }
        if (given == MUCH)
            channel_flush(&here, &err);
        held = channel_queued(&here) > held ? channel_queued(&here) : held;
        if (channel_output(&here).len == 0)
            break;
        pass(&here, &there);
        while ((came = read_some(&there, room)).len > 0 &&
               got + came.len <= MUCH) {
            wrong += memcmp(came.ptr, text + got, came.len) != 0;
            got += came.len;
        }
    }
    ok(got == MUCH && wrong == 0, "%zu bytes came through as they were", got);
    ok(held <= ((size_t)96 << 10), "and no more than %zu of them were held",
       held);
    channel_deinit(&here);
    channel_deinit(&there);
    free(text);
}

int main(void)
{
    test_in();
    test_out();
    test_start_tls();
    test_start_deflate();
    test_deflate_full();
    return done_testing();
}
