/* How the waits grow, and where they end. */
#include "imap/patience.h"
#include "tests/tap.h"

static void test_growth(void)
{
    struct patience patience = {0};
    uint32_t wait_ms;
    uint32_t base_ms = 1000;
    bool good = true;

    for (unsigned i = 0; i < PATIENCE_SETBACKS; i++) {
        good = good &&
               patience_wait(&patience, 1000, 0, 77777u * i, &wait_ms) &&
               wait_ms >= base_ms * 3 / 4 && wait_ms <= base_ms * 5 / 4 + 1;
        base_ms *= 2;
    }
    ok(good, "each wait is about twice the one before");
    ok(!patience_wait(&patience, 1000, 0, 0, &wait_ms), "then it is enough");
    patience = (struct patience){0};
    ok(patience_wait(&patience, 1000, 0, 0, &wait_ms) && wait_ms <= 1250,
       "progress makes it begin anew");
}

static void test_jitter(void)
{
    uint32_t low_ms = UINT32_MAX;
    uint32_t high_ms = 0;

    for (uint32_t chance = 0; chance < 1000; chance++) {
        struct patience patience = {0};
        uint32_t wait_ms;

        patience_wait(&patience, 1000, 0, chance * 2654435761u, &wait_ms);
        low_ms = wait_ms < low_ms ? wait_ms : low_ms;
        high_ms = wait_ms > high_ms ? wait_ms : high_ms;
    }
    ok(low_ms >= 750 && low_ms < 800 && high_ms > 1200 && high_ms <= 1250,
       "no two clients wait alike: %u to %u ms", low_ms, high_ms);
}

static void test_asked(void)
{
    struct patience patience = {0};
    uint32_t wait_ms;
    unsigned n = 0;

    ok(patience_wait(&patience, 1000, 299961, 12345, &wait_ms) &&
           wait_ms >= 299961,
       "a server gets the wait that it asks for");
    ok(!patience_wait(&patience, 1000, 3600000, 0, &wait_ms),
       "but not an hour");
    patience = (struct patience){0};
    while (patience_wait(&patience, 1000, 1, 0, &wait_ms))
        n++;
    ok(n == PATIENCE_ASKED_MS / 1000, "nor any short wait for ever");
}

static void test_excused(void)
{
    struct patience patience = {0};
    uint32_t wait_ms;
    unsigned waits = 0;
    bool good = true;

    for (unsigned i = 0; i < PATIENCE_EXCUSED; i++) {
        patience_excuse(&patience);
        good = good && patience_wait(&patience, 1000, 0, i, &wait_ms) &&
               wait_ms <= 1250;
    }
    ok(good, "messages that are to blame do not wear it out");
    for (patience_excuse(&patience);
         waits < 100 && patience_wait(&patience, 1000, 0, 0, &wait_ms);
         patience_excuse(&patience))
        waits++;
    ok(waits == PATIENCE_SETBACKS - 1, "but not every message can be: %u",
       waits);
}

int main(void)
{
    test_growth();
    test_jitter();
    test_asked();
    test_excused();
    return done_testing();
}
