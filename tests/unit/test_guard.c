#include "sync/guard.h"
#include "tests/tap.h"

/* clang-format off */
static const struct {
    const char *name;
    struct max_delete limit;
    uint64_t deletes;
    uint64_t messages;
    bool want;
} cases[] = {
    {"few are free",             {MAX_DELETE_PERCENT, 50}, 10, 10,   false},
    {"eleven of eleven",         {MAX_DELETE_PERCENT, 50}, 11, 11,   true},
    {"just half",                {MAX_DELETE_PERCENT, 50}, 50, 100,  false},
    {"one more than half",       {MAX_DELETE_PERCENT, 50}, 51, 100,  true},
    {"nothing at all",           {MAX_DELETE_PERCENT, 0},  0,  0,    false},
    {"zero per cent, eleven",    {MAX_DELETE_PERCENT, 0},  11, 9999, true},
    {"a hundred per cent",       {MAX_DELETE_PERCENT, 100}, 99, 99,  false},
    {"a count is meant exactly", {MAX_DELETE_COUNT, 5},    6,  1000, true},
    {"up to the count",          {MAX_DELETE_COUNT, 5},    5,  5,    false},
    {"off",                      {MAX_DELETE_OFF, 0},      99, 99,   false},
};

/* clang-format on */

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ok(guard_exceeds(&cases[i].limit, cases[i].deletes,
                         cases[i].messages) == cases[i].want,
           "%s", cases[i].name);
    ok(!guard_emptied(10, 10), "a small folder may be emptied");
    ok(guard_emptied(11, 11), "all of eleven looks emptied");
    ok(!guard_emptied(11, 12), "one left does not look emptied");
    ok(!guard_emptied(0, 0), "nothing was there, nothing is gone");
    return done_testing();
}
