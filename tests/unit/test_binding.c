/* SCRAM-PLUS over real TLS connections, with libgsasl as the server: the login
 * is bound to its connection, and somebody in between cannot pass it on. */
#include <gsasl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "imap/sasl.h"
#include "imap/session.h"
#include "tests/tap.h"
#include "tests/unit/tls_pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Our end of a connection, and the server's. */
struct ends {
    struct tls_context *context;
    SSL_CTX *server;
    struct pair pair;
};

static void ends_open(struct ends *ends, const struct cert *cert,
                      const char *ca_file, int version)
{
    struct err err = {""};
    struct tls *tls = NULL;

    ends->context = tls_context_new("h.example", ca_file, NULL);
    ends->server = cert_server(cert);
    SSL_CTX_set_max_proto_version(ends->server, version);
    cert_require(tls_new(ends->context, &tls, &err) == 0, err.text);
    pair_open(&ends->pair, tls, ends->server);
    cert_require(shake(&ends->pair, &err) == 0, err.text);
}

/* Another connection with the ticket of the first. */
static void ends_resume(struct ends *ends)
{
    struct err err = {""};
    struct tls *tls = NULL;
    char byte[1];
    size_t n;

    (void)tls_read(ends->pair.tls, byte, 1, &n, &err); /* takes the ticket */
    pair_close(&ends->pair);
    cert_require(tls_new(ends->context, &tls, &err) == 0, err.text);
    pair_open(&ends->pair, tls, ends->server);
    cert_require(shake(&ends->pair, &err) == 0, err.text);
    ok(tls_is_resumed(tls), "the connection is resumed");
}

static void ends_close(struct ends *ends)
{
    pair_close(&ends->pair);
    SSL_CTX_free(ends->server);
    tls_context_free(ends->context);
}

/* As the server sees it, by OpenSSL alone. */
static void server_binding(SSL *ssl, struct binding *out)
{
    static const char label[] = "EXPORTER-Channel-Binding";

    *out = (struct binding){.kind = BINDING_TLS_UNIQUE};
    if (SSL_version(ssl) == TLS1_3_VERSION) {
        out->kind = BINDING_TLS_EXPORTER;
        out->len = 32;
        cert_require(SSL_export_keying_material(ssl, out->octets, 32, label,
                                                strlen(label), NULL, 0, 0) == 1,
                     "exporter");
        return;
    }
    out->len =
        SSL_session_reused(ssl)
            ? SSL_get_finished(ssl, out->octets, sizeof(out->octets))
            : SSL_get_peer_finished(ssl, out->octets, sizeof(out->octets));
}

static void set_binding(Gsasl_session *server, const struct binding *binding)
{
    char *text = NULL;
    size_t n = 0;

    cert_require(gsasl_base64_to((const char *)binding->octets, binding->len,
                                 &text, &n) == GSASL_OK,
                 "base64");
    (void)gsasl_property_set(server,
                             binding->kind == BINDING_TLS_EXPORTER
                                 ? GSASL_CB_TLS_EXPORTER
                                 : GSASL_CB_TLS_UNIQUE,
                             text);
    gsasl_free(text);
}

/* An exchange to its end. Returns the server's last code, or ours as soon as we
 * refuse. */
static int talk(struct sasl *client, Gsasl_session *server)
{
    struct bytes said = sasl_first(client);
    struct err err = {""};
    struct buf out;
    int code;
    int r = 0;

    buf_init(&out, 0);
    do {
        char *text = NULL;
        char *answer = NULL;

        text = strndup(said.ptr != NULL ? said.ptr : "", said.len);
        code = gsasl_step64(server, text, &answer);
        free(text);
        if ((code == GSASL_OK || code == GSASL_NEEDS_MORE) && answer != NULL &&
            answer[0] != 0) {
            buf_clear(&out);
            r = sasl_step(client, bytes_of(answer), &out, &err);
            said = buf_peek(&out);
        }
        gsasl_free(answer);
    } while (r == 0 && code == GSASL_NEEDS_MORE);
    buf_deinit(&out);
    return r < 0 ? r : code;
}

/* @ours, @theirs  what each end takes the connection for */
static int login(enum sasl_mechanism mechanism, const struct binding *ours,
                 const struct binding *theirs, bool *complete)
{
    struct sasl_options options = {.mechanism = mechanism,
                                   .user = "bob",
                                   .password = "sesame",
                                   .binding = *ours};
    Gsasl *library = NULL;
    Gsasl_session *server = NULL;
    struct sasl *client = NULL;
    struct err err = {""};
    int r = sasl_new(&options, &client, &err);

    *complete = false;
    if (r < 0)
        return r;
    cert_require(gsasl_init(&library) == GSASL_OK &&
                     gsasl_server_start(library, sasl_name(mechanism),
                                        &server) == GSASL_OK,
                 "libgsasl");
    (void)gsasl_property_set(server, GSASL_PASSWORD, "sesame");
    set_binding(server, theirs);
    r = talk(client, server);
    *complete = sasl_is_complete(client);
    sasl_free(client);
    gsasl_finish(server);
    gsasl_done(library);
    return r;
}

static void check_login(struct ends *ends, enum sasl_mechanism mechanism,
                        const char *what)
{
    struct binding ours;
    struct binding theirs;
    bool complete;

    tls_binding(ends->pair.tls, &ours);
    server_binding(ends->pair.server, &theirs);
    ok(ours.kind == theirs.kind && ours.len == theirs.len && ours.len >= 12 &&
           memcmp(ours.octets, theirs.octets, ours.len) == 0,
       "%s: both ends know the same", what);
    ok(login(mechanism, &ours, &theirs, &complete) == GSASL_OK && complete,
       "%s: %s", what, sasl_name(mechanism));
}

/* Somebody has one connection with us and another with the server. */
static void check_man_in_the_middle(struct ends *ours, struct ends *theirs,
                                    enum sasl_mechanism mechanism,
                                    const char *what)
{
    struct binding near;
    struct binding far;
    bool complete;
    int r;

    tls_binding(ours->pair.tls, &near);
    server_binding(theirs->pair.server, &far);
    r = login(mechanism, &near, &far, &complete);
    ok(r != GSASL_OK && !complete, "%s: %s is not passed on: %s", what,
       sasl_name(mechanism), gsasl_strerror_name(r));
}

/* What a session answers to the greeting. */
static bool chooses(enum session_auth auth, const struct binding *binding,
                    const char *offered, const char *want)
{
    const struct session_options options = {.user = "bob",
                                            .password = "sesame",
                                            .auth = auth,
                                            .tls = true,
                                            .log_name = "test"};
    struct session *session = session_new(&options);
    char *greeting =
        mem_printf("* OK [CAPABILITY IMAP4rev1 %s] hi\r\n", offered);
    char *line = mem_printf("AUTHENTICATE %s\r\n", want);
    struct session_event event;
    struct err err = {""};
    struct bytes out;
    bool good;

    session_bind(session, binding);
    session_feed(session, bytes_of(greeting));
    (void)session_next(session, &event, &err);
    out = session_output(session);
    good = memmem(out.ptr, out.len, line, strlen(line)) != NULL;
    if (!good)
        printf("# %s: %.*s\n", err.text, (int)out.len, out.ptr);
    session_free(session);
    free(greeting);
    free(line);
    return good;
}

static void test_choice(void)
{
    static const char offered[] =
        "AUTH=PLAIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-1-PLUS "
        "AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS";
    const struct binding none = {.kind = BINDING_NONE};
    const struct binding some = {.kind = BINDING_TLS_EXPORTER, .len = 32};

    ok(chooses(SESSION_AUTH_AUTO, &some, offered, "SCRAM-SHA-256-PLUS"),
       "what is bound to TLS is chosen first");
    ok(chooses(SESSION_AUTH_AUTO, &none, offered, "SCRAM-SHA-256"),
       "where there is nothing to bind to, what is not");
    ok(chooses(SESSION_AUTH_SCRAM_SHA_1_PLUS, &some, offered,
               "SCRAM-SHA-1-PLUS"),
       "or what is asked for");
    ok(chooses(SESSION_AUTH_CRAM_MD5, &some, offered, "CRAM-MD5"),
       "CRAM-MD5 only then");
    ok(!chooses(SESSION_AUTH_AUTO, &some, "AUTH=CRAM-MD5 LOGINDISABLED",
                "CRAM-MD5"),
       "and never by itself");
}

int main(void)
{
    static const struct {
        int version;
        const char *name;
    } versions[] = {
        {TLS1_2_VERSION, "TLSv1.2"},
        {TLS1_3_VERSION, "TLSv1.3"},
    };

    static const enum sasl_mechanism mechanisms[] = {SASL_SCRAM_SHA_256_PLUS,
                                                     SASL_SCRAM_SHA_1_PLUS};
    struct cert authority =
        cert_make(NULL, "Test CA", NULL, -CERT_DAY, CERT_DAY);
    struct cert cert = cert_make(&authority, "x", "DNS:h.example", 0, CERT_DAY);
    const struct binding none = {.kind = BINDING_NONE};
    char ca_file[] = "/tmp/test_binding.XXXXXX";
    bool complete;
    int fd = mkstemp(ca_file);

    cert_require(fd >= 0 && close(fd) == 0, "temporary file");
    cert_save(&authority, ca_file);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct ends ends;
        struct ends others;

        ends_open(&ends, &cert, ca_file, versions[i].version);
        ends_open(&others, &cert, ca_file, versions[i].version);
        for (size_t k = 0; k < COUNT(mechanisms); k++) {
            check_login(&ends, mechanisms[k], versions[i].name);
            check_man_in_the_middle(&ends, &others, mechanisms[k],
                                    versions[i].name);
        }
        ends_resume(&ends);
        check_login(&ends, SASL_SCRAM_SHA_256_PLUS, versions[i].name);
        ends_close(&ends);
        ends_close(&others);
    }
    ok(login(SASL_SCRAM_SHA_256_PLUS, &none, &none, &complete) == ERR_AUTH,
       "nothing to bind to: nothing is said");
    test_choice();
    unlink(ca_file);
    cert_free(&cert);
    cert_free(&authority);
    return done_testing();
}
