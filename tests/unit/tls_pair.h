/* Both ends of a TLS connection in one program: ours, and OpenSSL as the
 * server. */
#ifndef TESTS_UNIT_TLS_PAIR_H
#define TESTS_UNIT_TLS_PAIR_H

#include "imap/tls.h"
#include "tests/unit/certs.h"

#define NO_SPLIT ((size_t)1 << 20)

/* Both ends of a connection; the wire between them delivers at most step bytes
 * at a time. */
struct pair {
    struct tls *tls;
    SSL *server;
    BIO *to_server;
    BIO *from_server;
    size_t step;
};

__attribute__((unused)) static void pair_open(struct pair *pair,
                                              struct tls *tls, SSL_CTX *server)
{
    *pair = (struct pair){.tls = tls, .step = NO_SPLIT};
    pair->server = SSL_new(server);
    pair->to_server = BIO_new(BIO_s_mem());
    pair->from_server = BIO_new(BIO_s_mem());
    SSL_set_bio(pair->server, pair->to_server, pair->from_server);
    SSL_set_accept_state(pair->server);
}

__attribute__((unused)) static void pair_close(struct pair *pair)
{
    SSL_free(pair->server);
    tls_free(pair->tls);
}

/* Move a step's worth in both directions. Returns false where there was
 * nothing. */
static bool shuttle(struct pair *pair)
{
    struct bytes out = tls_output(pair->tls);
    size_t n = out.len < pair->step ? out.len : pair->step;
    size_t size;
    char *room;
    int got;

    if (n > 0) {
        BIO_write(pair->to_server, out.ptr, (int)n);
        tls_sent(pair->tls, n);
    }
    room = tls_room(pair->tls, &size);
    size = size < pair->step ? size : pair->step;
    got = BIO_read(pair->from_server, room, (int)size);
    if (got > 0)
        tls_fed(pair->tls, (size_t)got);
    return n > 0 || got > 0;
}

/* Returns what tls_handshake() said last: 0, negative, or 1 where both wait. */
__attribute__((unused)) static int shake(struct pair *pair, struct err *err)
{
    int r;

    do {
        r = tls_handshake(pair->tls, err);
        SSL_do_handshake(pair->server);
    } while (shuttle(pair) && r >= 0);
    SSL_do_handshake(pair->server);
    return r;
}

#endif
