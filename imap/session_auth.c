/*
 * Logging in: by AUTHENTICATE (RFC 9051 section 6.2.2), where the mechanism is
 * one of sasl.h, or by the LOGIN command.
 */
#include <string.h>

#include "imap/session_internal.h"

#define LITERAL_MINUS_MAX 4096u /* RFC 7888 section 5 */

/* What a way to log in needs. */
enum secret { SECRET_NONE, SECRET_PASSWORD, SECRET_TOKEN };

struct way {
    enum sasl_mechanism mechanism;
    enum secret secret;
    enum session_auth auth; /* that names it */
    bool by_name;           /* never chosen by AUTO */
};

/* Strongest first. */
static const struct way ways[] = {
    {SASL_OAUTHBEARER,        SECRET_TOKEN,    SESSION_AUTH_OAUTHBEARER,        false},
    {SASL_XOAUTH2,            SECRET_TOKEN,    SESSION_AUTH_XOAUTH2,            false},
    {SASL_SCRAM_SHA_256_PLUS, SECRET_PASSWORD, SESSION_AUTH_SCRAM_SHA_256_PLUS,
     false                                                                           },
    {SASL_SCRAM_SHA_1_PLUS,   SECRET_PASSWORD, SESSION_AUTH_SCRAM_SHA_1_PLUS,
     false                                                                           },
    {SASL_SCRAM_SHA_256,      SECRET_PASSWORD, SESSION_AUTH_SCRAM_SHA_256,      false},
    {SASL_SCRAM_SHA_1,        SECRET_PASSWORD, SESSION_AUTH_SCRAM_SHA_1,        false},
    {SASL_PLAIN,              SECRET_PASSWORD, SESSION_AUTH_PLAIN,              false},
    {SASL_EXTERNAL,           SECRET_NONE,     SESSION_AUTH_EXTERNAL,           false},
    {SASL_CRAM_MD5,           SECRET_PASSWORD, SESSION_AUTH_CRAM_MD5,           true },
};

/* Does the server offer it, and can we do all that it takes? */
static bool is_possible(const struct session *session, const struct way *way)
{
    return (session->caps.auth & 1u << way->mechanism) != 0 &&
           (session->options.authzid == NULL ||
            sasl_takes_authzid(way->mechanism)) &&
           (session->login.binding.kind != BINDING_NONE ||
            !sasl_is_bound(way->mechanism));
}

static const struct way *find_way(const struct session *session)
{
    const struct session_options *options = &session->options;
    enum secret secret =
        options->token != NULL ? SECRET_TOKEN : SECRET_PASSWORD;
    size_t i;

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct way *way = &ways[i];
        bool fits = options->auth == SESSION_AUTH_AUTO
                        ? way->secret == secret && !way->by_name
                        : way->auth == options->auth;

        if (fits && is_possible(session, way))
            return way;
    }
    return NULL;
}

static bool may_use_login(const struct session *session)
{
    const struct session_options *options = &session->options;

    return (session->caps.bits & CAP_LOGINDISABLED) == 0 &&
           options->authzid == NULL &&
           (options->auth == SESSION_AUTH_LOGIN ||
            (options->auth == SESSION_AUTH_AUTO && options->token == NULL));
}

static void wipe(struct buf *buf)
{
    if (buf->ptr != NULL)
        session_login_wipe(buf->ptr, buf->cap);
    buf_deinit(buf);
}

/* Queue a line without its CRLF, or a part of one, that the log does not get to
 * see; in one piece, so that no copy of it stays behind in memory that was
 * outgrown. */
static void put_secret(struct session *session, struct bytes text)
{
    (void)buf_reserve(&session->out, text.len + 2);
    if (text.len > 0)
        session_command_secret(session, text);
}

static int begin_authenticate(struct session *session, const struct way *way,
                              struct err *err)
{
    struct session_login *login = &session->login;
    const struct session_options *options = &session->options;
    const struct sasl_options sasl = {
        .mechanism = way->mechanism,
        .user = options->user,
        .authzid = options->authzid,
        .password = options->password,
        .token = options->token,
        .host = options->host,
        .port = options->port,
        .binding = login->binding,
    };
    int r = sasl_new(&sasl, &login->sasl, err);

    if (r < 0)
        return r;
    session_begin(session);
    session_printf(session, "AUTHENTICATE %s", sasl_name(way->mechanism));
    login->asked = !sasl_begins(login->sasl); /* nothing to be asked for */
    login->at_once = !login->asked && (session->caps.bits & CAP_SASL_IR) != 0;
    if (login->at_once) {
        session_add(session, B(" "), false);
        put_secret(session, sasl_first(login->sasl));
    }
    session_end(session);
    return 0;
}

static struct buf *add_line(struct session *session)
{
    struct buf *line = &session->login.lines[session->login.n_lines++];
    size_t secret =
        strlen(session->options.user) + strlen(session->options.password);

    /* Room for all that may come, as in put_secret(). */
    (void)buf_reserve(line, 2 * secret + 512);
    return line;
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

        (void)buf_printf(line, "{%zu%s}", text.len, at_once ? "+" : "");
        if (at_once) {
            (void)buf_add(line, B("\r\n"));
        } else {
            line = add_line(session);
        }
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

    line = add_argument(session, line, bytes_of(session->options.user));
    (void)buf_add_char(line, ' ');
    (void)add_argument(session, line, bytes_of(session->options.password));
}

/* Queue the next line of LOGIN. */
static void send_line(struct session *session)
{
    struct session_login *login = &session->login;

    put_secret(session, buf_peek(&login->lines[login->sent]));
    session_end(session);
    login->sent++;
}

static void begin_command(struct session *session)
{
    prepare_login(session);
    session_begin(session);
    session_add(session, B("LOGIN "), false);
    send_line(session);
}

static bool is_one_line(const char *text)
{
    return text == NULL || strpbrk(text, "\r\n") == NULL;
}

/* May anything be sent at all? */
static int check(const struct session *session, struct err *err)
{
    const struct session_options *options = &session->options;

    if (!session->login.secure && !options->plaintext) {
        return err_set(err, ERR_CONNECT,
                       "the password would go out in plain text; set tls = "
                       "starttls or implicit, or allow_plaintext = yes");
    }
    if (!is_one_line(options->user) || !is_one_line(options->authzid) ||
        !is_one_line(options->password)) {
        return err_set(err, ERR_AUTH,
                       "a line break in the user name or the password");
    }
    return 0;
}

static int no_way(const struct session *session, struct err *err)
{
    static const char *const names[] = {
        [SESSION_AUTH_AUTO] = "login with a password",
        [SESSION_AUTH_PLAIN] = "AUTH=PLAIN",
        [SESSION_AUTH_LOGIN] = "LOGIN",
        [SESSION_AUTH_SCRAM_SHA_256_PLUS] = "AUTH=SCRAM-SHA-256-PLUS",
        [SESSION_AUTH_SCRAM_SHA_1_PLUS] = "AUTH=SCRAM-SHA-1-PLUS",
        [SESSION_AUTH_SCRAM_SHA_256] = "AUTH=SCRAM-SHA-256",
        [SESSION_AUTH_SCRAM_SHA_1] = "AUTH=SCRAM-SHA-1",
        [SESSION_AUTH_CRAM_MD5] = "AUTH=CRAM-MD5",
        [SESSION_AUTH_XOAUTH2] = "AUTH=XOAUTH2",
        [SESSION_AUTH_OAUTHBEARER] = "AUTH=OAUTHBEARER",
        [SESSION_AUTH_EXTERNAL] = "AUTH=EXTERNAL",
    };
    const struct session_options *options = &session->options;
    bool by_token =
        options->auth == SESSION_AUTH_AUTO && options->token != NULL;

    if (!session->login.secure) {
        return err_set(err, ERR_CONNECT,
                       "the server takes no %s without TLS; set tls = starttls "
                       "or implicit",
                       options->token != NULL ? "token" : "password");
    }
    return err_set(err, ERR_AUTH, "the server offers no %s",
                   by_token ? "login with a token" : names[options->auth]);
}

int session_auth_begin(struct session *session, struct err *err)
{
    const struct way *way = find_way(session);
    int r = check(session, err);

    if (r < 0)
        return r;
    if (way != NULL)
        return begin_authenticate(session, way, err);
    if (!may_use_login(session))
        return no_way(session, err);
    begin_command(session);
    return 0;
}

static int continue_command(struct session *session, struct err *err)
{
    if (session->login.sent == session->login.n_lines) {
        return err_set(err, ERR_PROTOCOL,
                       "the server asks for more than LOGIN has to say");
    }
    send_line(session);
    return 0;
}

int session_auth_continue(struct session *session, struct bytes challenge,
                          struct err *err)
{
    struct session_login *login = &session->login;
    struct buf line;
    int r;

    if (login->sasl == NULL)
        return continue_command(session, err);
    /* Some servers ask although they have got it with the command. */
    if (!login->asked && (!login->at_once || challenge.len == 0)) {
        login->asked = true;
        put_secret(session, sasl_first(login->sasl));
        session_end(session);
        return 0;
    }
    login->asked = true;
    buf_init(&line, 0);
    r = sasl_step(login->sasl, challenge, &line, err);
    if (r == 0) {
        put_secret(session, buf_peek(&line));
        session_end(session);
    }
    wipe(&line);
    return r;
}

bool session_auth_is_complete(const struct session *session)
{
    const struct session_login *login = &session->login;

    if (login->sasl == NULL)
        return login->sent == login->n_lines;
    return (login->at_once || login->asked) && sasl_is_complete(login->sasl);
}

void session_auth_deinit(struct session *session)
{
    unsigned i;

    for (i = 0; i < LOGIN_LINES_MAX; i++)
        wipe(&session->login.lines[i]);
    sasl_free(session->login.sasl);
    session->login.sasl = NULL;
}
