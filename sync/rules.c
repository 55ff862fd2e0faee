/*
 * The verdict tables. Rows: left. Columns: right.
 *
 * "Deletion beats a flag edit" is the only judgement in them: flags are not
 * content.
 */
#include "sync/rules.h"

/* clang-format off */
static const enum verdict both_ways[CHANGES][CHANGES] = {
    /*           SAME                  EDITED                GONE           */
    [SAME]   = {VERDICT_KEEP,         VERDICT_MERGE,        VERDICT_DELETE_LEFT},
    [EDITED] = {VERDICT_MERGE,        VERDICT_MERGE,        VERDICT_DELETE_LEFT},
    [GONE]   = {VERDICT_DELETE_RIGHT, VERDICT_DELETE_RIGHT, VERDICT_FORGET},
};

/* The right follows the left; what others do to the right is not undone, but
 * what they remove there comes back. */
static const enum verdict to_right[CHANGES][CHANGES] = {
    /*           SAME                  EDITED                GONE           */
    [SAME]   = {VERDICT_KEEP,         VERDICT_KEEP,         VERDICT_AGAIN_RIGHT},
    [EDITED] = {VERDICT_MERGE,        VERDICT_MERGE,        VERDICT_AGAIN_RIGHT},
    [GONE]   = {VERDICT_DELETE_RIGHT, VERDICT_DELETE_RIGHT, VERDICT_FORGET},
};

static const enum verdict to_left[CHANGES][CHANGES] = {
    /*           SAME                  EDITED                GONE           */
    [SAME]   = {VERDICT_KEEP,         VERDICT_MERGE,        VERDICT_DELETE_LEFT},
    [EDITED] = {VERDICT_KEEP,         VERDICT_MERGE,        VERDICT_DELETE_LEFT},
    [GONE]   = {VERDICT_AGAIN_LEFT,   VERDICT_AGAIN_LEFT,   VERDICT_FORGET},
};

/* clang-format on */

enum verdict rules_verdict(const struct policy *policy, enum change left,
                           enum change right)
{
    enum verdict verdict = VERDICT_KEEP;

    switch (policy->direction) {
    case DIRECTION_BOTH:
        verdict = both_ways[left][right];
        break;
    case DIRECTION_LEFT_TO_RIGHT:
        verdict = to_right[left][right];
        break;
    case DIRECTION_RIGHT_TO_LEFT:
        verdict = to_left[left][right];
        break;
    }
    if (policy->keep_deleted && verdict == VERDICT_DELETE_LEFT)
        return VERDICT_KEEP_LEFT;
    if (policy->keep_deleted && verdict == VERDICT_DELETE_RIGHT)
        return VERDICT_KEEP_RIGHT;
    return verdict;
}

bool rules_may_change(const struct policy *policy, enum side side)
{
    switch (policy->direction) {
    case DIRECTION_LEFT_TO_RIGHT:
        return side == RIGHT;
    case DIRECTION_RIGHT_TO_LEFT:
        return side == LEFT;
    case DIRECTION_BOTH:
        break;
    }
    return true;
}
