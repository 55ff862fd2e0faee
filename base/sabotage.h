/*
 * Deliberate mistakes, to see that the tests notice them. A place where one can
 * be made asks SABOTAGED(name); in every normal build that is the constant
 * false, and nothing of it is in the program. Built with -DSABOTAGE (make
 * SABOTAGE=1, into build-sabotage/) the environment variable
 * MAILTWIN_SABOTAGE names the one mistake that is made.
 * tests/torture/sabotage.t makes them one by one.
 */
#ifndef BASE_SABOTAGE_H
#define BASE_SABOTAGE_H

#ifdef SABOTAGE

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool sabotage_is_on(const char *name)
{
    const char *chosen = getenv("MAILTWIN_SABOTAGE");

    return chosen != NULL && strcmp(chosen, name) == 0;
}

#define SABOTAGED(name) sabotage_is_on(#name)

#else

#define SABOTAGED(name) 0

#endif

#endif
