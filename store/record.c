#include "store/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "store/record_name.h"
#include "store/record_varint.h"

#define VERSION        1
#define FOLDER_VERSION 2 /* 1: one name for both sides, no objects */
#define VERSION_BYTES  1
#define CHECKSUM_BYTES 2

/* In the flags byte of a pair, above FLAGS_SYSTEM. */
#define PAIR_GONE_LEFT  0x20u
#define PAIR_GONE_RIGHT 0x40u
#define PAIR_HAS_DATE   0x80u

/* In the bits of a folder; the first four are shifted by the side. */
#define FOLDER_TOKEN_BIT      1u /* there is a token */
#define FOLDER_EXISTS         4u
#define FOLDER_UNSETTLED      16u /* there is one, but has_token is false */
#define FOLDER_FOLLOWS        64u
#define FOLDER_HAS_SUBSCRIBED 256u
#define FOLDER_SUBSCRIBED     512u
#define FOLDER_HAS_SHOWN      1024u /* shifted by the side */
#define FOLDER_BITS_MAX       4095u

/* The side in a key at @at, if it is one. */
static bool key_side(struct bytes key, size_t at, enum side *side)
{
    uint8_t byte = (uint8_t)key.ptr[at];

    *side = byte == RIGHT ? RIGHT : LEFT;
    return byte == LEFT || byte == RIGHT;
}

/* --- fields of a value ---------------------------------------------------- */

static void put(struct buf *out, uint64_t number, size_t n)
{
    record_key_store(buf_reserve(out, n), number, n);
    buf_commit(out, n);
}

static void put_text(struct buf *out, struct bytes text)
{
    record_varint_put(out, text.len);
    buf_add(out, text);
}

/* What is left to read; a read that fails empties it and says so. */
struct reader {
    struct bytes rest;
    unsigned version;
    bool failed;
};

static struct bytes take(struct reader *reader, uint64_t n)
{
    struct bytes taken = B("");

    if (n > reader->rest.len) {
        reader->failed = true;
        reader->rest = B("");
    } else {
        taken = (struct bytes){reader->rest.ptr, (size_t)n};
        reader->rest = bytes_skip(reader->rest, (size_t)n);
    }
    return taken;
}

static uint64_t take_number(struct reader *reader, size_t n)
{
    struct bytes taken = take(reader, n);

    return record_key_load(taken.ptr, taken.len);
}

static uint64_t take_varint(struct reader *reader, uint64_t max)
{
    uint64_t number = 0;

    if (!record_varint_take(&reader->rest, max, &number)) {
        reader->failed = true;
        reader->rest = B("");
    }
    return number;
}

static uint32_t take_u32(struct reader *reader)
{
    return (uint32_t)take_varint(reader, UINT32_MAX);
}

static uint32_t take_uid(struct reader *reader)
{
    uint32_t uid = take_u32(reader);

    if (uid == 0)
        reader->failed = true;
    return uid;
}

static struct bytes take_text(struct reader *reader)
{
    return take(reader, take_varint(reader, UINT32_MAX));
}

/* --- the frame of a value -------------------------------------------------- */

static uint16_t checksum(struct bytes key, struct bytes value)
{
    uLong sum = crc32(0, (const Bytef *)key.ptr, (uInt)key.len);

    sum = crc32(sum, (const Bytef *)value.ptr, (uInt)value.len);
    return (uint16_t)(sum ^ sum >> 16);
}

/* Start a value; returns where, for finish(). */
static size_t start_version(struct buf *out, unsigned version)
{
    size_t at = buf_len(out);

    put(out, version, VERSION_BYTES);
    return at;
}

static size_t start(struct buf *out)
{
    return start_version(out, VERSION);
}

static void finish(struct buf *out, struct bytes key, size_t at)
{
    put(out, checksum(key, bytes_skip(buf_peek(out), at)), CHECKSUM_BYTES);
}

/* Check the frame; the fields are left to read. @key_len is what the key must
 * have, @max the latest version; reader.version says which one it is. */
static struct reader unframe_version(struct bytes key, size_t key_len,
                                     struct bytes value, unsigned max)
{
    struct reader reader = {.failed = true, .rest = B("")};
    struct bytes body = {value.ptr, 0};

    if (key.len != key_len || value.len < VERSION_BYTES + CHECKSUM_BYTES ||
        value.len > UINT32_MAX)
        return reader;
    body.len = value.len - CHECKSUM_BYTES;
    if (record_key_load(value.ptr + body.len, CHECKSUM_BYTES) !=
        checksum(key, body))
        return reader;
    reader.rest = body;
    reader.version = (unsigned)take_number(&reader, VERSION_BYTES);
    reader.failed = reader.version < VERSION || reader.version > max;
    return reader;
}

static struct reader unframe(struct bytes key, size_t key_len,
                             struct bytes value)
{
    return unframe_version(key, key_len, value, VERSION);
}

/* Was everything read, and nothing too much? */
static bool is_done(const struct reader *reader)
{
    return !reader->failed && reader->rest.len == 0;
}

/* --- the rows ------------------------------------------------------------- */

void record_encode_text(struct buf *out, struct bytes key, struct bytes text)
{
    size_t at = start(out);

    buf_add(out, text);
    finish(out, key, at);
}

bool record_decode_text(struct bytes key, struct bytes value, struct bytes *out)
{
    struct reader reader = unframe(key, key.len, value);

    *out = reader.rest;
    return !reader.failed;
}

void record_encode_uid(struct buf *out, struct bytes key, uint32_t uid)
{
    size_t at = start(out);

    record_varint_put(out, uid);
    finish(out, key, at);
}

bool record_decode_uid(struct bytes key, struct bytes value, uint32_t *out)
{
    struct reader reader = unframe(key, key.len, value);

    *out = take_uid(&reader);
    return is_done(&reader);
}

static void put_token(struct buf *out, const struct folder_token *token)
{
    record_varint_put(out, token->uidvalidity);
    record_varint_put(out, token->uidnext);
    record_varint_put(out, token->messages);
    record_varint_put(out, token->highestmodseq);
    put(out, (uint64_t)token->cur_mtime_ns, 8);
    put(out, (uint64_t)token->new_mtime_ns, 8);
    put(out, token->object, 8);
}

static struct folder_token take_token(struct reader *reader)
{
    struct folder_token token;

    token.uidvalidity = take_u32(reader);
    token.uidnext = take_u32(reader);
    token.messages = take_u32(reader);
    token.highestmodseq = take_varint(reader, UINT64_MAX);
    token.cur_mtime_ns = (int64_t)take_number(reader, 8);
    token.new_mtime_ns = (int64_t)take_number(reader, 8);
    token.object = reader->version > 1 ? take_number(reader, 8) : 0;
    return token;
}

static bool has_identity(const struct state_folder *folder, unsigned side)
{
    return folder->has_token[side] || folder->token[side].uidvalidity != 0;
}

void record_encode_folder(struct buf *out, struct bytes key,
                          const struct state_folder *folder)
{
    size_t at = start_version(out, FOLDER_VERSION);
    bool same = strcmp(folder->name[LEFT], folder->name[RIGHT]) == 0;
    unsigned bits = 0;

    for (unsigned side = LEFT; side < SIDES; side++) {
        bits |= has_identity(folder, side) ? FOLDER_TOKEN_BIT << side : 0;
        bits |= folder->exists[side] ? FOLDER_EXISTS << side : 0;
        bits |= folder->has_token[side] ? 0 : FOLDER_UNSETTLED << side;
        bits |= folder->follows[side] ? FOLDER_FOLLOWS << side : 0;
        bits |= folder->has_shown[side] ? FOLDER_HAS_SHOWN << side : 0;
    }
    bits |= folder->has_subscribed ? FOLDER_HAS_SUBSCRIBED : 0;
    bits |= folder->subscribed ? FOLDER_SUBSCRIBED : 0;
    put(out, bits, 2);
    put_text(out, bytes_of(folder->name[LEFT]));
    put_text(out, same ? B("") : bytes_of(folder->name[RIGHT]));
    for (unsigned side = LEFT; side < SIDES; side++) {
        if (has_identity(folder, side))
            put_token(out, &folder->token[side]);
    }
    for (unsigned side = LEFT; side < SIDES; side++) {
        if (!folder->has_shown[side])
            continue;
        record_varint_put(out, folder->shown[side].system & FLAGS_SYSTEM);
        record_varint_put(out, folder->shown[side].keywords);
    }
    finish(out, key, at);
}

static bool is_name(struct bytes name)
{
    return name.len > 0 && memchr(name.ptr, '\0', name.len) == NULL;
}

bool record_decode_folder(struct bytes key, struct bytes value,
                          struct state_folder *out)
{
    struct reader reader = unframe_version(key, 4, value, FOLDER_VERSION);
    bool old = reader.version == 1;
    uint64_t bits = take_number(&reader, old ? 1 : 2);
    struct bytes left = take_text(&reader);
    struct bytes right = old ? B("") : take_text(&reader);

    *out = (struct state_folder){0};
    if (right.len == 0)
        right = left;
    for (unsigned side = LEFT; side < SIDES; side++) {
        bool stored = (bits & FOLDER_TOKEN_BIT << side) != 0;

        out->exists[side] = (bits & FOLDER_EXISTS << side) != 0;
        out->follows[side] = (bits & FOLDER_FOLLOWS << side) != 0;
        out->has_token[side] = stored && (bits & FOLDER_UNSETTLED << side) == 0;
        if (stored)
            out->token[side] = take_token(&reader);
    }
    for (unsigned side = LEFT; side < SIDES; side++) {
        out->has_shown[side] = (bits & FOLDER_HAS_SHOWN << side) != 0;
        if (!out->has_shown[side])
            continue;
        out->shown[side].system = (uint32_t)take_varint(&reader, FLAGS_SYSTEM);
        out->shown[side].keywords = take_u32(&reader);
    }
    out->has_subscribed = (bits & FOLDER_HAS_SUBSCRIBED) != 0;
    out->subscribed = (bits & FOLDER_SUBSCRIBED) != 0;
    if (!is_done(&reader) || bits > FOLDER_BITS_MAX || !is_name(left) ||
        !is_name(right))
        return false;
    out->id = (uint32_t)record_key_load(key.ptr, 4);
    if (out->id == 0)
        return false;
    out->name[LEFT] = mem_text(left);
    out->name[RIGHT] = mem_text(right);
    return true;
}

void record_encode_counts(struct buf *out, struct bytes key,
                          const struct record_counts *counts)
{
    size_t at = start(out);

    record_varint_put(out, counts->pairs);
    for (unsigned side = LEFT; side < SIDES; side++) {
        record_varint_put(out, counts->gone[side]);
        record_varint_put(out, counts->apart[side]);
    }
    finish(out, key, at);
}

bool record_decode_counts(struct bytes key, struct bytes value,
                          struct record_counts *out)
{
    struct reader reader = unframe(key, 4, value);

    out->pairs = take_u32(&reader);
    for (unsigned side = LEFT; side < SIDES; side++) {
        out->gone[side] = take_u32(&reader);
        out->apart[side] = take_u32(&reader);
    }
    return is_done(&reader);
}

/* --- rows in blocks ------------------------------------------------------- */

void record_list_add(struct buf *list, uint32_t uid)
{
    record_varint_put(list, uid);
}

bool record_list_next(struct bytes *list, uint32_t *uid)
{
    uint64_t number;

    if (!record_varint_take(list, UINT32_MAX, &number) || number == 0)
        return false;
    *uid = (uint32_t)number;
    return true;
}

bool record_list_valid(struct bytes list)
{
    uint32_t uid;
    bool any = list.len > 0;

    while (list.len > 0) {
        if (!record_list_next(&list, &uid))
            return false;
    }
    return any;
}

void record_encode_right(struct buf *out, uint32_t uid)
{
    record_varint_put(out, uid);
}

bool record_decode_right(struct bytes value, uint32_t *out)
{
    return record_list_next(&value, out) && value.len == 0;
}

void record_encode_pair(struct buf *out, const struct state_pair *pair)
{
    unsigned bits = pair->flags.system & FLAGS_SYSTEM;

    bits |= pair->gone[LEFT] ? PAIR_GONE_LEFT : 0;
    bits |= pair->gone[RIGHT] ? PAIR_GONE_RIGHT : 0;
    bits |= pair->date > 0 ? PAIR_HAS_DATE : 0;
    put(out, bits, 1);
    record_varint_put(out, pair->uid[RIGHT]);
    record_varint_put(out, pair->flags.keywords);
    record_varint_put(out, pair->size);
    if (pair->date > 0)
        record_varint_put(out, (uint64_t)pair->date);
}

bool record_decode_pair(struct bytes key, struct bytes value,
                        struct state_pair *out)
{
    struct reader reader = {.rest = value, .failed = key.len != 8};
    uint32_t bits = (uint32_t)take_number(&reader, 1);

    out->flags.system = bits & FLAGS_SYSTEM;
    out->gone[LEFT] = (bits & PAIR_GONE_LEFT) != 0;
    out->gone[RIGHT] = (bits & PAIR_GONE_RIGHT) != 0;
    out->uid[RIGHT] = take_uid(&reader);
    out->flags.keywords = take_u32(&reader);
    out->size = take_varint(&reader, UINT64_MAX);
    out->date = 0;
    if ((bits & PAIR_HAS_DATE) != 0)
        out->date = (int64_t)take_varint(&reader, INT64_MAX);
    if (!is_done(&reader) || (out->date == 0) != ((bits & PAIR_HAS_DATE) == 0))
        return false;
    out->uid[LEFT] = (uint32_t)record_key_load(key.ptr + 4, 4);
    return out->uid[LEFT] != 0;
}

void record_encode_apart(struct buf *out, struct bytes key,
                         const struct state_apart *apart)
{
    size_t at = start(out);

    put(out, apart->kind, 1);
    record_varint_put(out, apart->size);
    record_varint_put(out, apart->limit);
    put_text(out,
             (struct bytes){apart->reason,
                            strnlen(apart->reason, sizeof(apart->reason) - 1)});
    finish(out, key, at);
}

bool record_decode_apart(struct bytes key, struct bytes value,
                         struct state_apart *out)
{
    struct reader reader = unframe(key, 9, value);
    uint64_t kind = take_number(&reader, 1);
    struct bytes reason;

    *out = (struct state_apart){0};
    out->size = take_varint(&reader, UINT64_MAX);
    out->limit = take_varint(&reader, UINT64_MAX);
    reason = take_text(&reader);
    if (!is_done(&reader) || kind >= APART_KINDS ||
        reason.len >= sizeof(out->reason))
        return false;
    memcpy(out->reason, reason.ptr, reason.len);
    out->kind = (enum apart_kind)kind;
    out->folder = (uint32_t)record_key_load(key.ptr, 4);
    out->uid = (uint32_t)record_key_load(key.ptr + 5, 4);
    return key_side(key, 4, &out->side);
}

void record_encode_intent(struct buf *out, struct bytes key,
                          const struct state_intent *intent)
{
    size_t at = start(out);

    record_varint_put(out, intent->folder);
    put(out, intent->side, 1);
    record_varint_put(out, intent->source_uid);
    record_varint_put(out, intent->target_uidvalidity);
    record_varint_put(out, intent->target_uidnext);
    record_varint_put(out, intent->size);
    put(out, (uint64_t)intent->date, 8);
    finish(out, key, at);
}

bool record_decode_intent(struct bytes key, struct bytes value,
                          struct state_intent *out)
{
    struct reader reader = unframe(key, 8, value);
    uint64_t side;

    out->folder = take_u32(&reader);
    side = take_number(&reader, 1);
    out->source_uid = take_u32(&reader);
    out->target_uidvalidity = take_u32(&reader);
    out->target_uidnext = take_u32(&reader);
    out->size = take_varint(&reader, UINT64_MAX);
    out->date = (int64_t)take_number(&reader, 8);
    if (!is_done(&reader) || side > RIGHT)
        return false;
    out->side = (enum side)side;
    out->number = record_key_load(key.ptr, 8);
    return true;
}

static bool folder_valid(struct bytes key, struct bytes value)
{
    struct state_folder folder;
    bool valid = record_decode_folder(key, value, &folder);

    free(folder.name[LEFT]);
    free(folder.name[RIGHT]);
    return valid;
}

bool record_valid(enum record_table table, struct bytes key, struct bytes value)
{
    union {
        struct bytes text;
        struct record_counts counts;
        struct state_pair pair;
        struct state_apart apart;
        struct state_intent intent;
        struct record_name name;
        uint32_t uid;
        enum side side;
    } row;

    switch (table) {
    case RECORD_META:
        return record_decode_text(key, value, &row.text);
    case RECORD_KEYWORD:
    case RECORD_HOST:
        return key.len == 4 && record_decode_text(key, value, &row.text);
    case RECORD_FOLDER:
        return folder_valid(key, value);
    case RECORD_COUNTS:
        return record_decode_counts(key, value, &row.counts);
    case RECORD_PAIR:
        return record_decode_pair(key, value, &row.pair);
    case RECORD_RIGHT:
        return key.len == 8 && record_decode_right(value, &row.uid);
    case RECORD_FILE:
        return key.len == 9 && key_side(key, 0, &row.side) &&
               record_name_decode(value, &row.name);
    case RECORD_LAST:
        return key.len == 5 && key_side(key, 0, &row.side) &&
               record_decode_uid(key, value, &row.uid);
    case RECORD_NAME:
        return key.len == 13 && key_side(key, 0, &row.side) &&
               record_list_valid(value);
    case RECORD_APART:
        return record_decode_apart(key, value, &row.apart);
    case RECORD_INTENT:
        return record_decode_intent(key, value, &row.intent);
    case RECORD_OLD_PAIR:
        return record_decode_text(key, value, &row.text) &&
               record_decode_pair(key, row.text, &row.pair);
    case RECORD_OLD_RIGHT:
        return key.len == 8 && record_decode_uid(key, value, &row.uid);
    case RECORD_OLD_FILE:
        return key.len == 9 && key_side(key, 0, &row.side) &&
               record_decode_text(key, value, &row.text);
    case RECORD_OLD_NAME:
        return record_decode_text(key, value, &row.text);
    case RECORD_TABLES:
        break;
    }
    return false;
}
