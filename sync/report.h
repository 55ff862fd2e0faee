/*
 * What a run tells as it happens. The run only fills in values; cmd turns them
 * into lines for people or into JSON.
 */
#ifndef SYNC_REPORT_H
#define SYNC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"

enum report_kind {
    REPORT_COPY,          /* a message was added to side */
    REPORT_FLAG,          /* count messages of side got change */
    REPORT_MOVE,          /* a message of side went from from to folder */
    REPORT_DELETE,        /* count messages of side were removed */
    REPORT_REMOVAL,       /* a message of side is about to leave folder: it is
                             on record with twin, which is gone from there on
                             the other side, as a complete listing of this run
                             says, and no guard holds it */
    REPORT_PAIR,          /* count messages were there on both: recorded */
    REPORT_FOLDER_CREATE, /* on side */
    REPORT_FOLDER_RENAME, /* on side: from from to folder */
    REPORT_FOLDER_DELETE, /* on side */
    REPORT_SUBSCRIBE,     /* to a folder on side */
    REPORT_UNSUBSCRIBE,   /* from a folder on side */
    REPORT_DIFFERS,       /* check: a pair is not the same on both; reason */
    REPORT_FAILED,        /* one message or folder; reason */
    REPORT_HELD,          /* count deletions on side, or a whole side; reason */
    REPORT_NOTICE         /* worth a line, no failure; reason */
};

/* One thing that happened, or, in a plan, that would. Texts are borrowed for
 * the call. */
struct report_event {
    enum report_kind kind;
    enum side side;     /* where it is done */
    const char *folder; /* or NULL */
    const char *from;   /* REPORT_MOVE: the folder it was in; REPORT_COPY: the
                           folder on side that it was copied from, or NULL */
    const char *to;     /* REPORT_REMOVAL: the folder it goes to, or NULL */
    uint32_t uid;       /* of the message, on source; 0: of none or several */
    const char *file;   /* REPORT_FAILED: base name of that message's file where
                           source is a Maildir, or NULL */
    uint32_t twin;      /* REPORT_REMOVAL: UID of its pair, on the other side */
    enum side source;   /* REPORT_COPY, REPORT_FAILED: where uid is from */
    uint32_t count;     /* messages */
    uint64_t bytes;
    struct flags_change change; /* REPORT_FLAG */
    const char *reason; /* in the server's words, cleaned by the reader */
};

/* What was done to one side. */
struct run_counts {
    uint32_t copied;
    uint64_t copied_bytes;
    uint32_t flagged;
    uint32_t moved;
    uint32_t deleted;
    uint32_t folders_created;
    uint32_t folders_renamed;
    uint32_t folders_deleted;
};

/* Where a run is, for the progress line. */
struct run_progress {
    const char *waits_for;  /* the account whose server has no time, or NULL */
    const char *phase;      /* "connecting", "listing", "comparing", "copying",
                          "flags", "deleting", "settling" */
    uint32_t folders_total; /* that have to be opened */
    uint32_t folders_done;
    uint32_t messages_total; /* to be copied */
    uint32_t messages_done;
    uint64_t bytes_total;
    uint64_t bytes_done;
};

#endif
