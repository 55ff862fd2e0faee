/* What users do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/imap_names.h"
#include "tests/sim/content.h"
#include "tests/sim/sched.h"
#include "tests/sim/world.h"

static const char *const names[] = {"INBOX", "A", "B", "A/X", "B/X", "C"};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* One act of one user. */
struct act {
    struct world *world;
    enum side side;
    struct half *half;
    struct look look;
};

static void say(const struct act *act, const char *what,
                const struct look_mail *mail, const char *folder)
{
    if (!act->world->tell)
        return;
    printf("# user on the %s: %s", act->side == LEFT ? "left" : "right", what);
    if (mail != NULL)
        printf(" message %u", mail->content);
    printf(" %s\n", folder);
}

static void note(const struct act *act, enum fate fate,
                 const struct look_mail *mail, const char *folder, bool fresh)
{
    account_fact(&act->world->account, act->side, fate, mail->content, folder,
                 fresh);
}

/* Nobody has anything to do with a folder that is being removed. */
static const char *any_folder(const struct act *act)
{
    const char *name;

    do {
        name = act->look.folders[sched_random((uint32_t)act->look.n_folders)];
    } while (strstr(name, IMAP_NAMES_ASIDE) != NULL);
    return name;
}

static struct look_mail *any_mail(struct act *act)
{
    return act->look.n_mail == 0
               ? NULL
               : &act->look.mail[sched_random((uint32_t)act->look.n_mail)];
}

static void deliver(struct act *act)
{
    const char *folder = any_folder(act);
    struct look_mail mail = {0};

    /* Now and then one that is there already. */
    mail.content = contents_count() > 0 && sched_chance(8)
                       ? sched_random(contents_count())
                       : content_new();
    mail.flags =
        sched_chance(2) ? 0 : sched_random(32) & ~(uint32_t)FLAG_DELETED;
    mail.keywords = sched_chance(4) ? sched_random(1u << SERVER_KEYWORDS) : 0;
    mail.date = content_date(mail.content);
    say(act, "new", &mail, folder);
    act->half->class->deliver(act->half, folder, &mail);
    note(act, FATE_ADDED, &mail, folder, true);
}

static void twins(struct act *act)
{
    const char *folder = any_folder(act);
    struct look_mail mail = {.content = content_new()};

    mail.date = content_date(mail.content);
    for (uint32_t i = 2 + sched_random(2); i > 0; i--) {
        say(act, "twin", &mail, folder);
        act->half->class->deliver(act->half, folder, &mail);
        note(act, FATE_ADDED, &mail, folder, true);
    }
}

static void flag(struct act *act)
{
    const struct look_mail *mail = any_mail(act);
    uint32_t flags;
    uint32_t keywords;

    if (mail == NULL)
        return;
    flags = mail->flags ^ (1u << sched_random(5));
    /* Without UIDPLUS what others have marked stands in the way. */
    if (act->world->bare)
        flags &= ~(uint32_t)FLAG_DELETED;
    keywords = mail->keywords;
    if (sched_chance(3))
        keywords ^= 1u << sched_random(SERVER_KEYWORDS);
    say(act, "flags", mail, act->look.folders[mail->folder]);
    act->half->class->flag(act->half, act->look.folders[mail->folder], mail,
                           flags, keywords);
    note(act, FATE_FLAGGED, mail, act->look.folders[mail->folder], false);
}

static void delete (struct act *act)
{
    const struct look_mail *mail = any_mail(act);
    const char *folder;

    if (mail == NULL)
        return;
    folder = act->look.folders[mail->folder];
    say(act, "deletes", mail, folder);
    act->half->class->take(act->half, folder, mail);
    note(act, FATE_DELETED, mail, folder, false);
}

static void move(struct act *act, bool copy)
{
    const struct look_mail *mail = any_mail(act);
    const char *to = any_folder(act);
    const char *folder;

    if (mail == NULL)
        return;
    folder = act->look.folders[mail->folder];
    if (strcmp(folder, to) == 0)
        return;
    say(act, copy ? "copies" : "moves", mail, folder);
    say(act, "  to", NULL, to);
    if (!copy && act->half->class->move != NULL) {
        act->half->class->move(act->half, mail, to);
    } else {
        act->half->class->deliver(act->half, to, mail);
        if (!copy)
            act->half->class->take(act->half, folder, mail);
    }
    note(act, FATE_ADDED, mail, to, false);
    if (!copy)
        note(act, FATE_TAKEN, mail, folder, false);
}

/* A folder gets a name: was it another's before? */
static void take_name(const struct act *act)
{
    struct account *account = &act->world->account;

    account->reset = account->reset || account->vacated;
}

static void make(struct act *act)
{
    const char *name = names[sched_random(NAMES)];

    if (!act->half->class->make(act->half, name))
        return;
    say(act, "makes", NULL, name);
    take_name(act);
}

static bool is_within(const char *name, const char *parent)
{
    size_t n = strlen(parent);

    return strncmp(name, parent, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

static void remove_folder(struct act *act)
{
    const char *name = any_folder(act);

    if (!act->half->class->remove(act->half, name))
        return;
    say(act, "deletes", NULL, name);
    act->world->account.vacated = true;
    for (size_t i = 0; i < act->look.n_mail; i++) {
        const struct look_mail *mail = &act->look.mail[i];

        if (strcmp(act->look.folders[mail->folder], name) == 0)
            note(act, FATE_DELETED, mail, name, false);
    }
}

static void rename_folder(struct act *act)
{
    const char *from = any_folder(act);
    const char *to = names[sched_random(NAMES)];

    if (!act->half->class->rename(act->half, from, to))
        return;
    take_name(act);
    act->world->account.vacated = true;
    for (size_t i = 0; i < act->look.n_folders; i++) {
        if (is_within(act->look.folders[i], from))
            account_renamed(&act->world->account, act->side,
                            act->look.folders[i]);
    }
    say(act, "renames", NULL, from);
    say(act, "  to", NULL, to);
    for (size_t i = 0; i < act->look.n_mail; i++) {
        const struct look_mail *mail = &act->look.mail[i];
        const char *folder = act->look.folders[mail->folder];
        char *name;

        if (!is_within(folder, from))
            continue;
        name = mem_printf("%s%s", to, folder + strlen(from));
        note(act, FATE_TAKEN, mail, folder, false);
        note(act, FATE_ADDED, mail, name, false);
        free(name);
    }
}

void world_edit(struct world *world)
{
    enum side side = sched_chance(2) ? LEFT : RIGHT;
    struct act act = {.world = world, .side = side, .half = world->half[side]};

    half_look(act.half, &act.look);
    world->counts->edits++;
    switch (sched_random(20)) {
    case 0:
        twins(&act);
        break;
    case 1:
    case 2:
    case 3:
        flag(&act);
        break;
    case 4:
    case 5:
    case 6:
        delete (&act);
        break;
    case 7:
    case 8:
        move(&act, false);
        break;
    case 9:
        move(&act, true);
        break;
    case 10:
    case 11:
        make(&act);
        break;
    case 12:
        remove_folder(&act);
        break;
    case 13:
        rename_folder(&act);
        break;
    default:
        deliver(&act);
        break;
    }
    look_free(&act.look);
}
