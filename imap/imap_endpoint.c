/* The endpoint: requests become tasks of the pool, and the pool gets its turn
 * of the loop whenever there is something to do. */
#include "imap/imap_endpoint.h"

#include <stdlib.h>

#include <uv.h>

#include "base/mem.h"
#include "imap/imap_pool.h"
#include "imap/imap_task.h"

/* Messages in one add_request at most: all go as one command where the server
 * has MULTIAPPEND, and come back together where it refuses one. */
#define BATCH_MESSAGES 250u
#define BATCH_BYTES    ((uint64_t)8 << 20)

/* How long a close waits for answers to what was sent. */
#define CLOSE_MS 10000u

struct imap_endpoint {
    struct endpoint head; /* first */
    struct imap_pool pool;
    uv_idle_t turn;      /* active while there is something to do */
    uv_timer_t patience; /* while it closes */
    uv_timer_t alarm;    /* of the pool */
    unsigned n_handles;
    struct close_request *closing;
};

static struct imap_endpoint *self(struct endpoint *endpoint)
{
    return (struct imap_endpoint *)endpoint;
}

static void on_closed(uv_handle_t *handle)
{
    struct imap_endpoint *endpoint = handle->data;

    endpoint->n_handles--;
    if (endpoint->n_handles > 0)
        return;
    endpoint->closing->base.result = 0;
    endpoint->closing->base.done(&endpoint->closing->base);
}

static void on_turn(uv_idle_t *turn)
{
    struct imap_endpoint *endpoint = turn->data;

    uv_idle_stop(turn);
    endpoint->head.waits = false;
    imap_pool_turn(&endpoint->pool);
    if (endpoint->closing != NULL && imap_pool_is_closed(&endpoint->pool) &&
        !uv_is_closing((uv_handle_t *)turn)) {
        uv_close((uv_handle_t *)turn, on_closed);
        uv_close((uv_handle_t *)&endpoint->patience, on_closed);
        uv_close((uv_handle_t *)&endpoint->alarm, on_closed);
    }
}

static void wake(void *owner)
{
    struct imap_endpoint *endpoint = owner;

    if (!uv_is_closing((uv_handle_t *)&endpoint->turn))
        uv_idle_start(&endpoint->turn, on_turn);
}

static void on_alarm(uv_timer_t *timer)
{
    wake(timer->data);
}

static void set_alarm(void *owner, uint64_t ms)
{
    struct imap_endpoint *endpoint = owner;

    if (uv_is_closing((uv_handle_t *)&endpoint->alarm))
        return;
    endpoint->head.waits = true;
    uv_timer_start(&endpoint->alarm, on_alarm, ms, 0);
}

static uint64_t now_ms(void *owner)
{
    struct imap_endpoint *endpoint = owner;

    return uv_now(endpoint->pool.shared.loop);
}

static void submit(struct endpoint *endpoint, struct imap_task *task)
{
    imap_pool_submit(&self(endpoint)->pool, task);
}

static struct imap_task *find(struct endpoint *endpoint,
                              const struct request *request)
{
    return imap_pool_find(&self(endpoint)->pool, request);
}

static void handles_open(struct imap_endpoint *imap)
{
    if (imap->n_handles > 0)
        return;
    imap->n_handles = 3;
    uv_idle_init(imap->pool.shared.loop, &imap->turn);
    uv_timer_init(imap->pool.shared.loop, &imap->patience);
    uv_timer_init(imap->pool.shared.loop, &imap->alarm);
    imap->turn.data = imap;
    imap->patience.data = imap;
    imap->alarm.data = imap;
}

/* Opening is a task that is over once it has a connection. */
static void open_start(struct imap_task *task)
{
    struct imap_endpoint *endpoint = task->pool->owner;
    const struct imap_pool *pool = task->pool;

    endpoint->head.tokens_prove = pool->tier != IMAP_PLAIN;
    endpoint->head.keeps_subscriptions = true;
    endpoint->head.append_max = pool->caps.append_max;
    endpoint->head.fidelity = pool->quirks.fidelity;
    endpoint->head.merges = pool->quirks.merges;
    endpoint->head.moves_by_copy = (pool->caps.bits & CAP_MOVE) == 0;
    imap_task_finish(task, 0, NULL);
}

static void open_event(struct imap_task *task, int step,
                       const struct session_event *event)
{
    (void)task;
    (void)step;
    (void)event;
}

static void do_open(struct endpoint *endpoint, struct open_request *request)
{
    static const struct imap_task_class class = {.role = IMAP_ALONE,
                                                 .size =
                                                     sizeof(struct imap_task),
                                                 .start = open_start,
                                                 .event = open_event};
    struct imap_endpoint *imap = self(endpoint);

    handles_open(imap);
    imap->pool.untouched = request->untouched;
    if (request->on_its_way)
        imap_pool_let_arrive(&imap->pool);
    submit(endpoint, imap_task_new(&imap->pool, &class, &request->base));
}

static void do_list(struct endpoint *endpoint, struct list_request *request)
{
    submit(endpoint, imap_list_new(&self(endpoint)->pool, request));
}

static void do_delta(struct endpoint *endpoint, struct delta_request *request)
{
    submit(endpoint, imap_delta_new(&self(endpoint)->pool, request));
}

static void do_identify(struct endpoint *endpoint,
                        struct identify_request *request)
{
    submit(endpoint, imap_identify_new(&self(endpoint)->pool, request));
}

static void do_read(struct endpoint *endpoint, struct read_request *request)
{
    submit(endpoint, imap_read_new(&self(endpoint)->pool, request));
}

static void do_read_pause(struct endpoint *endpoint,
                          struct read_request *request, bool pause)
{
    struct imap_task *task = find(endpoint, &request->base);

    if (task == NULL)
        return;
    task->paused = pause;
    if (task->link != NULL)
        imap_link_pause(task->link);
}

static void do_add_open(struct endpoint *endpoint, struct add_request *request)
{
    submit(endpoint, imap_add_new(&self(endpoint)->pool, request));
}

/* An add that is over may not be known to be so yet: what still comes for it
 * goes nowhere. */
static void do_add_message(struct endpoint *endpoint,
                           struct add_request *request,
                           const struct message_meta *meta)
{
    struct imap_task *task = find(endpoint, &request->base);

    if (task != NULL)
        imap_add_message(task, meta);
}

static bool do_add_data(struct endpoint *endpoint, struct add_request *request,
                        struct bytes data)
{
    struct imap_task *task = find(endpoint, &request->base);

    return task == NULL || imap_add_data(task, data);
}

static void do_add_close(struct endpoint *endpoint, struct add_request *request)
{
    struct imap_task *task = find(endpoint, &request->base);

    if (task != NULL)
        imap_add_close(task);
}

static void do_add_abort(struct endpoint *endpoint, struct add_request *request)
{
    struct imap_task *task = find(endpoint, &request->base);

    if (task != NULL)
        imap_add_abort(task);
}

static void do_flag(struct endpoint *endpoint, struct flag_request *request)
{
    submit(endpoint, imap_flag_new(&self(endpoint)->pool, request));
}

static void do_remove(struct endpoint *endpoint, struct remove_request *request)
{
    submit(endpoint, imap_remove_new(&self(endpoint)->pool, request));
}

static void do_place(struct endpoint *endpoint, struct place_request *request)
{
    submit(endpoint, imap_place_new(&self(endpoint)->pool, request));
}

static void do_folder(struct endpoint *endpoint, struct folder_request *request)
{
    submit(endpoint, imap_folder_new(&self(endpoint)->pool, request));
}

static void on_patience(uv_timer_t *timer)
{
    struct imap_endpoint *endpoint = timer->data;

    imap_pool_cut(&endpoint->pool);
}

static void do_close(struct endpoint *endpoint, struct close_request *request)
{
    struct imap_endpoint *imap = self(endpoint);

    handles_open(imap);
    imap->closing = request;
    uv_timer_start(&imap->patience, on_patience, CLOSE_MS, 0);
    imap_pool_close(&imap->pool);
}

static void describe_caps(const struct caps *caps, struct buf *out)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {CAP_CONDSTORE,     "CONDSTORE"    },
        {CAP_QRESYNC,       "QRESYNC"      },
        {CAP_UIDPLUS,       "UIDPLUS"      },
        {CAP_MOVE,          "MOVE"         },
        {CAP_LITERAL_PLUS,  "LITERAL+"     },
        {CAP_LITERAL_MINUS, "LITERAL-"     },
        {CAP_MULTIAPPEND,   "MULTIAPPEND"  },
        {CAP_LIST_EXTENDED, "LIST-EXTENDED"},
        {CAP_LIST_STATUS,   "LIST-STATUS"  },
        {CAP_SPECIAL_USE,   "SPECIAL-USE"  },
        {CAP_ESEARCH,       "ESEARCH"      },
        {CAP_UNSELECT,      "UNSELECT"     },
        {CAP_NAMESPACE,     "NAMESPACE"    },
        {CAP_OBJECTID,      "OBJECTID"     },
        {CAP_COMPRESS,      "COMPRESS"     },
    };

    buf_add(out, B("capabilities:"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((caps->bits & names[i].bit) != 0)
            buf_printf(out, " %s", names[i].name);
    }
    buf_add_char(out, '\n');
}

/* The kind of server, and what follows from it. */
static void describe_quirks(const struct quirks *quirks, struct buf *out)
{
    static const char *const fidelities[] = {
        [FIDELITY_EXACT] = "kept to the byte",
        [FIDELITY_CONTENT] = "kept, but their sizes are not to be trusted",
        [FIDELITY_ENVELOPE] = "made anew for each reader"};

    if (quirks->name != NULL)
        buf_printf(out, "provider: %s\n", quirks->name);
    buf_printf(out, "messages: %s%s\n", fidelities[quirks->fidelity],
               quirks->merges ? ", equal ones are merged" : "");
    if (quirks->window != 0) {
        buf_printf(out, "window: the newest %u messages of a folder\n",
                   quirks->window);
    }
    if (quirks->skip != NULL)
        buf_printf(out, "folders left alone: %s\n", quirks->skip);
    buf_printf(out, "command length: %u octets\n", quirks->command_bytes);
}

static void do_describe(struct endpoint *endpoint, struct buf *out)
{
    static const char *const tiers[] = {[IMAP_PLAIN] = "plain",
                                        [IMAP_CONDSTORE] = "condstore",
                                        [IMAP_RESYNC] = "resync"};
    const struct imap_pool *pool = &self(endpoint)->pool;
    const struct imap_account *account = pool->shared.account;

    buf_printf(out, "server: %s:%u\n", account->host, account->port);
    describe_quirks(&pool->quirks, out);
    buf_printf(out, "tier: %s\n", tiers[pool->tier]);
    describe_caps(&pool->caps, out);
    if (pool->caps.append_max > 0) {
        buf_printf(out, "append limit: %llu octets\n",
                   (unsigned long long)pool->caps.append_max);
    } else {
        buf_add(out, B("append limit: none said\n"));
    }
    buf_printf(out, "connections: %zu\n", pool->limit);
}

static void do_free(struct endpoint *endpoint)
{
    struct imap_endpoint *imap = self(endpoint);

    imap_pool_deinit(&imap->pool);
    tls_context_free(imap->pool.shared.tls);
    free(imap);
}

/* clang-format off */
static const struct endpoint_class imap_class = {
    .open = do_open,
    .list = do_list,
    .delta = do_delta,
    .identify = do_identify,
    .read = do_read,
    .read_pause = do_read_pause,
    .add_open = do_add_open,
    .add_message = do_add_message,
    .add_data = do_add_data,
    .add_close = do_add_close,
    .add_abort = do_add_abort,
    .flag = do_flag,
    .remove = do_remove,
    .place = do_place,
    .folder = do_folder,
    .close = do_close,
    .describe = do_describe,
    .free = do_free,
};

/* clang-format on */

struct endpoint *imap_endpoint_new(uv_loop_t *loop,
                                   const struct imap_account *account,
                                   struct keywords *keywords,
                                   const struct log *log)
{
    struct imap_endpoint *imap = MEM_NEW(struct imap_endpoint);
    struct conn_shared *shared = &imap->pool.shared;

    imap->head.class = &imap_class;
    imap->head.name = account->name;
    imap->head.lanes = 2 * account->connections;
    imap->head.small_lanes = IMAP_LINK_TASKS_MAX;
    imap->head.batch_messages = BATCH_MESSAGES;
    imap->head.batch_bytes = BATCH_BYTES;
    shared->loop = loop;
    shared->account = account;
    shared->keywords = keywords;
    shared->log = log;
    shared->wire = &imap->head.wire;
    shared->gauge = &imap->pool.gauge;
    if (account->tls != TLS_NONE) {
        shared->tls = tls_context_new(account->host, account->tls_ca_file,
                                      account->tls_fingerprint);
        tls_context_share(shared->tls, account->trust);
        tls_context_identify(shared->tls, account->tls_certificate,
                             account->tls_key);
    }
    imap->pool.chance = (uint32_t)uv_hrtime();
    imap->pool.wake = wake;
    imap->pool.alarm = set_alarm;
    imap->pool.now_ms = now_ms;
    imap->pool.owner = imap;
    imap_pool_init(&imap->pool);
    return &imap->head;
}

void imap_endpoint_renewed(struct endpoint *endpoint, int result,
                           const struct err *err)
{
    imap_pool_renewed(&self(endpoint)->pool, result, err);
}
