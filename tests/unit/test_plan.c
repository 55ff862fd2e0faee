/*
 * The planner on small worlds: a folder on two sides and a record, edited at
 * random; the plan is carried out, and both sides must be equal, nothing lost,
 * nothing doubled, and the next plan empty.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/plan.h"
#include "tests/tap.h"
#include "tests/unit/known_array.h"

#define SLOTS 24

struct mail {
    uint32_t uid; /* 0: no mail */
    uint32_t system;
    unsigned content; /* what it is; equal on both sides */
    bool deleted_by_user;
};

struct world {
    struct mail mail[SIDES][SLOTS];
    uint32_t uidnext[SIDES];
    struct known_array record;
    struct policy policy;
    struct keywords *keywords;
};

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static struct mail *free_slot(struct world *world, enum side side)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (world->mail[side][i].uid == 0)
            return &world->mail[side][i];
    }
    return NULL;
}

static struct mail *by_uid(struct world *world, enum side side, uint32_t uid)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (world->mail[side][i].uid == uid)
            return &world->mail[side][i];
    }
    return NULL;
}

static uint32_t deliver(struct world *world, enum side side, unsigned content,
                        uint32_t system)
{
    struct mail *mail = free_slot(world, side);

    if (mail == NULL)
        return 0;
    mail->uid = ++world->uidnext[side];
    mail->content = content;
    mail->system = system;
    return mail->uid;
}

static void list(struct world *world, enum side side, struct delta *delta)
{
    struct delta_request request = {.kind = LISTING_FULL, .complete = true};
    struct state_folder row = known_array_row(&world->record);
    struct err err;

    request.storable.system = FLAGS_SYSTEM;
    request.storable.any_keyword = true;
    for (size_t i = 0; i < SLOTS; i++) {
        const struct mail *mail = &world->mail[side][i];
        struct listed listed = {.uid = mail->uid, .has_meta = true};

        listed.flags.system = mail->system;
        listed.size = mail->content;
        if (mail->uid != 0)
            delta_add(delta, &listed, &err);
    }
    delta_finish(delta, &request, &row, &err);
}

static void record_put(struct world *world, const struct state_pair *pair)
{
    struct known_array *record = &world->record;

    for (size_t i = 0; i < record->n_pairs; i++) {
        if (record->pairs[i].uid[LEFT] == pair->uid[LEFT] &&
            record->pairs[i].uid[RIGHT] == pair->uid[RIGHT]) {
            record->pairs[i] = *pair;
            return;
        }
    }
    record->pairs[record->n_pairs++] = *pair;
}

static void record_del(struct world *world, const struct state_pair *pair)
{
    struct known_array *record = &world->record;

    for (size_t i = 0; i < record->n_pairs; i++) {
        if (record->pairs[i].uid[LEFT] == pair->uid[LEFT] &&
            record->pairs[i].uid[RIGHT] == pair->uid[RIGHT]) {
            record->pairs[i] = record->pairs[--record->n_pairs];
            return;
        }
    }
}

static void copy(struct world *world, enum side to, const struct listed *listed)
{
    const struct mail *from = by_uid(world, other(to), listed->uid);
    struct state_pair pair = {.flags = listed->flags};

    pair.uid[other(to)] = listed->uid;
    pair.uid[to] = deliver(world, to, from->content, listed->flags.system);
    record_put(world, &pair);
}

static void carry_out(struct world *world, const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_forgets; i++)
        record_del(world, &plan->forgets[i]);
    for (size_t i = 0; i < plan->n_records; i++)
        record_put(world, &plan->records[i]);
    for (size_t i = 0; i < plan->n_aparts; i++)
        world->record.aparts[world->record.n_aparts++] = plan->aparts[i];
    for (enum side side = LEFT; side < SIDES; side++) {
        for (size_t i = 0; i < plan->n_copies[side]; i++)
            copy(world, side, &plan->copies[side][i]);
        for (size_t i = 0; i < plan->n_flags; i++) {
            const struct plan_flag *flag = &plan->flags[i];
            struct mail *mail = by_uid(world, side, flag->pair.uid[side]);

            if (flag->push[side])
                mail->system = (mail->system | flag->change[side].add.system) &
                               ~flag->change[side].remove.system;
        }
        for (size_t i = 0; i < plan->n_deletes[side]; i++) {
            by_uid(world, side, plan->deletes[side][i].uid[side])->uid = 0;
            record_del(world, &plan->deletes[side][i]);
        }
    }
    for (size_t i = 0; i < plan->n_flags; i++)
        record_put(world, &plan->flags[i].pair);
}

/* One pass; returns whether there was nothing to do. */
static bool pass(struct world *world)
{
    struct known known = known_of_array(&world->record);
    struct uidset skip = {0};
    struct delta delta[SIDES];
    struct plan_input input = {
        .delta = {&delta[LEFT], &delta[RIGHT]},
        .known = &known,
        .keywords = world->keywords,
        .policy = &world->policy,
        .skip = {&skip,        &skip        },
    };
    struct plan plan;
    struct err err;
    bool empty;

    for (enum side side = LEFT; side < SIDES; side++) {
        delta_init(&delta[side], side, &known);
        list(world, side, &delta[side]);
    }
    plan_init(&plan);
    plan_make(&plan, &input, &err);
    empty = plan_is_empty(&plan);
    carry_out(world, &plan);
    plan_deinit(&plan);
    delta_deinit(&delta[LEFT]);
    delta_deinit(&delta[RIGHT]);
    return empty;
}

static size_t count(const struct world *world, enum side side, unsigned content)
{
    size_t n = 0;

    for (size_t i = 0; i < SLOTS; i++)
        n += world->mail[side][i].uid != 0 &&
             world->mail[side][i].content == content;
    return n;
}

static bool pairs_agree(struct world *world)
{
    for (size_t i = 0; i < world->record.n_pairs; i++) {
        const struct state_pair *pair = &world->record.pairs[i];
        const struct mail *left = by_uid(world, LEFT, pair->uid[LEFT]);
        const struct mail *right = by_uid(world, RIGHT, pair->uid[RIGHT]);

        if (left == NULL || right == NULL || left->content != right->content ||
            left->system != right->system || left->system != pair->flags.system)
            return false;
    }
    return true;
}

/* Edit at random; alive[content] counts the sides that still must have it. */
static void edit(struct world *world, uint32_t *seed, unsigned *content)
{
    enum side side = random_next(seed) % 2 == 0 ? LEFT : RIGHT;
    struct mail *mail = &world->mail[side][random_next(seed) % (SLOTS / 2)];

    switch (random_next(seed) % 3) {
    case 0:
        deliver(world, side, ++*content, random_next(seed) % 32);
        break;
    case 1:
        mail->system ^= 1u << (random_next(seed) % 5);
        break;
    default:
        mail->uid = 0;
        break;
    }
}

static bool converges(uint32_t seed)
{
    struct world world = {.policy.direction = DIRECTION_BOTH};
    unsigned content = 0;
    bool good = true;

    world.keywords = keywords_new();
    for (int round = 0; round < 4 && good; round++) {
        for (int i = 0; i < 5; i++)
            edit(&world, &seed, &content);
        pass(&world);
        good = pass(&world) && pairs_agree(&world);
        for (unsigned c = 1; c <= content && good; c++)
            good = count(&world, LEFT, c) == count(&world, RIGHT, c) &&
                   count(&world, LEFT, c) <= 1;
    }
    keywords_free(world.keywords);
    return good;
}

static void test_random_worlds(void)
{
    uint32_t failed = 0;

    for (uint32_t seed = 1; seed <= 20000 && failed == 0; seed++) {
        if (!converges(seed))
            failed = seed;
    }
    ok(failed == 0, "20000 random worlds converge (first bad seed: %u)",
       failed);
}

/* No edit, no deletion: whoever is new on one side is on both afterwards. */
static void test_no_loss(void)
{
    struct world world = {.policy.direction = DIRECTION_BOTH};

    world.keywords = keywords_new();
    deliver(&world, LEFT, 1, FLAG_SEEN);
    deliver(&world, RIGHT, 2, 0);
    pass(&world);
    ok(count(&world, LEFT, 2) == 1 && count(&world, RIGHT, 1) == 1,
       "new mail travels both ways");
    by_uid(&world, LEFT, 1)->system |= FLAG_FLAGGED;
    by_uid(&world, RIGHT, 2)->uid = 0;
    pass(&world);
    ok(count(&world, LEFT, 1) == 0 && count(&world, RIGHT, 1) == 0,
       "row 3: a deletion beats a flag");
    ok(world.record.n_pairs == 1, "the record of what is gone is gone");
    keywords_free(world.keywords);
}

static void test_one_way(void)
{
    struct world world = {.policy.direction = DIRECTION_LEFT_TO_RIGHT};

    world.keywords = keywords_new();
    deliver(&world, LEFT, 1, 0);
    deliver(&world, RIGHT, 2, 0);
    pass(&world);
    ok(count(&world, RIGHT, 1) == 1, "the source's mail arrives");
    ok(count(&world, LEFT, 2) == 0 && count(&world, RIGHT, 2) == 1,
       "mail put into the target by others is left alone");
    ok(world.record.n_aparts == 1, "and is on record as such");
    by_uid(&world, RIGHT, 1)->system = FLAG_FLAGGED; /* the foreign one */
    ok(pass(&world), "flags in the target do not travel");
    by_uid(&world, LEFT, 1)->uid = 0;
    pass(&world);
    ok(count(&world, RIGHT, 1) == 0 && count(&world, RIGHT, 2) == 1,
       "the source's deletion arrives, and takes nothing else");
    keywords_free(world.keywords);
}

static void test_kept(void)
{
    struct world world = {.policy.direction = DIRECTION_BOTH};

    world.policy.keep_deleted = true;
    world.keywords = keywords_new();
    deliver(&world, LEFT, 1, 0);
    pass(&world);
    by_uid(&world, LEFT, 1)->uid = 0;
    pass(&world);
    ok(count(&world, RIGHT, 1) == 1, "deletes = keep keeps it");
    ok(pass(&world) && count(&world, LEFT, 1) == 0,
       "and does not bring it back");
    keywords_free(world.keywords);
}

static void test_filters(void)
{
    struct world world = {.policy.direction = DIRECTION_BOTH};

    world.policy.max_size = 5;
    world.keywords = keywords_new();
    deliver(&world, LEFT, 5, 0); /* content serves as the size, too */
    deliver(&world, LEFT, 6, 0);
    pass(&world);
    ok(count(&world, RIGHT, 5) == 1 && count(&world, RIGHT, 6) == 0,
       "what is larger than max_size stays where it is");
    ok(pass(&world), "and is settled");
    keywords_free(world.keywords);
}

int main(void)
{
    test_no_loss();
    test_one_way();
    test_kept();
    test_filters();
    test_random_worlds();
    return done_testing();
}
