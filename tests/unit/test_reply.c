/* Single responses, and what must not be believed of them. The well-formed
 * ones are in test_session.c. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imap/reply.h"
#include "tests/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
static const struct {
    const char *text;
    int want;
} cases[] = {
    {"* OK", REPLY_EVENT},
    {"a1 OK", REPLY_EVENT},
    {"b1 OK", REPLY_EVENT},
    {"+", REPLY_EVENT},
    {"[COPYUID 1 2 3]", REPLY_EVENT},
    {"* FLAGS (\\Seen)", REPLY_SILENT},
    {"* 3 RECENT", REPLY_SILENT},
    {"* XYZZY \"unterminated", REPLY_SILENT},
    {"* 1 FETCH", REPLY_FETCH},
    {"* 1 UIDFETCH (", REPLY_FETCH},
    {"* 0 UIDFETCH (", REPLY_FETCH},
    {"* LIST NIL \"/\" a", REPLY_EVENT},
    {"* FLAGS (\"\")", REPLY_SILENT},
    {"* STATUS a (MAILBOXID x)", REPLY_EVENT},
    {"* STATUS {x y (MESSAGES 1)", REPLY_JUNK},
    {"* ESEARCH (", ERR_PROTOCOL},
    {"", REPLY_JUNK},
    {" ", REPLY_JUNK},
    {"*", REPLY_JUNK},
    {"* ", REPLY_JUNK},
    {"a1", REPLY_JUNK},
    {"a1 ", REPLY_JUNK},
    {"a1 OKAY", REPLY_JUNK},
    {"a1 FETCH", REPLY_JUNK},
    {"+OK", REPLY_JUNK},
    {"* 1", REPLY_JUNK},
    {"* 0 EXPUNGE", REPLY_JUNK},
    {"* 4294967296 EXISTS", REPLY_JUNK},
    {"* 18446744073709551616 EXISTS", REPLY_JUNK},
    {"* LIST", REPLY_JUNK},
    {"* LIST () \"/\" \"a", REPLY_JUNK},
    {"* LIST (\\A \"/\" a", REPLY_JUNK},
    {"* LIST () / a", REPLY_JUNK},
    {"* STATUS", REPLY_JUNK},
    {"* STATUS a", REPLY_JUNK},
    {"* STATUS a (MESSAGES)", REPLY_JUNK},
    {"* STATUS a (MESSAGES 1", REPLY_JUNK},
    {"* STATUS a b", REPLY_JUNK},
    {"* STATUS a b (MESSAGES)", REPLY_JUNK},
    {"* STATUS \"a\" b (MESSAGES 1)", REPLY_JUNK},
    {"* STATUS (MESSAGES 1)", REPLY_JUNK},
    {"* STATUS a b (MESSAGES 1)", REPLY_EVENT},
    {"* STATUS a (b) (MESSAGES 1)", REPLY_EVENT},
    {"* NAMESPACE ((", REPLY_JUNK},
    {"* VANISHED", ERR_PROTOCOL},
    {"* VANISHED ", ERR_PROTOCOL},
    {"* VANISHED (EARLIER)", ERR_PROTOCOL},
    {"* VANISHED (LATER) 1", ERR_PROTOCOL},
    {"* VANISHED 1,", ERR_PROTOCOL},
    {"* VANISHED 1,,2", ERR_PROTOCOL},
    {"* VANISHED 1:", ERR_PROTOCOL},
    {"* VANISHED :1", ERR_PROTOCOL},
    {"* VANISHED 1:2:3", ERR_PROTOCOL},
    {"* VANISHED 0", ERR_PROTOCOL},
    {"* VANISHED 1:*", ERR_PROTOCOL},
    {"* VANISHED 1 2", ERR_PROTOCOL},
    {"* VANISHED 4294967296", ERR_PROTOCOL},
    {"* SEARCH 1 x", ERR_PROTOCOL},
    {"* SEARCH 1,2", ERR_PROTOCOL},
    {"* SEARCH -1", ERR_PROTOCOL},
    {"* SEARCH 4294967296", ERR_PROTOCOL},
    {"* SEARCH 1 (MODSEQ", ERR_PROTOCOL},
    {"* ESEARCH", ERR_PROTOCOL},
    {"* ESEARCH ALL 1", ERR_PROTOCOL},
    {"* ESEARCH (TAG a1) UID ALL 1", ERR_PROTOCOL},
    {"* ESEARCH (TAG \"a1\" UID ALL 1", ERR_PROTOCOL},
    {"* ESEARCH (TAG \"a1\") UID ALL", ERR_PROTOCOL},
    {"* ESEARCH (TAG \"a1\") UID ALL *", ERR_PROTOCOL},
    {"* ESEARCH (TAG \"a1\") UID ALL 1:x", ERR_PROTOCOL},
    {"* ESEARCH (TAG \"a1\") UID COUNT", ERR_PROTOCOL},
};

/* clang-format on */

static void test_cases(struct reply *reply)
{
    struct session_event event;
    size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        /* At the end of its own memory, so that ASan sees a step too far. */
        size_t len = strlen(cases[i].text);
        char *copy = malloc(len + (len == 0));

        memcpy(copy, cases[i].text, len);
        ok(reply_parse(reply, (struct bytes){copy, len}, &event, &err) ==
               cases[i].want,
           "\"%s\"", cases[i].text);
        free(copy);
    }
}

/* Items of a FETCH that make no sense. */
static void test_items(struct reply *reply)
{
    static const char *const items[] = {"* 1 FETCH (INTERNALDATE (",
                                        "* 1 FETCH (X[1] (",
                                        "* 1 FETCH (FLAGS (\"\") X"};

    for (size_t i = 0; i < COUNT(items); i++) {
        struct session_event event;
        struct err err;

        ok(reply_parse(reply, bytes_of(items[i]), &event, &err) ==
                   REPLY_FETCH &&
               reply_fetch_next(reply, bytes_of(items[i]), &err) ==
                   REPLY_FETCH_JUNK,
           "\"%s\"", items[i]);
    }
}

/* A buffer that was not filled, in front of a line, and alone. */
static void test_nul(struct reply *reply)
{
    struct session_event event;
    struct err err;

    ok(reply_parse(reply, B("\0\0* 2 EXISTS"), &event, &err) == REPLY_EVENT &&
           event.kind == SESSION_EXISTS && event.number == 2,
       "NUL in front of a line");
    ok(reply_parse(reply, B("\0\0"), &event, &err) == REPLY_JUNK,
       "nothing but NUL");
}

static void test_tags(void)
{
    ok(reply_tag(B("a1")) == 1 && reply_tag(B("a4294967295")) == UINT32_MAX,
       "tags of ours");
    ok(reply_tag(B("")) == 0 && reply_tag(B("a")) == 0 &&
           reply_tag(B("a0")) == 0 && reply_tag(B("a01")) == 0 &&
           reply_tag(B("A1")) == 0 && reply_tag(B("a1x")) == 0 &&
           reply_tag(B("a4294967296")) == 0 && reply_tag(B("b1")) == 0,
       "tags of nobody");
}

/* @n times @text behind @start, and @end. */
static struct buf repeat(const char *start, const char *text, size_t n,
                         const char *end)
{
    struct buf buf;

    buf_init(&buf, 0);
    (void)buf_add(&buf, bytes_of(start));
    while (n-- > 0)
        (void)buf_add(&buf, bytes_of(text));
    (void)buf_add(&buf, bytes_of(end));
    return buf;
}

static int parse_all(struct reply *reply, struct buf *text)
{
    struct session_event event;
    struct err err;
    int r = reply_parse(reply, buf_peek(text), &event, &err);

    if (r == REPLY_FETCH)
        r = reply_fetch_next(reply, buf_peek(text), &err);
    buf_deinit(text);
    return r;
}

static void test_limits(struct reply *reply)
{
    struct buf text = repeat("* 1 FETCH (X ", "(", 100000, "");
    char word[16];
    size_t i;

    ok(parse_all(reply, &text) == ERR_LIMIT, "parentheses in FETCH");
    text = repeat("* STATUS x (X ", "(", 100000, "");
    ok(parse_all(reply, &text) == ERR_LIMIT, "parentheses in STATUS");
    text = repeat("* LIST () NIL x ", "(", 100000, "");
    ok(parse_all(reply, &text) == ERR_LIMIT, "parentheses in LIST");
    text = repeat("* ESEARCH UID X ", "(", 100000, "");
    ok(parse_all(reply, &text) == ERR_LIMIT, "parentheses in ESEARCH");
    text = repeat("* 1 FETCH (FLAGS (", "\\Seen ", 100000, "))");
    ok(parse_all(reply, &text) == REPLY_FETCH_DONE &&
           reply->fetch.data.flags.system == FLAG_SEEN,
       "one flag many times");
    text = repeat("* 1 FETCH (FLAGS (", "", 0, "");
    for (i = 0; i <= KEYWORDS_IN_SET_MAX; i++) {
        (void)snprintf(word, sizeof(word), "kw%zu ", i);
        (void)buf_add(&text, bytes_of(word));
    }
    (void)buf_add(&text, B("))"));
    ok(parse_all(reply, &text) == ERR_LIMIT, "too many keywords");
    text = repeat("* STATUS x (MAILBOXID (", "x", 256, "))");
    ok(parse_all(reply, &text) == REPLY_EVENT, "a MAILBOXID that is too long");
}

/* The worst order for a set that is kept sorted. */
static void test_falling_search(struct reply *reply)
{
    struct buf text = repeat("* SEARCH", "", 0, "");
    uint32_t uid;

    for (uid = 400000; uid > 0; uid -= 2)
        (void)buf_printf(&text, " %u", uid);
    ok(parse_all(reply, &text) == REPLY_EVENT && reply->set.n == 200000 &&
           reply->set.ranges[0].first == 2,
       "200,000 UIDs in falling order");
}

/* FETCH goes on where it stopped, wherever the text now lies. */
static void test_fetch_resumes(struct reply *reply)
{
    const struct bytes one = B("* 9 FETCH (UID 7 BODY[] {5}");
    const struct bytes two = B(" BODY[HEADER] \"a\" FLAGS (\\Draft))");
    struct session_event event;
    struct err err;

    ok(reply_parse(reply, one, &event, &err) == REPLY_FETCH &&
           reply_fetch_next(reply, one, &err) == REPLY_FETCH_STREAM &&
           reply->fetch.body_size == 5 && !reply->fetch.body_is_header,
       "up to the body");
    ok(reply_fetch_next(reply, two, &err) == REPLY_FETCH_STRING &&
           reply->fetch.body_is_header &&
           bytes_equal(buf_peek(&reply->fetch.body), B("a")),
       "up to the next");
    ok(reply_fetch_next(reply, two, &err) == REPLY_FETCH_DONE &&
           reply->fetch.data.uid == 7 &&
           reply->fetch.data.flags.system == FLAG_DRAFT &&
           reply->fetch.data.has == (FETCH_UID | FETCH_FLAGS | FETCH_BODY),
       "and to the end");
}

int main(void)
{
    struct keywords *keywords = keywords_new();
    struct reply reply;

    reply_init(&reply, keywords);
    test_cases(&reply);
    test_items(&reply);
    test_nul(&reply);
    test_tags();
    test_limits(&reply);
    test_falling_search(&reply);
    test_fetch_resumes(&reply);
    reply_deinit(&reply);
    keywords_free(keywords);
    return done_testing();
}
