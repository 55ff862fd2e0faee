#include "sync/rules.h"
#include "tests/tap.h"

static const enum change changes[] = {SAME, EDITED, GONE};

static enum verdict mirror(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_DELETE_LEFT:
        return VERDICT_DELETE_RIGHT;
    case VERDICT_DELETE_RIGHT:
        return VERDICT_DELETE_LEFT;
    case VERDICT_KEEP_LEFT:
        return VERDICT_KEEP_RIGHT;
    case VERDICT_KEEP_RIGHT:
        return VERDICT_KEEP_LEFT;
    case VERDICT_AGAIN_LEFT:
        return VERDICT_AGAIN_RIGHT;
    case VERDICT_AGAIN_RIGHT:
        return VERDICT_AGAIN_LEFT;
    case VERDICT_KEEP:
    case VERDICT_MERGE:
    case VERDICT_FORGET:
        break;
    }
    return verdict;
}

static void test_mirrored(enum direction one, enum direction two)
{
    const struct policy here = {.direction = one};
    const struct policy there = {.direction = two};

    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 3; k++)
            ok(rules_verdict(&here, changes[i], changes[k]) ==
                   mirror(rules_verdict(&there, changes[k], changes[i])),
               "direction %d, left %zu, right %zu is mirrored", (int)one, i, k);
    }
}

/* Nothing is deleted on a side unless the other one is gone, and not on a side
 * that the direction protects. */
static void test_deletions(void)
{
    for (int d = DIRECTION_BOTH; d <= DIRECTION_RIGHT_TO_LEFT; d++) {
        struct policy policy = {.direction = (enum direction)d};

        for (size_t i = 0; i < 3; i++) {
            for (size_t k = 0; k < 3; k++) {
                enum verdict v = rules_verdict(&policy, changes[i], changes[k]);
                bool left = v == VERDICT_DELETE_LEFT;
                bool right = v == VERDICT_DELETE_RIGHT;

                ok(!left || (changes[k] == GONE && changes[i] != GONE &&
                             rules_may_change(&policy, LEFT)),
                   "deletes left for a reason (%d %zu %zu)", d, i, k);
                ok(!right || (changes[i] == GONE && changes[k] != GONE &&
                              rules_may_change(&policy, RIGHT)),
                   "deletes right for a reason (%d %zu %zu)", d, i, k);
                policy.keep_deleted = true;
                v = rules_verdict(&policy, changes[i], changes[k]);
                ok(v != VERDICT_DELETE_LEFT && v != VERDICT_DELETE_RIGHT,
                   "deletes nothing with deletes = keep (%d %zu %zu)", d, i, k);
                policy.keep_deleted = false;
            }
        }
    }
}

int main(void)
{
    const struct policy both = {.direction = DIRECTION_BOTH};
    const struct policy to_right = {.direction = DIRECTION_LEFT_TO_RIGHT};

    ok(rules_verdict(&both, EDITED, GONE) == VERDICT_DELETE_LEFT,
       "row 3: deletion beats a flag");
    ok(rules_verdict(&both, GONE, GONE) == VERDICT_FORGET,
       "row 4: gone on both is forgotten");
    ok(rules_verdict(&to_right, SAME, GONE) == VERDICT_AGAIN_RIGHT,
       "one way: what is lost in the target comes back");
    ok(rules_verdict(&to_right, SAME, EDITED) == VERDICT_KEEP,
       "one way: flags set in the target do not travel");
    test_mirrored(DIRECTION_BOTH, DIRECTION_BOTH);
    test_mirrored(DIRECTION_LEFT_TO_RIGHT, DIRECTION_RIGHT_TO_LEFT);
    test_deletions();
    return done_testing();
}
