/* Goal: directories that were made are there after a power cut, however much of
 * what was not synced is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/tap.h"

#define CUTS 32u

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void test_power_cut(const char *root)
{
    char *path = mem_printf("%s/a//b/c/", root);
    unsigned kept = 0;

    for (uint32_t i = 0; i < CUTS; i++) {
        struct err err;

        disk_load(NULL);
        if (dirs_make(path, &err) == 0) {
            disk_power_cut(i);
            kept += is_dir(path);
        }
    }
    ok(kept == CUTS, "all are there after %u of %u power cuts", kept, CUTS);
    free(path);
}

static void test_adopted(const char *root)
{
    char *path = mem_printf("%s/d", root);
    unsigned kept = 0;

    for (uint32_t i = 0; i < CUTS; i++) {
        struct err err;

        disk_load(NULL);
        /* By a run that was killed before it could do more. */
        if (mkdir(path, 0700) == 0 && dirs_sync_above(path, &err) == 0) {
            disk_power_cut(i);
            kept += is_dir(path);
        }
    }
    ok(kept == CUTS, "so is one that another run has made");
    free(path);
}

static void test_refused(const char *root)
{
    char *file = mem_printf("%s/file", root);
    char *path = mem_printf("%s/file/below", root);
    FILE *stream = fopen(file, "w");
    struct err err;

    if (stream != NULL)
        (void)fclose(stream);
    ok(dirs_make(path, &err) == ERR_DISK, "a file in the way is an error");
    ok(dirs_sync(path, &err) == ERR_DISK, "so is what is not there");
    (void)unlink(file);
    free(path);
    free(file);
}

int main(void)
{
    char root[] = "/tmp/mailtwin-dirs-XXXXXX";

    if (mkdtemp(root) == NULL)
        return 1;
    clock_start();
    disk_watch(root);
    test_power_cut(root);
    test_adopted(root);
    disk_load(NULL);
    disk_leave();
    clock_stop();
    test_refused(root);
    (void)rmdir(root);
    return done_testing();
}
