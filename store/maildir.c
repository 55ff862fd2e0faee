#include "store/maildir.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir_deliver.h"
#include "store/maildir_list.h"
#include "store/maildir_path.h"

void maildir_job_begin(struct maildir *maildir, struct maildir_job *job,
                       struct request *request)
{
    job->maildir = maildir;
    job->request = request;
    job->next = maildir->jobs;
    job->link = &maildir->jobs;
    if (job->next != NULL) {
        job->next->link = &job->next;
    }
    maildir->jobs = job;
}

static void on_work(void *owner)
{
    struct maildir_job *job = owner;

    job->work(job);
}

static void cancel(struct maildir_job *job)
{
    if (job->cancel != NULL) {
        job->cancel(job);
        return;
    }
    job->r = err_set(&job->err, ERR_CANCELLED, "cancelled");
    maildir_job_end(job);
}

static void on_done(void *owner)
{
    struct maildir_job *job = owner;

    job->busy = false;
    if (job->maildir->close != NULL) {
        cancel(job);
    } else {
        job->step(job);
    }
}

static void set_task(struct maildir_job *job,
                     void (*step)(struct maildir_job *job))
{
    job->step = step;
    job->busy = true;
    job->task =
        (struct disk_task){.work = on_work, .done = on_done, .owner = job};
}

void maildir_job_run(struct maildir_job *job,
                     void (*work)(struct maildir_job *job),
                     void (*step)(struct maildir_job *job))
{
    job->work = work;
    set_task(job, step);
    diskwork_run(job->maildir->diskwork, &job->task);
}

void maildir_job_later(struct maildir_job *job,
                       void (*step)(struct maildir_job *job), unsigned delay_ms)
{
    set_task(job, step);
    diskwork_later(job->maildir->diskwork, &job->task, delay_ms);
}

static void check_closed(struct maildir *maildir)
{
    struct close_request *request = maildir->close;

    if (request == NULL || !maildir->drained || maildir->jobs != NULL) {
        return;
    }
    if (maildir->root >= 0) {
        close(maildir->root);
        maildir->root = -1;
    }
    maildir_deliver_free(maildir->deliver);
    maildir->deliver = NULL;
    maildir->drained = false;
    request->base.result = 0;
    request->base.done(&request->base);
}

void maildir_job_end(struct maildir_job *job)
{
    struct maildir *maildir = job->maildir;
    struct request *request = job->request;

    request->result = job->r;
    if (job->r < 0) {
        request->err = job->err;
    }
    *job->link = job->next;
    if (job->next != NULL) {
        job->next->link = job->link;
    }
    job->free(job);
    request->done(request);
    check_closed(maildir);
}

static struct maildir_files *files_of(struct maildir *maildir, uint32_t folder)
{
    for (size_t i = 0; i < maildir->n_files; i++) {
        if (maildir_files_folder(maildir->files[i]) == folder) {
            return maildir->files[i];
        }
    }
    maildir->files =
        mem_grow(maildir->files, maildir->n_files, &maildir->cap_files,
                 sizeof(struct maildir_files *));
    maildir->files[maildir->n_files] =
        maildir_files_new(maildir->state, maildir->side, folder);
    return maildir->files[maildir->n_files++];
}

int maildir_enter_folder(struct maildir *maildir, const struct folder_ref *ref,
                         char **path, struct maildir_files **files,
                         struct err *err)
{
    struct buf buf;
    int r;

    if (ref->uidvalidity != 0 && ref->uidvalidity != MAILDIR_LIST_UIDVALIDITY) {
        return err_set(err, ERR_GONE, "%s: another UIDVALIDITY is expected",
                       ref->name);
    }
    buf_init(&buf, 0);
    r = maildir_path_encode(maildir->account->layout, bytes_of(ref->name), &buf,
                            err);
    if (r == 0) {
        *path = mem_text(buf_peek(&buf));
        *files = files_of(maildir, ref->id);
    }
    buf_deinit(&buf);
    return err_wrap(err, r, "%s", ref->name);
}

static void on_close(void *owner)
{
    struct maildir *maildir = owner;
    struct maildir_job *job = maildir->jobs;

    while (job != NULL) {
        struct maildir_job *next = job->next;

        if (!job->busy) {
            cancel(job);
        }
        job = next;
    }
    maildir->drained = true;
    check_closed(maildir);
}

void maildir_close(struct maildir *maildir, struct close_request *request)
{
    maildir->close = request;
    maildir->closing = (struct disk_task){.done = on_close, .owner = maildir};
    diskwork_later(maildir->diskwork, &maildir->closing, 0);
}
