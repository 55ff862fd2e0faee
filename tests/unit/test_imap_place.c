/* Moving, copying and renaming against a server that says what no Dovecot does:
 * no COPYUID, a wrong one, half of a move, no parents. */
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define UIDS 100u

#define LINES SCRIPTED_LINES
#define CAPS  SCRIPTED_CAPS

struct world {
    struct scripted scripted; /* first */
    unsigned n_placed;
    unsigned n_strange; /* that nobody asked for */
    bool placed[UIDS];
    uint32_t to_uid[UIDS];
};

struct place_case {
    const char *name;
    const char *caps;
    struct imapserver_answer answers[LINES];
    bool copy;
    const char *placed; /* "uid:to_uid ..." in the order of their UIDs */
    int result;
    bool kept;
    /* how often each of the answers was asked for */
    unsigned asked[LINES];
};

#define SELECT                                                 \
    {                                                          \
        .command = "SELECT",                                   \
        .untagged = "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" \
                    "* OK [UIDNEXT 100] x\r\n",                \
        .tagged = "OK [READ-WRITE] done"                       \
    }
#define HERE(uid) "* 1 FETCH (UID " #uid ")\r\n"
#define FETCH(found)                                         \
    {                                                        \
        .command = "UID FETCH 1:4 (UID)", .untagged = found, \
        .tagged = "OK done"                                  \
    }
/* Of the folder that messages are copied to, before and after. */
#define STATUS(before, after)                                            \
    {"STATUS \"To\"", "* STATUS To (" before ")\r\n", "OK x", true, 0},  \
    {                                                                    \
        "STATUS \"To\"", "* STATUS To (" after ")\r\n", "OK x", false, 0 \
    }
#define DONE(text)                           \
    {                                        \
        .command = text, .tagged = "OK done" \
    }

/* clang-format off */
static const struct place_case cases[] = {
    {.name = "without COPYUID those that were there are moved",
     .caps = CAPS " MOVE\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(3)), DONE("UID MOVE 1:4 \"To\"")},
     .placed = "1:0 3:0 ", .asked = {1, 1, 1}},
    {.name = "refused is only the question which of them are there",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, {"UID FETCH", NULL, "NO [NOPERM] x", false, 0},
                 {"UID MOVE", NULL, "OK [COPYUID 9 1,3 20:21] x", false, 0}},
     .placed = "1:20 3:21 ", .asked = {1, 1, 1}},
    {.name = "and without COPYUID nobody knows what was moved",
     .caps = CAPS " MOVE\r\n",
     .answers = {SELECT, {"UID FETCH", NULL, "NO [NOPERM] x", false, 0},
                 DONE("UID MOVE")},
     .placed = "", .result = ERR_UNSURE, .asked = {1, 1, 1}},
    {.name = "COPYUID may stand in the tagged answer",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(3)),
                 {"UID MOVE", NULL, "OK [COPYUID 9 1,3 20:21] x", false, 0}},
     .placed = "1:20 3:21 ", .asked = {1, 1, 1}},
    {.name = "what comes twice is told once",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(3)),
                 {"UID MOVE", "* OK [COPYUID 9 1,3 20:21] x\r\n",
                  "OK [COPYUID 9 1,3 20:21] x", false, 0}},
     .placed = "1:20 3:21 ", .asked = {1, 1, 1}},
    {.name = "of a move that breaks off the half that was done is told",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(2) HERE(3) HERE(4)),
                 {"UID MOVE", "* OK [COPYUID 9 1:2 20:21] x\r\n",
                  "NO [OVERQUOTA] x", false, 0}},
     .placed = "1:20 2:21 ", .result = ERR_FULL, .asked = {1, 1, 1}},
    {.name = "COPYUID of messages that were not meant is not believed",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(3)),
                 {"UID MOVE", "* OK [COPYUID 9 3,8 20:21] x\r\n", "OK x",
                  false, 0}},
     .placed = "3:20 ", .asked = {1, 1, 1}},
    {.name = "nor one of four billion",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(3)),
                 {"UID MOVE", "* OK [COPYUID 9 1:4294967295 1:4294967295] x\r\n",
                  "OK x", false, 0}},
     .placed = "1:0 3:0 ", .asked = {1, 1, 1}},
    {.name = "COPYUID in no order tells nothing",
     .caps = CAPS " MOVE UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(3)),
                 {"UID MOVE", "* OK [COPYUID 9 3,1 20:21] x\r\n", "OK x",
                  false, 0}},
     .placed = "1:0 3:0 ", .asked = {1, 1, 1}},
    {.name = "a copy without COPYUID is told, too",
     .caps = CAPS " MOVE\r\n", .copy = true,
     .answers = {SELECT, FETCH(HERE(2)), DONE("UID COPY 1:4 \"To\""),
                 DONE("UID STORE")},
     .placed = "2:0 ", .asked = {1, 1, 1, 0}},
    {.name = "without MOVE what was copied is removed, and no more",
     .caps = CAPS " UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(2) HERE(3)),
                 {"UID COPY 1:4", NULL, "OK [COPYUID 9 1,3 20:21] x", false, 0},
                 DONE("UID STORE 1,3 +FLAGS.SILENT (\\Deleted)"),
                 DONE("UID EXPUNGE 1,3"),
                 STATUS("MESSAGES 5 UIDNEXT 20", "MESSAGES 7 UIDNEXT 22"),
                 DONE("UID FETCH 1,3 (UID)")},
     .placed = "1:20 3:21 ", .asked = {1, 1, 1, 1, 1, 1, 1, 1}},
    {.name = "UIDs that were given out show the copies, too",
     .caps = CAPS " UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1)),
                 {"UID COPY 1:4", NULL, "OK [COPYUID 9 1 20] x", false, 0},
                 DONE("UID STORE"), DONE("UID EXPUNGE"),
                 STATUS("MESSAGES 5 UIDNEXT 20", "MESSAGES 2 UIDNEXT 21"),
                 DONE("UID FETCH 1 (UID)")},
     .placed = "1:20 ", .asked = {1, 1, 1, 1, 1, 1, 1, 1}},
    {.name = "without MOVE nothing is removed where a copy is missing",
     .caps = CAPS " UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(2)), DONE("UID COPY"),
                 DONE("UID STORE"), DONE("UID EXPUNGE"),
                 STATUS("MESSAGES 5 UIDNEXT 20", "MESSAGES 6 UIDNEXT 21")},
     .placed = "1:0 2:0 ", .result = ERR_UNSURE,
     .asked = {1, 1, 1, 0, 0, 1, 1}},
    {.name = "nor where that cannot be known",
     .caps = CAPS " UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1)), DONE("UID COPY"), DONE("UID STORE"),
                 {"STATUS", NULL, "NO x", false, 0}},
     .placed = "1:0 ", .result = ERR_UNSURE, .asked = {1, 1, 1, 0, 2}},
    {.name = "without MOVE nothing is removed that was not copied",
     .caps = CAPS " UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(2) HERE(3)),
                 {"UID COPY 1:4", NULL, "NO [TRYCREATE] x", false, 0},
                 DONE("UID STORE"), DONE("UID EXPUNGE")},
     .placed = "", .result = ERR_GONE, .asked = {1, 1, 1, 0, 0}},
    {.name = "nor where nothing is there",
     .caps = CAPS "\r\n",
     .answers = {SELECT, FETCH(NULL), DONE("UID COPY"), DONE("UID STORE")},
     .placed = "", .asked = {1, 1, 1, 0}},
    {.name = "without UIDPLUS the originals are kept for others' sake",
     .caps = CAPS "\r\n",
     .answers = {SELECT, FETCH(HERE(1) HERE(2)), DONE("UID COPY"),
                 DONE("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)"),
                 {"UID SEARCH DELETED", "* SEARCH 1 2 50\r\n", "OK x", false,
                  0},
                 DONE("EXPUNGE"), STATUS("MESSAGES 5", "MESSAGES 7")},
     .placed = "1:0 2:0 ", .kept = true, .asked = {1, 1, 1, 1, 1, 0, 1, 1}},
    {.name = "a removal that fails is told",
     .caps = CAPS " UIDPLUS\r\n",
     .answers = {SELECT, FETCH(HERE(1)),
                 {"UID COPY", NULL, "OK [COPYUID 9 1 20] x", false, 0},
                 {"UID STORE", NULL, "NO [NOPERM] x", false, 0},
                 DONE("UID EXPUNGE"), STATUS("MESSAGES 5", "MESSAGES 6")},
     .placed = "1:20 ", .result = ERR_BUSY, .asked = {1, 1, 1, 1, 0, 1, 1}},
};

/* clang-format on */

static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    struct world *world = request->base.owner;

    if (uid >= UIDS || world->placed[uid]) {
        world->n_strange++;
        return;
    }
    world->n_placed++;
    world->placed[uid] = true;
    world->to_uid[uid] = to_uid;
}

static void test_place(const struct place_case *test)
{
    struct world *world = MEM_NEW(struct world);
    struct imapserver_answer answers[LINES];
    struct uidset uids = {0};
    struct place_request place;
    struct buf placed;
    bool told = false;

    memcpy(answers, test->answers, sizeof(answers));
    ok(scripted_open(&world->scripted, test->caps, false, answers), "a server");
    uidset_add_range(&uids, 1, 4);
    place = (struct place_request){
        .base = scripted_head(&world->scripted),
        .from = {.name = "From"   },
        .to = { .name = "To", .uidvalidity = 9},
        .uids = &uids,
        .move = !test->copy,
        .placed = on_placed
    };
    endpoint_place(world->scripted.endpoint, &place);
    scripted_settle(&world->scripted);
    buf_init(&placed, 0);
    for (unsigned uid = 0; uid < UIDS; uid++) {
        if (world->placed[uid])
            buf_printf(&placed, "%u:%u ", uid, world->to_uid[uid]);
        told = told || world->to_uid[uid] != 0;
    }
    scripted_close(&world->scripted);
    ok(place.base.result == test->result && place.kept == test->kept &&
           world->n_strange == 0 &&
           strcmp(buf_text(&placed), test->placed) == 0 &&
           place.uidvalidity == (told ? 9 : 0),
       "%s", test->name);
    ok(scripted_asked(answers, test->asked), "and nothing else is asked for");
    buf_deinit(&placed);
    uidset_deinit(&uids);
    free(world);
}

/* More than fits one line: the first is moved, the second refused. */
static void test_lines(void)
{
    struct world *world = MEM_NEW(struct world);
    struct imapserver_answer answers[LINES] = {
        SELECT,
        DONE("UID FETCH"),
        {"UID COPY 1,", NULL, "OK [COPYUID 9 1,3 20:21] x", false, 0},
        {"UID COPY",    NULL, "NO [OVERQUOTA] x",           false, 0},
        DONE("UID STORE 1,3 "),
        DONE("UID EXPUNGE 1,3"),
        STATUS("MESSAGES 5", "MESSAGES 7"),
    };
    const unsigned asked[LINES] = {1, 3, 1, 1, 1, 1, 1, 2};
    struct uidset uids = {0};
    struct place_request place;

    ok(scripted_open(&world->scripted, CAPS " UIDPLUS\r\n", false, answers),
       "a server");
    for (uint32_t uid = 1; uid < 6000; uid += 2)
        uidset_add(&uids, uid);
    place = (struct place_request){.base = scripted_head(&world->scripted),
                                   .from = {.name = "From"},
                                   .to = {.name = "To"},
                                   .uids = &uids,
                                   .move = true,
                                   .placed = on_placed};
    endpoint_place(world->scripted.endpoint, &place);
    scripted_settle(&world->scripted);
    scripted_close(&world->scripted);
    ok(place.base.result == ERR_FULL && world->n_placed == 2 &&
           world->n_strange == 0,
       "where a later line is refused the first was copied");
    ok(scripted_asked(answers, asked),
       "and its originals are removed all the same");
    uidset_deinit(&uids);
    free(world);
}

static void test_rename(const char *new_name, int result, const char *create,
                        const unsigned *asked, const char *what)
{
    struct world *world = MEM_NEW(struct world);
    struct imapserver_answer answers[LINES] = {
        {"RENAME \"Old\" \"Up/There/New\"", NULL,                      "NO [TRYCREATE] x",   true,  0},
        {"CREATE \"Up/There\"",             NULL,                      create,               false, 0},
        DONE("RENAME \"Old\" \"Up/There/New\""),
        {"RENAME \"Old\" \"New\"",          NULL,                      "NO [NONEXISTENT] x", false, 0},
        {"LIST",                            "* LIST () \"/\" Old\r\n", "OK done",            false, 0},
    };
    struct folder_request rename = {
        .action = FOLDER_RENAME, .name = "Old", .new_name = new_name};
    struct list_request list = {0};

    ok(scripted_open(&world->scripted, CAPS "\r\n", false, answers),
       "a server");
    list.base = scripted_head(&world->scripted);
    endpoint_list(world->scripted.endpoint, &list);
    scripted_settle(&world->scripted);
    answers[4].asked = 0;
    rename.base = scripted_head(&world->scripted);
    endpoint_folder(world->scripted.endpoint, &rename);
    scripted_settle(&world->scripted);
    scripted_close(&world->scripted);
    ok(rename.base.result == result && scripted_asked(answers, asked), "%s",
       what);
    folder_list_free(list.folders, list.n_folders);
    free(world);
}

static void test_renames(void)
{
    test_rename("Up/There/New", 0, "OK done", (const unsigned[LINES]){1, 1, 1},
                "a parent that is missing is made");
    test_rename("Up/There/New", 0, "NO [ALREADYEXISTS] x",
                (const unsigned[LINES]){1, 1, 1}, "or is there all the same");
    test_rename("Up/There/New", ERR_BUSY, "NO [NOPERM] x",
                (const unsigned[LINES]){1, 1, 0},
                "where it cannot be made that is the reason");
    test_rename("New", ERR_GONE, "OK done", (const unsigned[LINES]){0, 0, 0, 1},
                "where none is needed the folder itself is gone");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        test_place(&cases[i]);
    test_lines();
    test_renames();
    return done_testing();
}
