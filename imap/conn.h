/*
 * One connection: pumps bytes between a libuv socket, TLS and a session. The
 * only file of imap/ that knows libuv beside imap_endpoint.c's timers.
 */
#ifndef IMAP_CONN_H
#define IMAP_CONN_H

#include "base/endpoint.h"
#include "base/err.h"
#include "base/log.h"
#include "imap/session.h"

#include <uv.h>

#include <stdbool.h>
#include <stdint.h>

enum tls_mode { TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE };

/* How to reach an account. */
struct imap_account {
    const char *name; /* of the account, for messages */
    const char *host;
    uint16_t port;
    enum tls_mode tls;
    const char *tls_ca_file;     /* or NULL: the system's */
    const char *tls_fingerprint; /* "sha256:HEX", colons allowed, or NULL */
    const char *user;
    const char *password;
    enum session_auth auth;
    unsigned connections;     /* at most, 1 or more */
    unsigned connect_seconds; /* TCP, TLS and login together */
    unsigned idle_seconds;    /* silence while an answer is due */
};

struct conn;

struct conn_callbacks {
    /* Each event of the session, SESSION_READY first. */
    void (*event)(void *owner, const struct session_event *event);
    /* Output has drained below the mark: more may be queued. */
    void (*drained)(void *owner);
    /* The connection is over; called once, last but for conn_free(). @result is
     * ERR_ something; ERR_CANCELLED after conn_close(). */
    void (*ended)(void *owner, int result, const struct err *err);
    void *owner;
};

/* Begin to connect. @account and @wire live at least as long as the
 * connection; @wire is counted up. Never calls back from inside. */
struct conn *conn_open(uv_loop_t *loop, const struct imap_account *account,
                       struct keywords *keywords, const struct log *log,
                       struct wire *wire,
                       const struct conn_callbacks *callbacks);

/* To write commands to; call conn_flush() behind them. */
struct session *conn_session(struct conn *conn);

/* Send what the session has queued. */
void conn_flush(struct conn *conn);

/* Bytes queued and not yet taken by the kernel. */
size_t conn_queued(const struct conn *conn);

/* Answers are due (true): the idle timeout runs; or not (false). */
void conn_expect(struct conn *conn, bool answers_due);

/* Stop (true) or go on (false) reading from the server. */
void conn_pause(struct conn *conn, bool pause);

/* End it: says LOGOUT where @polite and possible, without waiting for the
 * answer. ended() follows. */
void conn_close(struct conn *conn, bool polite);

#endif
