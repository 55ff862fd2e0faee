/* Deleting a folder: never with a message in it, wherever that comes from and
 * whenever the line is cut. */
#include "imap/imap_names.h"
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES SCRIPTED_LINES
#define CAPS  SCRIPTED_CAPS

#define ASIDE "Box" IMAP_NAMES_ASIDE
#define KEPT  "Box" FOLDER_KEPT

struct delete_case {
    const char *name;
    struct imapserver_answer answers[LINES];
    int result;
    /* how often each of the answers was asked for */
    unsigned asked[LINES];
};

#define LISTED(lines)                                 \
    {                                                 \
        "LIST \"\" \"*\"", lines, "OK done", false, 0 \
    }
#define BOX "* LIST () \"/\" Box\r\n"
#define SAYS(command, answer)           \
    {                                   \
        command, NULL, answer, false, 0 \
    }
#define ONCE(command, answer)          \
    {                                  \
        command, NULL, answer, true, 0 \
    }
#define RENAME     "RENAME \"Box\" \"" ASIDE "\""
#define COUNT      "STATUS \"" ASIDE "\" (MESSAGES)"
#define DELETE     "DELETE \"" ASIDE "\""
#define BACK       "RENAME \"" ASIDE "\" \"Box\""
#define COUNTED(n) "* STATUS " ASIDE " (MESSAGES " n ")\r\n"
#define CHILDREN(lines)                                         \
    {                                                           \
        "LIST \"\" \"" ASIDE "/%\"", lines, "OK done", false, 0 \
    }

/* clang-format off */
static const struct delete_case cases[] = {
    {.name = "an empty one is put aside, counted and deleted",
     .answers = {LISTED(BOX), SAYS(RENAME, "OK x"),
                 {COUNT, COUNTED("0"), "OK x", false, 0}, CHILDREN(NULL),
                 SAYS(DELETE, "OK x")},
     .asked = {1, 1, 1, 1, 1}},
    {.name = "one with a message gets its name back",
     .answers = {LISTED(BOX), SAYS(RENAME, "OK x"),
                 {COUNT, COUNTED("1"), "OK x", false, 0}, CHILDREN(NULL),
                 SAYS(BACK, "OK x"), SAYS("DELETE", "OK x")},
     .result = ERR_REFUSED, .asked = {1, 1, 1, 1, 1, 0}},
    {.name = "so does one that is not counted",
     .answers = {LISTED(BOX), SAYS(RENAME, "OK x"), SAYS(COUNT, "OK x"),
                 CHILDREN(NULL), SAYS(BACK, "OK x"), SAYS("DELETE", "OK x")},
     .result = ERR_REFUSED, .asked = {1, 1, 1, 1, 1, 0}},
    {.name = "and one with a new folder in it",
     .answers = {LISTED(BOX), SAYS(RENAME, "OK x"),
                 {COUNT, COUNTED("0"), "OK x", false, 0},
                 CHILDREN("* LIST () \"/\" " ASIDE "/New\r\n"),
                 SAYS(BACK, "OK x"), SAYS("DELETE", "OK x")},
     .result = ERR_REFUSED, .asked = {1, 1, 1, 1, 1, 0}},
    {.name = "and one that may not be deleted",
     .answers = {LISTED(BOX), SAYS(RENAME, "OK x"),
                 {COUNT, COUNTED("0"), "OK x", false, 0}, CHILDREN(NULL),
                 SAYS(DELETE, "NO [NOPERM] x"), SAYS(BACK, "OK x")},
     .result = ERR_BUSY, .asked = {1, 1, 1, 1, 1, 1}},
    {.name = "one that may not be renamed is deleted where it is",
     .answers = {LISTED(BOX), SAYS(RENAME, "NO [NOPERM] x"),
                 {"STATUS \"Box\"", "* STATUS Box (MESSAGES 0)\r\n", "OK x",
                  false, 0},
                 SAYS("DELETE \"Box\"", "OK x")},
     .asked = {1, 1, 1, 1}},
    {.name = "if it is empty",
     .answers = {LISTED(BOX), SAYS(RENAME, "NO [NOPERM] x"),
                 {"STATUS \"Box\"", "* STATUS Box (MESSAGES 2)\r\n", "OK x",
                  false, 0},
                 SAYS("DELETE", "OK x")},
     .result = ERR_REFUSED, .asked = {1, 1, 1, 0}},
    {.name = "with folders below it, it stays where it is",
     .answers = {LISTED(BOX "* LIST () \"/\" Box/In\r\n"),
                 {"STATUS \"Box\"", "* STATUS Box (MESSAGES 0)\r\n", "OK x",
                  false, 0},
                 SAYS("DELETE \"Box\"", "OK x"), SAYS("RENAME", "OK x")},
     .asked = {1, 1, 1, 0}},
    {.name = "it may be gone",
     .answers = {LISTED(BOX), SAYS(RENAME, "NO [NONEXISTENT] x"),
                 SAYS("STATUS", "OK x"), SAYS("DELETE", "OK x")},
     .asked = {1, 1, 0, 0}},
    {.name = "cut after it was put aside, it is found there",
     .answers = {LISTED(BOX), ONCE(RENAME, NULL),
                 SAYS(RENAME, "NO [NONEXISTENT] x"),
                 {COUNT, COUNTED("0"), "OK x", false, 0}, CHILDREN(NULL),
                 SAYS(DELETE, "OK x")},
     .asked = {1, 1, 1, 1, 1, 1}},
    {.name = "cut before that, and made anew: what is aside goes",
     .answers = {LISTED(BOX), ONCE(RENAME, NULL),
                 SAYS(RENAME, "NO [ALREADYEXISTS] x"),
                 {COUNT, COUNTED("0"), "OK x", false, 0}, CHILDREN(NULL),
                 SAYS(DELETE, "OK x"), SAYS("DELETE \"Box\"", "OK x")},
     .asked = {1, 1, 1, 1, 1, 1, 0}},
    {.name = "cut, and then it may not be renamed: it was never aside",
     .answers = {LISTED(BOX), ONCE(RENAME, NULL), SAYS(RENAME, "NO [NOPERM] x"),
                 SAYS(COUNT, "NO [NONEXISTENT] x"),
                 SAYS("LIST \"\" \"" ASIDE, "OK x"),
                 {"STATUS \"Box\"", "* STATUS Box (MESSAGES 0)\r\n", "OK x",
                  false, 0},
                 SAYS("DELETE \"Box\"", "OK x")},
     .asked = {1, 1, 1, 1, 1, 1, 1}},
    {.name = "cut at its deletion, it is gone",
     .answers = {LISTED(BOX), ONCE(RENAME, "OK x"),
                 {COUNT, COUNTED("0"), "OK x", true, 0}, CHILDREN(NULL),
                 ONCE(DELETE, NULL), SAYS(RENAME, "NO [NONEXISTENT] x"),
                 SAYS(COUNT, "NO [NONEXISTENT] x"),
                 SAYS("STATUS \"Box\"", "NO [NONEXISTENT] x"),
                 SAYS("DELETE", "OK x")},
     .asked = {1, 1, 1, 2, 1, 1, 1, 1, 0}},
};

#define HOLDS(MESSAGES)                                                        \
    {"STATUS \"" ASIDE, "* STATUS " ASIDE " (MESSAGES " MESSAGES " UIDNEXT 4"   \
                        " UIDVALIDITY 7)\r\n",                                 \
     "OK x", false, 0}

/* What a killed run has left aside, seen by the next one as it lists. */
static const struct mend_case {
    const char *name;
    bool untouched;
    struct imapserver_answer answers[LINES];
    unsigned asked[LINES];
    const char *listed;
} mends[] = {
    {.name = "left aside and empty: deleted",
     .answers = {{"LIST", BOX "* LIST () \"/\" " ASIDE "\r\n", "OK x", true, 0},
                 HOLDS("0"),
                 SAYS(DELETE, "OK x"), {"LIST", BOX, "OK x", false, 0},
                 SAYS("RENAME", "OK x")},
     .asked = {1, 1, 1, 1, 0}, .listed = "Box "},
    {.name = "with mail: it gets its name back",
     .answers = {{"LIST", "* LIST () \"/\" " ASIDE "\r\n", "OK x", true, 0},
                 HOLDS("1"),
                 SAYS(BACK, "OK x"), {"LIST", BOX, "OK x", false, 0},
                 SAYS("DELETE", "OK x")},
     .asked = {1, 1, 1, 1, 0}, .listed = "Box "},
    {.name = "which may be taken: it gets another one, for good",
     .answers = {{"LIST", BOX "* LIST () \"/\" " ASIDE "\r\n", "OK x", true, 0},
                 HOLDS("1"),
                 SAYS("RENAME \"" ASIDE "\" \"" KEPT "\"", "OK x"),
                 {"LIST", BOX "* LIST () \"/\" " KEPT "\r\n", "OK x",
                  false, 0}, SAYS("RENAME", "OK x"), SAYS("DELETE", "OK x")},
     .asked = {1, 1, 1, 1, 0, 0}, .listed = "Box " KEPT " "},
    {.name = "and the next one, where that is taken, too",
     .answers = {{"LIST", BOX "* LIST () \"/\" " ASIDE "\r\n* LIST () \"/\" "
                  KEPT "\r\n", "OK x", true, 0},
                 HOLDS("1"),
                 SAYS("RENAME \"" ASIDE "\" \"" KEPT "-2\"", "OK x"),
                 {"LIST", BOX "* LIST () \"/\" " KEPT "\r\n* LIST () \"/\" "
                  KEPT "-2\r\n", "OK x", false, 0}, SAYS("RENAME", "OK x")},
     .asked = {1, 1, 1, 1, 0}, .listed = "Box " KEPT " " KEPT "-2 "},
    {.name = "what only stands above others does not take it",
     .answers = {{"LIST", "* LIST (\\Noselect) \"/\" Box\r\n* LIST () \"/\" "
                  ASIDE "\r\n", "OK x", true, 0},
                 HOLDS("1"),
                 SAYS(BACK, "OK x"), {"LIST", BOX, "OK x", false, 0},
                 SAYS("RENAME", "OK x")},
     .asked = {1, 1, 1, 1, 0}, .listed = "Box "},
    {.name = "where the server refuses it, it stays what it is",
     .answers = {HOLDS("1"),
                 SAYS(BACK, "NO [NOPERM] x"),
                 {"LIST", "* LIST () \"/\" " ASIDE "\r\n", "OK x", false, 0},
                 SAYS("DELETE", "OK x")},
     .asked = {2, 1, 2, 0}, .listed = ASIDE " "},
    {.name = "empty, but with a folder in it: both get their names back",
     .answers = {{"LIST", "* LIST () \"/\" " ASIDE "\r\n"
                  "* LIST () \"/\" " ASIDE "/In\r\n", "OK x", true, 0},
                 {"STATUS \"" ASIDE "\"", "* STATUS " ASIDE " (MESSAGES 0 UIDNEXT"
                  " 4 UIDVALIDITY 7)\r\n", "OK x", false, 0},
                 SAYS(BACK, "OK x"), {"LIST", BOX, "OK x", false, 0},
                 SAYS("DELETE", "OK x")},
     .asked = {1, 1, 1, 1, 0}, .listed = "Box "},
    {.name = "a side that may not be changed is not",
     .untouched = true,
     .answers = {{"LIST", "* LIST () \"/\" " ASIDE "\r\n", "OK x", false, 0},
                 HOLDS("0"),
                 SAYS("DELETE", "OK x")},
     .asked = {1, 1, 0}, .listed = ASIDE " "},
};

/* clang-format on */

static void list(struct scripted *world, struct buf *names)
{
    struct list_request list = {.base = scripted_head(world)};

    endpoint_list(world->endpoint, &list);
    scripted_settle(world);
    for (size_t i = 0; i < list.n_folders; i++)
        buf_printf(names, "%s ", list.folders[i].name);
    folder_list_free(list.folders, list.n_folders);
}

static void test_delete(const struct delete_case *test)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct imapserver_answer answers[LINES];
    struct folder_request request = {.action = FOLDER_DELETE, .name = "Box"};
    struct buf names;

    memcpy(answers, test->answers, sizeof(answers));
    buf_init(&names, 0);
    world->server.n_clients = 2;
    ok(scripted_open(world, CAPS "\r\n", false, answers), "a server");
    list(world, &names);
    for (size_t i = 1; i < LINES; i++)
        answers[i].asked = 0; /* STATUS of the listing */
    request.base = scripted_head(world);
    endpoint_folder(world->endpoint, &request);
    scripted_settle(world);
    scripted_close(world);
    ok(request.base.result == test->result, "%s: %d %s", test->name,
       request.base.result, request.base.err.text);
    ok(scripted_asked(answers, test->asked), "and nothing else is asked for");
    buf_deinit(&names);
    free(world);
}

static void test_mend(const struct mend_case *test)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct imapserver_answer answers[LINES];
    struct buf names;

    memcpy(answers, test->answers, sizeof(answers));
    buf_init(&names, 0);
    ok(scripted_open(world, CAPS "\r\n", test->untouched, answers), "a server");
    list(world, &names);
    scripted_close(world);
    ok(strcmp(buf_text(&names), test->listed) == 0, "%s: %s", test->name,
       buf_text(&names));
    ok(scripted_asked(answers, test->asked), "and nothing else is asked for");
    buf_deinit(&names);
    free(world);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        test_delete(&cases[i]);
    for (size_t i = 0; i < sizeof(mends) / sizeof(mends[0]); i++)
        test_mend(&mends[i]);
    return done_testing();
}
