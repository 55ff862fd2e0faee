/*
 * Run a program and kill it, with all its threads and children, right before
 * or after its N-th system call that changes anything: the worst moments that
 * kill -9 can choose.
 *
 *     killat -b N PROGRAM [ARGUMENT ...]     before the N-th
 *     killat -a N PROGRAM [ARGUMENT ...]     after it
 *     killat -c FILE PROGRAM [ARGUMENT ...]  only count, into FILE
 *
 * Exits 137 where it killed, else as the program did; 125 where the kernel
 * allows no tracing. Linux 5.3 or newer (PTRACE_GET_SYSCALL_INFO).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

enum { THREADS = 1024, EXIT_KILLED = 137, EXIT_NO_TRACE = 125 };

struct killat {
    long at; /* 0: never */
    bool after;
    const char *count_file;
    long count;
    pid_t first;
    pid_t thread[THREADS];
    size_t n_threads;
    pid_t doomed; /* its call is the one to be killed after */
};

static const long changing[] = {
    SYS_write,     SYS_pwrite64,  SYS_writev,    SYS_pwritev,
    SYS_sendto,    SYS_sendmsg,   SYS_connect,   SYS_shutdown,
    SYS_renameat,  SYS_renameat2, SYS_linkat,    SYS_unlinkat,
    SYS_mkdirat,   SYS_fsync,     SYS_fdatasync, SYS_syncfs,
    SYS_ftruncate, SYS_truncate,  SYS_fallocate, SYS_utimensat,
    SYS_msync,
#ifdef SYS_rename
    SYS_rename,    SYS_link,      SYS_unlink,    SYS_mkdir,
    SYS_rmdir,     SYS_creat,
#endif
};

static bool is_changing(const struct ptrace_syscall_info *info)
{
    long number = (long)info->entry.nr;

    if (number == SYS_openat)
        return (info->entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
#ifdef SYS_open
    if (number == SYS_open)
        return (info->entry.args[1] & (O_CREAT | O_TRUNC)) != 0;
#endif
    for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
        if (number == changing[i])
            return true;
    return false;
}

static void add_thread(struct killat *k, pid_t pid)
{
    for (size_t i = 0; i < k->n_threads; i++)
        if (k->thread[i] == pid)
            return;
    if (k->n_threads == THREADS) {
        fprintf(stderr, "killat: too many threads\n");
        exit(EXIT_NO_TRACE);
    }
    k->thread[k->n_threads++] = pid;
}

/* The end of all of them: nothing that they own may write any more once we
 * are gone. */
static void kill_all(struct killat *k)
{
    for (size_t i = 0; i < k->n_threads; i++)
        kill(k->thread[i], SIGKILL);
    while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
        ;
    exit(EXIT_KILLED);
}

static void at_syscall(struct killat *k, pid_t pid)
{
    struct ptrace_syscall_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && pid == k->doomed)
        kill_all(k);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_changing(&info))
        return;
    k->count++;
    if (k->count == k->at) {
        if (!k->after)
            kill_all(k);
        k->doomed = pid;
    }
}

static void start(struct killat *k, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    int status;

    k->first = fork();
    if (k->first == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(EXIT_NO_TRACE);
        raise(SIGSTOP);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (k->first < 0 || waitpid(k->first, &status, 0) != k->first ||
        !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, k->first, NULL, options) != 0) {
        fprintf(stderr, "killat: cannot trace\n");
        exit(EXIT_NO_TRACE);
    }
    add_thread(k, k->first);
    ptrace(PTRACE_SYSCALL, k->first, NULL, 0L);
}

/* One stop of one thread; returns the signal to hand on to it. */
static long on_stop(struct killat *k, pid_t pid, int status)
{
    int sig = WSTOPSIG(status);

    add_thread(k, pid);
    if (sig == (SIGTRAP | 0x80)) {
        at_syscall(k, pid);
        return 0;
    }
    /* SIGTRAP is a ptrace event, SIGSTOP the birth of a traced thread. */
    return sig == SIGTRAP || sig == SIGSTOP ? 0 : sig;
}

static int follow(struct killat *k)
{
    int result = EXIT_NO_TRACE;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (pid <= 0)
            continue;
        if (WIFSTOPPED(status))
            ptrace(PTRACE_SYSCALL, pid, NULL, on_stop(k, pid, status));
        else if (pid == k->first)
            result = WIFEXITED(status) ? WEXITSTATUS(status)
                                       : 128 + WTERMSIG(status);
    }
    return result;
}

static void write_count(const struct killat *k)
{
    FILE *file;

    if (k->count_file == NULL)
        return;
    file = fopen(k->count_file, "w");
    if (file == NULL || fprintf(file, "%ld\n", k->count) < 0 ||
        fclose(file) != 0) {
        perror(k->count_file);
        exit(EXIT_NO_TRACE);
    }
}

int main(int argc, char **argv)
{
    static struct killat k;
    int result;

    if (argc < 4 || argv[1][0] != '-') {
        fprintf(stderr, "usage: killat -b N | -a N | -c FILE PROGRAM ...\n");
        return 2;
    }
    k.after = argv[1][1] == 'a';
    if (argv[1][1] == 'c')
        k.count_file = argv[2];
    else
        k.at = atol(argv[2]);
    start(&k, argv + 3);
    result = follow(&k);
    write_count(&k);
    return result;
}
