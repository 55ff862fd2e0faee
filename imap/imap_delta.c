/*
 * What is in a folder, or what changed there. The tiers:
 *
 *   RESYNC     SELECT (QRESYNC ...) tells changes and what vanished (RFC 7162)
 *   CONDSTORE  FETCH (CHANGEDSINCE ...); what is gone shows in the count, and
 *              only then UID SEARCH names it
 *   PLAIN      flags of all, size and date of the new ones
 *   FULL       all of everything
 *
 * The folder is always selected anew, and what is told is its state at that
 * moment: messages that arrive meanwhile are left for the next time. Commands
 * that depend on the token alone leave in one flight with SELECT; where its
 * answer shows that the token is void, what they bring is dropped, and the
 * listing is made in full.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/sabotage.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

#define NEW_ITEMS "(UID FLAGS INTERNALDATE RFC822.SIZE)"
/* About what a server needs to list one message with these, or its flags. */
#define NEW_BYTES   100u
#define FLAGS_BYTES 45u
/* A listing that another may follow. */
#define FOLLOWED_BYTES_MAX (64u << 10)

enum mode { MODE_RESYNC, MODE_CONDSTORE, MODE_PLAIN, MODE_FULL };

/* What the commands that left with SELECT are worth. */
enum flight {
    FLIGHT_GOOD,
    FLIGHT_VOID,   /* the token was void: once all are answered, list in full */
    FLIGHT_REFUSED /* SELECT was, for its parameters: start again */
};

enum {
    STEP_OLD = IMAP_STEP_OWN, /* flags below UIDNEXT of the token */
    STEP_NEW,                 /* messages from there on */
    STEP_FULL,
    STEP_SEARCH
};

struct delta {
    struct imap_task task; /* first */
    struct delta_request *request;
    enum mode mode;
    enum flight flight;
    uint32_t from;       /* UIDNEXT of the token; 1 for a full listing */
    bool asked_new;      /* STEP_NEW was sent */
    bool early;          /* changes came before UIDVALIDITY did */
    struct uidset seen;  /* FULL, PLAIN: all that came; else those from @from */
    struct uidset found; /* by STEP_SEARCH */
    uint32_t junk;       /* lines not understood before */
    int result;          /* negative: with err, why it failed */
    struct err err;
};

static struct delta *delta_of(struct imap_task *task)
{
    return (struct delta *)task;
}

static const struct imap_box *box_of(const struct delta *delta)
{
    return &delta->task.link->box;
}

/* What is known of the folder; or NULL. */
static const struct imap_name *name_of(const struct delta *delta)
{
    return imap_names_find(&delta->task.pool->names, delta->task.folder->name);
}

static uint32_t junk_lines(const struct delta *delta)
{
    return session_junk_lines(conn_session(delta->task.link->conn));
}

/* How much of what SELECT counted is still there. */
static uint32_t still_there(const struct imap_box *box)
{
    return box->expunged < box->before ? box->before - box->expunged : 0;
}

static void choose_mode(struct delta *delta)
{
    const struct delta_request *request = delta->request;
    const struct folder_token *since = &request->since;

    delta->mode = MODE_FULL;
    delta->from = 1;
    if (!request->has_since || request->want_full || since->uidvalidity == 0 ||
        since->uidnext == 0)
        return;
    delta->from = since->uidnext;
    if (delta->task.pool->tier == IMAP_PLAIN) {
        delta->mode = MODE_PLAIN;
    } else if (since->highestmodseq == 0) {
        delta->from = 1;
    } else if (delta->task.pool->tier == IMAP_RESYNC) {
        delta->mode = MODE_RESYNC;
    } else {
        delta->mode = MODE_CONDSTORE;
    }
}

/* About how much is to be listed. */
static uint64_t octets_expected(const struct delta *delta)
{
    const struct imap_name *name = name_of(delta);
    uint64_t messages = name != NULL ? name->messages : 0;

    if (delta->mode == MODE_FULL)
        return messages * NEW_BYTES;
    return delta->mode == MODE_PLAIN ? messages * FLAGS_BYTES : 0;
}

static uint64_t delta_expects(struct imap_task *task)
{
    choose_mode(delta_of(task));
    return octets_expected(delta_of(task));
}

static bool select_folder(struct delta *delta)
{
    const struct folder_token *since = &delta->request->since;
    struct imap_task *task = &delta->task;
    const char *name = task->folder->name;
    struct buf wire;
    struct buf parameters;
    struct err err;
    int r;

    buf_init(&wire, 0);
    buf_init(&parameters, 0);
    if (delta->mode == MODE_RESYNC && delta->from > 1) {
        buf_printf(&parameters, " (QRESYNC (%u %" PRIu64 " 1:%u))",
                   since->uidvalidity, since->highestmodseq, delta->from - 1);
    } else if (delta->mode == MODE_RESYNC) {
        buf_printf(&parameters, " (QRESYNC (%u %" PRIu64 "))",
                   since->uidvalidity, since->highestmodseq);
    } else if (task->pool->tier != IMAP_PLAIN) {
        buf_add(&parameters, B(" (CONDSTORE)"));
    }
    r = imap_names_wire(&task->pool->names, name, &wire, &err);
    if (r == 0) {
        imap_link_select(task->link, task, name, buf_peek(&wire),
                         buf_text(&parameters));
    } else {
        imap_task_finish(task, r, &err);
    }
    buf_deinit(&wire);
    buf_deinit(&parameters);
    return r == 0;
}

static void send_new(struct delta *delta)
{
    struct session *session = imap_task_begin(&delta->task, STEP_NEW);

    session_printf(session, "UID FETCH %u:* " NEW_ITEMS, delta->from);
    imap_task_end(&delta->task);
    delta->asked_new = true;
}

static void send_full(struct delta *delta)
{
    delta->mode = MODE_FULL;
    delta->from = 1;
    uidset_clear(&delta->seen);
    uidset_clear(&delta->request->vanished);
    imap_task_send(&delta->task, STEP_FULL, "UID FETCH 1:* " NEW_ITEMS);
}

/* Flags of what is known: of all, or of those that changed. */
static void send_old(struct delta *delta)
{
    struct session *session;

    if (delta->from == 1)
        return;
    session = imap_task_begin(&delta->task, STEP_OLD);
    session_printf(session, "UID FETCH 1:%u (UID FLAGS)", delta->from - 1);
    if (delta->mode == MODE_CONDSTORE) {
        session_printf(session, " (CHANGEDSINCE %" PRIu64 ")",
                       delta->request->since.highestmodseq);
    }
    imap_task_end(&delta->task);
}

/* UIDNEXT as the last STATUS said; 0: not known. */
static uint32_t uidnext_said(const struct delta *delta)
{
    const struct imap_name *name = name_of(delta);

    return name != NULL ? name->uidnext : 0;
}

static bool expects_new(const struct delta *delta)
{
    const struct imap_name *name = name_of(delta);

    return name != NULL && (name->grew || name->uidnext > delta->from);
}

/* Is it known that little is to come, and most likely that nothing more will be
 * asked for? */
static bool is_short(const struct delta *delta)
{
    const struct imap_name *name = name_of(delta);
    bool whole = delta->mode == MODE_FULL || delta->mode == MODE_PLAIN;

    return name != NULL && (name->uidnext != 0 || (whole && name->made)) &&
           octets_expected(delta) <= FOLLOWED_BYTES_MAX;
}

static void send_listing(struct delta *delta)
{
    if (delta->mode == MODE_FULL) {
        send_full(delta);
        return;
    }
    if (delta->mode != MODE_RESYNC)
        send_old(delta);
    if (delta->mode == MODE_PLAIN || expects_new(delta))
        send_new(delta);
}

static void delta_start(struct imap_task *task)
{
    struct delta *delta = delta_of(task);

    delta->junk = junk_lines(delta);

    imap_link_enable(task->link);
    choose_mode(delta);
    if (delta->mode == MODE_RESYNC && !task->link->qresync)
        delta->mode = MODE_CONDSTORE;
    delta->flight = FLIGHT_GOOD;
    delta->asked_new = false;
    if (!select_folder(delta))
        return;
    send_listing(delta);
    /* So that many may share a connection; long listings had better come side
     * by side. */
    if (is_short(delta))
        imap_task_sent(task);
}

/* Does SELECT show that UIDs need not mean what they meant? Another UIDVALIDITY
 * says so; a lower UIDNEXT gives away a server that was set back to a backup:
 * it is about to use some UIDs a second time. */
static bool uids_are_void(const struct delta *delta)
{
    const struct folder_token *since = &delta->request->since;
    const struct imap_box *box = box_of(delta);

    if (!delta->request->has_since || since->uidvalidity == 0)
        return false;
    return (box->uidvalidity != since->uidvalidity &&
            !SABOTAGED(any_uidvalidity)) ||
           (box->uidnext != 0 && box->uidnext < since->uidnext &&
            !SABOTAGED(any_uidnext));
}

/* Or that the token cannot be built on? A lower HIGHESTMODSEQ means that the
 * server's count began anew. */
static bool is_void(struct delta *delta)
{
    const struct folder_token *since = &delta->request->since;
    const struct imap_box *box = box_of(delta);

    if (delta->request->uids_void)
        return true;
    return delta->mode != MODE_PLAIN &&
           (delta->early || box->highestmodseq == 0 ||
            box->highestmodseq < since->highestmodseq);
}

static void delta_selected(struct delta *delta,
                           const struct session_event *event)
{
    const struct imap_box *box = box_of(delta);
    int r;

    if (event->reply.status == IMAP_BAD && delta->mode == MODE_RESYNC) {
        delta->task.link->qresync = false;
        delta->flight = FLIGHT_REFUSED;
        return;
    }
    r = imap_task_selected(&delta->task, event, &delta->err);
    if (r < 0) {
        imap_task_finish(&delta->task, r, &delta->err);
        return;
    }
    delta->request->uids_void = uids_are_void(delta);
    if (delta->mode == MODE_FULL)
        return;
    if (is_void(delta)) {
        delta->flight = FLIGHT_VOID;
    } else if (!delta->asked_new &&
               (box->uidnext == 0 || box->uidnext > delta->from) &&
               imap_task_goes_on(&delta->task)) {
        send_new(delta);
    }
}

/* A line of FETCH. Unasked ones may lack what the listing promises. */
static void delta_fetch(struct delta *delta, int step,
                        const struct session_fetch *fetch)
{
    const struct imap_box *box = box_of(delta);
    struct listed listed = {.uid = fetch->uid,
                            .flags = fetch->flags,
                            .has_meta = (fetch->has & FETCH_SIZE) != 0,
                            .size = fetch->size};
    bool fresh = fetch->uid >= delta->from;

    if ((fetch->has & FETCH_UID) == 0 || (fetch->has & FETCH_FLAGS) == 0 ||
        delta->flight != FLIGHT_GOOD)
        return;
    if (step == IMAP_STEP_SELECT && box->uidvalidity == 0) {
        delta->early = true;
        return;
    }
    if (box->uidvalidity != delta->request->since.uidvalidity &&
        delta->mode != MODE_FULL)
        return;
    if (fresh && !listed.has_meta)
        return;
    /* It came after SELECT: the next listing will bring it. */
    if (box->open && box->uidnext != 0 && fetch->uid >= box->uidnext &&
        box->exists > still_there(box))
        return;
    if ((fetch->has & FETCH_DATE) != 0)
        listed.date = fetch->date;
    if (fresh || delta->mode == MODE_PLAIN)
        uidset_add(&delta->seen, fetch->uid);
    delta->request->item(delta->request, &listed);
}

static void delta_vanished(struct delta *delta,
                           const struct session_event *event)
{
    if (delta->mode == MODE_RESYNC && box_of(delta)->uidvalidity == 0) {
        delta->early = true;
    } else if (delta->mode == MODE_RESYNC) {
        uidset_add_set(&delta->request->vanished, event->vanished.set);
    }
}

/* SEARCH answered: what is not found of those below @from is gone. */
static void vanish_unfound(struct delta *delta)
{
    struct uidset *vanished = &delta->request->vanished;
    uint32_t next = 1;
    const struct uidrange *range;

    for (size_t i = 0; i < delta->found.n; i++) {
        range = &delta->found.ranges[i];
        if (range->first >= delta->from)
            break;
        if (range->first > next)
            uidset_add_range(vanished, next, range->first - 1);
        next = range->last < UINT32_MAX ? range->last + 1 : UINT32_MAX;
    }
    if (next < delta->from)
        uidset_add_range(vanished, next, delta->from - 1);
}

/* A line that was not understood may have been one of the listing: unless
 * there is one for each message that SELECT counted. */
static bool is_whole(const struct delta *delta)
{
    const struct imap_box *box = box_of(delta);

    return delta->request->kind == LISTING_FULL && box->counted &&
           uidset_count(&delta->seen) >= box->before;
}

/* A server that does not say UIDNEXT in SELECT, as Courier, has it not below
 * what it said before, though the messages up to there may be gone. */
static uint32_t least_uidnext(const struct delta *delta)
{
    const struct folder_token *since = &delta->request->since;
    const struct imap_box *box = box_of(delta);
    uint32_t least = delta->from;

    if (box->uidnext != 0)
        return box->uidnext > least ? box->uidnext : least;
    if (uidnext_said(delta) > least)
        least = uidnext_said(delta);
    if (since->uidvalidity == box->uidvalidity && since->uidnext > least)
        least = since->uidnext;
    return least;
}

static void finish(struct delta *delta)
{
    uint32_t window = delta->task.pool->quirks.window;
    struct delta_request *request = delta->request;
    const struct imap_box *box = box_of(delta);
    const struct uidset *seen = &delta->seen;
    struct folder_token *token = &request->token;

    token->uidvalidity = box->uidvalidity;
    token->uidnext = least_uidnext(delta);
    if (seen->n > 0 && seen->ranges[seen->n - 1].last >= token->uidnext)
        token->uidnext = seen->ranges[seen->n - 1].last + 1;
    token->messages = still_there(box);
    if (delta->task.pool->tier != IMAP_PLAIN)
        token->highestmodseq = box->highestmodseq;
    request->read_only = box->read_only;
    request->storable = box->storable;
    if (junk_lines(delta) > delta->junk && !is_whole(delta))
        request->complete = false;
    /* What is older than the window is there, and cannot be seen. */
    request->windowed = window != 0 && box->before >= window;
    if (request->windowed)
        request->complete = false;
    imap_task_finish(&delta->task, delta->result, &delta->err);
}

static void send_search(struct delta *delta)
{
    struct session *session = imap_task_begin(&delta->task, STEP_SEARCH);
    bool esearch = (delta->task.pool->caps.bits & CAP_ESEARCH) != 0;

    session_printf(session, "UID SEARCH %sUID 1:%u",
                   esearch ? "RETURN (ALL) " : "", delta->from - 1);
    imap_task_end(&delta->task);
}

/* The count equation: all messages but the new ones are those
 * known before, or some of these are gone. */
static void count(struct delta *delta)
{
    struct delta_request *request = delta->request;
    uint32_t there = still_there(box_of(delta));
    uint64_t fresh = uidset_count(&delta->seen);
    uint64_t old = there > fresh ? there - fresh : 0;

    request->kind = LISTING_CHANGES;
    request->complete = fresh <= there;
    if (old == request->known) {
        finish(delta);
    } else if (!imap_task_goes_on(&delta->task)) {
        return;
    } else if (old > request->known || delta->from == 1) {
        send_full(delta);
    } else {
        send_search(delta);
    }
}

static void searched(struct delta *delta)
{
    uint32_t there = still_there(box_of(delta));

    vanish_unfound(delta);
    delta->request->complete =
        uidset_count(&delta->found) + uidset_count(&delta->seen) >= there;
    finish(delta);
}

/* Everything that was sent is answered. */
static void evaluate(struct delta *delta, int step)
{
    struct delta_request *request = delta->request;

    if (delta->flight != FLIGHT_GOOD && !imap_task_goes_on(&delta->task)) {
        return;
    } else if (delta->flight == FLIGHT_REFUSED) {
        delta_start(&delta->task);
    } else if (delta->flight == FLIGHT_VOID) {
        delta->flight = FLIGHT_GOOD;
        send_full(delta);
    } else if (delta->result < 0 && !SABOTAGED(any_listing)) {
        imap_task_finish(&delta->task, delta->result, &delta->err);
    } else if (step == STEP_SEARCH) {
        searched(delta);
    } else if (delta->mode == MODE_CONDSTORE) {
        count(delta);
    } else if (delta->mode == MODE_RESYNC) {
        request->kind = LISTING_CHANGES;
        request->complete = true;
        finish(delta);
    } else {
        request->kind = LISTING_FULL;
        request->complete =
            uidset_count(&delta->seen) >= still_there(box_of(delta)) ||
            SABOTAGED(any_listing);
        finish(delta);
    }
}

static void delta_tagged(struct delta *delta, int step,
                         const struct session_event *event)
{
    if (step == IMAP_STEP_SELECT) {
        delta_selected(delta, event);
    } else if (step == STEP_OLD && delta->mode == MODE_PLAIN &&
               event->reply.status == IMAP_BAD) {
        /* GNU mailutils does not understand a range whose first are gone. */
        delta->flight = FLIGHT_VOID;
        /* Some servers call 1:* of an empty folder an error. */
    } else if (delta->flight == FLIGHT_GOOD && delta->result == 0 &&
               box_of(delta)->before > 0) {
        delta->result = imap_task_answer(
            &event->reply, step == STEP_SEARCH ? "SEARCH" : "FETCH",
            &delta->err);
    }
    if (!delta->task.over && delta->task.link != NULL &&
        delta->task.outstanding == 0)
        evaluate(delta, step);
}

static void delta_event(struct imap_task *task, int step,
                        const struct session_event *event)
{
    struct delta *delta = delta_of(task);

    switch (event->kind) {
    case SESSION_FETCH:
        delta_fetch(delta, step, &event->fetch);
        break;
    case SESSION_VANISHED:
        delta_vanished(delta, event);
        break;
    case SESSION_SEARCH:
        if (step == STEP_SEARCH)
            uidset_add_set(&delta->found, event->vanished.set);
        break;
    case SESSION_TAGGED:
        delta_tagged(delta, step, event);
        break;
    default:
        break;
    }
}

static bool delta_again(struct imap_task *task, int step)
{
    struct delta *delta = delta_of(task);
    struct delta_request *request = delta->request;

    (void)step;
    task->uidvalidity = 0; /* another one is told, not refused */
    uidset_clear(&delta->seen);
    uidset_clear(&delta->found);
    uidset_clear(&request->vanished);
    request->uids_void = false;
    delta->early = false;
    delta->result = 0;
    if (request->anew != NULL)
        request->anew(request);
    return true;
}

static void delta_deinit(struct imap_task *task)
{
    uidset_deinit(&delta_of(task)->seen);
    uidset_deinit(&delta_of(task)->found);
}

struct imap_task *imap_delta_new(struct imap_pool *pool,
                                 struct delta_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_VISITS,
                                                 .size = sizeof(struct delta),
                                                 .start = delta_start,
                                                 .event = delta_event,
                                                 .expects = delta_expects,
                                                 .again = delta_again,
                                                 .deinit = delta_deinit};
    struct imap_task *task = imap_task_new(pool, &class, &request->base);

    delta_of(task)->request = request;
    task->folder = &request->folder;
    request->complete = false;
    request->uids_void = false;
    request->read_only = false;
    memset(&request->vanished, 0, sizeof(request->vanished));
    memset(&request->token, 0, sizeof(request->token));
    return task;
}
