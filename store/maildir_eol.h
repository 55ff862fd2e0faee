/*
 * Line ends: LF on disk, CRLF to the outside. All three work on a message that
 * comes in pieces. Pure.
 */
#ifndef STORE_MAILDIR_EOL_H
#define STORE_MAILDIR_EOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/* How many LF have no CR before them. @last is the byte before @text, in and
 * out; 0 at the start of a message. */
uint64_t maildir_eol_count_bare(struct bytes text, char *last);

/* Append @text with a CR put before each such LF; CRLF is left alone. */
void maildir_eol_to_crlf(struct bytes text, char *last, struct buf *out);

/**
 * Append @text with CRLF as LF.
 *
 * @held  a CR at the end of the piece before, in and out; false at the start.
 *        Where it is true at the end of the message, that CR was bare.
 *
 * Returns false at the first bare CR or LF: LF alone could not tell the
 * message any more. @out then holds an unspecified part.
 */
bool maildir_eol_to_lf(struct bytes text, bool *held, struct buf *out);

#endif
