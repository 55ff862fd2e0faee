#include "imap/token.h"

#include <string.h>

#include "imap/session.h"

struct token token_start(struct bytes text, struct buf *scratch)
{
    buf_clear(scratch);
    return (struct token){text.ptr, text.ptr + text.len, scratch, NULL};
}

struct bytes token_rest(const struct token *token)
{
    return (struct bytes){token->at, (size_t)(token->end - token->at)};
}

void token_blanks(struct token *token)
{
    while (token->at < token->end && *token->at == ' ')
        token->at++;
}

bool token_at_end(struct token *token)
{
    token_blanks(token);
    return token->at == token->end;
}

bool token_char(struct token *token, char c)
{
    if (token->at == token->end || *token->at != c)
        return false;
    token->at++;
    return true;
}

/* Does an atom end before @c? Brackets, backslashes and the like stand in
 * flags of real servers. */
static bool ends_atom(char c)
{
    return c == ' ' || c == '(' || c == ')' || c == '"' || c == '\r' ||
           c == '\n';
}

/* Does an atom end here? "]" ends a response code. */
static bool at_boundary(const char *at, const struct token *token)
{
    return at == token->end || ends_atom(*at) || *at == ']';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) ||
           c == '.' || c == '-' || c == '_';
}

/* Give out all from the front up to @end, which must not be nothing. */
static bool take_until(struct token *token, const char *end, struct bytes *out)
{
    if (end == token->at)
        return false;
    *out = (struct bytes){token->at, (size_t)(end - token->at)};
    token->at = end;
    return true;
}

bool token_atom(struct token *token, struct bytes *out)
{
    const char *at = token->at;

    while (at < token->end && !ends_atom(*at))
        at++;
    return take_until(token, at, out);
}

bool token_word(struct token *token, struct bytes *out)
{
    const char *at = token->at;

    while (at < token->end && is_word(*at))
        at++;
    return take_until(token, at, out);
}

bool token_keyword(struct token *token, struct bytes word)
{
    if (!bytes_starts_nocase(token_rest(token), word) ||
        !at_boundary(token->at + word.len, token))
        return false;
    token->at += word.len;
    return true;
}

bool token_nil(struct token *token)
{
    return token_keyword(token, B("NIL"));
}

/* Digits from @at on, as a number; returns the place behind, or NULL. */
static const char *digits(const struct token *token, const char *at,
                          uint64_t max, uint64_t *out)
{
    const char *end = at;

    while (end < token->end && is_digit(*end))
        end++;
    return bytes_to_u64((struct bytes){at, (size_t)(end - at)}, max, out)
               ? end
               : NULL;
}

/* Take "e+06"; nothing, too. */
static bool take_exponent(struct token *token, int *exponent)
{
    const char *end;
    uint64_t value;
    bool minus;

    *exponent = 0;
    if (!token_char(token, 'e') && !token_char(token, 'E'))
        return true;
    minus = token_char(token, '-');
    if (!minus)
        token_char(token, '+');
    end = digits(token, token->at, 30, &value);
    if (end == NULL)
        return false;
    token->at = end;
    *exponent = minus ? -(int)value : (int)value;
    return true;
}

/* @value times ten to @exponent, 0 where that passes @max. */
static uint64_t scale(uint64_t value, int exponent, uint64_t max)
{
    for (; exponent > 0 && value != 0; exponent--)
        value = value > max / 10 ? 0 : value * 10;
    for (; exponent < 0; exponent++)
        value /= 10;
    return value;
}

bool token_float(struct token *token, uint64_t max, uint64_t *out)
{
    const char *start = token->at;
    const char *end = digits(token, start, max, out);
    int exponent;
    int point = 0;

    if (end == NULL)
        return false;
    token->at = end;
    if (token_char(token, '.')) {
        for (; token->at < token->end && is_digit(*token->at); token->at++) {
            if (*out > (max - 9) / 10)
                continue;
            *out = *out * 10 + (uint64_t)(*token->at - '0');
            point--;
        }
    }
    if (take_exponent(token, &exponent) && at_boundary(token->at, token)) {
        *out = scale(*out, point + exponent, max);
        return true;
    }
    token->at = start;
    return false;
}

bool token_number(struct token *token, uint64_t max, uint64_t *out)
{
    uint64_t value;
    const char *end = digits(token, token->at, max, &value);

    if (end == NULL || !at_boundary(end, token))
        return false;
    *out = value;
    token->at = end;
    return true;
}

bool token_literal_header(struct token *token, uint64_t *size)
{
    struct token here = *token;

    (void)token_char(&here, '~');
    if (!token_char(&here, '{'))
        return false;
    here.at = digits(&here, here.at, INT64_MAX, size);
    if (here.at == NULL)
        return false;
    (void)token_char(&here, '+');
    if (!token_char(&here, '}'))
        return false;
    *token = here;
    return true;
}

static bool take_literal(struct token *token, struct bytes *out)
{
    struct token here = *token;
    uint64_t size;

    if (!token_literal_header(&here, &size))
        return false;
    (void)token_char(&here, '\r');
    if (!token_char(&here, '\n') || size > (uint64_t)(here.end - here.at))
        return false;
    *out = (struct bytes){here.at, (size_t)size};
    here.at += size;
    *token = here;
    return true;
}

/* Quoted text without its backslashes. */
static struct bytes unescape(struct buf *scratch, struct bytes raw)
{
    size_t start = buf_len(scratch);
    size_t i;

    for (i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\\' && i + 1 < raw.len)
            i++;
        (void)buf_add_char(scratch, raw.ptr[i]);
    }
    return bytes_skip(buf_peek(scratch), start);
}

/*
 * The quote that ends a quoted string whose content begins at @at, or NULL.
 * Some servers forget the backslash of a quote inside: the one that ends the
 * string is one behind which an atom would end.
 */
static const char *find_quote(const struct token *token, const char *at)
{
    for (; at < token->end && *at != '\r' && *at != '\n'; at++) {
        if (*at == '"' && at_boundary(at + 1, token))
            return at;
        if (*at == '\\' && ++at == token->end)
            return NULL;
    }
    return NULL;
}

static bool take_quoted(struct token *token, struct bytes *out)
{
    struct token here = *token;
    const char *quote;

    if (!token_char(&here, '"'))
        return false;
    quote = find_quote(token, here.at);
    if (quote == NULL)
        return false;
    *out = (struct bytes){here.at, (size_t)(quote - here.at)};
    if (memchr(out->ptr, '\\', out->len) != NULL) {
        /* Room for all strings still to come: nothing that was given out
         * before is moved. */
        (void)buf_reserve(token->scratch, (size_t)(token->end - token->at));
        *out = unescape(token->scratch, *out);
    }
    token->at = quote + 1;
    return true;
}

bool token_string(struct token *token, struct bytes *out)
{
    return take_quoted(token, out) || take_literal(token, out);
}

bool token_astring(struct token *token, struct bytes *out)
{
    const char *at = token->at;

    if (token_string(token, out))
        return true;
    if (at < token->end && *at == '"')
        return false;
    while (at < token->end && *at != ' ')
        at++;
    return take_until(token, at, out);
}

bool token_skip(struct token *token)
{
    struct bytes any;
    unsigned depth = 0;

    do {
        token_blanks(token);
        if (token_char(token, '(')) {
            depth++;
        } else if (depth > 0 && token_char(token, ')')) {
            depth--;
        } else if (!token_string(token, &any) && !token_atom(token, &any)) {
            return false;
        }
    } while (depth > 0 && depth <= SESSION_DEPTH_MAX);
    if (depth > 0)
        token->limit = "too many parentheses inside each other";
    return depth == 0;
}
