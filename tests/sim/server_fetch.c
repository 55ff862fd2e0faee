/* The selected mailbox: SELECT, FETCH, SEARCH, and what is new in it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "imap/date.h"
#include "tests/sim/content.h"
#include "tests/sim/sched.h"
#include "tests/sim/server_internal.h"

/* --- what the client knows of it -------------------------------------------- */

static void see(struct server_session *session, uint32_t uid)
{
    session->seen = mem_grow(session->seen, session->n_seen, &session->cap_seen,
                             sizeof(*session->seen));
    session->seen[session->n_seen++] = uid;
}

/* Its sequence number; 0: the client has not heard of it. */
static size_t number_of(const struct server_session *session, uint32_t uid)
{
    for (size_t i = 0; i < session->n_seen; i++) {
        if (session->seen[i] == uid)
            return i + 1;
    }
    return 0;
}

static void say_gone(struct server_session *session, size_t number)
{
    if (session->qresync)
        server_say(session, "* VANISHED %u",
                   (unsigned)session->seen[number - 1]);
    else
        server_say(session, "* %zu EXPUNGE", number);
    session->n_seen--;
    memmove(&session->seen[number - 1], &session->seen[number],
            (session->n_seen - (number - 1)) * sizeof(*session->seen));
}

void server_show_changes(struct server_session *session)
{
    const struct server_box *box = session->box;
    size_t n_before;

    if (box == NULL || box->dead)
        return;
    for (size_t i = session->n_seen; i > 0; i--) {
        if (server_find(box, session->seen[i - 1]) == NULL)
            say_gone(session, i);
    }
    n_before = session->n_seen;
    for (size_t i = 0; i < box->n; i++) {
        if (n_before == 0 || box->mail[i].uid > session->seen[n_before - 1])
            see(session, box->mail[i].uid);
    }
    if (session->n_seen > n_before)
        server_say(session, "* %zu EXISTS", session->n_seen);
}

/* A server may do so with any command, or not. */
static void maybe_show_changes(struct server_session *session)
{
    if (sched_chance(2))
        server_show_changes(session);
}

void server_take_set(const struct server_session *session, size_t i,
                     struct uidset *set)
{
    const struct server_box *box = session->box;
    char *text = server_word(session, i);
    uint32_t last = box->n > 0 ? box->mail[box->n - 1].uid : 0;
    char *rest = text;

    while (*rest != '\0') {
        uint32_t first =
            *rest == '*' ? last : (uint32_t)strtoul(rest, &rest, 10);
        uint32_t second = first;

        if (*rest == '*')
            rest++;
        if (*rest == ':') {
            rest++;
            second = *rest == '*' ? last : (uint32_t)strtoul(rest, &rest, 10);
            if (*rest == '*')
                rest++;
        }
        for (size_t k = 0; k < box->n; k++) {
            uint32_t uid = box->mail[k].uid;

            if ((uid >= first && uid <= second) ||
                (uid >= second && uid <= first))
                uidset_add(set, uid);
        }
        if (*rest == ',')
            rest++;
    }
    free(text);
}

/* --- SELECT ------------------------------------------------------------------- */

void server_unselect(struct server_session *session)
{
    session->box = NULL;
    session->n_seen = 0;
}

static void say_box(struct server_session *session)
{
    const struct server_box *box = session->box;

    server_say(session, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen "
                        "\\Draft)");
    server_say(session, "* %zu EXISTS", session->n_seen);
    server_say(session, "* 0 RECENT");
    server_say(session, "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted "
                        "\\Seen \\Draft \\*)] kept");
    server_say(session, "* OK [UIDVALIDITY %u] valid", box->uidvalidity);
    server_say(session, "* OK [UIDNEXT %u] next", box->uidnext);
    if (server_can(session->server, "CONDSTORE"))
        server_say(session, "* OK [HIGHESTMODSEQ %" PRIu64 "] highest",
                   box->modseq);
}

/* "(QRESYNC (67890007 20050715194045000 41,43:211))" from word @at on. */
static void resync(struct server_session *session, size_t at)
{
    const struct server_box *box = session->box;
    char *validity = server_word(session, at + 3);
    char *since = server_word(session, at + 4);
    uint64_t modseq = strtoull(since, NULL, 10);
    struct uidset vanished = {0};
    struct buf out;
    size_t from = 0;

    buf_init(&out, 0);
    if (strtoul(validity, NULL, 10) == box->uidvalidity) {
        for (size_t i = 0; i < box->n_expunged; i++) {
            if (box->expunged[i].modseq > modseq)
                uidset_add(&vanished, box->expunged[i].uid);
        }
        if (vanished.n > 0) {
            buf_add(&out, B("* VANISHED (EARLIER) "));
            uidset_print(&vanished, &from, 4000, &out);
            server_say_bytes(session, buf_peek(&out));
        }
        for (size_t i = 0; i < box->n; i++) {
            if (box->mail[i].modseq <= modseq)
                continue;
            buf_clear(&out);
            buf_printf(&out, "* %zu FETCH (UID %u FLAGS ", i + 1,
                       (unsigned)box->mail[i].uid);
            server_print_flags(&out, &box->mail[i]);
            buf_printf(&out, " MODSEQ (%" PRIu64 "))", box->mail[i].modseq);
            server_say_bytes(session, buf_peek(&out));
        }
    }
    buf_deinit(&out);
    uidset_deinit(&vanished);
    free(validity);
    free(since);
}

void server_select(struct server_session *session, bool read_only)
{
    char *name = server_word_name(session, 2);
    struct server_box *box = server_box(session->server, name);

    free(name);
    if (session->box != NULL && session->qresync)
        server_say(session, "* OK [CLOSED] closed");
    server_unselect(session);
    if (box == NULL) {
        server_answer(session, "NO [NONEXISTENT] no such mailbox");
        return;
    }
    session->box = box;
    session->read_only = read_only;
    for (size_t i = 0; i < box->n; i++)
        see(session, box->mail[i].uid);
    say_box(session);
    if (server_word_is(session, 4, "QRESYNC") && session->qresync)
        resync(session, 3);
    server_answer(session, "OK [%s] selected",
                  read_only ? "READ-ONLY" : "READ-WRITE");
}

/* --- FETCH -------------------------------------------------------------------- */

static void print_literal(struct buf *out, struct bytes item, struct bytes text)
{
    buf_printf(out, "%.*s {%zu}\r\n", (int)item.len, item.ptr, text.len);
    buf_add(out, text);
}

/* Does "BODY.PEEK[HEADER.FIELDS (FROM DATE)]" name the field that @line begins
 * with? */
static bool has_field(struct bytes item, struct bytes line)
{
    size_t n = 0;

    while (n < line.len && line.ptr[n] != ':')
        n++;
    for (size_t i = 0; i + n < item.len; i++) {
        char before = item.ptr[i == 0 ? 0 : i - 1];
        char behind = item.ptr[i + n];

        if ((before == '(' || before == ' ') &&
            (behind == ')' || behind == ' ') &&
            strncasecmp(item.ptr + i, line.ptr, n) == 0)
            return true;
    }
    return false;
}

static void print_fields(struct buf *out, struct bytes item, uint32_t content)
{
    struct bytes header = content_header(content);
    struct buf fields;

    buf_init(&fields, 0);
    while (header.len > 0) {
        const char *end = memchr(header.ptr, '\n', header.len);
        struct bytes line = {header.ptr, (size_t)(end + 1 - header.ptr)};

        if (line.len == 2 || has_field(item, line))
            buf_add(&fields, line);
        header = bytes_skip(header, line.len);
    }
    buf_add(out, B("BODY"));
    print_literal(out, bytes_skip(item, strlen("BODY.PEEK")),
                  buf_peek(&fields));
    buf_deinit(&fields);
}

static void print_item(struct buf *out, struct bytes item,
                       const struct server_mail *mail)
{
    char date[DATE_TEXT_BYTES];

    if (bytes_equal_nocase(item, B("UID"))) {
        buf_printf(out, "UID %u", (unsigned)mail->uid);
    } else if (bytes_equal_nocase(item, B("FLAGS"))) {
        buf_add(out, B("FLAGS "));
        server_print_flags(out, mail);
    } else if (bytes_equal_nocase(item, B("INTERNALDATE"))) {
        date_print(mail->date, date);
        buf_printf(out, "INTERNALDATE \"%s\"", date);
    } else if (bytes_equal_nocase(item, B("RFC822.SIZE"))) {
        buf_printf(out, "RFC822.SIZE %zu", content_text(mail->content).len);
    } else if (bytes_equal_nocase(item, B("BODY.PEEK[]"))) {
        print_literal(out, B("BODY[]"), content_text(mail->content));
    } else {
        print_fields(out, item, mail->content);
    }
}

static void fetch_one(struct server_session *session, size_t at,
                      const struct server_mail *mail, bool modseq)
{
    size_t number = number_of(session, mail->uid);
    struct buf out;
    bool first = true;

    buf_init(&out, 0);
    buf_printf(&out, "* %zu FETCH (", number);
    for (; at < session->n && session->words[at].kind != WORD_CLOSE; at++) {
        if (session->words[at].kind == WORD_OPEN)
            continue;
        if (!first)
            buf_add_char(&out, ' ');
        first = false;
        print_item(&out, session->words[at].text, mail);
    }
    if (modseq)
        buf_printf(&out, " MODSEQ (%" PRIu64 ")", mail->modseq);
    buf_add(&out, B(")"));
    server_say_bytes(session, buf_peek(&out));
    buf_deinit(&out);
}

/* What stands behind CHANGEDSINCE; 0: nothing does. */
static uint64_t changed_since(const struct server_session *session)
{
    char *text;
    uint64_t modseq;
    size_t i = 0;

    while (i < session->n && !server_word_is(session, i, "CHANGEDSINCE"))
        i++;
    text = server_word(session, i + 1);
    modseq = strtoull(text, NULL, 10);
    free(text);
    return modseq;
}

void server_fetch(struct server_session *session, size_t at)
{
    const struct server_box *box = session->box;
    uint64_t since = changed_since(session);
    struct uidset set = {0};

    server_take_set(session, at, &set);
    if (sched_chance(4))
        server_show_changes(session);
    for (size_t i = 0; i < box->n; i++) {
        const struct server_mail *mail = &box->mail[i];

        if (!uidset_has(&set, mail->uid) || mail->modseq <= since)
            continue;
        /* What the client has not heard of it hears of first. */
        if (number_of(session, mail->uid) == 0)
            server_show_changes(session);
        fetch_one(session, at + 1, mail, since > 0);
    }
    uidset_deinit(&set);
    server_answer(session, "OK done");
}

/* --- SEARCH ------------------------------------------------------------------- */

void server_search(struct server_session *session, size_t at)
{
    const struct server_box *box = session->box;
    bool extended = server_word_is(session, at, "RETURN");
    struct uidset set = {0};
    struct uidset found = {0};
    struct buf out;
    size_t from = 0;

    at += extended ? 4 : 0;
    if (server_word_is(session, at, "UID"))
        server_take_set(session, at + 1, &set);
    else if (!server_word_is(session, at, "DELETED"))
        server_wrong(session, "a SEARCH that is not understood");
    for (size_t i = 0; i < box->n; i++) {
        if (set.n > 0 ? uidset_has(&set, box->mail[i].uid)
                      : server_word_is(session, at, "DELETED") &&
                            (box->mail[i].flags & FLAG_DELETED) != 0)
            uidset_add(&found, box->mail[i].uid);
    }
    buf_init(&out, 0);
    if (extended) {
        char *tag = server_word(session, 0);

        buf_printf(&out, "* ESEARCH (TAG \"%s\") UID", tag);
        free(tag);
        if (found.n > 0) {
            buf_add(&out, B(" ALL "));
            uidset_print(&found, &from, 4000, &out);
        }
    } else {
        struct uidset_walk walk = {.set = &found};
        uint32_t uid;

        buf_add(&out, B("* SEARCH"));
        while (uidset_next(&walk, &uid))
            buf_printf(&out, " %u", (unsigned)uid);
    }
    server_say_bytes(session, buf_peek(&out));
    buf_deinit(&out);
    uidset_deinit(&set);
    uidset_deinit(&found);
    maybe_show_changes(session);
    server_answer(session, "OK done");
}
