/*
 * The messages of a simulated world. Each text has a number in its last line,
 * so that whoever holds the octets knows which message they are, and whether
 * they are whole. Texts that differ only in that line are easily mixed up: some
 * are made so.
 */
#ifndef TESTS_SIM_CONTENT_H
#define TESTS_SIM_CONTENT_H

#include <stdint.h>

#include "base/bytes.h"

#define CONTENT_NONE UINT32_MAX

/* Forget all. */
void contents_reset(void);

/* Make another one, of a form chosen at random. */
uint32_t content_new(void);

/* How many there are; they are numbered from 0. */
uint32_t contents_count(void);

/* Its octets, with CRLF line ends; borrowed until contents_reset(). */
struct bytes content_text(uint32_t content);

/* Its INTERNALDATE, which tells near twins apart. */
int64_t content_date(uint32_t content);

/* The header only, with the empty line. */
struct bytes content_header(uint32_t content);

/* Which one has exactly these octets, or CONTENT_NONE. */
uint32_t content_find(struct bytes text);

/* The same with LF line ends. */
uint32_t content_find_lf(struct bytes text);

#endif
