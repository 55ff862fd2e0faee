/* The requests of an endpoint against a private Dovecot, in each tier. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uv.h>

#include "base/digest.h"
#include "base/mem.h"
#include "imap/imap_endpoint.h"
#include "tests/tap.h"

#define UIDS 64u /* all UIDs of these tests are below */

/* One server, one endpoint, and what its answers left behind. */
struct world {
    const char *tier;
    char *dir; /* of the server */
    char *ca_file;
    uv_loop_t loop;
    struct keywords *keywords;
    struct log log;
    struct imap_account account;
    struct endpoint *endpoint;
    unsigned pending; /* requests without done() */
    int result;       /* of the last */
    struct err err;
    struct delta_request delta;
    struct listed listed[UIDS]; /* by UID; uid 0: not listed */
    unsigned n_listed;
    struct buf bodies[UIDS]; /* by UID */
    bool whole[UIDS];
    uint32_t reading;
    unsigned n_read;
    unsigned n_paused;
    struct identity identities[UIDS]; /* by UID */
    unsigned n_identified;
    int added[UIDS];     /* results by index */
    uint32_t uids[UIDS]; /* by index */
    unsigned n_added;
    bool in_order;
    unsigned n_room;
    bool placed[UIDS];     /* by UID */
    uint32_t to_uid[UIDS]; /* the same */
    unsigned n_placed;
};

static void show(void *owner, enum log_level level, const char *line)
{
    (void)owner;
    (void)level;
    printf("# %s\n", line);
}

__attribute__((format(printf, 1, 2))) static bool shell(const char *format, ...)
{
    char script[4096];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(script, sizeof(script), format, args);
    va_end(args);
    return system(script) == 0;
}

static void done(struct request *request)
{
    struct world *world = request->owner;

    world->pending--;
    world->result = request->result;
    world->err = request->err;
}

static struct request head(struct world *world)
{
    world->pending++;
    return (struct request){.done = done, .owner = world};
}

/* Run the loop until everything that was submitted is over. */
static int settle(struct world *world)
{
    while (world->pending > 0)
        uv_run(&world->loop, UV_RUN_ONCE);
    if (world->result < 0)
        printf("# %s\n", world->err.text);
    return world->result;
}

static int do_open(struct world *world)
{
    struct open_request request = {.base = head(world)};

    endpoint_open(world->endpoint, &request);
    return settle(world);
}

static int do_close(struct world *world)
{
    struct close_request request = {.base = head(world)};

    endpoint_close(world->endpoint, &request);
    return settle(world);
}

static int do_folder(struct world *world, enum folder_action action,
                     const char *name)
{
    struct folder_request request = {
        .base = head(world), .action = action, .name = name};

    endpoint_folder(world->endpoint, &request);
    return settle(world);
}

static int do_rename(struct world *world, const char *name,
                     const char *new_name)
{
    struct folder_request request = {.base = head(world),
                                     .action = FOLDER_RENAME,
                                     .name = name,
                                     .new_name = new_name};

    endpoint_folder(world->endpoint, &request);
    return settle(world);
}

/* --- listing --- */

static const struct folder_entry *entry_of(const struct list_request *list,
                                           const char *name)
{
    for (size_t i = 0; i < list->n_folders; i++)
        if (strcmp(list->folders[i].name, name) == 0)
            return &list->folders[i];
    return NULL;
}

static struct list_request do_list(struct world *world)
{
    struct list_request request = {.base = head(world)};

    endpoint_list(world->endpoint, &request);
    settle(world);
    return request;
}

static void on_item(struct delta_request *request, const struct listed *listed)
{
    struct world *world = request->base.owner;

    if (listed->uid >= UIDS)
        return;
    world->n_listed += world->listed[listed->uid].uid == 0;
    world->listed[listed->uid] = *listed;
}

/* Against the token of the delta before, if @since. */
static int do_delta(struct world *world, const char *folder, bool since,
                    uint32_t known)
{
    struct folder_token token = world->delta.token;

    uidset_deinit(&world->delta.vanished);
    memset(world->listed, 0, sizeof(world->listed));
    world->n_listed = 0;
    world->delta = (struct delta_request){.base = head(world),
                                          .folder = {.name = folder},
                                          .has_since = since,
                                          .since = token,
                                          .known = known,
                                          .item = on_item};
    endpoint_delta(world->endpoint, &world->delta);
    return settle(world);
}

/* --- adding --- */

static void on_room(struct add_request *request)
{
    ((struct world *)request->base.owner)->n_room++;
}

static void on_added(struct add_request *request, size_t index, int result,
                     uint32_t uid, const struct err *err)
{
    struct world *world = request->base.owner;

    if (result < 0)
        printf("# added %zu: %s\n", index, err->text);
    world->in_order &= index == world->n_added;
    world->added[index] = result;
    world->uids[index] = uid;
    world->n_added++;
}

static struct add_request add_open(struct world *world, const char *folder)
{
    world->n_added = 0;
    world->in_order = true;
    return (struct add_request){.base = head(world),
                                .folder = {.name = folder},
                                .room = on_room,
                                .added = on_added};
}

static char *message_text(unsigned number)
{
    return mem_printf("From: a@example.org\r\n"
                      "Subject: number %u\r\n"
                      "Message-ID: <%u@example.org>\r\n"
                      "\r\n"
                      "Text \001\303\274 %u\r\n",
                      number, number, number);
}

static uint64_t size_of(unsigned number)
{
    char *text = message_text(number);
    size_t size = strlen(text);

    free(text);
    return size;
}

/* Two pieces, so that one may end anywhere. */
static void add_text(struct world *world, struct add_request *request,
                     struct bytes text, struct flags flags)
{
    struct message_meta meta = {.size = text.len,
                                .date = 1000000000 + (int64_t)text.len,
                                .flags = flags};
    size_t half = text.len / 2;

    endpoint_add_message(world->endpoint, request, &meta);
    endpoint_add_data(world->endpoint, request, (struct bytes){text.ptr, half});
    endpoint_add_data(world->endpoint, request, bytes_skip(text, half));
}

static int add_numbers(struct world *world, const char *folder, unsigned from,
                       unsigned to)
{
    struct add_request request = add_open(world, folder);
    struct flags flags = {.system = FLAG_SEEN | FLAG_FLAGGED};
    char *text;

    flags.keywords = keywords_intern(world->keywords, B("$Forwarded work"));
    endpoint_add_open(world->endpoint, &request);
    for (unsigned i = from; i <= to; i++) {
        text = message_text(i);
        add_text(world, &request, bytes_of(text),
                 i % 2 == 0 ? flags : (struct flags){0});
        free(text);
    }
    endpoint_add_close(world->endpoint, &request);
    return settle(world);
}

/* --- reading --- */

static void on_begin(struct read_request *request, uint32_t uid, uint64_t size)
{
    struct world *world = request->base.owner;

    (void)size;
    world->reading = uid < UIDS ? uid : 0;
    buf_clear(&world->bodies[world->reading]);
    world->whole[world->reading] = false;
}

static void on_data(struct read_request *request, struct bytes data)
{
    struct world *world = request->base.owner;

    buf_add(&world->bodies[world->reading], data);
}

static void on_end(struct read_request *request, int result,
                   const struct err *err)
{
    struct world *world = request->base.owner;

    (void)err;
    world->whole[world->reading] = result == 0;
    world->n_read++;
}

static int do_read(struct world *world, struct folder_ref folder,
                   const struct uidset *uids)
{
    struct read_request request = {.base = head(world),
                                   .folder = folder,
                                   .uids = uids,
                                   .begin = on_begin,
                                   .data = on_data,
                                   .end = on_end};

    world->n_read = 0;
    endpoint_read(world->endpoint, &request);
    return settle(world);
}

static bool body_is(struct world *world, uint32_t uid, unsigned number)
{
    char *text = message_text(number);
    bool same = world->whole[uid] &&
                bytes_equal(buf_peek(&world->bodies[uid]), bytes_of(text));

    free(text);
    return same;
}

static void on_identified(struct identify_request *request, uint32_t uid,
                          const struct identity *identity)
{
    struct world *world = request->base.owner;

    world->n_identified++;
    if (uid < UIDS)
        world->identities[uid] = *identity;
}

static int do_identify(struct world *world, const char *folder,
                       const struct uidset *uids, enum identify_level level)
{
    struct identify_request request = {.base = head(world),
                                       .folder = {.name = folder},
                                       .uids = uids,
                                       .level = level,
                                       .item = on_identified};

    world->n_identified = 0;
    endpoint_identify(world->endpoint, &request);
    return settle(world);
}

static int do_flag(struct world *world, const char *folder, uint32_t uid,
                   struct flags_change change)
{
    struct uidset uids = {0};
    struct flag_request request = {.base = head(world),
                                   .folder = {.name = folder},
                                   .uids = &uids,
                                   .change = change};

    uidset_add(&uids, uid);
    endpoint_flag(world->endpoint, &request);
    settle(world);
    uidset_deinit(&uids);
    return world->result;
}

static int do_remove(struct world *world, const char *folder, uint32_t first,
                     uint32_t last, bool *kept)
{
    struct uidset uids = {0};
    struct remove_request request = {
        .base = head(world), .folder = {.name = folder}, .uids = &uids};

    uidset_add_range(&uids, first, last);
    endpoint_remove(world->endpoint, &request);
    settle(world);
    uidset_deinit(&uids);
    *kept = request.kept;
    return world->result;
}

static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    struct world *world = request->base.owner;

    world->n_placed++;
    if (uid < UIDS) {
        world->placed[uid] = true;
        world->to_uid[uid] = to_uid;
    }
}

/* Returns the request as it is when it is over. */
static struct place_request do_place(struct world *world,
                                     struct folder_ref from,
                                     struct folder_ref to, const char *set,
                                     bool move)
{
    struct uidset uids = {0};
    struct place_request request = {.base = head(world),
                                    .from = from,
                                    .to = to,
                                    .uids = &uids,
                                    .move = move,
                                    .placed = on_placed};

    uidset_parse(&uids, bytes_of(set));
    world->n_placed = 0;
    memset(world->placed, 0, sizeof(world->placed));
    endpoint_place(world->endpoint, &request);
    settle(world);
    uidset_deinit(&uids);
    return request;
}

/* --- the tests, in the order in which they build on one another --- */

static void test_open(struct world *world)
{
    struct buf text;
    char *tier = mem_printf(
        "tier: %s\n", strcmp(world->tier, "bare") == 0 ? "plain" : world->tier);

    ok(do_open(world) == 0, "%s: it opens", world->tier);
    ok(world->endpoint->tokens_prove == (strcmp(tier, "tier: plain\n") != 0),
       "%s: tokens prove where there are mod-sequences", world->tier);
    buf_init(&text, 0);
    endpoint_describe(world->endpoint, &text);
    ok(strstr(buf_text(&text), tier) != NULL, "%s: it names its tier",
       world->tier);
    buf_deinit(&text);
    free(tier);
}

static void test_folders(struct world *world)
{
    const char *tier = world->tier;
    const struct folder_entry *entry;
    struct list_request list;

    list = do_list(world);
    entry = entry_of(&list, "INBOX");
    ok(entry != NULL && entry->selectable && entry->has_token,
       "%s: INBOX is listed with its token", tier);
    folder_list_free(list.folders, list.n_folders);

    ok(do_folder(world, FOLDER_CREATE, "Arbeit/B\303\274ro & Co") == 0,
       "%s: a folder in a folder is created", tier);
    ok(do_folder(world, FOLDER_CREATE, "Arbeit/B\303\274ro & Co") == 0,
       "%s: once more is no mistake", tier);
    ok(do_folder(world, FOLDER_SUBSCRIBE, "Arbeit/B\303\274ro & Co") == 0,
       "%s: it is subscribed to", tier);
    ok(do_folder(world, FOLDER_CREATE, "a..b/../c") == ERR_REFUSED,
       "%s: what the server refuses is refused", tier);
    list = do_list(world);
    entry = entry_of(&list, "Arbeit/B\303\274ro & Co");
    ok(entry != NULL && entry->subscribed && entry->problem == NULL,
       "%s: it is listed under its name", tier);
    entry = entry_of(&list, "Arbeit");
    ok(entry != NULL && !entry->subscribed, "%s: so is its parent", tier);
    folder_list_free(list.folders, list.n_folders);

    ok(do_folder(world, FOLDER_DELETE, "Arbeit/B\303\274ro & Co") == 0,
       "%s: an empty folder is deleted", tier);
    ok(do_folder(world, FOLDER_DELETE, "Arbeit/B\303\274ro & Co") == 0,
       "%s: and may be gone already", tier);
    list = do_list(world);
    ok(entry_of(&list, "Arbeit/B\303\274ro & Co") == NULL,
       "%s: it is not listed any more", tier);
    folder_list_free(list.folders, list.n_folders);
    ok(do_delta(world, "Nowhere", false, 0) == ERR_GONE,
       "%s: a folder that is not there is gone", tier);
}

static void test_add(struct world *world)
{
    const char *tier = world->tier;
    struct add_request request;

    ok(do_folder(world, FOLDER_CREATE, "Box") == 0, "%s: Box is made", tier);
    ok(do_delta(world, "Box", false, 0) == 0 && world->n_listed == 0 &&
           world->delta.complete && world->delta.kind == LISTING_FULL,
       "%s: an empty folder is listed in full", tier);
    ok(add_numbers(world, "Box", 1, 5) == 0 && world->n_added == 5 &&
           world->in_order,
       "%s: five are added, in order", tier);
    ok(world->uids[0] == 1 && world->uids[4] == 5, "%s: with their UIDs", tier);

    request = add_open(world, "Box");
    endpoint_add_open(world->endpoint, &request);
    add_text(world, &request, B("Subject: x\r\n\r\nfirst\r\n"),
             (struct flags){0});
    add_text(world, &request, B(""), (struct flags){0});
    add_text(world, &request, B("Subject: y\r\n\r\nlast\r\n"),
             (struct flags){0});
    endpoint_add_close(world->endpoint, &request);
    ok(settle(world) == 0 && world->n_added == 3 && world->in_order,
       "%s: each of three has its outcome", tier);
    ok(world->added[0] == 0 && world->added[1] == ERR_REFUSED &&
           world->added[2] == 0,
       "%s: the empty one is refused alone", tier);

    ok(add_numbers(world, "Nowhere", 1, 3) == ERR_GONE,
       "%s: nothing is added to a folder that is not there", tier);
    request = add_open(world, "Box");
    endpoint_add_open(world->endpoint, &request);
    endpoint_add_close(world->endpoint, &request);
    ok(settle(world) == 0, "%s: nothing at all is added at once", tier);
}

/* A message that breaks off must not appear, and spoils nothing else. */
static void test_abort(struct world *world)
{
    const char *tier = world->tier;
    const struct message_meta meta = {.size = 100000};
    struct add_request request = add_open(world, "Box");
    struct list_request list = {.base = head(world)};

    endpoint_add_open(world->endpoint, &request);
    endpoint_add_message(world->endpoint, &request, &meta);
    endpoint_add_data(world->endpoint, &request, B("Subject: half"));
    endpoint_list(world->endpoint, &list);
    while (list.folders == NULL && world->pending == 2)
        uv_run(&world->loop, UV_RUN_ONCE);
    endpoint_add_abort(world->endpoint, &request);
    settle(world);
    ok(request.base.result == ERR_CANCELLED && world->n_added == 1 &&
           world->added[0] == ERR_CANCELLED,
       "%s: a message that breaks off is cancelled", tier);
    folder_list_free(list.folders, list.n_folders);
}

static void test_listing(struct world *world)
{
    const char *tier = world->tier;
    const struct listed *second = &world->listed[2];

    ok(do_delta(world, "Box", false, 0) == 0 && world->n_listed == 7,
       "%s: all seven are listed", tier);
    ok(world->delta.complete && world->delta.token.messages == 7 &&
           world->delta.token.uidnext == 8,
       "%s: the listing is complete", tier);
    ok(second->has_meta && second->size == size_of(2) &&
           second->date == 1000000000 + (int64_t)size_of(2),
       "%s: size and date are as they were given", tier);
    ok(second->flags.system == (FLAG_SEEN | FLAG_FLAGGED) &&
           bytes_equal(keywords_text(world->keywords, second->flags.keywords),
                       keywords_text(world->keywords,
                                     keywords_intern(world->keywords,
                                                     B("work $Forwarded")))),
       "%s: so are flags and keywords", tier);
    ok(world->listed[1].flags.system == 0 &&
           world->listed[1].flags.keywords == 0,
       "%s: and where there are none", tier);
    ok(world->delta.storable.any_keyword && !world->delta.read_only,
       "%s: it can be written to", tier);
}

static void test_reading(struct world *world)
{
    const char *tier = world->tier;
    struct folder_ref folder = {.name = "Box",
                                .uidvalidity = world->delta.token.uidvalidity};
    struct uidset uids = {0};
    struct identity header;
    uint8_t digest[DIGEST_BYTES];

    uidset_add_range(&uids, 1, 5);
    uidset_add(&uids, 60);
    ok(do_read(world, folder, &uids) == 0 && world->n_read == 5,
       "%s: those that are there are read", tier);
    for (unsigned i = 1; i <= 5; i++)
        ok(body_is(world, i, i), "%s: message %u is what was added", tier, i);
    folder.uidvalidity++;
    ok(do_read(world, folder, &uids) == ERR_GONE && world->n_read == 0,
       "%s: nothing is read from another UIDVALIDITY", tier);

    ok(do_identify(world, "Box", &uids, IDENTIFY_META) == 0 &&
           world->n_identified == 5 &&
           world->identities[2].size == size_of(2) &&
           world->identities[2].date == 1000000000 + (int64_t)size_of(2),
       "%s: size and date identify", tier);
    ok(do_identify(world, "Box", &uids, IDENTIFY_HEADER) == 0 &&
           world->n_identified == 5 && world->identities[2].has_header,
       "%s: so does the header", tier);
    header = world->identities[2];
    ok(memcmp(header.digest, world->identities[3].digest, DIGEST_BYTES) != 0,
       "%s: two messages have two digests", tier);
    ok(do_identify(world, "Box", &uids, IDENTIFY_BODY) == 0 &&
           world->n_identified == 5,
       "%s: so does the whole", tier);
    digest_of(buf_peek(&world->bodies[2]), digest);
    ok(memcmp(digest, world->identities[2].digest, DIGEST_BYTES) == 0 &&
           world->identities[2].size == size_of(2),
       "%s: which is the digest of what was read", tier);
    uidset_deinit(&uids);
}

static void test_changes(struct world *world)
{
    const char *tier = world->tier;
    bool plain = !world->endpoint->tokens_prove;
    struct flags_change change = {.add = {.system = FLAG_ANSWERED},
                                  .remove = {.system = FLAG_SEEN}};
    struct folder_token before = world->delta.token;
    bool kept;

    ok(do_delta(world, "Box", true, 7) == 0 &&
           world->n_listed == (plain ? 7 : 0) && world->delta.complete &&
           folder_token_equal(&before, &world->delta.token),
       "%s: where nothing changed the token stays", tier);

    change.remove.keywords = keywords_intern(world->keywords, B("work"));
    ok(do_flag(world, "Box", 2, change) == 0, "%s: flags are changed", tier);
    ok(add_numbers(world, "Box", 8, 9) == 0, "%s: two more are added", tier);
    ok(do_remove(world, "Box", 4, 5, &kept) == 0 && !kept,
       "%s: two are removed", tier);
    ok(do_delta(world, "Box", true, 7) == 0 && world->delta.complete &&
           !world->delta.uids_void,
       "%s: the changes are listed", tier);
    ok(world->delta.kind == (plain ? LISTING_FULL : LISTING_CHANGES) &&
           world->n_listed == (plain ? 7 : 3),
       "%s: and only they where that is possible", tier);
    ok(plain || (uidset_has(&world->delta.vanished, 4) &&
                 uidset_has(&world->delta.vanished, 5) &&
                 !uidset_has(&world->delta.vanished, 3)),
       "%s: what vanished is named", tier);
    ok(world->listed[2].flags.system == (FLAG_FLAGGED | FLAG_ANSWERED) &&
           bytes_equal(
               keywords_text(world->keywords, world->listed[2].flags.keywords),
               B("$Forwarded")),
       "%s: the flags are the new ones", tier);
    ok(world->listed[8].has_meta && world->listed[8].size == size_of(8) &&
           world->listed[9].has_meta,
       "%s: new ones have size and date", tier);
    ok(world->delta.token.messages == 7 && world->delta.token.uidnext == 10,
       "%s: the token moved on", tier);
}

static void test_void_tokens(struct world *world)
{
    const char *tier = world->tier;
    struct folder_token good = world->delta.token;

    world->delta.token.uidvalidity--;
    ok(do_delta(world, "Box", true, 7) == 0 &&
           world->delta.kind == LISTING_FULL && world->delta.uids_void &&
           world->n_listed == 7 && world->delta.complete,
       "%s: another UIDVALIDITY makes it a full listing", tier);
    world->delta.token = good;
    world->delta.token.uidnext += 5;
    ok(do_delta(world, "Box", true, 7) == 0 &&
           world->delta.kind == LISTING_FULL && world->n_listed == 7 &&
           world->delta.uids_void && world->delta.complete,
       "%s: so does a UIDNEXT that went back", tier);
    world->delta.token = good;
    if (good.highestmodseq > 0)
        world->delta.token.highestmodseq += 1000;
    ok(do_delta(world, "Box", true, 7) == 0 &&
           world->delta.kind == LISTING_FULL && world->n_listed == 7 &&
           !world->delta.uids_void,
       "%s: so does a HIGHESTMODSEQ that went back", tier);
}

static void test_list_token(struct world *world)
{
    struct list_request list = do_list(world);
    const struct folder_entry *entry = entry_of(&list, "Box");

    ok(entry != NULL && entry->has_token &&
           folder_token_equal(&entry->token, &world->delta.token),
       "%s: the list has the token of the last delta", world->tier);
    folder_list_free(list.folders, list.n_folders);
}

static void test_kept(struct world *world)
{
    const char *tier = world->tier;
    struct flags_change change = {.add = {.system = FLAG_DELETED}};
    bool bare = strcmp(tier, "bare") == 0;
    bool kept;

    ok(do_folder(world, FOLDER_DELETE, "Box") == ERR_REFUSED,
       "%s: a folder with messages is not deleted", tier);
    ok(do_flag(world, "Box", 1, change) == 0, "%s: 1 is marked", tier);
    ok(do_remove(world, "Box", 2, 2, &kept) == 0 && kept == bare,
       "%s: removing another one does not take it along", tier);
    ok(do_delta(world, "Box", false, 0) == 0 && world->listed[1].uid == 1 &&
           (world->listed[2].uid == 2) == bare,
       "%s: which is seen", tier);
    ok(do_remove(world, "Box", 1, 9, &kept) == 0 && !kept,
       "%s: all are removed", tier);
    ok(do_folder(world, FOLDER_DELETE, "Box") == 0,
       "%s: and the folder, though it was selected", tier);
}

static void test_rename(struct world *world)
{
    const char *tier = world->tier;
    struct folder_token before;
    struct list_request list;

    ok(do_folder(world, FOLDER_CREATE, "Old/In") == 0 &&
           add_numbers(world, "Old/In", 1, 2) == 0 &&
           do_delta(world, "Old/In", false, 0) == 0,
       "%s: a folder with mail, which is selected", tier);
    before = world->delta.token;
    ok(do_rename(world, "Old", "New \303\274") == 0,
       "%s: its parent is renamed", tier);
    ok(do_rename(world, "Old", "Other") == ERR_GONE, "%s: but not twice", tier);
    ok(do_rename(world, "INBOX", "Other") == ERR_REFUSED, "%s: and INBOX never",
       tier);
    list = do_list(world);
    ok(entry_of(&list, "Old") == NULL && entry_of(&list, "Old/In") == NULL &&
           entry_of(&list, "New \303\274/In") != NULL,
       "%s: what is in it went along", tier);
    folder_list_free(list.folders, list.n_folders);
    ok(do_delta(world, "New \303\274/In", true, 2) == 0 &&
           world->delta.token.uidvalidity == before.uidvalidity &&
           world->delta.token.messages == 2,
       "%s: with its UIDVALIDITY and its mail", tier);
    ok(do_rename(world, "New \303\274", "New \303\274/In/Itself") ==
           ERR_REFUSED,
       "%s: it does not go into itself", tier);
    ok(do_rename(world, "New \303\274", "Else/Where/Now") == 0,
       "%s: it goes to another parent, which is made", tier);
    ok(do_delta(world, "Else/Where/Now/In", true, 2) == 0 &&
           world->delta.token.uidvalidity == before.uidvalidity &&
           world->delta.token.messages == 2 &&
           do_delta(world, "New \303\274/In", false, 0) == ERR_GONE,
       "%s: with what is in it", tier);
    ok(do_folder(world, FOLDER_CREATE, "Taken") == 0 &&
           do_rename(world, "Else/Where/Now", "Taken") == ERR_REFUSED,
       "%s: but not over a folder that is there", tier);
    ok(do_rename(world, "Else/Where/Now/In", "Here") == 0 &&
           do_delta(world, "Here", false, 0) == 0 && world->n_listed == 2,
       "%s: a folder goes up", tier);
}

static void test_copy(struct world *world)
{
    const char *tier = world->tier;
    struct folder_ref from = {.name = "From"};
    struct folder_ref to = {.name = "To & \"Fro\""};
    struct place_request place;
    struct listed original;

    ok(do_folder(world, FOLDER_CREATE, from.name) == 0 &&
           do_folder(world, FOLDER_CREATE, to.name) == 0 &&
           add_numbers(world, to.name, 20, 22) == 0 &&
           add_numbers(world, from.name, 1, 6) == 0 &&
           do_delta(world, from.name, false, 0) == 0,
       "%s: two folders with mail", tier);
    original = world->listed[2];
    from.uidvalidity = world->delta.token.uidvalidity;
    place = do_place(world, from, to, "2:3,60", false);
    ok(place.base.result == 0 && !place.kept && world->n_placed == 2 &&
           world->to_uid[2] == 4 && world->to_uid[3] == 5,
       "%s: two are copied, one is not there", tier);
    ok(do_delta(world, from.name, false, 0) == 0 && world->n_listed == 6,
       "%s: the originals stay", tier);
    ok(do_delta(world, to.name, false, 0) == 0 && world->n_listed == 5 &&
           world->listed[4].size == original.size &&
           world->listed[4].date == original.date &&
           world->listed[4].flags.system == original.flags.system &&
           world->listed[4].flags.keywords == original.flags.keywords,
       "%s: the copy has its date and flags", tier);

    to.uidvalidity = world->delta.token.uidvalidity;
    place = do_place(world, from, to, "4", false);
    ok(place.base.result == 0 && world->to_uid[4] == 6,
       "%s: where the UIDVALIDITY is the expected one the UID is told", tier);
    to.uidvalidity++;
    place = do_place(world, from, to, "5", false);
    ok(place.base.result == 0 && world->placed[5] && world->to_uid[5] == 0,
       "%s: else it is not", tier);
    to.uidvalidity = 0;
    place = do_place(world, from, to, "60:62", false);
    ok(place.base.result == 0 && world->n_placed == 0,
       "%s: none of what is not there is placed", tier);
    place = do_place(world, from, to, "", false);
    ok(place.base.result == 0 && world->n_placed == 0, "%s: nor nothing at all",
       tier);
    from.uidvalidity++;
    place = do_place(world, from, to, "1", true);
    ok(place.base.result == ERR_GONE && world->n_placed == 0,
       "%s: nothing is moved out of another UIDVALIDITY", tier);
    from.uidvalidity = 0;
    place = do_place(world, from, (struct folder_ref){.name = "Nowhere"}, "1",
                     true);
    ok(place.base.result == ERR_GONE && world->n_placed == 0,
       "%s: nor to a folder that is not there", tier);
}

/* After test_copy(): 6 in the one folder, 7 in the other. */
static void test_move(struct world *world)
{
    const char *tier = world->tier;
    struct flags_change deleted = {.add = {.system = FLAG_DELETED}};
    struct folder_ref from = {.name = "From"};
    struct folder_ref to = {.name = "To & \"Fro\""};
    struct place_request place;
    struct uidset uids = {0};
    bool bare = strcmp(tier, "bare") == 0;

    place = do_place(world, from, to, "1:2,60", true);
    ok(place.base.result == 0 && !place.kept && world->n_placed == 2 &&
           world->to_uid[1] == 8 && world->to_uid[2] == 9,
       "%s: two are moved", tier);
    ok(do_delta(world, from.name, false, 0) == 0 && world->n_listed == 4 &&
           world->listed[1].uid == 0 && world->listed[2].uid == 0,
       "%s: and are gone where they were", tier);
    uidset_add_range(&uids, 8, 9);
    ok(do_read(world, to, &uids) == 0 && body_is(world, 8, 1) &&
           body_is(world, 9, 2),
       "%s: and whole where they are now", tier);
    uidset_deinit(&uids);

    ok(do_flag(world, from.name, 3, deleted) == 0, "%s: 3 is marked", tier);
    place = do_place(world, from, to, "4", true);
    ok(place.base.result == 0 && place.kept == bare && world->to_uid[4] == 10,
       "%s: moving another one does not take it along", tier);
    ok(do_delta(world, from.name, false, 0) == 0 && world->listed[3].uid == 3 &&
           (world->listed[4].uid == 4) == bare,
       "%s: which is seen", tier);
    ok(do_delta(world, to.name, false, 0) == 0 && world->n_listed == 10 &&
           world->listed[10].flags.system == (FLAG_SEEN | FLAG_FLAGGED),
       "%s: what is moved is not marked", tier);
}

/* Many at once: as many connections as are allowed, and no deadlock. */
static void test_many(struct world *world)
{
    const char *tier = world->tier;
    struct add_request adds[8];
    struct read_request reads[8];
    struct uidset uids = {0};
    struct buf large;
    unsigned i;

    ok(do_folder(world, FOLDER_CREATE, "Many") == 0, "%s: Many is made", tier);
    buf_init(&large, 0);
    while (buf_len(&large) < 1000000)
        buf_add(&large, B("Subject: long\r\n\r\nand so on, and so on\r\n"));
    for (i = 0; i < 8; i++) {
        adds[i] = add_open(world, "Many");
        endpoint_add_open(world->endpoint, &adds[i]);
    }
    for (i = 0; i < 8; i++)
        add_text(world, &adds[i], buf_peek(&large), (struct flags){0});
    for (i = 0; i < 8; i++)
        endpoint_add_close(world->endpoint, &adds[i]);
    ok(settle(world) == 0 && world->n_added == 8, "%s: eight adds at once",
       tier);
    uidset_add_range(&uids, 1, 8);
    world->n_read = 0;
    for (i = 0; i < 8; i++) {
        reads[i] = (struct read_request){.base = head(world),
                                         .folder = {.name = "Many"},
                                         .uids = &uids,
                                         .begin = on_begin,
                                         .data = on_data,
                                         .end = on_end};
        endpoint_read(world->endpoint, &reads[i]);
    }
    ok(settle(world) == 0 && world->n_read == 64, "%s: eight reads at once",
       tier);
    ok(world->endpoint->wire.connections <= 1 + world->account.connections,
       "%s: over no more connections than allowed", tier);
    uidset_deinit(&uids);
    buf_deinit(&large);
}

static void test_close(struct world *world)
{
    struct list_request list = {.base = head(world)};

    endpoint_list(world->endpoint, &list);
    ok(do_close(world) == 0, "%s: it closes", world->tier);
    ok(list.base.result == ERR_CANCELLED, "%s: what was under way is cancelled",
       world->tier);
}

static unsigned port_of(const char *dir)
{
    char *path = mem_printf("%s/imaps_port", dir);
    FILE *file = fopen(path, "r");
    char line[16] = "";
    uint64_t port = 0;

    if (file != NULL && fgets(line, sizeof(line), file) != NULL)
        bytes_to_u64(bytes_trim(bytes_of(line)), 65535, &port);
    if (file != NULL)
        fclose(file);
    free(path);
    return (unsigned)port;
}

static void world_open(struct world *world)
{
    world->ca_file = mem_printf("%s/ca.pem", world->dir);
    world->account =
        (struct imap_account){.name = world->tier,
                              .host = "127.0.0.1",
                              .port = (uint16_t)port_of(world->dir),
                              .tls = TLS_IMPLICIT,
                              .tls_ca_file = world->ca_file,
                              .user = "someone",
                              .password = "secret",
                              .connections = 4,
                              .connect_ms = 20000,
                              .idle_ms = 60000};
    world->log = (struct log){
        .level = getenv("WIRE") != NULL ? LOG_WIRE : LOG_ERROR, .sink = show};
    uv_loop_init(&world->loop);
    world->keywords = keywords_new();
    world->endpoint = imap_endpoint_new(&world->loop, &world->account,
                                        world->keywords, &world->log);
}

static void world_close(struct world *world)
{
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ok(uv_loop_close(&world->loop) == 0, "%s: nothing is left in the loop",
       world->tier);
    endpoint_free(world->endpoint);
    keywords_free(world->keywords);
    uidset_deinit(&world->delta.vanished);
    for (size_t i = 0; i < UIDS; i++)
        buf_deinit(&world->bodies[i]);
    free(world->ca_file);
}

/* UIDPLUS, but no MOVE. */
static void test_no_move(struct world *world)
{
    world_open(world);
    ok(do_open(world) == 0, "%s: it opens", world->tier);
    test_copy(world);
    test_move(world);
    test_close(world);
    world_close(world);
}

static void test_tier(struct world *world)
{
    world_open(world);
    test_open(world);
    test_folders(world);
    test_add(world);
    test_abort(world);
    test_listing(world);
    test_reading(world);
    test_changes(world);
    test_list_token(world);
    test_void_tokens(world);
    test_kept(world);
    test_rename(world);
    test_copy(world);
    test_move(world);
    test_many(world);
    test_close(world);
    world_close(world);
}

/* Courier's way of naming, and fewer connections than we would like. */
static void test_odd_server(struct world *world)
{
    const char *tier = world->tier;
    const struct folder_entry *entry;
    struct list_request list;

    world_open(world);
    ok(do_open(world) == 0, "%s: it opens", tier);
    list = do_list(world);
    ok(entry_of(&list, "INBOX") != NULL && entry_of(&list, "Sent") == NULL,
       "%s: INBOX is listed", tier);
    folder_list_free(list.folders, list.n_folders);
    ok(do_folder(world, FOLDER_CREATE, "Work/2024") == 0 &&
           do_folder(world, FOLDER_CREATE, "INBOX/Later") == 0,
       "%s: folders are created below the prefix", tier);
    ok(do_folder(world, FOLDER_CREATE, "a.b") == ERR_REFUSED,
       "%s: but not with the separator in the name", tier);
    list = do_list(world);
    entry = entry_of(&list, "Work/2024");
    ok(entry != NULL && entry->has_token, "%s: the prefix is not listed", tier);
    ok(entry_of(&list, "INBOX/Later") != NULL, "%s: but a folder in INBOX is",
       tier);
    folder_list_free(list.folders, list.n_folders);
    ok(do_rename(world, "Work", "INBOX/Done") == 0 &&
           do_delta(world, "INBOX/Done/2024", false, 0) == 0 &&
           do_rename(world, "INBOX/Done", "Old/Work") == 0 &&
           do_delta(world, "Old/Work/2024", false, 0) == 0,
       "%s: a folder is renamed below the prefix", tier);
    test_many(world);
    ok(world->endpoint->wire.connections > 2, "%s: it tried more than two",
       tier);
    test_close(world);
    world_close(world);
}

/* What cannot work says so, and again for whoever asks later. */
static void test_refused(struct world *world)
{
    struct list_request list;

    world_open(world);
    world->account.password = "wrong";
    ok(do_open(world) == ERR_AUTH, "%s: the password is refused", world->tier);
    list = do_list(world);
    ok(list.base.result == ERR_AUTH && list.n_folders == 0,
       "%s: and so is all that follows", world->tier);
    ok(do_close(world) == 0, "%s: it closes all the same", world->tier);
    world_close(world);
}

static bool start_server(struct world *world, const char *dir, const char *name,
                         const char *options)
{
    char *where = mem_printf("%s/%s", dir, name);

    memset(world, 0, sizeof(*world));
    world->tier = name;
    world->dir = where;
    return ok(
        shell(". tests/lib/dovecot.sh; dovecot_start %s %s", where, options),
        "%s: the server starts", name);
}

int main(void)
{
    static const char *const tiers[][2] = {
        {"resync",    "tier=resync"   },
        {"condstore", "tier=condstore"},
        {"plain",     "tier=plain"    },
        {"bare",      "tier=bare"     }
    };
    static const char odd[] = "separator=. extra=\"namespace inbox {\n"
                              "prefix = INBOX.\n}\n"
                              "protocol imap {\n"
                              "mail_max_userip_connections = 2\n}\"";
    static const char no_move[] =
        "extra='imap_capability = IMAP4rev1 IDLE UNSELECT UIDPLUS LITERAL+'";
    char dir[] = "/tmp/mtXXXXXX";
    struct world *world = MEM_NEW(struct world);

    /* The server may be another user, who must come through. */
    if (mkdtemp(dir) == NULL || chmod(dir, 0711) < 0)
        return 1;
    for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
        if (start_server(world, dir, tiers[i][0], tiers[i][1]))
            test_tier(world);
        free(world->dir);
    }
    if (start_server(world, dir, "odd", odd))
        test_odd_server(world);
    free(world->dir);
    if (start_server(world, dir, "copying", no_move))
        test_no_move(world);
    world->tier = "refused";
    test_refused(world);
    free(world->dir);
    shell(". tests/lib/dovecot.sh; for dir in %s/*; do"
          " dovecot_stop $dir & done; wait; rm -rf %s",
          dir, dir);
    free(world);
    return done_testing();
}
