/*
 * Messages put into another folder of their own side, as their twins were on
 * the other one: moved or copied, without their octets crossing the wire. All
 * copies come first: one may be of a message that is then moved away.
 *
 * Neither is idempotent, so an intent for each is on disk before anything is
 * sent. Where no answer comes, the next run compares the folder they go to on
 * both sides, and pairs what had arrived by identity.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "sync/run_internal.h"

/* Those from one folder to one other. */
struct placing {
    struct place_request request;
    struct run *run;
    struct placement *placements; /* borrowed: of run->placements, by UID */
    size_t n;
    struct uidset uids;
};

struct placement *run_placement_add(struct run *run)
{
    run->placements = mem_grow(run->placements, run->n_placements,
                               &run->placements_cap, sizeof(*run->placements));
    return &run->placements[run->n_placements++];
}

bool run_is_placed_in(const struct folder_work *work, enum side side)
{
    const struct run *run = work->run;

    for (size_t i = 0; i < run->n_placements; i++) {
        if (run->placements[i].to == work && run->placements[i].side == side)
            return true;
    }
    return false;
}

/* --- what was done ---------------------------------------------------------- */

static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    struct placing *placing = request->base.owner;
    enum side side = placing->placements[0].side;
    size_t low = 0;
    size_t high = placing->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (placing->placements[middle].pair.uid[side] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == placing->n || placing->placements[low].pair.uid[side] != uid)
        return;
    placing->placements[low].placed = true;
    placing->placements[low].to_uid = to_uid;
    if (to_uid != 0)
        run_note_uidvalidity(placing->placements[low].to, side,
                             request->uidvalidity);
}

/* The flags of the message that was placed, as its folder was listed. */
static struct flags flags_of(const struct placement *placement)
{
    const struct compare *compare = placement->from->compare;
    struct listed edited;

    if (compare != NULL &&
        delta_find(&compare->delta[placement->side],
                   placement->pair.uid[placement->side], &edited))
        return edited.flags;
    return placement->pair.flags;
}

/* The next pass finds it by identity, and has to know its base. */
static void leave_unnumbered(const struct placement *placement)
{
    struct folder_work *to = placement->to;

    to->unnumbered++;
    to->bases =
        mem_grow(to->bases, to->n_bases, &to->bases_cap, sizeof(*to->bases));
    to->bases[to->n_bases++] = (struct plan_base){
        .side = other(placement->side),
        .uid = placement->item.uid,
        .copied = !placement->move,
        .flags = placement->pair.flags,
    };
}

/* Then its earlier pairs are off the record, and their UIDs may be those of
 * others by now. */
static bool was_made(const struct folder_work *work)
{
    return work->made[LEFT] || work->made[RIGHT];
}

/* A moved pair goes on under the other folder, its flags merged as if it had
 * never moved. A copy is a new pair: it gets the flags that the user's copy
 * has. */
static void record(struct placement *placement)
{
    struct folder_work *to = placement->to;
    struct run *run = to->run;
    struct plan *plan = &to->compare->plan;
    struct plan_input input = run_plan_input(to);
    enum side side = placement->side;
    struct state_pair pair = placement->pair;
    struct flags current[SIDES];
    size_t n_records = plan->n_records;

    if (placement->ended_in != NULL && !was_made(placement->ended_in))
        state_pair_del(run->options.state, placement->ended_in->row.id,
                       &placement->ended);
    if (placement->to_uid == 0) {
        leave_unnumbered(placement);
        return;
    }
    run_prove_flags(to, side, placement->item.flags);
    current[side] = flags_of(placement);
    /* Its own came along with it. */
    run_prove_flags(to, side, current[side]);
    current[other(side)] = placement->item.flags;
    if (!placement->move)
        pair.flags = current[side];
    pair.uid[side] = placement->to_uid;
    pair.uid[other(side)] = placement->item.uid;
    /* Should the run end before its flags are sent: on a side where it did not
     * move no listing would bring it up again. */
    if (run_placement_is_idle(placement))
        state_pair_put(run->options.state, to->row.id, &pair);
    plan_merge(plan, &input, &pair, current);
    if (plan->n_records > n_records)
        state_pair_put(run->options.state, to->row.id,
                       &plan->records[plan->n_records - 1]);
}

void run_tell_placement(const struct placement *placement)
{
    struct report_event event = {
        .kind = placement->move ? REPORT_MOVE : REPORT_COPY,
        .side = placement->side,
        .source = placement->move ? placement->side : other(placement->side),
        .folder = run_folder_name(placement->to),
        .from = run_folder_name(placement->from),
        .uid = placement->move ? placement->pair.uid[placement->side]
                               : placement->item.uid,
        .count = 1,
    };

    if (!run_placement_is_idle(placement))
        run_report(placement->to->run, &event);
}

static void count(const struct placement *placement)
{
    struct run_counts *counts =
        &placement->to->run->result.counts[placement->side];

    if (run_placement_is_idle(placement))
        return;
    counts->moved += placement->move;
    counts->copied += !placement->move;
}

/* Not there any more. A move is then one that is new over there, and nothing
 * else; a copy is sent with its octets, in this very pass. */
static void not_placed(const struct placement *placement)
{
    if (placement->move)
        placement->to->want_full[other(placement->side)] = true;
    else
        plan_copy_back(&placement->to->compare->plan, placement->side,
                       placement->item.uid);
}

/* The next run has to see all of it again: new in one folder, gone from the
 * other. */
static void look_again(const struct placement *placement)
{
    placement->to->unconsumed[other(placement->side)] = true;
    if (!placement->move)
        return;
    placement->from->unconsumed[placement->side] = true;
    placement->ended_in->unconsumed[LEFT] = true;
    placement->ended_in->unconsumed[RIGHT] = true;
}

/* The folder is to be made anew, but not before what is gone with it is gone on
 * the other side. The next pass sees all of it again; until then those that it
 * comes from are not removed, either. */
static void find_again(const struct placement *placement)
{
    struct folder_work *const works[] = {placement->from, placement->ended_in};

    if (placement->to->run->pass > 0) {
        look_again(placement);
        return;
    }
    for (size_t i = 0; placement->move && i < 2; i++) {
        works[i]->waits = true;
        works[i]->want_full[LEFT] = true;
        works[i]->want_full[RIGHT] = true;
    }
}

/* Not tried, as a folder failed, or has to wait. */
static void put_off(const struct placement *placement)
{
    if (placement->to->waits && !placement->to->present[placement->side])
        find_again(placement);
    else if (placement->move)
        look_again(placement);
    else if (!placement->to->failed)
        not_placed(placement);
}

static void conclude(struct placement *placement)
{
    struct run *run = placement->to->run;

    if (placement->intent != 0)
        state_intent_del(run->options.state, placement->intent);
    if (!placement->placed) {
        not_placed(placement);
        return;
    }
    record(placement);
    count(placement);
    run_tell_placement(placement);
}

/* Nobody knows how many more were placed than was told: both sides of the
 * target are looked at in full, and what is there twice is paired by identity.
 * Of a move that was told the original may still be there. */
static void failed(struct placing *placing, int r, const struct err *err)
{
    struct run *run = placing->run;
    const struct placement *first = &placing->placements[0];

    if (r == ERR_UNSURE) {
        run_doubt(first->to, first->side);
        for (size_t i = 0; first->move && i < placing->n; i++)
            run_doubt(placing->placements[i].ended_in, first->side);
        if (first->move)
            run_doubt(first->from, first->side);
        return;
    }
    first->to->want_full[LEFT] = true;
    first->to->want_full[RIGHT] = true;
    look_again(first);
    for (size_t i = 0; !first->move && i < placing->n; i++) {
        if (placing->placements[i].placed)
            conclude(&placing->placements[i]);
    }
    if (run_is_over(run, first->side, r, err))
        return;
    if (first->move)
        run_folder_failed(first->from, first->side, err);
    else
        run->no_copies[first->side] = true; /* they go with their octets */
}

static void on_place_over(struct request *base)
{
    struct placing *placing = base->owner;
    struct run *run = placing->run;
    const struct placement *first = &placing->placements[0];
    struct err err = base->err;
    int r = base->result;

    if (first->move)
        first->from->dirty[first->side] = true;
    first->to->dirty[first->side] = true;
    if (r == 0 && placing->request.kept)
        r = err_set(&err, ERR_REFUSED,
                    "messages were moved to %s, but are still here, flagged "
                    "\\Deleted: the server has no UIDPLUS, and other messages "
                    "are flagged so, too",
                    run_folder_name(first->to));
    if (r == 0) {
        for (size_t i = 0; i < placing->n; i++)
            conclude(&placing->placements[i]);
    } else {
        failed(placing, r, &err);
    }
    uidset_deinit(&placing->uids);
    free(placing);
    run_end(run);
}

/* --- carrying out ------------------------------------------------------------ */

static int by_way(const void *a, const void *b)
{
    const struct placement *one = a;
    const struct placement *two = b;

    if (one->move != two->move)
        return one->move ? 1 : -1;
    if (one->side != two->side)
        return one->side < two->side ? -1 : 1;
    if (one->from != two->from)
        return one->from->row.id < two->from->row.id ? -1 : 1;
    if (one->to != two->to)
        return one->to->row.id < two->to->row.id ? -1 : 1;
    if (one->pair.uid[one->side] != two->pair.uid[one->side])
        return one->pair.uid[one->side] < two->pair.uid[one->side] ? -1 : 1;
    return one->item.uid < two->item.uid ? -1 : one->item.uid > two->item.uid;
}

/* May @next go with @one, the one before it? One message is placed once by a
 * request. */
static bool goes_along(const struct placement *one,
                       const struct placement *next)
{
    return next->move == one->move && next->side == one->side &&
           next->from == one->from && next->to == one->to &&
           next->pair.uid[next->side] != one->pair.uid[one->side];
}

static bool can_place(const struct placement *placement)
{
    return !placement->from->failed && !placement->to->failed &&
           placement->to->present[placement->side];
}

static void place(struct run *run, struct placement *placements, size_t n)
{
    struct placing *placing;
    enum side side = placements[0].side;

    if (!can_place(&placements[0])) {
        for (size_t i = 0; i < n; i++)
            put_off(&placements[i]);
        return;
    }
    placing = MEM_NEW(struct placing);
    placing->run = run;
    placing->placements = placements;
    placing->n = n;
    for (size_t i = 0; i < n; i++)
        uidset_add(&placing->uids, placements[i].pair.uid[side]);
    for (size_t i = 0; placements[0].move && i < n; i++)
        run_tell_removal(placements[i].from, side, &placements[i].pair,
                         placements[i].to);
    placing->request.base.done = on_place_over;
    placing->request.base.owner = placing;
    placing->request.from = run_folder_ref(placements[0].from, side);
    placing->request.to = run_folder_ref(placements[0].to, side);
    placing->request.uids = &placing->uids;
    placing->request.move = placements[0].move;
    placing->request.placed = on_placed;
    run_begin(run);
    endpoint_place(run->options.endpoint[side], &placing->request);
}

static void queue_intent(struct placement *placement)
{
    const struct folder_work *to = placement->to;
    const struct folder_token *token = &to->token[placement->side];
    struct state_intent intent = {
        .folder = to->row.id,
        .side = placement->side,
        .source_uid = placement->item.uid,
        .target_uidvalidity = token->uidvalidity,
        .target_uidnext = token->uidnext,
        .size = placement->item.size,
        .date = placement->item.date,
    };

    state_intent_put(to->run->options.state, &intent);
    placement->intent = intent.number;
}

/* In the order of their ways, with intents. Those that need nothing but a
 * record are over with that. */
static void prepare(struct run *run)
{
    if (run->n_placements > 1)
        qsort(run->placements, run->n_placements, sizeof(*run->placements),
              by_way);
    for (size_t i = 0; i < run->n_placements; i++) {
        struct placement *placement = &run->placements[i];

        if (!can_place(placement))
            continue;
        if (!run_placement_is_idle(placement)) {
            queue_intent(placement);
            continue;
        }
        placement->placed = true;
        placement->to_uid = placement->pair.uid[placement->side];
        conclude(placement);
    }
}

static void place_all(struct run *run, bool move)
{
    size_t end;

    run_begin(run);
    for (size_t first = 0; first < run->n_placements; first = end) {
        struct placement *placements = run->placements + first;

        end = first + 1;
        while (end < run->n_placements &&
               goes_along(&run->placements[end - 1], &run->placements[end]))
            end++;
        if (placements->move == move && !run_placement_is_idle(placements))
            place(run, placements, end - first);
    }
    run_end(run);
}

void run_copy_within(struct run *run)
{
    run->progress.phase = "moving";
    if (run->n_placements == 0)
        return;
    prepare(run);
    if (run_commit(run))
        place_all(run, false);
}

void run_move(struct run *run)
{
    place_all(run, true);
}
