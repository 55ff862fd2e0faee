#include "imap/reply.h"

#include <stdlib.h>

#include "imap/shown.h"

void reply_init(struct reply *reply, struct keywords *keywords)
{
    *reply = (struct reply){.keywords = keywords};
    buf_init(&reply->scratch, 0);
    buf_init(&reply->words, 0);
    buf_init(&reply->fetch.body, 0);
}

void reply_deinit(struct reply *reply)
{
    buf_deinit(&reply->scratch);
    buf_deinit(&reply->words);
    buf_deinit(&reply->fetch.body);
    uidset_deinit(&reply->set);
    uidset_deinit(&reply->set2);
    free(reply->numbers);
    reply->numbers = NULL;
}

/* Take OK, NO or BAD. */
static bool take_status(struct token *token, enum session_status *status)
{
    if (token_keyword(token, B("OK"))) {
        *status = IMAP_OK;
    } else if (token_keyword(token, B("NO"))) {
        *status = IMAP_NO;
    } else if (token_keyword(token, B("BAD"))) {
        *status = IMAP_BAD;
    } else {
        return false;
    }
    return true;
}

uint32_t reply_tag(struct bytes text)
{
    uint64_t number;

    if (text.len < 2 || text.ptr[0] != 'a' || text.ptr[1] == '0' ||
        !bytes_to_u64(bytes_skip(text, 1), UINT32_MAX, &number))
        return 0;
    return (uint32_t)number;
}

static int parse_tagged(struct reply *reply, struct token *token,
                        struct session_event *event)
{
    enum session_status status;
    struct bytes tag;

    if (!token_atom(token, &tag))
        return REPLY_JUNK;
    token_blanks(token);
    if (!take_status(token, &status))
        return REPLY_JUNK;
    event->kind = SESSION_TAGGED;
    event->reply.tag = reply_tag(tag);
    event->reply.status = status;
    reply_code_parse(reply, token, event);
    return REPLY_EVENT;
}

/* "+ text". */
static int parse_continuation(struct token *token, struct session_event *event)
{
    token_blanks(token);
    event->kind = SESSION_CONTINUE;
    event->reply.text = token_rest(token);
    return REPLY_EVENT;
}

/* Untagged OK, NO, BAD, BYE and PREAUTH. Exchange leaves out "OK" in front of
 * "[COPYUID ...]". */
static bool parse_status(struct reply *reply, struct token *token,
                         struct session_event *event)
{
    enum session_status status = IMAP_OK;

    event->kind = SESSION_CODE;
    if (token_keyword(token, B("BYE"))) {
        event->kind = SESSION_BYE;
    } else if (token_keyword(token, B("PREAUTH"))) {
        reply->preauth = true;
    } else if (!take_status(token, &status) &&
               !(token->at < token->end && *token->at == '[')) {
        return false;
    }
    event->reply.status = status;
    reply_code_parse(reply, token, event);
    return true;
}

/* "12 EXISTS" and others that begin with a number. */
static int parse_numbered(struct reply *reply, struct token *token,
                          struct bytes text, struct session_event *event)
{
    uint64_t number;
    bool by_uid;

    if (!token_number(token, UINT32_MAX, &number))
        return REPLY_JUNK;
    token_blanks(token);
    by_uid = token_keyword(token, B("UIDFETCH"));
    if (by_uid || token_keyword(token, B("FETCH"))) {
        struct reply_fetch *fetch = &reply->fetch;

        fetch->data = (struct session_fetch){0};
        fetch->begun = false;
        fetch->at = (size_t)(token->at - text.ptr);
        if (by_uid && number != 0) {
            fetch->data.uid = (uint32_t)number;
            fetch->data.has = FETCH_UID;
        }
        return REPLY_FETCH;
    }
    event->number = number;
    if (token_keyword(token, B("EXISTS"))) {
        event->kind = SESSION_EXISTS;
    } else if (token_keyword(token, B("EXPUNGE"))) {
        event->kind = SESSION_EXPUNGE;
        if (number == 0)
            return REPLY_JUNK;
    } else {
        struct bytes word; /* RECENT, and what we do not know */

        return token_word(token, &word) ? REPLY_SILENT : REPLY_JUNK;
    }
    return token_at_end(token) ? REPLY_EVENT : REPLY_JUNK;
}

static bool parse_list(struct reply *reply, struct token *token,
                       struct session_event *event)
{
    (void)reply;
    return reply_list_parse(token, 0, event);
}

static bool parse_lsub(struct reply *reply, struct token *token,
                       struct session_event *event)
{
    (void)reply;
    return reply_list_parse(token, LIST_SUBSCRIBED, event);
}

static bool parse_namespace(struct reply *reply, struct token *token,
                            struct session_event *event)
{
    (void)reply;
    return reply_list_namespace(token, event);
}

static bool parse_mailbox_status(struct reply *reply, struct token *token,
                                 struct session_event *event)
{
    (void)reply;
    return reply_status_parse(token, event);
}

static bool parse_enabled(struct reply *reply, struct token *token,
                          struct session_event *event)
{
    (void)reply;
    event->kind = SESSION_ENABLED;
    event->data = bytes_trim(token_rest(token));
    return true;
}

static const struct {
    struct bytes name;
    bool (*parse)(struct reply *reply, struct token *token,
                  struct session_event *event);
    bool vital; /* what is lost with it would pass for deletions */
} kinds[] = {
    {B_INIT("VANISHED"),  reply_set_vanished,   true },
    {B_INIT("SEARCH"),    reply_set_search,     true },
    {B_INIT("ESEARCH"),   reply_set_esearch,    true },
    {B_INIT("LIST"),      parse_list,           false},
    {B_INIT("LSUB"),      parse_lsub,           false},
    {B_INIT("STATUS"),    parse_mailbox_status, false},
    {B_INIT("NAMESPACE"), parse_namespace,      false},
    {B_INIT("ENABLED"),   parse_enabled,        false},
};

/* Untagged, with a word in front. RFC 9051 section 2.2.2: a client "MUST be
 * prepared to accept any response at all times", so an unknown word is no
 * junk. */
static int parse_named(struct reply *reply, struct token *token,
                       struct bytes text, struct session_event *event,
                       struct err *err)
{
    struct bytes word;
    size_t i;

    if (!token_word(token, &word))
        return REPLY_JUNK;
    token_blanks(token);
    if (bytes_equal_nocase(word, B("CAPABILITY"))) {
        reply->has_capability = true;
        reply->capability = token_rest(token);
        return REPLY_SILENT;
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!bytes_equal_nocase(word, kinds[i].name))
            continue;
        if (kinds[i].parse(reply, token, event))
            return REPLY_EVENT;
        if (kinds[i].vital && token->limit == NULL) {
            return err_set(err, ERR_PROTOCOL, "not understood: %s",
                           shown_line(text).text);
        }
        return REPLY_JUNK;
    }
    return REPLY_SILENT;
}

static int parse_untagged(struct reply *reply, struct token *token,
                          struct bytes text, struct session_event *event,
                          struct err *err)
{
    token_blanks(token);
    if (token->at < token->end && *token->at >= '0' && *token->at <= '9')
        return parse_numbered(reply, token, text, event);
    if (parse_status(reply, token, event))
        return REPLY_EVENT;
    return parse_named(reply, token, text, event, err);
}

int reply_parse(struct reply *reply, struct bytes text,
                struct session_event *event, struct err *err)
{
    struct token token = token_start(text, &reply->scratch);
    int r;

    /* Seen in front of lines, where a buffer was not filled. */
    while (token.at < token.end && *token.at == '\0')
        token.at++;
    *event = (struct session_event){0};
    reply->preauth = false;
    reply->has_capability = false;
    reply->capability = B("");
    reply->search_tag = B("");
    uidset_clear(&reply->set);
    uidset_clear(&reply->set2);
    if (token_keyword(&token, B("*"))) {
        r = parse_untagged(reply, &token, text, event, err);
    } else if (token_keyword(&token, B("+"))) {
        r = parse_continuation(&token, event);
    } else if (token.at < token.end && *token.at == '[') {
        r = parse_status(reply, &token, event) ? REPLY_EVENT : REPLY_JUNK;
    } else {
        r = parse_tagged(reply, &token, event);
    }
    if (r == REPLY_JUNK && token.limit != NULL) {
        return err_set(err, ERR_LIMIT, "%s: %s", token.limit,
                       shown_line(text).text);
    }
    return r;
}
