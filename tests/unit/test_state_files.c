#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "store/state_files.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

static void test_files(const struct statedir *place)
{
    struct state *state = open_state(place);
    uint32_t uid;

    ok(next_uid(state) == 1, "files: the first number is 1");
    put_file(state, 1, "a");
    put_file(state, 2, "b\nc");
    ok(next_uid(state) == 3, "files: a number counts as soon as it is queued");
    state = reopen(place, state);
    ok(uid_of(state, "a") == 1 && uid_of(state, "b\nc") == 2 &&
           has_name(state, 2, "b\nc"),
       "files: found by name and by number");
    ok(state_file_uid(state, LEFT, 1, B("a"), &uid, NULL) == 1 &&
           state_file_uid(state, RIGHT, 2, B("a"), &uid, NULL) == 1 &&
           uid_of(state, "c") == 0,
       "files: not those of the other side, of another folder, of no name");
    put_file(state, 1, "renamed");
    commit(state);
    ok(uid_of(state, "a") == 0 && uid_of(state, "renamed") == 1,
       "files: a new name takes the old one's place");
    put_file(state, 3, "renamed");
    commit(state);
    ok(uid_of(state, "renamed") == 3 && !has_name(state, 1, "renamed"),
       "files: a new number takes the old one's place");
    state_file_del(state, RIGHT, 1, 3, B("other"));
    commit(state);
    ok(uid_of(state, "renamed") == 3,
       "files: the end of a name that it has no more is none");
    state_file_del(state, RIGHT, 1, 3, B("renamed"));
    state = reopen(place, state);
    ok(uid_of(state, "renamed") == 0 && next_uid(state) == 4,
       "files: one ends, its number is not used again");
    put_file(state, UINT32_MAX, "last");
    ok(state_file_next_uid(state, RIGHT, 1, &uid, NULL) == ERR_STATE,
       "files: no number is left");
    state_close(state);
}

/* The file rows of a pair go with it, unless the message is still known. */
static void test_files_of_pairs(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_apart apart = {.folder = 1, .side = RIGHT, .uid = 3};
    struct state_pair pair = pair_of(14, 4);

    for (uint32_t uid = 1; uid <= 4; uid++) {
        char name[2] = {(char)('a' + uid - 1), '\0'};

        put_file(state, uid, name);
        put_pair(state, 1, 10 + uid, uid);
    }
    commit(state);
    for (uint32_t uid = 1; uid <= 3; uid++)
        del_pair(state, 1, 10 + uid, uid);
    put_pair(state, 1, 99, 2);
    state_apart_put(state, &apart);
    commit(state);
    ok(uid_of(state, "a") == 0, "files: one goes with its pair");
    ok(uid_of(state, "b") == 2, "files: one that is paired anew stays");
    ok(uid_of(state, "c") == 3, "files: one that stays apart stays");
    ok(uid_of(state, "d") == 4, "files: one whose pair stays, stays");
    state_pair_part(state, 1, &pair);
    commit(state);
    ok(twin(state, 1, RIGHT, 4) == 0 && uid_of(state, "d") == 4,
       "files: one that its pair leaves behind keeps its number");
    state_close(state);
}

/* What a walk told. */
struct told {
    uint32_t uids[200];
    size_t n;
    unsigned wrong;
};

static void on_file(void *owner, uint32_t uid, struct bytes name)
{
    struct told *told = owner;
    char want[64];

    if (uid % 10 == 0)
        snprintf(want, sizeof(want), "as it is %u", uid);
    else
        name_of(want, uid);
    told->wrong += !bytes_equal(name, bytes_of(want));
    told->wrong += told->n > 0 && told->uids[told->n - 1] >= uid;
    told->uids[told->n++] = uid;
}

static void test_walk(const struct statedir *place)
{
    struct state *state = open_state(place);
    unsigned wrong = 0;
    char name[64];

    for (uint32_t uid = 200; uid > 0; uid--) {
        if (uid % 10 == 0)
            snprintf(name, sizeof(name), "as it is %u", uid);
        else
            name_of(name, uid);
        put_file(state, uid, name);
    }
    state_file_put(state, LEFT, 1, 1, B("left"));
    state_file_put(state, RIGHT, 2, 1, B("elsewhere"));
    commit(state);
    state_file_put(state, RIGHT, 1, 300, B("queued"));
    for (size_t rows = 1; rows < 300; rows += 7) {
        struct state_file_walk walk = {.side = RIGHT, .folder = 1};
        struct told told = {.n = 0};
        int r;

        do {
            r = state_file_walk(state, &walk, rows, on_file, &told, NULL);
        } while (r == 1);
        wrong += r != 0 || told.n != 200 || told.wrong > 0;
    }
    ok(wrong == 0, "walk: all files on record of one folder, in their order");
    state_close(state);
}

struct worker {
    struct state *state;
    uint32_t wrong;
};

static void *look_up_files(void *owner)
{
    struct worker *worker = owner;

    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t want = 1 + i % 50;
        char name[64];

        name_of(name, want);
        worker->wrong += uid_of(worker->state, name) != want;
    }
    return NULL;
}

static void test_threads(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct worker workers[12];
    pthread_t threads[12];
    uint32_t wrong = 0;
    char name[64];

    for (uint32_t uid = 1; uid <= 50; uid++) {
        name_of(name, uid);
        put_file(state, uid, name);
    }
    commit(state);
    for (size_t i = 0; i < 12; i++) {
        workers[i] = (struct worker){.state = state};
        pthread_create(&threads[i], NULL, look_up_files, &workers[i]);
    }
    for (size_t i = 0; i < 12; i++) {
        pthread_join(threads[i], NULL);
        wrong += workers[i].wrong;
    }
    ok(wrong == 0, "threads: twelve read at once");
    state_close(state);
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_files,
        test_files_of_pairs,
        test_walk,
        test_threads,
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
