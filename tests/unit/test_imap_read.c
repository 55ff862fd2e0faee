/* What is in another folder is asked for while the one before arrives, and each
 * body goes to him who asked for it. */
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES SCRIPTED_LINES
#define CAPS  SCRIPTED_CAPS "\r\n"

#define SELECT                                         \
    {                                                  \
        "SELECT",                                      \
            "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" \
            "* OK [UIDNEXT 6] x\r\n",                  \
            "OK x", false, 0                           \
    }
#define MUCH         (1u << 20)
#define BODY(text)   "* 1 FETCH (UID 5 BODY[] {4}\r\n" text ")\r\n"
#define BODY_4(text) "* 1 FETCH (UID 4 BODY[] {4}\r\n" text ")\r\n"
#define FIRST(command, untagged)           \
    {                                      \
        command, untagged, "OK x", true, 0 \
    }
#define THEN(command, untagged)             \
    {                                       \
        command, untagged, "OK x", false, 0 \
    }

struct reader {
    struct read_request request; /* first */
    char got[20];
    size_t len;
    unsigned n_ended;
};

static void on_begin(struct read_request *request, uint32_t uid, uint64_t size)
{
    (void)request;
    (void)uid;
    (void)size;
}

static void on_data(struct read_request *request, struct bytes data)
{
    struct reader *reader = (struct reader *)request;

    for (size_t i = 0; i < data.len && reader->len + 1 < sizeof(reader->got);
         i++)
        reader->got[reader->len++] = data.ptr[i];
}

static void on_end(struct read_request *request, int result,
                   const struct err *err)
{
    (void)err;
    ((struct reader *)request)->n_ended += result == 0;
}

static void begin(struct scripted *world, struct reader *reader,
                  const char *folder, const struct uidset *uids,
                  uint64_t octets)
{
    reader->request = (struct read_request){.base = scripted_head(world),
                                            .folder = {.name = folder},
                                            .uids = uids,
                                            .octets = octets,
                                            .begin = on_begin,
                                            .data = on_data,
                                            .end = on_end};
    endpoint_read(world->endpoint, &reader->request);
}

struct read_case {
    const char *name;
    const char *caps;
    struct imapserver_answer answers[LINES];
    uint64_t octets; /* of each request */
    bool same;       /* both are of A, for one message each */
    unsigned clients;
    uint64_t trips;    /* that they cost; 0: not asked */
    const char *got_a; /* from A */
    const char *got_b;
    int result_a;
    int result_b;
    unsigned asked[LINES];
};

/* clang-format off */
static const struct read_case cases[] = {
    {.name = "a little from two folders", .octets = 4, .trips = 1,
     .caps = CAPS,
     .answers = {SELECT, FIRST("UID FETCH 5", BODY("aaaa")),
                 THEN("UID FETCH 5", BODY("bbbb"))},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {2, 1, 1}},
    {.name = "much from two folders", .octets = MUCH, .trips = 1,
     .caps = CAPS,
     .answers = {SELECT, FIRST("UID FETCH 5", BODY("aaaa")),
                 THEN("UID FETCH 5", BODY("bbbb"))},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {2, 1, 1}},
    {.name = "much without UNSELECT", .octets = MUCH, .trips = 2,
     .caps = "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n",
     .answers = {SELECT, FIRST("UID FETCH 5", BODY("aaaa")),
                 THEN("UID FETCH 5", BODY("bbbb")), THEN("EXAMINE", NULL),
                 THEN("CLOSE", NULL)},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {2, 1, 1, 0, 0}},
    {.name = "much from one folder comes one after the other", .octets = MUCH,
     .trips = 2, .caps = CAPS, .same = true,
     .answers = {SELECT, THEN("UID FETCH 5", BODY("aaaa")),
                 THEN("UID FETCH 4", BODY_4("bbbb"))},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {1, 1, 1}},
    {.name = "who was not answered first is not to blame for a lost connection",
     .octets = MUCH, .caps = CAPS, .clients = 2,
     .answers = {SELECT, {"UID FETCH 5", NULL, NULL, true, 0},
                 THEN("UID FETCH 5", BODY("bbbb"))},
     .got_a = "", .got_b = "bbbb", .result_a = ERR_RETRY, .asked = {2, 1, 1}},
    {.name = "much that is refused is asked for alone, in its own folder",
     .octets = MUCH, .trips = 3, .caps = CAPS,
     .answers = {SELECT, {"UID FETCH 5", NULL, "NO x", true, 0},
                 FIRST("UID FETCH 5", BODY("bbbb")),
                 THEN("UID FETCH 5", BODY("aaaa"))},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {3, 1, 1, 1}},
    {.name = "a little without UNSELECT", .octets = 4, .trips = 2,
     .caps = "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n",
     .answers = {SELECT, FIRST("UID FETCH 5", BODY("aaaa")),
                 THEN("UID FETCH 5", BODY("bbbb")), THEN("EXAMINE", NULL),
                 THEN("CLOSE", NULL)},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {2, 1, 1, 0, 0}},
    {.name = "a body that comes twice is not that of the next folder",
     .octets = 4, .trips = 1, .caps = CAPS,
     .answers = {SELECT, FIRST("UID FETCH 5", BODY("aaaa") BODY("AAAA")),
                 THEN("UID FETCH 5", BODY("bbbb"))},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {2, 1, 1}},
    {.name = "a message that is gone takes none from the next folder",
     .octets = 4, .trips = 1, .caps = CAPS,
     .answers = {SELECT, FIRST("UID FETCH 5", NULL),
                 THEN("UID FETCH 5", BODY("bbbb"))},
     .got_a = "", .got_b = "bbbb", .asked = {2, 1, 1}},
    {.name = "one that is refused is asked for alone, in its own folder",
     .octets = 4, .trips = 3, .caps = CAPS,
     .answers = {SELECT, {"UID FETCH 5", NULL, "NO x", true, 0},
                 FIRST("UID FETCH 5", BODY("bbbb")),
                 THEN("UID FETCH 5", BODY("aaaa"))},
     .got_a = "aaaa", .got_b = "bbbb", .asked = {3, 1, 1, 1}},
    {.name = "a folder that is gone is not mistaken for the next",
     .octets = 4, .trips = 1, .caps = CAPS,
     .answers = {{"SELECT \"A\"", NULL, "NO [NONEXISTENT] x", false, 0}, SELECT,
                 {"UID FETCH 5", NULL, "BAD no folder", true, 0},
                 THEN("UID FETCH 5", BODY("bbbb"))},
     .got_a = "", .got_b = "bbbb", .result_a = ERR_GONE,
     .asked = {1, 1, 1, 1}},
};

/* clang-format on */

static void test_read(const struct read_case *test)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct imapserver_answer answers[LINES];
    struct reader a = {.len = 0};
    struct reader b = {.len = 0};
    struct uidset uids = {0};
    struct uidset others = {0};
    uint64_t before;

    memcpy(answers, test->answers, sizeof(answers));
    world->server.n_clients = test->clients;
    ok(scripted_open(world, test->caps, true, answers), "a server");
    uidset_add(&uids, 5);
    uidset_add(&others, test->same ? 4 : 5);
    before = world->endpoint->wire.round_trips;
    begin(world, &a, "A", &uids, test->octets);
    begin(world, &b, test->same ? "A" : "B", &others, test->octets);
    scripted_settle(world);
    ok(a.request.base.result == test->result_a &&
           b.request.base.result == test->result_b,
       "%s: %d and %d", test->name, a.request.base.result,
       b.request.base.result);
    ok(strcmp(a.got, test->got_a) == 0 && strcmp(b.got, test->got_b) == 0,
       "each gets its own: '%s' and '%s'", a.got, b.got);
    ok(test->trips == 0 ||
           world->endpoint->wire.round_trips - before == test->trips,
       "after %u round trips",
       (unsigned)(world->endpoint->wire.round_trips - before));
    scripted_close(world);
    ok(scripted_asked(answers, test->asked), "and nothing else is asked for");
    uidset_deinit(&uids);
    uidset_deinit(&others);
    free(world);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        test_read(&cases[i]);
    return done_testing();
}
