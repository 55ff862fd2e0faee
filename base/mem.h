/*
 * Heap memory that is never NULL. Out of memory ends the process with a line
 * on standard error: safe, because a run may be killed at any instant without
 * loss, and because every size that a peer controls is checked first.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/bytes.h"

/* Zeroed memory for @count things of @size bytes; free() it. */
void *mem_new(size_t count, size_t size);

/* Resize @ptr (or NULL) to @count things of @size bytes; new bytes are not
 * zeroed. Returns the new place. */
void *mem_resize(void *ptr, size_t count, size_t size);

/* Make room for one more in a growing array: doubles *@cap where @n has
 * reached it. Returns the array, moved or not. */
void *mem_grow(void *array, size_t n, size_t *cap, size_t size);

/* A C string with a copy of @text; free() it. NULs inside end it early. */
char *mem_text(struct bytes text);

/* A copy of the C string @text, or NULL for NULL; free() it. */
char *mem_copy(const char *text);

/* printf into fresh memory; free() it. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As in the C library, for other libraries that take an allocator: some crash
 * where they get no memory. Never NULL, but for mem_realloc() to 0 bytes, which
 * frees. */
void *mem_malloc(size_t size);
void *mem_calloc(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);

#define MEM_NEW(type) ((type *)mem_new(1, sizeof(type)))

#endif
