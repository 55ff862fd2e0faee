/* Folder patterns. */
#include "sync/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

struct pattern {
    bool exclude;
    bool exact; /* a name, in which wildcards are themselves */
    char *text;
};

struct filter {
    struct pattern *patterns;
    size_t n;
    size_t cap;
};

/* Wildcards match nothing, too: what is behind one is reached at once. */
static void reach_over_wildcards(const char *pattern, size_t n, bool *at)
{
    for (size_t i = 0; i < n; i++) {
        if (at[i] && (pattern[i] == '*' || pattern[i] == '%'))
            at[i + 1] = true;
    }
}

/*
 * "*" matches any characters, "%" any but the separator; RFC 9051 6.3.9. All
 * places in the pattern where the name could be are kept at once, so no
 * pattern takes more than its length times the name's.
 */
static bool wildcard_match(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    bool *at = mem_new(n + 2, sizeof(*at));
    bool found;

    at[0] = true;
    reach_over_wildcards(pattern, n, at);
    for (; *name != '\0'; name++) {
        for (size_t i = n + 1; i-- > 0;) {
            bool stays =
                at[i] && i < n &&
                (pattern[i] == '*' || (pattern[i] == '%' && *name != '/'));
            bool steps = i > 0 && at[i - 1] && pattern[i - 1] == *name &&
                         pattern[i - 1] != '*' && pattern[i - 1] != '%';

            at[i] = stays || steps;
        }
        reach_over_wildcards(pattern, n, at);
    }
    found = at[n];
    free(at);
    return found;
}

/* INBOX in any case, alone or as the first level, is INBOX. */
static void fold_inbox(char *name)
{
    size_t level = strcspn(name, "/");

    if (bytes_equal_nocase((struct bytes){name, level}, B("INBOX")))
        memcpy(name, "INBOX", 5);
}

static void add_pattern(struct filter *filter, bool exclude, struct bytes text)
{
    struct pattern *pattern;

    filter->patterns = mem_grow(filter->patterns, filter->n, &filter->cap,
                                sizeof(*filter->patterns));
    pattern = &filter->patterns[filter->n++];
    pattern->exclude = exclude;
    pattern->exact = false;
    pattern->text = mem_text(text);
    fold_inbox(pattern->text);
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* One pattern from *@at on, which is moved behind it. */
static int read_pattern(struct filter *filter, const char **at, struct err *err)
{
    const char *start = skip_blanks(*at);
    bool exclude = *start == '!';
    const char *end;
    struct bytes text;

    if (exclude)
        start = skip_blanks(start + 1);
    if (*start == '"') {
        end = strchr(++start, '"');
        if (end == NULL)
            return err_set(err, ERR_USAGE, "a quote is open in: %s", *at);
        text = (struct bytes){start, (size_t)(end - start)};
        end = skip_blanks(end + 1);
        if (*end != ',' && *end != '\0')
            return err_set(err, ERR_USAGE, "a comma is missing before: %s",
                           end);
    } else {
        end = start + strcspn(start, ",");
        text = bytes_trim((struct bytes){start, (size_t)(end - start)});
    }
    if (text.len == 0)
        return err_set(err, ERR_USAGE, "an empty folder pattern");
    add_pattern(filter, exclude, text);
    *at = end;
    return 0;
}

int filter_new(const char *text, struct filter **out, struct err *err)
{
    struct filter *filter = MEM_NEW(struct filter);
    const char *at = text != NULL ? text : "*";
    int r;

    for (;;) {
        r = read_pattern(filter, &at, err);
        if (r < 0) {
            filter_free(filter);
            return r;
        }
        if (*at == '\0')
            break;
        at++;
    }
    *out = filter;
    return 0;
}

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < filter->n; i++)
        free(filter->patterns[i].text);
    free(filter->patterns);
    free(filter);
}

static bool matches(const struct pattern *pattern, const char *name)
{
    return pattern->exact ? strcmp(pattern->text, name) == 0
                          : wildcard_match(pattern->text, name);
}

void filter_exclude(struct filter *filter, const char *name)
{
    add_pattern(filter, true, bytes_of(name));
    filter->patterns[filter->n - 1].exact = true;
}

bool filter_accepts(const struct filter *filter, const char *name)
{
    for (size_t i = filter->n; i-- > 0;) {
        if (matches(&filter->patterns[i], name))
            return !filter->patterns[i].exclude;
    }
    return filter->patterns[0].exclude;
}
