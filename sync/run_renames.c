/*
 * A folder that is gone on one side, while a new one there has its change
 * token, was renamed. A sample of its messages has to show that it is so; then
 * the twin is renamed too, and no message is sent. It is only an optimisation:
 * a rename that is not recognised is a copy and a deletion, under the guards.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

#define SAMPLE_MAX 32u

struct sample {
    uint32_t uid[SIDES];
    bool answered[SIDES];
    struct identity identity[SIDES];
};

/* One folder that seems renamed: @from is gone on @side, @to is new there. */
struct rename {
    struct run *run;
    enum side side;
    struct folder_work *from;
    struct folder_work *to;
    struct sample samples[SAMPLE_MAX];
    size_t n_samples;
    uint32_t seen; /* pairs walked over */
    struct identify_request request[SIDES];
    struct uidset uids[SIDES];
    unsigned pending;
    bool is_proved;
    struct folder_request change;
};

static void next_rename(struct run *run);

/* The token that a folder had, and one that only time can have changed. */
static bool tokens_agree(const struct folder_work *from,
                         const struct folder_work *to, enum side side)
{
    const struct folder_token *was = &from->row.token[side];
    const struct folder_token *now = &to->now[side];

    if (!from->row.has_token[side] || !to->has_now[side] ||
        was->uidvalidity == 0 || was->uidvalidity != now->uidvalidity)
        return false;
    /* A Maildir's directories keep their times when they are renamed. */
    if (was->cur_mtime_ns != 0 || now->cur_mtime_ns != 0)
        return was->cur_mtime_ns == now->cur_mtime_ns &&
               was->new_mtime_ns == now->new_mtime_ns;
    return now->uidnext >= was->uidnext &&
           now->highestmodseq >= was->highestmodseq;
}

static bool may_be_renamed(const struct folder_work *from,
                           const struct folder_work *to, enum side side)
{
    enum side twin = other(side);

    return !from->failed && !to->failed && from->in_state && !to->in_state &&
           from->row.exists[side] && !from->present[side] &&
           from->present[twin] && from->row.pairs > 0 && to->present[side] &&
           !to->present[twin] && strcmp(from->row.name, "INBOX") != 0 &&
           tokens_agree(from, to, side);
}

/* The only folder that @from can have become; NULL where there is none, or
 * more than one. */
static struct folder_work *find_heir(const struct run *run,
                                     const struct folder_work *from,
                                     enum side side)
{
    struct folder_work *heir = NULL;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *to = run->folders[i];

        if (!may_be_renamed(from, to, side))
            continue;
        if (heir != NULL)
            return NULL;
        heir = to;
    }
    for (size_t i = 0; i < run->n_folders && heir != NULL; i++) {
        if (run->folders[i] != from &&
            may_be_renamed(run->folders[i], heir, side))
            return NULL;
    }
    return heir;
}

static void add_rename(struct run *run, enum side side,
                       struct folder_work *from, struct folder_work *to)
{
    struct rename *rename = MEM_NEW(struct rename);

    rename->run = run;
    rename->side = side;
    rename->from = from;
    rename->to = to;
    run->renames = mem_grow(run->renames, run->n_renames, &run->renames_cap,
                            sizeof(struct rename *));
    run->renames[run->n_renames++] = rename;
}

/* Parents before children, so that these have gone along already. */
static int by_depth(const void *a, const void *b)
{
    const struct rename *const *one = a;
    const struct rename *const *two = b;
    size_t n = strlen((*one)->from->row.name);
    size_t m = strlen((*two)->from->row.name);

    return n < m ? -1 : n > m;
}

/* --- proof ---------------------------------------------------------------------- */

/* Some pairs, spread over the folder. */
static int take_sample(void *owner, const struct state_pair *pair)
{
    struct rename *rename = owner;
    uint32_t stride = rename->from->row.pairs / SAMPLE_MAX + 1;
    struct sample *sample;

    if (rename->seen++ % stride != 0 || rename->n_samples == SAMPLE_MAX ||
        pair->gone[LEFT] || pair->gone[RIGHT])
        return 0;
    sample = &rename->samples[rename->n_samples++];
    memcpy(sample->uid, pair->uid, sizeof(sample->uid));
    uidset_add(&rename->uids[LEFT], pair->uid[LEFT]);
    uidset_add(&rename->uids[RIGHT], pair->uid[RIGHT]);
    return 0;
}

static void on_item(struct identify_request *request, uint32_t uid,
                    const struct identity *identity)
{
    struct rename *rename = request->base.owner;
    enum side side = request == &rename->request[LEFT] ? LEFT : RIGHT;

    for (size_t i = 0; i < rename->n_samples; i++) {
        struct sample *sample = &rename->samples[i];

        if (sample->uid[side] != uid)
            continue;
        sample->answered[side] = true;
        sample->identity[side] = *identity;
    }
}

/* Every message of the sample that is still on both sides is the same, and
 * most are. */
static bool sample_agrees(const struct rename *rename)
{
    size_t same = 0;

    for (size_t i = 0; i < rename->n_samples; i++) {
        const struct sample *sample = &rename->samples[i];

        if (!sample->answered[LEFT] || !sample->answered[RIGHT])
            continue;
        if (memcmp(sample->identity[LEFT].digest,
                   sample->identity[RIGHT].digest, DIGEST_BYTES) != 0 ||
            sample->identity[LEFT].size != sample->identity[RIGHT].size)
            return false;
        same++;
    }
    return same > 0 && same >= rename->n_samples / 2;
}

static void on_answered(struct request *base)
{
    struct rename *rename = base->owner;
    struct run *run = rename->run;
    enum side side = base == &rename->request[LEFT].base ? LEFT : RIGHT;

    run_is_over(run, side, base->result, &base->err);
    if (--rename->pending > 0)
        return;
    rename->is_proved = sample_agrees(rename);
    if (--run->proving == 0)
        next_rename(run);
}

static void ask_for_proof(struct rename *rename)
{
    struct known_state on = {rename->run->options.state, rename->from->row.id};
    struct known known = known_of_state(&on);
    struct err err;

    if (known.each_pair(known.owner, LEFT, take_sample, rename, &err) < 0)
        run_fail(rename->run, LEFT, ERR_STATE, &err);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct identify_request *request = &rename->request[side];

        request->base.done = on_answered;
        request->base.owner = rename;
        request->folder = run_folder_ref(
            side == rename->side ? rename->to : rename->from, side);
        /* A Maildir's UIDs are kept under the folder's number. */
        request->folder.id = rename->from->row.id;
        request->uids = &rename->uids[side];
        request->level = IDENTIFY_HEADER;
        request->item = on_item;
        rename->pending++;
        endpoint_identify(rename->run->options.endpoint[side], request);
    }
}

/* --- carrying out ------------------------------------------------------------------ */

/* The new folder is the old one under another name: it takes over its record,
 * and what is known of its twin. */
static void take_over(struct rename *rename)
{
    struct folder_work *from = rename->from;
    struct folder_work *to = rename->to;
    enum side twin = other(rename->side);
    char *old_name = from->row.name;
    char *new_name = to->row.name;

    to->row = from->row;
    to->row.name = new_name;
    from->row = (struct state_folder){.name = old_name};
    to->in_state = true;
    to->looked = true; /* its row has another name */
    to->present[twin] = true;
    to->has_now[twin] = from->has_now[twin];
    to->now[twin] = from->now[twin];
    for (int side = 0; side < SIDES; side++) {
        to->has_token[side] = to->row.has_token[side];
        to->token[side] = to->row.token[side];
        from->has_token[side] = false;
        from->present[side] = false;
        from->ask[side] = false;
    }
    from->in_state = false;
    run_ask(to);
}

static void tell(const struct rename *rename)
{
    struct run *run = rename->run;
    enum side twin = other(rename->side);
    struct report_event event = {
        .kind = REPORT_FOLDER_RENAME,
        .side = twin,
        .folder = rename->to->row.name,
        .from = rename->from->row.name,
    };

    if (run->options.dry)
        run->result.todo++;
    else
        run->result.counts[twin].folders_renamed++;
    run_report(run, &event);
}

static void conclude(struct rename *rename)
{
    struct run *run = rename->run;

    tell(rename);
    take_over(rename);
    if (!run->options.dry) {
        state_folder_put(run->options.state, &rename->to->row);
        run_commit(run);
        return;
    }
    /* Nothing was renamed: the twin keeps its name. */
    rename->to->alias[other(rename->side)] = mem_copy(rename->from->row.name);
}

static void on_renamed(struct request *base)
{
    struct rename *rename = base->owner;
    struct run *run = rename->run;

    /* Where it cannot be renamed, it is copied and deleted. */
    if (!run_is_over(run, other(rename->side), base->result, &base->err) &&
        base->result == 0)
        conclude(rename);
    next_rename(run);
}

/* Has the renaming of a parent taken it along? */
static bool went_along(const struct run *run, const struct rename *rename)
{
    for (size_t i = 0; i < run->renames_done; i++) {
        const struct rename *parent = run->renames[i];
        size_t n;
        size_t m;

        if (!parent->is_proved || parent->side != rename->side)
            continue;
        n = strlen(parent->from->row.name);
        m = strlen(parent->to->row.name);
        if (strncmp(parent->from->row.name, rename->from->row.name, n) == 0 &&
            rename->from->row.name[n] == '/' &&
            strncmp(parent->to->row.name, rename->to->row.name, m) == 0 &&
            strcmp(rename->from->row.name + n, rename->to->row.name + m) == 0)
            return true;
    }
    return false;
}

static void send(struct rename *rename)
{
    rename->change.base.done = on_renamed;
    rename->change.base.owner = rename;
    rename->change.action = FOLDER_RENAME;
    rename->change.name = rename->from->row.name;
    rename->change.new_name = rename->to->row.name;
    endpoint_folder(rename->run->options.endpoint[other(rename->side)],
                    &rename->change);
}

/* One after the other. */
static void next_rename(struct run *run)
{
    while (run->renames_done < run->n_renames && !run_is_closing(run)) {
        struct rename *rename = run->renames[run->renames_done];
        bool moved;

        if (!rename->is_proved) {
            run->renames_done++;
            continue;
        }
        moved = run->options.dry || went_along(run, rename);
        run->renames_done++;
        if (!moved) {
            send(rename);
            return;
        }
        conclude(rename);
    }
    run_end(run);
}

void run_renames(struct run *run)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        if (!rules_may_change(run->options.policy, other(side)))
            continue;
        for (size_t i = 0; i < run->n_folders; i++) {
            struct folder_work *to = find_heir(run, run->folders[i], side);

            if (to != NULL)
                add_rename(run, side, run->folders[i], to);
        }
    }
    if (run->n_renames == 0)
        return;
    qsort(run->renames, run->n_renames, sizeof(struct rename *), by_depth);
    run_begin(run);
    run->proving = (unsigned)run->n_renames;
    for (size_t i = 0; i < run->n_renames; i++)
        ask_for_proof(run->renames[i]);
}

void run_renames_deinit(struct run *run)
{
    for (size_t i = 0; i < run->n_renames; i++) {
        uidset_deinit(&run->renames[i]->uids[LEFT]);
        uidset_deinit(&run->renames[i]->uids[RIGHT]);
        free(run->renames[i]);
    }
    free(run->renames);
}
