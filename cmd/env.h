/* The environment. */
#ifndef CMD_ENV_H
#define CMD_ENV_H

/* The value of a variable; NULL where it is not set, or is empty. */
const char *env_get(const char *name);

#endif
