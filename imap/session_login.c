/*
 * From the greeting to SESSION_READY: STARTTLS, capabilities, login, ID.
 *
 * What the server says before TLS is believed in one thing only: that STARTTLS
 * is offered. RFC 9051 sections 6.2 and 11.1, RFC 8314.
 */
#include <string.h>

#include "base/log.h"
#include "imap/session_internal.h"
#include "imap/shown.h"

#define LITERAL_MINUS_MAX 4096u /* RFC 7888 section 5 */

void session_login_wipe(void *bytes, size_t n)
{
    volatile char *at = bytes;

    while (n-- > 0)
        *at++ = 0;
}

/* The server's words for an error text. */
static int refused(struct err *err, enum err_code code, const char *what,
                   const struct session_reply *reply)
{
    return err_set(err, code, "%s: %s", what,
                   reply->text.len > 0 ? shown_line(reply->text).text
                                       : "the server gives no reason");
}

static int become_ready(struct session *session, struct session_event *out)
{
    struct session_login *login = &session->login;

    /* RFC 2971; some servers want it before SELECT. Nothing waits for it. */
    if ((session->caps.bits & CAP_ID) != 0) {
        const char *version = session->options.version;

        login->id_tag = session_begin(session);
        session_printf(session, "ID (\"name\" \"mailtwin\"");
        if (version != NULL)
            session_printf(session, " \"version\" \"%s\"", version);
        session_printf(session, ")");
        session_end(session);
    }
    login->stage = STAGE_READY;
    *out = (struct session_event){.kind = SESSION_READY};
    return 0;
}

static int ask_capability(struct session *session, enum session_stage stage)
{
    session->login.stage = stage;
    session_send(session, "CAPABILITY");
    return 1;
}

/* Logged in. Capabilities may differ from those before. */
static int after_login(struct session *session, struct session_event *out)
{
    if (!session->caps.known)
        return ask_capability(session, STAGE_CAPS_AFTER);
    return become_ready(session, out);
}

static void put_base64(struct buf *out, struct bytes text)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    size_t i;

    for (i = 0; i < text.len; i += 3) {
        size_t n = text.len - i < 3 ? text.len - i : 3;
        uint32_t group = 0;
        size_t k;

        for (k = 0; k < 3; k++) {
            group = group << 8 |
                    (k < n ? (uint32_t)(unsigned char)text.ptr[i + k] : 0);
        }
        for (k = 0; k < 4; k++) {
            (void)buf_add_char(
                out, digits[k <= n ? group >> (18 - 6 * k) & 63 : 64]);
        }
    }
}

static struct buf *add_line(struct session *session)
{
    struct buf *line = &session->login.lines[session->login.n_lines++];
    size_t secret =
        strlen(session->options.user) + strlen(session->options.password);

    /* Room for all that may come, so that no copy of a secret stays behind in
     * memory that was outgrown. */
    (void)buf_reserve(line, 4 * secret + 512);
    return line;
}

/* SASL PLAIN, RFC 4616: authorization identity (none), user, password. */
static void prepare_plain(struct session *session)
{
    const struct session_options *options = &session->options;
    struct buf *first = add_line(session);
    struct buf *answer = add_line(session);
    struct buf message;

    buf_init(&message, 0);
    (void)buf_reserve(&message,
                      strlen(options->user) + strlen(options->password) + 2);
    (void)buf_add_char(&message, '\0');
    (void)buf_add(&message, bytes_of(options->user));
    (void)buf_add_char(&message, '\0');
    (void)buf_add(&message, bytes_of(options->password));
    put_base64(answer, buf_peek(&message));
    session_login_wipe(message.ptr, message.cap);
    buf_deinit(&message);

    (void)buf_add(first, B("AUTHENTICATE PLAIN"));
    session->login.shown = buf_len(first);
    session->login.needed = 2;
    if ((session->caps.bits & CAP_SASL_IR) != 0) {
        /* The answer stays for servers that ask for it all the same. */
        (void)buf_add_char(first, ' ');
        (void)buf_add(first, buf_peek(answer));
        session->login.needed = 1;
    }
    (void)buf_add(answer, B("\r\n"));
    (void)buf_add(first, B("\r\n"));
}

static bool has_8bit(struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] > 127)
            return true;
    }
    return false;
}

/* One argument of LOGIN at the end of @line; returns the line that goes on:
 * behind a literal that the server must first ask for it is a new one. */
static struct buf *add_argument(struct session *session, struct buf *line,
                                struct bytes text)
{
    uint32_t bits = session->caps.bits;
    size_t i;

    if (has_8bit(text)) {
        bool at_once =
            (bits & CAP_LITERAL_PLUS) != 0 ||
            ((bits & CAP_LITERAL_MINUS) != 0 && text.len <= LITERAL_MINUS_MAX);

        (void)buf_printf(line, "{%zu%s}\r\n", text.len, at_once ? "+" : "");
        if (!at_once)
            line = add_line(session);
        (void)buf_add(line, text);
        return line;
    }
    (void)buf_add_char(line, '"');
    for (i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            (void)buf_add_char(line, '\\');
        (void)buf_add_char(line, text.ptr[i]);
    }
    (void)buf_add_char(line, '"');
    return line;
}

static void prepare_login(struct session *session)
{
    struct buf *line = add_line(session);

    (void)buf_add(line, B("LOGIN "));
    session->login.shown = buf_len(line);
    line = add_argument(session, line, bytes_of(session->options.user));
    (void)buf_add_char(line, ' ');
    line = add_argument(session, line, bytes_of(session->options.password));
    (void)buf_add(line, B("\r\n"));
    session->login.needed = session->login.n_lines;
}

/* Queue the next line of the login. */
static void send_line(struct session *session)
{
    struct session_login *login = &session->login;
    struct bytes line = buf_peek(&login->lines[login->sent]);
    size_t shown = login->sent == 0 ? login->shown : 0;

    line.len -= 2; /* CRLF */
    (void)buf_reserve(&session->out, line.len + 2);
    session_add(session, (struct bytes){line.ptr, shown}, false);
    if (shown < line.len)
        session_command_secret(session, bytes_skip(line, shown));
    session_end(session);
    login->sent++;
}

static bool is_one_line(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

/* Choose the way to log in; the lines to send for it are then prepared. */
static int choose(struct session *session, struct err *err)
{
    static const char *const ways[] = {[SESSION_AUTH_AUTO] =
                                           "login with a password",
                                       [SESSION_AUTH_PLAIN] = "AUTH=PLAIN",
                                       [SESSION_AUTH_LOGIN] = "LOGIN"};
    const struct session_options *options = &session->options;
    bool has_plain = (session->caps.bits & CAP_AUTH_PLAIN) != 0;
    bool has_login = (session->caps.bits & CAP_LOGINDISABLED) == 0;

    if (!session->login.secure && !options->plaintext) {
        return err_set(err, ERR_CONNECT,
                       "the password would go out in plain text; set tls = "
                       "starttls or implicit, or allow_plaintext = yes");
    }
    if (!is_one_line(options->user) || !is_one_line(options->password)) {
        return err_set(err, ERR_AUTH,
                       "a line break in the user name or the password");
    }
    if (options->auth != SESSION_AUTH_LOGIN && has_plain) {
        prepare_plain(session);
    } else if (options->auth != SESSION_AUTH_PLAIN && has_login) {
        prepare_login(session);
    } else if (!session->login.secure) {
        return err_set(err, ERR_CONNECT,
                       "the server takes no password without TLS; set tls = "
                       "starttls or implicit");
    } else {
        return err_set(err, ERR_AUTH, "the server offers no %s",
                       ways[options->auth]);
    }
    return 0;
}

/* Capabilities are known as far as they ever will be before the login. */
static int begin_login(struct session *session, struct err *err)
{
    int r = choose(session, err);

    if (r < 0)
        return r;
    caps_clear(&session->caps);
    session->login.stage = STAGE_AUTH;
    session_begin(session);
    send_line(session);
    return 1;
}

static int begin_starttls(struct session *session)
{
    session->login.stage = STAGE_STARTTLS;
    session_send(session, "STARTTLS");
    return 1;
}

static bool offers_starttls(const struct session *session)
{
    return (session->caps.bits & CAP_STARTTLS) != 0;
}

static bool wants_starttls(const struct session *session)
{
    return session->options.starttls && !session->login.secure;
}

/* RFC 9051 section 7.1.4: PREAUTH closes the way to STARTTLS. */
static int on_preauth(struct session *session, struct session_event *out,
                      struct err *err)
{
    if (!session->login.secure && !session->options.plaintext) {
        return err_set(err, ERR_PROTOCOL,
                       "PREAUTH greeting, which would go on without TLS");
    }
    return after_login(session, out);
}

static int on_greeting(struct session *session,
                       const struct session_event *event,
                       struct session_event *out, struct err *err)
{
    if (event->kind == SESSION_BYE) {
        return refused(err, ERR_CONNECT, "the server says good-bye",
                       &event->reply);
    }
    if (event->kind != SESSION_CODE || event->reply.status != IMAP_OK)
        return err_set(err, ERR_PROTOCOL, "no IMAP greeting");
    if (session->reply.preauth) {
        return wants_starttls(session)
                   ? err_set(err, ERR_PROTOCOL,
                             "PREAUTH greeting where STARTTLS is asked for")
                   : on_preauth(session, out, err);
    }
    if (wants_starttls(session)) {
        return offers_starttls(session)
                   ? begin_starttls(session)
                   : ask_capability(session, STAGE_CAPS_PLAIN);
    }
    if (!session->caps.known)
        return ask_capability(session, STAGE_CAPS);
    return begin_login(session, err);
}

static int on_starttls_answer(struct session *session,
                              const struct session_reply *reply,
                              struct session_event *out, struct err *err)
{
    if (reply->status != IMAP_OK)
        return refused(err, ERR_CONNECT, "STARTTLS refused", reply);
    if (framer_rest(&session->framer) > 0) {
        return err_set(err, ERR_PROTOCOL,
                       "plain text behind the answer to STARTTLS: somebody "
                       "is in between");
    }
    session->login.stage = STAGE_HANDSHAKE;
    *out = (struct session_event){.kind = SESSION_STARTTLS};
    return 0;
}

/* Refused for now, not for good? RFC 5530 */
static bool is_passing(enum session_code code)
{
    return code == CODE_UNAVAILABLE || code == CODE_INUSE ||
           code == CODE_LIMIT || code == CODE_THROTTLED ||
           code == CODE_SERVERBUG;
}

static int on_login_answer(struct session *session,
                           const struct session_reply *reply,
                           struct session_event *out, struct err *err)
{
    if (reply->status != IMAP_OK) {
        return refused(err, is_passing(reply->code) ? ERR_BUSY : ERR_AUTH,
                       "login refused", reply);
    }
    if (session->login.sent < session->login.needed) {
        return err_set(err, ERR_PROTOCOL,
                       "logged in before the password was asked for");
    }
    return after_login(session, out);
}

static int on_answer(struct session *session, const struct session_reply *reply,
                     struct session_event *out, struct err *err)
{
    switch (session->login.stage) {
    case STAGE_CAPS_PLAIN:
        if (!offers_starttls(session)) {
            return err_set(err, ERR_CONNECT,
                           "the server offers no STARTTLS; set tls = implicit");
        }
        return begin_starttls(session);
    case STAGE_STARTTLS:
        return on_starttls_answer(session, reply, out, err);
    case STAGE_CAPS:
        return begin_login(session, err);
    case STAGE_AUTH:
        return on_login_answer(session, reply, out, err);
    case STAGE_CAPS_AFTER:
        return become_ready(session, out);
    case STAGE_GREETING:
    case STAGE_HANDSHAKE:
    case STAGE_READY:
        break;
    }
    return err_set(err, ERR_PROTOCOL, "an answer that nobody waits for");
}

/* "+": the server asks for the next line. */
static int on_continue(struct session *session, struct err *err)
{
    struct session_login *login = &session->login;

    if (login->stage != STAGE_AUTH || login->sent == login->n_lines) {
        return err_set(err, ERR_PROTOCOL,
                       "the server asks for more than a user and a password");
    }
    send_line(session);
    return 1;
}

/* RFC 9051 section 7.1: an ALERT "MUST be presented to the user". */
static void show_alert(const struct session *session,
                       const struct session_reply *reply)
{
    if (reply->code == CODE_ALERT && !wants_starttls(session)) {
        log_line(session->options.log, LOG_NOTICE, "%s: %s",
                 session->options.log_name, shown_line(reply->text).text);
    }
}

int session_login_event(struct session *session,
                        const struct session_event *event,
                        struct session_event *out, struct err *err)
{
    if (session->login.stage == STAGE_GREETING)
        return on_greeting(session, event, out, err);
    switch (event->kind) {
    case SESSION_TAGGED:
        show_alert(session, &event->reply);
        return on_answer(session, &event->reply, out, err);
    case SESSION_CONTINUE:
        return on_continue(session, err);
    case SESSION_CODE:
        show_alert(session, &event->reply);
        return 1;
    case SESSION_BYE:
        return refused(err, ERR_CONNECT, "the server says good-bye",
                       &event->reply);
    default:
        return 1; /* nothing that was asked for */
    }
}

void session_tls_started(struct session *session)
{
    session->login.secure = true;
    caps_clear(&session->caps);
    if (framer_rest(&session->framer) > 0) {
        session->failure = err_set(&session->err, ERR_PROTOCOL,
                                   "plain text behind the answer to STARTTLS");
        return;
    }
    (void)ask_capability(session, STAGE_CAPS);
}
