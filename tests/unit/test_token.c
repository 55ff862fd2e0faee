#include <stdlib.h>
#include <string.h>

#include "imap/session.h"
#include "imap/token.h"
#include "tests/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum what { ATOM, WORD, STRING, ASTRING };

/* @rest NULL: not taken. */
/* clang-format off */
static const struct {
    enum what what;
    const char *in;
    const char *out;
    const char *rest;
} texts[] = {
    {ATOM, "abc def", "abc", " def"},
    {ATOM, "\\Seen)", "\\Seen", ")"},
    {ATOM, "$x[1]{(", "$x[1]{", "("},
    {ATOM, "a\"b\"", "a", "\"b\""},
    {ATOM, "\303\266\r", "\303\266", "\r"},
    {ATOM, "a\nb", "a", "\nb"},
    {STRING, "\"a\nb\"", NULL, NULL},
    {ATOM, "", NULL, NULL},
    {ATOM, " a", NULL, NULL},
    {WORD, "RFC822.SIZE 5", "RFC822.SIZE", " 5"},
    {WORD, "BODY[]", "BODY", "[]"},
    {WORD, "X-A_1(", "X-A_1", "("},
    {WORD, "\\Seen", NULL, NULL},
    {STRING, "\"\"", "", ""},
    {STRING, "\"a b\" c", "a b", " c"},
    {STRING, "\"a\\\"b\\\\c\")", "a\"b\\c", ")"},
    {STRING, "\"a\\xb\"", "axb", ""},
    {STRING, "\"un\"escaped\" x", "un\"escaped", " x"},
    {STRING, "\"8\303\266\"", "8\303\266", ""},
    {STRING, "\"open", NULL, NULL},
    {STRING, "\"open\\", NULL, NULL},
    {STRING, "\"open\\\"", NULL, NULL},
    {STRING, "\"a\r\n\"", NULL, NULL},
    {STRING, "\"", NULL, NULL},
    {STRING, "{3}\r\na\"b)", "a\"b", ")"},
    {STRING, "~{3+}\na\nb", "a\nb", ""},
    {STRING, "{0}\r\n", "", ""},
    {STRING, "{3}\r\nab", NULL, NULL},
    {STRING, "{3}ab", NULL, NULL},
    {STRING, "{-1}\r\nab", NULL, NULL},
    {STRING, "{}\r\nab", NULL, NULL},
    {STRING, "{9223372036854775807}\r\nab", NULL, NULL},
    {STRING, "{18446744073709551615}\r\nab", NULL, NULL},
    {STRING, "atom", NULL, NULL},
    {STRING, "", NULL, NULL},
    {ASTRING, "a(b)\"[]\001 c", "a(b)\"[]\001", " c"},
    {ASTRING, "\"a b\" c", "a b", " c"},
    {ASTRING, "\"a b c", NULL, NULL},
    {ASTRING, "", NULL, NULL},
};

/* What a generic value is, and where it ends. */
static const struct {
    const char *in;
    const char *rest; /* NULL: none */
} values[] = {
    {"atom rest", " rest"},
    {"-1.5e3)", ")"},
    {"1.5", ""},
    {"1e", ""},
    {"1.5x", ""},
    {"NIL", ""},
    {"()", ""},
    {"(a (b \"c)\" {1}\r\n( ) ((()))) d", " d"},
    {" ( a ) b", " b"},
    {"{3}\r\n)))x", "x"},
    {"{abc} x", " x"},
    {"(", NULL},
    {"(a", NULL},
    {"(a (b)", NULL},
    {")", NULL},
    {"", NULL},
    {"(\"a)", NULL},
    {"(a\r\n)", NULL},
};

/* clang-format on */

static bool take(enum what what, struct token *token, struct bytes *out)
{
    switch (what) {
    case ATOM:
        return token_atom(token, out);
    case WORD:
        return token_word(token, out);
    case STRING:
        return token_string(token, out);
    case ASTRING:
        break;
    }
    return token_astring(token, out);
}

static void test_texts(struct buf *scratch)
{
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        /* At the end of its own memory, so that ASan sees a step too far. */
        size_t len = strlen(texts[i].in);
        char *copy = malloc(len + (len == 0));
        struct token token;
        struct bytes out = B("untouched");
        bool taken;

        memcpy(copy, texts[i].in, len);
        token = token_start((struct bytes){copy, len}, scratch);
        taken = take(texts[i].what, &token, &out);
        ok(taken == (texts[i].rest != NULL) &&
               bytes_equal(out, bytes_of(taken ? texts[i].out : "untouched")) &&
               bytes_equal(token_rest(&token),
                           bytes_of(taken ? texts[i].rest : texts[i].in)),
           "text %zu", i);
        free(copy);
    }
}

static void test_values(struct buf *scratch)
{
    size_t i;

    for (i = 0; i < COUNT(values); i++) {
        struct token token = token_start(bytes_of(values[i].in), scratch);
        bool taken = token_skip(&token);

        ok(taken == (values[i].rest != NULL) &&
               (!taken ||
                bytes_equal(token_rest(&token), bytes_of(values[i].rest))) &&
               token.limit == NULL,
           "value %zu", i);
    }
}

static void test_depth(struct buf *scratch)
{
    char deep[2 * SESSION_DEPTH_MAX + 2];
    struct token token;

    memset(deep, '(', SESSION_DEPTH_MAX);
    memset(deep + SESSION_DEPTH_MAX, ')', SESSION_DEPTH_MAX);
    token = token_start((struct bytes){deep, 2 * (size_t)SESSION_DEPTH_MAX},
                        scratch);
    ok(token_skip(&token) && token_at_end(&token), "as deep as allowed");
    memset(deep, '(', SESSION_DEPTH_MAX + 1);
    memset(deep + SESSION_DEPTH_MAX + 1, ')', SESSION_DEPTH_MAX + 1);
    token = token_start((struct bytes){deep, sizeof(deep)}, scratch);
    ok(!token_skip(&token) && token.limit != NULL, "deeper");
}

static void test_numbers(struct buf *scratch)
{
    static const struct {
        const char *in;
        uint64_t max;
        bool good;
        uint64_t number;
    } cases[] = {
        {"0",                    UINT32_MAX, true,  0         },
        {"007)",                 UINT32_MAX, true,  7         },
        {"4294967295 x",         UINT32_MAX, true,  UINT32_MAX},
        {"4294967296",           UINT32_MAX, false, 0         },
        {"18446744073709551616", UINT64_MAX, false, 0         },
        {"5]",                   9,          true,  5         },
        {"-1",                   9,          false, 0         },
        {"+1",                   9,          false, 0         },
        {"1.5",                  9,          false, 0         },
        {"1a",                   9,          false, 0         },
        {"",                     9,          false, 0         },
    };

    size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        struct token token = token_start(bytes_of(cases[i].in), scratch);
        uint64_t number = 0;

        ok(token_number(&token, cases[i].max, &number) == cases[i].good &&
               number == cases[i].number,
           "number %s", cases[i].in);
    }
}

static void test_floats(struct buf *scratch)
{
    static const struct {
        const char *in;
        bool good;
        uint64_t number;
    } cases[] = {
        {"1.5",     true,  1  },
        {"1.25e2)", true,  125},
        {"1.5x",    false, 0  },
        {"1e",      false, 0  },
        {"x",       false, 0  },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token token = token_start(bytes_of(cases[i].in), scratch);
        uint64_t number = 0;
        bool good = token_float(&token, UINT32_MAX, &number);

        ok(good == cases[i].good && (!good || number == cases[i].number),
           "number %s", cases[i].in);
    }
}

static void test_small(struct buf *scratch)
{
    struct token token = token_start(B("nil NILS  (x) UID5 uid"), scratch);
    struct bytes first, second;

    ok(token_nil(&token) && !token_nil(&token), "NIL once");
    token_blanks(&token);
    ok(!token_nil(&token) && token_atom(&token, &first), "NILS is no NIL");
    token_blanks(&token);
    ok(!token_char(&token, ')') && token_char(&token, '('), "a parenthesis");
    ok(token_atom(&token, &first) && token_char(&token, ')'), "and another");
    token_blanks(&token);
    ok(!token_keyword(&token, B("UID")) && token_atom(&token, &first),
       "UID5 is not UID");
    ok(!token_at_end(&token) && token_keyword(&token, B("UID")) &&
           token_at_end(&token),
       "uid is UID");

    token = token_start(B("\"a\\\\b\" \"c\\\"d\""), scratch);
    ok(token_string(&token, &first) && !token_at_end(&token) &&
           token_string(&token, &second) && bytes_equal(first, B("a\\b")) &&
           bytes_equal(second, B("c\"d")),
       "two strings with backslashes live side by side");
}

int main(void)
{
    struct buf scratch;

    buf_init(&scratch, 0);
    test_texts(&scratch);
    test_values(&scratch);
    test_depth(&scratch);
    test_numbers(&scratch);
    test_floats(&scratch);
    test_small(&scratch);
    buf_deinit(&scratch);
    return done_testing();
}
