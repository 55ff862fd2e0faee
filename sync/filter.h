/*
 * Which folders take part: "*, !Junk, !"Old stuff"". IMAP wildcards ("*" any
 * characters, "%" any but "/"), "!" excludes, the last match wins; a list that
 * begins with an exclusion starts from all. INBOX in any case.
 */
#ifndef SYNC_FILTER_H
#define SYNC_FILTER_H

#include <stdbool.h>

#include "base/err.h"

struct filter;

/**
 * Read a list.
 *
 * @text  as in the configuration; NULL is "*"
 *
 * Returns 0 with *@out to be freed by filter_free(), or ERR_USAGE (an empty
 * pattern, an open quote).
 */
int filter_new(const char *text, struct filter **out, struct err *err);
void filter_free(struct filter *filter);

/* Leave out the folder @name, whatever the list says. */
void filter_exclude(struct filter *filter, const char *name);

/* Does the folder @name (UTF-8, "/") take part? */
bool filter_accepts(const struct filter *filter, const char *name);

#endif
