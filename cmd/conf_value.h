/*
 * The values of configuration keys. Each reader returns 0, or ERR_USAGE with a
 * text that says what to write instead; the caller puts file, line and key in
 * front of it. Out-parameters are set only on success.
 */
#ifndef CMD_CONF_VALUE_H
#define CMD_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/policy.h"

/* A word as the index in @names, which has @n of them. */
int conf_value_choice(const char *text, const char *const *names, size_t n,
                      size_t *out, struct err *err);

/* "yes" or "no". */
int conf_value_bool(const char *text, bool *out, struct err *err);

/* A number from @min to @max. */
int conf_value_number(const char *text, uint64_t min, uint64_t max,
                      uint64_t *out, struct err *err);

/* "50M": bytes, with K, M, G or T as powers of 1,024; 1 or more. */
int conf_value_size(const char *text, uint64_t *out, struct err *err);

/* "90d": seconds, from h(ours), d(ays), w(eeks) or y(ears of 365 days). */
int conf_value_duration(const char *text, uint64_t *out, struct err *err);

/* "50%", "200" or "off". */
int conf_value_max_delete(const char *text, struct max_delete *out,
                          struct err *err);

/* An absolute path, with "~" and "$NAME" expanded and no "/" at its end, into
 * *@out; free() it. */
int conf_value_path(const char *text, char **out, struct err *err);

/* May @text name an account or a pair, and so a directory? Returns 0 or
 * ERR_USAGE. */
int conf_value_name(const char *text, struct err *err);

/* "sha256:" and 64 hexadecimal digits, with or without colons. */
int conf_value_fingerprint(const char *text, struct err *err);

#endif
