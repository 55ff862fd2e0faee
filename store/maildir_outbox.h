/*
 * Messages on their way to disk: collected in memory, written into tmp by
 * workers, and committed by the group, whatever folder they belong to: while
 * one commit runs, the next group gathers.
 *
 *     COLLECTING -> QUEUED -> WRITING -> WRITTEN -> COMMITTING -> OVER
 *          ^                     |
 *          +--- large messages --+
 *
 * Knows nothing of requests: maildir_deliver.h.
 */
#ifndef STORE_MAILDIR_OUTBOX_H
#define STORE_MAILDIR_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "store/diskwork.h"
#include "store/maildir_commit.h"

struct maildir_outbox;

enum maildir_outbox_stage {
    OUTBOX_COLLECTING,
    OUTBOX_QUEUED,
    OUTBOX_WRITING,
    OUTBOX_WRITTEN,
    OUTBOX_COMMITTING,
    OUTBOX_OVER
};

struct maildir_message {
    struct maildir_commit_item item; /* first: a commit knows this only */
    struct maildir_message *next;    /* the owner's */
    enum maildir_outbox_stage stage;
    int64_t date;
    uint64_t expected; /* octets */
    uint64_t received;
    /* The outbox's own. */
    struct maildir_message *next_queued;
    bool dropped;       /* while on a worker */
    bool last_piece;    /* is in writing */
    struct buf filling; /* by maildir_outbox_add() */
    struct buf writing; /* by a worker */
};

/* @progress(@owner) is called, from the loop, whenever messages changed their
 * stage or memory became free. */
struct maildir_outbox *maildir_outbox_new(struct diskwork *diskwork,
                                          void (*progress)(void *owner),
                                          void *owner);

/* When no message is under way any more; NULL is fine. */
void maildir_outbox_free(struct maildir_outbox *outbox);

/* A message of @expected octets for @folder, which may be opened later. */
struct maildir_message *maildir_outbox_message(
    struct maildir_outbox *outbox, struct maildir_commit_folder *folder,
    uint64_t expected, int64_t date);

/* Free a message that is over. */
void maildir_outbox_message_free(struct maildir_outbox *outbox,
                                 struct maildir_message *message);

/* More octets, copied; what is more than expected is cut off. */
void maildir_outbox_add(struct maildir_outbox *outbox,
                        struct maildir_message *message, struct bytes data);

/* All octets are there? */
bool maildir_outbox_is_complete(const struct maildir_message *message);

/* The folder is open: have it written if it is worth it by now. */
void maildir_outbox_offer(struct maildir_outbox *outbox,
                          struct maildir_message *message);

/* Nobody wants the message any more: it ends with @r; or, where a worker has
 * it, as cancelled once it comes back; or, where it is being committed, not at
 * all. */
void maildir_outbox_drop(struct maildir_outbox *outbox,
                         struct maildir_message *message, int r,
                         const struct err *err);

/* Put idle workers to work. @hurry: commit what is written, somebody waits for
 * it; else when enough has gathered. */
void maildir_outbox_start(struct maildir_outbox *outbox, bool hurry);

/* Octets in memory, with what their messages take besides. */
size_t maildir_outbox_held(const struct maildir_outbox *outbox);

#endif
