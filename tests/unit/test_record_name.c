/* Goal of this test: the base name of a file comes out of the state's row as it
 * went in, byte for byte, whatever its form; and those that programs give take a
 * part of their text only. */
#include <stdlib.h>
#include <string.h>

#include "store/record_name.h"
#include "tests/random.h"
#include "tests/tap.h"

/* Into a row and out of it again; the row's bytes into *@len. */
static bool comes_back(struct bytes name, size_t *len)
{
    struct record_name parts;
    struct record_name again;
    struct bytes host = B("");
    struct buf row;
    struct buf text;
    bool same;

    buf_init(&row, 0);
    buf_init(&text, 0);
    if (record_name_parse(name, &parts, &host))
        parts.host = 1;
    record_name_encode(&row, &parts);
    same = record_name_decode(buf_peek(&row), &again);
    if (same) {
        record_name_print(&text, &again, host);
        same = bytes_equal(buf_peek(&text), name);
    }
    *len = buf_len(&row);
    buf_deinit(&row);
    buf_deinit(&text);
    return same;
}

static void test_forms(void)
{
    static const struct {
        const char *name;
        bool parts;
    } cases[] = {
        {"1732202562.M012345P31337Q17R0123456789abcdef.box,S=1234,W=1250",
         true                                                                   },
        {"1732202562.M012345P31337Q17R0123456789abcdef.box,S=1,W=1,B=1",   true },
        {"1732202562.M2345P31337.mail.example.org,S=1234,W=1250",          true },
        {"1732202562.M0P1.h",                                              true },
        {"4294967295.M999999P9223372036854775807.h,W=3",                   true },
        {"1700000001.M1P1.,S=9,W=3",                                       true },
        {"1.M1P1.host:with,colon",                                         false},
        {"1732202562.31337_1.host",                                        false},
        {"1732202562.31337_1.host,U=12",                                   false},
        {"4294967296.M1P1.h",                                              false},
        {"01.M1P1.h",                                                      false},
        {"1.M01P1.h",                                                      false},
        {"1.M1P01.h",                                                      false},
        {"1.M1P1Q.h",                                                      false},
        {"1.M1P1R0123456789ABCDEF.h",                                      false},
        {"1.M1P1R012345678.h",                                             false},
        {"1.M1P1.h,S=01",                                                  false},
        {"1.M1P1.h,W=1,S=1",                                               false},
        {"1.M1P1.h,S=1,FMD5=d41d8cd98f00b204e9800998ecf8427e",             false},
        {"1.M1P1",                                                         false},
        {"",                                                               false},
        {"\xff\n",                                                         false},
    };

    size_t len;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bytes name = bytes_of(cases[i].name);

        ok(comes_back(name, &len) && (len < name.len || !cases[i].parts) &&
               (len == name.len + 1) == !cases[i].parts,
           "\"%s\" comes back, kept %s", cases[i].name,
           cases[i].parts ? "in parts" : "whole");
    }
    ok(comes_back(bytes_of(cases[0].name), &len) && len <= 28,
       "one of our own takes %zu bytes", len);
}

/* Names that are nearly of the form: one byte of one changed, left out or put
 * in. */
static void test_near(void)
{
    static const char from[] =
        "1732202562.M012345P31337Q17R0123456789abcdef.box,S=1234,W=1250,B=1";
    static const char bytes[] = "0129aMPQRSWB=,.:/\n";
    struct random random = {1};
    unsigned wrong = 0;
    size_t len;

    for (unsigned i = 0; i < 200000; i++) {
        char text[sizeof(from) + 1];
        size_t n = sizeof(from) - 1;
        unsigned changes = 1 + random_below(&random, 3);

        memcpy(text, from, n);
        for (unsigned k = 0; k < changes; k++) {
            size_t at = random_below(&random, (uint32_t)n);
            char c = bytes[random_below(&random, sizeof(bytes) - 1)];

            if (random_below(&random, 2) == 0) {
                text[at] = c;
            } else {
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
            }
        }
        wrong += !comes_back((struct bytes){text, n}, &len);
    }
    ok(wrong == 0, "%u of 200000 names that are nearly so do not come back",
       wrong);
}

static void test_damaged(void)
{
    static const char name[] =
        "1732202562.M012345P31337Q17R0123456789abcdef.box,S=1234,W=1250";
    struct record_name parts;
    struct record_name got;
    struct bytes host;
    struct buf row;
    unsigned good = 0;

    buf_init(&row, 0);
    record_name_parse(bytes_of(name), &parts, &host);
    parts.host = 1;
    record_name_encode(&row, &parts);
    for (size_t n = 0; n < buf_len(&row); n++) {
        char *copy = malloc(n + 1);

        memcpy(copy, buf_peek(&row).ptr, n);
        good += record_name_decode((struct bytes){copy, n}, &got);
        free(copy);
    }
    buf_add_char(&row, 0);
    good += record_name_decode(buf_peek(&row), &got);
    ok(good == 0, "no other length of a row is one");
    ok(!record_name_decode(B("\x80x"), &got) &&
           !record_name_decode(B("\x02x"), &got),
       "nor is one of a form that there is not");
    buf_deinit(&row);
}

int main(void)
{
    test_forms();
    test_near();
    test_damaged();
    return done_testing();
}
