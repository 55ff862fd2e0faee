/* Read whole messages, streamed. */
#include <stdlib.h>

#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum { STEP_FETCH = IMAP_STEP_OWN, STEP_ALONE };

struct read {
    struct imap_task task; /* first */
    struct read_request *request;
    size_t from;         /* first range that was not asked for */
    bool open;           /* begin() without end() */
    bool nameless;       /* a body came before its UID did */
    bool refused;        /* NO: some of a set could not be read */
    uint32_t alone;      /* the UID of STEP_ALONE */
    struct uidset had;   /* that began */
    struct uidset retry; /* to be asked for one at a time */
};

static struct read *read_of(struct imap_task *task)
{
    return (struct read *)task;
}

static void send_window(struct read *read)
{
    const struct uidset *uids = read->request->uids;

    while (read->from < uids->n && read->task.outstanding < IMAP_WINDOW) {
        imap_task_send_set(&read->task, STEP_FETCH, "UID FETCH", uids,
                           &read->from, " (UID BODY.PEEK[])");
    }
}

static void read_start(struct imap_task *task)
{
    if (imap_task_select(task))
        send_window(read_of(task));
}

/* Some servers name the message behind its body, when it is too late to stream
 * it to the right place. Asked for one at a time there is no doubt. */
static void send_alone(struct read *read)
{
    struct uidset_walk walk = {.set = &read->retry};
    struct session *session;

    uidset_next(&walk, &read->alone);
    uidset_remove(&read->retry, read->alone);
    session = imap_task_begin(&read->task, STEP_ALONE);
    session_printf(session, "UID FETCH %u (UID BODY.PEEK[])", read->alone);
    imap_task_end(&read->task);
}

/* The only message that is asked for, or 0. */
static uint32_t only_uid(const struct read *read, int step)
{
    const struct uidset *uids = read->request->uids;

    if (step == STEP_ALONE)
        return read->alone;
    if (uids->n == 1 && uids->ranges[0].first == uids->ranges[0].last)
        return uids->ranges[0].first;
    return 0;
}

static bool read_wants(const struct imap_task *task, uint32_t uid)
{
    const struct read *read = (const struct read *)task;

    return uidset_has(read->request->uids, uid) && !uidset_has(&read->had, uid);
}

/* An existing message cannot be empty: with no octets the server just has none
 * for us. It counts as not there, never as an empty file. */
static void body_begins(struct read *read, int step,
                        const struct session_event *event)
{
    struct read_request *request = read->request;
    uint32_t uid = event->fetch.uid;

    if (event->body_is_header || event->body_size == 0 ||
        step == IMAP_STEP_SELECT)
        return;
    if (uid == 0)
        uid = only_uid(read, step);
    read->nameless = uid == 0;
    if (!read_wants(&read->task, uid))
        return;
    read->open = true;
    uidset_add(&read->had, uid);
    if (uid == read->task.uid_max && read->from == request->uids->n) {
        /* All of it is on its way, so what comes behind is another's. */
        read->task.sent = true;
        read->task.pool->wake(read->task.pool->owner);
    }
    request->begin(request, uid, event->body_size);
}

static void body_ends(struct read *read)
{
    if (!read->open)
        return;
    read->open = false;
    read->request->end(read->request, 0, NULL);
}

static void take_fetch(struct read *read, const struct session_fetch *fetch)
{
    if (read->nameless && (fetch->has & FETCH_UID) != 0 &&
        uidset_has(read->request->uids, fetch->uid))
        uidset_add(&read->retry, fetch->uid);
    read->nameless = false;
}

/* One message that cannot be read takes the rest of its set with it. */
static void retry_missing(struct read *read)
{
    struct uidset_walk walk = {.set = read->request->uids};
    uint32_t uid;

    read->refused = false;
    while (uidset_next(&walk, &uid)) {
        if (!uidset_has(&read->had, uid))
            uidset_add(&read->retry, uid);
    }
}

/* Returns negative where the whole request is over. */
static int check_fetched(struct read *read, int step,
                         const struct session_reply *reply, struct err *err)
{
    int r = imap_task_answer(reply, "FETCH", err);

    if (r != ERR_REFUSED || reply->status == IMAP_BAD)
        return r;
    if (step == STEP_FETCH)
        read->refused = true;
    return 0;
}

static void read_tagged(struct read *read, int step,
                        const struct session_event *event)
{
    struct imap_task *task = &read->task;
    struct err err;
    int r = step == IMAP_STEP_SELECT
                ? imap_task_selected(task, event, &err)
                : check_fetched(read, step, &event->reply, &err);

    if (r < 0) {
        imap_task_finish(task, r, &err);
        return;
    }
    send_window(read);
    if (task->outstanding > 0)
        return;
    if (read->refused)
        retry_missing(read);
    if (read->retry.n > 0) {
        send_alone(read);
    } else {
        imap_task_finish(task, 0, NULL);
    }
}

static void read_event(struct imap_task *task, int step,
                       const struct session_event *event)
{
    struct read *read = read_of(task);

    switch (event->kind) {
    case SESSION_BODY:
        body_begins(read, step, event);
        break;
    case SESSION_BODY_DATA:
        if (read->open)
            read->request->data(read->request, event->data);
        break;
    case SESSION_BODY_END:
        body_ends(read);
        break;
    case SESSION_FETCH:
        take_fetch(read, &event->fetch);
        break;
    case SESSION_TAGGED:
        read_tagged(read, step, event);
        break;
    default:
        break;
    }
}

static void read_lost(struct imap_task *task, int result, const struct err *err)
{
    struct read *read = read_of(task);

    if (read->open)
        read->request->end(read->request, result, err);
    read->open = false;
}

static void read_deinit(struct imap_task *task)
{
    uidset_deinit(&read_of(task)->had);
    uidset_deinit(&read_of(task)->retry);
}

struct imap_task *imap_read_new(struct imap_pool *pool,
                                struct read_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_READS,
                                                 .size = sizeof(struct read),
                                                 .start = read_start,
                                                 .event = read_event,
                                                 .wants = read_wants,
                                                 .lost = read_lost,
                                                 .deinit = read_deinit};
    struct imap_task *task = imap_task_new(pool, &class, &request->base);

    read_of(task)->request = request;
    task->folder = &request->folder;
    if (request->uids->n > 0)
        task->uid_max = request->uids->ranges[request->uids->n - 1].last;
    return task;
}
