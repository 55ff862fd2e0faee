/* A folder's record in an array, behind sync/known.h: for tests. */
#ifndef TESTS_KNOWN_ARRAY_H
#define TESTS_KNOWN_ARRAY_H

#include <stddef.h>

#include "sync/known.h"

#define KNOWN_MAX 256

struct known_array {
    struct state_pair pairs[KNOWN_MAX];
    size_t n_pairs;
    struct state_apart aparts[KNOWN_MAX];
    size_t n_aparts;
    unsigned fails_at; /* the call, counted from 1, that fails; 0: none */
    unsigned calls;
};

static int known_array_call(struct known_array *array, struct err *err)
{
    if (++array->calls != array->fails_at)
        return 0;
    return err_set(err, ERR_STATE, "damaged");
}

static int known_array_pair(void *owner, enum side side, uint32_t uid,
                            struct state_pair *out, struct err *err)
{
    struct known_array *array = owner;
    int r = known_array_call(array, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < array->n_pairs; i++) {
        if (array->pairs[i].uid[side] == uid) {
            *out = array->pairs[i];
            return 0;
        }
    }
    return 1;
}

static int known_array_apart(void *owner, enum side side, uint32_t uid,
                             struct state_apart *out, struct err *err)
{
    struct known_array *array = owner;
    int r = known_array_call(array, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < array->n_aparts; i++) {
        if (array->aparts[i].side == side && array->aparts[i].uid == uid) {
            *out = array->aparts[i];
            return 0;
        }
    }
    return 1;
}

static int known_array_each(void *owner, enum side side,
                            int (*each)(void *, const struct state_pair *),
                            void *each_owner, struct err *err)
{
    struct known_array *array = owner;
    int r = known_array_call(array, err);

    (void)side;
    for (size_t i = 0; i < array->n_pairs && r == 0; i++)
        r = each(each_owner, &array->pairs[i]);
    return r;
}

static int known_array_each_apart(void *owner,
                                  int (*each)(void *,
                                              const struct state_apart *),
                                  void *each_owner, struct err *err)
{
    struct known_array *array = owner;
    int r = known_array_call(array, err);

    for (size_t i = 0; i < array->n_aparts && r == 0; i++)
        r = each(each_owner, &array->aparts[i]);
    return r;
}

static struct known known_of_array(struct known_array *array)
{
    return (struct known){
        .owner = array,
        .pair = known_array_pair,
        .apart = known_array_apart,
        .each_pair = known_array_each,
        .each_apart = known_array_each_apart,
    };
}

/* The row whose counters fit the array. */
static struct state_folder known_array_row(const struct known_array *array)
{
    struct state_folder row = {.id = 1, .pairs = (uint32_t)array->n_pairs};

    for (size_t i = 0; i < array->n_pairs; i++) {
        row.gone[LEFT] += array->pairs[i].gone[LEFT];
        row.gone[RIGHT] += array->pairs[i].gone[RIGHT];
    }
    for (size_t i = 0; i < array->n_aparts; i++)
        row.apart[array->aparts[i].side]++;
    return row;
}

#endif
