#include "tests/sim/sched.h"

#include <stddef.h>

#include "base/mem.h"
#include "tests/random.h"
#include "tests/sim/clock.h"

struct event {
    uint64_t due_us;
    void (*run)(void *owner);
    void *owner;
};

/* In no order: there are some dozens at most. */
static struct sched {
    struct random random;
    uint64_t now_us;
    uint64_t steps;
    struct event *events;
    size_t n;
    size_t cap;
} sched;

/* A day that is long past: no file of this machine is younger. */
#define START_US UINT64_C(1000000)

void sched_reset(uint64_t seed)
{
    sched.random.state = seed;
    sched.now_us = START_US;
    sched.steps = 0;
    sched.n = 0;
}

uint32_t sched_random(uint32_t limit)
{
    return random_below(&sched.random, limit);
}

bool sched_chance(uint32_t one_in)
{
    return one_in > 0 && sched_random(one_in) == 0;
}

uint64_t sched_now_us(void)
{
    return sched.now_us;
}

void sched_at(uint64_t delay_us, void (*run)(void *owner), void *owner)
{
    sched.events =
        mem_grow(sched.events, sched.n, &sched.cap, sizeof(*sched.events));
    sched.events[sched.n++] =
        (struct event){sched.now_us + delay_us, run, owner};
}

bool sched_cancel(void (*run)(void *owner), const void *owner)
{
    size_t kept = 0;
    size_t n = sched.n;

    for (size_t i = 0; i < n; i++) {
        if (sched.events[i].run != run || sched.events[i].owner != owner)
            sched.events[kept++] = sched.events[i];
    }
    sched.n = kept;
    return kept < n;
}

/* Jump to what comes next, where nothing is due now. Returns how many are due. */
static size_t count_due(void)
{
    uint64_t first_us = UINT64_MAX;
    size_t n_due = 0;

    for (size_t i = 0; i < sched.n; i++) {
        if (sched.events[i].due_us < first_us)
            first_us = sched.events[i].due_us;
    }
    if (first_us > sched.now_us) {
        clock_pass_ns((int64_t)(first_us - sched.now_us) * 1000);
        sched.now_us = first_us;
    }
    for (size_t i = 0; i < sched.n; i++)
        n_due += sched.events[i].due_us <= sched.now_us;
    return n_due;
}

bool sched_step(void)
{
    struct event event;
    size_t chosen;
    size_t i = 0;

    if (sched.n == 0)
        return false;
    chosen = sched_random((uint32_t)count_due());
    for (;; i++) {
        if (sched.events[i].due_us <= sched.now_us && chosen-- == 0)
            break;
    }
    event = sched.events[i];
    sched.events[i] = sched.events[--sched.n];
    sched.steps++;
    event.run(event.owner);
    return true;
}

uint64_t sched_steps(void)
{
    return sched.steps;
}
