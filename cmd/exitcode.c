#include "cmd/exitcode.h"

#include <stddef.h>

#include "base/err.h"

enum exitcode exitcode_of_error(int result)
{
    switch (result) {
    case 0:
        return EXITCODE_DONE;
    case ERR_USAGE:
        return EXITCODE_USAGE;
    case ERR_AUTH:
        return EXITCODE_AUTH;
    case ERR_GUARD:
        return EXITCODE_HELD;
    case ERR_LOCKED:
        return EXITCODE_LOCKED;
    case ERR_STATE:
    case ERR_DISK:
        return EXITCODE_STATE;
    case ERR_CANCELLED:
        return EXITCODE_INTERRUPTED;
    case ERR_CONNECT:
    case ERR_PROTOCOL:
    case ERR_LIMIT:
    case ERR_REFUSED:
    case ERR_BUSY:
    case ERR_GONE:
    default:
        /* All the ways in which a server can be of no use. */
        return EXITCODE_CONNECT;
    }
}

enum exitcode exitcode_of_run(const struct run_result *result, bool dry)
{
    if (result->result != 0) {
        return exitcode_of_error(result->result);
    }
    if (dry && result->todo > 0) {
        return EXITCODE_DIFFERENT;
    }
    if (result->held > 0) {
        return EXITCODE_HELD;
    }
    return result->failed > 0 ? EXITCODE_PART : EXITCODE_DONE;
}

/* Position in the order of severity; 0 is the worst. */
static size_t rank(enum exitcode code)
{
    static const enum exitcode order[] = {
        EXITCODE_INTERRUPTED, EXITCODE_STATE,   EXITCODE_USAGE,
        EXITCODE_AUTH,        EXITCODE_CONNECT, EXITCODE_LOCKED,
        EXITCODE_DIFFERENT,   EXITCODE_HELD,    EXITCODE_PART,
    };

    size_t n = sizeof(order) / sizeof(order[0]);
    size_t i = 0;

    while (i < n && order[i] != code) {
        i++;
    }
    return i;
}

enum exitcode exitcode_worse(enum exitcode a, enum exitcode b)
{
    return rank(a) <= rank(b) ? a : b;
}
