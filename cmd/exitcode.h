/* What a run came to, as the exit status of the program. */
#ifndef CMD_EXITCODE_H
#define CMD_EXITCODE_H

#include <stdbool.h>

#include "sync/run.h"

/* Scripts rely on the numbers. */
enum exitcode {
    EXITCODE_DONE = 0,
    EXITCODE_PART = 1,      /* some messages or folders failed */
    EXITCODE_USAGE = 2,     /* command line or configuration */
    EXITCODE_HELD = 3,      /* a guard holds something back */
    EXITCODE_CONNECT = 4,   /* worth trying again */
    EXITCODE_AUTH = 5,      /* authentication refused */
    EXITCODE_LOCKED = 6,    /* another run holds the pair */
    EXITCODE_STATE = 7,     /* the state or the local disk */
    EXITCODE_DIFFERENT = 8, /* there is something to do */
    EXITCODE_INTERRUPTED = 130
};

/* For the result of a call: 0 or an enum err_code. */
enum exitcode exitcode_of_error(int result);

/* For a run that is over. @dry  it was a plan. */
enum exitcode exitcode_of_run(const struct run_result *result, bool dry);

/* The more severe of two, where several pairs run. */
enum exitcode exitcode_worse(enum exitcode a, enum exitcode b);

#endif
