/*
 * Worlds in simulation: the real engine between model servers, on one seeded
 * scheduler. See tests/sim/world.h.
 *
 *     test_simulation              what make check does
 *     COUNT=1000 SEED=1 test_simulation
 *     TELL=1 SEED=17 COUNT=1 test_simulation    what happens in one of them
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/world.h"
#include "tests/tap.h"

/* What make check has time for. */
#define COUNT 40u

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell_row(const char *what, const struct world_counts *counts,
                     double took)
{
    printf("# row: %s | %" PRIu64 " syncs, %.0f/s | lost %" PRIu64
           " | doubled %" PRIu64 " | unjustified %" PRIu64
           " | resurrected %" PRIu64 " | %" PRIu64 " worlds, %" PRIu64
           " edits, %" PRIu64 " steps",
           what, counts->syncs, (double)counts->syncs / took,
           counts->evils[EVIL_LOST], counts->evils[EVIL_DOUBLED],
           counts->evils[EVIL_UNJUSTIFIED], counts->evils[EVIL_RESURRECTED],
           counts->worlds, counts->edits, counts->steps);
    printf(", %" PRIu64 " killed, %" PRIu64 " cut (%" PRIu64 " FIN, %" PRIu64
           " RST, %" PRIu64 " silent), %" PRIu64 " not connected, %" PRIu64
           " refused, %" PRIu64 " over quota, %" PRIu64 " BYE, %" PRIu64
           " late, %" PRIu64 " edits in a run",
           counts->faults[WORLD_KILLED],
           counts->cuts[0] + counts->cuts[1] + counts->cuts[2], counts->cuts[0],
           counts->cuts[1], counts->cuts[2], counts->connects,
           counts->server_faults[FAULT_REFUSED],
           counts->server_faults[FAULT_FULL], counts->server_faults[FAULT_BYE],
           counts->server_faults[FAULT_LATE],
           counts->server_faults[FAULT_USER]);
    printf(", %" PRIu64 " UIDVALIDITY, %" PRIu64 " state lost, %" PRIu64
           " state old, %" PRIu64 " stuck without UIDPLUS, %" PRIu64
           " came into a folder as it was "
           "deleted\n",
           counts->faults[WORLD_RENUMBERED], counts->faults[WORLD_STATE_LOST],
           counts->faults[WORLD_STATE_OLD], counts->stuck, counts->overrun);
}

/* Returns whether all is well. */
static bool lives(uint64_t seed, struct world_counts *counts)
{
    const struct world_kind servers = {.maildir = false};
    const char *wrong =
        world_live(&servers, seed, number("TELL", 0) > 0, counts);

    if (wrong != NULL)
        printf("# TELL=1 COUNT=1 SEED=%" PRIu64 " test_simulation: %s\n", seed,
               wrong);
    return wrong == NULL;
}

int main(void)
{
    /* Where something was wrong once: a copy that its user deletes within the
     * run that made it; folders renamed to a name that another one has taken, or
     * without anything that shows that it is the same folder; a folder made anew
     * before its deletions were through; a question refused beside a move that
     * was done; deletions of a run that was cut short; a UIDVALIDITY that changes
     * while a run copies. */
    static const uint64_t found[] = {29,   328,   423,   5766,  6009,  7043,
                                     9576, 14643, 21212, 20130, 29581, 28226,
                                     4432, 34952, 22347, 83217, 8658,  95366};
    uint64_t seed = number("SEED", 1);
    uint64_t count = number("COUNT", COUNT);
    uint64_t most = number("FAILURES", 1); /* to be shown */
    const char *row = getenv("ROW");
    struct world_counts counts = {0};
    uint64_t failed = 0;
    double from = seconds();

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (getenv("SEED") == NULL) {
        for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
            failed += !lives(found[i], &counts);
    }
    for (uint64_t i = seed; i < seed + count && failed < most; i++)
        failed += !lives(i, &counts);
    ok(failed == 0, "%" PRIu64 " worlds from %" PRIu64, count, seed);
    tell_row(row != NULL ? row : "simulation: IMAP and IMAP", &counts,
             seconds() - from);
    return done_testing();
}
