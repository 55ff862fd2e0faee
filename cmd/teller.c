#include "cmd/teller.h"

#include "cmd/history.h"

void teller_init(struct teller *teller, struct console *console,
                 const struct report_scene *scene)
{
    *teller = (struct teller){
        .console = console,
        .scene = *scene,
        .items = json_array(),
    };
}

void teller_deinit(struct teller *teller)
{
    json_decref(teller->items);
    teller->items = NULL;
}

static bool is_trouble(const struct report_event *event)
{
    return event->kind == REPORT_FAILED || event->kind == REPORT_HELD;
}

static void tell_json(struct teller *teller, const struct report_event *event)
{
    bool kept =
        is_trouble(event) && json_array_size(teller->items) < HISTORY_ITEMS_MAX;
    json_t *json;

    if (!kept && !teller->console->json) {
        return;
    }
    json = report_json(&teller->scene, event, time(NULL));
    if (teller->console->json) {
        console_json(teller->console, json);
    }
    if (kept) {
        json_array_append(teller->items, json);
    }
    json_decref(json);
}

static void tell_line(struct teller *teller, const struct report_event *event)
{
    struct console *console = teller->console;
    bool is_notice = event->kind == REPORT_NOTICE;
    struct buf line;

    buf_init(&line, 0);
    report_line(&teller->scene, event, &line);
    if (is_trouble(event) || (is_notice && !console->quiet)) {
        console_complain(console, buf_text(&line));
    } else if (is_notice || console->json) {
        /* Quiet, or told as JSON. */
    } else if (teller->scene.plan && !console->quiet) {
        console_result(console, buf_text(&line));
    } else if (console->verbose > 0) {
        console_note(console, buf_text(&line));
    }
    buf_deinit(&line);
}

void teller_event(struct teller *teller, const struct report_event *event)
{
    if (teller->scene.plan) {
        report_count(event, teller->planned);
    }
    tell_json(teller, event);
    tell_line(teller, event);
}

void teller_summary(struct teller *teller, const struct report_summary *summary,
                    const json_t *json)
{
    struct console *console = teller->console;
    struct buf line;

    if (console->json) {
        console_json(console, json);
    } else if (!console->quiet && !report_is_void(summary)) {
        buf_init(&line, 0);
        report_summary_line(&teller->scene, summary, &line);
        console_result(console, buf_text(&line));
        buf_deinit(&line);
    }
}
