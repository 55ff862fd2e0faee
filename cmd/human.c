#include "cmd/human.h"

#include <stddef.h>

#define HOUR 3600ll /* seconds */

void human_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
    size_t last = sizeof(units) / sizeof(units[0]) - 1;
    double value = (double)bytes / 1024.0;
    size_t unit = 0;

    if (bytes < 1024) {
        buf_printf(out, "%u bytes", (unsigned)bytes);
        return;
    }
    /* 1023.95 and more would print as 1024.0. */
    while (value >= 1023.95 && unit < last) {
        value /= 1024.0;
        unit++;
    }
    buf_printf(out, "%.1f %s", value, units[unit]);
}

void human_seconds(struct buf *out, double seconds)
{
    if (seconds < 59.95) {
        buf_printf(out, "%.1f s", seconds < 0 ? 0.0 : seconds);
    } else {
        human_clock(out, seconds);
    }
}

void human_clock(struct buf *out, double seconds)
{
    uint64_t whole = (uint64_t)(seconds + 0.5);

    if (whole >= 3600) {
        buf_printf(out, "%llu:%02u:%02u", (unsigned long long)(whole / 3600),
                   (unsigned)(whole / 60 % 60), (unsigned)(whole % 60));
        return;
    }
    buf_printf(out, "%u:%02u", (unsigned)(whole / 60), (unsigned)(whole % 60));
}

void human_age(struct buf *out, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {
        {24 * HOUR, "day"   },
        {HOUR,      "hour"  },
        {60,        "minute"}
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (seconds >= units[i].seconds) {
            human_count(out, (uint64_t)(seconds / units[i].seconds),
                        units[i].name);
            buf_printf(out, " ago");
            return;
        }
    }
    buf_printf(out, "just now");
}

void human_count(struct buf *out, uint64_t n, const char *thing)
{
    buf_printf(out, "%llu %s%s", (unsigned long long)n, thing,
               n == 1 ? "" : "s");
}

void human_rfc3339(struct buf *out, time_t when)
{
    struct tm parts = {0};
    char text[40];

    gmtime_r(&when, &parts);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    buf_printf(out, "%s", text);
}

bool human_parse_rfc3339(const char *text, time_t *when)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);

    if (end == NULL || *end != '\0') {
        return false;
    }
    *when = timegm(&parts);
    return true;
}

void human_time(struct buf *out, time_t when)
{
    struct tm parts = {0};
    char text[40];

    localtime_r(&when, &parts);
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    buf_printf(out, "%s", text);
}
