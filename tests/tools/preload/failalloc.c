/*
 * Let allocations of a program fail, of all libraries together.
 *
 *     FAILAT=N       the N-th returns NULL
 *     FAILFROM=N     that one and all later ones
 *     ALLOCLOG=FILE  write down in a good run where each one comes from: a
 *                    number for its callers, a line each
 *
 * Says on standard error, too, which library a call of abort() comes from.
 *
 * glibc only. To be preloaded; not for a build with AddressSanitizer, which has
 * an allocator of its own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLERS 8

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Atomic long count;
static long fail_at;
static long fail_from;
static int log_fd = -1;
static _Thread_local bool inside; /* looking at the callers allocates */

static long number_of(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("ALLOCLOG");
    void *callers[CALLERS];

    fail_at = number_of("FAILAT");
    fail_from = number_of("FAILFROM");
    if (path != NULL) {
        (void)backtrace(callers, CALLERS); /* loads a library the first time */
        log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    count = 0;
}

/* Addresses differ from run to run, but not within a page. */
static void tell(void)
{
    void *callers[CALLERS];
    uint64_t hash = 14695981039346656037u;
    char line[32];
    int n;

    inside = true;
    n = backtrace(callers, CALLERS);
    for (int i = 0; i < n; i++)
        hash = (hash ^ ((uintptr_t)callers[i] & 0xfff)) * 1099511628211u;
    n = snprintf(line, sizeof(line), "%016llx\n", (unsigned long long)hash);
    if (write(log_fd, line, (size_t)n) != n)
        _exit(125);
    inside = false;
}

static bool fails(void)
{
    long number;

    if (inside)
        return false;
    number = ++count;
    if (log_fd >= 0)
        tell();
    if ((fail_at != 0 && number == fail_at) ||
        (fail_from != 0 && number >= fail_from)) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __libc_realloc(ptr, size);
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

_Noreturn void abort(void)
{
    Dl_info info = {0};
    char text[512];
    int n;

    (void)dladdr(__builtin_return_address(0), &info);
    n = snprintf(text, sizeof(text), "abort() from %s\n",
                 info.dli_fname != NULL ? info.dli_fname : "nowhere");
    _exit(write(STDERR_FILENO, text, (size_t)n) == n ? 134 : 135);
}
