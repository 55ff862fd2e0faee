/* Headers of several folders are asked for in one flight, and in one folder by
 * several at once: whatever comes in whichever order, each is told of what he
 * asked for, all of it and nothing else. */
#include "base/identity.h"
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES SCRIPTED_LINES
#define CAPS  SCRIPTED_CAPS "\r\n"

#define FOLDER "* 9 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 20] x\r\n"
#define SELECT                             \
    {                                      \
        "SELECT", FOLDER, "OK x", false, 0 \
    }
#define ONCE(command, untagged)            \
    {                                      \
        command, untagged, "OK x", true, 0 \
    }
#define THEN(command, untagged)             \
    {                                       \
        command, untagged, "OK x", false, 0 \
    }

/* What a message is, by the digit that is its UID. */
#define META(uid) \
    "INTERNALDATE \"01-Jan-2020 00:00:00 +0000\" RFC822.SIZE 1" uid
#define HEADER(uid) \
    "BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: " uid "\r\n\r\n"
#define LINE(items) "* 1 FETCH (" items ")\r\n"
#define H(uid)      LINE("UID " uid " " META(uid) " " HEADER(uid))
#define M(uid)      LINE("UID " uid " " META(uid))
#define NIL(uid)    LINE("UID " uid " " META(uid) " BODY[HEADER.FIELDS (X)] NIL")
#define LATE(uid)   LINE(META(uid) " " HEADER(uid) " UID " uid)
#define BODY(uid)   LINE("UID " uid " BODY[] {4}\r\nbod" uid)
#define FLAGS(uid)  LINE("UID " uid " FLAGS (\\Seen)")

/* Commands: for size and date, for a header, for a body. */
#define ASK_M(uids) "UID FETCH " uids " (UID INTERNALDATE RFC822.SIZE)"
#define ASK_H(uids) "UID FETCH " uids " (UID INTERNALDATE RFC822.SIZE BODY"
#define ASK_B(uids) "UID FETCH " uids " (UID BODY.PEEK[])"

struct asker {
    struct identify_request request; /* first */
    struct uidset uids;
    char told[20]; /* for each message its UID, and what was told of it */
    size_t len;
};

struct reader {
    struct read_request request; /* first */
    struct uidset uids;
    char got[20];
    size_t len;
};

static void note(char *notes, size_t *len, char c)
{
    if (*len < 19)
        notes[(*len)++] = c;
}

/* h: its header, m: that it has none, x: what belongs to another message. */
static char verdict(uint32_t uid, const struct identity *identity)
{
    struct identity_reader *reader = identity_reader_new(IDENTITY_BY_FIELDS);
    struct identity right = {0};
    char header[] = "Subject: 0\r\n\r\n";
    char verdict = 'm';

    header[9] = (char)('0' + uid);
    identity_reader_add(reader, bytes_of(header));
    identity_reader_final(reader, &right);
    identity_reader_free(reader);
    if (identity->has_header)
        verdict =
            memcmp(identity->digest, right.digest, sizeof(right.digest)) == 0
                ? 'h'
                : 'x';
    return identity->size == 10 + uid && identity->date == 1577836800 ? verdict
                                                                      : 'x';
}

static void on_item(struct identify_request *request, uint32_t uid,
                    const struct identity *identity)
{
    struct asker *asker = (struct asker *)request;

    note(asker->told, &asker->len, (char)('0' + uid));
    note(asker->told, &asker->len, verdict(uid, identity));
}

static void add_uids(struct uidset *set, const char *uids)
{
    for (; *uids != '\0'; uids++)
        uidset_add(set, (uint32_t)(*uids - '0'));
}

static void ask(struct scripted *world, struct asker *asker, const char *folder,
                enum identify_level level, const char *uids)
{
    add_uids(&asker->uids, uids);
    asker->request = (struct identify_request){.base = scripted_head(world),
                                               .folder = {.name = folder},
                                               .uids = &asker->uids,
                                               .level = level,
                                               .item = on_item};
    endpoint_identify(world->endpoint, &asker->request);
}

static void on_begin(struct read_request *request, uint32_t uid, uint64_t size)
{
    (void)request;
    (void)uid;
    (void)size;
}

static void on_data(struct read_request *request, struct bytes data)
{
    struct reader *reader = (struct reader *)request;

    for (size_t i = 0; i < data.len; i++)
        note(reader->got, &reader->len, data.ptr[i]);
}

static void on_end(struct read_request *request, int result,
                   const struct err *err)
{
    (void)request;
    (void)result;
    (void)err;
}

static void read_bodies(struct scripted *world, struct reader *reader,
                        const char *folder, const char *uids)
{
    add_uids(&reader->uids, uids);
    reader->request = (struct read_request){.base = scripted_head(world),
                                            .folder = {.name = folder},
                                            .uids = &reader->uids,
                                            .octets = 4,
                                            .begin = on_begin,
                                            .data = on_data,
                                            .end = on_end};
    endpoint_read(world->endpoint, &reader->request);
}

/* Where two ask: a asks in the folder A, in which the connection is already. */
struct identify_case {
    const char *name;
    struct imapserver_answer answers[LINES];
    enum identify_level level_a;
    enum identify_level level_b;
    const char *uids_a;
    const char *folder_b;
    const char *uids_b;
    const char *read; /* UIDs of bodies that are read from A, too; or NULL */
    uint64_t trips;   /* that all cost */
    const char *told_a;
    const char *told_b;
    const char *got; /* by who reads */
    int result_a;
    int result_b;
    unsigned asked[LINES];
};

#define BEFORE SELECT, ONCE(ASK_M("1"), M("1"))
#define HH     .level_a = IDENTIFY_HEADER, .level_b = IDENTIFY_HEADER

/* clang-format off */
static const struct identify_case cases[] = {
    {.name = "two folders cost one round trip", HH,
     .uids_a = "56", .folder_b = "B", .uids_b = "78", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), H("5") H("6")),
                 THEN(ASK_H("7:8"), H("7") H("8"))},
     .told_a = "5h6h", .told_b = "7h8h", .asked = {2, 1, 1, 1}},
    {.name = "as do two who ask in one folder", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), H("5") H("6")),
                 THEN(ASK_H("7:8"), H("7") H("8"))},
     .told_a = "5h6h", .told_b = "7h8h", .asked = {1, 1, 1, 1}},
    {.name = "answered side by side", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), H("7") H("5") H("8") H("6")),
                 THEN(ASK_H("7:8"), NULL)},
     .told_a = "5h6h", .told_b = "7h8h", .asked = {1, 1, 1, 1}},
    {.name = "answered the wrong way round", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), H("7") H("8") H("6") H("5")),
                 THEN(ASK_H("7:8"), NULL)},
     .told_a = "6h5h", .told_b = "7h8h", .asked = {1, 1, 1, 1}},
    {.name = "both about the same message", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "67", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), H("6") H("5") H("6")),
                 THEN(ASK_H("6:7"), H("7"))},
     .told_a = "6h5h", .told_b = "6h7h", .asked = {1, 1, 1, 1}},
    {.name = "one about its header, one about its size", .trips = 1,
     .level_a = IDENTIFY_HEADER, .level_b = IDENTIFY_META,
     .uids_a = "56", .folder_b = "A", .uids_b = "56",
     .answers = {BEFORE, THEN(ASK_H("5:6"), M("5") H("5") H("6") M("6")),
                 THEN(ASK_M("5:6"), NULL)},
     .told_a = "5h6h", .told_b = "5m6m", .asked = {1, 1, 1, 1}},
    {.name = "one about its size, one about its header", .trips = 1,
     .level_a = IDENTIFY_META, .level_b = IDENTIFY_HEADER,
     .uids_a = "56", .folder_b = "A", .uids_b = "56",
     .answers = {BEFORE, THEN(ASK_M("5:6"), H("5") M("5") M("6") H("6")),
                 THEN(ASK_H("5:6"), NULL)},
     .told_a = "5m6m", .told_b = "5h6h", .asked = {1, 1, 1, 1}},
    {.name = "with news of flags in between", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 1,
     .answers = {BEFORE,
                 THEN(ASK_H("5:6"), FLAGS("7") H("5") FLAGS("5") H("7") H("6")),
                 THEN(ASK_H("7:8"), FLAGS("8") H("8"))},
     .told_a = "5h6h", .told_b = "7h8h", .asked = {1, 1, 1, 1}},
    {.name = "what both asked for came once: it is asked for again", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "67", .trips = 2,
     .answers = {BEFORE, THEN(ASK_H("5:6"), H("5") H("6")),
                 THEN(ASK_H("6:7"), H("7")), THEN(ASK_H("6"), H("6"))},
     .told_a = "5h6h", .told_b = "7h6h", .asked = {1, 1, 1, 1, 1}},
    {.name = "a message that is gone is asked for again, once", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 2,
     .answers = {BEFORE, THEN(ASK_H("5:6"), "* 1 EXPUNGE\r\n" H("6")),
                 THEN(ASK_H("7:8"), H("7") H("8")), THEN(ASK_H("5"), NULL)},
     .told_a = "6h", .told_b = "7h8h", .asked = {1, 1, 1, 1, 1}},
    {.name = "and never in a folder that one asks in alone", HH,
     .uids_a = "56", .folder_b = "B", .uids_b = "78", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), "* 1 EXPUNGE\r\n" H("6")),
                 THEN(ASK_H("7:8"), H("7"))},
     .told_a = "6h", .told_b = "7h", .asked = {2, 1, 1, 1}},
    {.name = "the UID behind the header", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 2,
     .answers = {BEFORE, THEN(ASK_H("5:6"), LATE("7") LATE("5") LATE("6")),
                 THEN(ASK_H("7:8"), LATE("8")), THEN(ASK_H("7"), LATE("7"))},
     .told_a = "5h6h", .told_b = "8h7h", .asked = {1, 1, 1, 1, 1}},
    {.name = "a header that is NIL counts where nobody else asks", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 3,
     .answers = {BEFORE, THEN(ASK_H("5:6"), NIL("7") NIL("5") H("6")),
                 THEN(ASK_H("7:8"), H("8")), THEN(ASK_H("5"), NIL("5")),
                 THEN(ASK_H("7"), NIL("7"))},
     .told_a = "6h5m", .told_b = "8h7m", .asked = {1, 1, 1, 1, 1, 1}},
    {.name = "one is refused: the other gets its own", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 1,
     .answers = {BEFORE, {ASK_H("5:6"), H("7") H("5"), "NO x", false, 0},
                 THEN(ASK_H("7:8"), H("8"))},
     .told_a = "5h", .told_b = "7h8h", .result_a = ERR_REFUSED,
     .asked = {1, 1, 1, 1}},
    {.name = "a folder that is gone is not mistaken for the one before", HH,
     .uids_a = "56", .folder_b = "B", .uids_b = "56", .trips = 1,
     .answers = {{"SELECT \"B\"", NULL, "NO [NONEXISTENT] x", false, 0}, BEFORE,
                 ONCE(ASK_H("5:6"), H("5") H("6")),
                 {ASK_H("5:6"), NULL, "BAD no folder", false, 0}},
     .told_a = "5h6h", .told_b = "", .result_b = ERR_GONE,
     .asked = {1, 1, 1, 1, 1}},
    {.name = "cut off: both are told the rest by the next connection", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "78", .trips = 0,
     .answers = {BEFORE, {ASK_H("5:6"), H("7") H("5"), NULL, true, 0},
                 THEN(ASK_H("6"), H("6")), THEN(ASK_H("8"), H("8"))},
     .told_a = "5h6h", .told_b = "7h8h", .asked = {3, 1, 1, 1, 1}},
    {.name = "beside bodies of the same messages", HH,
     .uids_a = "56", .folder_b = "A", .uids_b = "7", .read = "57", .trips = 1,
     .answers = {BEFORE, THEN(ASK_H("5:6"), BODY("5") H("7") H("6") H("5")),
                 THEN(ASK_H("7"), BODY("7")), THEN(ASK_B("5,7"), NULL)},
     .told_a = "6h5h", .told_b = "7h", .got = "bod5bod7",
     .asked = {1, 1, 1, 1, 1}},
};

/* clang-format on */

static void test_identify(const struct identify_case *test)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct imapserver_answer answers[LINES];
    struct asker first = {.len = 0};
    struct asker a = {.len = 0};
    struct asker b = {.len = 0};
    struct reader reader = {.len = 0};
    uint64_t before;

    memcpy(answers, test->answers, sizeof(answers));
    world->server.n_clients = 2;
    world->account.wait_ms = 1;
    ok(scripted_open(world, CAPS, true, answers), "a server");
    ask(world, &first, "A", IDENTIFY_META, "1");
    scripted_settle(world);
    before = world->endpoint->wire.round_trips;
    ask(world, &a, "A", test->level_a, test->uids_a);
    ask(world, &b, test->folder_b, test->level_b, test->uids_b);
    if (test->read != NULL)
        read_bodies(world, &reader, "A", test->read);
    scripted_settle(world);
    ok(a.request.base.result == test->result_a &&
           b.request.base.result == test->result_b,
       "%s: %d and %d", test->name, a.request.base.result,
       b.request.base.result);
    ok(strcmp(a.told, test->told_a) == 0 && strcmp(b.told, test->told_b) == 0,
       "each is told of its own: '%s' and '%s'", a.told, b.told);
    if (test->read != NULL)
        ok(strcmp(reader.got, test->got) == 0, "read: '%s'", reader.got);
    ok(test->trips == 0 ||
           world->endpoint->wire.round_trips - before == test->trips,
       "after %u round trips",
       (unsigned)(world->endpoint->wire.round_trips - before));
    scripted_close(world);
    ok(scripted_asked(answers, test->asked), "and nothing else is asked for");
    uidset_deinit(&first.uids);
    uidset_deinit(&a.uids);
    uidset_deinit(&b.uids);
    uidset_deinit(&reader.uids);
    free(world);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        test_identify(&cases[i]);
    return done_testing();
}
