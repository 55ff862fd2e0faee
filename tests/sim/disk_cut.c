/* The real files made to be what the tree says: after a power cut, or as they
 * were before. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk_parts.h"

#define SECTOR 512u

static void die(const char *what, const char *path)
{
    printf("Bail out! model disk: %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

/* --- the real files ------------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *where)
{
    (void)info;
    (void)type;
    return where->level == 0 ? 0 : remove(path);
}

static void set_mtime(const char *path, int64_t ns)
{
    const struct timespec when = {.tv_sec = (time_t)(ns / 1000000000),
                                  .tv_nsec = (long)(ns % 1000000000)};
    const struct timespec times[2] = {when, when};

    if (utimensat(AT_FDCWD, path, times, 0) < 0)
        die("utimensat", path);
}

struct put {
    char **first; /* the path that a file has got, by node */
};

static void put_file(struct put *put, const struct disk_node *node,
                     const char *path)
{
    char **first = &put->first[node->id - 1000];
    int fd;

    if (*first != NULL) {
        if (link(*first, path) < 0)
            die("link", path);
        return;
    }
    *first = mem_copy(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 ||
        (node->len > 0 &&
         write(fd, node->data, node->len) != (ssize_t)node->len) ||
        close(fd) < 0)
        die("put", path);
    set_mtime(path, node->mtime);
}

static void put_dir(struct put *put, const struct disk_node *dir,
                    const char *path)
{
    for (size_t i = 0; i < dir->durable.n; i++) {
        const struct disk_name *name = &dir->durable.names[i];
        char *below = mem_printf("%s/%s", path, name->name);

        if (name->node->is_dir) {
            if (mkdir(below, 0700) < 0)
                die("mkdir", below);
            put_dir(put, name->node, below);
        } else {
            put_file(put, name->node, below);
        }
        free(below);
    }
    set_mtime(path, dir->mtime);
}

void disk_put_files(void)
{
    struct put put;

    disk.asleep = true;
    put.first = mem_new(disk.tree.next_id + 1, sizeof(char *));
    if (nftw(disk.root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        die("empty", disk.root);
    put_dir(&put, disk.tree.root, disk.root);
    for (size_t i = 0; i <= disk.tree.next_id; i++)
        free(put.first[i]);
    free(put.first);
    disk.asleep = false;
}

static void read_file(struct disk_node *node, const char *path, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    node->data = mem_new(size + 1, 1);
    node->len = node->cap = size;
    if (fd < 0 || read(fd, node->data, size) != (ssize_t)size)
        die("read", path);
    close(fd);
}

static void take_dir(struct disk_node *dir, const char *path);

static void take_one(struct disk_node *dir, const char *path, const char *name)
{
    char *below = mem_printf("%s/%s", path, name);
    struct disk_node *node;
    struct stat st;

    if (lstat(below, &st) < 0)
        die("lstat", below);
    node = disk_tree_node(&disk.tree, S_ISDIR(st.st_mode));
    node->parent = dir;
    node->mtime = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    disk_names_set(&dir->seen, name, node);
    disk_names_set(&dir->durable, name, node);
    if (node->is_dir)
        take_dir(node, below);
    else if (S_ISREG(st.st_mode))
        read_file(node, below, (size_t)st.st_size);
    free(below);
}

static void take_dir(struct disk_node *dir, const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;

    if (stream == NULL)
        die("opendir", path);
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            take_one(dir, path, entry->d_name);
    }
    closedir(stream);
}

void disk_watch(const char *root)
{
    disk.asleep = true;
    disk.root = mem_copy(root);
    disk.tree.now = clock_now_ns();
    disk.tree.root = disk_tree_node(&disk.tree, true);
    take_dir(disk.tree.root, root);
    memset(disk.fds, 0, sizeof(disk.fds));
    disk.order = (struct disk_order){0};
    disk.asleep = false;
    disk_fault(NULL);
}

void disk_leave(void)
{
    disk_tree_free(&disk.tree);
    free(disk.root);
    free(disk.written);
    disk.root = NULL;
    disk.written = NULL;
    disk.n_written = disk.written_cap = 0;
    memset(disk.fds, 0, sizeof(disk.fds));
    disk_fault(NULL);
}

/* --- the power cut ------------------------------------------------------------------- */

static uint32_t dice(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* How much got there: nothing, all, the first part of it, anything. */
enum luck { NOTHING, EVERYTHING, BEGINNING, ANYTHING };

static enum luck luck_of(uint32_t *seed)
{
    static const enum luck luck[8] = {NOTHING,  EVERYTHING, BEGINNING,
                                      ANYTHING, ANYTHING,   ANYTHING,
                                      ANYTHING, BEGINNING};

    return luck[dice(seed, 8)];
}

static bool got_there(enum luck luck, size_t i, size_t end, uint32_t *seed)
{
    switch (luck) {
    case NOTHING:
        return false;
    case EVERYTHING:
        return true;
    case BEGINNING:
        return i < end;
    default:
        return dice(seed, 2) == 0;
    }
}

static void choose(struct disk_change *change)
{
    if (change->chosen)
        return;
    change->chosen = true;
    for (int i = 0; i < 2; i++) {
        if (change->needs[i] != NULL)
            choose(change->needs[i]);
    }
}

static void cut_names(uint32_t *seed)
{
    struct disk_tree *tree = &disk.tree;
    enum luck luck = luck_of(seed);
    size_t end = dice(seed, (uint32_t)tree->n_changes + 1);

    for (size_t i = 0; i < tree->n_changes; i++) {
        if (got_there(luck, i, end, seed))
            choose(tree->changes[i]);
    }
    for (size_t i = 0; i < tree->n_changes; i++) {
        struct disk_change *change = tree->changes[i];

        if (change->chosen) {
            disk_names_set(&change->dir->durable, change->name, change->node);
            change->dir->mtime = change->mtime;
        }
        free(change->name);
        free(change);
    }
    tree->n_changes = 0;
}

/* A write of which sectors are missing, or zeros. */
static void apply_torn(struct disk_node *node, const struct disk_write *write,
                       uint32_t *seed)
{
    bool grows = dice(seed, 2) == 0; /* the size went ahead of the data */
    size_t done = 0;

    while (done < write->n) {
        size_t n = SECTOR - ((size_t)write->at + done) % SECTOR;
        struct disk_write sector = {.kind = DISK_DATA,
                                    .at = write->at + (int64_t)done,
                                    .mtime = write->mtime,
                                    .bytes = write->bytes + done};

        sector.n = n < write->n - done ? n : write->n - done;
        sector.lost = dice(seed, 2) == 0;
        if (!sector.lost || grows)
            disk_tree_apply(node, &sector);
        done += sector.n;
    }
}

static void cut_file(struct disk_node *node, uint32_t *seed)
{
    enum luck luck = luck_of(seed);
    size_t end = dice(seed, (uint32_t)node->n_writes + 1);

    for (size_t i = 0; i < node->n_writes; i++) {
        const struct disk_write *write = &node->writes[i];

        if (got_there(luck, i, end, seed))
            disk_tree_apply(node, write);
        else if (luck == ANYTHING && write->kind == DISK_DATA)
            apply_torn(node, write, seed);
        free(write->bytes);
    }
    node->n_writes = 0;
}

/* What is seen now is what is durable. */
static void see_durable(void)
{
    for (size_t i = 0; i < disk.tree.n_nodes; i++) {
        struct disk_node *dir = disk.tree.nodes[i];

        while (dir->seen.n > 0)
            disk_names_set(&dir->seen, dir->seen.names[0].name, NULL);
        for (size_t k = 0; k < dir->durable.n; k++) {
            const struct disk_name *name = &dir->durable.names[k];

            disk_names_set(&dir->seen, name->name, name->node);
            name->node->parent = dir;
        }
    }
}

void disk_power_cut(uint32_t seed)
{
    cut_names(&seed);
    for (size_t i = 0; i < disk.tree.n_nodes; i++)
        cut_file(disk.tree.nodes[i], &seed);
    see_durable();
    disk.n_written = 0;
    disk_put_files();
    disk_fault(NULL);
}

/* --- images ---------------------------------------------------------------------------- */

struct disk_image {
    struct disk_tree tree;
};

/* A copy of a tree in which all is durable. */
static void copy_tree(const struct disk_tree *from, struct disk_tree *to)
{
    struct disk_node **by_id =
        mem_new(from->next_id + 1, sizeof(struct disk_node *));

    *to = (struct disk_tree){0};
    for (size_t i = 0; i < from->n_nodes; i++) {
        const struct disk_node *node = from->nodes[i];
        struct disk_node *copy = disk_tree_node(to, node->is_dir);

        copy->id = node->id;
        copy->mtime = node->mtime;
        copy->spoilt = node->spoilt;
        copy->published = node->published;
        copy->recorded = node->recorded;
        copy->len = copy->cap = node->len;
        if (node->len > 0) {
            copy->data = mem_new(node->len, 1);
            memcpy(copy->data, node->data, node->len);
        }
        by_id[node->id - 1000] = copy;
    }
    for (size_t i = 0; i < from->n_nodes; i++) {
        const struct disk_node *dir = from->nodes[i];
        struct disk_node *copy = by_id[dir->id - 1000];

        for (size_t k = 0; k < dir->durable.n; k++) {
            const struct disk_name *name = &dir->durable.names[k];
            struct disk_node *node = by_id[name->node->id - 1000];

            node->parent = copy;
            disk_names_set(&copy->durable, name->name, node);
            disk_names_set(&copy->seen, name->name, node);
        }
    }
    to->root = by_id[from->root->id - 1000];
    to->next_id = from->next_id;
    free(by_id);
}

/* Nodes that no name leads to any more go. */
static void drop_nameless(struct disk_tree *tree)
{
    bool *named = mem_new(tree->next_id + 1, sizeof(bool));
    size_t n = 0;

    named[tree->root->id - 1000] = true;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        for (size_t k = 0; k < tree->nodes[i]->durable.n; k++)
            named[tree->nodes[i]->durable.names[k].node->id - 1000] = true;
    }
    for (size_t i = 0; i < tree->n_nodes; i++) {
        struct disk_node *node = tree->nodes[i];

        if (named[node->id - 1000] || node->durable.n > 0) {
            tree->nodes[n++] = node;
        } else {
            free(node->data);
            free(node->seen.names);
            free(node->durable.names);
            free(node);
        }
    }
    tree->n_nodes = n;
    free(named);
}

struct disk_image *disk_save(void)
{
    struct disk_image *image = MEM_NEW(struct disk_image);

    disk_settle();
    copy_tree(&disk.tree, &image->tree);
    drop_nameless(&image->tree);
    return image;
}

void disk_load(const struct disk_image *image)
{
    disk_tree_free(&disk.tree);
    if (image != NULL)
        copy_tree(&image->tree, &disk.tree);
    else
        disk.tree.root = disk_tree_node(&disk.tree, true);
    memset(disk.fds, 0, sizeof(disk.fds));
    disk.n_written = 0;
    disk_put_files();
    disk_fault(NULL);
}

void disk_image_free(struct disk_image *image)
{
    if (image != NULL) {
        disk_tree_free(&image->tree);
        free(image);
    }
}
