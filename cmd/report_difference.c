/* What check has to say: the plan's events, read as differences. */
#include "base/log.h"
#include "cmd/human.h"
#include "cmd/report.h"

static void add_account(const struct report_scene *scene, enum side side,
                        struct buf *out)
{
    log_clean(out, bytes_of(scene->account[side]));
}

static void add_message(const struct report_scene *scene,
                        const struct report_event *event, enum side side,
                        struct buf *out)
{
    buf_printf(out, "message %u of ", event->uid);
    add_account(scene, side, out);
}

void report_difference(const struct report_scene *scene,
                       const struct report_event *event, struct buf *out)
{
    switch (event->kind) {
    case REPORT_COPY:
        add_message(scene, event, event->source, out);
        buf_printf(out, " is not on ");
        add_account(scene, event->side, out);
        break;
    case REPORT_FLAG:
        add_message(scene, event, event->side, out);
        buf_printf(out, " has other flags than its twin:");
        report_flags(scene, event->change.add, '+', out);
        report_flags(scene, event->change.remove, '-', out);
        break;
    case REPORT_MOVE:
        add_message(scene, event, event->side, out);
        buf_printf(out, " is still in ");
        log_clean(out, bytes_of(event->from));
        break;
    case REPORT_DELETE:
        add_message(scene, event, event->side, out);
        buf_printf(out, " is gone on ");
        add_account(scene, other(event->side), out);
        break;
    case REPORT_FOLDER_CREATE:
        buf_printf(out, "the folder is not on ");
        add_account(scene, event->side, out);
        break;
    case REPORT_FOLDER_RENAME:
        buf_printf(out, "the folder is still called ");
        log_clean(out, bytes_of(event->from));
        buf_printf(out, " on ");
        add_account(scene, event->side, out);
        break;
    case REPORT_FOLDER_DELETE:
        buf_printf(out, "the folder is gone on ");
        add_account(scene, other(event->side), out);
        break;
    case REPORT_SUBSCRIBE:
    case REPORT_UNSUBSCRIBE:
        buf_printf(out, "the folder is %ssubscribed to on ",
                   event->kind == REPORT_SUBSCRIBE ? "not " : "");
        add_account(scene, event->side, out);
        break;
    case REPORT_PAIR:
        human_count(out, event->count, "message");
        buf_printf(out, " on both sides, not on record");
        break;
    case REPORT_REMOVAL:
    case REPORT_DIFFERS:
    case REPORT_FAILED:
    case REPORT_HELD:
    case REPORT_NOTICE:
        if (event->uid != 0) {
            add_message(scene, event, event->source, out);
            buf_printf(out, ": ");
        }
        log_clean(out, bytes_of(event->reason));
        break;
    }
}
