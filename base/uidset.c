#include "base/uidset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RANGE_TEXT_MAX 22 /* ",4294967294:4294967295" */

void uidset_deinit(struct uidset *set)
{
    free(set->ranges);
    *set = (struct uidset){0};
}

void uidset_clear(struct uidset *set)
{
    set->n = 0;
}

/* Do @a and the later @b overlap or adjoin? */
static bool touches(struct uidrange a, struct uidrange b)
{
    return b.first <= (uint64_t)a.last + 1;
}

/* Add a range that begins at the last range of @set or behind it. */
static void append(struct uidset *set, struct uidrange range)
{
    struct uidrange *last;

    if (set->n > 0 && touches(set->ranges[set->n - 1], range)) {
        last = &set->ranges[set->n - 1];
        if (range.last > last->last)
            last->last = range.last;
        return;
    }
    set->ranges =
        mem_grow(set->ranges, set->n, &set->cap, sizeof(*set->ranges));
    set->ranges[set->n++] = range;
}

/* The index of the first range that ends at @uid or behind it. */
static size_t find(const struct uidset *set, uint64_t uid)
{
    size_t low = 0;
    size_t high = set->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->ranges[middle].last < uid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Put @range in the place of the ranges from @from up to @to, not included. */
static void replace(struct uidset *set, size_t from, size_t to,
                    struct uidrange range)
{
    if (from == to) {
        set->ranges =
            mem_grow(set->ranges, set->n, &set->cap, sizeof(*set->ranges));
    }
    if (set->n > to) {
        memmove(&set->ranges[from + 1], &set->ranges[to],
                (set->n - to) * sizeof(*set->ranges));
    }
    set->ranges[from] = range;
    set->n = set->n - (to - from) + 1;
}

static void insert(struct uidset *set, struct uidrange range)
{
    size_t from = find(set, (uint64_t)range.first - 1);
    size_t to = from;

    while (to < set->n && touches(range, set->ranges[to])) {
        if (set->ranges[to].first < range.first)
            range.first = set->ranges[to].first;
        if (set->ranges[to].last > range.last)
            range.last = set->ranges[to].last;
        to++;
    }
    replace(set, from, to, range);
}

void uidset_add(struct uidset *set, uint32_t uid)
{
    uidset_add_range(set, uid, uid);
}

void uidset_add_range(struct uidset *set, uint32_t first, uint32_t last)
{
    struct uidrange range = first <= last ? (struct uidrange){first, last}
                                          : (struct uidrange){last, first};

    if (set->n == 0 || range.first >= set->ranges[set->n - 1].first) {
        append(set, range);
    } else {
        insert(set, range);
    }
}

void uidset_remove(struct uidset *set, uint32_t uid)
{
    size_t at = find(set, uid);
    struct uidrange *range;

    if (at == set->n || set->ranges[at].first > uid)
        return;
    range = &set->ranges[at];
    if (range->first == range->last) {
        set->n--;
        memmove(range, range + 1, (set->n - at) * sizeof(*range));
    } else if (range->first == uid) {
        range->first++;
    } else if (range->last == uid) {
        range->last--;
    } else {
        struct uidrange low = {range->first, uid - 1};

        range->first = uid + 1;
        replace(set, at, at, low);
    }
}

/* Both have ranges, and they are different sets. */
static void merge(struct uidset *set, const struct uidset *other)
{
    struct uidset all = {0};
    size_t i = 0;
    size_t j = 0;

    all.cap = set->n + other->n;
    all.ranges = mem_resize(NULL, all.cap, sizeof(*all.ranges));
    while (i < set->n || j < other->n) {
        bool mine = j == other->n || (i < set->n && set->ranges[i].first <=
                                                        other->ranges[j].first);

        append(&all, mine ? set->ranges[i++] : other->ranges[j++]);
    }
    free(set->ranges);
    *set = all;
}

void uidset_add_set(struct uidset *set, const struct uidset *other)
{
    if (set == other || other->n == 0)
        return;
    if (set->n == 0 ||
        other->ranges[0].first >= set->ranges[set->n - 1].first) {
        for (size_t i = 0; i < other->n; i++)
            append(set, other->ranges[i]);
        return;
    }
    merge(set, other);
}

void uidset_remove_set(struct uidset *set, const struct uidset *other)
{
    struct uidset left = {0};
    size_t j = 0;

    for (size_t i = 0; i < set->n; i++) {
        uint64_t first = set->ranges[i].first;
        uint64_t last = set->ranges[i].last;

        while (j < other->n && other->ranges[j].last < first)
            j++;
        for (size_t k = j; k < other->n && other->ranges[k].first <= last;
             k++) {
            if (other->ranges[k].first > first) {
                append(&left, (struct uidrange){(uint32_t)first,
                                                other->ranges[k].first - 1});
            }
            first = (uint64_t)other->ranges[k].last + 1;
        }
        if (first <= last)
            append(&left, (struct uidrange){(uint32_t)first, (uint32_t)last});
    }
    free(set->ranges);
    *set = left;
}

bool uidset_has(const struct uidset *set, uint32_t uid)
{
    size_t at = find(set, uid);

    return at < set->n && set->ranges[at].first <= uid;
}

uint64_t uidset_count(const struct uidset *set)
{
    uint64_t count = 0;

    for (size_t i = 0; i < set->n; i++)
        count += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
    return count;
}

/* Take a number of 1 to 2^32-1 from the front of @text: RFC 9051 nz-number. */
static bool take_uid(struct bytes *text, uint32_t *uid)
{
    struct bytes digits = {text->ptr, 0};
    uint64_t value;

    while (digits.len < text->len && text->ptr[digits.len] >= '0' &&
           text->ptr[digits.len] <= '9')
        digits.len++;
    if (!bytes_to_u64(digits, UINT32_MAX, &value) || value == 0)
        return false;
    *text = bytes_skip(*text, digits.len);
    *uid = (uint32_t)value;
    return true;
}

/* Take "3" or "3:5" from the front of @text. */
static bool take_range(struct bytes *text, struct uidrange *range)
{
    uint32_t a;
    uint32_t b;

    if (!take_uid(text, &a))
        return false;
    b = a;
    if (text->len > 0 && text->ptr[0] == ':') {
        *text = bytes_skip(*text, 1);
        if (!take_uid(text, &b))
            return false;
    }
    *range = a <= b ? (struct uidrange){a, b} : (struct uidrange){b, a};
    return true;
}

static int compare_first(const void *a, const void *b)
{
    const struct uidrange *left = a;
    const struct uidrange *right = b;

    return (left->first > right->first) - (left->first < right->first);
}

/* Make a set of ranges that came in any order. Sorting once, instead of
 * inserting one by one, keeps a hostile order from costing O(n^2). */
static void normalise(struct uidset *raw)
{
    size_t n = raw->n;

    qsort(raw->ranges, n, sizeof(*raw->ranges), compare_first);
    raw->n = 0;
    for (size_t i = 0; i < n; i++)
        append(raw, raw->ranges[i]);
}

/* Read the list to the end of @text into @raw, in the order it comes. */
static bool take_list(struct bytes text, struct uidset *raw, bool *sorted)
{
    struct uidrange range;

    for (;;) {
        if (raw->n == UIDSET_RANGES_MAX || !take_range(&text, &range))
            return false;
        if (raw->n > 0 && range.first < raw->ranges[raw->n - 1].first)
            *sorted = false;
        if (*sorted) {
            append(raw, range);
        } else {
            raw->ranges =
                mem_grow(raw->ranges, raw->n, &raw->cap, sizeof(*raw->ranges));
            raw->ranges[raw->n++] = range;
        }
        if (text.len == 0)
            return true;
        if (text.ptr[0] != ',')
            return false;
        text = bytes_skip(text, 1);
    }
}

bool uidset_parse(struct uidset *set, struct bytes text)
{
    struct uidset raw = {0};
    bool sorted = true;
    bool good = take_list(text, &raw, &sorted);

    if (good && !sorted)
        normalise(&raw);
    if (good)
        uidset_add_set(set, &raw);
    uidset_deinit(&raw);
    return good && set->n <= UIDSET_RANGES_MAX;
}

/* Write @uid in decimal to @out; returns the number of digits. */
static size_t put_uid(uint32_t uid, char *out)
{
    char digits[10];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + uid % 10);
        uid /= 10;
    } while (uid > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

static size_t put_range(struct uidrange range, bool comma, char *out)
{
    size_t n = 0;

    if (comma)
        out[n++] = ',';
    n += put_uid(range.first, out + n);
    if (range.last > range.first) {
        out[n++] = ':';
        n += put_uid(range.last, out + n);
    }
    return n;
}

void uidset_print(const struct uidset *set, size_t *from, size_t bytes_max,
                  struct buf *out)
{
    size_t printed = 0;

    while (*from < set->n) {
        char *place = buf_reserve(out, RANGE_TEXT_MAX);
        size_t n = put_range(set->ranges[*from], printed > 0, place);

        if (printed > 0 && (n > bytes_max || printed > bytes_max - n))
            return;
        buf_commit(out, n);
        printed += n;
        ++*from;
    }
}

bool uidset_next(struct uidset_walk *walk, uint32_t *uid)
{
    const struct uidset *set = walk->set;

    if (walk->range >= set->n)
        return false;
    if (walk->next == 0)
        walk->next = set->ranges[walk->range].first;
    *uid = (uint32_t)walk->next;
    if (walk->next == set->ranges[walk->range].last) {
        walk->range++;
        walk->next = 0;
    } else {
        walk->next++;
    }
    return true;
}
