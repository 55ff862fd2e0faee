/* A side that is a Maildir, on the model disk: its users are programs such as
 * mail clients and delivery agents. */
#include "tests/sim/half_maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/maildir_keywords.h"
#include "store/maildir_name.h"
#include "store/maildir_path.h"
#include "tests/sim/clock.h"
#include "tests/sim/content.h"
#include "tests/sim/disk.h"
#include "tests/sim/sched.h"

static struct maildir_half *self_of(struct half *half)
{
    return (struct maildir_half *)half;
}

/* --- paths --------------------------------------------------------------------- */

static bool is_folder(const struct maildir_half *self, const char *folder)
{
    char *dir = maildir_half_dir(self, folder);
    bool is = maildir_half_has(dir, "cur");

    free(dir);
    return is;
}

static void sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        abort();
    close(fd);
}

/* The directory that holds it. */
static void sync_above(const char *path)
{
    char *above =
        mem_text((struct bytes){path, (size_t)(strrchr(path, '/') - path)});

    sync_path(above);
    free(above);
}

/* --- directories ---------------------------------------------------------------------- */

/* With those above it. */
static void make_dirs(const struct maildir_half *self, const char *path)
{
    for (const char *at = strchr(path + strlen(self->root), '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        char *dir = mem_text((struct bytes){path, (size_t)(at - path)});

        if (mkdir(dir, 0700) == 0)
            sync_above(dir);
        else if (errno != EEXIST)
            abort();
        free(dir);
    }
    if (mkdir(path, 0700) == 0)
        sync_above(path);
}

/* Those of its parts that are missing, as a power cut may leave it. */
static void make_parts(const char *dir)
{
    for (size_t i = MAILDIR_HALF_PARTS; i > 0; i--) {
        char *part = mem_printf("%s/%s", dir, maildir_half_parts[i - 1]);

        if (mkdir(part, 0700) == 0)
            sync_path(dir);
        else if (errno != EEXIST)
            abort();
        free(part);
    }
}

/* --- messages ------------------------------------------------------------------------ */

static void write_text(int fd, uint32_t content)
{
    struct bytes text = content_text(content);
    char *lf = mem_new(text.len + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\r')
            lf[n++] = text.ptr[i];
    }
    if (write(fd, lf, n) != (ssize_t)n)
        abort();
    free(lf);
}

/* What stands for the keywords in names of this folder, after its list was
 * changed where that must be. Those that find no letter are left out. */
static uint32_t letters_for(const char *dir, uint32_t bits)
{
    struct maildir_keywords keywords = {{0}};
    uint32_t letters;
    struct buf names;
    struct err err;
    int fd;

    if (bits == 0)
        return 0;
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        abort();
    buf_init(&names, 0);
    for (uint32_t i = 0; i < SERVER_KEYWORDS; i++) {
        if ((bits & (1u << i)) != 0)
            buf_printf(&names, "%s ", server_keyword(i));
    }
    if (maildir_keywords_allocate(&keywords, fd, buf_peek(&names), 0, &err) < 0)
        (void)maildir_keywords_load(&keywords, fd, &err);
    letters = maildir_keywords_letters(&keywords, buf_peek(&names), NULL);
    maildir_keywords_deinit(&keywords);
    buf_deinit(&names);
    close(fd);
    return letters;
}

/* Where a message of @base with these flags belongs: in new, where it has none
 * and is another's yet. free() it. */
static char *place_for(const char *dir, const char *base, uint32_t flags,
                       uint32_t bits)
{
    uint32_t letters = maildir_name_from_flags(flags) | letters_for(dir, bits);
    struct buf name;
    char *path;

    if (letters == 0)
        return mem_printf("%s/new/%s", dir, base);
    buf_init(&name, 0);
    maildir_name_print(&name, bytes_of(base), letters);
    path = mem_printf("%s/cur/%s", dir, buf_text(&name));
    buf_deinit(&name);
    return path;
}

static char *new_base(struct maildir_half *self)
{
    return mem_printf("%lld.P%uQ.user",
                      (long long)(clock_now_ns() / 1000000000),
                      self->n_names++);
}

static void note_soft(struct maildir_half *self, const char *base)
{
    self->soft =
        mem_grow(self->soft, self->n_soft, &self->cap_soft, sizeof(char *));
    self->soft[self->n_soft++] = mem_copy(base);
}

/* Written to tmp, then renamed: with all that makes it durable, or without. */
static void deliver_new(struct maildir_half *self, const char *dir,
                        const struct look_mail *mail)
{
    const struct timespec times[2] = {{.tv_sec = (time_t)mail->date},
                                      {.tv_sec = (time_t)mail->date}};
    char *base = new_base(self);
    char *tmp = mem_printf("%s/tmp/%s", dir, base);
    char *path = place_for(dir, base, mail->flags, mail->keywords);
    uint32_t careless = sched_random(4); /* 1: of the name, 2: of the data */
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        abort();
    write_text(fd, mail->content);
    if (futimens(fd, times) < 0 || (careless != 2 && fsync(fd) < 0) ||
        close(fd) < 0 || rename(tmp, path) < 0)
        abort();
    if (careless != 1 && careless != 2)
        sync_above(path);
    else
        note_soft(self, base);
    free(base);
    free(tmp);
    free(path);
}

/* A copy of a file is another name of it. */
static void link_into(struct maildir_half *self, const char *dir,
                      const struct look_mail *mail)
{
    char *base = new_base(self);
    char *path = place_for(dir, base, mail->flags, mail->keywords);

    sync_path(mail->file);
    if (link(mail->file, path) < 0)
        abort();
    sync_above(path);
    free(base);
    free(path);
}

static void deliver(struct half *half, const char *folder,
                    const struct look_mail *mail)
{
    struct maildir_half *self = self_of(half);
    char *dir = maildir_half_dir(self, folder);

    disk_others_begin();
    make_parts(dir);
    if (mail->file != NULL && sched_chance(2))
        link_into(self, dir, mail);
    else
        deliver_new(self, dir, mail);
    disk_others_end();
    free(dir);
}

static void take(struct half *half, const char *folder,
                 const struct look_mail *mail)
{
    (void)half;
    (void)folder;
    disk_others_begin();
    if (unlink(mail->file) < 0)
        abort();
    sync_above(mail->file);
    disk_others_end();
}

/* A file gets another name, or another place. */
static void rename_file(const char *from, const char *to)
{
    if (strcmp(from, to) == 0)
        return;
    sync_path(from);
    if (rename(from, to) < 0)
        abort();
    sync_above(to);
    sync_above(from);
}

static char *base_of(const struct look_mail *mail)
{
    struct maildir_name name;

    maildir_name_parse(bytes_of(strrchr(mail->file, '/') + 1), &name);
    return mem_text(name.base);
}

static void flag(struct half *half, const char *folder,
                 const struct look_mail *mail, uint32_t flags,
                 uint32_t keywords)
{
    char *dir = maildir_half_dir(self_of(half), folder);
    char *base = base_of(mail);
    struct buf name;
    char *path;

    disk_others_begin();
    make_parts(dir);
    buf_init(&name, 0);
    maildir_name_print(&name, bytes_of(base),
                       maildir_name_from_flags(flags) |
                           letters_for(dir, keywords));
    path = mem_printf("%s/cur/%s", dir, buf_text(&name));
    rename_file(mail->file, path);
    disk_others_end();
    buf_deinit(&name);
    free(path);
    free(base);
    free(dir);
}

static void move(struct half *half, const struct look_mail *mail,
                 const char *to)
{
    char *dir = maildir_half_dir(self_of(half), to);
    char *base = base_of(mail);
    char *path;

    disk_others_begin();
    make_parts(dir);
    path = place_for(dir, base, mail->flags, mail->keywords);
    rename_file(mail->file, path);
    disk_others_end();
    free(path);
    free(base);
    free(dir);
}

/* --- folders -------------------------------------------------------------------------- */

static bool make(struct half *half, const char *folder)
{
    const struct maildir_half *self = self_of(half);
    char *dir = maildir_half_dir(self, folder);
    bool made = false;

    disk_others_begin();
    if (!is_folder(self, folder)) {
        make_dirs(self, dir);
        make_parts(dir);
        made = true;
    }
    disk_others_end();
    free(dir);
    return made;
}

/* Its files, and the directory where it is empty then. */
static void empty(const char *dir)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_type == DT_REG &&
            unlinkat(dirfd(stream), entry->d_name, 0) < 0)
            abort();
    }
    if (stream != NULL)
        closedir(stream);
}

/* Directories that hold nothing, from @dir upwards. */
static void remove_empty(const struct maildir_half *self, const char *dir)
{
    char *path = mem_copy(dir);

    while (strcmp(path, self->root) != 0 && rmdir(path) == 0) {
        sync_above(path);
        *strrchr(path, '/') = '\0';
    }
    free(path);
}

static bool remove_folder(struct half *half, const char *folder)
{
    const struct maildir_half *self = self_of(half);
    char *dir = maildir_half_dir(self, folder);

    if (strcmp(folder, "INBOX") == 0) {
        free(dir);
        return false;
    }
    disk_others_begin();
    for (size_t i = 0; i < MAILDIR_HALF_PARTS; i++) {
        char *part = mem_printf("%s/%s", dir, maildir_half_parts[i]);

        empty(part);
        if (rmdir(part) < 0 && errno != ENOENT)
            abort();
        free(part);
    }
    empty(dir);
    sync_path(dir);
    remove_empty(self, dir);
    disk_others_end();
    free(dir);
    return true;
}

static void rename_dir(const struct maildir_half *self, const char *from,
                       const char *to)
{
    char *old = maildir_half_dir(self, from);
    char *new = maildir_half_dir(self, to);
    char *above =
        mem_text((struct bytes){new, (size_t)(strrchr(new, '/') - new)});
    char *left =
        mem_text((struct bytes){old, (size_t)(strrchr(old, '/') - old)});

    make_dirs(self, above);
    if (rename(old, new) < 0)
        abort();
    sync_path(above);
    sync_path(left);
    remove_empty(self, left);
    free(above);
    free(left);
    free(old);
    free(new);
}

static bool is_within(const char *name, const char *parent)
{
    size_t n = strlen(parent);

    return strncmp(name, parent, n) == 0 && (name[n] == '/' || name[n] == '\0');
}

/* May it be renamed: is nothing in the way, not even a directory? */
static bool is_free(const struct maildir_half *self, const struct look *look,
                    const char *from, const char *to)
{
    char *dir = maildir_half_dir(self, to);
    bool free_name = strcmp(from, "INBOX") != 0 && !is_within(to, from) &&
                     !maildir_half_has(dir, "");

    for (size_t i = 0; i < look->n_folders; i++)
        free_name &= !is_within(look->folders[i], to);
    free(dir);
    return free_name;
}

static bool rename_folder(struct half *half, const char *from, const char *to)
{
    const struct maildir_half *self = self_of(half);
    struct look look;
    bool done;

    half_look(half, &look);
    disk_others_begin();
    done = is_free(self, &look, from, to);
    for (size_t i = 0; done && i < look.n_folders; i++) {
        const char *rest = look.folders[i] + strlen(from);
        char *name;

        if (!is_within(look.folders[i], from) ||
            (rest[0] != '\0' && self->account.layout == MAILDIR_NESTED))
            continue;
        name = mem_printf("%s%s", to, rest);
        rename_dir(self, look.folders[i], name);
        free(name);
    }
    disk_others_end();
    look_free(&look);
    return done;
}

/* --- the rest --------------------------------------------------------------------------- */

static struct endpoint *endpoint(struct half *half, struct state *state,
                                 enum side which, const struct log *log)
{
    struct maildir_half *self = self_of(half);

    return maildir_endpoint_new(&self->loop, &self->account, state, which, log);
}

static uint64_t changes(const struct half *half)
{
    (void)half;
    return disk_changes("mail");
}

static void free_half(struct half *half)
{
    struct maildir_half *self = self_of(half);

    for (size_t i = 0; i < self->n_soft; i++)
        free(self->soft[i]);
    free(self->soft);
    free(self->root);
    free(self);
}

bool half_maildir_is_soft(struct half *half, const char *path)
{
    const struct maildir_half *self = self_of(half);
    const char *name = strrchr(path, '/') + 1;
    size_t n = strcspn(name, ":");

    for (size_t i = 0; i < self->n_soft; i++) {
        if (strlen(self->soft[i]) == n && memcmp(self->soft[i], name, n) == 0)
            return true;
    }
    return false;
}

bool half_maildir_is_marked(struct half *half)
{
    bool is;

    disk_others_begin();
    is = maildir_half_has(self_of(half)->root, MAILDIR_PATH_MARKER);
    disk_others_end();
    return is;
}

/* The date is part of a file, and may be what is missing of it. */
static bool is_whole(const char *path)
{
    uint32_t content = maildir_half_content(path);
    struct stat st;

    return content != CONTENT_NONE && stat(path, &st) == 0 &&
           st.st_mtim.tv_sec == content_date(content);
}

static bool is_torn(struct half *half, const char *path, bool in_tmp)
{
    return (half_maildir_is_soft(half, path) || disk_is_spoilt(path)) &&
           (in_tmp || !is_whole(path));
}

void half_maildir_tidy(struct half *half, bool stale)
{
    const struct maildir_half *self = self_of(half);
    struct look look;

    half_look(half, &look);
    disk_others_begin();
    for (size_t i = 0; i < look.n_folders; i++) {
        char *dir = maildir_half_dir(self, look.folders[i]);

        for (size_t k = 0; k < MAILDIR_HALF_PARTS; k++) {
            char *part = mem_printf("%s/%s", dir, maildir_half_parts[k]);
            bool in_tmp = strcmp(maildir_half_parts[k], "tmp") == 0;
            DIR *stream = opendir(part);
            const struct dirent *entry;

            while (stream != NULL && (entry = readdir(stream)) != NULL) {
                char *path = mem_printf("%s/%s", part, entry->d_name);

                if (entry->d_type == DT_REG &&
                    (stale ? in_tmp : is_torn(half, path, in_tmp)) &&
                    unlink(path) < 0)
                    abort();
                free(path);
            }
            if (stream != NULL)
                closedir(stream);
            free(part);
        }
        free(dir);
    }
    disk_others_end();
    disk_settle();
    look_free(&look);
}

bool half_maildir_find(struct half *half, const char *path,
                       struct look_mail *mail, char **folder)
{
    const struct maildir_half *self = self_of(half);
    /* "mail/A/cur/name" is A's. */
    const char *from = strchr(path, '/') + 1;
    const char *end = strrchr(path, '/');
    char *whole = mem_printf("%s/%s", self->root, from);
    struct buf name;
    char *dir;

    while (end > from && end[-1] != '/')
        end--;
    end -= end > from;
    dir = end > from ? mem_text((struct bytes){from, (size_t)(end - from)})
                     : mem_copy(".");
    buf_init(&name, 0);
    disk_others_begin();
    *mail = (struct look_mail){.content = maildir_half_content(whole)};
    disk_others_end();
    *folder = maildir_path_decode(self->account.layout, bytes_of(dir), &name)
                  ? mem_copy(buf_text(&name))
                  : NULL;
    buf_deinit(&name);
    free(dir);
    free(whole);
    return *folder != NULL && mail->content != CONTENT_NONE;
}

struct half *half_maildir_new(const char *root, enum maildir_layout layout)
{
    static const struct half_class class = {.look = maildir_half_look,
                                            .deliver = deliver,
                                            .take = take,
                                            .move = move,
                                            .flag = flag,
                                            .make = make,
                                            .remove = remove_folder,
                                            .rename = rename_folder,
                                            .endpoint = endpoint,
                                            .changes = changes,
                                            .free = free_half};
    struct maildir_half *self = MEM_NEW(struct maildir_half);

    self->head.class = &class;
    self->head.identity = "maildir";
    self->root = mem_copy(root);
    self->account = (struct maildir_account){
        .name = "maildir", .path = self->root, .layout = layout};
    make(&self->head, "INBOX");
    return &self->head;
}
