/*
 * Folder names of one account: UTF-8 with "/" between levels on our side, as
 * the server spells them on the wire. What the server listed is kept as it
 * spelt it; only names of new folders are made here.
 *
 * The prefix of the personal namespace is no part of our names: where it is
 * "INBOX." with the delimiter ".", "INBOX.Work.2024" is "Work/2024", and
 * "INBOX" stays "INBOX". RFC 2342; RFC 3501 section 5.1.
 */
#ifndef IMAP_IMAP_NAMES_H
#define IMAP_IMAP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define IMAP_NAME_BYTES_MAX 4096u

/* Behind the name of a folder that is about to be deleted. */
#define IMAP_NAMES_ASIDE "-being-removed-by-mailtwin"

struct imap_name {
    char *name;        /* ours */
    char *wire;        /* the server's, ASCII */
    bool selectable;   /* as listed last */
    uint32_t uidnext;  /* of the last STATUS; 0: not known */
    uint32_t messages; /* the same, and what was added since */
    bool grew;         /* messages were added since */
    bool made;         /* by us, without messages */
    uint32_t listing;  /* number of the listing that named it last */
    size_t index;      /* its place there */
};

struct imap_names {
    struct imap_name **sorted; /* by name */
    size_t n;
    size_t cap;
    char delimiter; /* of new folders; 0: there are no levels */
    char *prefix;   /* of the personal namespace, as on the wire; or NULL */
};

/* Free everything and leave an empty table. A zeroed struct is one. */
void imap_names_deinit(struct imap_names *names);

/* Set what NAMESPACE said. */
void imap_names_space(struct imap_names *names, char delimiter,
                      struct bytes prefix);

/**
 * Make our name of a server's.
 *
 * @wire       as in LIST
 * @delimiter  as in LIST: 0 where the name has no levels
 * @out        the name is appended; after a failure an unspecified part of it
 *
 * Returns NULL, or why the name cannot be used: it is not valid modified
 * UTF-7, or it has a level that no directory could be named after.
 */
const char *imap_names_decode(const struct imap_names *names, struct bytes wire,
                              char delimiter, struct buf *out);

/* The folder called @name, or NULL; borrowed until the table changes. */
struct imap_name *imap_names_find(const struct imap_names *names,
                                  const char *name);

/* The same, added with @wire where it is new. */
struct imap_name *imap_names_put(struct imap_names *names, const char *name,
                                 struct bytes wire);

/* Forget @name, if it is there. */
void imap_names_remove(struct imap_names *names, const char *name);

/* The name for a folder that was called @before when it was put aside: that, or
 * where @listing named one that has it by now, the first one behind it that is
 * free, with FOLDER_KEPT. Fresh memory. */
char *imap_names_to_keep(const struct imap_names *names, const char *before,
                         uint32_t listing);

/* Is the folder called @name the one called @folder, or below it? */
bool imap_names_within(const char *name, const char *folder);

/**
 * A folder has another name now, and all below it went along.
 *
 * @old_wire  the server's name for @from
 * @to        not within @from
 * @wire      the server's name for @to
 */
void imap_names_rename(struct imap_names *names, const char *from,
                       struct bytes old_wire, const char *to,
                       struct bytes wire);

/**
 * Append the server's name of a folder: as listed, or made.
 *
 * Returns 0, or ERR_REFUSED where no such folder can exist there: a level that
 *   holds the delimiter, levels where there are none, bad UTF-8, or whatever
 *   imap_names_decode() would not make the same name of. @out then holds an
 *   unspecified part.
 */
int imap_names_wire(const struct imap_names *names, const char *name,
                    struct buf *out, struct err *err);

#endif
