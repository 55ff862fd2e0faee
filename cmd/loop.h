/*
 * The event loop of one command: libuv's, with signals and a clock that tick
 * on it. The only file of cmd that knows libuv.
 */
#ifndef CMD_LOOP_H
#define CMD_LOOP_H

#include <uv.h>

#include "base/err.h"

struct loop {
    uv_loop_t uv;
    uv_signal_t interrupt;
    uv_signal_t terminate;
    uv_timer_t clock;
    unsigned signals; /* that came */
    /* The first SIGINT or SIGTERM; another one ends the process. */
    void (*on_signal)(void *owner);
    /* Every so often, while loop_run() lasts; may be NULL. */
    void (*on_tick)(void *owner);
    void *owner;
};

/* Ready for endpoints; set the callbacks before loop_run(). Returns 0, or
 * ERR_DISK where the system has no descriptors left. */
int loop_init(struct loop *loop, struct err *err);

/* Until nothing is under way any more. @tick_ms  0: no ticks. */
void loop_run(struct loop *loop, unsigned tick_ms);

/* Close it; all else on it must be closed or closing. */
void loop_deinit(struct loop *loop);

/* Have @call called once @ms have passed, never from inside; loop_run() lasts
 * until then. */
void loop_later(struct loop *loop, unsigned ms, void (*call)(void *owner),
                void *owner);

/* Have @call called once, as soon as there is something to read from @fd, or
 * its end. The watch is over with that, or with loop_unwatch(). NULL where the
 * system cannot watch one more. */
struct loop_watch;
struct loop_watch *loop_watch(struct loop *loop, int fd,
                              void (*call)(void *owner), void *owner);
void loop_unwatch(struct loop_watch *watch);

/* Seconds on a clock that does not jump. */
double loop_now(void);

#endif
