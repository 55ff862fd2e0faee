/*
 * Names of message files: "<base>:2,<letters>". The base is what stays when
 * flags change; it may carry fields, ",S=<octets>,W=<octets with CRLF>", as
 * Dovecot writes them. Pure.
 */
#ifndef STORE_MAILDIR_NAME_H
#define STORE_MAILDIR_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/* Longest file name there is (NAME_MAX of the file systems we meet). */
#define MAILDIR_NAME_BYTES_MAX 255u

/* Letters as bits: keywords "a" to "z" are bits 0 to 25. */
enum {
    MAILDIR_NAME_KEYWORDS = (1 << 26) - 1,
    MAILDIR_NAME_DRAFT = 1 << 26,
    MAILDIR_NAME_FLAGGED = 1 << 27,
    MAILDIR_NAME_PASSED = 1 << 28, /* the keyword $Forwarded */
    MAILDIR_NAME_REPLIED = 1 << 29,
    MAILDIR_NAME_SEEN = 1 << 30
};

#define MAILDIR_NAME_TRASHED (1u << 31)

struct maildir_name {
    struct bytes base;
    bool has_info;        /* there is a ":2," */
    struct bytes letters; /* behind it */
    struct bytes rest;    /* what we do not understand and keep */
};

/* Take @name apart; borrows from it. Any name has a base. */
void maildir_name_parse(struct bytes name, struct maildir_name *out);

/**
 * The letters that mean something, as bits.
 *
 * @plain  set to whether maildir_name_print() of the base and the result gives
 *         this very name back
 */
uint32_t maildir_name_letters(const struct maildir_name *name, bool *plain);

/* Append "<base>:2,<letters in ASCII order>". */
void maildir_name_print(struct buf *out, struct bytes base, uint32_t letters);

/* Append @name with letters changed. Those that mean nothing to us, and what
 * follows the letters, are kept. */
void maildir_name_change(struct buf *out, struct bytes name, uint32_t add,
                         uint32_t remove);

/* FLAG_ bits to letters and back; keywords are not their business. */
uint32_t maildir_name_from_flags(uint32_t system);
uint32_t maildir_name_to_flags(uint32_t letters);

struct maildir_name_sizes {
    bool has_file; /* ",S=" */
    bool has_crlf; /* ",W=" */
    uint64_t file; /* octets on disk */
    uint64_t crlf; /* octets once every LF is CRLF */
    bool verbatim; /* ",B=1", ours: had bare CR or LF, stored as it came */
};

/* Read the fields of a base name. What is no number counts as not there. */
void maildir_name_parse_sizes(struct bytes base,
                              struct maildir_name_sizes *out);

/* Append the fields. */
void maildir_name_print_sizes(struct buf *out,
                              const struct maildir_name_sizes *sizes);

/* What makes a name unique over the life of a Maildir. */
struct maildir_name_unique {
    int64_t seconds;
    uint32_t microseconds;
    uint64_t pid;
    uint64_t counter;
    uint64_t random;
    struct bytes host; /* as the system says it */
};

/* Append "<seconds>.M<us>P<pid>Q<counter>R<random>.<host>": the host is made
 * harmless ("/" is \057) and cut to 40 bytes. */
void maildir_name_print_unique(struct buf *out,
                               const struct maildir_name_unique *unique);

/* Is it such a name, of any process on @host? Then *pid is that of it. */
bool maildir_name_is_by(struct bytes base, struct bytes host, uint64_t *pid);

#endif
