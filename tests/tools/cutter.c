/*
 * A loopback TCP proxy that cuts connections at a given byte, for thousands of
 * trials in one process.
 *
 *     cutter TARGET_PORT DIRECTORY
 *
 * It first says "port N". Then each line of its standard input is an order,
 * answered by one line when it is done; the end of input ends it.
 *
 *     plan KIND CONNECTION WAY BYTES [WHEN]
 *         Forget all before. So many BYTES (0: none) of the WAY (up, down) of
 *         that CONNECTION, counted from 1, go through; then, by KIND:
 *           none     nothing: all goes on
 *           fin      both ends see an orderly end
 *           rst      both ends see a reset
 *           silence  neither end hears anything more
 *           garbage  the client gets the end of no line, and then an orderly
 *                    end; inside a literal only after it, as nobody could tell
 *                    (down only)
 *           late     what else the client sends is held back until it is quiet,
 *                    the client sees an orderly end, and the server gets the
 *                    rest WHEN it is time (up only): so many milliseconds
 *                    later, "next": after the next connection was made, "end":
 *                    on release
 *           stall    neither end hears anything, and what the client's kernel
 *                    has not got rid of stays there (up only). When it is time,
 *                    the server gets all of that
 *     release    let the server have what is held back
 *     settle     wait until the server has ended all connections
 *     state      say "connections N cut N", and how many bytes were late
 *
 * What a client sent and what it got is in DIRECTORY/N.up and N.down.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What the client's kernel cannot get rid of when nobody reads. */
#define RECEIVE_BYTES 16384

enum {
    UP,   /* from the client to the server */
    DOWN, /* back */
    CHUNK = 65536,
    LINKS = 64,
    QUIET_MS = 60,   /* then the client has said all that it can */
    LINGER_MS = 150, /* then a server has acted on what came late */
    SETTLE_MS = 5000
};

static const char GARBAGE[] = "\xff\x01 ((({9]\r\n* \xfe {17\r\n";

enum kind { NONE, FIN, RST, SILENCE, GARBLE, LATE, STALL, KINDS };

static const char *const kinds[KINDS] = {"none",    "fin",  "rst",  "silence",
                                         "garbage", "late", "stall"};

struct plan {
    enum kind kind;
    unsigned connection;
    int way;
    uint64_t bytes;
    long late_ms; /* WHEN; LATE_NEXT, LATE_END */
};

enum { LATE_NEXT = -1, LATE_END = -2 };

enum link_state {
    LIVE,
    HOLDING, /* late: the client may go on, the server hears nothing */
    MUTE,    /* neither hears the other */
    STALLED, /* the same, and the client is not read */
    GONE,    /* late: the client is gone, the server is to hear the rest */
    TOLD     /* and has heard it */
};

struct link {
    unsigned number;
    enum link_state state;
    int fd[2]; /* fd[UP] is where the way UP is read: the client's; or -1 */
    int record[2];
    uint64_t passed[2];
    char *held;
    size_t n_held;
    int64_t due_ms;   /* of the next step, while HOLDING, GONE or TOLD */
    uint64_t literal; /* octets left of the literal that goes down */
    char line[32];    /* the end of the line that goes down */
    size_t line_length;
    bool over;
};

struct cutter {
    uint16_t target;
    const char *directory;
    int listener;
    struct plan plan;
    struct link *link[LINKS];
    size_t n_links;
    unsigned connections;
    unsigned cuts;
    uint64_t late;     /* bytes that were delivered late */
    int64_t settle_ms; /* "settle" is answered by then; 0: nobody asked */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void start(struct cutter *cutter)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof(address);

    const int room = RECEIVE_BYTES;

    cutter->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (cutter->listener < 0 ||
        setsockopt(cutter->listener, SOL_SOCKET, SO_RCVBUF, &room,
                   sizeof(room)) != 0 ||
        bind(cutter->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(cutter->listener, 64) != 0 ||
        getsockname(cutter->listener, (struct sockaddr *)&address, &length) !=
            0)
        die("cutter: listen");
    printf("port %u\n", ntohs(address.sin_port));
    fflush(stdout);
}

/* --- links ----------------------------------------------------------------- */

static void link_close(struct link *link, int end, bool reset)
{
    const struct linger now = {.l_onoff = 1};

    if (link->fd[end] < 0)
        return;
    if (reset)
        setsockopt(link->fd[end], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(link->fd[end]);
    link->fd[end] = -1;
}

static void link_end(struct link *link, bool reset)
{
    link_close(link, UP, reset);
    link_close(link, DOWN, reset);
    link->over = true;
}

static int record_open(const struct cutter *cutter, unsigned number,
                       const char *way)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/%u.%s", cutter->directory, number, way);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    return fd;
}

/* What is late because of it is due. */
static void next_has_come(struct cutter *cutter)
{
    for (size_t i = 0; i < cutter->n_links; i++) {
        struct link *link = cutter->link[i];

        if (link->state == GONE && cutter->plan.late_ms == LATE_NEXT)
            link->due_ms = now_ms() + QUIET_MS;
    }
}

static void link_new(struct cutter *cutter)
{
    struct sockaddr_in address = loopback(cutter->target);
    const int one = 1;
    struct link *link;
    int client = accept4(cutter->listener, NULL, NULL, SOCK_CLOEXEC);

    if (client < 0)
        return;
    link = calloc(1, sizeof(*link));
    if (link == NULL || cutter->n_links == LINKS)
        die("cutter: too many connections");
    next_has_come(cutter);
    link->number = ++cutter->connections;
    link->fd[UP] = client;
    link->fd[DOWN] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(link->fd[DOWN], (struct sockaddr *)&address, sizeof(address)) !=
        0)
        link->over = true;
    link->record[UP] = record_open(cutter, link->number, "up");
    link->record[DOWN] = record_open(cutter, link->number, "down");
    for (int end = UP; end <= DOWN; end++)
        setsockopt(link->fd[end], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    cutter->link[cutter->n_links++] = link;
}

static void link_free(struct link *link)
{
    for (int end = UP; end <= DOWN; end++) {
        link_close(link, end, false);
        close(link->record[end]);
    }
    free(link->held);
    free(link);
}

/* Both ends block while they are written to: what a trial sends is small, and
 * each side reads all the time. */
static void send_all(struct link *link, int way, const char *data, size_t n)
{
    int out = link->fd[way == UP ? DOWN : UP];

    while (n > 0 && out >= 0) {
        ssize_t done = send(out, data, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            link->over = link->state == LIVE;
            return;
        }
        data += done;
        n -= (size_t)done;
    }
}

static void record(struct link *link, int way, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(link->record[way], data, n);

        if (done < 0)
            die("cutter: record");
        data += done;
        n -= (size_t)done;
    }
}

/* --- cuts ------------------------------------------------------------------ */

static void hold(struct link *link, const char *data, size_t n)
{
    link->held = realloc(link->held, link->n_held + n + 1);
    if (link->held == NULL)
        die("cutter: hold");
    memcpy(link->held + link->n_held, data, n);
    link->n_held += n;
    link->due_ms = now_ms() + QUIET_MS;
}

/* The line that goes down ended: does a literal follow? */
static void end_line(struct link *link)
{
    char *open;

    link->line[link->line_length] = '\0';
    link->line_length = 0;
    open = strrchr(link->line, '{');
    if (open != NULL && strchr(open, '}') != NULL)
        link->literal = strtoull(open + 1, NULL, 10);
}

/* Keep track of where literals are; bytes that end outside of one. */
static void follow_literals(struct link *link, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (link->literal > 0) {
            link->literal--;
            continue;
        }
        if (data[i] == '\n') {
            end_line(link);
            continue;
        }
        if (link->line_length + 1 == sizeof(link->line)) {
            memmove(link->line, link->line + 1, sizeof(link->line) - 2);
            link->line_length--;
        }
        link->line[link->line_length++] = data[i];
    }
}

/* When what is late is due, by now. */
static int64_t due_of(const struct cutter *cutter)
{
    return cutter->plan.late_ms >= 0 ? now_ms() + cutter->plan.late_ms
                                     : INT64_MAX;
}

/* The last byte that was to go through went through. @rest came with it. */
static void cut(struct cutter *cutter, struct link *link, const char *rest,
                size_t n)
{
    cutter->cuts++;
    switch (cutter->plan.kind) {
    case SILENCE:
        link->state = MUTE;
        break;
    case STALL:
        link->state = STALLED;
        record(link, UP, rest, n);
        hold(link, rest, n);
        link->due_ms = due_of(cutter);
        break;
    case LATE:
        link->state = HOLDING;
        record(link, UP, rest, n);
        hold(link, rest, n);
        break;
    case GARBLE:
        send_all(link, DOWN, GARBAGE, sizeof(GARBAGE) - 1);
        link_end(link, false);
        break;
    default:
        link_end(link, cutter->plan.kind == RST);
        break;
    }
}

/* How much of @n bytes goes through before the cut; n + 1: no cut. */
static size_t until_cut(const struct cutter *cutter, const struct link *link,
                        int way, size_t n)
{
    const struct plan *plan = &cutter->plan;
    uint64_t left;

    if (plan->kind == NONE || plan->connection != link->number ||
        plan->way != way || link->state != LIVE ||
        link->passed[way] + n < plan->bytes)
        return n + 1;
    left =
        plan->bytes > link->passed[way] ? plan->bytes - link->passed[way] : 0;
    return (size_t)left;
}

static void pass(struct cutter *cutter, struct link *link, int way,
                 const char *data, size_t n)
{
    size_t limit = until_cut(cutter, link, way, n);
    size_t through = limit < n ? limit : n;

    if (limit <= n && cutter->plan.kind == GARBLE) {
        /* Byte by byte, on to where no literal is. */
        struct link probe = *link;

        follow_literals(&probe, data, through);
        while (through < n && probe.literal > 0)
            follow_literals(&probe, &data[through++], 1);
        if (probe.literal > 0)
            limit = n + 1;
    }
    if (way == DOWN)
        follow_literals(link, data, through);
    record(link, way, data, through);
    send_all(link, way, data, through);
    link->passed[way] += through;
    if (limit <= n && !link->over)
        cut(cutter, link, data + through, n - through);
}

static void link_read(struct cutter *cutter, struct link *link, int way)
{
    static char data[CHUNK];
    ssize_t n = recv(link->fd[way], data, sizeof(data), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        /* Who held something back keeps it for the server. */
        link_close(link, way, n < 0);
        if (way == UP && link->state == HOLDING)
            link->due_ms = 0;
        else
            link_end(link, n < 0);
        return;
    }
    if (link->state == HOLDING && way == UP) {
        record(link, UP, data, (size_t)n);
        hold(link, data, (size_t)n);
    } else if (link->state == LIVE || link->state == HOLDING) {
        pass(cutter, link, way, data, (size_t)n);
    }
}

/* All that the client's kernel still has to give. */
static void drain(struct link *link)
{
    char data[CHUNK];
    ssize_t n;

    while ((n = recv(link->fd[UP], data, sizeof(data), 0)) > 0 ||
           (n < 0 && errno == EINTR))
        if (n > 0)
            hold(link, data, (size_t)n);
}

/* A step of a link that is late is due. */
static void link_step(struct cutter *cutter, struct link *link)
{
    switch (link->state) {
    case STALLED:
        drain(link);
        link_close(link, UP, false);
        link->state = GONE;
        link->due_ms = 0;
        break;
    case HOLDING:
        link_close(link, UP, false);
        link->state = GONE;
        link->due_ms = due_of(cutter);
        break;
    case GONE:
        link->state = TOLD;
        send_all(link, UP, link->held, link->n_held);
        cutter->late += link->n_held;
        link->due_ms = now_ms() + LINGER_MS;
        break;
    case TOLD:
        link_end(link, false);
        break;
    default:
        break;
    }
}

static bool has_step(const struct link *link)
{
    return !link->over && link->state != LIVE && link->state != MUTE;
}

static void sweep(struct cutter *cutter)
{
    size_t kept = 0;

    for (size_t i = 0; i < cutter->n_links; i++) {
        struct link *link = cutter->link[i];

        if (link->over)
            link_free(link);
        else
            cutter->link[kept++] = link;
    }
    cutter->n_links = kept;
}

/* --- orders ---------------------------------------------------------------- */

static void answer(const char *text)
{
    puts(text);
    fflush(stdout);
}

static void order_plan(struct cutter *cutter, const char *line)
{
    struct plan plan = {0};
    char kind[16] = "";
    char way[8] = "";
    char when[16] = "0";
    unsigned long long bytes = 0;

    if (sscanf(line, "plan %15s %u %7s %llu %15s", kind, &plan.connection, way,
               &bytes, when) < 1) {
        answer("what?");
        return;
    }
    while (plan.kind < KINDS && strcmp(kind, kinds[plan.kind]) != 0)
        plan.kind++;
    plan.bytes = bytes;
    plan.way = strcmp(way, "up") == 0 ? UP : DOWN;
    plan.late_ms = strcmp(when, "next") == 0  ? LATE_NEXT
                   : strcmp(when, "end") == 0 ? LATE_END
                                              : atol(when);
    for (size_t i = 0; i < cutter->n_links; i++)
        link_end(cutter->link[i], false);
    sweep(cutter);
    cutter->plan = plan;
    cutter->connections = 0;
    cutter->cuts = 0;
    cutter->late = 0;
    answer(plan.kind < KINDS ? "ok" : "what?");
}

static void release(struct cutter *cutter)
{
    for (size_t i = 0; i < cutter->n_links; i++)
        if (cutter->link[i]->state == GONE || cutter->link[i]->state == STALLED)
            cutter->link[i]->due_ms = 0;
    answer("ok");
}

static void obey(struct cutter *cutter)
{
    static char text[4096];
    static size_t length;
    ssize_t n = read(STDIN_FILENO, text + length, sizeof(text) - 1 - length);
    char *end;

    if (n <= 0)
        exit(0);
    length += (size_t)n;
    text[length] = '\0';
    while ((end = strchr(text, '\n')) != NULL) {
        *end = '\0';
        if (strncmp(text, "plan ", 5) == 0) {
            order_plan(cutter, text);
        } else if (strcmp(text, "release") == 0) {
            release(cutter);
        } else if (strcmp(text, "settle") == 0) {
            cutter->settle_ms = now_ms() + SETTLE_MS;
        } else if (strcmp(text, "state") == 0) {
            printf("connections %u cut %u late %llu\n", cutter->connections,
                   cutter->cuts, (unsigned long long)cutter->late);
            fflush(stdout);
        } else {
            answer("what?");
        }
        length -= (size_t)(end + 1 - text);
        memmove(text, end + 1, length + 1);
    }
}

static void check_settled(struct cutter *cutter)
{
    if (cutter->settle_ms == 0)
        return;
    if (cutter->n_links == 0) {
        cutter->settle_ms = 0;
        answer("ok");
    } else if (now_ms() > cutter->settle_ms) {
        cutter->settle_ms = 0;
        answer("busy");
    }
}

/* --- the loop -------------------------------------------------------------- */

static int wait_of(const struct cutter *cutter)
{
    int64_t until = cutter->settle_ms > 0 ? cutter->settle_ms : INT64_MAX;
    int64_t wait;

    for (size_t i = 0; i < cutter->n_links; i++)
        if (has_step(cutter->link[i]) && cutter->link[i]->due_ms < until)
            until = cutter->link[i]->due_ms;
    if (until == INT64_MAX)
        return -1;
    wait = until - now_ms();
    return wait < 0 ? 0 : (int)wait;
}

/* The descriptor to listen to, or -1. */
static int heard(const struct link *link, int way)
{
    return link->state == STALLED && way == UP ? -1 : link->fd[way];
}

static void run(struct cutter *cutter)
{
    struct pollfd polls[2 + 2 * LINKS];

    for (;;) {
        size_t n_links = cutter->n_links;

        polls[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        polls[1] = (struct pollfd){.fd = cutter->listener, .events = POLLIN};
        for (size_t i = 0; i < 2 * n_links; i++)
            polls[2 + i] =
                (struct pollfd){.fd = heard(cutter->link[i / 2], (int)(i % 2)),
                                .events = POLLIN};
        if (poll(polls, 2 + 2 * n_links, wait_of(cutter)) < 0 && errno != EINTR)
            die("cutter: poll");
        for (size_t i = 0; i < 2 * n_links; i++)
            if (polls[2 + i].revents != 0 && !cutter->link[i / 2]->over &&
                cutter->link[i / 2]->fd[i % 2] >= 0)
                link_read(cutter, cutter->link[i / 2], (int)(i % 2));
        for (size_t i = 0; i < n_links; i++)
            if (has_step(cutter->link[i]) &&
                cutter->link[i]->due_ms <= now_ms())
                link_step(cutter, cutter->link[i]);
        sweep(cutter);
        if (polls[1].revents & POLLIN)
            link_new(cutter);
        if (polls[0].revents != 0)
            obey(cutter);
        check_settled(cutter);
    }
}

int main(int argc, char **argv)
{
    struct cutter cutter = {0};

    if (argc != 3) {
        fprintf(stderr, "usage: cutter TARGET_PORT DIRECTORY\n");
        return 2;
    }
    cutter.target = (uint16_t)atoi(argv[1]);
    cutter.directory = argv[2];
    signal(SIGPIPE, SIG_IGN);
    start(&cutter);
    run(&cutter);
}
