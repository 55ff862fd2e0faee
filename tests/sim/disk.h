/*
 * A model disk: it stands in for the calls of the C library that change a file
 * system, in a program that is linked with disk*.c and clock.c and exports its
 * symbols (-rdynamic), so that liblmdb's calls land here, too. Below one
 * directory it counts them, fails them, stops them for good, and keeps beside
 * the files themselves, which are real ones (on a tmpfs), a journal of what a
 * power cut could still take away. Elsewhere it does nothing.
 *
 * The journal, in the spirit of ALICE (Pillai et al., OSDI 2014):
 *
 *  - data, size and times of a file are durable after fsync() or fdatasync() of
 *    it, after syncfs(), or at once where it was opened with O_DSYNC;
 *  - a name (of create, mkdir, rename, link, unlink, rmdir) is durable after
 *    fsync() of its directory, or syncfs();
 *  - of what is not, any part may have reached the disk: in any order, with
 *    these exceptions. What was done to one name happens in its order. A rename
 *    is one thing, as with every file system that has a journal, and durable by
 *    fsync() of either directory. Writes may be missing, be zeros, or be torn
 *    at 512 octets;
 *  - what was not written by the time that fsync() failed is lost for good: a
 *    later fsync() says 0, and has nothing to write any more.
 *
 * Times that files and directories get are the clock's (clock.h), and inode
 * numbers are the model's own, so that they outlive disk_load() and
 * disk_power_cut(). All of it is one global thing, guarded by a lock: workers
 * of a real loop may call it, too.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Watch what is below @root, an absolute path without symbolic links; all that
 * is there already is durable. One root at a time. */
void disk_watch(const char *root);
/* Forget everything; the files stay. */
void disk_leave(void);

enum disk_fault_kind {
    DISK_NO_FAULT,
    DISK_FAIL,      /* the call fails, and does nothing */
    DISK_FAIL_ON,   /* it and all later ones that can fail so */
    DISK_SHORT,     /* a write writes one octet; other calls are as ever */
    DISK_KILL,      /* nothing has any effect any more: calls fail with EIO */
    DISK_KILL_TORN, /* the same, but a write is half done */
    DISK_CUT        /* the same, and disk_power_cut() may find the call done,
                       not done, or done in part */
};

struct disk_fault {
    enum disk_fault_kind kind;
    uint64_t at;      /* which call, from 1 on; see disk_calls() */
    int error_number; /* of DISK_FAIL and DISK_FAIL_ON */
    bool looks;       /* count and fail reading calls instead */
    /* Called once, from inside the call, where all ends: what is not on the
     * disk is to end, too. */
    void (*dead)(void *owner);
    void *owner;
};

/* Set a fault, and begin to count anew; NULL: none. */
void disk_fault(const struct disk_fault *fault);

/* Changing calls below the root since disk_fault(): open that makes or empties
 * a file, write, rename, link, unlink, mkdir, rmdir, ftruncate, fallocate,
 * utimens, fsync, fdatasync, syncfs, msync, close of what was open to write. */
uint64_t disk_calls(void);
/* Of them those that changed a name or a file's data or times below @top, an
 * entry of the root. */
uint64_t disk_changes(const char *top);
/* Reading ones: open, read, pread, opendir, readdir, stat. */
uint64_t disk_looks(void);
/* Was the fault's call reached, and what was it ("fsync mail/INBOX/cur")? */
bool disk_has_fired(void);
const char *disk_fired_call(void);

/* From now on nothing has any effect, as after DISK_KILL, until disk_fault(). */
void disk_die(void);
/* Is it so, by this or by a fault? */
bool disk_is_dead(void);

/* Who looks on. Neither is called for other programs' calls. */
struct disk_watcher {
    void *owner;
    /* Before each call that may be a file's below the root: others may act. */
    void (*visit)(void *owner);
    /* A file is about to go from a directory "cur" or "new", @path below the
     * root, and not to the other one of the same two. What the program put there
     * itself and no commit has named yet is its own to take back. */
    void (*removes)(void *owner, const char *path);
};

/* NULL: nobody. */
void disk_tell(const struct disk_watcher *watcher);

/* Calls between these two are another program's: journaled, but neither counted
 * nor failed. */
void disk_others_begin(void);
void disk_others_end(void);

/* Is the file @path, an absolute one, other than it seems: a sync of it failed,
 * and a later one said that all is well? Not what the program itself has put
 * into place: that knows better than to believe it. */
bool disk_is_spoilt(const char *path);

/* All is durable now. */
void disk_settle(void);

/* Cut the power: the files below the root become one of the states that the
 * disk may be in, by @seed. Nothing may have files there open or mapped. Ends
 * the fault. */
void disk_power_cut(uint32_t seed);

/* All that is below the root, as it is now and all of it durable. Loading NULL
 * leaves nothing. */
struct disk_image;
struct disk_image *disk_save(void);
void disk_load(const struct disk_image *image);
void disk_image_free(struct disk_image *image);

/*
 * The order of durability, of every file that has a name in a directory "cur"
 * or "new": when it gets that name from "tmp" its data is durable, and when the
 * file "data.mdb" begins to name it (a write with O_DSYNC is the commit), its
 * name in its directory is, too.
 */
struct disk_order {
    uint64_t published; /* files renamed from tmp */
    uint64_t recorded;  /* names of files found in commits */
    uint64_t early_publish;
    uint64_t early_record;
    char first[512]; /* the first breach */
};

struct disk_order disk_order(void);

#endif
