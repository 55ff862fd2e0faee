/* Goal of this test: a state of the layout before, where each row was an entry
 * of its own, is written anew by the next run with nothing lost, wherever that
 * is cut short; who only reads is told. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/record.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

#define PAIRS 3000u

/* As three programs do it. */
static const char *name_file(char name[64], uint32_t uid)
{
    unsigned time = 1700000000 + uid;

    if (uid % 3 == 0)
        (void)snprintf(name, 64, "%u.%u_1.host", time, uid);
    else if (uid % 3 == 1)
        (void)snprintf(name, 64, "%u.M%uP9.other,S=10", time, uid);
    else
        (void)snprintf(name, 64, "%u.M%06uP9Q1R0123456789abcdef.host,S=1,W=2",
                       time, uid);
    return name;
}

/* --- a file of the older layout ---------------------------------------------- */

struct old {
    MDB_txn *txn;
    int rc;
};

static void write_row(struct old *old, const char *table, struct bytes key,
                      struct bytes value)
{
    MDB_val key_val = {key.len, (void *)(uintptr_t)key.ptr};
    MDB_val val = {value.len, (void *)(uintptr_t)value.ptr};
    MDB_dbi dbi;

    if (old->rc == 0)
        old->rc = mdb_dbi_open(old->txn, table, MDB_CREATE, &dbi);
    if (old->rc == 0)
        old->rc = mdb_put(old->txn, dbi, &key_val, &val, 0);
}

static void write_text(struct old *old, const char *table, struct bytes key,
                       struct bytes text)
{
    struct buf value;

    buf_init(&value, 0);
    record_encode_text(&value, key, text);
    write_row(old, table, key, buf_peek(&value));
    buf_deinit(&value);
}

static void write_head(struct old *old)
{
    static const char *const head[][2] = {
        {".schema",      "2"               },
        {".left",        "imap:me@left:993"},
        {".right",       "maildir:/right"  },
        {".next-folder", "2"               },
        {".next-intent", "5"               },
        {"mine",         "a text"          },
    };
    char name[] = "INBOX";
    struct state_folder folder = {
        .id = 1, .name = {name, name}
    };
    struct record_counts counts = {.pairs = PAIRS};
    struct record_key key = record_key_id(1);
    struct buf value;

    for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
        write_text(old, "meta", bytes_of(head[i][0]), bytes_of(head[i][1]));
    write_text(old, "keyword", record_key_bytes(&key), B("$Forwarded"));
    buf_init(&value, 0);
    record_encode_folder(&value, record_key_bytes(&key), &folder);
    write_row(old, "folder", record_key_bytes(&key), buf_peek(&value));
    buf_clear(&value);
    record_encode_counts(&value, record_key_bytes(&key), &counts);
    write_row(old, "counts", record_key_bytes(&key), buf_peek(&value));
    buf_clear(&value);
    key = record_key_side(RIGHT, 1);
    record_encode_uid(&value, record_key_bytes(&key), PAIRS + 7);
    write_row(old, "last", record_key_bytes(&key), buf_peek(&value));
    buf_deinit(&value);
}

static void write_message(struct old *old, uint32_t uid)
{
    struct state_pair pair = pair_of(2 * uid, uid);
    struct record_key key = record_key_pair(1, 2 * uid);
    struct buf value;
    char name[64];

    pair.flags.keywords = uid % 2;
    buf_init(&value, 0);
    record_encode_pair(&value, &pair);
    write_text(old, "pair", record_key_bytes(&key), buf_peek(&value));
    buf_clear(&value);
    key = record_key_pair(1, uid);
    record_encode_uid(&value, record_key_bytes(&key), 2 * uid);
    write_row(old, "right", record_key_bytes(&key), buf_peek(&value));
    buf_deinit(&value);
    key = record_key_file(RIGHT, 1, uid);
    write_text(old, "file", record_key_bytes(&key),
               bytes_of(name_file(name, uid)));
    /* By a hash, of which nothing is read. */
    key = record_key_name(RIGHT, 1, bytes_of(name));
    write_text(old, "name", record_key_bytes(&key), B("\0\0\0\1"));
}

static void write_state(const struct statedir *place)
{
    struct old old = {0};
    MDB_env *env = NULL;

    char *data = mem_printf("%s/data.mdb", place->dir);

    state_close(open_state(place)); /* makes the directories */
    (void)unlink(data);
    free(data);
    old.rc = mdb_env_create(&env);
    if (old.rc == 0)
        old.rc = mdb_env_set_maxdbs(env, 32);
    if (old.rc == 0)
        old.rc = mdb_env_set_mapsize(env, (size_t)16 << 20);
    if (old.rc == 0)
        old.rc = mdb_env_open(env, place->dir, 0, 0600);
    if (old.rc == 0)
        old.rc = mdb_txn_begin(env, NULL, 0, &old.txn);
    write_head(&old);
    for (uint32_t uid = 1; uid <= PAIRS; uid++)
        write_message(&old, uid);
    if (old.rc == 0)
        old.rc = mdb_txn_commit(old.txn);
    mdb_env_close(env);
    if (old.rc != 0)
        printf("Bail out! %s\n", mdb_strerror(old.rc));
}

/* --- what has to be in it ------------------------------------------------------ */

static bool has_message(struct state *state, uint32_t uid)
{
    struct state_pair pair;
    char name[64];

    name_file(name, uid);
    return twin(state, 1, LEFT, 2 * uid) == uid &&
           state_pair_get(state, 1, RIGHT, uid, &pair, NULL) == 0 &&
           pair.uid[LEFT] == 2 * uid && pair.size == 4000 &&
           pair.date == 1700000000 && pair.flags.keywords == uid % 2 &&
           uid_of(state, name) == uid && has_name(state, uid, name);
}

static int count_pair(void *owner, const struct state_pair *pair)
{
    uint32_t *n = owner;

    (void)pair;
    ++*n;
    return 0;
}

static bool has_all(struct state *state)
{
    char *text = NULL;
    uint32_t n = 0;
    bool all = !state_is_new(state) && next_uid(state) == PAIRS + 8 &&
               state_folder_new_id(state) == 2 &&
               state_pair_each(state, 1, LEFT, count_pair, &n, NULL) == 0 &&
               n == PAIRS && state_meta_get(state, "mine", &text, NULL) == 0 &&
               text != NULL && strcmp(text, "a text") == 0;

    free(text);
    for (uint32_t uid = 1; uid <= PAIRS && all; uid++)
        all = has_message(state, uid);
    return all;
}

static bool is_whole(const struct statedir *place)
{
    struct state *state = open_state(place);
    bool whole = has_all(state);

    state_close(state);
    return whole && statedir_count(place, "damaged") == 0 &&
           statedir_count(place, "packed") == 0;
}

static int open_to_read(const struct statedir *place, struct err *err)
{
    struct state_open_options options = {
        .dir = place->dir,
        .pair = "work",
        .identity = {"imap:me@left:993", "maildir:/right"},
        .read_only = true,
    };
    struct state *state = NULL;
    int r = state_open(&options, NULL, &state, err);

    state_close(state);
    return r;
}

static void test_renewed(const struct statedir *place)
{
    struct err err = {0};

    write_state(place);
    ok(open_to_read(place, &err) == ERR_STATE &&
           strstr(err.text, "older layout") != NULL,
       "who only reads is told: %s", err.text);
    ok(is_whole(place), "the next run has all of it");
    ok(open_to_read(place, &err) == 0, "then it can be read");
    ok(is_whole(place), "and the run after has all of it, too");
}

/* In a process that cannot write more than @limit bytes into a file: killed
 * there, or refused. Returns whether it opened the state. */
static bool open_within(const struct statedir *place, rlim_t limit, bool killed)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        struct rlimit most = {limit, limit};
        struct state *state = NULL;

        setrlimit(RLIMIT_CORE, &none);
        signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &most);
        _exit(statedir_open(place, NULL, &state, NULL) == 0 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_cut_short(const struct statedir *place)
{
    rlim_t limit = 1u << 13;
    unsigned cuts = 0;
    unsigned whole = 0;
    bool opened = false;

    while (!opened && cuts < 100) {
        write_state(place);
        opened = open_within(place, limit, cuts % 2 == 0);
        limit += 1u << 15;
        cuts += !opened;
        whole += !opened && is_whole(place);
    }
    ok(opened && cuts > 3 && whole == cuts,
       "cut short in %u places, whole after %u", cuts, whole);
    ok(is_whole(place), "and where it was not");
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_renewed, test_cut_short};

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
