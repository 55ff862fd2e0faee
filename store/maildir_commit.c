#include "store/maildir_commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "store/maildir_move.h"
#include "store/maildir_name.h"

typedef void (*commit_failed_fn)(struct maildir_commit_item *item,
                                 int error_number);

/* So many things are synced one by one; more of them by the file system. */
#define SYNC_SINGLY_MAX 8u

void maildir_commit_fail(struct maildir_commit_item *item, int error_number)
{
    item->err = MEM_NEW(struct err);
    if (error_number == EFBIG || error_number == ENAMETOOLONG) {
        item->r = err_errno(item->err, ERR_REFUSED, error_number,
                            "cannot store the message");
    } else {
        item->r = err_errno(item->err, ERR_DISK, error_number,
                            "%s: cannot store a message", item->folder->name);
    }
}

int maildir_commit_sync_all(int fd)
{
#ifdef __linux__
    return syncfs(fd);
#else
    (void)fd;
    sync();
    return 0;
#endif
}

bool maildir_commit_together(size_t n)
{
#ifdef __linux__
    return n > SYNC_SINGLY_MAX;
#else
    (void)n;
    return false;
#endif
}

/* Was this device's folder already met among the first @n items? */
static bool device_met(struct maildir_commit_item *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i]->folder->device == items[n]->folder->device) {
            return true;
        }
    }
    return false;
}

/* All items from @from on that go to the same file system. */
static void fail_device(struct maildir_commit_item **items, size_t from,
                        size_t n, int error_number, commit_failed_fn failed)
{
    for (size_t i = from; i < n; i++) {
        if (items[i]->folder->device == items[from]->folder->device) {
            failed(items[i], error_number);
        }
    }
}

/* Sync each file system once. Calls @failed for all items of one that could
 * not be synced. */
static void sync_devices(struct maildir_commit_item **items, size_t n,
                         commit_failed_fn failed)
{
    for (size_t i = 0; i < n; i++) {
        if (!device_met(items, i) &&
            maildir_commit_sync_all(items[i]->folder->dirs.tmp) < 0) {
            fail_device(items, i, n, errno, failed);
        }
    }
}

static void sync_file(struct maildir_commit_item *item)
{
    int fd = openat(item->write.tmp, item->write.name,
                    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || (fsync(fd) < 0 && !SABOTAGED(ignore_sync_error))) {
        maildir_commit_fail(item, errno);
    }
    if (fd >= 0 && close(fd) < 0 && item->r == 0) {
        maildir_commit_fail(item, errno);
    }
}

static void sync_data(struct maildir_commit_item **items, size_t n)
{
    if (SABOTAGED(no_file_sync)) {
        return;
    }
    if (maildir_commit_together(n)) {
        sync_devices(items, n, maildir_commit_fail);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        sync_file(items[i]);
    }
}

/* The letters of the message's flags and keywords. Returns 0 or an error. */
static int find_letters(struct maildir_commit_item *item, uint32_t *letters,
                        struct err *err)
{
    struct maildir_commit_folder *folder = item->folder;
    struct bytes names = bytes_of(item->keywords);
    unsigned missing = 0;
    int r = 0;

    *letters = maildir_name_from_flags(item->system) |
               maildir_keywords_letters(&folder->keywords, names, &missing);
    if (missing > 0) {
        r = maildir_keywords_allocate(&folder->keywords, folder->dirs.self,
                                      names, folder->avoid, err);
        *letters |= maildir_keywords_letters(&folder->keywords, names, NULL);
    }
    return r;
}

/* Rename one file to where it belongs. */
static void publish(struct maildir_commit_item *item)
{
    struct maildir_commit_folder *folder = item->folder;
    struct err err;
    uint32_t letters;
    struct buf base;
    int r = find_letters(item, &letters, &err);

    if (r < 0) {
        item->r = r;
        item->err = MEM_NEW(struct err);
        *item->err = err;
        return;
    }
    buf_init(&base, 0);
    maildir_write_print_base(&item->write, &base);
    item->base = mem_text(buf_peek(&base));
    item->in_new = letters == 0;
    if (item->in_new) {
        item->name = mem_copy(item->base);
        folder->new_touched = true;
    } else {
        buf_clear(&base);
        maildir_name_print(&base, bytes_of(item->base), letters);
        item->name = mem_text(buf_peek(&base));
        folder->cur_touched = true;
    }
    buf_deinit(&base);
    if (maildir_move(item->write.tmp, item->write.name,
                     item->in_new ? folder->dirs.new : folder->dirs.cur,
                     item->name) < 0) {
        maildir_commit_fail(item, errno);
    } else {
        item->write.there = false;
    }
}

static void folder_failed(struct maildir_commit_item *item, int error_number)
{
    item->folder->error_number = error_number;
}

static void sync_folder(struct maildir_commit_folder *folder)
{
    if ((folder->new_touched && fsync(folder->dirs.new) < 0) ||
        (folder->cur_touched && fsync(folder->dirs.cur) < 0)) {
        folder->error_number = errno;
    }
    folder->new_touched = false;
    folder->cur_touched = false;
}

static size_t count_touched(struct maildir_commit_item **items, size_t n)
{
    const struct maildir_commit_folder *last = NULL;
    size_t count = 0;

    /* Items of one folder mostly follow each other: near enough. */
    for (size_t i = 0; i < n; i++) {
        count += items[i]->folder != last;
        last = items[i]->folder;
    }
    return count;
}

static void sync_directories(struct maildir_commit_item **items, size_t n)
{
    if (SABOTAGED(no_directory_sync)) {
        return;
    }
    if (maildir_commit_together(count_touched(items, n))) {
        sync_devices(items, n, folder_failed);
    } else {
        for (size_t i = 0; i < n; i++) {
            sync_folder(items[i]->folder);
        }
    }
}

/* A message whose directory entry may be lost again must not be called
 * stored; take it back, so that it is not there twice after the next run. */
static void take_back(struct maildir_commit_item *item)
{
    if (item->r == 0 && item->folder->error_number != 0) {
        const struct maildir_dirs *dirs = &item->folder->dirs;

        (void)unlinkat(item->in_new ? dirs->new : dirs->cur, item->name, 0);
        maildir_commit_fail(item, item->folder->error_number);
    }
}

void maildir_commit_group(struct maildir_commit_item **items, size_t n)
{
    sync_data(items, n);
    for (size_t i = 0; i < n; i++) {
        if (items[i]->r == 0) {
            publish(items[i]);
        }
    }
    sync_directories(items, n);
    for (size_t i = 0; i < n; i++) {
        take_back(items[i]);
    }
    for (size_t i = 0; i < n; i++) {
        items[i]->folder->error_number = 0;
        items[i]->folder->new_touched = false;
        items[i]->folder->cur_touched = false;
    }
}
