/*
 * Sets of UIDs as sorted, disjoint, not adjacent ranges (RFC 9051 section 9,
 * "sequence-set" without "*"). Adding in rising order costs O(1). A set is
 * never expanded: a range of four billion costs eight bytes.
 */
#ifndef BASE_UIDSET_H
#define BASE_UIDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct uidrange {
    uint32_t first; /* 1 or more */
    uint32_t last;  /* first or more */
};

struct uidset {
    struct uidrange *ranges;
    size_t n;
    size_t cap;
};

#define UIDSET_RANGES_MAX 4000000u

/* Free the memory and leave an empty set. A zeroed struct is an empty set. */
void uidset_deinit(struct uidset *set);

/* Empty the set; the memory is kept. */
void uidset_clear(struct uidset *set);

/* Add one UID, 1 or more; it may be there already. */
void uidset_add(struct uidset *set, uint32_t uid);

/* Add @first to @last, both included, in either order, both 1 or more. */
void uidset_add_range(struct uidset *set, uint32_t first, uint32_t last);

/* Take one UID out, if it is there. O(ranges). */
void uidset_remove(struct uidset *set, uint32_t uid);

/* Take all of @other out. O(ranges of both). */
void uidset_remove_set(struct uidset *set, const struct uidset *other);

/* Add all of @other. */
void uidset_add_set(struct uidset *set, const struct uidset *other);

/* Is @uid in the set? O(log ranges). */
bool uidset_has(const struct uidset *set, uint32_t uid);

/* How many UIDs. */
uint64_t uidset_count(const struct uidset *set);

/**
 * Read "1,3:5,9:7" and add it. "*" is not accepted; a reversed range is.
 *
 * Returns false for anything else, for a zero and for more than
 * UIDSET_RANGES_MAX ranges; the set then holds an unspecified part.
 */
bool uidset_parse(struct uidset *set, struct bytes text);

/**
 * Print a part of the set that fits a command line.
 *
 * @from       in: index of the first range to print; out: of the first that
 *             was not printed (set->n when all is done). Start with 0.
 * @bytes_max  stop before the text grows longer; at least one range is printed
 */
void uidset_print(const struct uidset *set, size_t *from, size_t bytes_max,
                  struct buf *out);

/*
 * Walk all UIDs in rising order:
 *     struct uidset_walk walk = {.set = &set};
 *     while (uidset_next(&walk, &uid)) ...
 */
struct uidset_walk {
    const struct uidset *set;
    size_t range;
    uint64_t next; /* 0: start of the range */
};

/* The next UID into @uid; false at the end. */
bool uidset_next(struct uidset_walk *walk, uint32_t *uid);

#endif
