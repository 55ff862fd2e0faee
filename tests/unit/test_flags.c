/* Flags: every combination of the merge, and the algebra's laws. */
#include <stdlib.h>
#include <string.h>

#include "base/flags.h"
#include "tests/tap.h"

#define NAMES 5 /* "k0" to "k4", one bit each in the model */

/* The set of the model @bits. */
static uint32_t set_of(struct keywords *keywords, unsigned bits)
{
    char text[NAMES * 3 + 1] = "";
    size_t len = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        if ((bits >> i & 1) != 0)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "k%u ", i);
    }
    return keywords_intern(keywords, (struct bytes){text, len});
}

/* What one bit must become: whoever changed it against the base wins. */
static bool merged_bit(bool base, bool left, bool right)
{
    return left != base ? left : right;
}

static unsigned merged(unsigned base, unsigned left, unsigned right)
{
    unsigned result = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        if (merged_bit(base >> i & 1, left >> i & 1, right >> i & 1))
            result |= 1u << i;
    }
    return result;
}

/* All (base, left, right) of five system flags and of five keywords. */
static void test_merge(struct keywords *keywords)
{
    uint32_t sets[FLAGS_SYSTEM + 1];
    unsigned wrong = 0;

    for (unsigned i = 0; i <= FLAGS_SYSTEM; i++)
        sets[i] = set_of(keywords, i);
    for (unsigned i = 0; i < 32 * 32 * 32; i++) {
        unsigned b = i & 31;
        unsigned l = i >> 5 & 31;
        unsigned r = i >> 10;
        struct flags base = {b, sets[b]};
        struct flags one = {l, sets[l]};
        struct flags two = {r, sets[r]};
        struct flags want = {merged(b, l, r), sets[merged(b, l, r)]};

        wrong += !flags_equal(flags_merge(keywords, base, one, two), want);
        wrong += !flags_equal(flags_merge(keywords, base, two, one), want);
    }
    ok(wrong == 0, "all 32768 merges, both ways round");
}

static void test_pairs(struct keywords *keywords)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 32 * 32; i++) {
        unsigned a = i & 31;
        unsigned b = i >> 5;
        struct flags left = {a, set_of(keywords, a)};
        struct flags right = {b, set_of(keywords, b)};
        struct flags united = {((a | b) & ~(unsigned)FLAG_DELETED) |
                                   (a & b & FLAG_DELETED),
                               set_of(keywords, a | b)};
        struct flags_change change = flags_diff(keywords, left, right);
        struct flags after = flags_apply(keywords, left, change);
        struct flags_storable storable = {b, false, right.keywords};
        struct flags limited = {a & b, set_of(keywords, a & b)};

        wrong += !flags_equal(flags_unite(keywords, left, right), united);
        wrong += !flags_equal(after, right);
        wrong += (change.add.system & change.remove.system) != 0;
        wrong += change.add.keywords != set_of(keywords, b & ~a);
        wrong += change.remove.keywords != set_of(keywords, a & ~b);
        wrong += !flags_equal(flags_limit(keywords, left, &storable), limited);
        storable.any_keyword = true;
        limited.keywords = left.keywords;
        wrong += !flags_equal(flags_limit(keywords, left, &storable), limited);
    }
    ok(wrong == 0, "all 1024 unions, changes and limits");
}

static void test_print(struct keywords *keywords)
{
    static const struct {
        uint32_t system;
        const char *names;
        const char *want;
    } cases[] = {
        {0,                         "",      ""                                               },
        {FLAG_SEEN,                 "",      "\\Seen"                                         },
        {0,                         "$Junk", "$Junk"                                          },
        {FLAG_SEEN | FLAG_DRAFT,    "b a",   "\\Seen \\Draft a b"                             },
        {FLAG_ANSWERED | FLAG_SEEN, "",      "\\Seen \\Answered"                              },
        {FLAGS_SYSTEM,              "x",     "\\Seen \\Answered \\Flagged \\Deleted \\Draft x"},
    };
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct flags flags = {
            cases[i].system,
            keywords_intern(keywords, bytes_of(cases[i].names)),
        };

        buf_clear(&out);
        flags_print(keywords, flags, &out);
        ok(strcmp(buf_text(&out), cases[i].want) == 0, "prints \"%s\"",
           cases[i].want);
    }
    buf_deinit(&out);
}

/* What the functions do when no new set can be made. */
static void test_at_the_limit(void)
{
    struct keywords *keywords = keywords_new();
    struct flags left = {FLAG_SEEN, keywords_intern(keywords, B("a b"))};
    struct flags right = {FLAG_DRAFT, keywords_intern(keywords, B("b c"))};
    struct flags none = {0, 0};
    struct flags_storable storable = {FLAGS_SYSTEM, false, right.keywords};
    struct flags_change change = {right, none};
    struct flags result;
    char name[16];

    for (unsigned i = 0; keywords_count(keywords) < KEYWORDS_SETS_MAX; i++) {
        int len = snprintf(name, sizeof(name), "full%u", i);

        keywords_intern(keywords, (struct bytes){name, (size_t)len});
    }
    result = flags_merge(keywords, none, left, right);
    ok(result.system == (FLAG_SEEN | FLAG_DRAFT) &&
           result.keywords == left.keywords,
       "full: the merge keeps the left keywords");
    result = flags_unite(keywords, left, right);
    ok(result.keywords == left.keywords, "full: so does the union");
    result = flags_apply(keywords, left, change);
    ok(result.system == (FLAG_SEEN | FLAG_DRAFT) &&
           result.keywords == left.keywords,
       "full: a change leaves the keywords");
    result = flags_limit(keywords, left, &storable);
    ok(result.keywords == 0, "full: the limit leaves none");
    change = flags_diff(keywords, left, right);
    ok(change.add.keywords == 0 && change.remove.keywords == 0 &&
           change.add.system == FLAG_DRAFT,
       "full: the difference leaves keywords alone");
    keywords_free(keywords);
}

int main(void)
{
    struct keywords *keywords = keywords_new();

    test_merge(keywords);
    test_pairs(keywords);
    test_print(keywords);
    ok(keywords_count(keywords) < 40, "no set was made twice: %u",
       keywords_count(keywords));
    keywords_free(keywords);
    test_at_the_limit();
    return done_testing();
}
