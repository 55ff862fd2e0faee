/* What of a server's words shows that it gets on. */
#include "base/uidset.h"
#include "imap/worth.h"
#include "tests/tap.h"

/* So many of this event in a row: are they enough? */
static bool suffices(struct session_event event, unsigned n)
{
    uint64_t worth = 0;

    for (unsigned i = 0; i < n; i++)
        worth += worth_of(&event);
    return worth >= WORTH_ENOUGH;
}

static void test_answers(void)
{
    static const enum session_event_kind kinds[] = {
        SESSION_TAGGED, SESSION_LIST, SESSION_STATUS, SESSION_SEARCH,
        SESSION_ENABLED};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        ok(suffices((struct session_event){.kind = kinds[i]}, 1),
           "one answer of kind %d is enough", (int)kinds[i]);
}

static void test_news(void)
{
    static const enum session_event_kind kinds[] = {
        SESSION_CODE, SESSION_EXISTS, SESSION_CONTINUE};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        ok(!suffices((struct session_event){.kind = kinds[i]}, 10000),
           "kind %d never is", (int)kinds[i]);
}

static void test_messages(void)
{
    const struct session_event gone = {.kind = SESSION_EXPUNGE};
    const struct session_event flags = {.kind = SESSION_FETCH,
                                        .fetch = {.has = FETCH_FLAGS}};
    const struct session_event fetched = {
        .kind = SESSION_FETCH, .fetch = {.has = FETCH_FLAGS | FETCH_UID}};

    ok(!suffices(gone, WORTH_MESSAGES - 1),
       "that a few messages are gone may be news");
    ok(suffices(gone, WORTH_MESSAGES), "a flow of them is our own removal");
    ok(!suffices(flags, WORTH_MESSAGES - 1) && suffices(flags, WORTH_MESSAGES),
       "the same of flags without a UID, which nobody asked for");
    ok(suffices(fetched, 1), "with one they are an answer");
}

static void test_vanished(void)
{
    struct uidset few = {0};
    struct uidset all = {0};
    struct session_event event = {.kind = SESSION_VANISHED,
                                  .vanished = {.set = &few}};

    uidset_add(&few, 7);
    uidset_add_range(&all, 1, UINT32_MAX - 1);
    ok(!suffices(event, WORTH_MESSAGES - 1) && suffices(event, WORTH_MESSAGES),
       "one that vanished is worth as much as one that is expunged");
    event.vanished.set = &all;
    ok(worth_of(&event) == WORTH_ENOUGH, "all that there can be are enough");
    event.vanished.set = &few;
    event.vanished.earlier = true;
    ok(suffices(event, 1), "VANISHED (EARLIER) is an answer");
    uidset_deinit(&few);
    uidset_deinit(&all);
}

static void test_body(void)
{
    const struct session_event one = {.kind = SESSION_BODY_DATA,
                                      .data = B_INIT("x")};

    ok(!suffices(one, WORTH_ENOUGH - 1) && suffices(one, WORTH_ENOUGH),
       "a body is worth its octets");
}

int main(void)
{
    test_answers();
    test_news();
    test_messages();
    test_vanished();
    test_body();
    return done_testing();
}
