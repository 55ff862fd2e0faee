/* The queue, and when there is to be another connection. */
#include "imap/imap_pool.h"

#include <stdlib.h>
#include <string.h>

void imap_pool_init(struct imap_pool *pool)
{
    pool->limit = pool->shared.account->connections;
    if (pool->limit == 0)
        pool->limit = 1;
}

void imap_pool_deinit(struct imap_pool *pool)
{
    imap_names_deinit(&pool->names);
}

static void append(struct imap_task **list, struct imap_task *task)
{
    while (*list != NULL)
        list = &(*list)->next;
    *list = task;
    task->next = NULL;
}

static void unlink_task(struct imap_task **list, const struct imap_task *task)
{
    while (*list != NULL && *list != task)
        list = &(*list)->next;
    if (*list != NULL)
        *list = task->next;
}

void imap_pool_submit(struct imap_pool *pool, struct imap_task *task)
{
    struct err err;

    append(&pool->queue, task);
    if (pool->closing) {
        imap_task_finish(
            task, err_set(&err, ERR_CANCELLED, "the account is closed"), &err);
    } else if (pool->broken != 0) {
        imap_task_finish(task, pool->broken, &pool->err);
    }
    pool->wake(pool->owner);
}

struct imap_task *imap_pool_find(const struct imap_pool *pool,
                                 const struct request *request)
{
    const struct imap_link *link;
    struct imap_task *task;

    for (link = pool->links; link != NULL; link = link->next) {
        for (size_t k = 0; k < link->n_tasks; k++) {
            if (link->tasks[k]->request == request)
                return link->tasks[k];
        }
    }
    for (task = pool->queue; task != NULL; task = task->next) {
        if (task->request == request)
            return task;
    }
    return NULL;
}

void imap_pool_over(struct imap_pool *pool, struct imap_task *task)
{
    unlink_task(&pool->queue, task);
    append(&pool->over, task);
    pool->wake(pool->owner);
}

static void task_lost(struct imap_task *task, int result, const struct err *err)
{
    if (task->class->lost != NULL)
        result = task->class->lost(task, result, err);
    imap_task_finish(task, result, err);
}

static void queue_lost(struct imap_pool *pool, int result,
                       const struct err *err)
{
    while (pool->queue != NULL)
        task_lost(pool->queue, result, err);
}

void imap_pool_give_up(struct imap_pool *pool, int result,
                       const struct err *err)
{
    pool->broken = result;
    pool->err = *err;
    queue_lost(pool, result, err);
}

void imap_pool_progress(struct imap_pool *pool)
{
    pool->patience = (struct patience){0};
}

void imap_pool_close_idle(struct imap_pool *pool)
{
    struct imap_link *link;

    for (link = pool->links; link != NULL; link = link->next) {
        if (imap_link_is_idle(link))
            imap_link_close(link);
    }
}

/* Start one task, if there is a connection for it. */
static void place(struct imap_pool *pool, struct imap_task *task,
                  size_t *wanted)
{
    struct imap_link *link = imap_pool_find_link(pool, task, wanted);

    if (link == NULL)
        return;
    if (imap_link_wants_compress(link, task)) {
        if (imap_link_is_idle(link)) {
            imap_link_compress(link);
            *wanted += 1;
        }
        return;
    }
    unlink_task(&pool->queue, task);
    imap_link_attach(link, task);
    task->class->start(task);
}

static void open_more(struct imap_pool *pool, size_t wanted)
{
    struct imap_link **end = &pool->links;
    size_t coming = 0;

    for (; *end != NULL; end = &(*end)->next)
        coming += (!(*end)->ready || (*end)->switching) && !(*end)->closing;
    while (coming < wanted && pool->n_links < pool->limit) {
        *end = imap_link_new(pool);
        (*end)->setbacks = pool->setbacks;
        end = &(*end)->next;
        pool->n_links++;
        coming++;
    }
}

static uint64_t earlier(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* Start what needs no SELECT: else a connection would be taken out of its folder
 * for another one, and this folder be selected once more. */
static void place_at_hand(struct imap_pool *pool, uint64_t now_ms)
{
    struct imap_task *task = pool->queue;
    struct imap_task *next;
    size_t unused = 0;

    if (!imap_pool_any_selected(pool))
        return;
    for (; task != NULL; task = next) {
        next = task->next;
        if (!task->waits && now_ms >= task->resume_ms && !task->alone &&
            !task->request->fresh && task->folder != NULL &&
            imap_pool_is_at_hand(pool, task))
            place(pool, task, &unused);
    }
}

/* Start what can be started. Returns when there is more that can, or
 * UINT64_MAX. */
static uint64_t schedule(struct imap_pool *pool, uint64_t now_ms)
{
    struct imap_task *task;
    struct imap_task *next;
    uint64_t due_ms = UINT64_MAX;
    size_t wanted = 0;

    if (pool->queue != NULL && now_ms < pool->resume_ms)
        return pool->resume_ms;
    place_at_hand(pool, now_ms);
    task = pool->queue;
    for (; task != NULL; task = next) {
        next = task->next;
        if (task->waits)
            continue;
        if (now_ms < task->resume_ms)
            due_ms = earlier(due_ms, task->resume_ms);
        else
            place(pool, task, &wanted);
    }
    if (wanted == 0 || pool->closing || pool->broken != 0 || pool->renewing)
        return due_ms;
    if (now_ms < pool->connect_ms && pool->n_links < pool->limit)
        return earlier(due_ms, pool->connect_ms);
    open_more(pool, wanted);
    return due_ms;
}

/* A nudged task may end, and its place be taken by the one behind it. */
static void nudge(const struct imap_link *link)
{
    struct imap_task *task;
    size_t i = 0;

    while (i < link->n_tasks) {
        task = link->tasks[i];
        if (task->nudge) {
            task->nudge = false;
            task->class->nudged(task);
        }
        i += !task->over;
    }
}

/* The server wants fewer connections: those with nothing to do go first. */
static void close_excess(struct imap_pool *pool)
{
    struct imap_link *link;
    size_t n = 0;

    for (link = pool->links; link != NULL; link = link->next)
        n += !link->closing;
    for (link = pool->links; link != NULL && n > pool->limit;
         link = link->next) {
        if (imap_link_is_idle(link)) {
            imap_link_close(link);
            n--;
        }
    }
}

void imap_pool_turn(struct imap_pool *pool)
{
    struct imap_link *link;
    uint64_t now_ms = pool->now_ms(pool->owner);
    struct imap_task *task;
    struct request *request;
    uint64_t due_ms;

    while ((task = pool->over) != NULL) {
        pool->over = task->next;
        request = task->request;
        if (task->class->deinit != NULL)
            task->class->deinit(task);
        free(task);
        request->done(request);
    }
    due_ms = schedule(pool, now_ms);
    if (due_ms < UINT64_MAX)
        pool->alarm(pool->owner, due_ms - now_ms);
    for (link = pool->links; link != NULL; link = link->next) {
        nudge(link);
        if (pool->closing && link->n_tasks == 0)
            imap_link_close(link);
    }
    close_excess(pool);
}

static enum imap_tier tier_of(uint32_t bits)
{
    /* UNSELECT keeps the VANISHED of two folders apart. */
    const uint32_t resync = CAP_QRESYNC | CAP_ENABLE | CAP_UNSELECT;

    if ((bits & resync) == resync)
        return IMAP_RESYNC;
    return (bits & (CAP_CONDSTORE | CAP_QRESYNC)) != 0 ? IMAP_CONDSTORE
                                                       : IMAP_PLAIN;
}

/* What the first connection shows is taken for the whole account. */
static void meet(struct imap_pool *pool, const struct session *session)
{
    const struct quirks *found = session_quirks(session);
    struct quirks *quirks = &pool->quirks;

    *quirks = quirks_settle(found, &pool->shared.account->quirks);
    pool->caps = *session_caps(session);
    pool->caps.known = true;
    pool->caps.bits &= ~quirks->without;
    pool->tier = tier_of(pool->caps.bits);
    if (quirks->connections != 0 && quirks->connections < pool->limit)
        pool->limit = quirks->connections;
}

void imap_pool_ready(struct imap_pool *pool, const struct session *session)
{
    pool->renewed = false;
    pool->wake(pool->owner);
    if (!pool->caps.known)
        meet(pool, session);
}

/* Back to the front of the queue. */
static void requeue(struct imap_pool *pool, struct imap_task *task)
{
    if (task->link != NULL)
        imap_link_detach(task->link, task);
    task->outstanding = 0;
    task->sent = false;
    task->ending = false;
    task->mixed = false;
    task->nudge = false;
    task->next = pool->queue;
    pool->queue = task;
    pool->wake(pool->owner);
}

void imap_pool_lose(struct imap_pool *pool, struct imap_task *task)
{
    struct err err = pool->err;

    task_lost(task, pool->broken, &err);
}

bool imap_pool_again(struct imap_pool *pool, struct imap_task *task, int step)
{
    if (task->class->again == NULL || !task->class->again(task, step))
        return false;
    requeue(pool, task);
    return true;
}

void imap_pool_ended(struct imap_pool *pool, struct imap_link *link, int result,
                     const struct err *err)
{
    struct imap_link **at = &pool->links;
    bool goes_on = !link->closing && !pool->closing;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    pool->n_links--;
    if (link->switching || conn_was_garbled(link->conn))
        imap_pool_give_up_compress(pool, err->text);
    goes_on = goes_on && imap_pool_setback(pool, link, result, err);
    link->closing = true;
    if (goes_on) {
        for (size_t i = link->n_tasks; i-- > 0;)
            imap_pool_again(pool, link->tasks[i], IMAP_STEP_LOST);
        result = ERR_RETRY;
    }
    while (link->n_tasks > 0)
        task_lost(link->tasks[0], result, err);
    pool->wake(pool->owner);
}

static bool is_sent_add(const struct imap_task *task)
{
    return task->class->role == IMAP_ADDS && task->sent;
}

/* End what is under way on a connection, but what was sent to be added where
 * @keep, and the connection where nothing is left. */
static void close_link(struct imap_link *link, bool keep, const struct err *err)
{
    size_t i = 0;

    while (i < link->n_tasks) {
        if (keep && is_sent_add(link->tasks[i])) {
            i++;
        } else {
            task_lost(link->tasks[i], ERR_CANCELLED, err);
        }
    }
    if (link->n_tasks == 0)
        imap_link_close(link);
}

static void close_all(struct imap_pool *pool, bool keep)
{
    struct imap_link *link;
    struct err err;

    err_set(&err, ERR_CANCELLED, "the account is closed");
    while (pool->queue != NULL)
        task_lost(pool->queue, ERR_CANCELLED, &err);
    for (link = pool->links; link != NULL; link = link->next)
        close_link(link, keep, &err);
    pool->wake(pool->owner);
}

void imap_pool_close(struct imap_pool *pool)
{
    pool->closing = true;
    imap_pool_log_gauge(pool);
    close_all(pool, true);
}

void imap_pool_cut(struct imap_pool *pool)
{
    close_all(pool, false);
}

bool imap_pool_is_closed(const struct imap_pool *pool)
{
    return pool->closing && pool->n_links == 0 && pool->over == NULL &&
           pool->queue == NULL;
}
