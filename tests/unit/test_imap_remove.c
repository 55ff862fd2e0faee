/* Removing messages from a server that names what it expunges: OK alone is not
 * believed, as Dovecot says so of messages that it has kept. */
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES SCRIPTED_LINES
#define CAPS  SCRIPTED_CAPS " UIDPLUS ENABLE QRESYNC CONDSTORE\r\n"

struct remove_case {
    const char *name;
    const char *caps;
    struct imapserver_answer answers[LINES];
    int result;
    /* how often each of the answers was asked for */
    unsigned asked[LINES];
};

#define ENABLE                                                      \
    {                                                               \
        "ENABLE QRESYNC", "* ENABLED QRESYNC\r\n", "OK x", false, 0 \
    }
#define SELECT                                         \
    {                                                  \
        "SELECT",                                      \
            "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" \
            "* OK [UIDNEXT 100] x\r\n",                \
            "OK x", false, 0                           \
    }
#define SAYS(command, untagged)             \
    {                                       \
        command, untagged, "OK x", false, 0 \
    }
#define ONCE(command, untagged)            \
    {                                      \
        command, untagged, "OK x", true, 0 \
    }
#define STORE(uids)   "UID STORE " uids " +FLAGS.SILENT (\\Deleted)"
#define EXPUNGE(uids) "UID EXPUNGE " uids
#define LOOK(uids)    "UID FETCH " uids " (UID)"

/* clang-format off */
static const struct remove_case cases[] = {
    {.name = "what is told to be gone is",
     .caps = CAPS,
     .answers = {ENABLE, SELECT, SAYS(STORE("1:3"), NULL),
                 SAYS(EXPUNGE("1:3"), "* VANISHED 1:3\r\n"),
                 SAYS("UID FETCH", NULL)},
     .asked = {1, 1, 1, 1, 0}},
    {.name = "whenever that comes",
     .caps = CAPS,
     .answers = {ENABLE, SELECT,
                 SAYS(STORE("1:3"), "* VANISHED 2\r\n* VANISHED 1,3\r\n"),
                 SAYS(EXPUNGE("1:3"), NULL), SAYS("UID FETCH", NULL)},
     .asked = {1, 1, 1, 1, 0}},
    {.name = "what is not is looked for, and removed step by step",
     .caps = CAPS,
     .answers = {ENABLE, SELECT, SAYS(STORE("1:3"), NULL),
                 SAYS(EXPUNGE("1:3"), "* VANISHED 1,50\r\n"),
                 SAYS(LOOK("2:3"), "* 1 FETCH (UID 2)\r\n"
                                   "* 2 FETCH (UID 9)\r\n"),
                 SAYS(STORE("2"), NULL),
                 SAYS(EXPUNGE("2"), "* VANISHED 2\r\n"), SAYS("UID", NULL)},
     .asked = {1, 1, 1, 1, 1, 1, 1, 0}},
    {.name = "what was gone before is not there to be removed",
     .caps = CAPS,
     .answers = {ENABLE, SELECT, SAYS(STORE("1:3"), NULL),
                 SAYS(EXPUNGE("1:3"), "* VANISHED 3\r\n"),
                 SAYS(LOOK("1:2"), NULL)},
     .asked = {1, 1, 1, 1, 1}},
    {.name = "what stays was not removed, for all that the server says",
     .caps = CAPS,
     .answers = {ENABLE, SELECT, ONCE(STORE("1:3"), NULL),
                 ONCE(EXPUNGE("1:3"), NULL),
                 ONCE(LOOK("1:3"), "* 1 FETCH (UID 2)\r\n"),
                 ONCE(STORE("2"), NULL),
                 ONCE(EXPUNGE("2"), NULL), SAYS("UID", NULL)},
     .result = ERR_BUSY, .asked = {1, 1, 1, 1, 1, 1, 1, 0}},
    {.name = "step by step nothing is expunged where \\Deleted is refused",
     .caps = CAPS,
     .answers = {ENABLE, SELECT, ONCE(STORE("1:3"), NULL),
                 ONCE(EXPUNGE("1:3"), NULL),
                 ONCE(LOOK("1:3"), "* 1 FETCH (UID 2)\r\n"),
                 {"UID STORE 2", NULL, "NO [NOPERM] x", false, 0},
                 SAYS("UID EXPUNGE", NULL)},
     .result = ERR_BUSY, .asked = {1, 1, 1, 1, 1, 1, 0}},
    {.name = "nor where nobody says what goes",
     .caps = SCRIPTED_CAPS " UIDPLUS\r\n",
     .answers = {SELECT, {"UID STORE", NULL, "NO [NOPERM] x", false, 0},
                 SAYS("UID", NULL)},
     .result = ERR_BUSY, .asked = {1, 1, 0}},
    {.name = "there all are looked for, in the flight of EXPUNGE",
     .caps = SCRIPTED_CAPS " UIDPLUS\r\n",
     .answers = {SELECT, SAYS(STORE("1:3"), NULL), SAYS(EXPUNGE("1:3"), NULL),
                 SAYS(LOOK("1:3"), "* 1 FETCH (UID 9)\r\n"),
                 SAYS("UID", NULL)},
     .asked = {1, 1, 1, 1, 0}},
    {.name = "who does not let us look is believed",
     .caps = SCRIPTED_CAPS " UIDPLUS\r\n",
     .answers = {SELECT, SAYS(STORE("1:3"), NULL), SAYS(EXPUNGE("1:3"), NULL),
                 {LOOK("1:3"), NULL, "BAD no such message", false, 0},
                 SAYS("UID", NULL)},
     .asked = {1, 1, 1, 1, 0}},
    {.name = "and what is there is removed once more",
     .caps = SCRIPTED_CAPS " UIDPLUS\r\n",
     .answers = {SELECT, SAYS(STORE("1:3"), NULL), SAYS(EXPUNGE("1:3"), NULL),
                 SAYS(LOOK("1:3"), "* 1 FETCH (UID 2)\r\n"),
                 SAYS(STORE("2"), NULL), SAYS(EXPUNGE("2"), NULL),
                 SAYS(LOOK("2"), NULL), SAYS("UID", NULL)},
     .asked = {1, 1, 1, 1, 1, 1, 1, 0}},
    {.name = "once",
     .caps = SCRIPTED_CAPS " UIDPLUS\r\n",
     .answers = {SELECT, SAYS(STORE("1:3"), NULL), SAYS(EXPUNGE("1:3"), NULL),
                 SAYS(LOOK("1:3"), "* 1 FETCH (UID 2)\r\n"),
                 SAYS(STORE("2"), NULL), SAYS(EXPUNGE("2"), NULL),
                 SAYS(LOOK("2"), "* 1 FETCH (UID 2)\r\n"), SAYS("UID", NULL)},
     .result = ERR_BUSY, .asked = {1, 1, 1, 1, 1, 1, 1, 0}},
};

/* clang-format on */

static void test_remove(const struct remove_case *test)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct imapserver_answer answers[LINES];
    struct uidset uids = {0};
    struct remove_request request;

    memcpy(answers, test->answers, sizeof(answers));
    ok(scripted_open(world, test->caps, false, answers), "a server");
    uidset_add_range(&uids, 1, 3);
    request = (struct remove_request){
        .base = scripted_head(world), .folder = {.name = "Box"}, .uids = &uids};
    endpoint_remove(world->endpoint, &request);
    scripted_settle(world);
    scripted_close(world);
    ok(request.base.result == test->result && !request.kept, "%s: %d %s",
       test->name, request.base.result,
       request.base.result < 0 ? request.base.err.text : "");
    ok(scripted_asked(answers, test->asked), "and nothing else is asked for");
    uidset_deinit(&uids);
    free(world);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        test_remove(&cases[i]);
    return done_testing();
}
