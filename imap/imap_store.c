/*
 * Change flags, and remove messages. Flags are added and taken away, never set
 * as a whole: what others changed meanwhile stays. Messages are removed by
 * \Deleted and UID EXPUNGE (RFC 4315), which takes these and no others; without
 * it EXPUNGE is only sent where no other message carries \Deleted. OK alone is
 * not believed: VANISHED says which of them went, where QRESYNC is on, and who
 * was not named so is looked for.
 */
#include <string.h>

#include "base/sabotage.h"
#include "imap/imap_link.h"
#include "imap/imap_pool.h"

enum {
    STEP_ADD = IMAP_STEP_OWN, /* +FLAGS */
    STEP_TAKE,                /* -FLAGS */
    STEP_EXPUNGE,
    STEP_SEARCH,
    STEP_LOOK,  /* which are still there to be removed? */
    STEP_CHECK, /* which did not go? */
    STEP_DONE
};

struct store {
    struct imap_task task; /* first */
    const struct uidset *uids;
    struct flags_change change;
    struct remove_request *removal; /* NULL: only flags */
    bool refused;                   /* the keywords were */
    uint32_t singly;       /* keywords that are still to be tried one by one */
    int phase;             /* the step under way */
    size_t from;           /* first range that was not sent in this phase */
    struct uidset deleted; /* by STEP_SEARCH */
    bool again;            /* some were not told to be gone: these once more */
    struct uidset left;    /* those; then they are the uids */
    struct uidset found;   /* by STEP_LOOK and STEP_CHECK */
};

static struct store *store_of(struct imap_task *task)
{
    return (struct store *)task;
}

static bool is_empty(struct flags flags)
{
    return flags.system == 0 && flags.keywords == 0;
}

static void send_store(struct store *store, const char *sign,
                       struct flags flags)
{
    struct buf rest;

    buf_init(&rest, 0);
    buf_printf(&rest, " %sFLAGS.SILENT (",
               SABOTAGED(absolute_flags) ? "" : sign);
    flags_print(store->task.pool->shared.keywords, flags, &rest);
    buf_add_char(&rest, ')');
    imap_task_send_set(&store->task, store->phase, "UID STORE", store->uids,
                       &store->from, buf_text(&rest));
    buf_deinit(&rest);
}

static void send_search(struct store *store)
{
    uidset_clear(&store->deleted);
    imap_task_send(&store->task, STEP_SEARCH, "UID SEARCH DELETED");
    store->from = store->uids->n;
}

static void send_expunge(struct store *store)
{
    if ((store->task.pool->caps.bits & CAP_UIDPLUS) != 0 &&
        !SABOTAGED(plain_expunge)) {
        imap_task_send_set(&store->task, STEP_EXPUNGE, "UID EXPUNGE",
                           store->uids, &store->from, "");
        return;
    }
    imap_task_send(&store->task, STEP_EXPUNGE, "EXPUNGE");
    store->from = store->uids->n;
}

/* Not UID SEARCH: see imap_place.c. */
static void send_look(struct store *store)
{
    imap_task_send_set(&store->task, store->phase, "UID FETCH", store->uids,
                       &store->from, " (UID)");
}

static void send_next(struct store *store)
{
    switch (store->phase) {
    case STEP_ADD:
        send_store(store, "+", store->change.add);
        break;
    case STEP_TAKE:
        send_store(store, "-", store->change.remove);
        break;
    case STEP_SEARCH:
        send_search(store);
        break;
    case STEP_LOOK:
    case STEP_CHECK:
        send_look(store);
        break;
    default:
        send_expunge(store);
        break;
    }
}

/* Does a message carry \Deleted that is not ours to remove? */
static bool others_deleted(const struct store *store)
{
    struct uidset_walk walk = {.set = &store->deleted};
    uint32_t uid;

    if (uidset_count(&store->deleted) > uidset_count(store->uids))
        return true;
    while (uidset_next(&walk, &uid)) {
        if (!uidset_has(store->uids, uid))
            return true;
    }
    return false;
}

/* Only what was found is left. Returns whether that is anything. */
static bool take_found(struct store *store)
{
    struct uidset none = store->left;

    store->left = store->found;
    store->found = none;
    uidset_clear(&store->found);
    return store->left.n > 0;
}

/* Does the server say which messages are no longer there? RFC 7162 section
 * 3.2.10: before it says that they are expunged. */
static bool is_told(const struct store *store)
{
    return store->removal != NULL && store->task.link->enabled;
}

static int first_change(struct store *store);

/* What comes after @phase. */
static int next_phase(struct store *store, int phase)
{
    bool uidplus = (store->task.pool->caps.bits & CAP_UIDPLUS) != 0;

    switch (phase) {
    case IMAP_STEP_SELECT:
        if (store->again && is_told(store))
            return STEP_LOOK;
        return first_change(store);
    case STEP_LOOK:
        return take_found(store) ? first_change(store) : STEP_DONE;
    case STEP_ADD:
        if (!is_empty(store->change.remove))
            return STEP_TAKE;
        return next_phase(store, STEP_TAKE);
    case STEP_TAKE:
        if (store->removal == NULL)
            return STEP_DONE;
        return uidplus ? STEP_EXPUNGE : STEP_SEARCH;
    case STEP_SEARCH:
        store->removal->kept = others_deleted(store);
        return store->removal->kept ? STEP_DONE : STEP_EXPUNGE;
    case STEP_EXPUNGE:
        return is_told(store) ? STEP_DONE : STEP_CHECK;
    default:
        return STEP_DONE;
    }
}

static int first_change(struct store *store)
{
    return is_empty(store->change.add) ? next_phase(store, STEP_ADD) : STEP_ADD;
}

/* With UID EXPUNGE all goes out in one flight, where it is told what came of
 * it: Dovecot does not find a \Deleted that was set in the same flight, and says
 * OK, where another session has expunged something meanwhile. Without UIDPLUS
 * nothing is expunged before it is known what else carries \Deleted. The check
 * can always follow closely. */
static bool waits(const struct store *store)
{
    return store->removal != NULL && store->phase != STEP_EXPUNGE &&
           (store->again || !is_told(store) ||
            (store->task.pool->caps.bits & CAP_UIDPLUS) == 0);
}

/* The first keyword of those to be tried one by one; 0: none is left. */
static uint32_t take_single(struct store *store)
{
    struct keywords *keywords = store->task.pool->shared.keywords;
    struct bytes names = keywords_text(keywords, store->singly);
    size_t n = 0;
    uint32_t single;

    while (n < names.len && names.ptr[n] != ' ')
        n++;
    single = keywords_intern(keywords, (struct bytes){names.ptr, n});
    store->singly = keywords_minus(keywords, store->singly, single);
    return single;
}

/* Some servers refuse keywords that they have not ruled out: then they are
 * tried one by one, the rest goes without them, and what is refused alone is
 * left out. What is sent already is refused the same way. */
static bool is_about_keywords(struct store *store, int step, int result)
{
    struct flags *add = &store->change.add;
    struct bytes names =
        keywords_text(store->task.pool->shared.keywords, add->keywords);

    if (step != STEP_ADD || result != ERR_REFUSED || store->removal != NULL ||
        (add->keywords == 0 && !store->refused))
        return false;
    if (names.len > 0 && memchr(names.ptr, ' ', names.len) != NULL)
        store->singly = add->keywords;
    add->keywords = 0;
    store->refused = true;
    if (store->phase == STEP_ADD)
        store->from = store->uids->n;
    return true;
}

static void store_begin(struct store *store);

/* Of those that were to go, which were not said to be gone? */
static void take_left(struct store *store)
{
    if (!is_told(store)) {
        (void)take_found(store);
        return;
    }
    if (!store->again)
        uidset_add_set(&store->left, store->uids);
    uidset_remove_set(&store->left, &store->task.link->box.vanished);
}

/* OK to EXPUNGE is not the end of those that stayed: they are removed once more,
 * step by step. */
static void removal_end(struct store *store)
{
    struct err err;

    take_left(store);
    if (store->left.n == 0 || store->removal->kept) {
        imap_task_finish(&store->task, 0, NULL);
    } else if (store->again) {
        err_set(&err, ERR_BUSY,
                "EXPUNGE was answered with OK, but not all messages went");
        imap_task_finish(&store->task, ERR_BUSY, &err);
    } else {
        store->again = true;
        store->uids = &store->left;
        if (imap_task_goes_on(&store->task))
            store_begin(store);
    }
}

/* Everything is answered. */
static void store_end(struct store *store)
{
    if (store->removal != NULL) {
        removal_end(store);
        return;
    }
    if (!store->refused && store->singly == 0) {
        imap_task_finish(&store->task, 0, NULL);
        return;
    }
    if (!imap_task_goes_on(&store->task))
        return;
    store->change.add.keywords = take_single(store);
    store_begin(store);
}

/* Send as much as the window takes, then the same of the next phase. */
static void store_go_on(struct store *store)
{
    struct imap_task *task = &store->task;

    while (store->phase != STEP_DONE) {
        while (store->from < store->uids->n && task->outstanding < IMAP_WINDOW)
            send_next(store);
        if (store->from < store->uids->n ||
            (task->outstanding > 0 && waits(store)))
            return;
        store->phase = next_phase(store, store->phase);
        store->from = 0;
    }
    if (task->outstanding > 0)
        imap_task_sent(task);
    else
        store_end(store);
}

static void store_begin(struct store *store)
{
    store->refused = false;
    store->from = 0;
    store->phase = next_phase(store, IMAP_STEP_SELECT);
    store_go_on(store);
}

/* Nothing is changed before it is certain that it is the right folder. */
static void store_start(struct imap_task *task)
{
    bool selected = imap_link_has(task->link, task);

    if (imap_task_select(task) && selected)
        store_begin(store_of(task));
}

static const char *verb_of(int step)
{
    switch (step) {
    case STEP_SEARCH:
        return "SEARCH";
    case STEP_EXPUNGE:
        return "EXPUNGE";
    case STEP_LOOK:
    case STEP_CHECK:
        return "FETCH";
    default:
        return "STORE";
    }
}

static void store_tagged(struct store *store, int step,
                         const struct session_event *event)
{
    struct err err;
    int r;

    if (step == IMAP_STEP_SELECT) {
        r = imap_task_selected(&store->task, event, &err);
    } else {
        r = imap_task_answer(&event->reply, verb_of(step), &err);
    }
    /* mailutils refuses to look for UIDs above the highest that there is. */
    if (is_about_keywords(store, step, r) ||
        (step == STEP_CHECK && r == ERR_REFUSED))
        r = 0;
    if (r < 0) {
        imap_task_finish(&store->task, r, &err);
    } else if (step == IMAP_STEP_SELECT) {
        store_begin(store);
    } else {
        store_go_on(store);
    }
}

static void store_event(struct imap_task *task, int step,
                        const struct session_event *event)
{
    struct store *store = store_of(task);

    if (event->kind == SESSION_TAGGED) {
        store_tagged(store, step, event);
    } else if (event->kind == SESSION_SEARCH && step == STEP_SEARCH) {
        uidset_add_set(&store->deleted, event->vanished.set);
    } else if (event->kind == SESSION_FETCH &&
               (step == STEP_LOOK || step == STEP_CHECK)) {
        if ((event->fetch.has & FETCH_UID) != 0 &&
            uidset_has(store->uids, event->fetch.uid))
            uidset_add(&store->found, event->fetch.uid);
    }
}

/* Each command may come twice: the messages are named by their UIDs. */
static bool store_again(struct imap_task *task, int step)
{
    (void)step;
    uidset_clear(&store_of(task)->found);
    return true;
}

static void store_deinit(struct imap_task *task)
{
    uidset_deinit(&store_of(task)->deleted);
    uidset_deinit(&store_of(task)->left);
    uidset_deinit(&store_of(task)->found);
}

static struct store *store_new(struct imap_pool *pool, struct request *request,
                               const struct folder_ref *folder,
                               const struct uidset *uids)
{
    static const struct imap_task_class class = {.role = IMAP_VISITS,
                                                 .size = sizeof(struct store),
                                                 .start = store_start,
                                                 .event = store_event,
                                                 .again = store_again,
                                                 .deinit = store_deinit};
    struct imap_task *task = imap_task_new(pool, &class, request);

    task->folder = folder;
    if (uids->n > 0)
        task->uid_max = uids->ranges[uids->n - 1].last;
    store_of(task)->uids = uids;
    return store_of(task);
}

struct imap_task *imap_flag_new(struct imap_pool *pool,
                                struct flag_request *request)
{
    struct store *store =
        store_new(pool, &request->base, &request->folder, request->uids);

    store->change = request->change;
    return &store->task;
}

struct imap_task *imap_remove_new(struct imap_pool *pool,
                                  struct remove_request *request)
{
    struct store *store =
        store_new(pool, &request->base, &request->folder, request->uids);

    store->change.add.system = FLAG_DELETED;
    store->removal = request;
    request->kept = false;
    return &store->task;
}
