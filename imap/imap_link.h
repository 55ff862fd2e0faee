/*
 * One connection of the pool: which folder it has selected, which commands
 * are unanswered and whose they are.
 */
#ifndef IMAP_IMAP_LINK_H
#define IMAP_IMAP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uidset.h"
#include "imap/conn.h"
#include "imap/imap_task.h"

/* The selected folder, as SELECT and what came after it said. */
struct imap_box {
    char *name; /* ours; NULL: none is selected */
    bool open;  /* SELECT was answered with OK */
    bool read_only;
    uint32_t uidvalidity;   /* 0: not said */
    uint32_t uidnext;       /* the same */
    uint64_t highestmodseq; /* 0: there are no mod-sequences */
    struct flags_storable storable;
    bool counted;      /* EXISTS came; some leave it out where there are none */
    uint32_t exists;   /* messages now */
    uint32_t before;   /* messages when SELECT was answered */
    uint32_t expunged; /* of all since then */
    struct uidset vanished; /* these are, if the server names them: QRESYNC */
};

/* A command that was not answered yet. */
struct imap_command {
    struct imap_command *next;
    struct imap_task *task; /* NULL: nobody waits for it */
    uint32_t tag;
    int step;
    char *selects;  /* our name of the folder; NULL: it is no SELECT */
    bool answering; /* what it selects is the link's box */
};

#define IMAP_LINK_TASKS_MAX 32u

struct imap_link {
    struct imap_link *next; /* of the pool */
    struct imap_pool *pool;
    struct conn *conn;
    unsigned setbacks;   /* that the pool had had when it was begun */
    bool ready;          /* logged in */
    bool used;           /* a task had it */
    bool closing;        /* conn_close() was called */
    bool enable;         /* ENABLE QRESYNC was sent */
    bool enabled;        /* and ENABLED came */
    bool qresync;        /* it is on, or was asked for and not yet refused */
    bool compress;       /* COMPRESS was sent, for good or for nothing */
    bool switching;      /* it was not answered yet: nothing may be written */
    bool writing;        /* the last command is not complete */
    bool awaits;         /* and goes on when "+" comes */
    bool doomed;         /* it never will be: see imap_link_doom() */
    struct imap_box box; /* which the answers that come now are about */
    char *ahead; /* the folder that will be selected when all is answered; ours;
                    NULL: none */
    struct imap_command *first; /* the oldest */
    struct imap_command *last;
    struct imap_task *tasks[IMAP_LINK_TASKS_MAX]; /* in order of their start */
    size_t n_tasks;
    struct imap_task *stream; /* whose FETCH is coming in, while it does */
};

/* Begin to connect. */
struct imap_link *imap_link_new(struct imap_pool *pool);

/* Logged in, and with nothing to do? */
bool imap_link_is_idle(const struct imap_link *link);

/* Is the task's folder selected, and nothing else on its way to be, and is it
 * as new as the task needs it? */
bool imap_link_has(const struct imap_link *link, const struct imap_task *task);

/* Give the connection to @task, behind those that it has. */
void imap_link_attach(struct imap_link *link, struct imap_task *task);

/* Take it back; its unanswered commands become nobody's. */
void imap_link_detach(struct imap_link *link, struct imap_task *task);

/* Begin and end a command; see imap_task_begin(). */
struct session *imap_link_begin(struct imap_link *link, struct imap_task *task,
                                int step);
void imap_link_end(struct imap_link *link);

/* The command being written waits for "+", or does so no more. */
void imap_link_await(struct imap_link *link, bool awaits);

/* Have QRESYNC switched on, unless it is. Only where nothing is selected. */
void imap_link_enable(struct imap_link *link);

/* Is it to be compressed before it gets more to do, or @task to do? See
 * imap_pool.h. */
bool imap_link_wants_compress(const struct imap_link *link,
                              struct imap_task *task);

/* Have it compressed. Only where it is idle; it is again when that is done, or
 * was refused. */
void imap_link_compress(struct imap_link *link);

/* Leave the selected folder, if there is one, and expunge nothing. */
void imap_link_unselect(struct imap_link *link);

/* Is an answer for @task due before those for others? */
bool imap_link_is_first(const struct imap_link *link,
                        const struct imap_task *task);

/* Was something sent behind the commands of @task? Then it can send no more:
 * another folder may be selected by then. */
bool imap_link_is_followed(const struct imap_link *link,
                           const struct imap_task *task);

/* Have no connection of the account sit in the folder @name, or below it: this
 * one leaves it, others that have nothing to do are closed. */
void imap_link_leave(struct imap_link *link, const char *name);

/**
 * Leave what is selected and select another folder, in one flight.
 *
 * @name        ours
 * @wire        the server's
 * @parameters  " (CONDSTORE)" and the like, or ""
 */
void imap_link_select(struct imap_link *link, struct imap_task *task,
                      const char *name, struct bytes wire,
                      const char *parameters);

/* Hold back what one of its tasks does not want now, or let it flow. */
void imap_link_pause(struct imap_link *link);

/* The literal being written cannot be completed, and there is no other way to
 * take it back: end the connection as soon as all other commands on it are
 * answered. */
void imap_link_doom(struct imap_link *link);

/* The command being written is over before it was complete: the server
 * answered in place of "+". */
void imap_link_forget(struct imap_link *link);

/* End it: LOGOUT where that is possible. */
void imap_link_close(struct imap_link *link);

#endif
