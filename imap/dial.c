#include "imap/dial.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* RFC 8305 section 5, "Connection Attempt Delay": 250 ms. */
#define PATIENCE_MS   250
#define ADDRESSES_MAX 16 /* more are not tried */
#define PORT_BYTES    6

struct attempt {
    struct dial *dial;
    struct sockaddr_storage address;
    bool begun;
    uv_connect_t request;
    uv_tcp_t *tcp; /* while it is under way */
};

struct dial {
    uv_loop_t *loop;
    char *host;
    uint16_t port;
    dial_done_fn done;
    void *owner;
    bool over; /* done() was called, or never will be */
    uv_getaddrinfo_t resolve;
    uv_timer_t timer; /* to the next attempt */
    struct attempt attempts[ADDRESSES_MAX];
    size_t n_attempts;
    size_t n_under_way;
    int family;      /* of the latest attempt */
    int status;      /* of the latest failure */
    unsigned n_refs; /* requests and handles that libuv has */
};

static void unref(struct dial *dial)
{
    dial->n_refs--;
    if (dial->n_refs == 0) {
        free(dial->host);
        free(dial);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    unref(handle->data);
}

static void on_tcp_closed(uv_handle_t *handle)
{
    struct dial *dial = handle->data;

    free(handle);
    unref(dial);
}

static void abandon(struct attempt *attempt)
{
    if (attempt->tcp != NULL) {
        uv_close((uv_handle_t *)attempt->tcp, on_tcp_closed);
        attempt->tcp = NULL;
        attempt->dial->n_under_way--;
    }
}

/* Let go of all that libuv has; the memory goes with the last of it. */
static void finish(struct dial *dial)
{
    dial->over = true;
    for (size_t i = 0; i < dial->n_attempts; i++)
        abandon(&dial->attempts[i]);
    /* Fails where the look-up runs already: its end is waited for. */
    uv_cancel((uv_req_t *)&dial->resolve);
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
}

static const char *status_text(int status)
{
    switch (status) {
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
        return "there is no host of this name: check host";
    case UV_EAI_AGAIN:
        return "the host name cannot be looked up now";
    default:
        return uv_strerror(status);
    }
}

static void fail(struct dial *dial)
{
    struct err err;
    bool is_ipv6 = strchr(dial->host, ':') != NULL;

    err_set(&err, ERR_CONNECT, "cannot connect to %s%s%s:%u: %s",
            is_ipv6 ? "[" : "", dial->host, is_ipv6 ? "]" : "",
            (unsigned)dial->port, status_text(dial->status));
    finish(dial);
    dial->done(dial->owner, NULL, ERR_CONNECT, &err);
}

static void win(struct attempt *attempt)
{
    struct dial *dial = attempt->dial;
    uv_tcp_t *tcp = attempt->tcp;

    attempt->tcp = NULL;
    finish(dial);
    dial->n_refs--; /* not the last: the timer is still to be closed */
    dial->done(dial->owner, tcp, 0, NULL);
}

static void try_next(struct dial *dial);

static void on_connect(uv_connect_t *request, int status)
{
    struct attempt *attempt = request->data;
    struct dial *dial = attempt->dial;

    if (dial->over)
        return;
    if (status == 0) {
        win(attempt);
        return;
    }
    dial->status = status;
    abandon(attempt);
    try_next(dial);
}

static void on_timer(uv_timer_t *timer)
{
    try_next(timer->data);
}

/* Begin one attempt; where it fails at once (no route), it is as if it had
 * failed later. */
static void begin(struct attempt *attempt)
{
    struct dial *dial = attempt->dial;
    int status;

    attempt->begun = true;
    attempt->tcp = MEM_NEW(uv_tcp_t);
    dial->family = attempt->address.ss_family;
    status = uv_tcp_init(dial->loop, attempt->tcp);
    if (status < 0) {
        free(attempt->tcp);
        attempt->tcp = NULL;
        dial->status = status;
        return;
    }
    attempt->tcp->data = dial;
    attempt->request.data = attempt;
    dial->n_refs++;
    dial->n_under_way++;
    status =
        uv_tcp_connect(&attempt->request, attempt->tcp,
                       (const struct sockaddr *)&attempt->address, on_connect);
    if (status < 0) {
        dial->status = status;
        abandon(attempt);
    }
}

/* The next address: in the order that the system gave, but the families by
 * turns (RFC 8305 section 4), as one of them may be broken. */
static struct attempt *next_attempt(struct dial *dial)
{
    struct attempt *next = NULL;

    for (size_t i = 0; i < dial->n_attempts; i++) {
        struct attempt *attempt = &dial->attempts[i];

        if (attempt->begun)
            continue;
        if (attempt->address.ss_family != dial->family)
            return attempt;
        if (next == NULL)
            next = attempt;
    }
    return next;
}

static void try_next(struct dial *dial)
{
    struct attempt *attempt = next_attempt(dial);

    if (attempt == NULL) {
        if (dial->n_under_way == 0)
            fail(dial);
        return;
    }
    begin(attempt);
    uv_timer_start(&dial->timer, on_timer,
                   attempt->tcp == NULL ? 0 : PATIENCE_MS, 0);
}

static void add_address(struct dial *dial, const struct sockaddr *address,
                        size_t size)
{
    struct attempt *attempt;

    if (dial->n_attempts < ADDRESSES_MAX && size <= sizeof(attempt->address)) {
        attempt = &dial->attempts[dial->n_attempts++];
        attempt->dial = dial;
        memcpy(&attempt->address, address, size);
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status,
                        struct addrinfo *found)
{
    struct dial *dial = request->data;

    if (!dial->over) {
        dial->status = status < 0 ? status : UV_EAI_NODATA;
        for (struct addrinfo *at = found; at != NULL; at = at->ai_next)
            add_address(dial, at->ai_addr, at->ai_addrlen);
        try_next(dial);
    }
    uv_freeaddrinfo(found);
    unref(dial);
}

/* An address is not looked up: no need to wake libuv's threads for it. */
static bool add_literal(struct dial *dial)
{
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;

    if (uv_ip4_addr(dial->host, dial->port, &ipv4) == 0) {
        add_address(dial, (const struct sockaddr *)&ipv4, sizeof(ipv4));
    } else if (uv_ip6_addr(dial->host, dial->port, &ipv6) == 0) {
        add_address(dial, (const struct sockaddr *)&ipv6, sizeof(ipv6));
    }
    return dial->n_attempts > 0;
}

struct dial *dial_start(uv_loop_t *loop, const char *host, uint16_t port,
                        dial_done_fn done, void *owner)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_protocol = IPPROTO_TCP};
    struct dial *dial = MEM_NEW(struct dial);
    char service[PORT_BYTES];

    dial->loop = loop;
    dial->host = mem_copy(host);
    dial->port = port;
    dial->done = done;
    dial->owner = owner;
    dial->resolve.data = dial;
    dial->timer.data = dial;
    dial->n_refs = 1;
    uv_timer_init(loop, &dial->timer);
    if (add_literal(dial)) {
        uv_timer_start(&dial->timer, on_timer, 0, 0);
        return dial;
    }
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    dial->status = uv_getaddrinfo(loop, &dial->resolve, on_resolved, host,
                                  service, &hints);
    if (dial->status < 0) {
        uv_timer_start(&dial->timer, on_timer, 0, 0);
    } else {
        dial->n_refs++;
    }
    return dial;
}

void dial_cancel(struct dial *dial)
{
    finish(dial);
}
