/* What an account logs in with: a password from a command, a file or the
 * configuration, or a token from a command. */
#ifndef CMD_SECRET_H
#define CMD_SECRET_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd/conf.h"

#define SECRET_BYTES_MAX  ((size_t)64 << 10) /* of a file or an output */
#define SECRET_TIMEOUT_MS 60000              /* of a command */

/**
 * Get an account's password or token. Of a file and of a command's output it is
 * the first line, without its line end.
 *
 * @account   of type ACCOUNT_IMAP
 * @out       set on success, to NULL where the account logs in by a
 *            certificate; secret_free() it
 * @warnings  gets a line where others may read the file
 *
 * Returns 0; ERR_AUTH where the command failed (see secret_command_run()) or
 *   printed nothing; ERR_USAGE where the file cannot be read or holds nothing.
 */
int secret_get(const struct account *account, char **out, struct buf *warnings,
               struct err *err);

/* Wipe it and free it. NULL is fine. */
void secret_free(char *secret);

#endif
