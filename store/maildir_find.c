#include "store/maildir_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_name.h"
#include "store/maildir_scan.h"

#define SCAN_ENTRIES 4096u

/* What the name should be, going by how the file was seen last. */
static void guess(struct maildir_entry *entry, const struct maildir_seen *seen)
{
    struct buf name;

    if (seen == NULL || !seen->plain) {
        return;
    }
    entry->in_new = seen->in_new;
    if (seen->in_new) {
        entry->name = mem_copy(entry->base);
        return;
    }
    buf_init(&name, 0);
    maildir_name_print(&name, bytes_of(entry->base), seen->letters);
    entry->name = mem_text(buf_peek(&name));
    buf_deinit(&name);
}

static struct maildir_entry *add_entry(struct maildir_batch *batch,
                                       uint32_t uid, struct bytes base)
{
    struct maildir_entry *entry;

    batch->entries = mem_grow(batch->entries, batch->n, &batch->cap,
                              sizeof(*batch->entries));
    entry = &batch->entries[batch->n];
    batch->n++;
    *entry = (struct maildir_entry){.uid = uid, .base = mem_text(base)};
    return entry;
}

static int compare_uid(const void *a, const void *b)
{
    const struct maildir_entry *left = a;
    const struct maildir_entry *right = b;

    return (left->uid > right->uid) - (left->uid < right->uid);
}

void maildir_find_sort(struct maildir_batch *batch)
{
    if (batch->n > 1) {
        qsort(batch->entries, batch->n, sizeof(*batch->entries), compare_uid);
    }
}

/* The name that it was seen with. */
static void take_odd(struct maildir_entry *entry,
                     const struct maildir_batch *odd)
{
    const struct maildir_entry *seen =
        odd == NULL || odd->n == 0
            ? NULL
            : bsearch(entry, odd->entries, odd->n, sizeof(*entry), compare_uid);

    if (seen != NULL) {
        free(entry->name);
        entry->name = mem_copy(seen->name);
        entry->in_new = seen->in_new;
    }
}

int maildir_find_add(struct maildir_files *files, uint32_t uid,
                     const struct maildir_batch *odd,
                     struct maildir_batch *batch, struct err *err)
{
    struct maildir_entry *entry;
    struct buf base;
    int r;

    buf_init(&base, 0);
    r = maildir_files_base(files, uid, &base, err);
    if (r == 0) {
        entry = add_entry(batch, uid, buf_peek(&base));
        guess(entry, maildir_files_seen(files, uid));
        take_odd(entry, odd);
    }
    buf_deinit(&base);
    return r;
}

int maildir_find_next(struct maildir_files *files, struct uidset_walk *walk,
                      size_t max, struct maildir_batch *batch, struct err *err)
{
    uint32_t uid;
    int r = 0;

    while (r >= 0 && batch->n < max && uidset_next(walk, &uid)) {
        r = maildir_find_add(files, uid, NULL, batch, err);
    }
    return r < 0 ? r : 0;
}

void maildir_find_clear(struct maildir_batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        free(batch->entries[i].base);
        free(batch->entries[i].name);
    }
    batch->n = 0;
}

void maildir_find_free(struct maildir_batch *batch)
{
    maildir_find_clear(batch);
    free(batch->entries);
    *batch = (struct maildir_batch){0};
}

int maildir_find_dir(const struct maildir_dirs *dirs,
                     const struct maildir_entry *entry)
{
    return entry->in_new ? dirs->new : dirs->cur;
}

/* Try the names that most files have. Returns 0, 1 where it has another, or -1
 * with errno. */
static int probe(const struct maildir_dirs *dirs, struct maildir_entry *entry)
{
    static const struct {
        bool in_new;
        const char *info;
    } likely[] = {
        {true,  ""    },
        {false, ":2,S"},
        {false, ":2," },
        {false, ""    }
    };
    struct stat st;

    for (size_t i = 0; i < sizeof(likely) / sizeof(likely[0]); i++) {
        char *name = mem_printf("%s%s", entry->base, likely[i].info);
        int error_number;

        entry->in_new = likely[i].in_new;
        if (fstatat(maildir_find_dir(dirs, entry), name, &st,
                    AT_SYMLINK_NOFOLLOW) == 0) {
            entry->name = name;
            return 0;
        }
        error_number = errno;
        free(name);
        /* What is too long for a name is the name of no file. */
        if (error_number != ENOENT && error_number != ENAMETOOLONG) {
            errno = error_number;
            return -1;
        }
    }
    return 1;
}

static int compare_base(const void *a, const void *b)
{
    const struct maildir_entry *const *left = a;
    const struct maildir_entry *const *right = b;

    return strcmp((*left)->base, (*right)->base);
}

static int compare_key(const void *key, const void *element)
{
    const struct bytes *base = key;
    const struct maildir_entry *const *entry = element;
    int order = strncmp(base->ptr, (*entry)->base, base->len);

    return order != 0 || (*entry)->base[base->len] == 0 ? order : -1;
}

static void take_name(struct maildir_entry *entry, const char *name,
                      bool in_new)
{
    free(entry->name);
    entry->name = mem_copy(name);
    entry->in_new = in_new;
    entry->found = true;
}

/* Entries by base name. */
struct sorted {
    struct maildir_entry **entries;
    size_t n;
    struct maildir_batch *all; /* gets every file that was found, or NULL */
};

static void sort(struct sorted *sorted, const struct maildir_batch *batch)
{
    sorted->n = batch->n;
    sorted->entries = mem_new(batch->n, sizeof(struct maildir_entry *));
    for (size_t i = 0; i < batch->n; i++) {
        sorted->entries[i] = &batch->entries[i];
        sorted->entries[i]->found = false;
    }
    qsort(sorted->entries, sorted->n, sizeof(struct maildir_entry *),
          compare_base);
}

/* Take over the names that a scan found. cur comes after new, so that a file
 * that was seen in both is taken to be in cur. */
static void take_names(const struct sorted *sorted, struct bytes names)
{
    while (names.len > 0) {
        const char *name = names.ptr + 1;
        bool in_new = names.ptr[0] == 'n';
        struct maildir_name parts;
        struct maildir_entry **found;

        maildir_name_parse(bytes_of(name), &parts);
        found = bsearch(&parts.base, sorted->entries, sorted->n,
                        sizeof(struct maildir_entry *), compare_key);
        if (found != NULL && sorted->all != NULL) {
            take_name(add_entry(sorted->all, (*found)->uid, parts.base), name,
                      in_new);
        } else if (found != NULL) {
            take_name(*found, name, in_new);
        }
        names = bytes_skip(names, 2 + strlen(name));
    }
}

/* Returns 0 or -1 with errno. */
static int read_folder(const struct maildir_dirs *dirs,
                       const struct sorted *sorted)
{
    struct maildir_scan *scan = maildir_scan_new(dirs->cur, dirs->new);
    struct buf names;
    int error_number;
    int r;

    buf_init(&names, 0);
    /* Whether it settles does not matter: what it passes over is looked for
     * again in the next run. */
    r = maildir_scan_begin(scan, NULL, NULL);
    while (r >= 0) {
        buf_clear(&names);
        r = maildir_scan_read(scan, &names, SCAN_ENTRIES, NULL);
        take_names(sorted, buf_peek(&names));
        if (r != MAILDIR_SCAN_MORE) {
            break;
        }
    }
    error_number = errno;
    buf_deinit(&names);
    maildir_scan_free(scan);
    errno = error_number;
    return r < 0 ? -1 : 0;
}

/* Look for all files of the batch. Returns 0; or -1 with errno, and nothing is
 * known of them. */
static int look_again(const struct maildir_dirs *dirs,
                      struct maildir_batch *batch)
{
    struct sorted sorted = {0};
    int error_number;
    int r;

    sort(&sorted, batch);
    r = read_folder(dirs, &sorted);
    error_number = errno;
    for (size_t i = 0; r == 0 && i < batch->n; i++) {
        batch->entries[i].gone = !batch->entries[i].found;
    }
    free(sorted.entries);
    errno = error_number;
    return r;
}

int maildir_find_all(const struct maildir_dirs *dirs,
                     const struct maildir_batch *batch,
                     struct maildir_batch *all)
{
    struct sorted sorted = {.all = all};
    int error_number;
    int r;

    sort(&sorted, batch);
    r = read_folder(dirs, &sorted);
    error_number = errno;
    free(sorted.entries);
    errno = error_number;
    return r;
}

int maildir_find_locate(const struct maildir_dirs *dirs,
                        struct maildir_batch *batch,
                        struct maildir_entry *entry, unsigned attempt)
{
    int r = 1;

    if (entry->gone) {
        return 1;
    }
    if (attempt == 0) {
        r = entry->name != NULL ? 0 : probe(dirs, entry);
    }
    if (r > 0) {
        r = look_again(dirs, batch);
    }
    return r == 0 && entry->gone ? 1 : r;
}

/* Returns 0 for a regular file, else an errno: EINVAL where it is another kind
 * of file. */
static int why_no_message(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return errno;
    }
    return S_ISREG(st.st_mode) ? 0 : EINVAL;
}

/* What may not be read is listed all the same: its copy fails, and says why. */
static bool is_forbidden(const struct stat *st, int error_number)
{
    return S_ISREG(st->st_mode) &&
           (error_number == EACCES || error_number == EPERM);
}

bool maildir_find_meta(const struct maildir_dirs *dirs,
                       struct maildir_batch *batch, struct maildir_entry *entry,
                       struct maildir_meta *out)
{
    struct stat st = {0};
    struct bytes base = bytes_of(entry->base);
    bool known = false;
    int fd;

    if (entry->name != NULL &&
        fstatat(maildir_find_dir(dirs, entry), entry->name, &st,
                AT_SYMLINK_NOFOLLOW) == 0 &&
        maildir_meta_of_name(base, &st, out)) {
        return true;
    }
    fd = maildir_find_open(dirs, batch, entry);
    if (fd >= 0) {
        known = maildir_meta_of_file(fd, base, out) == 0;
        close(fd);
    } else if (is_forbidden(&st, errno)) {
        known = true;
        out->size = (uint64_t)st.st_size;
        out->date = st.st_mtim.tv_sec;
    }
    return known;
}

int maildir_find_open(const struct maildir_dirs *dirs,
                      struct maildir_batch *batch, struct maildir_entry *entry)
{
    int fd = -1;

    errno = ENOENT;
    for (unsigned attempt = 0; fd < 0 && errno == ENOENT && attempt < 2;
         attempt++) {
        int error_number;
        int r = maildir_find_locate(dirs, batch, entry, attempt);

        if (r != 0) {
            errno = r > 0 ? ENOENT : errno;
            return -1;
        }
        fd = openat(maildir_find_dir(dirs, entry), entry->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        /* Another kind of file may have taken the name since the scan. */
        error_number = fd >= 0 ? why_no_message(fd) : 0;
        if (error_number != 0) {
            close(fd);
            errno = error_number;
            return -1;
        }
    }
    return fd;
}
