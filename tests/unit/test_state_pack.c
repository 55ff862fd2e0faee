/* Goal of this test: a state whose rows came in another order than that of their
 * keys gets as small as one whose rows did not; whoever reads it meanwhile goes
 * on to; and wherever packing it is cut short, nothing of it is lost. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/unit/statedir.h"

#define PAIRS       60000u
#define CHUNK       2000u
#define BYTES_A_ROW 24u

static struct stat look_at(const struct statedir *place)
{
    char *path = mem_printf("%s/data.mdb", place->dir);
    struct stat st = {0};

    (void)stat(path, &st);
    free(path);
    return st;
}

/* As a first run brings them: the newest batch first. */
static void fill(const struct statedir *place, bool finish)
{
    struct state *state = open_state(place);

    for (uint32_t first = PAIRS - CHUNK + 1; first <= PAIRS; first -= CHUNK) {
        for (uint32_t i = 0; i < CHUNK; i++)
            put_pair(state, 1, first + i, 2 * (first + i));
        commit(state);
        if (first < CHUNK)
            break;
    }
    if (finish)
        state_finish(state);
    state_close(state);
}

struct reader {
    uint32_t n;
    bool wrong;
};

static int read_pair(void *owner, const struct state_pair *pair)
{
    struct reader *reader = owner;

    reader->n++;
    reader->wrong = reader->wrong || pair->uid[LEFT] != reader->n ||
                    pair->uid[RIGHT] != 2 * reader->n || pair->size != 4000;
    return 0;
}

static bool has_all(struct state *state)
{
    struct state_pair pair;
    struct reader reader = {0};

    return state_pair_each(state, 1, LEFT, read_pair, &reader, NULL) == 0 &&
           reader.n == PAIRS && !reader.wrong &&
           state_pair_get(state, 1, RIGHT, 2 * PAIRS, &pair, NULL) == 0;
}

static bool is_whole(const struct statedir *place)
{
    struct state *state = open_state(place);
    bool whole = has_all(state);

    state_close(state);
    return whole && statedir_count(place, "damaged") == 0 &&
           statedir_count(place, "packed") == 0;
}

static void test_size(const struct statedir *place)
{
    struct statedir other;
    long before;
    long after;

    statedir_init(&other);
    fill(&other, false);
    before = (long)look_at(&other).st_size;
    ok(before > BYTES_A_ROW * PAIRS,
       "the newest first, the file takes %ld bytes a pair", before / PAIRS);
    statedir_deinit(&other);
    fill(place, true);
    after = (long)look_at(place).st_size;
    ok(after <= BYTES_A_ROW * PAIRS, "packed, it takes %ld", after / PAIRS);
    ok(is_whole(place), "every pair is in it");
}

static void test_seldom(const struct statedir *place)
{
    struct state *state;
    struct stat packed;
    struct stat later;

    fill(place, true);
    packed = look_at(place);
    state = open_state(place);
    put_pair(state, 1, PAIRS, 2 * PAIRS);
    commit(state);
    state_finish(state);
    state_close(state);
    later = look_at(place);
    ok(packed.st_ino == later.st_ino, "it is not packed for every change");
    state = open_state(place);
    for (uint32_t i = 1; i <= PAIRS; i++)
        put_pair(state, 2, i, 2 * i);
    commit(state);
    state_finish(state);
    state_close(state);
    ok(look_at(place).st_ino != packed.st_ino && is_whole(place),
       "but when it has grown");
}

static void test_reader(const struct statedir *place)
{
    struct state_open_options options = {
        .dir = place->dir,
        .pair = "work",
        .identity = {"imap:me@left:993", "maildir:/right"},
        .read_only = true,
    };
    int from_child[2];
    int to_child[2];
    char byte = 0;
    int status;
    pid_t pid;

    fill(place, false);
    if (pipe(from_child) < 0 || pipe(to_child) < 0)
        return;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct state *state;
        int r = state_open(&options, NULL, &state, NULL);

        if (r != 0 || write(from_child[1], "r", 1) != 1 ||
            read(to_child[0], &byte, 1) != 1)
            _exit(2);
        _exit(has_all(state) ? 0 : 1);
    }
    (void)!read(from_child[0], &byte, 1);
    fill(place, true);
    (void)!write(to_child[1], "g", 1);
    waitpid(pid, &status, 0);
    ok(status == 0, "who has it open reads on");
    ok(look_at(place).st_size <= BYTES_A_ROW * PAIRS && is_whole(place),
       "and it is packed all the same");
}

/* In a process that cannot write more than @limit bytes into a file: killed
 * there, or refused. Returns whether the file was packed. */
static bool pack_within(const struct statedir *place, rlim_t limit, bool killed)
{
    struct stat before = look_at(place);
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        struct rlimit most = {limit, limit};
        struct state *state = open_state(place);

        setrlimit(RLIMIT_CORE, &none);
        signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
        state_finish(state);
        setrlimit(RLIMIT_FSIZE, &most);
        state_close(state);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return look_at(place).st_ino != before.st_ino;
}

static void test_cut_short(const struct statedir *place)
{
    rlim_t limit = 1u << 16;
    unsigned whole = 0;
    unsigned cuts = 0;

    fill(place, false);
    for (; cuts < 100 && !pack_within(place, limit, cuts % 2 == 0);
         limit += 1u << 17) {
        cuts++;
        whole += is_whole(place);
    }
    ok(cuts > 8 && whole == cuts, "cut short in %u places, whole in %u", cuts,
       whole);
    ok(is_whole(place), "and packed at last");
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_size, test_seldom, test_reader, test_cut_short};

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
