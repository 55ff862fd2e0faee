/* The byte queue: limits, order, and that it is not moved for every byte. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/random.h"
#include "tests/tap.h"

static void test_add_and_take(void)
{
    struct buf buf;

    buf_init(&buf, 0);
    ok(buf_len(&buf) == 0 && buf_peek(&buf).len == 0, "starts empty");
    ok(buf_peek(&buf).ptr != NULL, "an empty queue has a place");
    ok(buf_add(&buf, (struct bytes){NULL, 0}), "nothing can be added");
    ok(buf_add(&buf, B("hello")) && buf_add_char(&buf, ' ') &&
           buf_add(&buf, B("world")),
       "adds");
    ok(bytes_equal(buf_peek(&buf), B("hello world")), "peeks at all of it");
    buf_ack(&buf, 6);
    ok(bytes_equal(buf_peek(&buf), B("world")), "takes from the front");
    ok(strcmp(buf_text(&buf), "world") == 0, "is a C string");
    ok(buf_len(&buf) == 5, "whose NUL does not count");
    buf_ack(&buf, 5);
    ok(buf_len(&buf) == 0 && buf.start == 0, "starts anew once all is taken");
    ok(strcmp(buf_text(&buf), "") == 0, "an empty C string");
    buf_add(&buf, B("x"));
    buf_clear(&buf);
    ok(buf_len(&buf) == 0 && buf.cap > 0, "clearing keeps the memory");
    buf_deinit(&buf);
    ok(buf.ptr == NULL && buf.cap == 0, "deinit frees it");
    ok(buf_add(&buf, B("y")), "and it may be used again");
    buf_deinit(&buf);
}

static void test_limit(void)
{
    struct buf buf;

    buf_init(&buf, 10);
    ok(buf_add(&buf, B("1234567890")), "filled to the limit");
    ok(!buf_add(&buf, B("x")), "no byte more");
    ok(!buf_add_char(&buf, 'x'), "no character more");
    ok(!buf_printf(&buf, "%d", 1), "no printf more");
    ok(buf_add(&buf, B("")), "nothing fits always");
    ok(bytes_equal(buf_peek(&buf), B("1234567890")), "nothing was queued");
    buf_ack(&buf, 4);
    ok(!buf_add(&buf, B("abcde")), "the limit counts what is held");
    ok(buf_printf(&buf, "%s", "abcd"), "and room that was made");
    ok(bytes_equal(buf_peek(&buf), B("567890abcd")), "all or nothing");
    memset(buf_reserve(&buf, 20), 'z', 20);
    buf_commit(&buf, 20);
    ok(buf_len(&buf) == 30, "reserve ignores the limit");
    ok(!buf_add_char(&buf, 'x'), "which then refuses the more");
    buf_deinit(&buf);
    ok(buf.max == 10, "deinit keeps the limit");
}

static void test_printf(void)
{
    char large[5000];
    struct buf buf;

    memset(large, 'a', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    buf_init(&buf, 0);
    ok(buf_printf(&buf, "%s-%d", large, 5), "prints more than was reserved");
    ok(buf_len(&buf) == sizeof(large) + 1, "all of it");
    ok(memcmp(buf_text(&buf) + sizeof(large) - 2, "a-5", 4) == 0, "to its end");
    for (size_t len = 100; len < 600; len++) {
        struct bytes want = {large, len};

        buf_clear(&buf);
        buf_printf(&buf, "%.*s", (int)len, large);
        if (!bytes_equal(buf_peek(&buf), want))
            break;
    }
    ok(buf_len(&buf) == 599, "any length around the edges of the memory");
    buf_deinit(&buf);
}

/* A queue that stays nearly full: the memory must stay bounded. */
static void test_steady_flow(void)
{
    const size_t held = 10000;
    struct buf buf;
    unsigned char in = 0;
    unsigned char out = 0;
    bool good = true;

    buf_init(&buf, held);
    while (buf_len(&buf) < held)
        buf_add_char(&buf, (char)in++);
    for (size_t i = 0; i < 1000000 && good; i++) {
        good = (unsigned char)buf_peek(&buf).ptr[0] == out++;
        buf_ack(&buf, 1);
        good = good && buf_add_char(&buf, (char)in++);
    }
    ok(good, "a million bytes pass in order");
    ok(buf.cap <= held * 4, "in bounded memory: %zu bytes", buf.cap);
    buf_deinit(&buf);
}

static void test_random(void)
{
    static char model[200000];
    size_t start = 0;
    size_t end = 0;
    bool same = true;
    struct random random = {.state = 1};
    struct buf buf;

    buf_init(&buf, 0);
    while (end + 1000 < sizeof(model) && same) {
        size_t n = random_below(&random, 700);

        if (random_below(&random, 2) == 0) {
            for (size_t i = 0; i < n; i++)
                model[end + i] = (char)random_below(&random, 256);
            buf_add(&buf, (struct bytes){model + end, n});
            end += n;
        } else {
            n = n < end - start ? n : end - start;
            buf_ack(&buf, n);
            start += n;
        }
        same = bytes_equal(buf_peek(&buf),
                           (struct bytes){model + start, end - start});
    }
    ok(same, "adds and takes of any size (seed 1)");
    buf_deinit(&buf);
}

int main(void)
{
    test_add_and_take();
    test_limit();
    test_printf();
    test_steady_flow();
    test_random();
    return done_testing();
}
