/*
 * Delete a folder, if it is empty.
 *
 * DELETE takes the messages with it (RFC 9051 section 6.3.5), and one may be
 * delivered while we ask whether there are any. So the folder is first given a
 * name that nobody delivers to, then counted, then deleted; or it gets its name
 * back. What is delivered meanwhile goes where mail goes whose folder is gone,
 * or makes the folder anew.
 *
 * One with folders below it, which RENAME would take along, or that may not be
 * renamed, is counted and deleted where it is. What a run that was killed has
 * left aside is dealt with when it is listed: see imap_list.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum {
    STEP_SET_ASIDE = IMAP_STEP_OWN,
    STEP_COUNT,
    STEP_CHILDREN, /* of the new name: made since the folders were listed */
    STEP_DELETE,
    STEP_PUT_BACK
};

struct removal {
    struct imap_task task; /* first */
    struct folder_request *request;
    struct buf wire;
    struct buf aside;
    bool is_aside;
    bool resent;  /* RENAME was sent before: the folder may be aside */
    bool counted; /* STATUS said how many messages there are */
    uint32_t messages;
    bool has_children;
    int result; /* STEP_PUT_BACK: why, with err */
    struct err err;
};

static struct removal *removal_of(struct imap_task *task)
{
    return (struct removal *)task;
}

static const struct buf *name_now(const struct removal *removal)
{
    return removal->is_aside ? &removal->aside : &removal->wire;
}

static void finish(struct removal *removal, int result, const struct err *err)
{
    if (result == 0)
        imap_names_remove(&removal->task.pool->names, removal->request->name);
    imap_task_finish(&removal->task, result, err);
}

static void ask_children(struct removal *removal)
{
    struct session *session = imap_task_begin(&removal->task, STEP_CHILDREN);
    char below[] = {removal->task.pool->names.delimiter, '%'};
    struct buf pattern;

    buf_init(&pattern, 0);
    buf_add(&pattern, buf_peek(&removal->aside));
    buf_add(&pattern, (struct bytes){below, sizeof(below)});
    session_add(session, B("LIST \"\" "), false);
    session_add_quoted(session, buf_peek(&pattern));
    imap_task_end(&removal->task);
    buf_deinit(&pattern);
}

static void count(struct removal *removal)
{
    imap_task_send_name(&removal->task, STEP_COUNT, "STATUS", name_now(removal),
                        " (MESSAGES)");
    if (removal->is_aside && removal->task.pool->names.delimiter != 0)
        ask_children(removal);
}

/* Would RENAME concern this folder alone, and can its new name be asked for? */
static bool can_be_set_aside(const struct removal *removal)
{
    const struct imap_names *names = &removal->task.pool->names;
    struct bytes wire = buf_peek(&removal->wire);

    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->sorted[i]->name;

        if (strcmp(name, removal->request->name) != 0 &&
            imap_names_within(name, removal->request->name))
            return false;
    }
    return memchr(wire.ptr, '*', wire.len) == NULL &&
           memchr(wire.ptr, '%', wire.len) == NULL;
}

static void removal_start(struct imap_task *task)
{
    struct removal *removal = removal_of(task);
    const char *ours = removal->request->name;
    const struct imap_names *names = &task->pool->names;
    const struct imap_name *name = imap_names_find(names, ours);
    struct err err;
    int r = imap_names_wire(names, ours, &removal->wire, &err);

    if (r < 0) {
        imap_task_finish(task, r, &err);
        return;
    }
    imap_link_leave(task->link, ours);
    buf_add(&removal->aside, buf_peek(&removal->wire));
    buf_add(&removal->aside, B(IMAP_NAMES_ASIDE));
    if (name != NULL && !name->selectable) {
        imap_task_send_name(task, STEP_DELETE, "DELETE", &removal->wire, "");
    } else if (can_be_set_aside(removal)) {
        imap_task_send_rename(task, STEP_SET_ASIDE, &removal->wire,
                              &removal->aside);
    } else {
        count(removal);
    }
}

static void put_back(struct removal *removal, int result, const struct err *err)
{
    if (!removal->is_aside) {
        finish(removal, result, err);
        return;
    }
    removal->result = result;
    removal->err = *err;
    imap_task_send_rename(&removal->task, STEP_PUT_BACK, &removal->aside,
                          &removal->wire);
}

static void set_aside(struct removal *removal,
                      const struct session_reply *reply)
{
    struct err err;
    int r = imap_task_answer(reply, "RENAME", &err);

    /* Refused, but maybe only because it was done before. */
    removal->is_aside = r == 0 || removal->resent;
    if (r == ERR_GONE && !removal->resent) {
        finish(removal, 0, NULL);
    } else {
        count(removal);
    }
}

static void judge(struct removal *removal)
{
    struct err err = removal->err;
    int r = removal->result;

    if (r == ERR_GONE && removal->is_aside && removal->resent) {
        /* It was not done before. */
        removal->is_aside = false;
        removal->resent = false;
        count(removal);
    } else if (r == ERR_GONE) {
        finish(removal, 0, NULL);
    } else if (r < 0) {
        put_back(removal, r, &err);
    } else if (!removal->counted) {
        r = err_set(&err, ERR_REFUSED,
                    "the server does not say whether the folder is empty");
        put_back(removal, r, &err);
    } else if (removal->messages > 0) {
        r = err_set(&err, ERR_REFUSED, "the folder is not empty: %u messages",
                    removal->messages);
        put_back(removal, r, &err);
    } else if (removal->has_children) {
        r = err_set(&err, ERR_REFUSED, "there is a new folder in it");
        put_back(removal, r, &err);
    } else {
        imap_task_send_name(&removal->task, STEP_DELETE, "DELETE",
                            name_now(removal), "");
    }
}

/* A refusal to list what is below it means that nobody knows. */
static void answered(struct removal *removal, int step,
                     const struct session_reply *reply)
{
    if (step == STEP_COUNT)
        removal->result = imap_task_answer(reply, "STATUS", &removal->err);
    else if (reply->status != IMAP_OK)
        removal->has_children = true;
    if (removal->task.outstanding == 0)
        judge(removal);
}

static void deleted(struct removal *removal, const struct session_reply *reply)
{
    struct err err;
    int r = imap_task_answer(reply, "DELETE", &err);

    if (r == 0 || r == ERR_GONE)
        finish(removal, 0, NULL);
    else
        put_back(removal, r, &err);
}

static void was_put_back(struct removal *removal,
                         const struct session_reply *reply)
{
    struct err err;

    if (imap_task_answer(reply, "RENAME", &err) < 0)
        removal->result = err_set(&err, removal->result,
                                  "%s; it is %s" IMAP_NAMES_ASIDE " now",
                                  removal->err.text, removal->request->name);
    else
        err = removal->err;
    finish(removal, removal->result, &err);
}

static void removal_event(struct imap_task *task, int step,
                          const struct session_event *event)
{
    struct removal *removal = removal_of(task);
    const struct session_reply *reply = &event->reply;

    if (event->kind == SESSION_STATUS && step == STEP_COUNT &&
        (event->status.has & STATUS_MESSAGES) != 0) {
        removal->counted = true;
        removal->messages = event->status.messages;
    } else if (event->kind == SESSION_LIST && step == STEP_CHILDREN) {
        removal->has_children = true;
    } else if (event->kind != SESSION_TAGGED) {
        return;
    } else if (step == STEP_SET_ASIDE) {
        set_aside(removal, reply);
    } else if (step == STEP_COUNT || step == STEP_CHILDREN) {
        answered(removal, step, reply);
    } else if (step == STEP_DELETE) {
        deleted(removal, reply);
    } else {
        was_put_back(removal, reply);
    }
}

/* It may come twice: what is gone is gone, and what was put aside is found
 * there. */
static bool removal_again(struct imap_task *task, int step)
{
    struct removal *removal = removal_of(task);

    (void)step;
    removal->resent = true;
    buf_clear(&removal->wire);
    buf_clear(&removal->aside);
    removal->is_aside = false;
    removal->counted = false;
    removal->has_children = false;
    return true;
}

static void removal_deinit(struct imap_task *task)
{
    struct removal *removal = removal_of(task);

    buf_deinit(&removal->wire);
    buf_deinit(&removal->aside);
}

struct imap_task *imap_folder_delete_new(struct imap_pool *pool,
                                         struct folder_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_ALONE,
                                                 .size = sizeof(struct removal),
                                                 .start = removal_start,
                                                 .event = removal_event,
                                                 .again = removal_again,
                                                 .deinit = removal_deinit};
    struct imap_task *task = imap_task_new(pool, &class, &request->base);

    removal_of(task)->request = request;
    request->taken_by = NULL;
    buf_init(&removal_of(task)->wire, 0);
    buf_init(&removal_of(task)->aside, 0);
    return task;
}
