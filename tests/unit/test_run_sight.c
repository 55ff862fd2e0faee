/* Runs that do not see all: a folder that cannot be looked at, and one that
 * shows only its newest messages. Nothing is deleted for what is not seen. */
#include "tests/unit/run_world.h"

/* What the listings of one side are made to say. */
static struct {
    struct endpoint_class class;
    const struct endpoint_class *honest;
    const char *busy;     /* the folder that cannot be looked at, or NULL */
    const char *windowed; /* the folder that holds more than it shows */
    uint32_t from;        /* the oldest UID that it shows */
    const char *broken;   /* the folder that is listed with a problem */
    uint32_t sizeless;    /* the UID that is listed without its size */
    void (*done)(struct request *request);
    void (*item)(struct delta_request *request, const struct listed *listed);
} sight;

static void on_listed(struct request *base)
{
    struct delta_request *request = (struct delta_request *)base;

    base->done = sight.done;
    request->item = sight.item;
    if (sight.busy != NULL)
        base->result = err_set(&base->err, ERR_BUSY, "in use");
    else if (sight.windowed != NULL)
        request->windowed = true;
    base->done(base);
}

static void on_item(struct delta_request *request, const struct listed *listed)
{
    struct listed shown = *listed;

    if (shown.uid == sight.sizeless)
        shown.has_meta = false;
    if (shown.uid >= sight.from)
        sight.item(request, &shown);
}

static void delta(struct endpoint *endpoint, struct delta_request *request)
{
    const char *name = sight.busy != NULL ? sight.busy : sight.windowed;

    if (sight.sizeless != 0 ||
        (name != NULL && strcmp(request->folder.name, name) == 0)) {
        sight.done = request->base.done;
        sight.item = request->item;
        request->base.done = on_listed;
        request->item = on_item;
    }
    sight.honest->delta(endpoint, request);
}

static void on_folders(struct request *base)
{
    struct list_request *list = (struct list_request *)base;

    base->done = sight.done;
    for (size_t i = 0; i < list->n_folders; i++) {
        if (strcmp(list->folders[i].name, sight.broken) == 0)
            list->folders[i].problem = mem_copy("there is no new in it");
    }
    base->done(base);
}

static void list(struct endpoint *endpoint, struct list_request *request)
{
    if (sight.broken != NULL) {
        sight.done = request->base.done;
        request->base.done = on_folders;
    }
    sight.honest->list(endpoint, request);
}

/* The other side, which refuses to open one folder. */
static struct {
    struct endpoint_class class;
    const struct endpoint_class *honest;
    void (*done)(struct request *request);
} shut;

static void on_shut(struct request *base)
{
    base->done = shut.done;
    base->result = err_set(&base->err, ERR_REFUSED, "not for you");
    base->done(base);
}

static void shut_delta(struct endpoint *endpoint, struct delta_request *request)
{
    if (strcmp(request->folder.name, sight.busy) == 0) {
        shut.done = request->base.done;
        request->base.done = on_shut;
    }
    shut.honest->delta(endpoint, request);
}

static void shut_off(struct model *model)
{
    shut.honest = model->endpoint.class;
    shut.class = *shut.honest;
    shut.class.delta = shut_delta;
    model->endpoint.class = &shut.class;
}

static void look_through(struct model *model)
{
    memset(&sight, 0, sizeof(sight));
    sight.honest = model->endpoint.class;
    sight.class = *sight.honest;
    sight.class.delta = delta;
    sight.class.list = list;
    model->endpoint.class = &sight.class;
}

static void test_unseen(void)
{
    struct world world;

    world_init(&world, 41);
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, "A", 3, 'a');
    (void)sync_once(&world);
    look_through(&world.side[LEFT]);
    sight.busy = "A";
    model_expunge(inbox(&world, LEFT), 1);
    model_deliver(&world.side[LEFT], "A", "new", 0);
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] == 1 &&
           inbox(&world, RIGHT)->n_mail == 3,
       "what may be in a folder that cannot be looked at is not deleted");
    sight.busy = NULL;
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 &&
           inbox(&world, RIGHT)->n_mail == 2 && is_equal(&world),
       "it is once that can be looked at");
    world_deinit(&world);
}

/* The same of a folder that the list of folders tells nothing of, or only that
 * something is wrong with it. */
static void test_not_listed(bool doubtful, bool known)
{
    struct world world;
    struct model *left = &world.side[LEFT];

    world_init(&world, 43);
    fill(&world, LEFT, "INBOX", 3, 'i');
    if (known)
        fill(&world, LEFT, "A", 3, 'a');
    else
        model_make(left, "A");
    (void)sync_once(&world);
    look_through(left);
    sight.broken = doubtful ? NULL : "A";
    left->hides = doubtful ? "A" : NULL;
    left->doubtful = doubtful;
    user_moves(&world, LEFT, "INBOX", "A", "i1 of INBOX");
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] > 0 &&
           inbox(&world, RIGHT)->n_mail == (known ? 3 : 2),
       "what may be in a folder %s is %s",
       doubtful ? "that a doubtful list leaves out"
                : "that is listed with a problem",
       known ? "not deleted" : "deleted, if nothing ever was in there");
    sight.broken = NULL;
    left->hides = NULL;
    left->doubtful = false;
    ok(sync_once(&world) == 0 && is_equal(&world) &&
           inbox(&world, RIGHT)->n_mail == 2 &&
           model_count(&world.side[RIGHT], "A", "i1 of INBOX") == 1,
       "and it goes along once that can be looked at");
    world_deinit(&world);
}

/* The folder is new on both sides: one cannot be looked at now, the other one
 * never. Which answer comes first is of no matter. */
static void test_unseen_and_shut(uint32_t seed)
{
    struct world world;

    world_init(&world, seed);
    fill(&world, LEFT, "INBOX", 3, 'i');
    (void)sync_once(&world);
    look_through(&world.side[LEFT]);
    shut_off(&world.side[RIGHT]);
    sight.busy = "A";
    model_make(&world.side[LEFT], "A");
    model_make(&world.side[RIGHT], "A");
    user_moves(&world, LEFT, "INBOX", "A", "i1 of INBOX");
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] == 1 &&
           inbox(&world, RIGHT)->n_mail == 3,
       "seed %u: what may be in a folder of which one side is not seen is not "
       "deleted",
       seed);
    world_deinit(&world);
}

static void test_windowed(void)
{
    struct world world;

    world_init(&world, 42);
    fill(&world, LEFT, "INBOX", 6, 'i');
    fill(&world, RIGHT, "INBOX", 2, 'i');
    look_through(&world.side[LEFT]);
    sight.windowed = "INBOX";
    sight.from = 4;
    ok(sync_once(&world) == 0 && inbox(&world, LEFT)->n_mail == 6,
       "what may be there, and is not shown, is not sent");
    ok(inbox(&world, RIGHT)->n_mail == 5, "what is shown goes over");
    world_deinit(&world);
}

/* As where a disk cannot read one file. */
static void test_sizeless(void)
{
    struct world world;

    world_init(&world, 44);
    fill(&world, LEFT, "INBOX", 3, 'i');
    look_through(&world.side[LEFT]);
    sight.sizeless = 2;
    world.dry = true;
    ok(sync_once(&world) == 0 && world.n_events[REPORT_FAILED] == 1,
       "a plan names a message without a size");
    world.dry = false;
    for (unsigned i = 0; i < 2; i++)
        ok(sync_once(&world) == 0 && world.result.failed == 1 &&
               inbox(&world, LEFT)->n_mail == 3 &&
               inbox(&world, RIGHT)->n_mail == 2,
           "run %u: so does a run, and the others go over", i + 1);
    sight.sizeless = 0;
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world),
       "it goes over once its size is told");
    world_deinit(&world);
}

/* It may be what is gone from another folder. */
static void test_sizeless_moved(enum side side)
{
    struct world world;
    struct model *model = &world.side[side];

    world_init(&world, 46);
    fill(&world, side, "INBOX", 3, 'i');
    model_make(model, "A");
    (void)sync_once(&world);
    look_through(model);
    sight.sizeless = 1;
    user_moves(&world, side, "INBOX", "A", "i1 of INBOX");
    ok(sync_once(&world) == 0 && world.result.failed == 1 &&
           inbox(&world, other(side))->n_mail == 3,
       "what may be a message without a size is not deleted, side %d", side);
    sight.sizeless = 0;
    ok(sync_once(&world) == 0 && world.result.failed == 0 && is_equal(&world) &&
           inbox(&world, other(side))->n_mail == 2,
       "it goes along once that size is told");
    world_deinit(&world);
}

/* One side flags a message, the other one moves it: it is moved here with that
 * flag, which its new folder has never shown. That the user takes it off again
 * is not to be taken for a server that does not keep it. */
static void test_flagged_and_moved(bool tokens_prove)
{
    struct world world;
    struct model *left = &world.side[LEFT];
    struct model_folder *there;
    struct model_folder *away;

    world_init(&world, 47);
    left->endpoint.tokens_prove = tokens_prove;
    world.policy.moves = true;
    fill(&world, LEFT, "INBOX", 3, 'i');
    fill(&world, LEFT, "A", 3, 'a');
    (void)sync_once(&world);
    model_flag(inbox(&world, LEFT), &inbox(&world, LEFT)->mail[1],
               FLAG_SEEN | FLAG_DRAFT);
    user_moves(&world, RIGHT, "INBOX", "A", "i1 of INBOX");
    (void)sync_once(&world);
    there = model_folder(left, "A");
    away = model_folder(&world.side[RIGHT], "A");
    ok(world.result.counts[LEFT].moved == 1 && there->n_mail == 4 &&
           there->mail[3].flags.system == (FLAG_SEEN | FLAG_DRAFT),
       "a message is moved with its flag, %s",
       tokens_prove ? "with CONDSTORE" : "without");
    model_flag(there, &there->mail[3], FLAG_SEEN);
    ok(sync_once(&world) == 0 && sync_once(&world) == 0 && is_equal(&world) &&
           there->mail[3].flags.system == FLAG_SEEN &&
           away->mail[3].flags.system == FLAG_SEEN,
       "the flag can be taken off again");
    world_deinit(&world);
}

int main(void)
{
    test_unseen();
    for (unsigned i = 0; i < 4; i++)
        test_not_listed(i & 1, i & 2);
    for (uint32_t seed = 45; seed < 53; seed++)
        test_unseen_and_shut(seed);
    test_windowed();
    test_sizeless();
    test_sizeless_moved(LEFT);
    test_sizeless_moved(RIGHT);
    test_flagged_and_moved(true);
    test_flagged_and_moved(false);
    return done_testing();
}
