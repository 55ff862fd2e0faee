/* imap/tls.c against an OpenSSL server in memory. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "imap/tls.h"
#include "tests/tap.h"
#include "tests/unit/certs.h"
#include "tests/unit/tls_pair.h"

#define PIN_TEXT_BYTES 128

/* What there is to trust and to show. */
struct world {
    struct cert authority;
    struct cert stranger; /* an authority that nobody trusts */
    char ca_file[64];
};

static void world_make(struct world *world)
{
    int fd;

    snprintf(world->ca_file, sizeof(world->ca_file), "/tmp/test_tls.XXXXXX");
    fd = mkstemp(world->ca_file);
    cert_require(fd >= 0, "temporary file");
    close(fd);
    world->authority = cert_make(NULL, "Test CA", NULL, -CERT_DAY, CERT_DAY);
    world->stranger = cert_make(NULL, "Stranger", NULL, -CERT_DAY, CERT_DAY);
    cert_save(&world->authority, world->ca_file);
}

static void world_free(struct world *world)
{
    unlink(world->ca_file);
    cert_free(&world->authority);
    cert_free(&world->stranger);
}

enum signer { AUTHORITY, STRANGER, ITSELF };

static const struct {
    const char *name;
    const char *host;
    const char *names; /* in the certificate */
    enum signer signer;
    long from_days;
    long until_days;
    const char *want; /* in the error text; NULL: no error */
} cases[] = {
    {"the right host",                      "imap.example.org",   "DNS:imap.example.org", AUTHORITY,
     -1,                                                                                                 1,  NULL                                                                 },
    {"the case of names does not matter",   "IMAP.Example.org",
     "DNS:imap.example.org",                                                              AUTHORITY, -1, 1,  NULL                                                                 },
    {"a wildcard",                          "imap.example.org",   "DNS:*.example.org",    AUTHORITY, -1, 1,
     NULL                                                                                                                                                                         },
    {"one name of several",                 "imap.example.org",
     "DNS:www.example.org,DNS:imap.example.org",                                          AUTHORITY, -1, 1,  NULL                                                                 },
    {"another host",                        "imap.example.org",   "DNS:evil.example.net", AUTHORITY, -1,
     1,                                                                                                      "imap.example.org: certificate verify failed: it is for another host"},
    {"a wildcard two levels up",            "a.imap.example.org", "DNS:*.example.org",
     AUTHORITY,                                                                                      -1, 1,  "it is for another host"                                             },
    {"a name that only begins like it",     "imap.example.org",
     "DNS:imap.example.org.evil.net",                                                     AUTHORITY, -1, 1,
     "it is for another host"                                                                                                                                                     },
    {"an IPv4 address",                     "127.0.0.1",          "IP:127.0.0.1",         AUTHORITY, -1, 1,  NULL                                                                 },
    {"an IPv6 address",                     "::1",                "IP:::1",               AUTHORITY, -1, 1,  NULL                                                                 },
    {"another address",                     "127.0.0.1",          "IP:127.0.0.2",         AUTHORITY, -1, 1,
     "it is for another host"                                                                                                                                                     },
    {"an address as a name is not one",     "127.0.0.1",          "DNS:127.0.0.1",        AUTHORITY,
     -1,                                                                                                 1,  "it is for another host"                                             },
    {"expired",                             "imap.example.org",   "DNS:imap.example.org", AUTHORITY, -3, -1,
     "certificate has expired"                                                                                                                                                    },
    {"not valid yet",                       "imap.example.org",   "DNS:imap.example.org", AUTHORITY, 1,
     3,                                                                                                      "certificate is not yet valid"                                       },
    {"self-signed",                         "imap.example.org",   "DNS:imap.example.org", ITSELF,    -1, 1,
     "certificate verify failed: self-signed certificate: set tls_ca_file, or "
     "tls_fingerprint = sha256:"                                                                                                                                                  },
    {"of an authority that is not trusted", "imap.example.org",
     "DNS:imap.example.org",                                                              STRANGER,  -1, 1,  "set tls_ca_file"                                                    },
};

static void test_verification(const struct world *world)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct cert *signers[] = {&world->authority, &world->stranger,
                                        NULL};
        struct cert cert = cert_make(
            signers[cases[i].signer], "server", cases[i].names,
            cases[i].from_days * CERT_DAY, cases[i].until_days * CERT_DAY);
        SSL_CTX *server = cert_server(&cert);
        struct tls_context *context =
            tls_context_new(cases[i].host, world->ca_file, NULL);
        struct tls *tls = NULL;
        struct err err = {""};
        struct pair pair;
        int r;

        ok(tls_new(context, &tls, &err) == 0, "%s: begun", cases[i].name);
        pair_open(&pair, tls, server);
        r = shake(&pair, &err);
        if (cases[i].want == NULL) {
            ok(r == 0, "%s: verified (%s)", cases[i].name, err.text);
        } else {
            ok(r == ERR_CONNECT && strstr(err.text, cases[i].want) != NULL,
               "%s: refused: %s", cases[i].name, err.text);
            ok(SSL_is_init_finished(pair.server) == 0 ||
                   SSL_read(pair.server, (char[1]){0}, 1) <= 0,
               "%s: the server is told", cases[i].name);
        }
        pair_close(&pair);
        tls_context_free(context);
        SSL_CTX_free(server);
        cert_free(&cert);
    }
}

static void key_save(const struct cert *cert, const char *path)
{
    FILE *file = fopen(path, "w");

    cert_require(file != NULL && PEM_write_PrivateKey(file, cert->key, NULL,
                                                      NULL, 0, NULL, NULL) == 1,
                 path);
    fclose(file);
}

/* A server that asks for a certificate. Returns whether the handshake was full;
 * @name  gets the common name that was shown, or "". */
static bool asked(struct tls_context *context, SSL_CTX *server, char *name,
                  size_t size)
{
    struct tls *tls = NULL;
    struct err err = {""};
    struct pair pair;
    X509 *shown;
    bool full;
    char byte;
    size_t n;

    ok(tls_new(context, &tls, &err) == 0, "begun %s", err.text);
    pair_open(&pair, tls, server);
    ok(shake(&pair, &err) == 0, "it stands %s", err.text);
    /* The tickets of TLS 1.3 come behind the handshake. */
    SSL_write(pair.server, "x", 1);
    while (shuttle(&pair))
        ;
    ok(tls_read(tls, &byte, 1, &n, &err) == 0 && n == 1, "it works");
    full = !tls_is_resumed(tls);
    shown = SSL_get1_peer_certificate(pair.server);
    name[0] = '\0';
    if (shown != NULL) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName,
                                  name, (int)size);
    }
    X509_free(shown);
    pair_close(&pair);
    return full;
}

static int accept_any(int verified, X509_STORE_CTX *chain)
{
    (void)verified;
    (void)chain;
    return 1;
}

/* Our own certificate is shown where it is asked for, and then no ticket. */
static void test_own(const struct world *world)
{
    struct cert cert =
        cert_make(&world->authority, "server", "DNS:h.example", 0, CERT_DAY);
    struct cert own =
        cert_make(&world->authority, "bob", "DNS:bob", 0, CERT_DAY);
    SSL_CTX *server = cert_server(&cert);
    struct tls_context *nobody =
        tls_context_new("h.example", world->ca_file, NULL);
    struct tls_context *bob =
        tls_context_new("h.example", world->ca_file, NULL);
    char *own_file = mem_printf("%s.own", world->ca_file);
    char *key_file = mem_printf("%s.key", world->ca_file);
    char name[32];

    cert_save(&own, own_file);
    key_save(&own, key_file);
    tls_context_identify(nobody, NULL, NULL);
    tls_context_identify(bob, own_file, key_file);
    ok(asked(bob, server, name, sizeof(name)) && strcmp(name, "") == 0,
       "not asked, not shown");
    ok(!asked(bob, server, name, sizeof(name)), "a ticket is used");
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, accept_any);
    ok(asked(nobody, server, name, sizeof(name)) && strcmp(name, "") == 0,
       "nothing to show");
    ok(asked(nobody, server, name, sizeof(name)),
       "a server that asks gets no ticket");
    tls_context_free(bob);
    bob = tls_context_new("h.example", world->ca_file, NULL);
    tls_context_identify(bob, own_file, key_file);
    for (int i = 0; i < 2; i++) {
        ok(asked(bob, server, name, sizeof(name)) && strcmp(name, "bob") == 0,
           "asked and shown");
    }
    unlink(own_file);
    unlink(key_file);
    free(own_file);
    free(key_file);
    tls_context_free(nobody);
    tls_context_free(bob);
    SSL_CTX_free(server);
    cert_free(&own);
    cert_free(&cert);
}

/* "sha256:HEX" of the certificate, with colons and in capitals, as openssl
 * x509 -fingerprint prints it. */
static void cert_pin(const struct cert *cert, char *out, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    size_t at;

    cert_require(X509_digest(cert->x509, EVP_sha256(), digest, &n) == 1,
                 "digest");
    at = (size_t)snprintf(out, size, "SHA256");
    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, size - at, ":%02X", digest[i]);
}

/* A pin stands alone: issuer, dates and name do not matter. */
static void test_pin(void)
{
    struct cert cert =
        cert_make(NULL, "x", "DNS:other.example", -3 * CERT_DAY, -CERT_DAY);
    struct cert fake = cert_make(NULL, "x", "DNS:host.example", 0, CERT_DAY);
    char pin[PIN_TEXT_BYTES];
    char fake_pin[PIN_TEXT_BYTES];
    uint8_t want[TLS_PIN_BYTES];
    uint8_t shown[TLS_PIN_BYTES];
    SSL_CTX *server = cert_server(&cert);
    SSL_CTX *fake_server = cert_server(&fake);
    struct tls_context *context;
    struct tls *tls = NULL;
    struct err err = {""};
    struct pair pair;

    cert_pin(&cert, pin, sizeof(pin));
    cert_pin(&fake, fake_pin, sizeof(fake_pin));
    context = tls_context_new("host.example", "/nowhere", pin);
    ok(tls_new(context, &tls, &err) == 0, "a pin needs no tls_ca_file");
    pair_open(&pair, tls, server);
    ok(shake(&pair, &err) == 0, "the pinned certificate: verified");
    pair_close(&pair);

    ok(tls_new(context, &tls, &err) == 0, "the same, to another server");
    pair_open(&pair, tls, fake_server);
    ok(shake(&pair, &err) == ERR_CONNECT, "refused: %s", err.text);
    ok(strstr(err.text, "does not match tls_fingerprint") != NULL &&
           strstr(err.text, "sha256:") != NULL,
       "and says so");
    ok(tls_parse_pin(bytes_of(strstr(err.text, "sha256:")), shown) &&
           tls_parse_pin(bytes_of(fake_pin), want) &&
           memcmp(want, shown, sizeof(want)) == 0,
       "the fingerprint shown is the server's, fit to be copied");
    pair_close(&pair);
    tls_context_free(context);

    context = tls_context_new("host.example", NULL, "sha256:12");
    ok(tls_new(context, &tls, &err) == ERR_CONNECT &&
           strstr(err.text, "tls_fingerprint") != NULL,
       "what is not a pin is refused: %s", err.text);
    tls_context_free(context);
    SSL_CTX_free(server);
    SSL_CTX_free(fake_server);
    cert_free(&cert);
    cert_free(&fake);
}

#define HEX16 "00112233445566778899aabbccddEEFF"

static const struct {
    const char *name;
    const char *text;
    bool good;
} pins[] = {
    {"plain",               "sha256:" HEX16 HEX16,                              true },
    {"capital word",        "SHA256:" HEX16 HEX16,                              true },
    {"one colon",           "sha256:" HEX16 ":" HEX16,                          true },
    {"a digit short",       "sha256:" HEX16 "00112233445566778899aabbccddEEF",  false},
    {"too long",            "sha256:" HEX16 HEX16 "00",                         false},
    {"colon at the end",    "sha256:" HEX16 HEX16 ":",                          false},
    {"colon inside a byte", "sha256:0:0" HEX16 HEX16,                           false},
    {"not hexadecimal",     "sha256:g0" HEX16 "112233445566778899aabbccddEEFF",
     false                                                                           },
    {"no word",             HEX16 HEX16,                                        false},
    {"another digest",      "sha1:" HEX16 HEX16,                                false},
    {"nothing",             "",                                                 false},
};

static void test_parse_pin(void)
{
    uint8_t pin[TLS_PIN_BYTES] = {0};

    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
        ok(tls_parse_pin(bytes_of(pins[i].text), pin) == pins[i].good,
           "pin: %s", pins[i].name);
    ok(tls_parse_pin(B("sha256:" HEX16 HEX16), pin) && pin[1] == 0x11 &&
           pin[15] == 0xff && pin[31] == 0xff,
       "pin: the bytes");
}

static void test_trust_cannot_be_read(void)
{
    struct tls_context *context = tls_context_new("h", "/no/such/ca.pem", NULL);
    struct tls *tls = NULL;
    struct err err = {""};

    ok(tls_new(context, &tls, &err) == ERR_CONNECT &&
           strcmp(err.text, "tls_ca_file /no/such/ca.pem: No such file or "
                            "directory") == 0,
       "a tls_ca_file that is not there: %s", err.text);
    tls_context_free(context);
}

/* Does the server's certificate hold for this context? */
static bool is_verified(struct tls_context *context, SSL_CTX *server)
{
    struct tls *tls = NULL;
    struct err err = {""};
    struct pair pair;
    bool verified;

    if (tls_new(context, &tls, &err) != 0)
        return false;
    pair_open(&pair, tls, server);
    verified = shake(&pair, &err) == 0;
    pair_close(&pair);
    return verified;
}

/* Read once, for all who trust the same, and for nobody else. */
static void test_shared_trust(const struct world *world)
{
    struct cert cert =
        cert_make(&world->authority, "x", "DNS:h.example", 0, CERT_DAY);
    SSL_CTX *server = cert_server(&cert);
    char *file = mem_printf("%s.shared", world->ca_file);
    char *other = mem_printf("%s.other", world->ca_file);
    struct tls_trust *trust = tls_trust_new();
    struct tls_context *contexts[] = {
        tls_context_new("h.example", file, NULL),
        tls_context_new("h.example", file, NULL),
        tls_context_new("h.example", other, NULL),
        tls_context_new("h.example", NULL, NULL),
        tls_context_new("h.example", file, NULL),
    };

    cert_save(&world->authority, file);
    cert_save(&world->stranger, other);
    for (size_t i = 0; i < 4; i++)
        tls_context_share(contexts[i], trust);
    ok(is_verified(contexts[0], server), "shared trust: the first reads it");
    unlink(file);
    ok(is_verified(contexts[1], server), "shared trust: another one need not");
    ok(!is_verified(contexts[2], server) && !is_verified(contexts[3], server),
       "shared trust: not with whom it is not shared");
    ok(!is_verified(contexts[4], server), "not shared: the file is gone");
    tls_trust_free(trust);
    ok(is_verified(contexts[0], server), "shared trust: who has it keeps it");
    tls_trust_free(NULL);
    for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++)
        tls_context_free(contexts[i]);
    unlink(other);
    free(file);
    free(other);
    SSL_CTX_free(server);
    cert_free(&cert);
}

/* A good connection to play with. */
static struct pair connect_pair(struct tls_context *context, SSL_CTX *server,
                                size_t step)
{
    struct err err = {""};
    struct tls *tls = NULL;
    struct pair pair;

    cert_require(tls_new(context, &tls, &err) == 0, err.text);
    pair_open(&pair, tls, server);
    pair.step = step;
    ok(shake(&pair, &err) == 0, "handshake in steps of %zu %s", step, err.text);
    return pair;
}

/* Send @text to the server, as far as the wire holds. Returns how much the
 * server got. */
static size_t to_server(struct pair *pair, struct bytes text, char *got)
{
    struct err err = {""};
    size_t total = 0;
    bool moved;

    do {
        size_t n = 0;

        if (text.len > 0 && tls_write(pair->tls, text, &n, &err) < 0)
            return 0;
        text = bytes_skip(text, n);
        moved = shuttle(pair);
        while (SSL_read_ex(pair->server, got + total, NO_SPLIT, &n) == 1)
            total += n;
    } while (moved || text.len > 0);
    return total;
}

static size_t from_server(struct pair *pair, struct bytes text, char *got)
{
    struct err err = {""};
    size_t total = 0;
    size_t n = 0;

    SSL_write_ex(pair->server, text.ptr, text.len, &n);
    do {
        while (tls_read(pair->tls, got + total, 1000, &n, &err) == 0 && n > 0)
            total += n;
    } while (shuttle(pair));
    return total;
}

static void test_data(const struct world *world)
{
    static const size_t steps[] = {1, 7, 1000, 70000};
    const size_t len = 200000;
    struct cert cert =
        cert_make(&world->authority, "x", "DNS:h.example", 0, CERT_DAY);
    SSL_CTX *server = cert_server(&cert);
    struct tls_context *context =
        tls_context_new("h.example", world->ca_file, NULL);
    char *text = mem_new(len, 1);
    char *got = mem_new(NO_SPLIT * 2, 1);

    for (size_t i = 0; i < len; i++)
        text[i] = (char)(i * 31 + i / 251);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct pair pair = connect_pair(context, server, steps[i]);

        ok(to_server(&pair, (struct bytes){text, len}, got) == len &&
               memcmp(text, got, len) == 0,
           "to the server in steps of %zu", steps[i]);
        memset(got, 0, len);
        ok(from_server(&pair, (struct bytes){text, len}, got) == len &&
               memcmp(text, got, len) == 0,
           "from the server in steps of %zu", steps[i]);
        ok(tls_queued(pair.tls) == 0, "nothing is left on the way");
        pair_close(&pair);
    }
    free(text);
    free(got);
    tls_context_free(context);
    SSL_CTX_free(server);
    cert_free(&cert);
}

/* The output queue is bounded, and stays where it is while more is written. */
static void test_full(const struct world *world)
{
    struct cert cert =
        cert_make(&world->authority, "x", "DNS:h.example", 0, CERT_DAY);
    SSL_CTX *server = cert_server(&cert);
    struct tls_context *context =
        tls_context_new("h.example", world->ca_file, NULL);
    struct pair pair = connect_pair(context, server, NO_SPLIT);
    char *text = mem_new(NO_SPLIT, 1);
    struct err err = {""};
    const char *place = NULL;
    size_t total = 0;
    size_t n = 0;

    do {
        tls_write(pair.tls, (struct bytes){text, NO_SPLIT}, &n, &err);
        total += n;
        if (place == NULL)
            place = tls_output(pair.tls).ptr;
    } while (n > 0);
    ok(total == 4 * (size_t)TLS_RECORD_BYTES, "takes four records: %zu", total);
    ok(tls_output(pair.tls).ptr == place &&
           tls_output(pair.tls).len == tls_queued(pair.tls),
       "in one piece, which did not move");
    free(text);
    pair_close(&pair);
    tls_context_free(context);
    SSL_CTX_free(server);
    cert_free(&cert);
}

static void test_end(const struct world *world)
{
    struct cert cert =
        cert_make(&world->authority, "x", "DNS:h.example", 0, CERT_DAY);
    SSL_CTX *server = cert_server(&cert);
    struct tls_context *context =
        tls_context_new("h.example", world->ca_file, NULL);
    struct pair pair = connect_pair(context, server, NO_SPLIT);
    struct err err = {""};
    char got[100];
    size_t n = 0;
    size_t room;

    SSL_write(pair.server, "last words", 10);
    SSL_shutdown(pair.server);
    shuttle(&pair);
    ok(tls_read(pair.tls, got, sizeof(got), &n, &err) == 0 && n == 10,
       "what came before the end is read");
    ok(tls_read(pair.tls, got, sizeof(got), &n, &err) == 1 && n == 0,
       "close_notify is the end");
    pair_close(&pair);

    pair = connect_pair(context, server, NO_SPLIT);
    tls_close(pair.tls);
    shuttle(&pair);
    ok(SSL_read(pair.server, got, 1) <= 0 &&
           SSL_get_shutdown(pair.server) == SSL_RECEIVED_SHUTDOWN,
       "our own end is said");
    pair_close(&pair);

    pair = connect_pair(context, server, NO_SPLIT);
    SSL_write(pair.server, "last words", 10);
    n = (size_t)BIO_read(pair.from_server, tls_room(pair.tls, &room), 1000);
    tls_fed(pair.tls, n - 1);
    ok(tls_read(pair.tls, got, sizeof(got), &n, &err) == 0 && n == 0,
       "a record cut short is not the end, and no data");
    pair_close(&pair);

    pair = connect_pair(context, server, NO_SPLIT);
    shuttle(&pair);
    tls_read(pair.tls, got, sizeof(got), &n, &err);
    SSL_write(pair.server, "last words", 10);
    n = (size_t)BIO_read(pair.from_server, tls_room(pair.tls, &room), 1000);
    tls_room(pair.tls, &room)[n - 1] ^= 1;
    tls_fed(pair.tls, n);
    ok(tls_read(pair.tls, got, sizeof(got), &n, &err) == ERR_CONNECT,
       "a record with one bit changed: %s", err.text);
    tls_close(pair.tls);
    pair_close(&pair);
    tls_context_free(context);
    SSL_CTX_free(server);
    cert_free(&cert);
}

static void test_not_tls(const struct world *world)
{
    struct bytes hello = B("* OK IMAP4rev1 ready\r\n");
    struct tls_context *context =
        tls_context_new("h.example", world->ca_file, NULL);
    struct tls *tls = NULL;
    struct err err = {""};
    size_t room;

    cert_require(tls_new(context, &tls, &err) == 0, err.text);
    ok(tls_handshake(tls, &err) == 1, "the first bytes are ours");
    memcpy(tls_room(tls, &room), hello.ptr, hello.len);
    tls_fed(tls, hello.len);
    ok(tls_handshake(tls, &err) == ERR_CONNECT &&
           strstr(err.text, "does not speak TLS on this port") != NULL,
       "a server without TLS: %s", err.text);
    tls_free(tls);
    tls_context_free(context);
}

static void test_versions(const struct world *world)
{
    static const struct {
        int version;
        const char *name;
        bool good;
    } versions[] = {
        {TLS1_1_VERSION, "TLSv1.1", false},
        {TLS1_2_VERSION, "TLSv1.2", true },
        {TLS1_3_VERSION, "TLSv1.3", true },
    };
    struct cert cert =
        cert_make(&world->authority, "x", "DNS:h.example", 0, CERT_DAY);

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        SSL_CTX *server = cert_server(&cert);
        struct tls_context *context =
            tls_context_new("h.example", world->ca_file, NULL);
        struct err err = {""};

        SSL_CTX_set_security_level(server, 0);
        SSL_CTX_set_min_proto_version(server, versions[i].version);
        SSL_CTX_set_max_proto_version(server, versions[i].version);
        for (int again = 0; again < 2; again++) {
            struct tls *tls = NULL;
            struct pair pair;
            char byte[1];
            size_t n;
            int r;

            cert_require(tls_new(context, &tls, &err) == 0, err.text);
            pair_open(&pair, tls, server);
            r = shake(&pair, &err);
            ok((r == 0) == versions[i].good, "%s: %s", versions[i].name,
               r == 0 ? tls_version(tls) : err.text);
            if (r == 0) {
                tls_read(tls, byte, 1, &n, &err); /* takes tickets */
                ok(tls_is_resumed(tls) == (again == 1), "%s: %s",
                   versions[i].name, again ? "resumed" : "new");
            }
            pair_close(&pair);
        }
        tls_context_free(context);
        SSL_CTX_free(server);
    }
    cert_free(&cert);
}

/* RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted". */
static void test_server_name(const struct world *world)
{
    struct cert cert = cert_make(&world->authority, "x",
                                 "DNS:h.example,IP:127.0.0.1", 0, CERT_DAY);
    SSL_CTX *server = cert_server(&cert);
    struct tls_context *name =
        tls_context_new("h.example", world->ca_file, NULL);
    struct tls_context *address =
        tls_context_new("127.0.0.1", world->ca_file, NULL);
    struct pair pair = connect_pair(name, server, NO_SPLIT);
    const char *got =
        SSL_get_servername(pair.server, TLSEXT_NAMETYPE_host_name);

    ok(got != NULL && strcmp(got, "h.example") == 0, "a name is asked for");
    pair_close(&pair);
    pair = connect_pair(address, server, NO_SPLIT);
    ok(SSL_get_servername(pair.server, TLSEXT_NAMETYPE_host_name) == NULL,
       "an address is not");
    pair_close(&pair);
    tls_context_free(name);
    tls_context_free(address);
    SSL_CTX_free(server);
    cert_free(&cert);
}

int main(void)
{
    struct world world;

    world_make(&world);
    test_parse_pin();
    test_verification(&world);
    test_own(&world);
    test_pin();
    test_trust_cannot_be_read();
    test_shared_trust(&world);
    test_data(&world);
    test_full(&world);
    test_end(&world);
    test_not_tls(&world);
    test_versions(&world);
    test_server_name(&world);
    world_free(&world);
    return done_testing();
}
