/*
 * Goal: the tokens of a response and its parsers take any text. A token that is
 * not there leaves the cursor where it was, what is given out lies within the
 * text or the scratch buffer, and a set is a set.
 *
 * The input: a line that says which tokens to take, then the response.
 */
#include "base/keywords.h"
#include "imap/caps.h"
#include "imap/reply.h"
#include "imap/shown.h"
#include "imap/token.h"
#include "tests/fuzz/fuzz.h"

static bool within(struct bytes out, struct bytes in)
{
    return out.ptr >= in.ptr && out.ptr + out.len <= in.ptr + in.len;
}

/* Take the token that @how means. */
static bool take(struct token *token, char how, struct bytes *out)
{
    uint64_t number = 0;
    uint64_t max = UINT64_MAX >> (uint8_t)how % 64;
    bool taken = true;

    *out = B("");
    switch (how % 10) {
    case 0:
        return token_char(token, '(');
    case 1:
        return token_atom(token, out);
    case 2:
        return token_word(token, out);
    case 3:
        return token_keyword(token, B("FLAGS"));
    case 4:
        return token_nil(token);
    case 5:
        return token_string(token, out);
    case 6:
        return token_astring(token, out);
    case 7:
        taken = token_number(token, max, &number);
        break;
    case 8:
        taken = token_float(token, max, &number);
        break;
    default:
        taken = token_literal_header(token, &number);
        max = INT64_MAX;
        break;
    }
    must(!taken || number <= max);
    return taken;
}

static void take_tokens(struct bytes how, struct bytes text)
{
    struct buf scratch;
    struct token token;

    buf_init(&scratch, 0);
    token = token_start(text, &scratch);
    for (size_t i = 0; i < how.len; i++) {
        const char *before = token.at;
        struct bytes out;
        bool taken = take(&token, how.ptr[i], &out);

        must(taken ? token.at >= before : token.at == before);
        must(token.at <= token.end);
        must(!taken || out.len == 0 || within(out, text) ||
             within(out, buf_peek(&scratch)));
        token_blanks(&token);
    }
    if (!token_skip(&token))
        must(token.at >= text.ptr);
    must(token.at <= token.end);
    buf_deinit(&scratch);
}

static void check_set(const struct uidset *set)
{
    for (size_t i = 0; i < set->n; i++) {
        must(set->ranges[i].first >= 1);
        must(set->ranges[i].first <= set->ranges[i].last);
        must(i == 0 || set->ranges[i - 1].last < set->ranges[i].first);
    }
}

/* Each body is taken as a piece of its own, as the framer would cut it. */
static void take_fetch(struct reply *reply, struct bytes text)
{
    struct err err;
    int r;

    while ((r = reply_fetch_next(reply, text, &err)) != REPLY_FETCH_DONE) {
        if (r < 0 || r == REPLY_FETCH_JUNK)
            return;
        if (r == REPLY_FETCH_STREAM)
            return;
        must(r == REPLY_FETCH_STRING);
        must(reply->fetch.at <= text.len);
    }
    must((reply->fetch.data.has & FETCH_UID) == 0 ||
         reply->fetch.data.uid != 0);
}

static void take_reply(struct bytes text)
{
    struct keywords *keywords = keywords_new();
    struct session_event event;
    struct reply reply;
    struct caps caps = {0};
    struct err err;
    int r;

    reply_init(&reply, keywords);
    r = reply_parse(&reply, text, &event, &err);
    must(r == REPLY_EVENT || r == REPLY_FETCH || r == REPLY_SILENT ||
         r == REPLY_JUNK || r == ERR_LIMIT || r == ERR_PROTOCOL);
    check_set(&reply.set);
    check_set(&reply.set2);
    if (r == REPLY_FETCH)
        take_fetch(&reply, text);
    caps_parse(&caps, text);
    reply_deinit(&reply);
    keywords_free(keywords);
}

/* No control character gets through to an error text. */
static void show(struct bytes text)
{
    struct shown shown = shown_line(text);

    for (const char *at = shown.text; *at != '\0'; at++)
        must((uint8_t)*at >= ' ' && *at != 0x7f);
}

void fuzz_one(struct bytes input)
{
    struct bytes how = fuzz_until(&input, '\n');
    struct bytes text = fuzz_copy(input);

    take_tokens(how, text);
    take_reply(text);
    show(text);
    fuzz_free(text);
}
