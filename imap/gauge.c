#include "imap/gauge.h"

/*
 * The numbers. One core of a server deflates 30 to 60 MB/s of mail, and makes
 * three quarters of it (base64) or less: below 8 MB/s that is sure to win, also
 * where a server that serves several connections shares its cores.
 *
 * A server with a slow disk is as slow, and to compress would not help. It is
 * not told apart by its rate, so the round trip says whether there is a link to
 * speak of: what is nearer than 5 ms is this machine, or the next one.
 *
 * To switch a connection costs it up to two round trips: it is emptied, and
 * asks. It does so when it has waited for ten times as long, so that even where
 * nothing more is to come, little is lost; by then the start of TCP, which
 * doubles its rate with each round trip, does not count any more, either.
 *
 * A listing that takes twice a round trip at that rate is worth one, to switch
 * before it: where the link is faster, no more is lost than that.
 */
#define SLOW_BYTES_S ((uint64_t)8 << 20)
#define FAR_NS       ((uint64_t)5 * 1000 * 1000)
#define PAYS_TRIPS   20u
#define SAMPLE_BYTES ((uint64_t)256 << 10)

void gauge_trip(struct gauge *gauge, uint64_t ns)
{
    if (gauge->trip_ns == 0 || ns < gauge->trip_ns)
        gauge->trip_ns = ns == 0 ? 1 : ns;
}

void gauge_wait(struct gauge_way *way, uint64_t now_ns)
{
    way->since_ns = now_ns;
}

void gauge_move(struct gauge_way *way, uint64_t now_ns, size_t bytes)
{
    way->waited_ns += now_ns - way->since_ns;
    way->since_ns = now_ns;
    way->bytes += bytes;
}

static uint64_t rate(const struct gauge_way *way)
{
    uint64_t us = way->waited_ns / 1000;

    return way->bytes * 1000 * 1000 / (us == 0 ? 1 : us);
}

static bool is_sampled(const struct gauge *gauge, const struct gauge_way *way)
{
    return way->bytes >= SAMPLE_BYTES &&
           way->waited_ns >= PAYS_TRIPS * gauge->trip_ns;
}

uint64_t gauge_rate(const struct gauge *gauge)
{
    const struct gauge_way *ways[] = {&gauge->in, &gauge->out};
    uint64_t slower = 0;

    for (size_t i = 0; i < 2; i++) {
        if (is_sampled(gauge, ways[i]) &&
            (slower == 0 || rate(ways[i]) < slower))
            slower = rate(ways[i]);
    }
    return slower;
}

bool gauge_is_slow(const struct gauge *gauge)
{
    uint64_t slower = gauge_rate(gauge);

    return gauge->trip_ns >= FAR_NS && slower > 0 && slower < SLOW_BYTES_S;
}

bool gauge_pays(const struct gauge *gauge, uint64_t bytes)
{
    uint64_t trip_us = gauge->trip_ns / 1000;

    return gauge->trip_ns >= FAR_NS &&
           bytes / 2 >= SLOW_BYTES_S * trip_us / 1000 / 1000;
}
