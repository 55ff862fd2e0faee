/*
 * SipHash-2-4: a short digest of a text that only who has the key can steer
 * (Aumasson, Bernstein: "SipHash: a fast short-input PRF"). With a random key
 * two texts share one by chance only, whoever chose them: once in 2^64. A pure
 * function.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "base/bytes.h"

#define SIPHASH_KEY_BYTES 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], struct bytes text);

#endif
