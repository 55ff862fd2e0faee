/*
 * Errors. What a function returns:
 *
 *   0   success.
 *  <0   fatal for this call's owner: one of enum err_code, the text in struct
 *       err. Clean up and return it unchanged; only the owner of a failure
 *       domain (message, folder, connection, process) looks at the code.
 *  >0   an expected outcome, named in the function's own header comment. The
 *       caller handles it and does not pass it on.
 *
 * Texts: lower case, no full stop, the thing and the next step, outermost
 * context first: "work: right: INBOX: APPEND refused: [OVERQUOTA] full".
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_code {
    ERR_USAGE = -1,      /* command line or configuration */
    ERR_CONNECT = -2,    /* no connection, TLS refused, connection lost */
    ERR_AUTH = -3,       /* the server refused the user or the secret */
    ERR_PROTOCOL = -4,   /* a peer's bytes cannot be understood */
    ERR_LIMIT = -5,      /* a peer sent more than we are willing to hold */
    ERR_REFUSED = -6,    /* the server said NO or BAD, and may say so again */
    ERR_BUSY = -7,       /* the server said NO for now: worth trying again */
    ERR_GONE = -8,       /* the folder or message is not there any more */
    ERR_GUARD = -9,      /* a safety guard holds it back */
    ERR_LOCKED = -10,    /* another run holds the pair */
    ERR_STATE = -11,     /* the state cannot be used */
    ERR_DISK = -12,      /* the local disk refused: space, permission, I/O */
    ERR_CANCELLED = -13, /* ended on our own demand */
    ERR_RETRY_SINGLY = -14, /* one of several was refused together with the
                               others: try them one by one */
    ERR_RETRY = -15,        /* not done, through no fault of what was asked: ask
                         again, the wait that it takes is not yours */
    ERR_UNSURE = -16,    /* the connection was lost with the answer: done, not
                         done, or about to be; look before asking again */
    ERR_FULL = -17,      /* no room left there: over its quota */
    ERR_RETRY_BARE = -18 /* refused, it may be for its keywords: without them it
                            may be taken */
};

struct err {
    char text[512]; /* always terminated; cut where it is longer */
};

/* Start a failure. Returns @code, so that a failure is one line. @err may be
 * NULL. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " in front of a failure on its way up. Returns @code
 * unchanged. */
int err_wrap(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "No space left on device" and friends for @error_number, thread-safe. Start
 * a failure: the text of @format, then ": ", then the system's words; ENOSPC,
 * EDQUOT and EROFS add what to do. Returns @code. */
int err_errno(struct err *err, enum err_code code, int error_number,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
