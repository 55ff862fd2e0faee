#include "store/maildir_endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_commit.h"
#include "store/maildir_count.h"
#include "store/maildir_deliver.h"
#include "store/maildir_list.h"
#include "store/maildir_path.h"
#include "store/maildir_rename.h"
#include "store/maildir_root.h"
#include "store/maildir_tree.h"

/* A batch is under way until its files are durable: so some are written while
 * others wait for the disk. */
#define LANES          8u
#define BATCH_MESSAGES 2000u
#define BATCH_BYTES    67108864u

/* --- open ------------------------------------------------------------------ */

struct open_job {
    struct maildir_job base;
    bool dry;
    char *known;      /* marker on record */
    char *generation; /* the same */
    struct maildir_root root;
    int generation_root;
    uint64_t number; /* generation as the root tells it */
};

static void free_open(struct maildir_job *base)
{
    free(((struct open_job *)base)->known);
    free(((struct open_job *)base)->generation);
    free(base);
}

static const char *marker_key(enum side side)
{
    return side == LEFT ? "left.marker" : "right.marker";
}

static const char *generation_key(enum side side)
{
    return side == LEFT ? "left.generation" : "right.generation";
}

int maildir_endpoint_prepare(const struct maildir_account *account,
                             struct state *state, enum side side,
                             struct err *err)
{
    char *known = NULL;
    int r = state_meta_get(state, marker_key(side), &known, err);

    if (r == 0 && known == NULL && access(account->path, F_OK) != 0)
        r = maildir_root_create(account->path, err);
    free(known);
    return r;
}

/* What a run that was broken off did here is there to be seen, but may go again
 * with a power cut: it is made durable before it is put on record. */
static void make_durable(struct open_job *job)
{
    if (maildir_commit_sync_all(job->root.fd) < 0) {
        job->base.r = err_errno(&job->base.err, ERR_DISK, errno, "the root");
        close(job->root.fd);
        job->root.fd = -1;
    }
}

/* How far the Maildir has come; the descriptor to raise that by. */
static void open_generation(struct open_job *job)
{
    struct maildir_job *base = &job->base;

    base->r = maildir_generation_read(job->root.fd, &base->maildir->generation,
                                      &job->number, &base->err);
    if (base->r == 0 && !job->dry) {
        job->generation_root =
            openat(job->root.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (job->generation_root < 0)
            base->r = err_errno(&base->err, ERR_DISK, errno, "the root");
    }
    if (base->r < 0) {
        close(job->root.fd);
        job->root.fd = -1;
    }
}

static void open_root(struct maildir_job *base)
{
    struct open_job *job = (struct open_job *)base;
    const struct maildir_account *account = base->maildir->account;

    base->r = maildir_root_open(account->path, job->known, job->dry, &job->root,
                                &base->err);
    if (base->r == 0 && !job->dry &&
        state_is_unfinished(base->maildir->state)) {
        make_durable(job);
    }
    if (base->r == 0 && job->root.fd >= 0)
        open_generation(job);
    err_wrap(&base->err, base->r, "%s", account->name);
}

static void note_generation(struct maildir *maildir)
{
    char *text = maildir_generation_print(&maildir->generation);

    state_meta_put(maildir->state, generation_key(maildir->side), text);
    free(text);
}

/* Pairs are about to go on record; what they are of is durable. */
static int before_pairs(void *owner, struct err *err)
{
    struct maildir *maildir = owner;
    int r = maildir_generation_raise(maildir->generation_root,
                                     &maildir->generation, err);

    if (r < 0)
        return err_wrap(err, r, "%s", maildir->account->name);
    if (r == 0)
        note_generation(maildir);
    return 0;
}

/* Is this an older copy of what the state knows? Then the state knows nothing:
 * both sides are paired anew, and what is missing here is copied. In one commit
 * with the lower number, or the next run would take it for deleted. */
static int watch_generation(struct open_job *job)
{
    struct maildir *maildir = job->base.maildir;
    const struct state_witness witness = {before_pairs, maildir};

    maildir->generation_root = job->generation_root;
    if (maildir->generation_root >= 0)
        state_set_witness(maildir->state, maildir->side, &witness);
    if (maildir->root < 0 || job->number >= maildir->generation.number)
        return 0;
    maildir->endpoint.is_older = true;
    maildir->generation.number = job->number;
    note_generation(maildir);
    return state_forget(maildir->state, &job->base.err);
}

static void root_is_open(struct maildir_job *base)
{
    struct open_job *job = (struct open_job *)base;
    struct maildir *maildir = base->maildir;

    if (base->r == 0) {
        maildir->root = job->root.fd;
        if (maildir->state != NULL)
            base->r = watch_generation(job);
        if (maildir->state != NULL && !job->dry && job->known == NULL) {
            state_meta_put(maildir->state, marker_key(maildir->side),
                           job->root.marker);
        }
    }
    maildir_job_end(base);
}

/* The endpoint closed while the root was being opened. */
static void cancel_open(struct maildir_job *base)
{
    root_is_open(base);
}

static void start_open(struct endpoint *endpoint, struct open_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct open_job *job = MEM_NEW(struct open_job);

    job->generation_root = -1;
    job->base.free = free_open;
    job->base.cancel = cancel_open;
    /* A probe has no state to know a root by: it only looks. */
    job->dry = request->dry || maildir->state == NULL;
    maildir->dry = job->dry;
    maildir_job_begin(maildir, &job->base, &request->base);
    if (maildir->state != NULL) {
        job->base.r = state_meta_get(maildir->state, marker_key(maildir->side),
                                     &job->known, &job->base.err);
    }
    if (maildir->state != NULL && job->base.r == 0) {
        job->base.r =
            state_meta_get(maildir->state, generation_key(maildir->side),
                           &job->generation, &job->base.err);
        maildir->generation = maildir_generation_parse(job->generation);
    }
    if (job->base.r < 0) {
        maildir_job_later(&job->base, maildir_job_end, 0);
    } else {
        maildir_job_run(&job->base, open_root, root_is_open);
    }
}

/* --- list ------------------------------------------------------------------ */

struct list_job {
    struct maildir_job base;
    struct folder_entry *folders;
    size_t n_folders;
};

static void free_list(struct maildir_job *base)
{
    struct list_job *job = (struct list_job *)base;

    folder_list_free(job->folders, job->n_folders);
    free(job);
}

static void list_folders(struct maildir_job *base)
{
    struct list_job *job = (struct list_job *)base;

    if (base->maildir->root >= 0) {
        base->r = maildir_list_folders(
            base->maildir->root, base->maildir->account->layout, &job->folders,
            &job->n_folders, &base->err);
    }
    if (base->r == 0 && ((struct list_request *)base->request)->want_counts) {
        maildir_count(base->maildir->root, base->maildir->account->layout,
                      job->folders, job->n_folders);
    }
}

static void have_list(struct maildir_job *base)
{
    struct list_job *job = (struct list_job *)base;
    struct list_request *request = (struct list_request *)base->request;

    request->folders = job->folders;
    request->n_folders = job->n_folders;
    job->folders = NULL;
    job->n_folders = 0;
    maildir_job_end(base);
}

static void start_list(struct endpoint *endpoint, struct list_request *request)
{
    struct list_job *job = MEM_NEW(struct list_job);

    ((struct maildir *)endpoint)->is_durable = false;
    job->base.free = free_list;
    request->folders = NULL;
    request->n_folders = 0;
    maildir_job_begin((struct maildir *)endpoint, &job->base, &request->base);
    maildir_job_run(&job->base, list_folders, have_list);
}

/* --- folder ---------------------------------------------------------------- */

struct folder_job {
    struct maildir_job base;
    enum folder_action action;
    char *path;
    const char *name; /* the request's */
    const char *new_name;
    char *taken; /* path of the directory that answers to this name, or NULL */
};

static void free_folder(struct maildir_job *base)
{
    free(((struct folder_job *)base)->taken);
    free(((struct folder_job *)base)->path);
    free(base);
}

static void change_folder(struct maildir_job *base)
{
    struct folder_job *job = (struct folder_job *)base;
    const struct maildir *maildir = base->maildir;

    switch (job->action) {
    case FOLDER_CREATE:
        base->r = maildir_tree_create(maildir->root, maildir->account->layout,
                                      job->path, &job->taken, &base->err);
        break;
    case FOLDER_DELETE:
        base->r = maildir_tree_delete(maildir->root, job->path, &base->err);
        break;
    case FOLDER_RENAME:
        base->r = maildir_rename(maildir->root, maildir->account->layout,
                                 job->name, job->new_name, &base->err);
        break;
    case FOLDER_SUBSCRIBE:
    case FOLDER_UNSUBSCRIBE:
        break; /* a Maildir keeps no subscriptions */
    }
}

static void folder_is_changed(struct maildir_job *base)
{
    const struct folder_job *job = (struct folder_job *)base;
    struct folder_request *request = (struct folder_request *)base->request;
    struct buf name;

    buf_init(&name, 0);
    if (job->taken != NULL &&
        maildir_path_decode(base->maildir->account->layout,
                            bytes_of(job->taken), &name)) {
        request->taken_by = mem_text(buf_peek(&name));
    }
    buf_deinit(&name);
    maildir_job_end(base);
}

static void start_folder(struct endpoint *endpoint,
                         struct folder_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct folder_job *job = MEM_NEW(struct folder_job);
    struct buf path;

    job->base.free = free_folder;
    job->action = request->action;
    job->name = request->name;
    job->new_name = request->new_name;
    request->taken_by = NULL;
    buf_init(&path, 0);
    maildir_job_begin(maildir, &job->base, &request->base);
    job->base.r =
        maildir_path_encode(maildir->account->layout, bytes_of(request->name),
                            &path, &job->base.err);
    err_wrap(&job->base.err, job->base.r, "%s", request->name);
    job->path = mem_text(buf_peek(&path));
    buf_deinit(&path);
    if (job->base.r < 0) {
        maildir_job_later(&job->base, maildir_job_end, 0);
    } else {
        maildir_job_run(&job->base, change_folder, folder_is_changed);
    }
}

/* --- life ------------------------------------------------------------------ */

static void start_close(struct endpoint *endpoint,
                        struct close_request *request)
{
    maildir_close((struct maildir *)endpoint, request);
}

static void describe(struct endpoint *endpoint, struct buf *out)
{
    const struct maildir *maildir = (struct maildir *)endpoint;
    bool nested = maildir->account->layout == MAILDIR_NESTED;

    buf_printf(out, "type: maildir\n");
    buf_printf(out, "path: %s\n", maildir->account->path);
    buf_printf(out, "layout: %s\n",
               nested ? "nested (INBOX is PATH/INBOX)"
                      : "maildir++ (INBOX is PATH itself)");
    buf_printf(out, "root: %s\n", maildir->root >= 0 ? "there" : "missing");
    buf_printf(out, "tier: maildir (directory times, then one scan)\n");
}

static void free_endpoint(struct endpoint *endpoint)
{
    struct maildir *maildir = (struct maildir *)endpoint;

    for (size_t i = 0; i < maildir->n_files; i++) {
        maildir_files_free(maildir->files[i]);
    }
    free(maildir->files);
    if (maildir->generation_root >= 0) {
        state_set_witness(maildir->state, maildir->side, NULL);
        close(maildir->generation_root);
    }
    maildir_deliver_free(maildir->deliver);
    diskwork_free(maildir->diskwork);
    free(maildir);
}

static const struct endpoint_class class = {
    .open = start_open,
    .list = start_list,
    .delta = maildir_delta_start,
    .identify = maildir_identify_start,
    .read = maildir_read_start,
    .read_pause = maildir_read_pause,
    .add_open = maildir_deliver_open,
    .add_message = maildir_deliver_message,
    .add_data = maildir_deliver_data,
    .add_close = maildir_deliver_close,
    .add_abort = maildir_deliver_abort,
    .flag = maildir_change_flags,
    .remove = maildir_change_remove,
    .place = maildir_place_start,
    .folder = start_folder,
    .close = start_close,
    .describe = describe,
    .free = free_endpoint,
};

/* How large a file we may write; 0: as large as the disk takes. What was refused
 * for it is tried again under another limit. */
static uint64_t file_size_max(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                   limit.rlim_cur != RLIM_INFINITY
               ? (uint64_t)limit.rlim_cur
               : 0;
}

struct endpoint *maildir_endpoint_new(uv_loop_t *loop,
                                      const struct maildir_account *account,
                                      struct state *state, enum side side,
                                      const struct log *log)
{
    struct maildir *maildir = MEM_NEW(struct maildir);

    maildir->endpoint = (struct endpoint){.class = &class,
                                          .name = account->name,
                                          .is_local = true,
                                          .tokens_prove = true,
                                          .lanes = LANES,
                                          .batch_messages = BATCH_MESSAGES,
                                          .batch_bytes = BATCH_BYTES,
                                          .append_max = file_size_max()};
    maildir->diskwork = diskwork_new(loop);
    maildir->account = account;
    maildir->state = state;
    maildir->side = side;
    maildir->log = log;
    maildir->root = -1;
    maildir->generation_root = -1;
    maildir->deliver = maildir_deliver_new(maildir);
    return &maildir->endpoint;
}
