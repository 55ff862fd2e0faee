#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cmd/human.h"
#include "cmd/report.h"

static const char *const side_names[SIDES] = {"left", "right"};

json_t *report_text(const char *text)
{
    struct bytes rest = bytes_of(text);
    struct buf mended;
    json_t *json;

    buf_init(&mended, 0);
    while (rest.len > 0) {
        uint32_t code;
        size_t n = utf8_take(rest, &code);

        /* U+FFFD, the replacement character. */
        buf_add(&mended,
                n > 0 ? (struct bytes){rest.ptr, n} : B("\xef\xbf\xbd"));
        rest = bytes_skip(rest, n > 0 ? n : 1);
    }
    json = json_string(buf_text(&mended));
    buf_deinit(&mended);
    return json;
}

static void put(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL) {
        put(object, key, report_text(text));
    }
}

static void put_number(json_t *object, const char *key, uint64_t n)
{
    put(object, key, json_integer((json_int_t)n));
}

json_t *report_object(const char *event, const char *pair, time_t now)
{
    json_t *object = json_object();
    struct buf time;

    buf_init(&time, 0);
    human_rfc3339(&time, now);
    put_text(object, "event", event);
    put_text(object, "time", buf_text(&time));
    put_text(object, "pair", pair);
    buf_deinit(&time);
    return object;
}

static const char *event_name(enum report_kind kind)
{
    switch (kind) {
    case REPORT_COPY:
        return "copied";
    case REPORT_FLAG:
        return "flagged";
    case REPORT_MOVE:
        return "moved";
    case REPORT_DELETE:
        return "deleted";
    case REPORT_REMOVAL:
        return "removing";
    case REPORT_DIFFERS:
        return "differs";
    case REPORT_PAIR:
        return "paired";
    case REPORT_FOLDER_CREATE:
        return "folder-created";
    case REPORT_FOLDER_RENAME:
        return "folder-renamed";
    case REPORT_FOLDER_DELETE:
        return "folder-deleted";
    case REPORT_SUBSCRIBE:
        return "folder-subscribed";
    case REPORT_UNSUBSCRIBE:
        return "folder-unsubscribed";
    case REPORT_FAILED:
        return "failed";
    case REPORT_HELD:
        return "held";
    case REPORT_NOTICE:
        break;
    }
    return "notice";
}

static json_t *flag_names(const struct report_scene *scene, struct flags flags)
{
    json_t *names = json_array();
    struct buf text;
    char *rest;
    char *name;

    buf_init(&text, 0);
    flags_print(scene->keywords, flags, &text);
    buf_add_char(&text, '\0');
    rest = text.ptr + text.start;
    while ((name = strtok_r(rest, " ", &rest)) != NULL) {
        json_array_append_new(names, report_text(name));
    }
    buf_deinit(&text);
    return names;
}

static bool has_side(enum report_kind kind)
{
    return kind != REPORT_PAIR && kind != REPORT_NOTICE;
}

/* Whose UID it is. */
static enum side uid_side(const struct report_event *event)
{
    return event->kind == REPORT_COPY || event->kind == REPORT_FAILED
               ? event->source
               : event->side;
}

/* In check, what a plan would do is a difference. */
static bool is_difference(const struct report_scene *scene,
                          const struct report_event *event)
{
    switch (event->kind) {
    case REPORT_FAILED:
    case REPORT_HELD:
    case REPORT_NOTICE:
    case REPORT_PAIR:
        return false;
    default:
        return scene->check;
    }
}

static void put_difference(json_t *object, const struct report_scene *scene,
                           const struct report_event *event)
{
    struct buf text;

    buf_init(&text, 0);
    report_difference(scene, event, &text);
    put_text(object, "reason", buf_text(&text));
    buf_deinit(&text);
}

json_t *report_json(const struct report_scene *scene,
                    const struct report_event *event, time_t now)
{
    bool differs = is_difference(scene, event);
    json_t *object = report_object(
        differs ? "differs" : event_name(event->kind), scene->pair, now);

    if (scene->plan && !scene->check) {
        put(object, "planned", json_true());
    }
    if (has_side(event->kind)) {
        put_text(object, "side", side_names[event->side]);
        put_text(object, "account", scene->account[event->side]);
    }
    put_text(object, "folder", event->folder);
    put_text(object, "from", event->from);
    put_text(object, "to", event->to);
    if (event->uid != 0) {
        put_number(object, "uid", event->uid);
        put_text(object, "uid_side", side_names[uid_side(event)]);
    }
    put_text(object, "file", event->file);
    if (event->twin != 0) {
        put_number(object, "twin", event->twin);
    }
    if (event->count > 0) {
        put_number(object, "count", event->count);
    }
    if (event->kind == REPORT_COPY) {
        put_number(object, "bytes", event->bytes);
    }
    if (event->kind == REPORT_FLAG) {
        put(object, "added", flag_names(scene, event->change.add));
        put(object, "removed", flag_names(scene, event->change.remove));
    }
    if (differs) {
        put_difference(object, scene, event);
    } else {
        put_text(object, "reason", event->reason);
    }
    return object;
}

static json_t *counts_json(const struct run_counts *counts)
{
    json_t *object = json_object();

    put_number(object, "copied", counts->copied);
    put_number(object, "copied_bytes", counts->copied_bytes);
    put_number(object, "flagged", counts->flagged);
    put_number(object, "moved", counts->moved);
    put_number(object, "deleted", counts->deleted);
    put_number(object, "folders_created", counts->folders_created);
    put_number(object, "folders_renamed", counts->folders_renamed);
    put_number(object, "folders_deleted", counts->folders_deleted);
    return object;
}

static json_t *wire_json(const struct wire *wire)
{
    json_t *object = json_object();

    put_number(object, "sent", wire->sent);
    put_number(object, "received", wire->received);
    put_number(object, "round_trips", wire->round_trips);
    put_number(object, "connections", wire->connections);
    return object;
}

json_t *report_summary_json(const struct report_scene *scene,
                            const struct report_summary *summary, time_t now)
{
    json_t *object = report_object("summary", scene->pair, now);
    json_t *wire = json_object();
    /* To the millisecond: 1.9 and not 1.8999999999999999. */
    double milliseconds = (double)(int64_t)(summary->seconds * 1000.0 + 0.5);

    put(object, "exit", json_integer(summary->exit));
    put(object, "seconds", json_real(milliseconds / 1000.0));
    for (size_t side = LEFT; side < SIDES; side++) {
        put(object, side_names[side], counts_json(&summary->counts[side]));
        put(wire, side_names[side], wire_json(&summary->wire[side]));
    }
    put_number(object, "failed", summary->failed);
    put_number(object, "held", summary->held);
    if (scene->check) {
        put_number(object, "differences", summary->todo);
    } else if (scene->plan) {
        put_number(object, "todo", summary->todo);
    }
    put_text(object, "error", summary->error);
    put(object, "wire", wire);
    return object;
}

/* One character of more than 16 bits is two in JSON (RFC 8259 section 7). */
static void add_escaped(struct buf *out, uint32_t code)
{
    if (code > 0xFFFF) {
        code -= 0x10000;
        buf_printf(out, "\\u%04X\\u%04X", 0xD800 + (code >> 10),
                   0xDC00 + (code & 0x3FF));
    } else {
        buf_printf(out, "\\u%04X", code);
    }
}

/* JSON escapes C0 by itself; the other characters that a terminal obeys stand
 * only in strings, too. */
void report_print(const json_t *json, struct buf *out)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    struct bytes rest = bytes_of(text);

    while (rest.len > 0) {
        uint32_t code = 0;
        size_t n = utf8_take(rest, &code);

        if (n == 0 || log_is_printable(code)) {
            buf_add(out, (struct bytes){rest.ptr, n > 0 ? n : 1});
        } else {
            add_escaped(out, code);
        }
        rest = bytes_skip(rest, n > 0 ? n : 1);
    }
    free(text);
}
