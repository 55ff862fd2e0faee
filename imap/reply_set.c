/* Responses that are sets of UIDs: SEARCH, ESEARCH, VANISHED; and the flags of
 * a message, a set of another kind. */
#include <stdlib.h>

#include "base/mem.h"
#include "imap/reply.h"

bool reply_set_take(struct token *token, struct uidset *set)
{
    const char *at = token->at;
    struct bytes text;

    while (at < token->end &&
           ((*at >= '0' && *at <= '9') || *at == ':' || *at == ','))
        at++;
    text = (struct bytes){token->at, (size_t)(at - token->at)};
    uidset_clear(set);
    if (text.len == 0 || !uidset_parse(set, text))
        return false;
    token->at = at;
    return true;
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void found(struct reply *reply, struct session_event *event)
{
    event->kind = SESSION_SEARCH;
    event->vanished.set = &reply->set;
}

/* Numbers into reply->numbers; a 0 is no UID. Returns their count, @rising
 * says if each was larger than the one before. */
static size_t take_numbers(struct reply *reply, struct token *token,
                           bool *rising)
{
    uint64_t number;
    uint32_t last = 0;
    size_t n = 0;

    *rising = true;
    while (token_number(token, UINT32_MAX, &number)) {
        token_blanks(token);
        if (number == 0)
            continue;
        if (number <= last)
            *rising = false;
        last = (uint32_t)number;
        reply->numbers = mem_grow(reply->numbers, n, &reply->numbers_cap,
                                  sizeof(*reply->numbers));
        reply->numbers[n++] = last;
    }
    return n;
}

/* "* SEARCH 2 3 5 (MODSEQ 917162500)", in any order. */
bool reply_set_search(struct reply *reply, struct token *token,
                      struct session_event *event)
{
    bool rising;
    size_t n;
    size_t i;

    token_blanks(token);
    n = take_numbers(reply, token, &rising);
    /* Sorted first: a set grows at its end in no time, elsewhere slowly. */
    if (!rising)
        qsort(reply->numbers, n, sizeof(*reply->numbers), compare);
    for (i = 0; i < n; i++) {
        uidset_add(&reply->set, reply->numbers[i]);
        if (reply->set.n > UIDSET_RANGES_MAX) {
            token->limit = "too many UIDs";
            return false;
        }
    }
    if (token->at < token->end && *token->at == '(' && !token_skip(token))
        return false;
    found(reply, event);
    return token_at_end(token);
}

/* "(TAG "a5")". */
static bool take_correlator(struct reply *reply, struct token *token)
{
    struct bytes word;

    if (!token_char(token, '('))
        return true;
    if (!token_word(token, &word) || !bytes_equal_nocase(word, B("TAG")))
        return false;
    token_blanks(token);
    if (!token_string(token, &reply->search_tag) || !token_char(token, ')'))
        return false;
    token_blanks(token);
    return true;
}

/* "* ESEARCH (TAG "a5") UID COUNT 5 ALL 1:3,7,9 MODSEQ 12": without ALL
 * nothing was found. RFC 4731 */
bool reply_set_esearch(struct reply *reply, struct token *token,
                       struct session_event *event)
{
    struct bytes name;

    /* Without UID these were message numbers: of no use, and dangerous. */
    if (!take_correlator(reply, token) || !token_keyword(token, B("UID")))
        return false;
    while (!token_at_end(token)) {
        if (!token_atom(token, &name))
            return false;
        token_blanks(token);
        if (bytes_equal_nocase(name, B("ALL"))
                ? !reply_set_take(token, &reply->set)
                : !token_skip(token))
            return false;
    }
    found(reply, event);
    return true;
}

/* "* VANISHED (EARLIER) 41,43:116". RFC 7162 section 3.2.10 */
bool reply_set_vanished(struct reply *reply, struct token *token,
                        struct session_event *event)
{
    event->kind = SESSION_VANISHED;
    if (token_char(token, '(')) {
        if (!token_keyword(token, B("EARLIER")) || !token_char(token, ')'))
            return false;
        event->vanished.earlier = true;
        token_blanks(token);
    }
    event->vanished.set = &reply->set;
    return reply_set_take(token, &reply->set) && token_at_end(token);
}
