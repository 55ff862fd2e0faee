/*
 * Run a program and let one of its system calls end badly: killed with all its
 * threads and children right before or after the call, or the call failed.
 *
 *     killat [OPTION ...] PROGRAM [ARGUMENT ...]
 *
 *     -b N             kill before the N-th call that changes anything
 *     -a N             kill after it
 *     -e ERRNO -n N    let the N-th call that can give ERRNO fail with it, once
 *     -E ERRNO -n N    that one and all later ones
 *     -s -n N          let the N-th call that writes write one byte, or one
 *                      buffer
 *     -w WORD          count from the first call on whose path has WORD in it
 *     -m TEXT          count only the calls that write something with TEXT in it
 *     -c FILE          write how many calls there were to choose from
 *     -l FILE          log the calls that change anything: "NUMBER THREAD >
 *                      NAME PATH [PATH]" when one begins, "NUMBER THREAD <
 *                      RESULT" when it ends, in the order in which it happened
 *     -L FILE          the same of the calls that there are to choose from
 *     -x WORD          log "NUMBER THREAD = HEX" for what is written to paths
 *                      with WORD in them
 *     -v               say on standard error which call it was
 *
 * Exits 137 where it killed, else as the program did; 125 where the kernel
 * allows no tracing. Linux 5.3 or newer (PTRACE_GET_SYSCALL_INFO); failing
 * calls needs x86-64 or aarch64.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "registers.h"

enum {
    THREADS = 1024,
    EXIT_KILLED = 137,
    EXIT_NO_TRACE = 125,
    WRITTEN_MAX = 1 << 20
};

enum way { ONLY_COUNT, KILL_BEFORE, KILL_AFTER, FAIL, SHORTEN };

struct thread {
    pid_t pid;
    /* Of the call it is in. */
    long logged; /* its number in the log, or 0 */
    bool kill;   /* at its end */
    bool fail;
    bool shorten;
    uint64_t length; /* before it was shortened */
};

struct killat {
    enum way way;
    long at; /* 0: never */
    int error_number;
    bool for_good;
    bool verbose;
    const char *from; /* a word; NULL once it was met */
    const char *text; /* NULL: any, or none */
    const char *count_file;
    const char *bytes_of; /* a word */
    FILE *log;
    bool logs_choice;
    long count;
    long n_logged;
    pid_t first;
    struct thread thread[THREADS];
    size_t n_threads;
};

/* A call that begins. */
struct seen {
    const struct call *call;
    struct thread *thread;
    uint64_t arguments[6];
    char path[2][PATH_MAX];
};

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "killat: %s\n", why);
    exit(EXIT_NO_TRACE);
}

static struct thread *find_thread(struct killat *k, pid_t pid)
{
    for (size_t i = 0; i < k->n_threads; i++)
        if (k->thread[i].pid == pid)
            return &k->thread[i];
    if (k->n_threads == THREADS)
        give_up("too many threads");
    k->thread[k->n_threads] = (struct thread){.pid = pid};
    return &k->thread[k->n_threads++];
}

/* The end of all of them: nothing that they own may write any more once we
 * are gone. */
static _Noreturn void kill_all(struct killat *k)
{
    for (size_t i = 0; i < k->n_threads; i++)
        kill(k->thread[i].pid, SIGKILL);
    while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
        ;
    exit(EXIT_KILLED);
}

/* --- looking into it ------------------------------------------------------ */

static size_t peek(pid_t pid, uint64_t address, void *out, size_t n)
{
    struct iovec here = {out, n};
    struct iovec there = {(void *)(uintptr_t)address, n};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

    return got > 0 ? (size_t)got : 0;
}

/* The page after a text's last may not be there. */
static void peek_text(pid_t pid, uint64_t address, char *out, size_t size)
{
    size_t n = 0;

    while (n < size - 1) {
        size_t want = 4096 - (size_t)((address + n) % 4096);
        size_t got;

        if (want > size - 1 - n)
            want = size - 1 - n;
        got = peek(pid, address + n, out + n, want);
        n += got;
        if (got == 0 || memchr(out + n - got, 0, got) != NULL)
            break;
    }
    out[n] = 0;
}

/* What a call is about to write. Returns how much of it is in @out. */
static size_t peek_written(const struct seen *seen, void *out, size_t size)
{
    static struct iovec iov[IOV_MAX];
    const uint64_t *a = seen->arguments;
    pid_t pid = seen->thread->pid;
    size_t n_iov = a[2] < IOV_MAX ? (size_t)a[2] : IOV_MAX;
    size_t n = 0;

    if (seen->call->number != SYS_writev && seen->call->number != SYS_pwritev)
        return peek(pid, a[1], out, a[2] < size ? (size_t)a[2] : size);
    if (peek(pid, a[1], iov, n_iov * sizeof(iov[0])) != n_iov * sizeof(iov[0]))
        return 0;
    for (size_t i = 0; i < n_iov && n < size; i++)
        n += peek(pid, (uint64_t)(uintptr_t)iov[i].iov_base, (char *)out + n,
                  iov[i].iov_len < size - n ? iov[i].iov_len : size - n);
    return n;
}

static bool writes_text(const struct seen *seen, const char *text)
{
    static char bytes[WRITTEN_MAX];

    return (seen->call->does & WRITES) != 0 &&
           memmem(bytes, peek_written(seen, bytes, sizeof(bytes)), text,
                  strlen(text)) != NULL;
}

/* What a descriptor stands for: "/path", "socket:[1]", or nothing. */
static void name_fd(pid_t pid, uint64_t fd, char *out)
{
    char link[64];
    ssize_t n;

    if ((int)fd == AT_FDCWD)
        snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    else
        snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)fd);
    n = readlink(link, out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = 0;
}

static void name_at(pid_t pid, uint64_t fd, uint64_t address, char *out)
{
    static char path[PATH_MAX];
    size_t n;

    peek_text(pid, address, path, sizeof(path));
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return;
    }
    name_fd(pid, fd, out);
    n = strlen(out);
    if (path[0] != 0)
        snprintf(out + n, PATH_MAX - n, "/%s", path);
}

static void name_places(struct seen *seen)
{
    const uint64_t cwd = (uint64_t)AT_FDCWD;
    const uint64_t *a = seen->arguments;
    pid_t pid = seen->thread->pid;

    seen->path[0][0] = seen->path[1][0] = 0;
    switch (seen->call->place) {
    case NO_PLACE:
        return;
    case FD:
        name_fd(pid, a[0], seen->path[0]);
        return;
    case PATHS:
        name_at(pid, cwd, a[1], seen->path[1]);
        /* fall through */
    case PATH:
        name_at(pid, cwd, a[0], seen->path[0]);
        return;
    case ATS:
        name_at(pid, a[2], a[3], seen->path[1]);
        /* fall through */
    case AT:
        name_at(pid, a[0], a[1], seen->path[0]);
        return;
    }
}

static uint64_t open_flags(const struct seen *seen)
{
    return seen->arguments[seen->call->place == AT ? 2 : 1];
}

static bool changes(const struct seen *seen)
{
    if (seen->call->does & OPENS)
        return (open_flags(seen) & (O_CREAT | O_TRUNC)) != 0;
    return (seen->call->does & CHANGES) != 0;
}

static bool can_fail(const struct killat *k, const struct seen *seen)
{
    unsigned fails = seen->call->fails & fails_of(k->error_number);
    int command = k->error_number == EINTR ? F_SETLKW : F_DUPFD_CLOEXEC;

    if (seen->call->number == SYS_fcntl && (int)seen->arguments[1] != command)
        return false;
    if (seen->call->does & OPENS) {
        if (!(open_flags(seen) & O_CREAT))
            fails &= ~(unsigned)ROOM;
        if (!(open_flags(seen) & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)))
            fails &= ~(unsigned)FROZEN;
    }
    if ((seen->call->does & ON_FILES_ONLY) && fails != BROKEN)
        return fails != 0 && seen->path[0][0] == '/' &&
               strncmp(seen->path[0], "/dev/null", 9) != 0;
    return fails != 0;
}

/* Is it one of those to choose from? */
static bool counts(const struct killat *k, const struct seen *seen)
{
    if (k->text != NULL && !writes_text(seen, k->text))
        return false;
    switch (k->way) {
    case FAIL:
        return can_fail(k, seen);
    case SHORTEN: /* what a kernel never does to an eventfd */
        return (seen->call->does & WRITES) != 0 &&
               strncmp(seen->path[0], "anon_", 5) != 0;
    default:
        return changes(seen);
    }
}

/* --- interfering ---------------------------------------------------------- */

static void interfere(struct killat *k, const struct seen *seen)
{
    struct thread *thread = seen->thread;

    k->count++;
    if (k->at == 0 || k->count < k->at || (k->count > k->at && !k->for_good))
        return;
    if (k->verbose && k->way != ONLY_COUNT)
        fprintf(stderr, "killat: %ld: %s %s %s\n", k->count, seen->call->name,
                seen->path[0], seen->path[1]);
    switch (k->way) {
    case ONLY_COUNT:
        return;
    case KILL_BEFORE:
        kill_all(k);
    case KILL_AFTER:
        thread->kill = true;
        return;
    case FAIL:
        thread->fail = true;
        if (!(seen->call->does & DONE_ANYHOW))
            skip_call(thread->pid);
        return;
    case SHORTEN:
        thread->shorten = seen->arguments[2] > 1;
        thread->length = seen->arguments[2];
        if (thread->shorten)
            set_length(thread->pid, 1);
        return;
    }
}

/* --- the log -------------------------------------------------------------- */

static void log_written(struct killat *k, const struct seen *seen)
{
    static unsigned char bytes[WRITTEN_MAX];
    size_t n = peek_written(seen, bytes, sizeof(bytes));

    fprintf(k->log, "%ld %d = ", k->n_logged, (int)seen->thread->pid);
    for (size_t i = 0; i < n; i++)
        fprintf(k->log, "%02x", bytes[i]);
    putc('\n', k->log);
}

static void log_begin(struct killat *k, const struct seen *seen)
{
    if (k->log == NULL || !(k->logs_choice ? counts(k, seen) : changes(seen)))
        return;
    seen->thread->logged = ++k->n_logged;
    fprintf(k->log, "%ld %d > %s %s%s%s\n", k->n_logged, (int)seen->thread->pid,
            seen->call->name, seen->path[0], seen->path[1][0] ? " " : "",
            seen->path[1]);
    if (k->bytes_of != NULL && (seen->call->does & WRITES) &&
        strstr(seen->path[0], k->bytes_of) != NULL)
        log_written(k, seen);
}

/* --- the calls ------------------------------------------------------------ */

static bool has_begun(struct killat *k, const struct seen *seen)
{
    if (k->from != NULL && strstr(seen->path[0], k->from) != NULL)
        k->from = NULL;
    return k->from == NULL;
}

/* Not for calls that nobody asks about: a path costs more than the call. */
static bool wants_names(const struct killat *k)
{
    return k->way == FAIL || k->way == SHORTEN || k->log != NULL ||
           k->from != NULL || k->verbose;
}

static void on_begin(struct killat *k, struct thread *thread,
                     const struct __ptrace_syscall_info *info)
{
    static struct seen seen;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].number != (long)info->seccomp.nr)
            continue;
        seen.call = &calls[i];
        seen.thread = thread;
        for (size_t j = 0; j < 6; j++)
            seen.arguments[j] = info->seccomp.args[j];
        if (wants_names(k))
            name_places(&seen);
        if (!has_begun(k, &seen))
            return;
        log_begin(k, &seen);
        if (counts(k, &seen))
            interfere(k, &seen);
        return;
    }
}

static void on_end(struct killat *k, struct thread *thread,
                   const struct __ptrace_syscall_info *info)
{
    if (thread->kill)
        kill_all(k);
    if (thread->fail)
        set_result(thread->pid, -(long)k->error_number);
    if (thread->shorten)
        set_length(thread->pid, thread->length);
    if (thread->logged != 0)
        fprintf(k->log, "%ld %d < %lld\n", thread->logged, (int)thread->pid,
                thread->fail ? -(long long)k->error_number
                             : (long long)info->exit.rval);
    thread->fail = thread->shorten = false;
    thread->logged = 0;
}

static bool wants_end(const struct thread *thread)
{
    return thread->kill || thread->fail || thread->shorten ||
           thread->logged != 0;
}

static void at_call(struct killat *k, struct thread *thread)
{
    struct __ptrace_syscall_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->pid, sizeof(info), &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
        on_begin(k, thread, &info);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        on_end(k, thread, &info);
}

/* Stop at those calls of the table that one of these says something of; no
 * other costs anything. */
static void filter_calls(unsigned does, unsigned fails)
{
    enum { N = sizeof(calls) / sizeof(calls[0]) };
    struct sock_filter filter[2 * N + 2];
    struct sock_fprog program = {.filter = filter};

    filter[program.len++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < N; i++) {
        if (!(calls[i].does & does) && !(calls[i].fails & fails))
            continue;
        filter[program.len++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
        filter[program.len++] =
            (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    filter[program.len++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(EXIT_NO_TRACE);
}

static void start(struct killat *k, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |
                         PTRACE_O_EXITKILL;
    int status;

    k->first = fork();
    if (k->first == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(EXIT_NO_TRACE);
        raise(SIGSTOP);
        filter_calls(CHANGES | OPENS,
                     k->way == FAIL ? fails_of(k->error_number) : 0);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (k->first < 0 || waitpid(k->first, &status, 0) != k->first ||
        !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, k->first, NULL, options) != 0)
        give_up("cannot trace");
    find_thread(k, k->first);
    ptrace(PTRACE_CONT, k->first, NULL, 0L);
}

/* One stop of one thread, which goes on. */
static void on_stop(struct killat *k, pid_t pid, int status)
{
    struct thread *thread = find_thread(k, pid);
    int sig = WSTOPSIG(status);

    if (sig == (SIGTRAP | 0x80) ||
        status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
        at_call(k, thread);
    /* SIGTRAP is a ptrace event, SIGSTOP the birth of a traced thread. */
    if (sig == (SIGTRAP | 0x80) || sig == SIGTRAP || sig == SIGSTOP)
        sig = 0;
    ptrace(wants_end(thread) ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL,
           (long)sig);
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
            on_stop(k, pid, status);
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

/* --- main ----------------------------------------------------------------- */

static FILE *open_log(const char *path)
{
    FILE *file = fopen(path, "we");

    if (file == NULL) {
        perror(path);
        exit(EXIT_NO_TRACE);
    }
    return file;
}

static void set_way(struct killat *k, int option)
{
    k->way = option == 'b'   ? KILL_BEFORE
             : option == 'a' ? KILL_AFTER
             : option == 's' ? SHORTEN
                             : FAIL;
    if (option == 'a' || option == 'b')
        k->at = atol(optarg);
    if (option == 'e' || option == 'E')
        k->error_number = atoi(optarg);
    k->for_good = option == 'E';
}

static bool set_option(struct killat *k, int option)
{
    if (option == 'n')
        k->at = atol(optarg);
    else if (option == 'w')
        k->from = optarg;
    else if (option == 'm')
        k->text = optarg;
    else if (option == 'c')
        k->count_file = optarg;
    else if (option == 'x')
        k->bytes_of = optarg;
    else if (option == 'v')
        k->verbose = true;
    else if (option == 'l' || option == 'L') {
        k->log = open_log(optarg);
        k->logs_choice = option == 'L';
    } else if (option != '?')
        set_way(k, option);
    return option != '?';
}

int main(int argc, char **argv)
{
    static struct killat k;
    int option;
    int result;

    while ((option = getopt(argc, argv, "+a:b:c:e:E:l:L:m:n:svw:x:")) != -1)
        if (!set_option(&k, option))
            return 2;
    if (optind == argc) {
        fprintf(stderr, "usage: killat [OPTION ...] PROGRAM ...; "
                        "tests/tools/killat.c tells which\n");
        return 2;
    }
    start(&k, argv + optind);
    result = follow(&k);
    write_count(&k);
    return result;
}
