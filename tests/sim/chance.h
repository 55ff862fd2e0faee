/*
 * What a program takes from its surroundings by chance, told by a seed: it
 * stands in for getentropy(), getpid() and gethostname() in a program that is
 * linked with chance.c. Their names are in those of files.
 * Real until chance_start().
 */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include <stdint.h>

void chance_start(uint64_t seed);
void chance_stop(void);

#endif
