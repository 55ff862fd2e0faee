/* Amounts and times as people read them. All append to a buffer. */
#ifndef CMD_HUMAN_H
#define CMD_HUMAN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

/* "512 bytes", "1.0 MB": powers of 1,024. */
void human_bytes(struct buf *out, uint64_t bytes);

/* "1.9 s", "3:07", "2:03:07". */
void human_seconds(struct buf *out, double seconds);

/* "0:07", "3:07", "2:03:07". */
void human_clock(struct buf *out, double seconds);

/* "just now", "3 minutes ago", "2 days ago". */
void human_age(struct buf *out, int64_t seconds);

/* "1 message", "3 messages"; @thing in the singular. */
void human_count(struct buf *out, uint64_t n, const char *thing);

/* RFC 3339 in UTC: "2025-01-31T23:59:59Z". */
void human_rfc3339(struct buf *out, time_t when);

/* The time that human_rfc3339() printed; false where it is none. */
bool human_parse_rfc3339(const char *text, time_t *when);

/* Local time: "2025-01-31 23:59:59". */
void human_time(struct buf *out, time_t when);

#endif
