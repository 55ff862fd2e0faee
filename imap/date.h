/* INTERNALDATE: "dd-Mon-yyyy hh:mm:ss +zzzz". RFC 9051 section 9. */
#ifndef IMAP_DATE_H
#define IMAP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define DATE_TEXT_BYTES 27

/* Read a date-time without its quotes, the day padded or not. Returns false
 * for anything else ("00-Jan-0000", month 13, zone +2500); @seconds is then
 * not set. */
bool date_parse(struct bytes text, int64_t *seconds);

/* Print @seconds since 1970 in UTC, NUL-terminated: 26 characters. Years are
 * held within 1 to 9999. */
void date_print(int64_t seconds, char out[DATE_TEXT_BYTES]);

#endif
