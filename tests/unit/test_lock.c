#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/lock.h"
#include "tests/tap.h"

/* A process that holds the lock, and ends when @hold is closed. */
static pid_t hold(const char *path, int ready[2], int end[2])
{
    pid_t child = fork();
    char byte;

    if (child != 0)
        return child;
    close(end[1]);
    if (lock_take(path, NULL, NULL) < 0 || write(ready[1], "x", 1) != 1 ||
        read(end[0], &byte, 1) != 0)
        _exit(1);
    _exit(0);
}

static void test_held(const char *path)
{
    struct err err = {0};
    int ready[2];
    int end[2];
    char byte;
    char number[32];
    pid_t child;
    int fd;

    if (pipe(ready) != 0 || pipe(end) != 0)
        return;
    child = hold(path, ready, end);
    ok(read(ready[0], &byte, 1) == 1, "another process takes the lock");
    snprintf(number, sizeof(number), "process %d", (int)child);
    fd = lock_take(path, NULL, &err);
    ok(fd == ERR_LOCKED && strstr(err.text, number) != NULL,
       "it is refused, by name: %s", err.text);
    close(end[1]);
    waitpid(child, NULL, 0);
    fd = lock_take(path, NULL, &err);
    ok(fd >= 0, "... and taken when that process has ended");
    lock_release(fd);
    for (int i = 0; i < 2; i++)
        close(ready[i]);
    close(end[0]);
}

int main(void)
{
    char root[] = "/tmp/mailtwin-lock-XXXXXX";
    struct err err = {0};
    char *path;
    int fd;

    if (mkdtemp(root) == NULL)
        return 1;
    path = mem_printf("%s/lock", root);
    fd = lock_take(path, NULL, &err);
    ok(fd >= 0, "a free lock is taken");
    ok(lock_take(path, NULL, &err) == ERR_LOCKED, "but not twice");
    lock_release(fd);
    fd = lock_take(path, NULL, &err);
    ok(fd >= 0, "a released one is free");
    lock_release(fd);
    lock_release(-1);
    test_held(path);
    unlink(path);
    ok(lock_take("/dev/null/lock", NULL, &err) == ERR_DISK,
       "a path of no use: %s", err.text);
    free(path);
    rmdir(root);
    return done_testing();
}
