/* How much goes in one flight, and who gets a connection next: small batches that
 * are added share one, as many as there are, as do short listings and new folders;
 * and what needs no SELECT goes first. */
#include "base/buf.h"
#include "base/keywords.h"
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define LINES   SCRIPTED_LINES
#define BATCHES 6u
#define FOLDERS 1000u
#define CAPS    SCRIPTED_CAPS " LITERAL+ UIDPLUS\r\n"

#define FOLDER "* 9 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 20] x\r\n"

static void on_room(struct add_request *request)
{
    (void)request;
}

static void on_added(struct add_request *request, size_t index, int result,
                     uint32_t uid, const struct err *err)
{
    (void)request;
    (void)index;
    (void)uid;
    (void)err;
    ok(result == 0, "a message is added");
}

/* Messages of 8 octets for one folder each, which are said to be of @octets;
 * where that is not known, they may be large, and some wait for others. */
static void test_adds(uint64_t octets)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct add_request adds[BATCHES] = {{.octets = 0}};
    const struct message_meta meta = {.size = 8, .date = 1577836800};
    uint64_t before;
    uint64_t trips;

    ok(scripted_open(world, CAPS, false, NULL), "a server");
    before = world->endpoint->wire.round_trips;
    for (size_t i = 0; i < BATCHES; i++) {
        static const char *const names[BATCHES] = {"A", "B", "C",
                                                   "D", "E", "F"};

        adds[i] = (struct add_request){.base = scripted_head(world),
                                       .folder = {.name = names[i]},
                                       .octets = octets,
                                       .room = on_room,
                                       .added = on_added};
        endpoint_add_open(world->endpoint, &adds[i]);
        endpoint_add_message(world->endpoint, &adds[i], &meta);
        endpoint_add_data(world->endpoint, &adds[i], B("A: b\r\n\r\n"));
        endpoint_add_close(world->endpoint, &adds[i]);
    }
    scripted_settle(world);
    trips = world->endpoint->wire.round_trips - before;
    ok(octets > 0 ? trips == 1 : trips > 1,
       "%u batches of %u octets cost %u round trips", BATCHES, (unsigned)octets,
       (unsigned)trips);
    scripted_close(world);
    ok(world->server.appended == (size_t)BATCHES * 8, "all arrive");
    free(world);
}

static void change(struct scripted *world, struct flag_request *request,
                   const char *folder, const struct uidset *uids, bool take)
{
    *request = (struct flag_request){
        .base = scripted_head(world), .folder = {.name = folder}, .uids = uids};
    if (take)
        request->change.remove.system = FLAG_SEEN;
    else
        request->change.add.system = FLAG_SEEN;
    endpoint_flag(world->endpoint, request);
}

/* In A, then in B and in A: the second is asked for where the first left the
 * connection, both of its commands, before that goes to B. */
static void test_at_hand(void)
{
    struct imapserver_answer answers[LINES] = {
        {"SELECT \"A\"", FOLDER, "OK x", false, 0},
        {"SELECT \"B\"", FOLDER, "OK x", false, 0},
        {"UID STORE 1 ", NULL,   "OK x", false, 0},
        {"UID STORE 2 ", NULL,   "OK x", false, 0},
        {"UID STORE 3 ", NULL,   "OK x", false, 0}
    };
    const unsigned asked[LINES] = {1, 1, 1, 1, 2};
    struct scripted *world = MEM_NEW(struct scripted);
    struct uidset uids[3] = {{.n = 0}};
    struct flag_request requests[4];
    uint64_t before;

    ok(scripted_open(world, CAPS, false, answers), "a server");
    for (uint32_t i = 0; i < 3; i++)
        uidset_add(&uids[i], i + 1);
    change(world, &requests[0], "A", &uids[0], false);
    scripted_settle(world);
    before = world->endpoint->wire.round_trips;
    change(world, &requests[1], "B", &uids[1], false);
    change(world, &requests[2], "A", &uids[2], false);
    change(world, &requests[3], "A", &uids[2], true);
    scripted_settle(world);
    for (size_t i = 0; i < 4; i++)
        ok(requests[i].base.result == 0, "flags are stored");
    ok(world->endpoint->wire.round_trips - before == 2,
       "after %u round trips: in A with SELECT of B, and in B",
       (unsigned)(world->endpoint->wire.round_trips - before));
    scripted_close(world);
    ok(scripted_asked(answers, asked), "and A is selected once");
    for (size_t i = 0; i < 3; i++)
        uidset_deinit(&uids[i]);
    free(world);
}

/* Without LIST-STATUS: LIST, then all folders at once. */
static void test_statuses(void)
{
    struct imapserver_answer answers[LINES] = {
        {"STATUS ", NULL, "NO x", false, 0}
    };
    struct scripted *world = MEM_NEW(struct scripted);
    struct buf listed;
    struct list_request list;

    buf_init(&listed, 0);
    for (unsigned i = 0; i < FOLDERS; i++)
        buf_printf(&listed, "* LIST () \"/\" F%u\r\n", i);
    answers[1] = (struct imapserver_answer){"LIST ", buf_text(&listed), "OK x",
                                            false, 0};
    ok(scripted_open(world, CAPS, false, answers), "a server");
    list = (struct list_request){.base = scripted_head(world)};
    endpoint_list(world->endpoint, &list);
    scripted_settle(world);
    ok(list.base.result == 0 && list.n_folders >= FOLDERS,
       "%u folders are listed", FOLDERS);
    ok(world->endpoint->wire.round_trips <= 6,
       "in %u round trips, the login among them",
       (unsigned)world->endpoint->wire.round_trips);
    folder_list_free(list.folders, list.n_folders);
    scripted_close(world);
    ok(answers[0].asked >= FOLDERS, "STATUS of each is asked for");
    buf_deinit(&listed);
    free(world);
}

struct lister {
    struct delta_request request; /* first */
    unsigned n_items;
};

static void on_item(struct delta_request *request, const struct listed *listed)
{
    (void)listed;
    ((struct lister *)request)->n_items++;
}

static struct delta_request list_all(struct scripted *world, const char *folder)
{
    return (struct delta_request){.base = scripted_head(world),
                                  .folder = {.name = folder},
                                  .item = on_item};
}

static void know_folders(struct scripted *world)
{
    struct list_request list = {.base = scripted_head(world)};

    endpoint_list(world->endpoint, &list);
    scripted_settle(world);
    folder_list_free(list.folders, list.n_folders);
}

static void run_until(struct scripted *world, const uint64_t *count,
                      uint64_t least)
{
    while (*count < least)
        uv_run(&world->loop, UV_RUN_ONCE);
}

/* B is asked for while half of the answer about A is there. */
static void test_half_selected(void)
{
    struct imapserver_answer answers[LINES] = {
        {"LIST ",        "* LIST () \"/\" A\r\n* LIST () \"/\" B\r\n",           "OK x", false,
         0                                                                                       },
        {"STATUS \"A\"", "* STATUS A (MESSAGES 1 UIDNEXT 20 UIDVALIDITY 7)\r\n",
         "OK x",                                                                         false, 0},
        {"STATUS \"B\"", "* STATUS B (MESSAGES 1 UIDNEXT 20 UIDVALIDITY 7)\r\n",
         "OK x",                                                                         false, 0},
        {"SELECT ",      FOLDER,                                                 "OK x", false, 0},
        {"UID FETCH ",   NULL,                                                   "OK x", false, 0}
    };
    struct scripted *world = MEM_NEW(struct scripted);
    const struct wire *wire;
    struct delta_request lists[2];
    uint64_t sent;
    uv_sem_t pause;

    uv_sem_init(&pause, 0);
    world->server.pause = &pause;
    ok(scripted_open(world, CAPS, false, answers), "a server");
    wire = &world->endpoint->wire;
    know_folders(world);
    lists[0] = list_all(world, "A");
    endpoint_delta(world->endpoint, &lists[0]);
    run_until(world, &wire->received, wire->received + strlen(FOLDER));
    sent = wire->sent;
    lists[1] = list_all(world, "B");
    endpoint_delta(world->endpoint, &lists[1]);
    run_until(world, &wire->sent, sent + 1);
    uv_sem_post(&pause);
    scripted_settle(world);
    for (size_t i = 0; i < 2; i++) {
        ok(lists[i].base.result == 0 && lists[i].token.uidvalidity == 7,
           "%s: UIDVALIDITY %u", i == 0 ? "A" : "B",
           lists[i].token.uidvalidity);
        uidset_deinit(&lists[i].vanished);
    }
    scripted_close(world);
    uv_sem_destroy(&pause);
    free(world);
}

/* @messages, that STATUS told of each of two folders. */
static void test_listings(unsigned messages, uint64_t trips)
{
    struct scripted *world = MEM_NEW(struct scripted);
    struct lister listers[2];
    struct buf status[2];
    struct imapserver_answer answers[LINES] = {
        {"LIST ",      "* LIST () \"/\" A\r\n* LIST () \"/\" B\r\n", "OK x", false,
         0                                                                           },
        {"SELECT ",    FOLDER,                                       "OK x", false, 0},
        {"UID FETCH ",
         "* 1 FETCH (UID 5 FLAGS () RFC822.SIZE 9 "
         "INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\r\n",         "OK x", false, 0}
    };
    const unsigned asked[LINES] = {1, 2, 2, 1, 1};
    uint64_t before;

    for (unsigned i = 0; i < 2; i++) {
        static const char *const commands[] = {"STATUS \"A\"", "STATUS \"B\""};

        buf_init(&status[i], 0);
        buf_printf(&status[i],
                   "* STATUS %s (MESSAGES %u UIDNEXT 20 UIDVALIDITY 7)\r\n",
                   i == 0 ? "A" : "B", messages);
        answers[3 + i] = (struct imapserver_answer){
            commands[i], buf_text(&status[i]), "OK x", false, 0};
    }
    ok(scripted_open(world, CAPS, false, answers), "a server");
    know_folders(world);
    before = world->endpoint->wire.round_trips;
    for (size_t i = 0; i < 2; i++) {
        listers[i] = (struct lister){list_all(world, i == 0 ? "A" : "B"), 0};
        endpoint_delta(world->endpoint, &listers[i].request);
    }
    scripted_settle(world);
    ok(world->endpoint->wire.round_trips - before == trips,
       "two folders of %u take %u round trips to list", messages,
       (unsigned)(world->endpoint->wire.round_trips - before));
    for (size_t i = 0; i < 2; i++) {
        ok(listers[i].request.base.result == 0 && listers[i].n_items == 1,
           "and each has its message");
        uidset_deinit(&listers[i].request.vanished);
        buf_deinit(&status[i]);
    }
    scripted_close(world);
    ok(scripted_asked(answers, asked), "and nothing else is asked for");
    free(world);
}

/* The FETCH in A is never answered, what leaves A is: nothing that comes then is
 * taken for news of A, and both are listed on another connection. */
static void test_skipped(void)
{
    struct imapserver_answer answers[LINES] = {
        {"LIST ",        "* LIST () \"/\" A\r\n* LIST () \"/\" B\r\n",           "OK x", false,
         0                                                                                       },
        {"STATUS \"A\"", "* STATUS A (MESSAGES 1 UIDNEXT 20 UIDVALIDITY 7)\r\n",
         "OK x",                                                                         false, 0},
        {"STATUS \"B\"", "* STATUS B (MESSAGES 1 UIDNEXT 20 UIDVALIDITY 8)\r\n",
         "OK x",                                                                         false, 0},
        {"SELECT \"A\"", FOLDER,                                                 "OK x", false, 0},
        {"SELECT \"B\"",
         "* 1 EXISTS\r\n* OK [UIDVALIDITY 8] x\r\n* OK [UIDNEXT 20] x\r\n",      "OK x", false, 0},
        {"UID FETCH ",
         "* 1 FETCH (UID 5 FLAGS () RFC822.SIZE 9 "
         "INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\r\n",                     "OK x", false, 0}
    };
    struct scripted *world = MEM_NEW(struct scripted);
    struct lister listers[2];

    world->server.n_clients = 2;
    world->server.ignore = "UID";
    world->server.n_ignores = 1;
    ok(scripted_open(world, CAPS, false, answers), "a server");
    know_folders(world);
    for (size_t i = 0; i < 2; i++) {
        listers[i] = (struct lister){list_all(world, i == 0 ? "A" : "B"), 0};
        endpoint_delta(world->endpoint, &listers[i].request);
    }
    scripted_settle(world);
    for (uint32_t i = 0; i < 2; i++) {
        const struct delta_request *request = &listers[i].request;

        ok(request->base.result == 0 && listers[i].n_items == 1 &&
               request->token.uidvalidity == 7 + i,
           "%s: UIDVALIDITY %u, %u messages", request->folder.name,
           request->token.uidvalidity, listers[i].n_items);
        uidset_deinit(&listers[i].request.vanished);
    }
    scripted_close(world);
    ok(world->server.clients == 2, "on another connection");
    free(world);
}

/* The second is there, by another spelling, which takes one more command. */
static void test_creates(void)
{
    static const char *const names[] = {"A", "B", "C", "D"};
    struct imapserver_answer answers[LINES] = {
        {"CREATE \"B\"",    NULL,                    "NO [ALREADYEXISTS] x", false, 0},
        {"CREATE ",         NULL,                    "OK x",                 false, 0},
        {"LIST \"\" \"B\"", "* LIST () \"/\" b\r\n", "OK x",                 false, 0},
        {"SUBSCRIBE ",      NULL,                    "OK x",                 false, 0}
    };
    const unsigned asked[LINES] = {1, 3, 1, 1};
    struct scripted *world = MEM_NEW(struct scripted);
    struct folder_request requests[5];
    uint64_t before;

    ok(scripted_open(world, CAPS, false, answers), "a server");
    before = world->endpoint->wire.round_trips;
    for (size_t i = 0; i < 5; i++) {
        requests[i] = (struct folder_request){
            .base = scripted_head(world),
            .action = i < 4 ? FOLDER_CREATE : FOLDER_SUBSCRIBE,
            .name = names[i % 4]};
        endpoint_folder(world->endpoint, &requests[i]);
    }
    scripted_settle(world);
    ok(world->endpoint->wire.round_trips - before == 2,
       "four folders take %u round trips to create, with one question",
       (unsigned)(world->endpoint->wire.round_trips - before));
    for (size_t i = 0; i < 5; i++) {
        ok(requests[i].base.result == (i == 1 ? ERR_REFUSED : 0), "%s: %d",
           requests[i].name, requests[i].base.result);
    }
    ok(requests[1].taken_by != NULL && strcmp(requests[1].taken_by, "b") == 0,
       "B is taken by b");
    free(requests[1].taken_by);
    scripted_close(world);
    ok(scripted_asked(answers, asked), "and nothing else is asked for");
    free(world);
}

int main(void)
{
    test_statuses();
    test_listings(1, 1);
    test_listings(100000, 2);
    test_half_selected();
    test_skipped();
    test_creates();
    test_adds(8);
    test_adds(0);
    test_at_hand();
    return done_testing();
}
