/* What users do to both sides, and what is to come of it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/maildir_path.h"
#include "tests/sim/clock.h"
#include "tests/sim/pair_parts.h"

char *pair_path(const struct pair *pair, unsigned folder, const char *below)
{
    struct buf path;
    struct err err;
    char *text;

    buf_init(&path, 0);
    if (maildir_path_encode(pair->layout, bytes_of(pair_folders[folder]), &path,
                            &err) < 0)
        abort();
    text = mem_printf("%s/%s/%s", pair->mail_path, buf_text(&path), below);
    buf_deinit(&path);
    return text;
}

/* --- messages ------------------------------------------------------------------------ */

static uint32_t dice(struct pair *pair, uint32_t below)
{
    return sim_random(&pair->sim, below);
}

/* Some are larger than a sector, some than a page; a few look like another in
 * all that a header tells. */
static char *new_text(struct pair *pair)
{
    unsigned n = pair->n_mails;
    unsigned lines = dice(pair, 3) == 0 ? dice(pair, 120) : dice(pair, 8);
    unsigned id = n > 0 && dice(pair, 8) == 0 ? n - 1 : n;
    struct buf text;
    char *copy;

    buf_init(&text, 0);
    buf_printf(&text,
               "Message-ID: <%u@example.org>\r\nFrom: a@example.org\r\n"
               "Subject: number %u\r\n\r\n",
               id, id);
    for (unsigned i = 0; i < lines; i++)
        buf_printf(&text, "line %u of a message with a body of its own\r\n", i);
    buf_printf(&text, "this is message %u\r\n", n);
    copy = mem_copy(buf_text(&text));
    buf_deinit(&text);
    return copy;
}

static void write_file(const char *path, const char *crlf)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char *text = mem_new(strlen(crlf) + 1, 1);
    size_t n = 0;

    for (const char *at = crlf; *at != '\0'; at++) {
        if (*at != '\r')
            text[n++] = *at;
    }
    if (fd < 0 || write(fd, text, n) != (ssize_t)n || close(fd) != 0)
        abort();
    free(text);
}

static void make_folder(struct pair *pair, bool on_disk, unsigned folder)
{
    static const char *const parts[] = {"", "tmp", "new", "cur"};
    struct stat st;

    if (!on_disk) {
        model_make(&pair->model, pair_folders[folder]);
        return;
    }
    (void)mkdir(pair->mail_path, 0700);
    if (folder == 2 && pair->layout == MAILDIR_NESTED)
        make_folder(pair, on_disk, 1);
    for (unsigned i = 0; i < 4; i++) {
        char *path = pair_path(pair, folder, parts[i]);

        if (stat(path, &st) != 0 && mkdir(path, 0700) != 0)
            abort();
        free(path);
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
    there = stat(path, &st) == 0;
    free(path);
    return there;
}

static void print_letters(uint32_t flags, char letters[8])
{
    static const struct {
        char letter;
        uint32_t flag;
    } all[] = {
        {'D', FLAG_DRAFT   },
        {'F', FLAG_FLAGGED },
        {'R', FLAG_ANSWERED},
        {'S', FLAG_SEEN    },
    };

    for (unsigned i = 0; i < 4; i++) {
        if ((flags & all[i].flag) != 0)
            *letters++ = all[i].letter;
    }
    *letters = '\0';
}

static char *new_name(struct pair *pair, uint32_t flags)
{
    char letters[8];
    char *base =
        mem_printf("%lld.P%uQ.user", (long long)(clock_now_ns() / 1000000000),
                   pair->n_names++);
    char *name;

    print_letters(flags, letters);
    name = flags == 0 ? mem_copy(base) : mem_printf("%s:2,%s", base, letters);
    free(base);
    return name;
}

static void put(struct pair *pair, bool on_disk, unsigned folder, unsigned mail,
                uint32_t flags)
{
    const struct timespec times[2] = {{.tv_sec = 1600000000 + (time_t)mail},
                                      {.tv_sec = 1600000000 + (time_t)mail}};
    char *name;
    char *path;

    make_folder(pair, on_disk, folder);
    if (!on_disk) {
        model_deliver(&pair->model, pair_folders[folder],
                      pair->mails[mail].text, flags)
            ->date = 1600000000 + mail;
        return;
    }
    name = new_name(pair, flags);
    path = pair_path(pair, folder, flags == 0 ? "new/" : "cur/");
    path = mem_resize(path, strlen(path) + strlen(name) + 1, 1);
    strcat(path, name);
    write_file(path, pair->mails[mail].text);
    (void)utimensat(AT_FDCWD, path, times, 0);
    free(name);
    free(path);
}

static uint32_t some_flags(struct pair *pair)
{
    static const uint32_t some[] = {
        0, FLAG_SEEN, FLAG_FLAGGED | FLAG_SEEN, FLAG_ANSWERED, FLAG_DRAFT, 0};

    return some[dice(pair, 6)];
}

static unsigned a_folder(struct pair *pair, bool on_disk)
{
    unsigned folder = dice(pair, 3);

    /* The parts of a folder that was renamed are not where they were. */
    return has_folder(pair, on_disk, folder) && pair->folder_wanted[folder]
               ? folder
               : 0;
}

static unsigned new_mail(struct pair *pair)
{
    struct pair_mail *mail = &pair->mails[pair->n_mails];

    if (pair->n_mails == PAIR_MAILS)
        abort();
    mail->text = new_text(pair);
    mail->used = true;
    mail->has_flags = true;
    mail->flags = some_flags(pair);
    return pair->n_mails++;
}

static void deliver(struct pair *pair, bool on_disk)
{
    unsigned folder = dice(pair, 3);
    unsigned mail = new_mail(pair);
    unsigned copies = dice(pair, 8) == 0 ? 2 : 1;

    if (has_folder(pair, !on_disk, folder) != has_folder(pair, on_disk, folder))
        folder = 0;
    for (unsigned i = 0; i < copies; i++)
        put(pair, on_disk, folder, mail, pair->mails[mail].flags);
    pair->mails[mail].wanted[folder] = copies;
    pair->folder_wanted[folder] = true;
    if (folder == 2)
        pair->folder_wanted[1] |= has_folder(pair, on_disk, 1);
}

void pair_user_both(struct pair *pair)
{
    unsigned mail = new_mail(pair);

    put(pair, true, 0, mail, pair->mails[mail].flags);
    put(pair, false, 0, mail, pair->mails[mail].flags);
    pair->mails[mail].wanted[0] = 1;
}

/* --- changes -------------------------------------------------------------------------- */

struct finder {
    int mail;
    char *path;
    uint32_t flags;
};

static int find_one(void *owner, const char *path, const char *name, int mail)
{
    struct finder *finder = owner;

    if (mail != finder->mail)
        return 0;
    finder->path = mem_copy(path);
    finder->flags = pair_flags_of_name(name);
    return 1;
}

static struct model_mail *in_model(struct pair *pair, unsigned folder,
                                   unsigned mail)
{
    struct model_folder *box = model_folder(&pair->model, pair_folders[folder]);

    for (size_t i = 0; box != NULL && i < box->n_mail; i++) {
        if (strcmp(box->mail[i].content, pair->mails[mail].text) == 0)
            return &box->mail[i];
    }
    return NULL;
}

/* Take one copy away, and put another one elsewhere where @to is a folder. */
static void remove_or_move(struct pair *pair, bool on_disk, unsigned from,
                           unsigned mail, int to)
{
    struct finder finder = {.mail = (int)mail};
    struct model_mail *found = in_model(pair, from, mail);

    if (!on_disk && found != NULL) {
        uint32_t uid = found->uid;
        struct flags flags = found->flags;
        int64_t date = found->date;

        if (to >= 0) {
            struct model_mail *moved =
                model_deliver(&pair->model, pair_folders[to],
                              pair->mails[mail].text, flags.system);

            moved->date = date;
        }
        model_expunge(model_folder(&pair->model, pair_folders[from]), uid);
    }
    if (on_disk && pair_each_file(pair, from, find_one, &finder) == 1) {
        const char *name = strrchr(finder.path, '/') + 1;

        if (to >= 0) {
            char *dir = pair_path(pair, (unsigned)to,
                                  finder.flags == 0 &&
                                          strstr(finder.path, "/new/") != NULL
                                      ? "new"
                                      : "cur");
            char *path = mem_printf("%s/%s", dir, name);

            if (rename(finder.path, path) != 0)
                abort();
            free(path);
            free(dir);
        } else if (unlink(finder.path) != 0) {
            abort();
        }
        free(finder.path);
    }
}

static void set_flags(struct pair *pair, bool on_disk, unsigned folder,
                      unsigned mail, uint32_t flags)
{
    struct finder finder = {.mail = (int)mail};
    struct model_mail *found = in_model(pair, folder, mail);

    if (!on_disk && found != NULL)
        model_flag(model_folder(&pair->model, pair_folders[folder]), found,
                   flags);
    if (on_disk && pair_each_file(pair, folder, find_one, &finder) == 1) {
        const char *name = strrchr(finder.path, '/') + 1;
        char letters[8];
        char *dir = pair_path(pair, folder, "cur");
        char *path;

        print_letters(flags, letters);
        path = mem_printf("%s/%.*s:2,%s", dir, (int)strcspn(name, ":"), name,
                          letters);
        if (strcmp(path, finder.path) != 0 && rename(finder.path, path) != 0)
            abort();
        free(path);
        free(dir);
        free(finder.path);
    }
}

/* A message that both sides have, and where. */
static bool choose(struct pair *pair, unsigned *mail, unsigned *folder)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        *mail = dice(pair, pair->n_mails);
        *folder = dice(pair, 3);
        if (!pair->mails[*mail].used && pair->mails[*mail].wanted[*folder] > 0)
            return true;
    }
    return false;
}

static void change(struct pair *pair, bool on_disk, uint32_t what)
{
    unsigned folder;
    unsigned n;
    unsigned to;
    struct pair_mail *mail;

    if (!choose(pair, &n, &folder))
        return;
    mail = &pair->mails[n];
    mail->used = true;
    to = a_folder(pair, on_disk);
    switch (what) {
    case 0: /* one copy of twins has other flags now: which is not told */
        mail->flags = some_flags(pair);
        mail->has_flags = mail->wanted[folder] == 1;
        set_flags(pair, on_disk, folder, n, mail->flags);
        break;
    case 1:
        mail->wanted[folder]--;
        remove_or_move(pair, on_disk, folder, n, -1);
        break;
    case 2:
        if (to == folder)
            return;
        mail->wanted[folder]--;
        mail->wanted[to]++;
        remove_or_move(pair, on_disk, folder, n, (int)to);
        break;
    default: /* a copy */
        mail->wanted[to]++;
        mail->has_flags = false;
        put(pair, on_disk, to, n, mail->flags);
        break;
    }
}

void pair_user(struct pair *pair, bool on_disk)
{
    uint32_t what = dice(pair, 8);

    disk_others_begin();
    if (what >= 4 || pair->n_mails == 0)
        deliver(pair, on_disk);
    else
        change(pair, on_disk, what);
    disk_others_end();
}

void pair_users_done(struct pair *pair)
{
    for (unsigned i = 0; i < pair->n_mails; i++)
        pair->mails[i].used = false;
}

/* --- not durable ------------------------------------------------------------------------ */

unsigned pair_late_make(struct pair *pair)
{
    return new_mail(pair);
}

void pair_late_deliver(struct pair *pair, unsigned mail)
{
    struct finder finder = {.mail = (int)mail};
    int fd;

    disk_others_begin();
    put(pair, true, 0, mail, pair->mails[mail].flags);
    (void)pair_each_file(pair, 0, find_one, &finder);
    fd = open(finder.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        abort();
    close(fd);
    free(finder.path);
    disk_others_end();
}

void pair_late_settle(struct pair *pair, unsigned mail)
{
    struct pair_look server;
    struct pair_look disk;

    pair_look(pair, false, &server);
    pair_look(pair, true, &disk);
    pair->mails[mail].wanted[0] = server.all[mail] + disk.all[mail] > 0;
}

/* --- folders ---------------------------------------------------------------------------- */

static void rename_folder(struct pair *pair, bool on_disk, unsigned from,
                          unsigned to)
{
    if (!on_disk) {
        model_rename(&pair->model, pair_folders[from], pair_folders[to]);
    } else {
        char *old = pair_path(pair, from, "");
        char *new = pair_path(pair, to, "");

        if (rename(old, new) != 0)
            abort();
        free(old);
        free(new);
    }
    for (unsigned i = 0; i < pair->n_mails; i++) {
        pair->mails[i].wanted[to] = pair->mails[i].wanted[from];
        pair->mails[i].wanted[from] = 0;
    }
    pair->folder_wanted[from] = false;
    pair->folder_wanted[to] = true;
}

void pair_user_folder(struct pair *pair, bool on_disk)
{
    unsigned mail;

    disk_others_begin();
    mail = new_mail(pair);
    if (has_folder(pair, on_disk, 1) && !has_folder(pair, on_disk, 2) &&
        !has_folder(pair, on_disk, 4) && dice(pair, 2) == 0)
        rename_folder(pair, on_disk, 1, 4);
    put(pair, on_disk, 3, mail, pair->mails[mail].flags);
    pair->mails[mail].wanted[3] = 1;
    pair->folder_wanted[3] = true;
    disk_others_end();
}
