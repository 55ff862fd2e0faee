/* What a server offers, as bits. RFC 9051 section 7.2.2. */
#ifndef IMAP_CAPS_H
#define IMAP_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    CAP_IMAP4REV1 = 1 << 0,
    CAP_STARTTLS = 1 << 1,
    CAP_LOGINDISABLED = 1 << 2,
    CAP_SASL_IR = 1 << 3,
    CAP_ENABLE = 1 << 5,
    CAP_CONDSTORE = 1 << 6,
    CAP_QRESYNC = 1 << 7,
    CAP_UIDPLUS = 1 << 8,
    CAP_MOVE = 1 << 9,
    CAP_LITERAL_PLUS = 1 << 10,
    CAP_LITERAL_MINUS = 1 << 11,
    CAP_MULTIAPPEND = 1 << 12,
    CAP_LIST_EXTENDED = 1 << 13,
    CAP_LIST_STATUS = 1 << 14,
    CAP_SPECIAL_USE = 1 << 15,
    CAP_CREATE_SPECIAL_USE = 1 << 16,
    CAP_ESEARCH = 1 << 17,
    CAP_UNSELECT = 1 << 18,
    CAP_NAMESPACE = 1 << 19,
    CAP_ID = 1 << 20,
    CAP_COMPRESS = 1 << 21,
    CAP_OBJECTID = 1 << 22,
    CAP_STATUS_SIZE = 1 << 23,
    CAP_IMAP4REV2 = 1 << 24,
    CAP_CHILDREN = 1 << 25
};

struct caps {
    uint32_t bits;       /* CAP_ */
    uint32_t auth;       /* "AUTH=": 1u << enum sasl_mechanism */
    bool known;          /* a list was seen since the last caps_clear() */
    uint64_t append_max; /* APPENDLIMIT=n (RFC 7889); 0: none said */
};

/* The CAP_ bit of a name in any case; 0 for an unknown one. */
uint32_t caps_bit(struct bytes name);

/* Forget everything: after STARTTLS and after login. */
void caps_clear(struct caps *caps);

/* Replace @caps by the list @text ("IMAP4rev1 IDLE ..."), names in any case,
 * any number of blanks, "LITERAL +" mended; unknown names are ignored. */
void caps_parse(struct caps *caps, struct bytes text);

#endif
