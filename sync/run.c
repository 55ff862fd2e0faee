/* The life of a run: open, list, passes, end. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

static void next_step(struct run *run);

void run_report(struct run *run, const struct report_event *event)
{
    if (event->kind == REPORT_FAILED)
        run->result.failed += event->count > 1 ? event->count : 1;
    if (event->kind == REPORT_HELD)
        run->result.held += event->count;
    run->options.report(run->options.owner, event);
}

void run_folder_failed(struct folder_work *work, enum side side,
                       const struct err *err)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .folder = run_folder_name(work),
        .reason = err->text,
    };

    if (work->failed)
        return;
    work->failed = true;
    work->unconsumed[LEFT] = true;
    work->unconsumed[RIGHT] = true;
    run_report(work->run, &event);
}

void run_tell_failed(struct folder_work *work, enum side source, uint32_t uid,
                     const char *reason)
{
    const struct run_options *options = &work->run->options;
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = other(source),
        .source = source,
        .folder = run_folder_name(work),
        .uid = uid,
        .count = 1,
        .reason = reason,
    };
    struct buf file;
    struct err err;

    buf_init(&file, 0);
    /* Without a name, the number has to do. */
    if (options->endpoint[source]->is_local &&
        state_file_name(options->state, source, work->row.id, uid, &file,
                        &err) == 0)
        event.file = buf_text(&file);
    run_report(work->run, &event);
    buf_deinit(&file);
}

void run_message_failed(struct folder_work *work, enum side source,
                        uint32_t uid, const char *reason)
{
    uidset_add(&work->skip[source], uid);
    run_tell_failed(work, source, uid, reason);
}

struct folder_ref run_folder_ref(const struct folder_work *work, enum side side)
{
    struct folder_ref ref = {
        .name = work->row.name[side],
        .id = work->row.id,
        .uidvalidity =
            work->has_token[side] ? work->token[side].uidvalidity : 0,
    };

    return ref;
}

static void on_closed(struct request *request)
{
    run_end(request->owner);
}

/* Nothing more is begun; what is under way ends by itself or is cancelled. */
static void close_endpoints(struct run *run)
{
    if (run->closing)
        return;
    run->closing = true;
    for (enum side side = LEFT; side < SIDES; side++) {
        run->close[side].base.done = on_closed;
        run->close[side].base.owner = run;
        run_begin(run);
        endpoint_close(run->options.endpoint[side], &run->close[side]);
    }
}

void run_fail(struct run *run, enum side side, int result,
              const struct err *err)
{
    if (run->result.result == 0 && !run->closing) {
        run->result.result = result;
        run->result.side = side;
        run->result.err = *err;
    }
    close_endpoints(run);
}

void run_cancel(struct run *run)
{
    struct err err;

    err_set(&err, ERR_CANCELLED, "interrupted");
    run_fail(run, LEFT, ERR_CANCELLED, &err);
}

bool run_is_over(struct run *run, enum side side, int result,
                 const struct err *err)
{
    switch (result) {
    case 0:
    case ERR_GONE:
    case ERR_REFUSED:
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_UNSURE:
        return run->closing;
    default:
        run_fail(run, side, result, err);
        return true;
    }
}

bool run_commit(struct run *run)
{
    struct err err;
    int r;

    if (run->options.dry)
        return true;
    r = state_commit(run->options.state, &err);
    if (r < 0)
        run_fail(run, LEFT, r, &err);
    return r == 0;
}

/* Everything is closed: write down how far it came. */
static void finish(struct run *run)
{
    struct err err;
    int r = 0;

    if (!run->options.dry) {
        run_settle(run);
        r = state_commit(run->options.state, &err);
    }
    if (r < 0 &&
        (run->result.result == 0 || run->result.result == ERR_CANCELLED)) {
        run->result.result = r;
        run->result.err = err;
    }
    if (run->result.result == 0 && !run->options.dry)
        state_finish(run->options.state);
    run->options.done(run->options.owner, &run->result);
}

void run_begin(struct run *run)
{
    run->pending++;
}

void run_end(struct run *run)
{
    run->pending--;
    if (run->pending > 0 || run->stepping)
        return;
    /* A step that finds nothing to do ends at once: loop, do not nest. */
    run->stepping = true;
    while (run->pending == 0) {
        if (run->closing) {
            finish(run);
            return;
        }
        next_step(run);
    }
    run->stepping = false;
}

static void tell_older(struct run *run, enum side side)
{
    struct report_event event = {
        .kind = REPORT_NOTICE,
        .side = side,
        .reason = "is an older copy, as if put back from a backup: its "
                  "messages are paired anew, what is missing there is copied",
    };

    run_report(run, &event);
}

static void on_opened(struct request *request)
{
    struct run *run = request->owner;
    enum side side = request == &run->open[LEFT].base ? LEFT : RIGHT;

    run_is_over(run, side, request->result, &request->err);
    if (request->result < 0 && !run->closing)
        run_fail(run, side, request->result, &request->err);
    if (request->result == 0 && run->options.endpoint[side]->is_older)
        tell_older(run, side);
    run_end(run);
}

static void on_listed(struct request *request)
{
    struct run *run = request->owner;
    enum side side = request == &run->list[LEFT].base ? LEFT : RIGHT;

    if (request->result < 0)
        run_fail(run, side, request->result, &request->err);
    run_end(run);
}

static void list_folders(struct run *run)
{
    run->progress.phase = "listing";
    for (enum side side = LEFT; side < SIDES; side++) {
        run->list[side].base.done = on_listed;
        run->list[side].base.owner = run;
        run_begin(run);
        endpoint_list(run->options.endpoint[side], &run->list[side]);
    }
}

static void read_record(struct run *run)
{
    struct err err;
    int r = run_folders(run, &err);

    if (r < 0)
        run_fail(run, LEFT, r, &err);
    else
        run_seats(run);
}

static void join_folders(struct run *run)
{
    struct err err;
    int r;

    run_take_names(run);
    r = run_join(run, &err);
    if (r < 0)
        run_fail(run, LEFT, r, &err);
    else
        run_renames(run);
}

/* What a listing left out was neither copied nor deleted: the run is not all
 * that it should be. */
static void tell_partial(struct folder_work *work, enum side side)
{
    struct report_event event = {
        .kind = REPORT_FAILED,
        .side = side,
        .source = side,
        .folder = run_folder_name(work),
        .reason = "not all that is there was listed: what is missing is not "
                  "taken for deleted, and asked for again next time",
    };

    if (work->partial[side] && !work->failed)
        run_report(work->run, &event);
}

static void first_pass(struct run *run)
{
    run_join_halves(run);
    run_compare(run);
}

static void end_run(struct run *run)
{
    struct err err;

    for (size_t i = 0; i < run->n_folders; i++) {
        tell_partial(run->folders[i], LEFT);
        tell_partial(run->folders[i], RIGHT);
    }
    if (run_tell_refused(run, &err) < 0)
        run_fail(run, LEFT, ERR_STATE, &err);
    close_endpoints(run);
}

static void plan(struct run *run)
{
    struct err err;
    int r = run_plan(run, &err);

    if (r < 0)
        run_fail(run, LEFT, r, &err);
    else
        run_find_moves(run);
}

static void decide(struct run *run)
{
    if (!run->options.check)
        run_decide(run);
    if (run->options.dry) {
        run_tell_plans(run);
        run->step = STEP_CHECK;
        if (run->options.check)
            run_check(run);
        return;
    }
    run_record_plans(run);
    run_create_folders(run);
}

/* Compare again what was touched; when nothing is left, that was it. */
static void end_pass(struct run *run)
{
    static const struct err never_lasts = {
        "the connection is lost again and again with the answer to a change"};

    run->step = STEP_COMPARE;
    run_trash_write(run);
    if (!run_commit(run))
        return;
    run_count_pass(run);
    if (run_next_pass(run) == 0)
        end_run(run);
    else if (run->pass < RUN_PASSES_MAX)
        run_compare(run);
    else if (run->in_doubt)
        run_fail(run, run->doubtful, ERR_CONNECT, &never_lasts);
    else
        end_run(run);
}

static void copy_right(struct run *run)
{
    run_copy(run, RIGHT);
}

static void copy_left(struct run *run)
{
    run_copy(run, LEFT);
}

/* One step after the other; decide() and end_pass() go elsewhere. */
static void next_step(struct run *run)
{
    static void (*const steps[])(struct run *) = {
        [STEP_LIST] = list_folders,
        [STEP_SEATS] = read_record,
        [STEP_RENAME] = join_folders,
        [STEP_COMPARE] = first_pass,
        [STEP_PLAN] = plan,
        [STEP_FIND_STAYING] = run_find_staying,
        [STEP_FIND_MERGED] = run_find_merged,
        [STEP_FIND_CROSSED] = run_find_crossed,
        [STEP_FIND_COPIES] = run_find_copies,
        [STEP_CREATE] = decide,
        [STEP_COPY_WITHIN] = run_copy_within,
        [STEP_MOVE] = run_move,
        [STEP_COPY_RIGHT] = copy_right,
        [STEP_COPY_LEFT] = copy_left,
        [STEP_KEEP] = run_keep_moved,
        [STEP_SPARE] = run_spare_edits,
        [STEP_FIND_TRASHED] = run_find_trashed,
        [STEP_CHANGE] = run_delete,
        [STEP_REMOVE_FOLDERS] = run_remove_folders,
        [STEP_SUBSCRIBE] = run_subscribe,
        [STEP_END_PASS] = end_pass,
        [STEP_END] = end_run,
    };

    run->step++;
    steps[run->step](run);
}

static int note_intent(void *owner, const struct state_intent *intent)
{
    struct run *run = owner;

    run->open[intent->side].on_its_way = true;
    return 0;
}

/* Both sides connect at once. An interrupted run has left intents: it may have
 * ended with octets on their way that its end did not call back. */
static void open_endpoints(struct run *run)
{
    if (!run->options.dry) {
        /* What cannot be read is told when it is read to be acted upon. */
        state_intent_each(run->options.state, note_intent, run, NULL);
    }
    run->step = STEP_OPEN;
    run->progress.phase = "connecting";
    for (enum side side = LEFT; side < SIDES; side++) {
        run->open[side].base.done = on_opened;
        run->open[side].base.owner = run;
        run->open[side].dry = run->options.dry;
        if (!run->options.dry && run_trash_is_open(run, side))
            run->open[side].on_its_way = true;
        run->open[side].untouched =
            run->options.dry || !rules_may_change(run->options.policy, side);
        run_begin(run);
        endpoint_open(run->options.endpoint[side], &run->open[side]);
    }
}

struct run *run_start(const struct run_options *options, struct err *err)
{
    struct run *run;
    struct filter *filter;

    if (filter_new(options->policy->folders, &filter, err) < 0)
        return NULL;
    run = MEM_NEW(struct run);
    run->options = *options;
    run->filter = filter;
    run->keywords = state_keywords(options->state);
    run->now = options->now;
    if (run_trash_recall(run, err) < 0) {
        run_free(run);
        return NULL;
    }
    open_endpoints(run);
    return run;
}

const struct run_progress *run_progress(struct run *run)
{
    run->progress.waits_for = NULL;
    for (int side = 0; side < SIDES; side++) {
        if (run->options.endpoint[side]->waits)
            run->progress.waits_for = run->options.endpoint[side]->name;
    }
    return &run->progress;
}

const struct run_result *run_so_far(const struct run *run)
{
    return &run->result;
}

void run_free(struct run *run)
{
    if (run == NULL)
        return;
    run_copy_deinit(run);
    for (size_t i = 0; i < run->n_folders; i++)
        run_folder_free(run->folders[i]);
    free(run->folders);
    run_renames_deinit(run);
    free(run->placements);
    run_trash_deinit(run);
    for (int side = 0; side < SIDES; side++)
        folder_list_free(run->list[side].folders, run->list[side].n_folders);
    filter_free(run->filter);
    free(run);
}
