#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/state.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

static struct state_folder folder_of(uint32_t id, char *name)
{
    return (struct state_folder){
        .id = id, .name = {name, name},
             .exists = {true   }
    };
}

static void put_folder(struct state *state, uint32_t id, const char *name)
{
    char *copy = mem_copy(name);
    struct state_folder folder = folder_of(id, copy);

    state_folder_put(state, &folder);
    free(copy);
}

/* The row of a folder, without its name. */
static struct state_folder get_folder(struct state *state, uint32_t id)
{
    struct state_folder found = {0};
    struct state_folder *folders;
    size_t n;

    state_folders(state, &folders, &n, NULL);
    for (size_t i = 0; i < n; i++) {
        if (folders[i].id == id)
            found = folders[i];
    }
    found.name[LEFT] = found.name[RIGHT] = NULL;
    state_folders_free(folders, n);
    return found;
}

/* --- every kind of row ------------------------------------------------------- */

static void test_meta(const struct statedir *place)
{
    struct state *state = open_state(place);
    char *text;

    ok(state_is_new(state), "meta: a state that was never there is new");
    state_meta_put(state, "policy", "a\nb");
    state_meta_put(state, "other", "1");
    state_meta_get(state, "policy", &text, NULL);
    ok(text == NULL, "meta: a read does not see what is queued");
    ok(state_queued(state) > 0, "meta: something is queued");
    state = reopen(place, state);
    ok(!state_is_new(state) && state_queued(state) == 0,
       "meta: once committed, it is not new");
    state_meta_get(state, "policy", &text, NULL);
    ok(text != NULL && strcmp(text, "a\nb") == 0, "meta: a text comes back");
    free(text);
    state_meta_put(state, "policy", NULL);
    state = reopen(place, state);
    ok(state_meta_get(state, "policy", &text, NULL) == 0 && text == NULL,
       "meta: NULL deletes");
    state_meta_put(state, "policy", "dropped");
    state_close(state);
    state = open_state(place);
    state_meta_get(state, "policy", &text, NULL);
    ok(text == NULL, "meta: what was not committed is dropped");
    state_close(state);
}

static void test_folders(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_folder *folders;
    char name[] = "Archive/2024";
    struct state_folder folder = folder_of(state_folder_new_id(state), name);
    uint32_t second = state_folder_new_id(state);
    size_t n;

    folder.token[RIGHT] = (struct folder_token){
        .uidvalidity = 7, .uidnext = 8, .messages = 9, .highestmodseq = 10};
    folder.has_token[RIGHT] = true;
    folder.pairs = 55;
    ok(folder.id == 1 && second == 2, "folders: numbers count on");
    state_folder_put(state, &folder);
    put_folder(state, second, "ABC");
    state = reopen(place, state);
    ok(state_folders(state, &folders, &n, NULL) == 0 && n == 2 &&
           strcmp(folders[0].name[LEFT], "ABC") == 0 &&
           strcmp(folders[1].name[LEFT], "Archive/2024") == 0,
       "folders: they come by name");
    ok(n == 2 && folders[1].pairs == 0 && folders[1].exists[LEFT] &&
           !folders[1].exists[RIGHT] && !folders[1].has_token[LEFT] &&
           folder_token_equal(&folders[1].token[RIGHT], &folder.token[RIGHT]),
       "folders: with all but the counts, which are the state's");
    state_folders_free(folders, n);
    state_folder_del(state, second);
    state = reopen(place, state);
    ok(state_folder_new_id(state) == 3, "folders: no number comes twice");
    ok(state_folders(state, &folders, &n, NULL) == 0 && n == 1,
       "folders: one is deleted");
    state_folders_free(folders, n);
    state_close(state);
}

static void test_pairs(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_pair pair = pair_of(10, 20);
    struct state_pair got;
    struct state_folder folder;

    pair.flags.system = FLAG_SEEN | FLAG_FLAGGED;
    pair.gone[RIGHT] = true;
    put_folder(state, 1, "INBOX");
    state_pair_put(state, 1, &pair);
    put_pair(state, 1, 11, 21);
    put_pair(state, 2, 10, 20);
    state = reopen(place, state);
    ok(state_pair_get(state, 1, RIGHT, 20, &got, NULL) == 0 &&
           got.uid[LEFT] == 10 && got.gone[RIGHT] && !got.gone[LEFT] &&
           got.size == 4000 && flags_equal(got.flags, pair.flags),
       "pairs: one is found by its right UID");
    ok(twin(state, 1, LEFT, 11) == 21, "pairs: one by its left UID");
    ok(state_pair_get(state, 1, LEFT, 12, &got, NULL) == 1,
       "pairs: another UID has none");
    folder = get_folder(state, 1);
    ok(folder.pairs == 2 && folder.gone[RIGHT] == 1 && folder.gone[LEFT] == 0,
       "pairs: they are counted, and those that are gone");

    put_pair(state, 1, 10, 22);
    commit(state);
    ok(twin(state, 1, LEFT, 10) == 22 && twin(state, 1, RIGHT, 22) == 10 &&
           twin(state, 1, RIGHT, 20) == 0,
       "pairs: a new right UID takes the old one's place");
    put_pair(state, 1, 12, 21);
    commit(state);
    ok(twin(state, 1, RIGHT, 21) == 12 && twin(state, 1, LEFT, 11) == 0,
       "pairs: a new left UID takes the old one's place");
    folder = get_folder(state, 1);
    ok(folder.pairs == 2 && folder.gone[RIGHT] == 0,
       "pairs: the counts follow");

    del_pair(state, 1, 12, 99);
    commit(state);
    ok(twin(state, 1, LEFT, 12) == 21,
       "pairs: the end of a pair that was replaced is none of the new one");
    del_pair(state, 1, 12, 21);
    del_pair(state, 1, 777, 778);
    commit(state);
    ok(twin(state, 1, LEFT, 12) == 0 && twin(state, 1, RIGHT, 21) == 0 &&
           get_folder(state, 1).pairs == 1 && twin(state, 2, LEFT, 10) == 20,
       "pairs: one ends, those of other folders stay");
    state_close(state);
}

struct seen {
    struct state *state;
    unsigned n;
    uint32_t last;
    bool ordered;
    bool nested;
    uint32_t stop_at;
};

static int on_pair_left(void *owner, const struct state_pair *pair)
{
    struct seen *seen = owner;
    struct state_pair again;

    seen->n++;
    seen->ordered = seen->ordered && pair->uid[LEFT] > seen->last;
    seen->last = pair->uid[LEFT];
    seen->nested =
        seen->nested && state_pair_get(seen->state, 1, RIGHT, pair->uid[RIGHT],
                                       &again, NULL) == 0;
    state_pair_put(seen->state, 3, pair);
    return pair->uid[LEFT] == seen->stop_at ? 17 : 0;
}

static int on_pair_right(void *owner, const struct state_pair *pair)
{
    struct seen *seen = owner;

    seen->n++;
    seen->ordered = seen->ordered && pair->uid[RIGHT] > seen->last;
    seen->last = pair->uid[RIGHT];
    return 0;
}

static void test_each(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct seen seen = {.state = state, .ordered = true, .nested = true};

    for (uint32_t uid = 1; uid <= 300; uid++)
        put_pair(state, 1, uid, 1000 - uid);
    put_pair(state, 2, 1, 1);
    commit(state);
    ok(state_pair_each(state, 1, LEFT, on_pair_left, &seen, NULL) == 0 &&
           seen.n == 300 && seen.ordered && seen.nested,
       "each: all pairs of a folder by left UID, with reads and writes in it");
    commit(state);
    ok(twin(state, 3, LEFT, 300) == 700, "each: the writes arrive");
    seen = (struct seen){.ordered = true};
    ok(state_pair_each(state, 1, RIGHT, on_pair_right, &seen, NULL) == 0 &&
           seen.n == 300 && seen.ordered,
       "each: all pairs by right UID");
    seen = (struct seen){.state = state, .ordered = true, .stop_at = 5};
    ok(state_pair_each(state, 1, LEFT, on_pair_left, &seen, NULL) == 17 &&
           seen.n == 5,
       "each: a value other than 0 ends it");
    seen = (struct seen){0};
    ok(state_pair_each(state, 9, LEFT, on_pair_left, &seen, NULL) == 0 &&
           seen.n == 0,
       "each: a folder without pairs has none");
    state_close(state);
}

static int on_apart(void *owner, const struct state_apart *apart)
{
    struct seen *seen = owner;

    (void)apart;
    seen->n++;
    return 0;
}

static void test_apart(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_apart apart = {.folder = 1,
                                .side = LEFT,
                                .uid = 5,
                                .kind = APART_REFUSED,
                                .size = 9,
                                .limit = 8,
                                .reason = "[LIMIT] no"};
    struct state_apart got;
    struct seen seen = {0};

    state_apart_put(state, &apart);
    state_apart_put(state, &apart);
    apart.side = RIGHT;
    apart.kind = APART_FILTERED;
    state_apart_put(state, &apart);
    apart.folder = 2;
    state_apart_put(state, &apart);
    put_folder(state, 1, "a");
    state = reopen(place, state);
    ok(state_apart_get(state, 1, LEFT, 5, &got, NULL) == 0 && got.uid == 5 &&
           got.kind == APART_REFUSED && got.limit == 8 &&
           strcmp(got.reason, "[LIMIT] no") == 0,
       "apart: a message comes back");
    ok(state_apart_get(state, 1, LEFT, 6, &got, NULL) == 1,
       "apart: another is not");
    ok(get_folder(state, 1).apart[LEFT] == 1 &&
           get_folder(state, 1).apart[RIGHT] == 1,
       "apart: they are counted once");
    state_apart_each(state, 0, on_apart, &seen, NULL);
    ok(seen.n == 3, "apart: all of all folders");
    seen.n = 0;
    state_apart_each(state, 1, on_apart, &seen, NULL);
    ok(seen.n == 2, "apart: all of one folder");
    state_apart_del(state, 1, LEFT, 5);
    state_apart_del(state, 1, LEFT, 5);
    commit(state);
    ok(get_folder(state, 1).apart[LEFT] == 0 &&
           state_apart_get(state, 1, LEFT, 5, &got, NULL) == 1,
       "apart: one ends");
    state_close(state);
}

static int on_intent(void *owner, const struct state_intent *intent)
{
    struct seen *seen = owner;

    seen->n++;
    seen->ordered = intent->number > seen->last;
    seen->last = (uint32_t)intent->number;
    return 0;
}

static void test_intents(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_intent intent = {.folder = 1, .side = RIGHT, .date = -5};
    struct seen seen = {0};
    uint64_t first;

    state_intent_put(state, &intent);
    first = intent.number;
    intent.number = 0;
    state_intent_put(state, &intent);
    ok(first == 1 && intent.number == 2, "intents: they are numbered");
    state = reopen(place, state);
    state_intent_each(state, on_intent, &seen, NULL);
    ok(seen.n == 2 && seen.ordered, "intents: they come by their numbers");
    state_intent_del(state, first);
    state_intent_del(state, intent.number);
    state = reopen(place, state);
    intent.number = 0;
    state_intent_put(state, &intent);
    ok(intent.number == 3, "intents: no number comes twice");
    state_close(state);
}

static void test_keywords(const struct statedir *place)
{
    struct state *state = open_state(place);
    uint32_t first = keywords_intern(state_keywords(state), B("$Junk Work"));
    uint32_t second = keywords_intern(state_keywords(state), B("zz"));
    struct state_pair pair = pair_of(1, 1);
    struct state_pair got;

    pair.flags.keywords = second;
    state_pair_put(state, 1, &pair);
    state = reopen(place, state);
    ok(keywords_count(state_keywords(state)) == 3 &&
           keywords_intern(state_keywords(state), B("work $junk")) == first,
       "keywords: the sets survive with their numbers");
    state_pair_get(state, 1, LEFT, 1, &got, NULL);
    ok(bytes_equal(keywords_text(state_keywords(state), got.flags.keywords),
                   B("zz")),
       "keywords: a pair's set too");
    keywords_intern(state_keywords(state), B("later"));
    state = reopen(place, state);
    ok(keywords_count(state_keywords(state)) == 4,
       "keywords: a new set alone is written too");
    pair.flags.keywords = UINT32_MAX;
    state_pair_put(state, 1, &pair);
    state = reopen(place, state);
    ok(state_pair_get(state, 1, LEFT, 1, &got, NULL) == 0 &&
           got.flags.keywords == 0,
       "keywords: a set that got no number is none");
    state_close(state);
}

static void test_folder_del(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct state_intent intent = {.folder = 1};
    struct state_apart apart = {.folder = 1, .side = RIGHT, .uid = 3};
    struct state_folder *folders;
    struct seen seen = {0};
    size_t n;

    put_folder(state, 1, "a");
    put_folder(state, 2, "b");
    for (uint32_t uid = 1; uid <= 1000; uid++) {
        char name[16];

        snprintf(name, sizeof(name), "%u", uid);
        put_pair(state, 1, uid, uid);
        put_pair(state, 2, uid, uid);
        put_file(state, uid, name);
    }
    state_apart_put(state, &apart);
    state_intent_put(state, &intent);
    intent = (struct state_intent){.folder = 2};
    state_intent_put(state, &intent);
    commit(state);
    state_folder_del(state, 1);
    state = reopen(place, state);
    ok(state_pair_each(state, 1, LEFT, on_pair_right, &seen, NULL) == 0 &&
           state_pair_each(state, 1, RIGHT, on_pair_right, &seen, NULL) == 0 &&
           seen.n == 0,
       "the end of a folder: no pair is left");
    state_apart_each(state, 0, on_apart, &seen, NULL);
    ok(seen.n == 0, "... nor a message apart");
    ok(uid_of(state, "7") == 0 && next_uid(state) == 1 &&
           !has_name(state, 7, "7"),
       "... nor a file");
    state_intent_each(state, on_intent, &seen, NULL);
    ok(seen.n == 1 && seen.last == 2, "... nor an intent");
    state_folders(state, &folders, &n, NULL);
    ok(n == 1 && folders[0].id == 2 && folders[0].pairs == 1000 &&
           twin(state, 2, LEFT, 1000) == 1000,
       "... and the other folder is whole");
    state_folders_free(folders, n);
    state_close(state);
}

/* --- against a model ------------------------------------------------------------- */

#define MODEL_UIDS  60u
#define MODEL_NAMES 40u

/* What two folders should hold. */
struct model {
    uint32_t right[2][MODEL_UIDS + 1]; /* by left UID; 0: none */
    bool gone[2][MODEL_UIDS + 1];
    uint32_t file[MODEL_NAMES]; /* UID of each name in folder 9 */
    uint32_t last_file;
};

static void model_put(struct model *model, struct state *state,
                      struct random *random, unsigned folder)
{
    uint32_t left = 1 + random_below(random, MODEL_UIDS);
    uint32_t right = 1 + random_below(random, MODEL_UIDS);
    struct state_pair pair = pair_of(left, right);

    pair.gone[LEFT] = random_below(random, 4) == 0;
    for (uint32_t uid = 1; uid <= MODEL_UIDS; uid++) {
        if (model->right[folder][uid] == right)
            model->right[folder][uid] = 0;
    }
    model->right[folder][left] = right;
    model->gone[folder][left] = pair.gone[LEFT];
    state_pair_put(state, folder + 1, &pair);
}

static void model_del(struct model *model, struct state *state,
                      struct random *random, unsigned folder)
{
    uint32_t left = 1 + random_below(random, MODEL_UIDS);

    if (model->right[folder][left] == 0)
        return;
    del_pair(state, folder + 1, left, model->right[folder][left]);
    model->right[folder][left] = 0;
}

static void model_name(char name[160], uint32_t index)
{
    /* Of very different sizes, so that nodes move on their pages. */
    memset(name, 'n', 160);
    snprintf(name + index * 3, 160 - index * 3, "%u", index);
}

static void model_file(struct model *model, struct state *state,
                       struct random *random)
{
    uint32_t index = random_below(random, MODEL_NAMES);
    char name[160];

    model_name(name, index);
    if (model->file[index] != 0 && random_below(random, 2) == 0) {
        state_file_del(state, LEFT, 9, model->file[index], bytes_of(name));
        model->file[index] = 0;
    } else {
        model->file[index] = ++model->last_file;
        state_file_put(state, LEFT, 9, model->file[index], bytes_of(name));
    }
}

static void model_step(struct model *model, struct state *state,
                       struct random *random)
{
    unsigned folder = random_below(random, 2);
    uint32_t what = random_below(random, 1000);

    if (what < 500) {
        model_put(model, state, random, folder);
    } else if (what < 700) {
        model_del(model, state, random, folder);
    } else if (what < 998) {
        model_file(model, state, random);
    } else {
        memset(model->right[folder], 0, sizeof(model->right[folder]));
        state_folder_del(state, folder + 1);
        put_folder(state, folder + 1, folder == 0 ? "one" : "two");
    }
}

static bool model_holds(const struct model *model, struct state *state,
                        unsigned folder)
{
    struct state_folder row = get_folder(state, folder + 1);
    uint32_t pairs = 0;
    uint32_t gone = 0;
    bool holds = true;

    for (uint32_t left = 1; left <= MODEL_UIDS; left++) {
        uint32_t right = model->right[folder][left];

        holds = holds && twin(state, folder + 1, LEFT, left) == right &&
                (right == 0 || twin(state, folder + 1, RIGHT, right) == left);
        pairs += right != 0;
        gone += right != 0 && model->gone[folder][left];
    }
    return holds && row.pairs == pairs && row.gone[LEFT] == gone;
}

static bool model_files_hold(const struct model *model, struct state *state)
{
    bool holds = true;

    for (uint32_t i = 0; i < MODEL_NAMES; i++) {
        char name[160];
        uint32_t uid = 0;

        model_name(name, i);
        state_file_uid(state, LEFT, 9, bytes_of(name), &uid, NULL);
        holds = holds && uid == model->file[i];
    }
    return holds;
}

static void test_model(const struct statedir *place)
{
    struct state *state = open_state(place);
    struct random random = {.state = 20240601};
    struct model model = {0};
    bool holds = true;

    put_folder(state, 1, "one");
    put_folder(state, 2, "two");
    put_folder(state, 9, "files");
    for (int round = 0; round < 60 && holds; round++) {
        for (uint32_t n = random_below(&random, 150); n > 0; n--)
            model_step(&model, state, &random);
        if (random_below(&random, 2) == 0)
            state = reopen(place, state);
        else
            commit(state);
        holds = model_holds(&model, state, 0) &&
                model_holds(&model, state, 1) &&
                model_files_hold(&model, state);
    }
    ok(holds, "model: after every commit of random changes all is as it "
              "should be");
    ok(statedir_count(place, "damaged") == 0,
       "model: and no such state is taken for a damaged one");
    state_close(state);
}

/* --- many ---------------------------------------------------------------------- */

#define MANY        100000u
#define LARGE_BYTES ((size_t)1 << 20)

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Print how long something took, and start again. */
static void lap(double *since, const char *what)
{
    double now = seconds();

    printf("# %-44s %7.3f s\n", what, now - *since);
    *since = seconds();
}

static long long data_bytes(const struct statedir *place)
{
    char *path = mem_printf("%s/data.mdb", place->dir);
    struct stat st = {0};

    stat(path, &st);
    free(path);
    return (long long)st.st_size;
}

static void test_many_pairs(const struct statedir *place, struct state **state)
{
    struct seen seen = {.ordered = true};
    double since = seconds();
    uint32_t found = 0;

    put_folder(*state, 1, "INBOX");
    for (uint32_t uid = 1; uid <= MANY; uid++)
        put_pair(*state, 1, uid, uid + 5);
    lap(&since, "100,000 state_pair_put");
    commit(*state);
    lap(&since, "state_commit");
    printf("# %lld bytes a pair on disk\n", data_bytes(place) / MANY);
    for (uint32_t uid = 1; uid <= MANY; uid++)
        found += twin(*state, 1, RIGHT, uid + 5) == uid;
    lap(&since, "100,000 state_pair_get by the right UID");
    ok(found == MANY, "many: all pairs are there");
    state_pair_each(*state, 1, LEFT, on_pair_right, &seen, NULL);
    lap(&since, "state_pair_each, left");
    ok(seen.n == MANY && seen.ordered, "many: each finds all");
    state_pair_each(*state, 1, RIGHT, on_pair_right, &seen, NULL);
    lap(&since, "state_pair_each, right");
    state_close(*state);
    *state = open_state(place);
    lap(&since, "close and open, which checks everything");
}

/* More than the map has room for at first. */
static void put_large(struct state *state)
{
    char *text = mem_new(LARGE_BYTES, 1);
    char name[2] = "a";

    memset(text, 'x', LARGE_BYTES - 1);
    for (; name[0] <= 't'; name[0]++)
        state_meta_put(state, name, text);
    free(text);
}

static void test_many_files(const struct statedir *place, struct state *state)
{
    double since = seconds();
    uint32_t found = 0;
    char name[64];

    for (uint32_t uid = 1; uid <= 2 * MANY; uid++) {
        name_of(name, uid);
        put_file(state, uid, name);
    }
    lap(&since, "200,000 state_file_put");
    commit(state);
    lap(&since, "state_commit");
    put_large(state);
    commit(state);
    lap(&since, "large texts");
    ok(data_bytes(place) > 16LL << 20, "many: the map has grown");
    for (uint32_t uid = 1; uid <= 2 * MANY; uid++) {
        name_of(name, uid);
        found += uid_of(state, name) == uid;
    }
    lap(&since, "200,000 state_file_uid");
    ok(found == 2 * MANY, "many: all files are there");
    printf("# %lld bytes on disk\n", data_bytes(place));
    state_folder_del(state, 1);
    commit(state);
    lap(&since, "the end of that folder");
    ok(get_folder(state, 1).pairs == 0, "many: it is empty");
}

static void test_many(const struct statedir *place)
{
    struct state *state = open_state(place);

    test_many_pairs(place, &state);
    test_many_files(place, state);
    state_close(state);
}

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_meta,    test_folders,  test_pairs,      test_each,  test_apart,
        test_intents, test_keywords, test_folder_del, test_model, test_many,
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
