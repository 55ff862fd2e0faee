/* Read whole messages, streamed. */
#include <stdlib.h>

#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum { STEP_FETCH = IMAP_STEP_OWN, STEP_ALONE };

struct read {
    struct imap_task task; /* first */
    struct read_request *request;
    struct uidset todo;  /* not delivered yet, when it began */
    size_t from;         /* first range of todo that was not asked for */
    bool open;           /* begin() without end() */
    bool nameless;       /* a body came before its UID did */
    bool got_on;         /* a message was delivered since start() */
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
    const struct uidset *todo = &read->todo;

    while (read->from < todo->n && read->task.outstanding < IMAP_WINDOW) {
        imap_task_send_set(&read->task, STEP_FETCH, "UID FETCH", todo,
                           &read->from, " (UID BODY.PEEK[])");
    }
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

/* All that was sent is answered. */
static void go_on(struct read *read)
{
    if (read->refused)
        retry_missing(read);
    if (read->retry.n == 0) {
        imap_task_finish(&read->task, 0, NULL);
    } else if (imap_task_goes_on(&read->task)) {
        send_alone(read);
    }
}

static void read_start(struct imap_task *task)
{
    struct read *read = read_of(task);

    if (!imap_task_select(task))
        return;
    send_window(read);
    if (task->outstanding == 0) {
        go_on(read);
    } else if (read->from == read->todo.n) {
        task->ending = task->light;
        imap_task_sent(task);
    }
}

/* The only message that is asked for, or 0. */
static uint32_t only_uid(const struct read *read, int step)
{
    const struct uidset *todo = &read->todo;

    if (step == STEP_ALONE)
        return read->alone;
    if (todo->n == 1 && todo->ranges[0].first == todo->ranges[0].last)
        return todo->ranges[0].first;
    return 0;
}

/* Is @uid the last that was asked for, with nothing more to ask? */
static bool is_last(const struct read *read, uint32_t uid)
{
    const struct uidset *todo = &read->todo;

    return read->from == todo->n && todo->n > 0 &&
           uid == todo->ranges[todo->n - 1].last;
}

static bool is_due(const struct read *read, uint32_t uid)
{
    return uidset_has(read->request->uids, uid) && !uidset_has(&read->had, uid);
}

static bool read_wants(const struct imap_task *task,
                       const struct session_event *event)
{
    bool body = event->kind == SESSION_BODY
                    ? !event->body_is_header
                    : (event->fetch.has & FETCH_BODY_NIL) != 0;

    return body && is_due((const struct read *)task, event->fetch.uid);
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
    if (!is_due(read, uid))
        return;
    read->open = true;
    uidset_add(&read->had, uid);
    if (is_last(read, uid)) {
        /* All of it is on its way, so what comes behind is another's. */
        read->task.ending = true;
        imap_task_sent(&read->task);
    }
    request->begin(request, uid, event->body_size);
}

static void body_ends(struct read *read)
{
    if (!read->open)
        return;
    read->open = false;
    read->got_on = true;
    imap_pool_progress(read->task.pool);
    read->request->end(read->request, 0, NULL);
}

/* A body that came without its name, or empty, is asked for once more. */
static void take_fetch(struct read *read, int step,
                       const struct session_fetch *fetch)
{
    bool had_body = (fetch->has & (FETCH_BODY | FETCH_BODY_NIL)) != 0;

    if (step == STEP_FETCH && had_body && (fetch->has & FETCH_UID) != 0 &&
        is_due(read, fetch->uid))
        uidset_add(&read->retry, fetch->uid);
    read->nameless = false;
}

/* Returns negative where the whole request is over. */
static int check_fetched(struct read *read, int step,
                         const struct session_reply *reply, struct err *err)
{
    int r = imap_task_answer(reply, "FETCH", err);

    /* Yahoo: some messages are UNAVAILABLE for ever. */
    if ((r != ERR_REFUSED && r != ERR_BUSY) || reply->status == IMAP_BAD)
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
    if (task->outstanding == 0)
        go_on(read);
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
        take_fetch(read, step, &event->fetch);
        break;
    case SESSION_TAGGED:
        read_tagged(read, step, event);
        break;
    default:
        break;
    }
}

/* What was delivered is not asked for again; the beginning of a message cannot
 * be taken back. */
static bool read_again(struct imap_task *task, int step)
{
    struct read *read = read_of(task);

    /* Lost with nothing to show for it: one message may be to blame, and only
     * the owner of the request can tell it from the others. But not where
     * another task's answers were due first. */
    if (read->open || (step == IMAP_STEP_LOST && !read->got_on &&
                       imap_link_is_first(task->link, task)))
        return false;
    read->got_on = false;
    if (read->alone != 0)
        uidset_add(&read->retry, read->alone);
    uidset_remove_set(&read->retry, &read->had);
    uidset_remove_set(&read->todo, &read->had);
    uidset_remove_set(&read->todo, &read->retry);
    read->alone = 0;
    read->from = 0;
    read->nameless = false;
    read->refused = false;
    return true;
}

static int read_lost(struct imap_task *task, int result, const struct err *err)
{
    struct read *read = read_of(task);

    if (read->open)
        read->request->end(read->request, result, err);
    read->open = false;
    return result;
}

static void read_deinit(struct imap_task *task)
{
    uidset_deinit(&read_of(task)->todo);
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
                                                 .again = read_again,
                                                 .lost = read_lost,
                                                 .deinit = read_deinit};
    struct imap_task *task = imap_task_new(pool, &class, &request->base);

    read_of(task)->request = request;
    uidset_add_set(&read_of(task)->todo, request->uids);
    task->folder = &request->folder;
    /* It fits what is held of an add that waits for a connection (imap_add.c):
     * its reader never pauses what comes behind it. */
    task->light =
        request->octets > 0 && request->octets <= ENDPOINT_SMALL_OCTETS;
    task->lone = uidset_count(request->uids) == 1;
    if (request->uids->n > 0)
        task->uid_max = request->uids->ranges[request->uids->n - 1].last;
    return task;
}
