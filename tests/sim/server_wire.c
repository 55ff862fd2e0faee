/* Sessions: octets in, commands, octets out. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "tests/sim/sched.h"
#include "tests/sim/server_internal.h"

/* --- out --------------------------------------------------------------------- */

/* The first line of it, and not too much. */
static int shown(struct bytes line)
{
    const char *end =
        line.len > 0 ? memchr(line.ptr, '\r', line.len) : line.ptr;

    if (end != NULL)
        line.len = (size_t)(end - line.ptr);
    return (int)(line.len < 160 ? line.len : 160);
}

static void tell(const struct server_session *session, const char *way,
                 struct bytes line)
{
    line = bytes_trim(line);
    if (session->server->tell)
        printf("# %8.3f %u.%u%s %.*s\n", (double)sched_now_us() / 1e6,
               session->server->port, session->number, way, shown(line),
               line.ptr);
}

void server_say_bytes(struct server_session *session, struct bytes text)
{
    tell(session, session->conn != NULL ? "<" : "x", text);
    buf_add(&session->out, text);
    buf_add(&session->out, B("\r\n"));
}

static void __attribute__((format(printf, 3, 0)))
say(struct server_session *session, const char *before, const char *format,
    va_list args)
{
    char line[1000];
    int n = snprintf(line, sizeof(line), "%s", before);

    n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    server_say_bytes(session, (struct bytes){line, (size_t)n});
}

void server_say(struct server_session *session, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(session, "", format, args);
    va_end(args);
}

void server_answer(struct server_session *session, const char *format, ...)
{
    char *tag = server_word(session, 0);
    char *before = mem_printf("%s ", tag);
    va_list args;

    va_start(args, format);
    say(session, before, format, args);
    va_end(args);
    free(before);
    free(tag);
}

void server_flush(struct server_session *session)
{
    const struct server_watch *watch = &session->server->watch;
    bool more = true;

    if (session->conn != NULL && buf_len(&session->out) > 0) {
        if (watch->says != NULL)
            more = watch->says(watch->owner, &session->out);
        net_send(session->conn, buf_peek(&session->out));
        if (!more)
            net_hang_up(session->conn);
    }
    buf_clear(&session->out);
}

void server_wrong(struct server_session *session, const char *what)
{
    struct server_watch *watch = &session->server->watch;

    if (watch->wrong != NULL)
        watch->wrong(watch->owner, what);
}

void server_print_name(struct buf *out, const char *name)
{
    buf_printf(out, "\"%s\"", name);
}

void server_print_flags(struct buf *out, const struct server_mail *mail)
{
    static const char *const names[] = {"\\Seen", "\\Answered", "\\Flagged",
                                        "\\Deleted", "\\Draft"};
    const char *blank = "";

    buf_add(out, B("("));
    for (uint32_t i = 0; i < 5; i++) {
        if ((mail->flags & 1u << i) != 0) {
            buf_printf(out, "%s%s", blank, names[i]);
            blank = " ";
        }
    }
    for (uint32_t i = 0; i < SERVER_KEYWORDS; i++) {
        if ((mail->keywords & 1u << i) != 0) {
            buf_printf(out, "%s%s", blank, server_keyword(i));
            blank = " ";
        }
    }
    buf_add(out, B(")"));
}

/* --- words ------------------------------------------------------------------- */

bool server_word_is(const struct server_session *session, size_t i,
                    const char *text)
{
    return i < session->n &&
           bytes_equal_nocase(session->words[i].text, bytes_of(text));
}

char *server_word(const struct server_session *session, size_t i)
{
    return mem_text(i < session->n ? session->words[i].text : B(""));
}

char *server_word_name(const struct server_session *session, size_t i)
{
    return server_word_is(session, i, "INBOX") ? mem_copy("INBOX")
                                               : server_word(session, i);
}

/* "...{17+}": returns whether a literal is announced at the end of @line. */
static bool is_literal(struct bytes line, size_t *size, bool *unasked)
{
    size_t at;

    line = bytes_trim(line);
    if (line.len == 0 || line.ptr[line.len - 1] != '}')
        return false;
    at = line.len - 1;
    while (at > 0 && line.ptr[at] != '{')
        at--;
    *unasked = line.ptr[line.len - 2] == '+';
    *size = (size_t)strtoul(line.ptr + at + 1, NULL, 10);
    return line.ptr[at] == '{';
}

static void add_word(struct server_session *session, enum word_kind kind,
                     const char *from, const char *to)
{
    if (session->n < WORDS_MAX)
        session->words[session->n++] = (struct word){
            kind, {from, (size_t)(to - from)}
        };
}

/* A quoted string; its escapes are undone in place. Returns what is behind. */
static const char *take_quoted(struct server_session *session, const char *at,
                               const char *end)
{
    char *to = (char *)(uintptr_t)at;
    const char *from = to;

    for (; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        *to++ = *at;
    }
    add_word(session, WORD_QUOTED, from, to);
    return at < end ? at + 1 : end;
}

static const char *take_literal(struct server_session *session, const char *at,
                                const char *end)
{
    size_t size = (size_t)strtoul(at + 1, NULL, 10);
    const char *text = memchr(at, '\n', (size_t)(end - at));

    if (text == NULL || size > (size_t)(end - text - 1))
        return end; /* not here yet */
    add_word(session, WORD_LITERAL, text + 1, text + 1 + size);
    return text + 1 + size;
}

static const char *take_atom(struct server_session *session, const char *at,
                             const char *end)
{
    const char *from = at;
    bool inside = false;

    for (; at < end && *at != '\r'; at++) {
        inside = (inside || *at == '[') && *at != ']';
        if (!inside && (*at == ' ' || *at == '(' || *at == ')'))
            break;
    }
    add_word(session, WORD_ATOM, from, at);
    return at;
}

static void split(struct server_session *session, size_t len)
{
    const char *at = buf_peek(&session->in).ptr;
    const char *end = at + len;

    session->n = 0;
    while (at < end) {
        if (*at == ' ' || *at == '\r' || *at == '\n')
            at++;
        else if (*at == '"')
            at = take_quoted(session, at + 1, end);
        else if (*at == '{')
            at = take_literal(session, at, end);
        else if (*at == '(' || *at == ')') {
            add_word(session, *at == '(' ? WORD_OPEN : WORD_CLOSE, at, at + 1);
            at++;
        } else
            at = take_atom(session, at, end);
    }
}

/* --- one command after the other ---------------------------------------------- */

static void forget_command(struct server_session *session, size_t len)
{
    buf_ack(&session->in, len);
    session->scanned = 0;
    session->asked = false;
    session->n = 0;
}

/* A literal is asked for: is it welcome? An APPEND may be refused before it. */
static bool welcome(struct server_session *session, size_t len)
{
    char *name;
    bool there;

    split(session, len);
    if (!server_word_is(session, 1, "APPEND"))
        return true;
    name = server_word_name(session, 2);
    there = server_box(session->server, name) != NULL;
    free(name);
    if (!there)
        server_answer(session, "NO [TRYCREATE] no such mailbox");
    else if (sched_chance(session->server->fault[FAULT_FULL])) {
        session->server->n_fault[FAULT_FULL]++;
        server_answer(session, "NO [OVERQUOTA] full");
        there = false;
    }
    return there;
}

/* Is a whole command here? Its length into *@len. */
static bool take_command(struct server_session *session, size_t *len)
{
    for (;;) {
        struct bytes rest =
            bytes_skip(buf_peek(&session->in), session->scanned);
        const char *end =
            rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t line_len;
        size_t size;
        bool unasked;

        if (end == NULL)
            return false;
        line_len = (size_t)(end + 1 - rest.ptr);
        if (!is_literal((struct bytes){rest.ptr, line_len}, &size, &unasked)) {
            *len = session->scanned + line_len;
            return true;
        }
        if (!unasked && !session->asked) {
            if (!welcome(session, session->scanned + line_len)) {
                forget_command(session, session->scanned + line_len);
                server_flush(session);
                continue;
            }
            session->asked = true;
            server_say(session, "+ go on");
            server_flush(session);
        }
        if (rest.len - line_len < size)
            return false;
        session->scanned += line_len + size;
        session->asked = false;
    }
}

bool server_can(const struct server *server, const char *capability)
{
    static const struct {
        const char *name;
        enum server_tier tier; /* and the ones before it */
    } known[] = {
        {"QRESYNC",       SERVER_RESYNC   },
        {"CONDSTORE",     SERVER_CONDSTORE},
        {"LIST-EXTENDED", SERVER_CONDSTORE},
        {"LIST-STATUS",   SERVER_CONDSTORE},
        {"MULTIAPPEND",   SERVER_CONDSTORE},
        {"ESEARCH",       SERVER_CONDSTORE},
        {"ENABLE",        SERVER_RESYNC   },
        {"UIDPLUS",       SERVER_PLAIN    },
        {"MOVE",          SERVER_PLAIN    },
        {"LITERAL+",      SERVER_PLAIN    },
        {"UNSELECT",      SERVER_PLAIN    },
        {"NAMESPACE",     SERVER_PLAIN    },
        {"ID",            SERVER_CONDSTORE},
        {"SASL-IR",       SERVER_PLAIN    },
    };

    if (strcmp(capability, "OBJECTID") == 0)
        return server->mailbox_ids;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, capability) == 0)
            return server->tier <= known[i].tier;
    }
    return false;
}

static void print_caps(const struct server *server, struct buf *out)
{
    static const char *const names[] = {
        "QRESYNC",     "CONDSTORE", "LIST-EXTENDED", "LIST-STATUS",
        "MULTIAPPEND", "ESEARCH",   "ENABLE",        "UIDPLUS",
        "MOVE",        "LITERAL+",  "UNSELECT",      "NAMESPACE",
        "ID",          "SASL-IR",   "OBJECTID"};

    buf_add(out, B("CAPABILITY IMAP4rev1"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (server_can(server, names[i]))
            buf_printf(out, " %s", names[i]);
    }
    /* Without an initial response there is LOGIN. */
    if (server_can(server, "SASL-IR"))
        buf_add(out, B(" AUTH=PLAIN"));
}

static void answer_login(struct server_session *session)
{
    struct buf caps;

    if (sched_chance(session->server->fault[FAULT_REFUSED])) {
        session->server->n_fault[FAULT_REFUSED]++;
        server_answer(session, "NO [UNAVAILABLE] try again later");
        return;
    }
    session->logged_in = true;
    if (!session->server->told_caps) {
        server_answer(session, "OK logged in");
        return;
    }
    buf_init(&caps, 0);
    print_caps(session->server, &caps);
    server_answer(session, "OK [%s] logged in", buf_text(&caps));
    buf_deinit(&caps);
}

static void capability(struct server_session *session)
{
    struct buf caps;

    buf_init(&caps, 0);
    buf_add(&caps, B("* "));
    print_caps(session->server, &caps);
    server_say_bytes(session, buf_peek(&caps));
    buf_deinit(&caps);
    server_answer(session, "OK done");
}

static void enable(struct server_session *session)
{
    if (server_word_is(session, 2, "QRESYNC") &&
        server_can(session->server, "QRESYNC")) {
        session->qresync = true;
        server_say(session, "* ENABLED QRESYNC");
    }
    server_answer(session, "OK done");
}

static void log_out(struct server_session *session)
{
    server_say(session, "* BYE logging out");
    server_answer(session, "OK done");
    session->over = true;
}

static void by_uid(struct server_session *session)
{
    if (server_word_is(session, 2, "FETCH"))
        server_fetch(session, 3);
    else if (server_word_is(session, 2, "SEARCH"))
        server_search(session, 3);
    else if (server_word_is(session, 2, "STORE"))
        server_store(session, 3);
    else if (server_word_is(session, 2, "COPY"))
        server_place(session, 3, false);
    else if (server_word_is(session, 2, "MOVE") &&
             server_can(session->server, "MOVE"))
        server_place(session, 3, true);
    else if (server_word_is(session, 2, "EXPUNGE") &&
             server_can(session->server, "UIDPLUS"))
        server_do_expunge(session, true);
    else
        server_answer(session, "BAD unknown UID command");
}

static void noop(struct server_session *session)
{
    server_show_changes(session);
    server_answer(session, "OK done");
}

static void name_space(struct server_session *session)
{
    server_say(session, "* NAMESPACE ((\"\" \"/\")) NIL NIL");
    server_answer(session, "OK done");
}

static void identify(struct server_session *session)
{
    server_say(session, "* ID NIL");
    server_answer(session, "OK done");
}

static void unselect(struct server_session *session)
{
    server_unselect(session);
    server_answer(session, "OK done");
}

static void select_box(struct server_session *session)
{
    server_select(session, false);
}

static void examine(struct server_session *session)
{
    server_select(session, true);
}

static void expunge(struct server_session *session)
{
    server_do_expunge(session, false);
}

static void subscribe(struct server_session *session)
{
    server_subscribe(session, true);
}

static void unsubscribe(struct server_session *session)
{
    server_subscribe(session, false);
}

static void log_in(struct server_session *session)
{
    answer_login(session);
}

static void store_by_number(struct server_session *session)
{
    server_wrong(session, "STORE by sequence number");
    server_answer(session, "BAD no");
}

enum {
    ANY = 1,      /* before the login, too */
    SELECTED = 2, /* a mailbox has to be */
    CHANGES = 4,
    FIRM = 8 /* no fault may come: the client could do nothing about it */
};

static const struct command {
    const char *name;
    void (*run)(struct server_session *session);
    unsigned what;
} commands[] = {
    {"CAPABILITY",   capability,       ANY | FIRM        },
    {"LOGIN",        log_in,           ANY | FIRM        },
    {"AUTHENTICATE", log_in,           ANY | FIRM        },
    {"LOGOUT",       log_out,          ANY | FIRM        },
    {"ENABLE",       enable,           FIRM              },
    {"ID",           identify,         FIRM              },
    {"NAMESPACE",    name_space,       FIRM              },
    {"NOOP",         noop,             0                 },
    {"LIST",         server_list,      0                 },
    {"LSUB",         server_lsub,      0                 },
    {"STATUS",       server_status,    0                 },
    {"SELECT",       select_box,       0                 },
    {"EXAMINE",      examine,          0                 },
    {"UNSELECT",     unselect,         FIRM              },
    {"CLOSE",        server_close,     FIRM              },
    {"EXPUNGE",      expunge,          SELECTED | CHANGES},
    {"STORE",        store_by_number,  SELECTED          },
    {"UID",          by_uid,           SELECTED          },
    {"APPEND",       server_append,    CHANGES           },
    {"CREATE",       server_create,    CHANGES           },
    {"DELETE",       server_delete,    CHANGES           },
    {"RENAME",       server_do_rename, CHANGES           },
    {"SUBSCRIBE",    subscribe,        CHANGES           },
    {"UNSUBSCRIBE",  unsubscribe,      CHANGES           },
};

static const struct command *find_command(const struct server_session *session)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (server_word_is(session, 1, commands[i].name))
            return &commands[i];
    }
    return NULL;
}

static bool is_change(const struct server_session *session,
                      const struct command *command)
{
    return (command->what & CHANGES) != 0 ||
           (command->run == by_uid && !server_word_is(session, 2, "FETCH") &&
            !server_word_is(session, 2, "SEARCH"));
}

/* --- faults ------------------------------------------------------------------- */

static bool comes(struct server_session *session, enum server_fault fault)
{
    struct server *server = session->server;

    if (session->conn == NULL || !sched_chance(server->fault[fault]))
        return false;
    server->n_fault[fault]++;
    return true;
}

static void cut(struct server_session *session)
{
    net_break(session->conn, (enum net_cut)sched_random(NET_CUTS));
}

/* A message that is refused for good is not offered again, and a keyword is left
 * out: so both are refused for now only. */
static void refuse(struct server_session *session)
{
    static const char *const codes[] = {
        "[INUSE] busy",       "[UNAVAILABLE] not now", "[SERVERBUG] oops",
        "[NOPERM] forbidden", "[CANNOT] refused",      "refused"};
    bool passes = server_word_is(session, 1, "APPEND") ||
                  server_word_is(session, 2, "STORE");

    server_answer(session, "NO %s", codes[sched_random(passes ? 4 : 6)]);
}

/* What happens in place of the command, or to it. Returns whether it is over. */
static bool fault_before(struct server_session *session, bool changes)
{
    if (comes(session, FAULT_REFUSED)) {
        /* RFC 9051 section 6.3.2: then nothing is selected. */
        if (server_word_is(session, 1, "SELECT") ||
            server_word_is(session, 1, "EXAMINE"))
            server_unselect(session);
        refuse(session);
        return true;
    }
    if (comes(session, FAULT_BYE)) {
        server_say(session, "* BYE %s",
                   sched_chance(2) ? "going down" : "[UNAVAILABLE] later");
        session->over = true;
        return true;
    }
    if (!changes)
        return false;
    if (comes(session, FAULT_FULL)) {
        server_answer(session, "NO [OVERQUOTA] full");
        return true;
    }
    if (comes(session, FAULT_LOST_BEFORE)) {
        cut(session);
        return true;
    }
    return false;
}

/* A mailbox that was deleted under a session: most servers hang up. */
static bool is_orphaned(struct server_session *session)
{
    if (session->box == NULL || !session->box->dead)
        return false;
    server_say(session, "* BYE the mailbox is gone");
    session->over = true;
    return true;
}

static void run_command(struct server_session *session)
{
    struct server *server = session->server;
    const struct command *command = find_command(session);
    bool changes;

    if (server->watch.user != NULL && comes(session, FAULT_USER))
        server->watch.user(server->watch.owner);
    if (command == NULL ||
        (!session->logged_in && (command->what & ANY) == 0)) {
        server_answer(session, "BAD unknown command");
        return;
    }
    if ((command->what & SELECTED) != 0 && session->box == NULL) {
        server_answer(session, "BAD nothing is selected");
        return;
    }
    changes = is_change(session, command);
    if (((command->what & SELECTED) != 0 && is_orphaned(session)) ||
        ((command->what & FIRM) == 0 && fault_before(session, changes)))
        return;
    server->n_changes += changes;
    command->run(session);
    if (changes && comes(session, FAULT_LOST_AFTER)) {
        buf_clear(&session->out);
        cut(session);
    }
}

/* --- life of a session ---------------------------------------------------------- */

static void go_on(void *owner);

static void free_session(struct server_session *session)
{
    struct server_session **at = &session->server->sessions;

    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    sched_cancel(go_on, session);
    buf_deinit(&session->in);
    buf_deinit(&session->out);
    free(session->seen);
    free(session->words);
    free(session);
}

static void plan(struct server_session *session)
{
    static const uint32_t delays_us[] = {0, 0, 0, 50, 2000, 80000};

    if (session->planned || session->over)
        return;
    session->planned = true;
    sched_at(sched_random(delays_us[sched_random(6)] + 1), go_on, session);
}

static bool take_and_run(struct server_session *session)
{
    size_t len;

    if (!take_command(session, &len))
        return false;
    split(session, len);
    tell(session, ">", (struct bytes){buf_peek(&session->in).ptr, len});
    run_command(session);
    forget_command(session, len);
    return true;
}

static void go_on(void *owner)
{
    struct server_session *session = owner;
    bool more;

    session->planned = false;
    if (session->over)
        return;
    if (comes(session, FAULT_LATE)) {
        /* All that came whole is carried out, some time later. */
        session->late = true;
        cut(session);
        return;
    }
    session->busy = true;
    do {
        more = take_and_run(session);
    } while (more && session->conn == NULL && session->late);
    session->busy = false;
    if (session->conn == NULL) {
        free_session(session);
        return;
    }
    server_flush(session);
    if (session->over)
        net_hang_up(session->conn);
    else if (more)
        plan(session);
}

static void *on_accept(void *owner, struct net_conn *conn)
{
    struct server *server = owner;
    struct server_session *session = MEM_NEW(struct server_session);

    session->next = server->sessions;
    server->sessions = session;
    session->server = server;
    session->number = ++server->n_sessions;
    session->conn = conn;
    session->words = mem_new(WORDS_MAX, sizeof(*session->words));
    buf_init(&session->in, 0);
    buf_init(&session->out, 0);
    if (server->told_caps) {
        struct buf caps;

        buf_init(&caps, 0);
        print_caps(server, &caps);
        server_say(session, "* OK [%s] ready", buf_text(&caps));
        buf_deinit(&caps);
    } else {
        server_say(session, "* OK ready");
    }
    server_flush(session);
    return session;
}

static void on_data(void *peer, struct bytes data)
{
    struct server_session *session = peer;

    buf_add(&session->in, data);
    plan(session);
}

static void on_gone(void *peer)
{
    struct server_session *session = peer;

    session->conn = NULL;
    tell(session, "!", B("gone"));
    if (session->busy)
        return;
    if (session->over || (!session->late && sched_chance(2))) {
        free_session(session);
        return;
    }
    session->late = true;
    sched_cancel(go_on, session);
    session->planned = true;
    sched_at(sched_random(session->server->late_ms * 1000), go_on, session);
}

void server_listen(struct server *server)
{
    const struct net_service service = {
        .accept = on_accept, .data = on_data, .gone = on_gone, .owner = server};

    net_listen(server->port, &service);
}

void server_end_sessions(struct server *server)
{
    while (server->sessions != NULL)
        free_session(server->sessions);
}
