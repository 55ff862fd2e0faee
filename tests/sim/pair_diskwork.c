/* store/diskwork.h on the scheduler of model.h, which is what diskwork_new() is
 * given: work is done in one piece, at some time, by the one thread there is. */
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/diskwork.h"
#include "tests/sim/clock.h"
#include "tests/sim/model.h"
#include "tests/sim/pair.h"

#define NS_IN_MS 1000000

struct diskwork {
    struct sim *sim;
};

struct disk_timer {
    struct sim *sim;
    void (*fired)(void *owner);
    void *owner;
    unsigned delay_ms;
    unsigned n_waiting; /* tasks under way, all but the last one stopped */
    bool runs;
    bool closed;
};

struct diskwork *diskwork_new(struct uv_loop_s *loop)
{
    struct diskwork *diskwork = MEM_NEW(struct diskwork);

    diskwork->sim = pair_sim(loop);
    return diskwork;
}

void diskwork_free(struct diskwork *diskwork)
{
    free(diskwork);
}

/* --- work ------------------------------------------------------------------------ */

struct queued {
    struct sim *sim;
    struct disk_task *task;
    unsigned delay_ms;
};

static void finish(void *owner)
{
    struct queued *queued = owner;
    struct disk_task *task = queued->task;

    clock_pass_ns((int64_t)queued->delay_ms * NS_IN_MS);
    free(queued);
    task->done(task->owner);
}

static void work(void *owner)
{
    struct queued *queued = owner;

    queued->task->work(queued->task->owner);
    sim_later(queued->sim, finish, queued);
}

static struct queued *enqueue(struct diskwork *diskwork, struct disk_task *task)
{
    struct queued *queued = MEM_NEW(struct queued);

    queued->sim = diskwork->sim;
    queued->task = task;
    return queued;
}

void diskwork_run(struct diskwork *diskwork, struct disk_task *task)
{
    sim_later(diskwork->sim, work, enqueue(diskwork, task));
}

void diskwork_later(struct diskwork *diskwork, struct disk_task *task,
                    unsigned delay_ms)
{
    struct queued *queued = enqueue(diskwork, task);

    queued->delay_ms = delay_ms;
    sim_later(diskwork->sim, finish, queued);
}

/* --- timers ----------------------------------------------------------------------- */

static void on_time(void *owner)
{
    struct disk_timer *timer = owner;

    timer->n_waiting--;
    if (timer->closed && timer->n_waiting == 0) {
        free(timer);
    } else if (timer->runs && timer->n_waiting == 0) {
        timer->runs = false;
        clock_pass_ns((int64_t)timer->delay_ms * NS_IN_MS);
        timer->fired(timer->owner);
    }
}

struct disk_timer *diskwork_timer_new(struct diskwork *diskwork,
                                      void (*fired)(void *owner), void *owner)
{
    struct disk_timer *timer = MEM_NEW(struct disk_timer);

    timer->sim = diskwork->sim;
    timer->fired = fired;
    timer->owner = owner;
    return timer;
}

void diskwork_timer_start(struct disk_timer *timer, unsigned delay_ms)
{
    timer->runs = true;
    timer->delay_ms = delay_ms;
    timer->n_waiting++;
    sim_later(timer->sim, on_time, timer);
}

void diskwork_timer_stop(struct disk_timer *timer)
{
    timer->runs = false;
}

void diskwork_timer_free(struct disk_timer *timer)
{
    timer->runs = false;
    timer->closed = true;
    timer->n_waiting++;
    sim_later(timer->sim, on_time, timer);
}
