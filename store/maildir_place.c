/*
 * Messages into another folder of the same Maildir: renames, or links for
 * copies, made durable by one fsync of each directory, the target's first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_find.h"
#include "store/maildir_keywords.h"
#include "store/maildir_move.h"
#include "store/maildir_name.h"

#define BATCH_MESSAGES 1024u
#define COPY_BYTES     65536u

/* One end of the way. */
struct end {
    char *path;
    struct maildir_files *files;
    struct maildir_dirs dirs;
    struct maildir_keywords keywords;
    uint32_t avoid; /* letters that files carry */
};

struct job {
    struct maildir_job base;
    struct place_request *request;
    struct end from;
    struct end to;
    struct uidset_walk walk;
    struct maildir_batch batch;
    char **bases;    /* of the batch's files in the target; NULL: not placed */
    struct err late; /* one file that could not be placed; the others were */
    int late_r;
};

static void free_end(struct end *end)
{
    maildir_tree_close(&end->dirs);
    maildir_keywords_deinit(&end->keywords);
    free(end->path);
}

static void free_bases(struct job *job)
{
    for (size_t i = 0; i < BATCH_MESSAGES; i++) {
        free(job->bases[i]);
        job->bases[i] = NULL;
    }
}

static void free_job(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    maildir_find_free(&job->batch);
    free_bases(job);
    free(job->bases);
    free_end(&job->from);
    free_end(&job->to);
    free(job);
}

/* --- on a worker ----------------------------------------------------------- */

static int open_end(struct job *job, struct end *end, bool with_tmp)
{
    int r;

    if (end->dirs.self >= 0) {
        return 0;
    }
    r = maildir_tree_open(job->base.maildir->root, end->path, with_tmp,
                          &end->dirs, &job->base.err);
    if (r == 0) {
        r = maildir_keywords_load(&end->keywords, end->dirs.self,
                                  &job->base.err);
    }
    return r;
}

/* The same keywords may have other letters over there; what finds none there
 * is dropped. */
static uint32_t translate(struct job *job, uint32_t letters)
{
    uint32_t keywords = letters & MAILDIR_NAME_KEYWORDS;
    unsigned missing = 0;
    struct buf names;
    struct err err;

    if (keywords == 0) {
        return letters;
    }
    buf_init(&names, 0);
    maildir_keywords_names(&job->from.keywords, keywords, &names);
    keywords =
        maildir_keywords_letters(&job->to.keywords, buf_peek(&names), &missing);
    if (missing > 0 &&
        maildir_keywords_allocate(&job->to.keywords, job->to.dirs.self,
                                  buf_peek(&names), job->to.avoid, &err) == 0) {
        keywords =
            maildir_keywords_letters(&job->to.keywords, buf_peek(&names), NULL);
    }
    buf_deinit(&names);
    return (letters & ~(uint32_t)MAILDIR_NAME_KEYWORDS) | keywords;
}

/* The name that a file gets over there: @base, with the letters translated. */
static void new_name(struct job *job, const struct maildir_entry *entry,
                     const char *base, struct buf *out)
{
    struct maildir_name parts;
    struct buf renamed;
    uint32_t letters;
    uint32_t keywords;
    bool plain;

    maildir_name_parse(bytes_of(entry->name), &parts);
    if (!parts.has_info) {
        buf_add(out, bytes_of(base));
        return;
    }
    letters = maildir_name_letters(&parts, &plain);
    keywords = letters & MAILDIR_NAME_KEYWORDS;
    buf_init(&renamed, 0);
    buf_printf(&renamed, "%s%s", base, entry->name + parts.base.len);
    maildir_name_change(out, buf_peek(&renamed), translate(job, letters),
                        keywords & ~translate(job, letters));
    buf_deinit(&renamed);
}

/* A base name that no file has, with the sizes of the old one. */
static char *unique_base(const struct maildir_entry *entry)
{
    struct maildir_name_sizes sizes;
    struct maildir_name_unique unique = {.pid = (uint64_t)getpid()};
    char host[64] = "localhost";
    struct timespec now;
    struct buf buf;
    char *base;

    (void)gethostname(host, sizeof(host) - 1);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    unique.seconds = now.tv_sec;
    unique.microseconds = (uint32_t)(now.tv_nsec / 1000);
    unique.host = bytes_of(host);
    digest_random((uint8_t *)&unique.random, sizeof(unique.random));
    maildir_name_parse_sizes(bytes_of(entry->base), &sizes);
    buf_init(&buf, 0);
    maildir_name_print_unique(&buf, &unique);
    maildir_name_print_sizes(&buf, &sizes);
    base = mem_text(buf_peek(&buf));
    buf_deinit(&buf);
    return base;
}

static int copy_octets(int from, int to)
{
    char *bytes = mem_new(COPY_BYTES, 1);
    ssize_t n;
    int r = 0;

    while (r == 0 && (n = read(from, bytes, COPY_BYTES)) != 0) {
        errno = n < 0 ? errno : ENOSPC;
        r = n > 0 && write(to, bytes, (size_t)n) == n ? 0 : -1;
    }
    free(bytes);
    return r;
}

/* Where the file system has no links: through tmp, durable before it shows. */
static int copy_file(const struct job *job, int dir, const char *name, int to,
                     const char *to_name)
{
    int from_fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to_fd = -1;
    struct stat st;
    int r = -1;

    if (from_fd >= 0 && fstat(from_fd, &st) == 0) {
        to_fd =
            openat(job->to.dirs.tmp, to_name,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (to_fd >= 0) {
        const struct timespec times[] = {st.st_mtim, st.st_mtim};

        r = copy_octets(from_fd, to_fd);
        r = r == 0 && futimens(to_fd, times) == 0 && fsync(to_fd) == 0 ? 0 : -1;
        r = close(to_fd) == 0 ? r : -1;
        if (r == 0) {
            r = maildir_move(job->to.dirs.tmp, to_name, to, to_name);
        }
        if (r < 0) {
            (void)unlinkat(job->to.dirs.tmp, to_name, 0);
        }
    }
    if (from_fd >= 0) {
        (void)close(from_fd);
    }
    return r;
}

static int place_as(struct job *job, const struct maildir_entry *entry,
                    const char *base)
{
    int dir = maildir_find_dir(&job->from.dirs, entry);
    int to = entry->in_new ? job->to.dirs.new : job->to.dirs.cur;
    struct buf name;
    int r;

    buf_init(&name, 0);
    new_name(job, entry, base, &name);
    if (job->request->move) {
        r = maildir_move(dir, entry->name, to, buf_text(&name));
    } else {
        r = linkat(dir, entry->name, to, buf_text(&name), 0);
        if (r < 0 && (errno == EPERM || errno == EXDEV || errno == EMLINK ||
                      errno == ENOTSUP || errno == EOPNOTSUPP)) {
            r = copy_file(job, dir, entry->name, to, buf_text(&name));
        }
    }
    buf_deinit(&name);
    return r;
}

/* Under its own base name; another one where that is taken. */
static int place_one(struct job *job, struct maildir_entry *entry, char **base)
{
    char *wanted =
        job->request->move ? mem_copy(entry->base) : unique_base(entry);
    int r = place_as(job, entry, wanted);

    if (r < 0 && errno == EEXIST) {
        free(wanted);
        wanted = unique_base(entry);
        r = place_as(job, entry, wanted);
    }
    if (r < 0) {
        free(wanted);
        return r;
    }
    *base = wanted;
    return 0;
}

/* Do one, with a second look where it is not where it was. */
static void do_one(struct job *job, struct maildir_entry *entry, char **base)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if (!maildir_find_locate(&job->from.dirs, &job->batch, entry,
                                 attempt) ||
            place_one(job, entry, base) == 0) {
            return;
        }
        if (errno != ENOENT) {
            job->late_r = err_errno(
                &job->late, errno == ENAMETOOLONG ? ERR_REFUSED : ERR_DISK,
                errno, "%s/%s", job->from.path, entry->name);
            return;
        }
    }
}

static void do_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = open_end(job, &job->from, false);
    if (base->r == 0) {
        base->r = open_end(job, &job->to, true);
    }
    if (base->r < 0) {
        return;
    }
    for (size_t i = 0; i < job->batch.n; i++) {
        do_one(job, &job->batch.entries[i], &job->bases[i]);
    }
    if (fsync(job->to.dirs.cur) < 0 || fsync(job->to.dirs.new) < 0 ||
        fsync(job->from.dirs.cur) < 0 || fsync(job->from.dirs.new) < 0) {
        base->r = err_errno(&base->err, ERR_DISK, errno, "%s", job->to.path);
    }
}

/* --- on the loop ------------------------------------------------------------ */

static int record_one(struct job *job, const struct maildir_entry *entry,
                      const char *base)
{
    uint32_t to_uid;
    int r = maildir_files_uid(job->to.files, bytes_of(base), &to_uid,
                              &job->base.err);

    if (r < 0) {
        return r;
    }
    if (job->request->move) {
        maildir_files_remove(job->from.files, entry->uid,
                             bytes_of(entry->base));
    }
    job->request->placed(job->request, entry->uid, to_uid);
    return 0;
}

static void next_batch(struct maildir_job *base);

static void done_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    for (size_t i = 0; i < job->batch.n && base->r == 0; i++) {
        if (job->bases[i] != NULL) {
            base->r = record_one(job, &job->batch.entries[i], job->bases[i]);
        }
    }
    free_bases(job);
    next_batch(base);
}

static void next_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    maildir_find_clear(&job->batch);
    if (base->r == 0) {
        base->r = maildir_find_next(job->from.files, &job->walk, BATCH_MESSAGES,
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

static int enter(struct job *job, const struct folder_ref *ref, struct end *end)
{
    int r = maildir_enter_folder(job->base.maildir, ref, &end->path,
                                 &end->files, &job->base.err);

    if (r == 0) {
        end->avoid = maildir_files_letters(end->files);
    }
    return r;
}

void maildir_place_start(struct endpoint *endpoint,
                         struct place_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct job *job = MEM_NEW(struct job);
    const struct maildir_dirs closed = {
        .self = -1, .cur = -1, .new = -1, .tmp = -1};

    job->base.free = free_job;
    job->request = request;
    job->walk.set = request->uids;
    job->from.dirs = closed;
    job->to.dirs = closed;
    job->bases = mem_new(BATCH_MESSAGES, sizeof(*job->bases));
    request->kept = false;
    maildir_job_begin(maildir, &job->base, &request->base);
    job->base.r = enter(job, &request->from, &job->from);
    if (job->base.r == 0) {
        job->base.r = enter(job, &request->to, &job->to);
    }
    maildir_job_later(&job->base,
                      job->base.r < 0 ? maildir_job_end : next_batch, 0);
}
