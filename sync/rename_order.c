#include "sync/rename_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool rename_order_is_below(const char *name, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(name, folder, n) == 0 && name[n] == '/';
}

char *rename_order_follow(const char *name, const char *from, const char *to)
{
    if (strcmp(name, from) == 0)
        return mem_copy(to);
    if (rename_order_is_below(name, from))
        return mem_printf("%s%s", to, name + strlen(from));
    return NULL;
}

bool rename_order_is_temporary(const char *name)
{
    return strncmp(name, RENAME_TEMPORARY, strlen(RENAME_TEMPORARY)) == 0;
}

static bool is_pending(const struct rename_place *place)
{
    return place->want != NULL && strcmp(place->name, place->want) != 0;
}

struct order {
    const struct rename_place *places;
    size_t n;
    bool *blocked;
};

static bool is_going(const struct order *order, size_t i)
{
    return is_pending(&order->places[i]) && !order->blocked[i];
}

static bool is_below(const struct order *order, size_t i, size_t above)
{
    return rename_order_is_below(order->places[i].name,
                                 order->places[above].name);
}

/* Is a place below another one where it is to be, once that has its name? */
static bool goes_along(const struct order *order, size_t i, size_t above)
{
    const char *name =
        order->places[i].name + strlen(order->places[above].name);
    const char *want = order->places[i].want;
    const char *base = order->places[above].want;

    return want == NULL || (rename_order_is_below(want, base) &&
                            strcmp(want + strlen(base), name) == 0);
}

/* The place that has @name, or order->n. */
static size_t holder(const struct order *order, const char *name)
{
    size_t i = 0;

    while (i < order->n && strcmp(order->places[i].name, name) != 0)
        i++;
    return i;
}

static bool has_going_above(const struct order *order, size_t i)
{
    for (size_t k = 0; k < order->n; k++) {
        if (is_going(order, k) && is_below(order, i, k))
            return true;
    }
    return false;
}

/* --- what is in the way ----------------------------------------------------------- */

enum obstacle {
    FREE,
    GOING, /* it will go away */
    STAYS
};

static enum obstacle obstacle_at(const struct order *order, const char *name)
{
    size_t k = holder(order, name);

    if (k == order->n)
        return FREE;
    return is_going(order, k) || has_going_above(order, k) ? GOING : STAYS;
}

/* What is in the way of a place, and of what goes along with it. */
static enum obstacle obstacle_to(const struct order *order, size_t i)
{
    const struct rename_place *place = &order->places[i];
    enum obstacle worst = obstacle_at(order, place->want);

    for (size_t k = 0; k < order->n && worst < STAYS; k++) {
        enum obstacle one;
        char *name;

        if (!is_below(order, k, i) || !goes_along(order, k, i))
            continue;
        name = rename_order_follow(order->places[k].name, place->name,
                                   place->want);
        one = obstacle_at(order, name);
        worst = one > worst ? one : worst;
        free(name);
    }
    return worst;
}

static bool is_held_back(const struct order *order, size_t i)
{
    for (size_t k = 0; k < order->n; k++) {
        if (order->places[k].stays && is_below(order, k, i) &&
            !goes_along(order, k, i))
            return true;
    }
    return false;
}

bool rename_order_is_held_back(const struct rename_place *places, size_t n,
                               size_t index)
{
    struct order order = {.places = places, .n = n};

    return is_held_back(&order, index);
}

/* What is blocked blocks those that want its name. */
static void find_blocked(struct order *order)
{
    bool again = true;

    for (size_t i = 0; i < order->n; i++)
        order->blocked[i] = order->places[i].stays;
    while (again) {
        again = false;
        for (size_t i = 0; i < order->n; i++) {
            if (!is_going(order, i) ||
                (!is_held_back(order, i) && obstacle_to(order, i) != STAYS))
                continue;
            order->blocked[i] = true;
            again = true;
        }
    }
}

/* --- whose turn it is --------------------------------------------------------------- */

static bool all_go_along(const struct order *order, size_t i)
{
    for (size_t k = 0; k < order->n; k++) {
        if (is_below(order, k, i) && !goes_along(order, k, i))
            return false;
    }
    return true;
}

/* Does one above it take it to its name? */
static bool is_taken_along(const struct order *order, size_t i)
{
    for (size_t k = 0; k < order->n; k++) {
        if (is_going(order, k) && is_below(order, i, k) &&
            goes_along(order, i, k))
            return true;
    }
    return false;
}

/* May it have its name now? Not while a folder above that name is still to come
 * or to go, and only with all that is below it. */
static bool is_ready(const struct order *order, size_t i)
{
    const char *want = order->places[i].want;

    if (!is_going(order, i) ||
        rename_order_is_below(want, order->places[i].name) ||
        is_taken_along(order, i) || !all_go_along(order, i))
        return false;
    for (size_t k = 0; k < order->n; k++) {
        if (k != i && is_going(order, k) &&
            (rename_order_is_below(want, order->places[k].name) ||
             rename_order_is_below(want, order->places[k].want)))
            return false;
    }
    return obstacle_to(order, i) == FREE;
}

/* One that a circle, or a way into itself, keeps from its name: out of the way
 * with it, and all that is below it. */
static bool may_step_aside(const struct order *order, size_t i)
{
    return is_going(order, i) &&
           !rename_order_is_temporary(order->places[i].name) &&
           !is_taken_along(order, i) && all_go_along(order, i);
}

/* One that a folder above it would take to a wrong name. */
static bool must_step_aside(const struct order *order, size_t i)
{
    const char *name = order->places[i].name;
    bool is_wrong = is_going(order, i) && !rename_order_is_temporary(name);

    if (order->places[i].want == NULL || order->places[i].stays)
        return false;
    for (size_t k = 0; k < order->n; k++) {
        if (is_below(order, k, i) && order->places[k].want != NULL)
            return false; /* that one first */
        if (is_going(order, k) && is_below(order, i, k) &&
            !goes_along(order, i, k))
            is_wrong = true;
    }
    return is_wrong;
}

static size_t choose(const struct order *order,
                     bool (*suits)(const struct order *, size_t))
{
    for (size_t i = 0; i < order->n; i++) {
        if (suits(order, i))
            return i;
    }
    return order->n;
}

static char *temporary_name(const struct order *order)
{
    for (unsigned number = 1;; number++) {
        char *name = mem_printf("%s-%u", RENAME_TEMPORARY, number);

        if (holder(order, name) == order->n)
            return name;
        free(name);
    }
}

bool rename_order_is_blocked(const struct rename_place *places, size_t n,
                             size_t index)
{
    struct order order = {.places = places, .n = n};
    bool blocked;

    order.blocked = mem_new(n, sizeof(bool));
    find_blocked(&order);
    blocked = order.blocked[index];
    free(order.blocked);
    return blocked;
}

bool rename_order_next(const struct rename_place *places, size_t n,
                       size_t *index, char **to)
{
    struct order order = {.places = places, .n = n};

    order.blocked = mem_new(n, sizeof(bool));
    find_blocked(&order);
    *to = NULL;
    *index = choose(&order, is_ready);
    if (*index < n) {
        *to = mem_copy(places[*index].want);
    } else {
        *index = choose(&order, may_step_aside);
        if (*index == n)
            *index = choose(&order, must_step_aside);
        if (*index < n)
            *to = temporary_name(&order);
    }
    free(order.blocked);
    return *to != NULL;
}
