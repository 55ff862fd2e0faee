/* Endpoints: each request reaches its own operation; tokens; lists. */
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "tests/tap.h"

struct fake {
    struct endpoint base;
    const char *called;
    const void *request;
    const void *argument;
};

static void note(struct endpoint *endpoint, const char *name,
                 const void *request, const void *argument)
{
    struct fake *fake = (struct fake *)endpoint;

    fake->called = name;
    fake->request = request;
    fake->argument = argument;
}

#define FAKE(name)                                        \
    static void on_##name(struct endpoint *endpoint,      \
                          struct name##_request *request) \
    {                                                     \
        note(endpoint, #name, request, NULL);             \
    }

FAKE(open)
FAKE(list)
FAKE(delta)
FAKE(identify)
FAKE(read)
FAKE(flag)
FAKE(remove)
FAKE(folder)
FAKE(close)

static void on_read_pause(struct endpoint *endpoint,
                          struct read_request *request, bool pause)
{
    note(endpoint, pause ? "pause" : "flow", request, NULL);
}

static void on_add_open(struct endpoint *endpoint, struct add_request *request)
{
    note(endpoint, "add_open", request, NULL);
}

static void on_add_message(struct endpoint *endpoint,
                           struct add_request *request,
                           const struct message_meta *meta)
{
    note(endpoint, "add_message", request, meta);
}

static bool on_add_data(struct endpoint *endpoint, struct add_request *request,
                        struct bytes data)
{
    note(endpoint, "add_data", request, data.ptr);
    return data.len == 0;
}

static void on_add_close(struct endpoint *endpoint, struct add_request *request)
{
    note(endpoint, "add_close", request, NULL);
}

static void on_add_abort(struct endpoint *endpoint, struct add_request *request)
{
    note(endpoint, "add_abort", request, NULL);
}

static void on_describe(struct endpoint *endpoint, struct buf *out)
{
    note(endpoint, "describe", out, NULL);
}

static void on_free(struct endpoint *endpoint)
{
    note(endpoint, "free", NULL, NULL);
}

static const struct endpoint_class fake_class = {
    .open = on_open,
    .list = on_list,
    .delta = on_delta,
    .identify = on_identify,
    .read = on_read,
    .read_pause = on_read_pause,
    .add_open = on_add_open,
    .add_message = on_add_message,
    .add_data = on_add_data,
    .add_close = on_add_close,
    .add_abort = on_add_abort,
    .flag = on_flag,
    .remove = on_remove,
    .folder = on_folder,
    .close = on_close,
    .describe = on_describe,
    .free = on_free,
};

static void reached(const struct fake *fake, const char *name,
                    const void *request, const void *argument)
{
    ok(strcmp(fake->called, name) == 0 && fake->request == request &&
           fake->argument == argument,
       "%s is passed on", name);
}

static void test_requests(void)
{
    struct fake fake = {.base = {.class = &fake_class}, .called = ""};
    struct endpoint *endpoint = &fake.base;
    struct open_request open = {.dry = true};
    struct list_request list = {.n_folders = 0};
    struct delta_request delta = {.known = 0};
    struct identify_request identify = {.level = IDENTIFY_META};
    struct flag_request flag = {.uids = NULL};
    struct remove_request remove = {.uids = NULL};
    struct folder_request folder = {.name = "x"};
    struct close_request close = {.base = {.result = 0}};

    endpoint_open(endpoint, &open);
    reached(&fake, "open", &open, NULL);
    endpoint_list(endpoint, &list);
    reached(&fake, "list", &list, NULL);
    endpoint_delta(endpoint, &delta);
    reached(&fake, "delta", &delta, NULL);
    endpoint_identify(endpoint, &identify);
    reached(&fake, "identify", &identify, NULL);
    endpoint_flag(endpoint, &flag);
    reached(&fake, "flag", &flag, NULL);
    endpoint_remove(endpoint, &remove);
    reached(&fake, "remove", &remove, NULL);
    endpoint_folder(endpoint, &folder);
    reached(&fake, "folder", &folder, NULL);
    endpoint_close(endpoint, &close);
    reached(&fake, "close", &close, NULL);
    endpoint_free(endpoint);
    reached(&fake, "free", NULL, NULL);
    endpoint_free(NULL);
}

static void test_streams(void)
{
    struct fake fake = {.base = {.class = &fake_class}, .called = ""};
    struct endpoint *endpoint = &fake.base;
    struct read_request read = {.uids = NULL};
    struct add_request add = {.room = NULL};
    struct message_meta meta = {.size = 1};
    struct bytes data = B("x");
    struct buf out;

    buf_init(&out, 0);
    endpoint_read(endpoint, &read);
    reached(&fake, "read", &read, NULL);
    endpoint_read_pause(endpoint, &read, true);
    reached(&fake, "pause", &read, NULL);
    endpoint_read_pause(endpoint, &read, false);
    reached(&fake, "flow", &read, NULL);
    endpoint_add_open(endpoint, &add);
    reached(&fake, "add_open", &add, NULL);
    endpoint_add_message(endpoint, &add, &meta);
    reached(&fake, "add_message", &add, &meta);
    ok(!endpoint_add_data(endpoint, &add, data), "data that should wait");
    reached(&fake, "add_data", &add, data.ptr);
    ok(endpoint_add_data(endpoint, &add, B("")), "data that is welcome");
    endpoint_add_close(endpoint, &add);
    reached(&fake, "add_close", &add, NULL);
    endpoint_add_abort(endpoint, &add);
    reached(&fake, "add_abort", &add, NULL);
    endpoint_describe(endpoint, &out);
    reached(&fake, "describe", &out, NULL);
    buf_deinit(&out);
}

static void differs(struct folder_token a, struct folder_token b,
                    const char *name)
{
    ok(!folder_token_equal(&a, &b) && !folder_token_equal(&b, &a),
       "tokens differ: %s", name);
}

static void test_tokens(void)
{
    const struct folder_token imap = {5, 7, 12, 3, 99, 0, 0};
    const struct folder_token maildir = {5, 7, 12, 3, 0, 1000, 2000};
    struct folder_token t;

    ok(folder_token_equal(&imap, &imap), "an IMAP token equals itself");
    ok(folder_token_equal(&maildir, &maildir), "so does a Maildir's");
    t = (struct folder_token){0, 7, 12, 3, 99, 0, 0};
    ok(folder_token_equal(&imap, &t) && folder_token_equal(&t, &imap),
       "an object that is not known equals any");
    t = (struct folder_token){6, 7, 12, 3, 99, 0, 0};
    differs(imap, t, "the object");
    t = (struct folder_token){5, 8, 12, 3, 99, 0, 0};
    differs(imap, t, "uidvalidity");
    t = (struct folder_token){5, 7, 13, 3, 99, 0, 0};
    differs(imap, t, "uidnext");
    t = (struct folder_token){5, 7, 12, 4, 99, 0, 0};
    differs(imap, t, "messages");
    t = (struct folder_token){5, 7, 12, 3, 100, 0, 0};
    differs(imap, t, "highestmodseq");
    t = (struct folder_token){5, 7, 12, 3, 0, 1001, 2000};
    differs(maildir, t, "the time of cur");
    t = (struct folder_token){5, 7, 12, 3, 0, 1000, 2001};
    differs(maildir, t, "the time of new");
    t = (struct folder_token){5, 7, 12, 3, 0, 0, 0};
    differs(maildir, t, "not settled");
    t = (struct folder_token){5, 7, 12, 3, 0, 0, 2000};
    differs(t, t, "one time only, from itself");
    t = (struct folder_token){5, 0, 12, 3, 99, 0, 0};
    differs(t, t, "an unknown uidvalidity, from itself");
}

int main(void)
{
    struct folder_entry *folders = mem_new(2, sizeof(*folders));

    test_requests();
    test_streams();
    test_tokens();
    ok(other(LEFT) == RIGHT && other(RIGHT) == LEFT, "sides have another");
    folders[0].name = mem_copy("INBOX");
    folders[1].name = mem_copy("x");
    folders[1].problem = mem_copy("cannot be named there");
    folder_list_free(folders, 2);
    folder_list_free(NULL, 0);
    ok(true, "lists are freed");
    return done_testing();
}
