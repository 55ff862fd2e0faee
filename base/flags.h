/*
 * The flags of a message: the five system flags as bits, the keywords as the
 * number of a set (keywords.h). RFC 9051 section 2.3.2.
 *
 * Where a limit of struct keywords keeps a new set from being made, these
 * functions keep one that is there: merge and unite the left one, apply the
 * one before, diff and limit the empty one.
 */
#ifndef BASE_FLAGS_H
#define BASE_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/keywords.h"

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
    uint32_t system;   /* FLAG_ bits */
    bool any_keyword;  /* new keywords may be made (PERMANENTFLAGS \*) */
    uint32_t keywords; /* else: the set that can be stored */
};

/* Those of @flags that @storable allows. */
struct flags flags_limit(struct keywords *keywords, struct flags flags,
                         const struct flags_storable *storable);

#endif
