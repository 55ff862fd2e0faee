#include "cmd/runner.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/bounds.h"
#include "cmd/ground.h"
#include "cmd/job.h"
#include "cmd/keyring.h"
#include "cmd/loop.h"
#include "cmd/progress.h"
#include "cmd/reach.h"
#include "cmd/turns.h"

/* Enough that a far server's round trips, of which a run without work takes
 * about five, cost nothing: the processor is busy all the time then. More would
 * only take memory, and descriptors: with 4 connections a side, 16 pairs have
 * less than 200 open, and where few are allowed it is 256. */
#define PAIRS_AT_ONCE 16u

/* Between two looks at the states that other runs hold: nobody tells when they
 * let go. */
#define LOCKED_MS 50u

/* The pairs of one command. */
struct runner {
    const struct runner_options *options;
    struct pair *const *pairs;
    struct job **jobs; /* of each pair; NULL: not begun yet, or over */
    size_t n;
    size_t n_over;
    struct ground ground;
    struct keyring *keyring;
    struct tls_trust *trust;
    struct loop loop;
    struct turns *turns;
    bool looks; /* at the states that are held, soon */
    bool stops; /* no pair begins any more */
    enum exitcode worst;
    struct run_progress done; /* of those that are over, together */
    struct progress_rate rate;
};

/* --- one after the other, side by side ------------------------------------- */

static void start_some(struct runner *runner);

static void add_done(struct run_progress *done, const struct job *job)
{
    const struct run_progress *last = job_progress(job);

    if (last != NULL) {
        progress_add(done, last);
        /* Nothing that is over is in a phase, or waits. */
        done->phase = NULL;
        done->waits_for = NULL;
    }
}

static void on_over(void *owner, struct job *job)
{
    struct runner *runner = owner;
    size_t i = 0;

    while (runner->jobs[i] != job) {
        i++;
    }
    runner->worst = exitcode_worse(runner->worst, job_exitcode(job));
    add_done(&runner->done, job);
    runner->jobs[i] = NULL;
    runner->n_over++;
    job_free(job);
    if (!runner->stops) {
        turns_end(runner->turns, i);
        start_some(runner);
    }
}

static void look_again(void *owner)
{
    struct runner *runner = owner;

    runner->looks = false;
    turns_recall(runner->turns);
    start_some(runner);
}

static void put_off(struct runner *runner, size_t i)
{
    turns_put_off(runner->turns, i);
    if (!runner->looks) {
        runner->looks = true;
        loop_later(&runner->loop, LOCKED_MS, look_again, runner);
    }
}

static struct job *make_job(struct runner *runner, size_t i)
{
    struct job_options options = {
        .command = runner->options,
        .pair = runner->pairs[i],
        .number = i,
        .ground = &runner->ground,
        .keyring = runner->keyring,
        .trust = runner->trust,
        .loop = &runner->loop,
        .over = on_over,
        .owner = runner,
    };

    return job_new(&options);
}

static void start_one(struct runner *runner, size_t i)
{
    if (runner->jobs[i] == NULL) {
        runner->jobs[i] = make_job(runner, i);
    }
    if (!job_begin(runner->jobs[i])) {
        put_off(runner, i);
    }
}

static void start_some(struct runner *runner)
{
    size_t i;

    while (!runner->stops && turns_next(runner->turns, &i)) {
        start_one(runner, i);
    }
}

static void on_signal(void *owner)
{
    struct runner *runner = owner;

    runner->stops = true;
    for (size_t i = 0; i < runner->n; i++) {
        if (runner->jobs[i] != NULL) {
            job_cancel(runner->jobs[i]);
        }
    }
}

/* --- the progress line ----------------------------------------------------- */

/* One pair has its name there, several are counted. */
static void draw(const struct runner *runner, const struct run_progress *sum)
{
    struct buf name;
    struct buf line;

    buf_init(&name, 0);
    buf_init(&line, 0);
    if (runner->n == 1) {
        buf_printf(&name, "%s", runner->pairs[0]->name);
    } else {
        buf_printf(&name, "%zu/%zu pairs", runner->n_over, runner->n);
    }
    progress_line(buf_text(&name), sum, &runner->rate, console_columns(),
                  &line);
    console_draw(runner->options->console, buf_text(&line));
    buf_deinit(&line);
    buf_deinit(&name);
}

static void on_tick(void *owner)
{
    struct runner *runner = owner;
    struct run_progress sum = runner->done;
    bool is_any = false;

    for (size_t i = 0; i < runner->n; i++) {
        const struct run_progress *one =
            runner->jobs[i] != NULL ? job_progress(runner->jobs[i]) : NULL;

        if (one != NULL) {
            progress_add(&sum, one);
            is_any = true;
        }
    }
    /* A command that is asked for a password may have the terminal. */
    if (is_any && !keyring_is_asking(runner->keyring)) {
        progress_measure(&runner->rate, &sum, loop_now());
        draw(runner, &sum);
    }
}

/* --- all of it ------------------------------------------------------------- */

static struct turns *make_turns(struct pair *const *pairs, size_t n)
{
    struct turns_places *places = mem_new(n, sizeof(*places));
    char **texts = mem_new(n * SIDES, sizeof(*texts));
    struct turns *turns;

    for (size_t i = 0; i < n; i++) {
        for (size_t side = LEFT; side < SIDES; side++) {
            texts[i * SIDES + side] = reach_place(pairs[i]->account[side]);
            places[i].place[side] = texts[i * SIDES + side];
        }
    }
    turns = turns_new(places, n, PAIRS_AT_ONCE);
    for (size_t i = 0; i < n * SIDES; i++) {
        free(texts[i]);
    }
    free(texts);
    free(places);
    return turns;
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

/* Without a loop none of them can run, but each is told of. */
static void give_up_all(struct runner *runner, int result,
                        const struct err *err)
{
    runner->stops = true;
    for (size_t i = 0; i < runner->n; i++) {
        runner->jobs[i] = make_job(runner, i);
        job_give_up(runner->jobs[i], result, err);
    }
}

static void give_up_forgotten(struct runner *runner)
{
    struct err err;
    int r = err_set(&err, ERR_STATE,
                    "the run stopped without a result: this is a bug in "
                    "mailtwin, please report it");

    runner->stops = true;
    for (size_t i = 0; i < runner->n; i++) {
        if (runner->jobs[i] != NULL) {
            job_give_up(runner->jobs[i], r, &err);
        }
    }
}

static void run_all(struct runner *runner)
{
    struct console *console = runner->options->console;
    struct err err;
    int r = loop_init(&runner->loop, &err);

    if (r != 0) {
        give_up_all(runner, r, &err);
        return;
    }
    runner->loop.on_signal = on_signal;
    runner->loop.on_tick = on_tick;
    runner->loop.owner = runner;
    keyring_serve(runner->keyring, &runner->loop);
    start_some(runner);
    loop_run(&runner->loop, console->draws ? PROGRESS_INTERVAL_MS : 0);
    console_undraw(console);
    give_up_forgotten(runner);
    loop_deinit(&runner->loop);
    if (runner->loop.signals > 0) {
        runner->worst = EXITCODE_INTERRUPTED;
    }
}

enum exitcode runner_run(const struct runner_options *options,
                         struct pair *const *pairs, size_t n)
{
    struct runner runner = {
        .options = options,
        .pairs = pairs,
        .jobs = mem_new(n, sizeof(struct job *)),
        .n = n,
        .worst = EXITCODE_DONE,
    };

    ground_init(&runner.ground, pairs, n, options->state_dir, options->dry);
    runner.turns = make_turns(pairs, n);
    runner.keyring =
        keyring_new(runner.ground.accounts, runner.ground.n_accounts);
    runner.trust = tls_trust_new();
    confine_to(&runner.ground, options);
    run_all(&runner);
    tls_trust_free(runner.trust);
    keyring_free(runner.keyring);
    turns_free(runner.turns);
    ground_deinit(&runner.ground);
    free(runner.jobs);
    return runner.worst;
}
