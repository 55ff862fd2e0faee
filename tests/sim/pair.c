/* The pair, its runs, and what is on both sides. */
#include "tests/sim/pair.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/sim/chance.h"
#include "tests/sim/clock.h"
#include "tests/sim/pair_parts.h"

#define STEPS_MAX 200000u

const char *const pair_folders[PAIR_FOLDERS] = {"INBOX", "Work",    "Work/deep",
                                                "Fresh", "Renamed", "Late"};

struct sim *pair_sim(struct uv_loop_s *loop)
{
    return (struct sim *)(void *)loop;
}

void pair_init(struct pair *pair, uint32_t seed)
{
    memset(pair, 0, sizeof(*pair));
    sim_init(&pair->sim, seed);
    model_init(&pair->model, &pair->sim, "server");
    pair->model.has_headers = true;
    pair->model.tier =
        sim_random(&pair->sim, 2) == 0 ? MODEL_FULL : MODEL_CHANGES;
    pair->model.no_uids = sim_random(&pair->sim, 4) == 0;
    pair->model_side = sim_random(&pair->sim, 2) == 0 ? LEFT : RIGHT;
    pair->layout =
        sim_random(&pair->sim, 2) == 0 ? MAILDIR_NESTED : MAILDIR_PLUSPLUS;
    pair->policy.max_delete.kind = MAX_DELETE_PERCENT;
    pair->policy.max_delete.value = 50;
    pair->policy.moves = sim_random(&pair->sim, 4) != 0;
    /* No name is told by chance: how long it is, and what LMDB's pages hold,
     * is the same in each process. */
    snprintf(pair->root, sizeof(pair->root), "%s/mailtwin-pair-%08ld",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             syscall(SYS_getpid));
    if (mkdir(pair->root, 0700) != 0)
        abort();
    chance_start(seed);
    pair->mail_path = mem_printf("%s/mail", pair->root);
    pair->state_path = mem_printf("%s/state", pair->root);
    clock_start();
    disk_watch(pair->root);
    model_make(&pair->model, "INBOX");
    pair->folder_wanted[0] = true;
}

void pair_deinit(struct pair *pair)
{
    disk_load(NULL);
    disk_leave();
    clock_stop();
    chance_stop();
    if (rmdir(pair->root) != 0)
        printf("# %s stays\n", pair->root);
    for (unsigned i = 0; i < pair->n_mails; i++)
        free(pair->mails[i].text);
    free(pair->mail_path);
    free(pair->state_path);
    model_deinit(&pair->model);
    sim_deinit(&pair->sim);
}

/* --- runs ------------------------------------------------------------------------ */

static void on_report(void *owner, const struct report_event *event)
{
    (void)owner;
    if (getenv("TELL") != NULL)
        printf("#   event %d side %d %s from %s uid %u, %u: %s\n",
               (int)event->kind, (int)event->side, event->folder,
               event->from != NULL ? event->from : "", event->uid, event->count,
               event->reason != NULL ? event->reason : "");
}

static void on_done(void *owner, const struct run_result *result)
{
    struct pair *pair = owner;

    pair->result = *result;
    pair->over = true;
}

static void on_line(void *owner, enum log_level level, const char *line)
{
    struct pair *pair = owner;

    (void)level;
    pair->n_aside += strstr(line, "moved to") != NULL;
    if (getenv("TELL") != NULL)
        printf("#   %s\n", line);
}

/* Until it is over, and then until nothing is under way. */
static void drive(struct pair *pair)
{
    const uint64_t end = pair->sim.steps + STEPS_MAX;

    while (!pair->over && pair->sim.steps < end && sim_step(&pair->sim)) {
    }
    pair->hung = !pair->over;
}

static int run_over(struct pair *pair, struct state *state,
                    const struct log *log)
{
    struct maildir_account account = {
        .name = "disk", .path = pair->mail_path, .layout = pair->layout};
    struct run_options options = {
        .pair = "test",
        .policy = &pair->policy,
        .state = state,
        .log = log,
        .report = on_report,
        .done = on_done,
        .owner = pair,
    };
    struct endpoint *maildir =
        maildir_endpoint_new((uv_loop_t *)(void *)&pair->sim, &account, state,
                             other(pair->model_side), log);
    struct err err = {{0}};
    struct run *run;

    options.endpoint[pair->model_side] = &pair->model.endpoint;
    options.endpoint[other(pair->model_side)] = maildir;
    run = run_start(&options, &err);
    drive(pair);
    if (pair->hung)
        return ERR_LIMIT; /* what is under way is still used */
    run_free(run);
    endpoint_free(maildir);
    while (sim_step(&pair->sim)) {
    }
    if (pair->result.result < 0 && getenv("TELL") != NULL)
        printf("#   run: %s\n", pair->result.err.text);
    return pair->result.result;
}

int pair_run(struct pair *pair)
{
    char *maildir = mem_printf("maildir:%s", pair->mail_path);
    struct log log = {.level = LOG_NOTICE, .sink = on_line, .owner = pair};
    struct state_open_options open = {
        .dir = pair->state_path,
        .pair = "test",
        .identity = {maildir, maildir}
    };
    struct state *state;
    struct err err = {{0}};

    open.identity[pair->model_side] = "imap:model";
    model_reconnect(&pair->model);
    memset(&pair->result, 0, sizeof(pair->result));
    pair->over = false;
    pair->hung = false;
    pair->code = state_open(&open, &log, &state, &err);
    if (pair->code == 0) {
        pair->code = run_over(pair, state, &log);
        if (!pair->hung)
            state_close(state);
    } else if (getenv("TELL") != NULL) {
        printf("#   state: %s\n", err.text);
    }
    free(maildir);
    return pair->code;
}

bool pair_was_idle(const struct pair *pair)
{
    /* Three: who holds the lock is written into it, and goes. */
    return disk_changes("mail") == 0 && disk_changes("state") <= 3 &&
           pair->model.n_changes == 0;
}

/* --- a look ------------------------------------------------------------------------ */

static int mail_of(const struct pair *pair, const char *text)
{
    for (unsigned i = 0; i < pair->n_mails; i++) {
        if (strcmp(pair->mails[i].text, text) == 0)
            return (int)i;
    }
    return -1;
}

static void note(struct pair_look *look, int mail, unsigned folder,
                 uint32_t flags, const char *where)
{
    if (mail < 0) {
        look->strange++;
        snprintf(look->stranger, sizeof(look->stranger), "%s", where);
        return;
    }
    look->n[mail][folder]++;
    look->all[mail]++;
    look->flags[mail][folder] += flags;
}

uint32_t pair_flags_of_name(const char *name)
{
    static const char letters[] = "SRFTD"; /* in the order of the FLAG_ bits */
    const char *at = strstr(name, ":2,");
    uint32_t flags = 0;

    for (unsigned i = 0; at != NULL && i < 5; i++)
        flags |= strchr(at + 3, letters[i]) != NULL ? 1u << i : 0;
    return flags;
}

/* With CRLF, as a C string; free() it. */
static char *read_mail(const char *path)
{
    char *text;
    char *crlf;
    size_t n = 0;
    ssize_t got;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        abort();
    text = mem_new((size_t)st.st_size + 1, 1);
    crlf = mem_new(2 * (size_t)st.st_size + 1, 1);
    got = read(fd, text, (size_t)st.st_size);
    close(fd);
    for (ssize_t i = 0; i < got; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            crlf[n++] = '\r';
        crlf[n++] = text[i] != '\0' ? text[i] : '?';
    }
    free(text);
    return crlf;
}

int pair_each_file(struct pair *pair, unsigned folder,
                   int (*each)(void *owner, const char *path, const char *name,
                               int mail),
                   void *owner)
{
    int r = 0;

    for (int in_new = 0; in_new < 2 && r == 0; in_new++) {
        char *dir = pair_path(pair, folder, in_new != 0 ? "new" : "cur");
        DIR *stream = opendir(dir);
        const struct dirent *entry;

        while (stream != NULL && r == 0 && (entry = readdir(stream)) != NULL) {
            char *path;
            char *text;

            if (entry->d_name[0] == '.')
                continue;
            path = mem_printf("%s/%s", dir, entry->d_name);
            text = read_mail(path);
            r = each(owner, path, entry->d_name, mail_of(pair, text));
            free(text);
            free(path);
        }
        if (stream != NULL)
            closedir(stream);
        free(dir);
    }
    return r;
}

struct looker {
    struct pair_look *look;
    unsigned folder;
};

static int look_at(void *owner, const char *path, const char *name, int mail)
{
    const struct looker *looker = owner;

    note(looker->look, mail, looker->folder, pair_flags_of_name(name), path);
    return 0;
}

void pair_look(struct pair *pair, bool on_disk, struct pair_look *look)
{
    memset(look, 0, sizeof(*look));
    disk_others_begin();
    for (unsigned f = 0; f < PAIR_FOLDERS; f++) {
        struct looker looker = {look, f};
        struct model_folder *folder =
            model_folder(&pair->model, pair_folders[f]);

        if (on_disk)
            (void)pair_each_file(pair, f, look_at, &looker);
        for (size_t i = 0; !on_disk && folder != NULL && i < folder->n_mail;
             i++) {
            note(look, mail_of(pair, folder->mail[i].content), f,
                 folder->mail[i].flags.system, folder->mail[i].content);
        }
    }
    disk_others_end();
}

/* --- images ------------------------------------------------------------------------ */

struct pair_image {
    struct disk_image *disk;
    struct model model;
    int64_t now_ns;
};

static void copy_folders(const struct model *from, struct model *to)
{
    while (to->n_folders > 0)
        model_remove(to, to->folders[0]->name);
    for (size_t i = 0; i < from->n_folders; i++) {
        const struct model_folder *source = from->folders[i];
        struct model_folder *folder = model_make(to, source->name);

        folder->uidvalidity = source->uidvalidity;
        for (size_t k = 0; k < source->n_mail; k++) {
            const struct model_mail *mail = &source->mail[k];
            struct model_mail *copy =
                model_deliver(to, source->name, mail->content, 0);

            copy->uid = mail->uid;
            copy->flags = mail->flags;
            copy->modseq = mail->modseq;
            copy->date = mail->date;
            copy->told = mail->told;
        }
        folder->n_expunged = source->n_expunged;
        folder->expunged_cap = source->n_expunged;
        free(folder->expunged);
        folder->expunged =
            mem_new(source->n_expunged + 1, sizeof(*folder->expunged));
        for (size_t k = 0; k < source->n_expunged; k++)
            folder->expunged[k] = source->expunged[k];
        folder->uidnext = source->uidnext;
        folder->modseq = source->modseq;
    }
}

struct pair_image *pair_save(struct pair *pair)
{
    struct pair_image *image = MEM_NEW(struct pair_image);

    image->disk = disk_save();
    model_init(&image->model, &pair->sim, "image");
    copy_folders(&pair->model, &image->model);
    image->now_ns = clock_now_ns();
    return image;
}

void pair_load(struct pair *pair, const struct pair_image *image)
{
    disk_load(image->disk);
    clock_set_ns(image->now_ns);
    copy_folders(&image->model, &pair->model);
    chance_start(pair->sim.seed);
    pair->model.n_late = 0;
    pair->n_aside = 0;
}

void pair_image_free(struct pair_image *image)
{
    disk_image_free(image->disk);
    model_deinit(&image->model);
    free(image);
}

/* --- the oracle ----------------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
blame(struct pair_evil *evil, unsigned *count, const char *format, ...)
{
    va_list args;

    if (evil->what[0] == '\0') {
        va_start(args, format);
        (void)vsnprintf(evil->what, sizeof(evil->what), format, args);
        va_end(args);
    }
    ++*count;
}

static unsigned wanted_of(const struct pair_mail *mail)
{
    unsigned n = 0;

    for (unsigned f = 0; f < PAIR_FOLDERS; f++)
        n += mail->wanted[f];
    return n;
}

void pair_check_now(struct pair *pair, const struct pair_look before[2],
                    struct pair_evil *evil)
{
    struct pair_look look;

    for (int on_disk = 0; on_disk < 2; on_disk++) {
        const char *where = on_disk != 0 ? "disk" : "server";

        pair_look(pair, on_disk != 0, &look);
        if (look.strange > 0)
            blame(evil, &evil->lost, "torn on the %s: %s", where,
                  look.stranger);
        for (unsigned i = 0; i < pair->n_mails; i++) {
            unsigned least = wanted_of(&pair->mails[i]);

            if (before[on_disk].all[i] < least)
                least = before[on_disk].all[i];
            if (look.all[i] < least)
                blame(evil, &evil->lost,
                      "at once: message %u, %u of %u on the %s", i, look.all[i],
                      least, where);
        }
    }
}

static void check_mail(const struct pair *pair, unsigned i,
                       const struct pair_look *look, const char *where,
                       bool revived, struct pair_evil *evil)
{
    const struct pair_mail *mail = &pair->mails[i];
    unsigned all = wanted_of(mail);

    if (revived && look->all[i] > all && mail->used)
        return; /* what was deleted or moved may be back */
    for (unsigned f = 0; f < PAIR_FOLDERS; f++) {
        unsigned n = look->n[i][f];

        if (n == mail->wanted[f])
            continue;
        if (look->all[i] < all)
            blame(evil, &evil->lost, "message %u lost on the %s in %s", i,
                  where, pair_folders[f]);
        else if (all == 0)
            blame(evil, &evil->resurrected, "message %u back on the %s in %s",
                  i, where, pair_folders[f]);
        else if (look->all[i] > all)
            blame(evil, &evil->doubled, "message %u doubled on the %s in %s", i,
                  where, pair_folders[f]);
        else
            blame(evil, &evil->other, "message %u misplaced on the %s in %s", i,
                  where, pair_folders[f]);
        return;
    }
}

static void check_flags(const struct pair *pair, unsigned i,
                        const struct pair_look looks[2], bool revived,
                        struct pair_evil *evil)
{
    const struct pair_mail *mail = &pair->mails[i];

    for (unsigned f = 0; f < PAIR_FOLDERS; f++) {
        uint32_t server = looks[0].flags[i][f];
        uint32_t disk = looks[1].flags[i][f];

        if (looks[0].n[i][f] != looks[1].n[i][f])
            blame(evil, &evil->other, "message %u: %u and %u in %s", i,
                  looks[0].n[i][f], looks[1].n[i][f], pair_folders[f]);
        else if (server != disk)
            blame(evil, &evil->other, "message %u: flags %u and %u in %s", i,
                  server, disk, pair_folders[f]);
        else if (!revived && mail->has_flags && mail->wanted[f] == 1 &&
                 disk != mail->flags)
            blame(evil, &evil->other,
                  "message %u: flags %u instead of %u in %s", i, disk,
                  mail->flags, pair_folders[f]);
    }
}

static bool has_folder(struct pair *pair, bool on_disk, unsigned folder)
{
    struct stat st;
    char *path;
    bool there;

    if (!on_disk)
        return model_folder(&pair->model, pair_folders[folder]) != NULL;
    path = pair_path(pair, folder, "cur");
    disk_others_begin();
    there = stat(path, &st) == 0;
    disk_others_end();
    free(path);
    return there;
}

void pair_check_end(struct pair *pair, bool revived, struct pair_evil *evil)
{
    struct pair_look looks[2];

    pair_look(pair, false, &looks[0]);
    pair_look(pair, true, &looks[1]);
    for (unsigned i = 0; i < pair->n_mails; i++) {
        check_mail(pair, i, &looks[0], "server", revived, evil);
        check_mail(pair, i, &looks[1], "disk", revived, evil);
        check_flags(pair, i, looks, revived, evil);
    }
    if (looks[0].strange + looks[1].strange > 0)
        blame(evil, &evil->lost, "torn: %s",
              looks[looks[0].strange > 0 ? 0 : 1].stranger);
    for (unsigned f = 0; f < PAIR_FOLDERS; f++) {
        bool server = has_folder(pair, false, f);
        bool disk_too = has_folder(pair, true, f);

        if (server != disk_too ||
            (!revived && server != pair->folder_wanted[f]))
            blame(evil, &evil->other, "folder %s: %d and %d", pair_folders[f],
                  server, disk_too);
    }
}
