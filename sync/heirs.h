/*
 * Which of the folders that one side lists is which of those on record. By its
 * name, unless what stays with a folder when it is renamed (MAILBOXID, the
 * directory, UIDVALIDITY) says otherwise. Only a proposal: UIDVALIDITY and
 * directories may agree by chance, a sample of the messages has to prove it.
 * Pure.
 */
#ifndef SYNC_HEIRS_H
#define SYNC_HEIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

#define HEIR_NONE SIZE_MAX

struct heir {
    const char *name;                 /* on record */
    const struct folder_token *token; /* as seen last; uidvalidity 0: never */
    bool by_name;                     /* do not look under other names */
    size_t entry; /* out: index of what it is now, or HEIR_NONE */
};

/**
 * Find the entry of each row. No entry is given to two rows. Where several are
 * as likely, the folder counts as gone: what was in it is then found message
 * by message.
 *
 * @rows     of one side; of two with one name at most one is there
 * @entries  as listed; those not selectable or with a problem are nobody's
 */
void heirs_find(struct heir *rows, size_t n_rows,
                const struct folder_entry *entries, size_t n_entries);

#endif
