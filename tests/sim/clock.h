/*
 * The time of a simulation: it stands in for clock_gettime(), time(),
 * gettimeofday() and nanosleep() of the C library in a program that is linked
 * with clock.c. Off until clock_start(); from then on nothing passes but what is
 * let pass.
 */
#ifndef TESTS_SIM_CLOCK_H
#define TESTS_SIM_CLOCK_H

#include <stdint.h>

/* Begin at a moment of 2023; every clock shows the same. */
void clock_start(void);
/* The real time again. */
void clock_stop(void);

/* Back to an earlier moment, with all that the world had then. */
void clock_set_ns(int64_t ns);

/* Nanoseconds since 1970. Each look takes a microsecond, so that no two are
 * equal. */
int64_t clock_now_ns(void);
void clock_pass_ns(int64_t ns);

#endif
