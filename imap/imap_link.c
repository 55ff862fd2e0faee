/* Commands in flight, and the folder that is selected. */
#include "imap/imap_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/imap_pool.h"
#include "imap/shown.h"

/* Commands of the link itself. */
enum { STEP_NOBODY = -1, STEP_ENABLE = -2, STEP_COMPRESS = -3 };

static void command_free(struct imap_command *command)
{
    free(command->selects);
    free(command);
}

/* Answers are due for all commands but one that is still being written. */
static void expect(struct imap_link *link)
{
    const struct imap_command *first = link->first;
    bool writing = link->writing && !link->awaits;

    conn_expect(link->conn, first != NULL && !(writing && first == link->last));
}

struct session *imap_link_begin(struct imap_link *link, struct imap_task *task,
                                int step)
{
    struct session *session = conn_session(link->conn);
    struct imap_command *command = MEM_NEW(struct imap_command);

    command->task = task;
    command->step = step;
    command->tag = session_begin(session);
    if (link->first == NULL) {
        link->first = command;
    } else {
        link->last->next = command;
    }
    link->last = command;
    link->writing = true;
    if (task != NULL)
        task->outstanding++;
    return session;
}

void imap_link_end(struct imap_link *link)
{
    session_end(conn_session(link->conn));
    link->writing = false;
    expect(link);
    conn_flush(link->conn);
}

void imap_link_await(struct imap_link *link, bool awaits)
{
    link->awaits = awaits;
    expect(link);
    conn_flush(link->conn);
}

static void send_own(struct imap_link *link, int step, struct bytes command)
{
    session_add(imap_link_begin(link, NULL, step), command, false);
    imap_link_end(link);
}

void imap_link_enable(struct imap_link *link)
{
    if (link->enable || link->pool->tier != IMAP_RESYNC)
        return;
    link->enable = true;
    link->qresync = true;
    send_own(link, STEP_ENABLE, B("ENABLE QRESYNC"));
}

bool imap_link_wants_compress(const struct imap_link *link,
                              struct imap_task *task)
{
    return !link->compress &&
           (imap_pool_compresses(link->pool) ||
            (task != NULL && imap_pool_compresses_for(link->pool, task)));
}

void imap_link_compress(struct imap_link *link)
{
    link->compress = true;
    link->switching = true;
    send_own(link, STEP_COMPRESS, B("COMPRESS DEFLATE"));
    conn_compress(link->conn, link->last->tag);
}

static void box_deinit(struct imap_link *link)
{
    free(link->box.name);
    uidset_deinit(&link->box.vanished);
}

static void box_reset(struct imap_link *link, const char *name)
{
    box_deinit(link);
    memset(&link->box, 0, sizeof(link->box));
    link->box.name = mem_copy(name);
    /* RFC 9051 section 7.1: without PERMANENTFLAGS all can be changed. */
    link->box.storable.system = FLAGS_SYSTEM;
    link->box.storable.any_keyword = true;
}

static void set_ahead(struct imap_link *link, const char *name)
{
    free(link->ahead);
    link->ahead = mem_copy(name);
}

/* UNSELECT is what makes it certain whose data comes next: all that comes
 * before its answer is about the old folder. CLOSE would expunge, but not
 * after EXAMINE (RFC 3691). */
void imap_link_unselect(struct imap_link *link)
{
    struct session *session;
    struct imap_name *name;

    if (link->ahead == NULL)
        return;
    name = imap_names_find(&link->pool->names, link->ahead);
    if ((link->pool->caps.bits & CAP_UNSELECT) != 0) {
        send_own(link, STEP_NOBODY, B("UNSELECT"));
    } else if (name != NULL) {
        session = imap_link_begin(link, NULL, STEP_NOBODY);
        session_add(session, B("EXAMINE "), false);
        session_add_quoted(session, bytes_of(name->wire));
        imap_link_end(link);
        send_own(link, STEP_NOBODY, B("CLOSE"));
    }
    set_ahead(link, NULL);
}

/* Of a folder that is to go, or to be renamed: some servers refuse, others cut
 * the connection. */
void imap_link_leave(struct imap_link *link, const char *name)
{
    struct imap_link *one;

    for (one = link->pool->links; one != NULL; one = one->next) {
        if (one->ahead == NULL || !imap_names_within(one->ahead, name))
            continue;
        if (one == link)
            imap_link_unselect(one);
        else if (imap_link_is_idle(one))
            imap_link_close(one);
    }
}

/* What comes from now on is about the folder of the oldest command, if that is a
 * SELECT, and else about the one before. */
static void turn_to_next(struct imap_link *link)
{
    struct imap_command *first = link->first;

    if (first != NULL && first->selects != NULL && !first->answering) {
        first->answering = true;
        box_reset(link, first->selects);
    } else if (first == NULL && link->ahead == NULL) {
        box_reset(link, NULL);
    }
}

void imap_link_select(struct imap_link *link, struct imap_task *task,
                      const char *name, struct bytes wire,
                      const char *parameters)
{
    struct session *session;

    if ((link->pool->caps.bits & CAP_UNSELECT) != 0)
        imap_link_unselect(link);
    set_ahead(link, name);
    imap_link_enable(link);
    session = imap_link_begin(link, task, IMAP_STEP_SELECT);
    link->last->selects = mem_copy(name);
    session_add(session, B("SELECT "), false);
    session_add_quoted(session, wire);
    session_add(session, bytes_of(parameters), false);
    imap_link_end(link);
    turn_to_next(link);
}

bool imap_link_is_idle(const struct imap_link *link)
{
    return link->ready && !link->closing && link->first == NULL &&
           link->n_tasks == 0;
}

/* A session does not see messages that came after its SELECT until the server
 * chooses to say so. */
bool imap_link_has(const struct imap_link *link, const struct imap_task *task)
{
    const struct imap_box *box = &link->box;
    const struct folder_ref *folder = task->folder;

    return box->open && strcmp(box->name, folder->name) == 0 &&
           link->ahead != NULL && strcmp(link->ahead, folder->name) == 0 &&
           box->uidvalidity != 0 &&
           (folder->uidvalidity == 0 ||
            folder->uidvalidity == box->uidvalidity) &&
           (task->uidvalidity == 0 || task->uidvalidity == box->uidvalidity) &&
           task->uid_max != 0 && task->uid_max < box->uidnext;
}

bool imap_link_is_first(const struct imap_link *link,
                        const struct imap_task *task)
{
    const struct imap_command *command = link->first;

    while (command != NULL && command->task == NULL)
        command = command->next;
    return command != NULL && command->task == task;
}

bool imap_link_is_followed(const struct imap_link *link,
                           const struct imap_task *task)
{
    return link->n_tasks > 0 && link->tasks[link->n_tasks - 1] != task;
}

void imap_link_attach(struct imap_link *link, struct imap_task *task)
{
    bool mixes = link->n_tasks > 0 && task->class->role == IMAP_READS &&
                 imap_link_has(link, task);

    link->used = true;
    link->tasks[link->n_tasks++] = task;
    task->link = link;
    for (size_t i = 0; mixes && i < link->n_tasks; i++)
        link->tasks[i]->mixed = true;
    imap_link_pause(link);
}

void imap_link_detach(struct imap_link *link, struct imap_task *task)
{
    size_t kept = 0;

    for (struct imap_command *c = link->first; c != NULL; c = c->next) {
        if (c->task == task)
            c->task = NULL;
    }
    for (size_t i = 0; i < link->n_tasks; i++) {
        if (link->tasks[i] != task)
            link->tasks[kept++] = link->tasks[i];
    }
    link->n_tasks = kept;
    if (link->stream == task)
        link->stream = NULL;
    task->link = NULL;
    imap_link_pause(link);
}

/* Where the second of two that read is paused, the body that comes is its own:
 * the first has all of its bodies. */
void imap_link_pause(struct imap_link *link)
{
    bool paused = false;

    for (size_t i = 0; i < link->n_tasks; i++)
        paused |= link->tasks[i]->paused;
    if (!link->closing)
        conn_pause(link->conn, paused);
}

void imap_link_close(struct imap_link *link)
{
    if (link->closing)
        return;
    link->closing = true;
    conn_close(link->conn, link->ready && !link->writing && !link->switching);
}

void imap_link_doom(struct imap_link *link)
{
    link->doomed = true;
    if (link->first == NULL || (link->writing && link->first == link->last))
        imap_link_close(link);
}

void imap_link_forget(struct imap_link *link)
{
    link->writing = false;
    imap_link_await(link, false);
}

static uint32_t minus(uint32_t from, uint64_t n)
{
    return n < from ? from - (uint32_t)n : 0;
}

static void follow_code(struct imap_box *box, const struct session_reply *reply)
{
    switch (reply->code) {
    case CODE_UIDVALIDITY:
        box->uidvalidity = (uint32_t)reply->number;
        break;
    case CODE_UIDNEXT:
        box->uidnext = (uint32_t)reply->number;
        break;
    case CODE_HIGHESTMODSEQ:
        box->highestmodseq = reply->number;
        break;
    case CODE_NOMODSEQ:
        box->highestmodseq = 0;
        break;
    case CODE_PERMANENTFLAGS:
        box->storable = reply->storable;
        break;
    case CODE_READ_ONLY:
        box->read_only = true;
        break;
    default:
        break;
    }
}

/* Keep up with what the server says of the selected folder. */
static void follow(struct imap_link *link, const struct session_event *event)
{
    struct imap_box *box = &link->box;
    uint64_t gone;

    if (link->first != NULL && link->first->step == STEP_NOBODY)
        return; /* it is still about the folder before */
    switch (event->kind) {
    case SESSION_EXISTS:
        box->counted = true;
        box->exists = (uint32_t)event->number;
        break;
    case SESSION_EXPUNGE:
        box->exists = minus(box->exists, 1);
        box->expunged++;
        break;
    case SESSION_VANISHED:
        if (event->vanished.earlier)
            break;
        /* What there is no room for counts as not told. */
        if (box->vanished.n + event->vanished.set->n <= UIDSET_RANGES_MAX)
            uidset_add_set(&box->vanished, event->vanished.set);
        gone = uidset_count(event->vanished.set);
        box->exists = minus(box->exists, gone);
        box->expunged += gone < UINT32_MAX ? (uint32_t)gone : UINT32_MAX;
        break;
    case SESSION_CODE:
        /* Later ones tell what other sessions do; the start is what counts. */
        if (link->first != NULL && link->first->step == IMAP_STEP_SELECT)
            follow_code(box, &event->reply);
        break;
    default:
        break;
    }
}

/* Will what is in flight select another folder, or leave this one? */
static bool selects_more(const struct imap_link *link)
{
    for (struct imap_command *c = link->first; c != NULL; c = c->next) {
        if (c->selects != NULL || c->step == STEP_NOBODY)
            return true;
    }
    return false;
}

static void follow_select(struct imap_link *link,
                          const struct session_reply *reply)
{
    struct imap_box *box = &link->box;

    if (reply->status != IMAP_OK) {
        box_reset(link, NULL);
        if (!selects_more(link))
            set_ahead(link, NULL);
        return;
    }
    follow_code(box, reply);
    box->open = true;
    box->before = box->exists;
    box->expunged = 0;
}

/* RFC 5161: only what ENABLED names is on. */
static void follow_enable(struct imap_link *link, struct bytes words)
{
    for (; words.len > 0; words = bytes_skip(words, 1)) {
        if (bytes_starts_nocase(words, B("QRESYNC")))
            link->enabled = true;
    }
}

static struct imap_command *find_command(const struct imap_link *link,
                                         uint32_t tag)
{
    struct imap_command *command = link->first;

    while (command != NULL && command->tag != tag)
        command = command->next;
    return command;
}

static void take_command(struct imap_link *link,
                         const struct imap_command *command)
{
    struct imap_command **at = &link->first;
    struct imap_command *before = NULL;

    while (*at != command) {
        before = *at;
        at = &before->next;
    }
    *at = command->next;
    if (link->last == command)
        link->last = before;
}

/* What leaves a folder, or goes to one, waits for all that was asked before: RFC
 * 9051 section 5.5. Where it is answered first, the answer to that will never
 * come, and what comes now would be taken for news of the folder before. */
static bool has_skipped(const struct imap_link *link,
                        const struct imap_command *command)
{
    return link->first != command &&
           (command->selects != NULL || command->step == STEP_NOBODY);
}

static void on_tagged(struct imap_link *link, const struct session_event *event)
{
    struct imap_command *command = find_command(link, event->reply.tag);
    struct imap_task *task;

    if (command == NULL)
        return;
    if (has_skipped(link, command)) {
        conn_drop(link->conn, ERR_CONNECT, "a command was left unanswered");
        return;
    }
    take_command(link, command);
    task = command->task;
    if (command->step == IMAP_STEP_SELECT)
        follow_select(link, &event->reply);
    if (command->step == STEP_ENABLE && !link->enabled) {
        link->qresync = false;
        link->pool->tier = IMAP_CONDSTORE;
    }
    if (command->step == STEP_COMPRESS) {
        link->switching = false;
        if (event->reply.status != IMAP_OK)
            imap_pool_give_up_compress(link->pool,
                                       shown_line(event->reply.text).text);
    }
    expect(link);
    if (task != NULL) {
        task->outstanding--;
        if (!imap_pool_put_off(link->pool, task, command->step, &event->reply))
            task->class->event(task, command->step, event);
    }
    command_free(command);
    turn_to_next(link);
    if (link->doomed)
        imap_link_doom(link);
    if (link->first == NULL)
        link->pool->wake(link->pool->owner);
}

/* The oldest command of @task that was not answered yet, or NULL. */
static struct imap_command *command_of(const struct imap_link *link,
                                       const struct imap_task *task)
{
    struct imap_command *command = link->first;

    while (command != NULL && command->task != task)
        command = command->next;
    return command;
}

/* Can FETCH responses that come now be the task's? Not before its own SELECT
 * was answered: the folder may have been selected for another one, too. */
static bool is_answered(const struct imap_link *link,
                        const struct imap_task *task)
{
    const struct imap_command *command = command_of(link, task);

    return task->class->role == IMAP_READS && link->box.name != NULL &&
           strcmp(link->box.name, task->folder->name) == 0 && command != NULL &&
           command->step != IMAP_STEP_SELECT;
}

/* Two commands that fetch run side by side in some servers, so the oldest is
 * not always the one that is being answered; but it is in the same folder. */
static struct imap_task *reader_of(const struct imap_link *link,
                                   const struct session_event *event)
{
    for (size_t i = 0; i < link->n_tasks; i++) {
        struct imap_task *task = link->tasks[i];

        if (is_answered(link, task) && task->class->wants(task, event))
            return task;
    }
    return NULL;
}

/* Whose is the FETCH response that begins with @event, or is of no more than
 * that? @otherwise: where nobody is known to wait for it. */
static struct imap_task *find_reader(const struct imap_link *link,
                                     const struct session_event *event,
                                     struct imap_task *otherwise)
{
    struct imap_task *task = link->n_tasks > 1 ? reader_of(link, event) : NULL;

    return task != NULL ? task : otherwise;
}

static void on_untagged(struct imap_link *link,
                        const struct session_event *event)
{
    struct imap_command *command = link->first;
    struct imap_task *task;

    follow(link, event);
    if (event->kind == SESSION_ENABLED)
        follow_enable(link, event->data);
    /* A literal is announced by the last command only. */
    if (event->kind == SESSION_CONTINUE)
        command = link->last;
    if (command == NULL)
        return;
    task = command->task;
    if (event->kind == SESSION_BODY)
        link->stream = find_reader(link, event, task);
    if (link->stream != NULL)
        task = link->stream;
    else if (event->kind == SESSION_FETCH)
        task = find_reader(link, event, task);
    if (event->kind == SESSION_FETCH)
        link->stream = NULL;
    if (task != command->task)
        command = command_of(link, task);
    if (task != NULL && command != NULL)
        task->class->event(task, command->step, event);
}

static void on_event(void *owner, const struct session_event *event)
{
    struct imap_link *link = owner;

    if (event->kind == SESSION_READY) {
        link->ready = true;
        imap_pool_ready(link->pool, conn_session(link->conn));
    } else if (event->kind == SESSION_TAGGED) {
        on_tagged(link, event);
    } else {
        on_untagged(link, event);
    }
}

static void on_drained(void *owner)
{
    struct imap_link *link = owner;
    struct imap_task *task;

    if (link->n_tasks == 0)
        return;
    task = link->tasks[link->n_tasks - 1];
    if (task->class->drained != NULL)
        task->class->drained(task);
}

static void on_ended(void *owner, int result, const struct err *err)
{
    struct imap_link *link = owner;
    struct imap_command *command;

    imap_pool_ended(link->pool, link, result, err);
    while ((command = link->first) != NULL) {
        link->first = command->next;
        command_free(command);
    }
    box_deinit(link);
    free(link->ahead);
    free(link);
}

struct imap_link *imap_link_new(struct imap_pool *pool)
{
    struct imap_link *link = MEM_NEW(struct imap_link);
    struct conn_callbacks callbacks = {.event = on_event,
                                       .drained = on_drained,
                                       .ended = on_ended,
                                       .owner = link};

    link->pool = pool;
    link->conn = conn_open(&pool->shared, &callbacks);
    return link;
}
