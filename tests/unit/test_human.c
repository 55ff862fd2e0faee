#include <string.h>

#include "cmd/human.h"
#include "tests/tap.h"

static void check(struct buf *out, const char *expected)
{
    ok(strcmp(buf_text(out), expected) == 0, "%s", expected);
    buf_clear(out);
}

static void test_amounts(struct buf *out)
{
    human_bytes(out, 0);
    check(out, "0 bytes");
    human_bytes(out, 1023);
    check(out, "1023 bytes");
    human_bytes(out, 1024);
    check(out, "1.0 KB");
    human_bytes(out, 1048575);
    check(out, "1.0 MB");
    human_bytes(out, 132ull << 20);
    check(out, "132.0 MB");
    human_bytes(out, UINT64_MAX);
    check(out, "16.0 EB");
    human_count(out, 1, "message");
    check(out, "1 message");
    human_count(out, 0, "message");
    check(out, "0 messages");
}

static void test_times(struct buf *out)
{
    time_t when = 0;

    human_seconds(out, 1.94);
    check(out, "1.9 s");
    human_seconds(out, 59.99);
    check(out, "1:00");
    human_seconds(out, 187.2);
    check(out, "3:07");
    human_seconds(out, 7387.0);
    check(out, "2:03:07");
    human_clock(out, 7.0);
    check(out, "0:07");
    human_age(out, -5);
    check(out, "just now");
    human_age(out, 60);
    check(out, "1 minute ago");
    human_age(out, 7200);
    check(out, "2 hours ago");
    human_age(out, 86400 * 3 + 5);
    check(out, "3 days ago");
    human_rfc3339(out, 1738367999);
    check(out, "2025-01-31T23:59:59Z");
    ok(human_parse_rfc3339("2025-01-31T23:59:59Z", &when) && when == 1738367999,
       "RFC 3339 and back");
    ok(!human_parse_rfc3339("yesterday", &when) &&
           !human_parse_rfc3339("2025-01-31T23:59:59Zx", &when),
       "no time");
}

int main(void)
{
    struct buf out;

    buf_init(&out, 0);
    test_amounts(&out);
    test_times(&out);
    buf_deinit(&out);
    return done_testing();
}
