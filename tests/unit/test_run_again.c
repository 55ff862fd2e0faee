/* Runs that were cut short just as something went off the record that only a
 * listing brings back: the next run lists that side, however its token stands. */
#include <sys/wait.h>

#include "tests/unit/run_world.h"

/* How a run ends when the side that is watched is first listed. */
enum end { LOSES_THE_LINE, IS_KILLED, ENDS };

static const char *const end_names[ENDS] = {"loses the line", "is killed"};

static struct {
    struct endpoint_class class;
    const struct endpoint_class *honest;
    enum end end;
} watch;

static void delta(struct endpoint *endpoint, struct delta_request *request)
{
    if (watch.end == IS_KILLED)
        _exit(0);
    ((struct model *)endpoint)->is_cut = true;
    watch.honest->delta(endpoint, request);
}

/* One run that ends so when @side is first listed; no mailbox has changed by
 * then. Returns whether it came to that. */
static bool run_ends(struct world *world, enum side side, enum end end)
{
    struct endpoint *endpoint = &world->side[side].endpoint;
    bool ended;
    int status;
    pid_t child;

    watch.honest = endpoint->class;
    watch.class = *watch.honest;
    watch.class.delta = delta;
    watch.end = end;
    endpoint->class = &watch.class;
    if (end == IS_KILLED) {
        fflush(stdout);
        child = fork();
        if (child == 0) {
            (void)sync_once(world);
            _exit(1);
        }
        ended = waitpid(child, &status, 0) == child && status == 0;
    } else {
        ended = sync_once(world) == ERR_CONNECT;
    }
    endpoint->class = watch.honest;
    return ended;
}

/* max_size is no more: what was too large is to be copied. */
static void test_policy(enum end end)
{
    struct world world;

    world_init(&world, 51);
    fill(&world, LEFT, "INBOX", 3, 'm');
    model_deliver(&world.side[LEFT], "INBOX", "one that is too large", 0);
    world.policy.max_size = 15;
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_idle(&world) &&
           inbox(&world, RIGHT)->n_mail == 3,
       "what is too large stays where it is");
    world.policy.max_size = 0;
    ok(run_ends(&world, LEFT, end), "the first run without a limit %s",
       end_names[end]);
    ok(sync_once(&world) == 0 && is_equal(&world), "the next one copies it");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* The same where the folder took no part when the limit went. */
static void test_policy_elsewhere(void)
{
    static char without[] = "*, !A";
    struct world world;

    world_init(&world, 52);
    fill(&world, LEFT, "INBOX", 3, 'm');
    model_deliver(&world.side[LEFT], "A", "one that is too large", 0);
    world.policy.max_size = 15;
    (void)sync_once(&world);
    world.policy.max_size = 0;
    world.policy.folders = without;
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_idle(&world),
       "the limit goes while a folder is left out");
    world.policy.folders = NULL;
    ok(sync_once(&world) == 0 && is_equal(&world),
       "when it takes part again, what was too large is copied");
    world_deinit(&world);
}

static void test_policy_dry(void)
{
    struct world world;

    world_init(&world, 53);
    model_deliver(&world.side[LEFT], "INBOX", "one that is too large", 0);
    world.policy.max_size = 15;
    (void)sync_once(&world);
    world.policy.max_size = 0;
    world.dry = true;
    ok(sync_once(&world) == 0, "a dry run without a limit");
    world.dry = false;
    world.policy.max_size = 15;
    ok(sync_once(&world) == 0 && is_idle(&world), "leaves no trace");
    world_deinit(&world);
}

/* A message that was refused, and may be taken now. */
static void test_refused(enum end end)
{
    struct world world;

    world_init(&world, 54);
    fill(&world, LEFT, "INBOX", 3, 'm');
    world.side[RIGHT].refuses = "m1 of INBOX";
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_idle(&world) &&
           inbox(&world, RIGHT)->n_mail == 2,
       "one is refused");
    world.side[RIGHT].refuses = NULL;
    world.side[RIGHT].endpoint.append_max = 1000;
    ok(run_ends(&world, LEFT, end), "the run that is to send it again %s",
       end_names[end]);
    ok(sync_once(&world) == 0 && is_equal(&world), "the next one sends it");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* One-way: what is deleted in the target comes again. */
static void test_copied_again(enum side source, enum end end)
{
    struct world world;

    world_init(&world, 55);
    world.policy.direction =
        source == LEFT ? DIRECTION_LEFT_TO_RIGHT : DIRECTION_RIGHT_TO_LEFT;
    fill(&world, source, "INBOX", 3, 'm');
    (void)sync_once(&world);
    model_expunge(inbox(&world, other(source)), 2);
    ok(run_ends(&world, source, end),
       "one-way: the run that is to copy it again %s", end_names[end]);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           inbox(&world, other(source))->n_mail == 3,
       "the next one does");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

/* A file was edited in its place, which changes no token, and deleted on the
 * other side. */
static void test_edited(enum end end)
{
    struct world world;
    struct model_mail *mail;

    world_init(&world, 56);
    world.side[RIGHT].endpoint.is_local = true;
    fill(&world, LEFT, "INBOX", 3, 'm');
    (void)sync_once(&world);
    mail = by_content(inbox(&world, RIGHT), "m1 of INBOX");
    free(mail->content);
    mail->content = mem_copy("m1 of INBOX, edited");
    mail->date += 60;
    model_expunge(inbox(&world, LEFT), 2);
    ok(run_ends(&world, RIGHT, end), "the run that has found an edit %s",
       end_names[end]);
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           inbox(&world, LEFT)->n_mail == 3,
       "the next one copies it");
    ok(sync_once(&world) == 0 && is_idle(&world), "and it is settled");
    world_deinit(&world);
}

int main(void)
{
    for (enum end end = LOSES_THE_LINE; end < ENDS; end++) {
        test_policy(end);
        test_refused(end);
        test_copied_again(LEFT, end);
        test_copied_again(RIGHT, end);
        test_edited(end);
    }
    test_policy_elsewhere();
    test_policy_dry();
    return done_testing();
}
