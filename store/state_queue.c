#include "store/state_queue.h"

#include <stdint.h>
#include <string.h>

/* In front of the key and the value of each operation. */
struct head {
    uint32_t value_len;
    uint16_t key_len;
    uint8_t table;
    uint8_t deletes;
};

void state_queue_init(struct state_queue *queue)
{
    buf_init(&queue->ops, 0);
}

void state_queue_deinit(struct state_queue *queue)
{
    buf_deinit(&queue->ops);
}

void state_queue_add(struct state_queue *queue, const struct state_op *op)
{
    struct head head = {
        .value_len = (uint32_t)op->value.len,
        .key_len = (uint16_t)op->key.len,
        .table = (uint8_t)op->table,
        .deletes = op->deletes,
    };

    memcpy(buf_reserve(&queue->ops, sizeof(head)), &head, sizeof(head));
    buf_commit(&queue->ops, sizeof(head));
    buf_add(&queue->ops, op->key);
    buf_add(&queue->ops, op->value);
}

bool state_queue_next(const struct state_queue *queue, size_t *at,
                      struct state_op *op)
{
    struct bytes rest = bytes_skip(buf_peek(&queue->ops), *at);
    struct head head;

    if (rest.len == 0)
        return false;
    memcpy(&head, rest.ptr, sizeof(head));
    op->table = (enum record_table)head.table;
    op->deletes = head.deletes != 0;
    op->key = (struct bytes){rest.ptr + sizeof(head), head.key_len};
    op->value = (struct bytes){op->key.ptr + head.key_len, head.value_len};
    *at += sizeof(head) + head.key_len + head.value_len;
    return true;
}

void state_queue_clear(struct state_queue *queue)
{
    buf_deinit(&queue->ops);
}

size_t state_queue_bytes(const struct state_queue *queue)
{
    return buf_len(&queue->ops);
}
