/* "Did you mean ...?" */
#ifndef CMD_SUGGEST_H
#define CMD_SUGGEST_H

#include <stddef.h>

/**
 * The candidate that @word is most likely a misspelling of.
 *
 * @at      the i-th candidate, for i below @n; @owner is passed through
 * @owner   of @at
 *
 * Returns the candidate, borrowed from @at, or NULL where none is near.
 */
const char *suggest(const char *word,
                    const char *(*at)(const void *owner, size_t i),
                    const void *owner, size_t n);

/* The same for an array of strings. */
const char *suggest_of(const char *word, const char *const *names, size_t n);

#endif
