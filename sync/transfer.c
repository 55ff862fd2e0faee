/* One batch of messages from one side to the other. */
#include "sync/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"

static struct endpoint *source(const struct transfer *transfer)
{
    return transfer->work->run->options.endpoint[other(transfer->to)];
}

static struct endpoint *target(const struct transfer *transfer)
{
    return transfer->work->run->options.endpoint[transfer->to];
}

static void queue_intent(struct transfer *transfer, size_t index)
{
    struct folder_work *work = transfer->work;
    const struct listed *item = &transfer->items[index];
    const struct folder_token *token = &work->token[transfer->to];
    struct state_intent intent = {
        .folder = work->row.id,
        .side = transfer->to,
        .source_uid = item->uid,
        .target_uidvalidity = token->uidvalidity,
        .target_uidnext = token->uidnext,
        .size = item->size,
        .date = item->date,
    };

    if (!SABOTAGED(no_intents))
        state_intent_put(work->run->options.state, &intent);
    transfer->intents[index] = intent.number;
    if (SABOTAGED(record_first)) {
        struct state_pair pair = {.flags = item->flags};

        pair.uid[other(transfer->to)] = item->uid;
        pair.uid[transfer->to] = token->uidnext + (uint32_t)index;
        state_pair_put(work->run->options.state, work->row.id, &pair);
    }
}

struct transfer *transfer_new(struct folder_work *work, enum side to,
                              struct listed *items, size_t n)
{
    struct transfer *transfer = MEM_NEW(struct transfer);

    transfer->work = work;
    transfer->to = to;
    transfer->items = items;
    transfer->n = n;
    transfer->intents = mem_new(n, sizeof(*transfer->intents));
    transfer->outcome = mem_new(n, sizeof(*transfer->outcome));
    transfer->order = mem_new(n, sizeof(*transfer->order));
    for (size_t i = 0; i < n; i++) {
        uidset_add(&transfer->uids, items[i].uid);
        transfer->octets += items[i].size;
        queue_intent(transfer, i);
    }
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    uidset_deinit(&transfer->uids);
    free(transfer->items);
    free(transfer->intents);
    free(transfer->outcome);
    free(transfer->order);
    free(transfer);
}

/* Index of the message with @uid, or n. */
static size_t find(const struct transfer *transfer, uint32_t uid)
{
    size_t low = 0;
    size_t high = transfer->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (transfer->items[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < transfer->n && transfer->items[low].uid == uid ? low
                                                                : transfer->n;
}

/* --- reading --------------------------------------------------------------- */

static void on_begin(struct read_request *request, uint32_t uid, uint64_t size)
{
    struct transfer *transfer = request->base.owner;
    struct folder_work *work = transfer->work;
    size_t index = find(transfer, uid);
    struct message_meta meta = {.size = size};

    /* A server may send what nobody asked for, or one message twice. */
    if (transfer->closed || index == transfer->n ||
        transfer->outcome[index] != TRANSFER_WAITING)
        return;
    meta.date = transfer->items[index].date;
    meta.flags = flags_limit(work->run->keywords, transfer->items[index].flags,
                             &work->compare->delta[transfer->to].storable);
    run_prove_flags(work, transfer->to, meta.flags);
    if (uidset_has(&work->bare[other(transfer->to)], uid))
        meta.flags.keywords = 0;
    transfer->outcome[index] = TRANSFER_BEGUN;
    transfer->order[transfer->n_begun++] = index;
    transfer->streaming = true;
    endpoint_add_message(target(transfer), &transfer->add, &meta);
}

static void on_data(struct read_request *request, struct bytes data)
{
    struct transfer *transfer = request->base.owner;

    if (!transfer->streaming)
        return;
    transfer->work->run->progress.bytes_done += data.len;
    if (!endpoint_add_data(target(transfer), &transfer->add, data))
        endpoint_read_pause(source(transfer), &transfer->read, true);
}

static void on_room(struct add_request *request)
{
    struct transfer *transfer = request->base.owner;

    if (!transfer->read_over)
        endpoint_read_pause(source(transfer), &transfer->read, false);
}

/* No message of this batch will follow any more. */
static void close_add(struct transfer *transfer)
{
    if (transfer->closed)
        return;
    transfer->closed = true;
    endpoint_add_close(target(transfer), &transfer->add);
}

static void on_end(struct read_request *request, int result,
                   const struct err *err)
{
    struct transfer *transfer = request->base.owner;
    size_t index;

    if (!transfer->streaming)
        return;
    transfer->streaming = false;
    if (result >= 0)
        return;
    /* Cut in the middle: what has arrived of it must not appear over there. */
    index = transfer->order[transfer->n_begun - 1];
    if (result != ERR_CONNECT && result != ERR_CANCELLED &&
        result != ERR_RETRY) {
        transfer->outcome[index] = TRANSFER_FAILED;
        transfer->work->unconsumed[other(transfer->to)] = true;
        run_message_failed(transfer->work, other(transfer->to),
                           transfer->items[index].uid, err->text);
    }
    transfer->closed = true;
    transfer->aborted = true;
    endpoint_add_abort(target(transfer), &transfer->add);
}

/* --- adding ---------------------------------------------------------------- */

/* Is @uid of the target on record for another message, so that the server has
 * merged this one into that? */
static bool is_taken(const struct transfer *transfer, size_t index,
                     uint32_t uid)
{
    const struct folder_work *work = transfer->work;
    const struct known *known = &work->compare->known;
    enum side from = other(transfer->to);
    struct state_pair pair;
    struct err err;

    if (uidset_has(&work->added[transfer->to], uid))
        return true;
    if (work->made[transfer->to])
        return false; /* what is on record was of an earlier folder */
    return known->pair(known->owner, transfer->to, uid, &pair, &err) == 0 &&
           pair.uid[from] != transfer->items[index].uid;
}

/* The message stays here alone: its copy over there is another's. */
static void record_merged(struct transfer *transfer, size_t index)
{
    struct folder_work *work = transfer->work;
    struct state_apart apart = {
        .folder = work->row.id,
        .side = other(transfer->to),
        .uid = transfer->items[index].uid,
        .kind = APART_MERGED,
        .size = transfer->items[index].size,
    };

    transfer->outcome[index] = TRANSFER_DONE;
    work->dirty[transfer->to] = true;
    state_apart_put(work->run->options.state, &apart);
    state_intent_del(work->run->options.state, transfer->intents[index]);
}

static void record(struct transfer *transfer, size_t index, uint32_t uid)
{
    struct folder_work *work = transfer->work;
    struct run *run = work->run;
    const struct listed *item = &transfer->items[index];
    struct state_pair pair = {
        .flags = item->flags, .size = item->size, .date = item->date};
    struct report_event event = {
        .kind = REPORT_COPY,
        .side = transfer->to,
        .source = other(transfer->to),
        .folder = run_folder_name(work),
        .uid = item->uid,
        .count = 1,
        .bytes = item->size,
    };

    transfer->outcome[index] = TRANSFER_DONE;
    run->full[transfer->to] = 0;
    work->dirty[transfer->to] = true;
    run->result.counts[transfer->to].copied++;
    run->result.counts[transfer->to].copied_bytes += item->size;
    run->progress.messages_done++;
    run_report(run, &event);
    if (uid == 0) {
        /* The server does not say which one it is. The next pass finds it by
         * identity, or its twin: then this one is sent again. */
        work->unnumbered++;
        return;
    }
    /* The keywords follow like any that the user has just set. */
    if (uidset_has(&work->bare[other(transfer->to)], item->uid)) {
        pair.flags.keywords = 0;
        work->want_full[other(transfer->to)] = true;
    }
    run_note_uidvalidity(work, transfer->to, transfer->add.uidvalidity);
    uidset_add(&work->added[transfer->to], uid);
    pair.uid[transfer->to] = uid;
    pair.uid[other(transfer->to)] = item->uid;
    state_pair_put(run->options.state, work->row.id, &pair);
    state_intent_del(run->options.state, transfer->intents[index]);
}

/* Refused for good: on record, so that it is told every time and not sent
 * every time. */
static void refuse(struct transfer *transfer, size_t index,
                   const struct err *err)
{
    struct folder_work *work = transfer->work;
    struct state_apart apart = {
        .folder = work->row.id,
        .side = other(transfer->to),
        .uid = transfer->items[index].uid,
        .kind = APART_REFUSED,
        .size = transfer->items[index].size,
        .limit = target(transfer)->append_max,
    };
    size_t length = strlen(err->text);

    if (length >= sizeof(apart.reason))
        length = sizeof(apart.reason) - 1;
    memcpy(apart.reason, err->text, length);
    state_apart_put(work->run->options.state, &apart);
    state_intent_del(work->run->options.state, transfer->intents[index]);
}

static void give_up(struct transfer *transfer, size_t index,
                    const struct err *err)
{
    transfer->outcome[index] = TRANSFER_FAILED;
    run_message_failed(transfer->work, other(transfer->to),
                       transfer->items[index].uid, err->text);
}

/* For this run only: the next one is to find it new again. */
static void give_up_for_now(struct transfer *transfer, size_t index,
                            const struct err *err)
{
    transfer->work->unconsumed[other(transfer->to)] = true;
    give_up(transfer, index, err);
}

/* The first few are named, and then it is clear. */
static void no_room(struct transfer *transfer, size_t index,
                    const struct err *err)
{
    struct folder_work *work = transfer->work;

    if (work->run->full[transfer->to]++ < RUN_FULL_MAX) {
        give_up_for_now(transfer, index, err);
    } else {
        transfer->outcome[index] = TRANSFER_FAILED;
        run_leave_out(work, other(transfer->to), transfer->items[index].uid);
    }
}

/* Nobody knows whether it arrived. The next pass finds it by its identity, or
 * sends it again, alone: a message that costs the connection each time must
 * not take others with it for ever. */
static void doubt(struct transfer *transfer, size_t index,
                  const struct err *err)
{
    struct folder_work *work = transfer->work;
    enum side from = other(transfer->to);
    uint32_t uid = transfer->items[index].uid;
    size_t n = 0;

    transfer->outcome[index] = TRANSFER_UNSURE;
    run_doubt(work, transfer->to);
    while (n < RUN_DOUBTS_MAX && uidset_has(&work->unsure[from][n], uid))
        n++;
    if (n < RUN_DOUBTS_MAX)
        uidset_add(&work->unsure[from][n++], uid);
    if (n == RUN_DOUBTS_MAX)
        give_up_for_now(transfer, index, err);
}

static void on_added(struct add_request *request, size_t k, int result,
                     uint32_t uid, const struct err *err)
{
    struct transfer *transfer = request->base.owner;
    size_t index;

    if (k >= transfer->n_begun)
        return;
    index = transfer->order[k];
    if (transfer->outcome[index] != TRANSFER_BEGUN)
        return;
    if (result == 0 && uid != 0 && is_taken(transfer, index, uid)) {
        record_merged(transfer, index);
        return;
    }
    if (result == 0) {
        record(transfer, index, uid);
        return;
    }
    transfer->why = *err;
    switch (result) {
    case ERR_REFUSED:
        refuse(transfer, index, err);
        give_up(transfer, index, err);
        break;
    case ERR_FULL:
        no_room(transfer, index, err);
        break;
    case ERR_BUSY:
        give_up_for_now(transfer, index, err);
        break;
    case ERR_UNSURE:
        doubt(transfer, index, err);
        break;
    case ERR_RETRY_BARE:
        uidset_add(&transfer->work->bare[other(transfer->to)],
                   transfer->items[index].uid);
        transfer->outcome[index] = TRANSFER_SINGLY;
        break;
    case ERR_RETRY:
    case ERR_CANCELLED:
        transfer->outcome[index] = TRANSFER_RETRY;
        break;
    default:
        transfer->outcome[index] = TRANSFER_SINGLY;
        break;
    }
}

/* --- the end ---------------------------------------------------------------- */

static void on_still_there(struct identify_request *request, uint32_t uid,
                           const struct identity *identity)
{
    struct transfer *transfer = request->base.owner;
    size_t index = find(transfer, uid);

    (void)identity;
    if (index == transfer->n || transfer->outcome[index] != TRANSFER_MISSING)
        return;
    transfer->outcome[index] = TRANSFER_FAILED;
    transfer->work->unconsumed[other(transfer->to)] = true;
    run_message_failed(transfer->work, other(transfer->to), uid,
                       "the server lists it, but does not deliver it");
}

static void on_identified(struct request *base)
{
    struct transfer *transfer = base->owner;
    struct folder_work *work = transfer->work;
    enum side from = other(transfer->to);

    if (base->result < 0) {
        work->unconsumed[from] = true;
        if (!run_is_over(work->run, from, base->result, &base->err))
            run_folder_failed(work, from, &base->err);
    }
    run_copy_over(transfer);
}

/* Messages that were asked for and did not come are most likely gone. Ask, as
 * a server may also just not have delivered them. */
static bool ask_for_missing(struct transfer *transfer)
{
    enum side from = other(transfer->to);
    bool any = false;

    if (transfer->aborted || transfer->read.base.result < 0 ||
        transfer->add.base.result < 0 || run_is_closing(transfer->work->run))
        return false;
    uidset_clear(&transfer->uids);
    for (size_t i = 0; i < transfer->n; i++) {
        if (transfer->outcome[i] != TRANSFER_WAITING)
            continue;
        transfer->outcome[i] = TRANSFER_MISSING;
        uidset_add(&transfer->uids, transfer->items[i].uid);
        any = true;
    }
    if (!any)
        return false;
    transfer->identify.base.done = on_identified;
    transfer->identify.base.owner = transfer;
    transfer->identify.folder = run_folder_ref(transfer->work, from);
    transfer->identify.uids = &transfer->uids;
    transfer->identify.level = IDENTIFY_META;
    transfer->identify.item = on_still_there;
    endpoint_identify(source(transfer), &transfer->identify);
    return true;
}

static void over(struct transfer *transfer)
{
    if (!transfer->read_over || !transfer->add_over)
        return;
    if (!ask_for_missing(transfer))
        run_copy_over(transfer);
}

/* A request of the transfer failed as a whole. */
static void failed(struct transfer *transfer, enum side side, int result,
                   const struct err *err)
{
    struct folder_work *work = transfer->work;

    transfer->why = *err;
    if (result == ERR_RETRY) {
        transfer->cut = true;
    } else if (!run_is_over(work->run, side, result, err)) {
        run_folder_failed(work, side, err);
    }
}

static void on_read(struct request *base)
{
    struct transfer *transfer = base->owner;

    transfer->read_over = true;
    if (base->result < 0)
        failed(transfer, other(transfer->to), base->result, &base->err);
    close_add(transfer);
    over(transfer);
}

static void on_add_over(struct request *base)
{
    struct transfer *transfer = base->owner;
    int result = base->result;

    transfer->add_over = true;
    /* Ended early: drop the rest of the stream. */
    transfer->closed = true;
    transfer->streaming = false;
    if (transfer->aborted && result == ERR_CANCELLED) {
        transfer->cut = true; /* on our own demand */
    } else if (result < 0 && result != ERR_RETRY_SINGLY) {
        failed(transfer, transfer->to, result, &base->err);
    }
    if (!transfer->read_over)
        endpoint_read_pause(source(transfer), &transfer->read, false);
    over(transfer);
}

bool transfer_owes(const struct transfer *transfer, size_t index)
{
    switch (transfer->outcome[index]) {
    case TRANSFER_RETRY:
    case TRANSFER_SINGLY:
        return true;
    case TRANSFER_WAITING:
    case TRANSFER_BEGUN:
        return transfer->cut;
    default:
        return false;
    }
}

void transfer_start(struct transfer *transfer)
{
    transfer->add.base.done = on_add_over;
    transfer->add.base.owner = transfer;
    transfer->add.base.fresh = transfer->tries >= TRANSFER_TRIES_FRESH;
    transfer->add.folder = run_folder_ref(transfer->work, transfer->to);
    transfer->add.octets = transfer->octets;
    transfer->add.room = on_room;
    transfer->add.added = on_added;
    endpoint_add_open(target(transfer), &transfer->add);
    transfer->read.base.done = on_read;
    transfer->read.base.owner = transfer;
    transfer->read.base.fresh = transfer->tries >= TRANSFER_TRIES_FRESH;
    transfer->read.folder = run_folder_ref(transfer->work, other(transfer->to));
    transfer->read.uids = &transfer->uids;
    transfer->read.octets = transfer->octets;
    transfer->read.begin = on_begin;
    transfer->read.data = on_data;
    transfer->read.end = on_end;
    endpoint_read(source(transfer), &transfer->read);
}
