/*
 * Reads one complete response into the event that tells of it.
 *
 * Nothing here knows what was asked, nor what is under way: that is the
 * session's. FETCH responses are read item by item (reply_fetch_next()), since
 * their bodies are streamed.
 */
#ifndef IMAP_REPLY_H
#define IMAP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/flags.h"
#include "base/uidset.h"
#include "imap/session.h"
#include "imap/token.h"

/* A FETCH response as far as it was read. */
struct reply_fetch {
    struct session_fetch data;
    size_t at;  /* of the piece's text: where to go on */
    bool begun; /* the parenthesis was seen */
    /* Of the BODY[...] item met last: */
    bool body_is_header;
    uint64_t body_size;
    struct buf body; /* its content, where it came as a quoted string */
};

struct reply {
    struct keywords *keywords;
    struct reply_fetch fetch;
    /* Of the response read last, beside the event: */
    bool preauth;            /* a CODE: PREAUTH */
    bool has_capability;     /* in capability */
    struct bytes capability; /* a list of capabilities */
    struct bytes search_tag; /* ESEARCH: the command it answers, or empty */
    /* Memory that is kept from one response to the next: */
    struct buf scratch;
    struct buf words;
    struct uidset set;
    struct uidset set2;
    uint32_t *numbers;
    size_t numbers_cap;
};

void reply_init(struct reply *reply, struct keywords *keywords);
void reply_deinit(struct reply *reply);

/* The number of a tag of ours, "a12"; 0 for any other text. */
uint32_t reply_tag(struct bytes text);

/* What reply_parse() found. */
enum reply_result {
    REPLY_EVENT,  /* @event is set */
    REPLY_FETCH,  /* a FETCH response begins: go on with reply_fetch_next() */
    REPLY_SILENT, /* understood, nothing to tell */
    REPLY_JUNK    /* not understood */
};

/**
 * Read @text, a response without its line end.
 *
 * @event  out; what it points to lives until the next call. A tagged response
 *         has its tag's number, or 0 where that is none that we would send.
 *
 * Returns enum reply_result; or ERR_LIMIT; or ERR_PROTOCOL for VANISHED,
 *   SEARCH and ESEARCH that are not understood: a listing with a hole would
 *   pass for deletions.
 */
int reply_parse(struct reply *reply, struct bytes text,
                struct session_event *event, struct err *err);

/* What reply_fetch_next() found. */
enum reply_fetch_result {
    REPLY_FETCH_DONE,   /* the response is over: reply->fetch.data */
    REPLY_FETCH_STRING, /* a body of a quoted string: reply->fetch.body */
    REPLY_FETCH_STREAM, /* a body follows @text, of fetch.body_size octets */
    REPLY_FETCH_JUNK    /* not understood */
};

/**
 * Read on in a FETCH response, to its end or to the next body.
 *
 * @text  the piece of the response that is at hand, from its beginning; it
 *        may lie elsewhere at each call
 *
 * Returns enum reply_fetch_result, or ERR_LIMIT.
 */
int reply_fetch_next(struct reply *reply, struct bytes text, struct err *err);

/* The rest of the reader's parts, one file each. They take what stands behind
 * the response's name and return false where it is not understood. */

/* "OK", "NO" or "BAD" is taken; the rest into event->reply, code included. */
void reply_code_parse(struct reply *reply, struct token *token,
                      struct session_event *event);

/* LIST (and LSUB, where @attributes is LIST_SUBSCRIBED from the start). */
bool reply_list_parse(struct token *token, uint32_t attributes,
                      struct session_event *event);
/* The LIST_ bit of an attribute; 0 for unknown ones. */
uint32_t reply_list_attribute(struct bytes name);
bool reply_list_namespace(struct token *token, struct session_event *event);

bool reply_status_parse(struct token *token, struct session_event *event);

/* SEARCH, ESEARCH, VANISHED into reply->set. */
bool reply_set_search(struct reply *reply, struct token *token,
                      struct session_event *event);
bool reply_set_esearch(struct reply *reply, struct token *token,
                       struct session_event *event);
bool reply_set_vanished(struct reply *reply, struct token *token,
                        struct session_event *event);

/* A UID set into @set, which is emptied first. */
bool reply_set_take(struct token *token, struct uidset *set);

/* "(\Seen $Junk)", or NIL, into @flags; \* into @any (which may be NULL).
 * \Recent and unknown system flags are dropped. */
bool reply_flags_take(struct reply *reply, struct token *token,
                      struct flags *flags, bool *any);

#endif
