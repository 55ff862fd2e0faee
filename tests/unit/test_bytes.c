/* Counted strings: comparing, cutting, numbers. And mem.h, their owner. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *name;
    struct bytes a, b;
    bool equal, nocase, starts;
} compared[] = {
    {"the same", {"abc", 3}, {"abc", 3}, true, true, true},
    {"another case", {"aBc", 3}, {"AbC", 3}, false, true, true},
    {"a prefix", {"INBOX/x", 7}, {"inbox", 5}, false, false, true},
    {"a longer prefix", {"ab", 2}, {"abc", 3}, false, false, false},
    {"both empty", {NULL, 0}, {"", 0}, true, true, true},
    {"an empty prefix", {"a", 1}, {NULL, 0}, false, false, true},
    {"NUL inside", {"a\0b", 3}, {"a\0c", 3}, false, false, false},
    {"neighbours of letters", {"@[`{", 4}, {"`{@[", 4}, false, false, false},
    {"8-bit letters have no case", {"\xC4", 1}, {"\xE4", 1}, false, false, false},
};

static const struct {
    struct bytes in;
    uint64_t max;
    bool good;
    uint64_t want;
} numbers[] = {
    {{"0", 1}, 9, true, 0},
    {{"007", 3}, 9, true, 7},
    {{"10", 2}, 9, false, 0},
    {{"9", 1}, 9, true, 9},
    {{"0", 1}, 0, true, 0},
    {{"1", 1}, 0, false, 0},
    {{"", 0}, 9, false, 0},
    {{NULL, 0}, 9, false, 0},
    {{"+1", 2}, 9, false, 0},
    {{"-1", 2}, 9, false, 0},
    {{" 1", 2}, 9, false, 0},
    {{"1 ", 2}, 9, false, 0},
    {{"1\0", 2}, 9, false, 0},
    {{"0x1", 3}, 9, false, 0},
    {{"4294967295", 10}, UINT32_MAX, true, UINT32_MAX},
    {{"4294967296", 10}, UINT32_MAX, false, 0},
    {{"18446744073709551615", 20}, UINT64_MAX, true, UINT64_MAX},
    {{"18446744073709551616", 20}, UINT64_MAX, false, 0},
    {{"28446744073709551615", 20}, UINT64_MAX, false, 0},
    {{"184467440737095516150", 21}, UINT64_MAX, false, 0},
    {{"00000000000000000000000000001", 29}, 9, true, 1},
};

static const struct {
    struct bytes in, want;
} trims[] = {
    {{" \t\r\na b\r\n \t", 11}, {"a b", 3}},
    {{"a", 1}, {"a", 1}},
    {{" \r\n", 3}, {"", 0}},
    {{"", 0}, {"", 0}},
    {{NULL, 0}, {"", 0}},
    {{"\va\f", 3}, {"\va\f", 3}},
};

/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_compare(void)
{
    for (size_t i = 0; i < COUNT(compared); i++) {
        struct bytes a = compared[i].a;
        struct bytes b = compared[i].b;

        ok(bytes_equal(a, b) == compared[i].equal, "equal: %s",
           compared[i].name);
        ok(bytes_equal_nocase(a, b) == compared[i].nocase, "nocase: %s",
           compared[i].name);
        ok(bytes_starts_nocase(a, b) == compared[i].starts, "starts: %s",
           compared[i].name);
    }
}

static void test_has(void)
{
    ok(bytes_has_nocase(B("Gimap ready"), B("gIMAP")) &&
           bytes_has_nocase(B("Gimap ready"), B("READY")) &&
           bytes_has_nocase(B("Gimap ready"), B("ap r")) &&
           bytes_has_nocase(B("same"), B("same")),
       "a part is found at the beginning, at the end and between");
    ok(!bytes_has_nocase(B("Gimap ready"), B("ready!")) &&
           !bytes_has_nocase(B(""), B("x")),
       "what is not there is not found");
    ok(bytes_has_nocase(B(""), B("")) && bytes_has_nocase(B("a"), B("")),
       "nothing is in anything");
}

static void test_numbers(void)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint64_t value = 42;
        bool good = bytes_to_u64(numbers[i].in, numbers[i].max, &value);

        ok(good == numbers[i].good &&
               value == (good ? numbers[i].want : UINT64_C(42)),
           "number \"%.*s\" of at most %llu", (int)numbers[i].in.len,
           numbers[i].in.len > 0 ? numbers[i].in.ptr : "",
           (unsigned long long)numbers[i].max);
    }
}

static void test_take(void)
{
    struct bytes text = B("0129.M5");
    uint64_t value = 42;

    ok(bytes_take_u64(&text, 129, &value) && value == 129 &&
           bytes_equal(text, B(".M5")),
       "digits are taken off the front");
    ok(!bytes_take_u64(&text, 129, &value) && value == 129 &&
           bytes_equal(text, B(".M5")),
       "where there are none nothing is");
    text = B("130");
    ok(!bytes_take_u64(&text, 129, &value) && bytes_equal(text, B("130")),
       "nor where they are too many");
}

static void test_cut(void)
{
    for (size_t i = 0; i < COUNT(trims); i++)
        ok(bytes_equal(bytes_trim(trims[i].in), trims[i].want), "trim %zu", i);
    ok(bytes_equal(bytes_skip(B("abc"), 1), B("bc")), "skip one");
    ok(bytes_equal(bytes_skip(B("abc"), 3), B("")), "skip all");
    ok(bytes_skip(B("abc"), SIZE_MAX).len == 0, "skip more than there is");
    ok(bytes_skip((struct bytes){NULL, 0}, 1).len == 0, "skip in nothing");
    ok(bytes_equal(bytes_of("a b"), B("a b")), "bytes of a C string");
    ok(bytes_of(NULL).len == 0 && bytes_of(NULL).ptr != NULL,
       "bytes of no C string");
    ok(B("a\0b").len == 3, "a literal keeps its NUL");
}

static void test_copies(void)
{
    char *text = mem_text(B("a\0b"));
    char *nothing = mem_text((struct bytes){NULL, 0});
    char *copy = mem_copy("copy");
    char *printed = mem_printf("%s %d", "x", 7);

    ok(strcmp(text, "a") == 0, "a copy ends at NUL");
    ok(strcmp(nothing, "") == 0, "a copy of nothing is empty");
    ok(strcmp(copy, "copy") == 0, "copy of a C string");
    ok(mem_copy(NULL) == NULL, "copy of NULL is NULL");
    ok(strcmp(printed, "x 7") == 0, "printf into fresh memory");
    free(text);
    free(nothing);
    free(copy);
    free(printed);
}

static void test_grow(void)
{
    uint32_t *array = NULL;
    size_t cap = 0;
    size_t moves = 0;
    bool kept = true;
    void *none = mem_new(0, 8);

    for (uint32_t n = 0; n < 100000; n++) {
        size_t before = cap;

        array = mem_grow(array, n, &cap, sizeof(*array));
        moves += cap != before;
        array[n] = n;
    }
    for (uint32_t n = 0; n < 100000; n++)
        kept = kept && array[n] == n;
    ok(kept, "an array that grows keeps what it holds");
    ok(moves < 20, "it grows geometrically: %zu times", moves);
    ok(none != NULL, "no things still have a place");
    array = mem_resize(array, 0, sizeof(*array));
    ok(array != NULL, "resized to nothing it still has a place");
    free(array);
    free(none);
}

int main(void)
{
    test_compare();
    test_has();
    test_numbers();
    test_take();
    test_cut();
    test_copies();
    test_grow();
    return done_testing();
}
