#include <stdint.h>
#include <stdio.h>

#include "store/state_apply.h"
#include "store/state_check.h"
#include "store/state_parts.h"

/* --- the state's own rows ------------------------------------------------------ */

struct writer {
    struct state_tx tx;
    struct err *err;
};

int state_put_text(struct state_tx *tx, enum record_table table,
                   struct bytes key, struct bytes text, struct err *err)
{
    struct buf value;
    int r;

    buf_init(&value, 0);
    record_encode_text(&value, key, text);
    r = state_rows_put(tx, table, key, buf_peek(&value), err);
    buf_deinit(&value);
    return r;
}

static int write_meta(struct writer *writer, const char *name,
                      struct bytes text)
{
    return state_put_text(&writer->tx, RECORD_META, bytes_of(name), text,
                          writer->err);
}

static int write_number(struct writer *writer, const char *name,
                        uint64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);

    return write_meta(writer, name, (struct bytes){text, (size_t)n});
}

static int write_head(struct writer *writer, const struct state *state)
{
    int r = write_number(writer, STATE_SCHEMA_NAME, STATE_SCHEMA);

    if (r == 0) {
        r = write_meta(writer, STATE_LEFT_NAME,
                       bytes_of(state->identity[LEFT]));
    }
    if (r == 0) {
        r = write_meta(writer, STATE_RIGHT_NAME,
                       bytes_of(state->identity[RIGHT]));
    }
    if (r == 0)
        r = write_number(writer, STATE_NEXT_FOLDER_NAME, state->next_folder);
    if (r == 0)
        r = write_number(writer, STATE_NEXT_INTENT_NAME, state->next_intent);
    return r;
}

static int write_sets(struct writer *writer, const struct state *state)
{
    uint32_t n = keywords_count(state->keywords);
    int r = 0;

    for (uint32_t set = state->sets_saved; set < n && r == 0; set++) {
        struct record_key key = record_key_id(set);

        r = state_put_text(&writer->tx, RECORD_KEYWORD, record_key_bytes(&key),
                           keywords_text(state->keywords, set), writer->err);
    }
    return r;
}

/* --- commit ----------------------------------------------------------------- */

static int write_all(struct writer *writer, const struct state *state)
{
    int r = state_apply(&writer->tx, &state->queue, writer->err);

    if (r == 0)
        r = state_files_save(&writer->tx, &state->marks, writer->err);
    if (r == 0)
        r = write_sets(writer, state);
    if (r == 0 && !state->head_saved)
        r = write_head(writer, state);
    return r;
}

static int try_commit(struct state *state, struct err *err)
{
    struct writer writer = {.err = err};
    int r = state_db_write(state->db, &writer.tx, err);

    if (r != 0)
        return r;
    r = write_all(&writer, state);
    if (r == 0)
        r = state_db_commit(&writer.tx, err);
    state_db_end(&writer.tx);
    return r;
}

static bool is_saved(const struct state *state)
{
    return state_queued(state) == 0 && state->head_saved &&
           state->sets_saved == keywords_count(state->keywords);
}

static int call_witnesses(struct state *state, struct err *err)
{
    int r = 0;

    for (unsigned side = LEFT; side < SIDES && r == 0; side++) {
        const struct state_witness *witness = &state->witness[side];

        if (state->pairs_queued && witness->before != NULL)
            r = witness->before(witness->owner, err);
    }
    return r;
}

int state_commit(struct state *state, struct err *err)
{
    int r;

    if (state->read_only || is_saved(state))
        return 0;
    r = call_witnesses(state, err);
    if (r != 0)
        return r;
    for (unsigned side = LEFT; side < SIDES; side++)
        state_rows_block_forget(&state->kept[side]);
    r = try_commit(state, err);
    while (r < 0 && state_db_is_full(state->db)) {
        r = state_db_grow(state->db, 0, err);
        if (r == 0)
            r = try_commit(state, err);
    }
    if (r != 0)
        return r;
    state->commits++;
    state_queue_clear(&state->queue);
    state->pairs_queued = false;
    state_files_forget(&state->marks, 0);
    state->sets_saved = keywords_count(state->keywords);
    state->head_saved = true;
    return 0;
}
