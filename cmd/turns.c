#include "cmd/turns.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum stage { WAITS, IS_PUT_OFF, IS_UNDER_WAY, IS_OVER };

struct turn {
    size_t group[SIDES]; /* of places that are the same */
    enum stage stage;
};

struct turns {
    struct turn *pairs;
    size_t n;
    size_t first; /* all before are over */
    size_t at_once;
    size_t under_way;
    bool *busy;   /* of each group: one of its pairs is under way */
    bool *barred; /* the same, or one that comes first waits for it */
    size_t n_groups;
};

/* A place on its way to its group. */
struct entry {
    const char *place;
    size_t *group;
};

/* As strcmp(), but what is below a place follows it at once. */
static int compare(const void *a, const void *b)
{
    const char *one = ((const struct entry *)a)->place;
    const char *two = ((const struct entry *)b)->place;

    while (*one != '\0' && *one == *two) {
        one++;
        two++;
    }
    if (*one == *two) {
        return 0;
    }
    if (*one == '\0' || (*one == '/' && *two != '\0')) {
        return -1;
    }
    if (*two == '\0' || *two == '/') {
        return 1;
    }
    return (unsigned char)*one < (unsigned char)*two ? -1 : 1;
}

static bool is_within(const char *place, const char *above)
{
    size_t len = strlen(above);

    return strncmp(place, above, len) == 0 &&
           (place[len] == '\0' || place[len] == '/');
}

static void make_groups(struct turns *turns, const struct turns_places *places)
{
    struct entry *entries = mem_new(turns->n * SIDES, sizeof(*entries));
    const char *above = NULL;
    size_t n = 0;

    for (size_t i = 0; i < turns->n; i++) {
        for (size_t side = LEFT; side < SIDES; side++) {
            entries[n++] = (struct entry){places[i].place[side],
                                          &turns->pairs[i].group[side]};
        }
    }
    qsort(entries, n, sizeof(*entries), compare);
    for (size_t i = 0; i < n; i++) {
        if (above == NULL || !is_within(entries[i].place, above)) {
            above = entries[i].place;
            turns->n_groups++;
        }
        *entries[i].group = turns->n_groups - 1;
    }
    free(entries);
}

struct turns *turns_new(const struct turns_places *places, size_t n,
                        size_t at_once)
{
    struct turns *turns = MEM_NEW(struct turns);

    turns->pairs = mem_new(n, sizeof(*turns->pairs));
    turns->n = n;
    turns->at_once = at_once;
    make_groups(turns, places);
    turns->busy = mem_new(turns->n_groups, sizeof(*turns->busy));
    turns->barred = mem_new(turns->n_groups, sizeof(*turns->barred));
    return turns;
}

void turns_free(struct turns *turns)
{
    if (turns == NULL) {
        return;
    }
    free(turns->pairs);
    free(turns->busy);
    free(turns->barred);
    free(turns);
}

static void mark(bool *groups, const struct turn *pair, bool value)
{
    groups[pair->group[LEFT]] = value;
    groups[pair->group[RIGHT]] = value;
}

bool turns_next(struct turns *turns, size_t *pair)
{
    if (turns->under_way >= turns->at_once) {
        return false;
    }
    memcpy(turns->barred, turns->busy, turns->n_groups * sizeof(*turns->busy));
    for (size_t i = turns->first; i < turns->n; i++) {
        struct turn *turn = &turns->pairs[i];

        if (turn->stage == WAITS && !turns->barred[turn->group[LEFT]] &&
            !turns->barred[turn->group[RIGHT]]) {
            turn->stage = IS_UNDER_WAY;
            turns->under_way++;
            mark(turns->busy, turn, true);
            *pair = i;
            return true;
        }
        if (turn->stage == WAITS) {
            mark(turns->barred, turn, true);
        }
    }
    return false;
}

static void leave(struct turns *turns, size_t pair, enum stage stage)
{
    turns->pairs[pair].stage = stage;
    turns->under_way--;
    mark(turns->busy, &turns->pairs[pair], false);
}

void turns_end(struct turns *turns, size_t pair)
{
    leave(turns, pair, IS_OVER);
    while (turns->first < turns->n &&
           turns->pairs[turns->first].stage == IS_OVER) {
        turns->first++;
    }
}

void turns_put_off(struct turns *turns, size_t pair)
{
    leave(turns, pair, IS_PUT_OFF);
}

void turns_recall(struct turns *turns)
{
    for (size_t i = turns->first; i < turns->n; i++) {
        if (turns->pairs[i].stage == IS_PUT_OFF) {
            turns->pairs[i].stage = WAITS;
        }
    }
}
