#include "cmd/report.h"

#include <string.h>

#include "base/log.h"
#include "cmd/human.h"

static void add_clean(struct buf *out, const char *text)
{
    log_clean(out, bytes_of(text));
}

void report_flags(const struct report_scene *scene, struct flags flags,
                  char sign, struct buf *out)
{
    struct buf names;
    struct bytes rest;

    buf_init(&names, 0);
    flags_print(scene->keywords, flags, &names);
    rest = buf_peek(&names);
    while (rest.len > 0) {
        const char *blank = memchr(rest.ptr, ' ', rest.len);
        size_t len = blank != NULL ? (size_t)(blank - rest.ptr) : rest.len;

        buf_printf(out, " %c", sign);
        log_clean(out, (struct bytes){rest.ptr, len});
        rest = bytes_skip(rest, len + 1);
    }
    buf_deinit(&names);
}

void report_message(uint32_t uid, const char *file, const char *reason,
                    struct buf *out)
{
    buf_printf(out, "message %u", uid);
    if (file != NULL && (reason == NULL || strstr(reason, file) == NULL)) {
        buf_printf(out, " (");
        add_clean(out, file);
        buf_printf(out, ")");
    }
}

static void add_messages(const struct report_event *event, struct buf *out)
{
    if (event->uid != 0 && event->count <= 1) {
        buf_printf(out, "message %u", event->uid);
    } else {
        human_count(out, event->count, "message");
    }
}

/* Either "message 12 copied to disk" or "copy message 12 to disk". */
static void add_deed(const struct report_scene *scene,
                     const struct report_event *event, const char *infinitive,
                     const char *participle, const char *preposition,
                     struct buf *out)
{
    if (scene->plan) {
        buf_printf(out, "%s ", infinitive);
        add_messages(event, out);
    } else {
        add_messages(event, out);
        buf_printf(out, " %s", participle);
    }
    buf_printf(out, " %s ", preposition);
    add_clean(out, scene->account[event->side]);
}

static void add_folder_deed(const struct report_scene *scene,
                            const struct report_event *event,
                            const char *infinitive, const char *participle,
                            struct buf *out)
{
    if (scene->plan) {
        buf_printf(out, "%s the folder on ", infinitive);
    } else {
        buf_printf(out, "folder %s on ", participle);
    }
    add_clean(out, scene->account[event->side]);
}

/* Why a message may go, in front of the deed. */
static void add_removal(const struct report_scene *scene,
                        const struct report_event *event, struct buf *out)
{
    buf_printf(out, "message %u on ", event->uid);
    add_clean(out, scene->account[event->side]);
    if (event->to != NULL) {
        buf_printf(out, " is to be moved to ");
        add_clean(out, event->to);
    } else {
        buf_printf(out, " is to be deleted");
    }
    buf_printf(out, ": its twin on ");
    add_clean(out, scene->account[other(event->side)]);
    buf_printf(out, ", message %u, is gone from here", event->twin);
}

/* A failure or something held: whose it is, then why. */
static void add_trouble(const struct report_scene *scene,
                        const struct report_event *event, struct buf *out)
{
    if (event->kind == REPORT_FAILED && event->uid != 0) {
        add_clean(out, scene->account[event->source]);
        buf_printf(out, ": ");
        report_message(event->uid, event->file, event->reason, out);
        buf_printf(out, ": ");
    }
    add_clean(out, event->reason != NULL ? event->reason : "no reason known");
}

static void add_event(const struct report_scene *scene,
                      const struct report_event *event, struct buf *out)
{
    switch (event->kind) {
    case REPORT_COPY:
        add_deed(scene, event, "copy", "copied", "to", out);
        if (event->bytes > 0) {
            buf_printf(out, " (");
            human_bytes(out, event->bytes);
            buf_printf(out, ")");
        }
        if (event->from != NULL) {
            buf_printf(out, ", from ");
            add_clean(out, event->from);
            buf_printf(out, " there");
        }
        break;
    case REPORT_FLAG:
        add_deed(scene, event, "flag", "flagged", "on", out);
        buf_printf(out, ":");
        report_flags(scene, event->change.add, '+', out);
        report_flags(scene, event->change.remove, '-', out);
        break;
    case REPORT_MOVE:
        add_deed(scene, event, "move", "moved", "on", out);
        buf_printf(out, ", from ");
        add_clean(out, event->from);
        break;
    case REPORT_DELETE:
        add_deed(scene, event, "delete", "deleted", "on", out);
        break;
    case REPORT_REMOVAL:
        add_removal(scene, event, out);
        break;
    case REPORT_PAIR:
        if (scene->plan) {
            buf_printf(out, "record ");
        }
        human_count(out, event->count, "message");
        buf_printf(out, " found on both sides");
        break;
    case REPORT_FOLDER_CREATE:
        add_folder_deed(scene, event, "create", "created", out);
        break;
    case REPORT_FOLDER_RENAME:
        add_folder_deed(scene, event, "rename", "renamed", out);
        buf_printf(out, ", from ");
        add_clean(out, event->from);
        break;
    case REPORT_FOLDER_DELETE:
        add_folder_deed(scene, event, "delete", "deleted", out);
        break;
    case REPORT_SUBSCRIBE:
        add_folder_deed(scene, event, "subscribe to", "subscribed to", out);
        break;
    case REPORT_UNSUBSCRIBE:
        add_folder_deed(scene, event, "unsubscribe from", "unsubscribed from",
                        out);
        break;
    case REPORT_DIFFERS:
    case REPORT_FAILED:
    case REPORT_HELD:
    case REPORT_NOTICE:
        add_trouble(scene, event, out);
        break;
    }
}

void report_line(const struct report_scene *scene,
                 const struct report_event *event, struct buf *out)
{
    add_clean(out, scene->pair);
    buf_printf(out, ": ");
    if (event->folder != NULL) {
        add_clean(out, event->folder);
        buf_printf(out, ": ");
    }
    if (event->kind == REPORT_HELD) {
        buf_printf(out, "held back: ");
    }
    if (scene->check) {
        report_difference(scene, event, out);
    } else {
        add_event(scene, event, out);
    }
}

/* One item of the summary: "120 copied to disk" where it is the first of its
 * side, else "120 copied". */
struct deed {
    uint32_t n;
    const char *done;
    const char *to_do;
    const char *preposition;
};

#define DEEDS 7

static void list_deeds(const struct run_counts *counts,
                       struct deed deeds[DEEDS])
{
    uint32_t created = counts->folders_created;
    uint32_t renamed = counts->folders_renamed;
    uint32_t deleted = counts->folders_deleted;
    const struct deed all[DEEDS] = {
        {counts->copied,  "copied",                                            "to copy",   "to"},
        {counts->flagged, "flagged",                                           "to flag",   "on"},
        {counts->moved,   "moved",                                             "to move",   "on"},
        {counts->deleted, "deleted",                                           "to delete", "on"},
        {created,         created == 1 ? "folder created" : "folders created",
         created == 1 ? "folder to create" : "folders to create",                           "on"},
        {renamed,         renamed == 1 ? "folder renamed" : "folders renamed",
         renamed == 1 ? "folder to rename" : "folders to rename",                           "on"},
        {deleted,         deleted == 1 ? "folder deleted" : "folders deleted",
         deleted == 1 ? "folder to delete" : "folders to delete",                           "on"},
    };

    memcpy(deeds, all, sizeof(all));
}

/* Returns whether anything was added. */
static bool add_side(const struct report_scene *scene, enum side side,
                     const struct run_counts *counts, bool is_first,
                     struct buf *out)
{
    struct deed deeds[DEEDS];
    bool named = false;

    list_deeds(counts, deeds);
    for (size_t i = 0; i < DEEDS; i++) {
        if (deeds[i].n == 0) {
            continue;
        }
        buf_printf(out, "%s%u %s",
                   named      ? ", "
                   : is_first ? " "
                              : "; ",
                   deeds[i].n, scene->plan ? deeds[i].to_do : deeds[i].done);
        if (!named) {
            buf_printf(out, " %s ", deeds[i].preposition);
            add_clean(out, scene->account[side]);
            named = true;
        }
    }
    return named;
}

static void add_time_and_size(const struct report_scene *scene,
                              const struct report_summary *summary,
                              struct buf *out)
{
    uint64_t bytes = summary->counts[LEFT].copied_bytes +
                     summary->counts[RIGHT].copied_bytes;

    if (!scene->plan) {
        buf_printf(out, " in ");
        human_seconds(out, summary->seconds);
    }
    if (bytes > 0) {
        buf_printf(out, " (");
        human_bytes(out, bytes);
        buf_printf(out, ")");
    }
}

/* The last line of check. */
static void add_verdict(const struct report_summary *summary, struct buf *out)
{
    if (summary->todo == 0 && summary->failed == 0 && summary->error == NULL) {
        buf_printf(out, " both sides are equal");
        return;
    }
    buf_printf(out, " ");
    human_count(out, summary->todo, "difference");
    if (summary->failed > 0) {
        buf_printf(out, ", %u could not be checked", summary->failed);
    }
    if (summary->error != NULL) {
        buf_printf(out, ", ended early");
    }
}

void report_summary_line(const struct report_scene *scene,
                         const struct report_summary *summary, struct buf *out)
{
    bool any;

    add_clean(out, scene->pair);
    buf_printf(out, ":");
    if (scene->check) {
        add_verdict(summary, out);
        return;
    }
    any = add_side(scene, LEFT, &summary->counts[LEFT], true, out);
    any |= add_side(scene, RIGHT, &summary->counts[RIGHT], !any, out);
    if (!any && summary->failed == 0 && summary->held == 0 &&
        summary->error == NULL && summary->todo == 0) {
        buf_printf(out, " in step, nothing to do");
        return;
    }
    if (!any && summary->todo > 0) {
        buf_printf(out, " ");
        human_count(out, summary->todo, "thing");
        buf_printf(out, " to do");
    } else if (!any) {
        buf_printf(out, " nothing %s", scene->plan ? "to do" : "done");
    }
    if (summary->failed > 0) {
        buf_printf(out, ", %u failed", summary->failed);
    }
    if (summary->held > 0) {
        buf_printf(out, ", %u held back", summary->held);
    }
    if (summary->error != NULL) {
        buf_printf(out, ", ended early");
    }
    add_time_and_size(scene, summary, out);
}

static bool did_nothing(const struct run_counts *counts)
{
    struct deed deeds[DEEDS];
    uint32_t n = 0;

    list_deeds(counts, deeds);
    for (size_t i = 0; i < DEEDS; i++) {
        n |= deeds[i].n;
    }
    return n == 0;
}

bool report_is_void(const struct report_summary *summary)
{
    return summary->error != NULL && did_nothing(&summary->counts[LEFT]) &&
           did_nothing(&summary->counts[RIGHT]);
}

void report_count(const struct report_event *event,
                  struct run_counts counts[SIDES])
{
    struct run_counts *side = &counts[event->side];

    switch (event->kind) {
    case REPORT_COPY:
        side->copied++;
        side->copied_bytes += event->bytes;
        break;
    case REPORT_FLAG:
        side->flagged += event->count;
        break;
    case REPORT_MOVE:
        side->moved += event->count;
        break;
    case REPORT_DELETE:
        side->deleted += event->count;
        break;
    case REPORT_FOLDER_CREATE:
        side->folders_created++;
        break;
    case REPORT_FOLDER_RENAME:
        side->folders_renamed++;
        break;
    case REPORT_FOLDER_DELETE:
        side->folders_deleted++;
        break;
    case REPORT_SUBSCRIBE:
    case REPORT_UNSUBSCRIBE:
    case REPORT_PAIR:
    case REPORT_REMOVAL:
    case REPORT_DIFFERS:
    case REPORT_FAILED:
    case REPORT_HELD:
    case REPORT_NOTICE:
        break;
    }
}
