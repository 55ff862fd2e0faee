#include "store/maildir_deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/maildir_outbox.h"

#define HELD_BYTES_MAX  16777216u
#define HELD_BYTES_ROOM 8388608u

/* One add_request. */
struct add {
    struct maildir_job base;
    struct maildir_deliver *deliver;
    struct add *next;
    struct add_request *request;
    struct maildir_files *files;
    char *path;
    struct maildir_commit_folder folder;
    bool open;   /* the folder is */
    bool closed; /* no more messages */
    bool wants_room;
    struct maildir_message *first; /* not yet told of, in order */
    struct maildir_message *last;
    size_t n_told;
    int result; /* what ended the request */
    struct err err;
};

struct maildir_deliver {
    struct add *adds;
    struct maildir_outbox *outbox;
    struct disk_timer *pump_timer;
};

/* --- telling --------------------------------------------------------------- */

static void tell_one(struct add *add)
{
    struct maildir_message *message = add->first;
    struct err err;
    uint32_t uid = 0;
    int r = message->item.r;

    add->first = message->next;
    if (add->first == NULL) {
        add->last = NULL;
    }
    if (r == 0) {
        /* A name of our own making: it is on no record. */
        r = maildir_files_give(add->files, bytes_of(message->item.base), &uid,
                               &err);
    } else {
        err = *message->item.err;
    }
    if (r == ERR_DISK && add->result == 0) {
        add->result = r;
        add->err = err;
    }
    maildir_outbox_message_free(add->deliver->outbox, message);
    r = r > 0 ? 0 : r;
    add->request->added(add->request, add->n_told++, r, uid,
                        r < 0 ? &err : NULL);
}

static void tell(struct add *add)
{
    while (add->first != NULL && add->first->stage == OUTBOX_OVER) {
        tell_one(add);
    }
}

static void give_room(struct maildir_deliver *deliver)
{
    struct add *next;

    for (struct add *add = deliver->adds;
         add != NULL && maildir_outbox_held(deliver->outbox) < HELD_BYTES_ROOM;
         add = next) {
        next = add->next;
        if (add->wants_room) {
            add->wants_room = false;
            add->request->room(add->request);
        }
    }
}

/* Take the requests that are over off the list. */
static struct add *take_ended(struct maildir_deliver *deliver)
{
    struct add **link = &deliver->adds;
    struct add *ended = NULL;

    while (*link != NULL) {
        struct add *add = *link;

        if (add->closed && add->first == NULL && !add->base.busy) {
            *link = add->next;
            add->next = ended;
            ended = add;
        } else {
            link = &add->next;
        }
    }
    return ended;
}

/* Does a request wait for the commit of its last messages? */
static bool somebody_waits(const struct maildir_deliver *deliver)
{
    for (const struct add *add = deliver->adds; add != NULL; add = add->next) {
        const struct maildir_message *message = add->first;

        while (message != NULL && message->stage >= OUTBOX_WRITTEN) {
            message = message->next;
        }
        if (add->closed && add->first != NULL && message == NULL) {
            return true;
        }
    }
    return false;
}

/* Whatever happened: do what can be done now. */
static void pump(void *owner)
{
    struct maildir_deliver *deliver = owner;
    struct add *ended;
    struct add *next;

    maildir_outbox_start(deliver->outbox, somebody_waits(deliver));
    for (struct add *add = deliver->adds; add != NULL; add = next) {
        next = add->next;
        tell(add);
    }
    give_room(deliver);
    /* The last to end may be what close waits for: after it, @deliver may be
     * no more. */
    for (ended = take_ended(deliver); ended != NULL; ended = next) {
        next = ended->next;
        ended->base.r = ended->result;
        ended->base.err = ended->err;
        maildir_job_end(&ended->base);
    }
}

/* From inside a call of the caller: nothing may be told at once. */
static void pump_later(struct maildir_deliver *deliver)
{
    maildir_outbox_start(deliver->outbox, false);
    diskwork_timer_start(deliver->pump_timer, 0);
}

/* --- requests -------------------------------------------------------------- */

static void free_add(struct maildir_job *base)
{
    struct add *add = (struct add *)base;

    maildir_tree_close(&add->folder.dirs);
    maildir_keywords_deinit(&add->folder.keywords);
    free(add->path);
    free(add);
}

static void open_folder(struct maildir_job *base)
{
    struct add *add = (struct add *)base;
    struct maildir_commit_folder *folder = &add->folder;
    struct stat st;

    base->r = maildir_tree_open(base->maildir->root, add->path, true,
                                &folder->dirs, &base->err);
    if (base->r < 0) {
        return;
    }
    if (fstat(folder->dirs.tmp, &st) < 0) {
        base->r = err_errno(&base->err, ERR_DISK, errno, "%s", add->path);
        return;
    }
    folder->device = st.st_dev;
    maildir_tree_clear_tmp(folder->dirs.tmp);
    base->r =
        maildir_keywords_load(&folder->keywords, folder->dirs.self, &base->err);
}

/* End all messages of a request, as far as they can still be stopped. */
static void drop_all(struct add *add)
{
    for (struct maildir_message *message = add->first; message != NULL;
         message = message->next) {
        maildir_outbox_drop(add->deliver->outbox, message, add->result,
                            &add->err);
    }
}

static void opened(struct maildir_job *base)
{
    struct add *add = (struct add *)base;

    add->open = base->r == 0;
    if (base->r < 0) {
        add->result = base->r;
        add->err = base->err;
        drop_all(add);
    }
    for (struct maildir_message *message = add->first; message != NULL;
         message = message->next) {
        maildir_outbox_offer(add->deliver->outbox, message);
    }
    pump(add->deliver);
}

static void cancel_add(struct maildir_job *base)
{
    struct add *add = (struct add *)base;

    add->result = err_set(&add->err, ERR_CANCELLED, "cancelled");
    add->closed = true;
    drop_all(add);
    pump_later(add->deliver);
}

static struct add *find_add(struct endpoint *endpoint,
                            const struct add_request *request)
{
    struct add *add = ((struct maildir *)endpoint)->deliver->adds;

    while (add->request != request) {
        add = add->next;
    }
    return add;
}

void maildir_deliver_open(struct endpoint *endpoint,
                          struct add_request *request)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct add *add = MEM_NEW(struct add);

    add->base.free = free_add;
    add->base.cancel = cancel_add;
    add->request = request;
    add->deliver = maildir->deliver;
    add->next = maildir->deliver->adds;
    maildir->deliver->adds = add;
    add->folder.dirs =
        (struct maildir_dirs){.self = -1, .cur = -1, .new = -1, .tmp = -1};
    maildir_job_begin(maildir, &add->base, &request->base);
    add->base.r = maildir_enter_folder(maildir, &request->folder, &add->path,
                                       &add->files, &add->base.err);
    if (add->base.r < 0) {
        maildir_job_later(&add->base, opened, 0);
    } else {
        add->folder.name = request->folder.name;
        add->folder.avoid = maildir_files_letters(add->files);
        maildir_job_run(&add->base, open_folder, opened);
    }
}

void maildir_deliver_message(struct endpoint *endpoint,
                             struct add_request *request,
                             const struct message_meta *meta)
{
    struct maildir *maildir = (struct maildir *)endpoint;
    struct add *add = find_add(endpoint, request);
    struct maildir_message *message = maildir_outbox_message(
        add->deliver->outbox, &add->folder, meta->size, meta->date);

    message->item.system = meta->flags.system;
    if (meta->flags.keywords != 0) {
        message->item.keywords = mem_text(keywords_text(
            state_keywords(maildir->state), meta->flags.keywords));
    }
    if (add->last != NULL) {
        add->last->next = message;
    } else {
        add->first = message;
    }
    add->last = message;
    if (add->result < 0) {
        maildir_outbox_drop(add->deliver->outbox, message, add->result,
                            &add->err);
    } else if (add->open) {
        maildir_outbox_offer(add->deliver->outbox, message);
    }
    pump_later(add->deliver);
}

bool maildir_deliver_data(struct endpoint *endpoint,
                          struct add_request *request, struct bytes data)
{
    struct add *add = find_add(endpoint, request);
    struct maildir_outbox *outbox = add->deliver->outbox;

    if (add->last != NULL) {
        maildir_outbox_add(outbox, add->last, data);
        if (add->open) {
            maildir_outbox_offer(outbox, add->last);
        }
        maildir_outbox_start(outbox, false);
    }
    add->wants_room = maildir_outbox_held(outbox) > HELD_BYTES_MAX;
    return !add->wants_room;
}

void maildir_deliver_close(struct endpoint *endpoint,
                           struct add_request *request)
{
    struct add *add = find_add(endpoint, request);

    add->closed = true;
    pump_later(add->deliver);
}

void maildir_deliver_abort(struct endpoint *endpoint,
                           struct add_request *request)
{
    struct add *add = find_add(endpoint, request);
    struct err err;

    if (add->last != NULL && !maildir_outbox_is_complete(add->last)) {
        maildir_outbox_drop(add->deliver->outbox, add->last,
                            err_set(&err, ERR_CANCELLED, "cancelled"), &err);
    }
    add->closed = true;
    pump_later(add->deliver);
}

/* --- life ------------------------------------------------------------------ */

struct maildir_deliver *maildir_deliver_new(struct maildir *maildir)
{
    struct maildir_deliver *deliver = MEM_NEW(struct maildir_deliver);

    deliver->outbox = maildir_outbox_new(maildir->diskwork, pump, deliver);
    deliver->pump_timer = diskwork_timer_new(maildir->diskwork, pump, deliver);
    return deliver;
}

void maildir_deliver_free(struct maildir_deliver *deliver)
{
    if (deliver != NULL) {
        maildir_outbox_free(deliver->outbox);
        diskwork_timer_free(deliver->pump_timer);
        free(deliver);
    }
}
