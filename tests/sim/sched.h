/*
 * One seeded scheduler with a clock of its own for everything in a simulated
 * world: what libuv would do (uv.c), bytes on their way (net.c), servers that
 * act late (server.c). Of all that is due at one moment, any may come first;
 * the clock stands still until nothing is due, then it jumps to what comes
 * next. One seed is one order of events. The clock of clock.h goes along, where it
 * was started.
 *
 * There is one of it in a program: libuv's functions are given nothing that it
 * could hang on. sched_reset() begins a new world.
 */
#ifndef TESTS_SIM_SCHED_H
#define TESTS_SIM_SCHED_H

#include <stdbool.h>
#include <stdint.h>

/* Forget all that is under way; the clock starts anew. */
void sched_reset(uint64_t seed);

/* Any number below @limit, which is 1 or more. */
uint32_t sched_random(uint32_t limit);

/* True once in so many times on average; 0: never. */
bool sched_chance(uint32_t one_in);

/* The virtual clock, in microseconds since a moment that stays the same. */
uint64_t sched_now_us(void);

/* Have @run(@owner) called once, when @delay_us have passed. */
void sched_at(uint64_t delay_us, void (*run)(void *owner), void *owner);

/* Not any more: all of @run with @owner. Returns whether there was any. */
bool sched_cancel(void (*run)(void *owner), const void *owner);

/* Let one thing happen. Returns false where nothing is under way. */
bool sched_step(void);

/* How many happened since sched_reset(). */
uint64_t sched_steps(void);

#endif
