/*
 * What the fuzz targets share. A target is a file fuzz_NAME.c with fuzz_one():
 * it takes any bytes, does with them what the program would, and must() hold
 * what its head comment promises. libFuzzer drives it in build-fuzz/ (make
 * fuzz), replay.c in the other builds (make check).
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* The target. Nothing may be left over for the next call. */
void fuzz_one(struct bytes input);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_one((struct bytes){(const char *)data, size});
    return 0;
}

#define must(good)                                                            \
    do {                                                                      \
        if (!(good)) {                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                    #good);                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

/* One byte from the front of @input as a number; 0 where there is none. */
__attribute__((unused)) static uint8_t fuzz_byte(struct bytes *input)
{
    uint8_t byte = input->len > 0 ? (uint8_t)input->ptr[0] : 0;

    *input = bytes_skip(*input, 1);
    return byte;
}

/* @n bytes from the front as a big-endian number; fewer where there are. */
__attribute__((unused)) static uint64_t fuzz_number(struct bytes *input,
                                                    unsigned n)
{
    uint64_t number = 0;

    while (n-- > 0)
        number = number << 8 | fuzz_byte(input);
    return number;
}

/* All up to the next @separator, which goes, too. */
__attribute__((unused)) static struct bytes fuzz_until(struct bytes *input,
                                                       char separator)
{
    const char *end =
        input->len > 0 ? memchr(input->ptr, separator, input->len) : NULL;
    struct bytes part = *input;

    if (end != NULL)
        part.len = (size_t)(end - input->ptr);
    *input = bytes_skip(*input, part.len + 1);
    return part;
}

/* A copy of @text in memory of just its size, so that a step beyond it is
 * seen; fuzz_free() it. */
__attribute__((unused)) static struct bytes fuzz_copy(struct bytes text)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);

    if (copy == NULL)
        abort();
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return (struct bytes){copy, text.len};
}

/* The memory of a fuzz_copy(), to be written to. */
__attribute__((unused)) static char *fuzz_data(struct bytes copy)
{
    return (char *)(uintptr_t)copy.ptr;
}

__attribute__((unused)) static void fuzz_free(struct bytes copy)
{
    free(fuzz_data(copy));
}

/* A number that @text repeats: to cut it "at random". */
__attribute__((unused)) static uint32_t fuzz_hash(struct bytes text)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * 16777619u;
    return hash;
}

#endif
