/*
 * What is known of servers that do not behave as their capabilities say: a
 * table of data, found by what a server shows of itself. It only takes away
 * and limits. What the live server says of the same thing wins, and what the
 * configuration says wins over both.
 */
#ifndef IMAP_QUIRKS_H
#define IMAP_QUIRKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/endpoint.h"

/* A folder's name that stands for a special use, where SPECIAL-USE is not
 * offered. */
struct quirks_use {
    const char *name;
    enum special_use use;
};

struct quirks {
    const char *key;  /* in the configuration: "gmail" */
    const char *name; /* for people: "Gmail" */
    /* What it is known by; any of these, NULL: nothing of the kind. */
    const char *capability; /* a whole word */
    const char *greeting;   /* a part of its text */
    const char *host;       /* "example.org": that name and those below */
    /* What follows. 0, false and NULL: nothing. */
    uint32_t without;       /* CAP_ bits that are worse than nothing */
    bool asks_again;        /* CAPABILITY is to follow the login at once */
    uint32_t command_bytes; /* of a command line at most */
    uint32_t connections;   /* at once, at most */
    uint32_t window;        /* messages of a folder that can be seen */
    enum fidelity fidelity;
    bool merges; /* of equal messages it keeps one */
    /* Folders to leave alone: special uses ("\All") and names, in any case,
     * whose folders below are meant as well, with commas between. */
    const char *skip;
    const struct quirks_use *uses; /* ends with a NULL name */
};

/* What the configuration says instead. Zeroed: nothing. */
struct quirks_wish {
    const char *provider; /* a key; "none"; NULL: found out */
    uint32_t without;     /* CAP_ bits, on top of the table's */
    uint32_t command_bytes;
    bool has_window;
    uint32_t window; /* 0: none */
    bool has_trust_size;
    bool trust_size;
    const char *skip; /* as above; "none"; NULL: the table's */
};

/* Octets of a command line where nothing else is known: RFC 7162 section 4 asks
 * servers to take 8,192. */
#define QUIRKS_COMMAND_BYTES 8000u

/* Of a server that nothing is known of; never NULL. */
const struct quirks *quirks_none(void);

/* By key, or NULL. quirks_key() gives the keys one by one, then NULL. */
const struct quirks *quirks_find(const char *key);
const char *quirks_key(size_t index);

/* By what the server shows: the first row that fits, else @found. */
const struct quirks *quirks_of_host(const struct quirks *found,
                                    const char *host);
const struct quirks *quirks_of_greeting(const struct quirks *found,
                                        struct bytes text);
const struct quirks *quirks_of_capability(const struct quirks *found,
                                          struct bytes words);

/* The row with the wishes laid over it. */
struct quirks quirks_settle(const struct quirks *found,
                            const struct quirks_wish *wish);

/* Does @skip name this folder? @attributes are its LIST_ bits. Returns the item
 * that does, for people, empty for none. */
struct bytes quirks_skips(const struct quirks *quirks, const char *name,
                          uint32_t attributes);

/* Is @skip a list as above? Returns the first item that is wrong, empty for
 * none. */
struct bytes quirks_check_skip(const char *skip);

/* The special use that @attributes, LIST_ bits, tell; else the one that @name
 * stands for. */
enum special_use quirks_use(const struct quirks *quirks, const char *name,
                            uint32_t attributes);

#endif
