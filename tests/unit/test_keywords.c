/* Keyword sets: order, case, what is no keyword, limits. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/keywords.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *name;
    struct bytes in;
    const char *want;
} cases[] = {
    {"nothing", {"", 0}, ""},
    {"blanks only", {"   ", 3}, ""},
    {"one", {"$Junk", 5}, "$Junk"},
    {"alphabetically", {"work $Junk Home", 15}, "$Junk Home work"},
    {"repeats", {"a b a A", 7}, "a b"},
    {"the spelling met first", {"$JUNK WORK", 10}, "$Junk work"},
    {"blanks around", {" a  b ", 6}, "a b"},
    {"system flags are no keywords", {"\\Seen a", 7}, "a"},
    {"atom-specials", {"( ) { % * \" \\ ] a(b [c a", 24}, "[c a"},
    {"8-bit", {"\xC3\xA4 a", 4}, "a"},
    {"NUL, controls and DEL", {"x\0y z\r\n \x7F a", 11}, "a"},
    {"a tab is no separator", {"a\tb", 3}, ""},
    {"unusual but valid", {"$MDNSent NonJunk a/b +x ~ }", 27}, "$MDNSent +x a/b NonJunk } ~"},
};

/* clang-format on */

static uint32_t intern(struct keywords *keywords, const char *text)
{
    return keywords_intern(keywords, bytes_of(text));
}

static void test_texts(struct keywords *keywords)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t set = keywords_intern(keywords, cases[i].in);
        struct bytes text = keywords_text(keywords, set);

        ok(bytes_equal(text, bytes_of(cases[i].want)), "%s: \"%.*s\"",
           cases[i].name, (int)text.len, text.ptr);
        ok(keywords_intern(keywords, cases[i].in) == set &&
               keywords_intern(keywords, text) == set,
           "%s: has one number", cases[i].name);
    }
    ok(keywords_intern(keywords, (struct bytes){NULL, 0}) == 0,
       "no text is the empty set");
}

static void test_algebra(struct keywords *keywords)
{
    uint32_t ab = intern(keywords, "a b");
    uint32_t bc = intern(keywords, "B c");
    uint32_t count;

    ok(keywords_union(keywords, ab, bc) == intern(keywords, "a b c"), "union");
    ok(keywords_minus(keywords, ab, bc) == intern(keywords, "a"), "minus");
    ok(keywords_common(keywords, ab, bc) == intern(keywords, "b"), "common");
    ok(keywords_merge(keywords, intern(keywords, "a b x"), ab, bc) ==
           intern(keywords, "b c"),
       "merge: a and x are gone, c is new");
    count = keywords_count(keywords);
    ok(keywords_union(keywords, ab, 0) == ab &&
           keywords_union(keywords, 0, ab) == ab &&
           keywords_union(keywords, ab, ab) == ab,
       "union with nothing and itself");
    ok(keywords_minus(keywords, ab, 0) == ab &&
           keywords_minus(keywords, 0, ab) == 0 &&
           keywords_minus(keywords, ab, ab) == 0,
       "minus nothing and itself");
    ok(keywords_common(keywords, ab, 0) == 0 &&
           keywords_common(keywords, 0, ab) == 0 &&
           keywords_common(keywords, ab, ab) == ab,
       "common with nothing and itself");
    ok(keywords_count(keywords) == count, "made no sets");
}

static void test_no_such_number(struct keywords *keywords)
{
    uint32_t a = intern(keywords, "a");
    uint32_t beyond = keywords_count(keywords);

    ok(keywords_text(keywords, KEYWORDS_REFUSED).len == 0 &&
           keywords_text(keywords, beyond).len == 0,
       "a number never given out has no text");
    ok(keywords_union(keywords, a, KEYWORDS_REFUSED) == a &&
           keywords_minus(keywords, beyond, a) == 0 &&
           keywords_common(keywords, a, beyond) == 0 &&
           keywords_merge(keywords, beyond, beyond, beyond) == 0,
       "and is the empty set");
}

/* @n keywords "n1 n2 ..." from @first on. */
static void print_names(struct buf *text, unsigned first, unsigned n)
{
    buf_clear(text);
    for (unsigned i = 0; i < n; i++)
        buf_printf(text, "n%u ", first + i);
}

static void test_in_set_limit(void)
{
    struct keywords *keywords = keywords_new();
    struct buf text;
    uint32_t full;
    uint32_t other;

    buf_init(&text, 0);
    print_names(&text, 0, KEYWORDS_IN_SET_MAX);
    full = keywords_intern(keywords, buf_peek(&text));
    ok(full != KEYWORDS_REFUSED, "a full set");
    buf_add(&text, B("N0"));
    ok(keywords_intern(keywords, buf_peek(&text)) == full,
       "a repeat does not count");
    buf_add(&text, B(" more"));
    ok(keywords_intern(keywords, buf_peek(&text)) == KEYWORDS_REFUSED,
       "one keyword more is refused");
    other = intern(keywords, "more");
    ok(keywords_union(keywords, full, other) == KEYWORDS_REFUSED,
       "a union too large is refused");
    ok(keywords_merge(keywords, 0, full, other) == KEYWORDS_REFUSED,
       "a merge too large is refused");
    ok(keywords_minus(keywords, full, other) == full, "the others work");
    keywords_free(keywords);
    buf_deinit(&text);
}

static void test_length_limit(void)
{
    struct keywords *keywords = keywords_new();
    char name[KEYWORD_BYTES_MAX + 1];
    uint32_t set;

    memset(name, 'a', sizeof(name));
    set = keywords_intern(keywords, (struct bytes){name, KEYWORD_BYTES_MAX});
    ok(set == 1 && keywords_text(keywords, set).len == KEYWORD_BYTES_MAX,
       "the longest keyword");
    ok(keywords_intern(keywords, (struct bytes){name, sizeof(name)}) ==
           KEYWORDS_REFUSED,
       "one byte more is refused");
    keywords_free(keywords);
}

static void test_sets_limit(void)
{
    struct keywords *keywords = keywords_new();
    struct buf text;
    bool good = true;

    buf_init(&text, 0);
    for (uint32_t i = 1; i < KEYWORDS_SETS_MAX; i++) {
        print_names(&text, i, 1);
        good = good && keywords_intern(keywords, buf_peek(&text)) == i;
    }
    ok(good && keywords_count(keywords) == KEYWORDS_SETS_MAX,
       "as many sets as may be");
    ok(intern(keywords, "n1 n2") == KEYWORDS_REFUSED, "one more is refused");
    ok(keywords_union(keywords, 1, 2) == KEYWORDS_REFUSED, "by union too");
    for (uint32_t i = 1; i < KEYWORDS_SETS_MAX; i++) {
        print_names(&text, i, 1);
        good = good && keywords_intern(keywords, buf_peek(&text)) == i;
    }
    ok(good, "those that are there stay");
    ok(intern(keywords, "last") == KEYWORDS_REFUSED &&
           intern(keywords, "beyond") == KEYWORDS_REFUSED,
       "new names, too, are refused at last");
    keywords_free(keywords);
    buf_deinit(&text);
}

static void test_text_limit(void)
{
    struct keywords *keywords = keywords_new();
    struct buf text;
    uint32_t set = 0;
    size_t bytes = 0;

    buf_init(&text, 0);
    for (unsigned i = 0; set != KEYWORDS_REFUSED; i++) {
        bytes += keywords_text(keywords, set).len;
        buf_clear(&text);
        /* The same 250 long names, and one that differs. */
        for (unsigned j = 0; j < 250; j++)
            buf_printf(&text, "%0250u ", j);
        buf_printf(&text, "n%u", i);
        set = keywords_intern(keywords, buf_peek(&text));
    }
    ok(bytes <= KEYWORDS_TEXT_BYTES_MAX && bytes > (size_t)60 * 1024 * 1024,
       "all texts together are bounded: %zu bytes in %u sets", bytes,
       keywords_count(keywords));
    ok(intern(keywords, "small") != KEYWORDS_REFUSED, "a small set still fits");
    keywords_free(keywords);
    buf_deinit(&text);
}

int main(void)
{
    struct keywords *keywords = keywords_new();

    ok(keywords_count(keywords) == 1 && keywords_text(keywords, 0).len == 0,
       "a new dictionary knows the empty set");
    intern(keywords, "$Junk");
    intern(keywords, "work");
    test_texts(keywords);
    test_algebra(keywords);
    test_no_such_number(keywords);
    keywords_free(keywords);
    keywords_free(NULL);
    test_in_set_limit();
    test_length_limit();
    test_sets_limit();
    test_text_limit();
    return done_testing();
}
