/* What the files of the session share: the struct behind session.h. */
#ifndef IMAP_SESSION_INTERNAL_H
#define IMAP_SESSION_INTERNAL_H

#include "base/buf.h"
#include "imap/framer.h"
#include "imap/reply.h"
#include "imap/sasl.h"
#include "imap/session.h"
#include "imap/verdict.h"

/*
 * Where the login stands.
 *
 *                          ┌── PREAUTH ──────────────────────────┐
 *   GREETING ─┬─ OK ─▶ (CAPS) ─▶ AUTH ─▶ (CAPS_AFTER) ─▶ READY ◀─┘
 *             │          ▲
 *             └ starttls │
 *               (CAPS_PLAIN) ─▶ STARTTLS ─▶ HANDSHAKE
 *
 * Those in parentheses are left out where the server has said without being
 * asked what it offers.
 */
enum session_stage {
    STAGE_GREETING,
    STAGE_CAPS_PLAIN, /* CAPABILITY sent, only to see STARTTLS in it */
    STAGE_STARTTLS,   /* STARTTLS sent */
    STAGE_HANDSHAKE,  /* SESSION_STARTTLS given out */
    STAGE_CAPS,       /* CAPABILITY sent */
    STAGE_AUTH,       /* AUTHENTICATE or LOGIN sent */
    STAGE_CAPS_AFTER, /* CAPABILITY sent once more */
    STAGE_READY
};

/* LOGIN with two literals goes out in three lines. */
#define LOGIN_LINES_MAX 3u

struct session_login {
    enum session_stage stage;
    bool secure;            /* TLS runs */
    struct binding binding; /* to TLS */
    struct sasl *sasl;      /* of AUTHENTICATE; NULL for LOGIN */
    bool at_once;           /* its first response went out with the command */
    bool asked;             /* the same in a line of its own */
    struct buf lines[LOGIN_LINES_MAX]; /* of LOGIN; all behind the first wait
                                          for a "+" */
    unsigned n_lines;
    unsigned sent;
    bool id_due;     /* ID goes out in front of the next command */
    uint32_t id_tag; /* of that, or 0 */
};

/* What session_next() does next. */
enum session_reading {
    READING_PIECE,       /* take a piece from the framer */
    READING_FETCH,       /* go on in the FETCH at hand */
    READING_STRING_DATA, /* a body that came as a quoted string */
    READING_STRING_END
};

/* A command that has no answer yet. */
struct session_pending {
    uint32_t tag;
    uint64_t at; /* its first byte's place in all the output */
};

struct session {
    struct session_options options;
    struct caps caps;
    const struct quirks *quirks; /* of what the server has shown so far */
    int failure; /* 0, or what session_next() returns for good */
    struct err err;

    /* In */
    struct framer framer;
    struct framer_piece piece;
    enum session_reading reading;
    bool in_fetch;   /* a FETCH response is not over */
    bool body_begun; /* it has given out a body */
    uint32_t junk_lines;
    struct reply reply;
    struct session_login login;
    struct verdict farewell; /* of BYE or a refused login */

    /* Out */
    struct buf out;
    uint64_t out_taken; /* bytes that left out so far */
    uint32_t last_tag;
    struct session_pending *pending; /* by rising tag */
    size_t n_pending;
    size_t pending_cap;
    struct buf shown; /* the command line being written, for the log */
    uint64_t octets;  /* of a literal, behind what is in shown */
};

/**
 * Take part in the login with one event of the server.
 *
 * @out  set to an event for the owner
 *
 * Returns 0 with @out; 1 where there is nothing to tell; or as session_next().
 */
int session_login_event(struct session *session,
                        const struct session_event *event,
                        struct session_event *out, struct err *err);

/* Tell the server who we are: the first command begins. */
void session_login_send_id(struct session *session);

/* Choose the way to log in and queue its command. Returns 0, or as
 * session_next(). */
int session_auth_begin(struct session *session, struct err *err);

/* "+": queue the next line; @challenge is what stands behind it. Returns the
 * same. */
int session_auth_continue(struct session *session, struct bytes challenge,
                          struct err *err);

/* Was all said without which an OK is not to be believed? */
bool session_auth_is_complete(const struct session *session);

/* Wipe and free what the login needed; once more is fine. */
void session_auth_deinit(struct session *session);

/* Overwrite @n bytes in a way that no compiler leaves out. */
void session_login_wipe(void *bytes, size_t n);

/* More of the command, which the log does not get to see. */
void session_command_secret(struct session *session, struct bytes text);

/* Is @tag of a command that was at least begun to be sent and has no answer? */
bool session_command_waits(const struct session *session, uint32_t tag);

/* The same; the answer is here: @tag is forgotten. */
bool session_command_answered(struct session *session, uint32_t tag);

/* Write text of the server, of us, to the log at LOG_WIRE. */
void session_log_in(const struct session *session, struct bytes text);
void session_log_body(const struct session *session, uint64_t size);
void session_log_out(struct session *session, struct bytes text);
void session_log_octets(struct session *session, size_t n);

#endif
