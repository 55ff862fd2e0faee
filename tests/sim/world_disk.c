/* The disk below a world: the state, and a Maildir where there is one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/chance.h"
#include "tests/sim/clock.h"
#include "tests/sim/net.h"
#include "tests/sim/sched.h"
#include "tests/sim/snapshot.h"
#include "tests/sim/world.h"

/* --- who looks on --------------------------------------------------------------- */

static void visit(void *owner)
{
    struct world *world = owner;

    if (world->users_edit && sched_chance(world->busy)) {
        world->edited = true;
        world_edit(world);
    }
}

static void removes(void *owner, const char *path)
{
    struct world *world = owner;
    struct look_mail mail;
    char *folder;

    if (half_maildir_find(world->maildir, path, &mail, &folder))
        account_removal(&world->account, world->maildir_side, mail.content,
                        folder);
    else
        account_wrong(&world->account, "the run takes %s away", path);
    free(folder);
}

void world_disk_init(struct world *world, uint64_t seed)
{
    const struct disk_watcher watcher = {
        .owner = world, .visit = visit, .removes = removes};

    clock_start();
    chance_start(seed);
    disk_watch(world->dir);
    disk_tell(&watcher);
}

void world_disk_deinit(struct world *world)
{
    (void)world;
    disk_tell(NULL);
    disk_leave();
    chance_stop();
    clock_stop();
}

/* --- faults --------------------------------------------------------------------- */

static void die(void *owner)
{
    (void)owner;
    net_mute();
}

/* Mostly near the beginning, where runs with little to do are, too. */
static uint64_t some_call(void)
{
    return 1 + sched_random(1u << (3 + sched_random(8)));
}

void world_disk_fault(struct world *world, bool any)
{
    static const uint32_t busy[] = {0, 0, 30, 200, 1000};

    static const enum disk_fault_kind kinds[] = {
        DISK_NO_FAULT, DISK_NO_FAULT, DISK_KILL, DISK_KILL_TORN, DISK_CUT,
        DISK_CUT,      DISK_FAIL,     DISK_FAIL, DISK_FAIL_ON,   DISK_SHORT};

    static const int errnos[] = {ENOSPC, EIO,    EDQUOT, EMFILE,
                                 EROFS,  EACCES, EINTR};

    world->disk_fault = (struct disk_fault){.kind = DISK_NO_FAULT};
    world->busy = 0;
    if (!any)
        return;
    if (world->maildir != NULL)
        world->busy = busy[sched_random(5)];
    if (!world->disk_faults)
        return;
    world->disk_fault = (struct disk_fault){
        .kind = kinds[sched_random(10)],
        .at = some_call(),
        .error_number = errnos[sched_random(7)],
        .dead = die,
        .owner = world,
    };
    if (world->disk_fault.kind == DISK_FAIL_ON &&
        world->disk_fault.error_number == EINTR)
        world->disk_fault.error_number = EIO; /* it does not go on for ever */
    if (world->disk_fault.kind == DISK_FAIL && sched_chance(3)) {
        world->disk_fault.looks = true;
        world->disk_fault.error_number = EIO;
    }
}

/* Of the Maildir's messages those that a power cut may take: not durable yet, or
 * spoilt. */
static void look_at_some(struct world *world, bool spoilt, struct look *look)
{
    size_t n = 0;

    half_look(world->maildir, look);
    for (size_t i = 0; i < look->n_mail; i++) {
        struct look_mail mail = look->mail[i];

        if (disk_is_spoilt(mail.file) == spoilt &&
            (spoilt || half_maildir_is_soft(world->maildir, mail.file)))
            look->mail[n++] = mail;
        else
            free(mail.file);
    }
    look->n_mail = n;
}

static void excuse(struct world *world, const struct look *gone)
{
    struct look left;
    struct look right;

    half_look(world->half[LEFT], &left);
    half_look(world->half[RIGHT], &right);
    account_excuse(&world->account, world->maildir_side, gone, &left, &right);
    look_free(&left);
    look_free(&right);
}

/* Is a file of that base name there? */
static bool is_there(const struct look *look, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    size_t n = strcspn(name, ":");

    for (size_t i = 0; i < look->n_mail; i++) {
        const char *other = strrchr(look->mail[i].file, '/') + 1;

        if (strcspn(other, ":") == n && memcmp(other, name, n) == 0)
            return true;
    }
    return false;
}

/*
 * What a power cut took of @some.
 *
 * What is not durable yet cannot be on record: whoever takes it away from the
 * other side for that is wrong. What is spoilt may be: the disk refused it, the
 * run that was told so failed, and the next one believes the sync that says that
 * all is well (docs/crash-safety.md). Such a file is torn now; that it goes for
 * good is its user's doing, half_maildir_tidy(), and counted.
 */
static void lapse(struct world *world, const struct look *some, bool spoilt)
{
    struct look left;

    half_look(world->maildir, &left);
    for (size_t i = 0; i < some->n_mail; i++) {
        const struct look_mail *mail = &some->mail[i];

        if (is_there(&left, mail->file))
            continue;
        account_lapsed(&world->account, world->maildir_side, mail->content,
                       some->folders[mail->folder], spoilt);
        world->counts->spoilt += spoilt;
    }
    look_free(&left);
}

static void cut_power(struct world *world)
{
    uint32_t seed = sched_random(1u << 30);
    struct look soft;
    struct look spoilt;

    world->counts->faults[WORLD_POWER_CUT]++;
    if (world->tell)
        printf("# the power is cut\n");
    if (world->maildir == NULL) {
        disk_power_cut(seed);
        return;
    }
    look_at_some(world, false, &soft);
    look_at_some(world, true, &spoilt);
    disk_power_cut(seed);
    half_maildir_tidy(world->maildir, false);
    lapse(world, &soft, false);
    lapse(world, &spoilt, true);
    look_free(&soft);
    look_free(&spoilt);
}

void world_disk_check(struct world *world, bool good)
{
    struct disk_order order = disk_order();
    uint64_t n = order.early_publish + order.early_record;

    if (good && n > world->n_breaches)
        account_wrong(&world->account, "disk: %s", order.first);
    world->n_breaches = n;
}

bool world_disk_after(struct world *world)
{
    bool dead = disk_is_dead();
    bool cut = dead && world->disk_fault.kind == DISK_CUT;

    /* Whenever it is cut, what is on record must be there. */
    if (world->disk_fault.at > 0 && sched_chance(4))
        cut = true;

    if (!dead && disk_has_fired())
        world->counts->faults[WORLD_DISK_FAILED]++;
    if (dead) {
        world->counts->faults[WORLD_KILLED]++;
        net_kill();
    }
    if (world->tell && disk_has_fired())
        printf("# %s at %s\n", dead ? "dead" : "failed", disk_fired_call());
    world->disk_fault = (struct disk_fault){.kind = DISK_NO_FAULT};
    disk_fault(NULL);
    if (cut)
        cut_power(world);
    return dead;
}

/* --- an older copy of a Maildir ---------------------------------------------------- */

void world_disk_copy(struct world *world)
{
    /* Without its marker it would be refused, rightly. */
    if (!half_maildir_is_marked(world->maildir))
        return;
    snapshot_free(world->old_mail);
    disk_others_begin();
    world->old_mail = snapshot_take(world->mail_dir);
    disk_others_end();
}

/* What is there again counts as put there by its user; what is not there any
 * more is on the other side alone, and was moved where it lies elsewhere now, in
 * a folder that has the name it had before. */
static void note_back(struct world *world, const struct look *before,
                      const struct look *after)
{
    for (size_t i = 0; i < after->n_mail; i++) {
        uint32_t content = after->mail[i].content;
        const char *folder = after->folders[after->mail[i].folder];

        if (look_count(after, content, folder) >
            look_count(before, content, folder))
            account_fact(&world->account, world->maildir_side, FATE_ADDED,
                         content, folder, false);
    }
    for (size_t i = 0; i < before->n_mail; i++) {
        uint32_t content = before->mail[i].content;
        const char *folder = before->folders[before->mail[i].folder];

        if (look_count(after, content, folder) >=
            look_count(before, content, folder))
            continue;
        account_only(&world->account, other(world->maildir_side), content,
                     folder);
        if (look_count(after, content, NULL) >=
            look_count(before, content, NULL))
            account_fact(&world->account, world->maildir_side, FATE_TAKEN,
                         content, folder, false);
    }
}

void world_disk_put_back(struct world *world)
{
    struct look before;
    struct look after;

    world->counts->faults[WORLD_MAIL_OLD]++;
    world->account.reset = true;
    world->account.renamed = true;
    if (world->tell)
        printf("# the Maildir is an old one\n");
    half_look(world->maildir, &before);
    disk_others_begin();
    snapshot_restore(world->old_mail, world->mail_dir, sched_chance(2));
    disk_others_end();
    disk_settle();
    half_look(world->maildir, &after);
    note_back(world, &before, &after);
    excuse(world, &before);
    look_free(&before);
    look_free(&after);
}
