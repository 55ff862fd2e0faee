/*
 * A mailbox in memory behind base/endpoint.h, on a seeded scheduler: for tests
 * of the whole run without a network. Everything that an endpoint may do late
 * is a task; the scheduler takes the next one at random, so that one seed is
 * one order of events, and another seed another.
 */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

struct sim_task {
    void (*run)(void *owner);
    void *owner;
};

struct sim {
    uint32_t seed;
    struct sim_task *tasks;
    size_t n_tasks;
    size_t tasks_cap;
    uint64_t steps;
};

void sim_init(struct sim *sim, uint32_t seed);
void sim_deinit(struct sim *sim);
uint32_t sim_random(struct sim *sim, uint32_t below);
/* Run @run(@owner) at some time. */
void sim_later(struct sim *sim, void (*run)(void *), void *owner);
/* Run tasks until *@over or nothing is left. */
void sim_run(struct sim *sim, const bool *over);
/* Run one; false where nothing is left. */
bool sim_step(struct sim *sim);

struct model_mail {
    uint32_t uid;
    struct flags flags;
    uint64_t modseq;
    int64_t date;
    char *content; /* NUL-terminated */
    bool told;     /* its size was listed once */
};

struct model_folder {
    char *name;
    uint32_t uidvalidity;
    uint32_t uidnext;
    uint64_t modseq; /* the highest */
    bool subscribed; /* RENAME loses it */
    struct model_mail *mail;
    size_t n_mail;
    size_t mail_cap;

    struct {
        uint32_t uid;
        uint64_t modseq;
    } * expunged; /* since ever */

    size_t n_expunged;
    size_t expunged_cap;
};

enum model_tier { MODEL_FULL, MODEL_CHANGES };

struct model {
    struct endpoint endpoint; /* first */
    struct sim *sim;
    enum model_tier tier;
    bool no_uids;        /* no UIDPLUS: added() tells no UID */
    bool tells_once;     /* sizes are listed once, and in full listings */
    bool has_headers;    /* contents are real messages, with CRLF line ends:
                            identities are those that other endpoints give */
    uint32_t drops;      /* flags that it takes with OK, and does not store */
    bool folds_case;     /* names that differ by case are one folder */
    const char *refuses; /* content that is refused for good, or NULL */
    const char *loses;   /* content that is gone as soon as it was added... */
    unsigned n_loses;    /* ...so many times */
    bool keeps_one;      /* of equal messages that are added: the first */
    const char *poison;  /* content that costs the connection, or NULL */
    bool poison_unsure;  /* and nobody knows whether it arrived */
    const char *keeps;   /* a folder that it does not rename, or NULL */
    bool keeps_flagged;  /* what it is to remove is only flagged \Deleted */
    uint32_t room;       /* messages that it has room for; 0: any number */
    uint32_t cut_after;  /* changes until the connection is lost; 0: never */
    bool lose_answer;    /* the last change before the cut is made */
    bool is_cut;
    bool on_its_way; /* as its owner said when this run opened it */
    /* One of so many changes and reads breaks off with the connection, which is
     * made again at once: done, not done, or done a little later. 0: none. */
    uint32_t shaky;
    uint32_t n_late; /* changes still to come */
    uint32_t n_shaken;
    struct model_folder **folders;
    size_t n_folders;
    size_t folders_cap;
    uint32_t n_opened;     /* folders listed by delta, in this run */
    uint32_t n_changes;    /* of any kind, in this run */
    uint32_t n_placed;     /* messages moved within this side, in this run */
    uint32_t n_identified; /* messages whose identity was asked, in this run */
    uint32_t n_read;       /* messages whose octets were read, in this run */
    const char *hides;     /* a folder that is there, and not listed; or NULL */
    const char *untold;    /* one that is listed, and nothing told of it */
    bool has_objects;      /* its list tells what stays with each folder */
    const char *mute;      /* one whose identities are not told; or NULL */
    bool doubtful;         /* its folder list has holes */
    bool closing;
    void *busy; /* requests under way: a list */
    struct close_request *close;
};

void model_init(struct model *model, struct sim *sim, const char *name);
void model_deinit(struct model *model);
/* Before each run: connected again, counters at zero. */
void model_reconnect(struct model *model);

struct model_folder *model_folder(struct model *model, const char *name);
struct model_folder *model_make(struct model *model, const char *name);
struct model_mail *model_deliver(struct model *model, const char *folder,
                                 const char *content, uint32_t system);
/* With all that is in it. */
void model_remove(struct model *model, const char *name);
/* With its children. */
void model_rename(struct model *model, const char *name, const char *new_name);
struct model_mail *model_find(struct model_folder *folder, uint32_t uid);
void model_flag(struct model_folder *folder, struct model_mail *mail,
                uint32_t system);
void model_expunge(struct model_folder *folder, uint32_t uid);
size_t model_count(struct model *model, const char *folder,
                   const char *content);

#endif
