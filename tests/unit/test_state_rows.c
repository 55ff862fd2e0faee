/* Goal of this test: rows in blocks are what a plain array of rows would be,
 * whatever was written and deleted in which order; the file is sound after each
 * commit; and rows that come in their order, or against it, leave full blocks. */
#include <sys/stat.h>

#include "store/state_rows.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

#define PREFIXES 4u
#define NUMBERS  3000u
#define LEN_MAX  700u
#define ROUNDS   60u
#define STEPS    400u
#define ROWS     20000u

/* What has to be there: the length of each value and a seed of its bytes. */
struct model {
    bool has[PREFIXES][NUMBERS];
    uint16_t len[PREFIXES][NUMBERS];
    uint8_t seed[PREFIXES][NUMBERS];
};

struct world {
    struct state_db *db;
    struct state_tx tx;
    struct model model;
    struct random random;
    unsigned wrong;
    char text[LEN_MAX + 1];
};

static struct record_key key_of(uint32_t prefix, uint32_t number)
{
    return record_key_file(prefix % 2 == 0 ? LEFT : RIGHT, 1 + prefix / 2,
                           number * number);
}

/* A row that says it is a name as it is. */
static struct bytes value_of(struct world *world, size_t len, uint8_t seed)
{
    for (size_t i = 0; i < len; i++)
        world->text[i] = (char)(i == 0 ? 0 : seed + i);
    return (struct bytes){world->text, len};
}

static void put(struct world *world, uint32_t prefix, uint32_t number)
{
    struct model *model = &world->model;
    struct record_key key = key_of(prefix, number);
    uint16_t len = (uint16_t)(1 + random_below(&world->random, 30));
    uint8_t seed = (uint8_t)random_below(&world->random, 256);

    if (random_below(&world->random, 40) == 0)
        len = (uint16_t)(1 + random_below(&world->random, LEN_MAX));
    model->has[prefix][number] = true;
    model->len[prefix][number] = len;
    model->seed[prefix][number] = seed;
    world->wrong +=
        state_rows_put(&world->tx, RECORD_FILE, record_key_bytes(&key),
                       value_of(world, len, seed), NULL) != 0;
}

static void del(struct world *world, uint32_t prefix, uint32_t number)
{
    struct record_key key = key_of(prefix, number);

    world->model.has[prefix][number] = false;
    world->wrong += state_rows_del(&world->tx, RECORD_FILE,
                                   record_key_bytes(&key), NULL) != 0;
}

static void del_all(struct world *world, uint32_t prefix)
{
    struct record_key key = key_of(prefix, 0);
    struct bytes shared = {key.text, key.len - 4};

    memset(world->model.has[prefix], 0, sizeof(world->model.has[prefix]));
    world->wrong +=
        state_rows_del_prefix(&world->tx, RECORD_FILE, shared, NULL) != 0;
}

static bool is_value(struct world *world, uint32_t prefix, uint32_t number,
                     struct bytes value)
{
    const struct model *model = &world->model;

    return model->has[prefix][number] &&
           bytes_equal(value, value_of(world, model->len[prefix][number],
                                       model->seed[prefix][number]));
}

/* A block that is kept tells of what is in it as a look-up does. */
static void look_around(struct world *world, uint32_t prefix, uint32_t number)
{
    struct record_key key = key_of(prefix, number);
    struct state_rows_block kept;
    int r;

    state_rows_block_init(&kept);
    r = state_rows_keep(&world->tx, RECORD_FILE, record_key_bytes(&key), &kept,
                        NULL);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        struct bytes value;
        int found;

        key = key_of(prefix, i);
        found =
            state_rows_find(&kept, RECORD_FILE, record_key_bytes(&key), &value);
        if (found == 0)
            world->wrong += r != 0 || !is_value(world, prefix, i, value);
        else
            world->wrong +=
                world->model.has[prefix][i] && (found == 1 || i == number);
    }
    key = key_of(prefix ^ 1, number);
    world->wrong +=
        r == 0 &&
        state_rows_find(&kept, RECORD_FILE, record_key_bytes(&key),
                        &(struct bytes){NULL, 0}) != STATE_ROWS_ELSEWHERE;
    state_rows_block_deinit(&kept);
}

/* Is this row the one that is there, or missing? */
static void look(struct world *world, uint32_t prefix, uint32_t number)
{
    struct record_key key = key_of(prefix, number);
    struct bytes value;
    int r = state_rows_get(&world->tx, RECORD_FILE, record_key_bytes(&key),
                           &value, NULL);

    world->wrong += world->model.has[prefix][number]
                        ? r != 0 || !is_value(world, prefix, number, value)
                        : r != 1;
    /* Between two numbers there is none. */
    key = key_of(prefix, number);
    record_key_store(key.text + 5, number * number + 2, 4);
    if (number > 1)
        world->wrong +=
            state_rows_get(&world->tx, RECORD_FILE, record_key_bytes(&key),
                           &value, NULL) != 1;
}

struct walk {
    struct world *world;
    uint32_t prefix;
    uint32_t next;
};

static int on_row(void *owner, struct bytes key, struct bytes value)
{
    struct walk *walk = owner;
    struct record_key want;

    while (walk->next < NUMBERS &&
           !walk->world->model.has[walk->prefix][walk->next])
        walk->next++;
    if (walk->next == NUMBERS)
        return 1;
    want = key_of(walk->prefix, walk->next);
    if (!bytes_equal(key, record_key_bytes(&want)) ||
        !is_value(walk->world, walk->prefix, walk->next, value))
        return 1;
    walk->next++;
    return 0;
}

static void look_at_all(struct world *world)
{
    for (uint32_t prefix = 0; prefix < PREFIXES; prefix++) {
        struct walk walk = {world, prefix, 0};
        struct record_key key = key_of(prefix, 0);
        struct bytes shared = {key.text, key.len - 4};

        world->wrong += state_rows_each(&world->tx, RECORD_FILE, shared, on_row,
                                        &walk, NULL) != 0;
        while (walk.next < NUMBERS && !world->model.has[prefix][walk.next])
            walk.next++;
        world->wrong += walk.next != NUMBERS;
    }
}

/* One way to go on for a while: upwards, downwards, or anywhere. */
static void run_steps(struct world *world)
{
    uint32_t prefix = random_below(&world->random, PREFIXES);
    uint32_t at = random_below(&world->random, NUMBERS);
    uint32_t way = random_below(&world->random, 3);
    uint32_t deletes = random_below(&world->random, 4);

    for (unsigned i = 0; i < STEPS; i++) {
        if (way == 0)
            at = (at + 1) % NUMBERS;
        else if (way == 1)
            at = (at + NUMBERS - 1) % NUMBERS;
        else
            at = random_below(&world->random, NUMBERS);
        if (random_below(&world->random, 4) < deletes)
            del(world, prefix, at);
        else
            put(world, prefix, at);
        look(world, prefix, random_below(&world->random, NUMBERS));
    }
    look_around(world, prefix, at);
    if (random_below(&world->random, 20) == 0)
        del_all(world, prefix);
}

static void reopen_db(struct world *world, const char *dir)
{
    state_db_close(world->db);
    world->db = NULL;
    world->wrong += state_db_open(dir, false, &world->db, NULL) != 0;
}

static void test_random(const struct statedir *place)
{
    struct world *world = MEM_NEW(struct world);
    unsigned round = 0;

    world->random.state = 7;
    reopen_db(world, place->root);
    for (; round < ROUNDS && world->db != NULL && world->wrong == 0; round++) {
        world->wrong += state_db_write(world->db, &world->tx, NULL) != 0;
        run_steps(world);
        look_at_all(world);
        if (random_below(&world->random, 3) == 0) {
            struct model before;

            world->wrong += state_db_commit(&world->tx, NULL) != 0;
            reopen_db(world, place->root);
            /* What is not committed did not happen. */
            before = world->model;
            world->wrong += state_db_write(world->db, &world->tx, NULL) != 0;
            run_steps(world);
            world->model = before;
            state_db_end(&world->tx);
        } else {
            world->wrong += state_db_commit(&world->tx, NULL) != 0;
        }
        world->wrong += state_db_read(world->db, &world->tx, NULL) != 0;
        look_at_all(world);
        state_db_end(&world->tx);
    }
    ok(world->wrong == 0 && round == ROUNDS,
       "rows are what was written (%u wrong, after %u rounds)", world->wrong,
       round);
    reopen_db(world, place->root);
    ok(world->wrong == 0, "and the file is sound");
    state_db_close(world->db);
    free(world);
}

struct fill {
    unsigned blocks;
    size_t bytes;
};

static int count_block(void *owner, struct bytes key, struct bytes value)
{
    struct fill *fill = owner;

    (void)key;
    fill->blocks++;
    fill->bytes += value.len;
    return 0;
}

/* The number of the row that comes as the @i-th. */
typedef uint32_t order(uint32_t i);

static uint32_t upwards(uint32_t i)
{
    return i;
}

static uint32_t downwards(uint32_t i)
{
    return ROWS + 1 - i;
}

/* Batches, the last one first, as a first run brings them. */
static uint32_t in_batches(uint32_t i)
{
    return ROWS + 1 - (i - 1) / 500 * 500 - 500 + (i - 1) % 500;
}

/* The lower half, and then from the end down to it. */
static uint32_t from_both_ends(uint32_t i)
{
    return i <= ROWS / 2 ? i : ROWS + ROWS / 2 + 1 - i;
}

static uint32_t in_pairs(uint32_t i)
{
    return i % 2 == 0 ? i / 2 : ROWS / 2 + (i + 1) / 2;
}

/* How full blocks are, in percent, of rows that come in this order. */
static unsigned fill_of(struct state_db *db, uint32_t folder, order *number)
{
    struct fill fill = {0};
    struct record_key key = record_key_id(folder);
    struct state_tx tx;

    if (state_db_write(db, &tx, NULL) != 0)
        return 0;
    for (uint32_t i = 1; i <= ROWS; i++) {
        struct record_key row = record_key_pair(folder, number(i));

        if (state_rows_put(&tx, RECORD_PAIR, record_key_bytes(&row),
                           B("\0\1\0\1"), NULL) != 0)
            return 0;
    }
    state_db_each(&tx, RECORD_PAIR, record_key_bytes(&key), count_block, &fill,
                  NULL);
    return state_db_commit(&tx, NULL) == 0 && fill.blocks > 0
               ? (unsigned)(fill.bytes * 100 /
                            ((size_t)fill.blocks * RECORD_BLOCK_BYTES))
               : 0;
}

static void test_fill(const struct statedir *place)
{
    static const struct {
        order *number;
        const char *what;
        unsigned least;
    } cases[] = {
        {upwards,        "in their order",       95},
        {downwards,      "against it",           95},
        {in_batches,     "the last batch first", 75},
        {from_both_ends, "down to others",       60},
        {in_pairs,       "two by two",           60},
    };
    struct state_db *db = NULL;

    if (state_db_open(place->root, false, &db, NULL) != 0) {
        ok(false, "the database opens");
        return;
    }
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned fill = fill_of(db, 1 + i, cases[i].number);

        ok(fill >= cases[i].least,
           "blocks of rows that come %s are full: %u %%", cases[i].what, fill);
    }
    state_db_close(db);
}

static void put_block(struct state_db *db, const struct record_row *rows,
                      size_t n)
{
    struct record_key key = record_key_file(LEFT, 1, (uint32_t)rows[0].number);
    struct state_tx tx;
    struct buf value;

    buf_init(&value, 0);
    record_block_encode(&value, record_key_bytes(&key), rows, n);
    if (state_db_write(db, &tx, NULL) == 0 &&
        state_db_put(&tx, RECORD_FILE, record_key_bytes(&key), buf_peek(&value),
                     NULL) == 0)
        (void)state_db_commit(&tx, NULL);
    state_db_end(&tx);
    buf_deinit(&value);
}

/* Sound blocks, of which one has a row that belongs behind the other. */
static void test_overlap(const struct statedir *place)
{
    static const struct record_row low[] = {
        {1,  {"\0a", 2}},
        {10, {"\0b", 2}},
    };
    static const struct record_row high[] = {
        {11, {"\0c", 2}},
    };
    static const struct record_row between[] = {
        {5, {"\0d", 2}},
    };
    struct state_db *db = NULL;
    struct err err = {0};
    int r = state_db_open(place->root, false, &db, &err);

    if (r == 0) {
        put_block(db, low, 2);
        put_block(db, high, 1);
        state_db_close(db);
        r = state_db_open(place->root, false, &db, &err);
    }
    ok(r == 0, "blocks one behind the other are sound");
    if (r == 0) {
        put_block(db, between, 1);
        state_db_close(db);
        r = state_db_open(place->root, false, &db, &err);
    }
    ok(r == STATE_DB_DAMAGED, "one that begins within another is not: %s",
       err.text);
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_random, test_fill, test_overlap};

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
