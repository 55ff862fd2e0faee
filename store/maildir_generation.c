#include "store/maildir_generation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "store/maildir_path.h"

#define ID_DIGITS    "0123456789abcdef"
#define NUMBER_BYTES 24u /* with a line end and a NUL */
#define NAME_BYTES   64u

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    /* The highest is left out, so that there is always a next one. */
    return errno == 0 && *out < UINT64_MAX && (*end == 0 || *end == '\n');
}

char *maildir_generation_print(const struct maildir_generation *generation)
{
    return mem_printf("%s %" PRIu64, generation->id, generation->number);
}

struct maildir_generation maildir_generation_parse(const char *text)
{
    const struct maildir_generation none = {.number = 0};
    struct maildir_generation out = none;

    if (text == NULL || strlen(text) <= MAILDIR_GENERATION_ID_BYTES + 1 ||
        strspn(text, ID_DIGITS) != MAILDIR_GENERATION_ID_BYTES ||
        text[MAILDIR_GENERATION_ID_BYTES] != ' ' ||
        !parse_number(text + MAILDIR_GENERATION_ID_BYTES + 1, &out.number))
        return none;
    memcpy(out.id, text, MAILDIR_GENERATION_ID_BYTES);
    return out;
}

static void file_name(const struct maildir_generation *generation,
                      const char *suffix, char name[NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "%s-%s%s", MAILDIR_PATH_MARKER,
                   generation->id, suffix);
}

int maildir_generation_read(int root,
                            const struct maildir_generation *generation,
                            uint64_t *out, struct err *err)
{
    char name[NAME_BYTES];
    char text[NUMBER_BYTES];
    ssize_t n;
    int fd;

    *out = 0;
    file_name(generation, "", name);
    fd = openat(root, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_errno(err, ERR_DISK, errno, "%s", name);
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n < 0)
        return err_errno(err, ERR_DISK, errno, "%s", name);
    text[n] = 0;
    if (!parse_number(text, out))
        *out = 0;
    return 0;
}

/* Whole or not at all. Returns 0 or an errno. */
static int write_number(int root, const struct maildir_generation *generation)
{
    char name[NAME_BYTES];
    char new_name[NAME_BYTES];
    char text[NUMBER_BYTES];
    int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", generation->number);
    int error_number = 0;
    int fd;

    file_name(generation, "", name);
    file_name(generation, ".new", new_name);
    (void)unlinkat(root, new_name, 0);
    fd = openat(root, new_name,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    errno = ENOSPC; /* what a short write means */
    if (write(fd, text, (size_t)n) != n || fsync(fd) < 0 ||
        renameat(root, new_name, root, name) < 0 || fsync(root) < 0) {
        error_number = errno;
        (void)unlinkat(root, new_name, 0);
    }
    close(fd);
    return error_number;
}

static void draw_id(struct maildir_generation *generation)
{
    uint8_t random[MAILDIR_GENERATION_ID_BYTES / 2];

    digest_random(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(generation->id + 2 * i, 3, "%02x", random[i]);
}

int maildir_generation_raise(int root, struct maildir_generation *generation,
                             struct err *err)
{
    struct maildir_generation next = *generation;
    uint64_t there;
    int error_number;
    int r;

    if (next.id[0] == 0)
        draw_id(&next);
    r = maildir_generation_read(root, &next, &there, err);
    if (r < 0)
        return r;
    if (there > next.number)
        next.number = there;
    next.number++;
    error_number = write_number(root, &next);
    if (error_number == EROFS || error_number == EACCES ||
        error_number == EPERM)
        return MAILDIR_GENERATION_STUCK;
    if (error_number != 0)
        return err_errno(err, ERR_DISK, error_number, "%s-%s",
                         MAILDIR_PATH_MARKER, next.id);
    *generation = next;
    return 0;
}
