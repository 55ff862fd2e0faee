/*
 * From a host name to a TCP connection: asks for its addresses, IPv4 and IPv6,
 * and tries them in turn, the next one as soon as one fails or has not answered
 * for a while (RFC 8305, "happy eyeballs"). The first that answers wins.
 *
 * Knows no deadline: its owner cancels.
 */
#ifndef IMAP_DIAL_H
#define IMAP_DIAL_H

#include <stdint.h>

#include <uv.h>

#include "base/err.h"

struct dial;

/* The attempt is over; called once. @tcp on success, the owner's from now on
 * to uv_close() and then free(); else NULL, with ERR_CONNECT in @result. */
typedef void (*dial_done_fn)(void *owner, uv_tcp_t *tcp, int result,
                             const struct err *err);

/**
 * Begin to connect.
 *
 * @host  name or IP address; copied
 * @port  1 to 65535
 * @done  never called from inside dial_start()
 *
 * Returns a handle for dial_cancel(), good until @done is called.
 */
struct dial *dial_start(uv_loop_t *loop, const char *host, uint16_t port,
                        dial_done_fn done, void *owner);

/* Give up; @done is not called any more. */
void dial_cancel(struct dial *dial);

#endif
