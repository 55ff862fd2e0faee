#include "cmd/runner.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/bounds.h"
#include "cmd/ground.h"
#include "cmd/history.h"
#include "cmd/keyring.h"
#include "cmd/loop.h"
#include "cmd/pair_state.h"
#include "cmd/reach.h"
#include "cmd/teller.h"
#include "sync/run.h"

/* One pair under way. */
struct job {
    const struct runner_options *options;
    const struct pair *pair;
    size_t number; /* of the pair */
    const struct ground *ground;
    struct keyring *keyring;
    struct state *state;
    struct loop loop;
    struct reach reach[SIDES];
    struct teller teller;
    struct run *run;
    struct run_result result;
    bool is_over;        /* result is final */
    bool is_interrupted; /* a signal came */
    struct wire wire[SIDES];
    double began; /* loop_now() */
};

static void on_report(void *owner, const struct report_event *event)
{
    struct job *job = owner;

    teller_event(&job->teller, event);
}

static void on_done(void *owner, const struct run_result *result)
{
    struct job *job = owner;

    job->result = *result;
    job->is_over = true;
}

static void on_signal(void *owner)
{
    struct job *job = owner;

    job->is_interrupted = true;
    if (!job->is_over) {
        run_cancel(job->run);
    }
}

static void on_tick(void *owner)
{
    struct job *job = owner;

    if (!job->is_over) {
        teller_progress(&job->teller, run_progress(job->run));
    }
}

static int open_state(struct job *job, struct err *err)
{
    const struct runner_options *options = job->options;
    const struct ground *ground = job->ground;

    if (ground->state_dir_result != 0) {
        *err = ground->state_dir_err;
        return ground->state_dir_result;
    }
    return pair_state_open(job->pair, options->state_dir, options->dry,
                           options->wait_seconds, &options->console->log,
                           &job->state, err);
}

/* Was its Maildir root to be made, and could not be? */
static int check_roots(const struct job *job, struct err *err)
{
    int r = job->ground->root_results[job->number];

    if (r != 0) {
        *err = job->ground->root_errs[job->number];
    }
    return r;
}

static int get_secrets(struct job *job, const char *secrets[SIDES],
                       struct err *err)
{
    struct buf warnings;
    int r = 0;

    buf_init(&warnings, 0);
    for (size_t side = LEFT; side < SIDES && r == 0; side++) {
        r = keyring_get(job->keyring, job->pair->account[side], &secrets[side],
                        &warnings, err);
    }
    console_warnings(job->options->console, &warnings);
    buf_deinit(&warnings);
    return r;
}

/* The run itself, from the first connection to the last. */
static int run_to_end(struct job *job, struct err *err)
{
    const struct runner_options *options = job->options;
    struct run_options run = {
        .pair = job->pair->name,
        .policy = &job->pair->policy,
        .state = job->state,
        .endpoint = {job->reach[LEFT].endpoint, job->reach[RIGHT].endpoint},
        .log = &options->console->log,
        .dry = options->dry,
        .check = options->check,
        .deep = options->deep,
        .force_delete = options->force_delete,
        .now = time(NULL),
        .report = on_report,
        .done = on_done,
        .owner = job,
    };

    job->run = run_start(&run, err);
    if (job->run == NULL) {
        return ERR_USAGE;
    }
    loop_run(&job->loop, options->console->draws ? PROGRESS_INTERVAL_MS : 0);
    console_undraw(options->console);
    if (!job->is_over) {
        return err_set(err, ERR_STATE,
                       "the run stopped without a result: this is a bug in "
                       "mailtwin, please report it");
    }
    *err = job->result.err;
    if (job->result.result == ERR_CONNECT || job->result.result == ERR_AUTH) {
        err_wrap(err, job->result.result, "%s",
                 job->pair->account[job->result.side]->name);
    }
    return job->result.result;
}

/* Both endpoints on a loop of their own, and the run between them. */
static int connect_and_run(struct job *job, const char *const secrets[SIDES],
                           struct err *err)
{
    int r = loop_init(&job->loop, err);

    if (r != 0) {
        return r;
    }
    job->loop.on_signal = on_signal;
    job->loop.on_tick = on_tick;
    job->loop.owner = job;
    for (size_t side = LEFT; side < SIDES; side++) {
        struct reach_options reach = {
            .loop = &job->loop,
            .state = job->state,
            .keywords = state_keywords(job->state),
            .side = side == LEFT ? LEFT : RIGHT,
            .secret = secrets[side],
            .keyring = job->keyring,
            .log = &job->options->console->log,
        };

        reach_init(&job->reach[side], job->pair->account[side], &reach);
    }
    r = run_to_end(job, err);
    run_free(job->run);
    for (size_t side = LEFT; side < SIDES; side++) {
        job->wire[side] = job->reach[side].endpoint->wire;
        reach_deinit(&job->reach[side]);
    }
    loop_deinit(&job->loop);
    return r;
}

/* For status; a plan leaves no trace. */
static enum exitcode record(struct job *job, json_t *summary)
{
    struct err err = {{0}};
    int r;

    if (job->options->dry || job->state == NULL) {
        return EXITCODE_DONE;
    }
    history_put(job->state, summary, job->teller.items);
    r = state_commit(job->state, &err);
    if (r != 0) {
        err_wrap(&err, r, "%s", job->pair->name);
        console_complain(job->options->console, err.text);
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

/* Say how it ended, and write it down. @r  of the run, or of what came before
 * it. */
static enum exitcode conclude(struct job *job, int r, struct err *err)
{
    struct report_summary summary = {
        .seconds = loop_now() - job->began,
        .counts = {job->result.counts[LEFT], job->result.counts[RIGHT]},
        .failed = job->result.failed,
        .held = job->result.held,
        .todo = job->result.todo,
        .wire = {job->wire[LEFT],          job->wire[RIGHT]         },
    };
    enum exitcode code = exitcode_of_run(&job->result, job->options->dry);
    json_t *json;

    if (job->options->dry && !job->options->check) {
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
        err_wrap(err, r, "%s", job->pair->name);
        console_complain(job->options->console, err->text);
    }
    return code;
}

static enum exitcode run_pair(struct job *job)
{
    const struct pair *pair = job->pair;
    const char *secrets[SIDES] = {NULL, NULL};
    struct report_scene scene = {
        .pair = pair->name,
        .account = {pair->account[LEFT]->name, pair->account[RIGHT]->name},
        .plan = job->options->dry,
        .check = job->options->check,
    };
    struct err err = {{0}};
    enum exitcode code;
    int r;

    job->began = loop_now();
    r = open_state(job, &err);
    if (r == 0) {
        scene.keywords = state_keywords(job->state);
        r = check_roots(job, &err);
    }
    teller_init(&job->teller, job->options->console, &scene);
    if (r == 0) {
        r = get_secrets(job, secrets, &err);
    }
    if (r == 0) {
        r = connect_and_run(job, secrets, &err);
    }
    code = conclude(job, r, &err);
    teller_deinit(&job->teller);
    state_close(job->state);
    return code;
}

/* From here on there is nothing but these pairs' mail and state. */
static void confine_to(const struct ground *ground,
                       const struct runner_options *options)
{
    struct bounds bounds = {
        .accounts = ground->accounts,
        .n_accounts = ground->n_accounts,
        .state_dir = options->state_dir,
        .dry = options->dry,
    };
    struct buf how;

    buf_init(&how, 0);
    bounds_set(&bounds, &how);
    log_line(&options->console->log, LOG_WIRE, "confinement: %s",
             buf_text(&how));
    buf_deinit(&how);
}

enum exitcode runner_run(const struct runner_options *options,
                         struct pair *const *pairs, size_t n)
{
    enum exitcode worst = EXITCODE_DONE;
    struct ground ground;
    struct keyring *keyring;
    bool go_on = true;

    ground_init(&ground, pairs, n, options->state_dir, options->dry);
    keyring = keyring_new(ground.accounts, ground.n_accounts);
    confine_to(&ground, options);
    for (size_t i = 0; i < n && go_on; i++) {
        struct job job = {
            .options = options,
            .pair = pairs[i],
            .number = i,
            .ground = &ground,
            .keyring = keyring,
        };

        worst = exitcode_worse(worst, run_pair(&job));
        go_on = !job.is_interrupted;
    }
    if (!go_on) {
        worst = EXITCODE_INTERRUPTED;
    }
    keyring_free(keyring);
    ground_deinit(&ground);
    return worst;
}
