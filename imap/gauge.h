/*
 * Is the link the bottleneck? Measured over all connections of an account while
 * they do their ordinary work: how much moves in the time in which nothing but
 * the link was waited for, and how long a round trip is.
 */
#ifndef IMAP_GAUGE_H
#define IMAP_GAUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Less came at once: the server, not the link, was what it was waited for. */
#define GAUGE_READ_BYTES ((size_t)1 << 10)

/* One direction. */
struct gauge_way {
    uint64_t since_ns;
    uint64_t waited_ns;
    uint64_t bytes; /* that moved by waiting */
};

/* Zeroed at the start. */
struct gauge {
    struct gauge_way in;
    struct gauge_way out;
    uint64_t trip_ns; /* the shortest round trip; 0: none yet */
};

/* An answer came @ns after its question, and nothing in between. */
void gauge_trip(struct gauge *gauge, uint64_t ns);

/* From now on some connection waits for the link; others that did so before
 * begin anew, because we were busy meanwhile. */
void gauge_wait(struct gauge_way *way, uint64_t now_ns);

/* The wait is over for one of them: @bytes moved in the midst of more. */
void gauge_move(struct gauge_way *way, uint64_t now_ns, size_t bytes);

/* Is the link so slow, in either direction, that to compress is sure to pay? */
bool gauge_is_slow(const struct gauge *gauge);

/* Is it sure to pay to compress a listing of so many bytes, though nothing is
 * known of the link's rate yet? Listings deflate to a sixth, faster than all but
 * the fastest links. */
bool gauge_pays(const struct gauge *gauge, uint64_t bytes);

/* Bytes per second of the slower direction; 0: not known. */
uint64_t gauge_rate(const struct gauge *gauge);

#endif
