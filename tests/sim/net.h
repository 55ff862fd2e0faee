/*
 * A network in memory, under uv.c: bytes between the program's sockets and
 * servers in the same process. They come in pieces of any size, after any time,
 * one connection before another; a connection may be cut after any byte, by FIN,
 * RST or silence.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct net_conn;

enum net_cut { NET_CUT_FIN, NET_CUT_RST, NET_CUT_SILENCE, NET_CUTS };

/* A server behind a port. */
struct net_service {
    /* Somebody connected: returns the server's end of @conn. */
    void *(*accept)(void *owner, struct net_conn *conn);
    /* Bytes came. */
    void (*data)(void *peer, struct bytes data);
    /* The client is gone, or the line was cut: @conn is not to be used any more
     * once this returns. What was received stays received. */
    void (*gone)(void *peer);
    void *owner;
};

/* What goes wrong: one in so many; 0: never. */
struct net_faults {
    uint32_t lookup;  /* the name cannot be looked up, or not in time */
    uint32_t connect; /* refused, or no answer */
    uint32_t cut;     /* connections that are cut somewhere */
    uint32_t cut_max; /* within so many bytes of either direction */
    /* counted */
    uint32_t n_lookups;
    uint32_t n_connects;
    uint32_t n_cuts[NET_CUTS];
};

/* No connections, no servers, no faults. */
void net_reset(void);

/* To be set at any time; holds for new connections. */
struct net_faults *net_faults(void);

/* Ports 1 to 3 have servers. */
#define NET_PORTS 4
void net_listen(uint16_t port, const struct net_service *service);

/* From a server: bytes on their way to the client, copied. */
void net_send(struct net_conn *conn, struct bytes data);

/* From a server: end the connection, behind all that was sent. gone() follows,
 * not from inside. */
void net_hang_up(struct net_conn *conn);

/* Cut it now. gone() is called from inside, unless it was already. */
void net_break(struct net_conn *conn, enum net_cut how);

/*
 * The client's process died. What it sent may still arrive, now or not at all
 * by chance; then its connections are gone, and no new ones are made until
 * net_revive(): what is left of the program in memory is nobody.
 */
void net_kill(void);
void net_revive(void);

/* The same, but from inside of what the client does: it sends nothing any more.
 * net_kill() is to follow. */
void net_mute(void);

#endif
