/* Commands on their way out, and which of them wait for an answer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "imap/session_internal.h"

struct bytes session_output(const struct session *session)
{
    return buf_peek(&session->out);
}

void session_sent(struct session *session, size_t n)
{
    /* Passwords do not stay in memory that is used again. */
    if (n > 0 && session->login.stage != STAGE_READY)
        session_login_wipe(session->out.ptr + session->out.start, n);
    buf_ack(&session->out, n);
    session->out_taken += n;
}

/* Queue @text; the log shows @shown for it. */
static void put(struct session *session, struct bytes text, struct bytes shown)
{
    (void)buf_add(&session->out, text);
    session_log_out(session, shown);
}

uint32_t session_begin(struct session *session)
{
    char text[16];
    uint32_t tag;
    int n;

    if (session->login.id_due)
        session_login_send_id(session);
    tag = ++session->last_tag;
    n = snprintf(text, sizeof(text), "a%u ", (unsigned)tag);
    session->pending =
        mem_grow(session->pending, session->n_pending, &session->pending_cap,
                 sizeof(*session->pending));
    session->pending[session->n_pending++] = (struct session_pending){
        tag, session->out_taken + buf_len(&session->out)};
    session_add(session, (struct bytes){text, (size_t)n}, false);
    return tag;
}

void session_add(struct session *session, struct bytes text, bool octets)
{
    if (octets) {
        (void)buf_add(&session->out, text);
        session_log_octets(session, text.len);
        return;
    }
    put(session, text, text);
}

void session_command_secret(struct session *session, struct bytes text)
{
    put(session, text, SABOTAGED(log_secrets) ? text : B("<secret>"));
}

static void __attribute__((format(printf, 2, 0)))
print(struct session *session, const char *format, va_list args)
{
    struct bytes text;
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    if (n > 0) {
        text.len = (size_t)n;
        text.ptr = buf_reserve(&session->out, text.len + 1);
        (void)vsnprintf(session->out.ptr + session->out.end, text.len + 1,
                        format, again);
        buf_commit(&session->out, text.len);
        session_log_out(session, text);
    }
    va_end(again);
}

void session_printf(struct session *session, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(session, format, args);
    va_end(args);
}

void session_add_quoted(struct session *session, struct bytes text)
{
    size_t i;

    session_add(session, B("\""), false);
    for (i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            session_add(session, B("\\"), false);
        session_add(session, (struct bytes){text.ptr + i, 1}, false);
    }
    session_add(session, B("\""), false);
}

void session_end(struct session *session)
{
    session_add(session, B("\r\n"), false);
}

uint32_t session_send(struct session *session, const char *format, ...)
{
    uint32_t tag = session_begin(session);
    va_list args;

    va_start(args, format);
    print(session, format, args);
    va_end(args);
    session_end(session);
    return tag;
}

/* The place of @tag among those that wait, or their number. */
static size_t find(const struct session *session, uint32_t tag)
{
    size_t i = 0;

    while (i < session->n_pending && session->pending[i].tag != tag)
        i++;
    return i;
}

bool session_command_waits(const struct session *session, uint32_t tag)
{
    size_t i = find(session, tag);

    /* An answer to what was not even begun to be sent is a forgery. */
    return i < session->n_pending &&
           session->pending[i].at < session->out_taken;
}

bool session_is_quiet(const struct session *session)
{
    return session->n_pending == 0 ||
           session->pending[0].at >= session->out_taken;
}

bool session_command_answered(struct session *session, uint32_t tag)
{
    size_t i = find(session, tag);

    if (!session_command_waits(session, tag))
        return false;
    session->n_pending--;
    memmove(&session->pending[i], &session->pending[i + 1],
            (session->n_pending - i) * sizeof(*session->pending));
    return true;
}
