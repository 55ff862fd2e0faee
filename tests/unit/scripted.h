/* An account on a server that answers as a table says. */
#ifndef TESTS_UNIT_SCRIPTED_H
#define TESTS_UNIT_SCRIPTED_H

#include <stdlib.h>

#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "tests/unit/imapserver.h"

#define SCRIPTED_LINES 10
#define SCRIPTED_CAPS  "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UNSELECT"

/* The owner of all requests; zeroed, but for what is to be another than usual in
 * server and account, and heard. */
struct scripted {
    uv_loop_t loop;
    struct keywords *keywords;
    struct log log;
    struct imapserver server;
    struct imap_account account;
    struct endpoint *endpoint;
    unsigned pending;
    void (*heard)(struct scripted *world, const char *line); /* in the log, what
                                             it does; or NULL */
};

static void scripted_show(void *owner, enum log_level level, const char *line)
{
    struct scripted *world = owner;

    (void)level;
    if (world->heard != NULL)
        world->heard(world, line);
    printf("# %s\n", line);
}

static void scripted_done(struct request *request)
{
    ((struct scripted *)request->owner)->pending--;
    if (request->result < 0)
        printf("# %s\n", request->err.text);
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

/* Start the server, and make an endpoint for it. @caps  as the server says them,
 * with their line end; NULL: just enough. @answers  up to one without a command,
 * or NULL; they are its own until it is stopped. */
static void scripted_start(struct scripted *world, const char *caps,
                           struct imapserver_answer *answers)
{
    enum log_level level = world->heard != NULL ? LOG_ACTION : LOG_ERROR;

    world->server.caps = caps;
    world->server.answers = answers;
    while (answers != NULL && world->server.n_answers < SCRIPTED_LINES &&
           answers[world->server.n_answers].command != NULL)
        world->server.n_answers++;
    if (!imapserver_start(&world->server, AF_INET))
        abort();
    world->account.name = "account";
    world->account.host = "127.0.0.1";
    world->account.port = world->server.port;
    world->account.tls = TLS_NONE;
    world->account.user = "someone";
    world->account.password = "secret";
    world->account.connect_ms = 20000;
    world->account.idle_ms = 20000;
    if (world->account.connections == 0)
        world->account.connections = 1;
    world->log =
        (struct log){.level = getenv("WIRE") != NULL ? LOG_WIRE : level,
                     .sink = scripted_show,
                     .owner = world};
    uv_loop_init(&world->loop);
    world->keywords = keywords_new();
    world->endpoint = imap_endpoint_new(&world->loop, &world->account,
                                        world->keywords, &world->log);
}

static int scripted_login(struct scripted *world, struct open_request open)
{
    open.base = scripted_head(world);
    endpoint_open(world->endpoint, &open);
    scripted_settle(world);
    return open.base.result;
}

/* Both. */
__attribute__((unused)) static bool scripted_open(
    struct scripted *world, const char *caps, bool untouched,
    struct imapserver_answer *answers)
{
    scripted_start(world, caps, answers);
    return scripted_login(world,
                          (struct open_request){.untouched = untouched}) == 0;
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
__attribute__((unused)) static bool scripted_asked(
    const struct imapserver_answer *answers, const unsigned *asked)
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
