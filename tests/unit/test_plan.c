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

static void copy(struct world *world, enum side to, struct listed item)
{
    const struct listed *listed = &item;
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
    for (size_t i = 0; i < plan->n_parts; i++)
        record_del(world, &plan->parts[i]);
    for (size_t i = 0; i < plan->n_records; i++)
        record_put(world, &plan->records[i]);
    for (size_t i = 0; i < plan->n_aparts; i++)
        world->record.aparts[world->record.n_aparts++] = plan->aparts[i];
    for (enum side side = LEFT; side < SIDES; side++) {
        for (size_t i = 0; i < plan->n_copies[side]; i++)
            copy(world, side, plan_copy(plan, side, i));
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

static bool never(void *owner, const struct listed *listed, bool by_size)
{
    (void)owner;
    (void)listed;
    (void)by_size;
    return false;
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
    plan_find_staying(&plan, &input, LEFT, never, NULL);
    plan_find_staying(&plan, &input, RIGHT, never, NULL);
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

/* --- one plan, judged by hand ------------------------------------------------- */

/* Pairs 1:11, 2:12, 3:13, and what the sides list. */
struct desk {
    struct known_array record;
    struct known known;
    struct policy policy;
    struct keywords *keywords;
    struct delta delta[SIDES];
    struct match match;
    struct match_link link;
    struct uidset set[SIDES];
    struct plan_input input;
    struct plan plan;
};

static void desk_init(struct desk *desk)
{
    memset(desk, 0, sizeof(*desk));
    desk->keywords = keywords_new();
    desk->record.n_pairs = 3;
    for (uint32_t i = 0; i < 3; i++) {
        desk->record.pairs[i].uid[LEFT] = i + 1;
        desk->record.pairs[i].uid[RIGHT] = i + 11;
    }
    desk->known = known_of_array(&desk->record);
    desk->input = (struct plan_input){
        .known = &desk->known,
        .keywords = desk->keywords,
        .policy = &desk->policy,
        .folder = 1,
        .now = 100000,
    };
    for (enum side side = LEFT; side < SIDES; side++) {
        delta_init(&desk->delta[side], side, &desk->known);
        desk->input.delta[side] = &desk->delta[side];
    }
    plan_init(&desk->plan);
}

static void desk_deinit(struct desk *desk)
{
    plan_deinit(&desk->plan);
    for (enum side side = LEFT; side < SIDES; side++) {
        delta_deinit(&desk->delta[side]);
        uidset_deinit(&desk->set[side]);
    }
    keywords_free(desk->keywords);
}

static void show(struct desk *desk, enum side side, uint32_t uid,
                 uint32_t system, uint32_t keywords)
{
    struct listed listed = {
        .uid = uid,
        .flags = {system, keywords},
        .has_meta = true,
        .size = 50,
        .date = 1000 + uid
    };
    struct err err;

    delta_add(&desk->delta[side], &listed, &err);
}

/* What is not named as @vanished is as it was. */
static void finish_side(struct desk *desk, enum side side, const char *vanished,
                        bool complete)
{
    struct delta_request request = {.kind = LISTING_CHANGES,
                                    .complete = complete};
    struct state_folder row = known_array_row(&desk->record);
    struct err err;

    request.storable.system = FLAGS_SYSTEM;
    request.storable.any_keyword = true;
    uidset_parse(&request.vanished, bytes_of(vanished));
    delta_finish(&desk->delta[side], &request, &row, &err);
    uidset_deinit(&request.vanished);
}

static int judge_all(struct desk *desk)
{
    struct err err;
    int r = plan_make(&desk->plan, &desk->input, &err);

    plan_find_staying(&desk->plan, &desk->input, LEFT, never, NULL);
    plan_find_staying(&desk->plan, &desk->input, RIGHT, never, NULL);
    return r;
}

static bool deletes_nothing(const struct plan *plan)
{
    return plan->n_deletes[LEFT] == 0 && plan->n_deletes[RIGHT] == 0;
}

static void test_unsure(void)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        struct desk desk;

        desk_init(&desk);
        finish_side(&desk, side, side == LEFT ? "2" : "12", false);
        judge_all(&desk);
        ok(deletes_nothing(&desk.plan) && desk.plan.unsure[side] &&
               !desk.plan.unsure[other(side)],
           "what an incomplete listing of side %d misses is not gone", side);
        ok(plan_is_empty(&desk.plan), "and there is nothing to do");
        desk_deinit(&desk);
    }
}

static void test_skipped(void)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        uint32_t two = side == LEFT ? 2 : 12;
        struct desk desk;

        desk_init(&desk);
        uidset_add(&desk.set[side], two);
        uidset_add(&desk.set[side], 30);
        desk.input.skip[side] = &desk.set[side];
        show(&desk, side, 30, 0, 0);
        show(&desk, side, 31, 0, 0);
        finish_side(&desk, side, side == LEFT ? "2:3" : "12:13", true);
        judge_all(&desk);
        ok(desk.plan.n_deletes[other(side)] == 1 &&
               desk.plan.deletes[other(side)][0].uid[side] == two + 1,
           "one that is held back on side %d is not deleted", side);
        ok(desk.plan.n_copies[other(side)] == 1 &&
               plan_copy(&desk.plan, other(side), 0).uid == 31,
           "nor copied, where it is new");
        desk_deinit(&desk);
    }
}

static void test_vanished(void)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        struct uidset none = {0};
        struct desk desk;

        desk_init(&desk);
        uidset_add(&desk.set[side], side == LEFT ? 2 : 12);
        uidset_add(&desk.set[side], side == LEFT ? 1 : 11);
        desk.input.added[side] = &desk.set[side];
        desk.input.added[other(side)] = &none;
        finish_side(&desk, side, side == LEFT ? "2:3" : "12:13", true);
        judge_all(&desk);
        ok(desk.plan.n_parts == 1 && desk.plan.relist[LEFT] &&
               desk.plan.relist[RIGHT] && desk.plan.n_vanished[side] == 1 &&
               desk.plan.vanished[side][0].uid[LEFT] == 2 &&
               desk.plan.n_vanished[other(side)] == 0,
           "a copy of this run that is gone from side %d vanished", side);
        ok(desk.plan.n_deletes[other(side)] == 1,
           "and only the other one that is gone was deleted");
        desk_deinit(&desk);
    }
}

static void test_left_out(void)
{
    struct listed bare = {.uid = 40};
    struct desk desk;
    struct err err;

    desk_init(&desk);
    desk.policy.newer_than_seconds = 100000 - 1031;
    show(&desk, LEFT, 30, 0, 0);
    show(&desk, LEFT, 31, 0, 0);
    finish_side(&desk, LEFT, "", true);
    judge_all(&desk);
    ok(desk.plan.n_aparts == 1 && desk.plan.aparts[0].uid == 30 &&
           desk.plan.aparts[0].kind == APART_FILTERED &&
           desk.plan.n_copies[RIGHT] == 1 && desk.plan.hidden == 0,
       "one that is too old stays where it is");
    desk_deinit(&desk);

    desk_init(&desk);
    desk.input.edge[RIGHT] = (struct plan_edge){true, 1031};
    show(&desk, LEFT, 30, 0, 0);
    show(&desk, LEFT, 31, 0, 0);
    delta_add(&desk.delta[LEFT], &bare, &err);
    finish_side(&desk, LEFT, "", true);
    judge_all(&desk);
    ok(desk.plan.n_aparts == 1 && desk.plan.aparts[0].uid == 30 &&
           desk.plan.hidden == 1 && desk.plan.n_copies[RIGHT] == 1,
       "so does one that may be over there, out of sight");
    ok(desk.plan.relist[LEFT] && !plan_is_empty(&desk.plan),
       "one without a size is listed again");
    desk_deinit(&desk);
}

static bool is_uid_30(void *owner, const struct listed *listed, bool by_size)
{
    *(bool *)owner = by_size;
    return listed->uid == 30;
}

/* What was moved here is copied, though the policy leaves its like where it is. */
static void test_moved_in(void)
{
    struct desk desk;
    struct err err;
    bool by_size = true;

    desk_init(&desk);
    desk.policy.newer_than_seconds = 1;
    show(&desk, LEFT, 30, 0, 0);
    show(&desk, LEFT, 31, 0, 0);
    finish_side(&desk, LEFT, "", true);
    plan_make(&desk.plan, &desk.input, &err);
    plan_find_staying(&desk.plan, &desk.input, RIGHT, is_uid_30, &by_size);
    ok(desk.plan.n_copies[RIGHT] == 1 &&
           plan_copy(&desk.plan, RIGHT, 0).uid == 30 &&
           desk.plan.n_aparts == 1 && desk.plan.aparts[0].uid == 31 && !by_size,
       "one that was moved here does not stay on its side for its age");
    desk_deinit(&desk);
}

static void test_direction(enum side source)
{
    enum side target = other(source);
    uint32_t base = target == LEFT ? 0 : 10;
    struct desk desk;

    desk_init(&desk);
    desk.policy.direction =
        source == LEFT ? DIRECTION_LEFT_TO_RIGHT : DIRECTION_RIGHT_TO_LEFT;
    show(&desk, source, source == LEFT ? 1 : 11, FLAG_SEEN, 0);
    show(&desk, target, base + 1, FLAG_FLAGGED, 0);
    show(&desk, target, 50, 0, 0);
    finish_side(&desk, source, "", true);
    finish_side(&desk, target, target == LEFT ? "2" : "12", true);
    judge_all(&desk);
    ok(desk.plan.n_flags == 1 && desk.plan.flags[0].push[target] &&
           !desk.plan.flags[0].push[source] &&
           desk.plan.flags[0].change[target].add.system == FLAG_SEEN &&
           desk.plan.flags[0].change[target].remove.system == 0,
       "one-way from side %d: its flags go over, others stay", source);
    ok(desk.plan.n_parts == 1 && desk.plan.relist[source] &&
           deletes_nothing(&desk.plan),
       "what is gone from the target comes again");
    ok(desk.plan.n_aparts == 1 && desk.plan.aparts[0].kind == APART_FOREIGN &&
           desk.plan.aparts[0].side == target &&
           desk.plan.n_copies[source] == 0,
       "what others put there stays there");
    desk_deinit(&desk);

    desk_init(&desk);
    desk.policy.direction =
        source == LEFT ? DIRECTION_LEFT_TO_RIGHT : DIRECTION_RIGHT_TO_LEFT;
    show(&desk, LEFT, 30, FLAG_SEEN, 0);
    show(&desk, RIGHT, 30, FLAG_FLAGGED, 0);
    finish_side(&desk, LEFT, "", true);
    finish_side(&desk, RIGHT, "", true);
    desk.link = (struct match_link){
        {30, 30}
    };
    desk.match = (struct match){.links = &desk.link, .n_links = 1};
    desk.input.match = &desk.match;
    judge_all(&desk);
    ok(desk.plan.n_records == 1 && desk.plan.n_flags == 0 &&
           desk.plan.records[0].flags.system ==
               (source == LEFT ? FLAG_SEEN : FLAG_FLAGGED),
       "found equal, it goes on record with the flags of the source");
    desk_deinit(&desk);
}

static void test_kept_on_purpose(void)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        struct desk desk;

        desk_init(&desk);
        desk.policy.keep_deleted = true;
        desk.record.pairs[0].gone[side] = true;
        desk.record.pairs[2].gone[side] = true;
        /* The first comes back, the second is deleted, the third is flagged
         * where it still is. */
        show(&desk, side, side == LEFT ? 1 : 11, 0, 0);
        show(&desk, other(side), side == LEFT ? 13 : 3, FLAG_SEEN, 0);
        finish_side(&desk, side, side == LEFT ? "2" : "12", true);
        finish_side(&desk, other(side), "", true);
        judge_all(&desk);
        ok(deletes_nothing(&desk.plan) && desk.plan.n_flags == 0,
           "deletes = keep: nothing is deleted for side %d", side);
        ok(desk.plan.n_records == 2 && !desk.plan.records[0].gone[side] !=
                                           !desk.plan.records[1].gone[side],
           "one is noted as gone, and one as back");
        desk_deinit(&desk);

        desk_init(&desk);
        desk.policy.keep_deleted = true;
        desk.record.pairs[0].gone[side] = true;
        finish_side(&desk, other(side), side == LEFT ? "11" : "1", true);
        judge_all(&desk);
        ok(desk.plan.n_forgets == 1 && desk.plan.n_records == 0,
           "gone from the other side, too, it is forgotten");
        desk_deinit(&desk);
    }
}

/* Linked to one that was placed without a number: @copied or moved. */
static void test_base(enum side side, bool copied)
{
    struct plan_base bases[] = {
        {LEFT,  29, false,  {FLAG_DRAFT, 0}},
        {side,  30, copied, {FLAG_SEEN, 0} },
        {RIGHT, 31, false,  {FLAG_DRAFT, 0}},
    };
    struct desk desk;

    desk_init(&desk);
    qsort(bases, 3, sizeof(*bases), plan_base_order);
    show(&desk, side, 30, 0, 0);
    show(&desk, other(side), 40, FLAG_SEEN, 0);
    finish_side(&desk, LEFT, "", true);
    finish_side(&desk, RIGHT, "", true);
    desk.link.uid[side] = 30;
    desk.link.uid[other(side)] = 40;
    desk.match = (struct match){.links = &desk.link, .n_links = 1};
    desk.input.match = &desk.match;
    desk.input.bases = bases;
    desk.input.n_bases = 3;
    judge_all(&desk);
    ok(desk.plan.n_flags == 1 && desk.plan.flags[0].push[other(side)] &&
           desk.plan.flags[0].pair.flags.system == 0,
       "%s to side %d, its flags are those that the user left it",
       copied ? "copied" : "moved", other(side));
    desk.input.n_bases = 0;
    plan_deinit(&desk.plan);
    plan_init(&desk.plan);
    judge_all(&desk);
    ok(desk.plan.n_flags == 1 && desk.plan.flags[0].push[side],
       "without a base they are united");
    desk_deinit(&desk);
}

static void test_keywords(void)
{
    struct desk desk;
    uint32_t set;

    desk_init(&desk);
    set = keywords_intern(desk.keywords, B("todo"));
    desk.record.pairs[1].flags.keywords = set;
    show(&desk, LEFT, 1, 0, set);
    show(&desk, LEFT, 2, 0, 0);
    finish_side(&desk, LEFT, "", true);
    judge_all(&desk);
    ok(desk.plan.n_flags == 2 &&
           desk.plan.flags[0].change[RIGHT].add.keywords == set &&
           desk.plan.flags[1].change[RIGHT].remove.keywords == set,
       "a keyword alone is sent, and taken away");
    desk_deinit(&desk);
}

static void test_copy_back(void)
{
    static const uint32_t uids[] = {20, 40, 30, 10};
    struct known_array array = {0};
    struct known known = known_of_array(&array);
    struct delta_request request = {.kind = LISTING_FULL, .complete = true};
    struct state_folder row = known_array_row(&array);
    struct delta delta;
    struct plan plan = {.delta = {&delta}};
    bool sorted = true;

    delta_init(&delta, LEFT, &known);
    for (size_t i = 0; i < 4; i++) {
        struct listed listed = {.uid = uids[i]};

        delta_add(&delta, &listed, NULL);
    }
    delta_finish(&delta, &request, &row, NULL);
    for (size_t i = 0; i < 4; i++)
        plan_copy_back(&plan, RIGHT, uids[i]);
    for (size_t i = 1; i < plan.n_copies[RIGHT]; i++)
        sorted = sorted && plan_copy(&plan, RIGHT, i - 1).uid <
                               plan_copy(&plan, RIGHT, i).uid;
    ok(plan.n_copies[RIGHT] == 4 && sorted, "what is to be copied after all "
                                            "gets to its place");
    plan_deinit(&plan);
    delta_deinit(&delta);
}

static void test_empty(void)
{
    struct state_apart apart = {.uid = 1};
    struct plan plan;

    plan_init(&plan);
    ok(plan_is_empty(&plan), "a new plan is empty");
    for (enum side side = LEFT; side < SIDES; side++) {
        plan.relist[side] = true;
        ok(!plan_is_empty(&plan), "one that lists side %d again is not", side);
        plan.relist[side] = false;
    }
    plan.aparts = &apart;
    plan.n_aparts = 1;
    ok(!plan_is_empty(&plan), "nor is one that leaves a message apart");
}

static void test_failing_state(void)
{
    unsigned calls = 1;
    unsigned told = 0;

    for (unsigned at = 0; at <= calls; at++) {
        struct desk desk;
        int r;

        desk_init(&desk);
        show(&desk, LEFT, 30, 0, 0);
        show(&desk, RIGHT, 12, FLAG_SEEN, 0);
        finish_side(&desk, LEFT, "1", true);
        finish_side(&desk, RIGHT, "13", true);
        desk.record.calls = 0;
        desk.record.fails_at = at;
        r = judge_all(&desk);
        if (at == 0)
            calls = desk.record.calls;
        else
            told += r == ERR_STATE;
        desk_deinit(&desk);
    }
    ok(calls > 2 && told == calls, "a failure of each of %u reads is told",
       calls);
}

int main(void)
{
    test_unsure();
    test_skipped();
    test_vanished();
    test_left_out();
    test_moved_in();
    test_direction(LEFT);
    test_direction(RIGHT);
    test_kept_on_purpose();
    test_base(LEFT, false);
    test_base(RIGHT, false);
    test_base(LEFT, true);
    test_base(RIGHT, true);
    test_keywords();
    test_copy_back();
    test_empty();
    test_failing_state();
    test_no_loss();
    test_one_way();
    test_kept();
    test_filters();
    test_random_worlds();
    return done_testing();
}
