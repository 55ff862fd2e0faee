/*
 * What went wrong for now: how long to wait, how many connections to do
 * without, when to give up.
 */
#include "imap/imap_pool.h"
#include "imap/verdict.h"

/* A server acts within that time on what reached it before the connection was
 * lost: so many first waits, but no less than this. A guess; too short a time
 * doubles messages. */
#define SETTLE_UNITS  3u
#define SETTLE_MIN_MS 500u

static uint32_t unit_ms(const struct imap_pool *pool)
{
    unsigned wait_ms = pool->shared.account->wait_ms;

    return wait_ms > 0 ? wait_ms : PATIENCE_UNIT_MS;
}

/* xorshift, which no zero gets out of: good enough to spread clients. */
static uint32_t next_chance(struct imap_pool *pool)
{
    uint32_t x = pool->chance != 0 ? pool->chance : 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    pool->chance = x;
    return x;
}

static void postpone(uint64_t *time_ms, uint64_t to_ms)
{
    if (*time_ms < to_ms)
        *time_ms = to_ms;
}

/* @limited  connections that work for now */
static void lower_limit(struct imap_pool *pool, size_t limited)
{
    if (limited == 0)
        limited = 1;
    if (limited >= pool->limit)
        return;
    pool->limit = limited;
    log_line(pool->shared.log, LOG_ACTION,
             "%s: making do with %zu connection%s", pool->shared.account->name,
             limited, limited == 1 ? "" : "s");
}

static void tell_wait(const struct imap_pool *pool, const struct err *err,
                      uint32_t wait_ms)
{
    log_line(pool->shared.log, LOG_ACTION, "%s: %s: trying again in %.1f s",
             pool->shared.account->name, err->text, wait_ms / 1000.0);
}

/* Waited long enough: worth another run, and no more of this one. */
static void lose_patience(struct imap_pool *pool, const struct err *err)
{
    struct err why = *err;

    imap_pool_give_up(pool, ERR_CONNECT, &why);
}

bool imap_pool_rest(struct imap_pool *pool, struct verdict verdict,
                    const struct err *err)
{
    uint64_t now_ms = pool->now_ms(pool->owner);
    uint32_t wait_ms;

    if (pool->broken != 0)
        return false;
    /* Told so already, by the answer to another command of the same flight. */
    if (now_ms + verdict.wait_ms / 2 < pool->resume_ms)
        return true;
    if (!patience_wait(&pool->patience, unit_ms(pool), verdict.wait_ms,
                       next_chance(pool), &wait_ms)) {
        if (verdict.kind != VERDICT_BUSY)
            lose_patience(pool, err);
        return false;
    }
    pool->resume_ms = now_ms + wait_ms;
    tell_wait(pool, err, wait_ms);
    if (verdict.kind == VERDICT_THROTTLED)
        lower_limit(pool, pool->limit / 2);
    if (verdict.kind == VERDICT_CROWDED)
        lower_limit(pool, pool->n_links - 1);
    return true;
}

static void wait_at_least(struct imap_pool *pool, uint64_t least_ms)
{
    uint64_t wait_ms = (uint64_t)SETTLE_UNITS * unit_ms(pool);

    if (wait_ms < least_ms)
        wait_ms = least_ms;
    postpone(&pool->resume_ms, pool->now_ms(pool->owner) + wait_ms);
}

void imap_pool_let_settle(struct imap_pool *pool)
{
    wait_at_least(pool, SETTLE_MIN_MS);
}

/* Some time has gone by already. */
void imap_pool_let_arrive(struct imap_pool *pool)
{
    log_line(pool->shared.log, LOG_ACTION,
             "%s: an earlier run was interrupted: waiting for what it may have "
             "sent",
             pool->shared.account->name);
    wait_at_least(pool, 0);
}

/* With one folder or message that is busy, all others go on. */
static bool rest_task(struct imap_pool *pool, struct imap_task *task,
                      const struct err *err)
{
    uint32_t wait_ms;

    if (!patience_wait(&task->patience, unit_ms(pool), 0, next_chance(pool),
                       &wait_ms))
        return false;
    task->resume_ms = pool->now_ms(pool->owner) + wait_ms;
    tell_wait(pool, err, wait_ms);
    return true;
}

bool imap_pool_put_off(struct imap_pool *pool, struct imap_task *task, int step,
                       const struct session_reply *reply)
{
    struct verdict verdict = verdict_of_answer(reply);
    struct err err;

    if (!verdict_passes(verdict) || pool->closing || pool->broken != 0 ||
        task->class->again == NULL)
        return false;
    imap_task_answer(reply, "command", &err);
    if (task->folder != NULL)
        err_wrap(&err, 0, "%s", task->folder->name);
    if (verdict.kind == VERDICT_BUSY && !rest_task(pool, task, &err))
        return false;
    if (verdict.kind != VERDICT_BUSY && !imap_pool_rest(pool, verdict, &err)) {
        imap_pool_lose(pool, task);
        return true;
    }
    return imap_pool_again(pool, task, step);
}

/* A token that was refused may only be too old: another one gets its chance,
 * once. Returns whether there may be one. */
static bool renew_token(struct imap_pool *pool, int result,
                        const struct err *err)
{
    const struct imap_account *account = pool->shared.account;

    if (result != ERR_AUTH || account->renew_token == NULL)
        return false;
    if (pool->renewed)
        return pool->renewing; /* that was with the old one */
    pool->renewed = true;
    pool->renewing = true;
    log_line(pool->shared.log, LOG_ACTION, "%s: %s: asking for another token",
             account->name, err->text);
    account->renew_token(account->renew_owner);
    return pool->broken == 0;
}

void imap_pool_renewed(struct imap_pool *pool, int result,
                       const struct err *err)
{
    pool->renewing = false;
    if (result != 0 && pool->n_links > 0)
        lower_limit(pool, pool->n_links); /* they will do, or tell */
    else if (result != 0 && pool->broken == 0)
        imap_pool_give_up(pool, ERR_AUTH, err);
    pool->wake(pool->owner);
}

/* Is another connection likely to fare better? A first one that cannot be made
 * has a reason that somebody has to look at, unless the server says that it
 * will pass. */
static bool is_passing(const struct imap_pool *pool, int result)
{
    return result == ERR_BUSY || (result == ERR_CONNECT && pool->caps.known);
}

/* A message that costs the connection each time is no reason to give up on all
 * others, here and the other way. */
static bool is_message_to_blame(const struct imap_link *link)
{
    return link->ready && link->n_tasks > 0 && link->tasks[0]->lone;
}

/* Wait before the next connection; once for all that were lost together. */
static void wait_to_connect(struct imap_pool *pool,
                            const struct imap_link *link,
                            struct verdict farewell, const struct err *err)
{
    uint64_t now_ms = pool->now_ms(pool->owner);
    uint32_t wait_ms;

    /* What the server asks for is waited, too, where that is longer. */
    if (link->setbacks != pool->setbacks &&
        (farewell.wait_ms == 0 ||
         now_ms + farewell.wait_ms / 2 < pool->connect_ms))
        return;
    pool->setbacks++;
    if (is_message_to_blame(link))
        patience_excuse(&pool->patience);
    if (!patience_wait(&pool->patience, unit_ms(pool), farewell.wait_ms,
                       next_chance(pool), &wait_ms)) {
        if (pool->n_links == 0)
            lose_patience(pool, err);
        /* Else there are others, which may get on; but this one has no
         * successor, or with each that is lost there would be another. */
        lower_limit(pool, pool->n_links);
        return;
    }
    postpone(&pool->connect_ms, now_ms + wait_ms);
    if (farewell.kind == VERDICT_THROTTLED)
        postpone(&pool->resume_ms, now_ms + wait_ms);
    tell_wait(pool, err, wait_ms);
}

static bool any_ready(const struct imap_pool *pool)
{
    const struct imap_link *link = pool->links;

    while (link != NULL && !link->ready)
        link = link->next;
    return link != NULL;
}

/* One that was about to be made was not, and others are there or on their way:
 * they will do, or tell. */
static void make_do(struct imap_pool *pool, const struct imap_link *link,
                    int result, struct verdict farewell, const struct err *err)
{
    if (!is_passing(pool, result) || any_ready(pool))
        lower_limit(pool, pool->n_links);
    else if (pool->n_links < pool->limit)
        wait_to_connect(pool, link, farewell, err); /* it has a successor */
}

bool imap_pool_setback(struct imap_pool *pool, const struct imap_link *link,
                       int result, const struct err *err)
{
    struct verdict farewell = conn_farewell(link->conn);

    if (pool->broken != 0)
        return false;
    if (!link->ready && renew_token(pool, result, err))
        return true;
    if (farewell.kind == VERDICT_CROWDED)
        lower_limit(pool, pool->n_links);
    if (!link->ready && pool->n_links > 0) {
        make_do(pool, link, result, farewell, err);
        return true;
    }
    /* What one connection was lost of may have taken those that are silent, too,
     * and nobody would notice before a long silence. */
    imap_pool_close_idle(pool);
    if (!is_passing(pool, result)) {
        if (!link->ready)
            imap_pool_give_up(pool, result, err);
        return false;
    }
    /* Who has nothing to do may be sent away. */
    if (!link->ready || link->n_tasks > 0 || verdict_passes(farewell))
        wait_to_connect(pool, link, farewell, err);
    return pool->broken == 0;
}
