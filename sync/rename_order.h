/*
 * In which order folders of one side are renamed, so that each new name is
 * free when its turn comes: chains from their end, parents before children
 * (which go along), circles through a temporary name. Pure; the next rename
 * follows from the names alone, so that a run that was killed goes on.
 */
#ifndef SYNC_RENAME_ORDER_H
#define SYNC_RENAME_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/* What a temporary name begins with. */
#define RENAME_TEMPORARY "mailtwin-renaming"

bool rename_order_is_temporary(const char *name);

/* A folder that is there. */
struct rename_place {
    char *name; /* now */
    char *want; /* its name in the end, or NULL: as it is, or wherever its
                   parent goes */
    bool stays; /* it was refused another name: nothing that would take it to a
                   wrong one goes, either */
};

/* Can the place not have its name, as another folder has it that will not go
 * away, or as one below it stays? */
bool rename_order_is_blocked(const struct rename_place *places, size_t n,
                             size_t index);

/* Does one below it stay that the place, which has a name to get, would take to
 * a wrong one? */
bool rename_order_is_held_back(const struct rename_place *places, size_t n,
                               size_t index);

/**
 * The next rename.
 *
 * @index  out: what is to be renamed
 * @to     out: its new name; free() it
 *
 * Returns false where there is none: all is done, but for what is blocked.
 */
bool rename_order_next(const struct rename_place *places, size_t n,
                       size_t *index, char **to);

/* Is @name below @folder? */
bool rename_order_is_below(const char *name, const char *folder);

/* What @name is called once @from is renamed to @to: fresh memory, or NULL
 * where it keeps its name. */
char *rename_order_follow(const char *name, const char *from, const char *to);

#endif
