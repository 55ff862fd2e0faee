#undef _FORTIFY_SOURCE /* its inline bodies of what is defined here */

#include "tests/sim/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define START_NS ((int64_t)1700000000 * 1000000000 + 123456000)
#define LOOK_NS  1000

static _Atomic int64_t now_ns; /* 0: the real time */

void clock_start(void)
{
    now_ns = START_NS;
}

void clock_stop(void)
{
    now_ns = 0;
}

void clock_set_ns(int64_t ns)
{
    now_ns = ns;
}

void clock_pass_ns(int64_t ns)
{
    if (now_ns != 0)
        atomic_fetch_add(&now_ns, ns);
}

int64_t clock_now_ns(void)
{
    struct timespec real;

    if (now_ns != 0)
        return atomic_fetch_add(&now_ns, LOOK_NS) + LOOK_NS;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
    return (int64_t)real.tv_sec * 1000000000 + real.tv_nsec;
}

/* --- instead of the C library's -------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int64_t ns;

    if (now_ns == 0)
        return (int)syscall(SYS_clock_gettime, clock, out);
    ns = clock_now_ns();
    *out = (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec,
                            .tv_usec = (suseconds_t)(now.tv_nsec / 1000)};
    return 0;
}

int nanosleep(const struct timespec *span, struct timespec *left)
{
    if (now_ns == 0)
        return (int)syscall(SYS_nanosleep, span, left);
    clock_pass_ns((int64_t)span->tv_sec * 1000000000 + span->tv_nsec);
    return 0;
}
