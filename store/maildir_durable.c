#include "store/maildir_durable.h"

#include <errno.h>
#include <unistd.h>

#include "store/maildir_commit.h"

static int sync_file(const struct maildir_dirs *dirs,
                     struct maildir_batch *batch, struct maildir_entry *entry)
{
    int fd = maildir_find_open(dirs, batch, entry);
    int r;

    if (fd < 0) {
        return 0; /* gone, or not to be read: then it goes nowhere */
    }
    r = fsync(fd);
    close(fd);
    return r;
}

static int sync_singly(const struct maildir_dirs *dirs,
                       struct maildir_batch *batch)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < batch->n; i++) {
        r = sync_file(dirs, batch, &batch->entries[i]);
    }
    if (r == 0) {
        r = fsync(dirs->new);
    }
    return r == 0 ? fsync(dirs->cur) : r;
}

int maildir_durable(const struct maildir_dirs *dirs,
                    struct maildir_batch *batch, bool all, struct err *err)
{
    int r = all ? maildir_commit_sync_all(dirs->cur) : sync_singly(dirs, batch);

    return r == 0 ? 0 : err_errno(err, ERR_DISK, errno, "new messages");
}
