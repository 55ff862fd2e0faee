/* STATUS. RFC 9051 section 7.3.4. */
#include <string.h>

#include "imap/reply.h"

static const struct {
    struct bytes name;
    uint32_t bit;
    uint64_t max;
} items[] = {
    {B_INIT("MESSAGES"),      STATUS_MESSAGES,      UINT32_MAX},
    {B_INIT("UIDNEXT"),       STATUS_UIDNEXT,       UINT32_MAX},
    {B_INIT("UIDVALIDITY"),   STATUS_UIDVALIDITY,   UINT32_MAX},
    {B_INIT("HIGHESTMODSEQ"), STATUS_HIGHESTMODSEQ, INT64_MAX },
    {B_INIT("SIZE"),          STATUS_SIZE,          INT64_MAX },
};

static void set_item(struct session_status_data *status, uint32_t bit,
                     uint64_t value)
{
    status->has |= bit;
    switch (bit) {
    case STATUS_MESSAGES:
        status->messages = (uint32_t)value;
        break;
    case STATUS_UIDNEXT:
        status->uidnext = (uint32_t)value;
        break;
    case STATUS_UIDVALIDITY:
        status->uidvalidity = (uint32_t)value;
        break;
    case STATUS_HIGHESTMODSEQ:
        status->highestmodseq = value;
        break;
    default:
        status->size = value;
        break;
    }
}

/* Is a 0 a value, and not the confession that there is none? */
static bool may_be_zero(uint32_t bit)
{
    return bit == STATUS_MESSAGES || bit == STATUS_SIZE;
}

/* RFC 8474 section 7: objectid = 1*255(ALPHA / DIGIT / "_" / "-"). */
static bool is_object_id(struct bytes id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789_-";

    for (size_t i = 0; i < id.len; i++) {
        if (memchr(allowed, id.ptr[i], sizeof(allowed) - 1) == NULL)
            return false;
    }
    return id.len >= 1 && id.len <= 255;
}

/* FNV-1a, and never 0. */
static uint64_t hash(struct bytes id)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.ptr[i]) * 1099511628211u;
    return hash != 0 ? hash : 1;
}

/* "(F2212ea87-6097-4256-9d51-71338625)". Returns false, with the cursor where it
 * was, where that is not what there is. */
static bool take_mailbox_id(struct token *token,
                            struct session_status_data *status)
{
    struct token ahead = *token;
    struct bytes id;

    if (!token_char(&ahead, '('))
        return false;
    token_blanks(&ahead);
    if (!token_atom(&ahead, &id))
        return false;
    token_blanks(&ahead);
    if (!token_char(&ahead, ')') || !is_object_id(id))
        return false;
    status->mailbox_id = hash(id);
    *token = ahead;
    return true;
}

/* One name and its value; values that make no sense are as good as none. */
static bool take_item(struct token *token, struct session_status_data *status)
{
    struct bytes name;
    uint64_t value;
    size_t i;

    if (!token_atom(token, &name))
        return false;
    token_blanks(token);
    if (bytes_equal_nocase(name, B("MAILBOXID")) &&
        take_mailbox_id(token, status))
        return true;
    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        if (!bytes_equal_nocase(name, items[i].name) ||
            !token_number(token, items[i].max, &value))
            continue;
        if (value > 0 || may_be_zero(items[i].bit))
            set_item(status, items[i].bit, value);
        return true;
    }
    return token_skip(token);
}

static bool is_mailbox_id_at(const char *at, const char *end)
{
    static const struct bytes name = B_INIT("MAILBOXID");

    return (size_t)(end - at) > name.len &&
           bytes_equal_nocase((struct bytes){at, name.len}, name);
}

/* "(MESSAGES 231 UIDNEXT 44292 )". Cyrus 3.6.1 sends other bytes as MAILBOXID,
 * which comes last: they take nothing from what was before. */
static bool take_items(struct token *token, struct session_status_data *status)
{
    token_blanks(token);
    if (!token_char(token, '('))
        return false;
    for (token_blanks(token); !token_char(token, ')'); token_blanks(token)) {
        const char *before = token->at;

        if (take_item(token, status))
            continue;
        return token->limit == NULL && is_mailbox_id_at(before, token->end);
    }
    return token_at_end(token);
}

/* GNU mailutils quotes no name, not even one with blanks: take all before the
 * last " (". */
static bool take_bare_name(struct token *token, struct bytes *name)
{
    struct bytes rest = token_rest(token);
    size_t len = rest.len;

    while (len > 1 && !(rest.ptr[len - 2] == ' ' && rest.ptr[len - 1] == '('))
        len--;
    if (len < 3 || *rest.ptr == '"' || *rest.ptr == '{')
        return false;
    *name = (struct bytes){rest.ptr, len - 2};
    token->at = rest.ptr + len - 2;
    return true;
}

/* "name (MESSAGES 231 UIDNEXT 44292 )". */
bool reply_status_parse(struct token *token, struct session_event *event)
{
    struct session_status_data *status = &event->status;
    struct token bare = *token;

    event->kind = SESSION_STATUS;
    if (token_astring(token, &status->name) && take_items(token, status))
        return true;
    if (token->limit != NULL || !take_bare_name(&bare, &status->name))
        return false;
    *token = bare;
    status->has = 0;
    status->mailbox_id = 0;
    return take_items(token, status);
}
