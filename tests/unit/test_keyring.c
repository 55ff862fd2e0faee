#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/keyring.h"
#include "cmd/loop.h"
#include "tests/tap.h"

static char path[] = "/tmp/test_keyring.XXXXXX";

/* Each call of the command prints one letter more, but the third fails. */
static char *counting_command(void)
{
    return mem_printf("printf x >>%s; grep -v xxx %s", path, path);
}

/* A question and what came of it. */
struct question {
    struct keyring_wish wish;
    unsigned granted;
    struct question *then; /* asked when this one is answered, or NULL */
    struct keyring *keyring;
};

static void on_granted(struct keyring_wish *wish, struct buf *warnings)
{
    struct question *question = wish->owner;

    (void)warnings;
    question->granted++;
    if (question->then != NULL) {
        keyring_ask(question->keyring, &question->then->wish);
    }
}

static void pose(struct question *question, const struct account *account)
{
    *question = (struct question){0};
    question->wish.account = account;
    question->wish.granted = on_granted;
    question->wish.owner = question;
}

struct world {
    struct account work;
    struct account other;
    struct account disk;
    struct account stranger;
    struct account *accounts[3];
    struct loop loop;
    struct keyring *keyring;
};

static void start(struct world *world)
{
    struct err err;

    unlink(path);
    *world = (struct world){
        .work = {.type = ACCOUNT_IMAP,
                 .name = mem_copy("work"),
                 .token_command = counting_command()              },
        .other = {.type = ACCOUNT_IMAP, .password = mem_copy("p")},
        .disk = {.type = ACCOUNT_MAILDIR                   },
        .stranger = {.type = ACCOUNT_IMAP,
                 .name = mem_copy("stranger"),
                 .token_command = mem_copy("echo no")},
    };
    world->accounts[0] = &world->other;
    world->accounts[1] = &world->work;
    world->accounts[2] = &world->disk;
    world->keyring = keyring_new(world->accounts, 3);
    if (loop_init(&world->loop, &err) != 0) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    keyring_serve(world->keyring, &world->loop);
}

static void stop(struct world *world)
{
    keyring_free(world->keyring);
    loop_deinit(&world->loop);
    free(world->work.token_command);
    free(world->work.name);
    free(world->other.password);
    free(world->stranger.name);
    free(world->stranger.token_command);
}

/* The secret of @account, or NULL with the result in *@result. */
static const char *get(struct world *world, const struct account *account,
                       bool anew, int *result)
{
    struct question question;

    pose(&question, account);
    if (anew) {
        keyring_renew(world->keyring, &question.wish);
    } else {
        keyring_ask(world->keyring, &question.wish);
    }
    loop_run(&world->loop, 0);
    ok(question.granted == 1, "one answer: %s",
       question.wish.result != 0 ? question.wish.err.text : "a secret");
    *result = question.wish.result;
    return question.wish.secret;
}

static bool is(const char *secret, const char *expected)
{
    return secret != NULL && strcmp(secret, expected) == 0;
}

static void test_renew(void)
{
    struct world world;
    const char *first;
    const char *second;
    int r;

    start(&world);
    first = get(&world, &world.work, false, &r);
    ok(is(first, "x") && get(&world, &world.work, false, &r) == first,
       "it is asked for once");
    ok(is(get(&world, &world.other, false, &r), "p"),
       "each account has its own");
    ok(get(&world, &world.disk, false, &r) == NULL && r == 0,
       "a Maildir has none");
    second = get(&world, &world.work, true, &r);
    ok(is(second, "xx"), "it is renewed");
    ok(get(&world, &world.work, false, &r) == second, "and stays so");
    ok(is(first, "x"), "the one before is not taken away");
    get(&world, &world.stranger, true, &r);
    ok(r == ERR_USAGE, "no other account can be asked for");
    get(&world, &world.work, true, &r);
    ok(r == ERR_AUTH, "a command that fails says so");
    ok(is(get(&world, &world.work, false, &r), "xx"), "the newest stays");
    stop(&world);
    keyring_free(NULL);
}

/* Several at once: one answer serves all who asked for the same. */
static void test_queue(void)
{
    struct world world;
    struct question one;
    struct question two;
    struct question known;
    struct question third;

    start(&world);
    pose(&one, &world.work);
    pose(&two, &world.work);
    pose(&known, &world.other);
    pose(&third, &world.work);
    one.then = &third;
    one.keyring = world.keyring;
    keyring_ask(world.keyring, &one.wish);
    keyring_ask(world.keyring, &two.wish);
    ok(one.granted == 0 && keyring_is_asking(world.keyring),
       "a command is not waited for");
    keyring_ask(world.keyring, &known.wish);
    ok(known.granted == 1 && is(known.wish.secret, "p"),
       "what is known waits for nobody's command");
    loop_run(&world.loop, 0);
    ok(one.granted == 1 && two.granted == 1 && third.granted == 1 &&
           is(one.wish.secret, "x") && two.wish.secret == one.wish.secret &&
           third.wish.secret == one.wish.secret,
       "all who asked have the one answer");
    ok(!keyring_is_asking(world.keyring), "nobody is asked any more");
    stop(&world);
}

static void test_forget(void)
{
    struct world world;
    struct question one;
    struct question two;

    start(&world);
    pose(&one, &world.work);
    pose(&two, &world.work);
    keyring_forget(world.keyring, &one.wish);
    keyring_ask(world.keyring, &one.wish);
    keyring_forget(world.keyring, &one.wish);
    loop_run(&world.loop, 0);
    ok(one.granted == 0, "who has forgotten is not told, nor waited for");
    keyring_ask(world.keyring, &two.wish);
    loop_run(&world.loop, 0);
    ok(one.granted == 0 && is(two.wish.secret, "x"),
       "the answer is the next one's who wants it");
    keyring_renew(world.keyring, &one.wish);
    keyring_forget(world.keyring, &one.wish);
    stop(&world);
    ok(one.granted == 0, "one that is owed an answer can be freed");
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0) {
        printf("Bail out! cannot make %s\n", path);
        return 1;
    }
    close(fd);
    test_renew();
    test_queue();
    test_forget();
    unlink(path);
    return done_testing();
}
