#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No destructors, no stdio: both may want memory. */
static _Noreturn void out_of_memory(void)
{
    static const char text[] = "mailtwin: out of memory\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)written; /* there is nobody left to tell */
    _exit(EXIT_FAILURE);
}

void *mem_new(size_t count, size_t size)
{
    void *ptr;

    if (count == 0 || size == 0)
        count = size = 1; /* calloc(0) may be NULL */
    ptr = calloc(count, size);
    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *mem_malloc(size_t size)
{
    void *ptr = malloc(size == 0 ? 1 : size);

    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *mem_calloc(size_t count, size_t size)
{
    return mem_new(count, size);
}

void *mem_realloc(void *ptr, size_t size)
{
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return mem_resize(ptr, size, 1);
}

void *mem_resize(void *ptr, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        out_of_memory();
    /* realloc(0) may free. */
    ptr = realloc(ptr, count * size == 0 ? 1 : count * size);
    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *mem_grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    if (*cap > SIZE_MAX / 2)
        out_of_memory();
    *cap = *cap < 4 ? 8 : *cap * 2;
    return mem_resize(array, *cap, size);
}

char *mem_text(struct bytes text)
{
    char *copy = mem_new(text.len + 1, 1);

    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

char *mem_copy(const char *text)
{
    return text == NULL ? NULL : mem_text(bytes_of(text));
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory();
    return text;
}
