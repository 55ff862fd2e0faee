/*
 * One pair of a command under way: its state is opened, its secrets are asked
 * for, both sides are connected and run; then it is told of and written down.
 */
#ifndef CMD_JOB_H
#define CMD_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/conf.h"
#include "cmd/exitcode.h"
#include "cmd/ground.h"
#include "cmd/keyring.h"
#include "cmd/loop.h"
#include "cmd/runner.h"
#include "imap/tls_trust.h"
#include "sync/report.h"

struct job;

/* What it works with; borrowed while it lives. */
struct job_options {
    const struct runner_options *command;
    const struct pair *pair;
    size_t number; /* of the pair on @ground */
    const struct ground *ground;
    struct keyring *keyring;
    struct tls_trust *trust;
    struct loop *loop;
    /* It has begun and is over, all is told; not from inside job_begin() or
     * job_cancel(). It may be freed. */
    void (*over)(void *owner, struct job *job);
    void *owner;
};

struct job *job_new(const struct job_options *options);

/* Free one that is over, or never began; NULL is fine. */
void job_free(struct job *job);

/* Begin. Returns false where another run holds the pair and there is still
 * time to wait for it: nothing has happened then; to be tried again. */
bool job_begin(struct job *job);

/* End early, also before it began: what was done is recorded, and over() comes
 * soon. Fine where it is over. */
void job_cancel(struct job *job);

/* It cannot begin or go on, because of @err, an error of the code @result; the
 * loop does nothing any more. Calls over() from inside. */
void job_give_up(struct job *job, int result, const struct err *err);

/* Where it is, or was when it was over; NULL where it did not get so far. */
const struct run_progress *job_progress(const struct job *job);

/* What it came to, once it is over. */
enum exitcode job_exitcode(const struct job *job);

#endif
