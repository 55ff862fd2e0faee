/* What the files of the model server share. */
#ifndef TESTS_SIM_SERVER_INTERNAL_H
#define TESTS_SIM_SERVER_INTERNAL_H

#include "base/buf.h"
#include "base/flags.h"
#include "base/uidset.h"
#include "tests/sim/net.h"
#include "tests/sim/server.h"

/* A piece of a command. */
enum word_kind { WORD_ATOM, WORD_QUOTED, WORD_LITERAL, WORD_OPEN, WORD_CLOSE };

struct word {
    enum word_kind kind;
    struct bytes text; /* without quotes; in the command's own bytes */
};

#define WORDS_MAX 4096u

struct server_session {
    struct server_session *next;
    struct server *server;
    unsigned number;
    struct net_conn *conn; /* NULL: gone; its last words may still count */
    struct buf in;
    size_t scanned; /* of in: complete pieces of the command */
    bool asked;     /* "+" was sent for the literal at scanned */
    bool planned;   /* an event is under way to go on */
    bool over;      /* no command is read any more */
    bool logged_in;
    bool qresync;           /* enabled */
    bool busy;              /* inside a command */
    bool late;              /* gone, and to be carried out all the same */
    uint64_t empty_id;      /* of the mailbox that STATUS told empty last */
    struct server_box *box; /* selected */
    bool read_only;
    uint32_t *seen; /* its UIDs by sequence number, as the client knows them */
    size_t n_seen;
    size_t cap_seen;
    struct buf out;

    struct word *words; /* of the command at hand: tag, name, arguments */
    size_t n;
};

void server_listen(struct server *server);
void server_end_sessions(struct server *server);

/* Say a line, without its end. */
void server_say(struct server_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void server_say_bytes(struct server_session *session, struct bytes text);

/* The tagged answer: "OK done". */
void server_answer(struct server_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void server_wrong(struct server_session *session, const char *what);

/* Word @i in capitals is @text? False where there is none. */
bool server_word_is(const struct server_session *session, size_t i,
                    const char *text);
/* Word @i as a C string; free() it. "" where there is none. */
char *server_word(const struct server_session *session, size_t i);
/* INBOX in capitals. */
char *server_word_name(const struct server_session *session, size_t i);

bool server_can(const struct server *server, const char *capability);

/* A quoted name with all that goes before it. */
void server_print_name(struct buf *out, const char *name);
void server_print_flags(struct buf *out, const struct server_mail *mail);
void server_flush(struct server_session *session);

/* server_fetch.c. Each answers the command at hand. */
void server_select(struct server_session *session, bool read_only);
void server_unselect(struct server_session *session);
void server_fetch(struct server_session *session, size_t at);
void server_search(struct server_session *session, size_t at);
/* Tell what happened to the selected mailbox meanwhile. */
void server_show_changes(struct server_session *session);
/* The UIDs that word @i names, of those there are. */
void server_take_set(const struct server_session *session, size_t i,
                     struct uidset *set);

/* server_change.c */
void server_store(struct server_session *session, size_t at);
void server_do_expunge(struct server_session *session, bool by_uid);
void server_place(struct server_session *session, size_t at, bool move);
void server_append(struct server_session *session);
void server_close(struct server_session *session);

/* server_list.c */
void server_list(struct server_session *session);
void server_lsub(struct server_session *session);
void server_status(struct server_session *session);
void server_create(struct server_session *session);
void server_delete(struct server_session *session);
void server_do_rename(struct server_session *session);
void server_subscribe(struct server_session *session, bool subscribed);

#endif
