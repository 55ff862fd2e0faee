/*
 * What all requests to one Maildir share: its root, the files that are known
 * by UID, and jobs, the life of a request between the loop and the workers.
 * Inside store only; the outside sees maildir_endpoint.h.
 */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "store/diskwork.h"
#include "store/maildir_endpoint.h"
#include "store/maildir_files.h"
#include "store/maildir_generation.h"

struct maildir_deliver;
struct maildir_job;

struct maildir {
    struct endpoint endpoint; /* first: a struct endpoint * is one of these */
    struct diskwork *diskwork;
    const struct maildir_account *account;
    struct state *state; /* NULL: probe */
    enum side side;
    const struct log *log;
    int root; /* descriptor; -1: not open, or not there yet */
    struct maildir_generation generation; /* as the state knows it */
    int generation_root; /* the root, until the last commit; -1: as above */
    struct maildir_files **files;
    size_t n_files;
    size_t cap_files;
    struct maildir_deliver *deliver;
    struct maildir_job *jobs;    /* under way */
    struct close_request *close; /* once asked for */
    struct disk_task closing;
    bool dry;        /* nothing may be changed */
    bool is_durable; /* all that was there when the folders were listed */
    bool drained;    /* idle jobs were ended; close once the others are */
};

/*
 * A request under way; the head of a bigger struct of whoever serves it. It
 * has at most one piece of work on a worker or timer at a time. Once the
 * endpoint closes, the next step of a job is its end.
 */
struct maildir_job {
    struct maildir *maildir;
    struct request *request;
    void (*free)(struct maildir_job *job);
    /* The endpoint closes and the job is idle; NULL: just end it. */
    void (*cancel)(struct maildir_job *job);
    void (*work)(struct maildir_job *job); /* on a worker */
    void (*step)(struct maildir_job *job); /* on the loop, afterwards */
    bool busy;
    int r; /* how the work went */
    struct err err;
    struct disk_task task;
    struct maildir_job *next;
    struct maildir_job **link; /* what points to this one */
};

/* Take the job in; @job is zeroed but for free and cancel. */
void maildir_job_begin(struct maildir *maildir, struct maildir_job *job,
                       struct request *request);

/* work() on a worker, then step() on the loop; or only step(), later. */
void maildir_job_run(struct maildir_job *job,
                     void (*work)(struct maildir_job *job),
                     void (*step)(struct maildir_job *job));
void maildir_job_later(struct maildir_job *job,
                       void (*step)(struct maildir_job *job),
                       unsigned delay_ms);

/* End with job->r and job->err: the job is freed, then the request is done.
 * Never from inside the submitting call: there, maildir_job_later() it. */
void maildir_job_end(struct maildir_job *job);

/* The request's folder: its directory (free() it) and its files (borrowed).
 * Returns 0, ERR_GONE where another UIDVALIDITY is expected, or
 * ERR_REFUSED. */
int maildir_enter_folder(struct maildir *maildir, const struct folder_ref *ref,
                         char **path, struct maildir_files **files,
                         struct err *err);

/* End what is idle, close once all has ended. */
void maildir_close(struct maildir *maildir, struct close_request *request);

/* The classes' functions, each in the file that serves it. */
void maildir_delta_start(struct endpoint *endpoint,
                         struct delta_request *request);
void maildir_read_start(struct endpoint *endpoint,
                        struct read_request *request);
void maildir_read_pause(struct endpoint *endpoint, struct read_request *request,
                        bool pause);
void maildir_identify_start(struct endpoint *endpoint,
                            struct identify_request *request);
void maildir_change_flags(struct endpoint *endpoint,
                          struct flag_request *request);
void maildir_change_remove(struct endpoint *endpoint,
                           struct remove_request *request);
void maildir_place_start(struct endpoint *endpoint,
                         struct place_request *request);

#endif
