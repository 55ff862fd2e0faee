/*
 * One side of a pair, as sync sees it: an IMAP account or a Maildir. Sync
 * decides, an endpoint does; it never decides what is to be deleted.
 *
 * Every operation is a request: the caller fills the upper part of the struct,
 * submits it, and leaves it alone until done() is called, exactly once, never
 * from inside the submitting call. What a request points to stays the
 * caller's and must live as long. Everything happens on one thread.
 *
 * Folder names here are UTF-8 with "/" between levels and "INBOX" in capitals.
 * A UID is 32 bits, 1 or more, and never used twice under one UIDVALIDITY; a
 * Maildir endpoint gives its files such numbers, kept in the state.
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/flags.h"
#include "base/identity.h"
#include "base/uidset.h"

enum side { LEFT, RIGHT, SIDES };

static inline enum side other(enum side side)
{
    return side == LEFT ? RIGHT : LEFT;
}

struct endpoint;

/* The head of every request. result and err are set before done(): 0, or an
 * enum err_code that says how far the failure reaches: ERR_CONNECT and
 * ERR_AUTH end the account's part of the run, ERR_GONE, ERR_REFUSED,
 * ERR_BUSY and ERR_FULL this folder's, others as their name says. */
struct request {
    void (*done)(struct request *request);
    void *owner; /* the caller's, not touched */
    bool fresh;  /* a wish: over a connection that was used for nothing yet */
    int result;
    struct err err;
};

/* Which folder a request is about. */
struct folder_ref {
    const char *name;
    uint32_t id; /* the state's number for it */
    uint32_t
        uidvalidity; /* expected: another one fails with ERR_GONE; 0: any */
};

/*
 * What a folder looked like, cheap to ask for. Two equal tokens mean that
 * nothing changed in between, if the endpoint's tokens_prove says so; else
 * only that no message came or went.
 */
struct folder_token {
    /* What stays with the folder whatever its name: of MAILBOXID (RFC 8474) or
     * of the directory. 0: not known. */
    uint64_t object;
    uint32_t uidvalidity; /* 0: not known */
    uint32_t uidnext;     /* 0: not known */
    uint32_t messages;
    uint64_t highestmodseq; /* 0: none (RFC 7162) */
    int64_t cur_mtime_ns;   /* Maildir only: 0 elsewhere, and where the scan */
    int64_t new_mtime_ns;   /* was not settled, so that it equals nothing */
};

/* Equal in all fields, with a known UIDVALIDITY? An object that is not known
 * equals any. A token that has only one of the two times equals nothing, not
 * even itself. */
bool folder_token_equal(const struct folder_token *a,
                        const struct folder_token *b);

/* RFC 6154. */
enum special_use {
    USE_NONE,
    USE_ALL,
    USE_ARCHIVE,
    USE_DRAFTS,
    USE_FLAGGED,
    USE_JUNK,
    USE_SENT,
    USE_TRASH
};

/* Behind the name of a folder that lives on though another one has its name. */
#define FOLDER_KEPT "-kept-by-mailtwin"

/* The @n-th of such names, from 1, for one that was called @name: fresh memory. */
char *folder_kept_name(const char *name, unsigned n);

struct folder_entry {
    char *name;
    struct folder_token token;
    bool has_token;  /* false: must be opened to know anything of it */
    bool selectable; /* false: holds folders only (\Noselect, no cur/new/tmp) */
    bool subscribed;
    bool has_counts; /* messages and octets are known (want_counts) */
    uint32_t messages;
    uint64_t octets; /* with CRLF line ends, as far as the side knows */
    enum special_use use;
    char *problem; /* why it cannot be synchronised, for people, or NULL */
    char *skipped; /* why it is left alone on both sides, the same */
};

struct list_request {
    struct request base;
    bool want_counts; /* fill has_counts, though it may cost */
    /* out: the caller's to free with folder_list_free() */
    struct folder_entry *folders;
    size_t n_folders;
    bool doubtful; /* some of the answer was not understood: a folder that is
                      not in the list may be there all the same */
};

/* Free all entries and the array. */
void folder_list_free(struct folder_entry *folders, size_t n_folders);

/* One message of a listing. */
struct listed {
    uint32_t uid;
    struct flags flags;
    bool
        has_meta; /* size and date are known; always so from since.uidnext on */
    uint64_t size; /* octets with CRLF line ends, as far as the side knows */
    int64_t date;  /* INTERNALDATE, seconds since 1970 */
};

enum listing {
    LISTING_CHANGES, /* what changed since; what is not named is as it was */
    LISTING_FULL     /* every message; what is not named is gone */
};

/* What is in a folder, or what changed there since a token. */
struct delta_request {
    struct request base;
    struct folder_ref folder;
    bool has_since;
    struct folder_token since; /* of an earlier delta of this side */
    uint32_t known;            /* messages of this side that the state knows */
    bool want_full; /* a LISTING_FULL, all with size and date, whatever it
                       costs */
    /* Called for each message, in any order; the same UID may come twice: the
     * later one wins. @listed is borrowed for the call. */
    void (*item)(struct delta_request *request, const struct listed *listed);
    /* The listing begins anew: what item() told so far is void. NULL where
     * that makes no difference. */
    void (*anew)(struct delta_request *request);
    /* out */
    enum listing kind;
    bool complete; /* false: nothing may be taken as gone because of it */
    bool windowed; /* for there may be more than the server shows */
    struct uidset vanished;    /* LISTING_CHANGES: candidates for gone; the
                               caller's to uidset_deinit() */
    struct folder_token token; /* for since, once all of this was consumed */
    bool uids_void; /* another UIDVALIDITY, or a server set back to a backup:
                       a UID of since may be another message by now. This is a
                       LISTING_FULL */
    bool read_only;
    struct flags_storable storable;
};

enum identify_level {
    IDENTIFY_META,     /* size and date only */
    IDENTIFY_ENVELOPE, /* and the digest of IDENTITY_ENVELOPE */
    IDENTIFY_HEADER,   /* and the digest of IDENTITY_FIELDS */
    IDENTIFY_BODY      /* and the digest of the whole message instead */
};

/* Tell messages apart. */
struct identify_request {
    struct request base;
    struct folder_ref folder;
    const struct uidset *uids;
    enum identify_level level;
    /* Called for each message that is there; @identity is borrowed. */
    void (*item)(struct identify_request *request, uint32_t uid,
                 const struct identity *identity);
};

/* A batch that is nothing to hold in memory: where each of many folders has a
 * little, one round trip may take them all. */
#define ENDPOINT_SMALL_OCTETS (64u << 10)

/*
 * Read whole messages. For each that is there begin(), data() any number of
 * times, end(); a message that is gone is not mentioned. The caller stops the
 * flow with endpoint_read_pause().
 *
 * done() comes with ERR_RETRY where the connection was lost inside a message,
 * or before there was any: what was not delivered is to be asked for again.
 */
struct read_request {
    struct request base;
    struct folder_ref folder;
    const struct uidset *uids;
    uint64_t octets; /* of all of them together, about; 0: not known */
    /* @size  octets that data() will bring in all, CRLF form */
    void (*begin)(struct read_request *request, uint32_t uid, uint64_t size);
    void (*data)(struct read_request *request, struct bytes data);
    /* @result  0, or negative where the message could not be read to its end;
     *          the others go on, but for ERR_RETRY and what ends the account */
    void (*end)(struct read_request *request, int result,
                const struct err *err);
};

struct message_meta {
    uint64_t size; /* octets with CRLF line ends, exactly those to come */
    int64_t date;  /* INTERNALDATE, seconds since 1970 */
    struct flags flags;
};

/*
 * Add messages to one folder. After endpoint_add_open() the caller sends any
 * number of messages: endpoint_add_message(), then exactly meta.size octets by
 * endpoint_add_data(). endpoint_add_close() says that there are no more;
 * endpoint_add_abort() that the message begun cannot be finished.
 *
 * added() is called once for each message, in order, as soon as it is durable
 * there; done() after all. Where done() comes with ERR_CONNECT or
 * ERR_CANCELLED, those whose added() has not come may or may not be there; with
 * another error, such as ERR_RETRY for a lost connection, they are not.
 */
struct add_request {
    struct request base;
    struct folder_ref folder;
    uint64_t octets; /* of all messages together, about; 0: not known */
    /* More data is welcome again, after endpoint_add_data() returned false. */
    void (*room)(struct add_request *request);
    /**
     * @index   0 for the first message of this request
     * @result  0; or negative, and the message is not there: ERR_REFUSED for
     *          good, ERR_BUSY for now, ERR_FULL for want of room (its quota),
     *          ERR_RETRY through no fault of its own: send it again, the
     *          endpoint waits as long as it takes and says ERR_BUSY when that
     *          is enough; ERR_RETRY_SINGLY where one of several was refused
     *          and nobody knows which; ERR_RETRY_BARE where it may be for its
     *          keywords. Or ERR_UNSURE: the answer was lost, it may be there,
     *          or appear before the next request is begun
     * @uid     of the new message, or 0 where the server does not say
     */
    void (*added)(struct add_request *request, size_t index, int result,
                  uint32_t uid, const struct err *err);
    /* out, while added() is called with a UID: the UIDVALIDITY that it is of;
     * or 0 where only a listing tells */
    uint32_t uidvalidity;
};

/* Change flags of messages in one folder by set. Those that are gone are
 * silently left out, and so are keywords that the folder refuses. */
struct flag_request {
    struct request base;
    struct folder_ref folder;
    const struct uidset *uids;
    struct flags_change change;
};

/* Remove messages for good: these and no others. */
struct remove_request {
    struct request base;
    struct folder_ref folder;
    const struct uidset *uids;
    bool kept; /* out: without UIDPLUS they could only be flagged \Deleted */
};

/*
 * Put messages into another folder of the same side, without their octets
 * leaving it: UID MOVE or UID COPY, rename or link. Flags, keywords and
 * INTERNALDATE stay as they are. Messages that are gone are left out.
 *
 * A move never has a message in neither folder: where it cannot be done at
 * once, the copy is there, durably, before the original goes.
 *
 * Neither is idempotent: what was sent is never sent again by the endpoint.
 * Where done() comes with an error, messages may have been placed without
 * placed() having come. With ERR_UNSURE the answer was lost and the account
 * goes on: nothing more happens to them before the next request is begun.
 */
struct place_request {
    struct request base;
    struct folder_ref from;
    struct folder_ref to; /* which is there; another one, unless to copy */
    const struct uidset *uids;
    bool move; /* false: the originals stay */
    /**
     * Called for each message that was placed, before done().
     *
     * @uid     in from
     * @to_uid  in to; 0 where the server does not say
     */
    void (*placed)(struct place_request *request, uint32_t uid,
                   uint32_t to_uid);
    uint32_t uidvalidity; /* out: of to_uid, as in struct add_request */
    /* out: the originals could not be expunged without UIDPLUS, they only
     * carry \Deleted */
    bool kept;
};

enum folder_action {
    FOLDER_CREATE, /* with its parents; it may be there already */
    FOLDER_DELETE, /* an empty one; it may be gone already */
    FOLDER_RENAME, /* to new_name, which is not there; its children go along */
    FOLDER_SUBSCRIBE,
    FOLDER_UNSUBSCRIBE
};

struct folder_request {
    struct request base;
    enum folder_action action;
    const char *name;
    const char *new_name; /* FOLDER_RENAME only */
    enum special_use use; /* FOLDER_CREATE: a wish */
    /* out, FOLDER_CREATE with ERR_REFUSED: the folder that answers to this name
     * there, as case or Unicode form make no difference; the caller's to free.
     * Else NULL. */
    char *taken_by;
};

/* Connect, log in; find the root. */
struct open_request {
    struct request base;
    bool dry; /* change nothing: not even a missing Maildir root is made */
    bool untouched; /* no folder nor message of this side may be changed */
    /* An earlier run may have sent what has not arrived yet: begin nothing
     * before it had the time to. */
    bool on_its_way;
};

/* Log out, let go of everything; what is under way ends with ERR_CANCELLED. */
struct close_request {
    struct request base;
};

struct wire {
    uint64_t sent;        /* bytes before TLS and compression */
    uint64_t received;    /* the same */
    uint64_t round_trips; /* times that nothing could go on without an answer */
    uint32_t connections; /* made so far */
};

struct endpoint_class {
    void (*open)(struct endpoint *endpoint, struct open_request *request);
    void (*list)(struct endpoint *endpoint, struct list_request *request);
    void (*delta)(struct endpoint *endpoint, struct delta_request *request);
    void (*identify)(struct endpoint *endpoint,
                     struct identify_request *request);
    void (*read)(struct endpoint *endpoint, struct read_request *request);
    void (*read_pause)(struct endpoint *endpoint, struct read_request *request,
                       bool pause);
    void (*add_open)(struct endpoint *endpoint, struct add_request *request);
    void (*add_message)(struct endpoint *endpoint, struct add_request *request,
                        const struct message_meta *meta);
    bool (*add_data)(struct endpoint *endpoint, struct add_request *request,
                     struct bytes data);
    void (*add_close)(struct endpoint *endpoint, struct add_request *request);
    void (*add_abort)(struct endpoint *endpoint, struct add_request *request);
    void (*flag)(struct endpoint *endpoint, struct flag_request *request);
    void (*remove)(struct endpoint *endpoint, struct remove_request *request);
    void (*place)(struct endpoint *endpoint, struct place_request *request);
    void (*folder)(struct endpoint *endpoint, struct folder_request *request);
    void (*close)(struct endpoint *endpoint, struct close_request *request);
    /* Append lines for people: capabilities, tier, limits ("key: value\n"). */
    void (*describe)(struct endpoint *endpoint, struct buf *out);
    void (*free)(struct endpoint *endpoint);
};

/* How well a side gives back what it was given. */
enum fidelity {
    FIDELITY_EXACT,   /* octet by octet, and in the sizes that it lists */
    FIDELITY_CONTENT, /* the sizes that it lists are of something else */
    FIDELITY_ENVELOPE /* each reading makes the message anew: only what
                         IDENTITY_ENVELOPE names stays */
};

/* The head of both kinds. */
struct endpoint {
    const struct endpoint_class *class;
    const char *name; /* the account's, for messages */
    bool is_local;    /* a Maildir */
    bool is_older; /* than what is on record: put back from a backup. The end of
                      all folders on record is queued; known after open */
    bool keeps_subscriptions;
    bool tokens_prove;    /* equal tokens: nothing changed; known after open */
    uint32_t lanes;       /* reads, or adds, worth having under way at once */
    uint32_t small_lanes; /* so many more, of ENDPOINT_SMALL_OCTETS at most */
    uint32_t batch_messages; /* that one add_request should hold at most */
    uint64_t batch_bytes;
    uint64_t append_max;    /* octets the server takes at most; 0: not known */
    enum fidelity fidelity; /* known after open */
    bool moves_by_copy;     /* a move is a copy, and then a removal: broken off,
                               it leaves both. Known after open */
    bool merges;            /* of equal messages it keeps one; the same */
    bool waits; /* right now, for a server that has no time for it */
    struct wire wire;
};

/* Submit a request; see the structs. */
void endpoint_open(struct endpoint *endpoint, struct open_request *request);
void endpoint_list(struct endpoint *endpoint, struct list_request *request);
void endpoint_delta(struct endpoint *endpoint, struct delta_request *request);
void endpoint_identify(struct endpoint *endpoint,
                       struct identify_request *request);
void endpoint_read(struct endpoint *endpoint, struct read_request *request);

/* Hold back (true) or let flow (false) the data of a read under way. Some data
 * may still arrive. */
void endpoint_read_pause(struct endpoint *endpoint,
                         struct read_request *request, bool pause);

void endpoint_add_open(struct endpoint *endpoint, struct add_request *request);

/* Begin the next message; the one before is complete. */
void endpoint_add_message(struct endpoint *endpoint,
                          struct add_request *request,
                          const struct message_meta *meta);

/* Some octets of the message begun; copied. Returns false where the caller
 * should wait for room(); the data was taken all the same. */
bool endpoint_add_data(struct endpoint *endpoint, struct add_request *request,
                       struct bytes data);

/* No more messages in this request. */
void endpoint_add_close(struct endpoint *endpoint, struct add_request *request);

/* The message begun cannot be completed: it must not appear. It and, where
 * the protocol leaves no other way, those before it whose added() has not come
 * yet end with ERR_CANCELLED; the request is closed. */
void endpoint_add_abort(struct endpoint *endpoint, struct add_request *request);

void endpoint_flag(struct endpoint *endpoint, struct flag_request *request);
void endpoint_remove(struct endpoint *endpoint, struct remove_request *request);
void endpoint_place(struct endpoint *endpoint, struct place_request *request);
void endpoint_folder(struct endpoint *endpoint, struct folder_request *request);
void endpoint_close(struct endpoint *endpoint, struct close_request *request);

/* Append lines for people, "key: value"; after open. */
void endpoint_describe(struct endpoint *endpoint, struct buf *out);

/* Free a closed endpoint; NULL is fine. */
void endpoint_free(struct endpoint *endpoint);

#endif
