#include "cmd/progress.h"

#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cmd/human.h"

/* Of the old average each second keeps this part. */
#define KEPT_PER_SECOND 0.8
/* Shorter steps would measure the scheduler. */
#define STEP_SECONDS_MIN 0.1
/* A guess further off says nothing. */
#define SECONDS_LEFT_MAX (99.0 * 3600.0)

static double blend(double old, double fresh, double seconds)
{
    double kept = KEPT_PER_SECOND / (KEPT_PER_SECOND + seconds);

    return old <= 0.0 ? fresh : old * kept + fresh * (1.0 - kept);
}

void progress_measure(struct progress_rate *rate,
                      const struct run_progress *progress, double now)
{
    double seconds = now - rate->at;
    bool is_anew = rate->at <= 0.0 || progress->bytes_done < rate->bytes ||
                   progress->messages_done < rate->messages;

    if (is_anew) {
        *rate = (struct progress_rate){0};
    } else if (seconds < STEP_SECONDS_MIN) {
        return;
    } else {
        double bytes = (double)(progress->bytes_done - rate->bytes);
        double messages = (double)(progress->messages_done - rate->messages);

        rate->bytes_per_second =
            blend(rate->bytes_per_second, bytes / seconds, seconds);
        rate->messages_per_second =
            blend(rate->messages_per_second, messages / seconds, seconds);
    }
    rate->at = now;
    rate->bytes = progress->bytes_done;
    rate->messages = progress->messages_done;
}

void progress_add(struct run_progress *sum, const struct run_progress *one)
{
    if (sum->phase == NULL) {
        sum->phase = one->phase;
        sum->waits_for = one->waits_for;
    } else if (one->phase == NULL || strcmp(sum->phase, one->phase) != 0) {
        sum->phase = "working";
    }
    if (one->waits_for == NULL) {
        sum->waits_for = NULL;
    }
    sum->folders_total += one->folders_total;
    sum->folders_done += one->folders_done;
    sum->messages_total += one->messages_total;
    sum->messages_done += one->messages_done;
    sum->bytes_total += one->bytes_total;
    sum->bytes_done += one->bytes_done;
}

/* Bytes tell more than messages, where their sum is known. */
static double seconds_left(const struct run_progress *progress,
                           const struct progress_rate *rate)
{
    if (progress->bytes_total > progress->bytes_done &&
        rate->bytes_per_second > 0.0) {
        return (double)(progress->bytes_total - progress->bytes_done) /
               rate->bytes_per_second;
    }
    if (progress->messages_total > progress->messages_done &&
        rate->messages_per_second > 0.0) {
        return (double)(progress->messages_total - progress->messages_done) /
               rate->messages_per_second;
    }
    return 0.0;
}

static void add_amounts(const struct run_progress *progress,
                        const struct progress_rate *rate, struct buf *out)
{
    double left = seconds_left(progress, rate);
    bool all_opened = progress->folders_done == progress->folders_total;

    /* Once all are open only their messages matter: the line has to fit. */
    if (progress->folders_total > 0 &&
        !(all_opened && progress->bytes_total > 0)) {
        buf_printf(out, ", %u/%u folders", progress->folders_done,
                   progress->folders_total);
    }
    if (progress->messages_total > 0) {
        buf_printf(out, ", %u/%u messages", progress->messages_done,
                   progress->messages_total);
    }
    if (progress->bytes_total > 0) {
        buf_printf(out, ", ");
        human_bytes(out, progress->bytes_done);
        buf_printf(out, " of ");
        human_bytes(out, progress->bytes_total);
    }
    if (rate->bytes_per_second >= 1.0) {
        buf_printf(out, ", ");
        human_bytes(out, (uint64_t)rate->bytes_per_second);
        buf_printf(out, "/s");
    }
    if (left >= 1.0 && left < SECONDS_LEFT_MAX) {
        buf_printf(out, ", ");
        human_clock(out, left);
        buf_printf(out, " left");
    }
}

/* The front of @text that has at most @columns characters. */
static struct bytes cut(struct bytes text, size_t columns)
{
    struct bytes rest = text;

    while (columns > 0 && rest.len > 0) {
        uint32_t code;
        size_t n = utf8_take(rest, &code);

        rest = bytes_skip(rest, n > 0 ? n : 1);
        columns--;
    }
    return (struct bytes){text.ptr, text.len - rest.len};
}

void progress_line(const char *name, const struct run_progress *progress,
                   const struct progress_rate *rate, size_t columns,
                   struct buf *out)
{
    struct buf whole;

    buf_init(&whole, 0);
    log_clean(&whole, bytes_of(name));
    buf_printf(&whole, ": %s",
               progress->phase != NULL ? progress->phase : "starting");
    if (progress->waits_for != NULL) {
        buf_printf(&whole, ", waiting for ");
        log_clean(&whole, bytes_of(progress->waits_for));
    }
    add_amounts(progress, rate, &whole);
    buf_add(out, cut(buf_peek(&whole), columns));
    buf_deinit(&whole);
}
