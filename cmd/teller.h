/*
 * Tells of one run as it happens: events and the summary, in the form that the
 * user asked for.
 */
#ifndef CMD_TELLER_H
#define CMD_TELLER_H

#include <jansson.h>

#include "cmd/console.h"
#include "cmd/report.h"

struct teller {
    struct console *console;
    struct report_scene scene;
    json_t *items; /* failures and held work, for history_put() */
    struct run_counts planned[SIDES]; /* what a plan's events add up to */
};

/* Start with an empty record; @scene is copied, what it points to is not. */
void teller_init(struct teller *teller, struct console *console,
                 const struct report_scene *scene);
void teller_deinit(struct teller *teller);

/* Something happened, or, in a plan, would. */
void teller_event(struct teller *teller, const struct report_event *event);

/* The run is over. @json  the same by report_summary_json() */
void teller_summary(struct teller *teller, const struct report_summary *summary,
                    const json_t *json);

#endif
