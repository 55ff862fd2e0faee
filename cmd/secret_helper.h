/*
 * A process beside ours that gets the secrets: it runs the users' commands and
 * reads their files, which we may not any more once we are confined
 * (cmd/confine.h). It is asked for an account by its number and for nothing
 * else, and ends when we do.
 */
#ifndef CMD_SECRET_HELPER_H
#define CMD_SECRET_HELPER_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd/conf.h"

struct secret_helper;

/* Start it, before any thread. It works with @accounts as they are now. Where
 * it cannot be started, secret_helper_ask() says so. */
struct secret_helper *secret_helper_start(struct account *const *accounts,
                                          size_t n);

/* Ask for the secret of accounts[@i]; one at a time. Returns 0, or ERR_AUTH
 * where the helper is gone. */
int secret_helper_ask(struct secret_helper *helper, size_t i, struct err *err);

/* There is something to read from this descriptor once it has answered, or is
 * gone. */
int secret_helper_line(const struct secret_helper *helper);

/* Take its answer, and wait for it where it is not there yet: as secret_get();
 * ERR_AUTH where the helper is gone. */
int secret_helper_answer(struct secret_helper *helper, char **out,
                         struct buf *warnings, struct err *err);

/* Have it end; NULL is fine. Where it still owes an answer, that is not waited
 * for. */
void secret_helper_stop(struct secret_helper *helper);

#endif
