/* Which call is to fail, where a path leads, and the order of durability. */
#include "tests/sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/record_name.h"
#include "tests/sim/disk_parts.h"

struct disk disk = {.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

bool disk_is_on(void)
{
    return disk.root != NULL && !disk.asleep;
}

/* --- faults ------------------------------------------------------------------------ */

static const char *const call_names[] = {
    [CALL_OPEN] = "open",         [CALL_WRITE] = "write",
    [CALL_RENAME] = "rename",     [CALL_LINK] = "link",
    [CALL_UNLINK] = "unlink",     [CALL_MKDIR] = "mkdir",
    [CALL_RMDIR] = "rmdir",       [CALL_TRUNCATE] = "ftruncate",
    [CALL_UTIMENS] = "utimens",   [CALL_FSYNC] = "fsync",
    [CALL_SYNCFS] = "syncfs",     [CALL_CLOSE] = "close",
    [LOOK_OPEN] = "open to read", [LOOK_READ] = "read",
    [LOOK_READDIR] = "readdir",   [LOOK_STAT] = "stat",
};

static bool is_look(enum disk_call call)
{
    return call >= LOOK_OPEN;
}

static bool is_sync(enum disk_call call)
{
    return call == CALL_FSYNC || call == CALL_SYNCFS || call == CALL_CLOSE;
}

/* Calls that no kernel fails so are not made to. */
static bool can_fail(enum disk_call call, int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return call == CALL_OPEN || call == CALL_WRITE || call == CALL_RENAME ||
               call == CALL_LINK || call == CALL_MKDIR ||
               call == CALL_TRUNCATE || call == CALL_FSYNC ||
               call == CALL_SYNCFS || call == CALL_CLOSE;
    case EMFILE:
    case ENFILE:
        return call == CALL_OPEN || call == LOOK_OPEN;
    case EROFS:
        return !is_sync(call) && !is_look(call) && call != CALL_WRITE;
    case EACCES:
        return !is_sync(call) && call != CALL_WRITE && call != CALL_TRUNCATE &&
               call != LOOK_READ && call != LOOK_READDIR;
    case EINTR:
        return call == CALL_OPEN || call == CALL_WRITE ||
               call == CALL_TRUNCATE || call == CALL_FSYNC ||
               call == CALL_CLOSE || call == LOOK_OPEN || call == LOOK_READ;
    default:
        return true;
    }
}

/* The name that its directory has for it. */
static const char *name_of(const struct disk_node *node)
{
    const struct disk_node *dir = node->parent;

    for (size_t i = 0; dir != NULL && i < dir->seen.n; i++) {
        if (dir->seen.names[i].node == node)
            return dir->seen.names[i].name;
    }
    return "?";
}

static void print_path(const struct disk_node *dir, char *out, size_t size)
{
    size_t n;

    if (dir->parent == NULL || dir == disk.tree.root) {
        out[0] = '\0';
        return;
    }
    print_path(dir->parent, out, size);
    n = strlen(out);
    snprintf(out + n, size - n, "%s/", name_of(dir));
}

static void note_fired(enum disk_call call, const struct disk_node *dir,
                       const char *name)
{
    char path[300] = "";

    disk.has_fired = true;
    if (dir != NULL)
        print_path(dir, path, sizeof(path));
    snprintf(disk.fired_call, sizeof(disk.fired_call), "%s %s%s",
             call_names[call], path, name);
}

static enum disk_verdict refuse(int error_number)
{
    errno = error_number;
    return DISK_REFUSE;
}

static enum disk_verdict die(enum disk_call call)
{
    enum disk_fault_kind kind = disk.fault.kind;

    disk.is_dead = true;
    if (disk.fault.dead != NULL)
        disk.fault.dead(disk.fault.owner);
    if (kind == DISK_KILL_TORN && call == CALL_WRITE)
        return DISK_HALF;
    if (kind == DISK_CUT && !is_sync(call) && !is_look(call))
        return DISK_DO_FAIL;
    return refuse(EIO);
}

/* The calls that the fault may fall on are counted by themselves. */
static bool is_armed(enum disk_call call)
{
    const struct disk_fault *fault = &disk.fault;

    if (fault->kind == DISK_NO_FAULT || is_look(call) != fault->looks)
        return false;
    if (fault->kind == DISK_SHORT)
        return call == CALL_WRITE;
    return (fault->kind != DISK_FAIL && fault->kind != DISK_FAIL_ON) ||
           can_fail(call, fault->error_number);
}

static void count_change(const struct disk_node *dir)
{
    struct disk_node *top = NULL;

    for (const struct disk_node *at = dir; at != NULL; at = at->parent) {
        if (at->parent == disk.tree.root)
            top = disk_names_get(&disk.tree.root->seen, name_of(at));
    }
    if (top != NULL)
        top->n_changes++;
}

enum disk_verdict disk_gate(enum disk_call call, const struct disk_node *dir,
                            const char *name)
{
    const struct disk_fault *fault = &disk.fault;

    if (disk.others)
        return DISK_GO;
    if (disk.is_dead)
        return is_look(call) ? DISK_GO : refuse(EIO);
    disk.n_looks += is_look(call);
    disk.n_calls += !is_look(call);
    if (!is_look(call) && !is_sync(call))
        count_change(dir);
    if (!is_armed(call))
        return DISK_GO;
    disk.n_armed++;
    if (disk.n_armed < fault->at ||
        (disk.n_armed > fault->at && fault->kind != DISK_FAIL_ON))
        return DISK_GO;
    if (!disk.has_fired)
        note_fired(call, dir, name);
    switch (fault->kind) {
    case DISK_FAIL:
    case DISK_FAIL_ON:
        return refuse(fault->error_number);
    case DISK_SHORT:
        return DISK_ONE_BYTE;
    default:
        return die(call);
    }
}

void disk_fault(const struct disk_fault *fault)
{
    disk.fault = fault != NULL ? *fault : (struct disk_fault){0};
    disk.is_dead = false;
    disk.has_fired = false;
    disk.fired_call[0] = '\0';
    disk.n_calls = disk.n_looks = disk.n_armed = 0;
    disk.n_written = 0; /* by one that did not live to commit it */
    for (size_t i = 0; disk.root != NULL && i < disk.tree.root->seen.n; i++)
        disk.tree.root->seen.names[i].node->n_changes = 0;
}

void disk_die(void)
{
    disk.is_dead = true;
}

bool disk_is_dead(void)
{
    return disk.is_dead;
}

uint64_t disk_calls(void)
{
    return disk.n_calls;
}

uint64_t disk_changes(const char *top)
{
    const struct disk_node *node = disk_names_get(&disk.tree.root->seen, top);

    return node != NULL ? node->n_changes : 0;
}

uint64_t disk_looks(void)
{
    return disk.n_looks;
}

bool disk_has_fired(void)
{
    return disk.has_fired;
}

const char *disk_fired_call(void)
{
    return disk.fired_call;
}

void disk_others_begin(void)
{
    disk.others = true;
}

void disk_others_end(void)
{
    disk.others = false;
}

void disk_settle(void)
{
    disk_tree_sync_all(&disk.tree);
}

/* --- paths -------------------------------------------------------------------------- */

struct disk_fd *disk_fd(int fd)
{
    return fd >= 0 && fd < DISK_FDS ? &disk.fds[fd] : NULL;
}

/* Where a path begins: a directory of the tree, and what is left of it. */
static struct disk_node *begin_at(int at, const char **path)
{
    size_t n = strlen(disk.root);
    const struct disk_fd *fd;

    if ((*path)[0] == '/') {
        if (strncmp(*path, disk.root, n) != 0 ||
            ((*path)[n] != '/' && (*path)[n] != '\0'))
            return NULL;
        *path += n;
        return disk.tree.root;
    }
    fd = disk_fd(at);
    return fd != NULL ? fd->node : NULL;
}

/* One step down; @name "" and "." stay. */
static struct disk_node *step(struct disk_node *dir, const char *name)
{
    if (name[0] == '\0' || strcmp(name, ".") == 0)
        return dir;
    if (strcmp(name, "..") == 0)
        return dir->parent;
    return disk_names_get(&dir->seen, name);
}

struct disk_place disk_find(int at, const char *path)
{
    struct disk_place place = {0};
    struct disk_node *node = begin_at(at, &path);

    while (node != NULL) {
        size_t n;

        path += strspn(path, "/");
        n = strcspn(path, "/");
        if (n >= sizeof(place.name) || !node->is_dir)
            return (struct disk_place){0};
        memcpy(place.name, path, n);
        place.name[n] = '\0';
        path += n;
        if (path[strspn(path, "/")] == '\0') {
            place.dir = node;
            place.node = step(node, place.name);
            return place;
        }
        node = step(node, place.name);
    }
    return place;
}

bool disk_is_spoilt(const char *path)
{
    const struct disk_node *node = disk_find(AT_FDCWD, path).node;

    return node != NULL && node->spoilt && !node->published;
}

/* --- the order of durability --------------------------------------------------------- */

static bool has_parts(const struct disk_node *dir, const char *name)
{
    return dir->parent != NULL &&
           disk_names_get(&dir->parent->seen, name) == dir;
}

static bool holds_mail(const struct disk_node *dir)
{
    return has_parts(dir, "cur") || has_parts(dir, "new");
}

static void breach(uint64_t *count, const char *what,
                   const struct disk_node *dir, const char *name)
{
    char path[300] = "";

    ++*count;
    print_path(dir, path, sizeof(path));
    if (disk.order.first[0] == '\0')
        snprintf(disk.order.first, sizeof(disk.order.first), "%s: %s%s", what,
                 path, name);
}

/* --- who looks on --------------------------------------------------------------------- */

void disk_tell(const struct disk_watcher *watcher)
{
    disk.watcher = watcher != NULL ? *watcher : (struct disk_watcher){0};
}

void disk_visit(void)
{
    if (disk_is_on() && !disk.others && !disk.is_dead &&
        disk.watcher.visit != NULL)
        disk.watcher.visit(disk.watcher.owner);
}

void disk_removes(const struct disk_node *dir, const char *name,
                  const struct disk_node *to)
{
    const struct disk_node *node = disk_names_get(&dir->seen, name);
    char path[300] = "";
    size_t n;

    if (disk.others || (node->published && !node->recorded) ||
        disk.watcher.removes == NULL || !holds_mail(dir) ||
        (to != NULL && holds_mail(to) && to->parent == dir->parent))
        return;
    print_path(dir, path, sizeof(path));
    n = strlen(path);
    (void)snprintf(path + n, sizeof(path) - n, "%s", name);
    disk.watcher.removes(disk.watcher.owner, path);
}

/* --- publishing --------------------------------------------------------------------- */

void disk_order_published(const struct disk_node *from,
                          const struct disk_node *to, const char *name,
                          struct disk_node *node)
{
    if (disk.others || node == NULL || node->is_dir || !holds_mail(to) ||
        !has_parts(from, "tmp"))
        return;
    disk.order.published++;
    node->published = true;
    if (node->n_writes > 0)
        breach(&disk.order.early_publish, "visible before its data was durable",
               to, name);
}

/* Is the name, up to its flags, in what was written to the state? A name in
 * parts has the number of its host behind its first byte: what follows is as good
 * as the whole. */
static bool is_named(const char *name)
{
    struct bytes text = {name, strcspn(name, ":")};
    struct record_name parts;
    struct bytes host;
    struct buf row = {0};
    bool named;

    if (record_name_parse(text, &parts, &host)) {
        parts.host = 1;
        record_name_encode(&row, &parts);
        text = bytes_skip(buf_peek(&row), 2);
    }
    named = memmem(disk.written, disk.n_written, text.ptr, text.len) != NULL;
    buf_deinit(&row);
    return named;
}

static bool is_durable(const struct disk_node *node)
{
    for (size_t i = 0; i < disk.tree.n_nodes; i++) {
        const struct disk_node *dir = disk.tree.nodes[i];

        for (size_t k = 0; holds_mail(dir) && k < dir->durable.n; k++) {
            if (dir->durable.names[k].node == node)
                return node->n_writes == 0;
        }
    }
    return false;
}

static void check_commit(void)
{
    for (size_t i = 0; i < disk.tree.n_nodes; i++) {
        const struct disk_node *dir = disk.tree.nodes[i];

        for (size_t k = 0; holds_mail(dir) && k < dir->seen.n; k++) {
            const struct disk_name *name = &dir->seen.names[k];

            if (name->node->recorded || !is_named(name->name))
                continue;
            name->node->recorded = true;
            disk.order.recorded++;
            if (!is_durable(name->node))
                breach(&disk.order.early_record,
                       "recorded before it was durable", dir, name->name);
        }
    }
}

void disk_order_wrote(const struct disk_fd *fd, const void *bytes, size_t n)
{
    const struct disk_node *node = fd->node;

    if (node->parent == NULL ||
        disk_names_get(&node->parent->seen, "data.mdb") != node)
        return;
    if (fd->dsync) {
        check_commit();
        disk.n_written = 0;
        return;
    }
    while (disk.n_written + n > disk.written_cap) {
        disk.written_cap = 2 * disk.written_cap + 65536;
        disk.written = mem_resize(disk.written, disk.written_cap, 1);
    }
    memcpy(disk.written + disk.n_written, bytes, n);
    disk.n_written += n;
}

struct disk_order disk_order(void)
{
    return disk.order;
}
