/* What all kinds of task do alike. */
#include "imap/imap_task.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"
#include "imap/verdict.h"

/* Of a command line: its tag, and what stands around the UID set. */
#define AROUND_BYTES 200u

struct imap_task *imap_task_new(struct imap_pool *pool,
                                const struct imap_task_class *class,
                                struct request *request)
{
    struct imap_task *task = mem_new(1, class->size);

    task->class = class;
    task->pool = pool;
    task->request = request;
    return task;
}

void imap_task_finish(struct imap_task *task, int result, const struct err *err)
{
    if (task->over)
        return;
    task->over = true;
    /* An add is over even where each message was refused. */
    if (result == 0 && task->class->role != IMAP_ADDS)
        imap_pool_progress(task->pool);
    task->request->result = result;
    if (err != NULL)
        task->request->err = *err;
    if (task->link != NULL)
        imap_link_detach(task->link, task);
    imap_pool_over(task->pool, task);
}

void imap_task_nudge(struct imap_task *task)
{
    task->nudge = true;
    task->pool->wake(task->pool->owner);
}

struct session *imap_task_begin(struct imap_task *task, int step)
{
    return imap_link_begin(task->link, task, step);
}

void imap_task_end(struct imap_task *task)
{
    imap_link_end(task->link);
}

void imap_task_sent(struct imap_task *task)
{
    task->sent = !task->alone;
    if (task->sent)
        task->pool->wake(task->pool->owner);
}

bool imap_task_goes_on(struct imap_task *task)
{
    task->sent = false;
    task->ending = false;
    if (!imap_link_is_followed(task->link, task))
        return true;
    task->alone = true;
    imap_pool_again(task->pool, task, IMAP_STEP_SELECT);
    return false;
}

void imap_task_send(struct imap_task *task, int step, const char *command)
{
    session_add(imap_task_begin(task, step), bytes_of(command), false);
    imap_task_end(task);
}

void imap_task_send_name(struct imap_task *task, int step, const char *verb,
                         const struct buf *wire, const char *rest)
{
    struct session *session = imap_task_begin(task, step);

    session_printf(session, "%s ", verb);
    session_add_quoted(session, buf_peek(wire));
    session_add(session, bytes_of(rest), false);
    imap_task_end(task);
}

void imap_task_send_rename(struct imap_task *task, int step,
                           const struct buf *wire, const struct buf *new_wire)
{
    struct session *session = imap_task_begin(task, step);

    session_add(session, B("RENAME "), false);
    session_add_quoted(session, buf_peek(wire));
    session_add(session, B(" "), false);
    session_add_quoted(session, buf_peek(new_wire));
    imap_task_end(task);
}

struct session *imap_task_begin_set(struct imap_task *task, int step,
                                    const char *verb, const struct uidset *set,
                                    size_t *from, size_t behind)
{
    struct session *session = imap_task_begin(task, step);
    size_t around = AROUND_BYTES + behind;
    size_t max = task->pool->quirks.command_bytes;
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text, "%s ", verb);
    uidset_print(set, from, around < max ? max - around : 0, &text);
    session_add(session, buf_peek(&text), false);
    buf_deinit(&text);
    return session;
}

void imap_task_send_set(struct imap_task *task, int step, const char *verb,
                        const struct uidset *set, size_t *from,
                        const char *rest)
{
    struct session *session =
        imap_task_begin_set(task, step, verb, set, from, 0);

    session_add(session, bytes_of(rest), false);
    imap_task_end(task);
}

bool imap_task_select(struct imap_task *task)
{
    struct imap_link *link = task->link;
    struct buf wire;
    struct err err;
    int r;

    if (imap_link_has(link, task)) {
        task->uidvalidity = link->box.uidvalidity;
        return true;
    }
    buf_init(&wire, 0);
    r = imap_names_wire(&task->pool->names, task->folder->name, &wire, &err);
    if (r == 0) {
        imap_link_select(link, task, task->folder->name, buf_peek(&wire), "");
    } else {
        imap_task_finish(task, r, &err);
    }
    buf_deinit(&wire);
    return r == 0;
}

int imap_task_selected(struct imap_task *task,
                       const struct session_event *event, struct err *err)
{
    const struct imap_box *box = &task->link->box;
    uint32_t expected = task->folder->uidvalidity;
    int r = imap_task_answer(&event->reply, "SELECT", err);

    if (r < 0)
        return r;
    /* A task that was started anew goes on in the folder where it began. */
    if (expected == 0)
        expected = task->uidvalidity;
    if (box->uidvalidity == 0)
        return err_set(err, ERR_REFUSED, "the folder has no UIDVALIDITY");
    if (expected != 0 && box->uidvalidity != expected &&
        !SABOTAGED(any_uidvalidity)) {
        return err_set(err, ERR_GONE,
                       "the folder is another one now: UIDVALIDITY %u, "
                       "expected %u",
                       box->uidvalidity, expected);
    }
    task->uidvalidity = box->uidvalidity;
    return 0;
}

int imap_task_answer(const struct session_reply *reply, const char *what,
                     struct err *err)
{
    static const enum err_code codes[] = {
        [VERDICT_REFUSED] = ERR_REFUSED, [VERDICT_GONE] = ERR_GONE,
        [VERDICT_DENIED] = ERR_BUSY,     [VERDICT_FULL] = ERR_FULL,
        [VERDICT_BUSY] = ERR_BUSY,       [VERDICT_CROWDED] = ERR_BUSY,
        [VERDICT_THROTTLED] = ERR_BUSY,
    };
    enum verdict_kind kind = verdict_of_answer(reply).kind;

    if (kind == VERDICT_OK)
        return 0;
    return err_set(err, codes[kind], "%s refused: %.*s", what,
                   (int)reply->text.len,
                   reply->text.ptr != NULL ? reply->text.ptr : "");
}
