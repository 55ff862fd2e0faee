/*
 * Add messages: APPEND, as the octets come in.
 *
 *     BETWEEN ──▶ AWAIT ──▶ LITERAL ──▶ BETWEEN
 *        │  └─────────────────▲ │
 *        ▼                      ▼ NO in place of "+"
 *     SWALLOW ◀─────────────────┘
 *
 * With LITERAL+ (RFC 7888) nothing waits. With MULTIAPPEND (RFC 3502) as well,
 * all messages of the request go as one command, a "batch"; but one without
 * octets would cancel it, and goes alone.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sabotage.h"
#include "imap/date.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

/* Data held while there is no connection, or "+" is awaited. */
#define HELD_BYTES ((size_t)256 << 10)

/* After so many refusals in a row for want of room nothing is sent any more. */
#define FULL_MAX 3u

/* RFC 7888 section 4: the longest literal that LITERAL- sends unasked. */
#define LITERAL_MINUS_MAX 4096u

enum state {
    STATE_BETWEEN, /* the next thing to write is a message's beginning */
    STATE_AWAIT,   /* "+" is due */
    STATE_LITERAL, /* octets go to the server */
    STATE_SWALLOW  /* octets go nowhere: the message is settled */
};

struct message {
    struct message_meta meta;
    size_t batch; /* which APPEND it was in; 0: none */
    bool settled; /* the outcome is known */
    int result;
    uint32_t uid;
    char *text; /* of a failure */
};

struct add {
    struct imap_task task; /* first */
    struct add_request *request;
    struct message *messages;
    size_t n_messages;
    size_t cap;
    size_t next;     /* the first that was not begun on the wire */
    size_t reported; /* the first whose added() is due */
    enum state state;
    uint64_t left;     /* octets still to come, of the one before next */
    uint64_t received; /* octets that came, of the last message */
    size_t batch;      /* number of the last APPEND; from 1 */
    bool batch_open;   /* its line goes on */
    bool batch_dead;   /* its line goes on, though the server refused it */
    bool closed;
    bool aborted;
    bool wants_room;
    uint32_t uidvalidity; /* of the UIDs that were told; 0: none was */
    int result;           /* negative: with err, what became of the folder */
    struct err err;
    struct buf wire; /* the folder's name */
    struct buf held;
};

static struct add *add_of(struct imap_task *task)
{
    return (struct add *)task;
}

static uint32_t caps_of(const struct add *add)
{
    return add->task.pool->caps.bits;
}

static bool joins_batch(const struct add *add, const struct message *message)
{
    const uint32_t needed = CAP_MULTIAPPEND | CAP_LITERAL_PLUS;

    return message->meta.size > 0 && (caps_of(add) & needed) == needed &&
           !add->task.pool->cramped;
}

static bool is_unasked(const struct add *add, uint64_t size)
{
    uint32_t caps = caps_of(add);

    return (caps & CAP_LITERAL_PLUS) != 0 ||
           ((caps & CAP_LITERAL_MINUS) != 0 && size <= LITERAL_MINUS_MAX);
}

static void settle(struct message *message, int result, uint32_t uid,
                   const struct err *err)
{
    if (message->settled)
        return;
    message->settled = true;
    message->result = result;
    message->uid = uid;
    message->text = result < 0 ? mem_copy(err->text) : NULL;
}

/* Call added() for all whose turn it is. It may add messages. */
static void report(struct add *add)
{
    struct message message;
    struct err err;
    size_t index;

    while (add->reported < add->n_messages &&
           add->messages[add->reported].settled && !add->task.over) {
        index = add->reported++;
        message = add->messages[index];
        add->messages[index].text = NULL;
        err_set(&err, ERR_REFUSED, "%s",
                message.text != NULL ? message.text : "");
        free(message.text);
        add->request->uidvalidity = add->uidvalidity;
        add->request->added(add->request, index, message.result, message.uid,
                            &err);
    }
}

static void end_batch(struct add *add)
{
    if (add->batch_open)
        imap_task_end(&add->task);
    add->batch_open = false;
    add->batch_dead = false;
}

/* Begin an APPEND, or go on with it, up to the message's literal. */
static void write_header(struct add *add, struct message *message)
{
    const struct message_meta *meta = &message->meta;
    bool unasked = is_unasked(add, meta->size);
    struct session *session = conn_session(add->task.link->conn);
    char date[DATE_TEXT_BYTES];
    struct buf flags;

    if (!add->batch_open) {
        add->batch++;
        add->batch_open = true;
        imap_task_begin(&add->task, IMAP_STEP_OWN + (int)add->batch);
        session_add(session, B("APPEND "), false);
        session_add_quoted(session, buf_peek(&add->wire));
    }
    message->batch = add->batch;
    date_print(meta->date, date);
    buf_init(&flags, 0);
    flags_print(add->task.pool->shared.keywords, meta->flags, &flags);
    session_printf(session, " (%s) \"%s\" {%llu%s}\r\n", buf_text(&flags), date,
                   (unsigned long long)meta->size, unasked ? "+" : "");
    buf_deinit(&flags);
    add->state = unasked ? STATE_LITERAL : STATE_AWAIT;
    if (!unasked)
        imap_link_await(add->task.link, true);
}

/* Returns false where there is nothing to begin. */
static bool begin_next(struct add *add)
{
    uint64_t limit = add->task.pool->caps.append_max;
    struct message *message;
    struct err err;
    int r = 0;

    if (add->next == add->n_messages)
        return false;
    message = &add->messages[add->next++];
    add->left = message->meta.size;
    add->state = STATE_SWALLOW;
    if (message->settled)
        return true;
    if (limit != 0 && message->meta.size > limit)
        r = err_set(&err, ERR_REFUSED,
                    "the server takes messages up to %llu octets only",
                    (unsigned long long)limit);
    else if (add->task.pool->full >= FULL_MAX)
        r = err_set(&err, ERR_FULL, "the account is over its quota");
    if (r < 0) {
        settle(message, r, 0, &err);
        imap_task_nudge(&add->task);
        return true;
    }
    if (!joins_batch(add, message))
        end_batch(add);
    write_header(add, message);
    return true;
}

static void message_ends(struct add *add)
{
    const struct message *message = &add->messages[add->next - 1];

    if (add->state == STATE_LITERAL &&
        (add->batch_dead || !joins_batch(add, message)))
        end_batch(add);
    add->state = STATE_BETWEEN;
}

/* Is everything on the wire, the end included? */
static void check_sent(struct add *add)
{
    if (!add->closed || add->state != STATE_BETWEEN ||
        add->next < add->n_messages || add->task.link == NULL)
        return;
    end_batch(add);
    add->task.sent = true;
    imap_task_nudge(&add->task);
}

/* Write as much as can be written of what came. Returns how much of @in was
 * taken. */
static size_t pump(struct add *add, struct bytes in)
{
    struct imap_link *link = add->task.link;
    size_t len = in.len;
    size_t n;

    if (link == NULL || link->doomed)
        return 0;
    while (add->state != STATE_BETWEEN || begin_next(add)) {
        if (add->state == STATE_AWAIT)
            break;
        n = in.len < add->left ? in.len : (size_t)add->left;
        if (add->state == STATE_LITERAL && n > 0) {
            session_add(conn_session(link->conn), (struct bytes){in.ptr, n},
                        true);
        }
        in = bytes_skip(in, n);
        add->left -= n;
        if (add->left > 0)
            break;
        message_ends(add);
    }
    conn_flush(link->conn);
    check_sent(add);
    if (add->result < 0)
        imap_task_nudge(&add->task);
    return len - in.len;
}

static void pump_held(struct add *add)
{
    buf_ack(&add->held, pump(add, buf_peek(&add->held)));
}

static bool has_room(const struct add *add)
{
    return buf_len(&add->held) < HELD_BYTES && add->task.link != NULL &&
           conn_queued(add->task.link->conn) < CONN_QUEUE_MARK;
}

static void offer_room(struct add *add)
{
    if (!add->wants_room || !has_room(add))
        return;
    add->wants_room = false;
    add->request->room(add->request);
}

/* The request is over when all is told. */
static void check_over(struct add *add)
{
    if (add->task.over || add->task.outstanding > 0 || add->batch_open)
        return;
    if (add->result < 0) {
        imap_task_finish(&add->task, add->result, &add->err);
    } else if (add->task.sent && add->reported == add->n_messages) {
        imap_task_finish(&add->task, 0, NULL);
    }
}

static void add_start(struct imap_task *task)
{
    struct add *add = add_of(task);

    add->result = imap_names_wire(&task->pool->names, add->request->folder.name,
                                  &add->wire, &add->err);
    if (add->result == 0)
        pump_held(add);
    check_over(add);
    if (!task->over)
        offer_room(add);
}

/* UIDs rise in the order of the messages (RFC 3502 section 3). What does not
 * add up is not believed. */
static bool uids_are_valid(const struct add *add,
                           const struct session_reply *reply, size_t n)
{
    uint32_t expected = add->request->folder.uidvalidity;

    if (expected == 0)
        expected = add->uidvalidity; /* of those before */
    return reply->code == CODE_APPENDUID && reply->set != NULL &&
           uidset_count(reply->set) == n &&
           (expected == 0 || expected == reply->number);
}

/* Some servers refuse a message for its keywords (Dovecot: [CANNOT]), and do not
 * say so. */
static int or_bare(const struct message *message,
                   const struct session_reply *reply, int result)
{
    bool too_large = reply->code == CODE_TOOBIG || reply->code == CODE_LIMIT;

    return result == ERR_REFUSED && message->meta.flags.keywords != 0 &&
                   !too_large
               ? ERR_RETRY_BARE
               : result;
}

/* Several that find no room together may find it one by one, as long as the
 * smaller ones do: from now on each goes alone. */
static void note_room(struct imap_pool *pool, size_t n_messages, int result)
{
    if (result == ERR_FULL && n_messages > 1)
        pool->cramped = true;
    else
        pool->full = result == ERR_FULL ? pool->full + 1 : 0;
}

/* Who looks into the folder next asks for new messages at once. */
static void note_growth(const struct add *add, size_t n)
{
    struct imap_name *name =
        imap_names_find(&add->task.pool->names, add->request->folder.name);

    if (name == NULL)
        return;
    name->grew = true;
    name->messages += (uint32_t)n;
}

/* An APPEND was answered: so much for all messages in it. */
static void settle_batch(struct add *add, size_t batch,
                         const struct session_reply *reply)
{
    struct uidset_walk walk = {.set = reply->set};
    struct message *messages = add->messages;
    size_t from = add->reported;
    size_t to;
    bool numbered;
    uint32_t uid = 0;
    struct verdict verdict = verdict_of_answer(reply);
    struct err err;
    int r = imap_task_answer(reply, "APPEND", &err);

    while (from < add->next && messages[from].batch != batch)
        from++;
    for (to = from; to < add->next && messages[to].batch == batch; to++)
        continue;
    numbered = r == 0 && uids_are_valid(add, reply, to - from);
    if (numbered)
        add->uidvalidity = (uint32_t)reply->number;
    note_room(add->task.pool, to - from, r);
    if (r == 0) {
        imap_pool_progress(add->task.pool);
        note_growth(add, to - from);
    } else if (verdict_passes(verdict)) {
        /* None of them is there; their octets are gone, too. */
        if (imap_pool_rest(add->task.pool, verdict, &err))
            r = ERR_RETRY;
    } else if (reply->code != CODE_TRYCREATE && to - from > 1) {
        r = ERR_RETRY_SINGLY;
    }
    if (r == ERR_GONE && add->result == 0) {
        add->result = r;
        add->err = err;
    }
    for (size_t i = from; i < to && r != ERR_GONE; i++) {
        if (numbered && !uidset_next(&walk, &uid))
            uid = 0;
        settle(&messages[i], or_bare(&messages[i], reply, r), uid, &err);
    }
}

static void add_tagged(struct add *add, int step,
                       const struct session_reply *reply)
{
    size_t batch = (size_t)(step - IMAP_STEP_OWN);

    if (batch == add->batch && add->batch_open) {
        if (add->state == STATE_AWAIT) {
            /* Now the literal must not be sent. */
            imap_link_forget(add->task.link);
            add->batch_open = false;
            add->state = STATE_SWALLOW;
        } else {
            /* The server reads on to the end of the line that we owe it. */
            add->batch_dead = true;
            if (add->state == STATE_BETWEEN)
                end_batch(add);
        }
    }
    settle_batch(add, batch, reply);
    pump_held(add);
    report(add);
    check_over(add);
}

static void add_event(struct imap_task *task, int step,
                      const struct session_event *event)
{
    struct add *add = add_of(task);

    if (event->kind == SESSION_CONTINUE && add->state == STATE_AWAIT) {
        imap_link_await(task->link, false);
        add->state = STATE_LITERAL;
        pump_held(add);
    } else if (event->kind == SESSION_TAGGED) {
        add_tagged(add, step, &event->reply);
    }
    if (!task->over)
        offer_room(add);
}

static void add_drained(struct imap_task *task)
{
    offer_room(add_of(task));
}

static void add_nudged(struct imap_task *task)
{
    report(add_of(task));
    check_over(add_of(task));
}

/* Did the whole of its APPEND go out? Where it did not, the server cannot have
 * stored any of it: all or none (RFC 3502 section 6.3.11). */
static bool is_sent(const struct add *add, const struct message *message)
{
    return message->batch != 0 &&
           !(add->batch_open && message->batch == add->batch) &&
           !SABOTAGED(append_again);
}

/* The connection is gone, and with it the answers: of what was sent whole
 * nobody knows whether it is there, or about to be. */
static void settle_lost(struct add *add, const struct err *err)
{
    bool unsure = false;

    for (size_t i = add->reported; i < add->n_messages; i++) {
        struct message *message = &add->messages[i];

        if (message->settled)
            continue;
        unsure |= is_sent(add, message);
        settle(message, is_sent(add, message) ? ERR_UNSURE : ERR_RETRY, 0, err);
    }
    if (unsure)
        imap_pool_let_settle(add->task.pool);
}

/* Where it was cut off by its own caller, nothing more is there. */
static int add_lost(struct imap_task *task, int result, const struct err *err)
{
    struct add *add = add_of(task);

    if (result == ERR_RETRY) {
        settle_lost(add, err);
    } else if (add->aborted && result == ERR_CANCELLED) {
        for (size_t i = add->reported; i < add->n_messages; i++)
            settle(&add->messages[i], ERR_CANCELLED, 0, err);
    } else {
        return result;
    }
    report(add);
    return result;
}

void imap_add_message(struct imap_task *task, const struct message_meta *meta)
{
    struct add *add = add_of(task);
    struct message *message;

    add->messages = mem_grow(add->messages, add->n_messages, &add->cap,
                             sizeof(*add->messages));
    message = &add->messages[add->n_messages++];
    memset(message, 0, sizeof(*message));
    message->meta = *meta;
    add->received = 0;
    task->lone = add->n_messages == 1;
    task->waits = false;
    if (task->link == NULL) {
        task->pool->wake(task->pool->owner);
    } else {
        pump_held(add);
    }
}

bool imap_add_data(struct imap_task *task, struct bytes data)
{
    struct add *add = add_of(task);

    add->received += data.len;
    if (buf_len(&add->held) == 0)
        data = bytes_skip(data, pump(add, data));
    if (data.len > 0) {
        buf_add(&add->held, data);
        pump_held(add);
    }
    add->wants_room = !has_room(add) &&
                      (task->link != NULL || buf_len(&add->held) >= HELD_BYTES);
    return !add->wants_room;
}

void imap_add_close(struct imap_task *task)
{
    struct add *add = add_of(task);

    add->closed = true;
    if (add->n_messages == 0) {
        imap_task_finish(task, 0, NULL);
    } else {
        pump_held(add);
    }
}

/* A literal that was announced can only be taken back with its connection. One
 * that was not is left out: its octets so far go nowhere. */
void imap_add_abort(struct imap_task *task)
{
    struct add *add = add_of(task);
    struct message *message;
    struct err err;
    int r = err_set(&err, ERR_CANCELLED, "the message could not be completed");

    if (add->n_messages == 0) {
        imap_add_close(task);
        return;
    }
    add->aborted = true;
    message = &add->messages[add->n_messages - 1];
    if (add->next == add->n_messages &&
        (add->state == STATE_LITERAL || add->state == STATE_AWAIT)) {
        imap_link_doom(task->link);
        return;
    }
    settle(message, r, 0, &err);
    if (add->next == add->n_messages && add->state == STATE_SWALLOW) {
        add->left = buf_len(&add->held);
    } else {
        message->meta.size = add->received;
    }
    imap_add_close(task);
    if (task->link != NULL)
        imap_task_nudge(task);
}

static void add_deinit(struct imap_task *task)
{
    struct add *add = add_of(task);

    for (size_t i = 0; i < add->n_messages; i++)
        free(add->messages[i].text);
    free(add->messages);
    buf_deinit(&add->wire);
    buf_deinit(&add->held);
}

struct imap_task *imap_add_new(struct imap_pool *pool,
                               struct add_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_ADDS,
                                                 .size = sizeof(struct add),
                                                 .start = add_start,
                                                 .event = add_event,
                                                 .drained = add_drained,
                                                 .nudged = add_nudged,
                                                 .lost = add_lost,
                                                 .deinit = add_deinit};
    struct imap_task *task = imap_task_new(pool, &class, &request->base);

    add_of(task)->request = request;
    buf_init(&add_of(task)->wire, 0);
    buf_init(&add_of(task)->held, 0);
    task->waits = true;
    task->light =
        request->octets > 0 && request->octets <= ENDPOINT_SMALL_OCTETS;
    pool->adds = true;
    return task;
}
