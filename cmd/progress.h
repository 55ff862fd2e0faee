/*
 * The line that tells how far a run is. Pure: values in, text out; console.c
 * shows it.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stddef.h>

#include "base/buf.h"
#include "sync/report.h"

#define PROGRESS_INTERVAL_MS 200u

/* How fast it goes: an average in which the last seconds count most. A zeroed
 * struct is the start. */
struct progress_rate {
    double at; /* seconds, when it was last taken */
    uint64_t bytes;
    uint32_t messages;
    double bytes_per_second;
    double messages_per_second;
};

/* Take the pace at @now, seconds on any clock that does not jump. */
void progress_measure(struct progress_rate *rate,
                      const struct run_progress *progress, double now);

/* Add what one of several runs has done to @sum, a zeroed struct at the start.
 * Its phase is that of all; "working" where they differ. It waits for a server
 * where all wait. */
void progress_add(struct run_progress *sum, const struct run_progress *one);

/**
 * Append "work: copying, 3/20 folders, 120/10000 messages, 1.2 MB of 132.0 MB,
 * 1.1 MB/s, 2:01 left", without line end.
 *
 * @name     of the pair, or what stands for several
 * @columns  cut to so many characters
 */
void progress_line(const char *name, const struct run_progress *progress,
                   const struct progress_rate *rate, size_t columns,
                   struct buf *out);

#endif
