/*
 * All copies to one side, the newest first: those of the INBOX, then of the
 * folder that has the newest one left. A batch is a run of UIDs, cut from the end
 * and sent in their order. Batches are prepared some at a time, their intents
 * committed together, and kept under way, a few of each folder so that several
 * connections share the folders and not the same one. What went down with the
 * connection is sent again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/transfer.h"

#define RETRY_PARTS      16u /* of a batch that the connection was lost with */
#define READY_MAX        8192u /* messages prepared, their intents on disk */
#define PER_FOLDER       2u    /* one that flows, one behind it */
#define QUEUED_BYTES_MAX (256u << 10) /* records, before they are committed */

static void pump(struct run *run);

static uint32_t max_active(const struct run *run, bool small)
{
    const struct endpoint *left = run->options.endpoint[LEFT];
    const struct endpoint *right = run->options.endpoint[RIGHT];

    return left->lanes + right->lanes +
           (small ? left->small_lanes + right->small_lanes : 0);
}

static void push_ready(struct run *run, struct transfer *transfer)
{
    run->ready = mem_grow(run->ready, run->n_ready, &run->ready_cap,
                          sizeof(struct transfer *));
    run->ready[run->n_ready++] = transfer;
}

/* How many of the last of the @n copies fit one batch. At least one does. */
static size_t batch_length(const struct plan *plan,
                           const struct endpoint *target, enum side to,
                           size_t n)
{
    uint64_t bytes = 0;
    size_t length = 0;

    while (length < n && length < target->batch_messages) {
        bytes += plan_copy(plan, to, n - 1 - length).size;
        if (length > 0 && bytes > target->batch_bytes)
            break;
        length++;
    }
    return length;
}

/* What was sent before and may have arrived goes alone. @length of the last of
 * the @n copies are to go. */
static size_t unsure_length(const struct folder_work *work, enum side to,
                            size_t n, size_t length)
{
    const struct uidset *unsure = &work->unsure[other(to)][0];
    const struct plan *plan = &work->compare->plan;
    size_t sure = 1;

    if (unsure->n == 0)
        return length;
    if (uidset_has(unsure, plan_copy(plan, to, n - 1).uid))
        return 1;
    while (sure < length &&
           !uidset_has(unsure, plan_copy(plan, to, n - 1 - sure).uid))
        sure++;
    return sure;
}

/* Cut the next batch of a folder that has any left. */
static void prepare_batch(struct folder_work *work, enum side to)
{
    const struct plan *plan = &work->compare->plan;
    size_t n = work->copies_left;
    size_t length = batch_length(plan, work->run->options.endpoint[to], to, n);
    struct transfer *transfer;
    struct listed *items;

    length = unsure_length(work, to, n, length);
    items = mem_new(length, sizeof(*items));
    for (size_t i = 0; i < length; i++)
        items[i] = plan_copy(plan, to, n - length + i);
    transfer = transfer_new(work, to, items, length);
    if (uidset_has(&work->unsure[other(to)][1], items[0].uid))
        transfer->tries = TRANSFER_TRIES_FRESH;
    push_ready(work->run, transfer);
    work->copies_left -= length;
}

/* Does @work's next batch come before @best's? */
static bool comes_first(const struct folder_work *work,
                        const struct folder_work *best, enum side to)
{
    bool inbox = strcmp(run_folder_name(work), "INBOX") == 0;

    if (best == NULL || inbox)
        return true;
    return strcmp(run_folder_name(best), "INBOX") != 0 &&
           plan_copy(&work->compare->plan, to, work->copies_left - 1).date >
               plan_copy(&best->compare->plan, to, best->copies_left - 1).date;
}

/* The folder whose batch is next; those that have none left are dropped. */
static struct folder_work *next_folder(struct run *run)
{
    struct folder_work *best = NULL;
    size_t n = 0;

    for (size_t i = 0; i < run->n_copying; i++) {
        struct folder_work *work = run->copying[i];

        if (work->failed || work->copies_left == 0)
            continue;
        run->copying[n++] = work;
        if (comes_first(work, best, run->copy_to))
            best = work;
    }
    run->n_copying = n;
    return best;
}

static bool prepare_fresh(struct run *run)
{
    size_t messages = 0;

    while (messages < READY_MAX) {
        struct folder_work *work = next_folder(run);

        if (work == NULL)
            break;
        prepare_batch(work, run->copy_to);
        messages += run->ready[run->n_ready - 1]->n;
    }
    return messages > 0;
}

/* Intents before what is not idempotent: prepare and commit. What has to be
 * sent again comes last: if it is to blame, all others are over there. */
static void prepare(struct run *run)
{
    bool any = prepare_fresh(run);

    while (!any && run->retries != NULL) {
        struct transfer *transfer = run->retries;

        run->retries = transfer->next;
        push_ready(run, transfer);
        any = run->retries == NULL;
    }
    if (any)
        run_commit(run);
}

/* The next to start: of a folder that has few under way, if there is one. */
static size_t pick_ready(const struct run *run)
{
    for (size_t i = 0; i < run->n_ready; i++) {
        if (run->ready[i]->work->active < PER_FOLDER)
            return i;
    }
    return 0;
}

static bool may_start_more(const struct run *run)
{
    bool small = run->ready[pick_ready(run)]->octets <= ENDPOINT_SMALL_OCTETS;

    return run->transfers < max_active(run, small);
}

/* A message that was lost with its connection goes with no other beside it: so
 * none is taken for the culprit that is not. */
static bool next_is_alone(const struct run *run)
{
    return run->ready[pick_ready(run)]->tries > 0;
}

static struct transfer *take_ready(struct run *run)
{
    size_t pick = pick_ready(run);
    struct transfer *taken = run->ready[pick];

    run->n_ready--;
    for (size_t i = pick; i < run->n_ready; i++)
        run->ready[i] = run->ready[i + 1];
    return taken;
}

/* --- no room ----------------------------------------------------------------- */

void run_leave_out(struct folder_work *work, enum side from, uint32_t uid)
{
    uidset_add(&work->skip[from], uid);
    work->left_out++;
}

static void leave_transfer(struct transfer *transfer)
{
    struct folder_work *work = transfer->work;

    for (size_t i = 0; i < transfer->n; i++) {
        run_leave_out(work, other(transfer->to), transfer->items[i].uid);
        state_intent_del(work->run->options.state, transfer->intents[i]);
    }
    transfer_free(transfer);
}

static void tell_left_out(struct folder_work *work, enum side to)
{
    char reason[160];
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = to,
        .source = other(to),
        .folder = run_folder_name(work),
        .count = work->left_out,
        .reason = reason,
    };

    if (work->left_out == 0)
        return;
    snprintf(reason, sizeof(reason),
             "%u messages were not sent: %s is over its quota", work->left_out,
             work->run->options.endpoint[to]->name);
    work->left_out = 0;
    work->unconsumed[other(to)] = true;
    run_report(work->run, &event);
}

/* The other side says again and again that it is full: all that is still to go
 * there would be sent in vain. What goes the other way, flags and deletions are
 * no matter of room. */
static void leave_rest(struct run *run)
{
    enum side to = run->copy_to;

    while (run->retries != NULL) {
        struct transfer *transfer = run->retries;

        run->retries = transfer->next;
        leave_transfer(transfer);
    }
    while (run->n_ready > 0)
        leave_transfer(run->ready[--run->n_ready]);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];
        const struct plan *plan;

        if (run_takes_part(work)) {
            plan = &work->compare->plan;
            while (work->copies_left > 0)
                run_leave_out(work, other(to),
                              plan_copy(plan, to, --work->copies_left).uid);
        }
        tell_left_out(work, to);
    }
}

/* --- the pump ------------------------------------------------------------------ */

static void pump(struct run *run)
{
    if (run->full[run->copy_to] >= RUN_FULL_MAX && !run_is_closing(run))
        leave_rest(run);
    while (!run_is_closing(run)) {
        struct transfer *transfer;

        if (run->n_ready == 0)
            prepare(run);
        if (run->n_ready == 0 || run_is_closing(run) || !may_start_more(run))
            return;
        if (run->transfers > 0 && (run->alone || next_is_alone(run)))
            return;
        transfer = take_ready(run);
        run->alone = transfer->tries > 0;
        run->transfers++;
        transfer->work->active++;
        run_begin(run);
        transfer_start(transfer);
    }
}

/* How many of the messages from @first on go together this time. What went
 * down together goes alone, so that only the culprit fails; what the connection
 * was lost with goes in much smaller batches, so that some of it arrives before
 * it is lost again. */
static size_t retry_length(const struct transfer *transfer, size_t first)
{
    size_t most = transfer->n / RETRY_PARTS;
    size_t length = 1;

    while (length < most && first + length < transfer->n &&
           transfer->outcome[first] != TRANSFER_SINGLY &&
           transfer_owes(transfer, first + length) &&
           transfer->outcome[first + length] != TRANSFER_SINGLY)
        length++;
    return length;
}

static void send_again(struct transfer *transfer, size_t first, size_t length)
{
    struct run *run = transfer->work->run;
    struct transfer *again;
    struct listed *items;

    for (size_t i = first; i < first + length; i++)
        state_intent_del(run->options.state, transfer->intents[i]);
    items = mem_new(length, sizeof(*items));
    memcpy(items, &transfer->items[first], length * sizeof(*items));
    again = transfer_new(transfer->work, transfer->to, items, length);
    if (transfer->n == 1)
        again->tries = transfer->tries + 1;
    again->next = run->retries;
    run->retries = again;
}

static void retry(struct transfer *transfer)
{
    struct folder_work *work = transfer->work;
    enum side from = other(transfer->to);
    size_t length;

    if (work->failed || run_is_closing(work->run))
        return;
    for (size_t first = 0; first < transfer->n; first += length) {
        length = 1;
        if (!transfer_owes(transfer, first))
            continue;
        if (transfer->n == 1 && transfer->tries + 1 >= TRANSFER_TRIES_MAX) {
            work->unconsumed[from] = true;
            run_message_failed(work, from, transfer->items[0].uid,
                               transfer->why.text);
            return;
        }
        length = retry_length(transfer, first);
        send_again(transfer, first, length);
    }
}

void run_copy_over(struct transfer *transfer)
{
    struct folder_work *work = transfer->work;
    struct run *run = work->run;

    retry(transfer);
    transfer_free(transfer);
    work->active--;
    run->transfers--;
    if (!run_is_closing(run) &&
        state_queued(run->options.state) > QUEUED_BYTES_MAX)
        run_commit(run);
    pump(run);
    run_end(run);
}

static void count_work(struct run *run, enum side to)
{
    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *work = run->folders[i];
        const struct plan *plan;

        if (!run_takes_part(work))
            continue;
        plan = &work->compare->plan;
        for (size_t k = 0; k < plan->n_copies[to]; k++)
            run->progress.bytes_total += plan_copy(plan, to, k).size;
        run->progress.messages_total += (uint32_t)plan->n_copies[to];
    }
}

static void find_work(struct run *run, enum side to)
{
    free(run->copying);
    run->copying = mem_new(run->n_folders, sizeof(struct folder_work *));
    run->n_copying = 0;
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        work->copies_left = 0;
        if (!run_takes_part(work) || !work->present[to])
            continue;
        work->copies_left = work->compare->plan.n_copies[to];
        run->copying[run->n_copying++] = work;
    }
}

void run_copy(struct run *run, enum side to)
{
    run->progress.phase = "copying";
    run->copy_to = to;
    count_work(run, to);
    find_work(run, to);
    run_begin(run);
    pump(run);
    run_end(run);
}

void run_copy_deinit(struct run *run)
{
    for (size_t i = 0; i < run->n_ready; i++)
        transfer_free(run->ready[i]);
    while (run->retries != NULL) {
        struct transfer *transfer = run->retries;

        run->retries = transfer->next;
        transfer_free(transfer);
    }
    free(run->ready);
    free(run->copying);
}
