/*
 * Goal of this test: the model disk of tests/sim/disk.h does what it says:
 * counts, fails, stops; keeps what is durable through a power cut, and takes
 * from what is not; sees a wrong order. Without this nothing that it proves of
 * the product would count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/tap.h"

#define SEEDS 64u

static char root[64];

static char *at(const char *path)
{
    static char text[4][256];
    static unsigned next;
    char *out = text[next++ % 4];

    snprintf(out, sizeof(text[0]), "%s/%s", root, path);
    return out;
}

static int make(const char *path, const char *content, bool sync)
{
    int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = (ssize_t)strlen(content);
    int r;

    if (fd < 0)
        return -1;
    r = write(fd, content, (size_t)n) == n && (!sync || fsync(fd) == 0) ? 0
                                                                        : -1;
    return close(fd) == 0 ? r : -1;
}

static int sync_dir(const char *path)
{
    int fd = open(at(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fsync(fd);

    close(fd);
    return r;
}

/* -1: not there; 0: other content; 1: this. */
static int holds(const char *path, const char *content)
{
    char text[4096] = "";
    int fd = open(at(path), O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n == (ssize_t)strlen(content) && strcmp(text, content) == 0;
}

static void test_counts_and_faults(void)
{
    struct disk_fault fault = {
        .kind = DISK_FAIL, .at = 2, .error_number = ENOSPC};

    disk_fault(NULL);
    ok(make("a", "text", true) == 0 && disk_calls() == 4,
       "open, write, fsync and close are counted");
    disk_fault(&fault);
    ok(make("b", "text", false) < 0 && errno == ENOSPC && disk_has_fired() &&
           strcmp(disk_fired_call(), "write b") == 0,
       "the second call fails, by name");
    ok(holds("b", "") == 1 && make("b", "text", false) == 0,
       "it did nothing, and the next one works");
    fault.kind = DISK_FAIL_ON;
    disk_fault(&fault);
    ok(make("c", "text", false) < 0 && make("d", "text", false) < 0,
       "from then on, all fail");
    fault.kind = DISK_SHORT;
    fault.at = 1;
    disk_fault(&fault);
    ok(make("e", "text", false) < 0 && holds("e", "t") == 1, "a short write");
    fault.kind = DISK_KILL;
    fault.at = 3;
    disk_fault(&fault);
    (void)make("f", "text", false);
    ok(unlink(at("a")) < 0 && rename(at("a"), at("z")) < 0 &&
           mkdir(at("y"), 0700) < 0 && make("g", "", false) < 0,
       "after a kill nothing can be changed");
    ok(holds("f", "text") == 1 && holds("a", "text") == 1 &&
           holds("g", "") == -1,
       "all before it is there, and nothing of what came after");
    disk_fault(NULL);
    disk_others_begin();
    ok(make("h", "", false) == 0 && disk_calls() == 0,
       "others are not counted");
    disk_others_end();
}

/* What a file may be after a power cut, over many seeds. */
struct fates {
    unsigned gone;
    unsigned whole;
    unsigned other;
};

static struct fates fates_of(const struct disk_image *image, void (*act)(void),
                             const char *path, const char *content)
{
    struct fates fates = {0};

    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        int r;

        disk_load(image);
        act();
        disk_power_cut(seed);
        r = holds(path, content);
        fates.gone += r < 0;
        fates.whole += r > 0;
        fates.other += r == 0;
    }
    disk_load(image);
    return fates;
}

static char long_text[3000];

static void act_nothing_synced(void)
{
    (void)make("new", long_text, false);
}

static void act_file_synced(void)
{
    (void)make("new", long_text, true);
}

static void act_both_synced(void)
{
    (void)make("new", long_text, true);
    (void)sync_dir(".");
}

static void act_dir_synced(void)
{
    (void)make("new", long_text, false);
    (void)sync_dir(".");
}

static void act_failed_sync(void)
{
    struct disk_fault fault = {.kind = DISK_FAIL, .at = 3, .error_number = EIO};
    int fd;

    disk_fault(&fault);
    (void)make("new", long_text, true);
    disk_fault(NULL);
    fd = open(at("new"), O_WRONLY | O_CLOEXEC);
    (void)fsync(fd);
    close(fd);
    (void)sync_dir(".");
}

static void act_rename(void)
{
    (void)rename(at("old"), at("young"));
}

static void act_move(void)
{
    (void)rename(at("old"), at("dir/old"));
}

static void act_move_synced(void)
{
    act_move();
    (void)sync_dir("dir");
}

static void test_power_cut(void)
{
    struct disk_image *image;
    struct fates fates;

    memset(long_text, 'x', sizeof(long_text) - 1);
    (void)make("old", "old", true);
    (void)mkdir(at("dir"), 0700);
    image = disk_save();
    fates = fates_of(image, act_nothing_synced, "new", long_text);
    ok(fates.gone > 0 && fates.whole > 0 && fates.other > 0,
       "not synced: gone, whole or torn (%u, %u, %u)", fates.gone, fates.whole,
       fates.other);
    fates = fates_of(image, act_file_synced, "new", long_text);
    ok(fates.gone > 0 && fates.whole > 0 && fates.other == 0,
       "the file synced: there or not, never torn");
    fates = fates_of(image, act_dir_synced, "new", long_text);
    ok(fates.gone == 0 && fates.whole > 0 && fates.other > 0,
       "the directory synced: there, perhaps torn");
    fates = fates_of(image, act_both_synced, "new", long_text);
    ok(fates.whole == SEEDS, "both synced: always there");
    fates = fates_of(image, act_failed_sync, "new", long_text);
    ok(fates.whole == 0, "what a failed fsync lost no later one brings back");
    disk_load(image);
    act_failed_sync();
    ok(disk_is_spoilt(at("new")) && holds("new", long_text) == 1 &&
           !disk_is_spoilt(at("old")),
       "it is spoilt, and does not look it");
    fates = fates_of(image, act_rename, "young", "old");
    ok(fates.gone > 0 && fates.whole > 0 && fates.gone + fates.whole == SEEDS,
       "a rename happened, or not");
    fates = fates_of(image, act_rename, "old", "old");
    ok(fates.gone > 0 && fates.whole > 0, "and the old name the same");
    fates = fates_of(image, act_move_synced, "dir/old", "old");
    ok(fates.whole == SEEDS, "a move with its target synced is there");
    fates = fates_of(image, act_move_synced, "old", "old");
    ok(fates.gone == SEEDS, "and no more at its source");
    disk_image_free(image);
}

static void test_image(void)
{
    struct disk_image *image;
    struct stat before;
    struct stat after;

    (void)mkdir(at("kept"), 0700);
    (void)make("kept/file", "text", false);
    (void)stat(at("kept"), &before);
    image = disk_save();
    (void)unlink(at("kept/file"));
    (void)rmdir(at("kept"));
    disk_load(image);
    (void)stat(at("kept"), &after);
    ok(holds("kept/file", "text") == 1 && before.st_ino == after.st_ino &&
           before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
           before.st_mtim.tv_nsec == after.st_mtim.tv_nsec,
       "an image keeps contents, numbers and times");
    disk_image_free(image);
}

static void commit_naming(const char *name)
{
    int fd = open(at("data.mdb"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int meta = open(at("data.mdb"), O_WRONLY | O_DSYNC | O_CLOEXEC);

    (void)!pwrite(fd, name, strlen(name), 8192);
    (void)fdatasync(fd);
    (void)!pwrite(meta, "m", 1, 0);
    close(fd);
    close(meta);
}

static void test_order(void)
{
    struct disk_order order;

    (void)mkdir(at("tmp"), 0700);
    (void)mkdir(at("cur"), 0700);
    disk_settle();
    (void)make("tmp/1.good", "text", true);
    (void)rename(at("tmp/1.good"), at("cur/1.good:2,S"));
    (void)sync_dir("cur");
    commit_naming("1.good");
    order = disk_order();
    ok(order.published == 1 && order.recorded == 1 &&
           order.early_publish == 0 && order.early_record == 0,
       "the right order");
    (void)make("tmp/2.bad", "text", false);
    (void)rename(at("tmp/2.bad"), at("cur/2.bad:2,S"));
    order = disk_order();
    ok(order.early_publish == 1, "visible too early: %s", order.first);
    (void)make("tmp/3.bad", "text", true);
    (void)rename(at("tmp/3.bad"), at("cur/3.bad:2,S"));
    commit_naming("3.bad");
    order = disk_order();
    ok(order.early_record == 1, "recorded too early");
}

int main(void)
{
    snprintf(root, sizeof(root), "%s/mailtwin-disk-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(root) == NULL)
        abort();
    clock_start();
    disk_watch(root);
    test_counts_and_faults();
    test_power_cut();
    test_image();
    test_order();
    disk_load(NULL);
    disk_leave();
    clock_stop();
    (void)rmdir(root);
    return done_testing();
}
