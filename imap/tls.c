#include "imap/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL has a type of this name, our enum err_code a value. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "imap/tls_trust.h"

/* The rings between us and OpenSSL. Outgoing: four full records with their
 * headers and tags, so that one system call sends them. */
#define INPUT_BYTES    (64 << 10)
#define RECORD_ROOM    (TLS_RECORD_BYTES + 256)
#define OUTPUT_BYTES   (4 * (size_t)RECORD_ROOM)
#define PIN_TEXT_BYTES (sizeof("sha256:") + 2 * (size_t)TLS_PIN_BYTES)

struct tls_context {
    char *host;
    char *ca_file;
    char *fingerprint;
    char *certificate; /* our own, or NULL */
    char *key;
    struct tls_trust *trust; /* shared with others, or NULL */
    bool pinned;             /* only pin is looked at */
    uint8_t pin[TLS_PIN_BYTES];
    bool asks;           /* the server wants to see a certificate */
    SSL_CTX *ssl;        /* NULL until the first connection */
    SSL_SESSION *ticket; /* the latest, or NULL */
};

struct tls {
    struct tls_context *context; /* borrowed */
    SSL *ssl;
    BIO *wire;   /* our end of the pair; the other end is ssl's */
    bool failed; /* ssl may not be used any more but for its output */
    uint8_t seen[TLS_PIN_BYTES]; /* fingerprint of the server's certificate */
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool tls_parse_pin(struct bytes text, uint8_t pin[TLS_PIN_BYTES])
{
    if (!bytes_starts_nocase(text, B("sha256:")))
        return false;
    text = bytes_skip(text, strlen("sha256:"));
    for (size_t i = 0; i < TLS_PIN_BYTES; i++) {
        int high;
        int low;

        if (i > 0 && text.len > 0 && text.ptr[0] == ':')
            text = bytes_skip(text, 1);
        if (text.len < 2)
            return false;
        high = hex_digit(text.ptr[0]);
        low = hex_digit(text.ptr[1]);
        if (high < 0 || low < 0)
            return false;
        pin[i] = (uint8_t)(high << 4 | low);
        text = bytes_skip(text, 2);
    }
    return text.len == 0;
}

const char *tls_system_ca_file(void)
{
    return X509_get_default_cert_file();
}

const char *tls_system_ca_dir(void)
{
    return X509_get_default_cert_dir();
}

static void print_pin(const uint8_t pin[TLS_PIN_BYTES],
                      char out[PIN_TEXT_BYTES])
{
    size_t at = (size_t)snprintf(out, PIN_TEXT_BYTES, "sha256:");

    for (size_t i = 0; i < TLS_PIN_BYTES; i++)
        at += (size_t)snprintf(out + at, PIN_TEXT_BYTES - at, "%02x", pin[i]);
}

/* OpenSSL's own words for what failed last; empties its queue of errors, which
 * belongs to the thread and would be taken for the next failure's. */
static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return text == NULL ? "no reason given" : text;
}

struct tls_context *tls_context_new(const char *host, const char *ca_file,
                                    const char *fingerprint)
{
    struct tls_context *context = MEM_NEW(struct tls_context);

    context->host = mem_copy(host);
    context->ca_file = mem_copy(ca_file);
    context->fingerprint = mem_copy(fingerprint);
    return context;
}

void tls_context_identify(struct tls_context *context, const char *certificate,
                          const char *key)
{
    context->certificate = mem_copy(certificate);
    context->key = mem_copy(key);
}

void tls_context_share(struct tls_context *context, struct tls_trust *trust)
{
    context->trust = trust;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_SESSION_free(context->ticket);
    if (context->ssl != NULL) {
        /* A connection that is not freed yet holds on to it. */
        SSL_CTX_set_app_data(context->ssl, NULL);
        SSL_CTX_free(context->ssl);
    }
    free(context->host);
    free(context->ca_file);
    free(context->fingerprint);
    free(context->certificate);
    free(context->key);
    free(context);
}

/* OpenSSL calls this in place of its own verification. With a pin, name, dates
 * and issuer do not matter: whoever has the key to that very certificate is the
 * server. */
static int verify(X509_STORE_CTX *chain, void *unused)
{
    SSL *ssl =
        X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    const X509 *leaf = X509_STORE_CTX_get0_cert(chain);

    (void)unused;
    if (leaf == NULL || X509_digest(leaf, EVP_sha256(), tls->seen, NULL) != 1) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
        return 0;
    }
    if (SABOTAGED(any_certificate))
        return 1;
    if (!tls->context->pinned)
        return X509_verify_cert(chain) == 1;
    if (CRYPTO_memcmp(tls->seen, tls->context->pin, TLS_PIN_BYTES) != 0) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

/* The server asks for a certificate, and gets ours where there is one. Returns
 * 1: go on. */
static int note_request(SSL *ssl, void *unused)
{
    struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    (void)unused;
    if (context != NULL)
        context->asks = true;
    return 1;
}

/* A ticket came: kept for the next connection. Returns 1: it is ours now.
 * Servers that ask for certificates hand out tickets, and some of them (Dovecot
 * 2.3) break off when they are shown one. */
static int keep_ticket(SSL *ssl, SSL_SESSION *ticket)
{
    struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (context == NULL || context->asks)
        return 0;
    SSL_SESSION_free(context->ticket);
    context->ticket = ticket;
    return 1;
}

/* OpenSSL could not use the file @path, of the configuration's @key. */
static int bad_file(const char *key, const char *path, struct err *err)
{
    unsigned long code = ERR_peek_error();

    if (ERR_SYSTEM_ERROR(code)) {
        ERR_clear_error();
        return err_errno(err, ERR_CONNECT, ERR_GET_REASON(code), "%s %s", key,
                         path);
    }
    return err_set(err, ERR_CONNECT, "%s %s: %s", key, path, reason());
}

/* Nobody is there to type one. Returns that there is none. */
static int no_pass_phrase(char *text, int size, int writing, void *unused)
{
    (void)writing;
    (void)unused;
    if (size > 0)
        text[0] = '\0';
    return -1;
}

static int load_own(const struct tls_context *context, SSL_CTX *ssl,
                    struct err *err)
{
    if (context->certificate == NULL)
        return 0;
    SSL_CTX_set_default_passwd_cb(ssl, no_pass_phrase);
    if (SSL_CTX_use_certificate_chain_file(ssl, context->certificate) != 1)
        return bad_file("tls_certificate", context->certificate, err);
    if (SSL_CTX_use_PrivateKey_file(ssl, context->key, SSL_FILETYPE_PEM) != 1)
        return bad_file("tls_key", context->key, err);
    return 0;
}

/* The system's certificates are many: not loaded where a pin decides. */
static int load_trust(struct tls_context *context, SSL_CTX *ssl,
                      struct err *err)
{
    X509_STORE *store;

    if (context->fingerprint != NULL) {
        context->pinned =
            tls_parse_pin(bytes_of(context->fingerprint), context->pin);
        if (!context->pinned) {
            return err_set(err, ERR_CONNECT,
                           "tls_fingerprint is not \"sha256:\" and 64 "
                           "hexadecimal digits: %s",
                           context->fingerprint);
        }
        return 0;
    }
    store = tls_trust_get(context->trust, context->ca_file);
    if (store == NULL && context->ca_file != NULL)
        return bad_file("tls_ca_file", context->ca_file, err);
    if (store == NULL) {
        return err_set(err, ERR_CONNECT,
                       "cannot read the system's certificates: %s: set "
                       "tls_ca_file",
                       reason());
    }
    SSL_CTX_set_cert_store(ssl, store);
    return 0;
}

static int prepare(struct tls_context *context, struct err *err)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    int r;

    if (ssl == NULL)
        return err_set(err, ERR_CONNECT, "cannot use TLS: %s", reason());
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    /* RELEASE_BUFFERS: 32 KiB less for each connection that waits. */
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS |
                              SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, verify, NULL);
    SSL_CTX_set_cert_cb(ssl, note_request, NULL);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT |
                                            SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, keep_ticket);
    SSL_CTX_set_app_data(ssl, context);
    r = load_trust(context, ssl, err);
    if (r == 0)
        r = load_own(context, ssl, err);
    if (r < 0) {
        SSL_CTX_free(ssl);
        return r;
    }
    context->ssl = ssl;
    return 0;
}

/* The name to ask for (RFC 6066 section 3: not for an address) and to find in
 * the certificate. Returns false where OpenSSL refuses it. */
static bool set_host(SSL *ssl, const struct tls_context *context)
{
    char *host = context->host;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    uint8_t address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, host, address) == 1 ||
        inet_pton(AF_INET6, host, address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_set_tlsext_host_name(ssl, host) == 1;
}

int tls_new(struct tls_context *context, struct tls **out, struct err *err)
{
    struct tls *tls;
    BIO *inner = NULL;
    BIO *wire = NULL;
    SSL *ssl;

    ERR_clear_error();
    if (context->ssl == NULL) {
        int r = prepare(context, err);

        if (r < 0)
            return r;
    }
    ssl = SSL_new(context->ssl);
    if (ssl == NULL || !set_host(ssl, context) ||
        BIO_new_bio_pair(&inner, OUTPUT_BYTES, &wire, INPUT_BYTES) != 1) {
        SSL_free(ssl);
        return err_set(err, ERR_CONNECT, "cannot use TLS with %s: %s",
                       context->host, reason());
    }
    tls = MEM_NEW(struct tls);
    tls->context = context;
    tls->ssl = ssl;
    tls->wire = wire;
    SSL_set_bio(ssl, inner, inner);
    SSL_set_app_data(ssl, tls);
    SSL_set_connect_state(ssl);
    if (context->ticket != NULL)
        SSL_set_session(ssl, context->ticket);
    *out = tls;
    return 0;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    /* OpenSSL throws the ticket of a connection away that did not end in good
     * order: the network's fault is not the ticket's. */
    if (!tls->failed)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    BIO_free(tls->wire);
    free(tls);
}

char *tls_room(struct tls *tls, size_t *size)
{
    char *room = NULL;
    int n = BIO_nwrite0(tls->wire, &room);

    *size = n > 0 ? (size_t)n : 0;
    return room;
}

void tls_fed(struct tls *tls, size_t n)
{
    char *room;

    BIO_nwrite(tls->wire, &room, (int)n);
}

/* The chain or the name is not good: what is wrong, and what would help. */
static int refuse(const struct tls *tls, long verdict, struct err *err)
{
    const struct tls_context *context = tls->context;
    char pin[PIN_TEXT_BYTES];

    print_pin(tls->seen, pin);
    if (context->pinned) {
        return err_set(err, ERR_CONNECT,
                       "%s: certificate does not match tls_fingerprint: the "
                       "server has %s",
                       context->host, pin);
    }
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH ||
        verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        return err_set(err, ERR_CONNECT,
                       "%s: certificate verify failed: it is for another "
                       "host: set host to a name that it has, or "
                       "tls_fingerprint = %s, if you trust it",
                       context->host, pin);
    }
    return err_set(err, ERR_CONNECT,
                   "%s: certificate verify failed: %s: set tls_ca_file, or "
                   "tls_fingerprint = %s, if you trust it",
                   context->host, X509_verify_cert_error_string(verdict), pin);
}

/* Something failed for good; what it was is in OpenSSL's queue of errors. */
static int fail(struct tls *tls, struct err *err)
{
    unsigned long code = ERR_peek_error();
    long verdict = SSL_get_verify_result(tls->ssl);

    tls->failed = true;
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        ERR_clear_error();
        return refuse(tls, verdict, err);
    }
    if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
        ERR_clear_error();
        return err_set(err, ERR_CONNECT,
                       "%s: the server does not speak TLS on this port: check "
                       "port and tls",
                       tls->context->host);
    }
    return err_set(err, ERR_CONNECT, "%s: TLS failed: %s", tls->context->host,
                   reason());
}

int tls_handshake(struct tls *tls, struct err *err)
{
    int r;

    ERR_clear_error();
    r = SSL_do_handshake(tls->ssl);
    if (r == 1)
        return 0;
    r = SSL_get_error(tls->ssl, r);
    if (r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE)
        return 1;
    return fail(tls, err);
}

int tls_read(struct tls *tls, char *out, size_t size, size_t *n,
             struct err *err)
{
    int r;

    *n = 0;
    ERR_clear_error();
    if (SSL_read_ex(tls->ssl, out, size, n) == 1)
        return 0;
    r = SSL_get_error(tls->ssl, 0);
    if (r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE)
        return 0;
    if (r == SSL_ERROR_ZERO_RETURN)
        return 1;
    return fail(tls, err);
}

int tls_write(struct tls *tls, struct bytes plain, size_t *n, struct err *err)
{
    size_t room = BIO_ctrl_get_write_guarantee(SSL_get_wbio(tls->ssl));
    int r;

    *n = 0;
    if (room < RECORD_ROOM)
        return 0;
    ERR_clear_error();
    if (SSL_write_ex(tls->ssl, plain.ptr, plain.len, n) == 1)
        return 0;
    r = SSL_get_error(tls->ssl, 0);
    if (r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE)
        return 0;
    return fail(tls, err);
}

void tls_close(struct tls *tls)
{
    /* After a failure OpenSSL forbids it. */
    if (!tls->failed && SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

struct bytes tls_output(const struct tls *tls)
{
    char *ptr = NULL;
    int n = BIO_nread0(tls->wire, &ptr);

    return n > 0 ? (struct bytes){ptr, (size_t)n} : B("");
}

void tls_sent(struct tls *tls, size_t n)
{
    char *ptr;

    BIO_nread(tls->wire, &ptr, (int)n);
}

size_t tls_queued(const struct tls *tls)
{
    return BIO_ctrl_pending(tls->wire);
}

const char *tls_version(const struct tls *tls)
{
    return SSL_get_version(tls->ssl);
}

bool tls_is_resumed(const struct tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

void tls_binding(const struct tls *tls, struct binding *out)
{
    static const char label[] = "EXPORTER-Channel-Binding";

    *out = (struct binding){.kind = BINDING_NONE};
    if (SSL_version(tls->ssl) >= TLS1_3_VERSION) {
        if (SSL_export_keying_material(tls->ssl, out->octets, 32, label,
                                       sizeof(label) - 1, NULL, 0, 1) == 1) {
            out->kind = BINDING_TLS_EXPORTER;
            out->len = 32;
        }
    } else if (SSL_get_extms_support(tls->ssl) == 1) {
        /* The first Finished message: of a resumed session the server's. */
        out->len =
            tls_is_resumed(tls)
                ? SSL_get_peer_finished(tls->ssl, out->octets,
                                        sizeof(out->octets))
                : SSL_get_finished(tls->ssl, out->octets, sizeof(out->octets));
        if (out->len > 0 && out->len <= sizeof(out->octets))
            out->kind = BINDING_TLS_UNIQUE;
    }
    ERR_clear_error();
}
