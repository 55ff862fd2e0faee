#include "store/maildir_edited.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "store/maildir_move.h"
#include "store/maildir_name.h"

/* A base name begins with the time that it was given, if with any number. */
static int64_t time_of(struct bytes base)
{
    int64_t seconds = 0;

    for (size_t i = 0; i < base.len && i < 12; i++) {
        if (base.ptr[i] < '0' || base.ptr[i] > '9')
            break;
        seconds = seconds * 10 + (base.ptr[i] - '0');
    }
    return seconds;
}

int maildir_edited_is(int dir, const char *name)
{
    struct maildir_name parts;
    struct maildir_name_sizes sizes;
    struct stat st;

    maildir_name_parse(bytes_of(name), &parts);
    maildir_name_parse_sizes(parts.base, &sizes);
    if (!sizes.has_file || SABOTAGED(edits_unseen))
        return 0;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return S_ISREG(st.st_mode) && st.st_size > 0 &&
                   (uint64_t)st.st_size != sizes.file &&
                   st.st_mtim.tv_sec >= time_of(parts.base)
               ? 1
               : 0;
}

int maildir_edited_rename(int dir, const char *name,
                          struct maildir_unique *unique)
{
    struct maildir_name_sizes sizes = {.has_file = true};
    struct maildir_name parts;
    struct stat st;
    struct buf fresh;
    char *base;
    int r;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    maildir_name_parse(bytes_of(name), &parts);
    sizes.file = (uint64_t)st.st_size;
    base = maildir_unique_name(unique);
    buf_init(&fresh, 0);
    buf_add(&fresh, bytes_of(base));
    maildir_name_print_sizes(&fresh, &sizes);
    buf_add(&fresh, bytes_skip(bytes_of(name), parts.base.len));
    r = maildir_move(dir, name, dir, buf_text(&fresh));
    buf_deinit(&fresh);
    free(base);
    return r;
}
