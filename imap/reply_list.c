/* LIST, LSUB and NAMESPACE. RFC 9051 sections 7.3.1 and 7.3.3. */
#include "imap/reply.h"

static const struct {
    struct bytes name;
    uint32_t bit;
} attributes[] = {
    {B_INIT("\\Noselect"),    LIST_NOSELECT   },
    {B_INIT("\\NonExistent"), LIST_NOSELECT   },
    {B_INIT("\\Noinferiors"), LIST_NOINFERIORS},
    {B_INIT("\\Subscribed"),  LIST_SUBSCRIBED },
    {B_INIT("\\HasChildren"), LIST_HASCHILDREN},
    {B_INIT("\\All"),         LIST_USE_ALL    },
    {B_INIT("\\Archive"),     LIST_USE_ARCHIVE},
    {B_INIT("\\Drafts"),      LIST_USE_DRAFTS },
    {B_INIT("\\Flagged"),     LIST_USE_FLAGGED},
    {B_INIT("\\Junk"),        LIST_USE_JUNK   },
    {B_INIT("\\Sent"),        LIST_USE_SENT   },
    {B_INIT("\\Trash"),       LIST_USE_TRASH  },
    {B_INIT("\\Important"),   LIST_IMPORTANT  },
};

uint32_t reply_list_attribute(struct bytes name)
{
    size_t i;

    for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (bytes_equal_nocase(name, attributes[i].name))
            return attributes[i].bit;
    }
    return 0;
}

static bool take_attributes(struct token *token, uint32_t *bits)
{
    struct bytes name;

    if (token_nil(token))
        return true;
    if (!token_char(token, '('))
        return false;
    for (token_blanks(token); !token_char(token, ')'); token_blanks(token)) {
        if (!token_atom(token, &name))
            return false;
        *bits |= reply_list_attribute(name);
    }
    return true;
}

/* One character in quotes, or NIL; an empty string stands for NIL. */
static bool take_delimiter(struct token *token, char *delimiter)
{
    struct bytes text;

    *delimiter = '\0';
    if (token_nil(token))
        return true;
    if (!token_string(token, &text) || text.len > 1)
        return false;
    if (text.len == 1)
        *delimiter = text.ptr[0];
    return true;
}

/* "(\HasNoChildren) "/" "name"", and extended data in parentheses. */
bool reply_list_parse(struct token *token, uint32_t bits,
                      struct session_event *event)
{
    struct session_list *list = &event->list;

    event->kind = SESSION_LIST;
    list->attributes = bits;
    if (!take_attributes(token, &list->attributes))
        return false;
    token_blanks(token);
    if (!take_delimiter(token, &list->delimiter))
        return false;
    token_blanks(token);
    if (!token_astring(token, &list->name))
        return false;
    return token_at_end(token) ||
           (*token->at == '(' && token_skip(token) && token_at_end(token));
}

/* "(("INBOX." ".")) NIL NIL": the first of the first list. */
bool reply_list_namespace(struct token *token, struct session_event *event)
{
    event->kind = SESSION_NAMESPACE;
    event->name_space.prefix = B("");
    if (token_nil(token))
        return true;
    if (!token_char(token, '('))
        return false;
    token_blanks(token);
    if (!token_char(token, '('))
        return false;
    token_blanks(token);
    if (!token_string(token, &event->name_space.prefix))
        return false;
    token_blanks(token);
    return take_delimiter(token, &event->name_space.delimiter);
}
