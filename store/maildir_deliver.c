#include "store/maildir_deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "store/maildir_commit.h"
#include "store/maildir_name.h"

#define WRITERS         2
#define WRITE_MESSAGES  32u
#define WRITE_BYTES     (1024u * 1024u)
#define PIECE_BYTES     (1024u * 1024u) /* larger messages go in pieces */
#define HELD_BYTES_MAX  (16u * 1024u * 1024u)
#define HELD_BYTES_ROOM (8u * 1024u * 1024u)
#define COMMIT_MESSAGES 1000u
#define COMMIT_BYTES    (16u * 1024u * 1024u)
#define COMMIT_DELAY_MS 100u
#define HOST_BYTES      256u

enum stage { COLLECTING, QUEUED, WRITING, WRITTEN, COMMITTING, OVER };

struct add;

struct message {
    struct maildir_commit_item item; /* first: a commit knows this only */
    struct add *add;
    struct message *next;        /* of the request */
    struct message *next_queued; /* of the queue it is in */
    enum stage stage;
    bool dropped;    /* by the caller, while on a worker */
    bool last_piece; /* is in writing */
    int64_t date;
    uint64_t expected;
    uint64_t received;
    struct buf filling; /* by the caller */
    struct buf writing; /* by a worker */
};

struct queue {
    struct message *first;
    struct message *last;
    size_t n;
    uint64_t bytes;
};

/* One add_request. */
struct add {
    struct maildir_job base;
    struct maildir_deliver *deliver;
    struct add *next;
    struct add_request *request;
    struct maildir_files *files;
    char *path;
    struct maildir_commit_folder folder;
    bool open;   /* the folder is */
    bool closed; /* no more messages */
    bool wants_room;
    struct message *first; /* not yet reported, in order */
    struct message *last;
    size_t n_reported;
    size_t n_unwritten; /* begun, and not yet on their way to a commit */
    int result;         /* what ended the request */
    struct err err;
};

struct writer {
    struct maildir_deliver *deliver;
    struct disk_task task;
    bool busy;
    struct message *messages[WRITE_MESSAGES];
    size_t n;
    struct buf scratch;
};

struct maildir_deliver {
    struct maildir *maildir;
    struct add *adds;
    struct queue to_write;
    struct queue to_commit;
    struct writer writers[WRITERS];
    struct disk_task commit;
    struct maildir_commit_item **group; /* being committed, or NULL */
    size_t n_group;
    struct disk_timer *commit_timer;
    bool waiting; /* the timer runs */
    bool hurry;   /* commit what there is */
    struct disk_timer *pump_timer;
    size_t held; /* octets taken and not yet written */
    uint64_t counter;
    char host[HOST_BYTES];
};

static void pump(struct maildir_deliver *deliver);

/* --- queues ---------------------------------------------------------------- */

static void enqueue(struct queue *queue, struct message *message)
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

static struct message *dequeue(struct queue *queue)
{
    struct message *message = queue->first;

    queue->first = message->next_queued;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    queue->n--;
    queue->bytes -= message->expected;
    return message;
}

static void remove_queued(struct queue *queue, const struct message *message)
{
    struct queue rest = {0};

    while (queue->first != NULL) {
        struct message *first = dequeue(queue);

        if (first != message) {
            enqueue(&rest, first);
        }
    }
    *queue = rest;
}

/* --- messages -------------------------------------------------------------- */

static void fail(struct message *message, int r, const struct err *err)
{
    message->item.r = r;
    free(message->item.err);
    message->item.err = MEM_NEW(struct err);
    *message->item.err = *err;
}

static void fail_cancelled(struct message *message)
{
    struct err err;

    fail(message, err_set(&err, ERR_CANCELLED, "cancelled"), &err);
}

/* The message needs nothing any more but to be reported. */
static void set_over(struct message *message)
{
    struct add *add = message->add;

    if (message->stage < WRITTEN) {
        add->n_unwritten--;
    }
    message->stage = OVER;
    add->deliver->held -=
        buf_len(&message->filling) + buf_len(&message->writing);
    buf_deinit(&message->filling);
    buf_deinit(&message->writing);
    maildir_write_deinit(&message->item.write);
    if (message->item.r == ERR_DISK && add->result == 0) {
        add->result = ERR_DISK;
        add->err = *message->item.err;
    }
}

/* The caller does not want it any more. */
static void drop(struct message *message)
{
    struct maildir_deliver *deliver = message->add->deliver;

    switch (message->stage) {
    case WRITING:
        message->dropped = true; /* the worker has it */
        return;
    case QUEUED:
        remove_queued(&deliver->to_write, message);
        break;
    case WRITTEN:
        remove_queued(&deliver->to_commit, message);
        break;
    case COLLECTING:
        break;
    case COMMITTING:
    case OVER:
        return;
    }
    fail_cancelled(message);
    set_over(message);
}

static bool is_complete(const struct message *message)
{
    return message->received == message->expected;
}

/* Queue it for writing if that is worth it. */
static void offer(struct message *message)
{
    if (message->stage == COLLECTING && message->add->open &&
        (is_complete(message) || buf_len(&message->filling) >= PIECE_BYTES)) {
        message->stage = QUEUED;
        enqueue(&message->add->deliver->to_write, message);
    }
}

static char *unique_name(struct maildir_deliver *deliver)
{
    struct timespec now;
    struct maildir_name_unique unique = {.pid = (uint64_t)getpid(),
                                         .counter = ++deliver->counter,
                                         .host = bytes_of(deliver->host)};
    struct buf buf;
    char *name;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    unique.seconds = now.tv_sec;
    unique.microseconds = (uint32_t)(now.tv_nsec / 1000);
    digest_random((uint8_t *)&unique.random, sizeof(unique.random));
    buf_init(&buf, 0);
    maildir_name_print_unique(&buf, &unique);
    name = mem_text(buf_peek(&buf));
    buf_deinit(&buf);
    return name;
}

/* --- writing --------------------------------------------------------------- */

static void write_messages(void *owner)
{
    struct writer *writer = owner;

    for (size_t i = 0; i < writer->n; i++) {
        struct message *message = writer->messages[i];
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
static void written(struct message *message)
{
    struct maildir_deliver *deliver = message->add->deliver;

    deliver->held -= buf_len(&message->writing);
    buf_deinit(&message->writing);
    if (message->dropped) {
        fail_cancelled(message);
    }
    if (message->item.r < 0) {
        set_over(message);
    } else if (message->last_piece) {
        message->stage = WRITTEN;
        message->add->n_unwritten--;
        enqueue(&deliver->to_commit, message);
    } else {
        message->stage = COLLECTING;
        offer(message);
    }
}

static void on_written(void *owner)
{
    struct writer *writer = owner;

    writer->busy = false;
    for (size_t i = 0; i < writer->n; i++) {
        written(writer->messages[i]);
    }
    pump(writer->deliver);
}

static void start_writer(struct writer *writer)
{
    struct maildir_deliver *deliver = writer->deliver;
    size_t bytes = 0;

    writer->n = 0;
    while (deliver->to_write.first != NULL && writer->n < WRITE_MESSAGES &&
           bytes < WRITE_BYTES) {
        struct message *message = dequeue(&deliver->to_write);

        if (message->item.write.name == NULL) {
            maildir_write_init(&message->item.write,
                               message->add->folder.dirs.tmp,
                               unique_name(deliver));
        }
        message->stage = WRITING;
        message->writing = message->filling;
        buf_init(&message->filling, 0);
        message->last_piece = is_complete(message);
        bytes += buf_len(&message->writing);
        writer->messages[writer->n] = message;
        writer->n++;
    }
    writer->busy = writer->n > 0;
    if (writer->busy) {
        diskwork_run(deliver->maildir->diskwork, &writer->task);
    }
}

static void start_writers(struct maildir_deliver *deliver)
{
    for (size_t i = 0; i < WRITERS; i++) {
        if (!deliver->writers[i].busy) {
            start_writer(&deliver->writers[i]);
        }
    }
}

/* --- committing ------------------------------------------------------------ */

static void commit(void *owner)
{
    struct maildir_deliver *deliver = owner;

    maildir_commit_group(deliver->group, deliver->n_group);
}

static void on_committed(void *owner)
{
    struct maildir_deliver *deliver = owner;

    for (size_t i = 0; i < deliver->n_group; i++) {
        set_over((struct message *)deliver->group[i]);
    }
    free(deliver->group);
    deliver->group = NULL;
    pump(deliver);
}

/* Somebody waits for this group: a request that has no more messages to
 * come. */
static bool somebody_waits(const struct maildir_deliver *deliver)
{
    for (const struct add *add = deliver->adds; add != NULL; add = add->next) {
        if (add->closed && add->first != NULL && add->n_unwritten == 0) {
            return true;
        }
    }
    return false;
}

/* Commit what has gathered, or see to it that this will happen. */
static void start_commit(struct maildir_deliver *deliver)
{
    struct queue *queue = &deliver->to_commit;

    if (deliver->group != NULL || queue->first == NULL) {
        return;
    }
    if (!deliver->hurry && queue->n < COMMIT_MESSAGES &&
        queue->bytes < COMMIT_BYTES && !somebody_waits(deliver)) {
        if (!deliver->waiting) {
            diskwork_timer_start(deliver->commit_timer, COMMIT_DELAY_MS);
            deliver->waiting = true;
        }
        return;
    }
    diskwork_timer_stop(deliver->commit_timer);
    deliver->waiting = false;
    deliver->hurry = false;
    deliver->n_group = queue->n;
    deliver->group = mem_new(queue->n, sizeof(struct maildir_commit_item *));
    for (size_t i = 0; i < deliver->n_group; i++) {
        struct message *message = dequeue(queue);

        message->stage = COMMITTING;
        deliver->group[i] = &message->item;
    }
    diskwork_run(deliver->maildir->diskwork, &deliver->commit);
}

static void on_commit_timer(void *owner)
{
    struct maildir_deliver *deliver = owner;

    deliver->waiting = false;
    deliver->hurry = true;
    pump(deliver);
}

/* --- telling --------------------------------------------------------------- */

/* The number of a new file; remembers how it is called. */
static int record(struct add *add, struct maildir_commit_item *item,
                  uint32_t *uid, struct err *err)
{
    int r = maildir_files_uid(add->files, bytes_of(item->base), uid, err);

    return r < 0 ? r : 0;
}

static void report_one(struct add *add)
{
    struct message *message = add->first;
    struct maildir_commit_item *item = &message->item;
    struct err err;
    uint32_t uid = 0;
    int r = item->r;

    add->first = message->next;
    if (add->first == NULL) {
        add->last = NULL;
    }
    if (r == 0) {
        r = record(add, item, &uid, &err);
    } else {
        err = *item->err;
    }
    add->request->added(add->request, add->n_reported++, r, uid,
                        r < 0 ? &err : NULL);
    free(item->err);
    free(item->keywords);
    free(item->name);
    free(item->base);
    free(message);
}

static void report(struct add *add)
{
    while (add->first != NULL && add->first->stage == OVER) {
        report_one(add);
    }
}

static void give_room(struct maildir_deliver *deliver)
{
    struct add *next;

    for (struct add *add = deliver->adds;
         add != NULL && deliver->held < HELD_BYTES_ROOM; add = next) {
        next = add->next;
        if (add->wants_room) {
            add->wants_room = false;
            add->request->room(add->request);
        }
    }
}

/* Take the requests that are over off the list. */
static struct add *take_ended(struct maildir_deliver *deliver)
{
    struct add **link = &deliver->adds;
    struct add *ended = NULL;

    while (*link != NULL) {
        struct add *add = *link;

        if (add->closed && add->first == NULL && !add->base.busy) {
            *link = add->next;
            add->next = ended;
            ended = add;
        } else {
            link = &add->next;
        }
    }
    return ended;
}

/* Whatever happened: do what can be done now. */
static void pump(struct maildir_deliver *deliver)
{
    struct add *ended;
    struct add *next;

    start_writers(deliver);
    start_commit(deliver);
    for (struct add *add = deliver->adds; add != NULL; add = next) {
        next = add->next;
        report(add);
    }
    give_room(deliver);
    /* The last to end may be what close waits for: after it, @deliver may be
     * no more. */
    for (ended = take_ended(deliver); ended != NULL; ended = next) {
        next = ended->next;
        ended->base.r = ended->result;
        ended->base.err = ended->err;
        maildir_job_end(&ended->base);
    }
}

static void on_pump_timer(void *owner)
{
    pump(owner);
}

/* From inside a call of the caller: nothing may be told at once. */
static void pump_later(struct maildir_deliver *deliver)
{
    start_writers(deliver);
    diskwork_timer_start(deliver->pump_timer, 0);
}

/* --- requests -------------------------------------------------------------- */

static void free_add(struct maildir_job *base)
{
    struct add *add = (struct add *)base;

    maildir_tree_close(&add->folder.dirs);
    maildir_keywords_deinit(&add->folder.keywords);
    free(add->path);
    free(add);
}

static void open_folder(struct maildir_job *base)
{
    struct add *add = (struct add *)base;
    struct maildir_commit_folder *folder = &add->folder;
    struct stat st;

    base->r = maildir_tree_open(base->maildir->root, add->path, true,
                                &folder->dirs, &base->err);
    if (base->r < 0) {
        return;
    }
    if (fstat(folder->dirs.tmp, &st) < 0) {
        base->r = err_errno(&base->err, ERR_DISK, errno, "%s", add->path);
        return;
    }
    folder->device = st.st_dev;
    maildir_tree_clear_tmp(folder->dirs.tmp);
    base->r =
        maildir_keywords_load(&folder->keywords, folder->dirs.self, &base->err);
}

/* End all messages of a request, as far as they can still be stopped. */
static void drop_all(struct add *add)
{
    for (struct message *message = add->first; message != NULL;
         message = message->next) {
        drop(message);
    }
}

static void opened(struct maildir_job *base)
{
    struct add *add = (struct add *)base;

    add->open = base->r == 0;
    if (base->r < 0) {
        add->result = base->r;
        add->err = base->err;
    }
    for (struct message *message = add->first; message != NULL;
         message = message->next) {
        if (add->open) {
            offer(message);
        } else if (message->stage != OVER) {
            fail(message, add->result, &add->err);
            set_over(message);
        }
    }
    pump(add->deliver);
}

static void cancel_add(struct maildir_job *base)
{
    struct add *add = (struct add *)base;

    add->result = err_set(&add->err, ERR_CANCELLED, "cancelled");
    add->closed = true;
    drop_all(add);
    pump_later(add->deliver);
}

static struct add *find_add(struct endpoint *endpoint,
                            const struct add_request *request)
{
    struct add *add = ((struct maildir *)endpoint)->deliver->adds;

    while (add->request != request) {
        add = add->next;
    }
    return add;
}

void maildir_deliver_open(struct endpoint *endpoint,
                          struct add_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct add *add = MEM_NEW(struct add);

    add->base.free = free_add;
    add->base.cancel = cancel_add;
    add->request = request;
    add->deliver = maildir->deliver;
    add->next = maildir->deliver->adds;
    maildir->deliver->adds = add;
    add->folder.dirs =
        (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    maildir_job_begin(maildir, &add->base, &request->base);
    add->base.r = maildir_enter_folder(maildir, &request->folder, &add->path,
                                       &add->files, &add->base.err);
    if (add->base.r < 0) {
        maildir_job_later(&add->base, opened, 0);
    } else {
        add->folder.avoid = maildir_files_letters(add->files);
        maildir_job_run(&add->base, open_folder, opened);
    }
}

void maildir_deliver_message(struct endpoint *endpoint,
                             struct add_request *request,
                             const struct message_meta *meta)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct add *add = find_add(endpoint, request);
    struct message *message = MEM_NEW(struct message);

    message->add = add;
    message->item.folder = &add->folder;
    message->item.system = meta->flags.system;
    message->item.write.fd = -1;
    if (meta->flags.keywords != 0) {
        message->item.keywords = mem_text(keywords_text(
            state_keywords(maildir->state), meta->flags.keywords));
    }
    message->date = meta->date;
    message->expected = meta->size;
    buf_init(&message->filling, 0);
    buf_init(&message->writing, 0);
    if (add->last != NULL) {
        add->last->next = message;
    } else {
        add->first = message;
    }
    add->last = message;
    add->n_unwritten++;
    if (add->result < 0) {
        fail(message, add->result, &add->err);
        set_over(message);
    }
    if (is_complete(message) || message->stage == OVER) {
        offer(message);
        pump_later(add->deliver);
    }
}

bool maildir_deliver_data(struct endpoint *endpoint,
                          struct add_request *request, struct bytes data)
{
    struct add *add = find_add(endpoint, request);
    struct maildir_deliver *deliver = add->deliver;
    struct message *message = add->last;

    if (message == NULL || message->stage == OVER || message->dropped) {
        return true; /* it has failed; the caller learns it from added() */
    }
    if (data.len > message->expected - message->received) {
        data.len = (size_t)(message->expected - message->received);
    }
    if (message->received == 0 && message->expected <= PIECE_BYTES) {
        (void)buf_reserve(&message->filling, (size_t)message->expected);
    }
    buf_add(&message->filling, data);
    message->received += data.len;
    deliver->held += data.len;
    offer(message);
    start_writers(deliver);
    add->wants_room = deliver->held > HELD_BYTES_MAX;
    return !add->wants_room;
}

void maildir_deliver_close(struct endpoint *endpoint,
                           struct add_request *request)
{
    struct add *add = find_add(endpoint, request);

    add->closed = true;
    pump_later(add->deliver);
}

void maildir_deliver_abort(struct endpoint *endpoint,
                           struct add_request *request)
{
    struct add *add = find_add(endpoint, request);

    if (add->last != NULL && !is_complete(add->last)) {
        drop(add->last);
    }
    add->closed = true;
    pump_later(add->deliver);
}

/* --- life ------------------------------------------------------------------ */

struct maildir_deliver *maildir_deliver_new(struct maildir *maildir)
{
    struct maildir_deliver *deliver = MEM_NEW(struct maildir_deliver);

    deliver->maildir = maildir;
    deliver->commit = (struct disk_task){
        .work = commit, .done = on_committed, .owner = deliver};
    deliver->commit_timer =
        diskwork_timer_new(maildir->diskwork, on_commit_timer, deliver);
    deliver->pump_timer =
        diskwork_timer_new(maildir->diskwork, on_pump_timer, deliver);
    for (size_t i = 0; i < WRITERS; i++) {
        struct writer *writer = &deliver->writers[i];

        writer->deliver = deliver;
        writer->task = (struct disk_task){
            .work = write_messages, .done = on_written, .owner = writer};
        buf_init(&writer->scratch, 0);
    }
    if (gethostname(deliver->host, sizeof(deliver->host) - 1) < 0 ||
        deliver->host[0] == 0) {
        (void)memcpy(deliver->host, "localhost", sizeof("localhost"));
    }
    return deliver;
}

void maildir_deliver_free(struct maildir_deliver *deliver)
{
    if (deliver == NULL) {
        return;
    }
    diskwork_timer_free(deliver->commit_timer);
    diskwork_timer_free(deliver->pump_timer);
    for (size_t i = 0; i < WRITERS; i++) {
        buf_deinit(&deliver->writers[i].scratch);
    }
    free(deliver);
}
