/* Random numbers that a seed repeats everywhere: SplitMix64. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* starts as the seed */
};

/* A number below @limit, which is 1 or more. */
__attribute__((unused)) static uint32_t random_below(struct random *random,
                                                     uint32_t limit)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) % limit);
}

#endif
