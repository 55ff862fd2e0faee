/*
 * A model IMAP server that speaks real bytes over net.h: mailboxes in memory,
 * any number of sessions, tiers of what it can do, faults, and a user who
 * changes things behind the sessions' back. What a client does to it is told to
 * whoever watches.
 *
 * Each change is made at one instant, the commit: what happens to the
 * connection before and after is another matter. A command that was received
 * whole may be carried out after its connection is gone.
 */
#ifndef TESTS_SIM_SERVER_H
#define TESTS_SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum server_tier {
    SERVER_RESYNC,    /* QRESYNC, and all that goes with it */
    SERVER_CONDSTORE, /* CONDSTORE */
    SERVER_PLAIN,     /* UIDPLUS, MOVE, LITERAL+ */
    SERVER_BARE,      /* nothing beyond RFC 3501 */
    SERVER_TIERS
};

struct server_mail {
    uint32_t uid;
    uint32_t flags;    /* FLAG_ bits of base/flags.h */
    uint32_t keywords; /* bits of server_keyword() */
    uint64_t modseq;
    int64_t date;
    uint32_t content;
};

struct server_box {
    char *name;
    uint32_t uidvalidity;
    uint32_t uidnext;
    uint64_t modseq; /* the highest */
    uint64_t id;     /* MAILBOXID */
    bool subscribed;
    bool dead; /* deleted; a session may still have it selected */
    struct server_mail *mail; /* in the order of UIDs */
    size_t n;
    size_t cap;

    struct server_expunged {
        uint32_t uid;
        uint64_t modseq;
    } * expunged;

    size_t n_expunged;
    size_t cap_expunged;
};

enum server_fault {
    FAULT_REFUSED,     /* NO, for good or for now */
    FAULT_FULL,        /* NO [OVERQUOTA] */
    FAULT_BYE,         /* in place of an answer */
    FAULT_LOST_BEFORE, /* cut before the change is made: it is not */
    FAULT_LOST_AFTER,  /* cut after it: no answer */
    FAULT_LATE,        /* the same, but it is made some time later */
    FAULT_USER,        /* somebody changes something between two commands */
    SERVER_FAULTS
};

#define SERVER_KEYWORDS 8u

struct server {
    enum server_tier tier;
    bool mailbox_ids; /* OBJECTID */
    bool told_caps;   /* capabilities in the greeting and after the login */
    uint16_t port;
    bool tell; /* print what is said */

    struct server_box **boxes;
    size_t n;
    size_t cap;
    struct server_box **dead;
    size_t n_dead;
    size_t cap_dead;
    uint32_t last_uidvalidity;
    uint64_t last_id;
    struct server_session *sessions;
    unsigned n_sessions; /* that there ever were */

    uint32_t fault[SERVER_FAULTS];   /* one command in so many; 0: never */
    uint64_t n_fault[SERVER_FAULTS]; /* that came */
    uint32_t late_ms;                /* a late change comes within that time */
    uint64_t n_changes;              /* commands that change something */

    /* Who watches; may be NULL. Not called for the user's changes. */
    struct server_watch {
        void *owner;
        void (*user)(void *owner); /* FAULT_USER: now */
        /* A client takes a message away, which is still there. */
        void (*removes)(void *owner, const struct server_box *box,
                        const struct server_mail *mail);
        /* One that came after a client was told that the mailbox is empty, and
         * before it deleted that: IMAP knows no way to rule this out. */
        void (*overruns)(void *owner, const struct server_box *box,
                         const struct server_mail *mail);
        /* A client adds one. */
        void (*adds)(void *owner, const struct server_box *box,
                     const struct server_mail *mail);
        /* What no client may do. */
        void (*wrong)(void *owner, const char *what);
        /* Some lines to a client, before they go: may be changed. Returns false
         * to end the connection behind them. */
        bool (*says)(void *owner, struct buf *lines);
    } watch;
};

/* An INBOX, no faults; listening at @port. server_deinit() after net_reset(). */
void server_init(struct server *server, uint16_t port, enum server_tier tier);
void server_deinit(struct server *server);

const char *server_keyword(uint32_t bit);

/* --- what its user does, and the model itself -------------------------------- */

struct server_box *server_box(const struct server *server, const char *name);
/* As CREATE, DELETE with all messages, RENAME with the children. Return false
 * where a server would refuse. */
struct server_box *server_make(struct server *server, const char *name);
bool server_remove(struct server *server, const char *name);
bool server_rename(struct server *server, const char *from, const char *to);

struct server_mail *server_find(const struct server_box *box, uint32_t uid);
struct server_mail *server_add(struct server_box *box, uint32_t content,
                               uint32_t flags, uint32_t keywords, int64_t date);
void server_expunge(struct server_box *box, uint32_t uid);
void server_set_flags(struct server_box *box, struct server_mail *mail,
                      uint32_t flags, uint32_t keywords);

/* The UIDs of all messages change, as UIDVALIDITY does. */
void server_renumber(struct server *server, struct server_box *box);

#endif
