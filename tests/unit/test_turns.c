#include <string.h>

#include "base/mem.h"
#include "cmd/turns.h"
#include "tests/tap.h"

#define NONE SIZE_MAX

static size_t next(struct turns *turns)
{
    size_t pair = NONE;

    return turns_next(turns, &pair) ? pair : NONE;
}

static void test_apart(void)
{
    const struct turns_places places[] = {
        {{"imap:a@h:1", "/a"}},
        {{"imap:b@h:1", "/b"}},
        {{"imap:c@h:1", "/c"}},
    };
    struct turns *turns = turns_new(places, 3, 2);

    ok(next(turns) == 0 && next(turns) == 1, "they begin in their order");
    ok(next(turns) == NONE, "and no more at once than was said");
    turns_end(turns, 1);
    ok(next(turns) == 2, "the next one begins when another is over");
    turns_end(turns, 0);
    turns_end(turns, 2);
    ok(next(turns) == NONE, "until none is left");
    turns_free(turns);
    turns_free(NULL);
}

static void test_shared(void)
{
    const struct turns_places places[] = {
        {{"imap:a@h:1", "/1"}},
        {{"/2", "imap:a@h:1"}},
        {{"/2", "imap:b@h:1"}},
        {{"imap:a@h:11", "/3"}},
    };
    struct turns *turns = turns_new(places, 4, 16);

    ok(next(turns) == 0, "the first of two that share an account begins");
    ok(next(turns) == 3,
       "then who shares nothing, not even with one that waits");
    ok(next(turns) == NONE, "and nobody else");
    turns_end(turns, 0);
    ok(next(turns) == 1 && next(turns) == NONE, "the second follows");
    turns_end(turns, 1);
    ok(next(turns) == 2 && next(turns) == NONE, "then who waited for that");
    turns_free(turns);
}

static void test_within(void)
{
    const struct turns_places places[] = {
        {{"imap:a@h:1", "/mail/work/sub"}},
        {{"imap:b@h:1", "/mail/work-2"}},
        {{"imap:c@h:1", "/mail/work"}},
        {{"imap:d@h:1", "/mail/work.old"}},
        {{"imap:e@h:1", "/mail/work/other"}},
    };
    struct turns *turns = turns_new(places, 5, 16);

    ok(next(turns) == 0 && next(turns) == 1 && next(turns) == 3 &&
           next(turns) == NONE,
       "a Maildir shares what is within it; a like name is another one");
    turns_end(turns, 0);
    ok(next(turns) == 2 && next(turns) == NONE, "so do all that are within it");
    turns_end(turns, 2);
    ok(next(turns) == 4, "one after the other");
    turns_free(turns);
}

static void test_alone(void)
{
    const struct turns_places places[] = {{{"/a", "/a"}}, {{"/b", "/a"}}};
    struct turns *turns = turns_new(places, 2, 16);

    ok(next(turns) == 0, "a pair with itself does not wait for itself");
    turns_end(turns, 0);
    ok(next(turns) == 1, "and lets go of its places");
    turns_free(turns);
}

static void test_put_off(void)
{
    const struct turns_places places[] = {
        {{"imap:a@h:1", "/1"}},
        {{"imap:a@h:1", "/2"}},
        {{"imap:b@h:1", "/3"}},
    };
    struct turns *turns = turns_new(places, 3, 1);

    ok(next(turns) == 0, "one that cannot begin yet");
    turns_put_off(turns, 0);
    ok(next(turns) == 1, "makes room, and lets its fellow go first");
    turns_recall(turns);
    ok(next(turns) == NONE, "no place for it so far");
    turns_end(turns, 1);
    ok(next(turns) == 0, "it has its turn again, before those behind it");
    turns_put_off(turns, 0);
    ok(next(turns) == 2, "and is put off again");
    turns_end(turns, 2);
    ok(next(turns) == NONE, "nobody asks for it");
    turns_recall(turns);
    ok(next(turns) == 0, "before it is recalled");
    turns_end(turns, 0);
    turns_recall(turns);
    ok(next(turns) == NONE, "what is over stays over");
    turns_free(turns);
}

int main(void)
{
    test_apart();
    test_shared();
    test_within();
    test_alone();
    test_put_off();
    return done_testing();
}
