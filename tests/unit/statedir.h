/* A throw-away directory with a state in it, for tests of the state. */
#ifndef TESTS_STATEDIR_H
#define TESTS_STATEDIR_H

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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

__attribute__((unused)) static struct state *open_state(
    const struct statedir *place)
{
    struct state *state;
    struct err err = {0};

    if (statedir_open(place, NULL, &state, &err) != 0) {
        printf("Bail out! state_open: %s\n", err.text);
        exit(1);
    }
    return state;
}

__attribute__((unused)) static void commit(struct state *state)
{
    struct err err = {0};

    if (state_commit(state, &err) != 0) {
        printf("Bail out! state_commit: %s\n", err.text);
        exit(1);
    }
}

/* Commit, close, open: what is on the disk. */
__attribute__((unused)) static struct state *reopen(
    const struct statedir *place, struct state *state)
{
    commit(state);
    state_close(state);
    return open_state(place);
}

__attribute__((unused)) static struct state_pair pair_of(uint32_t left,
                                                         uint32_t right)
{
    return (struct state_pair){
        .uid = {left, right},
          .size = 4000, .date = 1700000000
    };
}

__attribute__((unused)) static void put_pair(struct state *state,
                                             uint32_t folder, uint32_t left,
                                             uint32_t right)
{
    struct state_pair pair = pair_of(left, right);

    state_pair_put(state, folder, &pair);
}

__attribute__((unused)) static void del_pair(struct state *state,
                                             uint32_t folder, uint32_t left,
                                             uint32_t right)
{
    struct state_pair pair = pair_of(left, right);

    state_pair_del(state, folder, &pair);
}

/* The UID that is paired with @uid of @side, 0 for none. */
__attribute__((unused)) static uint32_t twin(struct state *state,
                                             uint32_t folder, enum side side,
                                             uint32_t uid)
{
    struct state_pair pair;
    int r = state_pair_get(state, folder, side, uid, &pair, NULL);

    return r == 0 ? pair.uid[other(side)] : 0;
}

/* --- files of the right side of folder 1 ---------------------------------- */

__attribute__((unused)) static uint32_t uid_of(struct state *state,
                                               const char *name)
{
    uint32_t uid = 0;

    state_file_uid(state, RIGHT, 1, bytes_of(name), &uid, NULL);
    return uid;
}

__attribute__((unused)) static void put_file(struct state *state, uint32_t uid,
                                             const char *name)
{
    state_file_put(state, RIGHT, 1, uid, bytes_of(name));
}

__attribute__((unused)) static uint32_t next_uid(struct state *state)
{
    uint32_t uid = 0;

    state_file_next_uid(state, RIGHT, 1, &uid, NULL);
    return uid;
}

__attribute__((unused)) static bool has_name(struct state *state, uint32_t uid,
                                             const char *name)
{
    struct buf out;
    bool same;

    buf_init(&out, 0);
    same = state_file_name(state, RIGHT, 1, uid, &out, NULL) == 0 &&
           strcmp(buf_text(&out), name) == 0;
    buf_deinit(&out);
    return same;
}

/* A base name as they are. */
__attribute__((unused)) static void name_of(char name[64], uint32_t uid)
{
    snprintf(name, 64, "17000%05u.M%uP%u.mail.example.org", uid, uid * 7, uid);
}

#endif
