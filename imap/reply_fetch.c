/* FETCH, item by item. RFC 9051 section 7.5.2. */
#include "imap/date.h"
#include "imap/reply.h"
#include "imap/shown.h"

static bool take_uid(struct reply *reply, struct token *token)
{
    struct session_fetch *data = &reply->fetch.data;
    uint64_t uid;

    if (!token_number(token, UINT32_MAX, &uid))
        return false;
    /* A body may have gone out under the first one. */
    if (uid != 0 && (data->has & FETCH_UID) == 0) {
        data->uid = (uint32_t)uid;
        data->has |= FETCH_UID;
    }
    return true;
}

static bool take_flags(struct reply *reply, struct token *token)
{
    struct session_fetch *data = &reply->fetch.data;

    if (!reply_flags_take(reply, token, &data->flags, NULL))
        return false;
    data->has |= FETCH_FLAGS;
    return true;
}

static bool take_size(struct reply *reply, struct token *token)
{
    struct session_fetch *data = &reply->fetch.data;

    if (!token_number(token, INT64_MAX, &data->size) &&
        !token_float(token, INT64_MAX, &data->size))
        return false;
    data->has |= FETCH_SIZE;
    return true;
}

static bool take_date(struct reply *reply, struct token *token)
{
    struct session_fetch *data = &reply->fetch.data;
    struct bytes text;

    if (!token_string(token, &text))
        return false;
    if (date_parse(text, &data->date))
        data->has |= FETCH_DATE;
    return true;
}

/* "(65402)". RFC 7162: a positive number of 63 bits; others are none. */
static bool take_modseq(struct reply *reply, struct token *token)
{
    struct session_fetch *data = &reply->fetch.data;
    uint64_t modseq;

    if (!token_char(token, '('))
        return false;
    token_blanks(token);
    if (!token_number(token, INT64_MAX, &modseq))
        return false;
    token_blanks(token);
    if (!token_char(token, ')'))
        return false;
    if (modseq != 0) {
        data->modseq = modseq;
        data->has |= FETCH_MODSEQ;
    }
    return true;
}

static const struct {
    struct bytes name;
    /* Takes the value; false where it is not of the usual kind: the value is
     * then skipped, and the item counts as absent. */
    bool (*take)(struct reply *reply, struct token *token);
} items[] = {
    {B_INIT("UID"),          take_uid   },
    {B_INIT("FLAGS"),        take_flags },
    {B_INIT("MODSEQ"),       take_modseq},
    {B_INIT("RFC822.SIZE"),  take_size  },
    {B_INIT("INTERNALDATE"), take_date  },
};

static bool take_value(struct reply *reply, struct token *token,
                       struct bytes name)
{
    struct token start = *token;
    size_t i;

    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        if (!bytes_equal_nocase(name, items[i].name))
            continue;
        if (items[i].take(reply, token))
            return true;
        if (token->limit != NULL)
            return false;
        *token = start;
        break;
    }
    return token_skip(token);
}

/* Take "HEADER.FIELDS ("DATE")]<0>", what stands behind "BODY[". */
static bool take_section(struct token *token, struct bytes *section)
{
    struct bytes any;
    const char *start = token->at;

    while (!token_char(token, ']')) {
        if (!token_string(token, &any)) {
            if (token->at == token->end)
                return false;
            token->at++;
        }
    }
    *section = (struct bytes){start, (size_t)(token->at - start) - 1};
    if (token_char(token, '<'))
        return token_atom(token, &any); /* the origin and ">" */
    return true;
}

/* The value of a BODY[...] item. Returns enum reply_fetch_result; DONE: NIL,
 * or nothing more to do about it. */
static int take_body(struct reply *reply, struct token *token)
{
    struct reply_fetch *fetch = &reply->fetch;
    struct token here;
    struct bytes text;

    if (token_nil(token)) {
        fetch->data.has |= FETCH_BODY_NIL;
        return REPLY_FETCH_DONE;
    }
    here = *token;
    if (token_literal_header(&here, &fetch->body_size) && here.at == here.end) {
        *token = here;
        fetch->data.has |= FETCH_BODY;
        return REPLY_FETCH_STREAM;
    }
    if (!token_string(token, &text))
        return REPLY_FETCH_JUNK;
    buf_clear(&fetch->body);
    (void)buf_add(&fetch->body, text);
    fetch->body_size = text.len;
    fetch->data.has |= FETCH_BODY;
    return REPLY_FETCH_STRING;
}

/* One item and its value. Returns as take_body(). */
static int take_item(struct reply *reply, struct token *token)
{
    struct bytes name;
    struct bytes section;

    if (!token_word(token, &name))
        return REPLY_FETCH_JUNK;
    if (token_char(token, '[')) {
        if (!take_section(token, &section))
            return REPLY_FETCH_JUNK;
        token_blanks(token);
        if (bytes_equal_nocase(name, B("BODY"))) {
            reply->fetch.body_is_header =
                bytes_starts_nocase(section, B("HEADER"));
            return take_body(reply, token);
        }
        return token_skip(token) ? REPLY_FETCH_DONE : REPLY_FETCH_JUNK;
    }
    token_blanks(token);
    return take_value(reply, token, name) ? REPLY_FETCH_DONE : REPLY_FETCH_JUNK;
}

static int take_items(struct reply *reply, struct token *token)
{
    token_blanks(token);
    if (!reply->fetch.begun && !token_char(token, '('))
        return REPLY_FETCH_JUNK;
    reply->fetch.begun = true;
    for (token_blanks(token); !token_char(token, ')'); token_blanks(token)) {
        int r = take_item(reply, token);

        if (r != REPLY_FETCH_DONE)
            return r;
    }
    return token_at_end(token) ? REPLY_FETCH_DONE : REPLY_FETCH_JUNK;
}

int reply_fetch_next(struct reply *reply, struct bytes text, struct err *err)
{
    struct reply_fetch *fetch = &reply->fetch;
    struct token token =
        token_start(bytes_skip(text, fetch->at), &reply->scratch);
    int r = take_items(reply, &token);

    if (token.limit != NULL) {
        return err_set(err, ERR_LIMIT, "%s: %s", token.limit,
                       shown_line(text).text);
    }
    fetch->at = r == REPLY_FETCH_STREAM ? 0 : (size_t)(token.at - text.ptr);
    return r;
}
