/* When an endpoint has its connections compressed, what it does where that is
 * refused, garbled or not answered, and that nothing is sent behind it. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES SCRIPTED_LINES
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
    struct scripted scripted; /* first */
    unsigned n_listed;
    unsigned n_told; /* in the log: that it does without */
};

static void on_heard(struct scripted *scripted, const char *line)
{
    ((struct world *)scripted)->n_told +=
        strstr(line, "account: not compressed: ") != NULL;
}

static struct world *world_new(const struct imapserver *server,
                               enum account_compress compress)
{
    struct world *world = MEM_NEW(struct world);

    world->scripted.heard = on_heard;
    world->scripted.server = *server;
    world->scripted.server.n_clients = 20;
    world->scripted.account.compress = compress;
    world->scripted.account.wait_ms = 4;
    scripted_start(&world->scripted, server->caps, server->answers);
    return world;
}

static int do_open(struct world *world)
{
    return scripted_login(&world->scripted,
                          (struct open_request){.dry = false});
}

static void on_item(struct delta_request *request, const struct listed *listed)
{
    struct world *world = request->base.owner;

    (void)listed;
    world->n_listed++;
}

static int do_delta(struct world *world)
{
    struct delta_request delta = {.base = scripted_head(&world->scripted),
                                  .folder = {.name = "INBOX"},
                                  .item = on_item};

    world->n_listed = 0;
    endpoint_delta(world->scripted.endpoint, &delta);
    scripted_settle(&world->scripted);
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
        struct imapserver_answer answers[LINES] = {SELECT, LISTING};
        struct imapserver server = {.caps = modes[i].caps, .answers = answers};
        struct world *world = world_new(&server, modes[i].compress);
        bool good = do_open(world) == 0 && lists(world) && lists(world);

        scripted_close(&world->scripted);
        ok(good && world->scripted.server.compressed == modes[i].compressed &&
               world->scripted.server.logouts == 1,
           "%s: compressed %u times", modes[i].what,
           world->scripted.server.compressed);
        free(world);
    }
}

/* The connection is lost twice. */
static void test_lost(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT",    NULL,                                           NULL, true, 0},
        {"UID FETCH", "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9)\r\n", NULL,
         true,                                                                    0},
        SELECT,
        LISTING,
    };
    struct imapserver server = {.caps = CAPS, .answers = answers};
    struct world *world = world_new(&server, COMPRESS_YES);
    bool good = do_open(world) == 0 && do_delta(world) == 0;

    scripted_close(&world->scripted);
    ok(good && world->scripted.server.compressed == 3 &&
           world->scripted.server.clients == 3,
       "each new connection is compressed, too");
    free(world);
}

static void test_refused(void)
{
    struct imapserver_answer answers[LINES] = {
        {"COMPRESS", NULL, "NO [COMPRESSIONACTIVE] TLS does", false, 0},
        {"SELECT",   NULL, NULL,                              true,  0},
        SELECT,
        LISTING,
    };
    struct imapserver server = {.caps = CAPS, .answers = answers};
    struct world *world = world_new(&server, COMPRESS_YES);
    bool good = do_open(world) == 0 && lists(world) && lists(world);

    scripted_close(&world->scripted);
    ok(good && answers[0].asked == 1 && world->scripted.server.clients == 2 &&
           world->n_told == 1,
       "refused: it goes on without, on the next connection without asking");
    free(world);
}

/* A server that cannot, though it says so, is one that does without: @how. */
static void test_breaks(const char *garbage, const char *drop_at,
                        const char *how)
{
    struct imapserver_answer answers[LINES] = {SELECT, LISTING};
    struct imapserver server = {.caps = CAPS,
                                .answers = answers,
                                .garbage = garbage,
                                .drop_at = drop_at};
    struct world *world = world_new(&server, COMPRESS_YES);
    bool good = do_open(world) == 0 && lists(world);

    scripted_close(&world->scripted);
    ok(good && world->n_told == 1 && world->scripted.server.clients == 2 &&
           world->scripted.server.logouts == 1,
       "%s: a lost connection, and the next one does without", how);
    free(world);
}

/* LOGOUT behind a COMPRESS without an answer would be in the clear, or not:
 * nobody knows. */
static void test_closed_amid(void)
{
    struct imapserver server = {.caps = CAPS, .ignore = "COMPRESS"};
    struct world *world = world_new(&server, COMPRESS_YES);
    struct open_request open = {.base = scripted_head(&world->scripted)};

    endpoint_open(world->scripted.endpoint, &open);
    /* TCP, two times CAPABILITY and the login between them. */
    while (world->scripted.endpoint->wire.round_trips < 5)
        uv_run(&world->scripted.loop, UV_RUN_ONCE);
    scripted_close(&world->scripted);
    ok(open.base.result == ERR_CANCELLED && world->scripted.server.logouts == 0,
       "closed while it waits for the answer: no word more");
    free(world);
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
