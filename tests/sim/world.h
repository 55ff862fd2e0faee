/*
 * A simulated world: two halves with users, the real engine between them with
 * its real state on a model disk (disk.h), and all that can go wrong. One seed is one history: edits,
 * runs with faults, runs without, and after each of them a look at whether what
 * is promised holds.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "sync/run.h"
#include "tests/sim/account.h"
#include "tests/sim/disk.h"
#include "tests/sim/half.h"

enum world_fault {
    WORLD_KILLED, /* the process, at any step */
    WORLD_STATE_LOST,
    WORLD_STATE_OLD,  /* put back to a copy made earlier */
    WORLD_RENUMBERED, /* UIDVALIDITY changed */
    WORLD_MAIL_OLD,   /* a Maildir put back to a copy made earlier */
    WORLD_POWER_CUT,
    WORLD_DISK_FAILED, /* a file call, or all from then on */
    WORLD_FAULTS
};

/* Counted over all worlds. */
struct world_counts {
    uint64_t worlds;
    uint64_t syncs;
    uint64_t good; /* of them, those that ended with 0 */
    uint64_t steps;
    uint64_t edits;
    uint64_t evils[EVILS];
    uint64_t faults[WORLD_FAULTS];
    uint64_t server_faults[SERVER_FAULTS];
    uint64_t cuts[3];  /* at any byte: by FIN, RST, silence */
    uint64_t connects; /* that failed */
    uint64_t overrun;  /* messages that came into a folder as it was deleted */
    uint64_t spoilt;   /* files that a disk had refused, cleared away as torn */
    uint64_t stuck;    /* worlds that ended so: see struct world */
};

/* What worlds are made of; zeroed: anything. */
struct world_kind {
    bool maildir; /* one side is a Maildir; else both are servers */
    bool disk;    /* file calls fail, the power is cut */
};

struct world {
    struct half *half[SIDES];
    struct half *maildir; /* one of them, or NULL */
    enum side maildir_side;
    struct policy policy;
    struct account account;
    char dir[64];    /* of all that is on disk */
    char *state_dir; /* in it */
    char *mail_dir;  /* in it, too, where there is a Maildir */
    struct snapshot *old_state;
    struct snapshot *old_mail;
    struct disk_fault disk_fault; /* of the next run */
    bool disk_faults;             /* there are some */
    uint64_t n_breaches;          /* of the order on disk, so far */
    uint32_t busy;   /* users edit at one file call in so many; 0: never */
    bool tell;       /* print what happens */
    bool bare;       /* one side has no UIDPLUS */
    bool stuck;      /* something is left to the users, and named: without
                        UIDPLUS a message that was marked cannot go, as another
                        one is marked, too; two folders want one name; what its
                        user deleted twice in one run is taken for merged */
    bool littered;   /* a folder could not go for what a run that was killed
                        had left in its tmp: after 36 hours that goes */
    bool users_edit; /* while a run is under way */
    bool edited;     /* a user did, in this run */
    struct world_counts *counts;
    struct run_result result; /* of the latest run */
    bool over;
    uint32_t sends; /* of the latest run: changes that were asked of halves */
};

/*
 * Live one world, of this seed. Returns NULL, or what is wrong with it, in
 * words that live until the next call.
 */
const char *world_live(const struct world_kind *kind, uint64_t seed, bool tell,
                       struct world_counts *counts);

/* --- its parts, for worlds of other kinds ------------------------------------- */

void world_init(struct world *world, const struct world_kind *kind,
                uint64_t seed, bool tell, struct world_counts *counts);
void world_deinit(struct world *world);

/* A user does something on one side. */
void world_edit(struct world *world);

/* One run. @kill_after  steps of the scheduler; 0: it lives. Returns its
 * result; ERR_CANCELLED where it was killed. */
int world_run(struct world *world, uint64_t kill_after);

/* --- the disk of a world: world_disk.c ---------------------------------------- */

void world_disk_init(struct world *world, uint64_t seed);
void world_disk_deinit(struct world *world);

/* What the disk does in the next run, at random; or nothing. */
void world_disk_fault(struct world *world, bool any);

/* After a run, whatever became of it: its process is gone, and the power with
 * it, now and then. Returns whether it had been killed. */
bool world_disk_after(struct world *world);

/* After a run that was @good: was all that it published and put on record durable
 * before? One that a sync failed for takes that off the record again, and the
 * names may still be found in what it wrote. */
void world_disk_check(struct world *world, bool good);

/* The Maildir is copied, and put back to such a copy. */
void world_disk_copy(struct world *world);
void world_disk_put_back(struct world *world);

/* --- */

/* What comes late comes now, or never. */
void world_settle(struct world *world);

/* Are both sides the same, as account_in_step() says? @why  of 200 octets. */
bool world_in_step(struct world *world, char *why);

#endif
