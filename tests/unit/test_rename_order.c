/* The order of renames: named cases, then thousands of random ones, played on
 * a side that refuses a name that is taken. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/rename_order.h"
#include "tests/random.h"
#include "tests/tap.h"

#define PLACES_MAX 8

struct side_of_renames {
    struct rename_place places[PLACES_MAX];
    size_t n;
    size_t steps;
    bool clash; /* a name was taken when its turn came */
};

static void add(struct side_of_renames *side, const char *name,
                const char *want)
{
    side->places[side->n].name = mem_copy(name);
    side->places[side->n++].want = mem_copy(want);
}

static void forget(struct side_of_renames *side)
{
    for (size_t i = 0; i < side->n; i++) {
        free(side->places[i].name);
        free(side->places[i].want);
    }
    memset(side, 0, sizeof(*side));
}

static void rename_one(struct side_of_renames *side, size_t index,
                       const char *to)
{
    char *from = mem_copy(side->places[index].name);

    side->clash = side->clash || rename_order_is_below(to, from);
    for (size_t i = 0; i < side->n; i++)
        side->clash = side->clash || strcmp(side->places[i].name, to) == 0;
    for (size_t i = 0; i < side->n; i++) {
        char *name = rename_order_follow(side->places[i].name, from, to);

        if (name == NULL)
            continue;
        free(side->places[i].name);
        side->places[i].name = name;
    }
    free(from);
    side->steps++;
}

static void play(struct side_of_renames *side, size_t most)
{
    size_t index;
    char *to;

    while (side->steps < most &&
           rename_order_next(side->places, side->n, &index, &to)) {
        rename_one(side, index, to);
        free(to);
    }
}

static bool is_done(const struct side_of_renames *side)
{
    for (size_t i = 0; i < side->n; i++) {
        if (side->places[i].want != NULL &&
            strcmp(side->places[i].name, side->places[i].want) != 0)
            return false;
    }
    return !side->clash;
}

struct order_case {
    const char *what;
    size_t steps;
    const char *names[PLACES_MAX][2]; /* now, and in the end */
};

static const struct order_case cases[] = {
    {"nothing",                                          0, {{"a", "a"}, {"b", NULL}}                               },
    {"one",                                              1, {{"a", "b"}}                                            },
    {"a chain",                                          3, {{"a", "b"}, {"b", "c"}, {"c", "d"}}                    },
    {"a swap",                                           3, {{"a", "b"}, {"b", "a"}}                                },
    {"a circle of three",                                4, {{"a", "b"}, {"b", "c"}, {"c", "a"}}                    },
    {"a parent, its children go along",
     1,                                                     {{"a", "x"}, {"a/b", "x/b"}, {"a/b/c", "x/b/c"}}        },
    {"a parent, and one child elsewhere",
     2,                                                     {{"a", "x"}, {"a/b", "y"}, {"a/c", NULL}}               },
    {"a child that keeps its name",                      3, {{"a", "x"}, {"a/b", "a/b"}}                            },
    {"into another parent",                              1, {{"p", "p"}, {"q", "p/q"}}                              },
    {"into a parent that goes away",                     2, {{"p", "r"}, {"q", "r/q"}}                              },
    {"into a place that a child leaves with its parent",
     2,                                                     {{"c", "a/b"}, {"a", "x"}, {"a/b", NULL}}               },
    {"into itself",                                      2, {{"a", "a/b"}}                                          },
    {"out of itself",                                    4, {{"a/b", "a"}, {"a", "a/b"}}                            },
    {"swapped with children",
     3,                                                     {{"a", "b"}, {"b", "a"}, {"a/x", "b/x"}, {"b/y", "a/y"}}},
    {"a swap of parent and grandchild",                  4, {{"a", "a/b/c"}, {"a/b/c", "a"}}                        },
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct side_of_renames side = {0};

        for (size_t k = 0; k < PLACES_MAX && cases[i].names[k][0] != NULL; k++)
            add(&side, cases[i].names[k][0], cases[i].names[k][1]);
        play(&side, 40);
        ok(is_done(&side) && side.steps == cases[i].steps, "%s: %zu renames",
           cases[i].what, side.steps);
        forget(&side);
    }
}

static void test_blocked(void)
{
    struct side_of_renames side = {0};

    add(&side, "a", "b");
    add(&side, "b", NULL);
    add(&side, "c", "a");
    add(&side, "d", "e");
    ok(rename_order_is_blocked(side.places, side.n, 0),
       "a name that a stranger keeps is not to be had");
    ok(rename_order_is_blocked(side.places, side.n, 2),
       "nor is the name of one that waits for it");
    ok(!rename_order_is_blocked(side.places, side.n, 3), "others are");
    play(&side, 40);
    ok(side.steps == 1 && !side.clash && strcmp(side.places[3].name, "e") == 0,
       "and the others are renamed");
    forget(&side);
}

/* One that has to go elsewhere first was refused that. */
static void test_held_back(void)
{
    struct side_of_renames side = {0};

    add(&side, "a", "x");
    add(&side, "a/b", "a/b");
    add(&side, "c", "a");
    add(&side, "d", "e");
    add(&side, "d/f", "e/f");
    side.places[1].stays = true;
    side.places[4].stays = true;
    play(&side, 40);
    ok(strcmp(side.places[0].name, "a") == 0 &&
           strcmp(side.places[1].name, "a/b") == 0 &&
           rename_order_is_blocked(side.places, side.n, 0) &&
           rename_order_is_blocked(side.places, side.n, 2),
       "what would take one that stays to a wrong name stays, too");
    ok(side.steps == 1 && !side.clash &&
           strcmp(side.places[4].name, "e/f") == 0,
       "to its own name it goes along");
    forget(&side);
}

/* A tree of some folders, each under itself or an earlier one; and the same
 * folders under any names. Each step may be the last of a run that is killed:
 * the next one begins with the names alone, which is how play() works. */
static void make_random(struct side_of_renames *side, struct random *random)
{
    static const char *const names[] = {"a",   "b",   "c",   "a/b",   "a/c",
                                        "b/a", "b/c", "c/a", "a/b/c", "a/b/d"};
    size_t n_names = sizeof(names) / sizeof(names[0]);
    size_t want[10];
    size_t n = 1 + random_below(random, PLACES_MAX);
    size_t first = random_below(random, (uint32_t)n_names);

    for (size_t i = 0; i < n_names; i++)
        want[i] = i;
    for (size_t i = n_names - 1; i > 0; i--) {
        size_t k = random_below(random, (uint32_t)i + 1);
        size_t swap = want[i];

        want[i] = want[k];
        want[k] = swap;
    }
    for (size_t i = 0; i < n; i++) {
        size_t name = (first + i) % n_names;

        add(side, names[name],
            random_below(random, 4) == 0 ? names[name] : names[want[i]]);
    }
}

static bool names_differ(const struct side_of_renames *side)
{
    for (size_t i = 0; i < side->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(side->places[i].want, side->places[k].want) == 0)
                return false;
        }
    }
    return true;
}

static void test_random(void)
{
    struct random random = {.state = 1};
    size_t bad = 0;
    size_t played = 0;
    size_t longest = 0;

    for (int i = 0; i < 20000; i++) {
        struct side_of_renames side = {0};

        make_random(&side, &random);
        if (names_differ(&side)) {
            play(&side, 4 * PLACES_MAX + 4);
            bad += !is_done(&side);
            played++;
            longest = side.steps > longest ? side.steps : longest;
        }
        forget(&side);
    }
    ok(bad == 0 && played > 1000,
       "%zu random trees get their names (%zu do not), in %zu steps at most",
       played, bad, longest);
}

int main(void)
{
    test_cases();
    test_blocked();
    test_held_back();
    test_random();
    return done_testing();
}
