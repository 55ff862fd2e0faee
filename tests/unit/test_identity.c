/* The header digest: the same for every form in which a header may come. */
#include <string.h>

#include "base/buf.h"
#include "base/identity.h"
#include "tests/tap.h"

static const char plain[] = "Return-Path: <a@example.org>\n"
                            "Message-ID: <1@example.org>\n"
                            "Date: Mon, 1 Jan 2024 00:00:00 +0000\n"
                            "From: A <a@example.org>\n"
                            "X-Long: one\n"
                            " two: three\n"
                            "To: b@example.org,\n"
                            "\tc@example.org\n"
                            "Subject: Hello world\n"
                            "\n"
                            "Subject: not this one\n";

/* What is digested of it. */
static const char digested[] = "MESSAGE-ID:<1@example.org>\n"
                               "DATE:Mon, 1 Jan 2024 00:00:00 +0000\n"
                               "FROM:A <a@example.org>\n"
                               "TO:b@example.org, c@example.org\n"
                               "SUBJECT:Hello world\n";

static struct identity identify(struct bytes header, size_t piece)
{
    struct identity_reader *reader = identity_reader_new(IDENTITY_BY_FIELDS);
    struct identity identity = {0};

    while (header.len > 0) {
        struct bytes part = {header.ptr,
                             piece < header.len ? piece : header.len};

        identity_reader_add(reader, part);
        header = bytes_skip(header, part.len);
    }
    identity_reader_final(reader, &identity);
    identity_reader_free(reader);
    return identity;
}

static bool same(struct identity a, struct identity b)
{
    return a.has_header == b.has_header &&
           memcmp(a.digest, b.digest, sizeof(a.digest)) == 0;
}

/* @text with every LF as CRLF. */
static void print_crlf(struct buf *out, struct bytes text)
{
    buf_clear(out);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            buf_add_char(out, '\r');
        buf_add_char(out, text.ptr[i]);
    }
}

static void test_known(void)
{
    struct identity got = identify(bytes_of(plain), SIZE_MAX);
    uint8_t want[DIGEST_BYTES];

    digest_of(bytes_of(digested), want);
    ok(got.has_header && memcmp(got.digest, want, sizeof(want)) == 0,
       "the fields are digested as documented");
}

static void test_splits(void)
{
    struct identity want = identify(bytes_of(plain), SIZE_MAX);
    struct bytes forms[2] = {bytes_of(plain)};
    unsigned wrong = 0;
    struct buf crlf;

    buf_init(&crlf, 0);
    print_crlf(&crlf, bytes_of(plain));
    forms[1] = buf_peek(&crlf);
    ok(same(identify(forms[1], SIZE_MAX), want), "CRLF is as LF");
    for (size_t form = 0; form < 2; form++) {
        for (size_t at = 1; at < forms[form].len; at++) {
            struct identity_reader *reader =
                identity_reader_new(IDENTITY_BY_FIELDS);
            struct identity got;

            identity_reader_add(reader, (struct bytes){forms[form].ptr, at});
            identity_reader_add(reader, bytes_skip(forms[form], at));
            identity_reader_final(reader, &got);
            wrong += !same(got, want);
            wrong += !same(identify(forms[form], at), want);
            identity_reader_free(reader);
        }
    }
    ok(wrong == 0, "every split, LF and CRLF, gives the same");
    buf_deinit(&crlf);
}

/* clang-format off */
static const struct {
    const char *name;
    const char *a, *b;
    bool same;
} pairs[] = {
    {"folded", "Subject: a\n b\n\n", "Subject: a b\n\n", true},
    {"folded twice", "Subject: a\n \n b\n\n", "Subject: a b\n\n", true},
    {"folded at once", "Subject:\n a\n\n", "Subject: a\n\n", true},
    {"folded by a tab", "Subject: a\n\tb\n\n", "Subject: a b\n\n", true},
    {"runs of blanks", "Subject: a \t  b\n\n", "Subject: a b\n\n", true},
    {"blanks around", "Subject: \t a  \n\n", "Subject:a\n\n", true},
    {"the name's case", "SUBJECT: a\n\n", "subject: a\n\n", true},
    {"a blank before the colon", "Subject : a\n\n", "Subject: a\n\n", true},
    {"no empty line", "Subject: a\n", "Subject: a\n\n", true},
    {"no line end", "Subject: a", "Subject: a\n\n", true},
    {"a body", "Subject: a\n\nDate: x\n", "Subject: a\n\n", true},
    {"CR LF LF", "Subject: a\r\n\nDate: x\n", "Subject: a\n\n", true},
    {"CR CR LF", "Subject: a\r\r\n\r\r\nDate: x\n", "Subject: a\n\n", true},
    {"another field", "Subject: a\nX-Foo: b\n\n", "Subject: a\n\n", true},
    {"another field, folded", "X-Foo: b\n Subject: x\nSubject: a\n\n", "Subject: a\n\n", true},
    {"a long name", "X-Very-Long-Name-Of-A-Field: b\nDate: a\n\n", "Date: a\n\n", true},
    {"a line that is no field", "garbage\nSubject: a\n\n", "Subject: a\n\n", true},
    {"its folding", "garbage\n b\nSubject: a\n\n", "Subject: a\n\n", true},
    {"an mbox line", "From a@b Mon Jan  1 00:00:00 2024\nTo: a\n\n", "To: a\n\n", true},
    {"a blank at the start", " Subject: x\nSubject: a\n\n", "Subject: a\n\n", true},
    {"CR at a line's start", "To: a\n\rx\n b\n\n", "To: a\n\n", true},
    {"a lone colon", ": x\nTo: a\n\n", "To: a\n\n", true},
    {"a lone CR is white space", "To: a\rb\n\n", "To: a b\n\n", true},
    {"another value", "Subject: a\n\n", "Subject: b\n\n", false},
    {"the value's case", "Subject: a\n\n", "Subject: A\n\n", false},
    {"a blank or none", "Subject: a b\n\n", "Subject: ab\n\n", false},
    {"another field's value", "Subject: a\n\n", "To: a\n\n", false},
    {"order", "To: a\nCc: b\n\n", "Cc: b\nTo: a\n\n", false},
    {"a field twice", "To: a\nTo: a\n\n", "To: a\n\n", false},
    {"one field or two", "To: a\n Cc: b\n\n", "To: a\nCc: b\n\n", false},
    {"a prefix of a name", "Dat: a\n\n", "Date: a\n\n", false},
    {"a blank within a name", "Content -Type: a\n\n", "Content-Type: a\n\n", false},
    {"an empty value or no field", "Subject:\n\n", "\n", false},
};

static const struct {
    const char *in;
    bool has_header;
} headers[] = {
    {"", false},
    {"\n", false},
    {"\r\n", false},
    {"\nSubject: a\n", false},
    {"X-Foo: a\n\n", false},
    {"Subject\n\n", false},
    {"Subject", false},
    {"garbage", false},
    {"Subject:", true},
    {"content-type: text/plain\n\n", true},
};

/* clang-format on */

static void test_pairs(void)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        for (size_t piece = 1; piece <= 64; piece *= 64) {
            ok(same(identify(bytes_of(pairs[i].a), piece),
                    identify(bytes_of(pairs[i].b), SIZE_MAX)) == pairs[i].same,
               "%s: %s", pairs[i].same ? "same" : "differs", pairs[i].name);
        }
    }
}

static void test_has_header(void)
{
    struct identity empty = identify(B(""), 1);

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct identity got = identify(bytes_of(headers[i].in), 1);

        ok(got.has_header == headers[i].has_header, "header %zu: %s", i,
           headers[i].has_header ? "has one" : "has none");
        ok(same(got, empty) != headers[i].has_header,
           "header %zu: digests accordingly", i);
    }
}

/* A field longer than the limit: cut at the same place in every form. */
static void test_limit(void)
{
    struct identity_reader *reader = identity_reader_new(IDENTITY_BY_FIELDS);
    struct identity first;
    struct identity second;
    struct buf text;
    struct buf crlf;

    buf_init(&text, 0);
    buf_init(&crlf, 0);
    buf_add(&text, B("Subject: a"));
    while (buf_len(&text) < 2 * IDENTITY_HEADER_BYTES_MAX)
        buf_add(&text, B("\n bcdefg"));
    print_crlf(&crlf, buf_peek(&text));
    identity_reader_add(reader, buf_peek(&text));
    ok(identity_reader_done(reader), "done at the limit");
    identity_reader_final(reader, &first);
    ok(!identity_reader_done(reader), "and ready for the next");
    identity_reader_add(reader, buf_peek(&crlf));
    identity_reader_add(reader, B("more"));
    identity_reader_final(reader, &second);
    ok(same(first, second), "LF and CRLF are cut alike");
    buf_clear(&crlf);
    buf_add(&crlf, B("X-Other: "));
    for (size_t i = 0; i < IDENTITY_HEADER_BYTES_MAX; i++)
        buf_add_char(&crlf, 'x');
    buf_add_char(&crlf, '\n');
    buf_add(&crlf, buf_peek(&text));
    ok(same(identify(buf_peek(&crlf), 4096), first),
       "other fields do not count");
    identity_reader_free(reader);
    buf_deinit(&text);
    buf_deinit(&crlf);
}

static void test_done(void)
{
    struct identity_reader *reader = identity_reader_new(IDENTITY_BY_FIELDS);
    struct identity got;

    identity_reader_add(reader, B("Subject: a\r\n\r"));
    ok(!identity_reader_done(reader), "not done before the empty line ends");
    identity_reader_add(reader, B("\n"));
    ok(identity_reader_done(reader), "done behind it");
    identity_reader_final(reader, &got);
    ok(same(got, identify(B("Subject: a"), 1)), "with its digest");
    identity_reader_final(reader, &got);
    ok(same(got, identify(B(""), 1)), "started anew");
    identity_reader_free(reader);
    identity_reader_free(NULL);
}

static struct identity envelope(struct bytes text)
{
    struct identity_reader *reader = identity_reader_new(IDENTITY_BY_ENVELOPE);
    struct identity got;

    identity_reader_add(reader, text);
    identity_reader_final(reader, &got);
    /* What came before must not count. */
    identity_reader_add(reader, text);
    identity_reader_final(reader, &got);
    identity_reader_free(reader);
    return got;
}

/* What is left of a message that a server makes anew for each reader. */
static void test_envelope(void)
{
    static const struct {
        const char *name;
        const char *a, *b;
        bool same;
    } cases[] = {
        {"another order",                    "Date: x\nFrom: a\n\n",                "From: a\nDate: x\n\n", true },
        {"folded another way",               "Subject: a\r\n b\r\nDate: x\r\n\r\n",
         "Date: x\nSubject: a b\n\n",                                                                       true },
        {"another border",                   "Date: x\nContent-Type: a\n\n",
         "Content-Type: b\nDate: x\nTo: y\n\n",                                                             true },
        {"another Message-ID",               "Message-ID: a\nDate: x\n\n",
         "Message-ID: b\nDate: x\n\n",                                                                      false},
        {"values that changed their fields", "Date: a\nFrom: b\n\n",
         "Date: b\nFrom: a\n\n",                                                                            false},
        {"a field twice",                    "Date: a\nDate: a\n\n",                "Date: a\n\n",          false},
        {"none of the fields",               "To: a\n\n",                           "\n",                   true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(same(envelope(bytes_of(cases[i].a)),
                envelope(bytes_of(cases[i].b))) == cases[i].same,
           "envelope %s: %s", cases[i].same ? "the same" : "differs",
           cases[i].name);
    }
    ok(!envelope(B("To: a\n\n")).has_header, "an envelope needs its fields");
}

int main(void)
{
    test_known();
    test_splits();
    test_pairs();
    test_has_header();
    test_limit();
    test_done();
    test_envelope();
    return done_testing();
}
