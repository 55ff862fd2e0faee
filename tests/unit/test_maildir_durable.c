/* Goal: a message is called stored only after its file, and then the directory
 * that it was renamed to, are on the disk, and not where the disk refused. The
 * calls that say so are taken over here and written down. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/unit/maildir_world.h"

#define ID        7u
#define INODES    256u
#define MANY      20u /* more than are synced one by one */
#define FILE_NAME "x" /* what messages hold */

static const struct flags none;
static const struct flags seen = {.system = FLAG_SEEN};

static struct disk {
    pthread_mutex_t lock;
    ino_t synced[INODES]; /* files */
    size_t n_synced;
    bool all_synced;     /* by syncfs(), and none was made since */
    ino_t dirty[INODES]; /* directories */
    size_t n_dirty;
    unsigned early; /* files that got their name before they were on disk */
    unsigned renames;
    unsigned told;   /* messages said to be stored */
    unsigned untrue; /* of them, while a directory was not on disk */
    bool refuses_files;
    bool refuses_directories;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool has(const ino_t *inodes, size_t n, ino_t inode)
{
    for (size_t i = 0; i < n; i++) {
        if (inodes[i] == inode)
            return true;
    }
    return false;
}

static void forget(void)
{
    pthread_mutex_lock(&disk.lock);
    disk.n_synced = disk.n_dirty = 0;
    disk.all_synced = false;
    disk.early = disk.renames = disk.told = disk.untrue = 0;
    disk.refuses_files = disk.refuses_directories = false;
    pthread_mutex_unlock(&disk.lock);
}

/* --- the calls ----------------------------------------------------------------- */

static int note_sync(const struct stat *st)
{
    bool directory = S_ISDIR(st->st_mode);

    if (directory ? disk.refuses_directories : disk.refuses_files) {
        errno = EIO;
        return -1;
    }
    for (size_t i = 0; directory && i < disk.n_dirty; i++) {
        if (disk.dirty[i] == st->st_ino)
            disk.dirty[i] = disk.dirty[--disk.n_dirty];
    }
    if (!directory && disk.n_synced < INODES)
        disk.synced[disk.n_synced++] = st->st_ino;
    return 0;
}

int fsync(int fd)
{
    struct stat st;
    int r = fstat(fd, &st);

    pthread_mutex_lock(&disk.lock);
    if (r == 0)
        r = note_sync(&st);
    pthread_mutex_unlock(&disk.lock);
    return r;
}

int syncfs(int fd)
{
    int r = 0;

    (void)fd;
    pthread_mutex_lock(&disk.lock);
    if (disk.refuses_files || disk.refuses_directories) {
        errno = EIO;
        r = -1;
    } else {
        disk.all_synced = true;
        disk.n_dirty = 0;
    }
    pthread_mutex_unlock(&disk.lock);
    return r;
}

int renameat2(int from, const char *from_name, int to, const char *to_name,
              unsigned flags)
{
    struct stat file;
    struct stat directory;
    int r = (int)syscall(SYS_renameat2, from, from_name, to, to_name, flags);

    if (r < 0 || fstatat(to, to_name, &file, AT_SYMLINK_NOFOLLOW) < 0 ||
        fstat(to, &directory) < 0)
        return r;
    pthread_mutex_lock(&disk.lock);
    disk.renames++;
    if (!disk.all_synced && !has(disk.synced, disk.n_synced, file.st_ino))
        disk.early++;
    if (!has(disk.dirty, disk.n_dirty, directory.st_ino))
        disk.dirty[disk.n_dirty++] = directory.st_ino;
    pthread_mutex_unlock(&disk.lock);
    return r;
}

/* --- messages ------------------------------------------------------------------ */

static void on_added(struct add_request *request, size_t index, int result,
                     uint32_t uid, const struct err *err)
{
    pthread_mutex_lock(&disk.lock);
    disk.told += result == 0;
    disk.untrue += result == 0 && disk.n_dirty > 0;
    pthread_mutex_unlock(&disk.lock);
    world_added(request, index, result, uid, err);
}

static int add(struct world *world, unsigned n, struct flags flags)
{
    struct add_request request = world_add_request(world, "INBOX", ID);
    struct message_meta meta = {.size = strlen(FILE_NAME), .flags = flags};

    request.added = on_added;
    endpoint_add_open(world->endpoint, &request);
    for (unsigned i = 0; i < n; i++) {
        endpoint_add_message(world->endpoint, &request, &meta);
        (void)endpoint_add_data(world->endpoint, &request, B(FILE_NAME));
    }
    endpoint_add_close(world->endpoint, &request);
    return world_wait(world, &request.base);
}

static void check_order(struct world *world, unsigned n, struct flags flags,
                        const char *what)
{
    forget();
    ok(add(world, n, flags) == 0 && disk.told == n && disk.renames == n,
       "%s: stored", what);
    ok(disk.early == 0, "%s: on the disk before it has its name", what);
    ok(disk.untrue == 0 && disk.n_dirty == 0,
       "%s: its name, too, before it is called stored", what);
}

static void check_refusal(struct world *world, bool files, unsigned n,
                          const char *what)
{
    unsigned before = world_count(world, "INBOX/new", NULL);

    forget();
    disk.refuses_files = files;
    disk.refuses_directories = !files;
    (void)add(world, n, none);
    ok(disk.told == 0 && world->n_bad == n, "%s: not called stored (%s)", what,
       world->err.text);
    ok(world_count(world, "INBOX/new", NULL) == before &&
           world_count(world, "INBOX/tmp", NULL) == 0,
       "%s: and nothing of it is there", what);
    forget();
}

int main(void)
{
    struct world world;

    world_make(&world, MAILDIR_NESTED);
    (void)world_open(&world, false);
    (void)world_folder(&world, FOLDER_CREATE, "INBOX");
    check_order(&world, 1, none, "a new message");
    check_order(&world, 1, seen, "a seen message");
    check_order(&world, MANY, none, "many messages");
    check_refusal(&world, true, 1, "a file that is not synced");
    check_refusal(&world, true, MANY, "a file system that is not synced");
    check_refusal(&world, false, 1, "a directory that is not synced");
    (void)world_close(&world);
    ok(world_end(&world), "cleaned up");
    return done_testing();
}
