/* A census tells the same UIDs as the record, for whatever names come by:
 * known, renamed, twice, unknown, gone; committed, queued, or changed while it
 * is taken. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/maildir_census.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

#define NAMES  400u
#define ROUNDS 300u

struct world {
    struct state *state;
    struct maildir_files *files;
    struct random random;
    bool there[NAMES];    /* the file, in the folder */
    unsigned seen[NAMES]; /* how often, by the scan */
    uint32_t uid[NAMES];  /* as which */
    unsigned wrong;
};

/* Names as programs give them: of parts with several hosts, more than the record
 * numbers, and of no form. */
static struct bytes name_at(uint32_t i, char text[64])
{
    if (i % 5 == 0)
        snprintf(text, 64, "message %u", i);
    else
        snprintf(text, 64, "17000%05u.M%06uP%uR%016x.host%u,S=%u", i, i * 7, i,
                 i, i % 40, i * 3);
    return bytes_of(text);
}

/* By the exact way; 0 where there is none on record. */
static uint32_t recorded(struct world *world, struct bytes name)
{
    uint32_t uid = 0;

    world->wrong +=
        state_file_uid(world->state, RIGHT, 1, name, &uid, NULL) < 0;
    return uid;
}

static void give(struct world *world, uint32_t i)
{
    char text[64];
    uint32_t uid;

    world->wrong +=
        maildir_files_uid(world->files, name_at(i, text), &uid, NULL) < 0;
}

static void forget(struct world *world, uint32_t i)
{
    char text[64];
    struct bytes name = name_at(i, text);
    uint32_t uid = recorded(world, name);

    if (uid != 0)
        maildir_files_remove(world->files, uid, name);
}

/* Some files come and go, and the record follows as it likes. */
static void change(struct world *world, unsigned some)
{
    for (; some > 0; some--) {
        uint32_t i = random_below(&world->random, NAMES);

        world->there[i] = random_below(&world->random, 3) > 0;
        if (random_below(&world->random, 2) == 0)
            give(world, i);
        else if (random_below(&world->random, 3) == 0)
            forget(world, i);
    }
    if (random_below(&world->random, 2) == 0)
        commit(world->state);
}

static void count(struct world *world, struct maildir_census *census,
                  uint32_t i)
{
    struct maildir_seen *seen;
    char text[64];
    struct bytes name = name_at(i, text);
    uint32_t before = recorded(world, name);
    uint32_t after = 0;
    int r = maildir_census_count(census, name, &seen, NULL);

    world->wrong += maildir_files_uid(world->files, name, &after, NULL) < 0 ||
                    r < 0 || seen->uid != after ||
                    (before != 0 && seen->uid != before) ||
                    seen->fresh != (before == 0) ||
                    (world->seen[i] > 0 && seen->uid != world->uid[i]);
    seen->letters = i;
    world->uid[i] = seen->uid;
    world->seen[i]++;
}

/* All that is there, some of it twice. */
static void scan(struct world *world, struct maildir_census *census,
                 bool commits)
{
    uint32_t first = random_below(&world->random, NAMES);

    memset(world->seen, 0, sizeof(world->seen));
    for (uint32_t step = 0; step < NAMES; step++) {
        uint32_t i = (first + step * 37) % NAMES;

        if (world->there[i])
            count(world, census, i);
        if (world->there[i] && random_below(&world->random, 30) == 0)
            count(world, census, i);
        if (commits && random_below(&world->random, 100) == 0)
            commit(world->state);
    }
}

static bool has(const struct maildir_seen *seen, size_t n, uint32_t uid,
                uint32_t letters)
{
    for (size_t i = 0; i < n; i++) {
        if (seen[i].uid == uid)
            return seen[i].letters == letters;
    }
    return false;
}

static void check(struct world *world, const struct maildir_seen *seen,
                  size_t n, const struct uidset *doubled)
{
    size_t found = 0;
    size_t twice = 0;

    for (size_t i = 1; i < n; i++)
        world->wrong += seen[i - 1].uid >= seen[i].uid;
    for (uint32_t i = 0; i < NAMES; i++) {
        if (world->seen[i] == 0)
            continue;
        found++;
        twice += world->seen[i] > 1;
        world->wrong +=
            !has(seen, n, world->uid[i], i) ||
            uidset_has(doubled, world->uid[i]) != (world->seen[i] > 1);
    }
    world->wrong += found != n || twice != uidset_count(doubled);
}

static void take(struct world *world)
{
    static const size_t about[] = {0, 1, NAMES, 10000};
    struct maildir_census *census = maildir_census_new(
        world->files, about[random_below(&world->random, 4)]);
    unsigned meanwhile = random_below(&world->random, 3);
    struct uidset doubled = {0};
    struct maildir_seen *seen;
    size_t n;
    int r;

    do {
        r = maildir_census_read(census, 1 + random_below(&world->random, NAMES),
                                NULL);
        if (meanwhile == 1)
            change(world, 5);
    } while (r == MAILDIR_CENSUS_MORE);
    world->wrong += r != 0;
    if (meanwhile == 2)
        change(world, 5);
    scan(world, census, meanwhile > 0);
    seen = maildir_census_end(census, &n, &doubled);
    check(world, seen, n, &doubled);
    uidset_deinit(&doubled);
    free(seen);
}

static void test_random(const struct statedir *place)
{
    const char *seed = getenv("SEED");
    struct world world = {0};
    unsigned round = 0;

    world.random.state = seed != NULL ? strtoull(seed, NULL, 10) : 1;
    world.state = open_state(place);
    world.files = maildir_files_new(world.state, RIGHT, 1);
    for (; round < ROUNDS && world.wrong == 0; round++) {
        change(&world, random_below(&world.random, NAMES));
        take(&world);
        if (random_below(&world.random, 5) == 0) {
            maildir_files_free(world.files);
            world.state = reopen(place, world.state);
            world.files = maildir_files_new(world.state, RIGHT, 1);
        }
    }
    ok(round == ROUNDS && world.wrong == 0,
       "a census tells what the record tells (%u wrong in round %u)",
       world.wrong, round);
    maildir_files_free(world.files);
    state_close(world.state);
}

/* What is committed while it is taken counts. */
static void test_commit(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct maildir_files *files = maildir_files_new(state, RIGHT, 1);
    struct maildir_census *census;
    struct maildir_seen *seen;

    put_file(state, 1, "a");
    put_file(state, 2, "b");
    commit(state);
    census = maildir_census_new(files, 2);
    ok(maildir_census_read(census, 10, NULL) == 0, "the record is read");
    ok(maildir_census_count(census, B("a"), &seen, NULL) == 0 &&
           seen->uid == 1 && !seen->fresh,
       "a file is found by its name");
    maildir_files_remove(files, 2, B("b"));
    commit(state);
    ok(maildir_census_count(census, B("b"), &seen, NULL) ==
               MAILDIR_FILES_FRESH &&
           seen->uid == 3 && seen->fresh,
       "one whose number ended meanwhile is new");
    maildir_census_free(census);
    maildir_files_free(files);
    state_close(state);
}

/* Of the other side and of another folder. */
static void test_strangers(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct maildir_files *files = maildir_files_new(state, RIGHT, 2);
    struct maildir_census *census;
    struct maildir_seen *seen;
    struct uidset doubled = {0};
    size_t n;

    state_file_put(state, LEFT, 2, 7, B("a"));
    state_file_put(state, RIGHT, 1, 8, B("a"));
    state_file_put(state, RIGHT, 3, 9, B("a"));
    state_file_put(state, RIGHT, 2, UINT32_MAX - 2, B("b"));
    commit(state);
    census = maildir_census_new(files, 0);
    ok(maildir_census_read(census, 1, NULL) == MAILDIR_CENSUS_MORE &&
           maildir_census_read(census, 1, NULL) == 0,
       "read one by one");
    ok(maildir_census_count(census, B("a"), &seen, NULL) ==
               MAILDIR_FILES_FRESH &&
           seen->uid == UINT32_MAX - 1,
       "a name of another folder is new");
    ok(maildir_census_count(census, B("c"), &seen, NULL) < 0,
       "no number is left");
    seen = maildir_census_end(census, &n, &doubled);
    ok(n == 1 && seen[0].uid == UINT32_MAX - 1 && uidset_count(&doubled) == 0,
       "what is on record and was not found is left out");
    free(seen);
    uidset_deinit(&doubled);
    maildir_files_free(files);
    state_close(state);
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_random,
        test_commit,
        test_strangers,
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
