/* TAP for unit tests: ok(), then done_testing() at the end of main. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct tap {
    unsigned run;
    unsigned failed;
};

static struct tap tap;

/* One check; @format names what should hold. Returns @good. */
__attribute__((format(printf, 4, 5), unused)) static bool
tap_check(bool good, const char *file, int line, const char *format, ...)
{
    va_list args;

    tap.run++;
    printf("%sok %u - ", good ? "" : "not ", tap.run);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
    if (!good) {
        tap.failed++;
        printf("# failed at %s:%d\n", file, line);
    }
    fflush(stdout);
    return good;
}

#define ok(good, ...) tap_check((good), __FILE__, __LINE__, __VA_ARGS__)

/* The plan line; main returns its value. */
__attribute__((unused)) static int done_testing(void)
{
    printf("1..%u\n", tap.run);
    return tap.failed != 0 || tap.run == 0;
}

#endif
