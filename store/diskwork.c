#include "store/diskwork.h"

#include <stdlib.h>

#include <uv.h>

#include "base/mem.h"

struct diskwork {
    uv_loop_t *loop;
};

struct disk_timer {
    uv_timer_t handle;
    void (*fired)(void *owner);
    void *owner;
};

struct queued {
    uv_work_t handle;
    struct disk_task *task;
};

/* libuv fails these calls only for a NULL callback or a closing handle. */
static void must(int r)
{
    if (r != 0) {
        abort();
    }
}

struct diskwork *diskwork_new(struct uv_loop_s *loop)
{
    struct diskwork *diskwork = MEM_NEW(struct diskwork);

    diskwork->loop = loop;
    return diskwork;
}

void diskwork_free(struct diskwork *diskwork)
{
    free(diskwork);
}

static void on_work(uv_work_t *handle)
{
    struct queued *queued = handle->data;

    queued->task->work(queued->task->owner);
}

static void on_worked(uv_work_t *handle, int status)
{
    struct queued *queued = handle->data;
    struct disk_task *task = queued->task;

    (void)status; /* only uv_cancel() makes it anything but 0 */
    free(queued);
    task->done(task->owner);
}

void diskwork_run(struct diskwork *diskwork, struct disk_task *task)
{
    struct queued *queued = MEM_NEW(struct queued);

    queued->handle.data = queued;
    queued->task = task;
    must(uv_queue_work(diskwork->loop, &queued->handle, on_work, on_worked));
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_fired(uv_timer_t *handle)
{
    struct disk_timer *timer = handle->data;

    timer->fired(timer->owner);
}

struct disk_timer *diskwork_timer_new(struct diskwork *diskwork,
                                      void (*fired)(void *owner), void *owner)
{
    struct disk_timer *timer = MEM_NEW(struct disk_timer);

    timer->fired = fired;
    timer->owner = owner;
    must(uv_timer_init(diskwork->loop, &timer->handle));
    timer->handle.data = timer;
    return timer;
}

void diskwork_timer_start(struct disk_timer *timer, unsigned delay_ms)
{
    must(uv_timer_start(&timer->handle, on_fired, delay_ms, 0));
}

void diskwork_timer_stop(struct disk_timer *timer)
{
    must(uv_timer_stop(&timer->handle));
}

void diskwork_timer_free(struct disk_timer *timer)
{
    uv_close((uv_handle_t *)&timer->handle, on_closed);
}

struct later {
    struct disk_timer *timer;
    struct disk_task *task;
};

static void on_later(void *owner)
{
    struct later *later = owner;
    struct disk_task *task = later->task;

    diskwork_timer_free(later->timer);
    free(later);
    task->done(task->owner);
}

void diskwork_later(struct diskwork *diskwork, struct disk_task *task,
                    unsigned delay_ms)
{
    struct later *later = MEM_NEW(struct later);

    later->task = task;
    later->timer = diskwork_timer_new(diskwork, on_later, later);
    diskwork_timer_start(later->timer, delay_ms);
}
