#include "cmd/loop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/exitcode.h"

static void on_signal(uv_signal_t *handle, int number)
{
    struct loop *loop = handle->data;

    (void)number;
    loop->signals++;
    if (loop->signals > 1) {
        /* The state is safe at any instant: nothing is lost but time. */
        _exit(EXITCODE_INTERRUPTED);
    }
    if (loop->on_signal != NULL) {
        loop->on_signal(loop->owner);
    }
}

static void on_tick(uv_timer_t *handle)
{
    struct loop *loop = handle->data;

    loop->on_tick(loop->owner);
}

/* These handles alone are no reason to go on. */
static void hide(uv_handle_t *handle, struct loop *loop)
{
    handle->data = loop;
    uv_unref(handle);
}

/* Where libuv gets no memory, or no pipe for signals, it aborts the program
 * without a word. */
static int spare_aborts(void)
{
    int ends[2];
    int r = uv_replace_allocator(mem_malloc, mem_realloc, mem_calloc, free);

    if (r == 0 && pipe(ends) < 0) {
        r = uv_translate_sys_error(errno);
    } else if (r == 0) {
        close(ends[0]);
        close(ends[1]);
    }
    return r;
}

int loop_init(struct loop *loop, struct err *err)
{
    int r = spare_aborts();

    *loop = (struct loop){0};
    if (r == 0) {
        r = uv_loop_init(&loop->uv);
    }
    if (r == 0) {
        r = uv_signal_init(&loop->uv, &loop->interrupt);
    }
    if (r == 0) {
        r = uv_signal_init(&loop->uv, &loop->terminate);
    }
    if (r != 0) {
        return err_set(err, ERR_DISK, "cannot start the event loop: %s",
                       uv_strerror(r));
    }
    uv_timer_init(&loop->uv, &loop->clock);
    hide((uv_handle_t *)&loop->interrupt, loop);
    hide((uv_handle_t *)&loop->terminate, loop);
    hide((uv_handle_t *)&loop->clock, loop);
    return 0;
}

void loop_run(struct loop *loop, unsigned tick_ms)
{
    uv_signal_start(&loop->interrupt, on_signal, SIGINT);
    uv_signal_start(&loop->terminate, on_signal, SIGTERM);
    if (tick_ms > 0 && loop->on_tick != NULL) {
        uv_timer_start(&loop->clock, on_tick, 0, tick_ms);
    }
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_timer_stop(&loop->clock);
    uv_signal_stop(&loop->interrupt);
    uv_signal_stop(&loop->terminate);
}

void loop_deinit(struct loop *loop)
{
    uv_close((uv_handle_t *)&loop->interrupt, NULL);
    uv_close((uv_handle_t *)&loop->terminate, NULL);
    uv_close((uv_handle_t *)&loop->clock, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
}

struct delay {
    uv_timer_t timer;
    void (*call)(void *owner);
    void *owner;
};

static void free_data(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_delay(uv_timer_t *timer)
{
    struct delay *delay = timer->data;

    uv_close((uv_handle_t *)timer, free_data);
    delay->call(delay->owner);
}

void loop_later(struct loop *loop, unsigned ms, void (*call)(void *owner),
                void *owner)
{
    struct delay *delay = MEM_NEW(struct delay);

    delay->call = call;
    delay->owner = owner;
    uv_timer_init(&loop->uv, &delay->timer);
    delay->timer.data = delay;
    uv_timer_start(&delay->timer, on_delay, ms, 0);
}

struct loop_watch {
    uv_poll_t poll;
    void (*call)(void *owner);
    void *owner;
};

/* An error is for the reader to find. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *watch = poll->data;

    (void)status;
    (void)events;
    uv_close((uv_handle_t *)poll, free_data);
    watch->call(watch->owner);
}

struct loop_watch *loop_watch(struct loop *loop, int fd,
                              void (*call)(void *owner), void *owner)
{
    struct loop_watch *watch = MEM_NEW(struct loop_watch);

    watch->call = call;
    watch->owner = owner;
    watch->poll.data = watch;
    if (uv_poll_init(&loop->uv, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    uv_poll_start(&watch->poll, UV_READABLE, on_readable);
    return watch;
}

void loop_unwatch(struct loop_watch *watch)
{
    uv_close((uv_handle_t *)&watch->poll, free_data);
}

double loop_now(void)
{
    return (double)uv_hrtime() / 1e9;
}
