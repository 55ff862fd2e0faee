/* What ties a login to the TLS connection that it is made on (RFC 5056): the
 * same octets at both ends, others with somebody in between. */
#ifndef IMAP_BINDING_H
#define IMAP_BINDING_H

#include <stddef.h>
#include <stdint.h>

#define BINDING_BYTES_MAX 64u

enum binding_kind {
    BINDING_NONE,
    BINDING_TLS_EXPORTER, /* RFC 9266 */
    BINDING_TLS_UNIQUE    /* RFC 5929 section 3 */
};

struct binding {
    enum binding_kind kind;
    size_t len;
    uint8_t octets[BINDING_BYTES_MAX];
};

#endif
