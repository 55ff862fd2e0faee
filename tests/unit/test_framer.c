#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/framer.h"
#include "imap/session.h"
#include "tests/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The pieces of a stream in short: "T<text>", "H<text|size>", "D<data>" put
 * together, "E"; at the end "!code" for a failure, "+n" for bytes left. */
/* clang-format off */
static const struct {
    const char *name;
    const char *in;
    const char *want;
} cases[] = {
    {"a line", "* OK hi\r\n", "T<* OK hi>"},
    {"line ends of LF only", "* OK hi\n* NO\n", "T<* OK hi>T<* NO>"},
    {"an empty line", "\r\n\n", "T<>T<>"},
    {"half a line", "* OK\r\n* BA", "T<* OK>+4"},
    {"a CR inside", "* OK a\rb\r\r\n", "T<* OK a\rb\r>"},
    {"a literal in its place", "* LIST () {3}\r\na\nb x\r\n",
     "T<* LIST () {3}\r\na\nb x>"},
    {"a literal at the end", "* LIST () \"/\" {0}\r\n\r\n* 1 X\r\n",
     "T<* LIST () \"/\" {0}\r\n>T<* 1 X>"},
    {"a literal cut short", "* LIST () {5}\r\nab", "+17"},
    {"two literals", "* X {1}\r\na {1}\r\nb\r\n", "T<* X {1}\r\na {1}\r\nb>"},
    {"a literal that looks like one", "* X {5}\r\n{3}\r\n\r\n",
     "T<* X {5}\r\n{3}\r\n>"},
    {"literal8, zeros, plus", "* X ~{1}\r\na {001}\r\nb {1+}\r\nc\r\n",
     "T<* X ~{1}\r\na {001}\r\nb {1+}\r\nc>"},
    {"no literal in text", "* OK see {5}\r\na1 NO {5}\r\n+ {5}\r\n",
     "T<* OK see {5}>T<a1 NO {5}>T<+ {5}>"},
    {"no literal in text: others", "* bye {5}\r\n* BAD {5}\r\n* PREAUTH {5}\r\n",
     "T<* bye {5}>T<* BAD {5}>T<* PREAUTH {5}>"},
    {"words that begin like a status", "* NONE {1}\r\na\r\n",
     "T<* NONE {1}\r\na>"},
    {"braces of other kinds", "* X {abc}\r\n* X a{5}\r\n* X }\r\n* X 5}\r\n",
     "T<* X {abc}>T<* X a{5}>T<* X }>T<* X 5}>"},
    {"a body", "* 1 FETCH (BODY[] {3}\r\nabc)\r\n",
     "H<* 1 FETCH (BODY[] {3}|3>D<abc>ET<)>"},
    {"an empty body", "* 1 FETCH (BODY[] {0}\r\n)\r\n",
     "H<* 1 FETCH (BODY[] {0}|0>ET<)>"},
    {"a body cut short", "* 1 FETCH (BODY[] {5}\r\nabc",
     "H<* 1 FETCH (BODY[] {5}|5>D<abc>"},
    {"a body with all in it", "* 1 FETCH (BODY[] {9}\r\n\r\n{9}\r\na\n)\r\n",
     "H<* 1 FETCH (BODY[] {9}|9>D<\r\n{9}\r\na\n>ET<)>"},
    {"two bodies", "* 1 UIDFETCH (x body[1.TEXT]<0> {1}\r\na "
     "BODY[HEADER.FIELDS (\"A B\")] ~{1+}\r\nb)\r\n",
     "H<* 1 UIDFETCH (x body[1.TEXT]<0> {1}|1>D<a>E"
     "H< BODY[HEADER.FIELDS (\"A B\")] ~{1+}|1>D<b>ET<)>"},
    {"a literal inside a section", "*  2  FETCH (BODY[HEADER.FIELDS ({1}\r\na)] "
     "{1}\r\nb)\r\n",
     "H<*  2  FETCH (BODY[HEADER.FIELDS ({1}\r\na)] {1}|1>D<b>ET<)>"},
    {"a literal behind a body", "* 1 FETCH (BODY[] {1}\r\na X {2}\r\n)\r)\r\n",
     "H<* 1 FETCH (BODY[] {1}|1>D<a>ET< X {2}\r\n)\r)>"},
    {"no body: of another item", "* 1 FETCH (XBODY[] {1}\r\na Y] {1}\r\nb)\r\n",
     "T<* 1 FETCH (XBODY[] {1}\r\na Y] {1}\r\nb)>"},
    {"no body: of another response", "* LIST (BODY[] {1}\r\na)\r\n",
     "T<* LIST (BODY[] {1}\r\na)>"},
    {"no size", "* X {}\r\n", "!-4+8"},
    {"a size below 0", "* X {-1}\r\n", "!-4+10"},
    {"a size with a sign", "* X {+1}\r\n", "!-4+10"},
    {"a size of 64 bits", "* X {18446744073709551616}\r\n", "!-4+28"},
    {"a size of 63 bits", "* X {9223372036854775808}\r\n", "!-4+27"},
    {"an endless size", "* 1 FETCH (BODY[] {99999999999999999999}\r\n", "!-4+42"},
    {"a large literal", "* X {65537}\r\n", "!-5+13"},
    {"a large one that wraps", "* X {4294967296}\r\n", "!-5+18"},
    {"a large body", "* 1 FETCH (BODY[] {4294967295}\r\na",
     "H<* 1 FETCH (BODY[] {4294967295}|4294967295>D<a>"},
    {"too large a body", "* 1 FETCH (BODY[] {1099511627777}\r\n", "!-5+35"},
};

/* clang-format on */

/* Take all there is; data in a row is put together. */
static int take(struct framer *framer, struct buf *out, bool *in_data)
{
    struct framer_piece piece;
    struct err err;
    int r;

    while ((r = framer_next(framer, &piece, &err)) == 0) {
        if (piece.kind == FRAMER_DATA) {
            if (!*in_data)
                (void)buf_add(out, B("D<"));
            (void)buf_add(out, piece.text);
            *in_data = true;
            continue;
        }
        if (*in_data)
            (void)buf_add(out, B(">"));
        *in_data = false;
        if (piece.kind == FRAMER_DATA_END) {
            (void)buf_add(out, B("E"));
            continue;
        }
        (void)buf_add(out, piece.kind == FRAMER_HEAD ? B("H<") : B("T<"));
        (void)buf_add(out, piece.text);
        if (piece.kind == FRAMER_HEAD)
            (void)buf_printf(out, "|%llu", (unsigned long long)piece.body_size);
        (void)buf_add(out, B(">"));
    }
    return r;
}

static void feed(struct framer *framer, struct bytes in)
{
    memcpy(framer_room(framer, in.len), in.ptr, in.len);
    framer_fed(framer, in.len);
}

/* Cut @in at @cut, or behind every byte where @cut is 0. */
static void run(struct bytes in, size_t cut, struct buf *out)
{
    struct framer framer;
    bool in_data = false;
    int r = 1;

    framer_init(&framer);
    buf_clear(out);
    while (in.len > 0) {
        size_t n = cut == 0 ? 1 : cut < in.len ? cut : in.len;

        feed(&framer, (struct bytes){in.ptr, n});
        in = bytes_skip(in, n);
        if (r == 1)
            r = take(&framer, out, &in_data);
        cut = cut == 0 ? 0 : in.len;
    }
    if (in_data)
        (void)buf_add(out, B(">"));
    if (r < 0)
        (void)buf_printf(out, "!%d", r);
    if (framer_rest(&framer) > 0)
        (void)buf_printf(out, "+%zu", framer_rest(&framer));
    framer_deinit(&framer);
}

static void test_cases(void)
{
    struct buf out;
    size_t i;

    buf_init(&out, 0);
    for (i = 0; i < COUNT(cases); i++) {
        struct bytes in = bytes_of(cases[i].in);
        size_t same = 0;
        size_t cut;

        run(in, in.len, &out);
        if (!ok(strcmp(buf_text(&out), cases[i].want) == 0, "%s",
                cases[i].name))
            printf("# got %s\n", buf_text(&out));
        for (cut = 0; cut < in.len; cut++) {
            run(in, cut, &out);
            same += strcmp(buf_text(&out), cases[i].want) == 0;
        }
        ok(same == in.len, "%s, cut anywhere", cases[i].name);
    }
    buf_deinit(&out);
}

static void test_nuls(void)
{
    struct buf out;

    buf_init(&out, 0);
    run(B("\0\0* OK\r\n\0* OK a\0b\r\n"), 1, &out);
    ok(bytes_equal(buf_peek(&out), B("T<* OK>T<* OK a\0b>")),
       "NULs in front of a line are dropped, others kept");
    run(B("* 1 FETCH (BODY[] {2}\r\n\0\0)\r\n"), 0, &out);
    ok(bytes_equal(buf_peek(&out), B("H<* 1 FETCH (BODY[] {2}|2>D<\0\0>ET<)>")),
       "NULs in a body are kept");
    buf_deinit(&out);
}

/* Feed @start and then @filler again and again: returns what it ends with, and
 * how much was fed. */
static int flood(struct bytes start, struct bytes filler, size_t max,
                 size_t *fed)
{
    struct framer framer;
    struct framer_piece piece;
    struct err err = {""};
    int r;

    framer_init(&framer);
    feed(&framer, start);
    *fed = start.len;
    while ((r = framer_next(&framer, &piece, &err)) >= 0 && *fed < max) {
        if (r == 0)
            continue;
        feed(&framer, filler);
        *fed += filler.len;
    }
    framer_deinit(&framer);
    return r;
}

static void test_floods(void)
{
    struct bytes filler = {mem_new(65536, 1), 65536};
    struct bytes literal = B("{1}\r\nx ");
    size_t fed;

    ok(flood(B("* "), filler, SIZE_MAX, &fed) == ERR_LIMIT &&
           fed <= SESSION_LINE_BYTES_MAX + 2 * filler.len,
       "a line without end");
    ok(flood(B("* LIST () \"/\" \""), filler, SIZE_MAX, &fed) == ERR_LIMIT &&
           fed <= SESSION_LINE_BYTES_MAX + 2 * filler.len,
       "a quoted string without end");
    ok(flood(B("a1 OK "), filler, SIZE_MAX, &fed) == ERR_LIMIT,
       "a tagged line without end");
    ok(flood(B("* 1 FETCH (BODY[] {1}\r\nx"), filler, SIZE_MAX, &fed) ==
           ERR_LIMIT,
       "a response without end behind a body");
    ok(flood(B("* search "), filler, (size_t)SESSION_LINE_BYTES_MAX * 3,
             &fed) == 1,
       "a long SEARCH");
    ok(flood(B("* VANISHED "), filler, SIZE_MAX, &fed) == ERR_LIMIT &&
           fed > SESSION_SET_BYTES_MAX &&
           fed <= SESSION_SET_BYTES_MAX + 2 * filler.len,
       "a set without end");
    ok(flood(B("* X "), literal, SIZE_MAX, &fed) == ERR_LIMIT &&
           fed <= 4 + (SESSION_LITERALS_MAX + 1) * literal.len,
       "literals without end");
    free((void *)(uintptr_t)filler.ptr);
}

/* Nothing is held of a body. */
static void test_memory(void)
{
    struct framer framer;
    struct framer_piece piece;
    struct err err;
    char *chunk = mem_new(65536, 1);
    size_t got = 0;
    int i;

    framer_init(&framer);
    feed(&framer, B("* 1 FETCH (BODY[] {65536000}\r\n"));
    for (i = 0; i < 1000; i++) {
        feed(&framer, (struct bytes){chunk, 65536});
        while (framer_next(&framer, &piece, &err) == 0)
            got += piece.kind == FRAMER_DATA ? piece.text.len : 0;
    }
    ok(got == 65536000 && framer.in.cap <= (size_t)4 * 65536,
       "a body of 64 MB in %zu bytes", framer.in.cap);
    framer_deinit(&framer);
    free(chunk);
}

/* What stands behind a response may not be one. */
static void test_rest(void)
{
    struct framer framer;
    struct framer_piece piece;
    struct bytes rest;
    struct err err;

    framer_init(&framer);
    feed(&framer, B("a1 OK now\r\n\0\x01 not text"));
    ok(framer_next(&framer, &piece, &err) == 0 && framer_rest(&framer) == 11,
       "there is more");
    rest = framer_take_rest(&framer);
    ok(bytes_equal(rest, B("\0\x01 not text")) && framer_rest(&framer) == 0 &&
           bytes_equal(piece.text, B("a1 OK now")),
       "it can be taken back; the response stays");
    ok(framer_next(&framer, &piece, &err) == 1, "and there is nothing left");
    feed(&framer, B("* 2 EXISTS\r\n"));
    ok(framer_next(&framer, &piece, &err) == 0 &&
           bytes_equal(piece.text, B("* 2 EXISTS")) &&
           framer_take_rest(&framer).len == 0,
       "until more comes");
    framer_deinit(&framer);
}

int main(void)
{
    test_cases();
    test_nuls();
    test_floods();
    test_memory();
    test_rest();
    return done_testing();
}
