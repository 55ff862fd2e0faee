#include "imap/patience.h"

/* A quarter more or less, so that clients that lost their server together do
 * not come back together. */
static uint32_t jitter(uint32_t wait_ms, uint32_t chance)
{
    uint32_t span = wait_ms / 2;

    return wait_ms - span / 2 + (span > 0 ? chance % (span + 1) : 0);
}

bool patience_wait(struct patience *patience, uint32_t unit_ms,
                   uint32_t asked_ms, uint32_t chance, uint32_t *wait_ms)
{
    /* What the server asks for is the least that it gets. */
    if (asked_ms > 0) {
        if (asked_ms < unit_ms)
            asked_ms = unit_ms;
        *wait_ms = asked_ms + chance % (asked_ms / 8 + 1);
        patience->asked_ms += asked_ms;
        return patience->asked_ms <= PATIENCE_ASKED_MS;
    }
    if (patience->setbacks >= PATIENCE_SETBACKS)
        return false;
    *wait_ms = jitter(unit_ms << patience->setbacks, chance);
    patience->setbacks++;
    return true;
}

void patience_excuse(struct patience *patience)
{
    if (patience->excused >= PATIENCE_EXCUSED)
        return;
    patience->excused++;
    patience->setbacks = 0;
}
