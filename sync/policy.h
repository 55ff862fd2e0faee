/* What the user wants of a pair: the keys of its [pair] section. */
#ifndef SYNC_POLICY_H
#define SYNC_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"

enum direction {
    DIRECTION_BOTH,
    DIRECTION_LEFT_TO_RIGHT,
    DIRECTION_RIGHT_TO_LEFT
};

enum max_delete_kind { MAX_DELETE_PERCENT, MAX_DELETE_COUNT, MAX_DELETE_OFF };

struct max_delete {
    enum max_delete_kind kind;
    uint32_t value; /* per cent (0 to 100) or messages */
};

struct policy {
    enum direction direction;
    bool keep_deleted; /* deletes = keep */
    char *folders;     /* as written, NULL for all; sync/filter.h reads it */
    struct max_delete max_delete;
    enum side on_conflict;
    bool delete_to_trash; /* delete_mode = trash */
    bool moves;
    bool subscriptions;
    bool special_use;
    uint64_t max_size;           /* bytes; 0: no limit */
    uint64_t newer_than_seconds; /* 0: no limit */
};

#endif
