/* What all kinds of task do alike. */
#include "imap/imap_task.h"

#include <stdlib.h>

#include "base/mem.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

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

void imap_task_send(struct imap_task *task, int step, const char *command)
{
    session_add(imap_task_begin(task, step), bytes_of(command), false);
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

    if (imap_link_has(link, task))
        return true;
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

int imap_task_selected(const struct imap_task *task,
                       const struct session_event *event, struct err *err)
{
    const struct imap_box *box = &task->link->box;
    uint32_t expected = task->folder->uidvalidity;
    int r = imap_task_answer(&event->reply, "SELECT", err);

    if (r < 0)
        return r;
    if (box->uidvalidity == 0)
        return err_set(err, ERR_REFUSED, "the folder has no UIDVALIDITY");
    if (expected != 0 && box->uidvalidity != expected) {
        return err_set(err, ERR_GONE,
                       "the folder is another one now: UIDVALIDITY %u, "
                       "expected %u",
                       box->uidvalidity, expected);
    }
    return 0;
}

bool imap_task_says(const struct session_reply *reply, struct bytes words)
{
    struct bytes text = reply->text;

    for (; text.len >= words.len; text = bytes_skip(text, 1)) {
        if (bytes_starts_nocase(text, words))
            return true;
    }
    return false;
}

/* What NO means. RFC 5530: LIMIT is one of the implementation, such as the size
 * of a message, so it will be said again. Dovecot 2.3 has no code for a missing
 * folder. */
static enum err_code code_of(const struct session_reply *reply)
{
    switch (reply->code) {
    case CODE_NONEXISTENT:
    case CODE_TRYCREATE:
        return ERR_GONE;
    case CODE_INUSE:
    case CODE_NOPERM:
    case CODE_OVERQUOTA:
    case CODE_SERVERBUG:
    case CODE_THROTTLED:
    case CODE_UNAVAILABLE:
        return ERR_BUSY;
    case CODE_NONE:
        return imap_task_says(reply, B("mailbox doesn't exist")) ? ERR_GONE
                                                                 : ERR_REFUSED;
    default:
        return ERR_REFUSED;
    }
}

int imap_task_answer(const struct session_reply *reply, const char *what,
                     struct err *err)
{
    enum err_code code = ERR_REFUSED;

    if (reply->status == IMAP_OK)
        return 0;
    if (reply->status == IMAP_NO)
        code = code_of(reply);
    return err_set(err, code, "%s refused: %.*s", what, (int)reply->text.len,
                   reply->text.ptr != NULL ? reply->text.ptr : "");
}
