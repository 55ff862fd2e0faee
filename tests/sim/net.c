#include "tests/sim/net.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/sim/net_uv.h"
#include "tests/sim/sched.h"

/* Bytes that the client's kernel takes before the server read any of them. */
#define SEND_BUFFER 16384u

/* One direction. */
struct pipe {
    struct buf bytes; /* on their way */
    bool moving;      /* an event is under way to deliver some of them */
    uint64_t carried; /* delivered so far */
    uint64_t cut_at;  /* cut when so many were; UINT64_MAX: not */
};

struct net_conn {
    struct net_conn *next;
    uv_tcp_t *tcp; /* NULL: the client has closed it */
    const struct net_service *service;
    void *peer; /* NULL: the server's end is closed */
    struct pipe up;
    struct pipe down;
    uint32_t latency_us;
    enum net_cut cut_how;
    bool hanging_up;   /* the server closes once all is delivered */
    bool silent;       /* nothing comes through any more, either way */
    int down_status;   /* negative: what reads end with, behind the bytes */
    int up_status;     /* negative: what writes end with */
    bool told_end;     /* the client was told of down_status */
    uv_alloc_cb alloc; /* reading: the callbacks; else NULL */
    uv_read_cb read;
    uv_write_t *write; /* one under way */
    struct bytes unsent;
};

static struct net {
    struct net_faults faults;
    struct net_service services[NET_PORTS];
    struct net_conn *conns;
    bool killed;
    bool muted;
} net;

struct net_faults *net_faults(void)
{
    return &net.faults;
}

static void move_up(void *owner);
static void move_down(void *owner);

static void free_conn(struct net_conn *conn)
{
    struct net_conn **at = &net.conns;

    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    sched_cancel(move_up, conn);
    sched_cancel(move_down, conn);
    buf_deinit(&conn->up.bytes);
    buf_deinit(&conn->down.bytes);
    free(conn);
}

static void drop_if_over(struct net_conn *conn)
{
    if (conn->tcp == NULL && conn->peer == NULL)
        free_conn(conn);
}

void net_reset(void)
{
    while (net.conns != NULL)
        free_conn(net.conns);
    memset(&net, 0, sizeof(net));
}

void net_listen(uint16_t port, const struct net_service *service)
{
    net.services[port] = *service;
}

/* --- bytes on their way ----------------------------------------------------- */

static void schedule(struct net_conn *conn, struct pipe *pipe,
                     void (*move)(void *), uint32_t delay_us)
{
    if (pipe->moving)
        return;
    pipe->moving = true;
    sched_at(delay_us, move, conn);
}

static uint32_t delay(const struct net_conn *conn)
{
    return conn->latency_us + sched_random(conn->latency_us + 1);
}

/* How much of @len comes in one piece: mostly all of it. */
static size_t piece(size_t len)
{
    switch (sched_random(8)) {
    case 0:
        return 1;
    case 1:
        return 1 + sched_random((uint32_t)(len < 16 ? len : 16));
    case 2:
        return 1 + sched_random((uint32_t)len);
    default:
        return len;
    }
}

/* @len, or less where the line is cut before. */
static size_t until_cut(const struct pipe *pipe, size_t len)
{
    uint64_t left = pipe->cut_at - pipe->carried;

    return len < left ? len : (size_t)left;
}

static void peer_gone(struct net_conn *conn)
{
    void *peer = conn->peer;

    if (peer == NULL)
        return;
    conn->peer = NULL;
    conn->service->gone(peer);
}

void net_break(struct net_conn *conn, enum net_cut how)
{
    net.faults.n_cuts[how]++;
    if (how == NET_CUT_SILENCE) {
        /* The server gives up some time; the client has to notice itself. */
        conn->silent = true;
        buf_clear(&conn->down.bytes);
    } else {
        conn->down_status = how == NET_CUT_FIN ? UV_EOF : UV_ECONNRESET;
        conn->up_status = how == NET_CUT_FIN ? UV_EPIPE : UV_ECONNRESET;
        if (how == NET_CUT_RST)
            buf_clear(&conn->down.bytes);
        schedule(conn, &conn->down, move_down, delay(conn));
    }
    buf_clear(&conn->up.bytes);
    peer_gone(conn);
    drop_if_over(conn);
}

static void finish_write(struct net_conn *conn, int status)
{
    uv_write_t *write = conn->write;

    conn->write = NULL;
    conn->unsent = (struct bytes){NULL, 0};
    write->cb(write, status);
}

/* What the kernel has room for of a uv_write() under way. */
static void go_on_writing(struct net_conn *conn)
{
    size_t room = SEND_BUFFER - buf_len(&conn->up.bytes);
    size_t n = conn->unsent.len < room ? conn->unsent.len : room;

    if (conn->write == NULL || conn->silent || net.muted)
        return;
    buf_add(&conn->up.bytes, (struct bytes){conn->unsent.ptr, n});
    conn->unsent = bytes_skip(conn->unsent, n);
    if (conn->unsent.len == 0)
        finish_write(conn, 0);
}

/* To the server; may end @conn. */
static void move_up(void *owner)
{
    struct net_conn *conn = owner;
    struct pipe *up = &conn->up;
    struct bytes bytes = buf_peek(&up->bytes);
    struct buf chunk;
    size_t n;

    up->moving = false;
    if (conn->peer == NULL || conn->silent) {
        buf_clear(&up->bytes);
        if (conn->write != NULL && conn->up_status < 0)
            finish_write(conn, conn->up_status);
        return;
    }
    if (bytes.len > 0) {
        n = until_cut(up, piece(bytes.len));
        buf_init(&chunk, 0);
        buf_add(&chunk, (struct bytes){bytes.ptr, n});
        buf_ack(&up->bytes, n);
        up->carried += n;
        if (n > 0)
            conn->service->data(conn->peer, buf_peek(&chunk));
        buf_deinit(&chunk);
        if (up->carried == up->cut_at && conn->peer != NULL) {
            net_break(conn, conn->cut_how);
            return;
        }
    }
    go_on_writing(conn);
    if (buf_len(&up->bytes) > 0) {
        schedule(conn, up, move_up, sched_random(conn->latency_us + 1));
    } else if (conn->tcp == NULL) {
        peer_gone(conn); /* its FIN */
        drop_if_over(conn);
    }
}

/* All was delivered: what is at the end of the stream? */
static void come_to_end(struct net_conn *conn)
{
    uv_buf_t none = uv_buf_init(NULL, 0);

    if (conn->hanging_up && conn->down_status == 0) {
        conn->down_status = UV_EOF;
        conn->up_status = UV_EPIPE;
        peer_gone(conn);
        if (conn->tcp == NULL) {
            drop_if_over(conn);
            return;
        }
    }
    if (conn->down_status < 0 && !conn->told_end) {
        conn->told_end = true;
        conn->read((uv_stream_t *)conn->tcp, conn->down_status, &none);
    }
}

uv_buf_t uv_buf_init(char *base, unsigned len)
{
    uv_buf_t made;

    made.base = base;
    made.len = len;
    return made;
}

/* To the client. */
static void move_down(void *owner)
{
    struct net_conn *conn = owner;
    struct pipe *down = &conn->down;
    struct bytes bytes = buf_peek(&down->bytes);
    uv_buf_t room = uv_buf_init(NULL, 0);
    size_t n;

    down->moving = false;
    if (conn->tcp == NULL || conn->silent) {
        buf_clear(&down->bytes);
        if (conn->tcp == NULL && conn->hanging_up)
            come_to_end(conn);
        return;
    }
    if (conn->read == NULL)
        return;
    n = bytes.len > 0 ? until_cut(down, piece(bytes.len)) : 0;
    if (n > 0) {
        conn->alloc((uv_handle_t *)conn->tcp, 65536, &room);
        n = n < room.len ? n : room.len;
        memcpy(room.base, bytes.ptr, n);
        buf_ack(&down->bytes, n);
        down->carried += n;
    }
    if (buf_len(&down->bytes) > 0)
        schedule(conn, down, move_down, sched_random(conn->latency_us + 1));
    else if (n > 0 && (conn->hanging_up || conn->down_status < 0))
        schedule(conn, down, move_down, 0);
    if (down->carried == down->cut_at && conn->peer != NULL)
        net_break(conn, conn->cut_how);
    if (n > 0) {
        conn->read((uv_stream_t *)conn->tcp, (ssize_t)n, &room);
    } else {
        come_to_end(conn);
    }
}

/* --- from a server ---------------------------------------------------------- */

void net_send(struct net_conn *conn, struct bytes data)
{
    if (conn->tcp == NULL || conn->silent || conn->hanging_up)
        return;
    buf_add(&conn->down.bytes, data);
    schedule(conn, &conn->down, move_down, delay(conn));
}

void net_hang_up(struct net_conn *conn)
{
    conn->hanging_up = true;
    schedule(conn, &conn->down, move_down, delay(conn));
}

/* --- the client's end ------------------------------------------------------- */

struct net_conn *net_conn_of(const uv_tcp_t *tcp)
{
    return tcp->u.reserved[0];
}

/* An attempt to connect that is not answered yet hangs on slot 1. */
static void on_attempt(void *owner);

void net_client_closes(uv_tcp_t *tcp)
{
    struct net_conn *conn = net_conn_of(tcp);
    uv_connect_t *attempt = tcp->u.reserved[1];

    if (attempt != NULL)
        sched_cancel(on_attempt, attempt);
    if (conn == NULL)
        return;
    tcp->u.reserved[2] = conn->write;
    conn->write = NULL;
    conn->tcp = NULL;
    conn->read = NULL;
    if (conn->peer == NULL)
        drop_if_over(conn);
    else
        schedule(conn, &conn->up, move_up, delay(conn));
}

void net_client_closed(uv_tcp_t *tcp)
{
    uv_connect_t *attempt = tcp->u.reserved[1];
    uv_write_t *write = net_conn_of(tcp) != NULL ? tcp->u.reserved[2] : NULL;

    if (attempt != NULL)
        attempt->cb(attempt, UV_ECANCELED);
    if (write != NULL)
        write->cb(write, UV_ECANCELED);
}

/* By RST: what the server has not read yet may be lost. */
int uv_tcp_close_reset(uv_tcp_t *tcp, uv_close_cb closed)
{
    struct net_conn *conn = net_conn_of(tcp);

    if (conn != NULL && sched_chance(2))
        buf_clear(&conn->up.bytes);
    uv_close((uv_handle_t *)tcp, closed);
    return 0;
}

int uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb read)
{
    struct net_conn *conn = net_conn_of((uv_tcp_t *)stream);

    if (conn->read != NULL)
        return UV_EALREADY;
    conn->alloc = alloc;
    conn->read = read;
    schedule(conn, &conn->down, move_down, 0);
    return 0;
}

int uv_read_stop(uv_stream_t *stream)
{
    struct net_conn *conn = net_conn_of((uv_tcp_t *)stream);

    conn->read = NULL;
    return 0;
}

static size_t total(const uv_buf_t bufs[], unsigned n_bufs)
{
    if (n_bufs != 1)
        abort();
    return bufs[0].len;
}

int uv_try_write(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n_bufs)
{
    struct net_conn *conn = net_conn_of((uv_tcp_t *)stream);
    size_t room = SEND_BUFFER - buf_len(&conn->up.bytes);
    size_t n = total(bufs, n_bufs);

    if (conn->up_status < 0 && sched_chance(2))
        return conn->up_status;
    if (conn->write != NULL || room == 0 || sched_chance(16))
        return UV_EAGAIN;
    if (n > room)
        n = room;
    if (sched_chance(8))
        n = 1 + sched_random((uint32_t)n);
    if (conn->peer != NULL && !conn->silent && !net.muted) {
        buf_add(&conn->up.bytes, (struct bytes){bufs[0].base, n});
        schedule(conn, &conn->up, move_up, delay(conn));
    }
    return (int)n;
}

int uv_write(uv_write_t *request, uv_stream_t *stream, const uv_buf_t bufs[],
             unsigned n_bufs, uv_write_cb written)
{
    struct net_conn *conn = net_conn_of((uv_tcp_t *)stream);

    if (conn->write != NULL)
        abort(); /* mailtwin has one at a time */
    request->cb = written;
    request->handle = stream;
    conn->write = request;
    conn->unsent = (struct bytes){bufs[0].base, total(bufs, n_bufs)};
    schedule(conn, &conn->up, move_up, delay(conn));
    return 0;
}

size_t uv_stream_get_write_queue_size(const uv_stream_t *stream)
{
    return net_conn_of((const uv_tcp_t *)stream)->unsent.len;
}

/* There is no kernel to be asked. */
int uv_fileno(const uv_handle_t *handle, uv_os_fd_t *fd)
{
    (void)handle;
    *fd = -1;
    return UV_EBADF;
}

int uv_tcp_init(uv_loop_t *loop, uv_tcp_t *tcp)
{
    memset(tcp, 0, sizeof(*tcp));
    tcp->loop = loop;
    tcp->type = UV_TCP;
    uv_sim_count(1);
    return 0;
}

int uv_tcp_nodelay(uv_tcp_t *tcp, int enable)
{
    (void)tcp;
    (void)enable;
    return 0;
}

int uv_tcp_keepalive(uv_tcp_t *tcp, int enable, unsigned seconds)
{
    (void)tcp;
    (void)enable;
    (void)seconds;
    return 0;
}

/* --- connections that come to be -------------------------------------------- */

static uint64_t log_random(uint32_t max)
{
    uint32_t bits = 1;

    while (bits < 32 && (UINT32_C(1) << bits) < max)
        bits++;
    return sched_random(UINT32_C(1) << sched_random(bits));
}

static void plan_cut(struct net_conn *conn)
{
    struct pipe *pipe = sched_chance(2) ? &conn->up : &conn->down;

    conn->up.cut_at = UINT64_MAX;
    conn->down.cut_at = UINT64_MAX;
    conn->cut_how = (enum net_cut)sched_random(NET_CUTS);
    if (sched_chance(net.faults.cut))
        pipe->cut_at = 1 + (sched_chance(2) ? sched_random(net.faults.cut_max)
                                            : log_random(net.faults.cut_max));
}

static void establish(uv_tcp_t *tcp, uint16_t port)
{
    static const uint32_t latencies_us[] = {0, 100, 1000, 20000, 150000};
    struct net_conn *conn = MEM_NEW(struct net_conn);

    conn->next = net.conns;
    net.conns = conn;
    conn->tcp = tcp;
    conn->service = &net.services[port];
    conn->latency_us = latencies_us[sched_random(5)];
    buf_init(&conn->up.bytes, 0);
    buf_init(&conn->down.bytes, 0);
    plan_cut(conn);
    tcp->u.reserved[0] = conn;
    conn->peer = conn->service->accept(conn->service->owner, conn);
}

static void on_attempt(void *owner)
{
    uv_connect_t *attempt = owner;
    uv_tcp_t *tcp = (uv_tcp_t *)attempt->handle;
    uint16_t port = (uint16_t)(uintptr_t)tcp->u.reserved[2];

    tcp->u.reserved[1] = NULL;
    if (net.killed || port >= NET_PORTS || net.services[port].accept == NULL) {
        attempt->cb(attempt, UV_ECONNREFUSED);
        return;
    }
    if (sched_chance(net.faults.connect)) {
        net.faults.n_connects++;
        attempt->cb(attempt,
                    sched_chance(2) ? UV_ECONNREFUSED : UV_EHOSTUNREACH);
        return;
    }
    establish(tcp, port);
    attempt->cb(attempt, 0);
}

int uv_tcp_connect(uv_connect_t *request, uv_tcp_t *tcp,
                   const struct sockaddr *address, uv_connect_cb connected)
{
    const struct sockaddr_in *ipv4 = (const void *)address;
    const uint64_t hour_us = UINT64_C(3600) * 1000000;
    uint64_t wait_us = sched_random(30000);

    request->cb = connected;
    request->handle = (uv_stream_t *)tcp;
    tcp->u.reserved[1] = request;
    tcp->u.reserved[2] = (void *)(uintptr_t)ntohs(ipv4->sin_port);
    if (!net.killed && sched_chance(net.faults.connect * 2)) {
        net.faults.n_connects++;
        wait_us = hour_us; /* no answer */
    }
    sched_at(wait_us, on_attempt, request);
    return 0;
}

/* --- names ------------------------------------------------------------------ */

static struct addrinfo *make_address(struct addrinfo *next, const char *ip,
                                     int port)
{
    struct addrinfo *made = MEM_NEW(struct addrinfo);
    struct sockaddr_in *address = MEM_NEW(struct sockaddr_in);

    uv_ip4_addr(ip, port, address);
    made->ai_family = AF_INET;
    made->ai_addr = (struct sockaddr *)address;
    made->ai_addrlen = sizeof(*address);
    made->ai_next = next;
    return made;
}

void uv_freeaddrinfo(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;

        free(found->ai_addr);
        free(found);
        found = next;
    }
}

static void on_lookup(void *owner)
{
    uv_getaddrinfo_t *request = owner;
    struct addrinfo *found = NULL;
    int port = (int)request->retcode;
    int status = 0;

    uv_sim_count(-1);
    if (!net.killed && sched_chance(net.faults.lookup)) {
        net.faults.n_lookups++;
        status = sched_chance(2) ? UV_EAI_AGAIN : UV_EAI_NONAME;
    } else {
        found = make_address(NULL, "127.0.0.1", port);
        if (sched_chance(2))
            found = make_address(found, "127.0.0.2", port);
    }
    request->cb(request, status, found);
}

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request,
                   uv_getaddrinfo_cb found, const char *node,
                   const char *service, const struct addrinfo *hints)
{
    (void)node;
    (void)hints;
    request->type = UV_GETADDRINFO;
    request->loop = loop;
    request->cb = found;
    request->retcode = atoi(service);
    uv_sim_count(1);
    sched_at(sched_random(20000), on_lookup, request);
    return 0;
}

static void on_cancelled(void *owner)
{
    uv_getaddrinfo_t *request = owner;

    uv_sim_count(-1);
    request->cb(request, UV_ECANCELED, NULL);
}

int uv_cancel(uv_req_t *request)
{
    if (!sched_cancel(on_lookup, request))
        return UV_EBUSY;
    sched_at(0, on_cancelled, request);
    return 0;
}

/* --- the end of the client --------------------------------------------------- */

static void flush_up(struct net_conn *conn)
{
    struct bytes bytes = buf_peek(&conn->up.bytes);
    size_t n = sched_random((uint32_t)bytes.len + 1);

    if (sched_chance(2))
        n = bytes.len;
    n = until_cut(&conn->up, n);
    if (n > 0)
        conn->service->data(conn->peer, (struct bytes){bytes.ptr, n});
}

void net_kill(void)
{
    struct net_conn *next;

    net.killed = true;
    net.muted = false;
    for (struct net_conn *conn = net.conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->peer != NULL && !conn->silent)
            flush_up(conn);
        conn->silent = false;
        conn->down_status = UV_ECONNRESET;
        conn->up_status = UV_ECONNRESET;
        buf_clear(&conn->up.bytes);
        buf_clear(&conn->down.bytes);
        if (conn->tcp != NULL) {
            schedule(conn, &conn->down, move_down, 0);
            schedule(conn, &conn->up, move_up, 0);
        }
        peer_gone(conn);
        drop_if_over(conn);
    }
}

void net_mute(void)
{
    net.muted = true;
}

void net_revive(void)
{
    net.killed = false;
}
