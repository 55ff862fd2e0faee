/* A side that is a model server. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "tests/sim/half.h"
#include "tests/sim/sched.h"

struct server_half {
    struct half head; /* first */
    struct server server;
    struct imap_account account;
    uv_loop_t loop; /* nothing is in it */
};

static struct server *server_of(struct half *half)
{
    return &((struct server_half *)half)->server;
}

static void look_at(struct half *half, struct look *look)
{
    const struct server *server = server_of(half);

    for (size_t i = 0; i < server->n; i++) {
        const struct server_box *box = server->boxes[i];
        size_t folder = look_folder(look, box->name);

        for (size_t k = 0; k < box->n; k++) {
            struct look_mail *mail = look_mail_add(look, folder);

            mail->content = box->mail[k].content;
            mail->flags = box->mail[k].flags;
            mail->keywords = box->mail[k].keywords;
            mail->date = box->mail[k].date;
            mail->uid = box->mail[k].uid;
        }
    }
}

static void deliver(struct half *half, const char *folder,
                    const struct look_mail *mail)
{
    server_add(server_box(server_of(half), folder), mail->content, mail->flags,
               mail->keywords, mail->date);
}

static void take(struct half *half, const char *folder,
                 const struct look_mail *mail)
{
    server_expunge(server_box(server_of(half), folder), mail->uid);
}

static void flag(struct half *half, const char *folder,
                 const struct look_mail *mail, uint32_t flags,
                 uint32_t keywords)
{
    struct server_box *box = server_box(server_of(half), folder);

    server_set_flags(box, server_find(box, mail->uid), flags, keywords);
}

static bool make(struct half *half, const char *folder)
{
    return server_make(server_of(half), folder) != NULL;
}

static bool remove_folder(struct half *half, const char *folder)
{
    return server_remove(server_of(half), folder);
}

static bool rename_folder(struct half *half, const char *from, const char *to)
{
    return server_rename(server_of(half), from, to);
}

static void renumber(struct half *half, const char *folder)
{
    server_renumber(server_of(half), server_box(server_of(half), folder));
}

static struct endpoint *endpoint(struct half *half, struct state *state,
                                 enum side which, const struct log *log)
{
    struct server_half *self = (struct server_half *)half;

    (void)which;
    return imap_endpoint_new(&self->loop, &self->account, state_keywords(state),
                             log);
}

static uint64_t changes(const struct half *half)
{
    return ((const struct server_half *)half)->server.n_changes;
}

static void free_half(struct half *half)
{
    server_deinit(server_of(half));
    free(half);
}

struct server *half_server(struct half *half)
{
    return half->class->look == look_at ? server_of(half) : NULL;
}

struct half *half_server_new(uint16_t port, enum server_tier tier)
{
    static const struct half_class class = {.look = look_at,
                                            .deliver = deliver,
                                            .take = take,
                                            .flag = flag,
                                            .make = make,
                                            .remove = remove_folder,
                                            .rename = rename_folder,
                                            .renumber = renumber,
                                            .endpoint = endpoint,
                                            .changes = changes,
                                            .free = free_half};
    static const char *const names[] = {"left", "right"};
    static const char *const hosts[] = {"left.example", "127.0.0.1"};
    struct server_half *self = MEM_NEW(struct server_half);

    self->head.class = &class;
    self->head.identity = names[port - 1];
    server_init(&self->server, port, tier);
    self->server.mailbox_ids = sched_chance(2);
    self->server.told_caps = sched_chance(2);
    self->account = (struct imap_account){
        .name = names[port - 1],
        .host = hosts[sched_random(2)],
        .port = port,
        .tls = TLS_NONE,
        .user = "somebody",
        .password = "secret",
        .version = "0",
        .connections = 1 + sched_random(4),
        .connect_ms = 30000,
        .idle_ms = 60000,
    };
    return &self->head;
}
