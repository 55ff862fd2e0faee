#include "cmd/history.h"

#include <stdlib.h>

#include "cmd/report.h"

#define LAST_RUN     "last run"
#define LAST_SUCCESS "last success"

void history_put(struct state *state, json_t *summary, json_t *items)
{
    json_t *record = json_copy(summary);
    struct buf text;

    json_object_set_new(record, "items", json_copy(items));
    buf_init(&text, 0);
    report_print(record, &text);
    state_meta_put(state, LAST_RUN, buf_text(&text));
    if (json_integer_value(json_object_get(record, "exit")) == 0) {
        state_meta_put(state, LAST_SUCCESS,
                       json_string_value(json_object_get(record, "time")));
    }
    buf_deinit(&text);
    json_decref(record);
}

int history_last_run(struct state *state, json_t **out, struct err *err)
{
    char *text = NULL;
    int r = state_meta_get(state, LAST_RUN, &text, err);

    *out = NULL;
    if (r == 0 && text != NULL) {
        *out = json_loads(text, 0, NULL);
    }
    free(text);
    return r;
}

int history_last_success(struct state *state, char **out, struct err *err)
{
    *out = NULL;
    return state_meta_get(state, LAST_SUCCESS, out, err);
}
