/*
 * A message that is gone from one folder and new in another, on the same side,
 * was moved; its twin follows without its octets crossing the wire. Only an
 * optimisation: without it the same messages end up in the same folders, by a
 * copy and a deletion.
 *
 * Who is who is asked up the ladder of match.h, across all folders: what
 * appeared plays its left side, the twins of what vanished its right.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

#define APPEARED LEFT
#define VANISHED RIGHT

/* A candidate: a place in a folder's plan. Its number for the match is its
 * index + 1. */
struct spot {
    struct folder_work *work;
    size_t index; /* in plan.copies or plan.deletes of the side */
    uint32_t uid; /* where its identity can be asked */
};

/* The search for what is to be moved on one side. */
struct search {
    struct run *run;
    enum side side;
    struct match match;
    struct spot *spots[SIDES];
    size_t n[SIDES];
    size_t cap[SIDES];
    unsigned pending;
};

struct named {
    uint32_t uid;
    uint32_t number;
};

/* One folder's part of a question. */
struct question {
    struct identify_request request;
    struct search *search;
    enum side of; /* APPEARED or VANISHED */
    struct uidset uids;
    struct named *named; /* by UID */
    size_t n;
    size_t cap;
};

static void ask(struct search *search);

static bool takes_part(const struct folder_work *work)
{
    return !work->failed && work->compare != NULL;
}

static void add_spot(struct search *search, enum side of,
                     struct folder_work *work, size_t index, uint32_t uid)
{
    search->spots[of] = mem_grow(search->spots[of], search->n[of],
                                 &search->cap[of], sizeof(struct spot));
    search->spots[of][search->n[of]++] = (struct spot){work, index, uid};
}

static void add_folder(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;
    enum side side = search->side;

    for (size_t i = 0; i < plan->n_copies[side]; i++) {
        struct listed listed = plan->copies[side][i];

        add_spot(search, APPEARED, work, i, listed.uid);
        listed.uid = (uint32_t)search->n[APPEARED];
        match_add(&search->match, APPEARED, &listed);
    }
    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        const struct state_pair *pair = &plan->deletes[side][i];
        struct listed listed = {.size = pair->size, .has_meta = true};

        add_spot(search, VANISHED, work, i, pair->uid[side]);
        listed.uid = (uint32_t)search->n[VANISHED];
        match_add(&search->match, VANISHED, &listed);
    }
}

static int by_uid(const void *a, const void *b)
{
    const struct named *one = a;
    const struct named *two = b;

    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static void on_item(struct identify_request *request, uint32_t uid,
                    const struct identity *identity)
{
    struct question *question = request->base.owner;
    struct named key = {.uid = uid};
    const struct named *found =
        bsearch(&key, question->named, question->n, sizeof(key), by_uid);

    if (found != NULL)
        match_identified(&question->search->match, question->of, found->number,
                         identity);
}

static void on_answered(struct request *base)
{
    struct question *question = base->owner;
    struct search *search = question->search;
    struct run *run = search->run;
    enum side side =
        question->of == APPEARED ? other(search->side) : search->side;

    /* Without an answer it is just not a move. */
    run_is_over(run, side, base->result, &base->err);
    uidset_deinit(&question->uids);
    free(question->named);
    free(question);
    if (--search->pending == 0)
        ask(search);
}

static void send_question(struct search *search, struct question *question,
                          struct folder_work *work)
{
    enum side side =
        question->of == APPEARED ? other(search->side) : search->side;

    qsort(question->named, question->n, sizeof(*question->named), by_uid);
    for (size_t i = 0; i < question->n; i++)
        uidset_add(&question->uids, question->named[i].uid);
    question->request.base.done = on_answered;
    question->request.base.owner = question;
    question->request.folder = run_folder_ref(work, side);
    question->request.uids = &question->uids;
    question->request.level = search->match.level;
    question->request.item = on_item;
    search->pending++;
    endpoint_identify(search->run->options.endpoint[side], &question->request);
}

/* The wanted candidates, folder by folder. */
static void ask_about(struct search *search, enum side of)
{
    const struct uidset *want = &search->match.want[of];
    struct uidset_walk walk = {.set = want};
    struct question *question = NULL;
    struct folder_work *work = NULL;
    uint32_t number;

    while (uidset_next(&walk, &number)) {
        const struct spot *spot = &search->spots[of][number - 1];

        if (question != NULL && spot->work != work) {
            send_question(search, question, work);
            question = NULL;
        }
        if (question == NULL) {
            question = MEM_NEW(struct question);
            question->search = search;
            question->of = of;
            work = spot->work;
        }
        question->named = mem_grow(question->named, question->n, &question->cap,
                                   sizeof(struct named));
        question->named[question->n++] = (struct named){spot->uid, number};
    }
    if (question != NULL)
        send_question(search, question, work);
}

/* Out of the plans: it is neither copied nor deleted. */
static void take_move(struct search *search, const struct match_link *link)
{
    const struct spot *appeared =
        &search->spots[APPEARED][link->uid[APPEARED] - 1];
    const struct spot *vanished =
        &search->spots[VANISHED][link->uid[VANISHED] - 1];
    struct run *run = search->run;
    enum side side = search->side;
    struct listed *item =
        &appeared->work->compare->plan.copies[side][appeared->index];
    struct state_pair *pair =
        &vanished->work->compare->plan.deletes[side][vanished->index];
    struct move *move;

    run->moves = mem_grow(run->moves, run->n_moves, &run->moves_cap,
                          sizeof(*run->moves));
    move = &run->moves[run->n_moves++];
    memset(move, 0, sizeof(*move));
    move->side = side;
    move->from = vanished->work;
    move->to = appeared->work;
    move->pair = *pair;
    move->item = *item;
    item->uid = 0;
    pair->uid[LEFT] = 0;
}

static void close_gaps(struct folder_work *work, enum side side)
{
    struct plan *plan = &work->compare->plan;
    size_t n = 0;

    for (size_t i = 0; i < plan->n_copies[side]; i++) {
        if (plan->copies[side][i].uid != 0)
            plan->copies[side][n++] = plan->copies[side][i];
    }
    plan->n_copies[side] = n;
    n = 0;
    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        if (plan->deletes[side][i].uid[LEFT] != 0)
            plan->deletes[side][n++] = plan->deletes[side][i];
    }
    plan->n_deletes[side] = n;
}

static void conclude(struct search *search)
{
    struct run *run = search->run;

    for (size_t i = 0; i < search->match.n_links; i++)
        take_move(search, &search->match.links[i]);
    for (size_t i = 0; i < run->n_folders; i++) {
        if (takes_part(run->folders[i]))
            close_gaps(run->folders[i], search->side);
    }
    match_deinit(&search->match);
    free(search->spots[APPEARED]);
    free(search->spots[VANISHED]);
    free(search);
    run_end(run);
}

static void ask(struct search *search)
{
    if (run_is_closing(search->run) || !match_next(&search->match)) {
        conclude(search);
        return;
    }
    ask_about(search, APPEARED);
    ask_about(search, VANISHED);
}

void run_find_moves(struct run *run)
{
    run->n_moves = 0;
    if (!run->options.policy->moves)
        return;
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct search *search = MEM_NEW(struct search);

        search->run = run;
        search->side = side;
        match_init(&search->match, run_fidelity(run));
        for (size_t i = 0; i < run->n_folders; i++) {
            if (takes_part(run->folders[i]))
                add_folder(search, run->folders[i]);
        }
        run_begin(run);
        ask(search);
    }
    run_end(run);
}

/* --- carrying out -------------------------------------------------------------- */

/* The moves from one folder to one other. */
struct placing {
    struct place_request request;
    struct run *run;
    struct move *moves; /* borrowed: a run of run->moves, by UID */
    size_t n;
    struct uidset uids;
};

static void on_placed(struct place_request *request, uint32_t uid,
                      uint32_t to_uid)
{
    struct placing *placing = request->base.owner;
    enum side side = placing->moves[0].side;
    size_t low = 0;
    size_t high = placing->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (placing->moves[middle].pair.uid[side] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == placing->n || placing->moves[low].pair.uid[side] != uid)
        return;
    placing->moves[low].placed = true;
    placing->moves[low].to_uid = to_uid;
}

/* The pair goes on under the other folder, its flags merged as if it had
 * never moved. */
static void record_move(struct move *move)
{
    struct folder_work *to = move->to;
    struct run *run = to->run;
    struct plan *plan = &to->compare->plan;
    struct plan_input input = run_plan_input(to);
    const struct listed *edited = delta_find(
        &move->from->compare->delta[move->side], move->pair.uid[move->side]);
    struct state_pair pair = move->pair;
    struct flags current[SIDES];
    size_t n_records = plan->n_records;

    state_pair_del(run->options.state, move->from->row.id, &move->pair);
    if (move->to_uid == 0) {
        /* The next pass finds it by identity. */
        to->unnumbered++;
        uidset_add(&to->skip[other(move->side)], move->item.uid);
        return;
    }
    pair.uid[move->side] = move->to_uid;
    pair.uid[other(move->side)] = move->item.uid;
    current[move->side] = edited != NULL ? edited->flags : move->pair.flags;
    current[other(move->side)] = move->item.flags;
    plan_merge(plan, &input, &pair, current);
    if (plan->n_records > n_records)
        state_pair_put(run->options.state, to->row.id,
                       &plan->records[plan->n_records - 1]);
}

static void tell_move(const struct move *move)
{
    struct report_event event = {
        .kind = REPORT_MOVE,
        .side = move->side,
        .source = move->side,
        .folder = run_folder_name(move->to),
        .from = run_folder_name(move->from),
        .uid = move->pair.uid[move->side],
        .count = 1,
    };

    run_report(move->to->run, &event);
}

static void conclude_move(struct move *move)
{
    enum side side = move->side;

    if (!move->placed) {
        /* Gone meanwhile: then it is new over there, and nothing else. */
        move->to->want_full[other(side)] = true;
        return;
    }
    record_move(move);
    move->to->run->result.counts[side].moved++;
    tell_move(move);
}

/* What was not moved has to be found again by the next run: new in one folder,
 * and gone from the other. */
static void put_off(struct folder_work *from, struct folder_work *to,
                    enum side side)
{
    from->unconsumed[other(side)] = true;
    to->unconsumed[other(side)] = true;
}

static void on_place_over(struct request *base)
{
    struct placing *placing = base->owner;
    struct run *run = placing->run;
    struct folder_work *from = placing->moves[0].from;
    struct folder_work *to = placing->moves[0].to;
    enum side side = placing->moves[0].side;
    struct err err = base->err;
    int r = base->result;

    from->dirty[side] = true;
    to->dirty[side] = true;
    if (r == 0 && placing->request.kept)
        r = err_set(&err, ERR_REFUSED,
                    "messages were moved to %s, but are still here, flagged "
                    "\\Deleted: the server has no UIDPLUS, and other messages "
                    "are flagged so, too",
                    run_folder_name(to));
    if (r == 0) {
        for (size_t i = 0; i < placing->n; i++)
            conclude_move(&placing->moves[i]);
    } else {
        put_off(from, to, side);
        if (!run_is_over(run, side, r, &err))
            run_folder_failed(from, side, &err);
    }
    uidset_deinit(&placing->uids);
    free(placing);
    run_end(run);
}

static int by_way(const void *a, const void *b)
{
    const struct move *one = a;
    const struct move *two = b;
    int r;

    if (one->side != two->side)
        return one->side < two->side ? -1 : 1;
    r = strcmp(run_folder_name(one->from), run_folder_name(two->from));
    if (r == 0)
        r = strcmp(run_folder_name(one->to), run_folder_name(two->to));
    if (r != 0)
        return r;
    if (one->pair.uid[one->side] != two->pair.uid[one->side])
        return one->pair.uid[one->side] < two->pair.uid[one->side] ? -1 : 1;
    return 0;
}

static void place(struct run *run, struct move *moves, size_t n)
{
    struct placing *placing;
    enum side side = moves[0].side;

    if (moves[0].from->failed || moves[0].to->failed) {
        put_off(moves[0].from, moves[0].to, side);
        return;
    }
    placing = MEM_NEW(struct placing);
    placing->run = run;
    placing->moves = moves;
    placing->n = n;
    for (size_t i = 0; i < n; i++)
        uidset_add(&placing->uids, moves[i].pair.uid[side]);
    placing->request.base.done = on_place_over;
    placing->request.base.owner = placing;
    placing->request.from = run_folder_ref(moves[0].from, side);
    placing->request.to = run_folder_ref(moves[0].to, side);
    placing->request.uids = &placing->uids;
    placing->request.move = true;
    placing->request.placed = on_placed;
    run_begin(run);
    endpoint_place(run->options.endpoint[side], &placing->request);
}

void run_move(struct run *run)
{
    size_t first = 0;

    run->progress.phase = "moving";
    if (run->n_moves > 1)
        qsort(run->moves, run->n_moves, sizeof(*run->moves), by_way);
    run_begin(run);
    for (size_t i = 1; i <= run->n_moves; i++) {
        if (i < run->n_moves && run->moves[i].side == run->moves[first].side &&
            run->moves[i].from == run->moves[first].from &&
            run->moves[i].to == run->moves[first].to)
            continue;
        place(run, run->moves + first, i - first);
        first = i;
    }
    run_end(run);
}
