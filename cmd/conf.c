#include "cmd/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/conf_section.h"
#include "cmd/conf_value.h"
#include "cmd/suggest.h"

struct account *conf_account(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->n_accounts; i++) {
        if (strcmp(conf->accounts[i]->name, name) == 0) {
            return conf->accounts[i];
        }
    }
    return NULL;
}

struct pair *conf_pair(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->n_pairs; i++) {
        if (strcmp(conf->pairs[i]->name, name) == 0) {
            return conf->pairs[i];
        }
    }
    return NULL;
}

const struct inifile_entry *conf_section_entry(
    const struct inifile_section *section, const char *key)
{
    for (size_t i = 0; i < section->n_entries; i++) {
        if (strcmp(section->entries[i].key, key) == 0) {
            return &section->entries[i];
        }
    }
    return NULL;
}

int conf_section_unknown(const char *file, const struct inifile_entry *entry,
                         const char *const *names, size_t n, struct err *err)
{
    const char *near = suggest_of(entry->key, names, n);

    if (near != NULL) {
        return err_set(err, ERR_USAGE,
                       "%s:%u: %s: there is no such key: did you mean %s?",
                       file, entry->line, entry->key, near);
    }
    return err_set(err, ERR_USAGE,
                   "%s:%u: %s: there is no such key: see mailtwin.conf(5)",
                   file, entry->line, entry->key);
}

int conf_section_fault(struct err *err, const char *file,
                       const struct inifile_section *section,
                       const char *format, ...)
{
    struct err what;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what.text, sizeof(what.text), format, args);
    va_end(args);
    return err_set(err, ERR_USAGE, "%s:%u: %s %s: %s", file, section->line,
                   section->kind, section->name, what.text);
}

static int add_account(struct conf *conf, const struct inifile_section *section,
                       struct err *err)
{
    const struct account *twin = conf_account(conf, section->name);
    struct account *account = NULL;
    int r;

    if (twin != NULL) {
        return conf_section_fault(err, conf->file, section,
                                  "this name is taken in line %u: write "
                                  "another one",
                                  twin->line);
    }
    r = conf_account_read(conf->file, section, &account, err);
    if (r == 0) {
        conf->accounts[conf->n_accounts++] = account;
    }
    return r;
}

static int add_pair(struct conf *conf, const struct inifile_section *section,
                    struct err *err)
{
    const struct pair *twin = conf_pair(conf, section->name);
    struct pair *pair = NULL;
    int r;

    if (twin != NULL) {
        return conf_section_fault(err, conf->file, section,
                                  "this name is taken in line %u: write "
                                  "another one",
                                  twin->line);
    }
    r = conf_pair_read(conf, section, &pair, err);
    if (r == 0) {
        conf->pairs[conf->n_pairs++] = pair;
    }
    return r;
}

static int check_section(const struct conf *conf,
                         const struct inifile_section *section, struct err *err)
{
    static const char *const kinds[] = {"account", "pair"};
    size_t kind = 0;
    int r = conf_value_choice(section->kind, kinds, 2, &kind, err);

    if (r == 0) {
        r = conf_value_name(section->name, err);
    }
    if (r == 0) {
        return 0;
    }
    return err_wrap(err, r, "%s:%u: [%s]", conf->file, section->line,
                    section->kind);
}

static int read_sections(struct conf *conf, const struct inifile *ini,
                         struct err *err)
{
    int r = 0;

    conf->accounts = mem_new(ini->n_sections + 1, sizeof(struct account *));
    conf->pairs = mem_new(ini->n_sections + 1, sizeof(struct pair *));
    for (size_t i = 0; i < ini->n_sections && r == 0; i++) {
        r = check_section(conf, &ini->sections[i], err);
    }
    /* A pair may stand above its accounts. */
    for (size_t i = 0; i < ini->n_sections && r == 0; i++) {
        if (strcmp(ini->sections[i].kind, "account") == 0) {
            r = add_account(conf, &ini->sections[i], err);
        }
    }
    for (size_t i = 0; i < ini->n_sections && r == 0; i++) {
        if (strcmp(ini->sections[i].kind, "pair") == 0) {
            r = add_pair(conf, &ini->sections[i], err);
        }
    }
    return r;
}

/* All of @fd, at most one byte more than INIFILE_BYTES_MAX, into @text. */
static int read_all(int fd, const char *file, struct buf *text, struct err *err)
{
    while (buf_len(text) <= INIFILE_BYTES_MAX) {
        size_t room = INIFILE_BYTES_MAX + 1 - buf_len(text);
        size_t piece = room < 65536 ? room : 65536;
        ssize_t n = read(fd, buf_reserve(text, piece), piece);

        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(err, ERR_USAGE, errno, "%s", file);
        }
        buf_commit(text, (size_t)n);
    }
    return err_set(err, ERR_USAGE,
                   "%s: more than %u bytes: is this the right "
                   "file?",
                   file, INIFILE_BYTES_MAX);
}

/* The text of @file, and whether others than its owner may read it. */
static int read_file(const char *file, struct buf *text, bool *open_to_others,
                     struct err *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat about;
    int r;

    if (fd < 0 && errno == ENOENT) {
        return err_set(err, ERR_USAGE,
                       "%s: there is no configuration: write one (see "
                       "mailtwin.conf(5) and sample.conf), or name another "
                       "file with -c FILE",
                       file);
    }
    if (fd < 0) {
        return err_errno(err, ERR_USAGE, errno, "%s", file);
    }
    r = read_all(fd, file, text, err);
    *open_to_others = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
                      (about.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    close(fd);
    return r;
}

static void warn_of_passwords(const struct conf *conf, struct buf *warnings)
{
    for (size_t i = 0; i < conf->n_accounts; i++) {
        if (conf->accounts[i]->password != NULL) {
            buf_printf(warnings,
                       "%s: it holds a password, and others may read it: run "
                       "chmod 600 %s\n",
                       conf->file, conf->file);
            return;
        }
    }
}

/* Wipe what may hold passwords, then free it. */
static void drop_text(struct buf *text)
{
    if (text->ptr != NULL) {
        explicit_bzero(text->ptr, text->cap);
    }
    buf_deinit(text);
}

int conf_read(const char *file, struct bytes text, struct conf **out,
              struct err *err)
{
    struct conf *conf = MEM_NEW(struct conf);
    struct inifile *ini = NULL;
    int r;

    conf->file = mem_copy(file);
    r = inifile_parse(file, text, &ini, err);
    if (r == 0) {
        r = read_sections(conf, ini, err);
    }
    inifile_free(ini);
    if (r != 0) {
        conf_free(conf);
        return r;
    }
    *out = conf;
    return 0;
}

int conf_load(const char *file, struct conf **out, struct buf *warnings,
              struct err *err)
{
    bool open_to_others = false;
    struct buf text;
    int r;

    buf_init(&text, 0);
    /* At once, so that no copies stay behind where the buffer grows. */
    buf_reserve(&text, INIFILE_BYTES_MAX + 1);
    r = read_file(file, &text, &open_to_others, err);
    if (r == 0) {
        r = conf_read(file, buf_peek(&text), out, err);
    }
    if (r == 0 && open_to_others) {
        warn_of_passwords(*out, warnings);
    }
    drop_text(&text);
    return r;
}

void conf_free(struct conf *conf)
{
    if (conf == NULL) {
        return;
    }
    for (size_t i = 0; i < conf->n_accounts; i++) {
        conf_account_free(conf->accounts[i]);
    }
    for (size_t i = 0; i < conf->n_pairs; i++) {
        conf_pair_free(conf->pairs[i]);
    }
    free(conf->accounts);
    free(conf->pairs);
    free(conf->file);
    free(conf);
}
