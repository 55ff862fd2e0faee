#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/state.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

static struct state *open_state(const struct statedir *place)
{
    struct state *state;
    struct err err = {0};

    if (statedir_open(place, NULL, &state, &err) != 0) {
        printf("Bail out! state_open: %s\n", err.text);
        exit(1);
    }
    return state;
}

static void commit(struct state *state)
{
    struct err err = {0};

    if (state_commit(state, &err) != 0) {
        printf("Bail out! state_commit: %s\n", err.text);
        exit(1);
    }
}

/* Commit, close, open: what is on the disk. */
static struct state *reopen(const struct statedir *place, struct state *state)
{
    commit(state);
    state_close(state);
    return open_state(place);
}

static struct state_pair pair_of(uint32_t left, uint32_t right)
{
    return (struct state_pair){
        .uid = {left, right},
          .size = 4000
    };
}

static void put_pair(struct state *state, uint32_t folder, uint32_t left,
                     uint32_t right)
{
    struct state_pair pair = pair_of(left, right);

    state_pair_put(state, folder, &pair);
}

static void del_pair(struct state *state, uint32_t folder, uint32_t left,
                     uint32_t right)
{
    struct state_pair pair = pair_of(left, right);

    state_pair_del(state, folder, &pair);
}

/* The UID that is paired with @uid of @side, 0 for none. */
static uint32_t twin(struct state *state, uint32_t folder, enum side side,
                     uint32_t uid)
{
    struct state_pair pair;
    int r = state_pair_get(state, folder, side, uid, &pair, NULL);

    return r == 0 ? pair.uid[other(side)] : 0;
}

static struct state_folder folder_of(uint32_t id, char *name)
{
    return (struct state_folder){.id = id, .name = name, .exists = {true}};
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
    found.name = NULL;
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
           strcmp(folders[0].name, "ABC") == 0 &&
           strcmp(folders[1].name, "Archive/2024") == 0,
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

/* --- files -------------------------------------------------------------------- */

static uint32_t uid_of(struct state *state, const char *name)
{
    uint32_t uid = 0;

    state_file_uid(state, RIGHT, 1, bytes_of(name), &uid, NULL);
    return uid;
}

static void put_file(struct state *state, uint32_t uid, const char *name)
{
    state_file_put(state, RIGHT, 1, uid, bytes_of(name));
}

static uint32_t next_uid(struct state *state)
{
    uint32_t uid = 0;

    state_file_next_uid(state, RIGHT, 1, &uid, NULL);
    return uid;
}

static bool has_name(struct state *state, uint32_t uid, const char *name)
{
    struct buf out;
    bool same;

    buf_init(&out, 0);
    same = state_file_name(state, RIGHT, 1, uid, &out, NULL) == 0 &&
           strcmp(buf_text(&out), name) == 0;
    buf_deinit(&out);
    return same;
}

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
        state = reopen(place, state);
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

#define MANY 100000u

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

static void name_of(char name[64], uint32_t uid)
{
    snprintf(name, 64, "17000%05u.M%uP%u.mail.example.org", uid, uid * 7, uid);
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

/* --- opening ---------------------------------------------------------------------- */

static void keep_line(void *owner, enum log_level level, const char *line)
{
    struct buf *out = owner;

    if (level == LOG_NOTICE)
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
    struct log log = {.level = LOG_NOTICE, .sink = keep_line, .owner = &lines};

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
    state_meta_put(state, ".schema", "2");
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

int main(void)
{
    static void (*const tests[])(const struct statedir *place) = {
        test_meta,    test_folders,    test_pairs,          test_each,
        test_apart,   test_intents,    test_keywords,       test_files,
        test_model,   test_folder_del, test_files_of_pairs, test_many,
        test_threads, test_foreign,    test_newer,          test_read_only,
        test_locked,  test_no_space,   test_no_permission,
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        struct statedir place;

        statedir_init(&place);
        tests[i](&place);
        statedir_deinit(&place);
    }
    return done_testing();
}
