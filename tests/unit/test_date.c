#include <string.h>

#include "imap/date.h"
#include "tests/tap.h"

static const struct {
    const char *text;
    bool good;
    int64_t seconds;
} cases[] = {
    {"01-Jan-1970 00:00:00 +0000",      true,  0           },
    {" 1-Jan-1970 00:00:00 +0000",      true,  0           },
    {"1-Jan-1970 00:00:00 +0000",       true,  0           },
    {" 1-jan-1970 01:00:00 +0100",      true,  0           },
    {"31-DEC-1969 19:00:00 -0500",      true,  0           },
    {"17-Jul-1996 02:44:25 -0700",      true,  837596665   },
    {"29-Feb-2000 12:00:00 +0000",      true,  951825600   },
    {"19-Jan-2038 03:14:08 +0000",      true,  2147483648  },
    {"31-Dec-2016 23:59:60 +0000",      true,  1483228800  },
    {"01-Jan-0001 00:00:00 +0000",      true,  -62135596800},
    {"31-Dec-9999 23:59:59 +0000",      true,  253402300799},
    {"01-Jan-1970 00:00:00 +2359",      true,  -86340      },
    {"",                                false, 0           },
    {"00-Jan-0000 00:00:00 +0000",      false, 0           },
    {"00-Jan-1970 00:00:00 +0000",      false, 0           },
    {"01-Jan-0000 00:00:00 +0000",      false, 0           },
    {"32-Jan-1970 00:00:00 +0000",      false, 0           },
    {"32-Foo-0000 00:00:00 +0000",      false, 0           },
    {"29-Feb-1900 00:00:00 +0000",      false, 0           },
    {"30-Feb-2000 00:00:00 +0000",      false, 0           },
    {"31-Apr-2000 00:00:00 +0000",      false, 0           },
    {"01-13-1970 00:00:00 +0000",       false, 0           },
    {"01-Jan-70 00:00:00 +0000",        false, 0           },
    {"01-Jan-19700 00:00:00 +0000",     false, 0           },
    {"01-Jan-1970 24:00:00 +0000",      false, 0           },
    {"01-Jan-1970 00:60:00 +0000",      false, 0           },
    {"01-Jan-1970 00:00:61 +0000",      false, 0           },
    {"01-Jan-1970 00:00:00 +2500",      false, 0           },
    {"01-Jan-1970 00:00:00 +0060",      false, 0           },
    {"01-Jan-1970 00:00:00 0000",       false, 0           },
    {"01-Jan-1970 00:00:00 GMT",        false, 0           },
    {"01-Jan-1970 00:00:00",            false, 0           },
    {"01-Jan-1970 00:00:00 +0000 ",     false, 0           },
    {"01-Jan-1970  00:00:00 +0000",     false, 0           },
    {"  1-Jan-1970 00:00:00 +0000",     false, 0           },
    {" 01-Jan-1970 00:00:00 +0000",     false, 0           },
    {"+1-Jan-1970 00:00:00 +0000",      false, 0           },
    {"01-Jan-1970 00:00:-1 +0000",      false, 0           },
    {"Thu, 01 Jan 1970 00:00:00 +0000", false, 0           },
};

static const struct {
    int64_t seconds;
    const char *text;
} prints[] = {
    {0,            " 1-Jan-1970 00:00:00 +0000"},
    {-1,           "31-Dec-1969 23:59:59 +0000"},
    {951782400,    "29-Feb-2000 00:00:00 +0000"},
    {837596665,    "17-Jul-1996 09:44:25 +0000"},
    {INT64_MIN,    " 1-Jan-0001 00:00:00 +0000"},
    {INT64_MAX,    "31-Dec-9999 23:59:59 +0000"},
    {253402300799, "31-Dec-9999 23:59:59 +0000"},
};

/* From the year 1 to 9999 in steps that share no factor with day or year. */
static void test_round_trip(void)
{
    int64_t seconds;
    size_t bad = 0;

    for (seconds = -62135596800; seconds <= 253402300799;
         seconds += 7919 * 1009 + 1) {
        char text[DATE_TEXT_BYTES];
        int64_t again = 0;

        date_print(seconds, text);
        bad += !date_parse(bytes_of(text), &again) || again != seconds;
    }
    ok(bad == 0, "what is printed is read again");
}

static void test_every_prefix(void)
{
    const struct bytes text = B(" 1-Jan-1970 00:00:00 +0000");
    int64_t seconds = 42;
    size_t n;
    size_t good = 0;

    for (n = 0; n < text.len; n++)
        good += date_parse((struct bytes){text.ptr, n}, &seconds);
    ok(good == 0 && seconds == 42, "no prefix is a date");
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds = 42;
        bool good = date_parse(bytes_of(cases[i].text), &seconds);

        ok(good == cases[i].good && seconds == (good ? cases[i].seconds : 42),
           "\"%s\" is %s date", cases[i].text, cases[i].good ? "a" : "no");
    }
    for (i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
        char text[DATE_TEXT_BYTES];

        date_print(prints[i].seconds, text);
        ok(strcmp(text, prints[i].text) == 0, "%s", prints[i].text);
    }
    test_round_trip();
    test_every_prefix();
    return done_testing();
}
