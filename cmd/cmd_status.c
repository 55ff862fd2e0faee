#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/bounds.h"
#include "cmd/command.h"
#include "cmd/history.h"
#include "cmd/human.h"
#include "cmd/pair_state.h"
#include "cmd/report.h"
#include "store/state.h"

/* What is known of one pair. */
struct status {
    const struct pair *pair;
    struct state *state; /* while it is read */
    json_t *last_run;    /* or NULL: never */
    char *last_success;  /* RFC 3339, or NULL: never */
    struct state_folder *folders;
    size_t n_folders;
    uint64_t messages;           /* in step */
    uint64_t apart[APART_KINDS]; /* by enum apart_kind */
    json_t *stay;                /* messages that stay apart, one object each */
    bool wants_all; /* those that stay apart on purpose are named too */
};

static const char *const apart_names[] = {"refused", "filtered", "foreign",
                                          "merged", "kept"};

static const char *folder_name(const struct status *status, uint32_t id)
{
    for (size_t i = 0; i < status->n_folders; i++) {
        if (status->folders[i].id == id) {
            return status->folders[i].name[LEFT];
        }
    }
    return "?";
}

/* Which file of a Maildir it is; a server's messages have none. */
static void put_file(json_t *item, const struct status *status,
                     const struct state_apart *apart)
{
    struct buf name;
    struct err err;

    buf_init(&name, 0);
    if (state_file_name(status->state, apart->side, apart->folder, apart->uid,
                        &name, &err) == 0) {
        json_object_set_new(item, "file", report_text(buf_text(&name)));
    }
    buf_deinit(&name);
}

static int on_apart(void *owner, const struct state_apart *apart)
{
    struct status *status = owner;
    json_t *item;

    status->apart[apart->kind]++;
    if (apart->kind != APART_REFUSED && !status->wants_all) {
        return 0;
    }
    item = json_object();
    json_object_set_new(item, "kind", report_text(apart_names[apart->kind]));
    json_object_set_new(item, "account",
                        report_text(status->pair->account[apart->side]->name));
    json_object_set_new(item, "folder",
                        report_text(folder_name(status, apart->folder)));
    json_object_set_new(item, "uid", json_integer(apart->uid));
    put_file(item, status, apart);
    json_object_set_new(item, "bytes", json_integer((json_int_t)apart->size));
    json_object_set_new(item, "reason", report_text(apart->reason));
    json_array_append_new(status->stay, item);
    return 0;
}

static int gather(struct status *status, struct err *err)
{
    struct state *state = status->state;
    int r = history_last_run(state, &status->last_run, err);

    if (r == 0) {
        r = history_last_success(state, &status->last_success, err);
    }
    if (r == 0) {
        r = state_folders(state, &status->folders, &status->n_folders, err);
    }
    for (size_t i = 0; i < status->n_folders; i++) {
        status->messages += status->folders[i].pairs;
    }
    if (r == 0) {
        r = state_apart_each(state, 0, on_apart, status, err);
    }
    return r;
}

static int load(const struct command *command, struct status *status,
                struct err *err)
{
    int r = pair_state_open(status->pair, command->state_dir, true,
                            &command->console->log, &status->state, err);

    if (r == 0) {
        r = gather(status, err);
    }
    state_close(status->state);
    status->state = NULL;
    return r;
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? report_text(text) : json_null();
}

static json_t *as_json(const struct status *status, time_t now)
{
    json_t *json = report_object("status", status->pair->name, now);
    json_t *apart = json_object();
    time_t success = 0;
    bool known = status->last_success != NULL &&
                 human_parse_rfc3339(status->last_success, &success);

    json_object_set(json, "last_run",
                    status->last_run != NULL ? status->last_run : json_null());
    json_object_set_new(json, "last_success",
                        text_or_null(status->last_success));
    json_object_set_new(json, "last_success_age",
                        known ? json_integer((json_int_t)(now - success))
                              : json_null());
    json_object_set_new(json, "folders",
                        json_integer((json_int_t)status->n_folders));
    json_object_set_new(json, "messages",
                        json_integer((json_int_t)status->messages));
    for (size_t kind = 0; kind < APART_KINDS; kind++) {
        json_object_set_new(apart, apart_names[kind],
                            json_integer((json_int_t)status->apart[kind]));
    }
    json_object_set_new(json, "apart", apart);
    json_object_set(json, "apart_messages", status->stay);
    return json;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *outcome(const json_t *run)
{
    switch (json_integer_value(json_object_get(run, "exit"))) {
    case EXITCODE_DONE:
        return "in step";
    case EXITCODE_PART:
        return "done in part";
    case EXITCODE_HELD:
        return "something is held back";
    case EXITCODE_CONNECT:
        return "no connection, or the server was unavailable";
    case EXITCODE_AUTH:
        return "authentication refused";
    case EXITCODE_INTERRUPTED:
        return "interrupted";
    default:
        return "failed";
    }
}

/* "2025-01-31 12:00:00, 3 minutes ago". */
static void add_when(const char *rfc3339, time_t now, struct buf *out)
{
    time_t when = 0;

    if (rfc3339 == NULL || !human_parse_rfc3339(rfc3339, &when)) {
        buf_printf(out, "never");
        return;
    }
    human_time(out, when);
    buf_printf(out, ", ");
    human_age(out, now - when);
}

static void show(struct console *console, struct buf *line)
{
    struct buf clean;

    buf_init(&clean, 0);
    log_clean(&clean, buf_peek(line));
    console_result(console, buf_text(&clean));
    buf_deinit(&clean);
    buf_clear(line);
}

/* One failure, or one thing held, of the last run. */
static void show_item(struct console *console, const json_t *item,
                      struct buf *line)
{
    const char *folder = text_of(item, "folder");
    const char *reason = text_of(item, "reason");
    json_int_t uid = json_integer_value(json_object_get(item, "uid"));
    const char *event = text_of(item, "event");
    bool is_held = event != NULL && strcmp(event, "held") == 0;

    buf_printf(line, "  %s: ", is_held ? "held back" : "failed");
    if (folder != NULL) {
        buf_printf(line, "%s: ", folder);
    }
    if (uid != 0) {
        report_message((uint32_t)uid, text_of(item, "file"), reason, line);
        buf_printf(line, ": ");
    }
    buf_printf(line, "%s", reason != NULL ? reason : "no reason known");
    show(console, line);
}

static void show_last_run(struct console *console, const json_t *run,
                          struct buf *line)
{
    const json_t *items = json_object_get(run, "items");
    const char *error = text_of(run, "error");

    if (error != NULL) {
        buf_printf(line, "  error: %s", error);
        show(console, line);
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        show_item(console, json_array_get(items, i), line);
    }
}

static void show_apart(struct console *console, const struct status *status,
                       struct buf *line)
{
    uint64_t on_purpose = status->apart[APART_FILTERED] +
                          status->apart[APART_FOREIGN] +
                          status->apart[APART_KEPT];
    uint64_t merged = status->apart[APART_MERGED];
    size_t n = json_array_size(status->stay);

    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(status->stay, i);

        buf_printf(line, "  stays on %s: %s: ", text_of(item, "account"),
                   text_of(item, "folder"));
        report_message(
            (uint32_t)json_integer_value(json_object_get(item, "uid")),
            text_of(item, "file"), text_of(item, "reason"), line);
        buf_printf(line, ", ");
        human_bytes(
            line, (uint64_t)json_integer_value(json_object_get(item, "bytes")));
        buf_printf(line, ": %s", text_of(item, "reason"));
        show(console, line);
    }
    if (merged > 0 && !status->wants_all) {
        buf_printf(line, "  ");
        human_count(line, merged, "message");
        buf_printf(line, " twice on one side, where the other keeps one of "
                         "equal messages");
        show(console, line);
    }
    if (on_purpose > 0 && !status->wants_all) {
        buf_printf(line, "  ");
        human_count(line, on_purpose, "message");
        buf_printf(line, " on one side only, as the configuration says");
        show(console, line);
    }
}

static void show_status(struct console *console, const struct status *status,
                        time_t now)
{
    struct buf line;

    buf_init(&line, 0);
    if (status->last_run == NULL) {
        buf_printf(&line, "%s: never run", status->pair->name);
        show(console, &line);
    } else {
        buf_printf(&line, "%s: last run ", status->pair->name);
        add_when(text_of(status->last_run, "time"), now, &line);
        buf_printf(&line, ": %s", outcome(status->last_run));
        show(console, &line);
        buf_printf(&line, "  last success ");
        add_when(status->last_success, now, &line);
        show(console, &line);
        buf_printf(&line, "  on record: ");
        human_count(&line, status->messages, "message");
        buf_printf(&line, " in ");
        human_count(&line, status->n_folders, "folder");
        show(console, &line);
        show_last_run(console, status->last_run, &line);
    }
    show_apart(console, status, &line);
    buf_deinit(&line);
}

/* Is there anything that --quiet lets through? */
static bool has_trouble(const struct status *status)
{
    return status->apart[APART_REFUSED] > 0 ||
           (status->last_run != NULL &&
            json_integer_value(json_object_get(status->last_run, "exit")) != 0);
}

static int tell(const struct command *command, const struct pair *pair)
{
    struct console *console = command->console;
    struct status status = {
        .pair = pair,
        .stay = json_array(),
        .wants_all = command->options->verbose > 0,
    };
    struct err err = {{0}};
    time_t now = time(NULL);
    int r = load(command, &status, &err);

    if (r != 0) {
        err_wrap(&err, r, "%s", pair->name);
        console_complain(console, err.text);
    } else if (console->json) {
        json_t *json = as_json(&status, now);

        console_json(console, json);
        json_decref(json);
    } else if (!console->quiet || has_trouble(&status)) {
        show_status(console, &status, now);
    }
    json_decref(status.last_run);
    json_decref(status.stay);
    free(status.last_success);
    state_folders_free(status.folders, status.n_folders);
    return r;
}

static void confine_to(const char *state_dir)
{
    struct bounds bounds = {.state_dir = state_dir};
    struct buf how;

    buf_init(&how, 0);
    bounds_set(&bounds, &how);
    buf_deinit(&how);
}

enum exitcode cmd_status(const struct command *command)
{
    enum exitcode worst = EXITCODE_DONE;
    struct pair **pairs = NULL;
    struct err err = {{0}};
    size_t n = 0;

    if (command_pairs(command, &pairs, &n, &err) != 0) {
        console_complain(command->console, err.text);
        return EXITCODE_USAGE;
    }
    confine_to(command->state_dir);
    for (size_t i = 0; i < n; i++) {
        int r = tell(command, pairs[i]);

        worst = exitcode_worse(worst, exitcode_of_error(r));
    }
    free(pairs);
    return worst;
}
