/*
 * Move and copy messages to another folder of the account: UID MOVE (RFC 6851),
 * or UID COPY and then, for a move, the removal of what was copied as of any
 * other message. Which UID a message has in its new folder is told by COPYUID
 * (RFC 4315), behind the OK of COPY, before that of MOVE.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum { STEP_LOOK = IMAP_STEP_OWN, STEP_BEFORE, STEP_PLACE, STEP_AFTER };

/* A request from its first command to the removal of the originals. */
struct work {
    struct place_request *request;
    struct imap_pool *pool;
    struct request copy; /* what the task answers: all but the removal */
    struct remove_request removal;
    bool removes;         /* MOVE is not there, so that removal is due */
    bool doubtful;        /* not all copies can be there: nothing is removed */
    struct uidset placed; /* by their UIDs in the folder they come from */
};

/* Of the folder they go to, by STATUS. */
struct count {
    uint32_t messages;
    uint32_t uidnext;
};

struct place {
    struct imap_task task; /* first */
    struct work *work;
    struct buf wire; /* of the folder they go to */
    size_t first;    /* first range of what the last ones named */
    size_t from;     /* first range that no command named yet */
    unsigned due;    /* answers, which may come in any order */
    bool placing;    /* STEP_PLACE was not answered yet */
    bool placed;     /* it was, with OK: the chunk is not to be sent again */
    struct uidset chunk; /* what the last ones named; borrowed ranges */
    struct uidset there; /* of these, by STEP_LOOK */
    bool blind;          /* STEP_LOOK was refused */
    bool told;           /* COPYUID came for the chunk */
    uint32_t n_placed;   /* of the chunk */
    struct count before; /* it was copied */
    struct count after;
};

static struct place *place_of(struct imap_task *task)
{
    return (struct place *)task;
}

static void work_over(struct work *work)
{
    struct request *request = &work->request->base;

    request->result = work->copy.result;
    request->err = work->copy.err;
    uidset_deinit(&work->placed);
    free(work);
    request->done(request);
}

static void on_removed(struct request *removal)
{
    struct work *work = removal->owner;

    work->request->kept = work->removal.kept;
    if (work->copy.result == 0) {
        work->copy.result = removal->result;
        work->copy.err = removal->err;
    }
    work_over(work);
}

/* What was copied is moved to its end, even where other messages were
 * refused. */
static void on_copied(struct request *copy)
{
    struct work *work = copy->owner;

    if (!work->removes || work->doubtful || work->placed.n == 0) {
        work_over(work);
        return;
    }
    work->removal.uids = &work->placed;
    work->removal.base.done = on_removed;
    work->removal.base.owner = work;
    imap_pool_submit(work->pool, imap_remove_new(work->pool, &work->removal));
}

static void report(struct place *place, uint32_t uid, uint32_t to_uid)
{
    struct work *work = place->work;

    if (!uidset_has(&place->chunk, uid) || uidset_has(&work->placed, uid))
        return;
    uidset_add(&work->placed, uid);
    place->n_placed++;
    work->request->placed(work->request, uid, to_uid);
}

/* The UIDs of both sets belong together in their order. RFC 4315 section 3 */
static void take_copyuid(struct place *place, const struct session_reply *reply)
{
    const struct place_request *request = place->work->request;
    uint32_t expected = request->to.uidvalidity != 0 ? request->to.uidvalidity
                                                     : request->uidvalidity;
    bool same = expected == 0 || expected == reply->number;
    struct uidset_walk walk = {.set = reply->set2};
    struct uidset_walk to_walk = {.set = reply->set};
    uint32_t uid;
    uint32_t to_uid;

    if (reply->code != CODE_COPYUID ||
        uidset_count(reply->set2) > uidset_count(&place->chunk))
        return;
    place->told = true;
    if (same)
        place->work->request->uidvalidity = (uint32_t)reply->number;
    while (uidset_next(&walk, &uid) && uidset_next(&to_walk, &to_uid))
        report(place, uid, same ? to_uid : 0);
}

/* Without UIDPLUS, or where the folder keeps no UIDs, OK is all that is said of
 * those that are there. */
static void take_ok(struct place *place)
{
    struct uidset_walk walk = {.set = &place->chunk};
    uint32_t uid;

    while (uidset_next(&walk, &uid)) {
        if (uidset_has(&place->there, uid))
            report(place, uid, 0);
    }
}

/* OK to COPY is not enough to remove the originals for: the folder must hold
 * as many more, or have given out as many UIDs. */
static bool has_grown(const struct place *place)
{
    uint64_t due = place->n_placed;

    return place->before.messages + due <= place->after.messages ||
           (place->before.uidnext != 0 &&
            place->before.uidnext + due <= place->after.uidnext);
}

static const char *verb_of(const struct work *work)
{
    return work->request->move && !work->removes ? "UID MOVE" : "UID COPY";
}

static void send_place(struct place *place, size_t *from)
{
    struct session *session = imap_task_begin_set(
        &place->task, STEP_PLACE, verb_of(place->work),
        place->work->request->uids, from, buf_len(&place->wire));

    session_add(session, B(" "), false);
    session_add_quoted(session, buf_peek(&place->wire));
    imap_task_end(&place->task);
}

static void send_count(struct place *place, int step)
{
    struct session *session;

    if (!place->work->removes)
        return;
    session = imap_task_begin(&place->task, step);
    session_add(session, B("STATUS "), false);
    session_add_quoted(session, buf_peek(&place->wire));
    session_add(session, B(" (MESSAGES UIDNEXT)"), false);
    imap_task_end(&place->task);
    place->due++;
}

/* One line at a time, so that it is known what is done where one is refused.
 * The question which of them are there travels with it, for take_ok(). */
static void place_next(struct place *place)
{
    const struct uidset *uids = place->work->request->uids;
    size_t first = place->from;
    struct session *session;

    place->first = first;
    if (first == uids->n) {
        imap_task_finish(&place->task, 0, NULL);
        return;
    }
    /* Not UID SEARCH: GNU mailutils takes what stands behind UID in it for
     * numbers of another kind. */
    session = imap_task_begin_set(&place->task, STEP_LOOK, "UID FETCH", uids,
                                  &place->from, buf_len(&place->wire));
    session_add(session, B(" (UID)"), false);
    imap_task_end(&place->task);
    place->from = first;
    place->placing = true;
    place->due = 2;
    send_count(place, STEP_BEFORE);
    send_place(place, &place->from);
    place->chunk = (struct uidset){.ranges = uids->ranges + first,
                                   .n = place->from - first};
    uidset_clear(&place->there);
    place->blind = false;
    place->told = false;
    place->placed = false;
    place->n_placed = 0;
    place->before = (struct count){0};
    place->after = (struct count){0};
}

/* The folder is selected, and it is the right one. */
static void place_begin(struct place *place)
{
    struct work *work = place->work;
    const struct imap_pool *pool = place->task.pool;

    work->removes = work->request->move && (pool->caps.bits & CAP_MOVE) == 0;
    work->removal.folder = work->request->from;
    work->removal.folder.uidvalidity = place->task.link->box.uidvalidity;
    if (SABOTAGED(source_first) && work->removes) {
        imap_task_send_set(&place->task, STEP_LOOK, "UID STORE",
                           work->request->uids, &(size_t){0},
                           " +FLAGS.SILENT (\\Deleted)");
        imap_task_send(&place->task, STEP_LOOK, "EXPUNGE");
    }
    place_next(place);
}

static void place_start(struct imap_task *task)
{
    struct place *place = place_of(task);
    bool selected = imap_link_has(task->link, task);
    struct err err;
    int r = imap_names_wire(&task->pool->names, place->work->request->to.name,
                            &place->wire, &err);

    if (r < 0) {
        imap_task_finish(task, r, &err);
    } else if (imap_task_select(task) && selected) {
        place_begin(place);
    }
}

/* All is answered that was asked about the chunk. Only now may be counted what
 * came of it: Dovecot answers a STATUS behind COPY before that has taken effect.
 */
static void chunk_over(struct place *place, int step)
{
    struct err err;

    if (!place->told && place->blind) {
        err_set(&err, ERR_UNSURE,
                "%s was answered with OK, but which messages there are was "
                "refused",
                verb_of(place->work));
        place->work->doubtful = true;
        imap_task_finish(&place->task, ERR_UNSURE, &err);
        return;
    }
    if (!place->told && step != STEP_AFTER)
        take_ok(place);
    if (!place->work->removes || (step == STEP_AFTER && has_grown(place))) {
        place_next(place);
    } else if (step != STEP_AFTER) {
        send_count(place, STEP_AFTER);
    } else {
        place->work->doubtful = true;
        err_set(&err, ERR_UNSURE,
                "COPY was answered with OK, but not all copies are there");
        imap_task_finish(&place->task, ERR_UNSURE, &err);
    }
}

static void on_answer(struct place *place, int step,
                      const struct session_reply *reply)
{
    const char *verb = step == STEP_PLACE  ? verb_of(place->work)
                       : step == STEP_LOOK ? "UID FETCH"
                                           : "STATUS";
    struct err err;
    int r = imap_task_answer(reply, verb, &err);

    place->due--;
    if (step == STEP_PLACE) {
        place->placing = false;
        take_copyuid(place, reply);
        place->placed = r == 0;
    } else if (step == STEP_LOOK) {
        place->blind = r < 0;
    }
    if (r < 0 && step == STEP_PLACE) {
        imap_task_finish(&place->task, r, &err);
    } else if (place->due == 0) {
        chunk_over(place, step);
    }
}

static void on_count(struct place *place, int step,
                     const struct session_status_data *status)
{
    struct count *count = step == STEP_BEFORE ? &place->before : &place->after;

    if (step != STEP_BEFORE && step != STEP_AFTER)
        return;
    if ((status->has & STATUS_MESSAGES) != 0)
        count->messages = status->messages;
    if ((status->has & STATUS_UIDNEXT) != 0)
        count->uidnext = status->uidnext;
}

static void place_event(struct imap_task *task, int step,
                        const struct session_event *event)
{
    struct place *place = place_of(task);
    struct err err;
    int r;

    if (event->kind == SESSION_FETCH && step == STEP_LOOK) {
        if ((event->fetch.has & FETCH_UID) != 0)
            uidset_add(&place->there, event->fetch.uid);
    } else if (event->kind == SESSION_STATUS) {
        on_count(place, step, &event->status);
    } else if (event->kind == SESSION_CODE && step != IMAP_STEP_SELECT) {
        /* Dovecot says so before it ends the search. */
        take_copyuid(place, &event->reply);
    } else if (event->kind == SESSION_TAGGED && step != IMAP_STEP_SELECT) {
        on_answer(place, step, &event->reply);
    } else if (event->kind == SESSION_TAGGED) {
        r = imap_task_selected(task, event, &err);
        if (r < 0) {
            imap_task_finish(task, r, &err);
        } else {
            place_begin(place);
        }
    }
}

/* What was refused was not done; what was not answered may have been. */
static bool place_again(struct imap_task *task, int step)
{
    struct place *place = place_of(task);

    if (place->placed || (place->placing && step != STEP_PLACE))
        return false;
    place->placing = false;
    place->from = place->first;
    buf_clear(&place->wire);
    return true;
}

/* It cannot be started again: the answer to STEP_PLACE was lost. */
static int place_lost(struct imap_task *task, int result, const struct err *err)
{
    (void)err;
    if (result != ERR_RETRY)
        return result;
    imap_pool_let_settle(task->pool);
    return ERR_UNSURE;
}

static void place_deinit(struct imap_task *task)
{
    buf_deinit(&place_of(task)->wire);
    uidset_deinit(&place_of(task)->there);
}

struct imap_task *imap_place_new(struct imap_pool *pool,
                                 struct place_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_ALONE,
                                                 .size = sizeof(struct place),
                                                 .start = place_start,
                                                 .event = place_event,
                                                 .again = place_again,
                                                 .lost = place_lost,
                                                 .deinit = place_deinit};
    struct work *work = MEM_NEW(struct work);
    struct imap_task *task = imap_task_new(pool, &class, &work->copy);

    work->request = request;
    work->pool = pool;
    work->copy.done = on_copied;
    work->copy.owner = work;
    request->kept = false;
    task->folder = &request->from;
    if (request->uids->n > 0)
        task->uid_max = request->uids->ranges[request->uids->n - 1].last;
    place_of(task)->work = work;
    buf_init(&place_of(task)->wire, 0);
    return task;
}
