/* An account on a server that answers as a table says. */
#ifndef TESTS_UNIT_SCRIPTED_H
#define TESTS_UNIT_SCRIPTED_H

#include <stdlib.h>

#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "tests/unit/imapserver.h"

#define SCRIPTED_LINES 9
#define SCRIPTED_CAPS  "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UNSELECT"

/* The owner of all requests. */
struct scripted {
    uv_loop_t loop;
    struct keywords *keywords;
    struct log log;
    struct imapserver server;
    struct imap_account account;
    struct endpoint *endpoint;
    unsigned pending;
};

static void scripted_show(void *owner, enum log_level level, const char *line)
{
    (void)owner;
    (void)level;
    printf("# %s\n", line);
}

static void scripted_done(struct request *request)
{
    ((struct scripted *)request->owner)->pending--;
}

static struct request scripted_head(struct scripted *world)
{
    world->pending++;
    return (struct request){.done = scripted_done, .owner = world};
}

static void scripted_settle(struct scripted *world)
{
    while (world->pending > 0)
        uv_run(&world->loop, UV_RUN_ONCE);
}

/* @caps  as the server says them, with their line end. The answers are its own
 *        until scripted_close(). */
static bool scripted_open(struct scripted *world, const char *caps,
                          bool untouched, struct imapserver_answer *answers)
{
    struct open_request open = {.base = scripted_head(world),
                                .untouched = untouched};

    world->server.caps = caps;
    world->server.answers = answers;
    for (size_t i = 0; i < SCRIPTED_LINES && answers[i].command != NULL; i++)
        world->server.n_answers++;
    if (!imapserver_start(&world->server, AF_INET))
        return false;
    world->account = (struct imap_account){.name = "account",
                                           .host = "127.0.0.1",
                                           .port = world->server.port,
                                           .tls = TLS_NONE,
                                           .user = "someone",
                                           .password = "secret",
                                           .connections = 1,
                                           .connect_ms = 20000,
                                           .idle_ms = 20000};
    world->log =
        (struct log){.level = getenv("WIRE") != NULL ? LOG_WIRE : LOG_ERROR,
                     .sink = scripted_show};
    uv_loop_init(&world->loop);
    world->keywords = keywords_new();
    world->endpoint = imap_endpoint_new(&world->loop, &world->account,
                                        world->keywords, &world->log);
    endpoint_open(world->endpoint, &open);
    scripted_settle(world);
    return open.base.result == 0;
}

static void scripted_close(struct scripted *world)
{
    struct close_request close = {.base = scripted_head(world)};

    endpoint_close(world->endpoint, &close);
    scripted_settle(world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    uv_loop_close(&world->loop);
    endpoint_free(world->endpoint);
    keywords_free(world->keywords);
    imapserver_stop(&world->server);
}

/* Was each asked for as often as @asked says? */
static bool scripted_asked(const struct imapserver_answer *answers,
                           const unsigned *asked)
{
    bool same = true;

    for (size_t i = 0; i < SCRIPTED_LINES && answers[i].command != NULL; i++) {
        if (answers[i].asked == asked[i])
            continue;
        same = false;
        printf("# %u times: %s\n", answers[i].asked, answers[i].command);
    }
    return same;
}

#endif
