/* A throw-away directory with a state in it, for tests of the state. */
#ifndef TESTS_STATEDIR_H
#define TESTS_STATEDIR_H

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/state.h"

struct statedir {
    char *root; /* of everything, removed by statedir_deinit() */
    char *dir;  /* of the state */
};

__attribute__((unused)) static void statedir_init(struct statedir *place)
{
    const char *tmp = getenv("TMPDIR");

    place->root =
        mem_printf("%s/mailtwin-state-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(place->root) == NULL) {
        printf("Bail out! no directory %s\n", place->root);
        exit(1);
    }
    place->dir = mem_printf("%s/state/work", place->root);
}

__attribute__((unused)) static int statedir_remove(const char *path,
                                                   const struct stat *st,
                                                   int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

__attribute__((unused)) static void statedir_deinit(struct statedir *place)
{
    nftw(place->root, statedir_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(place->root);
    free(place->dir);
}

__attribute__((unused)) static int statedir_open(const struct statedir *place,
                                                 const struct log *log,
                                                 struct state **state,
                                                 struct err *err)
{
    struct state_open_options options = {
        .dir = place->dir,
        .pair = "work",
        .identity = {"imap:me@left:993", "maildir:/right"},
    };

    *state = NULL;
    return state_open(&options, log, state, err);
}

/* How many files of the state's directory have @part in their name? */
__attribute__((unused)) static unsigned statedir_count(
    const struct statedir *place, const char *part)
{
    DIR *dir = opendir(place->dir);
    const struct dirent *entry;
    unsigned n = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL)
        n += strstr(entry->d_name, part) != NULL;
    closedir(dir);
    return n;
}

#endif
