/*
 * What is in a folder: one settled scan, base names to UIDs, letters to flags.
 * Names are dropped as they stream by; what is kept is 12 bytes a file, and the
 * names that cannot be written down again. Sizes and dates are asked for, and
 * told, some files at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_census.h"
#include "store/maildir_commit.h"
#include "store/maildir_durable.h"
#include "store/maildir_edited.h"
#include "store/maildir_find.h"
#include "store/maildir_keywords.h"
#include "store/maildir_list.h"
#include "store/maildir_name.h"
#include "store/maildir_scan.h"

#define SCAN_ENTRIES 2048u /* between two looks at the loop */
#define SCANS_MAX    10u
#define META_ENTRIES 512u
#define RECORD_ROWS  2048u /* the same, of the record */

/* Size and date of a file. */
struct measure {
    struct maildir_meta meta;
    bool known;
};

struct job {
    struct maildir_job base;
    struct delta_request *request;
    struct maildir_files *files;
    char *path;
    struct maildir_dirs dirs;
    struct maildir_keywords keywords;
    struct maildir_scan *scan;
    unsigned scans;
    unsigned wait_ms;
    struct buf names;
    bool has_more; /* to come after names */
    struct maildir_census
        *census; /* from the first names of a scan to its end */
    struct maildir_seen *seen;
    size_t n_seen;
    uint32_t mark;    /* what gets a number after it is unknown */
    size_t n_unknown; /* of them in seen */
    bool is_first; /* to look at a folder that is not on record, in this list */
    struct maildir_batch odd;    /* whose names are not plain */
    struct maildir_batch batch;  /* whose size and date are to be told next */
    struct maildir_batch edited; /* files with a name that is not theirs */
    size_t n_edited;             /* the first of them, to be renamed */
    bool has_renamed;            /* them, in this request */
    struct uidset doubled;       /* seen under more than one name */
    struct maildir_batch twins;  /* the base names of those, to be renamed */
    struct maildir_unique unique;
    struct measure *measures; /* of batch */
    size_t n_told;            /* of all that was seen */
    size_t n_next;            /* to be told with batch */
    struct maildir_keywords_sets sets;
    struct folder_token token;
    bool settled;
};

static void free_job(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    maildir_find_free(&job->odd);
    maildir_find_free(&job->batch);
    maildir_find_free(&job->edited);
    maildir_find_free(&job->twins);
    uidset_deinit(&job->doubled);
    free(job->measures);
    free(job->seen);
    free(job->path);
    buf_deinit(&job->names);
    maildir_census_free(job->census);
    maildir_scan_free(job->scan);
    maildir_tree_close(&job->dirs);
    maildir_keywords_deinit(&job->keywords);
    free(job);
}

/* Where the work failed the job is ended. Numbers that it gave go again: a file
 * that has one is durable. */
static bool failed(struct job *job)
{
    if (job->base.r < 0) {
        maildir_files_forget(job->files, job->mark);
        maildir_job_end(&job->base);
        return true;
    }
    return false;
}

/* --- the end: tell what was found ---------------------------------------- */

/* Together, so that those that were renamed meanwhile are looked for together:
 * a look reads the whole folder. */
static void measure(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    for (size_t i = 0; i < job->batch.n; i++) {
        struct measure *out = &job->measures[i];

        out->known = maildir_find_meta(&job->dirs, &job->batch,
                                       &job->batch.entries[i], &out->meta);
    }
}

static bool must_measure(const struct job *job, const struct maildir_seen *seen)
{
    return seen->fresh || !job->request->has_since || job->request->want_full;
}

/* To the batch. Returns 0, also where it is no more, or ERR_STATE. */
static int add_entry(struct job *job, uint32_t uid)
{
    int r = maildir_find_add(job->files, uid, &job->odd, &job->batch,
                             &job->base.err);

    return r < 0 ? r : 0;
}

/* What is to be told next, and what of it is to be measured first. */
static int fill_batch(struct job *job)
{
    const struct maildir_seen *seen;
    size_t n;
    int r = 0;

    maildir_find_clear(&job->batch);
    seen = maildir_files_all(job->files, &n);
    job->n_next = job->n_told;
    while (r == 0 && job->n_next < n && job->batch.n < META_ENTRIES) {
        if (must_measure(job, &seen[job->n_next])) {
            r = add_entry(job, seen[job->n_next].uid);
        }
        job->n_next++;
    }
    return r;
}

static int tell_batch(struct job *job)
{
    size_t n;
    const struct maildir_seen *all = maildir_files_all(job->files, &n);
    size_t at = 0;

    for (; job->n_told < job->n_next; job->n_told++) {
        const struct maildir_seen *seen = &all[job->n_told];
        struct listed listed = {.uid = seen->uid};

        listed.flags.system = maildir_name_to_flags(seen->letters);
        listed.flags.keywords = maildir_keywords_set(
            &job->keywords, &job->sets,
            state_keywords(job->base.maildir->state), seen->letters);
        if (listed.flags.keywords == UINT32_MAX) {
            return err_set(&job->base.err, ERR_LIMIT,
                           "%s: too many different sets of keywords",
                           job->request->folder.name);
        }
        if (at < job->batch.n && job->batch.entries[at].uid == seen->uid) {
            listed.has_meta = job->measures[at].known;
            listed.size = job->measures[at].meta.size;
            listed.date = job->measures[at].meta.date;
            at++;
        }
        job->request->item(job->request, &listed);
    }
    return 0;
}

static void told_all(struct job *job)
{
    struct delta_request *request = job->request;

    request->kind = LISTING_FULL;
    request->complete = job->settled;
    request->token = job->token;
    request->storable = maildir_keywords_storable(
        &job->keywords, state_keywords(job->base.maildir->state),
        maildir_files_letters(job->files));
    maildir_job_end(&job->base);
}

static void tell_next(struct job *job);

static void measured(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = tell_batch(job);
    if (!failed(job)) {
        tell_next(job);
    }
}

static void tell_next(struct job *job)
{
    job->base.r = fill_batch(job);
    if (failed(job)) {
        return;
    }
    if (job->batch.n > 0) {
        maildir_job_run(&job->base, measure, measured);
        return;
    }
    job->base.r = tell_batch(job);
    if (!failed(job)) {
        told_all(job);
    }
}

static void begin_telling(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    if (failed(job)) {
        return;
    }
    job->measures = mem_new(META_ENTRIES, sizeof(*job->measures));
    tell_next(job);
}

/* --- durable before it is told ---------------------------------------------- */

static bool is_everything(const struct job *job)
{
    return job->is_first || maildir_commit_together(job->n_unknown);
}

static void make_durable(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = maildir_durable(&job->dirs, &job->batch, is_everything(job),
                              &base->err);
}

/* The files that are not on record, where they are few. */
static int find_unknown(struct job *job)
{
    size_t n;
    const struct maildir_seen *seen = maildir_files_all(job->files, &n);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (maildir_files_is_since(job->files, job->mark, seen[i].uid)) {
            r = add_entry(job, seen[i].uid);
        }
    }
    return r;
}

/* --- the scan -------------------------------------------------------------- */

static void add_name(struct maildir_batch *batch, uint32_t uid,
                     struct bytes base, const char *name, bool in_new)
{
    batch->entries = mem_grow(batch->entries, batch->n, &batch->cap,
                              sizeof(*batch->entries));
    batch->entries[batch->n] = (struct maildir_entry){.uid = uid,
                                                      .base = mem_text(base),
                                                      .name = mem_copy(name),
                                                      .in_new = in_new};
    batch->n++;
}

static int take_name(struct job *job, const char *name, bool in_new)
{
    struct maildir_name parts;
    struct maildir_seen *seen;
    bool plain;
    int r;

    maildir_name_parse(bytes_of(name), &parts);
    r = maildir_census_count(job->census, parts.base, &seen, &job->base.err);
    if (r < 0) {
        return r;
    }
    seen->in_new = in_new;
    seen->letters = maildir_name_letters(&parts, &plain);
    seen->plain = plain;
    if (in_new) {
        /* "Files in new have no flags." */
        seen->letters = 0;
        seen->plain = name[parts.base.len] == 0;
    }
    if (!seen->plain) {
        add_name(&job->odd, seen->uid, parts.base, name, in_new);
    }
    job->n_unknown += maildir_files_is_since(job->files, job->mark, seen->uid);
    return 0;
}

/* The next record of a scan: its name, and what is after it. */
static const char *next_name(struct bytes *names)
{
    const char *name = names->ptr + 1;

    *names = bytes_skip(*names, 2 + strlen(name));
    return name;
}

static int take_names(struct job *job)
{
    struct bytes names = buf_peek(&job->names);
    int r = 0;

    while (r == 0 && names.len > 0) {
        bool in_new = names.ptr[0] == 'n';

        r = take_name(job, next_name(&names), in_new);
    }
    return r;
}

/* On the worker: take down which of the names are of edited files. */
static void look_for_edits(struct job *job)
{
    struct bytes names = buf_peek(&job->names);

    while (names.len > 0) {
        bool in_new = names.ptr[0] == 'n';
        const char *name = next_name(&names);
        struct maildir_name parts;

        /* What cannot be looked at is asked again before it would be removed. */
        if (maildir_edited_is(in_new ? job->dirs.new : job->dirs.cur, name) >
            0) {
            maildir_name_parse(bytes_of(name), &parts);
            add_name(&job->edited, 0, parts.base, name, in_new);
        }
    }
}

static void read_on(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    buf_clear(&job->names);
    base->r =
        maildir_scan_read(job->scan, &job->names, SCAN_ENTRIES, &base->err);
    if (!base->maildir->dry && job->request->has_since) {
        look_for_edits(job);
    }
    if (base->r == 0) {
        job->settled = maildir_scan_settled(job->scan, &job->token);
        /* After the names: a letter is in the list before it is in one. */
        base->r =
            maildir_keywords_load(&job->keywords, job->dirs.self, &base->err);
    }
}

static void begin_scan(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = maildir_scan_begin(job->scan, &job->wait_ms, &base->err);
    if (base->r == 0) {
        job->scans++;
        read_on(base);
    }
}

static void open_folder(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = maildir_tree_open(base->maildir->root, job->path, false,
                                &job->dirs, &base->err);
    if (base->r == 0) {
        job->scan = maildir_scan_new(job->dirs.cur, job->dirs.new);
        begin_scan(base);
    }
}

static void have_names(struct maildir_job *base);

static void begin_again(struct maildir_job *base)
{
    maildir_job_run(base, begin_scan, have_names);
}

static void forget_scan(struct job *job)
{
    maildir_census_free(job->census);
    job->census = NULL;
    free(job->seen);
    job->seen = NULL;
    job->n_seen = 0;
    job->n_unknown = 0;
    maildir_find_clear(&job->odd);
    maildir_find_clear(&job->edited);
    uidset_clear(&job->doubled);
}

/* Of the edited files put first, and count, those that were known by their
 * names, and have them for themselves. Returns 0 or ERR_STATE. */
static int keep_known(struct job *job)
{
    size_t *n = &job->n_edited;

    for (size_t i = 0; i < job->edited.n; i++) {
        struct maildir_entry *entry = &job->edited.entries[i];
        struct bytes base = bytes_of(entry->base);
        int r =
            maildir_files_uid(job->files, base, &entry->uid, &job->base.err);

        if (r < 0) {
            return r;
        }
        if (r == 0 && !uidset_has(&job->doubled, entry->uid)) {
            struct maildir_entry kept = *entry;

            *entry = job->edited.entries[*n];
            job->edited.entries[*n] = kept;
            (*n)++;
        }
    }
    return 0;
}

static void rename_files(struct job *job, const struct maildir_batch *batch,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct maildir_entry *entry = &batch->entries[i];

        (void)maildir_edited_rename(maildir_find_dir(&job->dirs, entry),
                                    entry->name, &job->unique);
    }
}

/* On the worker. One that cannot be renamed stays what it was. Of twins each
 * gets another name: nobody knows which of them had the number. */
static void rename_all(struct maildir_job *base)
{
    struct job *job = (struct job *)base;
    struct maildir_batch all = {0};

    rename_files(job, &job->edited, job->n_edited);
    if (job->twins.n > 0 &&
        maildir_find_all(&job->dirs, &job->twins, &all) == 0) {
        rename_files(job, &all, all.n);
    }
    maildir_find_free(&all);
    forget_scan(job);
    begin_scan(base);
}

/* A base name stands for one message; files that share one are told apart by
 * new ones. Numbers that they got together here go again. */
static int look_for_twins(struct job *job)
{
    struct uidset_walk walk = {.set = &job->doubled};
    int r = maildir_find_next(job->files, &walk, SIZE_MAX, &job->twins,
                              &job->base.err);

    if (r == 0 && job->has_renamed && job->twins.n > 0) {
        r = err_set(&job->base.err, ERR_BUSY,
                    "%s: several files have this name, and cannot be renamed",
                    job->twins.entries[0].base);
    }
    for (size_t i = 0; r == 0 && i < job->twins.n; i++) {
        const struct maildir_entry *twin = &job->twins.entries[i];

        if (maildir_files_is_since(job->files, job->mark, twin->uid)) {
            maildir_files_remove(job->files, twin->uid, bytes_of(twin->base));
        }
    }
    return r;
}

/* What was seen is as it is: make durable what is new in it, and tell. */
static void scan_stands(struct job *job)
{
    maildir_files_keep_take(job->files, job->seen, job->n_seen);
    job->seen = NULL;
    if (job->base.maildir->dry || (job->n_unknown == 0 && !job->is_first)) {
        begin_telling(&job->base);
        return;
    }
    if (!is_everything(job)) {
        job->base.r = find_unknown(job);
    }
    if (!failed(job)) {
        maildir_job_run(&job->base, make_durable, begin_telling);
    }
}

/* The scan is over: rename what needs another name and look again, once; else
 * tell. */
static void scan_over(struct job *job)
{
    job->seen = maildir_census_end(job->census, &job->n_seen, &job->doubled);
    job->census = NULL;
    buf_deinit(&job->names);
    maildir_find_sort(&job->odd);
    maildir_find_clear(&job->twins);
    job->n_edited = 0;
    if (job->settled && !job->base.maildir->dry) {
        job->base.r = look_for_twins(job);
    }
    if (job->base.r == 0 && job->settled && !job->has_renamed) {
        job->base.r = keep_known(job);
    }
    if (job->base.r == 0 && job->n_edited + job->twins.n > 0) {
        job->has_renamed = true;
        maildir_job_run(&job->base, rename_all, have_names);
    } else if (!failed(job)) {
        scan_stands(job);
    }
}

/* Names have come. They are counted when the record is read: not before the
 * first of them are here, or all folders of a run would be read at once. */
static void count_names(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    if (job->census == NULL) {
        job->census = maildir_census_new(job->files, job->request->known);
    }
    base->r = maildir_census_read(job->census, RECORD_ROWS, &base->err);
    if (base->r == MAILDIR_CENSUS_MORE) {
        maildir_job_later(base, count_names, 0);
        return;
    }
    if (base->r == 0) {
        base->r = take_names(job);
    }
    if (failed(job)) {
        return;
    }
    if (job->has_more) {
        maildir_job_run(base, read_on, have_names);
    } else if (!job->settled && job->scans < SCANS_MAX) {
        forget_scan(job);
        begin_again(base);
    } else {
        scan_over(job);
    }
}

static void have_names(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    if (failed(job)) {
        return;
    }
    if (base->r == MAILDIR_SCAN_WAIT) {
        maildir_job_later(base, begin_again, job->wait_ms);
        return;
    }
    job->has_more = base->r == MAILDIR_SCAN_MORE;
    count_names(base);
}

void maildir_delta_start(struct endpoint *endpoint,
                         struct delta_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct job *job = MEM_NEW(struct job);

    job->base.free = free_job;
    job->request = request;
    job->dirs =
        (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    buf_init(&job->names, 0);
    maildir_unique_init(&job->unique);
    maildir_job_begin(maildir, &job->base, &request->base);
    job->base.r = maildir_enter_folder(maildir, &request->folder, &job->path,
                                       &job->files, &job->base.err);
    if (job->base.r < 0) {
        maildir_job_later(&job->base, maildir_job_end, 0);
    } else {
        job->mark = maildir_files_mark(job->files);
        job->is_first = !request->has_since && !maildir->is_durable;
        maildir->is_durable = maildir->is_durable || job->is_first;
        maildir_job_run(&job->base, open_folder, have_names);
    }
}
