/* UID sets: against a plain array of bools, and against hostile text. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/uidset.h"
#include "tests/random.h"
#include "tests/tap.h"

#define UIDS 200u /* the model's UIDs are 1 to this */

struct model {
    bool has[UIDS + 1];
};

/* Sorted, disjoint, not adjacent, and nothing but what @model has. */
static bool agrees(const struct uidset *set, const struct model *model)
{
    struct uidset_walk walk = {.set = set};
    uint64_t count = 0;
    uint32_t uid;

    for (size_t i = 0; i < set->n; i++) {
        if (set->ranges[i].first > set->ranges[i].last ||
            (i > 0 && set->ranges[i].first <= set->ranges[i - 1].last + 1))
            return false;
    }
    for (uint32_t want = 1; want <= UIDS; want++) {
        if (uidset_has(set, want) != model->has[want])
            return false;
        if (!model->has[want])
            continue;
        if (!uidset_next(&walk, &uid) || uid != want)
            return false;
        count++;
    }
    return !uidset_next(&walk, &uid) && uidset_count(set) == count;
}

static uint32_t random_uid(struct random *random)
{
    return random_below(random, UIDS) + 1;
}

static void add_random_set(struct uidset *set, struct model *model,
                           struct random *random)
{
    struct uidset other = {0};

    for (uint32_t n = random_below(random, 20); n > 0; n--) {
        uint32_t uid = random_uid(random);

        uidset_add(&other, uid);
        model->has[uid] = true;
    }
    uidset_add_set(set, &other);
    uidset_deinit(&other);
}

static void add_random_range(struct uidset *set, struct model *model,
                             struct random *random)
{
    uint32_t low = random_uid(random);
    uint32_t high = low + random_below(random, 12);

    high = high < UIDS ? high : UIDS;
    if (random_below(random, 2) == 0) {
        uidset_add_range(set, low, high);
    } else {
        uidset_add_range(set, high, low);
    }
    for (uint32_t uid = low; uid <= high; uid++)
        model->has[uid] = true;
}

static void remove_random_set(struct uidset *set, struct model *model,
                              struct random *random)
{
    struct uidset other = {0};
    struct model others = {0};

    add_random_range(&other, &others, random);
    add_random_range(&other, &others, random);
    uidset_remove_set(set, &other);
    for (uint32_t uid = 1; uid <= UIDS; uid++)
        model->has[uid] &= !others.has[uid];
    uidset_deinit(&other);
}

static void random_step(struct uidset *set, struct model *model,
                        struct random *random)
{
    uint32_t uid = random_uid(random);

    switch (random_below(random, 16)) {
    case 0:
        add_random_set(set, model, random);
        break;
    case 6:
        remove_random_set(set, model, random);
        break;
    case 1:
        add_random_range(set, model, random);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        uidset_add(set, uid);
        model->has[uid] = true;
        break;
    default: /* more often than adding, so that holes stay */
        uidset_remove(set, uid);
        model->has[uid] = false;
        break;
    }
}

/* Printed in pieces of at most @bytes_max and read again it is the same. */
static bool survives_text(const struct uidset *set, size_t bytes_max)
{
    struct uidset back = {0};
    struct buf text;
    size_t from = 0;
    bool good = true;

    buf_init(&text, 0);
    while (from < set->n && good) {
        size_t before = from;

        buf_clear(&text);
        uidset_print(set, &from, bytes_max, &text);
        good = from > before && uidset_parse(&back, buf_peek(&text)) &&
               (buf_len(&text) <= bytes_max || from == before + 1);
    }
    good = good && back.n == set->n &&
           (set->n == 0 || memcmp(back.ranges, set->ranges,
                                  set->n * sizeof(*set->ranges)) == 0);
    buf_deinit(&text);
    uidset_deinit(&back);
    return good;
}

static void test_random(uint64_t seed)
{
    struct random random = {.state = seed};
    struct uidset set = {0};
    struct model model = {0};
    bool good = true;
    int step = 0;

    for (; step < 20000 && good; step++) {
        random_step(&set, &model, &random);
        good = agrees(&set, &model);
        if (good && step % 50 == 0)
            good = survives_text(&set, random_below(&random, 60));
        if (random_below(&random, 2000) == 0) {
            uidset_clear(&set);
            model = (struct model){0};
        }
    }
    ok(good, "random operations agree with a plain array (step %d, seed %llu)",
       step, (unsigned long long)seed);
    uidset_deinit(&set);
}

/* clang-format off */
static const struct {
    const char *in;
    bool good;
    const char *want; /* printed */
} texts[] = {
    {"1", true, "1"},
    {"1,2,3", true, "1:3"},
    {"3,1,2", true, "1:3"},
    {"5:3", true, "3:5"},
    {"9,7,5,3,1", true, "1,3,5,7,9"},
    {"1:3,2:9,20", true, "1:9,20"},
    {"20,2:9,1:3", true, "1:9,20"},
    {"7,7,7:7", true, "7"},
    {"1:4294967295", true, "1:4294967295"},
    {"4294967295,4294967294", true, "4294967294:4294967295"},
    {"4294967295,1:4294967294", true, "1:4294967295"},
    {"0001", true, "1"},
    {"", false, NULL},
    {"0", false, NULL},
    {"0:5", false, NULL},
    {"5:0", false, NULL},
    {"1,", false, NULL},
    {",1", false, NULL},
    {"1,,2", false, NULL},
    {"1:", false, NULL},
    {":1", false, NULL},
    {"1:2:3", false, NULL},
    {"*", false, NULL},
    {"1:*", false, NULL},
    {"4294967296", false, NULL},
    {"1:4294967296", false, NULL},
    {"18446744073709551617", false, NULL},
    {"-1", false, NULL},
    {"+1", false, NULL},
    {" 1", false, NULL},
    {"1 ", false, NULL},
    {"1, 2", false, NULL},
    {"a", false, NULL},
};

/* clang-format on */

static void test_texts(void)
{
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct uidset set = {0};
        bool good = uidset_parse(&set, bytes_of(texts[i].in));
        size_t from = 0;

        buf_clear(&out);
        if (good)
            uidset_print(&set, &from, SIZE_MAX, &out);
        ok(good == texts[i].good &&
               (!good || strcmp(buf_text(&out), texts[i].want) == 0),
           "text \"%s\"", texts[i].in);
        uidset_deinit(&set);
    }
    buf_deinit(&out);
}

/* 100000 ranges in falling order: sorted once, not inserted one by one. */
static void test_many_ranges(void)
{
    struct uidset set = {0};
    struct buf text;

    buf_init(&text, 0);
    for (uint32_t uid = 200000; uid > 0; uid -= 2)
        buf_printf(&text, "%s%u", uid < 200000 ? "," : "", uid);
    ok(uidset_parse(&set, buf_peek(&text)), "100000 ranges are read");
    ok(set.n == 100000 && uidset_count(&set) == 100000 &&
           set.ranges[0].first == 2 && set.ranges[99999].last == 200000,
       "and sorted");
    ok(survives_text(&set, 8000), "and printed in lines of 8000 bytes");
    uidset_deinit(&set);
    buf_deinit(&text);
}

static void test_too_many_ranges(void)
{
    struct uidset set = {0};
    struct buf text;

    buf_init(&text, 0);
    for (uint32_t i = 0; i < UIDSET_RANGES_MAX; i++)
        buf_add(&text, i % 2 == 0 ? B("3,") : B("1,"));
    ok(!uidset_parse(&set, (struct bytes){text.ptr, buf_len(&text)}),
       "a comma at the end");
    ok(uidset_parse(&set, (struct bytes){text.ptr, buf_len(&text) - 1}),
       "as many ranges as may be");
    buf_add(&text, B("5"));
    ok(!uidset_parse(&set, buf_peek(&text)), "one more is refused");
    uidset_deinit(&set);
    buf_deinit(&text);
}

static void test_whole_range(void)
{
    struct uidset set = {0};
    struct uidset_walk walk = {.set = &set};
    uint32_t uid;

    uidset_add_range(&set, 1, UINT32_MAX);
    ok(set.n == 1 && uidset_count(&set) == UINT32_MAX,
       "four billion in one range");
    uidset_add(&set, UINT32_MAX);
    uidset_add_range(&set, UINT32_MAX, 5);
    ok(set.n == 1 && uidset_count(&set) == UINT32_MAX, "nothing to add");
    uidset_remove(&set, UINT32_MAX);
    uidset_remove(&set, 1);
    uidset_remove(&set, 1000);
    ok(set.n == 2 && uidset_has(&set, 999) && !uidset_has(&set, 1000) &&
           uidset_has(&set, 1001) && !uidset_has(&set, UINT32_MAX),
       "holes in it");
    uidset_clear(&set);
    uidset_add_range(&set, UINT32_MAX - 1, UINT32_MAX);
    ok(uidset_next(&walk, &uid) && uid == UINT32_MAX - 1 &&
           uidset_next(&walk, &uid) && uid == UINT32_MAX &&
           !uidset_next(&walk, &uid) && !uidset_next(&walk, &uid),
       "a walk ends at the last UID there is");
    uidset_deinit(&set);
}

static void test_add_set(void)
{
    struct uidset set = {0};
    struct uidset other = {0};

    uidset_add_set(&set, &other);
    ok(set.n == 0, "nothing added to nothing");
    uidset_add_set(&set, &set);
    ok(set.n == 0, "to itself, empty");
    uidset_add_range(&set, 5, 9);
    uidset_add(&set, 20);
    uidset_add_set(&set, &set);
    ok(set.n == 2 && uidset_count(&set) == 6, "to itself");
    uidset_add_set(&other, &set);
    ok(other.n == 2 && other.ranges != set.ranges, "a copy");
    uidset_clear(&other);
    uidset_add_range(&other, 10, 19);
    uidset_add_set(&set, &other);
    ok(set.n == 1 && uidset_count(&set) == 16, "what closes the gap");
    uidset_remove(&set, 42);
    ok(uidset_count(&set) == 16, "removing what is not there");
    uidset_deinit(&set);
    uidset_deinit(&other);
    ok(!uidset_has(&set, 5) && uidset_count(&set) == 0, "empty again");
}

static void test_print_limit(void)
{
    struct uidset set = {0};
    struct buf out;
    size_t from = 0;

    buf_init(&out, 0);
    uidset_parse(&set, B("10,20,30:40"));
    uidset_print(&set, &from, 0, &out);
    ok(bytes_equal(buf_peek(&out), B("10")) && from == 1, "one range at least");
    buf_clear(&out);
    uidset_print(&set, &from, 7, &out);
    ok(bytes_equal(buf_peek(&out), B("20")) && from == 2,
       "no range that does not fit");
    buf_clear(&out);
    from = 1;
    uidset_print(&set, &from, 8, &out);
    ok(bytes_equal(buf_peek(&out), B("20,30:40")) && from == 3,
       "one that just fits");
    uidset_print(&set, &from, 8, &out);
    ok(buf_len(&out) == 8, "nothing is left");
    uidset_deinit(&set);
    buf_deinit(&out);
}

/* @argv[1]  the seed of an earlier run, to repeat it */
int main(int argc, char **argv)
{
    test_random(argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL));
    test_texts();
    test_many_ranges();
    test_too_many_ranges();
    test_whole_range();
    test_add_set();
    test_print_limit();
    return done_testing();
}
