/* What of the copies is none, by the policy's limits. */
#include "sync/plan.h"

static bool is_large(const struct plan_input *input,
                     const struct listed *listed)
{
    return input->policy->max_size != 0 &&
           listed->size > input->policy->max_size;
}

static bool is_old(const struct plan_input *input, const struct listed *listed)
{
    const struct policy *policy = input->policy;

    return policy->newer_than_seconds != 0 &&
           listed->date < input->now - (int64_t)policy->newer_than_seconds;
}

static bool is_out_of_sight(const struct plan_edge *edge,
                            const struct listed *listed)
{
    return edge->known && listed->date < edge->date;
}

/* May anything stay? */
static bool is_limited(const struct plan_input *input, enum side to)
{
    return input->policy->max_size != 0 ||
           input->policy->newer_than_seconds != 0 || input->edge[to].known;
}

void plan_find_staying(
    struct plan *plan, const struct plan_input *input, enum side to,
    bool (*is_moved)(void *owner, const struct listed *listed, bool by_size),
    void *owner)
{
    if (!is_limited(input, to))
        return;
    for (size_t i = 0; i < plan->n_copies[to]; i++) {
        struct listed listed = plan_copy(plan, to, i);
        bool large = is_large(input, &listed);
        bool filtered = large || is_old(input, &listed);

        if ((!filtered && !is_out_of_sight(&input->edge[to], &listed)) ||
            is_moved(owner, &listed, large))
            continue;
        plan_leave(plan, input, other(to), &listed, APART_FILTERED);
        plan->hidden += !filtered;
        plan_drop_copy(plan, to, i);
    }
    plan_close_gaps(plan, to);
}
