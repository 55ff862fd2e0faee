#include "cmd/confine.h"

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/landlock.h>) && !defined(NO_CONFINEMENT)
#define HAS_LANDLOCK 1
#endif
#endif

#ifdef HAS_LANDLOCK

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than some systems' headers; an older kernel is not told of them. */
#define ACCESS_FS_REFER     (1ULL << 13) /* ABI 2 */
#define ACCESS_FS_TRUNCATE  (1ULL << 14) /* ABI 3 */
#define ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define SCOPE_ABSTRACT_UNIX (1ULL << 0)  /* ABI 6 */
#define SCOPE_SIGNAL        (1ULL << 1)

/* Before it, no file may be renamed into another directory: no mail could be
 * delivered. */
#define ABI_WITH_REFER     2
#define ABI_WITH_TRUNCATE  3
#define ABI_WITH_IOCTL_DEV 5
#define ABI_WITH_SCOPES    6

/* struct landlock_ruleset_attr as it is today. */
struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static const uint64_t read_access =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* Programs are never run, devices and sockets never made; nor are links and
 * pipes, but where one stands in the place of a state it is renamed, which
 * takes the same right. */
static const uint64_t write_access =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | ACCESS_FS_REFER | ACCESS_FS_TRUNCATE;

/* All that can be done to something that is no directory. */
static const uint64_t file_access =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE | ACCESS_FS_IOCTL_DEV;

/* What a kernel of @abi can deny. */
static uint64_t handled_access(int abi)
{
    /* The first version's rights are the bits before the second's. */
    uint64_t access = ACCESS_FS_REFER | (ACCESS_FS_REFER - 1);

    if (abi >= ABI_WITH_TRUNCATE)
        access |= ACCESS_FS_TRUNCATE;
    if (abi >= ABI_WITH_IOCTL_DEV)
        access |= ACCESS_FS_IOCTL_DEV;
    return access;
}

static void give_up(struct confine *confine, const char *what, int error_number)
{
    err_errno(&confine->why, ERR_DISK, error_number, "%s", what);
    if (confine->ruleset >= 0) {
        close(confine->ruleset);
        confine->ruleset = -1;
    }
}

void confine_begin(struct confine *confine)
{
    struct ruleset ruleset = {0};
    size_t size = sizeof(ruleset.handled_access_fs);

    *confine = (struct confine){.ruleset = -1};
    confine->abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
                                LANDLOCK_CREATE_RULESET_VERSION);
    if (confine->abi < 0) {
        give_up(confine, "the kernel has no Landlock", errno);
        return;
    }
    if (confine->abi < ABI_WITH_REFER) {
        err_set(&confine->why, ERR_DISK,
                "the kernel's Landlock is too old (ABI %d)", confine->abi);
        return;
    }
    ruleset.handled_access_fs = handled_access(confine->abi);
    if (confine->abi >= ABI_WITH_SCOPES) {
        ruleset.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
        size = sizeof(ruleset);
    }
    confine->ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
    if (confine->ruleset < 0)
        give_up(confine, "no Landlock rules can be made", errno);
}

/* Returns a descriptor, or -1. */
static int open_place(const char *path)
{
    /* Really opened, for an automounter would not mind O_PATH, and what it
     * mounts later is another place. */
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 ? fd : open(path, O_PATH | O_CLOEXEC);
}

void confine_allow(struct confine *confine, const char *path,
                   enum confine_use use)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = use == CONFINE_READ ? read_access : write_access,
    };
    struct stat st;

    if (confine->ruleset < 0)
        return;
    rule.parent_fd = open_place(path);
    if (rule.parent_fd < 0)
        return;
    rule.allowed_access &= handled_access(confine->abi);
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= file_access;
    /* EBADFD: a pipe or the like; those are not confined. */
    if (syscall(SYS_landlock_add_rule, confine->ruleset,
                LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0 &&
        errno != EBADFD) {
        give_up(confine, path, errno);
    }
    close(rule.parent_fd);
}

void confine_enter(struct confine *confine, struct buf *how)
{
    bool kept = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

    if (confine->ruleset >= 0 && (!kept || syscall(SYS_landlock_restrict_self,
                                                   confine->ruleset, 0) != 0)) {
        give_up(confine, "Landlock refused", errno);
    }
    if (confine->ruleset < 0) {
        buf_printf(how, "none: %s", confine->why.text);
        return;
    }
    buf_printf(how, "landlock ABI %d", confine->abi);
    close(confine->ruleset);
    confine->ruleset = -1;
}

#else

void confine_begin(struct confine *confine)
{
    *confine = (struct confine){.ruleset = -1};
}

void confine_allow(struct confine *confine, const char *path,
                   enum confine_use use)
{
    (void)confine;
    (void)path;
    (void)use;
}

void confine_enter(struct confine *confine, struct buf *how)
{
    (void)confine;
    buf_printf(how, "none: built without it");
}

#endif
