/* What uv.c and net.c have in common: the client's end of a connection. */
#ifndef TESTS_SIM_NET_UV_H
#define TESTS_SIM_NET_UV_H

#include <stdint.h>

#include <uv.h>

struct net_conn;

/* Handles that were made and not yet closed, and requests under way: as long as
 * there are some, uv_run() would not return. */
uint64_t uv_sim_alive(void);
void uv_sim_count(int change);

/* The connection of a handle, or NULL. */
struct net_conn *net_conn_of(const uv_tcp_t *tcp);

/* uv_close() of a socket: what is still to be sent goes on its way. */
void net_client_closes(uv_tcp_t *tcp);

/* Just before its close callback: requests under way end with UV_ECANCELED. */
void net_client_closed(uv_tcp_t *tcp);

#endif
