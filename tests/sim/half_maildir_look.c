/* What is in a Maildir half. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/maildir_keywords.h"
#include "store/maildir_name.h"
#include "store/maildir_path.h"
#include "tests/sim/content.h"
#include "tests/sim/disk.h"
#include "tests/sim/half_maildir.h"

const char *const maildir_half_parts[MAILDIR_HALF_PARTS] = {"cur", "new",
                                                            "tmp"};

/* --- paths ------------------------------------------------------------------------ */

char *maildir_half_dir(const struct maildir_half *self, const char *folder)
{
    struct buf path;
    struct err err;
    char *text;

    buf_init(&path, 0);
    if (maildir_path_encode(self->account.layout, bytes_of(folder), &path,
                            &err) < 0)
        abort();
    text = strcmp(buf_text(&path), ".") == 0
               ? mem_copy(self->root)
               : mem_printf("%s/%s", self->root, buf_text(&path));
    buf_deinit(&path);
    return text;
}

bool maildir_half_has(const char *dir, const char *below)
{
    char *path = mem_printf("%s/%s", dir, below);
    struct stat st;
    bool there = stat(path, &st) == 0;

    free(path);
    return there;
}

/* --- a look ------------------------------------------------------------------------- */

uint32_t maildir_half_content(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint32_t content = CONTENT_NONE;
    struct stat st;
    char *text;

    if (fd < 0)
        return content;
    if (fstat(fd, &st) < 0)
        abort();
    text = mem_new((size_t)st.st_size + 1, 1);
    if (read(fd, text, (size_t)st.st_size) == st.st_size)
        content = content_find_lf((struct bytes){text, (size_t)st.st_size});
    free(text);
    close(fd);
    return content;
}

static uint32_t keyword_bits(const struct maildir_keywords *keywords,
                             uint32_t letters)
{
    struct buf names;
    struct bytes rest;
    uint32_t bits = 0;

    buf_init(&names, 0);
    maildir_keywords_names(keywords, letters, &names);
    rest = buf_peek(&names);
    while (rest.len > 0) {
        struct bytes name = rest;
        const char *blank = memchr(rest.ptr, ' ', rest.len);

        name.len = blank != NULL ? (size_t)(blank - rest.ptr) : rest.len;
        rest = bytes_skip(rest, name.len + (blank != NULL));
        for (uint32_t i = 0; i < SERVER_KEYWORDS; i++) {
            if (bytes_equal_nocase(name, bytes_of(server_keyword(i))))
                bits |= 1u << i;
        }
    }
    buf_deinit(&names);
    return bits;
}

static void look_at_file(struct look *look, size_t folder, char *path,
                         bool in_new, const struct maildir_keywords *keywords)
{
    struct maildir_name name;
    struct look_mail *mail;
    uint32_t content = maildir_half_content(path);
    uint32_t letters = 0;
    struct stat st;
    bool plain;

    if (content == CONTENT_NONE || stat(path, &st) < 0) {
        look->torn = true;
        free(path);
        return;
    }
    maildir_name_parse(bytes_of(strrchr(path, '/') + 1), &name);
    if (!in_new)
        letters = maildir_name_letters(&name, &plain);
    mail = look_mail_add(look, folder);
    mail->content = content;
    mail->flags = maildir_name_to_flags(letters);
    mail->keywords = keyword_bits(keywords, letters);
    mail->date = st.st_mtim.tv_sec;
    mail->file = path;
}

static struct maildir_keywords keywords_in(const char *dir)
{
    struct maildir_keywords keywords = {{0}};
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err err;

    if (fd < 0)
        abort();
    (void)maildir_keywords_load(&keywords, fd, &err);
    close(fd);
    return keywords;
}

static void look_at_folder(struct look *look, const char *dir, const char *name)
{
    struct maildir_keywords keywords = keywords_in(dir);
    size_t folder = look_folder(look, name);

    for (size_t i = 0; i < MAILDIR_HALF_MAIL; i++) {
        char *path = mem_printf("%s/%s", dir, maildir_half_parts[i]);
        DIR *stream = opendir(path);
        const struct dirent *entry;

        while (stream != NULL && (entry = readdir(stream)) != NULL) {
            if (entry->d_name[0] != '.')
                look_at_file(look, folder,
                             mem_printf("%s/%s", path, entry->d_name), i == 1,
                             &keywords);
        }
        if (stream != NULL)
            closedir(stream);
        free(path);
    }
    maildir_keywords_deinit(&keywords);
}

static bool is_part(const char *name)
{
    for (size_t i = 0; i < MAILDIR_HALF_PARTS; i++) {
        if (strcmp(name, maildir_half_parts[i]) == 0)
            return true;
    }
    return false;
}

/* A directory that may be a folder, and those below it. @path  from the root */
static void look_below(const struct maildir_half *self, struct look *look,
                       const char *path)
{
    char *dir = mem_printf("%s/%s", self->root, path);
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    struct buf name;

    buf_init(&name, 0);
    if (maildir_path_decode(self->account.layout, bytes_of(path), &name) &&
        maildir_half_has(dir, "cur"))
        look_at_folder(look, dir, buf_text(&name));
    buf_deinit(&name);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char *below;

        if (entry->d_type != DT_DIR || is_part(entry->d_name) ||
            strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        below = strcmp(path, ".") == 0
                    ? mem_copy(entry->d_name)
                    : mem_printf("%s/%s", path, entry->d_name);
        look_below(self, look, below);
        free(below);
    }
    if (stream != NULL)
        closedir(stream);
    free(dir);
}

void maildir_half_look(struct half *half, struct look *look)
{
    disk_others_begin();
    look_below((const struct maildir_half *)half, look, ".");
    disk_others_end();
}
