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

double loop_now(void)
{
    return (double)uv_hrtime() / 1e9;
}
