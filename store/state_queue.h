/* Row operations that wait for the next commit, in the order they were made. */
#ifndef STORE_STATE_QUEUE_H
#define STORE_STATE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "store/record.h"

struct state_queue {
    struct buf ops;
};

/* One operation; what it points to is borrowed until the queue changes. */
struct state_op {
    enum record_table table;
    bool deletes;
    struct bytes key;
    struct bytes value;
};

/* Start empty; free the memory. */
void state_queue_init(struct state_queue *queue);
void state_queue_deinit(struct state_queue *queue);

/* Add an operation at the end; everything is copied. */
void state_queue_add(struct state_queue *queue, const struct state_op *op);

/* The operation at *@at, which starts with 0 and moves on; false at the
 * end. */
bool state_queue_next(const struct state_queue *queue, size_t *at,
                      struct state_op *op);

/* Forget all operations; the memory is given back. */
void state_queue_clear(struct state_queue *queue);

/* How many bytes the operations take. */
size_t state_queue_bytes(const struct state_queue *queue);

#endif
