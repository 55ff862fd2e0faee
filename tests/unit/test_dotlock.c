#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/dotlock.h"
#include "tests/tap.h"

#define NAME "some.lock"

static bool exists(int folder, const char *name)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int main(void)
{
    char dir[] = "/tmp/mailtwin-dotlock-XXXXXX";
    struct err err = {{0}};
    int folder;
    pid_t child;
    siginfo_t info;
    int status = 0;
    int lock;

    if (mkdtemp(dir) == NULL)
        return 1;
    folder = open(dir, O_RDONLY | O_DIRECTORY);
    mkdirat(folder, "tmp", 0700);
    lock = dotlock_take(folder, NAME, &err);
    ok(lock >= 0 && exists(folder, NAME), "a free lock is taken");
    child = fork();
    if (child == 0)
        _exit(dotlock_take(folder, NAME, &err) == ERR_BUSY ? 0 : 1);
    waitpid(child, &status, 0);
    ok(status == 0, "a lock of a living process is respected");
    dotlock_release(folder, NAME, lock);
    ok(!exists(folder, NAME), "a lock given back is gone");

    child = fork();
    if (child == 0) {
        dotlock_take(folder, NAME, &err);
        _exit(0);
    }
    /* Dead, and nobody has asked for it yet: it still has its number. */
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    ok(exists(folder, NAME), "a process died with the lock");
    lock = dotlock_take(folder, NAME, &err);
    ok(lock >= 0, "the lock of a dead process is taken over at once");
    dotlock_release(folder, NAME, lock);
    waitpid(child, &status, 0);

    close(openat(folder, NAME, O_WRONLY | O_CREAT, 0600));
    child = fork();
    if (child == 0)
        _exit(dotlock_take(folder, NAME, &err) == ERR_BUSY ? 0 : 1);
    waitpid(child, &status, 0);
    ok(status == 0, "a lock of another program is respected");
    unlinkat(folder, NAME, 0);
    ok(unlinkat(folder, "tmp", AT_REMOVEDIR) == 0,
       "nothing is left behind in tmp");
    rmdir(dir);
    close(folder);
    return done_testing();
}
