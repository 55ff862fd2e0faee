/* STATUS. RFC 9051 section 7.3.4. */
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

/* One name and its value; values that make no sense are as good as none. */
static bool take_item(struct token *token, struct session_status_data *status)
{
    struct bytes name;
    uint64_t value;
    size_t i;

    if (!token_atom(token, &name))
        return false;
    token_blanks(token);
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

/* "name (MESSAGES 231 UIDNEXT 44292 )". */
bool reply_status_parse(struct token *token, struct session_event *event)
{
    struct session_status_data *status = &event->status;

    event->kind = SESSION_STATUS;
    if (!token_astring(token, &status->name))
        return false;
    token_blanks(token);
    if (!token_char(token, '('))
        return false;
    for (token_blanks(token); !token_char(token, ')'); token_blanks(token)) {
        if (!take_item(token, status))
            return false;
    }
    return token_at_end(token);
}
