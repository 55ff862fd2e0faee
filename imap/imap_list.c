/*
 * List the folders with their tokens. With LIST-EXTENDED and LIST-STATUS in one
 * command (RFC 5258, 5819); else LIST and LSUB, then one flight of STATUS.
 *
 * What comes is kept as it is until all answers are there: names can only be
 * read once NAMESPACE was answered, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

/* More folders than that are an attack, or a misunderstanding. */
#define FOLDERS_MAX 100000u

/* Of all names that a listing brings, those of STATUS and LSUB too. */
#define NAMES_BYTES_MAX ((size_t)64 << 20)

/* STATUS commands in flight, some 300 KB: their answers are short, too. */
#define STATUS_WINDOW 4096u

enum {
    STEP_NAMESPACE = IMAP_STEP_OWN,
    STEP_EXTENDED, /* LIST with everything */
    STEP_LIST,     /* LIST as ever */
    STEP_LSUB,
    STEP_STATUS,
    STEP_MEND
};

struct list_line {
    char *wire;
    uint32_t attributes;
    char delimiter;
};

struct status_line {
    char *wire;
    struct folder_token token;
    bool complete;
    bool has_size;
    uint64_t size;
};

struct list {
    struct imap_task task; /* first */
    struct list_request *request;
    struct list_line *lists;
    size_t n_lists;
    size_t cap_lists;
    struct status_line *statuses;
    size_t n_statuses;
    size_t cap_statuses;
    char **subscribed; /* LSUB; wire names */
    size_t n_subscribed;
    size_t cap_subscribed;
    size_t octets; /* of all these names */
    size_t asked;  /* entries whose STATUS was asked for, or not needed */
    size_t cap_folders;
    char delimiter; /* the first that LIST named, for STATUS and LSUB */
    bool built;
    bool mended;     /* what was left aside was dealt with: STEP_MEND */
    bool asks_space; /* NAMESPACE was asked for, and not answered */
    uint32_t junk;   /* lines not understood before */
    int result;      /* negative: with err, why the listing failed */
    struct err err;
};

static struct list *list_of(struct imap_task *task)
{
    return (struct list *)task;
}

static uint32_t junk_lines(const struct list *list)
{
    return session_junk_lines(conn_session(list->task.link->conn));
}

static bool has_caps(const struct list *list, uint32_t bits)
{
    return (list->task.pool->caps.bits & bits) == bits;
}

/* MAILBOXID comes last: a server that sends rubbish for it has said the rest by
 * then. */
static void add_status_items(const struct list *list, struct session *session)
{
    session_add(session, B(" (MESSAGES UIDNEXT UIDVALIDITY"), false);
    if (list->task.pool->tier != IMAP_PLAIN)
        session_add(session, B(" HIGHESTMODSEQ"), false);
    if (list->request->want_counts && has_caps(list, CAP_STATUS_SIZE))
        session_add(session, B(" SIZE"), false);
    if (has_caps(list, CAP_OBJECTID))
        session_add(session, B(" MAILBOXID"), false);
    session_add(session, B(")"), false);
}

/* Only what was advertised may be asked for: all else is BAD. */
static void send_extended(struct list *list)
{
    struct session *session = imap_task_begin(&list->task, STEP_EXTENDED);

    session_add(session, B("LIST \"\" \"*\" RETURN (SUBSCRIBED"), false);
    if (has_caps(list, CAP_SPECIAL_USE))
        session_add(session, B(" SPECIAL-USE"), false);
    if (has_caps(list, CAP_LIST_STATUS)) {
        session_add(session, B(" STATUS"), false);
        add_status_items(list, session);
    }
    session_add(session, B(")"), false);
    imap_task_end(&list->task);
}

static void send_plain(struct list *list)
{
    imap_task_send(&list->task, STEP_LIST, "LIST \"\" \"*\"");
    imap_task_send(&list->task, STEP_LSUB, "LSUB \"\" \"*\"");
}

static void list_start(struct imap_task *task)
{
    struct list *list = list_of(task);

    list->junk = junk_lines(list);
    /* STATUS of the selected folder may be stale (RFC 9051 section 6.3.11). */
    imap_link_unselect(task->link);
    imap_link_enable(task->link);
    list->asks_space =
        task->pool->listings++ == 0 && has_caps(list, CAP_NAMESPACE);
    if (list->asks_space)
        imap_task_send(task, STEP_NAMESPACE, "NAMESPACE");
    if (has_caps(list, CAP_LIST_EXTENDED)) {
        send_extended(list);
    } else {
        send_plain(list);
    }
}

/* Is there room for one more name behind @n? Else nothing more is read. One that
 * is too long is cut, and refused as too long by imap_names_decode(). */
static bool has_room(struct list *list, size_t n, struct bytes *name)
{
    struct err err;

    if (name->len > IMAP_NAME_BYTES_MAX)
        name->len = IMAP_NAME_BYTES_MAX + 1;
    list->octets += name->len;
    if (n < FOLDERS_MAX && list->octets <= NAMES_BYTES_MAX)
        return true;
    err_set(&err, ERR_LIMIT,
            "the server lists more than %u folders, or %zu MB of names",
            FOLDERS_MAX, NAMES_BYTES_MAX >> 20);
    conn_drop(list->task.link->conn, ERR_LIMIT, err.text);
    return false;
}

static void take_list(struct list *list, int step,
                      const struct session_list *line)
{
    struct bytes name = line->name;
    struct list_line *kept;

    if (!has_room(list, list->n_lists + list->n_subscribed, &name))
        return;
    if (step == STEP_LSUB) {
        list->subscribed =
            mem_grow(list->subscribed, list->n_subscribed,
                     &list->cap_subscribed, sizeof(*list->subscribed));
        list->subscribed[list->n_subscribed++] = mem_text(name);
        return;
    }
    list->lists = mem_grow(list->lists, list->n_lists, &list->cap_lists,
                           sizeof(*list->lists));
    kept = &list->lists[list->n_lists++];
    kept->wire = mem_text(name);
    kept->attributes = line->attributes;
    kept->delimiter = line->delimiter;
}

static void take_status(struct list *list,
                        const struct session_status_data *status)
{
    const uint32_t needed =
        STATUS_MESSAGES | STATUS_UIDNEXT | STATUS_UIDVALIDITY;
    struct bytes name = status->name;
    struct status_line *kept;

    if (!has_room(list, list->n_statuses, &name))
        return;
    list->statuses = mem_grow(list->statuses, list->n_statuses,
                              &list->cap_statuses, sizeof(*list->statuses));
    kept = &list->statuses[list->n_statuses++];
    memset(kept, 0, sizeof(*kept));
    kept->wire = mem_text(name);
    kept->token.messages = status->messages;
    kept->token.uidnext = status->uidnext;
    kept->token.uidvalidity = status->uidvalidity;
    if ((status->has & STATUS_HIGHESTMODSEQ) != 0)
        kept->token.highestmodseq = status->highestmodseq;
    kept->token.object = status->mailbox_id;
    kept->has_size = (status->has & STATUS_SIZE) != 0;
    kept->size = status->size;
    kept->complete =
        (status->has & needed) == needed && status->uidvalidity != 0;
}

static struct folder_entry *add_entry(struct list *list)
{
    struct list_request *request = list->request;
    struct folder_entry *entry;

    request->folders = mem_grow(request->folders, request->n_folders,
                                &list->cap_folders, sizeof(*request->folders));
    entry = &request->folders[request->n_folders++];
    memset(entry, 0, sizeof(*entry));
    return entry;
}

static void add_problem(struct list *list, const struct list_line *line,
                        const char *problem)
{
    struct folder_entry *entry = add_entry(list);
    struct buf shown;

    buf_init(&shown, 0);
    log_clean(&shown, bytes_of(line->wire));
    entry->name = mem_copy(buf_text(&shown));
    entry->problem = mem_copy(problem);
    entry->selectable = (line->attributes & LIST_NOSELECT) == 0;
    buf_deinit(&shown);
}

static void describe_entry(const struct list *list, struct folder_entry *entry,
                           const struct list_line *line)
{
    const struct quirks *quirks = &list->task.pool->quirks;
    struct bytes skip = quirks_skips(quirks, entry->name, line->attributes);

    entry->selectable = (line->attributes & LIST_NOSELECT) == 0;
    entry->subscribed = (line->attributes & LIST_SUBSCRIBED) != 0;
    entry->use = quirks_use(quirks, entry->name, line->attributes);
    free(entry->skipped);
    entry->skipped = skip.len > 0
                         ? mem_printf("left alone: skip_folders of %s has %.*s",
                                      list->task.pool->shared.account->name,
                                      (int)skip.len, skip.ptr)
                         : NULL;
}

/* One line of LIST; a folder may be listed twice, the later line tells more
 * (RFC 5258 section 3.5). */
static void build_entry(struct list *list, const struct list_line *line)
{
    struct imap_pool *pool = list->task.pool;
    struct imap_name *known;
    struct folder_entry *entry;
    struct buf name;
    const char *problem;

    buf_init(&name, 0);
    problem = imap_names_decode(&pool->names, bytes_of(line->wire),
                                line->delimiter, &name);
    if (problem != NULL) {
        /* Without messages of its own it is no loss. Dovecot and Courier list
         * "INBOX.INBOX" so, where it only stands above others. */
        if ((line->attributes & LIST_NOSELECT) == 0)
            add_problem(list, line, problem);
        buf_deinit(&name);
        return;
    }
    known = imap_names_put(&pool->names, buf_text(&name), bytes_of(line->wire));
    buf_deinit(&name);
    if (known->listing != pool->listings) {
        free(known->wire);
        known->wire = mem_copy(line->wire);
        known->listing = pool->listings;
        known->index = list->request->n_folders;
        entry = add_entry(list);
        entry->name = mem_copy(known->name);
    } else if (strcmp(known->wire, line->wire) == 0 ||
               strcmp(known->name, "INBOX") == 0) {
        entry = &list->request->folders[known->index];
    } else {
        /* Neither: nobody could say which of the two is meant. */
        entry = &list->request->folders[known->index];
        free(entry->problem);
        entry->problem = mem_copy("another folder has the same name");
        add_problem(list, line, "another folder has the same name");
        return;
    }
    describe_entry(list, entry, line);
    known->selectable = entry->selectable;
}

/* Which entry a name in STATUS or LSUB means, or NULL. */
static struct imap_name *find_listed(const struct list *list, const char *wire)
{
    const struct imap_pool *pool = list->task.pool;
    struct imap_name *known = NULL;
    struct buf name;

    buf_init(&name, 0);
    if (imap_names_decode(&pool->names, bytes_of(wire), list->delimiter,
                          &name) == NULL)
        known = imap_names_find(&pool->names, buf_text(&name));
    buf_deinit(&name);
    return known != NULL && known->listing == pool->listings ? known : NULL;
}

static void build(struct list *list)
{
    struct imap_names *names = &list->task.pool->names;
    const struct imap_name *known;

    for (size_t i = 0; i < list->n_lists && list->delimiter == 0; i++)
        list->delimiter = list->lists[i].delimiter;
    if (names->delimiter == 0)
        names->delimiter = list->delimiter;
    for (size_t i = 0; i < list->n_lists; i++)
        build_entry(list, &list->lists[i]);
    for (size_t i = 0; i < list->n_subscribed; i++) {
        known = find_listed(list, list->subscribed[i]);
        if (known != NULL)
            list->request->folders[known->index].subscribed = true;
    }
    list->built = true;
}

static void drop_lists(struct list *list)
{
    for (size_t i = 0; i < list->n_lists; i++)
        free(list->lists[i].wire);
    for (size_t i = 0; i < list->n_statuses; i++)
        free(list->statuses[i].wire);
    for (size_t i = 0; i < list->n_subscribed; i++)
        free(list->subscribed[i]);
    list->n_lists = 0;
    list->n_statuses = 0;
    list->n_subscribed = 0;
    list->octets = 0;
}

static void drop_folders(struct list *list)
{
    folder_list_free(list->request->folders, list->request->n_folders);
    list->request->folders = NULL;
    list->request->n_folders = 0;
    list->cap_folders = 0;
}

static void take_tokens(struct list *list)
{
    const struct status_line *status;
    struct imap_name *known;
    struct folder_entry *entry;

    for (size_t i = 0; i < list->n_statuses && list->result == 0; i++) {
        status = &list->statuses[i];
        known = find_listed(list, status->wire);
        if (known == NULL || !status->complete)
            continue;
        entry = &list->request->folders[known->index];
        entry->token = status->token;
        entry->has_token = entry->selectable;
        entry->has_counts = status->has_size;
        entry->messages = status->token.messages;
        entry->octets = status->size;
        known->uidnext = status->token.uidnext;
        known->grew = false;
        known->messages = status->token.messages;
    }
}

/* --- what a run was about to delete when it was killed ----------------------- */

/* Our name for what was called so before it was put aside, or NULL; free it. */
static char *name_before(const struct folder_entry *entry)
{
    size_t len = strlen(entry->name);
    size_t behind = sizeof(IMAP_NAMES_ASIDE) - 1;

    if (entry->problem != NULL || !entry->selectable || !entry->has_token ||
        len <= behind ||
        strcmp(entry->name + len - behind, IMAP_NAMES_ASIDE) != 0)
        return NULL;
    return mem_text((struct bytes){entry->name, len - behind});
}

/* It goes now if it is empty, with nothing below it; else it gets its name
 * back, or another one: as it is called now, it would be synchronised, and be
 * given its name in a later run, when nobody has changed anything. */
static void mend_one(struct list *list, const struct folder_entry *entry,
                     const char *before)
{
    const struct list_request *request = list->request;
    struct imap_names *names = &list->task.pool->names;
    const struct imap_name *known = imap_names_find(names, entry->name);
    struct buf wire;
    struct buf new_wire;
    char *keep = imap_names_to_keep(names, before, list->task.pool->listings);
    bool empty = entry->token.messages == 0;

    for (size_t i = 0; i < request->n_folders; i++) {
        const char *name = request->folders[i].name;

        if (name != entry->name && imap_names_within(name, entry->name))
            empty = false;
    }
    buf_init(&wire, 0);
    buf_init(&new_wire, 0);
    buf_add(&wire, bytes_of(known->wire));
    imap_names_remove(names, entry->name);
    if (empty) {
        imap_link_leave(list->task.link, entry->name);
        imap_task_send_name(&list->task, STEP_MEND, "DELETE", &wire, "");
    } else if (imap_names_wire(names, keep, &new_wire, NULL) == 0) {
        imap_task_send_rename(&list->task, STEP_MEND, &wire, &new_wire);
    }
    buf_deinit(&wire);
    buf_deinit(&new_wire);
    free(keep);
}

/* Whether anything was sent: then all is listed anew. */
static bool mend(struct list *list)
{
    struct list_request *request = list->request;

    if (list->mended || list->result < 0 || list->task.pool->untouched)
        return false;
    list->mended = true;
    for (size_t i = 0; i < request->n_folders; i++) {
        char *before = name_before(&request->folders[i]);

        if (before != NULL)
            mend_one(list, &request->folders[i], before);
        free(before);
    }
    return list->task.outstanding > 0;
}

/* STATUS of all that have none yet, a window at a time. A folder whose STATUS
 * is refused just has no token. */
static void send_statuses(struct list *list)
{
    struct list_request *request = list->request;
    const struct folder_entry *entry;
    const struct imap_name *known;
    struct session *session;

    while (list->asked < request->n_folders &&
           list->task.outstanding < STATUS_WINDOW) {
        entry = &request->folders[list->asked++];
        known = imap_names_find(&list->task.pool->names, entry->name);
        if (known == NULL || entry->problem != NULL || !entry->selectable)
            continue;
        session = imap_task_begin(&list->task, STEP_STATUS);
        session_add(session, B("STATUS "), false);
        session_add_quoted(session, bytes_of(known->wire));
        add_status_items(list, session);
        imap_task_end(&list->task);
    }
}

static void begin_again(struct list *list)
{
    drop_lists(list);
    drop_folders(list);
    list->asked = 0;
    list->delimiter = 0;
    list->built = false;
    list->result = 0;
}

static void finish(struct list *list)
{
    take_tokens(list);
    if (mend(list))
        return;
    list->request->doubtful = junk_lines(list) > list->junk;
    if (list->result < 0)
        drop_folders(list);
    imap_task_finish(&list->task, list->result, &list->err);
}

static void list_tagged(struct list *list, int step,
                        const struct session_reply *reply)
{
    struct imap_pool *pool = list->task.pool;

    if (step == STEP_MEND) {
        if (list->task.outstanding == 0) {
            begin_again(list);
            list_start(&list->task);
        }
        return;
    }
    if (step == STEP_NAMESPACE)
        list->asks_space = false;
    if (step == STEP_EXTENDED && reply->status == IMAP_BAD) {
        /* It does not know what it advertises. */
        pool->caps.bits &= ~(uint32_t)(CAP_LIST_EXTENDED | CAP_LIST_STATUS);
        drop_lists(list);
        send_plain(list);
        return;
    }
    if ((step == STEP_EXTENDED || step == STEP_LIST) && list->result == 0)
        list->result = imap_task_answer(reply, "LIST", &list->err);
    if (list->task.outstanding > 0 && !list->built)
        return;
    if (!list->built && list->result == 0)
        build(list);
    if (list->result == 0 && !has_caps(list, CAP_LIST_STATUS))
        send_statuses(list);
    if (list->task.outstanding == 0)
        finish(list);
}

static void list_event(struct imap_task *task, int step,
                       const struct session_event *event)
{
    struct list *list = list_of(task);

    switch (event->kind) {
    case SESSION_NAMESPACE:
        imap_names_space(&task->pool->names, event->name_space.delimiter,
                         event->name_space.prefix);
        break;
    case SESSION_LIST:
        take_list(list, step, &event->list);
        break;
    case SESSION_STATUS:
        take_status(list, &event->status);
        break;
    case SESSION_TAGGED:
        list_tagged(list, step, &event->reply);
        break;
    default:
        break;
    }
}

/* Only a listing that was put off as a whole is begun again: a STATUS or LSUB
 * that is refused is done without. */
static bool list_again(struct imap_task *task, int step)
{
    struct list *list = list_of(task);

    if (step >= IMAP_STEP_OWN && step != STEP_LIST && step != STEP_EXTENDED)
        return false;
    begin_again(list);
    if (list->asks_space)
        task->pool->listings = 0; /* as if it had never begun */
    return true;
}

static void list_deinit(struct imap_task *task)
{
    struct list *list = list_of(task);

    drop_lists(list);
    free(list->subscribed);
    free(list->lists);
    free(list->statuses);
}

struct imap_task *imap_list_new(struct imap_pool *pool,
                                struct list_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_ALONE,
                                                 .size = sizeof(struct list),
                                                 .start = list_start,
                                                 .event = list_event,
                                                 .again = list_again,
                                                 .deinit = list_deinit};
    struct imap_task *task = imap_task_new(pool, &class, &request->base);

    list_of(task)->request = request;
    request->folders = NULL;
    request->n_folders = 0;
    return task;
}
