/*
 * Drives a fuzz target without libFuzzer: all inputs that are named, and
 * mutations of them.
 *
 *     TARGET [-n COUNT] [-t SECONDS] [-s SEED] [-o CRASHES] PATH ...
 *
 * COUNT mutations, or as many as there is time for; the seed makes the same
 * ones again. A PATH is a file, or a directory of them. An input that breaks
 * the target is left in the directory CRASHES (/tmp), in a file that the last
 * line names.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/random.h"

#define INPUT_BYTES_MAX 65536u
#define CHANGES_MAX     8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Both sanitizers' runtime has it; it is called before they end the process. */
void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

struct input {
    uint8_t *data;
    size_t size;
};

static struct {
    struct input *inputs;
    size_t n_inputs;
    struct input now;    /* what the target has just got */
    const char *name;    /* of the target */
    const char *crashes; /* a directory */
} replay;

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void *get(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (memory == NULL)
        abort();
    return memory;
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct input *input;

    replay.inputs =
        realloc(replay.inputs, (replay.n_inputs + 1) * sizeof(*replay.inputs));
    if (replay.inputs == NULL || file == NULL)
        fail(path);
    input = &replay.inputs[replay.n_inputs++];
    input->data = get(INPUT_BYTES_MAX);
    input->size = fread(input->data, 1, INPUT_BYTES_MAX, file);
    fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A file, or all in a directory, in the order of their names. */
static void add_path(const char *path)
{
    struct dirent **entries;
    struct stat about;
    char *name;
    int n;

    if (stat(path, &about) != 0)
        fail(path);
    if (!S_ISDIR(about.st_mode)) {
        add_file(path);
        return;
    }
    n = scandir(path, &entries, NULL, by_name);
    if (n < 0)
        fail(path);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            name = get(strlen(path) + strlen(entries[i]->d_name) + 2);
            sprintf(name, "%s/%s", path, entries[i]->d_name);
            add_file(name);
            free(name);
        }
        free(entries[i]);
    }
    free(entries);
}

/* Keep the input that broke the target. */
static void on_death(void)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/%s-%ld", replay.crashes, replay.name,
             (long)getpid());
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, replay.now.data, replay.now.size) < 0)
        return;
    close(fd);
    fprintf(stderr, "# reproduce: %s %s\n", replay.name, path);
}

static void on_signal(int number)
{
    on_death();
    signal(number, SIG_DFL);
    raise(number);
}

static void try(struct input input)
{
    replay.now = input;
    LLVMFuzzerTestOneInput(input.data, input.size);
}

/* Take @n bytes out at @at, or make room for as many. */
static void cut(struct input *input, size_t at, size_t n)
{
    memmove(input->data + at, input->data + at + n, input->size - at - n);
    input->size -= n;
}

static void put(struct input *input, size_t at, const uint8_t *from, size_t n)
{
    if (n > INPUT_BYTES_MAX - input->size)
        n = INPUT_BYTES_MAX - input->size;
    memmove(input->data + at + n, input->data + at, input->size - at);
    memcpy(input->data + at, from, n);
    input->size += n;
}

/* One small change: of a byte, a piece out, twice, or from another input. */
static void change(struct random *random, struct input *input)
{
    const struct input *other =
        &replay.inputs[random_below(random, (uint32_t)replay.n_inputs)];
    size_t at = random_below(random, (uint32_t)input->size + 1);
    size_t left = input->size - at;
    size_t n = random_below(random, 16);
    uint8_t byte = (uint8_t)random_below(random, 256);
    uint8_t piece[16];
    size_t from;

    switch (random_below(random, 6)) {
    case 0:
        if (left > 0)
            input->data[at] = byte;
        break;
    case 1:
        if (left > 0)
            input->data[at] ^= (uint8_t)(1u << byte % 8);
        break;
    case 2:
        cut(input, at, n < left ? n : left);
        break;
    case 3:
        put(input, at, &byte, 1);
        break;
    case 4:
        n = n < left ? n : left;
        memcpy(piece, input->data + at, n);
        put(input, at, piece, n);
        break;
    default:
        from = random_below(random, (uint32_t)other->size + 1);
        n = n < other->size - from ? n : other->size - from;
        memcpy(piece, other->data + from, n);
        put(input, at, piece, n);
    }
}

static void try_changed(struct random *random)
{
    const struct input *old =
        &replay.inputs[random_below(random, (uint32_t)replay.n_inputs)];
    struct input input = {get(INPUT_BYTES_MAX), old->size};
    uint32_t changes = 1 + random_below(random, CHANGES_MAX);

    memcpy(input.data, old->data, old->size);
    while (changes-- > 0)
        change(random, &input);
    try(input);
    free(input.data);
}

static long elapsed(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec - start->tv_sec);
}

int main(int argc, char **argv)
{
    unsigned long count = 0;
    long seconds = 0;
    unsigned long done = 0;
    struct random random = {1};
    struct timespec start;
    int option;

    replay.crashes = "/tmp";
    replay.name = strrchr(argv[0], '/');
    replay.name = replay.name != NULL ? replay.name + 1 : argv[0];
    while ((option = getopt(argc, argv, "n:t:s:o:")) != -1) {
        if (option == 'n')
            count = strtoul(optarg, NULL, 10);
        else if (option == 't')
            seconds = strtol(optarg, NULL, 10);
        else if (option == 's')
            random.state = strtoul(optarg, NULL, 10);
        else if (option == 'o')
            replay.crashes = optarg;
        else
            return 2;
    }
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(on_death);
    while (optind < argc)
        add_path(argv[optind++]);
    for (size_t i = 0; i < replay.n_inputs; i++)
        try(replay.inputs[i]);
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (replay.n_inputs > 0 && (done < count || elapsed(&start) < seconds)) {
        try_changed(&random);
        done++;
    }
    printf("%zu inputs, %lu mutations\n", replay.n_inputs, done);
    for (size_t i = 0; i < replay.n_inputs; i++)
        free(replay.inputs[i].data);
    free(replay.inputs);
    return 0;
}
