/* Lists of flags. RFC 9051 section 2.3.2. */
#include "imap/reply.h"

static const struct {
    struct bytes name;
    uint32_t bit;
} system_flags[] = {
    {B_INIT("Seen"),     FLAG_SEEN    },
    {B_INIT("Answered"), FLAG_ANSWERED},
    {B_INIT("Flagged"),  FLAG_FLAGGED },
    {B_INIT("Deleted"),  FLAG_DELETED },
    {B_INIT("Draft"),    FLAG_DRAFT   },
};

/* The bit of "Seen" and the like; 0 for \Recent and for others. */
static uint32_t system_bit(struct bytes name)
{
    size_t i;

    for (i = 0; i < sizeof(system_flags) / sizeof(system_flags[0]); i++) {
        if (bytes_equal_nocase(name, system_flags[i].name))
            return system_flags[i].bit;
    }
    return 0;
}

static void add_flag(struct reply *reply, struct bytes flag, uint32_t *bits,
                     bool *any)
{
    if (flag.len > 0 && flag.ptr[0] == '\\') {
        flag = bytes_skip(flag, 1);
        *bits |= system_bit(flag);
        if (any != NULL && bytes_equal(flag, B("*")))
            *any = true;
        return;
    }
    if (buf_len(&reply->words) > 0)
        (void)buf_add_char(&reply->words, ' ');
    (void)buf_add(&reply->words, flag);
}

/* One flag: an atom. Seen in the field: in quotes, with or without the
 * backslash doubled. */
static bool take_flag(struct token *token, struct bytes *flag)
{
    struct token quoted = *token;
    const char *at;

    if (!token_char(&quoted, '"'))
        return token_atom(token, flag);
    at = quoted.at;
    (void)token_atom(&quoted, flag);
    *flag = (struct bytes){at, (size_t)(quoted.at - at)};
    if (!token_char(&quoted, '"'))
        return false;
    *token = quoted;
    if (bytes_starts_nocase(*flag, B("\\\\")))
        *flag = bytes_skip(*flag, 1);
    return true;
}

bool reply_flags_take(struct reply *reply, struct token *token,
                      struct flags *flags, bool *any)
{
    struct bytes flag;
    uint32_t bits = 0;
    uint32_t keywords = 0;

    if (token_nil(token)) {
        *flags = (struct flags){0, 0};
        return true;
    }
    if (!token_char(token, '('))
        return false;
    buf_clear(&reply->words);
    for (token_blanks(token); !token_char(token, ')'); token_blanks(token)) {
        if (!take_flag(token, &flag))
            return false;
        add_flag(reply, flag, &bits, any);
    }
    if (buf_len(&reply->words) > 0)
        keywords = keywords_intern(reply->keywords, buf_peek(&reply->words));
    if (keywords == KEYWORDS_REFUSED) {
        token->limit = "too many keywords";
        return false;
    }
    *flags = (struct flags){bits, keywords};
    return true;
}
