#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/state.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

#define MANY 100000u

static void keep_line(void *owner, enum log_level level, const char *line)
{
    struct buf *out = owner;

    if (level == LOG_ERROR)
        buf_printf(out, "%s\n", line);
}

static void test_foreign(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_open_options options = {
        .dir = place->dir,
        .pair = "work",
        .identity = {"imap:me@left:993", "imap:me@elsewhere:993"},
        .read_only = true,
    };
    struct buf lines;
    struct log log = {.level = LOG_ERROR, .sink = keep_line, .owner = &lines};

    buf_init(&lines, 0);
    put_pair(state, 1, 1, 1);
    commit(state);
    state_close(state);
    ok(state_open(&options, &log, &state, NULL) == 0 && state_is_new(state) &&
           twin(state, 1, LEFT, 1) == 0,
       "foreign: to a reader it is empty");
    ok(statedir_count(place, "foreign") == 0, "foreign: and stays in place");
    state_close(state);
    options.read_only = false;
    buf_clear(&lines);
    ok(state_open(&options, &log, &state, NULL) == 0 && state_is_new(state),
       "foreign: to a writer it is new");
    ok(statedir_count(place, "data.mdb.foreign-") == 1,
       "foreign: after it was moved aside");
    ok(strstr(buf_text(&lines), "work: the state belongs to other accounts "
                                "(its right side is maildir:/right)") != NULL,
       "foreign: which is said: %s", buf_text(&lines));
    commit(state);
    state_close(state);
    state = open_state(place);
    ok(statedir_count(place, "data.mdb.foreign-") == 2,
       "foreign: a second one gets another name");
    state_close(state);
    buf_deinit(&lines);
}

static void test_newer(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct err err = {0};

    put_pair(state, 1, 1, 1);
    commit(state);
    state_meta_put(state, ".schema", "4");
    commit(state);
    state_close(state);
    ok(statedir_open(place, NULL, &state, &err) == ERR_STATE &&
           strstr(err.text, "newer mailtwin") != NULL,
       "newer: it is refused: %s", err.text);
    ok(statedir_count(place, "data.mdb") == 1, "newer: and not touched");
}

static void test_read_only(const struct statedir *place)
{
    struct state_open_options options = {
        .dir = place->dir,
        .pair = "work",
        .identity = {"imap:me@left:993", "maildir:/right"},
        .read_only = true,
    };
    struct state *state;
    struct state *writer;
    pid_t child;
    int status;

    ok(state_open(&options, NULL, &state, NULL) == 0 && state_is_new(state),
       "read only: a missing state is an empty one");
    ok(access(place->dir, F_OK) != 0, "read only: nothing is made");
    put_pair(state, 1, 1, 1);
    put_file(state, 1, "a");
    ok(state_queued(state) == 0 && state_commit(state, NULL) == 0 &&
           twin(state, 1, LEFT, 1) == 0,
       "read only: writes are dropped");
    ok(next_uid(state) == 2, "read only: but numbers are not given twice");
    state_close(state);

    writer = open_state(place);
    put_pair(writer, 1, 1, 1);
    commit(writer);
    /* Two runs are two processes: LMDB forbids two in one. */
    child = fork();
    if (child == 0) {
        int r = state_open(&options, NULL, &state, NULL);

        _exit(r == 0 && !state_is_new(state) && twin(state, 1, LEFT, 1) == 1
                  ? 42
                  : 0);
    }
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
       "read only: another run is no hindrance");
    state_close(writer);
}

static void test_locked(const struct statedir *place)
{
    struct state *state = open_state(place);
    pid_t child = fork();
    struct err err = {0};
    int status;

    if (child == 0) {
        struct state *mine;
        int r = statedir_open(place, NULL, &mine, &err);

        _exit(r == ERR_LOCKED && strstr(err.text, "process") != NULL ? 42 : 0);
    }
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
       "locked: a second run is refused");
    state_close(state);
    state = open_state(place);
    ok(true, "locked: and gets it when the first has ended");
    state_close(state);
}

/* A second process commits more than its file may hold, then less. */
static int overfill(const struct statedir *place)
{
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    struct state *state = open_state(place);
    size_t queued;
    struct err err = {0};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (uint32_t uid = 2; uid <= MANY; uid++)
        put_pair(state, 1, uid, uid);
    queued = state_queued(state);
    if (state_commit(state, &err) != ERR_DISK)
        return 1;
    if (state_queued(state) != queued || twin(state, 1, LEFT, 1) != 1 ||
        twin(state, 1, LEFT, 2) != 0)
        return 2;
    state_close(state);
    state = open_state(place);
    if (twin(state, 1, LEFT, 1) != 1 || twin(state, 1, LEFT, 2) != 0)
        return 3;
    for (uint32_t uid = 2; uid <= MANY; uid++)
        put_pair(state, 1, uid, uid);
    if (state_commit(state, &err) != ERR_DISK)
        return 4;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (state_commit(state, &err) != 0 || twin(state, 1, LEFT, MANY) != MANY)
        return 5;
    state_close(state);
    return 42;
}

static void test_no_space(const struct statedir *place)
{
    struct state *state = open_state(place);
    pid_t child;
    int status;

    put_pair(state, 1, 1, 1);
    commit(state);
    state_close(state);
    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(overfill(place));
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
       "no space: nothing is written, the queue stays, space helps (%d)",
       WEXITSTATUS(status));
}

/* A hole in it would be filled through a map: SIGBUS on a full disk. */
static void test_lock_room(const struct statedir *place)
{
    char *path = mem_printf("%s/lock.mdb", place->dir);
    struct state *state = open_state(place);
    struct stat st = {0};

    stat(path, &st);
    ok(st.st_size == 8192 && st.st_blocks * 512 >= st.st_size,
       "lock room: LMDB's lock file has no holes (%lld bytes in %lld blocks)",
       (long long)st.st_size, (long long)st.st_blocks);
    state_close(state);
    free(path);
}

static void test_no_permission(const struct statedir *place)
{
    struct state *state;
    struct err err = {0};
    char nowhere[] = "/dev/null/x";
    struct statedir in_the_way = {.dir = nowhere};
    struct stat st;
    int r;

    if (geteuid() == 0) {
        ok(true, "no permission # SKIP root may do everything");
    } else {
        chmod(place->root, 0500);
        ok(statedir_open(place, NULL, &state, &err) == ERR_DISK,
           "no permission: %s", err.text);
        chmod(place->root, 0700);
    }
    state = open_state(place);
    state_close(state);
    ok(stat(place->dir, &st) == 0 && (st.st_mode & 0777) == 0700,
       "the directory is its owner's alone");
    r = statedir_open(&in_the_way, NULL, &state, &err);
    ok(r == ERR_DISK, "a file in the way: %s", err.text);
}

static void write_over(const struct statedir *place, const char *name,
                       const char *text, size_t n)
{
    char *path = mem_printf("%s/%s", place->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    for (size_t i = 0; i < n; i++) {
        if (write(fd, text, strlen(text)) < 0)
            break;
    }
    close(fd);
    free(path);
}

static void test_litter(const struct statedir *place)
{
    struct state *state = open_state(place);

    put_pair(state, 1, 1, 1);
    commit(state);
    state_close(state);
    write_over(place, "lock.mdb", "litter", 2000);
    write_over(place, "lock", "litter", 20);
    state = open_state(place);
    ok(twin(state, 1, LEFT, 1) == 1 && statedir_count(place, "damaged") == 0,
       "litter in the lock files is no damage");
    state_close(state);
}

/* Commit for ever, one byte into @out for each; what was committed is told by
 * the state itself too. */
static void commit_for_ever(const struct statedir *place, int out)
{
    struct state *state = open_state(place);
    char number[16];

    for (uint32_t n = 1;; n++) {
        for (uint32_t uid = 1; uid <= 50; uid++)
            put_pair(state, 1, n * 50 + uid, n * 50 + uid);
        snprintf(number, sizeof(number), "%u", n);
        state_meta_put(state, "n", number);
        if (state_commit(state, NULL) != 0 || write(out, "x", 1) != 1)
            _exit(1);
    }
}

/* Kill a run after @n commits, somewhere in one that follows. Returns whether
 * a whole number of commits is there, and no fewer. */
static bool survives(const struct statedir *place, unsigned n)
{
    uint32_t pairs = 0;
    uint32_t committed;
    struct state *state;
    char *text;
    int pipes[2];
    pid_t child;
    char byte;

    if (pipe(pipes) != 0)
        return false;
    fflush(stdout);
    child = fork();
    if (child == 0)
        commit_for_ever(place, pipes[1]);
    close(pipes[1]);
    for (unsigned i = 0; i < n; i++) {
        if (read(pipes[0], &byte, 1) != 1)
            return false;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(pipes[0]);
    state = open_state(place);
    state_meta_get(state, "n", &text, NULL);
    committed = text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 0;
    free(text);
    while (twin(state, 1, RIGHT, 51 + pairs) != 0)
        pairs++;
    state_folder_del(state, 1);
    state_meta_put(state, "n", NULL);
    commit(state);
    state_close(state);
    return committed >= n && pairs == committed * 50;
}

static void test_killed(const struct statedir *place)
{
    bool all = true;

    for (unsigned n = 1; n <= 12; n++)
        all = all && survives(place, n);
    ok(all && statedir_count(place, "damaged") == 0,
       "killed: every commit is there as a whole or not at all");
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_foreign, test_newer,         test_read_only,
        test_locked,  test_no_space,      test_litter,
        test_killed,  test_no_permission, test_lock_room,
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
