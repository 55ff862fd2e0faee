/*
 * The state of one pair on disk: what was in step at the end of the last run.
 * An LMDB environment in a directory of its own (docs/store-format.md).
 *
 * Reads see what was committed. Writes are queued in memory in the order they
 * are made and reach the disk together in state_commit(), or not at all. No
 * transaction stays open between two calls, and no pointer into the map leaves
 * this layer. Reads from other threads are allowed while none commits or
 * closes; pairs, and writes, are the main thread's. A read that may fail with
 * ERR_STATE may fail with ERR_DISK too.
 *
 * All that is here can be rebuilt: a state that is lost means matching by
 * identity, never a deletion.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "base/flags.h"
#include "base/log.h"

struct state;

struct state_open_options {
    const char *dir;             /* of this pair, made where it is missing */
    const char *pair;            /* its name */
    const char *identity[SIDES]; /* of the two endpoints, e.g.
                                    "imap:me@host:993" or "maildir:/path" */
    bool read_only; /* for status and plan: nothing is made or moved; a missing,
                       damaged or foreign state is an empty one in memory;
                       writes are dropped */
};

/**
 * Lock the pair and open its state.
 *
 * The whole file is checked, every page and every row. A damaged or foreign
 * state (other endpoints) is moved aside, its new name said in one LOG_NOTICE
 * line, and an empty one takes its place. A process may open a directory
 * once at a time.
 *
 * Returns 0; ERR_LOCKED where another run holds the pair (not asked with
 * read_only); ERR_STATE for a newer version or anything that cannot be used
 * or moved, ERR_DISK for no space or no permission.
 */
int state_open(const struct state_open_options *options, const struct log *log,
               struct state **out, struct err *err);

/* Drop what was not committed, close, unlock; NULL is fine. */
void state_close(struct state *state);

/* Did the last run end before its time (killed, or the disk failed)? Then what
 * it did elsewhere on disk is seen, but may not be durable. Also where nobody
 * knows. */
bool state_is_unfinished(const struct state *state);

/* This run is through, and all that it did is durable. */
void state_finish(struct state *state);

/* Had nothing ever been committed to it when it was opened? */
bool state_is_new(const struct state *state);

/* The keyword sets, loaded from the state and saved with it; borrowed. */
struct keywords *state_keywords(struct state *state);

/**
 * Write everything that was queued, durably, in one transaction.
 *
 * Returns 0, ERR_DISK (no space; nothing was written, the queue is kept) or
 * ERR_STATE.
 */
int state_commit(struct state *state, struct err *err);

/* How many commits there were: what was queued before the latest is on record.
 */
uint64_t state_commits(const struct state *state);

/* Bytes queued: a hint when to commit. */
size_t state_queued(const struct state *state);

/* Whoever wants to know before pairs, new or changed, go on record. */
struct state_witness {
    /* May queue meta rows. What is not 0 is the result of the commit, and
     * nothing is written. */
    int (*before)(void *owner, struct err *err);
    void *owner;
};

/* Have @witness called from state_commit(), for @side; NULL: no more. */
void state_set_witness(struct state *state, enum side side,
                       const struct state_witness *witness);

/* Queue the end of all folders and of all that is under their numbers. What is
 * not of folders stays. Returns 0 or ERR_STATE. */
int state_forget(struct state *state, struct err *err);

/* --- meta: short texts by name ------------------------------------------ */

/* A name has 1 to 500 bytes and does not begin with ".": those names are the
 * state's own. */

/* A copy of the value into *@out (free() it), NULL where there is none.
 * Returns 0 or ERR_STATE. */
int state_meta_get(struct state *state, const char *key, char **out,
                   struct err *err);

/* Queue a value; NULL deletes. */
void state_meta_put(struct state *state, const char *key, const char *value);

/* --- folders ------------------------------------------------------------- */

struct state_folder {
    uint32_t id;       /* 1 or more, never used twice */
    char *name[SIDES]; /* UTF-8 with "/"; where it does not exist, the name that
                          it would have there. People are told the left one. */
    bool follows[SIDES]; /* it is to be renamed there to what it is called on
                            the other side */
    /* As seen last; its uidvalidity is 0 where it was never seen. */
    struct folder_token token[SIDES];
    bool has_token[SIDES];     /* changes may be asked for since token */
    bool exists[SIDES];        /* seen there, or made there by us */
    bool has_subscribed;       /* subscribed is on record */
    bool subscribed;           /* as both sides agreed */
    bool has_shown[SIDES];     /* shown is on record */
    struct flags shown[SIDES]; /* that messages there were ever listed with */
    uint32_t pairs;        /* rows in pair, kept by the state; ignored by put */
    uint32_t gone[SIDES];  /* of them, those with gone[side]; ignored by put */
    uint32_t apart[SIDES]; /* rows in apart; ignored by put */
};

/* All folders, by left name; free with state_folders_free(). Returns 0 or
 * ERR_STATE. */
int state_folders(struct state *state, struct state_folder **out, size_t *n,
                  struct err *err);
void state_folders_free(struct state_folder *folders, size_t n);

/* The next free folder number; counts on by itself. */
uint32_t state_folder_new_id(struct state *state);

/* Queue a folder's row, new or changed; everything is copied. */
void state_folder_put(struct state *state, const struct state_folder *folder);

/* Queue the end of a folder: its row and all rows under its number. */
void state_folder_del(struct state *state, uint32_t folder);

/* --- pairs --------------------------------------------------------------- */

struct state_pair {
    uint32_t uid[SIDES];
    struct flags flags; /* agreed on both sides at the last commit */
    uint64_t size;      /* octets with CRLF line ends; 0: not known */
    int64_t date;       /* INTERNALDATE; 0 or less: not known, not kept */
    bool gone[SIDES];   /* known to be gone there, and kept on the other side
                           on purpose (deletes = keep, one-way) */
};

/* The pair that has @uid on @side. Returns 0 with *@out set, 1 where there is
 * none, or ERR_STATE. */
int state_pair_get(struct state *state, uint32_t folder, enum side side,
                   uint32_t uid, struct state_pair *out, struct err *err);

/**
 * Call @each for all pairs of a folder, in the order of @side's UIDs. It may
 * queue writes and read, but not commit.
 *
 * Returns 0, ERR_STATE, or the first non-zero value of @each, which ends it.
 */
int state_pair_each(struct state *state, uint32_t folder, enum side side,
                    int (*each)(void *owner, const struct state_pair *pair),
                    void *owner, struct err *err);

/* Queue a pair, new or changed. Another pair that either UID was in ends. */
void state_pair_put(struct state *state, uint32_t folder,
                    const struct state_pair *pair);

/* Queue the end of a pair whose messages are gone, and of the file rows of its
 * UIDs, unless the same commit leaves a UID in another pair or apart. Nothing
 * happens to a pair that took the place of this one. */
void state_pair_del(struct state *state, uint32_t folder,
                    const struct state_pair *pair);

/* The same of a pair of which a message may still be there: under the number
 * that it has, so the file rows stay. */
void state_pair_part(struct state *state, uint32_t folder,
                     const struct state_pair *pair);

/* --- apart: messages that stay on one side, and why ----------------------- */

enum apart_kind {
    APART_REFUSED,  /* the other side refused it for good */
    APART_FILTERED, /* the configuration leaves it where it is */
    APART_FOREIGN,  /* in the target of a one-way pair, by other hands */
    APART_MERGED,   /* the other side keeps one of equal messages, and has it */
    APART_KEPT,     /* gone on the other side, and kept here on purpose */
    APART_KINDS
};

struct state_apart {
    uint32_t folder;
    enum side side; /* where the message is */
    uint32_t uid;
    enum apart_kind kind;
    uint64_t size;
    uint64_t limit;   /* the other side's append_max when it was refused */
    char reason[200]; /* for people, the server's words */
};

/* As state_pair_get(). */
int state_apart_get(struct state *state, uint32_t folder, enum side side,
                    uint32_t uid, struct state_apart *out, struct err *err);

/* Call @each for all rows; @folder 0: of all folders. As state_pair_each(). */
int state_apart_each(struct state *state, uint32_t folder,
                     int (*each)(void *owner, const struct state_apart *apart),
                     void *owner, struct err *err);

void state_apart_put(struct state *state, const struct state_apart *apart);
void state_apart_del(struct state *state, uint32_t folder, enum side side,
                     uint32_t uid);

/* --- intents: what may have happened, though no answer came --------------- */

struct state_intent {
    uint64_t number; /* 0 for a new one; given by put */
    uint32_t folder;
    enum side side;      /* the target, where the message may be by now */
    uint32_t source_uid; /* on the other side */
    uint32_t target_uidvalidity;
    uint32_t target_uidnext; /* before: the new one, if any, is not below */
    uint64_t size;
    int64_t date;
};

/* Queue an intent; sets intent->number where it is 0. */
void state_intent_put(struct state *state, struct state_intent *intent);
void state_intent_del(struct state *state, uint64_t number);

/* All open intents in the order of their numbers. As state_pair_each(). */
int state_intent_each(struct state *state,
                      int (*each)(void *owner,
                                  const struct state_intent *intent),
                      void *owner, struct err *err);

/* --- files: the UIDs of a Maildir's files --------------------------------- */

/* The UID of the file with base name @name. Returns 0 with *@uid set, 1 where
 * it has none, or ERR_STATE. Any thread. */
int state_file_uid(struct state *state, enum side side, uint32_t folder,
                   struct bytes name, uint32_t *uid, struct err *err);

/* Where a walk goes on; it begins with a @next of 0. */
struct state_file_walk {
    enum side side;
    uint32_t folder;
    uint32_t next;
};

/* Call @each for the files of a folder in the order of their UIDs, @rows of them
 * or a few more; it does not write. Returns 1 where there may be others, 0 at
 * the end, or ERR_STATE. */
int state_file_walk(struct state *state, struct state_file_walk *walk,
                    size_t rows,
                    void (*each)(void *owner, uint32_t uid, struct bytes name),
                    void *owner, struct err *err);

/* The base name of the file with @uid into @out (as a C string too, by
 * buf_text()). Returns 0, 1 or ERR_STATE. Any thread. */
int state_file_name(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct buf *out, struct err *err);

/* The first UID that was never used nor queued: 1 where nothing was. 0 or
 * ERR_STATE, also where all are used up. */
int state_file_next_uid(struct state *state, enum side side, uint32_t folder,
                        uint32_t *uid, struct err *err);

/* Queue a file's number. Another name that the number had, and another number
 * that the name had, end. */
void state_file_put(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct bytes name);

/* Queue the end of a file's number; nothing happens where it has another name
 * by now. */
void state_file_del(struct state *state, enum side side, uint32_t folder,
                    uint32_t uid, struct bytes name);

#endif
