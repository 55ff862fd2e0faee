#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/maildir_eol.h"
#include "tests/tap.h"

static const struct {
    const char *what;
    const char *text;
    const char *lf; /* NULL: has bare CR or LF */
    const char *crlf;
    unsigned bare;
} cases[] = {
    {"CRLF throughout",   "a\r\nb\r\n",   "a\nb\n", "a\r\nb\r\n",   0},
    {"no final line end", "a\r\nb",       "a\nb",   "a\r\nb",       0},
    {"nothing",           "",             "",       "",             0},
    {"one line",          "abc",          "abc",    "abc",          0},
    {"LF throughout",     "a\nb\n",       NULL,     "a\r\nb\r\n",   2},
    {"mixed",             "a\r\nb\nc",    NULL,     "a\r\nb\r\nc",  1},
    {"bare CR",           "a\rb\r\n",     NULL,     "a\rb\r\n",     0},
    {"CR CR LF",          "a\r\r\n",      NULL,     "a\r\r\n",      0},
    {"CR at the end",     "a\r\nb\r",     NULL,     "a\r\nb\r",     0},
    {"LF first",          "\na",          NULL,     "\r\na",        1},
    {"empty lines",       "\r\n\r\n\r\n", "\n\n\n", "\r\n\r\n\r\n", 0},
    {"LF CR",             "\n\r",         NULL,     "\r\n\r",       1},
};

/* In pieces of @step bytes. */
static bool works(size_t at, size_t step)
{
    struct bytes text = bytes_of(cases[at].text);
    struct buf lf;
    struct buf crlf;
    bool held = false;
    bool clean = true;
    char last = 0;
    char count_last = 0;
    uint64_t bare = 0;
    bool good;

    buf_init(&lf, 0);
    buf_init(&crlf, 0);
    while (text.len > 0) {
        struct bytes piece = {text.ptr, text.len < step ? text.len : step};

        clean = clean && maildir_eol_to_lf(piece, &held, &lf);
        maildir_eol_to_crlf(piece, &last, &crlf);
        bare += maildir_eol_count_bare(piece, &count_last);
        text = bytes_skip(text, piece.len);
    }
    clean = clean && !held;
    good = clean == (cases[at].lf != NULL) &&
           (!clean || bytes_equal(buf_peek(&lf), bytes_of(cases[at].lf))) &&
           bytes_equal(buf_peek(&crlf), bytes_of(cases[at].crlf)) &&
           bare == cases[at].bare;
    buf_deinit(&lf);
    buf_deinit(&crlf);
    return good;
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool good = true;

        for (size_t step = 1; step <= strlen(cases[i].text) + 1; step++) {
            good = good && works(i, step);
        }
        ok(good, "%s, in pieces of every size", cases[i].what);
    }
    return done_testing();
}
