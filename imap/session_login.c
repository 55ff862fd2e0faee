/*
 * From the greeting to SESSION_READY: STARTTLS, capabilities, login, ID.
 *
 * What the server says before TLS is believed in one thing only: that STARTTLS
 * is offered; on this machine also of what kind it is. RFC 9051 sections 6.2 and
 * 11.1, RFC 8314.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "imap/session_internal.h"
#include "imap/shown.h"

void session_login_wipe(void *bytes, size_t n)
{
    volatile char *at = bytes;

    while (n-- > 0)
        *at++ = 0;
}

/* The server's words for an error text. @code is for a refusal that is meant
 * for good. */
static int refused(struct session *session, struct err *err, enum err_code code,
                   const char *what, const struct session_reply *reply)
{
    session->farewell = verdict_of_farewell(reply);
    if (verdict_passes(session->farewell))
        code = ERR_BUSY;
    return err_set(err, code, "%s: %s", what,
                   reply->text.len > 0 ? shown_line(reply->text).text
                                       : "the server gives no reason");
}

/* RFC 2971; some servers want it before SELECT. Nothing waits for it, nor does
 * it go out alone: its answer would pass for one that was waited for. */
void session_login_send_id(struct session *session)
{
    struct session_login *login = &session->login;
    const char *version = session->options.version;

    login->id_due = false;
    login->id_tag = session_begin(session);
    session_printf(session, "ID (\"name\" \"mailtwin\"");
    if (version != NULL)
        session_printf(session, " \"version\" \"%s\"", version);
    session_printf(session, ")");
    session_end(session);
}

static int become_ready(struct session *session, struct session_event *out)
{
    struct session_login *login = &session->login;

    login->id_due = (session->caps.bits & CAP_ID) != 0;
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
    if (!session->caps.known || session->quirks->asks_again)
        return ask_capability(session, STAGE_CAPS_AFTER);
    return become_ready(session, out);
}

/* Capabilities are known as far as they ever will be before the login. */
static int begin_login(struct session *session, struct err *err)
{
    int r = session_auth_begin(session, err);

    if (r < 0)
        return r;
    caps_clear(&session->caps);
    session->login.stage = STAGE_AUTH;
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

/* What its greeting and its name show; its capabilities count before both. */
static void find_quirks(struct session *session, struct bytes greeting)
{
    const struct session_options *options = &session->options;

    if (options->quirks != NULL)
        return;
    session->quirks = quirks_of_greeting(session->quirks, greeting);
    if (options->host != NULL)
        session->quirks = quirks_of_host(session->quirks, options->host);
}

static int on_greeting(struct session *session,
                       const struct session_event *event,
                       struct session_event *out, struct err *err)
{
    if (event->kind == SESSION_BYE) {
        return refused(session, err, ERR_CONNECT, "the server says good-bye",
                       &event->reply);
    }
    if (event->kind != SESSION_CODE || event->reply.status != IMAP_OK)
        return err_set(err, ERR_PROTOCOL, "no IMAP greeting");
    find_quirks(session, event->reply.text);
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
        return refused(session, err, ERR_CONNECT, "STARTTLS refused", reply);
    if (framer_rest(&session->framer) > 0) {
        return err_set(err, ERR_PROTOCOL,
                       "plain text behind the answer to STARTTLS: somebody "
                       "is in between");
    }
    session->login.stage = STAGE_HANDSHAKE;
    *out = (struct session_event){.kind = SESSION_STARTTLS};
    return 0;
}

static int on_login_answer(struct session *session,
                           const struct session_reply *reply,
                           struct session_event *out, struct err *err)
{
    if (reply->status != IMAP_OK)
        return refused(session, err, ERR_AUTH, "login refused", reply);
    if (!session_auth_is_complete(session)) {
        return err_set(err, ERR_PROTOCOL,
                       "logged in before the login was over");
    }
    session_auth_deinit(session);
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
static int on_continue(struct session *session, struct bytes challenge,
                       struct err *err)
{
    int r;

    if (session->login.stage != STAGE_AUTH) {
        return err_set(err, ERR_PROTOCOL,
                       "the server asks for more of a command without more");
    }
    r = session_auth_continue(session, challenge, err);
    return r < 0 ? r : 1;
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
        return on_continue(session, event->reply.text, err);
    case SESSION_CODE:
        show_alert(session, &event->reply);
        return 1;
    case SESSION_BYE:
        return refused(session, err, ERR_CONNECT, "the server says good-bye",
                       &event->reply);
    default:
        return 1; /* nothing that was asked for */
    }
}

void session_bind(struct session *session, const struct binding *binding)
{
    session->login.binding = *binding;
}

/* Is the server on this machine? */
static bool is_here(const char *host)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;

    if (inet_pton(AF_INET, host, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &ipv6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&ipv6);
    return strcasecmp(host, "localhost") == 0;
}

/* What was found before TLS may come from somebody in between, but on this
 * machine, where nobody is: Proton Bridge shows what it is in its greeting, and
 * never again. What the server offers from now on counts, too. */
static void find_quirks_again(struct session *session)
{
    const struct session_options *options = &session->options;

    if (options->quirks != NULL ||
        (options->host != NULL && is_here(options->host)))
        return;
    session->quirks = quirks_none();
    find_quirks(session, B(""));
}

void session_tls_started(struct session *session)
{
    session->login.secure = true;
    caps_clear(&session->caps);
    find_quirks_again(session);
    if (framer_rest(&session->framer) > 0) {
        session->failure = err_set(&session->err, ERR_PROTOCOL,
                                   "plain text behind the answer to STARTTLS");
        return;
    }
    (void)ask_capability(session, STAGE_CAPS);
}
