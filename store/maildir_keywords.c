#include "store/maildir_keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_name.h"

#define FILE_BYTES_MAX    65536u
#define LOCK_TRIES        500u
#define LOCK_PAUSE_NS     10000000
#define LOCK_STALE_S      120 /* Dovecot's own time */
#define DOVECOT_LIST      "dovecot-uidlist"
#define DOVECOT_LIST_LOCK "dovecot-uidlist.lock"
#define NEW_FILE          MAILDIR_KEYWORDS_FILE ".lock"

void maildir_keywords_deinit(struct maildir_keywords *keywords)
{
    for (size_t i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        free(keywords->name[i]);
        keywords->name[i] = NULL;
    }
}

/* Split the next piece off @text at @separator. */
static struct bytes take_until(struct bytes *text, char separator)
{
    const char *end =
        text->len > 0 ? memchr(text->ptr, separator, text->len) : NULL;
    struct bytes piece = *text;

    if (end != NULL) {
        piece.len = (size_t)(end - text->ptr);
        *text = bytes_skip(*text, piece.len + 1);
    } else {
        *text = bytes_skip(*text, text->len);
    }
    return piece;
}

void maildir_keywords_parse(struct maildir_keywords *keywords,
                            struct bytes text)
{
    maildir_keywords_deinit(keywords);
    while (text.len > 0) {
        struct bytes name = take_until(&text, '\n');
        struct bytes number = take_until(&name, ' ');
        uint64_t index;

        if (name.len == 0 || memchr(name.ptr, 0, name.len) != NULL ||
            !bytes_to_u64(number, MAILDIR_KEYWORDS_MAX - 1, &index)) {
            continue;
        }
        free(keywords->name[index]);
        keywords->name[index] = mem_text(name);
    }
}

void maildir_keywords_print(const struct maildir_keywords *keywords,
                            struct buf *out)
{
    for (unsigned i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        if (keywords->name[i] != NULL) {
            buf_printf(out, "%u %s\n", i, keywords->name[i]);
        }
    }
}

static int read_all(int fd, struct buf *out)
{
    ssize_t n;

    do {
        n = read(fd, buf_reserve(out, 4096), 4096);
        if (n > 0) {
            buf_commit(out, (size_t)n);
        }
    } while ((n > 0 && buf_len(out) < FILE_BYTES_MAX) ||
             (n < 0 && errno == EINTR));
    return n < 0 ? -1 : 0;
}

int maildir_keywords_load(struct maildir_keywords *keywords, int folder,
                          struct err *err)
{
    int fd = openat(folder, MAILDIR_KEYWORDS_FILE,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct buf text;
    int r = 0;

    if (fd < 0 && errno == ENOENT) {
        maildir_keywords_deinit(keywords);
        return 0;
    }
    if (fd < 0) {
        return err_errno(err, ERR_DISK, errno, MAILDIR_KEYWORDS_FILE);
    }
    buf_init(&text, 0);
    if (read_all(fd, &text) < 0) {
        r = err_errno(err, ERR_DISK, errno, MAILDIR_KEYWORDS_FILE);
    } else {
        maildir_keywords_parse(keywords, buf_peek(&text));
    }
    buf_deinit(&text);
    close(fd);
    return r;
}

static bool is_forwarded(struct bytes name)
{
    return bytes_equal_nocase(name, B("$Forwarded"));
}

/* The letter of one name as a bit, or 0. */
static uint32_t letter_of(const struct maildir_keywords *keywords,
                          struct bytes name)
{
    for (unsigned i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        if (bytes_equal_nocase(bytes_of(keywords->name[i]), name)) {
            return 1u << i;
        }
    }
    return 0;
}

uint32_t maildir_keywords_letters(const struct maildir_keywords *keywords,
                                  struct bytes names, unsigned *missing)
{
    uint32_t letters = 0;
    unsigned without = 0;

    while (names.len > 0) {
        struct bytes name = take_until(&names, ' ');
        uint32_t letter = name.len > 0 ? letter_of(keywords, name) : 0;

        /* Both, so that a Dovecot that gave $Forwarded a letter sees it. */
        if (is_forwarded(name)) {
            letter |= MAILDIR_NAME_PASSED;
        }
        without += name.len > 0 && letter == 0;
        letters |= letter;
    }
    if (missing != NULL) {
        *missing = without;
    }
    return letters;
}

void maildir_keywords_names(const struct maildir_keywords *keywords,
                            uint32_t letters, struct buf *out)
{
    const char *blank = "";

    if ((letters & MAILDIR_NAME_PASSED) != 0) {
        buf_add(out, B("$Forwarded"));
        blank = " ";
    }
    for (unsigned i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        if ((letters & (1u << i)) != 0 && keywords->name[i] != NULL) {
            buf_printf(out, "%s%s", blank, keywords->name[i]);
            blank = " ";
        }
    }
}

/* May the letter be given away? */
static bool is_free(const struct maildir_keywords *keywords, unsigned letter,
                    uint32_t avoid)
{
    return keywords->name[letter] == NULL && (avoid & (1u << letter)) == 0;
}

unsigned maildir_keywords_free(const struct maildir_keywords *keywords,
                               uint32_t avoid)
{
    unsigned n = 0;

    for (unsigned i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        n += is_free(keywords, i, avoid);
    }
    return n;
}

/* Remove a lock that nobody has touched for minutes. */
static void break_stale(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_mtime + LOCK_STALE_S < time(NULL)) {
        (void)unlinkat(folder, name, 0);
    }
}

/* Create a file that nobody else has created. Returns its descriptor, or an
 * error. */
static int create_lock(int folder, const char *name, struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        int fd =
            openat(folder, name,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd >= 0) {
            return fd;
        }
        if (errno != EEXIST) {
            return err_errno(err, ERR_DISK, errno, "%s", name);
        }
        break_stale(folder, name);
        (void)nanosleep(&pause, NULL);
    }
    return err_set(err, ERR_BUSY, "%s: another program keeps the lock", name);
}

/* Where Dovecot keeps a UID list, its lock guards the keywords too. Returns 0
 * with *@held set or not, or an error. */
static int lock_dovecot(int folder, bool *held, struct err *err)
{
    struct stat st;
    int fd;

    *held = false;
    if (fstatat(folder, DOVECOT_LIST, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return 0;
    }
    fd = create_lock(folder, DOVECOT_LIST_LOCK, err);
    if (fd < 0) {
        return fd;
    }
    close(fd);
    *held = true;
    return 0;
}

/* Fill the new file and put it in the old one's place. */
static int replace(const struct maildir_keywords *keywords, int folder, int fd,
                   struct err *err)
{
    struct buf text;
    struct bytes bytes;
    int r = 0;

    buf_init(&text, 0);
    maildir_keywords_print(keywords, &text);
    bytes = buf_peek(&text);
    /* A short write of some hundred bytes is a full disk. */
    if (write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len) {
        r = err_errno(err, ERR_DISK, errno != 0 ? errno : ENOSPC, NEW_FILE);
    } else if (fsync(fd) < 0 ||
               renameat(folder, NEW_FILE, folder, MAILDIR_KEYWORDS_FILE) < 0 ||
               fsync(folder) < 0) {
        r = err_errno(err, ERR_DISK, errno, MAILDIR_KEYWORDS_FILE);
    }
    buf_deinit(&text);
    return r;
}

/* Give out letters. Returns whether any was given. */
static bool give(struct maildir_keywords *keywords, struct bytes names,
                 uint32_t avoid)
{
    bool changed = false;

    while (names.len > 0) {
        struct bytes name = take_until(&names, ' ');
        unsigned i = 0;

        if (name.len == 0 || is_forwarded(name) ||
            letter_of(keywords, name) != 0) {
            continue;
        }
        while (i < MAILDIR_KEYWORDS_MAX && !is_free(keywords, i, avoid)) {
            i++;
        }
        if (i == MAILDIR_KEYWORDS_MAX) {
            break;
        }
        keywords->name[i] = mem_text(name);
        changed = true;
    }
    return changed;
}

/* With the locks held. */
static int allocate(struct maildir_keywords *keywords, int folder, int fd,
                    struct bytes names, uint32_t avoid, struct err *err)
{
    int r = maildir_keywords_load(keywords, folder, err);

    if (r < 0) {
        return r;
    }
    if (!give(keywords, names, avoid)) {
        (void)unlinkat(folder, NEW_FILE, 0);
        return 0;
    }
    errno = 0;
    r = replace(keywords, folder, fd, err);
    if (r < 0) {
        (void)unlinkat(folder, NEW_FILE, 0);
        /* Nothing may use a letter that is not on disk. */
        maildir_keywords_deinit(keywords);
    }
    return r;
}

int maildir_keywords_allocate(struct maildir_keywords *keywords, int folder,
                              struct bytes names, uint32_t avoid,
                              struct err *err)
{
    bool held;
    int fd;
    int r = lock_dovecot(folder, &held, err);

    if (r < 0) {
        return r;
    }
    /* The new file is the lock against ourselves, and the name that Dovecot
     * writes to. */
    fd = create_lock(folder, NEW_FILE, err);
    r = fd < 0 ? fd : allocate(keywords, folder, fd, names, avoid, err);
    if (fd >= 0) {
        close(fd);
    }
    if (held) {
        (void)unlinkat(folder, DOVECOT_LIST_LOCK, 0);
    }
    return r;
}
