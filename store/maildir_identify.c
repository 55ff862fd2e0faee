/* What identifies messages, by the batch. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_find.h"
#include "store/maildir_meta.h"

#define BATCH_MESSAGES 64u

struct job {
    struct maildir_job base;
    struct identify_request *request;
    struct maildir_files *files;
    char *path;
    struct maildir_dirs dirs;
    struct uidset_walk walk;
    struct maildir_batch batch;

    struct {
        struct identity identity;
        bool found;
    } results[BATCH_MESSAGES];
};

static void free_job(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    maildir_find_free(&job->batch);
    maildir_tree_close(&job->dirs);
    free(job->path);
    free(job);
}

/* What may not be read is no match, as if it were not there. But what cannot
 * be read just now may be one: the folder has to wait, or the message would
 * come a second time. */
static void identify_one(struct job *job, size_t i)
{
    struct maildir_entry *entry = &job->batch.entries[i];
    int fd = maildir_find_open(&job->dirs, &job->batch, entry);
    int r = fd;

    if (fd >= 0) {
        int error_number;

        r = maildir_meta_identify(fd, bytes_of(entry->base),
                                  job->request->level,
                                  &job->results[i].identity);
        error_number = errno;
        close(fd);
        errno = error_number;
    }
    job->results[i].found = r >= 0;
    if (r < 0 && errno != ENOENT && errno != EACCES && errno != EPERM &&
        errno != EINVAL) {
        job->base.r = err_errno(&job->base.err, ERR_DISK, errno, "%s/%s",
                                job->path, entry->base);
    }
}

static void identify(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    if (job->dirs.self < 0) {
        base->r = maildir_tree_open(base->maildir->root, job->path, false,
                                    &job->dirs, &base->err);
        if (base->r < 0) {
            return;
        }
    }
    for (size_t i = 0; base->r == 0 && i < job->batch.n; i++) {
        identify_one(job, i);
    }
}

static void next_batch(struct maildir_job *base);

static void identified(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    for (size_t i = 0; base->r == 0 && i < job->batch.n; i++) {
        if (job->results[i].found) {
            job->request->item(job->request, job->batch.entries[i].uid,
                               &job->results[i].identity);
        }
    }
    next_batch(base);
}

static void next_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    maildir_find_clear(&job->batch);
    if (base->r == 0) {
        base->r = maildir_find_next(job->files, &job->walk, BATCH_MESSAGES,
                                    &job->batch, &base->err);
    }
    if (base->r < 0 || job->batch.n == 0) {
        maildir_job_end(base);
    } else {
        maildir_job_run(base, identify, identified);
    }
}

void maildir_identify_start(struct endpoint *endpoint,
                            struct identify_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct job *job = MEM_NEW(struct job);

    job->base.free = free_job;
    job->request = request;
    job->walk.set = request->uids;
    job->dirs =
        (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    maildir_job_begin(maildir, &job->base, &request->base);
    job->base.r = maildir_enter_folder(maildir, &request->folder, &job->path,
                                       &job->files, &job->base.err);
    maildir_job_later(&job->base,
                      job->base.r < 0 ? maildir_job_end : next_batch, 0);
}
