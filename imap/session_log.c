/* The protocol as the log shows it: secrets and message bodies taken out. */
#include <string.h>

#include "base/log.h"
#include "imap/session_internal.h"

#define LOG_BYTES_MAX 1000 /* of one line shown */

static void log_wire(const struct session *session, const char *who,
                     struct bytes text)
{
    size_t n = text.len < LOG_BYTES_MAX ? text.len : LOG_BYTES_MAX;
    struct buf line;

    buf_init(&line, 0);
    log_clean(&line, (struct bytes){text.ptr, n});
    if (n < text.len)
        (void)buf_printf(&line, "... <%zu bytes more>", text.len - n);
    log_line(session->options.log, LOG_WIRE, "%s: %s: %s",
             session->options.log_name, who, buf_text(&line));
    buf_deinit(&line);
}

static bool is_shown(const struct session *session)
{
    return log_shows(session->options.log, LOG_WIRE);
}

/* Is @text a FETCH response, or a part of one? */
static bool may_hold_body(const struct session *session, struct bytes text)
{
    return session->in_fetch ||
           (text.len > 2 && text.ptr[2] >= '0' && text.ptr[2] <= '9');
}

/* The length of @text in front of a body that is a quoted string; all of it
 * where there is none. */
static size_t before_quoted_body(struct bytes text)
{
    size_t i;

    for (i = 0; i + 2 < text.len; i++) {
        if ((text.ptr[i] == ']' || text.ptr[i] == '>') &&
            text.ptr[i + 1] == ' ' && text.ptr[i + 2] == '"')
            return i + 2;
    }
    return text.len;
}

static bool is_challenge(const struct session *session, struct bytes text)
{
    return session->login.sasl != NULL &&
           sasl_is_telling(session->login.sasl) &&
           bytes_starts_nocase(text, B("+ "));
}

void session_log_in(const struct session *session, struct bytes text)
{
    size_t n;

    if (!is_shown(session))
        return;
    if (is_challenge(session, text))
        text = B("+ <secret>");
    n = may_hold_body(session, text) ? before_quoted_body(text) : text.len;
    log_wire(session, "S", (struct bytes){text.ptr, n});
    if (n < text.len)
        session_log_body(session, text.len - n);
}

void session_log_body(const struct session *session, uint64_t size)
{
    log_line(session->options.log, LOG_WIRE, "%s: S: <%llu octets>",
             session->options.log_name, (unsigned long long)size);
}

static void put_octets(struct session *session)
{
    if (session->octets > 0) {
        (void)buf_printf(&session->shown, "<%llu octets>",
                         (unsigned long long)session->octets);
    }
    session->octets = 0;
}

void session_log_out(struct session *session, struct bytes text)
{
    const char *end;

    if (!is_shown(session))
        return;
    put_octets(session);
    while (text.len > 0 && (end = memchr(text.ptr, '\n', text.len)) != NULL) {
        size_t n = (size_t)(end - text.ptr) + 1;

        (void)buf_add(&session->shown, (struct bytes){text.ptr, n});
        log_wire(session, "C", bytes_trim(buf_peek(&session->shown)));
        buf_clear(&session->shown);
        text = bytes_skip(text, n);
    }
    (void)buf_add(&session->shown, text);
}

void session_log_octets(struct session *session, size_t n)
{
    if (is_shown(session))
        session->octets += n;
}
