/*
 * A cursor over one complete response, its literals in place ("{5}\r\nhello").
 * Each function takes one thing from the front; where that thing is not there
 * it returns false and leaves the cursor where it was, unless it says
 * otherwise. Lenient where servers break the grammar and the meaning is plain.
 * RFC 9051 section 4.
 */
#ifndef IMAP_TOKEN_H
#define IMAP_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct token {
    const char *at;
    const char *end;
    struct buf *scratch; /* of quoted strings with backslashes */
    const char *limit;   /* which limit was passed, or NULL */
};

/* Start at the front of @text, which is borrowed and not moved while the
 * cursor and what it gave out are in use. @scratch is emptied; what strings
 * point to lives until it is used again. */
struct token token_start(struct bytes text, struct buf *scratch);

/* What was not taken yet. */
struct bytes token_rest(const struct token *token);

/* Skip blanks, any number of them, none too. */
void token_blanks(struct token *token);

/* Skip blanks; is that all? */
bool token_at_end(struct token *token);

/* Take @c. */
bool token_char(struct token *token, char c);

/* Take one byte or more up to a blank, a parenthesis, a quote or a line end. */
bool token_atom(struct token *token, struct bytes *out);

/* Take letters, digits and any of ".-_" as the name of something. */
bool token_word(struct token *token, struct bytes *out);

/* Take @word in any case; no more of an atom may stand behind it. */
bool token_keyword(struct token *token, struct bytes word);

/* Take NIL. */
bool token_nil(struct token *token);

/* Take "{123}", "{123+}" or "~{123}" without the line end behind. False, too,
 * where the number passes 2^63-1. */
bool token_literal_header(struct token *token, uint64_t *size);

/* Take a quoted string or a literal. */
bool token_string(struct token *token, struct bytes *out);

/* Take a string, or all up to the next blank: a mailbox name. */
bool token_astring(struct token *token, struct bytes *out);

/* Take a number of at most @max; no more of an atom may stand behind it. */
bool token_number(struct token *token, uint64_t max, uint64_t *out);

/* The same in floating form, "9.3736e+06": what is behind the point is cut. */
bool token_float(struct token *token, uint64_t max, uint64_t *out);

/* Take one value of whatever kind: atom, string or list. Past
 * SESSION_DEPTH_MAX parentheses limit is set. The cursor is left anywhere
 * where there is none. */
bool token_skip(struct token *token);

#endif
