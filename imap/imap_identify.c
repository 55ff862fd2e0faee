/*
 * Size, date and a digest of messages: what tells one from another.
 *
 * A few headers are light: those of many folders share a flight (IMAP_READS).
 * Where several ask in one folder at once, answers come in any order, and those
 * to one command among those to another; each goes to one who waits for it
 * (wants()), and who misses any asks once more, with nobody else around. What is
 * still missing then is not there.
 */
#include <string.h>

#include "base/digest.h"
#include "base/identity.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum { STEP_FETCH = IMAP_STEP_OWN };

/* So few headers that what follows on the connection does not wait for long;
 * many had better come side by side. */
#define FEW_HEADERS 100u

struct identify {
    struct imap_task task; /* first */
    struct identify_request *request;
    struct uidset todo; /* not told yet, when it began */
    struct uidset told;
    size_t from;  /* first range of todo that was not asked for */
    bool digests; /* a body is being read that counts */
    uint64_t octets;
    struct identity_reader *reader;
    struct digest *digest;
};

static struct identify *identify_of(struct imap_task *task)
{
    return (struct identify *)task;
}

static const char *items(enum identify_level level)
{
    switch (level) {
    case IDENTIFY_META:
        return " (UID INTERNALDATE RFC822.SIZE)";
    case IDENTIFY_ENVELOPE:
        return " (UID INTERNALDATE RFC822.SIZE"
               " BODY.PEEK[HEADER.FIELDS (" IDENTITY_ENVELOPE ")])";
    case IDENTIFY_HEADER:
        return " (UID INTERNALDATE RFC822.SIZE"
               " BODY.PEEK[HEADER.FIELDS (" IDENTITY_FIELDS ")])";
    case IDENTIFY_BODY:
        break;
    }
    return " (UID INTERNALDATE RFC822.SIZE BODY.PEEK[])";
}

static void send_window(struct identify *identify)
{
    const struct identify_request *request = identify->request;

    while (identify->from < identify->todo.n &&
           identify->task.outstanding < IMAP_WINDOW) {
        imap_task_send_set(&identify->task, STEP_FETCH, "UID FETCH",
                           &identify->todo, &identify->from,
                           items(request->level));
    }
    if (identify->task.light && identify->from == identify->todo.n)
        imap_task_sent(&identify->task);
}

static void identify_start(struct imap_task *task)
{
    if (identify_of(task)->todo.n == 0) {
        imap_task_finish(task, 0, NULL);
    } else if (imap_task_select(task)) {
        send_window(identify_of(task));
    }
}

/* The digest starts anew with each body. */
static void body_begins(struct identify *identify, bool is_header)
{
    struct identity unused;
    uint8_t none[DIGEST_BYTES];

    identify->digests =
        identify->request->level != IDENTIFY_META &&
        is_header == (identify->request->level != IDENTIFY_BODY);
    if (!identify->digests)
        return;
    identify->octets = 0;
    if (is_header) {
        identity_reader_final(identify->reader, &unused);
    } else {
        digest_final(identify->digest, none);
    }
}

static void body_data(struct identify *identify, struct bytes data)
{
    if (!identify->digests)
        return;
    identify->octets += data.len;
    if (identify->request->level != IDENTIFY_BODY) {
        identity_reader_add(identify->reader, data);
    } else {
        digest_add(identify->digest, data);
    }
}

static bool is_due(const struct identify *identify, uint32_t uid)
{
    return uidset_has(identify->request->uids, uid) &&
           !uidset_has(&identify->told, uid);
}

/* Of those that are light only. Whether NIL stands for a header or for a body is
 * not known: both kinds ask again. */
static bool identify_wants(const struct imap_task *task,
                           const struct session_event *event)
{
    const struct identify *identify = (const struct identify *)task;
    bool header = event->kind == SESSION_BODY;

    if (header != (identify->request->level != IDENTIFY_META))
        return false;
    return is_due(identify, event->fetch.uid) &&
           (header ? event->body_is_header
                   : (event->fetch.has & FETCH_SIZE) != 0);
}

static void take_fetch(struct identify *identify,
                       const struct session_fetch *fetch)
{
    const uint32_t needed = FETCH_UID | FETCH_SIZE;
    struct identify_request *request = identify->request;
    struct identity identity = {.size = fetch->size};
    bool had_body = identify->digests;

    identify->digests = false;
    /* The server may say more than it was asked, but not less. */
    if ((fetch->has & needed) != needed ||
        !uidset_has(request->uids, fetch->uid))
        return;
    if (request->level == IDENTIFY_BODY && !had_body)
        return;
    /* That may be the answer to another. */
    if (request->level != IDENTIFY_META && !had_body && identify->task.mixed)
        return;
    if ((fetch->has & FETCH_DATE) != 0)
        identity.date = fetch->date;
    if (request->level != IDENTIFY_BODY && had_body)
        identity_reader_final(identify->reader, &identity);
    if (request->level == IDENTIFY_BODY) {
        identity.size = identify->octets;
        digest_final(identify->digest, identity.digest);
    }
    uidset_add(&identify->told, fetch->uid);
    request->item(request, fetch->uid, &identity);
}

/* All that was sent is answered. */
static void answered(struct identify *identify)
{
    struct imap_task *task = &identify->task;

    if (task->mixed &&
        uidset_count(&identify->told) < uidset_count(identify->request->uids)) {
        task->alone = true;
        imap_pool_again(task->pool, task, STEP_FETCH);
    } else {
        imap_task_finish(task, 0, NULL);
    }
}

static void identify_tagged(struct identify *identify, int step,
                            const struct session_event *event)
{
    struct imap_task *task = &identify->task;
    struct err err;
    int r = step == IMAP_STEP_SELECT
                ? imap_task_selected(task, event, &err)
                : imap_task_answer(&event->reply, "FETCH", &err);

    if (r < 0) {
        imap_task_finish(task, r, &err);
        return;
    }
    if (identify->from < identify->todo.n)
        send_window(identify);
    if (task->outstanding == 0)
        answered(identify);
}

static void identify_event(struct imap_task *task, int step,
                           const struct session_event *event)
{
    struct identify *identify = identify_of(task);

    switch (event->kind) {
    case SESSION_BODY:
        body_begins(identify, event->body_is_header);
        break;
    case SESSION_BODY_DATA:
        body_data(identify, event->data);
        break;
    case SESSION_FETCH:
        if (step == STEP_FETCH)
            take_fetch(identify, &event->fetch);
        break;
    case SESSION_TAGGED:
        identify_tagged(identify, step, event);
        break;
    default:
        break;
    }
}

static bool identify_again(struct imap_task *task, int step)
{
    struct identify *identify = identify_of(task);

    (void)step;
    uidset_remove_set(&identify->todo, &identify->told);
    identify->from = 0;
    identify->digests = false;
    return true;
}

static void identify_deinit(struct imap_task *task)
{
    uidset_deinit(&identify_of(task)->todo);
    uidset_deinit(&identify_of(task)->told);
    identity_reader_free(identify_of(task)->reader);
    digest_free(identify_of(task)->digest);
}

/* Bodies, and many headers, have a connection to themselves. The fields that are
 * asked for at IDENTIFY_ENVELOPE are others, and nothing would tell such an
 * answer from one to somebody else. */
static bool is_light(const struct identify_request *request)
{
    return (request->level == IDENTIFY_META ||
            request->level == IDENTIFY_HEADER) &&
           uidset_count(request->uids) <= FEW_HEADERS;
}

struct imap_task *imap_identify_new(struct imap_pool *pool,
                                    struct identify_request *request)
{
    static const struct imap_task_class light = {.role = IMAP_READS,
                                                 .size =
                                                     sizeof(struct identify),
                                                 .start = identify_start,
                                                 .event = identify_event,
                                                 .wants = identify_wants,
                                                 .again = identify_again,
                                                 .deinit = identify_deinit};
    static const struct imap_task_class heavy = {.role = IMAP_ALONE,
                                                 .size =
                                                     sizeof(struct identify),
                                                 .start = identify_start,
                                                 .event = identify_event,
                                                 .again = identify_again,
                                                 .deinit = identify_deinit};
    bool is_few = is_light(request);
    struct imap_task *task =
        imap_task_new(pool, is_few ? &light : &heavy, &request->base);
    struct identify *identify = identify_of(task);

    identify->request = request;
    identify->reader = identity_reader_new(request->level == IDENTIFY_ENVELOPE
                                               ? IDENTITY_BY_ENVELOPE
                                               : IDENTITY_BY_FIELDS);
    identify->digest = digest_new();
    uidset_add_set(&identify->todo, request->uids);
    task->light = is_few;
    task->folder = &request->folder;
    if (request->uids->n > 0)
        task->uid_max = request->uids->ranges[request->uids->n - 1].last;
    return task;
}
