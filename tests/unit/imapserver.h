/* A small IMAP server on the loopback in a thread of its own, for one client at a
 * time: knows just enough to log in, to hand out one big message and to swallow one,
 * and what it shall do wrong. */
#ifndef TESTS_UNIT_IMAPSERVER_H
#define TESTS_UNIT_IMAPSERVER_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

#include <uv.h>

/* OpenSSL has a type of this name, our enum err_code a value. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ssl.h>
#undef ERR_STATE

#define IMAPSERVER_PATIENCE_S 20 /* then a test has gone wrong */
#define IMAPSERVER_LINE_BYTES 1000

/* What it says to one command. */
struct imapserver_answer {
    const char *command;  /* what the line begins with, behind its tag */
    const char *untagged; /* lines; may be NULL */
    const char *tagged;   /* the end of the last line, behind the tag; NULL: it
                             hangs up instead */
    bool once;            /* the first time only */
    unsigned asked;       /* how often; to be read after imapserver_stop() */
};

struct imapserver {
    /* what to do */
    SSL_CTX *ssl_context;         /* NULL: no TLS */
    bool implicit;                /* TLS from the first byte */
    bool compress;                /* the client is to ask for that */
    bool mute;                    /* says nothing at all */
    unsigned n_clients;           /* one after the other; 0: one */
    const char *const *greetings; /* of the first ones, up to a NULL; BYE hangs
                                     up; NULL: "* OK ready" for all */
    const char *inject;           /* behind the OK to STARTTLS, in plain text */
    const char *drop_at;          /* command at which it hangs up */
    const char *last;             /* what it says before it does; may be NULL */
    const char *ignore;           /* command that it never answers */
    unsigned n_ignores;           /* so many of them only; 0: all */
    const char *deaf_at; /* command from which on it reads nothing more */
    unsigned slow_reads; /* so many reads of the first message that it is given
                            come after a while each */
    const char *chatter; /* one that it says this of instead of an answer: */
    const char *chatter_line;
    const char *caps;    /* what it can do; NULL: just enough */
    const char *garbage; /* behind the OK to COMPRESS, as it is; NULL:
                                     it compresses from there on */
    bool finishes;       /* it ends the compressed stream with BYE */
    struct imapserver_answer *answers; /* before all else; NULL: none */
    size_t n_answers;
    uv_sem_t *pause;   /* waited for once, before the last line of a SELECT that
                          is among them; NULL: no */
    size_t body_bytes; /* of the message that FETCH gives */
    /* what it saw; to be read after imapserver_stop() */
    unsigned clients;
    unsigned logins;
    unsigned logouts;
    unsigned compressed; /* OKs to COMPRESS */
    size_t appended;
    size_t sent; /* bytes of the wire, TLS apart */
    size_t got;
    /* its own */
    uint16_t port;
    int listener;
    int client;
    SSL *ssl;
    uv_thread_t thread;
    char in[4096];
    size_t in_start;
    size_t in_end;
    bool packs; /* compresses, by these */
    z_stream pack;
    z_stream unpack;
    char packed[4096]; /* in */
};

static bool imapserver_write_raw(struct imapserver *server, const char *text,
                                 size_t len)
{
    server->sent += len;
    while (len > 0) {
        ssize_t n = server->ssl != NULL
                        ? SSL_write(server->ssl, text, (int)len)
                        : send(server->client, text, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* @len is at most 20000. */
static bool imapserver_write_packed(struct imapserver *server, const char *text,
                                    size_t len, int flush)
{
    char packed[32768];

    server->pack.next_in = (Bytef *)(uintptr_t)text;
    server->pack.avail_in = (uInt)len;
    server->pack.next_out = (Bytef *)packed;
    server->pack.avail_out = sizeof(packed);
    deflate(&server->pack, flush);
    return imapserver_write_raw(server, packed,
                                sizeof(packed) - server->pack.avail_out);
}

static bool imapserver_write(struct imapserver *server, const char *text,
                             size_t len)
{
    return server->packs
               ? imapserver_write_packed(server, text, len, Z_SYNC_FLUSH)
               : imapserver_write_raw(server, text, len);
}

static bool imapserver_say(struct imapserver *server, const char *text)
{
    return text == NULL || imapserver_write(server, text, strlen(text));
}

static ssize_t imapserver_read_raw(struct imapserver *server, char *in,
                                   size_t size)
{
    ssize_t n = server->ssl != NULL ? SSL_read(server->ssl, in, (int)size)
                                    : recv(server->client, in, size, 0);

    server->got += n > 0 ? (size_t)n : 0;
    return n;
}

static ssize_t imapserver_read_packed(struct imapserver *server)
{
    z_stream *in = &server->unpack;

    for (;;) {
        ssize_t n;

        in->next_out = (Bytef *)server->in;
        in->avail_out = sizeof(server->in);
        n = inflate(in, Z_SYNC_FLUSH);
        if (in->avail_out < sizeof(server->in))
            return (ssize_t)(sizeof(server->in) - in->avail_out);
        if (n != Z_OK && n != Z_BUF_ERROR)
            return -1;
        n = imapserver_read_raw(server, server->packed, sizeof(server->packed));
        if (n <= 0)
            return n;
        in->next_in = (Bytef *)server->packed;
        in->avail_in = (uInt)n;
    }
}

static bool imapserver_fill(struct imapserver *server)
{
    ssize_t n = server->packs ? imapserver_read_packed(server)
                              : imapserver_read_raw(server, server->in,
                                                    sizeof(server->in));

    server->in_start = 0;
    server->in_end = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* The next line without its end. Returns false where there is none. */
static bool imapserver_line(struct imapserver *server,
                            char line[IMAPSERVER_LINE_BYTES])
{
    size_t len = 0;

    for (;;) {
        char c;

        if (server->in_start == server->in_end && !imapserver_fill(server))
            return false;
        c = server->in[server->in_start++];
        if (c == '\n') {
            line[len] = '\0';
            return true;
        }
        if (c != '\r' && len < IMAPSERVER_LINE_BYTES - 1)
            line[len++] = c;
    }
}

static bool imapserver_start_tls(struct imapserver *server)
{
    server->ssl = SSL_new(server->ssl_context);
    SSL_set_fd(server->ssl, server->client);
    return SSL_accept(server->ssl) == 1;
}

static bool imapserver_swallow(struct imapserver *server, const char *line)
{
    const char *brace = strrchr(line, '{');
    size_t left = brace == NULL ? 0 : strtoul(brace + 1, NULL, 10);

    while (left > 0) {
        size_t n = server->in_end - server->in_start;

        if (server->slow_reads > 0) {
            poll(NULL, 0, 40);
            server->slow_reads--;
        }
        n = n < left ? n : left;
        server->in_start += n;
        server->appended += n;
        left -= n;
        if (left > 0 && !imapserver_fill(server))
            return false;
    }
    return true;
}

/* It takes nothing more, until the client is gone. */
static void imapserver_be_deaf(const struct imapserver *server)
{
    struct pollfd client = {.fd = server->client};

    poll(&client, 1, IMAPSERVER_PATIENCE_S * 1000);
}

/* The literal and the end of its line. */
static bool imapserver_append(struct imapserver *server, const char *line)
{
    return imapserver_swallow(server, line) &&
           imapserver_line(server, (char[IMAPSERVER_LINE_BYTES]){0});
}

/* Every byte of a body tells its place. */
static char imapserver_body_byte(size_t at)
{
    return (char)('a' + at % 23);
}

static bool imapserver_body(struct imapserver *server)
{
    char head[100];
    char piece[9973];
    size_t sent = 0;

    snprintf(head, sizeof(head), "* 1 FETCH (UID 1 BODY[] {%zu}\r\n",
             server->body_bytes);
    if (!imapserver_say(server, head))
        return false;
    while (sent < server->body_bytes) {
        size_t n = server->body_bytes - sent;

        n = n < sizeof(piece) ? n : sizeof(piece);
        for (size_t i = 0; i < n; i++)
            piece[i] = imapserver_body_byte(sent + i);
        if (!imapserver_write(server, piece, n))
            return false;
        sent += n;
    }
    return imapserver_say(server, ")\r\n");
}

static struct imapserver_answer *imapserver_scripted(
    const struct imapserver *server, const char *line)
{
    const char *command = strchr(line, ' ');

    for (size_t i = 0; command != NULL && i < server->n_answers; i++) {
        struct imapserver_answer *answer = &server->answers[i];

        if (strncmp(command + 1, answer->command, strlen(answer->command)) ==
                0 &&
            (!answer->once || answer->asked == 0))
            return answer;
    }
    return NULL;
}

static const char *imapserver_caps(const struct imapserver *server)
{
    if (server->caps != NULL)
        return server->caps;
    return server->ssl_context != NULL && server->ssl == NULL
               ? "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n"
               : "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID\r\n";
}

/* The OK, and in the same packet what is compressed already: news. */
static bool imapserver_compress(struct imapserver *server, const char *answer)
{
    static const char news[] = "* 7 EXISTS\r\n";
    char both[400];
    size_t len =
        (size_t)snprintf(both, sizeof(both), "%s%s", answer,
                         server->garbage != NULL ? server->garbage : "");

    if (server->garbage != NULL)
        return imapserver_write_raw(server, both, len);
    server->packs = true;
    server->compressed++;
    deflateInit2(&server->pack, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    inflateInit2(&server->unpack, -15);
    server->pack.next_in = (Bytef *)(uintptr_t)news;
    server->pack.avail_in = sizeof(news) - 1;
    server->pack.next_out = (Bytef *)both + len;
    server->pack.avail_out = (uInt)(sizeof(both) - len);
    deflate(&server->pack, Z_SYNC_FLUSH);
    return imapserver_write_raw(server, both,
                                sizeof(both) - server->pack.avail_out);
}

static void imapserver_uncompress(struct imapserver *server)
{
    if (server->packs) {
        if (server->finishes)
            imapserver_write_packed(server, "", 0, Z_FINISH);
        deflateEnd(&server->pack);
        inflateEnd(&server->unpack);
    }
    server->packs = false;
}

/* What comes before the tagged OK. */
static bool imapserver_untagged(struct imapserver *server, const char *verb,
                                const char *line)
{
    if (strcasecmp(verb, "CAPABILITY") == 0)
        return imapserver_say(server, imapserver_caps(server));
    if (strcasecmp(verb, "LOGIN") == 0 || strcasecmp(verb, "AUTHENTICATE") == 0)
        server->logins++;
    if (strcasecmp(verb, "ID") == 0)
        return imapserver_say(server, "* ID NIL\r\n");
    if (strcasecmp(verb, "NAMESPACE") == 0)
        return imapserver_say(server, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    if (strcasecmp(verb, "LOGOUT") == 0) {
        server->logouts++;
        return imapserver_say(server, "* BYE see you\r\n");
    }
    if (strcasecmp(verb, "UID") == 0)
        return imapserver_body(server);
    if (strcasecmp(verb, "APPEND") == 0)
        return imapserver_append(server, line);
    return true;
}

static bool imapserver_command(struct imapserver *server, const char *line)
{
    char tag[32] = "";
    char verb[32] = "";
    char answer[200];
    struct imapserver_answer *scripted = imapserver_scripted(server, line);

    sscanf(line, "%31s %31s", tag, verb);
    if (server->drop_at != NULL && strcasecmp(verb, server->drop_at) == 0) {
        imapserver_say(server, server->last);
        return false;
    }
    if (server->chatter != NULL && strcasecmp(verb, server->chatter) == 0) {
        /* Whoever still listens after that believes it for ever. */
        for (int i = 0; i < 500 && imapserver_say(server, server->chatter_line);
             i++)
            poll(NULL, 0, 10);
        return false;
    }
    if (server->deaf_at != NULL && strcasecmp(verb, server->deaf_at) == 0) {
        imapserver_be_deaf(server);
        return false;
    }
    if (server->ignore != NULL && strcasecmp(verb, server->ignore) == 0) {
        if (server->n_ignores == 1)
            server->ignore = NULL;
        server->n_ignores -= server->n_ignores > 0;
        return true;
    }
    if (scripted != NULL) {
        scripted->asked++;
        if (strcasecmp(verb, "APPEND") == 0 && !imapserver_append(server, line))
            return false;
        if (scripted->tagged == NULL) {
            imapserver_say(server, scripted->untagged);
            return false;
        }
        snprintf(answer, sizeof(answer), "%s %s\r\n", tag, scripted->tagged);
        if (!imapserver_say(server, scripted->untagged))
            return false;
        if (server->pause != NULL && strcasecmp(verb, "SELECT") == 0) {
            uv_sem_wait(server->pause);
            server->pause = NULL;
        }
        return imapserver_say(server, answer);
    }
    snprintf(answer, sizeof(answer), "%s OK done\r\n", tag);
    if (strcasecmp(verb, "STARTTLS") == 0) {
        char both[200];

        snprintf(both, sizeof(both), "%s%s", answer,
                 server->inject != NULL ? server->inject : "");
        return imapserver_say(server, both) && imapserver_start_tls(server);
    }
    if (strcasecmp(verb, "COMPRESS") == 0)
        return imapserver_compress(server, answer);
    return imapserver_untagged(server, verb, line) &&
           imapserver_say(server, answer);
}

static void imapserver_talk(struct imapserver *server)
{
    const char *greeting = "* OK ready\r\n";
    char line[IMAPSERVER_LINE_BYTES];

    if (server->mute) {
        while (recv(server->client, line, sizeof(line), 0) > 0)
            ;
        return;
    }
    if (server->implicit && !imapserver_start_tls(server))
        return;
    if (server->greetings != NULL && *server->greetings != NULL)
        greeting = *server->greetings++;
    if (!imapserver_say(server, greeting) || strstr(greeting, "BYE") != NULL)
        return;
    while (imapserver_line(server, line))
        if (!imapserver_command(server, line))
            return;
}

/* Returns false where nobody comes any more. */
static bool imapserver_serve(struct imapserver *server)
{
    const struct timeval patience = {.tv_sec = IMAPSERVER_PATIENCE_S};

    server->client = accept(server->listener, NULL, NULL);
    if (server->client < 0)
        return false;
    server->clients++;
    server->in_start = 0;
    server->in_end = 0;
    setsockopt(server->client, SOL_SOCKET, SO_RCVTIMEO, &patience,
               sizeof(patience));
    setsockopt(server->client, SOL_SOCKET, SO_SNDTIMEO, &patience,
               sizeof(patience));
    imapserver_talk(server);
    imapserver_uncompress(server);
    SSL_free(server->ssl);
    server->ssl = NULL;
    close(server->client);
    return true;
}

static void imapserver_main(void *argument)
{
    struct imapserver *server = argument;
    unsigned left = server->n_clients;

    while (imapserver_serve(server) && left > 1)
        left--;
}

/* Listen, on 127.0.0.1 or ::1. Returns false without that family. */
static bool imapserver_start(struct imapserver *server, int family)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool is_ipv4 = family == AF_INET;
    struct sockaddr *address =
        is_ipv4 ? (struct sockaddr *)&ipv4 : (struct sockaddr *)&ipv6;
    socklen_t size = is_ipv4 ? sizeof(ipv4) : sizeof(ipv6);
    const int window = 16 << 10;
    const int packet = 1448;

    server->listener = socket(family, SOCK_STREAM, 0);
    /* The kernels would take megabytes at once, by loopback's huge packets. */
    if (server->slow_reads > 0) {
        setsockopt(server->listener, SOL_SOCKET, SO_RCVBUF, &window,
                   sizeof(window));
        setsockopt(server->listener, IPPROTO_TCP, TCP_MAXSEG, &packet,
                   sizeof(packet));
    }
    if (server->listener < 0 || bind(server->listener, address, size) != 0 ||
        listen(server->listener, 1) != 0 ||
        getsockname(server->listener, address, &size) != 0)
        return false;
    server->port = ntohs(is_ipv4 ? ipv4.sin_port : ipv6.sin6_port);
    return uv_thread_create(&server->thread, imapserver_main, server) == 0;
}

/* Wait for its end, which the client's brings about. */
static void imapserver_stop(struct imapserver *server)
{
    shutdown(server->listener, SHUT_RDWR);
    uv_thread_join(&server->thread);
    close(server->listener);
}

#endif
