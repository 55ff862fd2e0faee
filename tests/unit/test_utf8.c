/* UTF-8: every code point there and back, and all that is not valid. */
#include "base/utf8.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *name;
    struct bytes in;
} invalid[] = {
    {"a continuation byte alone", {"\x80", 1}},
    {"the last continuation byte", {"\xBF", 1}},
    {"two bytes, cut", {"\xC3", 1}},
    {"three bytes, cut", {"\xE2\x82", 2}},
    {"four bytes, cut", {"\xF0\x9F\x93", 3}},
    {"ASCII for a continuation", {"\xC3" "A", 2}},
    {"a lead for a continuation", {"\xC3\xC3", 2}},
    {"overlong NUL", {"\xC0\x80", 2}},
    {"overlong DEL", {"\xC1\xBF", 2}},
    {"overlong in three", {"\xE0\x9F\xBF", 3}},
    {"overlong in four", {"\xF0\x8F\xBF\xBF", 4}},
    {"the first surrogate", {"\xED\xA0\x80", 3}},
    {"the last surrogate", {"\xED\xBF\xBF", 3}},
    {"above U+10FFFF", {"\xF4\x90\x80\x80", 4}},
    {"a lead of F5", {"\xF5\x80\x80\x80", 4}},
    {"five bytes", {"\xF8\x88\x80\x80\x80", 5}},
    {"FF", {"\xFF", 1}},
};

/* clang-format on */

static void test_invalid(void)
{
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        uint32_t code = 42;

        ok(utf8_take(invalid[i].in, &code) == 0 && code == 42 &&
               !utf8_valid(invalid[i].in),
           "not valid: %s", invalid[i].name);
    }
    ok(!utf8_valid(B("abc\xC3")), "not valid at the end");
    ok(!utf8_valid(B("\xC3\xA4\x80")), "not valid behind a character");
}

static void test_all(void)
{
    uint32_t wrong = 0;

    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[4];
        size_t n = utf8_put(code, text);
        uint32_t back = 0;
        size_t want = code < 0x80      ? 1u
                      : code < 0x800   ? 2u
                      : code < 0x10000 ? 3u
                                       : 4u;
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        size_t taken = utf8_take((struct bytes){text, n}, &back);

        wrong += n != want;
        wrong += surrogate ? taken != 0 : taken != n || back != code;
    }
    ok(wrong == 0, "every code point there and back");
}

int main(void)
{
    uint32_t code;

    ok(utf8_take(B(""), &code) == 0, "nothing to take");
    ok(utf8_take((struct bytes){NULL, 0}, &code) == 0, "not even a place");
    ok(utf8_take(B("\xC3\xA4x"), &code) == 2 && code == 0xE4,
       "takes one character only");
    ok(utf8_take(B("\0"), &code) == 1 && code == 0, "NUL is a character");
    ok(utf8_valid(B("")) && utf8_valid(B("a\xC3\xA4\xE2\x82\xAC")),
       "valid texts");
    test_invalid();
    test_all();
    return done_testing();
}
