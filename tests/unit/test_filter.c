#include "sync/filter.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *list;
    const char *name;
    bool want;
} cases[] = {
    {NULL, "INBOX", true},
    {"*", "a/b/c", true},
    {"%", "a", true},
    {"%", "a/b", false},
    {"*, !Junk", "Junk", false},
    {"*, !Junk", "Junk/deep", true},
    {"*, !Junk*", "Junk/deep", false},
    {"!Junk", "Work", true},
    {"!Junk", "Junk", false},
    {"*, !\"Old stuff\"", "Old stuff", false},
    {"*,!\"a, b\"", "a, b", false},
    {"*, !Archive/*, Archive/2024", "Archive/2024", true},
    {"*, !Archive/*, Archive/2024", "Archive/2023", false},
    {"inbox", "INBOX", true},
    {"Inbox/%", "INBOX/x", true},
    {"Inbox2", "INBOX2", false},
    {"a*b*c", "axxbyyc", true},
    {"a*b*c", "axxbyy", false},
    {"%/x", "a/x", true},
    {"%/x", "a/b/x", false},
    {"*/x", "a/b/x", true},
    {"%*%", "", true},
    {"a%b", "a/b", false},
    {"a*b", "a*b", true},
    {"a%b", "a%b", true},
    {"\"a\", b", "b", true},
    {"*%*%*%*%*%*%*%*%*%*%z", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

static const char *const bad[] = {"", ",", "a,", "!", "\"open", "\"a\" b", "a,,b"};

/* clang-format on */

int main(void)
{
    struct filter *filter = NULL;
    struct err err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(filter_new(cases[i].list, &filter, &err) == 0 &&
               filter_accepts(filter, cases[i].name) == cases[i].want,
           "\"%s\" %s %s", cases[i].list != NULL ? cases[i].list : "(none)",
           cases[i].want ? "takes" : "leaves", cases[i].name);
        filter_free(filter);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(filter_new(bad[i], &filter, &err) == ERR_USAGE, "refused: \"%s\"",
           bad[i]);
    }
    filter_free(NULL);
    if (filter_new("*", &filter, &err) == 0)
        filter_exclude(filter, "a*");
    ok(!filter_accepts(filter, "a*") && filter_accepts(filter, "ab"),
       "a folder is left out by its name, whatever is in it");
    filter_free(filter);
    return done_testing();
}
