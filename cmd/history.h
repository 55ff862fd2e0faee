/*
 * What status tells of earlier runs, kept in the pair's state: the summary of
 * the last run with what failed or was held in it, and the last success.
 */
#ifndef CMD_HISTORY_H
#define CMD_HISTORY_H

#include <jansson.h>

#include "base/err.h"
#include "store/state.h"

/* Failures and held work that are kept of one run; more are only counted. */
#define HISTORY_ITEMS_MAX 200u

/**
 * Queue the record of a run that is over; state_commit() makes it last.
 *
 * @summary  as report_summary_json() made it; its time is the run's end
 * @items    an array of report_json() objects, at most HISTORY_ITEMS_MAX
 */
void history_put(struct state *state, json_t *summary, json_t *items);

/**
 * The record of the last run, with its "items".
 *
 * @out  the caller's to json_decref(); NULL where there was no run, or where
 *       the record cannot be read
 *
 * Returns 0 or ERR_STATE.
 */
int history_last_run(struct state *state, json_t **out, struct err *err);

/* When a run ended with 0 last, RFC 3339; free() it. NULL: never. Returns 0 or
 * ERR_STATE. */
int history_last_success(struct state *state, char **out, struct err *err);

#endif
