#include "store/maildir_outbox.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/maildir_unique.h"

#define WRITERS         2
#define WRITE_MESSAGES  32u
#define WRITE_BYTES     1048576u
#define PIECE_BYTES     1048576u /* larger messages go in pieces */
#define COMMIT_MESSAGES 1000u
#define COMMIT_BYTES    16777216u
#define COMMIT_DELAY_MS 100u
#define MESSAGE_BYTES   2048u /* what a message takes besides its octets */

struct queue {
    struct maildir_message *first;
    struct maildir_message *last;
    size_t n;
    uint64_t bytes;
};

struct writer {
    struct maildir_outbox *outbox;
    struct disk_task task;
    bool busy;
    struct maildir_message *messages[WRITE_MESSAGES];
    size_t n;
    struct buf scratch;
};

struct maildir_outbox {
    struct diskwork *diskwork;
    void (*progress)(void *owner);
    void *owner;
    struct queue to_write;
    struct queue to_commit;
    struct writer writers[WRITERS];
    struct disk_task commit;
    struct maildir_commit_item **group; /* being committed, or NULL */
    size_t n_group;
    struct disk_timer *timer;
    bool waiting; /* the timer runs */
    bool overdue; /* it has fired */
    size_t held;  /* octets taken and not yet written, and their messages */
    struct maildir_unique unique;
};

/* --- queues ---------------------------------------------------------------- */

static void enqueue(struct queue *queue, struct maildir_message *message)
{
    message->next_queued = NULL;
    if (queue->last != NULL) {
        queue->last->next_queued = message;
    } else {
        queue->first = message;
    }
    queue->last = message;
    queue->n++;
    queue->bytes += message->expected;
}

static struct maildir_message *dequeue(struct queue *queue)
{
    struct maildir_message *message = queue->first;

    queue->first = message->next_queued;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    queue->n--;
    queue->bytes -= message->expected;
    return message;
}

static void remove_queued(struct queue *queue,
                          const struct maildir_message *message)
{
    struct queue rest = {0};

    while (queue->first != NULL) {
        struct maildir_message *first = dequeue(queue);

        if (first != message) {
            enqueue(&rest, first);
        }
    }
    *queue = rest;
}

/* --- messages -------------------------------------------------------------- */

struct maildir_message *maildir_outbox_message(
    struct maildir_outbox *outbox, struct maildir_commit_folder *folder,
    uint64_t expected, int64_t date)
{
    struct maildir_message *message = MEM_NEW(struct maildir_message);

    outbox->held += MESSAGE_BYTES;
    message->item.folder = folder;
    message->item.write.fd = -1;
    message->expected = expected;
    message->date = date;
    buf_init(&message->filling, 0);
    buf_init(&message->writing, 0);
    return message;
}

void maildir_outbox_message_free(struct maildir_outbox *outbox,
                                 struct maildir_message *message)
{
    outbox->held -= MESSAGE_BYTES;
    free(message->item.err);
    free(message->item.keywords);
    free(message->item.name);
    free(message->item.base);
    free(message);
}

static void fail(struct maildir_message *message, int r, const struct err *err)
{
    message->item.r = r;
    free(message->item.err);
    message->item.err = MEM_NEW(struct err);
    *message->item.err = *err;
}

/* The message needs nothing any more but to be told of. */
static void set_over(struct maildir_outbox *outbox,
                     struct maildir_message *message)
{
    message->stage = OUTBOX_OVER;
    outbox->held -= buf_len(&message->filling) + buf_len(&message->writing);
    buf_deinit(&message->filling);
    buf_deinit(&message->writing);
    maildir_write_deinit(&message->item.write);
}

void maildir_outbox_drop(struct maildir_outbox *outbox,
                         struct maildir_message *message, int r,
                         const struct err *err)
{
    switch (message->stage) {
    case OUTBOX_WRITING:
        message->dropped = true; /* the worker has it */
        return;
    case OUTBOX_QUEUED:
        remove_queued(&outbox->to_write, message);
        break;
    case OUTBOX_WRITTEN:
        remove_queued(&outbox->to_commit, message);
        break;
    case OUTBOX_COLLECTING:
        break;
    case OUTBOX_COMMITTING:
    case OUTBOX_OVER:
        return;
    }
    fail(message, r, err);
    set_over(outbox, message);
}

bool maildir_outbox_is_complete(const struct maildir_message *message)
{
    return message->received == message->expected;
}

void maildir_outbox_add(struct maildir_outbox *outbox,
                        struct maildir_message *message, struct bytes data)
{
    if (message->stage == OUTBOX_OVER || message->dropped) {
        return; /* it has failed; the caller will learn it */
    }
    if (data.len > message->expected - message->received) {
        data.len = (size_t)(message->expected - message->received);
    }
    if (message->received == 0 && message->expected <= PIECE_BYTES) {
        (void)buf_reserve(&message->filling, (size_t)message->expected);
    }
    buf_add(&message->filling, data);
    message->received += data.len;
    outbox->held += data.len;
}

void maildir_outbox_offer(struct maildir_outbox *outbox,
                          struct maildir_message *message)
{
    if (message->stage == OUTBOX_COLLECTING &&
        (maildir_outbox_is_complete(message) ||
         buf_len(&message->filling) >= PIECE_BYTES)) {
        message->stage = OUTBOX_QUEUED;
        enqueue(&outbox->to_write, message);
    }
}

size_t maildir_outbox_held(const struct maildir_outbox *outbox)
{
    return outbox->held;
}

/* --- writing --------------------------------------------------------------- */

static void write_messages(void *owner)
{
    struct writer *writer = owner;

    for (size_t i = 0; i < writer->n; i++) {
        struct maildir_message *message = writer->messages[i];
        struct maildir_write *write = &message->item.write;

        if (maildir_write_add(write, buf_peek(&message->writing),
                              &writer->scratch) < 0 ||
            (message->last_piece &&
             maildir_write_finish(write, message->date, &writer->scratch) <
                 0)) {
            maildir_commit_fail(&message->item, errno);
        }
    }
}

/* Where a message goes on from a worker. */
static void written(struct maildir_outbox *outbox,
                    struct maildir_message *message)
{
    struct err err;

    outbox->held -= buf_len(&message->writing);
    buf_deinit(&message->writing);
    if (message->dropped) {
        fail(message, err_set(&err, ERR_CANCELLED, "cancelled"), &err);
    }
    if (message->item.r < 0) {
        set_over(outbox, message);
    } else if (message->last_piece) {
        message->stage = OUTBOX_WRITTEN;
        enqueue(&outbox->to_commit, message);
    } else {
        message->stage = OUTBOX_COLLECTING;
        maildir_outbox_offer(outbox, message);
    }
}

static void on_written(void *owner)
{
    struct writer *writer = owner;

    writer->busy = false;
    for (size_t i = 0; i < writer->n; i++) {
        written(writer->outbox, writer->messages[i]);
    }
    writer->outbox->progress(writer->outbox->owner);
}

static void start_writer(struct writer *writer)
{
    struct maildir_outbox *outbox = writer->outbox;
    size_t bytes = 0;

    writer->n = 0;
    while (outbox->to_write.first != NULL && writer->n < WRITE_MESSAGES &&
           bytes < WRITE_BYTES) {
        struct maildir_message *message = dequeue(&outbox->to_write);

        if (message->item.write.name == NULL) {
            maildir_write_init(&message->item.write,
                               message->item.folder->dirs.tmp,
                               maildir_unique_name(&outbox->unique));
        }
        message->stage = OUTBOX_WRITING;
        message->writing = message->filling;
        buf_init(&message->filling, 0);
        message->last_piece = maildir_outbox_is_complete(message);
        bytes += buf_len(&message->writing);
        writer->messages[writer->n] = message;
        writer->n++;
    }
    writer->busy = writer->n > 0;
    if (writer->busy) {
        diskwork_run(outbox->diskwork, &writer->task);
    }
}

static void start_writers(struct maildir_outbox *outbox)
{
    for (size_t i = 0; i < WRITERS; i++) {
        if (!outbox->writers[i].busy) {
            start_writer(&outbox->writers[i]);
        }
    }
}

/* --- committing ------------------------------------------------------------ */

static void commit(void *owner)
{
    struct maildir_outbox *outbox = owner;

    maildir_commit_group(outbox->group, outbox->n_group);
}

static void on_committed(void *owner)
{
    struct maildir_outbox *outbox = owner;

    for (size_t i = 0; i < outbox->n_group; i++) {
        set_over(outbox, (struct maildir_message *)outbox->group[i]);
    }
    free(outbox->group);
    outbox->group = NULL;
    outbox->progress(outbox->owner);
}

/* Commit what has gathered, or see to it that this will happen. */
static void start_commit(struct maildir_outbox *outbox, bool hurry)
{
    struct queue *queue = &outbox->to_commit;

    if (outbox->group != NULL || queue->first == NULL) {
        return;
    }
    if (!hurry && !outbox->overdue && queue->n < COMMIT_MESSAGES &&
        queue->bytes < COMMIT_BYTES) {
        if (!outbox->waiting) {
            diskwork_timer_start(outbox->timer, COMMIT_DELAY_MS);
            outbox->waiting = true;
        }
        return;
    }
    diskwork_timer_stop(outbox->timer);
    outbox->waiting = false;
    outbox->overdue = false;
    outbox->n_group = queue->n;
    outbox->group = mem_new(queue->n, sizeof(struct maildir_commit_item *));
    for (size_t i = 0; i < outbox->n_group; i++) {
        struct maildir_message *message = dequeue(queue);

        message->stage = OUTBOX_COMMITTING;
        outbox->group[i] = &message->item;
    }
    diskwork_run(outbox->diskwork, &outbox->commit);
}

static void on_timer(void *owner)
{
    struct maildir_outbox *outbox = owner;

    outbox->waiting = false;
    outbox->overdue = true;
    start_commit(outbox, false);
}

void maildir_outbox_start(struct maildir_outbox *outbox, bool hurry)
{
    start_writers(outbox);
    start_commit(outbox, hurry);
}

/* --- life ------------------------------------------------------------------ */

struct maildir_outbox *maildir_outbox_new(struct diskwork *diskwork,
                                          void (*progress)(void *owner),
                                          void *owner)
{
    struct maildir_outbox *outbox = MEM_NEW(struct maildir_outbox);

    outbox->diskwork = diskwork;
    outbox->progress = progress;
    outbox->owner = owner;
    outbox->commit = (struct disk_task){
        .work = commit, .done = on_committed, .owner = outbox};
    outbox->timer = diskwork_timer_new(diskwork, on_timer, outbox);
    for (size_t i = 0; i < WRITERS; i++) {
        struct writer *writer = &outbox->writers[i];

        writer->outbox = outbox;
        writer->task = (struct disk_task){
            .work = write_messages, .done = on_written, .owner = writer};
        buf_init(&writer->scratch, 0);
    }
    maildir_unique_init(&outbox->unique);
    return outbox;
}

void maildir_outbox_free(struct maildir_outbox *outbox)
{
    if (outbox == NULL) {
        return;
    }
    diskwork_timer_free(outbox->timer);
    for (size_t i = 0; i < WRITERS; i++) {
        buf_deinit(&outbox->writers[i].scratch);
    }
    free(outbox);
}
