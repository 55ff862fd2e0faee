/*
 * Messages into another folder of the same Maildir: renames for moves, links
 * for copies, by the batch, made durable by one fsync of each directory.
 *
 * A moved file keeps its base name, unless the target has or had it: each base
 * name has one UID in a folder, and a message that comes gets a new one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_find.h"
#include "store/maildir_keywords.h"
#include "store/maildir_move.h"
#include "store/maildir_name.h"
#include "store/maildir_taken.h"
#include "store/maildir_unique.h"
#include "store/maildir_write.h"

#define BATCH_MESSAGES 1024u
#define TRANSLATED                     \
    ((uint32_t)MAILDIR_NAME_KEYWORDS | \
     (uint32_t)MAILDIR_NAME_PASSED) /* letters */

/* One of the two folders. */
struct end {
    char *path;
    struct maildir_files *files;
    struct maildir_dirs dirs;
    struct maildir_keywords keywords;
    uint32_t letters; /* that files carry, with a name or not */
};

/* What became of a batch's entry. */
struct placed {
    bool rename; /* the target knows the base name */
    char *base;  /* in the target; NULL: it was not placed */
    char *name;
    bool in_new;
    bool original_left; /* a move that had to be a copy */
};

struct job {
    struct maildir_job base;
    struct place_request *request;
    bool move;
    struct end from;
    struct end to;
    struct uidset_walk walk;
    struct maildir_batch batch;
    struct placed *placed; /* by entry of the batch */
    /* On a worker. */
    bool open;
    struct maildir_unique unique;
    struct maildir_taken taken; /* in the target, for moves */
    uint32_t avoid;             /* letters that no keyword may be given */
    bool no_letters;            /* the target has none to give away any more */
    int keywords_r;             /* its keywords could not be written down */
    struct err keywords_err;
    struct err late; /* one file that could not be placed; the others were */
    int late_r;
};

static void free_end(struct end *end)
{
    maildir_tree_close(&end->dirs);
    maildir_keywords_deinit(&end->keywords);
    free(end->path);
}

static void clear_batch(struct job *job)
{
    for (size_t i = 0; i < job->batch.n; i++) {
        free(job->placed[i].base);
        free(job->placed[i].name);
        job->placed[i] = (struct placed){0};
    }
    maildir_find_clear(&job->batch);
}

static void free_job(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    clear_batch(job);
    maildir_find_free(&job->batch);
    free(job->placed);
    maildir_taken_deinit(&job->taken);
    free_end(&job->from);
    free_end(&job->to);
    free(job);
}

/* --- letters ---------------------------------------------------------------- */

/* Those among @letters that are keywords without a name. */
static uint32_t nameless(const struct maildir_keywords *keywords,
                         uint32_t letters)
{
    for (unsigned i = 0; i < MAILDIR_KEYWORDS_MAX; i++) {
        if (keywords->name[i] != NULL) {
            letters &= ~(1u << i);
        }
    }
    return letters & MAILDIR_NAME_KEYWORDS;
}

/* The target's letters for @names; what finds none there is dropped. */
static int find_letters(struct job *job, struct bytes names, uint32_t *letters)
{
    unsigned missing = 0;

    *letters = maildir_keywords_letters(&job->to.keywords, names, &missing);
    if (missing == 0 || job->no_letters || job->keywords_r < 0) {
        return missing > 0 ? job->keywords_r : 0;
    }
    job->keywords_r =
        maildir_keywords_allocate(&job->to.keywords, job->to.dirs.self, names,
                                  job->avoid, &job->keywords_err);
    *letters = maildir_keywords_letters(&job->to.keywords, names, &missing);
    job->no_letters = missing > 0;
    return job->keywords_r;
}

/* The same keywords have other letters in the target. A letter without a name
 * is kept where it would not get one by that. */
static int translate(struct job *job, uint32_t letters, uint32_t *out)
{
    uint32_t kept =
        nameless(&job->to.keywords, nameless(&job->from.keywords, letters));
    struct buf names;
    int r;

    job->avoid |= kept;
    buf_init(&names, 0);
    maildir_keywords_names(&job->from.keywords, letters, &names);
    r = find_letters(job, buf_peek(&names), out);
    buf_deinit(&names);
    *out |= kept;
    return r;
}

/* --- one file ---------------------------------------------------------------- */

/* A base name of its own, with the sizes that the old one tells. */
static char *fresh_base(struct job *job, const struct maildir_entry *entry)
{
    struct maildir_name_sizes sizes;
    char *unique = maildir_unique_name(&job->unique);
    struct buf buf;
    char *base;

    maildir_name_parse_sizes(bytes_of(entry->base), &sizes);
    buf_init(&buf, 0);
    buf_add(&buf, bytes_of(unique));
    maildir_name_print_sizes(&buf, &sizes);
    base = mem_text(buf_peek(&buf));
    buf_deinit(&buf);
    free(unique);
    return base;
}

/* The entry's name with another base, and with @to in place of the letters
 * @from. */
static char *name_with(const struct maildir_entry *entry, const char *base,
                       uint32_t from, uint32_t to)
{
    char *name = mem_printf("%s%s", base, entry->name + strlen(entry->base));
    struct buf changed;

    if (from == to) {
        return name;
    }
    buf_init(&changed, 0);
    maildir_name_change(&changed, bytes_of(name), to, from);
    free(name);
    name = mem_text(buf_peek(&changed));
    buf_deinit(&changed);
    return name;
}

static int target_dir(const struct job *job, const struct maildir_entry *entry)
{
    return maildir_find_dir(&job->to.dirs, entry);
}

/* Through tmp, with its data durable before it is visible. */
static int copy_file(struct job *job, const struct maildir_entry *entry,
                     const char *name)
{
    int tmp = job->to.dirs.tmp;
    char *tmp_name = maildir_unique_name(&job->unique);
    int r = maildir_write_copy(maildir_find_dir(&job->from.dirs, entry),
                               entry->name, tmp, tmp_name);

    if (r == 0) {
        r = maildir_move(tmp, tmp_name, target_dir(job, entry), name);
        if (r < 0) {
            int error_number = errno;

            (void)unlinkat(tmp, tmp_name, 0);
            errno = error_number;
        }
    }
    free(tmp_name);
    return r;
}

static bool has_no_links(int error_number)
{
    return error_number == EPERM || error_number == EXDEV ||
           error_number == EMLINK || error_number == EOPNOTSUPP ||
           error_number == ENOSYS;
}

/* Returns 0 or -1 with errno. */
static int put_file(struct job *job, const struct maildir_entry *entry,
                    struct placed *placed)
{
    int from = maildir_find_dir(&job->from.dirs, entry);
    int to = target_dir(job, entry);
    int r = job->move ? maildir_move(from, entry->name, to, placed->name)
                      : linkat(from, entry->name, to, placed->name, 0);

    if (r == 0 || (job->move ? errno != EXDEV : !has_no_links(errno))) {
        return r;
    }
    r = copy_file(job, entry, placed->name);
    placed->original_left = job->move && r == 0;
    return r;
}

/* Programs take files of one base name in two folders for a move: so a copy
 * gets another. */
static bool keeps_base(const struct job *job, const struct maildir_entry *entry,
                       const struct placed *placed)
{
    return job->move && !placed->rename &&
           !maildir_taken_has(&job->taken, bytes_of(entry->base));
}

static int place_letters(struct job *job, const struct maildir_entry *entry,
                         uint32_t from, uint32_t to, struct placed *placed)
{
    bool keep = keeps_base(job, entry, placed);
    int r = -1;

    placed->in_new = entry->in_new;
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        placed->base = keep ? mem_copy(entry->base) : fresh_base(job, entry);
        placed->name = name_with(entry, placed->base, from, to);
        r = put_file(job, entry, placed);
        if (r == 0) {
            return 0;
        }
        free(placed->base);
        free(placed->name);
        placed->base = NULL;
        placed->name = NULL;
        if (errno != EEXIST) {
            break;
        }
        keep = false;
    }
    return r;
}

static void be_late(struct job *job, const struct maildir_entry *entry,
                    int error_number)
{
    enum err_code code = ERR_DISK;

    if (error_number == EEXIST || error_number == ENAMETOOLONG) {
        code = ERR_REFUSED;
    } else if (error_number == ENOENT) {
        code = ERR_BUSY; /* renamed again and again */
    }
    job->late_r =
        err_errno(&job->late, code, error_number, "%s/%s", job->from.path,
                  entry->name != NULL ? entry->name : entry->base);
}

/* Place one, with a second look where it is not where it was. */
static void place_one(struct job *job, struct maildir_entry *entry,
                      struct placed *placed)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        struct maildir_name parts;
        uint32_t from;
        uint32_t to = 0;
        bool plain;
        int r =
            maildir_find_locate(&job->from.dirs, &job->batch, entry, attempt);

        if (r != 0) {
            if (r < 0) {
                be_late(job, entry, errno);
            }
            return;
        }
        maildir_name_parse(bytes_of(entry->name), &parts);
        from = maildir_name_letters(&parts, &plain) & TRANSLATED;
        if (from != 0 && translate(job, from, &to) < 0) {
            job->late_r = job->keywords_r;
            job->late = job->keywords_err;
            return;
        }
        if (place_letters(job, entry, from, to, placed) == 0) {
            return;
        }
        if (errno != ENOENT || attempt == 1) {
            be_late(job, entry, errno);
            return;
        }
    }
}

/* --- a batch on a worker ----------------------------------------------------- */

static int open_end(struct job *job, struct end *end, bool with_tmp)
{
    int r = maildir_tree_open(job->base.maildir->root, end->path, with_tmp,
                              &end->dirs, &job->base.err);

    if (r == 0) {
        r = maildir_keywords_load(&end->keywords, end->dirs.self,
                                  &job->base.err);
    }
    return r;
}

static int open_both(struct job *job)
{
    int r;

    if (job->open) {
        return 0;
    }
    job->open = true; /* or failed, and there is no second batch */
    r = open_end(job, &job->from, false);
    if (r == 0) {
        r = open_end(job, &job->to, true);
    }
    if (r == 0 && job->move) {
        r = maildir_taken_load(&job->taken, &job->to.dirs, &job->base.err);
    }
    job->avoid = job->to.letters | job->taken.letters |
                 nameless(&job->from.keywords, job->from.letters);
    return r;
}

static int sync_end(struct job *job, const struct end *end)
{
    if (fsync(end->dirs.cur) < 0 || fsync(end->dirs.new) < 0) {
        return err_errno(&job->base.err, ERR_DISK, errno, "%s", end->path);
    }
    return 0;
}

/* The copy is durable: now the original may go. Where it cannot, the copy
 * does. */
static void drop_original(struct job *job, struct maildir_entry *entry,
                          struct placed *placed)
{
    int r = -1;

    errno = ENOENT;
    for (unsigned attempt = 0; r < 0 && errno == ENOENT && attempt < 2;
         attempt++) {
        r = maildir_find_locate(&job->from.dirs, &job->batch, entry, attempt);
        if (r == 0) {
            r = unlinkat(maildir_find_dir(&job->from.dirs, entry), entry->name,
                         0);
        }
    }
    if (r < 0) {
        be_late(job, entry, errno);
        (void)unlinkat(placed->in_new ? job->to.dirs.new : job->to.dirs.cur,
                       placed->name, 0);
        free(placed->base);
        placed->base = NULL;
    }
}

static void do_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    base->r = open_both(job);
    if (base->r < 0) {
        return;
    }
    for (size_t i = 0; i < job->batch.n; i++) {
        place_one(job, &job->batch.entries[i], &job->placed[i]);
    }
    base->r = sync_end(job, &job->to);
    for (size_t i = 0; base->r == 0 && i < job->batch.n; i++) {
        if (job->placed[i].original_left) {
            drop_original(job, &job->batch.entries[i], &job->placed[i]);
        }
    }
    if (base->r == 0 && job->move) {
        base->r = sync_end(job, &job->from);
    }
}

/* --- on the loop ------------------------------------------------------------- */

static int record_one(struct job *job, const struct maildir_entry *entry,
                      const struct placed *placed)
{
    struct maildir_name parts;
    struct maildir_seen seen = {.in_new = placed->in_new};
    int r = maildir_files_uid(job->to.files, bytes_of(placed->base), &seen.uid,
                              &job->base.err);

    if (r < 0) {
        return r;
    }
    if (!seen.in_new) {
        maildir_name_parse(bytes_of(placed->name), &parts);
        seen.letters = maildir_name_letters(&parts, &seen.plain);
    }
    maildir_files_moved(job->to.files, &seen);
    if (job->move) {
        maildir_files_remove(job->from.files, entry->uid,
                             bytes_of(entry->base));
    }
    job->request->placed(job->request, entry->uid, seen.uid);
    return 0;
}

static void next_batch(struct maildir_job *base);

static void done_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    for (size_t i = 0; base->r == 0 && i < job->batch.n; i++) {
        if (job->placed[i].base != NULL) {
            base->r = record_one(job, &job->batch.entries[i], &job->placed[i]);
        }
    }
    next_batch(base);
}

static int take_batch(struct job *job)
{
    int r = maildir_find_next(job->from.files, &job->walk, BATCH_MESSAGES,
                              &job->batch, &job->base.err);

    for (size_t i = 0; r == 0 && job->move && i < job->batch.n; i++) {
        r = maildir_files_knows(job->to.files,
                                bytes_of(job->batch.entries[i].base),
                                &job->base.err);
        job->placed[i].rename = r == 0;
        r = r < 0 ? r : 0;
    }
    return r;
}

static void next_batch(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    clear_batch(job);
    if (base->r == 0) {
        base->r = take_batch(job);
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
        end->letters = maildir_files_letters(end->files);
    }
    return r;
}

void maildir_place_start(struct endpoint *endpoint,
                         struct place_request *request)
{
    static const struct maildir_dirs closed = {
        .self = -1, .cur = -1, .new = -1, .tmp = -1};
    struct job *job = MEM_NEW(struct job);

    job->base.free = free_job;
    job->request = request;
    job->move = request->move;
    job->from.dirs = closed;
    job->to.dirs = closed;
    job->walk.set = request->uids;
    job->placed = mem_new(BATCH_MESSAGES, sizeof(*job->placed));
    maildir_unique_init(&job->unique);
    request->kept = false;
    maildir_job_begin((struct maildir *)endpoint, &job->base, &request->base);
    job->base.r = enter(job, &request->from, &job->from);
    if (job->base.r == 0) {
        job->base.r = enter(job, &request->to, &job->to);
    }
    maildir_job_later(&job->base,
                      job->base.r < 0 ? maildir_job_end : next_batch, 0);
}
