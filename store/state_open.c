#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "store/lock.h"
#include "store/state_check.h"
#include "store/state_pack.h"
#include "store/state_parts.h"

/* Beside STATE_DB_MISSING and STATE_DB_DAMAGED. */
#define FOREIGN 3

#define TIME_BYTES 32
#define NAMES_MAX  100 /* of states moved aside within one second */

/* --- load ------------------------------------------------------------------------ */

struct loader {
    struct state *state;
    struct state_tx tx;
    struct err *err;
};

static int damaged(struct loader *loader, const char *what)
{
    err_set(loader->err, ERR_STATE, "%s", what);
    return STATE_DB_DAMAGED;
}

/* One of the state's own rows. Returns 0, STATE_DB_DAMAGED or negative. */
static int load_text(struct loader *loader, const char *name,
                     struct bytes *text)
{
    struct bytes value;
    int r = state_rows_get(&loader->tx, RECORD_META, bytes_of(name), &value,
                           loader->err);

    if (r < 0)
        return r;
    if (r == 1 || !record_decode_text(bytes_of(name), value, text))
        return damaged(loader, "it does not say whose it is");
    return 0;
}

static int load_number(struct loader *loader, const char *name, uint64_t max,
                       uint64_t *number)
{
    struct bytes text;
    int r = load_text(loader, name, &text);

    if (r == 0 && (!bytes_to_u64(text, max, number) || *number == 0))
        return damaged(loader, "a number in it is wrong");
    return r;
}

static int check_identity(struct loader *loader, const char *name,
                          enum side side)
{
    struct bytes text;
    int r = load_text(loader, name, &text);

    if (r != 0 || bytes_equal(text, bytes_of(loader->state->identity[side])))
        return r;
    err_set(loader->err, ERR_STATE, "its %s side is %.*s",
            side == LEFT ? "left" : "right", (int)text.len, text.ptr);
    return FOREIGN;
}

/* It is there only where the file was packed. */
static int load_packed(struct loader *loader)
{
    struct bytes value;
    int r = state_rows_get(&loader->tx, RECORD_META, B(STATE_PACKED_NAME),
                           &value, loader->err);

    if (r == 0) {
        r = load_number(loader, STATE_PACKED_NAME, UINT64_MAX,
                        &loader->state->packed);
    }
    return r == 1 ? 0 : r;
}

static int load_head(struct loader *loader)
{
    struct state *state = loader->state;
    uint64_t next_folder = 0;
    uint64_t next_intent = 0;
    uint64_t schema = 0;
    int r = check_identity(loader, STATE_LEFT_NAME, LEFT);

    if (r == 0)
        r = check_identity(loader, STATE_RIGHT_NAME, RIGHT);
    if (r == 0) {
        r = load_number(loader, STATE_NEXT_FOLDER_NAME, UINT32_MAX,
                        &next_folder);
    }
    if (r == 0) {
        r = load_number(loader, STATE_NEXT_INTENT_NAME, UINT64_MAX,
                        &next_intent);
    }
    if (r != 0)
        return r;
    state->next_folder = (uint32_t)next_folder;
    state->next_intent = next_intent;
    r = load_packed(loader);
    if (r != 0)
        return r;
    /* A layout that was older becomes ours with the next commit. */
    r = load_number(loader, STATE_SCHEMA_NAME, STATE_SCHEMA, &schema);
    state->head_saved = schema == STATE_SCHEMA;
    state->is_new = false;
    return r;
}

/* The rows come in the order of their numbers, from 1 on: the dictionary gives
 * them the same ones again. */
static int on_set(void *owner, struct bytes key, struct bytes value)
{
    struct loader *loader = owner;
    struct keywords *keywords = loader->state->keywords;
    uint32_t expected = keywords_count(keywords);
    struct record_key expected_key = record_key_id(expected);
    struct bytes text;

    if (!bytes_equal(key, record_key_bytes(&expected_key)) ||
        !record_decode_text(key, value, &text) ||
        keywords_intern(keywords, text) != expected)
        return damaged(loader, "its keywords are not those that were stored");
    return 0;
}

/* Returns 0, STATE_DB_DAMAGED, FOREIGN or negative. */
static int load(struct state *state, struct err *err)
{
    struct loader loader = {.state = state, .err = err};
    struct bytes value;
    int r = state_db_read(state->db, &loader.tx, err);

    if (r != 0)
        return r;
    r = state_rows_get(&loader.tx, RECORD_META, B(STATE_SCHEMA_NAME), &value,
                       err);
    if (r == 0) {
        r = load_head(&loader);
    } else if (r == 1) {
        r = 0; /* never committed to: new */
    }
    if (r == 0) {
        r = state_rows_each(&loader.tx, RECORD_KEYWORD, B(""), on_set, &loader,
                            err);
    }
    state_db_end(&loader.tx);
    state->sets_saved = keywords_count(state->keywords);
    return r;
}

/* As it is where nothing was ever committed. */
static void start_empty(struct state *state)
{
    keywords_free(state->keywords);
    state->keywords = keywords_new();
    state->sets_saved = keywords_count(state->keywords);
    state->next_folder = 1;
    state->next_intent = 1;
    state->head_saved = false;
    state->is_new = true;
    state->packed = 0;
}

/* Returns 0, STATE_DB_MISSING, STATE_DB_DAMAGED, FOREIGN or negative. */
static int open_db(struct state *state, const char *dir, struct err *err)
{
    int r = state_db_open(dir, state->read_only, &state->db, err);

    start_empty(state);
    if (r != 0)
        return r;
    r = load(state, err);
    if (r != 0) {
        state_db_close(state->db);
        state->db = NULL;
        start_empty(state);
    }
    return r;
}

/* A state of an older layout, written anew; where that fails, it stays as it
 * is. */
static int renew(struct state *state, struct err *err)
{
    int r = state_pack(state->db, state->dir, err);

    state_db_close(state->db);
    state->db = NULL;
    return r == 0 ? open_db(state, state->dir, err) : r;
}

/* --- a state of no use -------------------------------------------------------- */

/* A name that is free for the file @data; free() it. */
static char *name_aside(const char *data, int reason)
{
    const char *word = reason == FOREIGN ? "foreign" : "damaged";
    char stamp[TIME_BYTES] = "";
    time_t now = time(NULL);
    struct tm utc;
    char *name;

    if (gmtime_r(&now, &utc) != NULL)
        (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
    name = mem_printf("%s.%s-%s", data, word, stamp);
    for (int i = 2; i < NAMES_MAX && access(name, F_OK) == 0; i++) {
        free(name);
        name = mem_printf("%s.%s-%s-%d", data, word, stamp, i);
    }
    return name;
}

static const char *word_for(int reason)
{
    return reason == FOREIGN ? "belongs to other accounts" : "is damaged";
}

/* Move the state aside and say so. */
static int move_aside(const struct state_open_options *options, int reason,
                      const struct log *log, struct err *err)
{
    char *data = mem_printf("%s/data.mdb", options->dir);
    char *readers = mem_printf("%s/lock.mdb", options->dir);
    char *aside = name_aside(data, reason);
    int r = 0;

    if (rename(data, aside) != 0) {
        r = err_errno(err, ERR_DISK, errno, "%s: the state %s; moving it aside",
                      data, word_for(reason));
    } else {
        /* LMDB's table of readers counts in transactions of the old file. */
        unlink(readers);
        /* Also with --quiet: what was deleted meanwhile may come back. */
        log_line(log, LOG_ERROR,
                 "%s: the state %s (%s): moved to %s, the messages are "
                 "matched anew",
                 options->pair, word_for(reason), err->text, aside);
        r = dirs_sync(options->dir, err);
    }
    free(aside);
    free(readers);
    free(data);
    return r;
}

static int open_to_read(struct state *state,
                        const struct state_open_options *options,
                        const struct log *log, struct err *err)
{
    int r = open_db(state, options->dir, err);

    if (r == STATE_DB_DAMAGED || r == FOREIGN) {
        log_line(log, LOG_NOTICE,
                 "%s: the state %s (%s): the next sync moves it aside",
                 options->pair, word_for(r), err->text);
    }
    return r > 0 ? 0 : r;
}

static int open_to_write(struct state *state,
                         const struct state_open_options *options,
                         const struct log *log, struct err *err)
{
    char *path = mem_printf("%s/lock", options->dir);
    int r = dirs_make(options->dir, err);

    if (r == 0)
        r = state->lock = lock_take(path, &state->unfinished, err);
    free(path);
    if (r < 0)
        return r;
    state_pack_clean(options->dir);
    r = open_db(state, options->dir, err);
    if (r == STATE_DB_DAMAGED || r == FOREIGN) {
        r = move_aside(options, r, log, err);
        if (r == 0)
            r = open_db(state, options->dir, err);
    }
    if (r == 0 && state_db_is_old(state->db))
        r = renew(state, err);
    if (r > 0)
        return err_wrap(err, ERR_STATE, "a new state cannot be used");
    /* Nobody knows what went before an empty state. */
    if (r == 0 && state->is_new)
        state->unfinished = true;
    if (r == 0 && state->is_new)
        r = dirs_sync(options->dir, err);
    /* A run that was killed may have made it. */
    if (r == 0 && state->is_new)
        r = dirs_sync_above(options->dir, err);
    return r;
}

/* --- state.h -------------------------------------------------------------------- */

int state_open(const struct state_open_options *options, const struct log *log,
               struct state **out, struct err *err)
{
    struct state *state = MEM_NEW(struct state);
    struct err local = {0};
    int r;

    state->lock = -1;
    state->dir = mem_copy(options->dir);
    state->read_only = options->read_only;
    for (unsigned side = LEFT; side < SIDES; side++) {
        state->identity[side] = mem_copy(options->identity[side]);
        state_rows_block_init(&state->kept[side]);
    }
    state_queue_init(&state->queue);
    buf_init(&state->value, 0);
    /* Why a state is of no use is told even where the caller asks for no
     * text. */
    r = options->read_only
            ? open_to_read(state, options, log, err != NULL ? err : &local)
            : open_to_write(state, options, log, err != NULL ? err : &local);
    if (r != 0) {
        state_close(state);
        return r;
    }
    *out = state;
    return 0;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    /* Where that fails, the file stays as it is, for another run to try. */
    if (state->is_finished && !state->read_only &&
        state_pack_is_due(state->dir, state->packed))
        (void)state_pack(state->db, state->dir, NULL);
    state_db_close(state->db);
    lock_release(state->lock);
    keywords_free(state->keywords);
    state_queue_deinit(&state->queue);
    state_files_forget(&state->marks, 0);
    buf_deinit(&state->value);
    free(state->dir);
    for (unsigned side = LEFT; side < SIDES; side++) {
        state_rows_block_deinit(&state->kept[side]);
        free(state->identity[side]);
    }
    free(state);
}
