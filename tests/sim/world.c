#include "tests/sim/world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/sim/content.h"
#include "tests/sim/net.h"
#include "tests/sim/net_uv.h"
#include "tests/sim/sched.h"
#include "tests/sim/snapshot.h"

/* A run that takes longer does not end at all. */
#define STEPS_MAX UINT64_C(400000)

#define SAY(world, ...)               \
    do {                              \
        if ((world)->tell)            \
            printf("# " __VA_ARGS__); \
    } while (0)

/* --- to be and not to be -------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static void wrong(void *owner, const char *what)
{
    struct world *world = owner;

    account_wrong(&world->account, "wire: %s", what);
}

static void user_now(void *owner)
{
    struct world *world = owner;

    if (world->users_edit) {
        world->edited = true;
        world_edit(world);
    }
}

static void removes_left(void *owner, const struct server_box *box,
                         const struct server_mail *mail)
{
    struct world *world = owner;

    account_removal(&world->account, LEFT, mail->content, box->name);
}

static void removes_right(void *owner, const struct server_box *box,
                          const struct server_mail *mail)
{
    struct world *world = owner;

    account_removal(&world->account, RIGHT, mail->content, box->name);
}

/* As if its user had deleted it with the folder; and counted. */
static void overrun(struct world *world, enum side side,
                    const struct server_box *box,
                    const struct server_mail *mail)
{
    world->counts->overrun++;
    account_fact(&world->account, side, FATE_DELETED, mail->content, box->name,
                 false);
}

static void overruns_left(void *owner, const struct server_box *box,
                          const struct server_mail *mail)
{
    overrun(owner, LEFT, box, mail);
}

static void overruns_right(void *owner, const struct server_box *box,
                           const struct server_mail *mail)
{
    overrun(owner, RIGHT, box, mail);
}

static void make_maildir(struct world *world, enum side side)
{
    world->maildir_side = side;
    world->maildir = half_maildir_new(
        world->mail_dir, sched_chance(2) ? MAILDIR_NESTED : MAILDIR_PLUSPLUS);
    world->half[side] = world->maildir;
    SAY(world, "%s: a Maildir\n", side == LEFT ? "left" : "right");
}

static void make_server(struct world *world, enum side side)
{
    struct half *half = half_server_new(
        (uint16_t)(1 + side), (enum server_tier)sched_random(SERVER_TIERS));
    struct server *server = half_server(half);

    server->tell = world->tell;
    server->watch = (struct server_watch){
        .owner = world,
        .user = user_now,
        .removes = side == LEFT ? removes_left : removes_right,
        .overruns = side == LEFT ? overruns_left : overruns_right,
        .wrong = wrong};
    world->half[side] = half;
    world->bare |= server->tier == SERVER_BARE;
    SAY(world, "%s: tier %d, MAILBOXID %d\n", side == LEFT ? "left" : "right",
        (int)server->tier, server->mailbox_ids);
}

void world_init(struct world *world, const struct world_kind *kind,
                uint64_t seed, bool tell, struct world_counts *counts)
{
    enum side maildir = SIDES;

    memset(world, 0, sizeof(*world));
    sched_reset(seed);
    net_reset();
    contents_reset();
    world->tell = tell;
    world->counts = counts;
    account_init(&world->account);
    (void)snprintf(world->dir, sizeof(world->dir), "%s/mailtwin-sim-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(world->dir) == NULL)
        abort();
    world->state_dir = mem_printf("%s/state", world->dir);
    world->mail_dir = mem_printf("%s/mail", world->dir);
    world->disk_faults = kind->disk;
    world_disk_init(world, seed);
    world->policy.max_delete.kind = MAX_DELETE_OFF;
    world->policy.moves = !sched_chance(4);
    world->policy.subscriptions = sched_chance(2);
    world->policy.on_conflict = sched_chance(2) ? LEFT : RIGHT;
    if (kind->maildir)
        maildir = sched_chance(2) ? LEFT : RIGHT;
    for (enum side side = LEFT; side < SIDES; side++)
        (side == maildir ? make_maildir : make_server)(world, side);
}

void world_deinit(struct world *world)
{
    net_reset();
    for (enum side side = LEFT; side < SIDES; side++)
        world->half[side]->class->free(world->half[side]);
    account_deinit(&world->account);
    snapshot_free(world->old_state);
    snapshot_free(world->old_mail);
    contents_reset();
    world_disk_deinit(world);
    nftw(world->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(world->state_dir);
    free(world->mail_dir);
}

/* --- a run ------------------------------------------------------------------------ */

/* Named, and nothing that another run could do. */
static bool is_for_the_user(const struct world *world, const char *reason)
{
    return (world->bare && strstr(reason, "no UIDPLUS") != NULL) ||
           strstr(reason, "rename one of the two") != NULL;
}

static void on_report(void *owner, const struct report_event *event)
{
    struct world *world = owner;

    if (event->reason != NULL && is_for_the_user(world, event->reason))
        world->stuck = true;
    if (event->reason != NULL &&
        strstr(event->reason, "there is still mail in it") != NULL)
        world->littered = true;
    SAY(world, "report %d side %d %s from %s uid %u, %u: %s\n",
        (int)event->kind, (int)event->side,
        event->folder != NULL ? event->folder : "",
        event->from != NULL ? event->from : "", event->uid, event->count,
        event->reason != NULL ? event->reason : "");
}

static void on_done(void *owner, const struct run_result *result)
{
    struct world *world = owner;

    world->result = *result;
    world->over = true;
}

static void sink(void *owner, enum log_level level, const char *line)
{
    struct world *world = owner;

    /* A state that was of no use was moved aside: as if it were lost. */
    if (world->disk_faults && strstr(line, "moved to") != NULL)
        world->account.reset = true;
    if (level <= LOG_ACTION)
        SAY(world, "log: %s\n", line);
}

/* The process dies: what it did stays done, and whatever is left of it in
 * memory does nothing any more. */
static void kill_run(struct world *world, struct run *run)
{
    SAY(world, "killed %s\n", disk_fired_call());
    disk_die();
    net_kill();
    if (!world->over)
        run_cancel(run);
}

/* Until it is over. Returns false where it is not, for ever. */
static bool play(struct world *world, struct run *run, uint64_t kill_after)
{
    uint64_t from = sched_steps();
    bool killed = false;

    while (!world->over || uv_sim_alive() > 0) {
        bool now = kill_after > 0 && !world->over &&
                   sched_steps() - from >= kill_after;

        if (!killed && (now || disk_is_dead())) {
            kill_run(world, run);
            killed = true;
        }
        if (sched_steps() - from > STEPS_MAX || !sched_step())
            return false;
    }
    world->counts->steps += sched_steps() - from;
    return true;
}

static uint32_t changes_of(const struct world *world)
{
    uint64_t n = 0;

    for (enum side side = LEFT; side < SIDES; side++)
        n += world->half[side]->class->changes(world->half[side]);
    return (uint32_t)n;
}

/* No server here merges equal messages. But one that does, and is not known for
 * it, says to APPEND what any other says, and shows nothing of it; so what a user
 * takes away at once, and at once again, where an equal message stays, is taken
 * for merged, and counted by `mailtwin status`. A Maildir is known. */
static int on_apart(void *owner, const struct state_apart *apart)
{
    struct world *world = owner;
    enum side side = other(apart->side);

    if (apart->kind != APART_MERGED)
        return 0;
    if (world->half[side] == world->maildir ||
        !account_taken_twice(&world->account, side))
        account_wrong(&world->account,
                      "%u of the %s is taken for merged by the other side",
                      apart->uid, apart->side == LEFT ? "left" : "right");
    world->stuck = true;
    return 0;
}

static int start_and_play(struct world *world, struct state *state,
                          const struct log *log, uint64_t kill_after)
{
    struct run_options options = {
        .pair = "sim",
        .policy = &world->policy,
        .state = state,
        .log = log,
        .force_delete = true,
        .report = on_report,
        .done = on_done,
        .owner = world,
    };
    struct err err = {{0}};
    struct run *run;
    bool ended;

    for (enum side side = LEFT; side < SIDES; side++)
        options.endpoint[side] = world->half[side]->class->endpoint(
            world->half[side], state, side, log);
    world->over = false;
    run = run_start(&options, &err);
    ended = play(world, run, kill_after);
    if (!ended) {
        /* What hangs cannot be freed. */
        account_wrong(&world->account, "a run that does not end");
        return ERR_LIMIT;
    }
    run_free(run);
    for (enum side side = LEFT; side < SIDES; side++)
        endpoint_free(options.endpoint[side]);
    if (world->result.result == 0)
        (void)state_apart_each(state, 0, on_apart, world, &err);
    return world->result.result;
}

static int open_and_play(struct world *world, uint64_t kill_after)
{
    struct log log = {.level = LOG_ACTION, .sink = sink, .owner = world};
    struct state_open_options open = {
        .dir = world->state_dir,
        .pair = "sim",
        .identity = {world->half[LEFT]->identity, world->half[RIGHT]->identity},
    };
    struct state *state;
    struct err err = {{0}};
    int r;

    if (state_open(&open, &log, &state, &err) < 0) {
        if (world->disk_fault.kind == DISK_NO_FAULT)
            account_wrong(&world->account, "the state cannot be opened: %s",
                          err.text);
        return ERR_STATE;
    }
    r = start_and_play(world, state, &log, kill_after);
    if (r != ERR_LIMIT)
        state_close(state);
    return r;
}

int world_run(struct world *world, uint64_t kill_after)
{
    uint32_t before;
    int r;

    world->counts->syncs++;
    world->account.run++;
    world->edited = false;
    world->stuck = false;
    world->littered = false;
    disk_fault(&world->disk_fault);
    before = changes_of(world);
    memset(&world->result, 0, sizeof(world->result));
    r = open_and_play(world, kill_after);
    world->account.run++;
    if (r == ERR_LIMIT)
        return r;
    world->sends = changes_of(world) - before;
    if (world_disk_after(world)) {
        net_revive();
        r = ERR_CANCELLED;
    }
    world_disk_check(world, r == 0);
    world->counts->good += r == 0;
    SAY(world, "run: %d %s, failed %u, %u changes, %.1f s\n", r,
        world->result.err.text, world->result.failed, world->sends,
        (double)sched_now_us() / 1e6);
    return r;
}

bool world_in_step(struct world *world, char *why)
{
    struct look left;
    struct look right;
    bool same;

    half_look(world->half[LEFT], &left);
    half_look(world->half[RIGHT], &right);
    same = account_in_step(&world->account, &left, &right, why);
    look_free(&left);
    look_free(&right);
    return same;
}

void world_settle(struct world *world)
{
    (void)world;
    while (sched_step())
        continue;
}
