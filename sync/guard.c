#include "sync/guard.h"

#include "base/sabotage.h"

bool guard_exceeds(const struct max_delete *limit, uint64_t deletes,
                   uint64_t messages)
{
    if (SABOTAGED(no_guard))
        return false;
    switch (limit->kind) {
    case MAX_DELETE_OFF:
        return false;
    case MAX_DELETE_COUNT:
        return deletes > limit->value;
    case MAX_DELETE_PERCENT:
        break;
    }
    if (deletes <= GUARD_FREE_DELETES)
        return false;
    return deletes * 100 > messages * limit->value;
}

bool guard_emptied(uint64_t gone, uint64_t messages)
{
    return gone > GUARD_FREE_DELETES && gone >= messages &&
           !SABOTAGED(no_guard);
}
