/*
 * Worlds in simulation: the real engine between model servers, on one seeded
 * scheduler. See tests/sim/world.h.
 *
 *     test_simulation              what make check does
 *     COUNT=1000 SEED=1 test_simulation
 *     TELL=1 SEED=17 COUNT=1 test_simulation    what happens in one of them
 *     KIND=maildir COUNT=1000 SEED=1 test_simulation    see kinds[]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/world.h"
#include "tests/tap.h"

/* What make check has time for. */
#define COUNT 60u

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
    const char *part = getenv("PART"); /* of what several processes do */

    printf("# row: simulation: %s%s | %" PRIu64 " syncs, %.0f/s | lost %" PRIu64
           " | doubled %" PRIu64 " | unjustified %" PRIu64
           " | resurrected %" PRIu64 " | %" PRIu64 " worlds, %" PRIu64
           " edits, %" PRIu64 " steps",
           what, part != NULL ? part : "", counts->syncs,
           (double)counts->syncs / took, counts->evils[EVIL_LOST],
           counts->evils[EVIL_DOUBLED], counts->evils[EVIL_UNJUSTIFIED],
           counts->evils[EVIL_RESURRECTED], counts->worlds, counts->edits,
           counts->steps);
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
           " state old, %" PRIu64 " Maildir old, %" PRIu64
           " power cut, %" PRIu64 " disk failed, %" PRIu64
           " left to the users, %" PRIu64 " came into a folder as it was "
           "deleted, %" PRIu64 " spoilt by the disk\n",
           counts->faults[WORLD_RENUMBERED], counts->faults[WORLD_STATE_LOST],
           counts->faults[WORLD_STATE_OLD], counts->faults[WORLD_MAIL_OLD],
           counts->faults[WORLD_POWER_CUT], counts->faults[WORLD_DISK_FAILED],
           counts->stuck, counts->overrun, counts->spoilt);
}

static const struct {
    const char *name;
    const char *row;
    struct world_kind kind;
} kinds[] = {
    {"servers",      "IMAP and IMAP",              {false, false}},
    {"servers-disk", "IMAP and IMAP, bad disk",    {false, true} },
    {"maildir",      "IMAP and Maildir",           {true, false} },
    {"maildir-disk", "IMAP and Maildir, bad disk", {true, true}  },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Returns whether all is well. */
static bool lives(size_t kind, uint64_t seed, struct world_counts *counts)
{
    const char *wrong =
        world_live(&kinds[kind].kind, seed, number("TELL", 0) > 0, counts);

    if (wrong != NULL)
        printf("# TELL=1 KIND=%s COUNT=1 SEED=%" PRIu64
               " test_simulation: %s\n",
               kinds[kind].name, seed, wrong);
    return wrong == NULL;
}

/* Where something was wrong once: a copy that its user deletes within the run
 * that made it; folders renamed to a name that another one has taken, or without
 * anything that shows that it is the same folder; a folder made anew before its
 * deletions were through; a question refused beside a move that was done;
 * deletions of a run that was cut short; a UIDVALIDITY that changes while a run
 * copies; a folder that could not get out of the way of one above it; one that got
 * the name of another one within a run. */
static const uint64_t servers_found[] = {
    29,    328,   423,   5766,  6009,    7043,    9576,
    14643, 21212, 20130, 29581, 28226,   4432,    34952,
    22347, 83217, 8658,  95366, 9101609, 9604328, 0};

/* The state's directory was not durable in the one above it. */
static const uint64_t servers_disk_found[] = {4, 11, 97, 195, 0};

/* A file whose pair ended lost its number, though it was still there; a folder
 * that was made anew kept the change token of the one before it; one that a run
 * had made, and never listed, was another one in the next; what was gone twice
 * from a Maildir was taken for merged; a renamed folder that could not be looked
 * at was another one; one that was made anew had the UIDVALIDITY of the one
 * before it on record; a new UIDVALIDITY put numbers on record while others were
 * still looked for. */
static const uint64_t maildir_found[] = {
    14,   213,   568,   656,  1305,    1583, 7771,  16692, 3722,
    7741, 22818, 15566, 9409, 5003492, 9858, 23473, 0};

/* Where a folder had lost its tmp a keyword found no letter; a power cut took
 * what its user had made once more, beside one that he had deleted; a copy; the
 * date of a file; a file that the disk had refused before; half of a folder that
 * was being removed stayed; a file could not be read to tell whether it is the
 * original of a copy without an answer. */
static const uint64_t maildir_disk_found[] = {
    3000357, 3000504, 3001035, 3000664, 3001552, 3000500,
    3002795, 2824,    5191,    7406,    10953,   0};

/* Returns how many did not live. */
static uint64_t live_all(size_t kind, uint64_t seed)
{
    uint64_t count = number("COUNT", COUNT);
    uint64_t most = number("FAILURES", 1); /* to be shown */
    struct world_counts counts = {0};
    uint64_t failed = 0;
    double from = seconds();

    for (uint64_t i = seed; i < seed + count && failed < most; i++)
        failed += !lives(kind, i, &counts);
    tell_row(kinds[kind].row, &counts, seconds() - from);
    return failed;
}

static uint64_t live_found(size_t kind)
{
    static const uint64_t *const found[KINDS] = {
        servers_found, servers_disk_found, maildir_found, maildir_disk_found};
    struct world_counts counts = {0};
    uint64_t failed = 0;

    for (const uint64_t *seed = found[kind]; *seed != 0; seed++)
        failed += !lives(kind, *seed, &counts);
    return failed;
}

int main(void)
{
    uint64_t seed = number("SEED", 1);
    uint64_t failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t kind = 0; kind < KINDS; kind++) {
        const char *only = getenv("KIND");

        if (only != NULL && strcmp(only, kinds[kind].name) != 0)
            continue;
        if (getenv("SEED") == NULL)
            failed += live_found(kind);
        failed += live_all(kind, seed);
    }
    ok(failed == 0, "worlds from %" PRIu64 " keep what was promised", seed);
    return done_testing();
}
