#include "cmd/suggest.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

#define WORD_BYTES_MAX 40u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return bytes_equal_nocase((struct bytes){&a, 1}, (struct bytes){&b, 1});
}

/* Levenshtein's distance, case apart; both no longer than WORD_BYTES_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_BYTES_MAX + 1];
    size_t n = strlen(b);

    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t replaced = diagonal + (same_letter(a[i], b[j]) ? 0 : 1);

            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[n];
}

const char *suggest(const char *word,
                    const char *(*at)(const void *owner, size_t i),
                    const void *owner, size_t n)
{
    const char *best = NULL;
    size_t len = strlen(word);
    /* One slip in three letters: more is another word. */
    size_t best_distance = len / 3 + 1;

    if (len > WORD_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const char *candidate = at(owner, i);
        size_t d;

        if (strlen(candidate) > WORD_BYTES_MAX) {
            continue;
        }
        d = distance(word, candidate);
        if (d <= best_distance && d < strlen(candidate)) {
            best_distance = d == 0 ? 0 : d - 1;
            best = candidate;
        }
    }
    return best;
}

static const char *name_at(const void *owner, size_t i)
{
    return ((const char *const *)owner)[i];
}

const char *suggest_of(const char *word, const char *const *names, size_t n)
{
    return suggest(word, name_at, names, n);
}
