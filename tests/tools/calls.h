/* The system calls that killat tells apart: what they name, what they do, what
 * they can fail with. */
#ifndef TOOLS_CALLS_H
#define TOOLS_CALLS_H

#include <errno.h>
#include <sys/syscall.h>

/* Where its file is named. */
enum place {
    NO_PLACE,
    FD,    /* FD, ... */
    PATH,  /* PATH, ... */
    AT,    /* FD, PATH, ... */
    PATHS, /* PATH, PATH */
    ATS    /* FD, PATH, FD, PATH */
};

/* What it can fail with. */
enum {
    ROOM = 1,    /* ENOSPC, EDQUOT */
    DISK = 2,    /* EIO */
    FILES = 4,   /* EMFILE, ENFILE */
    DENIED = 8,  /* EACCES, EPERM */
    FROZEN = 16, /* EROFS */
    BROKEN = 32, /* EINTR */
    MEMORY = 64, /* ENOMEM */

    OUT = ROOM | DISK | FROZEN | BROKEN,
    NAME = ROOM | DISK | DENIED | FROZEN
};

/* What it does. */
enum {
    CHANGES = 1,
    WRITES = 2,        /* argument 2 says how much */
    DONE_ANYHOW = 4,   /* fails, and does what it should all the same */
    OPENS = 8,         /* argument 1, or 2 after an FD, has O_ flags */
    ON_FILES_ONLY = 16 /* fails so on files, not on sockets and pipes; but for
                          EINTR */
};

struct call {
    long number;
    const char *name;
    enum place place;
    unsigned fails;
    unsigned does;
};

#define CALL(name, place, fails, does)        \
    {                                         \
        SYS_##name, #name, place, fails, does \
    }

/* clang-format off */
static const struct call calls[] = {
    CALL(write, FD, OUT, CHANGES | WRITES | ON_FILES_ONLY),
    CALL(pwrite64, FD, OUT, CHANGES | WRITES | ON_FILES_ONLY),
    CALL(writev, FD, OUT, CHANGES | WRITES | ON_FILES_ONLY),
    CALL(pwritev, FD, OUT, CHANGES | WRITES | ON_FILES_ONLY),
    CALL(sendto, FD, BROKEN, CHANGES | WRITES),
    CALL(sendmsg, FD, BROKEN, CHANGES),
    CALL(connect, FD, BROKEN | DENIED, CHANGES),
    CALL(shutdown, FD, 0, CHANGES),
    CALL(openat, AT, NAME | FILES | BROKEN, CHANGES | OPENS),
    CALL(renameat, ATS, NAME, CHANGES),
    CALL(renameat2, ATS, NAME, CHANGES),
    CALL(linkat, ATS, NAME, CHANGES),
    CALL(symlinkat, NO_PLACE, NAME, CHANGES),
    CALL(unlinkat, AT, DISK | DENIED | FROZEN, CHANGES),
    CALL(mkdirat, AT, NAME, CHANGES),
    CALL(fsync, FD, OUT, CHANGES),
    CALL(fdatasync, FD, OUT, CHANGES),
    CALL(syncfs, FD, ROOM | DISK, CHANGES),
    CALL(msync, NO_PLACE, DISK, CHANGES),
    CALL(ftruncate, FD, OUT, CHANGES),
    CALL(truncate, PATH, ROOM | DISK | FROZEN, CHANGES),
    CALL(fallocate, FD, OUT, CHANGES),
    CALL(copy_file_range, FD, ROOM | DISK, CHANGES),
    CALL(utimensat, AT, DISK | DENIED | FROZEN, CHANGES),
    CALL(fchmod, FD, DISK | DENIED | FROZEN, CHANGES),
    CALL(close, FD, DISK | BROKEN, DONE_ANYHOW | ON_FILES_ONLY),
    CALL(read, FD, DISK | BROKEN, ON_FILES_ONLY),
    CALL(pread64, FD, DISK | BROKEN, ON_FILES_ONLY),
    CALL(readv, FD, DISK | BROKEN, ON_FILES_ONLY),
    CALL(recvfrom, FD, BROKEN, 0),
    CALL(recvmsg, FD, BROKEN, 0),
    CALL(getdents64, FD, DISK, 0),
    CALL(lseek, FD, DISK, ON_FILES_ONLY),
    CALL(fstat, FD, DISK, ON_FILES_ONLY),
    CALL(newfstatat, AT, DISK | DENIED, 0),
    CALL(statx, AT, DISK | DENIED, 0),
    CALL(faccessat, AT, DISK | DENIED, 0),
    CALL(readlinkat, AT, DISK | DENIED, 0),
    CALL(flock, FD, BROKEN, 0),
    CALL(fcntl, FD, FILES | BROKEN, 0),
    CALL(socket, NO_PLACE, FILES | DENIED, 0),
    CALL(pipe2, NO_PLACE, FILES, 0),
    CALL(eventfd2, NO_PLACE, FILES, 0),
    CALL(epoll_create1, NO_PLACE, FILES, 0),
    CALL(dup3, NO_PLACE, FILES, 0),
    CALL(mmap, NO_PLACE, MEMORY, 0),
    CALL(mremap, NO_PLACE, MEMORY, 0),
    CALL(epoll_pwait, NO_PLACE, BROKEN, 0),
    CALL(wait4, NO_PLACE, BROKEN, 0),
    CALL(getrandom, NO_PLACE, BROKEN, 0),
#ifdef SYS_open
    CALL(open, PATH, NAME | FILES | BROKEN, CHANGES | OPENS),
    CALL(creat, PATH, NAME | FILES, CHANGES),
    CALL(rename, PATHS, NAME, CHANGES),
    CALL(link, PATHS, NAME, CHANGES),
    CALL(unlink, PATH, DISK | DENIED | FROZEN, CHANGES),
    CALL(mkdir, PATH, NAME, CHANGES),
    CALL(rmdir, PATH, DISK | DENIED | FROZEN, CHANGES),
    CALL(stat, PATH, DISK | DENIED, 0),
    CALL(lstat, PATH, DISK | DENIED, 0),
    CALL(access, PATH, DISK | DENIED, 0),
    CALL(readlink, PATH, DISK | DENIED, 0),
    CALL(epoll_wait, NO_PLACE, BROKEN, 0),
    CALL(poll, NO_PLACE, BROKEN, 0),
    CALL(dup2, NO_PLACE, FILES, 0),
    CALL(pipe, NO_PLACE, FILES, 0),
#endif
};
/* clang-format on */

static inline unsigned fails_of(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return ROOM;
    case EIO:
        return DISK;
    case EMFILE:
    case ENFILE:
        return FILES;
    case EACCES:
    case EPERM:
        return DENIED;
    case EROFS:
        return FROZEN;
    case EINTR:
        return BROKEN;
    case ENOMEM:
        return MEMORY;
    default:
        return ~0u;
    }
}

#endif
