/* Where things are by default (XDG base directories). */
#ifndef CMD_PATHS_H
#define CMD_PATHS_H

#include "base/err.h"

/* The configuration file into *@out; free() it. Returns 0, or ERR_USAGE where
 * there is no home directory. */
int paths_config(char **out, struct err *err);

/* The directory that has one state per pair below it. As paths_config(). */
int paths_state(char **out, struct err *err);

#endif
