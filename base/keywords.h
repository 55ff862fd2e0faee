/*
 * Sets of keywords as small numbers. Messages have few different sets of
 * keywords, so a million messages cost a million small numbers, and equality
 * is one comparison. RFC 9051 section 2.3.2.
 */
#ifndef BASE_KEYWORDS_H
#define BASE_KEYWORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * All keyword sets that were met, numbered from 0 (the empty set). Keywords
 * are compared without regard to ASCII case; the spelling met first stays. A
 * set's text is its keywords in alphabetical order, blank-separated.
 *
 * A number that was never given out, KEYWORDS_REFUSED among them, is taken
 * for the empty set.
 */
struct keywords;

#define KEYWORDS_SETS_MAX       65536u /* sets held; more are refused */
#define KEYWORDS_IN_SET_MAX     256u   /* keywords in one set */
#define KEYWORD_BYTES_MAX       255u   /* of one keyword */
#define KEYWORDS_NAMES_MAX      65536u /* different keywords in all */
#define KEYWORDS_TEXT_BYTES_MAX ((size_t)64 * 1024 * 1024) /* of all texts */

#define KEYWORDS_REFUSED UINT32_MAX /* a limit above is passed */

/* A dictionary that knows the empty set only; keywords_free() it. */
struct keywords *keywords_new(void);
void keywords_free(struct keywords *keywords);

/**
 * The number of a set, made on the first use.
 *
 * @names  blank-separated keywords in any order, repeats allowed; what is no
 *         valid keyword (an atom without "\", RFC 9051 "flag-keyword") is
 *         left out
 *
 * Returns the number, or KEYWORDS_REFUSED.
 */
uint32_t keywords_intern(struct keywords *keywords, struct bytes names);

/* The text of @set; borrowed while @keywords lives. */
struct bytes keywords_text(const struct keywords *keywords, uint32_t set);

/* How many sets there are: numbers 0 to this - 1. */
uint32_t keywords_count(const struct keywords *keywords);

/* Set algebra by number. Returns as keywords_intern(). */
uint32_t keywords_union(struct keywords *keywords, uint32_t a, uint32_t b);
uint32_t keywords_minus(struct keywords *keywords, uint32_t a, uint32_t b);
uint32_t keywords_common(struct keywords *keywords, uint32_t a, uint32_t b);

/* The three-way merge: what @left or @right changed against @base. Returns as
 * keywords_intern(). */
uint32_t keywords_merge(struct keywords *keywords, uint32_t base, uint32_t left,
                        uint32_t right);

#endif
