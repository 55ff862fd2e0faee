/*
 * All copies to one side: batches are prepared some at a time, their intents
 * committed together, and kept under way, a few of each folder so that several
 * connections share the folders and not the same one.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "sync/transfer.h"

#define READY_MAX        8192u /* messages prepared, their intents on disk */
#define PER_FOLDER       2u    /* one that flows, one behind it */
#define QUEUED_BYTES_MAX (256u << 10) /* records, before they are committed */

static void pump(struct run *run);

static uint32_t max_active(const struct run *run)
{
    return run->options.endpoint[LEFT]->lanes +
           run->options.endpoint[RIGHT]->lanes;
}

static void push_ready(struct run *run, struct transfer *transfer)
{
    run->ready = mem_grow(run->ready, run->n_ready, &run->ready_cap,
                          sizeof(struct transfer *));
    run->ready[run->n_ready++] = transfer;
}

/* How many of @items fit one batch. At least one does. */
static size_t batch_length(const struct endpoint *target,
                           const struct listed *items, size_t n)
{
    uint64_t bytes = 0;
    size_t length = 0;

    while (length < n && length < target->batch_messages) {
        bytes += items[length].size;
        if (length > 0 && bytes > target->batch_bytes)
            break;
        length++;
    }
    return length;
}

/* Cut the next batch of a folder. Returns false where there is none left. */
static bool prepare_batch(struct folder_work *work, enum side to)
{
    struct plan *plan;
    size_t length;

    if (work->failed || work->compare == NULL || !work->present[to])
        return false;
    plan = &work->compare->plan;
    if (work->next_copy >= plan->n_copies[to])
        return false;
    length = batch_length(work->run->options.endpoint[to],
                          plan->copies[to] + work->next_copy,
                          plan->n_copies[to] - work->next_copy);
    push_ready(
        work->run,
        transfer_new(work, to, plan->copies[to] + work->next_copy, length));
    work->next_copy += length;
    return true;
}

/* Intents before what is not idempotent: prepare and commit. */
static void prepare(struct run *run)
{
    size_t messages = 0;
    bool any = false;

    while (run->retries != NULL) {
        struct transfer *transfer = run->retries;

        run->retries = transfer->next;
        push_ready(run, transfer);
        any = true;
    }
    while (messages < READY_MAX && run->copy_folder < run->n_folders) {
        if (prepare_batch(run->folders[run->copy_folder], run->copy_to)) {
            messages += run->ready[run->n_ready - 1]->n;
            any = true;
        } else {
            run->copy_folder++;
        }
    }
    if (any)
        run_commit(run);
}

/* The next to start: of a folder that has few under way, if there is one. */
static struct transfer *take_ready(struct run *run)
{
    struct transfer *taken;
    size_t pick = 0;

    for (size_t i = 0; i < run->n_ready; i++) {
        if (run->ready[i]->work->active < PER_FOLDER) {
            pick = i;
            break;
        }
    }
    taken = run->ready[pick];
    run->n_ready--;
    for (size_t i = pick; i < run->n_ready; i++)
        run->ready[i] = run->ready[i + 1];
    return taken;
}

static void pump(struct run *run)
{
    while (!run_is_closing(run) && run->transfers < max_active(run)) {
        struct transfer *transfer;

        if (run->n_ready == 0)
            prepare(run);
        if (run->n_ready == 0 || run_is_closing(run))
            return;
        transfer = take_ready(run);
        run->transfers++;
        transfer->work->active++;
        run_begin(run);
        transfer_start(transfer);
    }
}

/* What went down with others is sent alone, so that only the culprit fails. */
static void retry_singly(struct transfer *transfer)
{
    struct run *run = transfer->work->run;

    if (transfer->work->failed || run_is_closing(run))
        return;
    for (size_t i = 0; i < transfer->n; i++) {
        struct transfer *single;
        bool cut =
            transfer->aborted && (transfer->outcome[i] == TRANSFER_WAITING ||
                                  transfer->outcome[i] == TRANSFER_BEGUN);

        if (transfer->outcome[i] != TRANSFER_RETRY && !cut)
            continue;
        state_intent_del(run->options.state, transfer->intents[i]);
        single =
            transfer_new(transfer->work, transfer->to, &transfer->items[i], 1);
        single->single = true;
        single->next = run->retries;
        run->retries = single;
    }
}

void run_copy_over(struct transfer *transfer)
{
    struct folder_work *work = transfer->work;
    struct run *run = work->run;

    retry_singly(transfer);
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

        if (work->failed || work->compare == NULL)
            continue;
        for (size_t k = 0; k < work->compare->plan.n_copies[to]; k++)
            run->progress.bytes_total += work->compare->plan.copies[to][k].size;
        run->progress.messages_total +=
            (uint32_t)work->compare->plan.n_copies[to];
    }
}

void run_copy(struct run *run, enum side to)
{
    run->progress.phase = "copying";
    run->copy_to = to;
    run->copy_folder = 0;
    count_work(run, to);
    for (size_t i = 0; i < run->n_folders; i++)
        run->folders[i]->next_copy = 0;
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
}
