/* Servers that are busy, full, or hang up: what is waited for, what is asked
 * again, and when it is given up. One wait is a few milliseconds here. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "imap/patience.h"
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES       SCRIPTED_LINES
#define CAPS        "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ UIDPLUS\r\n"
#define CLIENTS_MAX 20u

#define DONE(command)                        \
    {                                        \
        (command), NULL, "OK done", false, 0 \
    }
#define CUT(command)                   \
    {                                  \
        (command), NULL, NULL, true, 0 \
    }
#define SELECT                                         \
    {                                                  \
        "SELECT",                                      \
            "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" \
            "* OK [UIDNEXT 3] x\r\n",                  \
            "OK done", false, 0                        \
    }
#define LISTING                                                   \
    {                                                             \
        "UID FETCH 1:*",                                          \
            "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9)\r\n"        \
            "* 2 FETCH (UID 2 FLAGS (\\Seen) RFC822.SIZE 9)\r\n", \
            "OK done", false, 0                                   \
    }

struct world {
    struct scripted scripted; /* first */
    unsigned n_listed;
    unsigned n_anew;
    unsigned n_waits; /* told of in the log */
    bool complete;    /* the listing was */
    int added[LINES]; /* results by index */
    unsigned n_added;
    unsigned n_begun;
    unsigned n_ended;
    unsigned n_broken;
    uint32_t last_uid;
    uint32_t uidvalidity; /* of the latest UID */
};

static void on_heard(struct scripted *scripted, const char *line)
{
    ((struct world *)scripted)->n_waits +=
        strstr(line, "trying again in") != NULL;
}

static int open_after(struct world *world, bool on_its_way)
{
    return scripted_login(&world->scripted,
                          (struct open_request){.on_its_way = on_its_way});
}

static int do_open(struct world *world)
{
    return open_after(world, false);
}

/* A server with these answers, up to one without a command. */
static struct world *world_of(struct imapserver_answer *answers,
                              const char *const *greetings,
                              unsigned connections)
{
    struct world *world = MEM_NEW(struct world);

    world->scripted.heard = on_heard;
    world->scripted.server.greetings = greetings;
    world->scripted.server.n_clients = CLIENTS_MAX;
    world->scripted.account.connections = connections;
    world->scripted.account.wait_ms = 4;
    scripted_start(&world->scripted, CAPS, answers);
    return world;
}

static struct world *world_new(struct imapserver_answer *answers,
                               const char *const *greetings)
{
    return world_of(answers, greetings, 1);
}

static void world_free(struct world *world)
{
    scripted_close(&world->scripted);
    free(world);
}

static void on_item(struct delta_request *request, const struct listed *listed)
{
    struct world *world = request->base.owner;

    (void)listed;
    world->n_listed++;
}

static void on_anew(struct delta_request *request)
{
    struct world *world = request->base.owner;

    world->n_anew++;
    world->n_listed = 0;
}

static int do_delta(struct world *world)
{
    struct delta_request delta = {.base = scripted_head(&world->scripted),
                                  .folder = {.name = "INBOX"},
                                  .item = on_item,
                                  .anew = on_anew};

    endpoint_delta(world->scripted.endpoint, &delta);
    scripted_settle(&world->scripted);
    uidset_deinit(&delta.vanished);
    world->complete = delta.complete;
    return delta.base.result;
}

static void test_greetings(void)
{
    static const char *const crowded[] = {
        "* BYE Too many connections\r\n",
        "* BYE [UNAVAILABLE] come back later\r\n", NULL};
    static const char *const closed[] = {"* BYE we moved\r\n", NULL};
    struct imapserver_answer none[LINES] = {{0}};
    struct world *world = world_new(none, crowded);

    ok(do_open(world) == 0 && world->scripted.endpoint->wire.connections == 3,
       "a server that is crowded is asked again");
    world_free(world);
    world = world_new(none, closed);
    ok(do_open(world) == ERR_CONNECT &&
           world->scripted.endpoint->wire.connections == 1,
       "one that sends us away for good is not");
    world_free(world);
}

static void test_login(const char *answer, int result, unsigned connections,
                       const char *what)
{
    struct imapserver_answer answers[LINES] = {
        {"AUTHENTICATE", NULL, answer, true, 0},
        {"AUTHENTICATE", NULL, answer, true, 0},
    };
    struct world *world = world_new(answers, NULL);

    ok(do_open(world) == result &&
           world->scripted.endpoint->wire.connections == connections,
       "%s", what);
    world_free(world);
}

static void test_busy(const char *answer, unsigned n, const char *what)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT", NULL, answer, true, 0},
        {"SELECT", NULL, answer, true, 0},
        SELECT,
        LISTING,
    };
    struct world *world = world_new(answers + (2 - n), NULL);
    uint64_t before;

    do_open(world);
    before = uv_hrtime();
    ok(do_delta(world) == 0 && world->n_listed == 2 &&
           world->scripted.endpoint->wire.connections == 1,
       "%s", what);
    ok(world->n_anew == n && uv_hrtime() - before >= n * 3000000u,
       "after a wait, on the same connection");
    world_free(world);
}

static void test_busy_for_ever(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT", NULL, "NO [INUSE] locked", false, 0},
    };
    struct world *world = world_new(answers, NULL);

    do_open(world);
    ok(do_delta(world) == ERR_BUSY && answers[0].asked == PATIENCE_SETBACKS + 1,
       "a folder that stays locked fails in the end");
    ok(do_delta(world) == ERR_BUSY, "but not the account");
    world_free(world);
}

static void test_long_wait(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT", NULL,
         "BAD Request is throttled. Suggested Backoff Time: 3600000 "
         "milliseconds", false, 0},
    };
    struct world *world = world_new(answers, NULL);

    do_open(world);
    do_delta(world);
    ok(do_delta(world) == ERR_CONNECT && answers[0].asked == 1,
       "a server that wants an hour is left to the next run");
    world_free(world);
}

static void test_cuts(void)
{
    struct imapserver_answer answers[LINES] = {
        CUT("SELECT"),
        {"UID FETCH", "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9)\r\n", NULL,
                    true,                                                                    0},
        {"UID FETCH", "* BYE Session expired\r\n",                    NULL, true, 0},
        SELECT,
        LISTING,
    };
    struct world *world = world_new(answers, NULL);

    do_open(world);
    ok(do_delta(world) == 0 && world->n_listed == 2 && world->n_anew == 3 &&
           world->scripted.endpoint->wire.connections == 4,
       "a listing that is cut off begins anew on another connection");
    ok(do_delta(world) == 0 && world->scripted.endpoint->wire.connections == 4,
       "which then stays");
    world_free(world);
}

/* Nothing may be taken as gone because of what was not listed. */
static void test_partial(const char *tagged, int result, const char *what)
{
    struct imapserver_answer answers[LINES] = {
        SELECT,
        {"UID FETCH", "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9)\r\n", tagged,
          false, 0},
    };
    struct world *world = world_new(answers, NULL);

    do_open(world);
    ok(do_delta(world) == result && !world->complete, "%s is not complete",
       what);
    world_free(world);
}

static void test_cuts_for_ever(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT", NULL, NULL, false, 0},
    };
    struct world *world = world_new(answers, NULL);

    do_open(world);
    ok(do_delta(world) == ERR_CONNECT &&
           world->scripted.endpoint->wire.connections == PATIENCE_SETBACKS + 1,
       "a server that always hangs up is given up");
    ok(do_delta(world) == ERR_CONNECT, "for all of the run");
    world_free(world);
}

/* Ask what is in two folders at once. */
static void ask_both(struct world *world, struct delta_request *one,
                     struct delta_request *two)
{
    one->item = two->item = on_item;
    one->anew = two->anew = on_anew;
    one->base = scripted_head(&world->scripted);
    endpoint_delta(world->scripted.endpoint, one);
    two->base = scripted_head(&world->scripted);
    endpoint_delta(world->scripted.endpoint, two);
}

/* While one is lost the other is there, and so on in turn. */
static void test_cuts_in_turn(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT", NULL, NULL, false, 0},
    };
    struct world *world = world_of(answers, NULL, 2);
    struct delta_request inbox = {.folder = {.name = "INBOX"}};
    struct delta_request other = {.folder = {.name = "other"}};

    do_open(world);
    ask_both(world, &inbox, &other);
    scripted_settle(&world->scripted);
    ok(inbox.base.result == ERR_CONNECT && other.base.result == ERR_CONNECT &&
           world->scripted.endpoint->wire.connections <=
               2 * (PATIENCE_SETBACKS + 1) + 1,
       "so is one that hangs up on two connections in turn, after %u",
       (unsigned)world->scripted.endpoint->wire.connections);
    world_free(world);
}

/* Two that are made together, both again and again, fail before they are ready;
 * the first one each time while the other is still about to be made. */
static void test_failures_in_turn(const char *answer, int result,
                                  unsigned n_asked, const char *what)
{
    struct imapserver_answer answers[LINES] = {
        {"AUTHENTICATE", NULL, "OK done",                true,  0},
        {"AUTHENTICATE", NULL, "NO [UNAVAILABLE] later", true,  0},
        {"AUTHENTICATE", NULL, answer,                   false, 0},
        CUT("SELECT"),
    };
    struct world *world = world_of(answers, NULL, 2);
    struct delta_request inbox = {.folder = {.name = "INBOX"}};
    struct delta_request other = {.folder = {.name = "other"}};
    unsigned n = 0;

    do_open(world);
    ask_both(world, &inbox, &other);
    /* Else it would go on for ever. */
    while (world->scripted.pending > 0 && n < CLIENTS_MAX - 2) {
        uv_run(&world->scripted.loop, UV_RUN_ONCE);
        n = (unsigned)world->scripted.endpoint->wire.connections;
    }
    ok(world->scripted.pending == 0 && inbox.base.result == result &&
           other.base.result == result,
       "%s, after %u connections", what, n);
    world_free(world);
    ok(answers[2].asked <= n_asked, "that fail %u times at most, and %u times",
       n_asked, answers[2].asked);
}

static void test_changes(void)
{
    struct imapserver_answer answers[LINES] = {
        CUT("UID STORE"),
        CUT("UID EXPUNGE"),
        DONE("UID STORE"),
        DONE("UID EXPUNGE"),
        SELECT,
    };
    struct world *world = world_new(answers, NULL);
    struct uidset uids = {0};
    struct remove_request removal = {.folder = {.name = "INBOX"},
                                     .uids = &uids};

    do_open(world);
    uidset_add(&uids, 2);
    removal.base = scripted_head(&world->scripted);
    endpoint_remove(world->scripted.endpoint, &removal);
    scripted_settle(&world->scripted);
    ok(removal.base.result == 0 && answers[0].asked == 1 &&
           answers[1].asked == 1 && answers[2].asked == 2 &&
           answers[3].asked == 1,
       "a removal is repeated until it is answered");
    uidset_deinit(&uids);
    world_free(world);
}

/* While the connection was lost the folder became another one. */
static void test_other_folder(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT",
         "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"
         "* OK [UIDNEXT 3] x\r\n", "OK done", true,  0},
        {"SELECT",
         "* 2 EXISTS\r\n* OK [UIDVALIDITY 8] x\r\n"
         "* OK [UIDNEXT 3] x\r\n", "OK done", false, 0},
        CUT("UID STORE"),
        DONE("UID STORE"),
    };
    struct world *world = world_new(answers, NULL);
    struct uidset uids = {0};
    struct remove_request removal = {.folder = {.name = "INBOX"},
                                     .uids = &uids};

    do_open(world);
    uidset_add(&uids, 2);
    removal.base = scripted_head(&world->scripted);
    endpoint_remove(world->scripted.endpoint, &removal);
    scripted_settle(&world->scripted);
    ok(removal.base.result == ERR_GONE && answers[3].asked == 0,
       "nothing is removed from another folder of the same name");
    uidset_deinit(&uids);
    world_free(world);
}

static void test_rename(const char *status_old, const char *status_new,
                        int result, const char *what)
{
    struct imapserver_answer answers[LINES] = {
        {"LIST",                      "* LIST () \"/\" Old\r\n", "OK done",            false, 0},
        CUT("RENAME"),
        {"RENAME",                    NULL,                      "NO [NONEXISTENT] x", false, 0},
        {"STATUS \"Old\" (MESSAGES)", NULL,                      status_old,           false, 0},
        {"STATUS \"New\" (MESSAGES)", NULL,                      status_new,           false, 0},
    };
    struct world *world = world_new(answers, NULL);
    struct list_request list = {0};
    struct folder_request rename = {
        .action = FOLDER_RENAME, .name = "Old", .new_name = "New"};

    do_open(world);
    list.base = scripted_head(&world->scripted);
    endpoint_list(world->scripted.endpoint, &list);
    scripted_settle(&world->scripted);
    rename.base = scripted_head(&world->scripted);
    endpoint_folder(world->scripted.endpoint, &rename);
    scripted_settle(&world->scripted);
    ok(rename.base.result == result, "%s", what);
    folder_list_free(list.folders, list.n_folders);
    world_free(world);
}

/* --- messages --- */

static void on_room(struct add_request *request)
{
    (void)request;
}

static void on_added(struct add_request *request, size_t index, int result,
                     uint32_t uid, const struct err *err)
{
    struct world *world = request->base.owner;

    (void)err;
    if (uid != 0)
        world->uidvalidity = request->uidvalidity;
    if (index == world->n_added && index < LINES)
        world->added[world->n_added++] = result;
}

/* Three messages, the last of which is not complete. Returns what done() says.
 */
static int do_add(struct world *world)
{
    struct add_request add = {.base = scripted_head(&world->scripted),
                              .folder = {.name = "INBOX"},
                              .room = on_room,
                              .added = on_added};
    struct message_meta meta = {.size = 9};

    world->n_added = 0;
    endpoint_add_open(world->scripted.endpoint, &add);
    for (int i = 0; i < 3; i++) {
        endpoint_add_message(world->scripted.endpoint, &add, &meta);
        endpoint_add_data(world->scripted.endpoint, &add, B("A: b\r\n\r"));
        if (i < 2)
            endpoint_add_data(world->scripted.endpoint, &add, B("\nx"));
    }
    while (world->scripted.pending > 0 && world->n_added < 2)
        uv_run(&world->scripted.loop, UV_RUN_ONCE);
    endpoint_add_data(world->scripted.endpoint, &add, B("\nx"));
    endpoint_add_close(world->scripted.endpoint, &add);
    scripted_settle(&world->scripted);
    return add.base.result;
}

static bool added(const struct world *world, int first, int second, int third)
{
    return world->n_added == 3 && world->added[0] == first &&
           world->added[1] == second && world->added[2] == third;
}

static void test_lost_add(void)
{
    struct imapserver_answer answers[LINES] = {
        {"APPEND", NULL, "OK [APPENDUID 7 3] x", true, 0},
        CUT("APPEND"),
        SELECT,
        LISTING,
    };
    struct world *world = world_new(answers, NULL);
    uint64_t before;

    do_open(world);
    ok(do_add(world) == ERR_RETRY && added(world, 0, ERR_UNSURE, ERR_RETRY) &&
           world->uidvalidity == 7,
       "what was answered is there, what was sent may be, the rest is not");
    before = uv_hrtime();
    ok(do_delta(world) == 0 && uv_hrtime() - before > 300000000u,
       "the server has time to store it before anybody looks");
    world_free(world);
}

static void test_busy_add(void)
{
    struct imapserver_answer answers[LINES] = {
        {"APPEND", NULL, "NO [OVERQUOTA] full", true,  0},
        {"APPEND", NULL, "NO [UNAVAILABLE] x",  true,  0},
        {"APPEND", NULL, "NO [TOOBIG] x",       true,  0},
        {"APPEND", NULL, "NO [INUSE] locked",   false, 0},
    };
    struct world *world = world_new(answers, NULL);
    unsigned n = 0;

    do_open(world);
    ok(do_add(world) == 0 && added(world, ERR_FULL, ERR_RETRY, ERR_REFUSED),
       "each message fails alone, or is to be sent again");
    while (n < 20 && do_add(world) == 0 &&
           !added(world, ERR_BUSY, ERR_BUSY, ERR_BUSY))
        n++;
    ok(n > 0 && n <= PATIENCE_SETBACKS + 1,
       "but not for ever: after %u times it fails for this run", n);
    ok(do_delta(world) != ERR_CONNECT, "and the account goes on");
    world_free(world);
}

/* Five minutes, said to each command of one flight, are five minutes. */
static void test_flight(void)
{
    struct imapserver_answer answers[LINES] = {
        {"APPEND", NULL,
         "NO Request is throttled. Suggested Backoff Time: 299961 "
         "milliseconds", false, 0},
    };
    struct world *world = world_new(answers, NULL);

    do_open(world);
    ok(do_add(world) == 0 && added(world, ERR_RETRY, ERR_RETRY, ERR_RETRY) &&
           world->n_waits == 1,
       "one wait for one flight");
    world_free(world);
}

static void on_begin(struct read_request *request, uint32_t uid, uint64_t size)
{
    struct world *world = request->base.owner;

    (void)size;
    world->n_begun++;
    world->last_uid = uid;
}

static void on_data(struct read_request *request, struct bytes data)
{
    (void)request;
    (void)data;
}

static void on_end(struct read_request *request, int result,
                   const struct err *err)
{
    struct world *world = request->base.owner;

    (void)err;
    world->n_ended += result == 0;
    world->n_broken += result == ERR_RETRY;
}

static int do_read(struct world *world, struct uidset *uids)
{
    struct read_request read = {.base = scripted_head(&world->scripted),
                                .folder = {.name = "INBOX"},
                                .uids = uids,
                                .begin = on_begin,
                                .data = on_data,
                                .end = on_end};

    endpoint_read(world->scripted.endpoint, &read);
    scripted_settle(&world->scripted);
    return read.base.result;
}

static void test_lost_read(void)
{
    struct imapserver_answer answers[LINES] = {
        SELECT,
        {"UID FETCH 1:2", "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n", NULL,      true,
          0                                                                             },
        {"UID FETCH 2 ",  "* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n", "OK done",
          false,                                                                       0},
        {"UID FETCH 1:2",
          "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n"
         "* 2 FETCH (UID 2 BODY[] {3}\r\na",                          NULL,      true, 0},
    };
    struct world *world = world_new(answers, NULL);
    struct uidset uids = {0};

    do_open(world);
    uidset_add_range(&uids, 1, 2);
    ok(do_read(world, &uids) == 0 && world->n_begun == 2 &&
           world->n_ended == 2 && answers[2].asked == 1,
       "between two messages a read goes on with the next one");
    ok(do_read(world, &uids) == ERR_RETRY && world->n_begun == 4 &&
           world->n_ended == 3 && world->n_broken == 1 && world->last_uid == 2,
       "inside of one it has to be asked for again");
    uidset_deinit(&uids);
    world_free(world);
}

static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    (void)request;
    (void)uid;
    (void)to_uid;
}

static void test_lost_place(void)
{
    struct imapserver_answer answers[LINES] = {
        CUT("SELECT"),
        SELECT,
        {"UID FETCH", "* 1 FETCH (UID 1)\r\n", "OK done", false, 0},
        CUT("UID COPY"),
    };
    struct world *world = world_new(answers, NULL);
    struct uidset uids = {0};
    struct place_request place = {.from = {.name = "INBOX"},
                                  .to = {.name = "To"},
                                  .uids = &uids,
                                  .placed = on_placed};

    do_open(world);
    uidset_add(&uids, 1);
    place.base = scripted_head(&world->scripted);
    endpoint_place(world->scripted.endpoint, &place);
    scripted_settle(&world->scripted);
    ok(place.base.result == ERR_UNSURE && answers[0].asked == 1 &&
           answers[3].asked == 1,
       "a copy is not sent twice, unless it was not sent");
    uidset_deinit(&uids);
    world_free(world);
}

static void test_on_its_way(void)
{
    struct imapserver_answer answers[LINES] = {
        {NULL, NULL, NULL, false, 0}
    };
    struct world *world = world_new(answers, NULL);
    uint64_t before = uv_hrtime();

    world->scripted.account.wait_ms = 40;
    ok(open_after(world, true) == 0 && uv_hrtime() - before >= 120000000u,
       "what an earlier run has sent gets three waits to arrive");
    world_free(world);
}

/* The wait is an hour, and the test is over at once. */
static void test_interrupt(void)
{
    struct imapserver_answer answers[LINES] = {CUT("SELECT")};
    struct world *world = world_new(answers, NULL);
    struct delta_request delta = {.folder = {.name = "INBOX"}, .item = on_item};

    world->scripted.account.wait_ms = 3600000;
    do_open(world);
    delta.base = scripted_head(&world->scripted);
    endpoint_delta(world->scripted.endpoint, &delta);
    while (world->n_waits == 0)
        uv_run(&world->scripted.loop, UV_RUN_ONCE);
    world_free(world);
    ok(delta.base.result == ERR_CANCELLED, "an interrupt ends a wait");
}

int main(void)
{
    test_greetings();
    test_login("NO [UNAVAILABLE] later", 0, 3, "a login that is put off");
    test_login("NO [LIMIT] too many", 0, 3, "and one of too many");
    test_login("NO [AUTHENTICATIONFAILED] no", ERR_AUTH, 1,
               "a password that is wrong is never tried again");
    test_login("NO who are you?", ERR_AUTH, 1, "whatever it is called");
    test_busy("NO [INUSE] locked", 2, "a folder that is locked for a moment");
    test_busy("NO [THROTTLED] slow", 2, "a server that is throttling");
    test_busy("BAD Request is throttled. Suggested Backoff Time: 5 "
              "milliseconds",
              1, "and one that says for how long");
    test_busy_for_ever();
    test_on_its_way();
    test_long_wait();
    test_cuts();
    test_partial("OK done", 0, "a listing of one message of two");
    test_partial("NO not now", ERR_REFUSED, "one that ends with NO");
    test_cuts_for_ever();
    test_cuts_in_turn();
    test_failures_in_turn("NO [UNAVAILABLE] later", ERR_CONNECT,
                          2 * PATIENCE_SETBACKS + 1,
                          "so is one that lets nobody in any more");
    test_failures_in_turn("NO [AUTHENTICATIONFAILED] no", ERR_AUTH, 2,
                          "and one that does not know the password any more");
    test_changes();
    test_other_folder();
    test_rename("NO [NONEXISTENT] x", "OK done", 0,
                "a rename of which the answer was lost was done");
    test_lost_add();
    test_busy_add();
    test_flight();
    test_lost_read();
    test_lost_place();
    test_interrupt();
    return done_testing();
}
