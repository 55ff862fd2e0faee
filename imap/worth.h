/*
 * Does a server get on with what it was asked? What it sends is held against a
 * kilobyte of a body; what may come unasked, at any time, is worth little or
 * nothing, or a command that is never answered would be waited for as long as
 * there is news. Pure.
 */
#ifndef IMAP_WORTH_H
#define IMAP_WORTH_H

#include <stdint.h>

#include "imap/session.h"

/* An answer, or octets of a body. */
#define WORTH_ENOUGH ((uint64_t)1 << 10)

/* So many messages that go, or whose flags change, are as good as an answer: one
 * that goes may be news, a flow of them is a folder being emptied for us. */
#define WORTH_MESSAGES 20u

uint64_t worth_of(const struct session_event *event);

#endif
