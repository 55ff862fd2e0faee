/* When an endpoint has its connections compressed, what it does where that is
 * refused, garbled or not answered, and that nothing is sent behind it. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "tests/tap.h"
#include "tests/unit/imapserver.h"

#define CAPS \
    "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ COMPRESS=DEFLATE\r\n"
#define SELECT                                         \
    {                                                  \
        "SELECT",                                      \
            "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" \
            "* OK [UIDNEXT 3] x\r\n",                  \
            "OK done", false, 0                        \
    }
#define LISTING                                                   \
    {                                                             \
        "UID FETCH 1:*",                                          \
            "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9)\r\n"        \
            "* 2 FETCH (UID 2 FLAGS (\\Seen) RFC822.SIZE 9)\r\n", \
            "OK done", false, 0                                   \
    }
#define LISTED 2

struct world {
    struct imapserver server;
    uv_loop_t loop;
    struct keywords *keywords;
    struct log log;
    struct imap_account account;
    struct endpoint *endpoint;
    unsigned pending;
    unsigned n_listed;
    unsigned n_told; /* in the log: that it does without */
    struct err err;  /* of the last request */
};

static void show(void *owner, enum log_level level, const char *line)
{
    struct world *world = owner;

    (void)level;
    world->n_told += strstr(line, "account: not compressed: ") != NULL;
    printf("# %s\n", line);
}

static void done(struct request *request)
{
    struct world *world = request->owner;

    world->pending--;
    world->err = request->err;
}

static struct request head(struct world *world)
{
    world->pending++;
    return (struct request){.done = done, .owner = world};
}

static void settle(struct world *world)
{
    while (world->pending > 0)
        uv_run(&world->loop, UV_RUN_ONCE);
}

static struct world *world_new(const struct imapserver *server,
                               enum account_compress compress)
{
    struct world *world = MEM_NEW(struct world);

    world->server = *server;
    world->server.n_clients = 20;
    if (!imapserver_start(&world->server, AF_INET))
        abort();
    world->account = (struct imap_account){.name = "account",
                                           .host = "127.0.0.1",
                                           .port = world->server.port,
                                           .tls = TLS_NONE,
                                           .user = "someone",
                                           .password = "secret",
                                           .connections = 1,
                                           .compress = compress,
                                           .connect_ms = 20000,
                                           .idle_ms = 20000,
                                           .wait_ms = 4};
    world->log =
        (struct log){.level = getenv("WIRE") != NULL ? LOG_WIRE : LOG_ACTION,
                     .sink = show,
                     .owner = world};
    uv_loop_init(&world->loop);
    world->keywords = keywords_new();
    world->endpoint = imap_endpoint_new(&world->loop, &world->account,
                                        world->keywords, &world->log);
    return world;
}

static void world_free(struct world *world)
{
    uv_run(&world->loop, UV_RUN_DEFAULT);
    uv_loop_close(&world->loop);
    endpoint_free(world->endpoint);
    keywords_free(world->keywords);
    free(world);
}

static int do_open(struct world *world)
{
    struct open_request open = {.base = head(world)};

    endpoint_open(world->endpoint, &open);
    settle(world);
    return open.base.result;
}

static void do_close(struct world *world)
{
    struct close_request close = {.base = head(world)};

    endpoint_close(world->endpoint, &close);
    settle(world);
    imapserver_stop(&world->server);
}

static void on_item(struct delta_request *request, const struct listed *listed)
{
    struct world *world = request->base.owner;

    (void)listed;
    world->n_listed++;
}

static int do_delta(struct world *world)
{
    struct delta_request delta = {
        .base = head(world), .folder = {.name = "INBOX"}, .item = on_item};

    world->n_listed = 0;
    endpoint_delta(world->endpoint, &delta);
    settle(world);
    uidset_deinit(&delta.vanished);
    return delta.base.result;
}

static bool lists(struct world *world)
{
    return do_delta(world) == 0 && world->n_listed == LISTED;
}

static void test_modes(void)
{
    static const struct {
        const char *what;
        const char *caps;
        enum account_compress compress;
        unsigned compressed;
    } modes[] = {
        {"yes",                        CAPS, COMPRESS_YES,  1},
        {"no",                         CAPS, COMPRESS_NO,   0},
        {"auto, on loopback",          CAPS, COMPRESS_AUTO, 0},
        {"yes, but the server cannot", NULL, COMPRESS_YES,  0},
    };

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct imapserver_answer answers[] = {SELECT, LISTING};
        struct imapserver server = {
            .caps = modes[i].caps, .answers = answers, .n_answers = 2};
        struct world *world = world_new(&server, modes[i].compress);
        bool good = do_open(world) == 0 && lists(world) && lists(world);

        do_close(world);
        ok(good && world->server.compressed == modes[i].compressed &&
               world->server.logouts == 1,
           "%s: compressed %u times", modes[i].what, world->server.compressed);
        world_free(world);
    }
}

/* The connection is lost twice. */
static void test_lost(void)
{
    struct imapserver_answer answers[] = {
        {"SELECT",    NULL,                                           NULL, true, 0},
        {"UID FETCH", "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9)\r\n", NULL,
         true,                                                                    0},
        SELECT,
        LISTING,
    };
    struct imapserver server = {
        .caps = CAPS, .answers = answers, .n_answers = 4};
    struct world *world = world_new(&server, COMPRESS_YES);
    bool good = do_open(world) == 0 && do_delta(world) == 0;

    do_close(world);
    ok(good && world->server.compressed == 3 && world->server.clients == 3,
       "each new connection is compressed, too");
    world_free(world);
}

static void test_refused(void)
{
    struct imapserver_answer answers[] = {
        {"COMPRESS", NULL, "NO [COMPRESSIONACTIVE] TLS does", false, 0},
        {"SELECT",   NULL, NULL,                              true,  0},
        SELECT,
        LISTING,
    };
    struct imapserver server = {
        .caps = CAPS, .answers = answers, .n_answers = 4};
    struct world *world = world_new(&server, COMPRESS_YES);
    bool good = do_open(world) == 0 && lists(world) && lists(world);

    do_close(world);
    ok(good && answers[0].asked == 1 && world->server.clients == 2 &&
           world->n_told == 1,
       "refused: it goes on without, on the next connection without asking");
    world_free(world);
}

/* A server that cannot, though it says so, is one that does without: @how. */
static void test_breaks(const char *garbage, const char *drop_at,
                        const char *how)
{
    struct imapserver_answer answers[] = {SELECT, LISTING};
    struct imapserver server = {.caps = CAPS,
                                .answers = answers,
                                .n_answers = 2,
                                .garbage = garbage,
                                .drop_at = drop_at};
    struct world *world = world_new(&server, COMPRESS_YES);
    bool good = do_open(world) == 0 && lists(world);

    do_close(world);
    ok(good && world->n_told == 1 && world->server.clients == 2 &&
           world->server.logouts == 1,
       "%s: a lost connection, and the next one does without", how);
    world_free(world);
}

/* LOGOUT behind a COMPRESS without an answer would be in the clear, or not:
 * nobody knows. */
static void test_closed_amid(void)
{
    struct imapserver server = {.caps = CAPS, .ignore = "COMPRESS"};
    struct world *world = world_new(&server, COMPRESS_YES);
    struct open_request open = {.base = head(world)};

    endpoint_open(world->endpoint, &open);
    /* TCP, two times CAPABILITY and the login between them. */
    while (world->endpoint->wire.round_trips < 5)
        uv_run(&world->loop, UV_RUN_ONCE);
    do_close(world);
    ok(open.base.result == ERR_CANCELLED && world->server.logouts == 0,
       "closed while it waits for the answer: no word more");
    world_free(world);
}

int main(void)
{
    test_modes();
    test_lost();
    test_refused();
    test_breaks("* 7 EXISTS\r\n* 8 EXISTS\r\n", NULL, "garbage");
    test_breaks(NULL, "COMPRESS", "it hangs up");
    test_closed_amid();
    return done_testing();
}
