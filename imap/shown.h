/* A peer's line made fit for an error text: cut, control characters shown. */
#ifndef IMAP_SHOWN_H
#define IMAP_SHOWN_H

#include "base/bytes.h"

#define SHOWN_BYTES_MAX 100 /* of the line, before they are made harmless */

struct shown {
    char text[SHOWN_BYTES_MAX * sizeof("\\xNN") + sizeof("...")];
};

/* The beginning of @line, NUL-terminated; "..." where there is more:
 *     err_set(err, code, "not understood: %s", shown_line(line).text) */
struct shown shown_line(struct bytes line);

#endif
