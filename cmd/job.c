#include "cmd/job.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/history.h"
#include "cmd/pair_state.h"
#include "cmd/reach.h"
#include "cmd/teller.h"
#include "sync/run.h"

enum stage {
    STAGE_LOCKED, /* another run holds the state, or it was not asked for yet */
    STAGE_SECRETS,
    STAGE_RUN,
    STAGE_OVER
};

struct job {
    struct job_options options;
    enum stage stage;
    struct state *state;
    struct keyring_wish wish;
    enum side wished; /* whose secret */
    const char *secrets[SIDES];
    struct reach reach[SIDES];
    struct teller teller;
    struct run *run;
    bool has_run;
    struct run_progress last; /* of the run that is over */
    struct run_result result;
    int end; /* what ended it: 0 or an enum err_code */
    struct err err;
    struct wire wire[SIDES];
    double began; /* loop_now() */
    enum exitcode code;
};

/* --- the end --------------------------------------------------------------- */

/* For status; a plan leaves no trace. */
static enum exitcode record(struct job *job, json_t *summary)
{
    struct err err = {{0}};
    int r;

    if (job->options.command->dry || job->state == NULL) {
        return EXITCODE_DONE;
    }
    history_put(job->state, summary, job->teller.items);
    r = state_commit(job->state, &err);
    if (r != 0) {
        err_wrap(&err, r, "%s", job->options.pair->name);
        console_complain(job->options.command->console, err.text);
    }
    return exitcode_of_error(r);
}

/* A guard that held back a whole side is held work, not a failure. */
static void tell_guard(struct job *job, const struct err *err)
{
    struct report_event held = {
        .kind = REPORT_HELD,
        .side = job->result.side,
        .reason = err->text,
    };

    teller_event(&job->teller, &held);
}

/* Say how it ended, and write it down. */
static void conclude(struct job *job)
{
    const struct runner_options *command = job->options.command;
    struct err *err = &job->err;
    int r = job->end;
    struct report_summary summary = {
        .seconds = loop_now() - job->began,
        .counts = {job->result.counts[LEFT], job->result.counts[RIGHT]},
        .failed = job->result.failed,
        .held = job->result.held,
        .todo = job->result.todo,
        .wire = {job->wire[LEFT],          job->wire[RIGHT]         },
    };
    enum exitcode code = exitcode_of_run(&job->result, command->dry);
    json_t *json;

    if (command->dry && !command->check) {
        summary.counts[LEFT] = job->teller.planned[LEFT];
        summary.counts[RIGHT] = job->teller.planned[RIGHT];
    }
    if (r == ERR_CANCELLED) {
        err_set(err, ERR_CANCELLED,
                "interrupted: what was done is recorded, and the next run goes "
                "on");
    }
    if (r != 0) {
        code = exitcode_of_error(r);
    }
    if (r == ERR_GUARD) {
        tell_guard(job, err);
        summary.held++;
    } else if (r != 0) {
        summary.error = err->text;
    }
    summary.exit = (int)code;
    json = report_summary_json(&job->teller.scene, &summary, time(NULL));
    code = exitcode_worse(code, record(job, json));
    json_object_set_new(json, "exit", json_integer(code));
    teller_summary(&job->teller, &summary, json);
    json_decref(json);
    if (summary.error != NULL) {
        err_wrap(err, r, "%s", job->options.pair->name);
        console_complain(command->console, err->text);
    }
    job->code = code;
}

static void close_both(struct job *job)
{
    if (job->run != NULL) {
        job->last = *run_progress(job->run);
        job->has_run = true;
        run_free(job->run);
        job->run = NULL;
    }
    for (size_t side = LEFT; side < SIDES; side++) {
        if (job->reach[side].endpoint != NULL) {
            job->wire[side] = job->reach[side].endpoint->wire;
            reach_deinit(&job->reach[side]);
        }
    }
}

static void finish(void *owner)
{
    struct job *job = owner;

    close_both(job);
    conclude(job);
    state_close(job->state);
    job->state = NULL;
    job->options.over(job->options.owner, job);
}

/* Not from inside of whatever it was that ended: what it consists of goes now,
 * and libuv has to have let go of that. A pass over all that it closes is under
 * way at this moment, or was before. */
static void end(struct job *job, int result)
{
    job->stage = STAGE_OVER;
    job->end = result;
    loop_later(job->options.loop, 0, finish, job);
}

/* --- the run --------------------------------------------------------------- */

static void on_report(void *owner, const struct report_event *event)
{
    struct job *job = owner;

    teller_event(&job->teller, event);
}

static void on_done(void *owner, const struct run_result *result)
{
    struct job *job = owner;

    job->result = *result;
    job->err = result->err;
    if (result->result == ERR_CONNECT || result->result == ERR_AUTH) {
        err_wrap(&job->err, result->result, "%s",
                 job->options.pair->account[result->side]->name);
    }
    end(job, result->result);
}

/* Both endpoints, and the run between them. */
static void start_run(struct job *job)
{
    const struct job_options *options = &job->options;
    const struct runner_options *command = options->command;
    struct run_options run = {
        .pair = options->pair->name,
        .policy = &options->pair->policy,
        .state = job->state,
        .log = &command->console->log,
        .dry = command->dry,
        .check = command->check,
        .deep = command->deep,
        .force_delete = command->force_delete,
        .now = time(NULL),
        .report = on_report,
        .done = on_done,
        .owner = job,
    };

    job->stage = STAGE_RUN;
    for (size_t side = LEFT; side < SIDES; side++) {
        struct reach_options reach = {
            .loop = options->loop,
            .state = job->state,
            .keywords = state_keywords(job->state),
            .side = side == LEFT ? LEFT : RIGHT,
            .secret = job->secrets[side],
            .keyring = options->keyring,
            .trust = options->trust,
            .log = &command->console->log,
        };

        reach_init(&job->reach[side], options->pair->account[side], &reach);
        run.endpoint[side] = job->reach[side].endpoint;
    }
    job->run = run_start(&run, &job->err);
    if (job->run == NULL) {
        end(job, ERR_USAGE);
    }
}

/* --- what comes before ----------------------------------------------------- */

static void on_secret(struct keyring_wish *wish, struct buf *warnings);

static void ask_secret(struct job *job, enum side side)
{
    job->stage = STAGE_SECRETS;
    job->wished = side;
    job->wish = (struct keyring_wish){
        .account = job->options.pair->account[side],
        .granted = on_secret,
        .owner = job,
    };
    /* A command may ask the user something. */
    console_undraw(job->options.command->console);
    keyring_ask(job->options.keyring, &job->wish);
}

static void on_secret(struct keyring_wish *wish, struct buf *warnings)
{
    struct job *job = wish->owner;

    console_warnings(job->options.command->console, warnings);
    job->secrets[job->wished] = wish->secret;
    if (wish->result != 0) {
        job->err = wish->err;
        end(job, wish->result);
    } else if (job->wished == LEFT) {
        ask_secret(job, RIGHT);
    } else {
        start_run(job);
    }
}

static int open_state(struct job *job)
{
    const struct runner_options *command = job->options.command;
    const struct ground *ground = job->options.ground;

    if (ground->state_dir_result != 0) {
        job->err = ground->state_dir_err;
        return ground->state_dir_result;
    }
    return pair_state_open(job->options.pair, command->state_dir, command->dry,
                           &command->console->log, &job->state, &job->err);
}

/* Was its Maildir root to be made, and could not be? */
static int check_roots(struct job *job)
{
    const struct ground *ground = job->options.ground;
    int r = ground->root_results[job->options.number];

    if (r != 0) {
        job->err = ground->root_errs[job->options.number];
    }
    return r;
}

bool job_begin(struct job *job)
{
    unsigned wait_seconds = job->options.command->wait_seconds;
    int r = open_state(job);

    if (r == ERR_LOCKED && loop_now() < job->began + wait_seconds) {
        return false;
    }
    if (r == 0) {
        job->teller.scene.keywords = state_keywords(job->state);
        r = check_roots(job);
    }
    if (r == 0) {
        ask_secret(job, LEFT);
    } else {
        end(job, r);
    }
    return true;
}

void job_cancel(struct job *job)
{
    switch (job->stage) {
    case STAGE_SECRETS:
        keyring_forget(job->options.keyring, &job->wish);
        end(job, ERR_CANCELLED);
        break;
    case STAGE_LOCKED:
        end(job, ERR_CANCELLED);
        break;
    case STAGE_RUN:
        run_cancel(job->run);
        break;
    case STAGE_OVER:
        break;
    }
}

/* --- life ------------------------------------------------------------------ */

struct job *job_new(const struct job_options *options)
{
    const struct pair *pair = options->pair;
    struct report_scene scene = {
        .pair = pair->name,
        .account = {pair->account[LEFT]->name, pair->account[RIGHT]->name},
        .plan = options->command->dry,
        .check = options->command->check,
    };
    struct job *job = MEM_NEW(struct job);

    job->options = *options;
    job->began = loop_now();
    teller_init(&job->teller, options->command->console, &scene);
    return job;
}

void job_give_up(struct job *job, int result, const struct err *err)
{
    job->stage = STAGE_OVER;
    job->end = result;
    job->err = *err;
    finish(job);
}

const struct run_progress *job_progress(const struct job *job)
{
    if (job->run != NULL) {
        return run_progress(job->run);
    }
    return job->has_run ? &job->last : NULL;
}

enum exitcode job_exitcode(const struct job *job)
{
    return job->code;
}

void job_free(struct job *job)
{
    if (job != NULL) {
        teller_deinit(&job->teller);
        free(job);
    }
}
