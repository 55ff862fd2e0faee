/*
 * One IMAP session as a value: bytes in, events out, bytes out.
 *
 * The session never does I/O, never reads a clock and never calls back. Its
 * owner moves bytes:
 *
 *     session_feed(s, bytes from the wire), or put them into session_room(s)
 *     and say session_fed(s, how many)
 *     while (session_next(s, &event)) handle(&event);
 *     send session_output(s), then session_sent(s, how many)
 *
 * Greeting, STARTTLS, login, capabilities and ID are done by the session
 * itself; SESSION_READY says that they are over. After that the owner writes
 * commands, as many at once as RFC 9051 section 5.5 allows.
 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/uidset.h"
#include "imap/binding.h"
#include "imap/caps.h"
#include "imap/quirks.h"

struct session;
struct verdict;

/* Every size that a server controls. Passing one is ERR_LIMIT. */
#define SESSION_LINE_BYTES_MAX     (1u << 20)   /* of a response, most kinds */
#define SESSION_SET_BYTES_MAX      (64u << 20)  /* VANISHED, SEARCH, ESEARCH */
#define SESSION_INLINE_LITERAL_MAX (64u << 10)  /* names, codes, labels */
#define SESSION_LITERALS_MAX       64u          /* in one response */
#define SESSION_DEPTH_MAX          32u          /* parentheses */
#define SESSION_BODY_BYTES_MAX     (1ull << 40) /* one message, streamed */
#define SESSION_JUNK_LINES_MAX     100u         /* not understood, tolerated */

/* AUTO is the strongest that both sides know: with a token OAUTHBEARER, else
 * XOAUTH2; with a password SCRAM bound to TLS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN,
 * else LOGIN; with an authzid, one of those that can say it. It is chosen once: what the server refuses is not tried again in a weaker way. */
enum session_auth {
    SESSION_AUTH_AUTO,
    SESSION_AUTH_PLAIN,
    SESSION_AUTH_LOGIN,
    SESSION_AUTH_SCRAM_SHA_256_PLUS,
    SESSION_AUTH_SCRAM_SHA_1_PLUS,
    SESSION_AUTH_SCRAM_SHA_256,
    SESSION_AUTH_SCRAM_SHA_1,
    SESSION_AUTH_CRAM_MD5, /* never chosen by AUTO */
    SESSION_AUTH_XOAUTH2,
    SESSION_AUTH_OAUTHBEARER,
    SESSION_AUTH_EXTERNAL /* by the certificate that TLS has shown */
};

struct session_options {
    const char *user;     /* borrowed until SESSION_READY */
    const char *authzid;  /* the user to act for, the same; NULL: itself */
    const char *password; /* the same; never logged; NULL: none */
    const char *token;    /* an OAuth access token in its place, the same */
    const char *host;     /* told with a token, where not NULL; the same */
    uint16_t port;
    enum session_auth auth;
    bool tls;       /* TLS runs from the first byte */
    bool starttls;  /* it must be switched on before anything is believed */
    bool plaintext; /* the secret may go out without TLS (allow_plaintext) */
    struct keywords *keywords; /* borrowed for the session's life */
    const struct log *log;     /* the same; LOG_WIRE gets the protocol with
                                  secrets and message bodies taken out */
    const char *log_name;      /* the same; put in front of each line */
    const char *version;       /* the same; told to the server in ID, or NULL */
    const struct quirks *quirks; /* NULL: found out */
};

enum session_event_kind {
    SESSION_STARTTLS, /* the owner starts TLS now, and calls
                         session_tls_started() when it stands */
    SESSION_READY,    /* logged in; session_caps() is complete */
    SESSION_TAGGED,   /* a command ended */
    SESSION_CONTINUE, /* "+": the literal announced may be sent */
    SESSION_CODE,     /* untagged OK/NO/BAD */
    SESSION_LIST,
    SESSION_STATUS,
    SESSION_EXISTS,
    SESSION_EXPUNGE,
    SESSION_VANISHED,
    SESSION_FETCH, /* a FETCH response is complete */
    SESSION_BODY,  /* a BODY[...] literal begins, before its SESSION_FETCH */
    SESSION_BODY_DATA,
    SESSION_BODY_END,
    SESSION_SEARCH, /* SEARCH or ESEARCH: the UIDs found */
    SESSION_ENABLED,
    SESSION_NAMESPACE,
    SESSION_BYE
};

enum session_status { IMAP_OK, IMAP_NO, IMAP_BAD };

/* Response codes that we act on. RFC 9051 7.1, RFC 5530, 7162, 4315. */
enum session_code {
    CODE_NONE,
    CODE_UNKNOWN, /* there is one, in text */
    CODE_ALERT,
    CODE_ALREADYEXISTS,
    CODE_APPENDUID, /* number: uidvalidity; set: the UIDs */
    CODE_AUTHENTICATIONFAILED,
    CODE_AUTHORIZATIONFAILED,
    CODE_CANNOT,
    CODE_CLOSED,
    CODE_COPYUID, /* number: uidvalidity; set2: source; set: target */
    CODE_EXPIRED,
    CODE_HIGHESTMODSEQ, /* number */
    CODE_INUSE,
    CODE_LIMIT,
    CODE_MODIFIED, /* set */
    CODE_NOMODSEQ,
    CODE_NONEXISTENT,
    CODE_NOPERM,
    CODE_OVERQUOTA,
    CODE_PERMANENTFLAGS, /* storable */
    CODE_PRIVACYREQUIRED,
    CODE_READ_ONLY,
    CODE_READ_WRITE,
    CODE_SERVERBUG,
    CODE_THROTTLED,
    CODE_TOOBIG,
    CODE_TRYCREATE,
    CODE_UIDNEXT,     /* number */
    CODE_UIDVALIDITY, /* number */
    CODE_UNAVAILABLE,
    CODE_UIDNOTSTICKY
};

struct session_reply {
    uint32_t tag; /* of the command; 0: untagged */
    enum session_status status;
    enum session_code code;
    uint64_t number;
    const struct uidset *set; /* empty where the code has none */
    const struct uidset *set2;
    struct flags_storable storable;
    struct bytes text; /* all behind OK/NO/BAD, the code included */
};

/* Attributes of LIST. */
enum {
    LIST_NOSELECT = 1 << 0, /* \Noselect or \NonExistent */
    LIST_NOINFERIORS = 1 << 1,
    LIST_SUBSCRIBED = 1 << 2, /* \Subscribed, or it was an LSUB */
    LIST_HASCHILDREN = 1 << 3,
    LIST_USE_ALL = 1 << 4,
    LIST_USE_ARCHIVE = 1 << 5,
    LIST_USE_DRAFTS = 1 << 6,
    LIST_USE_FLAGGED = 1 << 7,
    LIST_USE_JUNK = 1 << 8,
    LIST_USE_SENT = 1 << 9,
    LIST_USE_TRASH = 1 << 10,
    LIST_IMPORTANT = 1 << 11 /* RFC 8457 */
};

struct session_list {
    uint32_t attributes; /* LIST_ */
    char delimiter;      /* 0: NIL */
    struct bytes name;   /* as the server spells it */
};

enum {
    STATUS_MESSAGES = 1 << 0,
    STATUS_UIDNEXT = 1 << 1,
    STATUS_UIDVALIDITY = 1 << 2,
    STATUS_HIGHESTMODSEQ = 1 << 3,
    STATUS_SIZE = 1 << 4
};

struct session_status_data {
    struct bytes name;
    uint32_t has; /* STATUS_ */
    uint32_t messages;
    uint32_t uidnext;
    uint32_t uidvalidity;
    uint64_t highestmodseq;
    uint64_t size;
    uint64_t mailbox_id; /* a hash of MAILBOXID (RFC 8474); 0: none */
};

enum {
    FETCH_UID = 1 << 0,
    FETCH_FLAGS = 1 << 1,
    FETCH_SIZE = 1 << 2,
    FETCH_DATE = 1 << 3,
    FETCH_MODSEQ = 1 << 4,
    FETCH_BODY = 1 << 5,    /* SESSION_BODY came */
    FETCH_BODY_NIL = 1 << 6 /* the server has no content for us */
};

struct session_fetch {
    uint32_t has; /* FETCH_ */
    uint32_t uid;
    struct flags flags;
    uint64_t size;
    int64_t date; /* seconds since 1970 */
    uint64_t modseq;
};

struct session_event {
    enum session_event_kind kind;

    union {
        struct session_reply reply; /* TAGGED, CODE, BYE (text), CONTINUE */
        struct session_list list;
        struct session_status_data status;
        struct session_fetch fetch; /* FETCH; BODY: uid only, 0 where it has
                                       not come yet */
        uint64_t number;            /* EXISTS, EXPUNGE; BODY: see body_size */

        struct {
            const struct uidset *set;
            bool earlier;  /* VANISHED (EARLIER) */
        } vanished;        /* VANISHED, SEARCH (set) */
        struct bytes data; /* BODY_DATA; ENABLED: the words */

        struct {
            char delimiter;
            struct bytes prefix; /* of the first personal namespace */
        } name_space;
    };

    uint64_t body_size;  /* BODY: octets to come */
    bool body_is_header; /* BODY: BODY[HEADER...] and not BODY[] */
};

/* A session before its greeting; all of @options is copied but what it points
 * to. */
struct session *session_new(const struct session_options *options);

/* Free it; secrets are wiped from its buffers. NULL is fine. */
void session_free(struct session *session);

/**
 * Take bytes that arrived from the server: any split of the stream, copied.
 * Does little: parsing is done by session_next().
 */
void session_feed(struct session *session, struct bytes in);

/* The same without a copy: where to put @size bytes at most, borrowed until the
 * next call that takes the session; then, that there are @n. */
char *session_room(struct session *session, size_t size);
void session_fed(struct session *session, size_t n);

/* Take back all that came behind the event given out last, which ends a
 * response: it is not to be read as it stands (RFC 4978 section 3). What the
 * event points to stays. Borrowed until the next call that takes the session.
 */
struct bytes session_take_rest(struct session *session);

/**
 * Take the next event, oldest first.
 *
 * @event  out; all it points to is borrowed until the next call that takes
 *         the same session
 *
 * Returns 0 with an event; 1 where there is none, feed more; or, for good,
 *   ERR_PROTOCOL  the stream cannot be understood any more (the text shows the
 *                 line), a PREAUTH greeting where TLS was asked for, plaintext
 *                 behind the STARTTLS answer
 *   ERR_LIMIT     a limit above was passed
 *   ERR_AUTH      login refused, in the server's words; no way to log in that
 *                 both sides know; or a server that does not prove to know the
 *                 password where SCRAM wants it to
 *   ERR_CONNECT   BYE before SESSION_READY, STARTTLS not offered or refused,
 *                 no way to log in without sending the password in plain text
 *   ERR_BUSY      BYE or login refused for now ([UNAVAILABLE] and friends)
 */
int session_next(struct session *session, struct session_event *event,
                 struct err *err);

/* What BYE or the refused login means, after session_next() has told of it;
 * else VERDICT_OK. */
struct verdict session_farewell(const struct session *session);

/* TLS stands; what was learnt before it is forgotten. */
void session_tls_started(struct session *session);

/* TLS stands, and this is what the login may be bound to. */
void session_bind(struct session *session, const struct binding *binding);

/* Lines so far that were not understood and left out. Where the number rose
 * while a listing came in, the listing is not complete. */
uint32_t session_junk_lines(const struct session *session);

/* Is anything fed that session_next() has not consumed? */
bool session_has_input(const struct session *session);

/* What to send; borrowed until the next call that takes the session. */
struct bytes session_output(const struct session *session);

/* @n bytes of session_output() are on their way. */
void session_sent(struct session *session, size_t n);

/* Is there no command that was sent, even in part, and not answered? */
bool session_is_quiet(const struct session *session);

const struct caps *session_caps(const struct session *session);

/* What is known of such a server; never NULL. */
const struct quirks *session_quirks(const struct session *session);

/* Begin a command: queues "TAG ". Returns its tag, 1 or more, as in
 * session_reply. */
uint32_t session_begin(struct session *session);

/* More of the command, as is: text, or the octets of a literal. Octets (@octets
 * true) are logged as their number only. */
void session_add(struct session *session, struct bytes text, bool octets);

/* printf to the command. */
void session_printf(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A mailbox name or other string, quoted. @text must not hold NUL, CR, LF or
 * bytes above 127 (encode it first: mutf7.h). */
void session_add_quoted(struct session *session, struct bytes text);

/* End the command: queues CRLF. */
void session_end(struct session *session);

/* A whole command without literals in one call. Returns its tag. */
uint32_t session_send(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
