#include "base/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"

#define NAME_BYTES_MAX 16 /* longer than any of IDENTITY_FIELDS */

/*
 *             name, ":", one of ours
 *   LINE_START ---> NAME -----------> VALUE     LF: LINE_START
 *    |   |           | no field, or   |  ^
 *    |   | CR        | another one    |  | blank, in the field before
 *    |   v           v                |  |
 *    |  EMPTY      OTHER  LF: LINE_START (a blank there: OTHER again)
 *    v   v LF
 *    DONE
 */
enum state {
    LINE_START,
    EMPTY, /* only CR so far in this line */
    NAME,
    NAME_BLANK, /* RFC 5322 4.5.8: blanks before the colon, obsolete */
    VALUE,
    OTHER,
    DONE
};

struct identity_reader {
    struct digest *digest;
    enum identity_set set;
    uint8_t sum[DIGEST_BYTES]; /* of the fields' digests, in any order */
    enum state state;
    bool has_header;
    bool in_field; /* the field before the current line is one of ours */
    bool blank;    /* white space was read, but not yet digested */
    bool begun;    /* the value has something else than white space */
    char name[NAME_BYTES_MAX]; /* in upper case */
    size_t n_name;
    size_t n_digested; /* bytes so far, IDENTITY_HEADER_BYTES_MAX at most */
    char out[256];     /* on its way to the digest */
    size_t n_out;
};

struct identity_reader *identity_reader_new(enum identity_set set)
{
    struct identity_reader *reader = MEM_NEW(struct identity_reader);

    reader->set = set;
    reader->digest = digest_new();
    return reader;
}

void identity_reader_free(struct identity_reader *reader)
{
    if (reader == NULL)
        return;
    digest_free(reader->digest);
    free(reader);
}

static void flush(struct identity_reader *reader)
{
    digest_add(reader->digest, (struct bytes){reader->out, reader->n_out});
    reader->n_out = 0;
}

/* Digest one byte. The limit counts these and not those read, so that it cuts
 * at the same place whatever the line ends and the fields between. */
static void put(struct identity_reader *reader, char c)
{
    if (reader->n_digested == IDENTITY_HEADER_BYTES_MAX) {
        reader->state = DONE;
        return;
    }
    reader->n_digested++;
    if (reader->n_out == sizeof(reader->out))
        flush(reader);
    reader->out[reader->n_out++] = c;
}

/* CR is white space wherever it stands: before LF it is trimmed as such. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Is the name that was read one of its set? */
static bool is_ours(const struct identity_reader *reader)
{
    const char *at =
        reader->set == IDENTITY_BY_FIELDS ? IDENTITY_FIELDS : IDENTITY_ENVELOPE;

    if (SABOTAGED(message_id_only))
        at = "MESSAGE-ID";
    while (*at != '\0') {
        size_t len = strcspn(at, " ");

        if (len == reader->n_name && memcmp(at, reader->name, len) == 0)
            return true;
        at += len;
        at += *at == ' ';
    }
    return false;
}

/* Where the order does not count, each field is digested by itself, and the
 * digests are added up: a field that comes twice counts twice. */
static void add_up(struct identity_reader *reader)
{
    uint8_t field[DIGEST_BYTES];

    flush(reader);
    digest_final(reader->digest, field);
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        reader->sum[i] = (uint8_t)(reader->sum[i] + field[i]);
}

/* The field before this line has no more lines. */
static void end_field(struct identity_reader *reader)
{
    if (reader->in_field) {
        put(reader, '\n');
        if (reader->set == IDENTITY_BY_ENVELOPE)
            add_up(reader);
    }
    reader->in_field = false;
    reader->blank = false;
    reader->begun = false;
}

static void on_name(struct identity_reader *reader, char c)
{
    if (reader->n_name == sizeof(reader->name)) {
        reader->state = OTHER;
        return;
    }
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    reader->name[reader->n_name++] = c;
    reader->state = NAME;
}

/* A line that begins with CR and goes on is no field and no folding. */
static void on_junk(struct identity_reader *reader)
{
    end_field(reader);
    if (reader->state != DONE)
        reader->state = OTHER;
}

static void on_line_start(struct identity_reader *reader, char c)
{
    if (c == '\n') {
        end_field(reader);
        reader->state = DONE;
    } else if (c == '\r') {
        reader->state = EMPTY;
    } else if (is_blank(c)) {
        reader->blank = true;
        reader->state = reader->in_field ? VALUE : OTHER;
    } else {
        end_field(reader);
        reader->n_name = 0;
        if (reader->state != DONE)
            on_name(reader, c);
    }
}

static void on_colon(struct identity_reader *reader)
{
    if (!is_ours(reader)) {
        reader->state = OTHER;
        return;
    }
    reader->state = VALUE;
    reader->in_field = true;
    reader->has_header = true;
    for (size_t i = 0; i < reader->n_name; i++)
        put(reader, reader->name[i]);
    put(reader, ':');
}

static void on_value(struct identity_reader *reader, char c)
{
    if (c == '\n') {
        reader->blank = true;
        reader->state = LINE_START;
    } else if (is_blank(c)) {
        reader->blank = true;
    } else {
        if (reader->blank && reader->begun)
            put(reader, ' ');
        put(reader, c);
        reader->blank = false;
        reader->begun = true;
    }
}

static void step(struct identity_reader *reader, char c)
{
    switch (reader->state) {
    case LINE_START:
        on_line_start(reader, c);
        break;
    case EMPTY:
        if (c == '\n') {
            on_line_start(reader, c);
        } else if (c != '\r') {
            on_junk(reader);
        }
        break;
    case NAME:
    case NAME_BLANK:
        if (c == ':') {
            on_colon(reader);
        } else if (c == '\n') {
            reader->state = LINE_START;
        } else if (is_blank(c)) {
            reader->state = NAME_BLANK;
        } else if (reader->state == NAME_BLANK) {
            reader->state = OTHER;
        } else {
            on_name(reader, c);
        }
        break;
    case VALUE:
        on_value(reader, c);
        break;
    case OTHER:
        if (c == '\n')
            reader->state = LINE_START;
        break;
    case DONE:
        break;
    }
}

void identity_reader_add(struct identity_reader *reader, struct bytes text)
{
    while (text.len > 0 && reader->state != DONE) {
        if (reader->state == OTHER) {
            const char *end = memchr(text.ptr, '\n', text.len);

            if (end == NULL)
                return;
            text = bytes_skip(text, (size_t)(end - text.ptr));
        }
        step(reader, text.ptr[0]);
        text = bytes_skip(text, 1);
    }
}

bool identity_reader_done(const struct identity_reader *reader)
{
    return reader->state == DONE;
}

void identity_reader_final(struct identity_reader *reader, struct identity *out)
{
    end_field(reader);
    flush(reader);
    if (reader->set == IDENTITY_BY_ENVELOPE)
        digest_add(reader->digest,
                   (struct bytes){(const char *)reader->sum, DIGEST_BYTES});
    digest_final(reader->digest, out->digest);
    out->has_header = reader->has_header;
    *reader =
        (struct identity_reader){.digest = reader->digest, .set = reader->set};
}
