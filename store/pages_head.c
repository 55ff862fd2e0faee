#include "store/pages_head.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/pages.h"

#define MAGIC        0xBEEFC0DEu
#define DATA_VERSION 1u
#define PSIZE_MIN    512u
#define PSIZE_MAX    32768u

/* Of the tree of free pages: keys are numbers of the size of size_t. */
#define INTEGERKEY 0x08u

int pages_head_damaged(const struct pages_file *file, const char *what,
                       size_t page)
{
    err_set(file->err, ERR_STATE, "%s (page %zu)", what, page);
    return PAGES_DAMAGED;
}

int pages_head_read(const struct pages_file *file, void *to, size_t n,
                    size_t page)
{
    size_t done = 0;
    off_t at = (off_t)(page * file->psize);

    while (done < n) {
        ssize_t got =
            pread(file->fd, (char *)to + done, n - done, at + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(file->err, ERR_DISK, errno, "data.mdb");
        if (got == 0)
            return pages_head_damaged(file, "the file is too short", page);
        done += (size_t)got;
    }
    return 0;
}

static struct pages_meta meta_at(const char *page)
{
    struct pages_meta meta;

    memcpy(&meta, page + sizeof(struct pages_header), sizeof(meta));
    return meta;
}

static bool is_meta(const char *page)
{
    struct pages_header header;
    struct pages_meta meta = meta_at(page);

    memcpy(&header, page, sizeof(header));
    return (header.flags & PAGES_META) != 0 && meta.magic == MAGIC &&
           meta.version == DATA_VERSION;
}

static bool is_psize(size_t psize)
{
    return psize >= PSIZE_MIN && psize <= PSIZE_MAX &&
           (psize & (psize - 1)) == 0;
}

/* Transaction N writes meta page N % 2, so that they are neighbours; those of
 * a new file are both 0. */
static bool are_neighbours(const struct pages_meta metas[2])
{
    size_t a = metas[0].txnid;
    size_t b = metas[1].txnid;

    return (a == 0 && b == 0) || (a % 2 == 0 && (b == a + 1 || b + 1 == a));
}

/* Read both meta pages, and set the page size. */
static int read_metas(struct pages_file *file, struct pages_meta metas[2])
{
    char *pages = mem_new(2, PSIZE_MAX);
    int r;

    file->psize = 0;
    r = pages_head_read(file, pages, PSIZE_MIN, 0);
    if (r != 0)
        goto out;
    metas[0] = meta_at(pages);
    file->psize = metas[0].trees[PAGES_FREE].pad;
    if (!is_meta(pages) || !is_psize(file->psize)) {
        r = pages_head_damaged(file, "no head page", 0);
        goto out;
    }
    /* In one call, so that they are of one moment. */
    r = pages_head_read(file, pages, 2 * file->psize, 0);
    metas[0] = meta_at(pages);
    metas[1] = meta_at(pages + file->psize);
    if (r == 0 && (!is_meta(pages) || !is_meta(pages + file->psize)))
        r = pages_head_damaged(file, "no head page", 1);
out:
    free(pages);
    return r;
}

int pages_head_load(struct pages_file *file, struct pages_meta metas[2])
{
    struct stat st;
    size_t last_max;
    int r = read_metas(file, metas);

    if (r != 0)
        return r;
    if (!are_neighbours(metas)) {
        return pages_head_damaged(file, "the head pages do not belong together",
                                  0);
    }
    if (fstat(file->fd, &st) != 0)
        return err_errno(file->err, ERR_DISK, errno, "data.mdb");
    /* LMDB: "Actually the file may be shorter if the freeDB lists the final
     * pages." */
    last_max = 2 * ((size_t)st.st_size / file->psize) + PAGES_LOST_MAX;
    for (size_t i = 0; i < 2; i++) {
        if (metas[i].trees[PAGES_FREE].pad != file->psize ||
            metas[i].trees[PAGES_FREE].flags != INTEGERKEY ||
            metas[i].trees[PAGES_MAIN].flags != 0 || metas[i].last_page < 1 ||
            metas[i].last_page > last_max)
            return pages_head_damaged(file, "bad head page", i);
    }
    return 0;
}

const char *pages_map_start(const char *key, size_t page_bytes)
{
    const char *page = key - (uintptr_t)key % page_bytes;
    struct pages_header header;
    const char *start;

    /* Maps begin where a page of memory begins, not where a larger one would. */
    if (page_bytes > (size_t)sysconf(_SC_PAGESIZE))
        return NULL;
    memcpy(&header, page, sizeof(header));
    start = page - header.number * page_bytes;
    return is_meta(start) ? start : NULL;
}
