/* Mailboxes by name: LIST, LSUB, STATUS, CREATE, DELETE, RENAME, SUBSCRIBE. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/content.h"
#include "tests/sim/sched.h"
#include "tests/sim/server_internal.h"

static void print_item(struct buf *out, struct bytes item,
                       const struct server_box *box)
{
    if (bytes_equal_nocase(item, B("MESSAGES")))
        buf_printf(out, "MESSAGES %zu", box->n);
    else if (bytes_equal_nocase(item, B("UIDNEXT")))
        buf_printf(out, "UIDNEXT %u", (unsigned)box->uidnext);
    else if (bytes_equal_nocase(item, B("UIDVALIDITY")))
        buf_printf(out, "UIDVALIDITY %u", (unsigned)box->uidvalidity);
    else if (bytes_equal_nocase(item, B("HIGHESTMODSEQ")))
        buf_printf(out, "HIGHESTMODSEQ %" PRIu64, box->modseq);
    else if (bytes_equal_nocase(item, B("MAILBOXID")))
        buf_printf(out, "MAILBOXID (M%" PRIu64 ")", box->id);
}

/* STATUS with the items from word @at on, to its ")". */
static void say_status(struct server_session *session, size_t at,
                       const struct server_box *box)
{
    struct buf out;
    const char *blank = "";

    buf_init(&out, 0);
    buf_add(&out, B("* STATUS "));
    server_print_name(&out, box->name);
    buf_add(&out, B(" ("));
    for (; at < session->n && session->words[at].kind == WORD_ATOM; at++) {
        buf_add(&out, bytes_of(blank));
        print_item(&out, session->words[at].text, box);
        blank = " ";
    }
    buf_add(&out, B(")"));
    server_say_bytes(session, buf_peek(&out));
    buf_deinit(&out);
}

static void say_list(struct server_session *session, const char *verb,
                     const struct server_box *box, bool extended)
{
    struct buf out;

    buf_init(&out, 0);
    buf_printf(&out, "* %s (%s) \"/\" ", verb,
               extended && box->subscribed ? "\\Subscribed" : "");
    server_print_name(&out, box->name);
    server_say_bytes(session, buf_peek(&out));
    buf_deinit(&out);
}

/* "*" is anything, "%" anything on one level. RFC 3501 section 6.3.8. */
static bool is_meant(const char *pattern, const char *name)
{
    while (*pattern != '\0') {
        if (*pattern != '*' && *pattern != '%') {
            if (*pattern++ != *name++)
                return false;
        } else if (is_meant(pattern + 1, name)) {
            return true;
        } else if (*name == '\0' || (*pattern == '%' && *name == '/')) {
            return false;
        } else {
            name++;
        }
    }
    return *name == '\0';
}

void server_list(struct server_session *session)
{
    const struct server *server = session->server;
    char *pattern = server_word_name(session, 3);
    bool extended = server_word_is(session, 4, "RETURN");
    size_t status = 4;

    while (status < session->n && !server_word_is(session, status, "STATUS"))
        status++;
    for (size_t i = 0; i < server->n; i++) {
        const struct server_box *box = server->boxes[i];

        if (!is_meant(pattern, box->name))
            continue;
        say_list(session, "LIST", box, extended);
        if (status < session->n)
            say_status(session, status + 2, box);
    }
    free(pattern);
    server_answer(session, "OK done");
}

void server_lsub(struct server_session *session)
{
    const struct server *server = session->server;

    for (size_t i = 0; i < server->n; i++) {
        if (server->boxes[i]->subscribed)
            say_list(session, "LSUB", server->boxes[i], false);
    }
    server_answer(session, "OK done");
}

void server_status(struct server_session *session)
{
    char *name = server_word_name(session, 2);
    const struct server_box *box = server_box(session->server, name);

    free(name);
    if (box == NULL) {
        server_answer(session, "NO [NONEXISTENT] no such mailbox");
        return;
    }
    session->empty_id = box->n == 0 ? box->id : 0;
    say_status(session, 4, box);
    server_answer(session, "OK done");
}

void server_create(struct server_session *session)
{
    char *name = server_word_name(session, 2);

    if (server_make(session->server, name) != NULL)
        server_answer(session, "OK done");
    else
        server_answer(session, "NO [ALREADYEXISTS] it is there");
    free(name);
}

/* DELETE takes a message along. */
static void tell_end(const struct server_session *session,
                     const struct server_box *box,
                     const struct server_mail *mail)
{
    const struct server_watch *watch = &session->server->watch;
    bool overrun = session->empty_id == box->id;

    if (overrun && watch->overruns != NULL)
        watch->overruns(watch->owner, box, mail);
    else if (watch->removes != NULL)
        watch->removes(watch->owner, box, mail);
}

void server_delete(struct server_session *session)
{
    struct server *server = session->server;
    char *name = server_word_name(session, 2);
    const struct server_box *box = server_box(server, name);

    for (size_t i = 0; box != NULL && i < box->n; i++)
        tell_end(session, box, &box->mail[i]);
    if (server_remove(server, name))
        server_answer(session, "OK done");
    else
        server_answer(session, "NO %sno such mailbox",
                      box == NULL ? "[NONEXISTENT] " : "");
    free(name);
}

void server_do_rename(struct server_session *session)
{
    struct server *server = session->server;
    char *from = server_word_name(session, 2);
    char *to = server_word_name(session, 3);

    if (server_rename(server, from, to))
        server_answer(session, "OK done");
    else if (server_box(server, from) == NULL)
        server_answer(session, "NO [NONEXISTENT] no such mailbox");
    else
        server_answer(session, "NO [ALREADYEXISTS] it is there");
    free(from);
    free(to);
}

void server_subscribe(struct server_session *session, bool subscribed)
{
    char *name = server_word_name(session, 2);
    struct server_box *box = server_box(session->server, name);

    free(name);
    if (box == NULL && subscribed) {
        server_answer(session, "NO [NONEXISTENT] no such mailbox");
        return;
    }
    if (box != NULL)
        box->subscribed = subscribed;
    server_answer(session, "OK done");
}
