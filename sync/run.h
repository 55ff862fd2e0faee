/*
 * One run of one pair: list, compare, match, plan, execute, record. Knows
 * endpoints and the state, and nothing of sockets, files or terminals.
 */
#ifndef SYNC_RUN_H
#define SYNC_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "store/state.h"
#include "sync/policy.h"
#include "sync/report.h"

struct run;

struct run_result {
    int result;     /* 0, or what ended the run: an enum err_code */
    enum side side; /* whose endpoint it was, for ERR_CONNECT and ERR_AUTH */
    struct err err;
    struct run_counts counts[SIDES];
    uint32_t failed; /* messages and folders, those of earlier runs that still
                        stand included */
    uint32_t held;   /* deletions, or sides, held back */
    uint32_t todo;   /* dry run: things that would be done */
};

struct run_options {
    const char *pair;
    const struct policy *policy;
    struct state *state;
    struct endpoint *endpoint[SIDES]; /* not yet opened */
    const struct log *log;
    bool dry;          /* plan: change nothing anywhere */
    bool check;        /* check: with dry; look at everything, and compare it */
    bool deep;         /* check: every byte */
    bool force_delete; /* let the guarded deletions through */
    int64_t now;       /* seconds since 1970, for newer_than */
    /* Called for each thing that happens. */
    void (*report)(void *owner, const struct report_event *event);
    /* The run is over; both endpoints are closed. Not from inside
     * run_start(). The run is freed by run_free() afterwards. */
    void (*done)(void *owner, const struct run_result *result);
    void *owner;
};

/* Begin. All that @options points to lives until done(). Returns NULL with
 * @err set (ERR_USAGE) where the folder patterns cannot be read. */
struct run *run_start(const struct run_options *options, struct err *err);

/* End early: what was done is recorded, then done() with ERR_CANCELLED. */
void run_cancel(struct run *run);

/* Where it is; borrowed while the run lives. */
const struct run_progress *run_progress(struct run *run);

/* What was done so far. */
const struct run_result *run_so_far(const struct run *run);

void run_free(struct run *run);

#endif
