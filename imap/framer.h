/*
 * Cuts the server's byte stream into responses. It resumes at any byte and
 * never looks at one twice. Literals stay in place inside their response, but
 * the literal of a FETCH item BODY[...] is handed on piece by piece, so that
 * no message is ever held. RFC 9051 sections 4.3 and 7.
 */
#ifndef IMAP_FRAMER_H
#define IMAP_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum framer_kind {
    FRAMER_TEXT, /* a response to its end, or what follows a body of it */
    FRAMER_HEAD, /* a response up to "{size}" of a body, which follows */
    FRAMER_DATA, /* octets of the body */
    FRAMER_DATA_END
};

struct framer {
    struct buf in;
    size_t taken;       /* of in: given out, to be dropped */
    size_t line;        /* of in: where the current line begins */
    size_t scan;        /* of in: no line end before here; may lie ahead */
    size_t inlined;     /* octets of literals in this response so far */
    unsigned literals;  /* of this response so far */
    bool in_body;       /* octets of a body come next */
    bool continued;     /* the rest of a FETCH response comes next */
    uint64_t body_left; /* octets */
};

struct framer_piece {
    enum framer_kind kind;
    struct bytes text;  /* TEXT, HEAD without the line end; DATA */
    uint64_t body_size; /* HEAD */
};

void framer_init(struct framer *framer);
void framer_deinit(struct framer *framer);

/* Where to put @size bytes that arrive; borrowed until the next call that takes
 * @framer. */
char *framer_room(struct framer *framer, size_t size);

/* @n bytes were put into framer_room(). */
void framer_fed(struct framer *framer, size_t n);

/**
 * Take the next piece. What @piece points to is borrowed until the next
 * framer_room() or framer_next(); behind a framer_room() framer_text() has it.
 *
 * Returns 0; 1 where more input is needed; ERR_PROTOCOL for a literal without
 *   a size; ERR_LIMIT past a limit of session.h. After a failure the stream
 *   is lost.
 */
int framer_next(struct framer *framer, struct framer_piece *piece,
                struct err *err);

/* All that was fed from the beginning of the piece given out last. */
struct bytes framer_text(const struct framer *framer);

/* Bytes fed and not given out. */
size_t framer_rest(const struct framer *framer);

/* Take them back; borrowed until the next framer_room(). Only behind a whole
 * response. */
struct bytes framer_take_rest(struct framer *framer);

#endif
