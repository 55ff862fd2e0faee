/* Response codes: "[UIDNEXT 4392] predicted next UID". RFC 9051 section 7.1 */
#include "imap/reply.h"

enum argument {
    ARG_NONE,
    ARG_NUMBER, /* of 32 bits */
    ARG_MODSEQ, /* of 63 bits */
    ARG_SET,
    ARG_APPENDUID,
    ARG_COPYUID,
    ARG_FLAGS
};

static const struct {
    struct bytes name;
    enum session_code code;
    enum argument argument;
} codes[] = {
    {B_INIT("ALERT"),                CODE_ALERT,                ARG_NONE     },
    {B_INIT("ALREADYEXISTS"),        CODE_ALREADYEXISTS,        ARG_NONE     },
    {B_INIT("APPENDUID"),            CODE_APPENDUID,            ARG_APPENDUID},
    {B_INIT("AUTHENTICATIONFAILED"), CODE_AUTHENTICATIONFAILED, ARG_NONE     },
    {B_INIT("AUTHORIZATIONFAILED"),  CODE_AUTHORIZATIONFAILED,  ARG_NONE     },
    {B_INIT("CANNOT"),               CODE_CANNOT,               ARG_NONE     },
    {B_INIT("CLOSED"),               CODE_CLOSED,               ARG_NONE     },
    {B_INIT("COPYUID"),              CODE_COPYUID,              ARG_COPYUID  },
    {B_INIT("EXPIRED"),              CODE_EXPIRED,              ARG_NONE     },
    {B_INIT("HIGHESTMODSEQ"),        CODE_HIGHESTMODSEQ,        ARG_MODSEQ   },
    {B_INIT("INUSE"),                CODE_INUSE,                ARG_NONE     },
    {B_INIT("LIMIT"),                CODE_LIMIT,                ARG_NONE     },
    {B_INIT("MODIFIED"),             CODE_MODIFIED,             ARG_SET      },
    {B_INIT("NOMODSEQ"),             CODE_NOMODSEQ,             ARG_NONE     },
    {B_INIT("NONEXISTENT"),          CODE_NONEXISTENT,          ARG_NONE     },
    {B_INIT("NOPERM"),               CODE_NOPERM,               ARG_NONE     },
    {B_INIT("OVERQUOTA"),            CODE_OVERQUOTA,            ARG_NONE     },
    {B_INIT("PERMANENTFLAGS"),       CODE_PERMANENTFLAGS,       ARG_FLAGS    },
    {B_INIT("PRIVACYREQUIRED"),      CODE_PRIVACYREQUIRED,      ARG_NONE     },
    {B_INIT("READ-ONLY"),            CODE_READ_ONLY,            ARG_NONE     },
    {B_INIT("READ-WRITE"),           CODE_READ_WRITE,           ARG_NONE     },
    {B_INIT("SERVERBUG"),            CODE_SERVERBUG,            ARG_NONE     },
    {B_INIT("THROTTLED"),            CODE_THROTTLED,            ARG_NONE     },
    {B_INIT("TOOBIG"),               CODE_TOOBIG,               ARG_NONE     },
    {B_INIT("TRYCREATE"),            CODE_TRYCREATE,            ARG_NONE     },
    {B_INIT("UIDNEXT"),              CODE_UIDNEXT,              ARG_NUMBER   },
    {B_INIT("UIDNOTSTICKY"),         CODE_UIDNOTSTICKY,         ARG_NONE     },
    {B_INIT("UIDVALIDITY"),          CODE_UIDVALIDITY,          ARG_NUMBER   },
    {B_INIT("UNAVAILABLE"),          CODE_UNAVAILABLE,          ARG_NONE     },
};

/* The number at *@at, which is moved behind it. */
static uint64_t next_number(const char **at, const char *end)
{
    uint64_t value = 0;

    for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    return value;
}

/*
 * Take a set that is written in rising order. These sets are matched UID by
 * UID in the order of listing (RFC 4315 section 3), and struct uidset knows
 * the rising order only. A range is rising however it is written.
 */
static bool take_rising_set(struct token *token, struct uidset *set)
{
    const char *at = token->at;
    uint64_t highest = 0;

    if (!reply_set_take(token, set))
        return false;
    while (at < token->at) {
        uint64_t a = next_number(&at, token->at);
        uint64_t b = a;

        if (at < token->at && *at == ':') {
            at++;
            b = next_number(&at, token->at);
        }
        if (a <= highest || b <= highest)
            return false;
        highest = a < b ? b : a;
        at += at < token->at; /* the comma */
    }
    return true;
}

/* "38505 3955:3956". */
static bool take_appenduid(struct token *token, uint64_t *uidvalidity,
                           struct uidset *set)
{
    if (!token_number(token, UINT32_MAX, uidvalidity) || *uidvalidity == 0)
        return false;
    token_blanks(token);
    return take_rising_set(token, set);
}

/* "38505 304,319:320 3956:3958". */
static bool take_copyuid(struct reply *reply, struct token *token,
                         uint64_t *uidvalidity)
{
    if (!take_appenduid(token, uidvalidity, &reply->set2))
        return false;
    token_blanks(token);
    return take_rising_set(token, &reply->set) &&
           uidset_count(&reply->set) == uidset_count(&reply->set2);
}

static bool take_storable(struct reply *reply, struct token *token,
                          struct flags_storable *storable)
{
    struct flags flags;

    if (!reply_flags_take(reply, token, &flags, &storable->any_keyword))
        return false;
    storable->system = flags.system;
    storable->keywords = flags.keywords;
    return true;
}

static bool take_argument(struct reply *reply, struct token *token,
                          enum argument argument, struct session_reply *out)
{
    token_blanks(token);
    switch (argument) {
    case ARG_NUMBER:
        return token_number(token, UINT32_MAX, &out->number);
    case ARG_MODSEQ:
        return token_number(token, INT64_MAX, &out->number);
    case ARG_SET:
        return reply_set_take(token, &reply->set);
    case ARG_APPENDUID:
        return take_appenduid(token, &out->number, &reply->set);
    case ARG_COPYUID:
        return take_copyuid(reply, token, &out->number);
    case ARG_FLAGS:
        return take_storable(reply, token, &out->storable);
    case ARG_NONE:
        break;
    }
    return true;
}

/* What is not understood is an unknown code and nothing more. */
static void forget_argument(struct reply *reply, struct session_reply *out)
{
    out->code = CODE_UNKNOWN;
    out->number = 0;
    out->storable = (struct flags_storable){0};
    uidset_clear(&reply->set);
    uidset_clear(&reply->set2);
}

/* "[CAPABILITY IMAP4rev1 ...]". */
static void note_capability(struct reply *reply, const struct token *token)
{
    struct bytes text = token_rest(token);
    size_t n = 0;

    while (n < text.len && text.ptr[n] != ']')
        n++;
    reply->has_capability = true;
    reply->capability = (struct bytes){text.ptr, n};
}

static void parse_code(struct reply *reply, struct token *token,
                       struct session_reply *out)
{
    struct bytes name;
    size_t i;

    out->code = CODE_UNKNOWN;
    if (!token_word(token, &name))
        return;
    if (bytes_equal_nocase(name, B("CAPABILITY")))
        note_capability(reply, token);
    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (!bytes_equal_nocase(name, codes[i].name))
            continue;
        out->code = codes[i].code;
        if (!take_argument(reply, token, codes[i].argument, out))
            forget_argument(reply, out);
        return;
    }
}

void reply_code_parse(struct reply *reply, struct token *token,
                      struct session_event *event)
{
    struct session_reply *out = &event->reply;

    token_blanks(token);
    out->text = token_rest(token);
    out->set = &reply->set;
    out->set2 = &reply->set2;
    if (token_char(token, '['))
        parse_code(reply, token, out);
    if (out->code == CODE_UNKNOWN)
        token->limit = NULL;
}
