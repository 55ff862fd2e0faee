/*
 * The functions of libuv that mailtwin uses, on the simulated scheduler: linked
 * in place of libuv, so that the product's code runs as it is. What one turn
 * of a real loop would call in a fixed order comes in any order here. Sockets
 * and name look-ups are net.c's.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "tests/sim/net_uv.h"
#include "tests/sim/sched.h"

/* u.reserved[] of a handle: how far it is closed. */
enum { SLOT_CLOSING = 3 };

static struct uv_sim {
    uint64_t alive; /* handles and requests that libuv still has */
} uv_sim;

uint64_t uv_sim_alive(void)
{
    return uv_sim.alive;
}

void uv_sim_count(int change)
{
    uv_sim.alive += (uint64_t)(int64_t)change;
}

static void init(uv_loop_t *loop, uv_handle_t *handle, uv_handle_type type)
{
    handle->loop = loop;
    handle->type = type;
    handle->close_cb = NULL;
    memset(&handle->u, 0, sizeof(handle->u));
    uv_sim_count(1);
}

/* --- the loop -------------------------------------------------------------- */

int uv_loop_init(uv_loop_t *loop)
{
    memset(loop, 0, sizeof(*loop));
    return 0;
}

int uv_loop_close(uv_loop_t *loop)
{
    (void)loop;
    return 0;
}

uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return sched_now_us() / 1000;
}

void uv_update_time(uv_loop_t *loop)
{
    (void)loop;
}

uint64_t uv_hrtime(void)
{
    return sched_now_us() * 1000;
}

/* --- timers and idle handles ----------------------------------------------- */

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    init(loop, (uv_handle_t *)timer, UV_TIMER);
    timer->timer_cb = NULL;
    timer->repeat = 0;
    return 0;
}

static void fire(void *owner)
{
    uv_timer_t *timer = owner;

    if (timer->repeat > 0)
        sched_at(timer->repeat * 1000, fire, timer);
    timer->timer_cb(timer);
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb fired, uint64_t timeout,
                   uint64_t repeat)
{
    if (fired == NULL || uv_is_closing((uv_handle_t *)timer))
        return UV_EINVAL;
    sched_cancel(fire, timer);
    timer->timer_cb = fired;
    timer->repeat = repeat;
    sched_at(timeout * 1000, fire, timer);
    return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
    sched_cancel(fire, timer);
    return 0;
}

int uv_idle_init(uv_loop_t *loop, uv_idle_t *idle)
{
    init(loop, (uv_handle_t *)idle, UV_IDLE);
    idle->idle_cb = NULL;
    return 0;
}

/* Again and again, until it is stopped. */
static void turn(void *owner)
{
    uv_idle_t *idle = owner;

    sched_at(0, turn, idle);
    idle->idle_cb(idle);
}

int uv_idle_start(uv_idle_t *idle, uv_idle_cb called)
{
    if (called == NULL)
        return UV_EINVAL;
    if (uv_is_closing((uv_handle_t *)idle))
        abort(); /* a bug that libuv asserts against, too */
    if (idle->idle_cb != NULL)
        return 0;
    idle->idle_cb = called;
    sched_at(0, turn, idle);
    return 0;
}

int uv_idle_stop(uv_idle_t *idle)
{
    sched_cancel(turn, idle);
    idle->idle_cb = NULL;
    return 0;
}

/* --- closing ---------------------------------------------------------------- */

int uv_is_closing(const uv_handle_t *handle)
{
    return handle->u.reserved[SLOT_CLOSING] != NULL;
}

static void close_now(void *owner)
{
    uv_handle_t *handle = owner;

    if (handle->type == UV_TCP)
        net_client_closed((uv_tcp_t *)handle);
    uv_sim_count(-1);
    if (handle->close_cb != NULL)
        handle->close_cb(handle);
}

void uv_close(uv_handle_t *handle, uv_close_cb closed)
{
    if (uv_is_closing(handle))
        abort();
    handle->close_cb = closed;
    handle->u.reserved[SLOT_CLOSING] = handle;
    if (handle->type == UV_TIMER)
        uv_timer_stop((uv_timer_t *)handle);
    else if (handle->type == UV_IDLE)
        uv_idle_stop((uv_idle_t *)handle);
    else if (handle->type == UV_TCP)
        net_client_closes((uv_tcp_t *)handle);
    sched_at(0, close_now, handle);
}

/* --- work ------------------------------------------------------------------- */

static void after_work(void *owner)
{
    uv_work_t *work = owner;

    uv_sim_count(-1);
    work->after_work_cb(work, 0);
}

/* Any time may pass before it is begun, and after it is done. */
static void do_work(void *owner)
{
    uv_work_t *work = owner;

    work->work_cb(work);
    sched_at(sched_random(50), after_work, work);
}

int uv_queue_work(uv_loop_t *loop, uv_work_t *work, uv_work_cb begin,
                  uv_after_work_cb done)
{
    work->loop = loop;
    work->work_cb = begin;
    work->after_work_cb = done;
    uv_sim_count(1);
    sched_at(sched_random(50), do_work, work);
    return 0;
}

/* --- what needs no scheduler ------------------------------------------------ */

int uv_ip4_addr(const char *ip, int port, struct sockaddr_in *address)
{
    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, ip, &address->sin_addr) == 1 ? 0 : UV_EINVAL;
}

int uv_ip6_addr(const char *ip, int port, struct sockaddr_in6 *address)
{
    memset(address, 0, sizeof(*address));
    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, ip, &address->sin6_addr) == 1 ? 0 : UV_EINVAL;
}

const char *uv_strerror(int error)
{
    switch (error) {
#define UV_TEXT(name, text) \
    case UV_##name:         \
        return text;
        UV_ERRNO_MAP(UV_TEXT)
#undef UV_TEXT
    default:
        return "unknown error";
    }
}
