#include <stdlib.h>
#include <string.h>

#include "base/flags.h"
#include "base/mem.h"
#include "store/maildir_name.h"
#include "tests/tap.h"

static bool is(struct bytes got, const char *want)
{
    return bytes_equal(got, bytes_of(want));
}

static const struct {
    const char *what;
    const char *name;
    const char *base;
    const char *letters;
    const char *rest;
    bool has_info;
    bool plain;
} parses[] = {
    {"a seen message",          "1.a.h:2,S",       "1.a.h",       "S",    "",       true,  true },
    {"no flags",                "1.a.h:2,",        "1.a.h",       "",     "",       true,  true },
    {"no info",                 "1.a.h",           "1.a.h",       "",     "",       false, false},
    {"unsorted letters",        "1.a:2,SF",        "1.a",         "SF",   "",       true,  false},
    {"repeated letters",        "1.a:2,SS",        "1.a",         "SS",   "",       true,  false},
    {"an unknown letter",       "1.a:2,SX",        "1.a",         "SX",   "",       true,  false},
    {"keywords",                "1.a:2,FSab",      "1.a",         "FSab", "",       true,  true },
    {"data behind a comma",     "1.a:2,S,x=1",     "1.a",         "S",    ",x=1",   true,  false},
    {"two infos",               "1.a:2,S:2,F",     "1.a",         "S",    ":2,F",   true,  false},
    {"experimental info",       "1.a:1,xyz",       "1.a",         "",     ":1,xyz", false, false},
    {"another delimiter",       "1.a!2,S",         "1.a!2,S",     "",     "",       false, false},
    {"fields stay in the base", "1.a,S=3,W=4:2,S", "1.a,S=3,W=4", "S",    "",       true,
     true                                                                                       },
    {"a base of info only",     ":2,S",            ":2,S",        "",     "",       false, false},
    {"one byte",                "x",               "x",           "",     "",       false, false},
};

static void test_parse(void)
{
    for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
        struct maildir_name name;
        bool plain;

        maildir_name_parse(bytes_of(parses[i].name), &name);
        (void)maildir_name_letters(&name, &plain);
        ok(is(name.base, parses[i].base) &&
               is(name.letters, parses[i].letters) &&
               is(name.rest, parses[i].rest) &&
               name.has_info == parses[i].has_info && plain == parses[i].plain,
           "parse: %s", parses[i].what);
    }
}

static const struct {
    const char *what;
    const char *from;
    uint32_t add;
    uint32_t remove;
    const char *to;
} changes[] = {
    {"a flag is added in order",    "a:2,S",     MAILDIR_NAME_FLAGGED,    0,                 "a:2,FS"    },
    {"a flag is removed",           "a:2,FS",    0,                       MAILDIR_NAME_SEEN, "a:2,F"     },
    {"what is there stays",         "a:2,S",     MAILDIR_NAME_SEEN,       0,                 "a:2,S"     },
    {"from new to cur",             "a",         MAILDIR_NAME_SEEN,       0,                 "a:2,S"     },
    {"unknown letters are kept",    "a:2,SXZ",   MAILDIR_NAME_DRAFT,      0,                 "a:2,DSXZ"  },
    {"data behind a comma is kept", "a:2,S,q",   MAILDIR_NAME_REPLIED,    0,
     "a:2,RS,q"                                                                                          },
    {"a second info is kept",       "a:2,S:2,F", MAILDIR_NAME_PASSED,     0,
     "a:2,PS:2,F"                                                                                        },
    {"experimental info is kept",   "a:1,x",     MAILDIR_NAME_SEEN,       0,                 "a:2,S:1,x" },
    {"keywords come last",          "a:2,b",     MAILDIR_NAME_SEEN | 1,   0,                 "a:2,Sab"   },
    {"all upper-case letters",      "a:2,",
     MAILDIR_NAME_DRAFT | MAILDIR_NAME_FLAGGED | MAILDIR_NAME_PASSED |
         MAILDIR_NAME_REPLIED | MAILDIR_NAME_SEEN | MAILDIR_NAME_TRASHED,
     0,                                                                                      "a:2,DFPRST"},
};

static void test_change(void)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct buf out;
        struct maildir_name old;
        struct maildir_name new;

        buf_init(&out, 0);
        maildir_name_change(&out, bytes_of(changes[i].from), changes[i].add,
                            changes[i].remove);
        maildir_name_parse(bytes_of(changes[i].from), &old);
        maildir_name_parse(buf_peek(&out), &new);
        ok(is(buf_peek(&out), changes[i].to), "change: %s", changes[i].what);
        ok(bytes_equal(old.base, new.base), "the base stays: %s",
           changes[i].what);
        buf_deinit(&out);
    }
}

static void test_letters_round_trip(void)
{
    bool good = true;

    for (uint32_t high = 0; high < 64; high++) {
        uint32_t letters = (high << 26) | (high * 0x111111u & 0x3ffffffu);
        struct maildir_name name;
        struct buf out;
        bool plain;

        buf_init(&out, 0);
        maildir_name_print(&out, B("b"), letters);
        maildir_name_parse(buf_peek(&out), &name);
        good = good && maildir_name_letters(&name, &plain) == letters && plain;
        buf_deinit(&out);
    }
    ok(good, "letters survive printing and parsing");
    good = true;
    for (uint32_t flags = 0; flags <= FLAGS_SYSTEM; flags++) {
        good = good &&
               maildir_name_to_flags(maildir_name_from_flags(flags)) == flags;
    }
    ok(good, "system flags survive the way to letters and back");
}

static const struct {
    const char *base;
    bool has_file;
    bool has_crlf;
    uint64_t file;
    uint64_t crlf;
    bool verbatim;
} sizes[] = {
    {"1.a.h,S=10,W=12",              true,  true,  10, 12, false},
    {"1.a.h,W=12,S=10",              true,  true,  10, 12, false},
    {"1.a.h,S=10,W=12,B=1",          true,  true,  10, 12, true },
    {"1.a.h",                        false, false, 0,  0,  false},
    {"1.a.h,S=,W=x",                 false, false, 0,  0,  false},
    {"1.a.h,S=-1",                   false, false, 0,  0,  false},
    {"1.a.h,S=99999999999999999999", false, false, 0,  0,  false},
    {"1.a.h,U=5,S=7",                true,  false, 7,  0,  false},
    {"1.a.h,,S=7,",                  true,  false, 7,  0,  false},
    {"1.a.h,B=2",                    false, false, 0,  0,  false},
    {",",                            false, false, 0,  0,  false},
};

static void test_sizes(void)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct maildir_name_sizes got;

        maildir_name_parse_sizes(bytes_of(sizes[i].base), &got);
        ok(got.has_file == sizes[i].has_file &&
               got.has_crlf == sizes[i].has_crlf &&
               (!got.has_file || got.file == sizes[i].file) &&
               (!got.has_crlf || got.crlf == sizes[i].crlf) &&
               got.verbatim == sizes[i].verbatim,
           "sizes of %s", sizes[i].base);
    }
}

static void test_unique(void)
{
    struct maildir_name_unique unique = {.seconds = 1700000000,
                                         .microseconds = 42,
                                         .pid = 7,
                                         .counter = 3,
                                         .random = 0xabc,
                                         .host = B("a/b:c,d.example")};
    char long_host[300];
    struct buf out;

    buf_init(&out, 0);
    maildir_name_print_unique(&out, &unique);
    ok(is(buf_peek(&out), "1700000000.M000042P7Q3R0000000000000abc."
                          "a\\057b\\072c\\054d.example"),
       "a unique name with a hostile host");
    buf_clear(&out);
    (void)memset(long_host, 'h', sizeof(long_host));
    unique.host = (struct bytes){long_host, sizeof(long_host)};
    maildir_name_print_unique(&out, &unique);
    maildir_name_print_sizes(&out,
                             &(struct maildir_name_sizes){.has_file = true,
                                                          .has_crlf = true,
                                                          .file = INT64_MAX,
                                                          .crlf = INT64_MAX,
                                                          .verbatim = true});
    maildir_name_print(&out, B(""), UINT32_MAX);
    ok(buf_len(&out) < MAILDIR_NAME_BYTES_MAX,
       "the longest name fits a directory entry");
    buf_deinit(&out);
}

static void test_by(void)
{
    static const struct {
        const char *base;
        bool is_by;
    } names[] = {
        {"1.M000042P7Q3R0000000000000abc.a\\057b.example",     true },
        {"1.M000042P7Q3R0000000000000abc.a\\057b.example,S=1", true },
        {"1.M000042P7Q3R0000000000000abc.a\\057b.example.org", false},
        {"1.M000042P7Q3R0000000000000abc.a",                   false},
        {"1.M000042P7Q3R0000000000000abc",                     false},
        {"1.M000042P7Q3R0abc.a\\057b.example",                 false},
        {"1.M000042PQ3R0000000000000abc.a\\057b.example",      false},
        {"1.M000042P7.a\\057b.example",                        false},
        {"1.M42P7Q3R0000000000000abc.a\\057b.example",         false},
        {"1.M000042P99999999999999999999Q3R0000000000000abc."
         "a\\057b.example",                           false},
        {"",                                                   false},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint64_t pid = 0;
        bool is_by =
            maildir_name_is_by(bytes_of(names[i].base), B("a/b.example"), &pid);

        ok(is_by == names[i].is_by && (!is_by || pid == 7), "whose is '%s'",
           names[i].base);
    }
}

int main(void)
{
    test_parse();
    test_change();
    test_letters_round_trip();
    test_sizes();
    test_unique();
    test_by();
    return done_testing();
}
