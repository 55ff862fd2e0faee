/* From deltas to work, one folder at a time. */
#include "sync/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void plan_init(struct plan *plan)
{
    memset(plan, 0, sizeof(*plan));
}

void plan_deinit(struct plan *plan)
{
    for (int side = 0; side < SIDES; side++) {
        free(plan->copies[side]);
        free(plan->deletes[side]);
        free(plan->vanished[side]);
        uidset_deinit(&plan->unmeasured[side]);
    }
    free(plan->flags);
    free(plan->records);
    free(plan->forgets);
    free(plan->parts);
    free(plan->aparts);
    memset(plan, 0, sizeof(*plan));
}

bool plan_is_empty(const struct plan *plan)
{
    return plan_work(plan) == 0 && plan->n_records == 0 &&
           plan->n_forgets == 0 && plan->n_parts == 0 && plan->n_aparts == 0 &&
           !plan->relist[LEFT] && !plan->relist[RIGHT];
}

size_t plan_work(const struct plan *plan)
{
    return plan->n_copies[LEFT] + plan->n_copies[RIGHT] + plan->n_flags +
           plan->n_deletes[LEFT] + plan->n_deletes[RIGHT];
}

static void add_record(struct plan *plan, const struct state_pair *pair)
{
    plan->records = mem_grow(plan->records, plan->n_records, &plan->records_cap,
                             sizeof(*plan->records));
    plan->records[plan->n_records++] = *pair;
}

static void add_forget(struct plan *plan, const struct state_pair *pair)
{
    plan->forgets = mem_grow(plan->forgets, plan->n_forgets, &plan->forgets_cap,
                             sizeof(*plan->forgets));
    plan->forgets[plan->n_forgets++] = *pair;
}

static void add_part(struct plan *plan, const struct state_pair *pair)
{
    plan->parts = mem_grow(plan->parts, plan->n_parts, &plan->parts_cap,
                           sizeof(*plan->parts));
    plan->parts[plan->n_parts++] = *pair;
}

static void add_delete(struct plan *plan, enum side side,
                       const struct state_pair *pair)
{
    plan->deletes[side] =
        mem_grow(plan->deletes[side], plan->n_deletes[side],
                 &plan->deletes_cap[side], sizeof(*plan->deletes[side]));
    plan->deletes[side][plan->n_deletes[side]++] = *pair;
}

/* A place in a delta that is none. */
#define DROPPED UINT32_MAX

static void add_copy(struct plan *plan, enum side to, size_t place)
{
    plan->copies[to] =
        mem_grow(plan->copies[to], plan->n_copies[to], &plan->copies_cap[to],
                 sizeof(*plan->copies[to]));
    plan->copies[to][plan->n_copies[to]++] = (uint32_t)place;
}

struct listed plan_copy(const struct plan *plan, enum side to, size_t index)
{
    return delta_item(plan->delta[other(to)], plan->copies[to][index]);
}

void plan_drop_copy(struct plan *plan, enum side to, size_t index)
{
    plan->copies[to][index] = DROPPED;
}

void plan_close_gaps(struct plan *plan, enum side side)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_copies[side]; i++) {
        if (plan->copies[side][i] != DROPPED)
            plan->copies[side][n++] = plan->copies[side][i];
    }
    plan->n_copies[side] = n;
    n = 0;
    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        if (plan->deletes[side][i].uid[LEFT] != 0)
            plan->deletes[side][n++] = plan->deletes[side][i];
    }
    plan->n_deletes[side] = n;
    n = 0;
    for (size_t i = 0; i < plan->n_forgets; i++) {
        if (plan->forgets[i].uid[LEFT] != 0)
            plan->forgets[n++] = plan->forgets[i];
    }
    plan->n_forgets = n;
}

void plan_copy_back(struct plan *plan, enum side to, uint32_t uid)
{
    const struct delta *delta = plan->delta[other(to)];
    uint32_t place = (uint32_t)delta_place(delta, uid);
    uint32_t *copies;
    size_t at;

    if (place == delta->n_items)
        return;
    add_copy(plan, to, place);
    copies = plan->copies[to];
    at = plan->n_copies[to] - 1;
    for (; at > 0 && copies[at - 1] > place; at--)
        copies[at] = copies[at - 1];
    copies[at] = place;
}

static struct flags common(const struct plan_input *input, struct flags a,
                           struct flags b)
{
    return (struct flags){
        .system = a.system & b.system,
        .keywords = keywords_common(input->keywords, a.keywords, b.keywords),
    };
}

static struct flags minus(const struct plan_input *input, struct flags a,
                          struct flags b)
{
    return flags_diff(input->keywords, b, a).add;
}

/* The flags of a message as one side means them: what the folder cannot store,
 * or never showed, is not missing there, it is as it was. */
static struct flags meant(const struct plan_input *input, enum side side,
                          struct flags base, struct flags listed)
{
    const struct plan_shown *shown = &input->shown[side];
    struct flags can =
        flags_limit(input->keywords, base, &input->delta[side]->storable);
    struct flags_change lost = {
        {0, 0},
        {0, 0}
    };

    if (shown->known)
        can = common(input, can, shown->before);
    lost.add = minus(input, base, can);
    return flags_apply(input->keywords, listed, lost);
}

/* Of what a message is meant to have, the flags that its side could not store
 * when they were sent, and now can. */
static struct flags late(const struct plan_input *input, enum side side,
                         uint32_t uid, struct flags current)
{
    struct flags none = {0, 0};
    struct listed listed;

    if (flags_equal(input->shown[side].fresh, none) ||
        !delta_find(input->delta[side], uid, &listed))
        return none;
    return minus(input, common(input, current, input->shown[side].fresh),
                 listed.flags);
}

/* What @side has to be told to get from @from to @to. */
static bool push_needed(const struct plan_input *input, enum side side,
                        struct flags from, struct flags to,
                        struct flags_change *change)
{
    const struct flags_storable *storable = &input->delta[side]->storable;

    if (!rules_may_change(input->policy, side))
        return false;
    *change = flags_diff(input->keywords, from, to);
    change->add = flags_limit(input->keywords, change->add, storable);
    change->remove = flags_limit(input->keywords, change->remove, storable);
    return change->add.system != 0 || change->add.keywords != 0 ||
           change->remove.system != 0 || change->remove.keywords != 0;
}

/* Send @target[side] to the sides that differ, and record pair.flags. */
static void set_flags(struct plan *plan, const struct plan_input *input,
                      const struct state_pair *pair,
                      const struct flags current[SIDES],
                      const struct flags target[SIDES])
{
    struct plan_flag flag = {.pair = *pair};

    for (enum side side = LEFT; side < SIDES; side++) {
        struct flags from =
            minus(input, current[side],
                  late(input, side, pair->uid[side], current[side]));

        flag.push[side] =
            push_needed(input, side, from, target[side], &flag.change[side]);
    }
    if (!flag.push[LEFT] && !flag.push[RIGHT]) {
        add_record(plan, pair);
        return;
    }
    plan->flags = mem_grow(plan->flags, plan->n_flags, &plan->flags_cap,
                           sizeof(*plan->flags));
    plan->flags[plan->n_flags++] = flag;
}

void plan_merge(struct plan *plan, const struct plan_input *input,
                const struct state_pair *pair,
                const struct flags current[SIDES])
{
    struct state_pair merged = *pair;
    struct flags target[SIDES];
    enum side source;

    if (input->policy->direction == DIRECTION_BOTH) {
        merged.flags = flags_merge(input->keywords, pair->flags, current[LEFT],
                                   current[RIGHT]);
        target[LEFT] = merged.flags;
        target[RIGHT] = merged.flags;
    } else {
        /* What the source changed is changed in the target; what others
         * changed in the target stays. */
        source = rules_may_change(input->policy, LEFT) ? RIGHT : LEFT;
        merged.flags = current[source];
        target[source] = current[source];
        target[other(source)] = flags_apply(
            input->keywords, current[other(source)],
            flags_diff(input->keywords, pair->flags, current[source]));
    }
    set_flags(plan, input, &merged, current, target);
}

/* What became of one side of a pair. */
static enum change change_of(struct plan *plan, const struct plan_input *input,
                             enum side side, struct state_pair *pair,
                             struct flags *current)
{
    const struct delta *delta = input->delta[side];
    struct listed listed;

    *current = pair->flags;
    if (delta_find(delta, pair->uid[side], &listed)) {
        bool returned = pair->gone[side];

        *current = meant(input, side, pair->flags, listed.flags);
        pair->gone[side] = false;
        if (returned || !flags_equal(*current, pair->flags) ||
            !flags_equal(late(input, side, listed.uid, *current),
                         (struct flags){0, 0}))
            return EDITED;
        return SAME;
    }
    if (pair->gone[side])
        return GONE;
    if (!uidset_has(&delta->gone, pair->uid[side]))
        return SAME;
    if (delta->complete)
        return GONE;
    plan->unsure[side] = true;
    return SAME;
}

static void mark_gone(struct plan *plan, enum side side,
                      const struct state_pair *pair)
{
    struct state_pair marked = *pair;

    if (marked.gone[side])
        return; /* on record already */
    marked.gone[side] = true;
    add_record(plan, &marked);
}

/* The message stays here on purpose, and its record goes: the next pass lists
 * this side in full and copies it anew. */
static void copy_again(struct plan *plan, enum side to,
                       const struct state_pair *pair)
{
    add_part(plan, pair);
    plan->relist[other(to)] = true;
}

static bool is_skipped(const struct plan_input *input,
                       const struct state_pair *pair)
{
    for (int side = 0; side < SIDES; side++) {
        if (input->skip[side] != NULL &&
            uidset_has(input->skip[side], pair->uid[side]))
            return true;
    }
    return false;
}

/* The copy that this run has made on @side is gone, and its original is not:
 * both sides are asked anew who is who. */
static bool judge_vanished(struct plan *plan, const struct plan_input *input,
                           enum side side, const struct state_pair *pair)
{
    if (input->added[side] == NULL ||
        !uidset_has(input->added[side], pair->uid[side]) ||
        !uidset_has(&input->delta[side]->gone, pair->uid[side]))
        return false;
    add_part(plan, pair);
    plan->vanished[side] =
        mem_grow(plan->vanished[side], plan->n_vanished[side],
                 &plan->vanished_cap[side], sizeof(*plan->vanished[side]));
    plan->vanished[side][plan->n_vanished[side]++] = *pair;
    plan->anew = true;
    return true;
}

void plan_ask_anew(struct plan *plan)
{
    plan->relist[LEFT] = true;
    plan->relist[RIGHT] = true;
    plan->n_copies[LEFT] = 0;
    plan->n_copies[RIGHT] = 0;
}

static void judge(struct plan *plan, const struct plan_input *input,
                  const struct state_pair *recorded)
{
    struct state_pair pair = *recorded;
    struct flags current[SIDES];
    enum change left;
    enum change right;

    if (is_skipped(input, &pair) || judge_vanished(plan, input, LEFT, &pair) ||
        judge_vanished(plan, input, RIGHT, &pair))
        return;
    left = change_of(plan, input, LEFT, &pair, &current[LEFT]);
    right = change_of(plan, input, RIGHT, &pair, &current[RIGHT]);
    /* Kept on purpose since an earlier run: only the end of the other one is
     * still of interest. */
    if ((pair.gone[LEFT] || pair.gone[RIGHT]) &&
        !(left == GONE && right == GONE))
        return;
    switch (rules_verdict(input->policy, left, right)) {
    case VERDICT_KEEP:
        break;
    case VERDICT_MERGE:
        plan_merge(plan, input, &pair, current);
        break;
    case VERDICT_DELETE_LEFT:
        add_delete(plan, LEFT, &pair);
        break;
    case VERDICT_DELETE_RIGHT:
        add_delete(plan, RIGHT, &pair);
        break;
    case VERDICT_FORGET:
        add_forget(plan, &pair);
        break;
    case VERDICT_KEEP_LEFT:
        mark_gone(plan, RIGHT, &pair);
        break;
    case VERDICT_KEEP_RIGHT:
        mark_gone(plan, LEFT, &pair);
        break;
    case VERDICT_AGAIN_LEFT:
        copy_again(plan, LEFT, &pair);
        break;
    case VERDICT_AGAIN_RIGHT:
        copy_again(plan, RIGHT, &pair);
        break;
    }
}

void plan_set_apart(struct plan *plan, const struct state_apart *apart)
{
    plan->aparts = mem_grow(plan->aparts, plan->n_aparts, &plan->aparts_cap,
                            sizeof(*plan->aparts));
    plan->aparts[plan->n_aparts++] = *apart;
}

void plan_leave(struct plan *plan, const struct plan_input *input,
                enum side side, const struct listed *listed,
                enum apart_kind kind)
{
    struct state_apart apart = {
        .folder = input->folder,
        .side = side,
        .uid = listed->uid,
        .kind = kind,
        .size = listed->size,
    };

    plan_set_apart(plan, &apart);
}

static void judge_new(struct plan *plan, const struct plan_input *input,
                      enum side side, size_t place)
{
    struct listed item = delta_item(input->delta[side], place);
    const struct listed *listed = &item;

    if (input->skip[side] != NULL && uidset_has(input->skip[side], listed->uid))
        return;
    if (!rules_may_change(input->policy, other(side))) {
        plan_leave(plan, input, side, listed, APART_FOREIGN);
    } else if (!listed->has_meta) {
        plan->relist[side] = true; /* it is needed first */
        uidset_add(&plan->unmeasured[side], listed->uid);
    } else {
        add_copy(plan, other(side), place);
    }
}

int plan_base_order(const void *a, const void *b)
{
    const struct plan_base *one = a;
    const struct plan_base *two = b;

    if (one->side != two->side)
        return one->side < two->side ? -1 : 1;
    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static const struct plan_base *find_base(const struct plan_input *input,
                                         const struct match_link *link)
{
    for (enum side side = LEFT; input->n_bases > 0 && side < SIDES; side++) {
        struct plan_base key = {.side = side, .uid = link->uid[side]};
        const struct plan_base *base = bsearch(
            &key, input->bases, input->n_bases, sizeof(key), plan_base_order);

        if (base != NULL)
            return base;
    }
    return NULL;
}

/* Two that were found to be the same message: union, where there is no base. */
static void judge_link(struct plan *plan, const struct plan_input *input,
                       const struct match_link *link)
{
    const struct plan_base *base = find_base(input, link);
    struct listed listed[SIDES] = {{0}};
    struct flags current[SIDES];
    struct flags target[SIDES];
    struct state_pair pair;

    memset(&pair, 0, sizeof(pair));
    for (int side = 0; side < SIDES; side++) {
        delta_find(input->delta[side], link->uid[side], &listed[side]);
        current[side] = listed[side].flags;
        pair.uid[side] = link->uid[side];
    }
    pair.size = listed[LEFT].size;
    pair.date = listed[LEFT].date;
    plan->n_links++;
    if (base != NULL) {
        pair.flags = base->copied ? current[other(base->side)] : base->flags;
        plan_merge(plan, input, &pair, current);
        return;
    }
    if (input->policy->direction == DIRECTION_BOTH) {
        pair.flags =
            flags_unite(input->keywords, current[LEFT], current[RIGHT]);
        target[LEFT] = pair.flags;
        target[RIGHT] = pair.flags;
        set_flags(plan, input, &pair, current, target);
        return;
    }
    pair.flags = current[rules_may_change(input->policy, LEFT) ? RIGHT : LEFT];
    add_record(plan, &pair);
}

/* Does the left delta have something to say of this pair? Then it was judged
 * on its account. */
static bool was_judged(const struct plan_input *input,
                       const struct state_pair *pair)
{
    const struct delta *left = input->delta[LEFT];
    uint32_t uid = pair->uid[LEFT];

    return delta_find(left, uid, NULL) || uidset_has(&left->gone, uid);
}

static int judge_uid(struct plan *plan, const struct plan_input *input,
                     enum side side, uint32_t uid, struct err *err)
{
    const struct known *known = input->known;
    struct state_pair pair;
    int r = known->pair(known->owner, side, uid, &pair, err);

    if (r < 0)
        return r;
    if (r == 0 && !(side == RIGHT && was_judged(input, &pair)))
        judge(plan, input, &pair);
    return r;
}

static int judge_side(struct plan *plan, const struct plan_input *input,
                      enum side side, const struct uidset *linked,
                      struct err *err)
{
    const struct delta *delta = input->delta[side];
    struct uidset_walk walk = {.set = &delta->gone};
    uint32_t uid;
    int r;

    for (size_t i = 0; i < delta->n_items; i++) {
        uid = delta->items[i].uid;
        if (uidset_has(linked, uid))
            continue;
        r = judge_uid(plan, input, side, uid, err);
        if (r < 0)
            return r;
        if (r == 1)
            judge_new(plan, input, side, i);
    }
    while (uidset_next(&walk, &uid)) {
        r = judge_uid(plan, input, side, uid, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int plan_make(struct plan *plan, const struct plan_input *input,
              struct err *err)
{
    struct uidset linked[SIDES] = {{0}};
    size_t n_links = input->match != NULL ? input->match->n_links : 0;
    int r = 0;

    plan->delta[LEFT] = input->delta[LEFT];
    plan->delta[RIGHT] = input->delta[RIGHT];
    for (size_t i = 0; i < n_links; i++) {
        const struct match_link *link = &input->match->links[i];

        uidset_add(&linked[LEFT], link->uid[LEFT]);
        uidset_add(&linked[RIGHT], link->uid[RIGHT]);
        judge_link(plan, input, link);
    }
    for (enum side side = LEFT; side < SIDES && r == 0; side++) {
        r = judge_side(plan, input, side, &linked[side], err);
        /* A listing that cannot be believed says nothing of what is gone. */
        if (input->delta[side]->asked && !input->delta[side]->complete)
            plan->unsure[side] = true;
    }
    /* What seems to be new may be the copy that is not where the server said
     * it was. */
    if (plan->anew)
        plan_ask_anew(plan);
    uidset_deinit(&linked[LEFT]);
    uidset_deinit(&linked[RIGHT]);
    return r;
}
