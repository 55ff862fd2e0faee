/* Goal: whatever happened to a state's file, opening and using it neither dies
 * nor tells a lie: it is whole, or it is moved aside. Each case runs in a
 * process of its own, as LMDB would die by a signal. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/pages.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/unit/statedir.h"

#define PAGE    4096u
#define PAIRS   1200u
#define FILES   300u
#define FLIPS   100u
#define WHOLE   42 /* exit status: all is as it was */
#define RENEWED 43 /* moved aside, a new state is in its place */

struct image {
    char *data;
    size_t len;
};

static void put_all(struct state *state)
{
    char name[] = "INBOX";
    struct state_folder folder = {.id = 1, .name = {name, name}};
    struct state_intent intent = {.folder = 1};
    char text[64];

    state_folder_put(state, &folder);
    for (uint32_t uid = 1; uid <= PAIRS; uid++) {
        struct state_pair pair = {
            .uid = {uid, PAIRS + 1 - uid},
              .size = uid
        };

        pair.flags.system = uid % 32;
        state_pair_put(state, 1, &pair);
    }
    for (uint32_t uid = 1; uid <= FILES; uid++) {
        int n = snprintf(text, sizeof(text), "%u.M%uP1.host", uid * 7919, uid);

        state_file_put(state, RIGHT, 1, uid, (struct bytes){text, (size_t)n});
    }
    state_intent_put(state, &intent);
}

/* A value of several pages, with something in it. */
static char *big_text(void)
{
    char *text = mem_new(10001, 1);

    for (size_t i = 0; i < 10000; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

static int add_pair(void *owner, const struct state_pair *pair)
{
    uint64_t *sum = owner;

    *sum = *sum * 31 + pair->uid[LEFT] * 7 + pair->uid[RIGHT] * 5 +
           pair->flags.system * 3 + pair->size;
    return 0;
}

/* Everything that is in the state, as one number; 0: something failed. */
static uint64_t sum_up(struct state *state)
{
    struct state_folder *folders;
    struct buf out;
    uint64_t sum = 1;
    char *text;
    size_t n;
    uint32_t uid;
    int r = state_pair_each(state, 1, LEFT, add_pair, &sum, NULL);

    r |= state_pair_each(state, 1, RIGHT, add_pair, &sum, NULL);
    r |= state_folders(state, &folders, &n, NULL);
    sum = sum * 31 + n;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + folders[i].pairs;
    state_folders_free(folders, n);
    buf_init(&out, 0);
    for (uint32_t i = 1; i <= FILES; i++) {
        buf_clear(&out);
        r |= state_file_name(state, RIGHT, 1, i, &out, NULL);
        uid = 0;
        r |= state_file_uid(state, RIGHT, 1, buf_peek(&out), &uid, NULL);
        sum = sum * 31 + uid;
    }
    buf_deinit(&out);
    r |= state_meta_get(state, "big", &text, NULL);
    sum = sum * 31 + (text != NULL ? strlen(text) + (uint8_t)text[9999] : 0);
    free(text);
    return r == 0 ? sum : 0;
}

/* A state of several commits, so that it has free pages and deep trees. */
static uint64_t make_state(const struct statedir *place)
{
    struct state *state;
    char *big = big_text();
    uint64_t sum;

    statedir_open(place, NULL, &state, NULL);
    state_meta_put(state, "big", big);
    put_all(state);
    state_commit(state, NULL);
    for (uint32_t uid = 1; uid <= PAIRS; uid += 3) {
        struct state_pair pair = {
            .uid = {uid, PAIRS + 1 - uid}
        };

        state_pair_del(state, 1, &pair);
        state_commit(state, NULL);
    }
    put_all(state);
    state_commit(state, NULL);
    sum = sum_up(state);
    state_close(state);
    free(big);
    return sum;
}

static struct image load(const struct statedir *place)
{
    char *path = mem_printf("%s/data.mdb", place->dir);
    int fd = open(path, O_RDONLY);
    struct image image = {0};
    struct stat st = {0};

    fstat(fd, &st);
    image.len = (size_t)st.st_size;
    image.data = mem_new(image.len, 1);
    if (read(fd, image.data, image.len) != st.st_size)
        image.len = 0;
    close(fd);
    free(path);
    return image;
}

static void save(const struct statedir *place, const char *data, size_t len)
{
    char *path = mem_printf("%s/data.mdb", place->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (write(fd, data, len) != (ssize_t)len)
        printf("Bail out! cannot write %s\n", path);
    close(fd);
    free(path);
}

/* Use all of it, also what changes and frees its pages. */
static int use(const struct statedir *place, uint64_t sum)
{
    struct state *state;
    struct err err;
    int status = WHOLE;
    int r = statedir_open(place, NULL, &state, &err);

    if (r != 0)
        return r == ERR_STATE ? RENEWED : 1;
    if (state_is_new(state))
        status = RENEWED;
    else if (sum_up(state) != sum)
        return 2;
    put_all(state);
    if (state_commit(state, &err) != 0)
        return 3;
    for (uint32_t uid = 1; uid <= PAIRS; uid += 2) {
        struct state_pair pair = {
            .uid = {uid, PAIRS + 1 - uid}
        };

        state_pair_del(state, 1, &pair);
    }
    if (state_commit(state, &err) != 0)
        return 4;
    state_folder_del(state, 1);
    if (state_commit(state, &err) != 0)
        return 5;
    state_close(state);
    if (statedir_open(place, NULL, &state, &err) != 0 || state_is_new(state))
        return 6;
    state_close(state);
    return status;
}

static void remove_aside(const struct statedir *place)
{
    DIR *dir = opendir(place->dir);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, "damaged") != NULL)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
}

/* Put @data in place of the state and use it. Returns the exit status, 1000
 * and more for a signal. */
static int try(const struct statedir *place, const char *data, size_t len,
               uint64_t sum)
{
    int status;
    pid_t child;

    save(place, data, len);
    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(use(place, sum));
    waitpid(child, &status, 0);
    remove_aside(place);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Counts of a row of trials. */
struct trials {
    const struct statedir *place;
    const struct image *image;
    uint64_t sum;
    unsigned n;
    unsigned whole;
    unsigned renewed;
};

static void count(struct trials *trials, const char *what, size_t where,
                  const char *data, size_t len)
{
    int status = try(trials->place, data, len, trials->sum);

    trials->n++;
    trials->whole += status == WHOLE;
    trials->renewed += status == RENEWED;
    if (status != WHOLE && status != RENEWED)
        printf("# %s %zu: status %d\n", what, where, status);
}

static void verdict(struct trials *trials, const char *what)
{
    ok(trials->n == trials->whole + trials->renewed,
       "%s: of %u states %u are whole and %u new", what, trials->n,
       trials->whole, trials->renewed);
    trials->n = trials->whole = trials->renewed = 0;
}

static void test_truncated(struct trials *trials)
{
    size_t len = trials->image->len;

    for (size_t at = 0; at < len; at += PAGE)
        count(trials, "cut at", at, trials->image->data, at);
    for (size_t at = 1; at < len; at += len / 20)
        count(trials, "cut at", at, trials->image->data, at);
    verdict(trials, "cut short");
}

static void test_overwritten(struct trials *trials)
{
    const struct image *image = trials->image;
    struct random random = {.state = 7};
    char *data = mem_new(image->len, 1);

    for (size_t at = 0; at < image->len; at += PAGE) {
        size_t from = random_below(&random, (uint32_t)(image->len / PAGE));

        memcpy(data, image->data, image->len);
        switch (at / PAGE % 4) {
        case 0:
            memset(data + at, 0, PAGE);
            break;
        case 1:
            memset(data + at, 0xff, PAGE);
            break;
        case 2:
            memcpy(data + at, image->data + from * PAGE, PAGE);
            break;
        default:
            for (size_t i = 0; i < PAGE; i++)
                data[at + i] = (char)random_below(&random, 256);
        }
        count(trials, "overwritten page", at / PAGE, data, image->len);
    }
    verdict(trials, "a page overwritten");
    free(data);
}

static void test_flipped(struct trials *trials, bool heads)
{
    const struct image *image = trials->image;
    struct random random = {.state = heads ? 20240602 : 20240603};
    char *data = mem_new(image->len, 1);

    for (uint32_t i = 0; i < FLIPS; i++) {
        memcpy(data, image->data, image->len);
        for (uint32_t n = 1 + random_below(&random, 3); n > 0; n--) {
            uint32_t at = random_below(&random, (uint32_t)image->len);

            if (heads)
                at = at / PAGE * PAGE + at % 160;
            data[at] = (char)(data[at] ^ 1 << random_below(&random, 8));
        }
        count(trials, "flips no.", i, data, image->len);
    }
    verdict(trials, heads ? "bits of page heads flipped" : "bits flipped");
    free(data);
}

/* Each bit of the two meta pages that means something. */
static void test_metas(struct trials *trials)
{
    const struct image *image = trials->image;
    char *data = mem_new(image->len, 1);

    for (size_t bit = 0; bit < 160 * 8; bit += 5) {
        size_t at = bit / 8 + (bit % 2 == 0 ? 0 : PAGE);

        memcpy(data, image->data, image->len);
        data[at] = (char)(data[at] ^ 1 << bit % 8);
        count(trials, "meta page bit", bit, data, image->len);
    }
    verdict(trials, "a bit of a meta page flipped");
    free(data);
}

static int on_row(void *owner, struct bytes database, struct bytes key,
                  struct bytes value)
{
    unsigned *n = owner;

    (void)key;
    (void)value;
    ++*n;
    return bytes_equal(database, B("keyword")) ? 17 : 0;
}

static void test_check(const struct statedir *place)
{
    char *path = mem_printf("%s/data.mdb", place->dir);
    int fd = open(path, O_RDONLY);
    unsigned n = 0;
    struct pages_rows rows = {
        .row = on_row, .owner = &n, .first = bytes_of("pairs")};
    struct err err;

    ok(pages_check_head(fd, &err) == 0, "the head of a state is sound");
    ok(pages_check(fd, 12345, &rows, &err) == PAGES_GONE,
       "a snapshot that is not there is gone");
    ok(n == 0, "... and none of its rows is seen");
    close(fd);
    free(path);
}

int main(void)
{
    struct statedir place;
    struct trials trials = {.place = &place};
    struct image image;

    statedir_init(&place);
    trials.sum = make_state(&place);
    image = load(&place);
    trials.image = &image;
    printf("# a state of %zu bytes\n", image.len);
    test_check(&place);
    count(&trials, "as it is", 0, image.data, image.len);
    ok(trials.whole == 1 && trials.sum != 0, "a sound state is whole");
    trials.n = trials.whole = 0;
    test_truncated(&trials);
    test_overwritten(&trials);
    test_metas(&trials);
    test_flipped(&trials, true);
    test_flipped(&trials, false);
    free(image.data);
    statedir_deinit(&place);
    return done_testing();
}
