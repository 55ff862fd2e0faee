/* imap/deflate.c against zlib itself at the other end: any cut of the stream,
 * bombs, garbage, and what ends too soon. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "imap/deflate.h"
#include "tests/random.h"
#include "tests/tap.h"

#define ROOM_BYTES   ((size_t)16 << 10)
#define TEXT_BYTES   ((size_t)300 << 10)
#define BOMB_BYTES   ((size_t)64 << 20)
#define CUT_SEEDS    200u
#define FLIGHT_BYTES 2000u

/* Mail, lists and random octets in turn. */
static struct bytes make_text(uint64_t seed)
{
    struct random random = {seed};
    struct buf text;

    buf_init(&text, 0);
    while (buf_len(&text) < TEXT_BYTES) {
        uint32_t uid = random_below(&random, 100000);

        switch (random_below(&random, 3)) {
        case 0:
            buf_printf(&text, "* %u FETCH (UID %u FLAGS (\\Seen))\r\n", uid,
                       uid);
            break;
        case 1:
            for (int i = 0; i < 500; i++)
                buf_add_char(&text, (char)random_below(&random, 256));
            break;
        default:
            for (uint32_t i = 0; i < uid / 100; i++)
                buf_add_char(&text, 'x');
            break;
        }
    }
    return buf_peek(&text);
}

static void text_free(struct bytes text)
{
    free((void *)(uintptr_t)text.ptr);
}

/* What zlib makes of @text; @windows  window bits of it; @end  as finished. */
static struct bytes pack(struct bytes text, int window_bits, int level,
                         bool end)
{
    z_stream out = {0};
    size_t size = text.len + text.len / 8 + 1000;
    char *packed = mem_new(size, 1);

    deflateInit2(&out, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY);
    out.next_in = (Bytef *)(uintptr_t)text.ptr;
    out.avail_in = (uInt)text.len;
    out.next_out = (Bytef *)packed;
    out.avail_out = (uInt)size;
    deflate(&out, end ? Z_FINISH : Z_SYNC_FLUSH);
    size -= out.avail_out;
    deflateEnd(&out);
    return (struct bytes){packed, size};
}

/* Feed @packed in pieces of 1 to @step octets (0: at once), read with rooms of
 * 1 to @room octets, and hold what comes against @want, up to its end. Returns
 * what deflate_read() said last. */
static int unpack(struct bytes packed, uint32_t step, uint32_t room,
                  struct bytes want, size_t *got, struct err *err)
{
    struct deflate *deflate = deflate_new();
    struct random random = {step + 1};
    char *out = mem_new(ROOM_BYTES, 1);
    int r = 0;

    *got = 0;
    while (r == 0) {
        size_t n;
        size_t size = room == 0 ? ROOM_BYTES : 1 + random_below(&random, room);

        r = deflate_read(deflate, out, size, &n, err);
        if (r < 0)
            break;
        if (n > want.len - *got || memcmp(out, want.ptr + *got, n) != 0)
            r = -1000;
        *got += n;
        if (r == 0 && n == 0) {
            size_t piece =
                step == 0 ? packed.len : 1 + random_below(&random, step);

            if (packed.len == 0)
                break;
            piece = piece < packed.len ? piece : packed.len;
            deflate_feed(deflate, (struct bytes){packed.ptr, piece});
            packed = bytes_skip(packed, piece);
        }
    }
    deflate_free(deflate);
    free(out);
    return r;
}

static void test_cuts(void)
{
    static const int windows[] = {15, 14, 9};

    static const struct {
        uint32_t step;
        uint32_t room;
    } cuts[] = {
        {0,    0  },
        {1,    0  },
        {1,    1  },
        {0,    1  },
        {7,    3  },
        {3000, 100}
    };
    struct bytes text = make_text(1);
    unsigned bad = 0;

    for (size_t w = 0; w < 3; w++) {
        struct bytes packed = pack(text, windows[w], 6, false);

        for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
            struct err err = {""};
            size_t got;
            int r =
                unpack(packed, cuts[i].step, cuts[i].room, text, &got, &err);

            ok(r == 0 && got == text.len,
               "a window of %d bits, in pieces of %u, into rooms of %u: %zu%s",
               windows[w], cuts[i].step, cuts[i].room, got, err.text);
        }
        text_free(packed);
    }
    text_free(text);
    for (unsigned seed = 1; seed <= CUT_SEEDS; seed++) {
        struct random random = {seed};
        struct bytes some = make_text(seed);
        struct bytes packed;
        struct err err;
        size_t got;

        some.len = random_below(&random, (uint32_t)some.len);
        packed = pack(some, 15, (int)random_below(&random, 10), false);
        bad += unpack(packed, 1 + random_below(&random, 20000),
                      random_below(&random, 16000), some, &got, &err) != 0 ||
               got != some.len;
        text_free(packed);
        text_free(some);
    }
    ok(bad == 0, "%u texts cut at random", CUT_SEEDS);
}

/* 64 MB of nothing in 64 KB: expanded as far as there is room, and not before
 * that is asked for. */
static void test_bomb(void)
{
    struct bytes nothing = {mem_new(BOMB_BYTES, 1), BOMB_BYTES};
    struct bytes packed = pack(nothing, 15, 9, false);
    struct deflate *deflate = deflate_new();
    struct deflate_sums sums;
    char out[100];
    size_t n;
    struct err err;

    deflate_feed(deflate, packed);
    ok(deflate_read(deflate, out, sizeof(out), &n, &err) == 0 &&
           n == sizeof(out),
       "%zu bytes that stand for %zu give as many as there is room for",
       packed.len, nothing.len);
    sums = deflate_sums(deflate);
    ok(sums.in_plain == sizeof(out) && sums.in_wire < 200,
       "and of them, %u are looked at", (unsigned)sums.in_wire);
    deflate_free(deflate);
    ok(unpack(packed, 0, 0, nothing, &n, &err) == 0 && n == nothing.len,
       "all of it is there for who wants it");
    text_free(packed);
    text_free(nothing);
}

static void test_garbage(void)
{
    struct bytes text = make_text(3);
    struct bytes packed = pack(text, 15, 6, false);
    struct random random = {7};
    struct err err = {""};
    unsigned refused = 0;
    unsigned other = 0;
    size_t got;

    ok(unpack(B("* OK this is IMAP as it was\r\n"), 0, 0, text, &got, &err) ==
           ERR_CONNECT,
       "what is not compressed: %s", err.text);
    ok(unpack(B("\x07 a block of no kind"), 0, 0, text, &got, &err) ==
               ERR_CONNECT &&
           strstr(err.text, "compressed stream is broken: ") != NULL,
       "a block of no kind: %s", err.text);
    for (int i = 0; i < 300; i++) {
        char *at = (char *)(uintptr_t)packed.ptr + random_below(&random, 20000);
        char was = *at;
        int r;

        *at = (char)(was ^ (1 << random_below(&random, 8)));
        r = unpack(packed, 0, 0, text, &got, &err);
        refused += r == ERR_CONNECT;
        other += r == -1000; /* it is a stream of something else */
        *at = was;
    }
    ok(refused > 0 && refused + other == 300,
       "one bit changed: %u refused, %u another text", refused, other);
    text_free(packed);
    text_free(text);
}

static void test_ends(void)
{
    struct bytes text = B("* BYE see you\r\n");
    struct bytes packed = pack(text, 15, 6, true);
    struct err err = {""};
    unsigned bad = 0;
    size_t got;

    ok(unpack(packed, 0, 0, text, &got, &err) == 1 && got == text.len,
       "the server may end the stream");
    for (size_t len = 0; len < packed.len; len++) {
        bad += unpack((struct bytes){packed.ptr, len}, 0, 0, text, &got,
                      &err) != 0;
    }
    ok(bad == 0, "what is cut short waits for more");
    text_free(packed);
    packed = pack(B(""), 15, 6, true);
    ok(unpack(packed, 0, 0, text, &got, &err) == 1 && got == 0,
       "a stream of nothing");
    text_free(packed);
}

/* One end and zlib at the other, flight by flight, taking the output in pieces.
 * Returns whether each flight could be read when it was flushed. */
static bool send_flights(struct bytes text, uint32_t piece, size_t *sent)
{
    struct deflate *deflate = deflate_new();
    struct random random = {piece};
    z_stream in = {0};
    char *out = mem_new(TEXT_BYTES * 2, 1);
    bool good = true;
    size_t given = 0;

    inflateInit2(&in, -15);
    in.next_out = (Bytef *)out;
    in.avail_out = (uInt)TEXT_BYTES * 2;
    *sent = 0;
    while (good && given < text.len) {
        size_t end = given + 1 + random_below(&random, FLIGHT_BYTES * 20);
        bool flushed = false;

        end = end < text.len ? end : text.len;
        while (!flushed || deflate_output(deflate).len > 0) {
            struct bytes ready;

            given += deflate_write(
                deflate, (struct bytes){text.ptr + given, end - given});
            if (given == end)
                flushed = deflate_flush(deflate);
            ready = deflate_output(deflate);
            if (ready.len > piece)
                ready.len = 1 + random_below(&random, piece);
            in.next_in = (Bytef *)(uintptr_t)ready.ptr;
            in.avail_in = (uInt)ready.len;
            good &= ready.len == 0 || inflate(&in, Z_SYNC_FLUSH) == Z_OK;
            deflate_sent(deflate, ready.len);
            *sent += ready.len;
        }
        good &= in.total_out == given && memcmp(out, text.ptr, given) == 0;
    }
    good &= deflate_sums(deflate).out_wire == *sent &&
            deflate_sums(deflate).out_plain == text.len;
    inflateEnd(&in);
    deflate_free(deflate);
    free(out);
    return good;
}

static void test_out(void)
{
    static const uint32_t pieces[] = {1 << 20, 1, 100, 16000};
    struct bytes text = make_text(5);
    struct deflate *deflate = deflate_new();
    size_t sent;
    size_t n;

    for (size_t i = 0; i < 4; i++) {
        bool good = send_flights(text, pieces[i], &sent);

        ok(good && sent < text.len,
           "flights, taken by at most %u: each is understood at its end: "
           "%zu bytes as %zu",
           pieces[i], text.len, sent);
    }
    ok(deflate_flush(deflate) && deflate_output(deflate).len == 0,
       "nothing to flush, nothing to send");
    deflate_write(deflate, B("a1 NOOP\r\n"));
    ok(deflate_flush(deflate), "flushed");
    n = deflate_output(deflate).len;
    ok(deflate_flush(deflate) && deflate_output(deflate).len == n,
       "once: a second time costs nothing");
    deflate_free(deflate);
    deflate_free(NULL);
    text_free(text);
}

int main(void)
{
    test_cuts();
    test_bomb();
    test_garbage();
    test_ends();
    test_out();
    return done_testing();
}
