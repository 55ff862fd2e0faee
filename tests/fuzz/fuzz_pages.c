/*
 * Goal: a state's file with any damage is refused by the look at its pages, or
 * LMDB can work with it: open it, read all of it, write to it, without a step
 * outside of its map.
 *
 * The input: pieces of damage to one sound file, each a place (3 bytes), a
 * length (1 byte) and as many bytes; a length of 0 cuts the file off there.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/pages.h"
#include "store/pages_head.h"
#include "store/state_check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/statedir.h"

#define PAIRS 300u
#define FILES 150u

static struct {
    struct statedir place;
    char *path;
    struct bytes image;
} sound;

static void forget(void)
{
    statedir_deinit(&sound.place);
}

static void put_all(struct state *state)
{
    char name[] = "INBOX";
    struct state_folder folder = {
        .id = 1, .name = {name, name}
    };
    char text[64];

    state_folder_put(state, &folder);
    for (uint32_t uid = 1; uid <= PAIRS; uid++)
        put_pair(state, 1, uid, PAIRS + 1 - uid);
    for (uint32_t uid = 1; uid <= FILES; uid++) {
        name_of(text, uid);
        put_file(state, uid, text);
    }
}

/* Of several commits, so that it has free pages, and a value of some pages. */
static void make_sound(void)
{
    struct state *state;
    char *big = mem_new(10001, 1);
    char *data = mem_new(1 << 20, 1);
    int fd;

    setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 1);
    statedir_init(&sound.place);
    atexit(forget);
    sound.path = mem_printf("%s/data.mdb", sound.place.dir);
    memset(big, 'b', 10000);
    state = open_state(&sound.place);
    state_meta_put(state, "big", big);
    put_all(state);
    commit(state);
    for (uint32_t uid = 1; uid <= PAIRS; uid += 7) {
        del_pair(state, 1, uid, PAIRS + 1 - uid);
        commit(state);
    }
    state_close(state);
    fd = open(sound.path, O_RDONLY | O_CLOEXEC);
    sound.image = (struct bytes){data, (size_t)read(fd, data, 1 << 20)};
    close(fd);
    free(big);
}

static struct bytes damage(struct bytes input)
{
    struct bytes image = fuzz_copy(sound.image);
    char *data = fuzz_data(image);

    while (input.len >= 4) {
        size_t at = fuzz_number(&input, 3) % sound.image.len;
        size_t n = fuzz_byte(&input) % 64;

        if (n == 0 && at < image.len)
            image.len = at;
        for (; n > 0 && input.len > 0; n--, at++) {
            uint8_t byte = fuzz_byte(&input);

            if (at < sound.image.len)
                data[at] = (char)byte;
        }
    }
    return image;
}

static bool is_sound(struct bytes image)
{
    int fd = memfd_create("data.mdb", 0);
    struct pages_meta metas[2];
    struct err err;
    struct pages_file file = {.fd = fd, .err = &err};
    size_t snapshot;
    int r;

    if (fd < 0 || write(fd, image.ptr, image.len) != (ssize_t)image.len)
        abort();
    r = pages_check_head(fd, &err);
    if (r == 0 && pages_head_load(&file, metas) == 0) {
        snapshot = metas[metas[1].txnid > metas[0].txnid].txnid;
        r = state_check(fd, snapshot, &err);
    }
    close(fd);
    return r == 0;
}

static int count_pair(void *owner, const struct state_pair *pair)
{
    uint32_t *n = owner;

    *n += pair->uid[LEFT] != 0;
    return 0;
}

static void read_all(struct state *state)
{
    struct state_folder *folders;
    struct buf out;
    char *text;
    size_t n_folders;
    uint32_t n = 0;

    (void)state_pair_each(state, 1, LEFT, count_pair, &n, NULL);
    (void)state_pair_each(state, 1, RIGHT, count_pair, &n, NULL);
    if (state_folders(state, &folders, &n_folders, NULL) == 0)
        state_folders_free(folders, n_folders);
    buf_init(&out, 0);
    for (uint32_t uid = 1; uid <= FILES; uid++) {
        buf_clear(&out);
        (void)state_file_name(state, RIGHT, 1, uid, &out, NULL);
    }
    buf_deinit(&out);
    if (state_meta_get(state, "big", &text, NULL) == 0)
        free(text);
}

/* In a place of its own: what is damaged is moved aside there. */
static void use(struct bytes image)
{
    struct state *state;
    int fd = open(sound.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, image.ptr, image.len) != (ssize_t)image.len)
        abort();
    close(fd);
    if (statedir_open(&sound.place, NULL, &state, NULL) == 0) {
        read_all(state);
        put_all(state);
        (void)state_commit(state, NULL);
        read_all(state);
        state_close(state);
    }
}

void fuzz_one(struct bytes input)
{
    struct bytes image;

    if (sound.image.ptr == NULL)
        make_sound();
    image = damage(input);
    if (is_sound(image))
        use(image);
    fuzz_free(image);
}
