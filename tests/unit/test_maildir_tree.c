/* Goal: a run that ends within the deletion of a Maildir's folder leaves nothing
 * that is a folder to mail programs, as long as it is none to mailtwin: it ends at
 * each call, killed or without power. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_tree.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/tap.h"

#define CUTS 32u

static bool is_there(const char *root, const char *path)
{
    char *whole = mem_printf("%s/%s", root, path);
    struct stat st;
    bool is = stat(whole, &st) == 0;

    free(whole);
    return is;
}

/* A folder, deleted until @fault. Returns whether it came to that. */
static bool delete_until(const char *root, const struct disk_fault *fault)
{
    struct err err;
    int dir;
    bool fired;

    disk_load(NULL);
    dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (maildir_tree_create(dir, MAILDIR_NESTED, "A", NULL, &err) < 0)
        abort();
    disk_settle();
    disk_fault(fault);
    (void)maildir_tree_delete(dir, "A", &err);
    fired = disk_has_fired();
    (void)close(dir);
    return fired;
}

static void test_end(const char *root, enum disk_fault_kind kind, uint32_t cuts,
                     const char *what)
{
    struct disk_fault fault = {.kind = kind, .at = 1};
    unsigned halves = 0;
    bool fired = true;

    for (; fired; fault.at++) {
        for (uint32_t i = 0; i < cuts; i++) {
            fired = delete_until(root, &fault);
            if (kind == DISK_CUT)
                disk_power_cut(i);
            else
                disk_fault(NULL);
            halves += is_there(root, "A/cur") && !is_there(root, "A/new");
        }
    }
    ok(fault.at > 5 && halves == 0, "%s at each of %u calls: %u halves", what,
       (unsigned)fault.at - 2, halves);
}

int main(void)
{
    char root[] = "/tmp/mailtwin-tree-XXXXXX";

    if (mkdtemp(root) == NULL)
        return 1;
    clock_start();
    disk_watch(root);
    test_end(root, DISK_KILL, 1, "killed");
    test_end(root, DISK_CUT, CUTS, "without power");
    disk_load(NULL);
    disk_leave();
    clock_stop();
    ok(rmdir(root) == 0, "cleaned up");
    return done_testing();
}
