/* What the model disk is made of; for the files that implement disk.h. */
#ifndef TESTS_SIM_DISK_PARTS_H
#define TESTS_SIM_DISK_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/sim/disk.h"

/* --- the tree: disk_tree.c ------------------------------------------------------ */

enum disk_write_kind { DISK_DATA, DISK_SIZE, DISK_TIMES };

/* Something done to a file that is not durable yet. */
struct disk_write {
    enum disk_write_kind kind;
    bool lost;     /* fsync() failed: it will never reach the disk */
    int64_t at;    /* offset, new size, or mtime in nanoseconds */
    int64_t mtime; /* that the file had by it */
    char *bytes;   /* DISK_DATA */
    size_t n;
};

struct disk_node;

struct disk_name {
    char *name;
    struct disk_node *node;
};

struct disk_names {
    struct disk_name *names;
    size_t n;
    size_t cap;
};

struct disk_node {
    uint32_t id; /* the inode number that programs are told */
    bool is_dir;
    struct disk_node *parent; /* the last directory that had a name of it */
    int64_t mtime;            /* durable */
    /* of a file, durable */
    char *data;
    size_t len;
    size_t cap;
    struct disk_write *writes;
    size_t n_writes;
    size_t writes_cap;
    bool spoilt;        /* durable without what a failed fsync() lost */
    bool published;     /* put into cur or new by the program */
    bool recorded;      /* a commit has named it */
    uint64_t n_changes; /* of an entry of the root: below it */
    /* of a directory */
    struct disk_names seen;
    struct disk_names durable;
};

/* A change to one name that is not durable yet. */
struct disk_change {
    struct disk_node *dir;
    char *name;
    struct disk_node *node;       /* NULL: the name went */
    int64_t mtime;                /* of the directory by then */
    struct disk_change *needs[2]; /* are there if this one is */
    bool chosen;
};

struct disk_tree {
    struct disk_node *root;
    struct disk_node **nodes; /* all that there ever were */
    size_t n_nodes;
    size_t nodes_cap;
    uint32_t next_id;
    int64_t now;                  /* of the call that is being made */
    struct disk_change **changes; /* in their order */
    size_t n_changes;
    size_t changes_cap;
};

struct disk_node *disk_tree_node(struct disk_tree *tree, bool is_dir);
void disk_tree_free(struct disk_tree *tree);

struct disk_node *disk_names_get(const struct disk_names *names,
                                 const char *name);
/* @node NULL: the name goes. */
void disk_names_set(struct disk_names *names, const char *name,
                    struct disk_node *node);

/* A name begins to mean @node, or nothing. */
struct disk_change *disk_tree_set(struct disk_tree *tree, struct disk_node *dir,
                                  const char *name, struct disk_node *node);
void disk_tree_rename(struct disk_tree *tree, struct disk_node *from,
                      const char *from_name, struct disk_node *to,
                      const char *to_name);

/* Note what was done to a file. */
void disk_tree_write(const struct disk_tree *tree, struct disk_node *node,
                     enum disk_write_kind kind, int64_t at, const void *bytes,
                     size_t n);
/* Of what is noted, do one thing to the durable file. */
void disk_tree_apply(struct disk_node *node, const struct disk_write *write);
void disk_tree_sync(struct disk_tree *tree, struct disk_node *node);
void disk_tree_sync_all(struct disk_tree *tree);
void disk_tree_sync_failed(struct disk_node *node);

/* --- the disk: disk.c ------------------------------------------------------------- */

enum disk_call {
    CALL_OPEN,
    CALL_WRITE,
    CALL_RENAME,
    CALL_LINK,
    CALL_UNLINK,
    CALL_MKDIR,
    CALL_RMDIR,
    CALL_TRUNCATE,
    CALL_UTIMENS,
    CALL_FSYNC,
    CALL_SYNCFS,
    CALL_CLOSE,
    LOOK_OPEN,
    LOOK_READ,
    LOOK_READDIR,
    LOOK_STAT
};

enum disk_verdict {
    DISK_GO,
    DISK_REFUSE, /* errno is set */
    DISK_ONE_BYTE,
    DISK_HALF,    /* do half of it, then fail with EIO */
    DISK_DO_FAIL, /* do it, journal it, then fail with EIO */
};

#define DISK_FDS 4096

struct disk_fd {
    struct disk_node *node;
    bool writable;
    bool dsync;
};

/* The one disk. */
struct disk {
    pthread_mutex_t lock;
    char *root;  /* NULL: nothing is watched */
    bool asleep; /* the model itself is at work on the real files */
    bool others;
    bool is_dead;
    bool has_fired;
    char fired_call[512];
    struct disk_fault fault;
    struct disk_watcher watcher;
    uint64_t n_calls; /* as disk_calls() */
    uint64_t n_looks;
    uint64_t n_armed; /* those that the fault may fall on */
    struct disk_tree tree;
    struct disk_fd fds[DISK_FDS];
    struct disk_order order;
    /* what was written to data.mdb since its last commit */
    char *written;
    size_t n_written;
    size_t written_cap;
};

extern struct disk disk;

/* Is anything watched, and is it not the model that calls? */
bool disk_is_on(void);
enum disk_verdict disk_gate(enum disk_call call, const struct disk_node *dir,
                            const char *name);

/* Somebody may look on: before anything of a call is looked up. */
void disk_visit(void);
/* A name goes from @dir, for good or for a place in @to. */
void disk_removes(const struct disk_node *dir, const char *name,
                  const struct disk_node *to);

/* Where a path leads. */
struct disk_place {
    struct disk_node *dir; /* NULL: not below the root, or not there */
    char name[256];        /* "": the directory itself */
    struct disk_node *node;
};

struct disk_place disk_find(int at, const char *path);
struct disk_fd *disk_fd(int fd);

/* The lint. */
void disk_order_published(const struct disk_node *from,
                          const struct disk_node *to, const char *name,
                          struct disk_node *node);
void disk_order_wrote(const struct disk_fd *fd, const void *bytes, size_t n);

/* Make the real files below the root those of the tree, all durable:
 * disk_cut.c. */
void disk_put_files(void);

#endif
