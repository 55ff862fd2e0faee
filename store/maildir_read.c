/*
 * Whole messages out of a folder. A worker fills one flight while the loop
 * hands out the other, so that about a megabyte is read ahead at most.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/maildir.h"
#include "store/maildir_eol.h"
#include "store/maildir_find.h"
#include "store/maildir_meta.h"
#include "store/maildir_name.h"

#define BATCH_MESSAGES 64u
#define SMALL_BYTES    1048576 /* files read whole, and once */
#define PIECE_BYTES    65536u
#define FLIGHT_BYTES   262144u

/* A piece of one message within a flight, or all of it. */
struct part {
    uint32_t uid;
    bool begins;
    bool ends;
    uint64_t size; /* of the whole message */
    size_t from;   /* in the flight's data */
    size_t len;
    int result;      /* where it ends */
    struct err *err; /* or NULL */
};

struct flight {
    struct buf data;
    struct part *parts;
    size_t n;
    size_t cap;
};

/* A large file under way. */
struct source {
    int fd; /* -1: none */
    uint32_t uid;
    bool verbatim;
    char last;
    off_t offset;
    uint64_t size; /* with CRLF line ends, as announced */
    uint64_t sent;
};

struct job {
    struct maildir_job base;
    struct read_request *request;
    struct maildir_files *files;
    char *path;
    struct maildir_dirs dirs;
    struct uidset_walk walk;
    struct maildir_batch batch;
    size_t at; /* next entry of the batch */
    struct source source;
    struct flight flights[2];
    struct flight *filling;
    struct flight *ready; /* landed while the reader did not want it */
    bool paused;
    bool handing_out;
};

static void clear_flight(struct flight *flight)
{
    for (size_t i = 0; i < flight->n; i++) {
        free(flight->parts[i].err);
    }
    flight->n = 0;
    buf_clear(&flight->data);
}

static void free_job(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    for (size_t i = 0; i < 2; i++) {
        clear_flight(&job->flights[i]);
        free(job->flights[i].parts);
        buf_deinit(&job->flights[i].data);
    }
    if (job->source.fd >= 0) {
        close(job->source.fd);
    }
    maildir_find_free(&job->batch);
    maildir_tree_close(&job->dirs);
    free(job->path);
    free(job);
}

/* --- on a worker: fill a flight -------------------------------------------- */

static struct part *add_part(struct flight *flight, uint32_t uid)
{
    struct part *part;

    flight->parts = mem_grow(flight->parts, flight->n, &flight->cap,
                             sizeof(*flight->parts));
    part = &flight->parts[flight->n];
    flight->n++;
    *part = (struct part){.uid = uid, .from = buf_len(&flight->data)};
    return part;
}

static void fail_part(struct part *part, int error_number, const char *name)
{
    part->ends = true;
    part->err = MEM_NEW(struct err);
    part->result =
        error_number == 0
            ? err_set(part->err, ERR_BUSY, "%s: changed while it was read",
                      name)
            : err_errno(part->err,
                        error_number == EACCES || error_number == EPERM
                            ? ERR_BUSY
                            : ERR_DISK,
                        error_number, "%s", name);
}

/* A message that cannot even be begun is announced with some size that is not
 * 0, so that nobody takes it for complete. */
static void fail_whole(struct flight *flight, const struct maildir_entry *entry,
                       int error_number)
{
    struct part *part = add_part(flight, entry->uid);

    part->begins = true;
    part->size = 1;
    fail_part(part, error_number, entry->name);
}

static ssize_t read_piece(int fd, struct buf *out, size_t max, off_t offset)
{
    ssize_t n;

    do {
        n = pread(fd, buf_reserve(out, max), max, offset);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        buf_commit(out, (size_t)n);
    }
    return n;
}

static bool is_verbatim(const struct maildir_entry *entry)
{
    struct maildir_name_sizes sizes;

    maildir_name_parse_sizes(bytes_of(entry->base), &sizes);
    return sizes.verbatim;
}

/* Read a small file whole and append it. */
static void take_small(struct flight *flight, const struct maildir_entry *entry,
                       int fd, off_t size)
{
    struct buf text;
    struct part *part;
    char last = 0;
    ssize_t n;

    buf_init(&text, 0);
    /* One byte more than there should be: a file that grows shows. */
    do {
        n = read_piece(fd, &text, (size_t)size + 1 - buf_len(&text),
                       (off_t)buf_len(&text));
    } while (n > 0 && (off_t)buf_len(&text) <= size);
    if (n < 0 || (off_t)buf_len(&text) != size) {
        fail_whole(flight, entry, n < 0 ? errno : 0);
        buf_deinit(&text);
        return;
    }
    part = add_part(flight, entry->uid);
    if (is_verbatim(entry)) {
        buf_add(&flight->data, buf_peek(&text));
    } else {
        maildir_eol_to_crlf(buf_peek(&text), &last, &flight->data);
    }
    part->begins = true;
    part->ends = true;
    part->len = buf_len(&flight->data) - part->from;
    part->size = part->len;
    buf_deinit(&text);
}

/* Announce a large file: what follows will be exactly as long. */
static void begin_large(struct job *job, const struct maildir_entry *entry,
                        int fd)
{
    uint64_t octets;
    uint64_t bare;
    struct part *part;

    if (maildir_meta_count(fd, &octets, &bare) < 0) {
        fail_whole(job->filling, entry, errno);
        close(fd);
        return;
    }
    job->source = (struct source){
        .fd = fd, .uid = entry->uid, .verbatim = is_verbatim(entry)};
    job->source.size = job->source.verbatim ? octets : octets + bare;
    part = add_part(job->filling, entry->uid);
    part->begins = true;
    part->size = job->source.size;
}

/* The next piece of the large file under way, or its end. */
static void continue_large(struct job *job)
{
    struct source *source = &job->source;
    struct flight *flight = job->filling;
    struct part *part = add_part(flight, source->uid);
    struct buf text;
    ssize_t n;

    buf_init(&text, 0);
    n = read_piece(source->fd, &text, PIECE_BYTES, source->offset);
    if (n > 0) {
        source->offset += n;
        if (source->verbatim) {
            buf_add(&flight->data, buf_peek(&text));
        } else {
            maildir_eol_to_crlf(buf_peek(&text), &source->last, &flight->data);
        }
        part->len = buf_len(&flight->data) - part->from;
        source->sent += part->len;
    }
    buf_deinit(&text);
    if (n > 0 && source->sent < source->size) {
        return;
    }
    part->ends = true;
    if (n < 0 || source->sent != source->size) {
        part->len = 0;
        fail_part(part, n < 0 ? errno : 0, "the message file");
    }
    close(source->fd);
    source->fd = -1;
}

static void take_next(struct job *job)
{
    struct maildir_entry *entry = &job->batch.entries[job->at];
    int fd = maildir_find_open(&job->dirs, &job->batch, entry);
    struct stat st;

    job->at++;
    if (fd < 0 && errno == ENOENT) {
        return; /* gone: not mentioned */
    }
    if (fd < 0 || fstat(fd, &st) < 0) {
        fail_whole(job->filling, entry, errno);
    } else if (st.st_size > SMALL_BYTES) {
        begin_large(job, entry, fd);
        return;
    } else {
        take_small(job->filling, entry, fd, st.st_size);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void fill(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    if (job->dirs.self < 0) {
        base->r = maildir_tree_open(base->maildir->root, job->path, false,
                                    &job->dirs, &base->err);
        if (base->r < 0) {
            return;
        }
    }
    while (buf_len(&job->filling->data) < FLIGHT_BYTES) {
        if (job->source.fd >= 0) {
            continue_large(job);
        } else if (job->at < job->batch.n) {
            take_next(job);
        } else {
            break;
        }
    }
}

/* --- on the loop: hand it out ---------------------------------------------- */

static void hand_out(struct job *job, struct flight *flight)
{
    struct read_request *request = job->request;

    job->handing_out = true;
    for (size_t i = 0; i < flight->n; i++) {
        const struct part *part = &flight->parts[i];

        if (part->begins) {
            request->begin(request, part->uid, part->size);
        }
        if (part->len > 0) {
            struct bytes data = bytes_skip(buf_peek(&flight->data), part->from);

            data.len = part->len;
            request->data(request, data);
        }
        if (part->ends) {
            request->end(request, part->result, part->err);
        }
    }
    job->handing_out = false;
    clear_flight(flight);
}

static void landed(struct maildir_job *base);

/* Send the worker for more. Returns 0, 1 where there is no more, or an
 * error. */
static int fetch_more(struct job *job)
{
    int r;

    if (job->source.fd < 0 && job->at == job->batch.n) {
        maildir_find_clear(&job->batch);
        job->at = 0;
        r = maildir_find_next(job->files, &job->walk, BATCH_MESSAGES,
                              &job->batch, &job->base.err);
        if (r < 0 || job->batch.n == 0) {
            return r < 0 ? r : 1;
        }
    }
    job->filling =
        job->filling == &job->flights[0] ? &job->flights[1] : &job->flights[0];
    maildir_job_run(&job->base, fill, landed);
    return 0;
}

/* A flight may be handed out: after the worker was sent for the next. */
static void proceed(struct job *job, struct flight *flight)
{
    int r = fetch_more(job);

    if (r >= 0) {
        hand_out(job, flight);
    }
    if (r != 0) {
        job->base.r = r < 0 ? r : 0;
        maildir_job_end(&job->base);
    }
}

static void landed(struct maildir_job *base)
{
    struct job *job = (struct job *)base;

    if (base->r < 0) {
        maildir_job_end(base);
    } else if (job->paused) {
        job->ready = job->filling;
    } else {
        proceed(job, job->filling);
    }
}

static void resume(struct maildir_job *base)
{
    struct job *job = (struct job *)base;
    struct flight *flight = job->ready;

    if (!job->paused && flight != NULL) {
        job->ready = NULL;
        proceed(job, flight);
    }
}

void maildir_read_pause(struct endpoint *endpoint, struct read_request *request,
                        bool pause)
{
    struct maildir_job *base = ((struct maildir *)endpoint)->jobs;
    struct job *job;

    while (base != NULL && base->request != &request->base) {
        base = base->next;
    }
    if (base == NULL) {
        return; /* over already */
    }
    job = (struct job *)base;
    job->paused = pause;
    if (!pause && job->ready != NULL && !base->busy && !job->handing_out) {
        maildir_job_later(base, resume, 0);
    }
}

static void begin(struct maildir_job *base)
{
    struct job *job = (struct job *)base;
    int r = fetch_more(job);

    if (r != 0) {
        base->r = r < 0 ? r : 0;
        maildir_job_end(base);
    }
}

void maildir_read_start(struct endpoint *endpoint, struct read_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct job *job = MEM_NEW(struct job);

    job->base.free = free_job;
    job->request = request;
    job->walk.set = request->uids;
    job->source.fd = -1;
    job->dirs =
        (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    buf_init(&job->flights[0].data, 0);
    buf_init(&job->flights[1].data, 0);
    maildir_job_begin(maildir, &job->base, &request->base);
    job->base.r = maildir_enter_folder(maildir, &request->folder, &job->path,
                                       &job->files, &job->base.err);
    maildir_job_later(&job->base, job->base.r < 0 ? maildir_job_end : begin, 0);
}
