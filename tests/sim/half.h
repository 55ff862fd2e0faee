/*
 * One side of a simulated world, as its user sees it: folders and messages, to
 * be changed and to be counted, whatever kind of store they are in.
 */
#ifndef TESTS_SIM_HALF_H
#define TESTS_SIM_HALF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "store/maildir_endpoint.h"
#include "store/state.h"
#include "tests/sim/server.h"

/* One message as it is found. */
struct look_mail {
    size_t folder; /* in half_look.folders */
    uint32_t content;
    uint32_t flags;
    uint32_t keywords;
    int64_t date;
    uint32_t uid; /* of a server */
    char *file;   /* of a Maildir: its path */
};

struct look {
    char **folders;
    size_t n_folders;
    struct look_mail *mail;
    size_t n_mail;
    size_t cap_folders;
    size_t cap_mail;
    bool torn; /* a message that is nobody's, or not whole */
};

struct half;

struct half_class {
    void (*look)(struct half *half, struct look *look);
    void (*deliver)(struct half *half, const char *folder,
                    const struct look_mail *mail);
    void (*take)(struct half *half, const char *folder,
                 const struct look_mail *mail);
    /* NULL: by deliver and take. */
    void (*move)(struct half *half, const struct look_mail *mail,
                 const char *to);
    void (*flag)(struct half *half, const char *folder,
                 const struct look_mail *mail, uint32_t flags,
                 uint32_t keywords);
    /* False where it cannot be done. */
    bool (*make)(struct half *half, const char *folder);
    bool (*remove)(struct half *half, const char *folder);
    bool (*rename)(struct half *half, const char *from, const char *to);
    /* UIDVALIDITY changes; NULL where there is none. */
    void (*renumber)(struct half *half, const char *folder);
    struct endpoint *(*endpoint)(struct half *half, struct state *state,
                                 enum side which, const struct log *log);
    /* What the run changed, counted from some time on: commands, or calls. */
    uint64_t (*changes)(const struct half *half);
    void (*free)(struct half *half);
};

struct half {
    const struct half_class *class;
    const char *identity; /* for the state */
};

/* A model server behind @port, told of what happens to it; one connection to
 * @connections of them. */
struct half *half_server_new(uint16_t port, enum server_tier tier);
/* NULL for a Maildir. */
struct server *half_server(struct half *half);

/*
 * A Maildir at @root, an entry "mail" of the directory that disk.h watches, with
 * an INBOX. Some of its users' programs are careless: they make the data or the
 * name of what they deliver not durable (soft), and a power cut may take it.
 */
struct half *half_maildir_new(const char *root, enum maildir_layout layout);
bool half_maildir_is_soft(struct half *half, const char *path);
/* Has a run been there? */
bool half_maildir_is_marked(struct half *half);
/* After a power cut: files of careless programs that are not whole, or are in
 * tmp, go, and what is spoilt (disk.h). Or @stale: 36 hours have passed, and all
 * that is in tmp goes. */
void half_maildir_tidy(struct half *half, bool stale);
/* Which message is the file @path, as disk.h tells it? Its number into @mail, its
 * folder into @folder, to be freed where not NULL. False: none that is known. */
bool half_maildir_find(struct half *half, const char *path,
                       struct look_mail *mail, char **folder);

/* All that is there; look_free() it. */
void half_look(struct half *half, struct look *look);
void look_free(struct look *look);
/* Messages of that content; @folder  in that one, NULL: in all. */
uint32_t look_count(const struct look *look, uint32_t content,
                    const char *folder);

/* For classes: another folder and another message of @look. */
size_t look_folder(struct look *look, const char *name);
struct look_mail *look_mail_add(struct look *look, size_t folder);

#endif
