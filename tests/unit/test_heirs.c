/* Which listed folder is which on record, case by case. */
#include <string.h>

#include "sync/heirs.h"
#include "tests/tap.h"

#define FOLDERS_MAX 4

struct listed_folder {
    const char *name;
    struct folder_token token;
};

struct heirs_case {
    const char *what;
    struct listed_folder rows[FOLDERS_MAX];
    struct listed_folder entries[FOLDERS_MAX];
    const char *want[FOLDERS_MAX]; /* the name of each row's entry, or NULL */
    bool by_name;
};

#define IMAP(validity, next, modseq)                  \
    {                                                 \
        .uidvalidity = (validity), .uidnext = (next), \
        .highestmodseq = (modseq)                     \
    }
#define OBJECT(id, validity)                                    \
    {                                                           \
        .object = (id), .uidvalidity = (validity), .uidnext = 5 \
    }
#define DIRECTORY(inode, time)                                       \
    {                                                                \
        .object = (inode), .uidvalidity = 1, .cur_mtime_ns = (time), \
        .new_mtime_ns = (time)                                       \
    }

static const struct heirs_case cases[] = {
    {"a directory put in the place of one that was never settled",
     {{"a", OBJECT(3, 1)}},
     {{"a", DIRECTORY(4, 9)}},
     {"a"},
     false                                                                                                                      },
    {"a server that tells no object any more",
     {{"a", OBJECT(3, 7)}},
     {{"a", IMAP(9, 5, 9)}},
     {"a"},
     false                                                                                                                      },
    {"names that stay",
     {{"a", IMAP(7, 5, 9)}, {"b", IMAP(8, 5, 9)}},
     {{"b", IMAP(8, 6, 10)}, {"a", IMAP(7, 5, 9)}},
     {"a", "b"},
     false                                                                                                                      },
    {"a new name",
     {{"a", IMAP(7, 5, 9)}},
     {{"b", IMAP(7, 6, 11)}, {"c", IMAP(9, 6, 11)}},
     {"b"},
     false                                                                                                                      },
    {"a new name, and its old one is another folder's",
     {{"a", IMAP(7, 5, 9)}},
     {{"a", IMAP(9, 1, 1)}, {"b", IMAP(7, 5, 9)}},
     {"b"},
     false                                                                                                                      },
    {"swapped",
     {{"a", IMAP(7, 5, 9)}, {"b", IMAP(8, 5, 9)}},
     {{"a", IMAP(8, 5, 9)}, {"b", IMAP(7, 5, 9)}},
     {"b", "a"},
     false                                                                                                                      },
    {"a chain, and a new folder at its begin",
     {{"a", IMAP(7, 5, 9)}, {"b", IMAP(8, 5, 9)}},
     {{"a", IMAP(9, 1, 1)}, {"b", IMAP(7, 5, 9)}, {"c", IMAP(8, 5, 9)}},
     {"b", "c"},
     false                                                                                                                      },
    {"made anew: the name counts",
     {{"a", IMAP(7, 5, 9)}},
     {{"a", IMAP(9, 1, 1)}},
     {"a"},
     false                                                                                                                      },
    {"gone",                                                       {{"a", IMAP(7, 5, 9)}}, {{"b", IMAP(9, 1, 1)}}, {NULL}, false},
    {"its UIDs went back: another one",
     {{"a", IMAP(7, 5, 9)}},
     {{"b", IMAP(7, 4, 9)}},
     {NULL},
     false                                                                                                                      },
    {"two as likely: neither",
     {{"a", IMAP(7, 5, 9)}},
     {{"b", IMAP(7, 6, 10)}, {"c", IMAP(7, 7, 11)}},
     {NULL},
     false                                                                                                                      },
    {"of two the one that has not changed",
     {{"a", IMAP(7, 5, 9)}},
     {{"b", IMAP(7, 6, 10)}, {"c", IMAP(7, 5, 9)}},
     {"c"},
     false                                                                                                                      },
    {"one that may be either's is nobody's",
     {{"a", IMAP(7, 5, 9)}, {"b", IMAP(7, 5, 9)}},
     {{"c", IMAP(7, 6, 10)}},
     {NULL, NULL},
     false                                                                                                                      },
    {"MAILBOXID against equal UIDVALIDITY",
     {{"a", OBJECT(1, 7)}, {"b", OBJECT(2, 7)}},
     {{"a", OBJECT(2, 7)}, {"b", OBJECT(1, 7)}},
     {"b", "a"},
     false                                                                                                                      },
    {"MAILBOXID over a new UIDVALIDITY",
     {{"a", OBJECT(1, 7)}},
     {{"b", OBJECT(1, 8)}, {"c", OBJECT(3, 7)}},
     {"b"},
     false                                                                                                                      },
    {"a directory that went elsewhere, and changed since",
     {{"a", DIRECTORY(11, 100)}, {"b", DIRECTORY(12, 100)}},
     {{"a", DIRECTORY(12, 100)}, {"x/a", DIRECTORY(11, 200)}},
     {"x/a", "a"},
     false                                                                                                                      },
    {"a restored Maildir: other directories, the same names",
     {{"a", DIRECTORY(11, 100)}, {"b", DIRECTORY(12, 100)}},
     {{"a", DIRECTORY(21, 300)}, {"b", DIRECTORY(22, 300)}},
     {"a", "b"},
     false                                                                                                                      },
    {"a directory whose number is not on record: its times",
     {{"a", DIRECTORY(0, 100)}, {"b", DIRECTORY(0, 150)}},
     {{"c", DIRECTORY(11, 100)}, {"b", DIRECTORY(12, 170)}},
     {"c", "b"},
     false                                                                                                                      },
    {"INBOX stays INBOX",
     {{"INBOX", IMAP(7, 5, 9)}},
     {{"INBOX", IMAP(9, 1, 1)}, {"old", IMAP(7, 5, 9)}},
     {"INBOX"},
     false                                                                                                                      },
    {"nothing becomes INBOX",
     {{"a", IMAP(7, 5, 9)}},
     {{"INBOX", IMAP(7, 5, 9)}},
     {NULL},
     false                                                                                                                      },
    {"two of one name: the one that is like it",
     {{"a", IMAP(5, 5, 9)}, {"a", IMAP(7, 5, 9)}, {"a", {0}}},
     {{"a", IMAP(7, 5, 9)}},
     {NULL, "a", NULL},
     false                                                                                                                      },
    {"never seen: by name only",
     {{"a", {0}}},
     {{"a", IMAP(7, 5, 9)}, {"b", IMAP(8, 5, 9)}},
     {"a"},
     false                                                                                                                      },
    {"only by their names",
     {{"a", IMAP(7, 5, 9)}, {"b", IMAP(8, 5, 9)}},
     {{"a", IMAP(8, 5, 9)}, {"c", IMAP(7, 5, 9)}},
     {"a", NULL},
     true                                                                                                                       },
};

static size_t count(const struct listed_folder *folders)
{
    size_t n = 0;

    while (n < FOLDERS_MAX && folders[n].name != NULL)
        n++;
    return n;
}

static bool holds(const struct heirs_case *one)
{
    struct heir rows[FOLDERS_MAX] = {{0}};
    struct folder_entry entries[FOLDERS_MAX] = {{0}};
    char names[FOLDERS_MAX][16];
    size_t n_rows = count(one->rows);
    size_t n_entries = count(one->entries);
    bool good = true;

    for (size_t i = 0; i < n_rows; i++) {
        rows[i].name = one->rows[i].name;
        rows[i].token = &one->rows[i].token;
        rows[i].by_name = one->by_name;
    }
    for (size_t i = 0; i < n_entries; i++) {
        snprintf(names[i], sizeof(names[i]), "%s", one->entries[i].name);
        entries[i].name = names[i];
        entries[i].token = one->entries[i].token;
        entries[i].has_token = true;
        entries[i].selectable = true;
    }
    heirs_find(rows, n_rows, entries, n_entries);
    for (size_t i = 0; i < n_rows; i++) {
        const char *got =
            rows[i].entry == HEIR_NONE ? NULL : entries[rows[i].entry].name;

        if (got == NULL || one->want[i] == NULL)
            good = good && got == one->want[i];
        else
            good = good && strcmp(got, one->want[i]) == 0;
    }
    return good;
}

/* Is the only folder on record, called @name, the only one listed, "new"? */
static bool is_heir(const char *name, struct folder_token was,
                    struct folder_entry now)
{
    struct heir row = {.name = name, .token = &was};
    char new_name[] = "new";

    now.name = new_name;
    heirs_find(&row, 1, &now, 1);
    return row.entry == 0;
}

static struct folder_entry entry(struct folder_token token)
{
    return (struct folder_entry){
        .token = token, .has_token = true, .selectable = true};
}

static void test_one_to_one(void)
{
    const struct folder_token imap = IMAP(7, 5, 9);
    const struct folder_token object = OBJECT(3, 7);
    const struct folder_token directory = DIRECTORY(3, 50);
    struct folder_token touched = directory;
    struct folder_token both = OBJECT(3, 7);
    struct folder_entry without = entry(imap);
    char why[] = "nobody may have it";

    touched.object = 0;
    touched.new_mtime_ns++;
    ok(is_heir("old", imap, entry(imap)), "equal tokens make an heir");
    without.has_token = false;
    ok(!is_heir("old", imap, without), "without a token nothing is known");
    ok(is_heir("new", imap, without), "and the name counts");
    without = entry(imap);
    without.problem = why;
    ok(!is_heir("new", imap, without), "one with a problem is nobody's");
    without = entry(imap);
    without.selectable = false;
    ok(!is_heir("new", imap, without), "nor is one that holds folders only");
    ok(!is_heir("old", (struct folder_token){0}, entry(imap)),
       "one that was never seen has no heir");
    ok(is_heir("new", (struct folder_token){0}, entry(imap)),
       "but by its name");
    ok(is_heir("old", object, entry(both)), "the same object");
    both.object = 4;
    ok(!is_heir("old", object, entry(both)), "another object");
    ok(is_heir("new", object, entry(both)), "but made anew, the name counts");
    both.object = 0;
    ok(is_heir("old", object, entry(both)) &&
           is_heir("old", both, entry(object)),
       "an object known on one side only does not count");
    ok(!is_heir("old", imap, entry((struct folder_token)IMAP(7, 5, 8))),
       "changes that were undone");
    ok(is_heir("old", imap, entry((struct folder_token)IMAP(7, 5, 0))),
       "but for a server that counts none any more");
    both = directory;
    both.object = 0;
    ok(is_heir("old", both, entry(both)), "a directory with its times");
    ok(!is_heir("old", both, entry(touched)), "with another time for new");
    touched.cur_mtime_ns++;
    ok(!is_heir("old", both, entry(touched)), "and for cur");
    ok(is_heir("new", both, entry(touched)), "then the name counts");
    both = imap;
    both.cur_mtime_ns = 9;
    ok(!is_heir("old", imap, entry(both)), "a time where there was none");
}

int main(void)
{
    test_one_to_one();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ok(holds(&cases[i]), "%s", cases[i].what);
    return done_testing();
}
