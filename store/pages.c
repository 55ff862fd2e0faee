#include "store/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/pages_head.h"

#define NODE_BIG     0x01u /* the value is on overflow pages */
#define NODE_SUBDATA 0x02u /* the value is a struct pages_tree */

#define NO_PAGE    SIZE_MAX /* the root of an empty tree */
#define FIRST_PAGE 2u       /* behind the meta pages */
#define DEPTH_MAX  32u      /* LMDB's CURSOR_STACK */
#define KEY_MAX    511u     /* LMDB's MDB_MAXKEYSIZE */
#define TREES_MAX  32u      /* named databases that are believed */

struct node {
    uint32_t low;   /* size of the value, or low half of a page number */
    uint16_t flags; /* of a branch: the page number's upper bits */
    uint16_t key_len;
};

struct check {
    struct pages_file file;
    size_t last_page;
    size_t txnid;
    uint8_t *seen; /* one bit a page: used or free */
    size_t n_seen;
    char *level[DEPTH_MAX]; /* the page that is looked at on each level */
    uint16_t *sizes;        /* of the node at each even offset of a page */
    const struct pages_rows *rows;
};

/* A walk through one tree. */
struct walk {
    struct check *check;
    struct pages_tree found; /* counts so far */
    unsigned depth;
    bool integer_keys;
    int (*row)(struct walk *walk, unsigned flags, struct bytes key,
               struct bytes value);
    struct bytes name;        /* of the database */
    struct pages_tree *trees; /* rows of the main tree: what it names */
    char **names;
    size_t n_trees;
    bool has_key;   /* there was a key before: */
    bool may_equal; /* it was a bound, which the next key may be equal to */
    size_t key_len;
    char key[KEY_MAX];
};

/* --- pages and nodes -------------------------------------------------------- */

/* Count @n pages from @page on as used or free. */
static int claim(struct check *check, size_t page, size_t n)
{
    if (page < FIRST_PAGE || page > check->last_page ||
        n > check->last_page - page + 1) {
        return pages_head_damaged(&check->file, "a page number is out of range",
                                  page);
    }
    for (size_t i = page; i < page + n; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));

        if ((check->seen[i / 8] & bit) != 0)
            return pages_head_damaged(&check->file, "a page is used twice", i);
        check->seen[i / 8] |= bit;
    }
    check->n_seen += n;
    return 0;
}

static struct pages_header header_of(const char *page)
{
    struct pages_header header;

    memcpy(&header, page, sizeof(header));
    return header;
}

static size_t n_nodes(const char *page)
{
    return (header_of(page).lower - sizeof(struct pages_header)) / 2;
}

static size_t node_offset(const char *page, size_t index)
{
    uint16_t offset;

    memcpy(&offset, page + sizeof(struct pages_header) + 2 * index,
           sizeof(offset));
    return offset;
}

static struct node node_at(const char *page, size_t offset)
{
    struct node node;

    memcpy(&node, page + offset, sizeof(node));
    return node;
}

/* Bytes of a node on its page. Nodes are aligned to 2 bytes. */
static size_t node_size(struct node node, bool leaf)
{
    size_t size = sizeof(node) + node.key_len;

    if (leaf)
        size += (node.flags & NODE_BIG) != 0 ? sizeof(size_t) : node.low;
    return (size + 1) & ~(size_t)1;
}

/* Do the nodes fill the page from @upper to its end, one behind the other? */
static bool is_packed(const struct check *check, const char *page, bool leaf)
{
    struct pages_header header = header_of(page);
    size_t n = n_nodes(page);
    size_t at = header.upper;

    memset(check->sizes, 0, check->file.psize / 2 * sizeof(check->sizes[0]));
    for (size_t i = 0; i < n; i++) {
        size_t offset = node_offset(page, i);
        size_t size;

        if (offset % 2 != 0 || offset < header.upper ||
            offset > check->file.psize - sizeof(struct node))
            return false;
        size = node_size(node_at(page, offset), leaf);
        if (size > check->file.psize - offset)
            return false;
        check->sizes[offset / 2] = (uint16_t)size;
    }
    for (; n > 0 && at < check->file.psize; n--) {
        if (check->sizes[at / 2] == 0)
            return false;
        at += check->sizes[at / 2];
    }
    return n == 0 && at == check->file.psize;
}

/* Check the frame of a branch or leaf page. */
static int check_frame(struct check *check, const char *page, size_t number,
                       bool leaf)
{
    struct pages_header header = header_of(page);
    size_t least = leaf ? 1 : 2;

    if (header.number != number ||
        header.flags != (leaf ? PAGES_LEAF : PAGES_BRANCH) ||
        header.lower < sizeof(header) + 2 * least || header.lower % 2 != 0 ||
        header.lower > header.upper || header.upper > check->file.psize ||
        header.upper % 2 != 0 || !is_packed(check, page, leaf))
        return pages_head_damaged(&check->file, "a page is malformed", number);
    return 0;
}

/* --- trees ------------------------------------------------------------------ */

static int compare(const struct walk *walk, struct bytes key)
{
    size_t common = key.len < walk->key_len ? key.len : walk->key_len;
    int order;

    if (walk->integer_keys) {
        size_t a;
        size_t b;

        memcpy(&a, key.ptr, sizeof(a));
        memcpy(&b, walk->key, sizeof(b));
        return (a > b) - (a < b);
    }
    order = memcmp(key.ptr, walk->key, common);
    if (order == 0)
        order = (key.len > walk->key_len) - (key.len < walk->key_len);
    return order;
}

/* The next key of a leaf, or the next bound of a branch: not above any key
 * behind it, and above all before it. */
static int check_key(struct walk *walk, struct bytes key, bool bound,
                     size_t page)
{
    if (key.len == 0 || key.len > KEY_MAX ||
        (walk->integer_keys && key.len != sizeof(size_t))) {
        return pages_head_damaged(&walk->check->file, "a key has a wrong size",
                                  page);
    }
    if (walk->has_key) {
        int order = compare(walk, key);

        if (order < 0 || (order == 0 && !walk->may_equal)) {
            return pages_head_damaged(&walk->check->file,
                                      "the keys are out of order", page);
        }
    }
    memcpy(walk->key, key.ptr, key.len);
    walk->key_len = key.len;
    walk->has_key = true;
    walk->may_equal = bound;
    return 0;
}

/* A value on pages of its own. */
static int check_big(struct walk *walk, unsigned flags, struct bytes key,
                     size_t first, size_t len)
{
    struct check *check = walk->check;
    size_t need = (sizeof(struct pages_header) + len + check->file.psize - 1) /
                  check->file.psize;
    struct pages_header header = {0};
    uint32_t n;
    char *pages;
    int r = first > check->last_page
                ? pages_head_damaged(&check->file,
                                     "a page number is out of range", first)
                : pages_head_read(&check->file, &header, sizeof(header), first);

    if (r != 0)
        return r;
    memcpy(&n, &header.lower, sizeof(n));
    if (header.number != first || header.flags != PAGES_OVERFLOW || n < need)
        return pages_head_damaged(&check->file, "a value is malformed", first);
    r = claim(check, first, n);
    if (r != 0)
        return r;
    walk->found.overflow_pages += n;
    pages = mem_new(need, check->file.psize);
    r = pages_head_read(&check->file, pages, sizeof(header) + len, first);
    if (r == 0) {
        r = walk->row(walk, flags & ~NODE_BIG, key,
                      (struct bytes){pages + sizeof(header), len});
    }
    free(pages);
    return r;
}

static int check_leaf(struct walk *walk, const char *page, size_t number)
{
    size_t n = n_nodes(page);
    int r = 0;

    walk->found.leaf_pages++;
    walk->found.entries += n;
    for (size_t i = 0; i < n && r == 0; i++) {
        size_t offset = node_offset(page, i);
        struct node node = node_at(page, offset);
        struct bytes key = {page + offset + sizeof(node), node.key_len};
        const char *value = key.ptr + key.len;
        size_t first;

        r = check_key(walk, key, false, number);
        if (r != 0)
            return r;
        if ((node.flags & NODE_BIG) != 0) {
            memcpy(&first, value, sizeof(first));
            r = check_big(walk, node.flags, key, first, node.low);
        } else {
            r = walk->row(walk, node.flags, key,
                          (struct bytes){value, node.low});
        }
    }
    return r;
}

static size_t child_page(struct node node)
{
    size_t number = node.low;

#if SIZE_MAX > UINT32_MAX
    number |= (size_t)node.flags << 32;
#endif
    return number;
}

/* As deep as the tree says it is, and at most DEPTH_MAX. */
static int check_page(struct walk *walk, size_t number, unsigned level)
{
    struct check *check = walk->check;
    char *page = check->level[level];
    bool leaf = level + 1 == walk->depth;
    int r = claim(check, number, 1);

    if (r == 0)
        r = pages_head_read(&check->file, page, check->file.psize, number);
    if (r == 0)
        r = check_frame(check, page, number, leaf);
    if (r != 0)
        return r;
    if (leaf)
        return check_leaf(walk, page, number);
    walk->found.branch_pages++;
    for (size_t i = 0; i < n_nodes(page) && r == 0; i++) {
        size_t offset = node_offset(page, i);
        struct node node = node_at(page, offset);
        struct bytes key = {page + offset + sizeof(node), node.key_len};

        /* The first key of a branch is never looked at. */
        if (i > 0)
            r = check_key(walk, key, true, number);
        if (r == 0)
            r = check_page(walk, child_page(node), level + 1);
    }
    return r;
}

static int check_tree(struct walk *walk, const struct pages_tree *tree)
{
    struct check *check = walk->check;
    int r = 0;

    if (tree->depth > DEPTH_MAX ||
        (tree->depth == 0) != (tree->root == NO_PAGE))
        return pages_head_damaged(&check->file, "a tree has no sound root", 0);
    for (unsigned i = 0; i < tree->depth; i++) {
        if (check->level[i] == NULL)
            check->level[i] = mem_new(1, check->file.psize);
    }
    walk->depth = tree->depth;
    if (tree->depth > 0)
        r = check_page(walk, tree->root, 0);
    if (r == 0 && (walk->found.branch_pages != tree->branch_pages ||
                   walk->found.leaf_pages != tree->leaf_pages ||
                   walk->found.overflow_pages != tree->overflow_pages ||
                   walk->found.entries != tree->entries)) {
        r = pages_head_damaged(&check->file, "a tree's counts are wrong",
                               tree->root);
    }
    return r;
}

/* --- what the trees hold ----------------------------------------------------- */

/* A row of the free tree: by transaction the pages it freed, their count and
 * then their numbers from high to low. */
static int on_free(struct walk *walk, unsigned flags, struct bytes key,
                   struct bytes value)
{
    struct check *check = walk->check;
    size_t before = SIZE_MAX;
    size_t txnid;
    size_t n = 0;
    int r = 0;

    memcpy(&txnid, key.ptr, sizeof(txnid));
    if (value.len >= sizeof(n))
        memcpy(&n, value.ptr, sizeof(n));
    if (flags != 0 || txnid == 0 || txnid > check->txnid ||
        value.len < sizeof(n) || n > value.len / sizeof(n) - 1) {
        return pages_head_damaged(&check->file,
                                  "the list of free pages is malformed", 0);
    }
    for (size_t i = 1; i <= n && r == 0; i++) {
        size_t page;

        memcpy(&page, value.ptr + i * sizeof(page), sizeof(page));
        if (page >= before) {
            r = pages_head_damaged(&check->file,
                                   "the list of free pages is malformed", page);
        } else {
            r = claim(check, page, 1);
        }
        before = page;
    }
    return r;
}

/* A row of the main tree: a named database. */
static int on_name(struct walk *walk, unsigned flags, struct bytes key,
                   struct bytes value)
{
    struct pages_tree *tree = &walk->trees[walk->n_trees];

    if (flags != NODE_SUBDATA || value.len != sizeof(*tree) ||
        walk->n_trees == TREES_MAX) {
        return pages_head_damaged(&walk->check->file, "a database is malformed",
                                  0);
    }
    memcpy(tree, value.ptr, sizeof(*tree));
    walk->names[walk->n_trees++] = mem_text(key);
    return 0;
}

static int on_row(struct walk *walk, unsigned flags, struct bytes key,
                  struct bytes value)
{
    const struct pages_rows *rows = walk->check->rows;

    if (flags != 0)
        return pages_head_damaged(&walk->check->file, "a row is malformed", 0);
    return rows->row(rows->owner, walk->name, key, value);
}

static int check_database(struct check *check, struct bytes name,
                          const struct pages_tree *tree)
{
    struct walk walk = {.check = check, .row = on_row, .name = name};

    if (tree->flags != 0)
        return pages_head_damaged(&check->file, "a database is malformed", 0);
    return check_tree(&walk, tree);
}

static int check_databases(struct check *check, const struct walk *main)
{
    int r = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < main->n_trees && r == 0; i++) {
            struct bytes name = bytes_of(main->names[i]);

            if (bytes_equal(name, check->rows->first) == (pass == 0))
                r = check_database(check, name, &main->trees[i]);
        }
    }
    return r;
}

static int check_main(struct check *check, const struct pages_tree *tree)
{
    struct pages_tree trees[TREES_MAX];
    char *names[TREES_MAX];
    struct walk walk = {
        .check = check, .row = on_name, .trees = trees, .names = names};
    int r = check_tree(&walk, tree);

    if (r == 0)
        r = check_databases(check, &walk);
    for (size_t i = 0; i < walk.n_trees; i++)
        free(names[i]);
    return r;
}

int pages_check_head(int fd, struct err *err)
{
    struct pages_file file = {.fd = fd, .err = err};
    struct pages_meta metas[2];

    return pages_head_load(&file, metas);
}

int pages_check(int fd, size_t snapshot, const struct pages_rows *rows,
                struct err *err)
{
    struct check check = {
        .file = {.fd = fd, .err = err},
          .rows = rows
    };
    struct walk free_walk = {
        .check = &check, .row = on_free, .integer_keys = true};
    struct pages_meta metas[2];
    const struct pages_meta *meta = &metas[snapshot % 2];
    int r = pages_head_load(&check.file, metas);

    if (r != 0)
        return r;
    if (meta->txnid != snapshot)
        return PAGES_GONE;
    check.last_page = meta->last_page;
    check.txnid = meta->txnid;
    check.seen = mem_new(meta->last_page / 8 + 1, 1);
    check.sizes = mem_new(check.file.psize / 2, sizeof(check.sizes[0]));
    r = check_main(&check, &meta->trees[PAGES_MAIN]);
    if (r == 0)
        r = check_tree(&free_walk, &meta->trees[PAGES_FREE]);
    if (r == 0 && meta->last_page - 1 - check.n_seen > PAGES_LOST_MAX)
        r = pages_head_damaged(&check.file, "pages are lost", meta->last_page);
    for (size_t i = 0; i < DEPTH_MAX; i++)
        free(check.level[i]);
    free(check.sizes);
    free(check.seen);
    return r;
}
