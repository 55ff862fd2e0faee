/*
 * The connections of an account and the tasks that wait for one. The first
 * connection is made for the first task, others when there is more to do at
 * once; each is given to tasks of one role at a time.
 *
 * What goes wrong for now is waited out (imap_pool_wait.c): a lost connection
 * is made again, a server that is busy or wants fewer connections gets its
 * way, and tasks that can are started anew. Without any progress that ends: see
 * patience.h. Times are those of now_ms().
 */
#ifndef IMAP_IMAP_POOL_H
#define IMAP_IMAP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "imap/caps.h"
#include "imap/conn.h"
#include "imap/imap_link.h"
#include "imap/imap_names.h"
#include "imap/imap_task.h"

/* How changes are found. */
enum imap_tier { IMAP_PLAIN, IMAP_CONDSTORE, IMAP_RESYNC };

struct imap_pool {
    struct conn_shared shared;
    struct imap_names names;
    struct caps caps;     /* from the first login on, without what is shunned */
    struct quirks quirks; /* the same: of the server's kind and as configured */
    enum imap_tier tier;
    struct gauge gauge;  /* of all connections */
    bool compresses;     /* they are compressed, each before its next task */
    bool incompressible; /* the server refused to, or broke of it */
    uint32_t listings;   /* made so far */
    struct imap_link *links; /* oldest first */
    size_t n_links;
    size_t limit;   /* connections at most; lowered when one is refused */
    bool renewed;   /* no login since another token was asked for */
    bool renewing;  /* it is not there yet */
    int broken;     /* nothing works any more: why */
    struct err err; /* of broken */
    bool adds;      /* messages are added here, too */
    unsigned full;  /* refusals of one message in a row for want of room */
    bool cramped;   /* there was none for several together */
    bool untouched; /* see struct open_request */
    bool closing;
    struct patience patience;
    unsigned setbacks;       /* so far */
    uint64_t connect_ms;     /* no connection is begun before */
    uint64_t resume_ms;      /* nothing is begun before */
    uint32_t chance;         /* another number each time */
    struct imap_task *queue; /* oldest first */
    struct imap_task *over;  /* oldest first; done() is to be called */
    /* There is something for imap_pool_turn(). */
    void (*wake)(void *owner);
    /* There will be, in @ms milliseconds; the latest call counts. */
    void (*alarm)(void *owner, uint64_t ms);
    /* A clock that never jumps, in milliseconds. */
    uint64_t (*now_ms)(void *owner);
    void *owner;
};

/* @pool is zeroed but for shared, chance, wake, alarm, now_ms and owner. */
void imap_pool_init(struct imap_pool *pool);
void imap_pool_deinit(struct imap_pool *pool);

/* Queue a task. */
void imap_pool_submit(struct imap_pool *pool, struct imap_task *task);

/* The task of @request, or NULL where it is over. */
struct imap_task *imap_pool_find(const struct imap_pool *pool,
                                 const struct request *request);

/* Call done() for what is over and give work to the connections. Only from
 * the loop. */
void imap_pool_turn(struct imap_pool *pool);

/* Cancel everything, log out. Only the answers to what was sent to be added are
 * waited for: the server may act on it at any time from now on, and the next
 * run would not find yet what is about to appear. Returns at once; the pool is
 * closed when imap_pool_is_closed(), which turns true within imap_pool_turn().
 */
void imap_pool_close(struct imap_pool *pool);

/* The answers take too long: wait no more. */
void imap_pool_cut(struct imap_pool *pool);

bool imap_pool_is_closed(const struct imap_pool *pool);

/* For the links and tasks. */
void imap_pool_ready(struct imap_pool *pool, const struct session *session);
void imap_pool_over(struct imap_pool *pool, struct imap_task *task);
void imap_pool_ended(struct imap_pool *pool, struct imap_link *link, int result,
                     const struct err *err);

/* End the task as the account was given up. */
void imap_pool_lose(struct imap_pool *pool, struct imap_task *task);

/* End the connections that have nothing to do. */
void imap_pool_close_idle(struct imap_pool *pool);

/* Start the task anew, if it can be: see struct imap_task_class. Returns
 * whether it can. */
bool imap_pool_again(struct imap_pool *pool, struct imap_task *task, int step);

/* Something was achieved: patience begins anew. */
void imap_pool_progress(struct imap_pool *pool);

/* The account is of no use any more, nor are its tasks that wait. */
void imap_pool_give_up(struct imap_pool *pool, int result,
                       const struct err *err);

/* imap_pool_find.c */

/* The connection for a task, or NULL. @wanted counts those that another
 * connection would help. */
struct imap_link *imap_pool_find_link(struct imap_pool *pool,
                                      const struct imap_task *task,
                                      size_t *wanted);

/* Is a connection that has nothing to do in any folder? */
bool imap_pool_any_selected(const struct imap_pool *pool);

/* Is a connection in the task's folder that it can have at once? */
bool imap_pool_is_at_hand(const struct imap_pool *pool,
                          const struct imap_task *task);

/* imap_pool_wait.c */

/* A command of the task was answered with @reply. Where that is "not now", and
 * the task can be started anew, it goes back to the queue until it is time, or
 * ends with the account where that was long enough, and this returns true; else
 * the answer is the task's. */
bool imap_pool_put_off(struct imap_pool *pool, struct imap_task *task, int step,
                       const struct session_reply *reply);

/* The server is to be left alone for a while, because of @verdict, which
 * passes. Returns false where that has been so for too long; but for
 * VERDICT_BUSY, the account is then given up. */
bool imap_pool_rest(struct imap_pool *pool, struct verdict verdict,
                    const struct err *err);

/* The server may be about to do what its answer was lost of: begin nothing
 * before it had the time for it. */
void imap_pool_let_settle(struct imap_pool *pool);

/* The same of what an earlier run may have sent. */
void imap_pool_let_arrive(struct imap_pool *pool);

/* A connection was lost, or could not be made; @link is not among the others
 * any more. Returns whether the account goes on with another one. */
bool imap_pool_setback(struct imap_pool *pool, const struct imap_link *link,
                       int result, const struct err *err);

/* Another token is there, or @result says why not. */
void imap_pool_renewed(struct imap_pool *pool, int result,
                       const struct err *err);

/* imap_pool_compress.c */

/* Is it worth while to compress, as far as is known by now, and can the server?
 * That never changes back but where it turns out that the server cannot. */
bool imap_pool_compresses(struct imap_pool *pool);

/* The same for what this task alone will bring. */
bool imap_pool_compresses_for(struct imap_pool *pool, struct imap_task *task);

/* Go on without, because of @why. */
void imap_pool_give_up_compress(struct imap_pool *pool, const char *why);

/* Tell the log what the choice was made by. */
void imap_pool_log_gauge(const struct imap_pool *pool);

#endif
