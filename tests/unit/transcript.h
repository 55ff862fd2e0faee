/*
 * Plays transcripts against a session. A transcript is lines:
 *
 *     S: text    the server sends this line
 *     s: text    the same without a line end
 *     C: text    the session has queued exactly these lines, and they are sent
 *     >: text    the owner writes a command
 *     T:         the owner's TLS stands
 *     E: text    one event, in the words of render()
 *
 * Events are compared as a whole at the end, so that E lines may stand where
 * they read best. Data of a body is put together, as its pieces depend on how
 * the stream was cut.
 */
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "imap/session.h"
#include "tests/tap.h"

struct transcript {
    const char *name;
    const char *lines;
    struct session_options options; /* zero: TLS, user bob, "sesame" */
    bool no_tls;
};

/* How the server's bytes are cut: at @at, counted over all of them, or (where
 * @at is CUT_ALWAYS) behind every byte; and where they end. */
#define CUT_ALWAYS SIZE_MAX

struct cut {
    size_t at;
    size_t end;
};

struct play {
    struct session *session;
    struct keywords *keywords;
    struct cut cut;
    size_t fed;
    bool over; /* failed, or all that cut.end allows is fed */
    bool good; /* the session queued what it should have */
    bool compare;
    struct buf events;
    struct buf body;
    struct buf wire; /* the log */
};

static const char *const status_names[] = {"OK", "NO", "BAD"};

static const char *failure_name(int code)
{
    switch (code) {
    case ERR_CONNECT:
        return "CONNECT";
    case ERR_AUTH:
        return "AUTH";
    case ERR_PROTOCOL:
        return "PROTOCOL";
    case ERR_LIMIT:
        return "LIMIT";
    case ERR_BUSY:
        return "BUSY";
    default:
        return "?";
    }
}

static void render_set(struct buf *out, const char *name,
                       const struct uidset *set)
{
    size_t from = 0;

    if (set == NULL || set->n == 0)
        return;
    (void)buf_printf(out, " %s=", name);
    uidset_print(set, &from, SIZE_MAX / 2, out);
}

static void render_text(struct buf *out, const char *name, struct bytes text)
{
    (void)buf_printf(out, " %s=<", name);
    (void)buf_add(out, text);
    (void)buf_add(out, B(">"));
}

static void render_reply(const struct play *play, struct buf *out,
                         const struct session_reply *reply)
{
    (void)buf_printf(out, " %s code=%d", status_names[reply->status],
                     (int)reply->code);
    if (reply->number != 0) {
        (void)buf_printf(out, " number=%llu",
                         (unsigned long long)reply->number);
    }
    render_set(out, "set2", reply->set2);
    render_set(out, "set", reply->set);
    if (reply->code == CODE_PERMANENTFLAGS) {
        (void)buf_printf(out, " system=%u any=%d", reply->storable.system,
                         reply->storable.any_keyword);
        render_text(out, "keywords",
                    keywords_text(play->keywords, reply->storable.keywords));
    }
    render_text(out, "text", reply->text);
}

static void render_fetch(const struct play *play, struct buf *out,
                         const struct session_fetch *fetch)
{
    (void)buf_add(out, B("fetch"));
    if ((fetch->has & FETCH_UID) != 0)
        (void)buf_printf(out, " uid=%u", fetch->uid);
    if ((fetch->has & FETCH_FLAGS) != 0) {
        (void)buf_printf(out, " flags=%u", fetch->flags.system);
        if (fetch->flags.keywords != 0) {
            render_text(out, "keywords",
                        keywords_text(play->keywords, fetch->flags.keywords));
        }
    }
    if ((fetch->has & FETCH_SIZE) != 0)
        (void)buf_printf(out, " size=%llu", (unsigned long long)fetch->size);
    if ((fetch->has & FETCH_DATE) != 0)
        (void)buf_printf(out, " date=%lld", (long long)fetch->date);
    if ((fetch->has & FETCH_MODSEQ) != 0) {
        (void)buf_printf(out, " modseq=%llu",
                         (unsigned long long)fetch->modseq);
    }
    if ((fetch->has & FETCH_BODY) != 0)
        (void)buf_add(out, B(" body"));
    if ((fetch->has & FETCH_BODY_NIL) != 0)
        (void)buf_add(out, B(" nil"));
}

static void render_list(struct buf *out, const struct session_list *list)
{
    (void)buf_printf(out, "list %u ", list->attributes);
    if (list->delimiter == '\0') {
        (void)buf_add(out, B("NIL"));
    } else {
        (void)buf_add_char(out, list->delimiter);
    }
    render_text(out, "name", list->name);
}

static void render_status(struct buf *out,
                          const struct session_status_data *status)
{
    (void)buf_add(out, B("status"));
    render_text(out, "name", status->name);
    if ((status->has & STATUS_MESSAGES) != 0)
        (void)buf_printf(out, " messages=%u", status->messages);
    if ((status->has & STATUS_UIDNEXT) != 0)
        (void)buf_printf(out, " uidnext=%u", status->uidnext);
    if ((status->has & STATUS_UIDVALIDITY) != 0)
        (void)buf_printf(out, " uidvalidity=%u", status->uidvalidity);
    if ((status->has & STATUS_HIGHESTMODSEQ) != 0) {
        (void)buf_printf(out, " modseq=%llu",
                         (unsigned long long)status->highestmodseq);
    }
    if ((status->has & STATUS_SIZE) != 0)
        (void)buf_printf(out, " size=%llu", (unsigned long long)status->size);
    if (status->mailbox_id != 0)
        (void)buf_printf(out, " id=%llx",
                         (unsigned long long)status->mailbox_id);
}

static void render_set_event(struct buf *out, const struct session_event *event)
{
    (void)buf_add(out,
                  event->kind == SESSION_SEARCH ? B("search") : B("vanished"));
    if (event->vanished.earlier)
        (void)buf_add(out, B(" earlier"));
    render_set(out, "set", event->vanished.set);
}

static void render_body(struct play *play, const struct session_event *event)
{
    struct buf *out = &play->events;

    if (event->kind == SESSION_BODY) {
        buf_clear(&play->body);
        (void)buf_printf(out, "body uid=%u size=%llu%s", event->fetch.uid,
                         (unsigned long long)event->body_size,
                         event->body_is_header ? " header" : "");
        return;
    }
    (void)buf_add(out, B("end"));
    render_text(out, "data", buf_peek(&play->body));
}

static void render_login(struct play *play, const struct session_event *event)
{
    if (event->kind == SESSION_STARTTLS) {
        (void)buf_add(&play->events, B("starttls"));
    } else {
        (void)buf_printf(&play->events, "ready %x",
                         session_caps(play->session)->bits);
    }
}

static void render_replies(struct play *play, const struct session_event *event)
{
    struct buf *out = &play->events;

    switch (event->kind) {
    case SESSION_TAGGED:
        (void)buf_printf(out, "tagged %u", event->reply.tag);
        render_reply(play, out, &event->reply);
        break;
    case SESSION_CODE:
        (void)buf_add(out, B("code"));
        render_reply(play, out, &event->reply);
        break;
    case SESSION_CONTINUE:
        (void)buf_add(out, B("continue"));
        render_text(out, "text", event->reply.text);
        break;
    default:
        (void)buf_add(out, B("bye"));
        render_text(out, "text", event->reply.text);
        break;
    }
}

static void render_words(struct buf *out, const struct session_event *event)
{
    char delimiter = event->name_space.delimiter;

    if (event->kind == SESSION_ENABLED) {
        (void)buf_add(out, B("enabled"));
        render_text(out, "words", event->data);
        return;
    }
    (void)buf_printf(out, "namespace %c", delimiter == 0 ? '0' : delimiter);
    render_text(out, "prefix", event->name_space.prefix);
}

/* One line for @event; none where it is a part of one. */
static void render(struct play *play, const struct session_event *event)
{
    struct buf *out = &play->events;

    switch (event->kind) {
    case SESSION_STARTTLS:
    case SESSION_READY:
        render_login(play, event);
        break;
    case SESSION_TAGGED:
    case SESSION_CONTINUE:
    case SESSION_CODE:
    case SESSION_BYE:
        render_replies(play, event);
        break;
    case SESSION_LIST:
        render_list(out, &event->list);
        break;
    case SESSION_STATUS:
        render_status(out, &event->status);
        break;
    case SESSION_EXISTS:
        (void)buf_printf(out, "exists %llu", (unsigned long long)event->number);
        break;
    case SESSION_EXPUNGE:
        (void)buf_printf(out, "expunge %llu",
                         (unsigned long long)event->number);
        break;
    case SESSION_VANISHED:
    case SESSION_SEARCH:
        render_set_event(out, event);
        break;
    case SESSION_FETCH:
        render_fetch(play, out, &event->fetch);
        break;
    case SESSION_BODY_DATA:
        (void)buf_add(&play->body, event->data);
        return;
    case SESSION_BODY:
    case SESSION_BODY_END:
        render_body(play, event);
        break;
    case SESSION_ENABLED:
    case SESSION_NAMESPACE:
        render_words(out, event);
        break;
    }
    (void)buf_add_char(out, '\n');
}

/* Take all events there are. */
static void drain(struct play *play)
{
    struct session_event event;
    struct err err;
    int r;

    if (play->over)
        return;
    while ((r = session_next(play->session, &event, &err)) == 0)
        render(play, &event);
    if (r < 0) {
        (void)buf_printf(&play->events, "fail %s: %s\n", failure_name(r),
                         err.text);
        play->over = true;
    }
}

/* Feed @text as the cut says. */
static void feed(struct play *play, struct bytes text)
{
    while (text.len > 0 && !play->over) {
        size_t n = text.len;

        if (play->cut.at == CUT_ALWAYS) {
            n = 1;
        } else if (play->cut.at > play->fed && play->cut.at - play->fed < n) {
            n = play->cut.at - play->fed;
        }
        if (play->fed + n > play->cut.end)
            n = play->cut.end - play->fed;
        session_feed(play->session, (struct bytes){text.ptr, n});
        play->fed += n;
        text = bytes_skip(text, n);
        drain(play);
        if (play->fed == play->cut.end)
            play->over = true;
    }
}

static void expect_output(struct play *play, struct bytes want)
{
    struct bytes got = session_output(play->session);

    if (play->over)
        return;
    if (!bytes_equal(got, want)) {
        printf("# queued <%.*s>\n# wanted <%.*s>\n", (int)got.len, got.ptr,
               (int)want.len, want.ptr);
        play->good = false;
    }
    session_sent(play->session, got.len);
}

static void to_wire(void *owner, enum log_level level, const char *line)
{
    struct buf *wire = owner;

    (void)level;
    (void)buf_add(wire, bytes_of(line));
    (void)buf_add_char(wire, '\n');
}

/* What one run of lines of the same kind says; E lines go to @want. */
static void act(struct play *play, char kind, struct buf *text,
                struct buf *want)
{
    switch (kind) {
    case 'S':
    case 's':
        feed(play, buf_peek(text));
        break;
    case 'C':
        expect_output(play, buf_peek(text));
        break;
    case '>':
        if (!play->over) {
            session_send(play->session, "%.*s", (int)buf_len(text) - 2,
                         buf_peek(text).ptr);
        }
        break;
    case 'T':
        if (!play->over) {
            session_tls_started(play->session);
            drain(play);
        }
        break;
    default:
        (void)buf_add(want, buf_peek(text));
        break;
    }
    buf_clear(text);
}

static bool same_run(char a, char b)
{
    return a == b && a != '>';
}

static void walk(struct play *play, const char *lines, struct buf *want)
{
    struct buf text;
    char kind = '\0';

    buf_init(&text, 0);
    while (*lines != '\0') {
        const char *end = strchr(lines, '\n');
        size_t n = end != NULL ? (size_t)(end - lines) : strlen(lines);

        if (kind != '\0' && !same_run(kind, lines[0]))
            act(play, kind, &text, want);
        kind = lines[0];
        if (n > 3)
            (void)buf_add(&text, (struct bytes){lines + 3, n - 3});
        if (kind == 'E') {
            (void)buf_add(&text, B("\n"));
        } else if (kind != 's') {
            (void)buf_add(&text, B("\r\n"));
        }
        lines += end != NULL ? n + 1 : n;
    }
    act(play, kind, &text, want);
    buf_deinit(&text);
}

/* Play @transcript; the events into play->events. */
static void play_once(const struct transcript *transcript, struct cut cut,
                      struct play *play, struct buf *want)
{
    struct log log = {LOG_WIRE, to_wire, &play->wire};
    struct session_options options = transcript->options;

    memset(play, 0, sizeof(*play));
    play->cut = cut;
    play->good = true;
    play->keywords = keywords_new();
    if (options.user == NULL)
        options.user = "bob";
    if (options.password == NULL)
        options.password = "sesame";
    options.tls = !transcript->no_tls && !options.starttls;
    options.keywords = play->keywords;
    options.log = &log;
    options.log_name = "test";
    play->session = session_new(&options);
    drain(play);
    walk(play, transcript->lines, want);
    session_free(play->session);
    keywords_free(play->keywords);
}

static void play_free(struct play *play)
{
    buf_deinit(&play->events);
    buf_deinit(&play->body);
    buf_deinit(&play->wire);
}

static bool starts_with(struct bytes text, struct bytes prefix)
{
    return prefix.len <= text.len &&
           memcmp(text.ptr, prefix.ptr, prefix.len) == 0;
}

static bool has_text(struct buf *buf, const char *text)
{
    return strstr(buf_text(buf), text) != NULL;
}

/* Every cut of the stream gives the same events; every prefix of it gives a
 * prefix of them. */
static void check_cuts(const struct transcript *transcript, size_t total,
                       struct buf *whole, struct buf *want)
{
    struct play play;
    size_t same = 0;
    size_t prefix = 0;
    size_t i;

    for (i = 1; i <= total; i++) {
        play_once(transcript, (struct cut){i, SIZE_MAX}, &play, want);
        same += bytes_equal(buf_peek(&play.events), buf_peek(whole));
        play_free(&play);
        play_once(transcript, (struct cut){0, i}, &play, want);
        prefix += starts_with(buf_peek(whole), buf_peek(&play.events));
        play_free(&play);
    }
    ok(same == total, "%s: any cut in two gives the same", transcript->name);
    ok(prefix == total, "%s: a prefix gives no more", transcript->name);
    play_once(transcript, (struct cut){CUT_ALWAYS, SIZE_MAX}, &play, want);
    ok(bytes_equal(buf_peek(&play.events), buf_peek(whole)),
       "%s: byte by byte gives the same", transcript->name);
    play_free(&play);
}

/* All of the above for one transcript. */
__attribute__((unused)) static void check_transcript(
    const struct transcript *transcript)
{
    struct play play;
    struct buf want;
    struct buf ignored;

    buf_init(&want, 0);
    buf_init(&ignored, 0);
    play_once(transcript, (struct cut){0, SIZE_MAX}, &play, &want);
    ok(play.good, "%s: queues what it should", transcript->name);
    if (!ok(bytes_equal(buf_peek(&play.events), buf_peek(&want)), "%s",
            transcript->name)) {
        printf("# got:\n%s# wanted:\n%s", buf_text(&play.events),
               buf_text(&want));
    }
    ok(!has_text(&play.wire, "sesame") && !has_text(&play.wire, "c2VzYW1l") &&
           !has_text(&play.wire, "AGJvYgBzZXNhbWU=") &&
           /* the nonce of SCRAM in base64, wherever it begins */
           !has_text(&play.wire, "V0ZwYkhSM") &&
           !has_text(&play.wire, "YldGcGJIU"),
       "%s: no secret in the log", transcript->name);
    check_cuts(transcript, play.fed, &play.events, &ignored);
    play_free(&play);
    buf_deinit(&want);
    buf_deinit(&ignored);
}

#endif
