/*
 * Goal of this test: whatever the disk does, no message is lost or doubled.
 *
 * Whole runs of the real Maildir endpoint and the real state, on the model disk
 * (tests/sim/disk.h), with a mailbox in memory as the other side. Each scenario
 * is prepared once, by a seed; then its run is killed at each file call, each
 * call fails with each errno, once and for good, and the power is cut at each
 * call. Right after that nothing may be missing or torn; after at most two more
 * runs both sides are what their users made them; the run after that changes
 * nothing. In the end, runs that recover are broken, too.
 *
 * SEED=n for one scenario, POINT="kind call errno cut" for one of its points, as
 * a failure prints them; TELL=1 tells what the runs do. With TORTURE set it
 * takes ten minutes, and prints the rows of the table; COUNT=n scenarios.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "tests/sim/pair.h"
#include "tests/tap.h"

#define CALLS_MAX 2000u

/* How one point of a scenario is broken. */
struct point {
    enum disk_fault_kind kind;
    unsigned call;
    int error_number;
    uint32_t cut; /* how the power cut ends */
    bool looks;
    bool late; /* with messages that are not durable yet */
};

#define LATE 3u

struct scenario {
    uint32_t seed;
    unsigned late[LATE];
    struct pair pair;
    size_t reached; /* points, of those tried last */
    struct pair_image *image;
    struct pair_look before[2];
};

/* What a row of the table counts. */
struct row {
    const char *what;
    uint64_t points;
    uint64_t runs;
    uint64_t aside; /* points in which the state was of no use afterwards */
    struct pair_evil evil;
    unsigned n_bad;
};

static unsigned number_of(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* --- scenarios --------------------------------------------------------------------- */

static void base_of(struct pair *pair)
{
    for (unsigned i = 0; i < 7; i++)
        pair_user(pair, i % 2 == 0);
    (void)pair_run(pair);
    if (pair_run(pair) != 0)
        printf("# the base is not in step\n");
    pair_users_done(pair);
}

static void prepare(struct scenario *scenario, uint32_t seed)
{
    struct pair *pair = &scenario->pair;
    unsigned changes = 4 + seed % 5;

    scenario->seed = seed;
    pair_init(pair, seed);
    if (seed % 4 != 0)
        base_of(pair);
    for (unsigned i = 0; i < changes; i++)
        pair_user(pair, (seed + i) % 3 != 0);
    if (seed % 2 == 0)
        pair_user_both(pair);
    if (seed % 5 == 0)
        pair_user_folder(pair, seed % 10 == 0);
    for (unsigned i = 0; i < LATE; i++)
        scenario->late[i] = pair_late_make(pair);
    scenario->image = pair_save(pair);
    pair_look(pair, false, &scenario->before[0]);
    pair_look(pair, true, &scenario->before[1]);
}

static void finish(struct scenario *scenario)
{
    pair_image_free(scenario->image);
    pair_deinit(&scenario->pair);
}

/* --- one point ------------------------------------------------------------------------ */

static void lose_server(void *owner)
{
    struct pair *pair = owner;

    pair->model.is_cut = true;
}

/* A run that is broken at a point. Returns whether the point was reached. */
static bool broken_run(struct pair *pair, const struct point *point,
                       struct pair_evil *evil)
{
    const struct disk_fault fault = {.kind = point->kind,
                                     .at = point->call,
                                     .error_number = point->error_number,
                                     .looks = point->looks,
                                     .dead = lose_server,
                                     .owner = pair};
    bool reached;

    disk_fault(&fault);
    (void)pair_run(pair);
    reached = disk_has_fired();
    if (getenv("TELL") != NULL)
        printf("#   at %s: %d\n", disk_fired_call(), pair->code);
    if (pair->hung) {
        evil->other++;
        snprintf(evil->what, sizeof(evil->what), "it hangs at %s",
                 disk_fired_call());
    }
    disk_fault(NULL);
    if (point->kind == DISK_CUT)
        disk_power_cut(point->cut);
    return reached;
}

static void good_run(struct pair *pair, struct pair_evil *evil)
{
    disk_fault(NULL);
    (void)pair_run(pair);
    if (pair->hung) {
        evil->other++;
        snprintf(evil->what, sizeof(evil->what), "a good run hangs");
    }
}

static void recover(struct scenario *scenario, struct pair_evil *evil)
{
    struct pair *pair = &scenario->pair;

    pair_check_now(pair, scenario->before, evil);
    good_run(pair, evil);
    if (pair->code != 0 || pair->result.failed > 0)
        good_run(pair, evil);
    pair_check_end(pair, pair->n_aside > 0, evil);
    good_run(pair, evil);
    if ((pair->code != 0 || !pair_was_idle(pair)) && evil->what[0] == '\0') {
        evil->other++;
        snprintf(evil->what, sizeof(evil->what),
                 "not idle: code %d, %llu, %llu and %u changes", pair->code,
                 (unsigned long long)disk_changes("mail"),
                 (unsigned long long)disk_changes("state"),
                 pair->model.n_changes);
    }
}

static bool is_evil(const struct pair_evil *evil)
{
    return evil->lost + evil->doubled + evil->resurrected + evil->other > 0;
}

static void count_evil(struct row *row, const struct scenario *scenario,
                       const struct point *points, size_t n,
                       const struct pair_evil *evil)
{
    if (!is_evil(evil))
        return;
    row->evil.lost += evil->lost;
    row->evil.doubled += evil->doubled;
    row->evil.resurrected += evil->resurrected;
    row->evil.other += evil->other;
    if (row->n_bad++ >= number_of("SHOW", 10))
        return;
    printf("# SEED=%u POINT='", scenario->seed);
    for (size_t i = 0; i < n; i++)
        printf("%s%d %u %d %u", i > 0 ? " " : "",
               (int)points[i].kind + (points[i].looks ? 100 : 0) +
                   (points[i].late ? 1000 : 0),
               points[i].call, points[i].error_number, points[i].cut);
    printf("': %s\n", evil->what);
    fflush(stdout);
}

/* Break a run at the first point, its recovery at the second, and so on.
 * Returns whether all were reached. */
static bool try_points(struct scenario *scenario, const struct point *points,
                       size_t n, struct row *row)
{
    struct pair *pair = &scenario->pair;
    struct pair_evil evil = {0};
    bool reached = true;

    pair->sim.seed = scenario->seed;
    pair_load(pair, scenario->image);
    for (unsigned i = 0; i < LATE; i++) {
        pair->mails[scenario->late[i]].wanted[0] = 0;
        if (points[0].late)
            pair_late_deliver(pair, scenario->late[i]);
    }
    scenario->reached = 0;
    for (size_t i = 0; i < n && reached; i++) {
        reached = broken_run(pair, &points[i], &evil);
        scenario->reached += reached;
    }
    for (unsigned i = 0; i < LATE; i++)
        pair_late_settle(pair, scenario->late[i]);
    recover(scenario, &evil);
    row->points++;
    row->runs += n + 3;
    row->aside += pair->n_aside > 0;
    count_evil(row, scenario, points, n, &evil);
    return reached;
}

/* --- rows -------------------------------------------------------------------------------- */

static const int errnos[] = {ENOSPC, EIO, EDQUOT, EMFILE, EROFS, EACCES};

static void kill_everywhere(struct scenario *scenario, unsigned stride,
                            struct row *row)
{
    struct point point = {.kind = DISK_KILL};

    for (point.call = 1 + scenario->seed % stride; point.call < CALLS_MAX;
         point.call += stride) {
        point.kind = DISK_KILL;
        if (!try_points(scenario, &point, 1, row))
            break;
        point.kind = DISK_KILL_TORN;
        (void)try_points(scenario, &point, 1, row);
    }
}

static void fail_everywhere(struct scenario *scenario, unsigned stride,
                            struct row *row)
{
    struct point point = {0};

    for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
        point.error_number = errnos[i];
        for (point.call = 1 + scenario->seed % stride; point.call < CALLS_MAX;
             point.call += stride) {
            point.kind = DISK_FAIL;
            if (!try_points(scenario, &point, 1, row))
                break;
            point.kind = DISK_FAIL_ON;
            (void)try_points(scenario, &point, 1, row);
        }
    }
    point.error_number = EINTR;
    for (point.call = 1 + scenario->seed % stride; point.call < CALLS_MAX;
         point.call += stride) {
        point.kind = DISK_FAIL;
        if (!try_points(scenario, &point, 1, row))
            break;
        point.kind = DISK_SHORT;
        (void)try_points(scenario, &point, 1, row);
    }
}

static void cut_everywhere(struct scenario *scenario, unsigned stride,
                           unsigned cuts, struct row *row)
{
    struct point point = {.kind = DISK_CUT};
    bool reached = true;

    for (point.call = 1 + scenario->seed % stride; reached; /* the end, too */
         point.call += stride) {
        for (unsigned i = 0; i < cuts; i++) {
            point.cut = point.call * 31 + i * 7919 + scenario->seed;
            point.late = i % 2 == 1;
            reached = try_points(scenario, &point, 1, row);
        }
    }
}

/* What a killed run left, the next one takes up, and the power fails when that
 * is through: all that it relies on must be durable by then. */
static void kill_then_cut(struct scenario *scenario, unsigned stride,
                          unsigned cuts, struct row *row)
{
    struct point points[2] = {
        {.kind = DISK_KILL },
        { .kind = DISK_CUT, .call = CALLS_MAX}
    };
    bool reached = true;

    for (points[0].call = 1 + scenario->seed % stride; reached;
         points[0].call += stride) {
        for (unsigned i = 0; i < cuts; i++) {
            points[1].cut = points[0].call * 37 + i * 7919 + scenario->seed;
            (void)try_points(scenario, points, 2, row);
        }
        reached = scenario->reached > 0;
    }
}

static void look_in_vain(struct scenario *scenario, unsigned stride,
                         struct row *row)
{
    struct point point = {.error_number = EIO, .looks = true};

    for (point.call = 1 + scenario->seed % stride;; point.call += stride) {
        point.kind = DISK_FAIL;
        if (!try_points(scenario, &point, 1, row))
            break;
        point.kind = DISK_FAIL_ON;
        (void)try_points(scenario, &point, 1, row);
    }
}

/* A run and its recovery, both broken somewhere, somehow. */
static void break_twice(struct scenario *scenario, unsigned n, struct row *row)
{
    static const enum disk_fault_kind kinds[] = {
        DISK_KILL, DISK_CUT, DISK_CUT, DISK_KILL, DISK_FAIL_ON, DISK_FAIL};

    uint32_t seed = scenario->seed;
    struct sim dice;

    sim_init(&dice, seed * 77 + 5);
    for (unsigned i = 0; i < n; i++) {
        struct point points[2];

        for (unsigned k = 0; k < 2; k++)
            points[k] =
                (struct point){.kind = kinds[sim_random(&dice, 6)],
                               .call = 1 + sim_random(&dice, 120),
                               .error_number = errnos[sim_random(&dice, 6)],
                               .cut = sim_random(&dice, 1u << 20)};
        (void)try_points(scenario, points, 2, row);
    }
    sim_deinit(&dice);
}

enum { KILLED, FAILED, CUT, LOOKED, TWICE, ROWS };

static void report(const struct row *row, bool torture)
{
    ok(row->n_bad == 0, "%s: %llu points, %llu runs", row->what,
       (unsigned long long)row->points, (unsigned long long)row->runs);
    if (torture)
        printf("# row: %s | %llu points | lost %u | doubled %u | "
               "unjustified %u | resurrected %u | %llu runs\n",
               row->what, (unsigned long long)row->points, row->evil.lost,
               row->evil.doubled, row->evil.other, row->evil.resurrected,
               (unsigned long long)row->runs);
}

/* As a failure printed it. */
static void try_one(struct scenario *scenario, const char *text)
{
    struct point points[4] = {{0}};
    struct row row = {.what = text};
    size_t n = 0;
    int kind;
    int used;

    while (n < 4 &&
           sscanf(text, "%d %u %d %u%n", &kind, &points[n].call,
                  &points[n].error_number, &points[n].cut, &used) == 4) {
        points[n].kind = (enum disk_fault_kind)(kind % 100);
        points[n].looks = kind / 100 % 10 != 0;
        points[n].late = kind >= 1000;
        text += used;
        n++;
    }
    (void)try_points(scenario, points, n, &row);
    ok(row.n_bad == 0, "%s", row.what);
}

static void check_order(uint32_t seed, struct disk_order *sum)
{
    struct disk_order order = disk_order();

    if (order.early_publish + order.early_record > 0 &&
        sum->early_publish + sum->early_record == 0)
        printf("# SEED=%u: %s\n", seed, order.first);
    sum->published += order.published;
    sum->recorded += order.recorded;
    sum->early_publish += order.early_publish;
    sum->early_record += order.early_record;
}

static void run_scenario(uint32_t seed, bool torture, struct row rows[ROWS],
                         struct disk_order *order)
{
    struct scenario scenario = {0};
    unsigned only = number_of("ONLY", ROWS);
    unsigned stride = torture ? 1 : number_of("STRIDE", 7);

    prepare(&scenario, seed);
    if (getenv("POINT") != NULL) {
        try_one(&scenario, getenv("POINT"));
    } else {
        if (only == KILLED || only == ROWS)
            kill_everywhere(&scenario, stride, &rows[KILLED]);
        if (only == FAILED || only == ROWS)
            fail_everywhere(&scenario, torture ? 1 : 3 * stride, &rows[FAILED]);
        if (only == CUT || only == ROWS)
            cut_everywhere(&scenario, stride, torture ? 4 : 2, &rows[CUT]);
        if (only == LOOKED || only == ROWS)
            look_in_vain(&scenario, torture ? 1 : 2 * stride, &rows[LOOKED]);
        if (only == TWICE || only == ROWS)
            kill_then_cut(&scenario, stride, torture ? 3 : 1, &rows[TWICE]);
        if (only == TWICE || only == ROWS)
            break_twice(&scenario, torture ? 200 : 20, &rows[TWICE]);
    }
    check_order(seed, order);
    finish(&scenario);
}

int main(void)
{
    bool torture = getenv("TORTURE") != NULL;
    struct row rows[ROWS] = {
        [KILLED] = {.what = "model disk: killed at each file call"},
        [FAILED] = {.what = "model disk: each errno at each call"},
        [CUT] = {.what = "model disk: power cut at each call"},
        [LOOKED] = {.what = "model disk: each reading call fails"},
        [TWICE] = {.what = "model disk: the recovery broken, too"},
    };
    struct disk_order order = {0};
    unsigned first = number_of("SEED", 1);
    unsigned count =
        getenv("SEED") != NULL ? 1 : number_of("COUNT", torture ? 100 : 4);

    for (unsigned i = 0; i < count; i++)
        run_scenario(first + i, torture, rows, &order);
    for (unsigned i = 0; i < ROWS && getenv("POINT") == NULL; i++)
        report(&rows[i], torture);
    ok(order.early_publish == 0 && order.early_record == 0,
       "the order of durability: %llu files published, %llu recorded",
       (unsigned long long)order.published, (unsigned long long)order.recorded);
    return done_testing();
}
