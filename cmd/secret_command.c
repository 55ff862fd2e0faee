#include "cmd/secret_command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How often to look whether a command that closed its output has ended. */
#define REAP_MS 10

struct run {
    pid_t pid;
    int output; /* our end of its standard output */
    uint64_t deadline_ms;
    uint64_t timeout_ms;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int too_late(const struct run *run, struct err *err)
{
    return err_set(err, ERR_AUTH, "did not end within %" PRIu64 " s",
                   (run->timeout_ms + 999) / 1000);
}

/* Wait until there is something to read. */
static int wait_readable(const struct run *run, struct err *err)
{
    struct pollfd ready = {.fd = run->output, .events = POLLIN};
    int r;

    do {
        uint64_t now = now_ms();

        if (now >= run->deadline_ms)
            return too_late(run, err);
        r = poll(&ready, 1, (int)(run->deadline_ms - now));
    } while (r == 0 || (r < 0 && errno == EINTR));
    return r > 0 ? 0 : err_errno(err, ERR_AUTH, errno, "cannot wait for it");
}

static int read_output(const struct run *run, char *out, size_t size, size_t *n,
                       struct err *err)
{
    *n = 0;
    for (;;) {
        char extra;
        bool full = *n == size;
        ssize_t got;
        int r = wait_readable(run, err);

        if (r < 0)
            return r;
        got = full ? read(run->output, &extra, 1)
                   : read(run->output, out + *n, size - *n);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return err_errno(err, ERR_AUTH, errno, "cannot read its output");
        if (got > 0 && full)
            return err_set(err, ERR_AUTH, "printed more than %zu bytes", size);
        *n += got > 0 ? (size_t)got : 0;
    }
}

static int check_status(int status, struct err *err)
{
    if (WIFSIGNALED(status)) {
        return err_set(err, ERR_AUTH, "was killed by signal %d",
                       WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != 0) {
        return err_set(err, ERR_AUTH, "failed with exit status %d",
                       WEXITSTATUS(status));
    }
    return 0;
}

static void kill_and_reap(const struct run *run)
{
    kill(run->pid, SIGKILL);
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* It may have closed its output and run on. */
static int reap(const struct run *run, struct err *err)
{
    int status = 0;

    for (;;) {
        pid_t pid = waitpid(run->pid, &status, WNOHANG);

        if (pid == run->pid)
            return check_status(status, err);
        if (pid < 0 && errno != EINTR)
            return err_errno(err, ERR_AUTH, errno, "cannot wait for it");
        if (now_ms() >= run->deadline_ms) {
            kill_and_reap(run);
            return too_late(run, err);
        }
        poll(NULL, 0, REAP_MS);
    }
}

/* Returns 0 or the error's number. */
static int spawn_shell(const char *command, int output, pid_t *pid)
{
    char shell[] = "sh";
    char option[] = "-c";
    char *text = (char *)(uintptr_t)command; /* not written to */
    char *const arguments[] = {shell, option, text, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t ignored;
    int r;

    /* We ignore these; a pipeline of the user's counts on them. */
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    sigaddset(&ignored, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &ignored);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    /* Without it the secret would go to our own output. */
    r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments,
                        environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

/* Returns 0 with a child that is to be reaped, and run->output to be closed. */
static int start(const char *command, uint64_t timeout_ms, struct run *run,
                 struct err *err)
{
    int ends[2];
    int r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, ERR_AUTH, errno, "cannot make a pipe");
    run->output = ends[0];
    run->timeout_ms = timeout_ms;
    run->deadline_ms = now_ms() + timeout_ms;
    r = spawn_shell(command, ends[1], &run->pid);
    close(ends[1]);
    if (r != 0) {
        close(ends[0]);
        return err_errno(err, ERR_AUTH, r, "cannot run /bin/sh");
    }
    return 0;
}

int secret_command_run(const char *command, uint64_t timeout_ms, char *out,
                       size_t size, size_t *n, struct err *err)
{
    struct run run = {0};
    int r = start(command, timeout_ms, &run, err);

    if (r < 0)
        return r;
    r = read_output(&run, out, size, n, err);
    if (r == 0) {
        r = reap(&run, err);
    } else {
        kill_and_reap(&run);
    }
    close(run.output);
    return r;
}
