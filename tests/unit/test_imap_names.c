/* Folder names, to and from the wire. */
#include <string.h>

#include "imap/imap_names.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *name;
    const char *prefix;
    const char *wire;
    char delimiter;
    const char *ours; /* NULL: refused */
} decodings[] = {
    {"a plain name",                  "",       "Work",             '/', "Work"},
    {"levels by slash",               "",       "Work/2024",        '/', "Work/2024"},
    {"levels by dot",                 "",       "Work.2024",        '.', "Work/2024"},
    {"no levels at all",              "",       "Work.2024",        0,   "Work.2024"},
    {"a dot where slash divides",     "",       "v1.2/x",           '/', "v1.2/x"},
    {"INBOX in any case",             "",       "InBoX",            '/', "INBOX"},
    {"a folder in INBOX in any case", "",       "Inbox/a",          '/', "INBOX/a"},
    {"what only begins like INBOX",   "",       "Inbox2",           '/', "Inbox2"},
    {"modified UTF-7",                "",       "&AOQ-rger/&-",     '/', "\303\244rger/&"},
    {"INBOX itself with a prefix",    "INBOX.", "INBOX",            '.', "INBOX"},
    {"the prefix taken off",          "INBOX.", "INBOX.Work.x",     '.', "Work/x"},
    {"a name of another namespace",   "INBOX.", "shared.team",      '.', "shared/team"},
    {"a folder in INBOX, doubled",    "INBOX.", "INBOX.INBOX.x",    '.', "INBOX/x"},
    {"INBOX behind the prefix",       "INBOX.", "INBOX.inbox",      '.', NULL},
    {"an empty name",                 "",       "",                 '/', NULL},
    {"an empty level",                "",       "a//b",             '/', NULL},
    {"a leading separator",           "",       "/etc/passwd",      '/', NULL},
    {"a level of two dots",           "",       "a/../b",           '/', NULL},
    {"a level of one dot",            "",       "./b",              '/', NULL},
    {"a slash within a level",        "",       "a/b.c",            '.', NULL},
    {"bad modified UTF-7",            "",       "a&b",              '/', NULL},
    {"a control character",           "",       "a\tb",             '/', NULL},
    {"a line end in the prefix",      "x\r\ny", "x\r\nya",          '/', NULL},
    {"a line end as the separator",   "",       "a\nb",             '\n', NULL},
    {"bytes above ASCII",             "",       "\303\244",         '/', NULL},
};

/* clang-format on */

static void test_decode(void)
{
    struct imap_names names = {0};
    struct buf out;
    const char *problem;

    for (size_t i = 0; i < sizeof(decodings) / sizeof(decodings[0]); i++) {
        buf_init(&out, 0);
        imap_names_space(&names, decodings[i].delimiter,
                         bytes_of(decodings[i].prefix));
        problem = imap_names_decode(&names, bytes_of(decodings[i].wire),
                                    decodings[i].delimiter, &out);
        if (decodings[i].ours == NULL)
            ok(problem != NULL, "%s is refused", decodings[i].name);
        else
            ok(problem == NULL &&
                   strcmp(buf_text(&out), decodings[i].ours) == 0,
               "%s is read", decodings[i].name);
        buf_deinit(&out);
    }
    imap_names_deinit(&names);
}

/* Names of folders that the server has not listed. */
/* clang-format off */
static const struct {
    const char *name;
    const char *prefix;
    char delimiter;
    const char *ours;
    const char *wire; /* NULL: refused */
} encodings[] = {
    {"levels",                        "",       '.', "Work/2024",      "Work.2024"},
    {"what is not ASCII",             "",       '/', "\303\244rger/&", "&AOQ-rger/&-"},
    {"INBOX",                         "INBOX.", '.', "INBOX",          "INBOX"},
    {"a name below the prefix",       "INBOX.", '.', "Work",           "INBOX.Work"},
    {"a folder in INBOX, doubled",    "INBOX.", '.', "INBOX/x",        "INBOX.INBOX.x"},
    {"a level with the separator",    "",       '.', "a.b/c",          NULL},
    {"levels where there are none",   "",       0,   "a/b",            NULL},
    {"one level where there is none", "",       0,   "a.b",            "a.b"},
    {"an empty level",                "",       '/', "a//b",           NULL},
    {"what is not UTF-8",             "",       '/', "a\377",          NULL},
    {"INBOX spelt otherwise",         "",       '/', "Inbox",          NULL},
    {"the same as the first level",   "",       '/', "Inbox/a",        NULL},
    {"the same below the prefix",     "INBOX.", '.', "inbox/a",        NULL},
    {"a level of two dots",           "",       '/', "a/../b",         NULL},
    {"a control character",           "",       '/', "a\tb",           NULL},
};

/* clang-format on */

static void test_encode(void)
{
    struct imap_names names = {0};
    struct buf out;
    struct err err;
    int r;

    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        buf_init(&out, 0);
        imap_names_space(&names, encodings[i].delimiter,
                         bytes_of(encodings[i].prefix));
        r = imap_names_wire(&names, encodings[i].ours, &out, &err);
        if (encodings[i].wire == NULL)
            ok(r == ERR_REFUSED, "%s is refused", encodings[i].name);
        else
            ok(r == 0 && strcmp(buf_text(&out), encodings[i].wire) == 0,
               "%s is written", encodings[i].name);
        buf_deinit(&out);
    }
    imap_names_deinit(&names);
}

static void test_table(void)
{
    struct imap_names names = {.delimiter = '/'};
    struct imap_name *entry;
    struct buf out;

    buf_init(&out, 0);
    imap_names_put(&names, "b", B("B"));
    imap_names_put(&names, "a", B("A"));
    imap_names_put(&names, "c", B("C"));
    entry = imap_names_put(&names, "b", B("other"));
    ok(names.n == 3 && strcmp(entry->wire, "B") == 0,
       "a name that is there keeps its spelling");
    ok(strcmp(imap_names_find(&names, "a")->wire, "A") == 0 &&
           strcmp(imap_names_find(&names, "c")->wire, "C") == 0,
       "names are found");
    ok(imap_names_wire(&names, "b", &out, NULL) == 0 &&
           strcmp(buf_text(&out), "B") == 0,
       "a folder that was listed is spelt as the server did");
    imap_names_remove(&names, "b");
    imap_names_remove(&names, "never");
    ok(names.n == 2 && imap_names_find(&names, "b") == NULL,
       "what is removed is forgotten");
    buf_deinit(&out);
    imap_names_deinit(&names);
}

static bool is_spelt(const struct imap_names *names, const char *name,
                     const char *wire)
{
    const struct imap_name *entry = imap_names_find(names, name);

    return entry != NULL && strcmp(entry->wire, wire) == 0;
}

static void test_rename(void)
{
    static const char *const ours[] = {"a", "a-b", "a/b", "a/b/c", "aa", "z"};
    static const char *const wires[] = {"P.a",     "P.a-b", "P.a.b",
                                        "P.a.b.c", "P.aa",  "P.z"};
    struct imap_names names = {.delimiter = '.'};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        imap_names_put(&names, ours[i], bytes_of(wires[i]));
    imap_names_put(&names, "a/odd", B("elsewhere"));
    imap_names_put(&names, "y/z/b", B("stale"));
    imap_names_find(&names, "a/b")->uidnext = 7;
    imap_names_rename(&names, "a", B("P.a"), "y/z", B("P.y.z"));
    ok(is_spelt(&names, "y/z", "P.y.z") && imap_names_find(&names, "a") == NULL,
       "a folder is renamed");
    ok(is_spelt(&names, "y/z/b", "P.y.z.b") &&
           is_spelt(&names, "y/z/b/c", "P.y.z.b.c") &&
           imap_names_find(&names, "a/b") == NULL,
       "what is below it goes along");
    ok(imap_names_find(&names, "y/z/b")->uidnext == 7,
       "with what is known of it");
    ok(is_spelt(&names, "a-b", "P.a-b") && is_spelt(&names, "aa", "P.aa") &&
           is_spelt(&names, "z", "P.z"),
       "what only begins alike stays");
    ok(names.n == 6, "what is spelt otherwise is forgotten");
    imap_names_rename(&names, "never", B("P.never"), "b", B("P.b"));
    ok(names.n == 6, "what is not known is not renamed");
    imap_names_deinit(&names);
}

int main(void)
{
    test_rename();
    test_decode();
    test_encode();
    test_table();
    return done_testing();
}
