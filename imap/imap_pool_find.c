/* Who gets which connection. */
#include <string.h>

#include "imap/imap_pool.h"

/* Reads that share a connection: while one arrives the next is asked for. */
#define READS_DEEP 2u

#define ADDS_DEEP 4u

/* Are all its tasks of this role, with nothing more to write? */
static bool can_follow(const struct imap_link *link, enum imap_role role,
                       size_t deep)
{
    if (!link->ready || link->closing || link->n_tasks == 0 ||
        link->n_tasks >= deep || imap_link_wants_compress(link, NULL))
        return false;
    for (size_t i = 0; i < link->n_tasks; i++) {
        if (link->tasks[i]->class->role != role || !link->tasks[i]->sent)
            return false;
    }
    return true;
}

static bool reads_much(const struct imap_link *link)
{
    for (size_t i = 0; i < link->n_tasks; i++) {
        if (link->tasks[i]->class->role == IMAP_READS && !link->tasks[i]->light)
            return true;
    }
    return false;
}

/* Two endpoints that read for each other, while each waits for a connection to
 * add to, would wait for ever: so where messages are added, too, reads leave
 * one connection. But those that are light never wait. */
static bool may_read(const struct imap_pool *pool, const struct imap_task *task)
{
    const struct imap_link *link;
    size_t taken = pool->adds ? 1 : 0;
    bool any = false;

    for (link = pool->links; link != NULL; link = link->next) {
        if (reads_much(link)) {
            any = true;
            taken++;
        }
    }
    return task->light || !any || taken < pool->limit;
}

/* A connection that no task had; those that have nothing to do make room for
 * one. */
static struct imap_link *find_fresh(struct imap_pool *pool)
{
    struct imap_link *link;

    for (link = pool->links; link != NULL; link = link->next) {
        if (!link->used && imap_link_is_idle(link))
            return link;
    }
    imap_pool_close_idle(pool);
    return NULL;
}

static struct imap_link *find_idle(const struct imap_pool *pool,
                                   const struct imap_task *task)
{
    struct imap_link *idle = NULL;
    struct imap_link *link;

    for (link = pool->links; link != NULL; link = link->next) {
        if (!imap_link_is_idle(link))
            continue;
        if (task->folder != NULL && link->ahead != NULL &&
            strcmp(link->ahead, task->folder->name) == 0)
            return link;
        if (idle == NULL)
            idle = link;
    }
    return idle;
}

/* Whose last task is in the same folder; or else, where that will do, the one
 * with the least to do. */
static struct imap_link *find_visited(const struct imap_pool *pool,
                                      const struct imap_task *task, bool same)
{
    struct imap_link *found = NULL;
    struct imap_link *link;

    /* Without UNSELECT nobody can tell whose data comes next. */
    if ((pool->caps.bits & CAP_UNSELECT) == 0)
        return NULL;
    for (link = pool->links; link != NULL; link = link->next) {
        if (!can_follow(link, IMAP_VISITS, IMAP_LINK_TASKS_MAX))
            continue;
        if (link->ahead != NULL && strcmp(link->ahead, task->folder->name) == 0)
            return link;
        if (!same && (found == NULL || link->n_tasks < found->n_tasks))
            found = link;
    }
    return found;
}

/* Is a connection in the task's folder, where it can follow soon, if not now?
 * It had better wait than have the folder selected twice. */
static bool is_visited(const struct imap_pool *pool,
                       const struct imap_task *task)
{
    enum imap_role role = task->class->role;
    const struct imap_link *link;

    if (task->folder == NULL || task->alone)
        return false;
    for (link = pool->links; link != NULL; link = link->next) {
        if (link->ready && !link->closing && link->n_tasks > 0 &&
            link->tasks[0]->class->role == role && link->ahead != NULL &&
            strcmp(link->ahead, task->folder->name) == 0)
            return true;
    }
    return false;
}

/* Where all tasks are of this role, the one with the least to do; @light: where
 * all of them are light. */
static struct imap_link *find_least(const struct imap_pool *pool,
                                    enum imap_role role, bool light)
{
    struct imap_link *found = NULL;
    struct imap_link *link;

    for (link = pool->links; link != NULL; link = link->next) {
        bool fits = can_follow(link, role, IMAP_LINK_TASKS_MAX);

        for (size_t i = 0; light && i < link->n_tasks; i++)
            fits = fits && link->tasks[i]->light;
        if (fits && (found == NULL || link->n_tasks < found->n_tasks))
            found = link;
    }
    return found;
}

/* May the task read behind what the connection reads already? In the same
 * folder only once that is all on its way: else some servers answer both at
 * once, and one that is paused would hold up what the other waits for. */
static bool can_read_next(const struct imap_pool *pool,
                          const struct imap_link *link,
                          const struct imap_task *task, bool same)
{
    if (!can_follow(link, IMAP_READS, READS_DEEP) ||
        imap_link_has(link, task) != same ||
        !(reads_much(link) || may_read(pool, task)))
        return false;
    for (size_t i = 0; same && i < link->n_tasks; i++) {
        if (!link->tasks[i]->ending)
            return false;
    }
    return true;
}

/* Are all connections made that can be? */
static bool is_complete(const struct imap_pool *pool)
{
    const struct imap_link *link;
    size_t n = 0;

    for (link = pool->links; link != NULL; link = link->next)
        n += link->ready && !link->closing;
    return n >= pool->limit;
}

/* Behind what is read in the same folder; or else, where that is little, or no
 * other connection is to be had, in another one. */
static struct imap_link *find_read(const struct imap_pool *pool,
                                   const struct imap_task *task)
{
    struct imap_link *link = pool->links;

    while (link != NULL && !can_read_next(pool, link, task, true))
        link = link->next;
    /* Without UNSELECT nobody can tell whose data comes next. */
    if (link != NULL || (pool->caps.bits & CAP_UNSELECT) == 0)
        return link;
    if (task->light)
        link = find_least(pool, IMAP_READS, true);
    if (link != NULL || !is_complete(pool) || is_visited(pool, task))
        return link;
    link = pool->links;
    while (link != NULL && !can_read_next(pool, link, task, false))
        link = link->next;
    return link;
}

static struct imap_link *find_add(const struct imap_pool *pool,
                                  const struct imap_task *task)
{
    struct imap_link *link = pool->links;

    while (link != NULL && !can_follow(link, IMAP_ADDS, ADDS_DEEP))
        link = link->next;
    return link == NULL && task->light ? find_least(pool, IMAP_ADDS, true)
                                       : link;
}

/* A connection on which the task may follow others of its role; @same: into
 * the folder where they are. */
static struct imap_link *find_shared(const struct imap_pool *pool,
                                     const struct imap_task *task, bool same)
{
    enum imap_role role = task->class->role;

    if (role == IMAP_VISITS)
        return find_visited(pool, task, same);
    if (task->alone)
        return NULL;
    switch (role) {
    case IMAP_READS:
        return find_read(pool, task);
    case IMAP_ADDS:
        return find_add(pool, task);
    case IMAP_NAMES:
        return find_least(pool, IMAP_NAMES, false);
    default:
        return NULL;
    }
}

struct imap_link *imap_pool_find_link(struct imap_pool *pool,
                                      const struct imap_task *task,
                                      size_t *wanted)
{
    bool may = task->class->role != IMAP_READS || may_read(pool, task);
    struct imap_link *link;

    if (task->request->fresh) {
        link = may ? find_fresh(pool) : NULL;
        *wanted += may && link == NULL;
        return link;
    }
    if (task->class->role == IMAP_VISITS && is_visited(pool, task))
        return find_shared(pool, task, true);
    link = may ? find_idle(pool, task) : NULL;
    if (link != NULL)
        return link;
    *wanted += may;
    return find_shared(pool, task, false);
}

bool imap_pool_any_selected(const struct imap_pool *pool)
{
    const struct imap_link *link = pool->links;

    while (link != NULL && !(imap_link_is_idle(link) && link->ahead != NULL))
        link = link->next;
    return link != NULL;
}

bool imap_pool_is_at_hand(const struct imap_pool *pool,
                          const struct imap_task *task)
{
    bool visits = task->class->role == IMAP_VISITS;
    const struct imap_link *link;

    for (link = pool->links; link != NULL; link = link->next) {
        if ((imap_link_is_idle(link) ||
             (visits && can_follow(link, IMAP_VISITS, IMAP_LINK_TASKS_MAX))) &&
            imap_link_has(link, task))
            return true;
    }
    return false;
}
