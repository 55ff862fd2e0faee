/* A secret printed by a command of the user's: pass, gpg, secret-tool. */
#ifndef CMD_SECRET_COMMAND_H
#define CMD_SECRET_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/**
 * Run @command by "/bin/sh -c" and take what it prints on standard output. Its
 * standard input and error are ours, so that it may ask and complain on the
 * terminal. A command that does not end in time is killed.
 *
 * @timeout_ms  from its start to its end, 1 or more
 * @out         filled on success; the caller wipes it in any case
 * @size        of @out; printing more is a failure
 * @n           how many bytes were printed
 *
 * Returns 0, or ERR_AUTH where it could not be run, or ended with another
 *   status than 0, by a signal or not in time, or printed too much.
 */
int secret_command_run(const char *command, uint64_t timeout_ms, char *out,
                       size_t size, size_t *n, struct err *err);

#endif
