/* The identity ladder. */
#include "sync/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"

enum { STEP_SIZE, STEP_HEADER, STEP_BODY, STEP_ENVELOPE, STEP_OVER };

void match_init(struct match *match, enum fidelity fidelity)
{
    memset(match, 0, sizeof(*match));
    match->fidelity = fidelity;
}

void match_deinit(struct match *match)
{
    for (int side = 0; side < SIDES; side++) {
        free(match->candidates[side]);
        free(match->all[side]);
        uidset_deinit(&match->want[side]);
    }
    free(match->links);
    memset(match, 0, sizeof(*match));
}

void match_add(struct match *match, enum side side, const struct listed *listed)
{
    struct candidate *candidate;

    match->candidates[side] =
        mem_grow(match->candidates[side], match->n[side], &match->cap[side],
                 sizeof(*match->candidates[side]));
    candidate = &match->candidates[side][match->n[side]++];
    memset(candidate, 0, sizeof(*candidate));
    candidate->uid = listed->uid;
    if (match->fidelity == FIDELITY_EXACT)
        candidate->identity.size = listed->size;
    candidate->identity.date = listed->date;
}

void match_doubt_sizes(struct match *match)
{
    for (int side = 0; side < SIDES; side++) {
        size_t n = match->n[side];

        match->n_all[side] = n;
        match->all[side] = mem_new(n + 1, sizeof(*match->all[side]));
        if (n > 0)
            memcpy(match->all[side], match->candidates[side],
                   n * sizeof(*match->all[side]));
    }
}

/* Orders by size, then digest, date and UID, so that what may be the same
 * stands together, twins in the order of their UIDs. */
static int compare_keys(const struct candidate *a, const struct candidate *b,
                        bool with_digest)
{
    if (a->identity.size != b->identity.size)
        return a->identity.size < b->identity.size ? -1 : 1;
    if (!with_digest)
        return 0;
    return memcmp(a->identity.digest, b->identity.digest, DIGEST_BYTES);
}

static int by_size(const void *a, const void *b)
{
    const struct candidate *one = a;
    const struct candidate *two = b;
    int r = compare_keys(one, two, false);

    if (r != 0)
        return r;
    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static int by_digest(const void *a, const void *b)
{
    const struct candidate *one = a;
    const struct candidate *two = b;
    int r = compare_keys(one, two, true);

    if (r != 0)
        return r;
    if (one->identity.date != two->identity.date)
        return one->identity.date < two->identity.date ? -1 : 1;
    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static int by_uid(const void *a, const void *b)
{
    const struct candidate *one = a;
    const struct candidate *two = b;

    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

/* Drop the candidates for which @drop says so. */
static void prune(struct match *match, enum side side,
                  bool (*drop)(const struct candidate *candidate))
{
    struct candidate *list = match->candidates[side];
    size_t out = 0;

    for (size_t i = 0; i < match->n[side]; i++) {
        if (!drop(&list[i]))
            list[out++] = list[i];
    }
    match->n[side] = out;
}

static bool is_settled(const struct candidate *candidate)
{
    return candidate->linked || !candidate->identified;
}

static void sort(struct match *match, int (*order)(const void *, const void *))
{
    for (int side = 0; side < SIDES; side++) {
        if (match->n[side] > 1)
            qsort(match->candidates[side], match->n[side],
                  sizeof(*match->candidates[side]), order);
    }
}

/* A group: the candidates of both sides that are equal so far. */
struct group {
    struct candidate *first[SIDES];
    size_t n[SIDES];
};

static size_t run_length(const struct candidate *list, size_t n,
                         bool with_digest)
{
    size_t length = n > 0;

    while (length < n &&
           compare_keys(&list[0], &list[length], with_digest) == 0)
        length++;
    return length;
}

/* Call @each for every group that both sides have a part in. Both lists are
 * sorted alike. */
static void each_group(struct match *match, bool with_digest,
                       void (*each)(struct match *, struct group *))
{
    size_t at[SIDES] = {0, 0};

    while (at[LEFT] < match->n[LEFT] && at[RIGHT] < match->n[RIGHT]) {
        struct group group;
        int r;

        for (int side = 0; side < SIDES; side++) {
            group.first[side] = match->candidates[side] + at[side];
            group.n[side] = run_length(group.first[side],
                                       match->n[side] - at[side], with_digest);
        }
        r = compare_keys(group.first[LEFT], group.first[RIGHT], with_digest);
        if (r == 0)
            each(match, &group);
        if (r <= 0)
            at[LEFT] += group.n[LEFT];
        if (r >= 0)
            at[RIGHT] += group.n[RIGHT];
    }
}

static void want_group(struct match *match, struct group *group)
{
    for (int side = 0; side < SIDES; side++) {
        for (size_t i = 0; i < group->n[side]; i++)
            uidset_add(&match->want[side], group->first[side][i].uid);
    }
}

static void link_two(struct match *match, struct candidate *left,
                     struct candidate *right)
{
    struct match_link *link;

    match->links = mem_grow(match->links, match->n_links, &match->links_cap,
                            sizeof(*match->links));
    link = &match->links[match->n_links++];
    link->uid[LEFT] = left->uid;
    link->uid[RIGHT] = right->uid;
    left->linked = true;
    right->linked = true;
}

/* Twins are paired in order, same dates first, others only where @any_date. */
static void link_in_order(struct match *match, struct group *group,
                          bool any_date)
{
    struct candidate *left = group->first[LEFT];
    struct candidate *right = group->first[RIGHT];
    size_t j = 0;

    for (size_t i = 0; i < group->n[LEFT]; i++) {
        while (j < group->n[RIGHT] &&
               right[j].identity.date < left[i].identity.date)
            j++;
        if (j < group->n[RIGHT] &&
            right[j].identity.date == left[i].identity.date)
            link_two(match, &left[i], &right[j++]);
    }
    j = 0;
    for (size_t i = 0; i < group->n[LEFT] && any_date; i++) {
        while (j < group->n[RIGHT] && right[j].linked &&
               !SABOTAGED(collapse_twins))
            j++;
        if (!left[i].linked && j < group->n[RIGHT])
            link_two(match, &left[i], &right[j]);
    }
}

/* Equal size and header. Alone on both sides, and of the same second: that is
 * it. Else the whole message has to tell. */
static void judge_header(struct match *match, struct group *group)
{
    struct candidate *left = group->first[LEFT];
    struct candidate *right = group->first[RIGHT];

    if (SABOTAGED(header_is_proof)) {
        link_in_order(match, group, true);
        return;
    }
    if (!match->by_date && group->n[LEFT] == 1 && group->n[RIGHT] == 1 &&
        left->identity.has_header && right->identity.has_header &&
        left->identity.date == right->identity.date) {
        link_two(match, left, right);
        return;
    }
    want_group(match, group);
}

/* Equal in every byte. */
static void judge_body(struct match *match, struct group *group)
{
    link_in_order(match, group, true);
}

/* Equal in what is left of them. Where that is nothing, only the date can
 * tell. */
static void judge_envelope(struct match *match, struct group *group)
{
    link_in_order(match, group, group->first[LEFT]->identity.has_header);
}

/* What was asked is answered now, or never; the others are out. */
static void narrow(struct match *match)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        prune(match, side, is_settled);
        uidset_clear(&match->want[side]);
    }
}

/* Only what the next question asks for stays in. */
static void keep_wanted(struct match *match)
{
    for (int side = 0; side < SIDES; side++) {
        struct candidate *list = match->candidates[side];
        size_t out = 0;

        for (size_t i = 0; i < match->n[side]; i++) {
            if (!uidset_has(&match->want[side], list[i].uid))
                continue;
            list[out] = list[i];
            list[out++].identified = false;
        }
        match->n[side] = out;
    }
}

static bool climb(struct match *match)
{
    switch (match->step) {
    case STEP_SIZE:
        match->step = STEP_HEADER;
        match->level = IDENTIFY_HEADER;
        if (match->fidelity == FIDELITY_ENVELOPE) {
            match->step = STEP_ENVELOPE;
            match->level = IDENTIFY_ENVELOPE;
        }
        sort(match, by_size);
        each_group(match, false, want_group);
        break;
    case STEP_HEADER:
        match->step = STEP_BODY;
        match->level = IDENTIFY_BODY;
        narrow(match);
        sort(match, by_digest);
        each_group(match, true, judge_header);
        break;
    case STEP_BODY:
    case STEP_ENVELOPE:
        narrow(match);
        sort(match, by_digest);
        each_group(match, true,
                   match->step == STEP_BODY ? judge_body : judge_envelope);
        match->step = STEP_OVER;
        return false;
    default:
        return false;
    }
    keep_wanted(match);
    sort(match, by_uid);
    if (match->n[LEFT] > 0 && match->n[RIGHT] > 0)
        return true;
    match->step = STEP_OVER;
    return false;
}

/* The foot of the ladder again, with what was not matched. */
static void begin_by_date(struct match *match, enum side side)
{
    struct uidset linked = {0};
    size_t out = 0;

    for (size_t i = 0; i < match->n_links; i++)
        uidset_add(&linked, match->links[i].uid[side]);
    free(match->candidates[side]);
    match->candidates[side] = match->all[side];
    match->cap[side] = match->n_all[side] + 1;
    match->all[side] = NULL;
    for (size_t i = 0; i < match->n_all[side]; i++) {
        struct candidate *candidate = &match->candidates[side][i];

        candidate->identity.size = (uint64_t)candidate->identity.date;
        if (!uidset_has(&linked, candidate->uid))
            match->candidates[side][out++] = *candidate;
    }
    match->n[side] = out;
    uidset_clear(&match->want[side]);
    uidset_deinit(&linked);
}

bool match_next(struct match *match)
{
    if (climb(match))
        return true;
    if (match->all[LEFT] == NULL)
        return false;
    begin_by_date(match, LEFT);
    begin_by_date(match, RIGHT);
    match->by_date = true;
    match->step = STEP_SIZE;
    return climb(match);
}

static struct candidate *find(struct match *match, enum side side, uint32_t uid)
{
    struct candidate key = {.uid = uid};

    if (match->n[side] == 0)
        return NULL;
    return bsearch(&key, match->candidates[side], match->n[side], sizeof(key),
                   by_uid);
}

void match_identified(struct match *match, enum side side, uint32_t uid,
                      const struct identity *identity)
{
    struct candidate *candidate = find(match, side, uid);

    if (candidate == NULL)
        return;
    candidate->identified = true;
    candidate->identity.has_header = identity->has_header;
    candidate->identity.date = identity->date;
    memcpy(candidate->identity.digest, identity->digest, DIGEST_BYTES);
    if (match->level == IDENTIFY_BODY && identity->size != 0)
        candidate->identity.size = identity->size;
}
