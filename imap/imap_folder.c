/*
 * Create, rename, subscribe and unsubscribe a folder. What a command more is
 * sent for does not depend on what was sent behind the first, so that many share
 * a connection; but RENAME needs it not to be in any folder.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum {
    STEP_CREATE_USE = IMAP_STEP_OWN, /* with a wish for its special use */
    STEP_CREATE,
    STEP_LIST, /* what is it that is there already? */
    STEP_RENAME,
    STEP_PARENT,    /* CREATE what the new name is to be in */
    STEP_PROOF_OLD, /* was it renamed, and only the answer lost? */
    STEP_PROOF_NEW,
    STEP_SUBSCRIBE
};

struct folder {
    struct imap_task task; /* first */
    struct folder_request *request;
    char *spelling; /* STEP_LIST: another one, or NULL */
    struct buf wire;
    struct buf new_wire; /* STEP_RENAME */
    bool made_parent;    /* STEP_PARENT was sent */
    bool resent;         /* RENAME was sent before, and never answered */
    bool old_gone;       /* STEP_PROOF_OLD */
};

static struct folder *folder_of(struct imap_task *task)
{
    return (struct folder *)task;
}

static void command(struct folder *folder, int step, const char *verb,
                    const struct buf *wire, const char *rest)
{
    imap_task_send_name(&folder->task, step, verb, wire, rest);
}

static const char *use_clause(enum special_use use)
{
    switch (use) {
    case USE_NONE:
        break;
    case USE_ALL:
        return " (USE (\\All))";
    case USE_ARCHIVE:
        return " (USE (\\Archive))";
    case USE_DRAFTS:
        return " (USE (\\Drafts))";
    case USE_FLAGGED:
        return " (USE (\\Flagged))";
    case USE_JUNK:
        return " (USE (\\Junk))";
    case USE_SENT:
        return " (USE (\\Sent))";
    case USE_TRASH:
        return " (USE (\\Trash))";
    }
    return "";
}

static void start_create(struct folder *folder)
{
    enum special_use use = folder->request->use;

    if (use != USE_NONE &&
        (folder->task.pool->caps.bits & CAP_CREATE_SPECIAL_USE) != 0) {
        command(folder, STEP_CREATE_USE, "CREATE", &folder->wire,
                use_clause(use));
    } else {
        command(folder, STEP_CREATE, "CREATE", &folder->wire, "");
    }
}

static void send_rename(struct folder *folder)
{
    imap_task_send_rename(&folder->task, STEP_RENAME, &folder->wire,
                          &folder->new_wire);
}

/* RENAME of INBOX does not rename it, but moves its messages. RFC 9051 section
 * 6.3.6 */
static void start_rename(struct folder *folder)
{
    const struct folder_request *request = folder->request;
    struct err err;
    int r = 0;

    if (strcmp(request->name, "INBOX") == 0) {
        r = err_set(&err, ERR_REFUSED, "INBOX cannot be renamed");
    } else if (imap_names_within(request->new_name, request->name)) {
        r = err_set(&err, ERR_REFUSED, "a folder cannot go into itself");
    } else {
        r = imap_names_wire(&folder->task.pool->names, request->new_name,
                            &folder->new_wire, &err);
    }
    if (r < 0) {
        imap_task_finish(&folder->task, r, &err);
        return;
    }
    imap_link_leave(folder->task.link, request->name);
    send_rename(folder);
}

static void folder_start(struct imap_task *task)
{
    struct folder *folder = folder_of(task);
    struct err err;
    int r = imap_names_wire(&task->pool->names, folder->request->name,
                            &folder->wire, &err);

    if (r < 0) {
        imap_task_finish(task, r, &err);
        return;
    }
    switch (folder->request->action) {
    case FOLDER_CREATE:
        start_create(folder);
        break;
    case FOLDER_DELETE: /* see imap_folder_delete.c */
        break;
    case FOLDER_RENAME:
        start_rename(folder);
        break;
    case FOLDER_SUBSCRIBE:
        command(folder, STEP_SUBSCRIBE, "SUBSCRIBE", &folder->wire, "");
        break;
    case FOLDER_UNSUBSCRIBE:
        command(folder, STEP_SUBSCRIBE, "UNSUBSCRIBE", &folder->wire, "");
        break;
    }
    imap_task_sent(task);
}

/* ALREADYEXISTS (RFC 5530), or the words of servers that are older. */
static bool is_there(const struct session_reply *reply)
{
    return reply->code == CODE_ALREADYEXISTS ||
           bytes_has_nocase(reply->text, B("already exist")) ||
           bytes_has_nocase(reply->text, B("mailbox exists"));
}

static void have_created(struct folder *folder)
{
    struct imap_name *name =
        imap_names_put(&folder->task.pool->names, folder->request->name,
                       buf_peek(&folder->wire));

    name->selectable = true;
    name->uidnext = 0;
    name->messages = 0;
    name->made = true;
    imap_task_finish(&folder->task, 0, NULL);
}

static void refuse_taken(struct folder *folder, const char *by)
{
    struct err err;
    int r = err_set(&err, ERR_REFUSED,
                    "to the server it is the same as %s: rename one of the two",
                    by);

    folder->request->taken_by = mem_copy(by);
    imap_task_finish(&folder->task, r, &err);
}

/* A folder of that name is there, though it was not listed. Some servers are
 * late to list what is new; to others another spelling is the same. */
static void look_at_taken(struct folder *folder)
{
    const struct imap_names *names = &folder->task.pool->names;
    struct bytes wire = buf_peek(&folder->wire);

    for (size_t i = 0; i < names->n; i++) {
        struct bytes known = bytes_of(names->sorted[i]->wire);

        if (bytes_equal_nocase(known, wire) && !bytes_equal(known, wire)) {
            refuse_taken(folder, names->sorted[i]->name);
            return;
        }
    }
    if (memchr(wire.ptr, '*', wire.len) != NULL ||
        memchr(wire.ptr, '%', wire.len) != NULL)
        have_created(folder); /* LIST would take them for wildcards */
    else
        command(folder, STEP_LIST, "LIST \"\"", &folder->wire, "");
}

static void created(struct folder *folder, const struct session_reply *reply)
{
    struct err err;
    int r = imap_task_answer(reply, "CREATE", &err);

    if (r == 0) {
        have_created(folder);
    } else if (is_there(reply)) {
        look_at_taken(folder);
    } else {
        imap_task_finish(&folder->task, r, &err);
    }
}

/* The answer to a name without wildcards: it, or another spelling of it. */
static void take_spelling(struct folder *folder,
                          const struct session_list *line)
{
    struct buf name;

    if (bytes_equal(line->name, buf_peek(&folder->wire)) ||
        folder->spelling != NULL)
        return;
    buf_init(&name, 0);
    if (imap_names_decode(&folder->task.pool->names, line->name,
                          line->delimiter, &name) == NULL)
        folder->spelling = mem_copy(buf_text(&name));
    buf_deinit(&name);
}

static void looked(struct folder *folder)
{
    if (folder->spelling != NULL)
        refuse_taken(folder, folder->spelling);
    else
        have_created(folder);
}

/* Most servers make the parents of the new name themselves, as RFC 9051 section
 * 6.3.6 says they should. Returns false where there is nothing to make. */
static bool make_parent(struct folder *folder)
{
    const char *name = folder->request->new_name;
    const char *slash = strrchr(name, '/');
    struct buf wire;
    struct err err;
    char *parent;
    int r;

    if (folder->made_parent || slash == NULL)
        return false;
    folder->made_parent = true;
    parent = mem_text((struct bytes){name, (size_t)(slash - name)});
    buf_init(&wire, 0);
    r = imap_names_wire(&folder->task.pool->names, parent, &wire, &err);
    if (r == 0)
        command(folder, STEP_PARENT, "CREATE", &wire, "");
    buf_deinit(&wire);
    free(parent);
    return r == 0;
}

/* Refused, but maybe only because it was done: then the old name is gone, and
 * the new one there. */
static bool ask_proof(struct folder *folder)
{
    if (!folder->resent)
        return false;
    folder->resent = false;
    command(folder, STEP_PROOF_OLD, "STATUS", &folder->wire, " (MESSAGES)");
    command(folder, STEP_PROOF_NEW, "STATUS", &folder->new_wire, " (MESSAGES)");
    return true;
}

static void renamed(struct folder *folder, const struct session_reply *reply)
{
    const struct folder_request *request = folder->request;
    struct imap_names *names = &folder->task.pool->names;
    struct err err;
    int r = imap_task_answer(reply, "RENAME", &err);

    if (r < 0 && ask_proof(folder))
        return;
    if (r == ERR_GONE && make_parent(folder))
        return;
    if (r == 0) {
        imap_names_rename(names, request->name, buf_peek(&folder->wire),
                          request->new_name, buf_peek(&folder->new_wire));
        imap_names_put(names, request->new_name, buf_peek(&folder->new_wire));
    }
    imap_task_finish(&folder->task, r, &err);
}

static void parent_made(struct folder *folder,
                        const struct session_reply *reply)
{
    struct err err;
    int r = imap_task_answer(reply, "CREATE", &err);

    if (r < 0 && !is_there(reply)) {
        imap_task_finish(&folder->task, r, &err);
    } else {
        send_rename(folder);
    }
}

static void folder_tagged(struct folder *folder, int step,
                          const struct session_reply *reply)
{
    struct err err;
    int r;

    switch (step) {
    case STEP_CREATE_USE:
        if (reply->status != IMAP_OK && !is_there(reply)) {
            command(folder, STEP_CREATE, "CREATE", &folder->wire, "");
        } else {
            created(folder, reply);
        }
        break;
    case STEP_CREATE:
        created(folder, reply);
        break;
    case STEP_LIST:
        looked(folder);
        break;
    case STEP_RENAME:
        renamed(folder, reply);
        break;
    case STEP_PARENT:
        parent_made(folder, reply);
        break;
    case STEP_PROOF_OLD:
        folder->old_gone = imap_task_answer(reply, "STATUS", &err) < 0;
        break;
    case STEP_PROOF_NEW:
        if (folder->old_gone && reply->status == IMAP_OK) {
            renamed(folder, reply);
        } else {
            send_rename(folder);
        }
        break;
    default:
        r = imap_task_answer(reply, "SUBSCRIBE", &err);
        imap_task_finish(&folder->task, r, &err);
        break;
    }
}

static void folder_event(struct imap_task *task, int step,
                         const struct session_event *event)
{
    struct folder *folder = folder_of(task);

    if (event->kind == SESSION_TAGGED) {
        folder_tagged(folder, step, &event->reply);
    } else if (event->kind == SESSION_LIST && step == STEP_LIST) {
        take_spelling(folder, &event->list);
    }
}

/* All of them may come twice: what is there is there, and what is gone is
 * gone. */
static bool folder_again(struct imap_task *task, int step)
{
    struct folder *folder = folder_of(task);

    folder->resent |=
        step == IMAP_STEP_LOST && folder->request->action == FOLDER_RENAME;
    buf_clear(&folder->wire);
    buf_clear(&folder->new_wire);
    folder->made_parent = false;
    return true;
}

static void folder_deinit(struct imap_task *task)
{
    struct folder *folder = folder_of(task);

    buf_deinit(&folder->wire);
    buf_deinit(&folder->new_wire);
    free(folder->spelling);
}

struct imap_task *imap_folder_new(struct imap_pool *pool,
                                  struct folder_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_NAMES,
                                                 .size = sizeof(struct folder),
                                                 .start = folder_start,
                                                 .event = folder_event,
                                                 .again = folder_again,
                                                 .deinit = folder_deinit};
    struct imap_task *task;

    if (request->action == FOLDER_DELETE)
        return imap_folder_delete_new(pool, request);
    task = imap_task_new(pool, &class, &request->base);
    task->alone = request->action == FOLDER_RENAME;
    folder_of(task)->request = request;
    request->taken_by = NULL;
    buf_init(&folder_of(task)->wire, 0);
    buf_init(&folder_of(task)->new_wire, 0);
    return task;
}
