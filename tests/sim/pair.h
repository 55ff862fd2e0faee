/*
 * A pair of which one side is a mailbox in memory (model.h) and the other a real
 * Maildir on the model disk (disk.h), with the real state beside it: whole runs
 * on one scheduler, users' changes on both sides of which is known what must
 * come of them, and a look at both sides.
 */
#ifndef TESTS_SIM_PAIR_H
#define TESTS_SIM_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/maildir_endpoint.h"
#include "sync/run.h"
#include "tests/sim/disk.h"
#include "tests/sim/model.h"

#define PAIR_MAILS   96u
#define PAIR_FOLDERS 6u

/* Folders that may be there; 0 is the INBOX. */
extern const char *const pair_folders[PAIR_FOLDERS];

struct pair_mail {
    char *text;                    /* with CRLF */
    unsigned wanted[PAIR_FOLDERS]; /* after the runs, on both sides */
    bool has_flags;                /* it is known which */
    uint32_t flags;
    bool used; /* a user changed it since the last run */
};

/* Where messages are: by folder, and all together. */
struct pair_look {
    unsigned n[PAIR_MAILS][PAIR_FOLDERS];
    uint32_t flags[PAIR_MAILS][PAIR_FOLDERS]; /* the sum of all copies' */
    unsigned all[PAIR_MAILS];
    unsigned
        strange; /* files or messages that are none of ours, or not whole */
    char stranger[300];
};

struct pair {
    struct sim sim;
    struct model model;
    enum side model_side;
    enum maildir_layout layout;
    struct policy policy;
    char root[64];
    char *mail_path;
    char *state_path;
    struct pair_mail mails[PAIR_MAILS];
    unsigned n_mails;
    unsigned n_names; /* of files that users made */
    bool folder_wanted[PAIR_FOLDERS];
    /* of the latest run */
    struct run_result result;
    int code; /* what it ended with */
    bool over;
    bool hung;
    unsigned n_aside; /* states moved aside, since pair_load() */
};

/* For pair_diskwork.c: the scheduler that is passed for a loop. */
struct sim *pair_sim(struct uv_loop_s *loop);

void pair_init(struct pair *pair, uint32_t seed);
void pair_deinit(struct pair *pair);

/* One run. Returns what it ended with, 0 or an enum err_code. */
int pair_run(struct pair *pair);
/* Did the latest run change anything? */
bool pair_was_idle(const struct pair *pair);

/* A user's change on either side: a new message, flags, a deletion, a move, a
 * copy, of messages that nobody changed since the last run. */
void pair_user(struct pair *pair, bool on_disk);
/* Both sides hold the same new message. */
void pair_user_both(struct pair *pair);
/* A new folder with mail, or an old one renamed. */
void pair_user_folder(struct pair *pair, bool on_disk);
void pair_users_done(struct pair *pair);

/* A message that comes to the INBOX on disk by a program that makes its data
 * durable, but not its name: a power cut may take it, until somebody else has
 * made it durable. Make it once, deliver it as often as wanted; settle it once
 * it is clear whether it ever was. */
unsigned pair_late_make(struct pair *pair);
void pair_late_deliver(struct pair *pair, unsigned mail);
void pair_late_settle(struct pair *pair, unsigned mail);

void pair_look(struct pair *pair, bool on_disk, struct pair_look *look);

/* All of both sides and of the state. */
struct pair_image;
struct pair_image *pair_save(struct pair *pair);
void pair_load(struct pair *pair, const struct pair_image *image);
void pair_image_free(struct pair_image *image);

/* What went wrong, in messages. */
struct pair_evil {
    unsigned lost;
    unsigned doubled;
    unsigned resurrected;
    unsigned other;
    char what[400]; /* the first of them */
};

/* Right after a fault: what nobody deleted is still on the side where it was,
 * whole; @before: of the server, and of the disk. */
void pair_check_now(struct pair *pair, const struct pair_look before[2],
                    struct pair_evil *evil);
/* After the runs: both sides are as they should be. @revived: what users
 * deleted may be back, as the state was lost. */
void pair_check_end(struct pair *pair, bool revived, struct pair_evil *evil);

#endif
