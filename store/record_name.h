/*
 * The base name of a file as the state keeps it. A name of the usual form,
 *
 *     <seconds>.M<us>P<pid>[Q<counter>][R<16 hex digits>].<host>
 *              [,S=<octets>][,W=<octets>][,B=1]
 *
 * is kept as its numbers, a third of its text; the host has a number in a table
 * of its own. Any other name is kept as it is. A pure codec.
 */
#ifndef STORE_RECORD_NAME_H
#define STORE_RECORD_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct record_name {
    bool whole;        /* it is @text: all else says nothing */
    struct bytes text; /* borrowed */
    unsigned form;     /* what there is, and how it is written */
    uint32_t host;     /* its number */
    uint64_t seconds;
    uint64_t micro;
    uint64_t pid;
    uint64_t counter;
    uint64_t random;
    uint64_t file; /* S= */
    uint64_t crlf; /* W= */
};

/* Take @name apart, its host into *@host (borrowed), whose number is for the
 * caller to find. False where it is not of the form: then it is a whole one. */
bool record_name_parse(struct bytes name, struct record_name *out,
                       struct bytes *host);

/* The name as text again; @host is ignored for a whole one. */
void record_name_print(struct buf *out, const struct record_name *name,
                       struct bytes host);

/* Append the value of a row. */
void record_name_encode(struct buf *out, const struct record_name *name);

/* False where @value can be no row; a whole name borrows from it. */
bool record_name_decode(struct bytes value, struct record_name *out);

#endif
