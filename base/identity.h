/*
 * What tells one message from another where no pair is on record: a digest of
 * a fixed set of header fields, and, where that is not enough, of the whole
 * message. Both are computed over the form with CRLF line ends, so that an
 * IMAP server and a Maildir agree.
 */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"

/* The fields, as in BODY.PEEK[HEADER.FIELDS (...)]. */
#define IDENTITY_FIELDS "MESSAGE-ID DATE FROM TO CC SUBJECT CONTENT-TYPE"

/* Those that even a server keeps that makes every message anew. */
#define IDENTITY_ENVELOPE "MESSAGE-ID DATE FROM SUBJECT"

#define IDENTITY_HEADER_BYTES_MAX ((size_t)256 * 1024)

struct identity {
    uint64_t size;                /* octets with CRLF line ends; 0: unknown */
    int64_t date;                 /* INTERNALDATE, seconds since 1970 */
    bool has_header;              /* at least one of the fields is there */
    uint8_t digest[DIGEST_BYTES]; /* of the fields, or of the whole message */
};

enum identity_set {
    IDENTITY_BY_FIELDS,  /* IDENTITY_FIELDS, in the order of arrival */
    IDENTITY_BY_ENVELOPE /* IDENTITY_ENVELOPE, in any order */
};

/*
 * Digests the fields of a header that arrives in pieces. Only those of its set
 * count; names in upper case, folding
 * undone, runs of white space as one blank, line ends LF or CRLF alike. It
 * stops at the first empty line, or after IDENTITY_HEADER_BYTES_MAX of what is
 * digested: what is left out does not count, so that a header and its
 * HEADER.FIELDS alone give the same.
 */
struct identity_reader;

struct identity_reader *identity_reader_new(enum identity_set set);
void identity_reader_free(struct identity_reader *reader);

/* More of the header; what comes behind its end is ignored. */
void identity_reader_add(struct identity_reader *reader, struct bytes text);

/* True when the end of the header was seen: nothing more is needed. */
bool identity_reader_done(const struct identity_reader *reader);

/* The result into out->digest and out->has_header; starts anew. */
void identity_reader_final(struct identity_reader *reader,
                           struct identity *out);

#endif
