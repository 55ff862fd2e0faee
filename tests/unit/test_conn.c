/* imap/conn.c against a server of our own on the loopback. */
#include "base/mem.h"
#include "imap/conn.h"
#include "tests/tap.h"
#include "tests/unit/certs.h"
#include "tests/unit/imapserver.h"

#define UPLOAD_BYTES ((size_t)4 << 20)
#define HUGE_BYTES   ((size_t)64 << 20)
#define BODY_BYTES   ((size_t)8 << 20)
#define PAUSE_TURNS  20 /* of the loop */

/* What the owner does once it is logged in. */
enum plan {
    PLAN_CLOSE,   /* says good-bye */
    PLAN_NOOP,    /* one command, then good-bye */
    PLAN_WAIT,    /* one command, and waits */
    PLAN_BODY,    /* takes a big message, with pauses */
    PLAN_APPEND,  /* gives one */
    PLAN_UPLOAD,  /* one that is bigger than what the kernels take */
    PLAN_ABANDON, /* closes amid a big message */
    PLAN_AT_ONCE  /* closes before it is connected */
};

struct client {
    enum plan plan;
    uv_loop_t loop;
    uv_idle_t turns; /* counts those of a pause */
    unsigned n_turns;
    struct conn *conn;
    struct wire wire;
    struct gauge gauge;
    struct wire at_ready;
    bool compress;    /* before all else */
    bool compressing; /* and it was not answered yet */
    uint64_t exists;  /* told behind the answer */
    bool inside;      /* a function of conn.h */
    bool called_back; /* while it was */
    bool paused;
    bool ready;
    bool tagged;
    unsigned n_ended;
    unsigned n_drained;
    unsigned n_pauses;
    unsigned n_events_paused; /* during a pause: there must be none */
    size_t body;
    size_t body_wrong; /* bytes that are not as they were sent */
    size_t to_upload;
    size_t queued_max;
    int result;
    struct err err;
};

static struct session *enter(struct client *client)
{
    client->inside = true;
    return conn_session(client->conn);
}

static void flush(struct client *client)
{
    client->inside = true;
    conn_flush(client->conn);
    client->inside = false;
}

static void finish(struct client *client)
{
    client->inside = true;
    conn_close(client->conn, true);
    client->inside = false;
}

static void on_turn(uv_idle_t *idle)
{
    struct client *client = idle->data;

    client->n_turns++;
    if (client->n_turns == PAUSE_TURNS) {
        uv_idle_stop(idle);
        client->paused = false;
        client->inside = true;
        conn_pause(client->conn, false);
        client->inside = false;
    }
}

static void pause_for_a_while(struct client *client)
{
    client->paused = true;
    client->n_pauses++;
    client->n_turns = 0;
    conn_pause(client->conn, true);
    uv_idle_start(&client->turns, on_turn);
}

/* As much as is welcome. */
static void upload(struct client *client)
{
    static const char octets[10000] = {'x'};
    struct session *session = conn_session(client->conn);

    while (client->to_upload > 0 &&
           conn_queued(client->conn) < CONN_QUEUE_MARK) {
        size_t n = client->to_upload < sizeof(octets) ? client->to_upload
                                                      : sizeof(octets);

        session_add(session, (struct bytes){octets, n}, true);
        client->to_upload -= n;
        if (client->to_upload == 0)
            session_end(session);
    }
    if (conn_queued(client->conn) > client->queued_max)
        client->queued_max = conn_queued(client->conn);
    flush(client);
}

static void begin(struct client *client)
{
    struct session *session = enter(client);

    client->inside = false;
    switch (client->plan) {
    case PLAN_NOOP:
    case PLAN_WAIT:
        session_send(session, "NOOP");
        break;
    case PLAN_BODY:
    case PLAN_ABANDON:
        session_send(session, "UID FETCH 1 (UID BODY.PEEK[])");
        break;
    case PLAN_APPEND:
    case PLAN_UPLOAD:
        client->to_upload = UPLOAD_BYTES;
        if (client->plan == PLAN_UPLOAD)
            client->to_upload = HUGE_BYTES;
        session_begin(session);
        session_printf(session, "APPEND x {%zu+}\r\n", client->to_upload);
        upload(client);
        return;
    case PLAN_CLOSE:
    case PLAN_AT_ONCE:
        finish(client);
        return;
    }
    conn_expect(client->conn, true);
    flush(client);
}

static void begin_compress(struct client *client)
{
    struct session *session = enter(client);

    conn_compress(client->conn, session_send(session, "COMPRESS DEFLATE"));
    client->inside = false;
    client->compressing = true;
    flush(client);
}

static void take_body(struct client *client, struct bytes data)
{
    for (size_t i = 0; i < data.len; i++)
        if (data.ptr[i] != imapserver_body_byte(client->body + i))
            client->body_wrong++;
    if (client->plan == PLAN_ABANDON)
        conn_close(client->conn, false);
    else if ((client->body + data.len) / (BODY_BYTES / 8) !=
             client->body / (BODY_BYTES / 8))
        pause_for_a_while(client);
    client->body += data.len;
}

static void on_event(void *owner, const struct session_event *event)
{
    struct client *client = owner;

    client->called_back |= client->inside;
    client->n_events_paused += client->paused;
    switch (event->kind) {
    case SESSION_READY:
        client->ready = true;
        if (client->compress) {
            begin_compress(client);
            break;
        }
        client->at_ready = client->wire;
        begin(client);
        break;
    case SESSION_EXISTS:
        client->exists = event->number;
        break;
    case SESSION_BODY_DATA:
        take_body(client, event->data);
        break;
    case SESSION_TAGGED:
        if (client->compressing) {
            client->compressing = false;
            client->at_ready = client->wire;
            begin(client);
            break;
        }
        client->tagged = true;
        conn_expect(client->conn, false);
        finish(client);
        break;
    default:
        break;
    }
}

static void on_drained(void *owner)
{
    struct client *client = owner;

    client->called_back |= client->inside;
    client->n_drained++;
    upload(client);
}

static void on_ended(void *owner, int result, const struct err *err)
{
    struct client *client = owner;

    client->called_back |= client->inside;
    client->n_ended++;
    client->result = result;
    client->err = *err;
    uv_close((uv_handle_t *)&client->turns, NULL);
}

/* One connection from its beginning to its end. */
static struct client *run(struct imap_account *account, enum plan plan)
{
    struct client *client = MEM_NEW(struct client);
    struct keywords *keywords = keywords_new();
    const struct conn_callbacks callbacks = {.event = on_event,
                                             .drained = on_drained,
                                             .ended = on_ended,
                                             .owner = client};
    struct tls_context *tls = tls_context_new(
        account->host, account->tls_ca_file, account->tls_fingerprint);
    const struct conn_shared shared = {.loop = &client->loop,
                                       .account = account,
                                       .tls = tls,
                                       .keywords = keywords,
                                       .wire = &client->wire,
                                       .gauge = &client->gauge};

    client->plan = plan;
    client->compress = account->compress == COMPRESS_YES;
    uv_loop_init(&client->loop);
    uv_idle_init(&client->loop, &client->turns);
    client->turns.data = client;
    client->inside = true;
    client->conn = conn_open(&shared, &callbacks);
    if (plan == PLAN_AT_ONCE)
        conn_close(client->conn, true);
    client->inside = false;
    uv_run(&client->loop, UV_RUN_DEFAULT);
    ok(uv_loop_close(&client->loop) == 0 && client->n_ended == 1 &&
           !client->called_back,
       "ended once, never called back from inside, and left nothing behind");
    tls_context_free(tls);
    keywords_free(keywords);
    return client;
}

/* The account that fits @server. */
static struct imap_account account_of(const struct imapserver *server,
                                      const char *ca_file)
{
    struct imap_account account = {.name = "test",
                                   .host = "127.0.0.1",
                                   .port = server->port,
                                   .tls = TLS_NONE,
                                   .tls_ca_file = ca_file,
                                   .user = "me",
                                   .password = "secret",
                                   .connections = 1,
                                   .compress = server->compress ? COMPRESS_YES
                                                                : COMPRESS_NO,
                                   .connect_ms = 20000,
                                   .idle_ms = 20000};

    if (server->ssl_context != NULL)
        account.tls = server->implicit ? TLS_IMPLICIT : TLS_STARTTLS;
    return account;
}

static struct client *run_with(struct imapserver *server, const char *ca_file,
                               enum plan plan)
{
    struct imap_account account;
    struct client *client;

    cert_require(imapserver_start(server, AF_INET), "server");
    account = account_of(server, ca_file);
    client = run(&account, plan);
    imapserver_stop(server);
    return client;
}

/* The ways to connect: each test that is about what comes later is done
 * with all of them. */
struct way {
    const char *name;
    SSL_CTX *ssl_context;
    bool implicit;
    bool compress;
};

/* Returns the round trips that it took to log in. */
static uint64_t test_login(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress};
    struct client *client = run_with(&server, ca_file, PLAN_NOOP);
    const struct wire *wire = &client->wire;
    uint64_t trips = client->at_ready.round_trips;

    ok(client->ready && client->tagged && client->result == ERR_CANCELLED,
       "%s: logged in, and one command done: %s", way->name, client->err.text);
    ok(server.logins == 1 && server.logouts == 1,
       "%s: the server saw a login and a logout", way->name);
    ok(wire->connections == 1 && wire->sent > 0 && wire->received > 0,
       "%s: counted", way->name);
    ok(wire->round_trips == trips + 1,
       "%s: a command is one round trip, a logout none", way->name);
    free(client);
    return trips;
}

static void test_body(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress,
                                .body_bytes = BODY_BYTES};
    struct client *client = run_with(&server, ca_file, PLAN_BODY);

    ok(client->tagged && client->body == BODY_BYTES && client->body_wrong == 0,
       "%s: a big message came whole: %zu bytes, %s", way->name, client->body,
       client->err.text);
    ok(client->n_pauses == 8 && client->n_events_paused == 0,
       "%s: and nothing of it in a pause", way->name);
    ok(client->wire.received > BODY_BYTES &&
           client->wire.received < BODY_BYTES + 1000,
       "%s: counted without TLS", way->name);
    ok((server.sent < BODY_BYTES / 10) == way->compress,
       "%s: sent as %zu bytes", way->name, server.sent);
    free(client);
}

static void test_abandon(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress,
                                .body_bytes = BODY_BYTES};
    struct client *client = run_with(&server, ca_file, PLAN_ABANDON);

    ok(client->result == ERR_CANCELLED && client->body > 0 &&
           client->body <= (size_t)64 << 10,
       "%s: no event after conn_close(): %zu bytes", way->name, client->body);
    free(client);
}

static void test_append(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress};
    struct client *client = run_with(&server, ca_file, PLAN_APPEND);

    ok(client->tagged && server.appended == UPLOAD_BYTES,
       "%s: a big message went whole: %zu bytes, %s", way->name,
       server.appended, client->err.text);
    ok((client->n_drained > 0 || way->compress) &&
           client->queued_max < 2 * CONN_QUEUE_MARK,
       "%s: in pieces, %u times drained, %zu bytes queued at most", way->name,
       client->n_drained, client->queued_max);
    ok(client->wire.sent > UPLOAD_BYTES &&
           client->wire.sent < UPLOAD_BYTES + 1000,
       "%s: counted without TLS", way->name);
    ok((server.got < UPLOAD_BYTES / 10) == way->compress, "%s: as %zu bytes",
       way->name, server.got);
    free(client);
}

static void test_hang_up(const struct way *way, const char *ca_file)
{
    static const struct {
        const char *name;
        const char *at;
        const char *last;
        const char *want;
    } cases[] = {
        {"without a word", "NOOP",       NULL,                                     "connection closed by the server"},
        {"with BYE",       "NOOP",       "* BYE [UNAVAILABLE] down for lunch\r\n",
         "connection closed by the server: [UNAVAILABLE] down for lunch"                                            },
        {"amid a line",    "NOOP",       "* STATUS INBOX (MESSA",
         "connection closed by the server"                                                                          },
        {"amid a message", "UID",        "* 1 FETCH (UID 1 BODY[] {100}\r\nabc",
         "connection closed by the server"                                                                          },
        {"at login",       "CAPABILITY", NULL,                                     "connection closed by the server"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct imapserver server = {.ssl_context = way->ssl_context,
                                    .implicit = way->implicit,
                                    .compress = way->compress,
                                    .drop_at = cases[i].at,
                                    .last = cases[i].last};
        struct client *client =
            run_with(&server, ca_file,
                     strcmp(cases[i].at, "UID") == 0 ? PLAN_BODY : PLAN_WAIT);

        ok(client->result == ERR_CONNECT &&
               strcmp(client->err.text, cases[i].want) == 0,
           "%s: closed %s: %s", way->name, cases[i].name, client->err.text);
        free(client);
    }
}

/* Whether its last words reach us, when it resets the connection, is up to the
 * kernel. */
static void test_hang_up_on_append(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress,
                                .drop_at = "APPEND",
                                .last = "* BYE too big\r\n"};
    struct client *client = run_with(&server, ca_file, PLAN_APPEND);

    ok(client->result == ERR_CONNECT &&
           strncmp(client->err.text, "connection ", 11) == 0,
       "%s: closed amid our message: %s", way->name, client->err.text);
    free(client);
}

/* In whatever state it is: the connection does not stand in time. */
static void test_mute(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.mute = true,
                                .ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress};
    struct imap_account account;
    struct client *client;

    cert_require(imapserver_start(&server, AF_INET), "server");
    account = account_of(&server, ca_file);
    account.connect_ms = 1000;
    client = run(&account, PLAN_CLOSE);
    imapserver_stop(&server);
    ok(client->result == ERR_CONNECT && !client->ready &&
           strstr(client->err.text, "not finished within 1 s") != NULL,
       "%s: a server that says nothing: %s", way->name, client->err.text);
    free(client);
}

/* A server that does not answer, or only says that it is at it: not silent, and
 * yet of no use, which is believed ten times as long. */
static void test_useless(const struct way *way, const char *ca_file,
                         const char *ignore, const char *chatter_line,
                         unsigned idle_ms, const char *what)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress,
                                .ignore = ignore,
                                .chatter = chatter_line != NULL ? "NOOP" : NULL,
                                .chatter_line = chatter_line};
    struct imap_account account;
    struct client *client;

    cert_require(imapserver_start(&server, AF_INET), "server");
    account = account_of(&server, ca_file);
    account.idle_ms = idle_ms;
    client = run(&account, PLAN_WAIT);
    imapserver_stop(&server);
    ok(client->result == ERR_CONNECT && client->ready &&
           strstr(client->err.text, "no answer from the server") != NULL,
       "%s: a server that %s: %s", way->name, what, client->err.text);
    free(client);
}

/* A server that takes nothing more of our message, though no answer is due yet;
 * and one that takes it slowly, for several times as long as a silent one is
 * waited for. */
static void test_untaken(const struct way *way, const char *ca_file)
{
    struct imapserver deaf = {.ssl_context = way->ssl_context,
                              .implicit = way->implicit,
                              .deaf_at = "APPEND"};
    struct imapserver slow = {.ssl_context = way->ssl_context,
                              .implicit = way->implicit,
                              .slow_reads = 30};
    struct imap_account account;
    struct client *client;

    cert_require(imapserver_start(&deaf, AF_INET), "server");
    account = account_of(&deaf, ca_file);
    account.idle_ms = 500;
    client = run(&account, PLAN_UPLOAD);
    imapserver_stop(&deaf);
    ok(client->result == ERR_CONNECT && client->to_upload > 0 &&
           strstr(client->err.text, "no answer from the server") != NULL,
       "%s: a server that reads no more: %s", way->name, client->err.text);
    free(client);

    cert_require(imapserver_start(&slow, AF_INET), "server");
    account = account_of(&slow, ca_file);
    account.idle_ms = 500;
    client = run(&account, PLAN_APPEND);
    imapserver_stop(&slow);
    ok(client->tagged && slow.appended == UPLOAD_BYTES,
       "%s: but not one that reads slowly: %zu bytes, %s", way->name,
       slow.appended, client->err.text);
    free(client);
}

/* What comes with the OK to COMPRESS is the beginning of the stream, whatever
 * it looks like. */
static void test_compress(const struct way *way, const char *ca_file)
{
    static const char *const garbage[] = {
        "* 7 EXISTS\r\n* 8 EXISTS\r\n",
        "\x07 a block of no kind",
        "\xff\xff\xff\xff\xff\xff",
    };
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = true};
    struct client *client = run_with(&server, ca_file, PLAN_NOOP);

    ok(client->tagged && client->exists == 7 && server.logouts == 1,
       "%s: what came with the answer is read", way->name);
    free(client);

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        server = (struct imapserver){.ssl_context = way->ssl_context,
                                     .implicit = way->implicit,
                                     .compress = true,
                                     .garbage = garbage[i]};
        client = run_with(&server, ca_file, PLAN_WAIT);
        ok(client->result == ERR_CONNECT && client->exists == 0 &&
               strstr(client->err.text, "compressed stream is broken") != NULL,
           "%s: garbage behind it: %s", way->name, client->err.text);
        free(client);
    }

    server = (struct imapserver){.ssl_context = way->ssl_context,
                                 .implicit = way->implicit,
                                 .compress = true,
                                 .finishes = true,
                                 .drop_at = "NOOP"};
    client = run_with(&server, ca_file, PLAN_WAIT);
    ok(client->result == ERR_CONNECT &&
           strcmp(client->err.text, "connection closed by the server") == 0,
       "%s: the stream is ended: %s", way->name, client->err.text);
    free(client);
}

static void test_starttls_injection(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .inject = "* CAPABILITY IMAP4rev1\r\n"};
    struct client *client = run_with(&server, ca_file, PLAN_CLOSE);

    ok(client->result == ERR_PROTOCOL && !client->ready && server.logins == 0,
       "plaintext behind the answer to STARTTLS: %s", client->err.text);
    free(client);
}

static void test_refusals(const struct way *implicit, const char *ca_file)
{
    struct imapserver server = {.ssl_context = implicit->ssl_context,
                                .implicit = true};
    struct imapserver plain = {.port = 0};
    struct imapserver closed = {.port = 0};
    struct imap_account account;
    struct client *client = run_with(&server, "/etc/hosts", PLAN_CLOSE);

    ok(client->result == ERR_CONNECT && client->wire.connections == 1 &&
           strncmp(client->err.text, "tls_ca_file /etc/hosts", 22) == 0,
       "a tls_ca_file that is none: %s", client->err.text);
    free(client);

    server = (struct imapserver){.ssl_context = implicit->ssl_context,
                                 .implicit = true};
    cert_require(imapserver_start(&server, AF_INET), "server");
    account = account_of(&server, ca_file);
    account.tls_fingerprint = "sha256:"
                              "00112233445566778899aabbccddeeff"
                              "00112233445566778899aabbccddeeff";
    client = run(&account, PLAN_CLOSE);
    imapserver_stop(&server);
    ok(client->result == ERR_CONNECT && server.logins == 0 &&
           strstr(client->err.text, "does not match tls_fingerprint") != NULL,
       "another certificate: %s", client->err.text);
    free(client);

    cert_require(imapserver_start(&plain, AF_INET), "server");
    account = account_of(&plain, ca_file);
    account.tls = TLS_IMPLICIT;
    client = run(&account, PLAN_CLOSE);
    imapserver_stop(&plain);
    ok(client->result == ERR_CONNECT &&
           strstr(client->err.text, "does not speak TLS") != NULL,
       "a server without TLS: %s", client->err.text);
    free(client);

    /* Its port was free a moment ago. */
    closed.port = plain.port;
    account = account_of(&closed, ca_file);
    client = run(&account, PLAN_CLOSE);
    ok(client->result == ERR_CONNECT && client->wire.connections == 0 &&
           strstr(client->err.text, ": connection refused") != NULL,
       "nobody listens: %s", client->err.text);
    free(client);
}

static void test_close_at_once(const struct way *way, const char *ca_file)
{
    struct imapserver server = {.ssl_context = way->ssl_context,
                                .implicit = way->implicit,
                                .compress = way->compress};
    struct client *client = run_with(&server, ca_file, PLAN_AT_ONCE);

    ok(client->result == ERR_CANCELLED && !client->ready,
       "closed before it was open: %s", client->err.text);
    free(client);
}

static void test_ipv6(void)
{
    struct imapserver server = {.port = 0};
    struct imap_account account;
    struct client *client;

    if (!imapserver_start(&server, AF_INET6)) {
        ok(true, "IPv6 # SKIP this machine has none");
        return;
    }
    account = account_of(&server, NULL);
    account.host = "::1";
    client = run(&account, PLAN_NOOP);
    imapserver_stop(&server);
    ok(client->tagged, "IPv6: %s", client->err.text);
    free(client);
}

int main(void)
{
    struct cert authority =
        cert_make(NULL, "Test CA", NULL, -CERT_DAY, CERT_DAY);
    struct cert cert = cert_make(&authority, "server",
                                 "DNS:localhost,IP:127.0.0.1", 0, CERT_DAY);
    SSL_CTX *ssl = cert_server(&cert);
    const struct way ways[] = {
        {"plain",              NULL, false, false},
        {"TLS",                ssl,  true,  false},
        {"STARTTLS",           ssl,  false, false},
        {"compressed",         NULL, false, true },
        {"TLS and compressed", ssl,  true,  true },
    };
    uint64_t trips[sizeof(ways) / sizeof(ways[0])];
    char ca_file[] = "/tmp/test_conn.XXXXXX";
    int fd = mkstemp(ca_file);

    cert_require(fd >= 0, "temporary file");
    close(fd);
    cert_save(&authority, ca_file);
    signal(SIGPIPE, SIG_IGN); /* as main does */
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        trips[i] = test_login(&ways[i], ca_file);
        test_body(&ways[i], ca_file);
        test_abandon(&ways[i], ca_file);
        test_append(&ways[i], ca_file);
        test_hang_up(&ways[i], ca_file);
        test_hang_up_on_append(&ways[i], ca_file);
        test_close_at_once(&ways[i], ca_file);
    }
    ok(trips[1] == trips[0] + 1, "TLS costs one round trip");
    ok(trips[2] > trips[1], "STARTTLS more");
    ok(trips[3] == trips[0] + 1 && trips[4] == trips[1] + 1,
       "and so does to compress");
    test_compress(&ways[3], ca_file);
    test_compress(&ways[4], ca_file);
    test_mute(&ways[0], ca_file);
    test_mute(&ways[1], ca_file);
    test_useless(&ways[1], ca_file, "NOOP", NULL, 1000, "fell asleep");
    test_useless(&ways[1], ca_file, NULL, "* OK still at it\r\n", 150,
                 "only says that it is at it");
    test_useless(&ways[1], ca_file, NULL, "* 6 EXISTS\r\n", 150,
                 "only has news of others");
    test_untaken(&ways[0], ca_file);
    test_untaken(&ways[1], ca_file);
    test_starttls_injection(&ways[2], ca_file);
    test_refusals(&ways[1], ca_file);
    test_ipv6();
    unlink(ca_file);
    SSL_CTX_free(ssl);
    cert_free(&cert);
    cert_free(&authority);
    return done_testing();
}
