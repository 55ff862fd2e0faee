/* What the files of the connection share: the struct behind conn.h. */
#ifndef IMAP_CONN_INTERNAL_H
#define IMAP_CONN_INTERNAL_H

#include "imap/channel.h"
#include "imap/conn.h"
#include "imap/dial.h"

/*
 *     DIALING ─▶ LOGIN ─▶ READY          without TLS
 *     DIALING ─▶ TLS ─▶ LOGIN ─▶ READY   implicit
 *     DIALING ─▶ LOGIN ─▶ TLS ─▶ LOGIN ─▶ READY   STARTTLS
 *
 * and from everywhere to OVER, after which nothing happens but that libuv lets
 * go of the handles.
 */
enum phase {
    PHASE_DIALING,
    PHASE_TLS,   /* handshake */
    PHASE_LOGIN, /* the session talks by itself */
    PHASE_READY,
    PHASE_OVER
};

#define CONN_LABEL_BYTES 128

struct conn {
    struct conn_shared shared;
    struct conn_callbacks callbacks;
    enum phase phase;
    int result; /* negative: why it is to end, with err */
    struct err err;
    struct session *session;
    struct verdict farewell;      /* the session's, at the end */
    char label[CONN_LABEL_BYTES]; /* in the log */

    struct dial *dial; /* in PHASE_DIALING */
    uv_tcp_t *tcp;     /* after it */
    uv_timer_t timer;  /* to PHASE_READY, then of silence */
    uv_idle_t kick;    /* pumps in the next turn of the loop */
    unsigned n_handles;

    struct channel channel;
    uv_write_t write;
    size_t write_bytes; /* of the write under way; 0: none is */
    int write_status;   /* negative: writing failed. Not the end yet: the server
                           may have said why before it hung up */
    bool at_end;        /* nothing more will come */
    int end_status;     /* why: UV_EOF or another */

    bool pumping;
    bool reading;
    bool paused;
    bool closing;
    bool polite;
    bool expecting;
    bool silent;       /* for so long that it was given up */
    bool above_mark;   /* drained() is owed */
    bool answered;     /* something came since something was sent */
    bool clogged;      /* the kernel takes no more, and there is more */
    bool quiet;        /* nothing that was sent waits for an answer */
    uint64_t asked_ns; /* when something was sent into the quiet; 0: it was
                          answered */
    uint32_t compress_tag;
    uint64_t active_ms; /* when a byte moved last */
    uint64_t useful_ms; /* when one to the point did: see note_use() */
    size_t untaken;     /* when it was looked at last: see note_taken() */
    uint64_t worth;     /* what came since then: see worth.h */
};

/* The one place where a connection makes progress. Every on_*() ends here. */
void conn_pump(struct conn *conn);

/* Begin to watch for silence, or stop where nothing is due. */
void conn_watch(struct conn *conn);

/* Bytes written that the server's end has not acknowledged, as far as the kernel
 * tells. */
size_t conn_untaken(const struct conn *conn);

/* Send all that there is, as far as the kernel takes it. Returns 0, or negative
 * where the connection is over because of it. */
int conn_send(struct conn *conn);

/* What to send next of what the session does not have any more. */
uv_buf_t conn_next_chunk(const struct conn *conn);

uv_stream_t *conn_stream(struct conn *conn);

#endif
