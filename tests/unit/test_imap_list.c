/* Listings that are more than a server has any reason to send. */
#include "base/buf.h"
#include "imap/imap_names.h"
#include "tests/tap.h"
#include "tests/unit/scripted.h"

#define CAPS     SCRIPTED_CAPS "\r\n"
#define EXTENDED SCRIPTED_CAPS " LIST-EXTENDED LIST-STATUS\r\n"

static struct list_request list_all(struct scripted *world)
{
    struct list_request request = {.base = scripted_head(world)};

    endpoint_list(world->endpoint, &request);
    scripted_settle(world);
    return request;
}

static void add_many(struct buf *out, unsigned n, char c)
{
    while (n-- > 0)
        buf_add_char(out, c);
}

/* The longest that is taken, and one that is longer. */
static void test_long_names(void)
{
    struct scripted world = {0};
    struct buf lines;
    struct imapserver_answer answers[] = {
        {"LIST \"\" \"*\"", NULL, "OK done", false, 0},
        {NULL,              NULL, NULL,      false, 0}
    };
    struct list_request request;

    buf_init(&lines, 0);
    buf_add(&lines, B("* LIST () \"/\" "));
    add_many(&lines, IMAP_NAME_BYTES_MAX, 'a');
    buf_add(&lines, B("\r\n* LIST () \"/\" "));
    add_many(&lines, 100000, 'b');
    buf_add(&lines, B("\r\n"));
    answers[0].untagged = buf_text(&lines);
    ok(scripted_open(&world, CAPS, true, answers), "logs in");
    request = list_all(&world);
    ok(request.base.result == 0 && request.n_folders == 2 &&
           request.folders[0].problem == NULL &&
           strlen(request.folders[0].name) == IMAP_NAME_BYTES_MAX,
       "a long name is taken");
    ok(request.n_folders == 2 && request.folders[1].problem != NULL &&
           strlen(request.folders[1].name) == IMAP_NAME_BYTES_MAX + 1,
       "of one that is too long no more is kept than shows it");
    folder_list_free(request.folders, request.n_folders);
    scripted_close(&world);
    buf_deinit(&lines);
}

/* @line is answered so many times to @command. Whoever reads it all says LOGOUT in
 * the end. */
static void check_limit(const char *name, const char *caps, const char *command,
                        const char *line, unsigned times)
{
    struct scripted world = {0};
    struct buf lines;
    struct imapserver_answer answers[] = {
        {command, NULL, "OK done", false, 0},
        {NULL,    NULL, NULL,      false, 0}
    };
    struct list_request request;

    buf_init(&lines, 0);
    while (times-- > 0)
        buf_add(&lines, bytes_of(line));
    answers[0].untagged = buf_text(&lines);
    ok(scripted_open(&world, caps, true, answers), "%s: logs in", name);
    request = list_all(&world);
    ok(request.base.result == ERR_LIMIT && request.n_folders == 0,
       "%s: the listing fails", name);
    scripted_close(&world);
    ok(world.server.logouts == 0, "%s: nothing more is read", name);
    buf_deinit(&lines);
}

static void test_limits(void)
{
    struct buf line;

    check_limit("too many folders", CAPS, "LIST", "* LIST () \"/\" a\r\n",
                100001);
    check_limit("too many with a subscription", CAPS, "LSUB",
                "* LSUB () \"/\" a\r\n", 100001);
    check_limit("too many answers to STATUS", EXTENDED, "LIST",
                "* STATUS a (MESSAGES 1)\r\n", 100001);
    buf_init(&line, 0);
    buf_add(&line, B("* STATUS "));
    add_many(&line, IMAP_NAME_BYTES_MAX, 'a');
    buf_add(&line, B(" (MESSAGES 1)\r\n"));
    check_limit("names that are long together", EXTENDED, "LIST",
                buf_text(&line), 16385);
    buf_deinit(&line);
}

int main(void)
{
    test_long_names();
    test_limits();
    return done_testing();
}
