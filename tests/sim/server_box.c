/* Mailboxes and messages. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/sched.h"
#include "tests/sim/server_internal.h"

const char *server_keyword(uint32_t bit)
{
    static const char *const names[SERVER_KEYWORDS] = {
        "$Forwarded", "$Junk", "$NotJunk", "work", "later", "a", "b", "c"};

    return names[bit];
}

struct server_box *server_box(const struct server *server, const char *name)
{
    for (size_t i = 0; i < server->n; i++) {
        if (strcmp(server->boxes[i]->name, name) == 0)
            return server->boxes[i];
    }
    return NULL;
}

static bool is_within(const char *name, const char *parent)
{
    size_t n = strlen(parent);

    return strncmp(name, parent, n) == 0 && name[n] == '/';
}

struct server_box *server_make(struct server *server, const char *name)
{
    struct server_box *box;

    if (server_box(server, name) != NULL)
        return NULL;
    box = MEM_NEW(struct server_box);
    box->name = mem_copy(name);
    box->uidvalidity = ++server->last_uidvalidity;
    box->uidnext = 1;
    box->modseq = 1;
    box->id = ++server->last_id;
    server->boxes = mem_grow(server->boxes, server->n, &server->cap,
                             sizeof(*server->boxes));
    server->boxes[server->n++] = box;
    return box;
}

bool server_remove(struct server *server, const char *name)
{
    size_t i = 0;

    while (i < server->n && strcmp(server->boxes[i]->name, name) != 0)
        i++;
    if (i == server->n || strcmp(name, "INBOX") == 0)
        return false;
    server->dead = mem_grow(server->dead, server->n_dead, &server->cap_dead,
                            sizeof(*server->dead));
    server->dead[server->n_dead++] = server->boxes[i];
    server->boxes[i]->dead = true;
    server->boxes[i] = server->boxes[--server->n];
    return true;
}

static bool is_taken(const struct server *server, const char *name,
                     const char *rest)
{
    char *whole = mem_printf("%s%s", name, rest);
    bool taken = server_box(server, whole) != NULL;

    free(whole);
    return taken;
}

bool server_rename(struct server *server, const char *from, const char *to)
{
    size_t from_len = strlen(from);

    for (size_t i = 0; i < server->n; i++) {
        if (is_within(server->boxes[i]->name, from) &&
            is_taken(server, to, server->boxes[i]->name + from_len))
            return false;
    }
    if (server_box(server, from) == NULL || server_box(server, to) != NULL ||
        strcmp(from, "INBOX") == 0 || is_within(to, from))
        return false;
    for (size_t i = 0; i < server->n; i++) {
        struct server_box *box = server->boxes[i];
        char *name;

        if (strcmp(box->name, from) != 0 && !is_within(box->name, from))
            continue;
        name = mem_printf("%s%s", to, box->name + from_len);
        free(box->name);
        box->name = name;
        box->subscribed = false;
    }
    return true;
}

struct server_mail *server_find(const struct server_box *box, uint32_t uid)
{
    for (size_t i = 0; i < box->n; i++) {
        if (box->mail[i].uid == uid)
            return &box->mail[i];
    }
    return NULL;
}

struct server_mail *server_add(struct server_box *box, uint32_t content,
                               uint32_t flags, uint32_t keywords, int64_t date)
{
    struct server_mail *mail;

    box->mail = mem_grow(box->mail, box->n, &box->cap, sizeof(*box->mail));
    mail = &box->mail[box->n++];
    *mail = (struct server_mail){.uid = box->uidnext++,
                                 .flags = flags,
                                 .keywords = keywords,
                                 .modseq = ++box->modseq,
                                 .date = date,
                                 .content = content};
    return mail;
}

void server_expunge(struct server_box *box, uint32_t uid)
{
    struct server_mail *mail = server_find(box, uid);
    size_t at = (size_t)(mail - box->mail);

    box->expunged = mem_grow(box->expunged, box->n_expunged, &box->cap_expunged,
                             sizeof(*box->expunged));
    box->expunged[box->n_expunged++] =
        (struct server_expunged){uid, ++box->modseq};
    box->n--;
    memmove(mail, mail + 1, (box->n - at) * sizeof(*mail));
}

void server_set_flags(struct server_box *box, struct server_mail *mail,
                      uint32_t flags, uint32_t keywords)
{
    if (mail->flags == flags && mail->keywords == keywords)
        return;
    mail->flags = flags;
    mail->keywords = keywords;
    mail->modseq = ++box->modseq;
}

void server_renumber(struct server *server, struct server_box *box)
{
    uint32_t skipped = sched_random(3);

    box->uidvalidity = ++server->last_uidvalidity;
    box->n_expunged = 0;
    for (size_t i = 0; i < box->n; i++)
        box->mail[i].uid = (uint32_t)i + 1 + skipped;
    box->uidnext = (uint32_t)box->n + 1 + skipped;
    box->modseq = 1 + sched_random((uint32_t)box->modseq);
    for (size_t i = 0; i < box->n; i++)
        box->mail[i].modseq = box->modseq;
}

static void free_box(struct server_box *box)
{
    free(box->name);
    free(box->mail);
    free(box->expunged);
    free(box);
}

void server_init(struct server *server, uint16_t port, enum server_tier tier)
{
    memset(server, 0, sizeof(*server));
    server->tier = tier;
    server->port = port;
    server->last_uidvalidity = 1000 + sched_random(1000);
    server->late_ms = 2500;
    server_make(server, "INBOX")->subscribed = true;
    server_listen(server);
}

void server_deinit(struct server *server)
{
    server_end_sessions(server);
    for (size_t i = 0; i < server->n; i++)
        free_box(server->boxes[i]);
    for (size_t i = 0; i < server->n_dead; i++)
        free_box(server->dead[i]);
    free(server->boxes);
    free(server->dead);
}
