/*
 * What a run told, as lines for people and as JSON. Pure: values in, text out.
 * Names from mailboxes are made harmless for terminals in lines, and mended to
 * valid UTF-8 in JSON.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/flags.h"
#include "sync/report.h"

/* What the events of a run are about. */
struct report_scene {
    const char *pair;
    const char *account[SIDES];
    const struct keywords *keywords; /* that the events' flags refer to */
    bool plan;                       /* things would be done, and were not */
    bool check; /* with plan: what would be done is what differs */
};

/* How a run ended. */
struct report_summary {
    int exit;
    double seconds;
    struct run_counts counts[SIDES];
    uint32_t failed;
    uint32_t held;
    uint32_t todo; /* of a plan */
    struct wire wire[SIDES];
    const char *error; /* what ended it early, or NULL */
};

/* Append what an event of check means: "message 12 of mail is missing". */
void report_difference(const struct report_scene *scene,
                       const struct report_event *event, struct buf *out);

/* Append "+\Seen -\Flagged", a blank before each. */
void report_flags(const struct report_scene *scene, struct flags flags,
                  char sign, struct buf *out);

/* Append "message 12", or "message 12 (1768.M5P7.host)" where it is a file that
 * @reason does not name; both may be NULL. */
void report_message(uint32_t uid, const char *file, const char *reason,
                    struct buf *out);

/* Append "work: INBOX: message 12 copied to disk (3.4 KB)", without line
 * end. */
void report_line(const struct report_scene *scene,
                 const struct report_event *event, struct buf *out);

/* Append "work: 120 copied to disk, 3 flagged, 1 deleted in 1.9 s (1.0 MB)",
 * without line end. */
void report_summary_line(const struct report_scene *scene,
                         const struct report_summary *summary, struct buf *out);

/* Did it end before anything was done? Its error says all then. */
bool report_is_void(const struct report_summary *summary);

/* Count what a plan's event would do, as the run itself counts what it did. */
void report_count(const struct report_event *event,
                  struct run_counts counts[SIDES]);

/* {"event":"copied",...}; the caller's to json_decref(). */
json_t *report_json(const struct report_scene *scene,
                    const struct report_event *event, time_t now);

/* {"event":"summary",...}; the caller's to json_decref(). */
json_t *report_summary_json(const struct report_scene *scene,
                            const struct report_summary *summary, time_t now);

/* An object with event, time and pair; the caller's to json_decref(). */
json_t *report_object(const char *event, const char *pair, time_t now);

/* Append @json on one line, without line end. */
void report_print(const json_t *json, struct buf *out);

/* A string whatever @text holds; the caller's to json_decref(). */
json_t *report_text(const char *text);

#endif
