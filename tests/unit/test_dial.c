#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imap/dial.h"
#include "tests/tap.h"

struct outcome {
    bool inside; /* dial_start() */
    unsigned calls;
    bool connected;
    int result;
    struct err err;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_done(void *owner, uv_tcp_t *tcp, int result,
                    const struct err *err)
{
    struct outcome *outcome = owner;

    ok(!outcome->inside, "not called from inside dial_start()");
    outcome->calls++;
    outcome->connected = tcp != NULL;
    outcome->result = result;
    if (err != NULL)
        outcome->err = *err;
    if (tcp != NULL)
        uv_close((uv_handle_t *)tcp, on_closed);
}

/* Dial, and let the loop run until nothing is left on it. */
static struct outcome dial(const char *host, uint16_t port, bool cancel)
{
    struct outcome outcome = {.inside = true};
    struct dial *attempt;
    uv_loop_t loop;

    uv_loop_init(&loop);
    attempt = dial_start(&loop, host, port, on_done, &outcome);
    outcome.inside = false;
    if (cancel)
        dial_cancel(attempt);
    uv_run(&loop, UV_RUN_DEFAULT);
    ok(uv_loop_close(&loop) == 0, "%s: all handles are closed", host);
    return outcome;
}

/* A socket at a free port of the loopback address; -1 without that family. */
static int take_port(int family, bool listening, uint16_t *port)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool is_ipv4 = family == AF_INET;
    struct sockaddr *address =
        is_ipv4 ? (struct sockaddr *)&ipv4 : (struct sockaddr *)&ipv6;
    socklen_t size = is_ipv4 ? sizeof(ipv4) : sizeof(ipv6);
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, address, size) != 0 ||
        getsockname(fd, address, &size) != 0 ||
        (listening && listen(fd, 1) != 0)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(is_ipv4 ? ipv4.sin_port : ipv6.sin6_port);
    return fd;
}

static void test_reached(void)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    uint16_t port = 0;
    int fd = take_port(AF_INET, true, &port);

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct outcome outcome = dial(hosts[i], port, false);

        ok(outcome.calls == 1 && outcome.connected && outcome.result == 0,
           "%s answers at IPv4 only: %s", hosts[i], outcome.err.text);
    }
    close(fd);
}

static void test_refused(void)
{
    struct outcome outcome;
    char want[128];
    uint16_t port = 0;
    int fd = take_port(AF_INET, false, &port);

    snprintf(want, sizeof(want),
             "cannot connect to 127.0.0.1:%u: connection refused",
             (unsigned)port);
    outcome = dial("127.0.0.1", port, false);
    ok(outcome.calls == 1 && outcome.result == ERR_CONNECT &&
           strcmp(outcome.err.text, want) == 0,
       "refused: %s", outcome.err.text);
    outcome = dial("localhost", port, false);
    ok(outcome.calls == 1 && outcome.result == ERR_CONNECT &&
           strstr(outcome.err.text, "connection refused") != NULL,
       "refused at all addresses: %s", outcome.err.text);
    close(fd);
}

static void test_ipv6(void)
{
    struct outcome outcome;
    char want[128];
    uint16_t port = 0;
    int fd = take_port(AF_INET6, true, &port);

    if (fd < 0) {
        ok(true, "IPv6 # SKIP this machine has none");
        return;
    }
    outcome = dial("::1", port, false);
    ok(outcome.calls == 1 && outcome.connected, "::1 answers");
    close(fd);
    fd = take_port(AF_INET6, false, &port);
    snprintf(want, sizeof(want),
             "cannot connect to [::1]:%u: ", (unsigned)port);
    outcome = dial("::1", port, false);
    ok(outcome.result == ERR_CONNECT &&
           strncmp(outcome.err.text, want, strlen(want)) == 0,
       "refused: %s", outcome.err.text);
    close(fd);
}

static void test_no_such_name(void)
{
    char label[300];
    struct outcome outcome;

    /* Refused before anybody is asked. */
    memset(label, 'x', sizeof(label));
    label[sizeof(label) - 1] = '\0';
    outcome = dial(label, 993, false);
    ok(outcome.calls == 1 && outcome.result == ERR_CONNECT,
       "a name that cannot be: %.80s", outcome.err.text);
}

static void test_cancel(void)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    uint16_t port = 0;
    int fd = take_port(AF_INET, true, &port);

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        ok(dial(hosts[i], port, true).calls == 0, "%s: cancelled, and silent",
           hosts[i]);
    close(fd);
}

int main(void)
{
    test_reached();
    test_refused();
    test_ipv6();
    test_no_such_name();
    test_cancel();
    return done_testing();
}
