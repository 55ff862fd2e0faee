/*
 * Flags and removals: renames and unlinks by the batch, made durable by one
 * fsync of each directory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_edited.h"
#include "store/maildir_find.h"
#include "store/maildir_keywords.h"
#include "store/maildir_move.h"
#include "store/maildir_name.h"

#define BATCH_MESSAGES 1024u

struct job {
    struct maildir_job base;
    const struct flag_request *flags; /* NULL: a removal */
    struct maildir_files *files;
    char *path;
    struct maildir_dirs dirs;
    struct uidset_walk walk;
    struct maildir_batch batch;
    struct maildir_unique unique;
    /* flags */
    struct maildir_keywords keywords;
    char *add_names; /* keywords, blank-separated */
    char *remove_names;
    uint32_t avoid; /* letters that files carry */
    uint32_t add;   /* letters */
    uint32_t remove;
    struct err late; /* one file that could not be changed; the others were */
    int late_r;
};

static void free_job(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    maildir_find_free(&job->batch);
    maildir_tree_close(&job->dirs);
    maildir_keywords_deinit(&job->keywords);
    free(job->add_names);
    free(job->remove_names);
    free(job->path);
    free(job);
}

/* --- on a worker ----------------------------------------------------------- */

/* What to write into the names. */
static int find_letters(struct job *job)
{
    struct flags_change change = job->flags->change;
    struct bytes add = bytes_of(job->add_names);
    unsigned missing = 0;
    int r =
        maildir_keywords_load(&job->keywords, job->dirs.self, &job->base.err);

    if (r < 0) {
        return r;
    }
    job->add = maildir_keywords_letters(&job->keywords, add, &missing);
    if (missing > 0) {
        r = maildir_keywords_allocate(&job->keywords, job->dirs.self, add,
                                      job->avoid, &job->base.err);
        /* What found no letter cannot be stored: see flags_storable. */
        job->add = maildir_keywords_letters(&job->keywords, add, NULL);
    }
    job->remove = maildir_keywords_letters(&job->keywords,
                                           bytes_of(job->remove_names), NULL);
    job->add |= maildir_name_from_flags(change.add.system);
    job->remove |= maildir_name_from_flags(change.remove.system);
    return r;
}

static int open_folder(struct job *job)
{
    /* By way of tmp a keyword gets a letter. */
    bool with_tmp = job->flags != NULL && job->add_names[0] != '\0';
    int r;

    if (job->dirs.self >= 0) {
        return 0;
    }
    r = maildir_tree_open(job->base.maildir->root, job->path, with_tmp,
                          &job->dirs, &job->base.err);
    if (r == 0 && job->flags != NULL) {
        r = find_letters(job);
    }
    return r;
}

/* Rename one file. Returns 0 or -1 with errno. */
static int change_one(struct job *job, struct maildir_entry *entry)
{
    int from = maildir_find_dir(&job->dirs, entry);
    struct buf name;
    int r = 0;

    if (entry->in_new && job->add == 0) {
        return 0; /* no flags there, none to take away */
    }
    buf_init(&name, 0);
    maildir_name_change(&name, bytes_of(entry->name), job->add, job->remove);
    if (entry->in_new || strcmp(buf_text(&name), entry->name) != 0) {
        r = maildir_move(from, entry->name, job->dirs.cur, buf_text(&name));
    }
    if (r == 0) {
        free(entry->name);
        entry->name = mem_text(buf_peek(&name));
        entry->in_new = false;
    }
    buf_deinit(&name);
    return r;
}

static int remove_one(struct job *job, struct maildir_entry *entry)
{
    int dir = maildir_find_dir(&job->dirs, entry);
    int r = maildir_edited_is(dir, entry->name);

    if (r > 0) {
        r = maildir_edited_rename(dir, entry->name, &job->unique);
    } else if (r == 0) {
        r = unlinkat(dir, entry->name, 0);
    }
    entry->gone = r == 0;
    return r;
}

static void be_late(struct job *job, const struct maildir_entry *entry,
                    int error_number)
{
    job->late_r = err_errno(
        &job->late,
        error_number == EEXIST || error_number == ENAMETOOLONG ? ERR_REFUSED
                                                               : ERR_DISK,
        error_number, "%s/%s", job->path,
        entry->name != NULL ? entry->name : entry->base);
}

/* Do one, with a second look where it is not where it was. */
static void do_one(struct job *job, struct maildir_entry *entry)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        int r = maildir_find_locate(&job->dirs, &job->batch, entry, attempt);

        if (r == 0) {
            r = job->flags != NULL ? change_one(job, entry)
                                   : remove_one(job, entry);
            if (r < 0 && errno == ENOENT) {
                continue;
            }
        }
        if (r < 0) {
            be_late(job, entry, errno);
        }
        return;
    }
}

static void do_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = open_folder(job);
    if (base->r < 0) {
        return;
    }
    for (size_t i = 0; i < job->batch.n; i++) {
        do_one(job, &job->batch.entries[i]);
    }
    if (fsync(job->dirs.cur) < 0 || fsync(job->dirs.new) < 0) {
        base->r = err_errno(&base->err, ERR_DISK, errno, "%s", job->path);
    }
}

/* --- on the loop ------------------------------------------------------------ */

/* Remember how the files are called now, and which are no more. */
static void record(struct job *job)
{
    for (size_t i = 0; i < job->batch.n; i++) {
        const struct maildir_entry *entry = &job->batch.entries[i];
        struct maildir_seen seen = {.uid = entry->uid, .in_new = entry->in_new};
        struct maildir_name parts;

        if (job->flags == NULL && entry->gone) {
            maildir_files_remove(job->files, entry->uid, bytes_of(entry->base));
        }
        if (job->flags == NULL || entry->gone || entry->name == NULL) {
            continue;
        }
        maildir_name_parse(bytes_of(entry->name), &parts);
        seen.letters = maildir_name_letters(&parts, &seen.plain);
        if (seen.in_new) {
            seen.letters = 0;
            seen.plain = strcmp(entry->name, entry->base) == 0;
        }
        maildir_files_moved(job->files, &seen);
    }
}

static void next_batch(struct maildir_job *base);

static void done_batch(struct maildir_job *base)
{
    if (base->r == 0) {
        record((struct job *)base);
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
    if (base->r == 0 && job->batch.n > 0) {
        maildir_job_run(base, do_batch, done_batch);
        return;
    }
    if (base->r == 0 && job->late_r < 0) {
        base->r = job->late_r;
        base->err = job->late;
    }
    maildir_job_end(base);
}

static void start(struct maildir *maildir, struct job *job,
                  struct request *request, const struct folder_ref *folder)
{
    job->base.free = free_job;
    job->dirs =
        (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    maildir_job_begin(maildir, &job->base, request);
    job->base.r = maildir_enter_folder(maildir, folder, &job->path, &job->files,
                                       &job->base.err);
    if (job->base.r == 0) {
        job->avoid = maildir_files_letters(job->files);
    }
    maildir_job_later(&job->base,
                      job->base.r < 0 ? maildir_job_end : next_batch, 0);
}

void maildir_change_flags(struct endpoint *endpoint,
                          struct flag_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct keywords *sets = state_keywords(maildir->state);
    struct job *job = MEM_NEW(struct job);

    job->flags = request;
    job->walk.set = request->uids;
    job->add_names =
        mem_text(keywords_text(sets, request->change.add.keywords));
    job->remove_names =
        mem_text(keywords_text(sets, request->change.remove.keywords));
    start(maildir, job, &request->base, &request->folder);
}

void maildir_change_remove(struct endpoint *endpoint,
                           struct remove_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct job *job = MEM_NEW(struct job);

    job->walk.set = request->uids;
    maildir_unique_init(&job->unique);
    request->kept = false;
    start(maildir, job, &request->base, &request->folder);
}
