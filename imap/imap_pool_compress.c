/* Which connections are to be compressed: see docs/architecture.md. */
#include <inttypes.h>

#include "imap/imap_pool.h"

static bool may_compress(const struct imap_pool *pool)
{
    return !pool->incompressible && (pool->caps.bits & CAP_COMPRESS) != 0 &&
           pool->shared.account->compress != COMPRESS_NO;
}

bool imap_pool_compresses(struct imap_pool *pool)
{
    const struct imap_account *account = pool->shared.account;
    const struct gauge *gauge = &pool->gauge;

    if (!may_compress(pool))
        return false;
    if (pool->compresses || account->compress == COMPRESS_YES)
        return true;
    pool->compresses = gauge_is_slow(gauge);
    if (pool->compresses) {
        log_line(pool->shared.log, LOG_WIRE,
                 "%s: %" PRIu64 " kB/s: compressed from now on", account->name,
                 gauge_rate(gauge) / 1000);
    }
    return pool->compresses;
}

void imap_pool_log_gauge(const struct imap_pool *pool)
{
    const struct gauge *gauge = &pool->gauge;

    log_line(pool->shared.log, LOG_WIRE,
             "%s: round trip %.1f ms; waited %" PRIu64 " ms for %" PRIu64
             " bytes to come, %" PRIu64 " ms for %" PRIu64 " to go",
             pool->shared.account->name, (double)gauge->trip_ns / 1e6,
             gauge->in.waited_ns / 1000000, gauge->in.bytes,
             gauge->out.waited_ns / 1000000, gauge->out.bytes);
}

bool imap_pool_compresses_for(struct imap_pool *pool, struct imap_task *task)
{
    return may_compress(pool) && task->class->expects != NULL &&
           gauge_pays(&pool->gauge, task->class->expects(task));
}

void imap_pool_give_up_compress(struct imap_pool *pool, const char *why)
{
    if (!pool->incompressible && !pool->closing) {
        log_line(pool->shared.log, LOG_ACTION, "%s: not compressed: %s",
                 pool->shared.account->name, why);
    }
    pool->incompressible = true;
}
