#include <string.h>

#include "base/utf8.h"
#include "imap/mutf7.h"
#include "tests/tap.h"

/* The same name in both forms. RFC 3501 section 5.1.3 has the second. */
static const struct {
    const char *utf8;
    const char *wire;
} names[] = {
    {"",                                          ""                               },
    {"~peter/mail/\345\217\260\345\214\227/"
     "\346\227\245\346\234\254\350\252\236", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
    {"INBOX",                                     "INBOX"                          },
    {"a&b",                                       "a&-b"                           },
    {"&",                                         "&-"                             },
    {"&&",                                        "&-&-"                           },
    {"Entw\303\274rfe",                           "Entw&APw-rfe"                   },
    {"\303\274",                                  "&APw-"                          },
    {"\303\274&",                                 "&APw-&-"                        },
    {"\303\274-",                                 "&APw--"                         },
    {"\303\244\303\266\303\274",                  "&AOQA9gD8-"                     },
    {"\342\202\254",                              "&IKw-"                          },
    {"\360\237\230\200",                          "&2D3eAA-"                       },
    {"\364\217\277\277",                          "&2,,f,w-"                       },
    {"\x7f",                                      "&AH8-"                          },
    {"\n",                                        "&AAo-"                          },
    {"a\tb",                                      "a&AAk-b"                        },
    {"\357\277\277",                              "&,,8-"                          },
};

static const char *const invalid_wire[] = {
    "&",          /* no end */
    "&A",         /* no end */
    "&A-",        /* six bits are no unit */
    "&AA-",       /* twelve neither */
    "&AGE-",      /* "a" stands for itself */
    "&AGEA5A-",   /* the same before another */
    "&ACY-",      /* "&" is "&-" */
    "&APx-",      /* bits left over are not 0 */
    "&APwA-",     /* more bits than needed */
    "&APw-&AOQ-", /* superfluous shift */
    "&2D0-",      /* high surrogate alone */
    "&3gA-",      /* low surrogate alone */
    "&3gDYPQ-",   /* the wrong way around */
    "&2D3YPQ-",   /* high and high */
    "&2D0AYQ-",   /* high and no surrogate */
    "&APw=-",     /* padding */
    "&AP/w-",     /* "/" is "," */
    "& -",        /* not base64 */
    "\303\274",   /* 8 bits */
    "a\x7f",      /* not printable */
    "a\n",        "abc&",
};

static const char *const invalid_utf8[] = {
    "\303", "\200", "\300\200", "\355\240\200", "\364\220\200\200", "a\377b",
};

static void test_names(void)
{
    struct buf out;
    size_t i;

    buf_init(&out, 0);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        buf_clear(&out);
        ok(mutf7_encode(bytes_of(names[i].utf8), &out) &&
               strcmp(buf_text(&out), names[i].wire) == 0,
           "encodes to %s", names[i].wire);
        buf_clear(&out);
        ok(mutf7_decode(bytes_of(names[i].wire), &out) &&
               strcmp(buf_text(&out), names[i].utf8) == 0,
           "decodes from %s", names[i].wire);
    }
    buf_deinit(&out);
}

static void test_invalid(void)
{
    struct buf out;
    size_t i;

    buf_init(&out, 0);
    (void)buf_add(&out, B("before"));
    for (i = 0; i < sizeof(invalid_wire) / sizeof(invalid_wire[0]); i++) {
        ok(!mutf7_decode(bytes_of(invalid_wire[i]), &out) &&
               strcmp(buf_text(&out), "before") == 0,
           "refuses name %zu", i);
    }
    for (i = 0; i < sizeof(invalid_utf8) / sizeof(invalid_utf8[0]); i++) {
        ok(!mutf7_encode(bytes_of(invalid_utf8[i]), &out) &&
               strcmp(buf_text(&out), "before") == 0,
           "refuses text %zu", i);
    }
    ok(!mutf7_decode(B("a\0b"), &out), "refuses a bare NUL");
    ok(mutf7_encode(B("\0"), &out) &&
           strcmp(buf_text(&out), "before&AAA-") == 0,
       "encodes a NUL behind what is there");
    buf_deinit(&out);
}

/* xorshift: the same texts in each run. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A code point, of each length equally often. */
static uint32_t random_code(uint32_t *state)
{
    static const uint32_t below[] = {0x80, 0x800, 0x10000, 0x110000};
    uint32_t code = next_random(state) % below[next_random(state) % 4];

    return code >= 0xd800 && code <= 0xdfff ? 'x' : code;
}

static void test_round_trip(void)
{
    uint32_t state = 2463534242;
    struct buf text, wire, again;
    size_t bad = 0;
    int i;

    buf_init(&text, 0);
    buf_init(&wire, 0);
    buf_init(&again, 0);
    for (i = 0; i < 20000; i++) {
        uint32_t n = next_random(&state) % 12;

        buf_clear(&text);
        buf_clear(&wire);
        buf_clear(&again);
        while (n-- > 0) {
            char code[4];

            (void)buf_add(
                &text,
                (struct bytes){code, utf8_put(random_code(&state), code)});
        }
        bad += !mutf7_encode(buf_peek(&text), &wire) ||
               !mutf7_decode(buf_peek(&wire), &again) ||
               !bytes_equal(buf_peek(&text), buf_peek(&again));
    }
    ok(bad == 0, "20000 names come back as they were");
    buf_deinit(&text);
    buf_deinit(&wire);
    buf_deinit(&again);
}

/* What is accepted is canonical: encoded again, it is the same. */
static void test_canonical(void)
{
    static const char letters[] = "&-A,Pw2D3";
    uint32_t state = 88172645;
    struct buf utf8, again;
    size_t accepted = 0;
    size_t bad = 0;
    int i;

    buf_init(&utf8, 0);
    buf_init(&again, 0);
    for (i = 0; i < 200000; i++) {
        char wire[8];
        struct bytes text = {wire, 1 + next_random(&state) % sizeof(wire)};
        size_t k;

        for (k = 0; k < text.len; k++)
            wire[k] = letters[next_random(&state) % (sizeof(letters) - 1)];
        buf_clear(&utf8);
        buf_clear(&again);
        if (!mutf7_decode(text, &utf8))
            continue;
        accepted++;
        bad += !utf8_valid(buf_peek(&utf8)) ||
               !mutf7_encode(buf_peek(&utf8), &again) ||
               !bytes_equal(buf_peek(&again), text);
    }
    ok(accepted > 1000 && bad == 0, "only canonical names are accepted");
    buf_deinit(&utf8);
    buf_deinit(&again);
}

int main(void)
{
    test_names();
    test_invalid();
    test_round_trip();
    test_canonical();
    return done_testing();
}
