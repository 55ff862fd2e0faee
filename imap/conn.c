#include "imap/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/conn_internal.h"
#include "imap/worth.h"

#define KEEPALIVE_SECONDS 60

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;

    conn->n_handles--;
    if (conn->n_handles > 0)
        return;
    channel_deinit(&conn->channel);
    free(conn->tcp);
    free(conn);
}

/* The stream ended or broke; what came before is consumed. */
static int lost(struct conn *conn)
{
    const char *when =
        conn->phase == PHASE_TLS ? " during the TLS handshake" : "";
    int why =
        conn->end_status != UV_EOF ? conn->end_status : conn->write_status;

    if (why < 0) {
        return err_set(&conn->err, ERR_CONNECT, "connection lost%s: %s", when,
                       uv_strerror(why));
    }
    return err_set(&conn->err, ERR_CONNECT, "connection closed by the server%s",
                   when);
}

static int start_tls(struct conn *conn)
{
    conn->phase = PHASE_TLS;
    return channel_start_tls(&conn->channel, conn->shared.tls, &conn->err);
}

static void tls_stands(struct conn *conn)
{
    const struct tls *tls = conn->channel.tls;
    struct binding binding;

    tls_binding(tls, &binding);
    session_bind(conn->session, &binding);
    conn->shared.wire->round_trips++;
    conn->phase = PHASE_LOGIN;
    log_line(conn->shared.log, LOG_WIRE, "%s: %s%s", conn->label,
             tls_version(tls), tls_is_resumed(tls) ? ", resumed" : "");
    if (conn->shared.account->tls == TLS_STARTTLS)
        session_tls_started(conn->session);
}

/* Feed the session with what came. Returns 0; 1 where there is nothing;
 * negative at the end. */
static int receive(struct conn *conn)
{
    char *room = session_room(conn->session, CHANNEL_READ_BYTES);
    size_t n;
    int r =
        channel_read(&conn->channel, room, CHANNEL_READ_BYTES, &n, &conn->err);

    if (r < 0)
        return r;
    if (conn->phase == PHASE_TLS && conn->channel.is_open)
        tls_stands(conn);
    if (n > 0) {
        conn->shared.wire->received += n;
        conn->answered = true;
        session_fed(conn->session, n);
        return 0;
    }
    if (r == 1 && !conn->at_end) {
        conn->at_end = true;
        conn->end_status = UV_EOF;
    }
    return conn->at_end ? lost(conn) : 1;
}

/* Without what is WORTH_ENOUGH in so many times idle_ms, the server does not get
 * on. */
#define USELESS_IDLES 10u

/* Looked at so often in idle_ms. */
#define LOOKS 4u

/* The server has begun to compress behind its OK. */
static int start_deflate(struct conn *conn)
{
    conn->compress_tag = 0;
    if (session_output(conn->session).len > 0) {
        return err_set(&conn->err, ERR_PROTOCOL,
                       "COMPRESS answered before it was sent");
    }
    channel_start_deflate(&conn->channel, session_take_rest(conn->session));
    log_line(conn->shared.log, LOG_WIRE, "%s: compressed from here on",
             conn->label);
    return 0;
}

/* What is only said, again and again, or comes by single bytes, is no answer. */
static void note_use(struct conn *conn, const struct session_event *event)
{
    conn->worth += worth_of(event);
    if (conn->worth < WORTH_ENOUGH)
        return;
    conn->worth = 0;
    conn->useful_ms = uv_now(conn->shared.loop);
}

/* Returns 0, or negative where the connection is over because of it. */
static int take_event(struct conn *conn, const struct session_event *event)
{
    int r = 0;

    note_use(conn, event);
    switch (event->kind) {
    case SESSION_STARTTLS:
        /* Even the command itself may not have gone out, where the server
         * answers what was not asked. */
        if (conn_queued(conn) > 0) {
            return err_set(&conn->err, ERR_PROTOCOL,
                           "STARTTLS answered before it was sent");
        }
        return start_tls(conn);
    case SESSION_BYE:
        /* The server closes at once (RFC 9051 section 7.1.5); some say BYE
         * again and again instead. */
        r = err_set(&conn->err, ERR_CONNECT,
                    "connection closed by the server: %.*s",
                    (int)event->reply.text.len, event->reply.text.ptr);
        break;
    case SESSION_READY:
        conn->phase = PHASE_READY;
        conn_watch(conn);
        break;
    case SESSION_TAGGED:
        if (event->reply.tag == conn->compress_tag &&
            event->reply.status == IMAP_OK)
            r = start_deflate(conn);
        break;
    default:
        break;
    }
    conn->callbacks.event(conn->callbacks.owner, event);
    return r < 0 ? r : conn->result;
}

/* Everything that arrived, up to a pause. */
static int take_events(struct conn *conn)
{
    struct session_event event;

    while (!conn->paused && !conn->closing) {
        int r = session_next(conn->session, &event, &conn->err);

        if (r == 0) {
            r = take_event(conn, &event);
        } else if (r == 1) {
            r = receive(conn);
            if (r == 1)
                return 0;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* Pump in the next turn of the loop: never from inside a call of the owner. */
static void on_kick(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    conn_pump(idle->data);
}

static void kick(struct conn *conn)
{
    uv_idle_start(&conn->kick, on_kick);
}

/* Say once that the queue is short again. */
static void tell_drained(struct conn *conn)
{
    if (conn->above_mark && conn_queued(conn) < CONN_QUEUE_MARK) {
        conn->above_mark = false;
        conn->callbacks.drained(conn->callbacks.owner);
        kick(conn);
    }
}

/* The last words: LOGOUT, the alert that says what we dislike, the end of the
 * TLS stream. As much as the kernel takes at once. */
static void say_goodbye(struct conn *conn)
{
    uv_buf_t chunk;

    if (conn->tcp == NULL || conn->write_bytes > 0)
        return;
    if (conn->polite && conn->phase == PHASE_READY) {
        conn->answered = false; /* nothing is waited for */
        session_send(conn->session, "LOGOUT");
        conn_send(conn);
    }
    channel_close(&conn->channel);
    chunk = conn_next_chunk(conn);
    if (chunk.len > 0 && conn->write_bytes == 0 && conn->write_status == 0)
        uv_try_write(conn_stream(conn), &chunk, 1);
}

/* What the kernel still holds for a server that is silent must not reach it
 * later: by then another connection has asked what is there, and sent it again.
 */
static void close_socket(struct conn *conn)
{
    if (!conn->silent || uv_tcp_close_reset(conn->tcp, on_closed) < 0)
        uv_close((uv_handle_t *)conn->tcp, on_closed);
}

static void log_sums(const struct conn *conn)
{
    struct deflate_sums sums = deflate_sums(conn->channel.deflate);

    log_line(conn->shared.log, LOG_WIRE,
             "%s: compressed: %" PRIu64 " bytes sent as %" PRIu64 ", %" PRIu64
             " received as %" PRIu64,
             conn->label, sums.out_plain, sums.out_wire, sums.in_plain,
             sums.in_wire);
}

static void end(struct conn *conn)
{
    if (conn->closing)
        conn->result = err_set(&conn->err, ERR_CANCELLED, "connection closed");
    say_goodbye(conn);
    conn->phase = PHASE_OVER;
    if (conn->dial != NULL)
        dial_cancel(conn->dial);
    if (conn->channel.deflate != NULL)
        log_sums(conn);
    conn->farewell = session_farewell(conn->session);
    /* What the owner lent us is theirs again with ended(). */
    session_free(conn->session);
    conn->session = NULL;
    uv_close((uv_handle_t *)&conn->timer, on_closed);
    uv_close((uv_handle_t *)&conn->kick, on_closed);
    if (conn->tcp != NULL)
        close_socket(conn);
    conn->callbacks.ended(conn->callbacks.owner, conn->result, &conn->err);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = handle->data;

    (void)suggested;
    buf->base = channel_room(&conn->channel, &buf->len);
}

/* What comes first after a question into the quiet took a round trip, and the
 * time in which the server found an answer; what comes behind it is as fast as
 * the link. Once it is compressed, that is decided: and some servers send an
 * empty block unasked. */
static void measure(struct conn *conn, size_t n)
{
    struct gauge *gauge = conn->shared.gauge;
    uint64_t now_ns = uv_hrtime();

    if (conn->channel.deflate != NULL)
        return;
    if (conn->asked_ns > 0)
        gauge_trip(gauge, now_ns - conn->asked_ns);
    else if (conn->phase == PHASE_READY && conn->answered &&
             n >= GAUGE_READ_BYTES)
        gauge_move(&gauge->in, now_ns, n);
    conn->asked_ns = 0;
}

static void on_read(uv_stream_t *from, ssize_t n, const uv_buf_t *buf)
{
    struct conn *conn = from->data;

    (void)buf;
    if (n == 0) {
        return; /* libuv: nothing to read after all */
    }
    conn->active_ms = uv_now(conn->shared.loop);
    if (n < 0) {
        conn->at_end = true;
        conn->end_status = (int)n;
    } else {
        measure(conn, (size_t)n);
        channel_fed(&conn->channel, (size_t)n);
    }
    conn_pump(conn);
}

/* While it is paused, the kernel's buffer fills and holds the server back. */
static void update_reading(struct conn *conn)
{
    bool wanted = conn->tcp != NULL && !conn->paused && !conn->at_end;

    if (wanted)
        gauge_wait(&conn->shared.gauge->in, uv_hrtime());
    if (wanted == conn->reading)
        return;
    conn->reading = wanted;
    if (wanted) {
        uv_read_start(conn_stream(conn), on_alloc, on_read);
    } else {
        uv_read_stop(conn_stream(conn));
    }
}

/* The one place where a connection makes progress. Every on_*() ends here. */
void conn_pump(struct conn *conn)
{
    if (conn->phase == PHASE_OVER || conn->pumping)
        return;
    conn->pumping = true;
    if (conn->result == 0)
        conn->result = take_events(conn);
    if (conn->result == 0 && !conn->closing) {
        conn->above_mark |= conn_queued(conn) >= CONN_QUEUE_MARK;
        conn->result = conn_send(conn);
    }
    if (conn->result == 0 && !conn->closing)
        tell_drained(conn);
    conn->pumping = false;
    if (conn->result < 0 || conn->closing) {
        end(conn);
    } else {
        update_reading(conn);
    }
}

static int connect_timeout(struct conn *conn)
{
    static const char *const steps[] = {
        [PHASE_DIALING] = "TCP connection",
        [PHASE_TLS] = "TLS handshake",
        [PHASE_LOGIN] = "login",
    };
    const struct imap_account *account = conn->shared.account;

    return err_set(&conn->err, ERR_CONNECT,
                   "cannot connect to %s: %s not finished within %g s",
                   account->host, steps[conn->phase],
                   account->connect_ms / 1000.0);
}

/* Is the server to do something: to answer, or to take what is written? */
static bool is_due(const struct conn *conn)
{
    return conn->expecting || conn->write_bytes > 0;
}

/* One write may be under way for minutes; and of what the kernel has, on a slow
 * link, too much must go before it says that it takes more. What the server has
 * taken meanwhile is as good as an answer. */
static void note_taken(struct conn *conn, uint64_t now_ms)
{
    size_t untaken = conn_untaken(conn);

    if (untaken != conn->untaken)
        conn->active_ms = now_ms;
    if (untaken + WORTH_ENOUGH <= conn->untaken)
        conn->useful_ms = now_ms;
    conn->untaken = untaken;
}

static void on_timer(uv_timer_t *timer);

/* Look again when it may be over, or before: what is taken shows only then. */
static void look_again(struct conn *conn, uint64_t left_ms)
{
    uint64_t step_ms = conn->shared.account->idle_ms / LOOKS + 1;

    uv_timer_start(&conn->timer, on_timer,
                   left_ms < step_ms ? left_ms : step_ms, 0);
}

/* A byte in either direction put the end off, but not for ever; so did a pause,
 * in which not the server is silent but we are deaf. Some say that they are
 * still at it: that is believed for some time. */
static void on_timer(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    uint64_t now_ms = uv_now(conn->shared.loop);
    uint64_t idle_ms = conn->shared.account->idle_ms;
    uint64_t silent_ms;
    uint64_t useless_ms;

    if (conn->phase < PHASE_READY) {
        conn->result = connect_timeout(conn);
        conn_pump(conn);
        return;
    }
    if (!is_due(conn))
        return; /* begun anew when something is */
    note_taken(conn, now_ms);
    silent_ms = conn->paused ? 0 : now_ms - conn->active_ms;
    useless_ms = conn->paused ? 0 : now_ms - conn->useful_ms;
    if (silent_ms < idle_ms && useless_ms < USELESS_IDLES * idle_ms) {
        look_again(conn, idle_ms - silent_ms);
    } else {
        conn->silent = true;
        conn->result = err_set(
            &conn->err, ERR_CONNECT, "no answer from the server for %g s",
            (double)(silent_ms < idle_ms ? useless_ms : idle_ms) / 1000.0);
    }
    conn_pump(conn);
}

/* From PHASE_READY on the timer watches for silence, where anything is due. */
void conn_watch(struct conn *conn)
{
    conn->active_ms = uv_now(conn->shared.loop);
    conn->useful_ms = conn->active_ms;
    if (is_due(conn)) {
        look_again(conn, conn->shared.account->idle_ms);
    } else {
        uv_timer_stop(&conn->timer);
    }
}

static void on_dialed(void *owner, uv_tcp_t *tcp, int result,
                      const struct err *err)
{
    struct conn *conn = owner;
    struct wire *wire = conn->shared.wire;

    conn->dial = NULL;
    if (result < 0) {
        conn->result = result;
        conn->err = *err;
        conn_pump(conn);
        return;
    }
    conn->tcp = tcp;
    conn->tcp->data = conn;
    conn->n_handles++;
    uv_tcp_nodelay(tcp, 1);
    uv_tcp_keepalive(tcp, 1, KEEPALIVE_SECONDS);
    wire->connections++;
    wire->round_trips++;
    (void)snprintf(conn->label, sizeof(conn->label), "%s/%" PRIu32,
                   conn->shared.account->name, wire->connections);
    log_line(conn->shared.log, LOG_WIRE, "%s: connected to %s", conn->label,
             conn->shared.account->host);
    if (conn->shared.account->tls == TLS_IMPLICIT) {
        conn->result = start_tls(conn);
    } else {
        conn->phase = PHASE_LOGIN;
    }
    conn_pump(conn);
}

struct conn *conn_open(const struct conn_shared *shared,
                       const struct conn_callbacks *callbacks)
{
    const struct imap_account *account = shared->account;
    struct conn *conn = MEM_NEW(struct conn);

    conn->shared = *shared;
    conn->callbacks = *callbacks;
    (void)snprintf(conn->label, sizeof(conn->label), "%s", account->name);
    conn->session = imap_account_session(account, shared->keywords, shared->log,
                                         conn->label);
    channel_init(&conn->channel);
    /* libuv's clock stands still while its owner is busy. */
    uv_update_time(shared->loop);
    uv_timer_init(shared->loop, &conn->timer);
    uv_idle_init(shared->loop, &conn->kick);
    conn->timer.data = conn;
    conn->kick.data = conn;
    conn->n_handles = 2;
    uv_timer_start(&conn->timer, on_timer, account->connect_ms, 0);
    conn->dial =
        dial_start(shared->loop, account->host, account->port, on_dialed, conn);
    return conn;
}

struct session *conn_session(struct conn *conn)
{
    return conn->session;
}

/* The mark is looked at here and not only when the pump runs: a write that
 * completes in between shortens the queue, and whoever just saw it full waits
 * to be told so. */
void conn_flush(struct conn *conn)
{
    conn->above_mark |= conn_queued(conn) >= CONN_QUEUE_MARK;
    if (!conn->pumping)
        kick(conn);
}

void conn_compress(struct conn *conn, uint32_t tag)
{
    conn->compress_tag = tag;
}

size_t conn_queued(const struct conn *conn)
{
    return session_output(conn->session).len + channel_queued(&conn->channel);
}

void conn_expect(struct conn *conn, bool answers_due)
{
    if (conn->expecting == answers_due)
        return;
    conn->expecting = answers_due;
    if (conn->phase == PHASE_READY)
        conn_watch(conn);
}

void conn_pause(struct conn *conn, bool pause)
{
    conn->paused = pause;
    conn->active_ms = uv_now(conn->shared.loop);
    conn->useful_ms = conn->active_ms;
    conn_flush(conn);
}

struct verdict conn_farewell(const struct conn *conn)
{
    return conn->farewell;
}

bool conn_was_garbled(const struct conn *conn)
{
    const struct deflate *deflate = conn->channel.deflate;

    return deflate != NULL && deflate_is_garbled(deflate);
}

void conn_drop(struct conn *conn, enum err_code code, const char *why)
{
    conn->result = err_set(&conn->err, code, "%s", why);
}

void conn_close(struct conn *conn, bool polite)
{
    conn->closing = true;
    conn->polite = polite;
    conn_flush(conn);
}
