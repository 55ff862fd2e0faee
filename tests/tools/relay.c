/*
 * A loopback TCP relay that stands for a bad or distant network.
 *
 *     relay [OPTIONS] TARGET_PORT
 *
 *     -p FILE   write the port that it listens on into FILE, once it does
 *     -d MS     delay each direction by so many milliseconds; to connect takes
 *               both, as it does on a real line
 *     -D FILE   the same, with the number that is in FILE, if it is there when
 *               the client connects
 *     -r BYTES  let no more a second through in each direction, those of all
 *               connections together
 *     -s FILE   add a line for each connection that ended:
 *               bytes up, bytes down, flights
 *     -t FILE   on SIGUSR1, as soon as no connection is left, write into FILE what
 *               came by since the last time: bytes up, bytes down, round trips,
 *               connections, the most of them at once
 *     -x TEXT   the first time that the server's TEXT comes by: drop what came
 *               with it and cut that connection
 *     -c BYTES  hang up on each connection once so many bytes came by, those of
 *               both directions together
 *     -C FILE   the same, with the number that is in FILE, if it is there when
 *               the client connects
 *     -w FILE   add all that comes by to FILE, made where it is not there: a
 *               line with the number of the connection, "C" or "S" for whose it
 *               is, and the number of bytes, then these bytes, then a line end
 *     -h FILE   hold everything back as long as FILE exists
 *     -a FILE   add a line to FILE for each client that has connected
 *
 * A flight is a change from the server's turn to the client's on one connection.
 * Round trips are the longest chain over all connections in which each link may
 * have needed the one before: what a client sends is one further than all that
 * it has heard, on whichever connection; what the server says is as far as the
 * last that it was told on this one. With a delay, each link takes the time of
 * one round trip at least, however much is pipelined or at work at once. To
 * connect is the first; the last is what the client heard before it sent its
 * last bytes, a farewell whose answer nobody has to wait for.
 *
 * It runs until it is killed.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 65536,
    WINDOW = 16 << 20,
    RATED_CHUNK = 8192, /* the same for -r, so that it flows evenly */
    RATED_WINDOW = 256 << 10,
    LINKS = 2048,
    UP = 0,
    DOWN = 1
};

struct chunk {
    struct chunk *next;
    int64_t due_us;
    uint64_t trip; /* how far down the chain of round trips */
    size_t length;
    size_t sent;
    char data[];
};

/* One direction of a link. */
struct way {
    struct chunk *head;
    struct chunk **tail;
    size_t buffered;
    uint64_t bytes;
    bool ended; /* no more comes in */
    bool shut;  /* and all of it went out */
};

struct link {
    int fd[2]; /* client, server; fd[UP] is where the way UP reads */
    struct way way[2];
    int last; /* the way that data was last seen on */
    uint64_t flights;
    int64_t delay_us;
    int64_t made_us;    /* when the client can have connected */
    uint64_t made_trip; /* the round trip that this took */
    uint64_t told_trip; /* of the last that the server got */
    bool cut;
    unsigned number;
    uint64_t cut_bytes; /* 0: never */
};

/* What came by since it was last asked for. */
struct totals {
    uint64_t bytes[2];
    uint64_t heard_trip; /* of all that clients heard so far */
    uint64_t asked_trip; /* of all that they sent */
    size_t n_accepted;
    size_t n_most;
};

struct relay {
    uint16_t target;
    int64_t delay_us;
    uint64_t rate;       /* bytes a second; 0: as they come */
    int64_t clear_us[2]; /* when all of a direction will be through */
    struct totals totals;
    const char *port_file;
    const char *stats_file;
    const char *totals_file;
    const char *delay_file;
    const char *hold_file;
    const char *accepted_file;
    const char *cut_text;
    const char *cut_file;
    const char *wire_file;
    uint64_t cut_bytes; /* 0: never */
    unsigned n_accepted;
    int listener;
    struct link *link[LINKS];
    size_t n_links;
};

static volatile sig_atomic_t totals_wanted;

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void write_file(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        die(path);
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Who sees the file sees all of it. */
static void place_file(const char *path, const char *text)
{
    char new_path[4096];

    snprintf(new_path, sizeof(new_path), "%s.tmp", path);
    write_file(new_path, "w", text);
    if (rename(new_path, path) != 0)
        die(path);
}

/* The kernel chooses the port, so no two relays ever want the same. */
static void relay_listen(struct relay *relay)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof(address);
    const int window = 64 << 10;
    const int packet = 1448;
    char text[32];

    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    /* The kernels would take megabytes at once, by loopback's huge packets. */
    if (relay->rate != 0) {
        setsockopt(relay->listener, SOL_SOCKET, SO_RCVBUF, &window,
                   sizeof(window));
        setsockopt(relay->listener, IPPROTO_TCP, TCP_MAXSEG, &packet,
                   sizeof(packet));
    }
    if (relay->listener < 0 ||
        bind(relay->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(relay->listener, 1024) != 0 ||
        getsockname(relay->listener, (struct sockaddr *)&address, &length) != 0)
        die("relay: listen");
    if (relay->port_file == NULL)
        return;
    snprintf(text, sizeof(text), "%u\n", ntohs(address.sin_port));
    place_file(relay->port_file, text);
}

/* The number that is in the file @path; @otherwise where there is none. */
static uint64_t number_in(const char *path, uint64_t otherwise)
{
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    unsigned long long number = otherwise;

    if (file != NULL) {
        if (fscanf(file, "%llu", &number) != 1)
            number = 0;
        fclose(file);
    }
    return number;
}

/* Opened each time: who reads the file takes it away. */
static void log_chunk(const struct relay *relay, const struct link *link,
                      int which, const struct chunk *chunk)
{
    FILE *file;

    if (relay->wire_file == NULL || chunk->length == 0)
        return;
    file = fopen(relay->wire_file, "a");
    if (file == NULL)
        die(relay->wire_file);
    fprintf(file, "%u %c %zu\n", link->number, which == UP ? 'C' : 'S',
            chunk->length);
    fwrite(chunk->data, 1, chunk->length, file);
    fputc('\n', file);
    if (fclose(file) != 0)
        die(relay->wire_file);
}

static void relay_accept(struct relay *relay)
{
    struct sockaddr_in address = loopback(relay->target);
    const int one = 1;
    struct link *link;
    int client = accept(relay->listener, NULL, NULL);

    if (client < 0)
        return;
    if (relay->accepted_file != NULL)
        write_file(relay->accepted_file, "a", "connected\n");
    link = calloc(1, sizeof(*link));
    if (link == NULL || relay->n_links == LINKS)
        die("relay: too many connections");
    link->number = ++relay->n_accepted;
    link->cut_bytes = number_in(relay->cut_file, relay->cut_bytes);
    link->delay_us = (int64_t)number_in(relay->delay_file,
                                        (uint64_t)relay->delay_us / 1000) *
                     1000;
    link->fd[UP] = client;
    link->fd[DOWN] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link->fd[DOWN], (struct sockaddr *)&address, sizeof(address)) !=
        0)
        link->cut = true;
    link->last = DOWN;
    link->made_us = now_us() + 2 * link->delay_us;
    link->made_trip = relay->totals.heard_trip + 1;
    for (int way = UP; way <= DOWN; way++) {
        fcntl(link->fd[way], F_SETFL, O_NONBLOCK);
        setsockopt(link->fd[way], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        link->way[way].tail = &link->way[way].head;
    }
    relay->link[relay->n_links++] = link;
    relay->totals.n_accepted++;
    if (relay->totals.n_most < relay->n_links)
        relay->totals.n_most = relay->n_links;
}

/* The text to cut at came by: that is the last thing that the client hears. */
static bool is_cut(struct relay *relay, const struct chunk *chunk)
{
    if (relay->cut_text == NULL ||
        memmem(chunk->data, chunk->length, relay->cut_text,
               strlen(relay->cut_text)) == NULL)
        return false;
    relay->cut_text = NULL;
    return true;
}

/* How much of @n more bytes goes through; with the last of them it ends. */
static size_t allowance(struct link *link, size_t n)
{
    uint64_t passed = link->way[UP].bytes + link->way[DOWN].bytes;

    if (link->cut_bytes == 0 || passed + n < link->cut_bytes)
        return n;
    link->way[UP].ended = true;
    link->way[DOWN].ended = true;
    return passed < link->cut_bytes ? (size_t)(link->cut_bytes - passed) : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How far down the chain is what is sent now? */
static uint64_t trip_of(const struct relay *relay, const struct link *link,
                        int which)
{
    if (which == UP)
        return later(relay->totals.heard_trip, link->made_trip) + 1;
    /* A greeting comes before the server was told anything: it answers the last
     * packet of the handshake. */
    return link->told_trip != 0 ? link->told_trip : link->made_trip + 1;
}

/* When are @n bytes that came by now to go on? */
static int64_t due_us(struct relay *relay, const struct link *link, int which,
                      size_t n)
{
    int64_t made_us = link->made_us + (which == DOWN ? link->delay_us : 0);
    int64_t now = now_us();
    int64_t *clear = &relay->clear_us[which];

    if (relay->rate != 0) {
        *clear = (*clear > now ? *clear : now) +
                 (int64_t)(n * 1000000 / relay->rate);
        now = *clear;
    }
    return (now > made_us ? now : made_us) + link->delay_us;
}

static void link_read(struct relay *relay, struct link *link, int which)
{
    struct way *way = &link->way[which];
    size_t room = relay->rate != 0 ? RATED_CHUNK : CHUNK;
    struct chunk *chunk = malloc(sizeof(*chunk) + room);
    ssize_t n = chunk == NULL ? -1 : read(link->fd[which], chunk->data, room);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            way->ended = true;
        free(chunk);
        return;
    }
    if (which == UP && link->last == DOWN)
        link->flights++;
    link->last = which;
    n = (ssize_t)allowance(link, (size_t)n);
    chunk->length = (size_t)n;
    log_chunk(relay, link, which, chunk);
    if (which == DOWN && is_cut(relay, chunk)) {
        link->cut = true;
        free(chunk);
        return;
    }
    chunk->sent = 0;
    chunk->next = NULL;
    chunk->due_us = due_us(relay, link, which, (size_t)n);
    chunk->trip = trip_of(relay, link, which);
    *way->tail = chunk;
    way->tail = &chunk->next;
    way->buffered += (size_t)n;
    way->bytes += (uint64_t)n;
    relay->totals.bytes[which] += (uint64_t)n;
    if (which == UP)
        relay->totals.asked_trip = later(relay->totals.asked_trip, chunk->trip);
}

/* One side learned of @chunk. */
static void chunk_arrived(struct relay *relay, struct link *link, int which,
                          const struct chunk *chunk)
{
    uint64_t *trip = which == UP ? &link->told_trip : &relay->totals.heard_trip;

    *trip = later(*trip, chunk->trip);
}

static void link_write(struct relay *relay, struct link *link, int which,
                       int64_t now)
{
    struct way *way = &link->way[which];
    int out = link->fd[which == UP ? DOWN : UP];

    while (way->head != NULL && way->head->due_us <= now) {
        struct chunk *chunk = way->head;
        ssize_t n = send(out, chunk->data + chunk->sent,
                         chunk->length - chunk->sent, MSG_NOSIGNAL);

        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR)
                link->cut = true;
            return;
        }
        chunk_arrived(relay, link, which, chunk);
        chunk->sent += (size_t)n;
        way->buffered -= (size_t)n;
        if (chunk->sent < chunk->length)
            continue;
        way->head = chunk->next;
        if (way->head == NULL)
            way->tail = &way->head;
        free(chunk);
    }
    if (way->ended && way->head == NULL && !way->shut) {
        shutdown(out, SHUT_WR);
        way->shut = true;
    }
}

static void link_free(struct relay *relay, struct link *link)
{
    char line[96];

    if (relay->stats_file != NULL) {
        snprintf(line, sizeof(line), "%llu %llu %llu\n",
                 (unsigned long long)link->way[UP].bytes,
                 (unsigned long long)link->way[DOWN].bytes,
                 (unsigned long long)link->flights);
        write_file(relay->stats_file, "a", line);
    }
    for (int which = UP; which <= DOWN; which++) {
        close(link->fd[which]);
        while (link->way[which].head != NULL) {
            struct chunk *chunk = link->way[which].head;

            link->way[which].head = chunk->next;
            free(chunk);
        }
    }
    free(link);
}

/* Drop the links that are over. */
static void relay_sweep(struct relay *relay)
{
    size_t kept = 0;

    for (size_t i = 0; i < relay->n_links; i++) {
        struct link *link = relay->link[i];

        if (link->cut || (link->way[UP].shut && link->way[DOWN].shut))
            link_free(relay, link);
        else
            relay->link[kept++] = link;
    }
    relay->n_links = kept;
}

/* Is it to tell its totals, now that no connection is left? */
static bool relay_is_done(const struct relay *relay)
{
    return totals_wanted && relay->n_links == 0 && relay->totals_file != NULL;
}

/* Tell what came by, and begin anew. */
static void relay_tell(struct relay *relay)
{
    const struct totals *totals = &relay->totals;
    uint64_t trips = totals->asked_trip == 0 ? 0 : totals->asked_trip - 1;
    char line[160];

    snprintf(line, sizeof(line), "%llu %llu %llu %zu %zu\n",
             (unsigned long long)totals->bytes[UP],
             (unsigned long long)totals->bytes[DOWN], (unsigned long long)trips,
             totals->n_accepted, totals->n_most);
    totals_wanted = 0;
    relay->totals = (struct totals){0};
    place_file(relay->totals_file, line);
}

/* What to wait for, and how long until the next chunk is due. */
static int relay_poll(struct relay *relay, struct pollfd *polls, bool held)
{
    int64_t now = now_us();
    int64_t wait_us = held ? 10000 : relay_is_done(relay) ? 0 : -1;
    size_t window = relay->rate != 0 ? RATED_WINDOW : WINDOW;
    struct timespec wait;
    sigset_t none;

    sigemptyset(&none); /* SIGUSR1 comes here and nowhere else */
    polls[0] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
    for (size_t i = 0; i < relay->n_links; i++) {
        struct link *link = relay->link[i];

        for (int which = UP; which <= DOWN; which++) {
            const struct way *way = &link->way[which];
            const struct way *back = &link->way[which == UP ? DOWN : UP];
            struct pollfd *entry = &polls[1 + 2 * i + (size_t)which];

            *entry = (struct pollfd){.fd = link->fd[which]};
            if (!held && !way->ended && way->buffered < window)
                entry->events |= POLLIN;
            if (!held && back->head != NULL && back->head->due_us <= now)
                entry->events |= POLLOUT;
            if (entry->events == 0)
                entry->fd = -1; /* or a hang-up would wake us for ever */
            if (!held && way->head != NULL && way->head->due_us > now &&
                (wait_us < 0 || way->head->due_us - now < wait_us))
                wait_us = way->head->due_us - now;
        }
    }
    wait.tv_sec = (time_t)(wait_us / 1000000);
    wait.tv_nsec = (long)(wait_us % 1000000) * 1000;
    return ppoll(polls, 1 + 2 * relay->n_links, wait_us < 0 ? NULL : &wait,
                 &none);
}

static void relay_run(struct relay *relay)
{
    static struct pollfd polls[1 + 2 * LINKS];

    for (;;) {
        bool held =
            relay->hold_file != NULL && access(relay->hold_file, F_OK) == 0;
        size_t n_links = relay->n_links;

        if (relay_poll(relay, polls, held) < 0) {
            if (errno != EINTR)
                die("relay: poll");
            continue;
        }
        for (size_t i = 0; i < n_links && !held; i++) {
            for (int which = UP; which <= DOWN; which++)
                if (polls[1 + 2 * i + (size_t)which].revents &
                    (POLLIN | POLLHUP | POLLERR))
                    link_read(relay, relay->link[i], which);
            for (int which = UP; which <= DOWN; which++)
                link_write(relay, relay->link[i], which, now_us());
        }
        relay_sweep(relay);
        if (polls[0].revents & POLLIN)
            relay_accept(relay);
        else if (relay_is_done(relay))
            relay_tell(relay);
    }
}

static void want_totals(int signal_number)
{
    (void)signal_number;
    totals_wanted = 1;
}

/* The signal is let through only where relay_poll() waits. */
static void relay_prepare(void)
{
    struct sigaction action = {.sa_handler = want_totals};
    struct rlimit files;
    sigset_t asked;

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&asked);
    sigaddset(&asked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    struct relay relay = {0};
    int option;

    relay_prepare();
    while ((option = getopt(argc, argv, "p:d:D:r:s:t:x:c:C:w:h:a:")) != -1) {
        switch (option) {
        case 'p':
            relay.port_file = optarg;
            break;
        case 'd':
            relay.delay_us = (int64_t)atoi(optarg) * 1000;
            break;
        case 'D':
            relay.delay_file = optarg;
            break;
        case 'r':
            relay.rate = strtoull(optarg, NULL, 10);
            break;
        case 's':
            relay.stats_file = optarg;
            break;
        case 't':
            relay.totals_file = optarg;
            break;
        case 'x':
            relay.cut_text = optarg;
            break;
        case 'c':
            relay.cut_bytes = strtoull(optarg, NULL, 10);
            break;
        case 'C':
            relay.cut_file = optarg;
            break;
        case 'w':
            relay.wire_file = optarg;
            break;
        case 'h':
            relay.hold_file = optarg;
            break;
        case 'a':
            relay.accepted_file = optarg;
            break;
        default:
            return 2;
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: relay [OPTIONS] TARGET_PORT\n");
        return 2;
    }
    relay.target = (uint16_t)atoi(argv[optind]);
    relay_listen(&relay);
    relay_run(&relay);
}
