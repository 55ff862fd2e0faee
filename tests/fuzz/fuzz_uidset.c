/*
 * Goal: a UID set reads any text, prints what it reads, and its operations
 * agree with those on a row of bits.
 *
 * The input: a line of a set, then operations of three bytes: which one, and
 * two UIDs.
 */
#include "base/uidset.h"
#include "tests/fuzz/fuzz.h"

#define UIDS 256u

static void check_form(const struct uidset *set)
{
    for (size_t i = 0; i < set->n; i++) {
        must(set->ranges[i].first >= 1);
        must(set->ranges[i].first <= set->ranges[i].last);
        must(i == 0 ||
             (uint64_t)set->ranges[i - 1].last + 1 < set->ranges[i].first);
    }
}

static void check_text(struct bytes text)
{
    struct uidset set = {0};
    struct uidset again = {0};
    struct buf out;
    size_t from = 0;

    buf_init(&out, 0);
    if (uidset_parse(&set, text)) {
        check_form(&set);
        while (from < set.n) {
            buf_clear(&out);
            uidset_print(&set, &from, 1 + text.len % 50, &out);
            must(uidset_parse(&again, buf_peek(&out)));
        }
        must(again.n == set.n);
        for (size_t i = 0; i < set.n; i++)
            must(again.ranges[i].first == set.ranges[i].first &&
                 again.ranges[i].last == set.ranges[i].last);
    }
    uidset_deinit(&set);
    uidset_deinit(&again);
    buf_deinit(&out);
}

struct model {
    struct uidset set;
    bool has[UIDS];
};

static void operate(struct model *model, struct model *other, uint8_t what,
                    uint8_t a, uint8_t b)
{
    uint8_t low = a < b ? a : b;
    uint8_t high = a < b ? b : a;

    switch (what % 6) {
    case 0:
        uidset_add(&model->set, a);
        model->has[a] = true;
        break;
    case 1:
        uidset_add_range(&model->set, a, b);
        memset(model->has + low, true, (size_t)(high - low) + 1);
        break;
    case 2:
        uidset_remove(&model->set, a);
        model->has[a] = false;
        break;
    case 3:
        uidset_remove_set(&model->set, &other->set);
        for (size_t i = 0; i < UIDS; i++)
            model->has[i] = model->has[i] && !other->has[i];
        break;
    case 4:
        uidset_add_set(&model->set, &other->set);
        for (size_t i = 0; i < UIDS; i++)
            model->has[i] = model->has[i] || other->has[i];
        break;
    default:
        uidset_clear(&model->set);
        memset(model->has, 0, sizeof(model->has));
        break;
    }
}

static void check_model(const struct model *model)
{
    struct uidset_walk walk = {.set = &model->set};
    uint32_t uid = 0;
    uint64_t n = 0;

    check_form(&model->set);
    for (uint32_t i = 1; i < UIDS; i++) {
        must(uidset_has(&model->set, i) == model->has[i]);
        n += model->has[i];
    }
    must(uidset_count(&model->set) == n);
    while (uidset_next(&walk, &uid)) {
        must(model->has[uid]);
        n--;
    }
    must(n == 0);
}

void fuzz_one(struct bytes input)
{
    struct bytes text = fuzz_copy(fuzz_until(&input, '\n'));
    struct model models[2];

    memset(models, 0, sizeof(models));
    check_text(text);
    while (input.len >= 3) {
        uint8_t what = fuzz_byte(&input);
        uint8_t a = fuzz_byte(&input);
        uint8_t b = fuzz_byte(&input);

        operate(&models[what / 128], &models[1 - what / 128], what % 128,
                a > 0 ? a : 1, b > 0 ? b : 1);
    }
    check_model(&models[0]);
    check_model(&models[1]);
    uidset_deinit(&models[0].set);
    uidset_deinit(&models[1].set);
    fuzz_free(text);
}
