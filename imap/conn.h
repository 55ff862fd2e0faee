/*
 * One connection: pumps bytes between a libuv socket, TLS and a session. With
 * dial.h and the endpoint's timers all of imap/ that knows libuv.
 */
#ifndef IMAP_CONN_H
#define IMAP_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "base/log.h"
#include "imap/account.h"
#include "imap/gauge.h"
#include "imap/session.h"
#include "imap/tls.h"
#include "imap/verdict.h"

/* What the connections of one account share; all of it lives until the last of
 * them has called ended(), the loop until it has closed their handles. */
struct conn_shared {
    uv_loop_t *loop;
    const struct imap_account *account;
    struct tls_context *tls; /* of tls_context_new() for this account; may be
                                NULL for TLS_NONE */
    struct keywords *keywords;
    const struct log *log;
    struct wire *wire;   /* counted up */
    struct gauge *gauge; /* fed */
};

struct conn;

/*
 * From inside these the connection may be written to, flushed, paused and
 * closed, and other connections may be opened.
 */
struct conn_callbacks {
    /* Each event of the session, SESSION_READY first. */
    void (*event)(void *owner, const struct session_event *event);
    /* The queue fell below CONN_QUEUE_MARK: more may be written. */
    void (*drained)(void *owner);
    /* The connection is over; called once, and last: @conn must not be used
     * any more, and frees itself once libuv has let go of it. @result is
     * ERR_ something; ERR_CANCELLED after conn_close(). */
    void (*ended)(void *owner, int result, const struct err *err);
    void *owner;
};

/* Output is no longer welcome from here on: see drained(). */
#define CONN_QUEUE_MARK ((size_t)256 << 10)

/* Begin to connect: TCP, TLS, login. @shared is copied, what it points to is
 * not. Never calls back from inside, nor does any other function here. There
 * is no conn_free(): see ended(). */
struct conn *conn_open(const struct conn_shared *shared,
                       const struct conn_callbacks *callbacks);

/* To write commands to, from SESSION_READY on; call conn_flush() behind them.
 */
struct session *conn_session(struct conn *conn);

/* Send what the session has queued: at the end of this turn of the loop, all
 * that came together until then at once. */
void conn_flush(struct conn *conn);

/* @tag is that of COMPRESS DEFLATE, the last command and the only one that is
 * not answered yet: from its OK on all that goes either way is compressed.
 * Nothing may be written before. */
void conn_compress(struct conn *conn, uint32_t tag);

/* Bytes queued and not yet taken by the kernel. */
size_t conn_queued(const struct conn *conn);

/* Answers are due (true): idle_ms without a byte in either direction end
 * the connection; or not (false): the same while there is output that the server
 * does not take. Time in which reading is paused does not count. */
void conn_expect(struct conn *conn, bool answers_due);

/* Stop (true) reading from the server: no event comes until it goes on
 * (false), not even those that had arrived. Output goes on. */
void conn_pause(struct conn *conn, bool pause);

/* What the server meant by BYE or by refusing the login; to be asked within
 * ended(). VERDICT_OK where it did neither. */
struct verdict conn_farewell(const struct conn *conn);

/* Did it end because the server cannot compress after all? To be asked within
 * ended(). */
bool conn_was_garbled(const struct conn *conn);

/* Take it for lost, because of @why: ended() follows with @code, and no other
 * callback. Only from within event(). */
void conn_drop(struct conn *conn, enum err_code code, const char *why);

/* End it: ended() follows, and no other callback. Where @polite, LOGOUT is said
 * without waiting for the answer; only between commands, never inside a
 * literal. */
void conn_close(struct conn *conn, bool polite);

#endif
