#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/maildir_path.h"
#include "tests/tap.h"

static const struct {
    const char *name;
    const char *nested; /* NULL: refused */
    const char *plusplus;
} codes[] = {
    {"INBOX",            "INBOX",           "."               },
    {"INBOX/sub",        "INBOX/sub",       ".INBOX.sub"      },
    {"A/B",              "A/B",             ".A.B"            },
    {"Old stuff",        "Old stuff",       ".Old stuff"      },
    {"v1.2",             "v1.2",            ".v1%2E2"         },
    {".hidden",          "%2Ehidden",       ".%2Ehidden"      },
    {"..",               "%2E.",            ".%2E%2E"         },
    {".",                "%2E",             ".%2E"            },
    {"a/../b",           "a/%2E./b",        ".a.%2E%2E.b"     },
    {"cur",              "%63ur",           ".%63ur"          },
    {"new/tmp",          "%6Eew/%74mp",     ".%6Eew.%74mp"    },
    {"current",          "current",         ".current"        },
    {"100%",             "100%",            ".100%"           },
    {"%41",              "%2541",           ".%2541"          },
    {"%zz",              "%zz",             ".%zz"            },
    {"%2",               "%2",              ".%2"             },
    {"%25",              "%2525",           ".%2525"          },
    {"a\nb",             "a%0Ab",           ".a%0Ab"          },
    {"a\x1b[0m",         "a%1B[0m",         ".a%1B[0m"        },
    {"a\x7f",            "a%7F",            ".a%7F"           },
    {"c1 \xc2\x85",      "c1 %C2%85",       ".c1 %C2%85"      },
    {"\xc2\xa0 nbsp",    "\xc2\xa0 nbsp",   ".\xc2\xa0 nbsp"  },
    {"Entw\xc3\xbcrfe",  "Entw\xc3\xbcrfe", ".Entw\xc3\xbcrfe"},
    {"~root",            "~root",           ".~root"          },
    {".mailtwin",        "%2Emailtwin",     ".%2Emailtwin"    },
    {"mailtwin",         "mailtwin",        ".%6Dailtwin"     },
    {"%\n",              "%%0A",            ".%%0A"           },
    {"",                 NULL,              NULL              },
    {"/",                NULL,              NULL              },
    {"/a",               NULL,              NULL              },
    {"a/",               NULL,              NULL              },
    {"a//b",             NULL,              NULL              },
    {"Inbox",            NULL,              NULL              },
    {"inbox",            NULL,              NULL              },
    {"bad \xff utf8",    NULL,              NULL              },
    {"bad \xed\xa0\x80", NULL,              NULL              },
};

static void check(enum maildir_layout layout, const char *name,
                  const char *want)
{
    const char *shown = layout == MAILDIR_NESTED ? "nested" : "maildir++";
    struct buf path;
    struct buf back;
    struct err err;
    int r;

    buf_init(&path, 0);
    buf_init(&back, 0);
    r = maildir_path_encode(layout, bytes_of(name), &path, &err);
    if (want == NULL) {
        ok(r == ERR_REFUSED, "%s: a bad name is refused (%s)", shown, err.text);
    } else {
        ok(r == 0 && bytes_equal(buf_peek(&path), bytes_of(want)),
           "%s: a name is written as %s", shown, want);
        ok(maildir_path_decode(layout, bytes_of(want), &back) &&
               bytes_equal(buf_peek(&back), bytes_of(name)),
           "%s: %s is read back", shown, want);
    }
    buf_deinit(&path);
    buf_deinit(&back);
}

static const struct {
    enum maildir_layout layout;
    const char *path;
} foreign[] = {
    {MAILDIR_NESTED,   "%41bc"    },
    {MAILDIR_NESTED,   "%2ehidden"},
    {MAILDIR_NESTED,   "a%2Fb"    },
    {MAILDIR_NESTED,   "a%00b"    },
    {MAILDIR_NESTED,   "v1%2E2"   },
    {MAILDIR_NESTED,   ".hidden"  },
    {MAILDIR_NESTED,   "cur"      },
    {MAILDIR_NESTED,   "inbox"    },
    {MAILDIR_NESTED,   "bad\xff"  },
    {MAILDIR_NESTED,   "a\nb"     },
    {MAILDIR_NESTED,   ""         },
    {MAILDIR_PLUSPLUS, ""         },
    {MAILDIR_PLUSPLUS, ".."       },
    {MAILDIR_PLUSPLUS, "..a"      },
    {MAILDIR_PLUSPLUS, ".a."      },
    {MAILDIR_PLUSPLUS, ".a..b"    },
    {MAILDIR_PLUSPLUS, "a"        },
    {MAILDIR_PLUSPLUS, ".INBOX"   },
    {MAILDIR_PLUSPLUS, ".mailtwin"},
};

static void test_foreign(void)
{
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        struct buf name;

        buf_init(&name, 0);
        ok(!maildir_path_decode(foreign[i].layout, bytes_of(foreign[i].path),
                                &name),
           "foreign directory %zu is no folder", i);
        buf_deinit(&name);
    }
}

static void test_lengths(void)
{
    char *component = mem_new(257, 1);
    char *deep = mem_new(500, 1);
    struct buf out;
    struct err err;

    buf_init(&out, 0);
    (void)memset(component, 'x', 255);
    ok(maildir_path_encode(MAILDIR_NESTED, bytes_of(component), &out, &err) ==
           0,
       "255 bytes fit a directory");
    ok(maildir_path_encode(MAILDIR_PLUSPLUS, bytes_of(component), &out, &err) ==
           ERR_REFUSED,
       "but not with a dot before them");
    component[255] = 'x';
    ok(maildir_path_encode(MAILDIR_NESTED, bytes_of(component), &out, &err) ==
           ERR_REFUSED,
       "256 bytes do not fit");
    for (size_t i = 0; i < 101; i++) {
        (void)memcpy(deep + 2 * i, "a/", 2);
    }
    deep[201] = 0;
    ok(maildir_path_encode(MAILDIR_NESTED, bytes_of(deep), &out, &err) ==
           ERR_REFUSED,
       "101 levels are too many");
    deep[199] = 0;
    ok(maildir_path_encode(MAILDIR_NESTED, bytes_of(deep), &out, &err) == 0,
       "100 levels are not");
    free(component);
    free(deep);
    buf_deinit(&out);
}

/* No component of an encoded path can lead out of the root or into a folder's
 * own directories. */
static bool is_contained(struct bytes path)
{
    size_t start = 0;

    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') {
            continue;
        }
        struct bytes level = {path.ptr + start, i - start};

        if (level.len == 0 || bytes_equal(level, B("..")) ||
            bytes_equal(level, B("cur")) || bytes_equal(level, B("new")) ||
            bytes_equal(level, B("tmp"))) {
            return false;
        }
        start = i + 1;
    }
    return true;
}

/* All names of up to four bytes from an alphabet of troublemakers. */
static void test_round_trips(enum maildir_layout layout, const char *shown)
{
    static const char alphabet[] = "./%2Ecurnew\n\xc2\x85";
    const size_t n = sizeof(alphabet) - 1;
    size_t accepted = 0;
    bool exact = true;
    bool contained = true;

    for (size_t code = 0; code < n * n * n * n; code++) {
        char name[5] = {alphabet[code % n], alphabet[code / n % n],
                        alphabet[code / n / n % n], alphabet[code / n / n / n],
                        0};
        struct buf path;
        struct buf back;

        buf_init(&path, 0);
        buf_init(&back, 0);
        if (maildir_path_encode(layout, bytes_of(name), &path, NULL) == 0) {
            accepted++;
            exact = exact &&
                    maildir_path_decode(layout, buf_peek(&path), &back) &&
                    bytes_equal(buf_peek(&back), bytes_of(name));
            contained = contained && is_contained(buf_peek(&path));
        }
        buf_deinit(&path);
        buf_deinit(&back);
    }
    ok(accepted > 1000 && exact, "%s: %zu names come back exactly", shown,
       accepted);
    ok(contained, "%s: none of them leaves the root", shown);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        check(MAILDIR_NESTED, codes[i].name, codes[i].nested);
        check(MAILDIR_PLUSPLUS, codes[i].name, codes[i].plusplus);
    }
    test_foreign();
    test_lengths();
    test_round_trips(MAILDIR_NESTED, "nested");
    test_round_trips(MAILDIR_PLUSPLUS, "maildir++");
    return done_testing();
}
