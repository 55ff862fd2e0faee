/* What pair.c and pair_users.c have in common. */
#ifndef TESTS_SIM_PAIR_PARTS_H
#define TESTS_SIM_PAIR_PARTS_H

#include "tests/sim/pair.h"

/* "/root/mail/.Work/cur"; free() it. */
char *pair_path(const struct pair *pair, unsigned folder, const char *below);

/* Call @each for the files of a folder, with the number of the message in it or
 * -1, until it returns something but 0. */
int pair_each_file(struct pair *pair, unsigned folder,
                   int (*each)(void *owner, const char *path, const char *name,
                               int mail),
                   void *owner);

uint32_t pair_flags_of_name(const char *name);

#endif
