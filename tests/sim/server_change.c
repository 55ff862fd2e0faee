/* Messages that change: STORE, EXPUNGE, COPY, MOVE, APPEND. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/date.h"
#include "tests/sim/content.h"
#include "tests/sim/sched.h"
#include "tests/sim/server_internal.h"

static void tell_removes(const struct server *server,
                         const struct server_box *box,
                         const struct server_mail *mail)
{
    if (server->watch.removes != NULL)
        server->watch.removes(server->watch.owner, box, mail);
}

static void tell_adds(const struct server *server, const struct server_box *box,
                      const struct server_mail *mail)
{
    if (server->watch.adds != NULL)
        server->watch.adds(server->watch.owner, box, mail);
}

/* --- flags --------------------------------------------------------------------- */

static void take_flag(struct server_session *session, struct bytes name,
                      uint32_t *flags, uint32_t *keywords)
{
    static const char *const names[] = {"\\Seen", "\\Answered", "\\Flagged",
                                        "\\Deleted", "\\Draft"};

    for (uint32_t i = 0; i < 5; i++) {
        if (bytes_equal_nocase(name, bytes_of(names[i]))) {
            *flags |= 1u << i;
            return;
        }
    }
    for (uint32_t i = 0; i < SERVER_KEYWORDS; i++) {
        if (bytes_equal_nocase(name, bytes_of(server_keyword(i)))) {
            *keywords |= 1u << i;
            return;
        }
    }
    server_wrong(session, "a flag that nobody made");
}

/* "(\Seen work)" from word @at on; returns what is behind it. */
static size_t take_flags(struct server_session *session, size_t at,
                         uint32_t *flags, uint32_t *keywords)
{
    *flags = 0;
    *keywords = 0;
    for (at++; at < session->n && session->words[at].kind != WORD_CLOSE; at++)
        take_flag(session, session->words[at].text, flags, keywords);
    return at + 1;
}

void server_store(struct server_session *session, size_t at)
{
    struct server_box *box = session->box;
    bool adds = server_word_is(session, at + 1, "+FLAGS.SILENT") ||
                server_word_is(session, at + 1, "+FLAGS");
    bool takes = server_word_is(session, at + 1, "-FLAGS.SILENT") ||
                 server_word_is(session, at + 1, "-FLAGS");
    struct uidset set = {0};
    uint32_t flags;
    uint32_t keywords;

    if (!adds && !takes)
        server_wrong(session, "STORE of an absolute list of flags");
    if (session->read_only)
        server_wrong(session, "STORE where it is read only");
    take_flags(session, at + 2, &flags, &keywords);
    server_take_set(session, at, &set);
    for (size_t i = 0; i < box->n; i++) {
        struct server_mail *mail = &box->mail[i];

        if (!uidset_has(&set, mail->uid))
            continue;
        server_set_flags(
            box, mail, adds ? mail->flags | flags : mail->flags & ~flags,
            adds ? mail->keywords | keywords : mail->keywords & ~keywords);
    }
    uidset_deinit(&set);
    if (sched_chance(2))
        server_show_changes(session);
    server_answer(session, "OK done");
}

/* --- what goes ------------------------------------------------------------------ */

void server_do_expunge(struct server_session *session, bool by_uid)
{
    struct server_box *box = session->box;
    struct uidset set = {0};
    size_t i = 0;

    if (!by_uid && server_can(session->server, "UIDPLUS"))
        server_wrong(session, "EXPUNGE of who knows what");
    if (by_uid)
        server_take_set(session, 3, &set);
    while (i < box->n) {
        const struct server_mail *mail = &box->mail[i];

        if ((mail->flags & FLAG_DELETED) != 0 &&
            (!by_uid || uidset_has(&set, mail->uid))) {
            tell_removes(session->server, box, mail);
            server_expunge(box, mail->uid);
        } else {
            i++;
        }
    }
    uidset_deinit(&set);
    server_show_changes(session);
    server_answer(session, "OK done");
}

void server_close(struct server_session *session)
{
    if (session->box != NULL && !session->read_only)
        server_wrong(session, "CLOSE, which expunges");
    server_unselect(session);
    server_answer(session, "OK done");
}

/* --- what goes elsewhere ---------------------------------------------------------- */

/* "[COPYUID 38505 304,319:320 3956:3958]". */
static void print_copyuid(struct buf *out, const struct server_box *to,
                          const struct uidset *from_set, uint32_t first)
{
    uint32_t last = first + (uint32_t)uidset_count(from_set) - 1;
    size_t from = 0;

    buf_printf(out, "[COPYUID %u ", (unsigned)to->uidvalidity);
    uidset_print(from_set, &from, 4000, out);
    if (last > first)
        buf_printf(out, " %u:%u] ", (unsigned)first, (unsigned)last);
    else
        buf_printf(out, " %u] ", (unsigned)first);
}

void server_place(struct server_session *session, size_t at, bool move)
{
    char *name = server_word_name(session, at + 1);
    struct server_box *box = session->box;
    struct server_box *to = server_box(session->server, name);
    struct uidset set = {0};
    struct uidset_walk walk = {.set = &set};
    struct buf code;
    uint32_t first;
    uint32_t uid;

    free(name);
    if (to == NULL) {
        server_answer(session, "NO [TRYCREATE] no such mailbox");
        return;
    }
    server_take_set(session, at, &set);
    first = to->uidnext;
    while (uidset_next(&walk, &uid)) {
        struct server_mail mail = *server_find(box, uid);

        tell_adds(
            session->server, to,
            server_add(to, mail.content, mail.flags, mail.keywords, mail.date));
        if (move) {
            tell_removes(session->server, box, server_find(box, uid));
            server_expunge(box, uid);
        }
    }
    buf_init(&code, 0);
    if (set.n > 0 && server_can(session->server, "UIDPLUS"))
        print_copyuid(&code, to, &set, first);
    uidset_deinit(&set);
    if (move && buf_len(&code) > 0)
        server_say(session, "* OK %s moved", buf_text(&code));
    server_show_changes(session);
    server_answer(session, "OK %sdone", move ? "" : buf_text(&code));
    buf_deinit(&code);
}

/* --- what comes ------------------------------------------------------------------- */

/* One message of an APPEND from word @at on. Returns what is behind it; 0 where
 * it makes no sense. */
static size_t append_one(struct server_session *session, size_t at,
                         struct server_box *box)
{
    uint32_t flags = 0;
    uint32_t keywords = 0;
    uint32_t content;
    int64_t date = 0;

    if (at < session->n && session->words[at].kind == WORD_OPEN)
        at = take_flags(session, at, &flags, &keywords);
    if (at < session->n && session->words[at].kind == WORD_QUOTED)
        (void)date_parse(session->words[at++].text, &date);
    if (at >= session->n || session->words[at].kind != WORD_LITERAL)
        return 0;
    content = content_find(session->words[at].text);
    if (content == CONTENT_NONE)
        server_wrong(session, "APPEND of a message that nobody wrote");
    else
        tell_adds(session->server, box,
                  server_add(box, content, flags, keywords, date));
    return at + 1;
}

void server_append(struct server_session *session)
{
    char *name = server_word_name(session, 2);
    struct server_box *box = server_box(session->server, name);
    uint32_t first;
    size_t at = 3;

    free(name);
    if (box == NULL) {
        server_answer(session, "NO [TRYCREATE] no such mailbox");
        return;
    }
    first = box->uidnext;
    while (at > 0 && at < session->n)
        at = append_one(session, at, box);
    if (at == 0)
        server_wrong(session, "APPEND that is not understood");
    if (box->uidnext == first)
        server_answer(session, "NO nothing was added");
    else if (!server_can(session->server, "UIDPLUS"))
        server_answer(session, "OK done");
    else if (box->uidnext == first + 1)
        server_answer(session, "OK [APPENDUID %u %u] done", box->uidvalidity,
                      first);
    else
        server_answer(session, "OK [APPENDUID %u %u:%u] done", box->uidvalidity,
                      first, box->uidnext - 1);
}
