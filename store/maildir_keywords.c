#include "store/maildir_keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/dotlock.h"
#include "store/maildir_name.h"

#define FILE_BYTES_MAX    65536u
#define DOVECOT_LIST      "dovecot-uidlist"
#define DOVECOT_LIST_LOCK "dovecot-uidlist.lock"
#define KEYWORDS_LOCK     MAILDIR_KEYWORDS_FILE ".lock"
#define NEW_FILE          "tmp/" MAILDIR_KEYWORDS_FILE

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

/* Write the new file and put it in the old one's place; the lock is held. */
static int replace(const struct maildir_keywords *keywords, int folder,
                   struct err *err)
{
    int fd =
        openat(folder, NEW_FILE,
               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct buf text;
    struct bytes bytes;
    bool good;

    if (fd < 0) {
        return err_errno(err, ERR_DISK, errno, NEW_FILE);
    }
    buf_init(&text, 0);
    maildir_keywords_print(keywords, &text);
    bytes = buf_peek(&text);
    errno = ENOSPC; /* what a short write of some hundred bytes means */
    good =
        write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len && fsync(fd) == 0;
    good = close(fd) == 0 && good &&
           renameat(folder, NEW_FILE, folder, MAILDIR_KEYWORDS_FILE) == 0 &&
           fsync(folder) == 0;
    buf_deinit(&text);
    return good ? 0 : err_errno(err, ERR_DISK, errno, MAILDIR_KEYWORDS_FILE);
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
static int allocate(struct maildir_keywords *keywords, int folder,
                    struct bytes names, uint32_t avoid, struct err *err)
{
    int r = maildir_keywords_load(keywords, folder, err);

    if (r < 0 || !give(keywords, names, avoid)) {
        return r;
    }
    r = replace(keywords, folder, err);
    if (r < 0) {
        /* Nothing may use a letter that is not on disk. */
        maildir_keywords_deinit(keywords);
    }
    return r;
}

int maildir_keywords_allocate(struct maildir_keywords *keywords, int folder,
                              struct bytes names, uint32_t avoid,
                              struct err *err)
{
    struct stat st;
    bool has_list =
        fstatat(folder, DOVECOT_LIST, &st, AT_SYMLINK_NOFOLLOW) == 0;
    int list_lock = -1;
    int lock;
    int r;

    /* Where Dovecot keeps a UID list, its lock guards the keywords, too. */
    if (has_list) {
        list_lock = dotlock_take(folder, DOVECOT_LIST_LOCK, err);
        if (list_lock < 0) {
            return list_lock;
        }
    }
    lock = dotlock_take(folder, KEYWORDS_LOCK, err);
    r = lock;
    if (lock >= 0) {
        r = allocate(keywords, folder, names, avoid, err);
        dotlock_release(folder, KEYWORDS_LOCK, lock);
    }
    if (has_list) {
        dotlock_release(folder, DOVECOT_LIST_LOCK, list_lock);
    }
    return r;
}

uint32_t maildir_keywords_set(const struct maildir_keywords *keywords,
                              struct maildir_keywords_sets *sets,
                              struct keywords *names, uint32_t letters)
{
    struct buf text;
    uint32_t at;

    letters &= MAILDIR_NAME_KEYWORDS | MAILDIR_NAME_PASSED;
    if (letters == 0)
        return 0;
    at = (letters * 2654435761u) >> 26;
    if (sets->slot[at].letters != letters) {
        buf_init(&text, 0);
        maildir_keywords_names(keywords, letters, &text);
        sets->slot[at].letters = letters;
        sets->slot[at].set = keywords_intern(names, buf_peek(&text));
        buf_deinit(&text);
    }
    return sets->slot[at].set;
}

struct flags_storable maildir_keywords_storable(
    const struct maildir_keywords *keywords, struct keywords *names,
    uint32_t avoid)
{
    struct buf text;
    uint32_t set;

    buf_init(&text, 0);
    maildir_keywords_names(keywords,
                           MAILDIR_NAME_KEYWORDS | MAILDIR_NAME_PASSED, &text);
    set = keywords_intern(names, buf_peek(&text));
    buf_deinit(&text);
    return (struct flags_storable){
        .system = FLAGS_SYSTEM,
        .any_keyword = maildir_keywords_free(keywords, avoid) > 0,
        .keywords = set != UINT32_MAX ? set : 0};
}
