/* The registers of a traced thread that is in a system call. */
#ifndef TOOLS_REGISTERS_H
#define TOOLS_REGISTERS_H

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

static inline _Noreturn void no_registers(void)
{
    perror("ptrace");
    exit(125);
}

#if defined(__x86_64__)
#define RESULT_OF(regs)  (regs).rax
#define ARGUMENT_2(regs) (regs).rdx
#elif defined(__aarch64__)
#define RESULT_OF(regs)  (regs).regs[0]
#define ARGUMENT_2(regs) (regs).regs[2]
#endif

#ifdef RESULT_OF
static inline void get(pid_t pid, struct user_regs_struct *regs)
{
    struct iovec iov = {regs, sizeof(*regs)};

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) != 0)
        no_registers();
}

static inline void set(pid_t pid, struct user_regs_struct *regs)
{
    struct iovec iov = {regs, sizeof(*regs)};

    if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) != 0)
        no_registers();
}

/* Have nothing done in its place. */
static inline void skip_call(pid_t pid)
{
#ifdef __x86_64__
    struct user_regs_struct regs;

    get(pid, &regs);
    regs.orig_rax = (unsigned long long)-1;
    set(pid, &regs);
#else
    int none = -1;
    struct iovec iov = {&none, sizeof(none)};

    if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov) != 0)
        no_registers();
#endif
}

static inline void set_result(pid_t pid, long result)
{
    struct user_regs_struct regs;

    get(pid, &regs);
    RESULT_OF(regs) = (unsigned long long)result;
    set(pid, &regs);
}

static inline void set_length(pid_t pid, uint64_t length)
{
    struct user_regs_struct regs;

    get(pid, &regs);
    ARGUMENT_2(regs) = length;
    set(pid, &regs);
}
#else
#error "say where this kind of machine has its registers"
#endif

#endif
