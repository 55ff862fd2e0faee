#include "store/maildir_move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int maildir_move(int from, const char *from_name, int to, const char *to_name)
{
    struct stat st;

#ifdef RENAME_NOREPLACE
    if (renameat2(from, from_name, to, to_name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }
#endif
    /* File systems without it (NFS): base names are unique, so that only our
     * own message could be in the way, and only by another hand. */
    if (fstatat(to, to_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from, from_name, to, to_name);
}
