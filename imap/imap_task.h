/*
 * One request in work. A task waits in the pool's queue until a connection
 * is given to it, writes commands there, and consumes what the server answers;
 * each kind is a file of its own (imap_list.c, imap_delta.c, ...).
 *
 * Life: imap_task_init() by its constructor, imap_pool_submit(), start(),
 * event() any number of times, imap_task_finish(). The pool then calls the
 * request's done() and frees the task. Where the connection is lost, or the
 * server is busy, a task that can goes back to the queue: again(), start().
 */
#ifndef IMAP_IMAP_TASK_H
#define IMAP_IMAP_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "imap/patience.h"
#include "imap/session.h"

struct imap_link;
struct imap_pool;
struct imap_task;

/* What may share a connection. Reads and adds never do: the server would stop
 * reading our message while it waits for us to read its own. */
enum imap_role {
    IMAP_ALONE,  /* has its connection to itself */
    IMAP_VISITS, /* others that visit this or another folder may follow closely,
                    so that many folders cost one round trip */
    IMAP_READS,  /* others that read may follow closely, as many as there can be
                    where all of them are light */
    IMAP_NAMES,  /* creates or subscribes a folder; others that do may follow
                    closely */
    IMAP_ADDS    /* others that add may follow closely, as many as there can be
                    where all of them are light */
};

/* Steps of a task number its commands; those of a kind start here. */
enum { IMAP_STEP_LOST, IMAP_STEP_SELECT, IMAP_STEP_OWN };

struct imap_task_class {
    enum imap_role role;
    size_t size; /* of the struct that begins with struct imap_task */
    /* A connection is there, as task->link. */
    void (*start)(struct imap_task *task);
    /**
     * Something came that concerns the task: the end of one of its commands
     * (SESSION_TAGGED), or untagged data while its command is the oldest that
     * was not answered.
     *
     * @step  of that command
     */
    void (*event)(struct imap_task *task, int step,
                  const struct session_event *event);
    /* Does it wait for the FETCH response that begins with this SESSION_BODY,
     * or has no body and is this SESSION_FETCH? Needed for IMAP_READS. */
    bool (*wants)(const struct imap_task *task,
                  const struct session_event *event);
    /* Octets of a listing that is to be made, as far as that is known before
     * start(); 0: few. May be NULL. */
    uint64_t (*expects)(struct imap_task *task);
    /* The connection takes more output; may be NULL. */
    void (*drained)(struct imap_task *task);
    /* The next turn of the loop, after imap_task_nudge(); may be NULL. */
    void (*nudged)(struct imap_task *task);
    /**
     * Can it be started anew, as if nothing had been asked yet? If so, it is
     * made ready for start(), and keeps what it has told its owner. NULL: no.
     *
     * @step  of the command that was answered with "not now"; or
     *        IMAP_STEP_LOST, with commands that will never be answered
     */
    bool (*again)(struct imap_task *task, int step);
    /**
     * The task is to end because its connection did, or because the endpoint
     * is closed; may be NULL.
     *
     * @result  ERR_RETRY where the account goes on with another connection;
     *          else ERR_CONNECT, ERR_CANCELLED and the like
     *
     * Returns what the request is to end with: @result, or what is nearer to
     * the truth.
     */
    int (*lost)(struct imap_task *task, int result, const struct err *err);
    /* Free what it holds, but not the struct; may be NULL. */
    void (*deinit)(struct imap_task *task);
};

struct imap_task {
    const struct imap_task_class *class;
    struct imap_pool *pool;
    struct request *request;
    const struct folder_ref *folder; /* to be selected; NULL: none */
    uint32_t uid_max;                /* largest UID it will name; 0: none */
    struct imap_link *link;          /* NULL: waits for one, or is over */
    struct imap_task *next;          /* in the queue, or among those over */
    size_t outstanding;              /* commands not answered yet */
    uint32_t uidvalidity;     /* of the folder, once it was selected; else 0 */
    struct patience patience; /* with a server that is busy */
    uint64_t resume_ms;       /* not to be started before; see imap_pool.h */
    bool waits;               /* not to be started yet */
    bool sent;   /* it has nothing more to write: another may follow */
    bool ending; /* IMAP_READS: and nothing but the end of its last answer is
                    to come: even in the same folder */
    bool alone;  /* it follows none, and none may follow: it had more to write
                    once, or needs that */
    bool light;  /* IMAP_READS, IMAP_ADDS: so little that it may follow others
                    of its role, and be followed, into another folder */
    bool lone;   /* IMAP_READS, IMAP_ADDS: of one message */
    bool mixed;  /* others fetched in the same folder at once */
    bool paused; /* its reader wants no data now */
    bool nudge;  /* nudged() is due */
    bool over;   /* finished */
};

/* A task of @class, zeroed but for its head. */
struct imap_task *imap_task_new(struct imap_pool *pool,
                                const struct imap_task_class *class,
                                struct request *request);

/* End it: commands that are still unanswered become nobody's. @err may be
 * NULL where @result is 0. */
void imap_task_finish(struct imap_task *task, int result,
                      const struct err *err);

/* Have nudged() called soon, from the loop. */
void imap_task_nudge(struct imap_task *task);

/* Begin a command. Write the rest with session_add() and friends, then call
 * imap_task_end(). */
struct session *imap_task_begin(struct imap_task *task, int step);
void imap_task_end(struct imap_task *task);

/* There is nothing more to write, most likely: others may follow, if its role
 * allows that. */
void imap_task_sent(struct imap_task *task);

/* There is, after all. Returns true where that can be; else another folder may
 * have been selected by now, so the task goes back to the queue, to be started
 * with none behind it. */
bool imap_task_goes_on(struct imap_task *task);

/* A whole command in one call. */
void imap_task_send(struct imap_task *task, int step, const char *command);

/* A whole command about a folder by its name on the wire: @verb, name, @rest. */
void imap_task_send_name(struct imap_task *task, int step, const char *verb,
                         const struct buf *wire, const char *rest);
void imap_task_send_rename(struct imap_task *task, int step,
                           const struct buf *wire, const struct buf *new_wire);

/**
 * Begin a command about as many UIDs of @set as fit a command line. Write the
 * rest, and call imap_task_end().
 *
 * @from    in and out as in uidset_print()
 * @behind  more octets than a few that the rest has
 */
struct session *imap_task_begin_set(struct imap_task *task, int step,
                                    const char *verb, const struct uidset *set,
                                    size_t *from, size_t behind);

/* The same with its @rest in one call. */
void imap_task_send_set(struct imap_task *task, int step, const char *verb,
                        const struct uidset *set, size_t *from,
                        const char *rest);

/* Commands in flight at once: the server answers one after the other, and
 * nobody gains by a longer queue. */
#define IMAP_WINDOW 16u

/* Select the task's folder where it is not, or where task->uid_max may be
 * newer than what the connection knows of it. Returns false where the task is
 * over because the folder can have no name there. */
bool imap_task_select(struct imap_task *task);

/* Did the folder, selected for this task, turn out to be the one that is
 * meant? Returns 0, ERR_GONE where it is another one or none, or why SELECT
 * was refused. */
int imap_task_selected(struct imap_task *task,
                       const struct session_event *event, struct err *err);

/* What a tagged answer means; see verdict.h. Returns 0 for OK; ERR_GONE where
 * the folder is not there; ERR_BUSY for NO for now, ERR_FULL for one over quota,
 * ERR_REFUSED for other NO and BAD, with the server's words behind "@what
 * refused: ". */
int imap_task_answer(const struct session_reply *reply, const char *what,
                     struct err *err);

/* The kinds. */
struct imap_task *imap_list_new(struct imap_pool *pool,
                                struct list_request *request);
struct imap_task *imap_delta_new(struct imap_pool *pool,
                                 struct delta_request *request);
struct imap_task *imap_identify_new(struct imap_pool *pool,
                                    struct identify_request *request);
struct imap_task *imap_read_new(struct imap_pool *pool,
                                struct read_request *request);
struct imap_task *imap_flag_new(struct imap_pool *pool,
                                struct flag_request *request);
struct imap_task *imap_remove_new(struct imap_pool *pool,
                                  struct remove_request *request);
struct imap_task *imap_place_new(struct imap_pool *pool,
                                 struct place_request *request);
struct imap_task *imap_folder_new(struct imap_pool *pool,
                                  struct folder_request *request);
struct imap_task *imap_folder_delete_new(struct imap_pool *pool,
                                         struct folder_request *request);

/* Messages to add; @task waits from its first message on. See base/endpoint.h
 * for the four that follow. */
struct imap_task *imap_add_new(struct imap_pool *pool,
                               struct add_request *request);
void imap_add_message(struct imap_task *task, const struct message_meta *meta);
bool imap_add_data(struct imap_task *task, struct bytes data);
void imap_add_close(struct imap_task *task);
void imap_add_abort(struct imap_task *task);

#endif
