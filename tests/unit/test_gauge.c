/* imap/gauge.c: when a link counts as slow. */
#include "imap/gauge.h"
#include "tests/tap.h"

#define MS ((uint64_t)1000 * 1000)
#define MB ((uint64_t)1 << 20)

/* A link as it shows: reads of @read bytes, each after @wait_us. */
struct link {
    const char *what;
    uint64_t trip_ms;
    unsigned n;
    size_t read;
    uint64_t wait_us;
    bool slow;
};

static const struct link links[] = {
    {"nothing measured yet",             50,  0,     0,     0,      false},
    {"1 MB/s, 50 ms",                    50,  2000,  1448,  1448,   true },
    {"1 MB/s, 50 ms, 0.8 s of it",       50,  550,   1448,  1448,   false},
    {"1 MB/s, 50 ms, 1.2 s of it",       50,  830,   1448,  1448,   true },
    {"7 MB/s, 50 ms",                    50,  5000,  2896,  400,    true },
    {"9 MB/s, 50 ms",                    50,  5000,  2896,  300,    false},
    {"100 MB/s, 50 ms",                  50,  20000, 65536, 600,    false},
    {"a telephone line: 5 KB/s, 200 ms", 200, 181,   1448,  280000, false},
    {"and its second quarter of a MB",   200, 182,   1448,  280000, true },
    {"loopback, fast",                   1,   5000,  65536, 200,    false},
    {"loopback, the server's disk slow", 1,   5000,  65536, 60000,  false},
    {"the same room, and Wi-Fi",         4,   5000,  1448,  1448,   false},
    {"the same town, and ADSL",          6,   5000,  1448,  1448,   true },
};

static struct gauge shown(const struct link *link, bool out)
{
    struct gauge gauge = {0};
    struct gauge_way *way = out ? &gauge.out : &gauge.in;
    uint64_t now = 1000 * MS;

    gauge_trip(&gauge, link->trip_ms * MS);
    for (unsigned i = 0; i < link->n; i++) {
        gauge_wait(way, now);
        now += link->wait_us * 1000;
        gauge_move(way, now, link->read);
        now += 5 * MS; /* we were busy: that is not the link's fault */
    }
    return gauge;
}

static void test_links(void)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct gauge in = shown(&links[i], false);
        struct gauge out = shown(&links[i], true);

        ok(gauge_is_slow(&in) == links[i].slow &&
               gauge_is_slow(&out) == links[i].slow,
           "%s: %s", links[i].what, links[i].slow ? "slow" : "not slow");
    }
}

static void test_ways(void)
{
    struct gauge gauge = shown(&links[6], false);
    struct gauge slow = shown(&links[1], true);

    ok(gauge_rate(&gauge) > 90 * MB, "a fast way: %u MB/s",
       (unsigned)(gauge_rate(&gauge) / MB));
    gauge.out = slow.out;
    ok(gauge_is_slow(&gauge) && gauge_rate(&gauge) < 2 * MB,
       "the slower way counts: %u kB/s", (unsigned)(gauge_rate(&gauge) / 1000));
}

/* Two connections that wait at the same time wait once. */
static void test_together(void)
{
    struct gauge_way way = {0};

    gauge_wait(&way, 10 * MS);
    gauge_move(&way, 20 * MS, 1000); /* the first */
    gauge_wait(&way, 21 * MS);
    gauge_move(&way, 24 * MS, 1000); /* the second, which waited, too */
    ok(way.waited_ns == 13 * MS && way.bytes == 2000,
       "two at once: 2000 bytes in 13 ms");
}

static void test_trips(void)
{
    struct gauge gauge = {0};

    ok(!gauge_pays(&gauge, UINT64_MAX), "nothing pays before a round trip");
    gauge_trip(&gauge, 60 * MS);
    gauge_trip(&gauge, 50 * MS);
    gauge_trip(&gauge, 300 * MS);
    ok(gauge.trip_ns == 50 * MS, "the shortest counts");
}

/* 45 bytes a message for its flags. */
static void test_pays(void)
{
    static const struct {
        uint64_t trip_ms;
        uint64_t messages;
        bool pays;
    } listings[] = {
        {50,  200000,  true },
        {50,  20000,   true },
        {50,  10000,   false},
        {200, 200000,  true },
        {200, 20000,   false},
        {6,   200000,  true },
        {10,  1000,    false},
        {0,   200000,  false},
        {1,   1000000, false},
    };

    for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++) {
        struct gauge gauge = {0};

        gauge_trip(&gauge, listings[i].trip_ms * MS);
        ok(gauge_pays(&gauge, listings[i].messages * 45) == listings[i].pays,
           "flags of %u messages, %u ms away: %s",
           (unsigned)listings[i].messages, (unsigned)listings[i].trip_ms,
           listings[i].pays ? "pays" : "does not pay");
    }
}

int main(void)
{
    test_links();
    test_ways();
    test_together();
    test_trips();
    test_pays();
    return done_testing();
}
