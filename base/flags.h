/*
 * The flags of a message: the five system flags as bits, the keywords as the
 * number of an interned set. Messages have few different sets of keywords, so
 * a million messages cost a million small numbers, and equality is one
 * comparison. RFC 9051 section 2.3.2.
 */
#ifndef BASE_FLAGS_H
#define BASE_FLAGS_H

#include "base/buf.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLAG_SEEN = 1,
    FLAG_ANSWERED = 2,
    FLAG_FLAGGED = 4,
    FLAG_DELETED = 8,
    FLAG_DRAFT = 16,
    FLAGS_SYSTEM = 31
};

struct flags {
    uint32_t system;   /* FLAG_ bits; \Recent is nobody's */
    uint32_t keywords; /* a set of struct keywords; 0: none */
};

/*
 * All keyword sets that were met, numbered from 0 (the empty set). Keywords
 * are compared without regard to ASCII case; the spelling met first stays. A
 * set's text is its keywords in order, blank-separated.
 */
struct keywords;

#define KEYWORDS_SETS_MAX 65536u  /* sets held; more are refused */
#define KEYWORDS_IN_SET_MAX 256u  /* keywords in one set */
#define KEYWORD_BYTES_MAX 255u    /* of one keyword */

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
 * Returns the number, or UINT32_MAX where a limit above is passed.
 */
uint32_t keywords_intern(struct keywords *keywords, struct bytes names);

/* The text of @set; borrowed while @keywords lives. @set below
 * keywords_count(). */
struct bytes keywords_text(const struct keywords *keywords, uint32_t set);

/* How many sets there are: numbers 0 to this - 1. */
uint32_t keywords_count(const struct keywords *keywords);

/* Set algebra by number. Returns as keywords_intern(). */
uint32_t keywords_union(struct keywords *keywords, uint32_t a, uint32_t b);
uint32_t keywords_minus(struct keywords *keywords, uint32_t a, uint32_t b);
uint32_t keywords_common(struct keywords *keywords, uint32_t a, uint32_t b);

/* The same bits and the same set? */
bool flags_equal(struct flags a, struct flags b);

/**
 * Three-way merge, bit by bit and keyword by keyword: what one side changed
 * against @base wins. There is no conflict, as a bit that both sides changed
 * they changed alike.
 */
struct flags flags_merge(struct keywords *keywords, struct flags base,
                         struct flags left, struct flags right);

/* Merge without a base: the union, but \Deleted only where both have it. */
struct flags flags_unite(struct keywords *keywords, struct flags left,
                         struct flags right);

/* Append "\Seen $Forwarded" for @flags, without parentheses. */
void flags_print(const struct keywords *keywords, struct flags flags,
                 struct buf *out);

/* What turns one set of flags into another; never an absolute list. */
struct flags_change {
    struct flags add;
    struct flags remove;
};

/* The change from @from to @to. */
struct flags_change flags_diff(struct keywords *keywords, struct flags from,
                               struct flags to);

/* @flags after @change. */
struct flags flags_apply(struct keywords *keywords, struct flags flags,
                         struct flags_change change);

/* What a folder can store. A zeroed struct can store nothing. */
struct flags_storable {
    uint32_t system;       /* FLAG_ bits */
    bool any_keyword;      /* new keywords may be made (PERMANENTFLAGS \*) */
    uint32_t keywords;     /* else: the set that can be stored */
};

/* Those of @flags that @storable allows. */
struct flags flags_limit(struct keywords *keywords, struct flags flags,
                         const struct flags_storable *storable);

#endif
