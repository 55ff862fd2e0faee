/*
 * check: every pair is asked for on both sides and compared: size, date, and
 * the digest of its header or, with --deep, of every byte. What the listings
 * alone show (missing, extra, other flags) the plan has told already.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

#define AT_ONCE 1000u /* pairs of a folder compared at a time */

/* One pair under comparison. */
struct probe {
    uint32_t uid[SIDES];
    bool answered[SIDES];
    struct identity identity[SIDES];
};

/* Where the probe with this right UID is. */
struct place {
    uint32_t uid;
    uint32_t index;
};

struct checking {
    struct folder_work *work;
    uint32_t (*pairs)[SIDES]; /* all of the folder, by the left UID */
    size_t n_pairs;
    size_t pairs_cap;
    size_t next; /* first that was not asked for */
    struct probe *probes;
    struct place *by_right; /* the probes again, by the right UID */
    size_t n;
    struct identify_request request[SIDES];
    struct uidset uids[SIDES];
    unsigned pending;
};

static void go_on(struct checking *checking);

static int collect(void *owner, const struct state_pair *pair)
{
    struct checking *checking = owner;
    const struct compare *compare = checking->work->compare;

    for (int side = 0; side < SIDES; side++) {
        if (pair->gone[side] ||
            uidset_has(&compare->delta[side].gone, pair->uid[side]))
            return 0;
    }
    checking->pairs = mem_grow(checking->pairs, checking->n_pairs,
                               &checking->pairs_cap, sizeof(*checking->pairs));
    checking->pairs[checking->n_pairs][LEFT] = pair->uid[LEFT];
    checking->pairs[checking->n_pairs++][RIGHT] = pair->uid[RIGHT];
    return 0;
}

static struct probe *find(struct checking *checking, enum side side,
                          uint32_t uid)
{
    size_t low = 0;
    size_t high = checking->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t at = side == LEFT ? middle : checking->by_right[middle].index;

        if (checking->probes[at].uid[side] == uid)
            return &checking->probes[at];
        if (checking->probes[at].uid[side] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void on_item(struct identify_request *request, uint32_t uid,
                    const struct identity *identity)
{
    struct checking *checking = request->base.owner;
    enum side side = request == &checking->request[LEFT] ? LEFT : RIGHT;
    struct probe *probe = find(checking, side, uid);

    if (probe == NULL)
        return;
    probe->answered[side] = true;
    probe->identity[side] = *identity;
}

static void tell(struct checking *checking, const struct probe *probe,
                 const char *reason)
{
    struct run *run = checking->work->run;
    struct report_event event = {
        .kind = REPORT_DIFFERS,
        .side = RIGHT,
        .source = LEFT,
        .folder = run_folder_name(checking->work),
        .uid = probe->uid[LEFT],
        .count = 1,
        .reason = reason,
    };

    run->result.todo++;
    run_report(run, &event);
}

/* What is to be compared of two messages: not what a side does not keep. */
static enum identify_level level_of(const struct run *run)
{
    enum identify_level header = run_header_level(run);

    return run->options.deep && header == IDENTIFY_HEADER ? IDENTIFY_BODY
                                                          : header;
}

static const char *difference(enum identify_level level)
{
    if (level == IDENTIFY_ENVELOPE)
        return "Message-ID, Date, From or Subject differ";
    return level == IDENTIFY_BODY ? "the bytes differ" : "the headers differ";
}

static void compare_one(struct checking *checking, const struct probe *probe)
{
    const struct identity *left = &probe->identity[LEFT];
    const struct identity *right = &probe->identity[RIGHT];
    const struct run *run = checking->work->run;
    enum identify_level level = level_of(run);
    bool sized = run_fidelity(run) == FIDELITY_EXACT || level == IDENTIFY_BODY;
    char reason[120];

    if (!probe->answered[LEFT] || !probe->answered[RIGHT]) {
        tell(checking, probe, "it is listed, but not delivered");
        return;
    }
    if (memcmp(left->digest, right->digest, DIGEST_BYTES) != 0)
        tell(checking, probe, difference(level));
    if (sized && left->size != right->size) {
        snprintf(reason, sizeof(reason), "the sizes differ: %llu and %llu",
                 (unsigned long long)left->size,
                 (unsigned long long)right->size);
        tell(checking, probe, reason);
    }
    if (left->date != right->date) {
        snprintf(reason, sizeof(reason), "the dates differ by %lld seconds",
                 (long long)(right->date - left->date));
        tell(checking, probe, reason);
    }
}

static void on_answered(struct request *base)
{
    struct checking *checking = base->owner;
    struct folder_work *work = checking->work;
    enum side side = base == &checking->request[LEFT].base ? LEFT : RIGHT;

    if (base->result < 0 &&
        !run_is_over(work->run, side, base->result, &base->err))
        run_folder_failed(work, side, &base->err);
    if (--checking->pending > 0)
        return;
    for (size_t i = 0;
         i < checking->n && !work->failed && !run_is_closing(work->run); i++)
        compare_one(checking, &checking->probes[i]);
    work->run->progress.messages_done += (uint32_t)checking->n;
    go_on(checking);
}

static int by_uid(const void *a, const void *b)
{
    const struct place *one = a;
    const struct place *two = b;

    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static void load(struct checking *checking)
{
    size_t n = checking->n_pairs - checking->next;

    checking->n = n < AT_ONCE ? n : AT_ONCE;
    memset(checking->probes, 0, checking->n * sizeof(struct probe));
    for (size_t i = 0; i < checking->n; i++) {
        memcpy(checking->probes[i].uid, checking->pairs[checking->next + i],
               sizeof(checking->probes[i].uid));
        checking->by_right[i].uid = checking->probes[i].uid[RIGHT];
        checking->by_right[i].index = (uint32_t)i;
    }
    checking->next += checking->n;
    qsort(checking->by_right, checking->n, sizeof(struct place), by_uid);
}

static void end(struct checking *checking)
{
    struct run *run = checking->work->run;

    uidset_deinit(&checking->uids[LEFT]);
    uidset_deinit(&checking->uids[RIGHT]);
    free(checking->pairs);
    free(checking->probes);
    free(checking->by_right);
    free(checking);
    run_end(run);
}

/* The next pairs, on both sides at once. */
static void go_on(struct checking *checking)
{
    struct folder_work *work = checking->work;

    if (work->failed || run_is_closing(work->run) ||
        checking->next == checking->n_pairs) {
        end(checking);
        return;
    }
    load(checking);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct identify_request *request = &checking->request[side];

        memset(request, 0, sizeof(*request));
        uidset_clear(&checking->uids[side]);
        for (size_t i = 0; i < checking->n; i++)
            uidset_add(&checking->uids[side], checking->probes[i].uid[side]);
        request->base.done = on_answered;
        request->base.owner = checking;
        request->folder = run_folder_ref(work, side);
        request->uids = &checking->uids[side];
        request->level = level_of(work->run);
        request->item = on_item;
        checking->pending++;
    }
    endpoint_identify(work->run->options.endpoint[LEFT],
                      &checking->request[LEFT]);
    endpoint_identify(work->run->options.endpoint[RIGHT],
                      &checking->request[RIGHT]);
}

static void check_folder(struct folder_work *work)
{
    struct checking *checking = MEM_NEW(struct checking);
    const struct known *known = &work->compare->known;
    struct err err;

    checking->work = work;
    checking->probes = mem_new(AT_ONCE, sizeof(*checking->probes));
    checking->by_right = mem_new(AT_ONCE, sizeof(*checking->by_right));
    run_begin(work->run);
    if (known->each_pair(known->owner, LEFT, collect, checking, &err) < 0)
        run_fail(work->run, LEFT, ERR_STATE, &err);
    work->run->progress.messages_total += (uint32_t)checking->n_pairs;
    go_on(checking);
}

void run_check(struct run *run)
{
    run->progress.phase = "checking";
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (run_takes_part(work) && work->present[LEFT] && work->present[RIGHT])
            check_folder(work);
    }
    run_end(run);
}
