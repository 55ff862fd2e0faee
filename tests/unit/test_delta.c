/* Listings against the record. */
#include <string.h>

#include "sync/delta.h"
#include "tests/tap.h"
#include "tests/unit/known_array.h"

static struct known_array three_pairs(void)
{
    struct known_array array = {.n_pairs = 3};

    for (uint32_t i = 0; i < 3; i++) {
        array.pairs[i].uid[LEFT] = i + 1;
        array.pairs[i].uid[RIGHT] = 10 * (i + 1);
        array.pairs[i].flags.system = FLAG_SEEN;
    }
    return array;
}

static int add(struct delta *delta, uint32_t uid, uint32_t system)
{
    struct listed listed = {.uid = uid, .flags.system = system};
    struct err err;

    return delta_add(delta, &listed, &err);
}

static int finish(struct delta *delta, struct known_array *array,
                  enum listing kind, uint32_t messages, const char *vanished)
{
    struct delta_request request = {.kind = kind, .complete = true};
    struct state_folder row = known_array_row(array);
    struct err err;
    int r;

    request.token.messages = messages;
    if (vanished != NULL)
        uidset_parse(&request.vanished, bytes_of(vanished));
    r = delta_finish(delta, &request, &row, &err);
    uidset_deinit(&request.vanished);
    return r;
}

static void test_full(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct delta delta;

    delta_init(&delta, LEFT, &known);
    add(&delta, 1, FLAG_SEEN);
    add(&delta, 3, FLAG_SEEN | FLAG_FLAGGED);
    add(&delta, 7, 0);
    ok(finish(&delta, &array, LISTING_FULL, 3, NULL) == 0, "a full listing");
    ok(delta.n_items == 2 && delta_find(&delta, 3, NULL) &&
           delta_find(&delta, 7, NULL) && !delta_find(&delta, 1, NULL),
       "what is as recorded is dropped");
    ok(uidset_count(&delta.gone) == 1 && uidset_has(&delta.gone, 2),
       "what was not listed is gone");
    ok(delta.fresh == 1, "one is new");
    delta_deinit(&delta);
}

static void test_incomplete(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct delta_request request = {.kind = LISTING_FULL, .complete = false};
    struct state_folder row = known_array_row(&array);
    struct delta delta;
    struct err err;

    delta_init(&delta, LEFT, &known);
    ok(delta_finish(&delta, &request, &row, &err) == 0 &&
           uidset_count(&delta.gone) == 0,
       "nothing is gone by a listing that was cut short");
    delta_deinit(&delta);
}

static void test_changes(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct delta delta;

    delta_init(&delta, RIGHT, &known);
    add(&delta, 40, 0);
    ok(finish(&delta, &array, LISTING_CHANGES, 1, "1:4294967295") == 0 &&
           uidset_count(&delta.gone) == 3,
       "an absurd range of vanished ones is no burden");
    delta_deinit(&delta);

    delta_init(&delta, RIGHT, &known);
    add(&delta, 40, 0);
    ok(finish(&delta, &array, LISTING_CHANGES, 3, "15:25") == 0,
       "three, less one, plus one, are three");
    ok(uidset_count(&delta.gone) == 1 && uidset_has(&delta.gone, 20),
       "only what was on record can be gone");
    delta_deinit(&delta);

    delta_init(&delta, RIGHT, &known);
    ok(finish(&delta, &array, LISTING_CHANGES, 2, NULL) == DELTA_INCONSISTENT,
       "a deletion that was not told does not go unseen");
    delta_deinit(&delta);

    delta_init(&delta, RIGHT, &known);
    add(&delta, 30, 0);
    ok(finish(&delta, &array, LISTING_CHANGES, 3, "30") == 0 &&
           uidset_count(&delta.gone) == 0,
       "a message named as vanished, and listed, is there");
    delta_deinit(&delta);
}

static void test_repeats(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct listed with_meta = {.uid = 9, .has_meta = true, .size = 77};
    struct delta delta;
    struct err err;

    delta_init(&delta, LEFT, &known);
    delta_add(&delta, &with_meta, &err);
    add(&delta, 2, 0);
    add(&delta, 9, FLAG_DRAFT);
    add(&delta, 2, FLAG_SEEN);
    add(&delta, 1, FLAG_SEEN);
    add(&delta, 3, FLAG_SEEN);
    finish(&delta, &array, LISTING_FULL, 4, NULL);
    ok(delta.n_items == 2, "each UID once");
    ok(delta_item(&delta, delta_place(&delta, 9)).flags.system == FLAG_DRAFT &&
           delta_item(&delta, delta_place(&delta, 9)).size == 77,
       "the later flags, the size that came before");
    ok(delta_item(&delta, delta_place(&delta, 2)).flags.system == FLAG_SEEN,
       "the later line wins, even if it says nothing new");
    ok(delta.fresh == 1, "a message listed twice is one");
    delta_deinit(&delta);
}

static void test_repeat_with_meta(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct listed with_meta = {.uid = 9, .has_meta = true, .size = 77};
    struct delta delta;
    struct err err;

    delta_init(&delta, LEFT, &known);
    add(&delta, 9, FLAG_DRAFT);
    delta_add(&delta, &with_meta, &err);
    finish(&delta, &array, LISTING_FULL, 1, NULL);
    ok(delta_item(&delta, delta_place(&delta, 9)).flags.system == 0 &&
           delta_item(&delta, delta_place(&delta, 9)).size == 77,
       "a later line may bring the size, too");
    delta_deinit(&delta);
}

static void test_apart_and_returned(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct delta delta;

    array.n_aparts = 1;
    array.aparts[0].side = LEFT;
    array.aparts[0].uid = 5;
    array.pairs[1].gone[LEFT] = true;
    delta_init(&delta, LEFT, &known);
    add(&delta, 1, FLAG_SEEN);
    add(&delta, 2, FLAG_SEEN);
    add(&delta, 3, FLAG_SEEN);
    finish(&delta, &array, LISTING_FULL, 3, NULL);
    ok(delta_find(&delta, 2, NULL), "what was gone and is back, is news");
    ok(uidset_has(&delta.gone_apart, 5), "a message that stayed apart is gone");
    delta_deinit(&delta);

    delta_init(&delta, LEFT, &known);
    ok(finish(&delta, &array, LISTING_CHANGES, 3, NULL) == 0,
       "messages apart count, those kept gone do not");
    delta_deinit(&delta);
}

/* Many pairs, and two messages that stay apart: few that vanished are looked
 * up, not searched. */
static struct known_array many_pairs(void)
{
    struct known_array array = {.n_pairs = 40, .n_aparts = 2};

    for (uint32_t i = 0; i < 40; i++) {
        array.pairs[i].uid[LEFT] = i + 1;
        array.pairs[i].uid[RIGHT] = i + 101;
    }
    array.aparts[0] = (struct state_apart){.side = LEFT, .uid = 201};
    array.aparts[1] = (struct state_apart){.side = LEFT, .uid = 202};
    return array;
}

static void test_lookup(void)
{
    struct known_array array = many_pairs();
    struct known known = known_of_array(&array);
    struct delta delta;

    delta_init(&delta, LEFT, &known);
    add(&delta, 202, 0);
    ok(finish(&delta, &array, LISTING_CHANGES, 40, "2,201,999") == 0,
       "few of many vanished");
    ok(uidset_count(&delta.gone) == 1 && uidset_has(&delta.gone, 2) &&
           uidset_count(&delta.gone_apart) == 1 &&
           uidset_has(&delta.gone_apart, 201),
       "those that were known are gone");
    ok(delta.fresh == 0 && delta.n_items == 0, "one apart is not new");
    delta_deinit(&delta);
}

static void test_repeats_without_meta(void)
{
    struct known_array array = three_pairs();
    struct known known = known_of_array(&array);
    struct listed first = {.uid = 7, .has_meta = true, .size = 12, .date = 34};
    struct listed later = {.uid = 7, .flags.system = FLAG_SEEN};
    struct listed found = {0};
    struct delta delta;
    struct err err;

    delta_init(&delta, LEFT, &known);
    delta_add(&delta, &first, &err);
    delta_add(&delta, &later, &err);
    add(&delta, 8, 0);
    add(&delta, 8, FLAG_SEEN);
    ok(finish(&delta, &array, LISTING_FULL, 2, NULL) == 0 &&
           delta.n_items == 2 && delta.fresh == 2,
       "one that comes twice is one");
    delta_find(&delta, 7, &found);
    ok(found.flags.system == FLAG_SEEN && found.has_meta && found.size == 12 &&
           found.date == 34,
       "it has the later flags, and the size that came before");
    delta_find(&delta, 8, &found);
    ok(found.flags.system == FLAG_SEEN && !found.has_meta, "or none");
    delta_deinit(&delta);
}

/* @which: a full listing, changes that are looked up, or searched; or all is
 * gone. */
static int work_through(struct known_array *array, unsigned which)
{
    struct known known = known_of_array(array);
    struct delta delta;
    struct err err;
    int r;

    delta_init(&delta, LEFT, &known);
    r = add(&delta, 1, 0);
    if (r == 0)
        r = add(&delta, 201, 0);
    if (r == 0)
        r = add(&delta, 300, 0);
    if (r == 0 && which == 0)
        r = finish(&delta, array, LISTING_FULL, 3, NULL);
    if (r == 0 && which == 1)
        r = finish(&delta, array, LISTING_CHANGES, 41, "2,202");
    if (r == 0 && which == 2)
        r = finish(&delta, array, LISTING_CHANGES, 3, "1:4294967295");
    if (r == 0 && which == 3)
        r = delta_all_gone(&delta, &err);
    delta_deinit(&delta);
    return r;
}

static void test_failing_state(void)
{
    for (unsigned which = 0; which < 4; which++) {
        struct known_array array = many_pairs();
        unsigned calls;
        unsigned told = 0;

        ok(work_through(&array, which) == 0, "a sound state, way %u", which);
        calls = array.calls;
        for (unsigned i = 1; i <= calls; i++) {
            array.calls = 0;
            array.fails_at = i;
            told += work_through(&array, which) == ERR_STATE;
        }
        ok(calls > 0 && told == calls, "a failure of each of %u calls is told",
           calls);
    }
}

int main(void)
{
    test_lookup();
    test_repeats_without_meta();
    test_failing_state();
    test_full();
    test_incomplete();
    test_changes();
    test_repeats();
    test_repeat_with_meta();
    test_apart_and_returned();
    return done_testing();
}
