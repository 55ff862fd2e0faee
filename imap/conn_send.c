/* The way out: from the session to the kernel. */
#include <sys/ioctl.h>

#include "imap/conn_internal.h"

uv_stream_t *conn_stream(struct conn *conn)
{
    return (uv_stream_t *)conn->tcp;
}

size_t conn_untaken(const struct conn *conn)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)conn->tcp);
    uv_os_fd_t fd;
    int n = 0;

    if (uv_fileno((uv_handle_t *)conn->tcp, &fd) < 0 ||
        ioctl(fd, TIOCOUTQ, &n) < 0 || n < 0)
        return queued;
    return queued + (size_t)n;
}

/* Move what the session has to say to where libuv can send it from: it must
 * stay there while it is on its way. */
static int fill(struct conn *conn)
{
    struct bytes plain = session_output(conn->session);

    while (plain.len > 0) {
        size_t n;
        int r = channel_write(&conn->channel, plain, &n, &conn->err);

        if (r < 0 || n == 0)
            return r;
        if (conn->answered) {
            conn->answered = false;
            conn->shared.wire->round_trips++;
        }
        conn->shared.wire->sent += n;
        session_sent(conn->session, n);
        plain = session_output(conn->session);
    }
    return channel_flush(&conn->channel, &conn->err);
}

uv_buf_t conn_next_chunk(const struct conn *conn)
{
    struct bytes out = channel_output(&conn->channel);
    uv_buf_t chunk;

    /* libuv does not write to what it sends. */
    chunk.base = (char *)(uintptr_t)out.ptr;
    chunk.len = out.len;
    return chunk;
}

static void sent(struct conn *conn, size_t n)
{
    conn->active_ms = uv_now(conn->shared.loop);
    conn->useful_ms = conn->active_ms;
    if (conn->quiet && conn->asked_ns == 0)
        conn->asked_ns = uv_hrtime();
    if (conn->clogged)
        gauge_move(&conn->shared.gauge->out, uv_hrtime(), n);
    channel_sent(&conn->channel, n);
}

static void on_written(uv_write_t *request, int status)
{
    struct conn *conn = request->data;

    if (status < 0) {
        conn->write_status = status;
    } else {
        sent(conn, conn->write_bytes);
    }
    conn->write_bytes = 0;
    conn_pump(conn);
}

/* Wait until the kernel takes more. */
static void write_later(struct conn *conn, const uv_buf_t *chunk)
{
    int status;

    conn->clogged = true;
    gauge_wait(&conn->shared.gauge->out, uv_hrtime());
    conn->write.data = conn;
    conn->write_bytes = chunk->len;
    status = uv_write(&conn->write, conn_stream(conn), chunk, 1, on_written);
    if (status < 0) {
        conn->write_bytes = 0;
        conn->write_status = status;
    } else if (conn->phase == PHASE_READY && !conn->expecting) {
        conn_watch(conn);
    }
}

/* Send all that there is, as far as the kernel takes it. */
int conn_send(struct conn *conn)
{
    while (conn->tcp != NULL && conn->write_bytes == 0 &&
           conn->write_status == 0) {
        uv_buf_t chunk;
        int r;

        conn->quiet = session_is_quiet(conn->session);
        r = fill(conn);
        chunk = conn_next_chunk(conn);
        conn->clogged &= chunk.len > 0;
        if (r < 0 || chunk.len == 0)
            return r;
        r = uv_try_write(conn_stream(conn), &chunk, 1);
        if (r == UV_EAGAIN) {
            write_later(conn, &chunk);
        } else if (r < 0) {
            conn->write_status = r;
        } else {
            sent(conn, (size_t)r);
        }
    }
    return 0;
}
