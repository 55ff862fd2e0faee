/* Mailbox names on the wire: modified UTF-7. RFC 3501 section 5.1.3. */
#ifndef IMAP_MUTF7_H
#define IMAP_MUTF7_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"

/* Append the modified UTF-7 form of @text (valid UTF-8). Returns false, with
 * nothing appended, where @text is not valid. */
bool mutf7_encode(struct bytes text, struct buf *out);

/* Append the UTF-8 form. Returns false, with nothing appended, for what is not
 * canonical: it would not come back to the same bytes. */
bool mutf7_decode(struct bytes text, struct buf *out);

#endif
