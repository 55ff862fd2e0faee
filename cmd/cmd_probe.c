#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cmd/bounds.h"
#include "cmd/command.h"
#include "cmd/human.h"
#include "cmd/keyring.h"
#include "cmd/loop.h"
#include "cmd/reach.h"
#include "cmd/report.h"
#include "cmd/suggest.h"

/* Longer names stand out of the column. */
#define NAME_COLUMNS_MAX 50u

/* Open, list, describe, close; each step begins where the one before ends. */
struct probe {
    struct account *account;
    struct console *console;
    struct keyring *keyring;
    struct keyring_wish wish;
    struct keywords *keywords;
    struct loop loop;
    struct reach reach;
    struct open_request open;
    struct list_request list;
    struct close_request close;
    bool is_closing;
    struct buf facts; /* "key: value" lines */
    int result;
    struct err err;
};

static void on_closed(struct request *request)
{
    (void)request;
}

static void start_close(struct probe *probe)
{
    if (probe->is_closing) {
        return;
    }
    probe->is_closing = true;
    probe->close.base.done = on_closed;
    probe->close.base.owner = probe;
    endpoint_close(probe->reach.endpoint, &probe->close);
}

static void fail(struct probe *probe, const struct request *request)
{
    if (probe->result == 0) {
        probe->result = request->result;
        probe->err = request->err;
    }
    start_close(probe);
}

static int compare_names(const void *a, const void *b)
{
    const struct folder_entry *one = a;
    const struct folder_entry *two = b;

    return strcmp(one->name, two->name);
}

static void on_listed(struct request *request)
{
    struct probe *probe = request->owner;

    if (request->result != 0) {
        fail(probe, request);
        return;
    }
    if (probe->list.n_folders > 0) {
        qsort(probe->list.folders, probe->list.n_folders,
              sizeof(struct folder_entry), compare_names);
    }
    endpoint_describe(probe->reach.endpoint, &probe->facts);
    start_close(probe);
}

static void on_opened(struct request *request)
{
    struct probe *probe = request->owner;

    if (request->result != 0 || probe->is_closing) {
        fail(probe, request);
        return;
    }
    probe->list.base.done = on_listed;
    probe->list.base.owner = probe;
    probe->list.want_counts = true;
    endpoint_list(probe->reach.endpoint, &probe->list);
}

/* The account's secret is there, if it has one. */
static void on_secret(struct keyring_wish *wish, struct buf *warnings)
{
    struct probe *probe = wish->owner;
    struct reach_options options = {
        .loop = &probe->loop,
        .keywords = probe->keywords,
        .secret = wish->secret,
        .keyring = probe->keyring,
        .log = &probe->console->log,
    };

    console_warnings(probe->console, warnings);
    if (wish->result != 0) {
        probe->result = wish->result;
        probe->err = wish->err;
        return;
    }
    reach_init(&probe->reach, probe->account, &options);
    probe->open.dry = true;
    probe->open.base.done = on_opened;
    probe->open.base.owner = probe;
    endpoint_open(probe->reach.endpoint, &probe->open);
}

static void on_signal(void *owner)
{
    struct probe *probe = owner;

    probe->result = err_set(&probe->err, ERR_CANCELLED, "interrupted");
    if (probe->reach.endpoint == NULL) {
        keyring_forget(probe->keyring, &probe->wish);
    } else {
        start_close(probe);
    }
}

/* Once the secret is there, all else follows. */
static int run(struct probe *probe)
{
    int r = loop_init(&probe->loop, &probe->err);

    if (r != 0) {
        return r;
    }
    probe->loop.on_signal = on_signal;
    probe->loop.owner = probe;
    probe->wish = (struct keyring_wish){
        .account = probe->account,
        .granted = on_secret,
        .owner = probe,
    };
    keyring_serve(probe->keyring, &probe->loop);
    keyring_ask(probe->keyring, &probe->wish);
    loop_run(&probe->loop, 0);
    if (probe->reach.endpoint != NULL) {
        reach_deinit(&probe->reach);
    }
    loop_deinit(&probe->loop);
    return probe->result;
}

static const char *use_name(enum special_use use)
{
    static const char *const names[] = {
        [USE_NONE] = "",           [USE_ALL] = "all",
        [USE_ARCHIVE] = "archive", [USE_DRAFTS] = "drafts",
        [USE_FLAGGED] = "flagged", [USE_JUNK] = "junk",
        [USE_SENT] = "sent",       [USE_TRASH] = "trash"};

    return names[use];
}

/* The next "key: value" line of @rest; false at the end. */
static bool next_fact(struct bytes *rest, struct bytes *key,
                      struct bytes *value)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    const char *colon = len > 0 ? memchr(rest->ptr, ':', len) : NULL;
    size_t key_len = colon != NULL ? (size_t)(colon - rest->ptr) : len;

    if (rest->len == 0) {
        return false;
    }
    *key = bytes_trim((struct bytes){rest->ptr, key_len});
    *value =
        bytes_trim(bytes_skip((struct bytes){rest->ptr, len}, key_len + 1));
    *rest = bytes_skip(*rest, len + 1);
    return true;
}

static json_t *folder_json(const struct folder_entry *folder)
{
    json_t *json = json_object();

    json_object_set_new(json, "name", report_text(folder->name));
    json_object_set_new(json, "selectable", json_boolean(folder->selectable));
    json_object_set_new(json, "subscribed", json_boolean(folder->subscribed));
    if (folder->has_counts) {
        json_object_set_new(json, "messages", json_integer(folder->messages));
        json_object_set_new(json, "bytes",
                            json_integer((json_int_t)folder->octets));
    } else if (folder->has_token) {
        json_object_set_new(json, "messages",
                            json_integer(folder->token.messages));
    }
    if (folder->has_token) {
        json_object_set_new(json, "uidvalidity",
                            json_integer(folder->token.uidvalidity));
    }
    if (folder->use != USE_NONE) {
        json_object_set_new(json, "special_use",
                            report_text(use_name(folder->use)));
    }
    if (folder->problem != NULL) {
        json_object_set_new(json, "problem", report_text(folder->problem));
    }
    return json;
}

static void show_json(struct console *console, const struct probe *probe)
{
    json_t *json = report_object("probe", NULL, time(NULL));
    json_t *facts = json_object();
    json_t *folders = json_array();
    struct bytes rest = buf_peek(&probe->facts);
    struct bytes key;
    struct bytes value;

    while (next_fact(&rest, &key, &value)) {
        char *name = mem_text(key);
        char *text = mem_text(value);

        json_object_set_new(facts, name, report_text(text));
        free(name);
        free(text);
    }
    for (size_t i = 0; i < probe->list.n_folders; i++) {
        json_array_append_new(folders, folder_json(&probe->list.folders[i]));
    }
    json_object_set_new(json, "account", report_text(probe->account->name));
    json_object_set_new(json, "facts", facts);
    json_object_set_new(json, "folders", folders);
    console_json(console, json);
    json_decref(json);
}

/* Characters of @text on the screen, more or less. */
static size_t width_of(struct bytes text)
{
    size_t width = 0;
    uint32_t code;

    while (text.len > 0) {
        size_t n = utf8_take(text, &code);

        text = bytes_skip(text, n > 0 ? n : 1);
        width++;
    }
    return width;
}

/* "  INBOX        12 messages", the name in @width columns. */
static void add_folder(const struct folder_entry *folder, size_t width,
                       struct buf *out)
{
    size_t own;

    buf_printf(out, "  ");
    log_clean(out, bytes_of(folder->name));
    own = width_of(bytes_skip(buf_peek(out), 2));
    buf_printf(out, "%*s  ", (int)(own < width ? width - own : 0), "");
    if (!folder->selectable) {
        buf_printf(out, "holds folders only");
    } else if (folder->has_counts) {
        human_count(out, folder->messages, "message");
        buf_printf(out, ", ");
        human_bytes(out, folder->octets);
    } else if (folder->has_token) {
        human_count(out, folder->token.messages, "message");
    } else {
        buf_printf(out, "not counted");
    }
    if (folder->use != USE_NONE) {
        buf_printf(out, ", %s", use_name(folder->use));
    }
    if (folder->problem != NULL) {
        buf_printf(out, ": ");
        log_clean(out, bytes_of(folder->problem));
    }
}

static size_t widest_name(const struct probe *probe)
{
    size_t widest = 0;

    for (size_t i = 0; i < probe->list.n_folders; i++) {
        size_t width = width_of(bytes_of(probe->list.folders[i].name));

        if (width > widest && width <= NAME_COLUMNS_MAX) {
            widest = width;
        }
    }
    return widest;
}

static void show_text(struct console *console, const struct probe *probe)
{
    struct bytes rest = buf_peek(&probe->facts);
    struct bytes key;
    struct bytes value;
    size_t width = widest_name(probe);
    struct buf line;

    buf_init(&line, 0);
    while (next_fact(&rest, &key, &value)) {
        log_clean(&line, key);
        buf_printf(&line, ": ");
        log_clean(&line, value);
        console_result(console, buf_text(&line));
        buf_clear(&line);
    }
    human_count(&line, probe->list.n_folders, "folder");
    buf_printf(&line, ":");
    console_result(console, buf_text(&line));
    buf_clear(&line);
    for (size_t i = 0; i < probe->list.n_folders; i++) {
        add_folder(&probe->list.folders[i], width, &line);
        console_result(console, buf_text(&line));
        buf_clear(&line);
    }
    buf_deinit(&line);
}

static const char *account_name_at(const void *owner, size_t i)
{
    return ((const struct conf *)owner)->accounts[i]->name;
}

static struct account *find_account(const struct command *command,
                                    struct err *err)
{
    const char *name = command->options->words[0];
    const struct conf *conf = command->conf;
    struct account *account = conf_account(conf, name);
    const char *near;

    if (account != NULL) {
        return account;
    }
    near = suggest(name, account_name_at, conf, conf->n_accounts);
    if (near != NULL) {
        err_set(err, ERR_USAGE,
                "%s: there is no account \"%s\": did you mean %s?", conf->file,
                name, near);
    } else {
        err_set(err, ERR_USAGE,
                "%s: there is no account \"%s\": add a section [account %s]",
                conf->file, name, name);
    }
    return NULL;
}

static int probe_account(struct probe *probe)
{
    struct account *account = probe->account;
    struct bounds bounds = {.accounts = &account, .n_accounts = 1, .dry = true};
    int r;

    probe->keyring = keyring_new(&account, 1);
    probe->keywords = keywords_new();
    buf_printf(&probe->facts, "confinement: ");
    bounds_set(&bounds, &probe->facts);
    buf_printf(&probe->facts, "\n");
    r = run(probe);
    keywords_free(probe->keywords);
    keyring_free(probe->keyring);
    return r;
}

enum exitcode cmd_probe(const struct command *command)
{
    struct console *console = command->console;
    struct probe probe = {.console = console};
    int r;

    probe.account = find_account(command, &probe.err);
    if (probe.account == NULL) {
        console_complain(console, probe.err.text);
        return EXITCODE_USAGE;
    }
    buf_init(&probe.facts, 0);
    r = probe_account(&probe);
    if (r != 0) {
        /* A Maildir names itself. */
        if (probe.account->type == ACCOUNT_IMAP) {
            err_wrap(&probe.err, r, "%s", probe.account->name);
        }
        console_complain(console, probe.err.text);
    } else if (console->json) {
        show_json(console, &probe);
    } else {
        show_text(console, &probe);
    }
    folder_list_free(probe.list.folders, probe.list.n_folders);
    buf_deinit(&probe.facts);
    return exitcode_of_error(r);
}
