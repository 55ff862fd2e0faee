/* Events: pieces of the stream in, what they mean to the owner out. */
#include "imap/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "imap/session_internal.h"
#include "imap/shown.h"

#define STEP_AGAIN 2 /* nothing to tell, go on */

struct session *session_new(const struct session_options *options)
{
    struct session *session = MEM_NEW(struct session);
    unsigned i;

    session->options = *options;
    if (session->options.log_name == NULL)
        session->options.log_name = "imap";
    session->login.secure = options->tls;
    session->quirks = options->quirks != NULL ? options->quirks : quirks_none();
    framer_init(&session->framer);
    reply_init(&session->reply, options->keywords);
    buf_init(&session->out, 0);
    buf_init(&session->shown, 0);
    for (i = 0; i < LOGIN_LINES_MAX; i++)
        buf_init(&session->login.lines[i], 0);
    return session;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    session_auth_deinit(session);
    if (session->out.ptr != NULL)
        session_login_wipe(session->out.ptr, session->out.cap);
    buf_deinit(&session->out);
    buf_deinit(&session->shown);
    framer_deinit(&session->framer);
    reply_deinit(&session->reply);
    free(session->pending);
    free(session);
}

void session_feed(struct session *session, struct bytes in)
{
    if (in.len > 0)
        memcpy(session_room(session, in.len), in.ptr, in.len);
    session_fed(session, in.len);
}

char *session_room(struct session *session, size_t size)
{
    return framer_room(&session->framer, size);
}

void session_fed(struct session *session, size_t n)
{
    framer_fed(&session->framer, n);
}

struct bytes session_take_rest(struct session *session)
{
    return framer_take_rest(&session->framer);
}

bool session_has_input(const struct session *session)
{
    return framer_rest(&session->framer) > 0 ||
           session->reading != READING_PIECE;
}

struct verdict session_farewell(const struct session *session)
{
    return session->farewell;
}

const struct caps *session_caps(const struct session *session)
{
    return &session->caps;
}

const struct quirks *session_quirks(const struct session *session)
{
    return session->quirks;
}

uint32_t session_junk_lines(const struct session *session)
{
    return session->junk_lines;
}

/* The piece at hand; it may have moved since it was taken. */
static struct bytes piece_text(const struct session *session)
{
    return (struct bytes){framer_text(&session->framer).ptr,
                          session->piece.text.len};
}

static int misunderstood(const struct session *session, struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "not understood: %s",
                   shown_line(piece_text(session)).text);
}

/* A response that is not understood is left out, while there are few. */
static int on_junk(struct session *session, struct err *err)
{
    struct shown shown = shown_line(piece_text(session));

    session->in_fetch = false;
    session->reading = READING_PIECE;
    /* The owner waits for the end of a message; and behind a literal that is
     * not where it belongs nothing can be trusted. */
    if (session->body_begun || session->piece.kind == FRAMER_HEAD)
        return misunderstood(session, err);
    log_line(session->options.log, LOG_ACTION, "%s: not understood: %s",
             session->options.log_name, shown.text);
    if (++session->junk_lines > SESSION_JUNK_LINES_MAX) {
        return err_set(err, ERR_PROTOCOL,
                       "too many lines are not understood, the last: %s",
                       shown.text);
    }
    return STEP_AGAIN;
}

/* Before the login is over, nothing but the login is of interest. */
static int deliver(const struct session *session)
{
    return session->login.stage == STAGE_READY ? 0 : STEP_AGAIN;
}

static void fill_body(const struct session *session,
                      struct session_event *event)
{
    *event = (struct session_event){.kind = SESSION_BODY};
    event->fetch.uid = session->reply.fetch.data.uid;
    event->fetch.has = session->reply.fetch.data.has & FETCH_UID;
    event->body_size = session->reply.fetch.body_size;
    event->body_is_header = session->reply.fetch.body_is_header;
}

/* Go on in the FETCH response at hand. */
static int next_fetch(struct session *session, struct session_event *event,
                      struct err *err)
{
    bool is_head = session->piece.kind == FRAMER_HEAD;
    int r = reply_fetch_next(&session->reply, piece_text(session), err);

    if (r < 0)
        return r;
    /* A body follows where the framer says so, and nowhere else. */
    if (r == REPLY_FETCH_JUNK || (r == REPLY_FETCH_DONE && is_head) ||
        (r == REPLY_FETCH_STREAM && !is_head))
        return on_junk(session, err);
    switch (r) {
    case REPLY_FETCH_DONE:
        session->reading = READING_PIECE;
        session->in_fetch = false;
        *event = (struct session_event){.kind = SESSION_FETCH};
        event->fetch = session->reply.fetch.data;
        return deliver(session);
    case REPLY_FETCH_STRING:
        session->reading = READING_STRING_DATA;
        break;
    default:
        session->reading = READING_PIECE;
        session_log_body(session, session->reply.fetch.body_size);
        break;
    }
    session->body_begun = true;
    fill_body(session, event);
    return deliver(session);
}

/* A body that came as a quoted string. */
static int next_string(struct session *session, struct session_event *event)
{
    *event = (struct session_event){.kind = SESSION_BODY_END};
    if (session->reading == READING_STRING_DATA &&
        session->reply.fetch.body_size > 0) {
        session->reading = READING_STRING_END;
        event->kind = SESSION_BODY_DATA;
        event->data = buf_peek(&session->reply.fetch.body);
    } else {
        session->reading = READING_FETCH;
    }
    return deliver(session);
}

/* Route a tagged reply. */
static int on_tagged(struct session *session, const struct session_event *event,
                     struct err *err)
{
    uint32_t tag = event->reply.tag;

    if (tag == 0 && session->login.stage == STAGE_READY)
        return on_junk(session, err); /* it answers nothing of ours */
    if (!session_command_answered(session, tag)) {
        return err_set(err, ERR_PROTOCOL,
                       "an answer to a command that was not sent: %s",
                       shown_line(piece_text(session)).text);
    }
    if (tag == session->login.id_tag)
        return STEP_AGAIN;
    return 0;
}

/* An ESEARCH that answers no command under way would pass for the answer to
 * one that is. */
static int check_search(const struct session *session, struct err *err)
{
    struct bytes tag = session->reply.search_tag;

    if (tag.len == 0 || session_command_waits(session, reply_tag(tag)))
        return 0;
    return misunderstood(session, err);
}

static int on_event(struct session *session, struct session_event *event,
                    struct err *err)
{
    struct session_event got = *event;
    int r = 0;

    if (event->kind == SESSION_TAGGED) {
        r = on_tagged(session, event, err);
    } else if (event->kind == SESSION_SEARCH) {
        r = check_search(session, err);
    }
    if (event->kind == SESSION_BYE)
        session->farewell = verdict_of_farewell(&event->reply);
    if (r != 0 || session->login.stage == STAGE_READY)
        return r;
    r = session_login_event(session, &got, event, err);
    return r == 1 ? STEP_AGAIN : r;
}

/* What the server offers, and what that shows of its kind. */
static void on_capability(struct session *session, struct bytes words)
{
    caps_parse(&session->caps, words);
    if (session->options.quirks == NULL)
        session->quirks = quirks_of_capability(session->quirks, words);
}

/* A response from its beginning. */
static int begin_response(struct session *session, struct session_event *event,
                          struct err *err)
{
    int r = reply_parse(&session->reply, piece_text(session), event, err);

    session->body_begun = false;
    if (r >= 0 && session->reply.has_capability)
        on_capability(session, session->reply.capability);
    if (session->login.stage == STAGE_GREETING && r > REPLY_EVENT) {
        return err_set(err, ERR_PROTOCOL, "no IMAP greeting: %s",
                       shown_line(piece_text(session)).text);
    }
    switch (r) {
    case REPLY_EVENT:
        return on_event(session, event, err);
    case REPLY_FETCH:
        session->in_fetch = true;
        session->reading = READING_FETCH;
        return STEP_AGAIN;
    case REPLY_SILENT:
        return STEP_AGAIN;
    case REPLY_JUNK:
        return on_junk(session, err);
    default:
        return r;
    }
}

/* Take the next piece from the stream. */
static int next_piece(struct session *session, struct session_event *event,
                      struct err *err)
{
    int r;

    if (session->login.stage == STAGE_HANDSHAKE)
        return 1; /* session_tls_started() looks at what comes too early */
    r = framer_next(&session->framer, &session->piece, err);
    if (r != 0)
        return r;
    switch (session->piece.kind) {
    case FRAMER_DATA:
        *event = (struct session_event){.kind = SESSION_BODY_DATA};
        event->data = session->piece.text;
        return deliver(session);
    case FRAMER_DATA_END:
        *event = (struct session_event){.kind = SESSION_BODY_END};
        return deliver(session);
    case FRAMER_TEXT:
    case FRAMER_HEAD:
        break;
    }
    session_log_in(session, piece_text(session));
    if (!session->in_fetch)
        return begin_response(session, event, err);
    session->reading = READING_FETCH;
    return STEP_AGAIN;
}

static int step(struct session *session, struct session_event *event,
                struct err *err)
{
    switch (session->reading) {
    case READING_FETCH:
        return next_fetch(session, event, err);
    case READING_STRING_DATA:
    case READING_STRING_END:
        return next_string(session, event);
    case READING_PIECE:
        break;
    }
    return next_piece(session, event, err);
}

int session_next(struct session *session, struct session_event *event,
                 struct err *err)
{
    int r = session->failure;

    if (r == 0) {
        do {
            r = step(session, event, &session->err);
        } while (r == STEP_AGAIN);
    }
    if (r < 0) {
        session->failure = r;
        if (err != NULL)
            *err = session->err;
    }
    return r;
}
