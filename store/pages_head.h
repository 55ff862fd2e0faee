/*
 * The outer layout of an LMDB 0.9 file, and its two meta pages. For pages.c.
 *
 * The structs here and in pages.c are LMDB's own (mdb.c: MDB_page, MDB_node,
 * MDB_db, MDB_meta): host byte order, page numbers and counts of the size of
 * size_t.
 *
 *   file   meta page 0, meta page 1, then pages of any kind
 *   page   header, offsets of the nodes (16 bits each), free space, nodes
 *   node   low and high half of a size or page number, flags, key size, key,
 *          then in a leaf the value, or the number of the page it starts on
 */
#ifndef STORE_PAGES_HEAD_H
#define STORE_PAGES_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PAGES_BRANCH = 1, PAGES_LEAF = 2, PAGES_OVERFLOW = 4, PAGES_META = 8 };

struct pages_header {
    size_t number;
    uint16_t pad;
    uint16_t flags;
    uint16_t lower; /* with upper: the number of pages of a value */
    uint16_t upper;
};

struct pages_tree {
    uint32_t pad; /* of the free tree: the page size */
    uint16_t flags;
    uint16_t depth;
    size_t branch_pages;
    size_t leaf_pages;
    size_t overflow_pages;
    size_t entries;
    size_t root;
};

enum pages_core { PAGES_FREE, PAGES_MAIN, PAGES_CORE };

struct pages_meta {
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t mapsize;
    struct pages_tree trees[PAGES_CORE];
    size_t last_page;
    size_t txnid;
};

/* Pages that are neither used nor free do no harm, but a last page that is
 * much too high would make the file grow out of all proportion. */
#define PAGES_LOST_MAX 4096u

struct pages_file {
    int fd;
    size_t psize; /* set by pages_head_load() */
    struct err *err;
};

/* "the file is too short (page 7)". Returns PAGES_DAMAGED. */
int pages_head_damaged(const struct pages_file *file, const char *what,
                       size_t page);

/* Read exactly @n bytes from the start of @page on. Returns 0, PAGES_DAMAGED
 * at the end of the file, or ERR_DISK. */
int pages_head_read(const struct pages_file *file, void *to, size_t n,
                    size_t page);

/* Read and check both meta pages. Returns 0, PAGES_DAMAGED or ERR_DISK. */
int pages_head_load(struct pages_file *file, struct pages_meta metas[2]);

#endif
