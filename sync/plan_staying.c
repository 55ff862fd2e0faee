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

static void stay(struct plan *plan, const struct plan_input *input,
                 enum side side, const struct listed *listed)
{
    struct state_apart apart = {
        .folder = input->folder,
        .side = side,
        .uid = listed->uid,
        .kind = APART_FILTERED,
        .size = listed->size,
    };

    plan_set_apart(plan, &apart);
}

void plan_find_staying(
    struct plan *plan, const struct plan_input *input, enum side to,
    bool (*is_moved)(void *owner, const struct listed *listed, bool by_size),
    void *owner)
{
    for (size_t i = 0; i < plan->n_copies[to]; i++) {
        struct listed listed = plan_copy(plan, to, i);
        bool large = is_large(input, &listed);
        bool filtered = large || is_old(input, &listed);

        if ((!filtered && !is_out_of_sight(&input->edge[to], &listed)) ||
            is_moved(owner, &listed, large))
            continue;
        stay(plan, input, other(to), &listed);
        plan->hidden += !filtered;
        plan_drop_copy(plan, to, i);
    }
    plan_close_gaps(plan, to);
}
