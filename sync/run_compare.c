/* What changed in each folder: listings, and identity where both have news. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

#define NS_PER_SECOND 1000000000

static void begin(struct folder_work *work);
static void ask_identity(struct folder_work *work);

void run_compare_free(struct folder_work *work)
{
    struct compare *compare = work->compare;

    if (compare == NULL)
        return;
    for (int side = 0; side < SIDES; side++) {
        delta_deinit(&compare->delta[side]);
        uidset_deinit(&compare->request[side].vanished);
        uidset_deinit(&compare->listed[side].sets);
    }
    match_deinit(&compare->match);
    plan_deinit(&compare->plan);
    free(compare);
    work->compare = NULL;
}

static void on_item(struct delta_request *request, const struct listed *listed)
{
    struct folder_work *work = request->base.owner;
    struct compare *compare = work->compare;
    enum side side = request == &compare->request[LEFT] ? LEFT : RIGHT;
    struct err err;
    int r;

    if (run_is_closing(work->run))
        return;
    if (listed->has_meta && (!compare->oldest[side].known ||
                             listed->date < compare->oldest[side].date))
        compare->oldest[side] = (struct plan_edge){true, listed->date};
    compare->listed[side].system |= listed->flags.system;
    if (listed->flags.keywords != 0)
        uidset_add(&compare->listed[side].sets, listed->flags.keywords);
    r = delta_add(&compare->delta[side], listed, &err);
    if (r < 0)
        run_fail(work->run, side, r, &err);
}

static const char *why_void(const struct delta_request *request)
{
    if (request->token.uidvalidity != request->since.uidvalidity)
        return "has a new UIDVALIDITY: its messages are paired anew";
    if (request->token.cur_mtime_ns != 0)
        return "is an older copy, as if put back from a backup: its messages "
               "are paired anew";
    return "has a lower UIDNEXT than before, as if the server came back from a "
           "backup: its messages are paired anew";
}

/* UIDs that may mean other messages now make every pair of the folder void: it
 * starts over as a folder that was never seen, both sides are listed, and what
 * is there twice is paired by identity. Nothing is deleted for it. RFC 9051
 * 2.3.1.1. */
static void start_over(struct folder_work *work)
{
    struct run *run = work->run;
    bool left = work->compare->request[LEFT].uids_void;
    struct report_event event = {
        .kind = REPORT_NOTICE,
        .folder = run_folder_name(work),
        .reason = why_void(&work->compare->request[left ? LEFT : RIGHT]),
    };

    run_report(run, &event);
    run_folder_forget(work);
    for (int side = 0; side < SIDES; side++)
        work->ask[side] = work->present[side];
    begin(work);
}

static void over(struct folder_work *work)
{
    work->run->progress.folders_done++;
    run_end(work->run);
}

/* All that is new on one side, for the match. */
static int collect_new(struct folder_work *work, enum side side,
                       struct err *err)
{
    struct compare *compare = work->compare;
    const struct delta *delta = &compare->delta[side];
    struct state_pair pair;

    for (size_t i = 0; i < delta->n_items; i++) {
        struct listed listed = delta_item(delta, i);
        int r = compare->known.pair(compare->known.owner, side, listed.uid,
                                    &pair, err);

        if (r < 0)
            return r;
        if (r == 1 && listed.has_meta)
            match_add(&compare->match, side, &listed);
    }
    return 0;
}

/* Take down which flags the side showed now. What it never showed is known once
 * all messages were listed. */
static void note_shown(struct folder_work *work, enum side side)
{
    struct compare *compare = work->compare;
    struct keywords *keywords = work->run->keywords;
    struct plan_shown *shown = &compare->shown[side];
    struct uidset_walk walk = {.set = &compare->listed[side].sets};
    struct flags_change now = {.add.system = compare->listed[side].system};
    uint32_t set;

    work->unproved[side] = false;
    if (!work->row.has_shown[side] &&
        compare->request[side].kind != LISTING_FULL)
        return;
    while (uidset_next(&walk, &set))
        now.add.keywords = keywords_union(keywords, now.add.keywords, set);
    if (shown->known)
        shown->fresh = flags_diff(keywords, shown->before, now.add).add;
    work->row.has_shown[side] = true;
    work->row.shown[side] = flags_apply(keywords, work->row.shown[side], now);
}

static void list_side(struct folder_work *work, enum side side);

/* What is new on both sides, for the match. Returns false where it failed. */
static bool collect_both(struct folder_work *work)
{
    struct err err;

    for (enum side side = LEFT; side < SIDES; side++) {
        int r = collect_new(work, side, &err);

        if (r < 0) {
            run_fail(work->run, side, r, &err);
            return false;
        }
    }
    /* All of the folder is at stake, and not every server is known. */
    if (work->row.pairs == 0 && run_fidelity(work->run) == FIDELITY_EXACT)
        match_doubt_sizes(&work->compare->match);
    return true;
}

/* Returns 1 where a new message came without its size, 0, or negative. */
static int lacks_size(const struct folder_work *work, enum side side,
                      struct err *err)
{
    const struct compare *compare = work->compare;
    const struct delta *delta = &compare->delta[side];
    struct state_pair pair;
    int r = 0;

    for (size_t i = 0; i < delta->n_items && r == 0; i++) {
        struct listed listed = delta_item(delta, i);

        if (!listed.has_meta)
            r = compare->known.pair(compare->known.owner, side, listed.uid,
                                    &pair, err);
    }
    return r;
}

/* A message that an earlier run saw and did not get to record may come without
 * its size. Who it is cannot be told then; it may be new on the other side,
 * too, or have gone from another folder in this very run. So the side is listed
 * in full before anything is decided. Returns whether that is under way. */
static bool list_lacking(struct folder_work *work)
{
    struct compare *compare = work->compare;
    bool again[SIDES] = {false, false};
    struct err err;

    for (enum side side = LEFT; side < SIDES; side++) {
        int r = compare->delta[side].fresh == 0 || compare->full[side]
                    ? 0
                    : lacks_size(work, side, &err);

        if (r < 0)
            run_fail(work->run, side, r, &err);
        again[side] = r > 0;
    }
    for (enum side side = LEFT; side < SIDES; side++) {
        compare->full[side] = compare->full[side] || again[side];
        if (again[side])
            list_side(work, side);
    }
    return again[LEFT] || again[RIGHT];
}

/* Both listings are in. Where both sides have new messages, some of them may
 * be the same. */
static void listed_both(struct folder_work *work)
{
    struct compare *compare = work->compare;

    if (work->failed || run_is_closing(work->run)) {
        over(work);
        return;
    }
    if (compare->restart) {
        start_over(work);
        over(work);
        return;
    }
    if (list_lacking(work))
        return;
    if (!run_is_closing(work->run) && compare->delta[LEFT].fresh > 0 &&
        compare->delta[RIGHT].fresh > 0 && collect_both(work))
        ask_identity(work);
    else
        over(work);
}

/* Did the time of a Maildir's directory go back? That of one which is changed
 * in its place goes on, unless the clock itself went back. */
static bool went_back(const struct run *run, int64_t was_ns, int64_t now_ns)
{
    return was_ns != 0 && now_ns != 0 && now_ns < was_ns &&
           was_ns / NS_PER_SECOND <= run->now;
}

/* Where the last listing may not be gone on from, the endpoint cannot tell, but
 * the record can. */
static bool are_uids_void(const struct folder_work *work,
                          const struct delta_request *request, enum side side)
{
    const struct folder_token *was = &work->row.token[side];
    const struct folder_token *now = &request->token;
    const struct run *run = work->run;

    if (request->uids_void ||
        went_back(run, was->cur_mtime_ns, now->cur_mtime_ns) ||
        went_back(run, was->new_mtime_ns, now->new_mtime_ns))
        return true;
    return was->uidvalidity != 0 && now->uidvalidity != 0 &&
           (was->uidvalidity != now->uidvalidity ||
            (now->uidnext != 0 && now->uidnext < was->uidnext));
}

/* Said once a run. */
static void tell_window(struct folder_work *work, enum side side)
{
    struct report_event event = {
        .kind = REPORT_NOTICE,
        .side = side,
        .folder = run_folder_name(work),
        .reason = "shows its newest messages only: what is missing there is "
                  "not taken for deleted",
    };

    if (!work->windowed[side])
        run_report(work->run, &event);
    work->windowed[side] = true;
}

/* A folder that was never open to us, and will not be, hides nothing that we
 * ever had. */
static void comparison_failed(struct folder_work *work, enum side side,
                              const struct request *request)
{
    if (run_is_over(work->run, side, request->result, &request->err))
        return;
    work->unseen = work->unseen || request->result != ERR_REFUSED ||
                   run_knows_anything(work);
    run_folder_failed(work, side, &request->err);
}

/* What stays with a folder was told by the list of folders. Since then another
 * one may have got the name. */
static bool is_as_listed(const struct folder_work *work, enum side side,
                         const struct delta_request *request)
{
    const struct folder_entry *entry = work->entry[side];

    return entry == NULL || !entry->has_token ||
           entry->token.uidvalidity == request->token.uidvalidity;
}

static void on_listed(struct request *base)
{
    struct folder_work *work = base->owner;
    struct compare *compare = work->compare;
    enum side side = base == &compare->request[LEFT].base ? LEFT : RIGHT;
    struct delta_request *request = &compare->request[side];
    struct delta *delta = &compare->delta[side];
    bool uids_void = base->result == 0 && are_uids_void(work, request, side);
    struct err err;
    int r;

    if (base->result == ERR_GONE && !work->present[side]) {
        if (delta_all_gone(delta, &err) < 0)
            run_fail(work->run, side, ERR_STATE, &err);
    } else if (base->result < 0) {
        comparison_failed(work, side, base);
    } else if (uids_void && run_knows_anything(work)) {
        request->uids_void = true;
        compare->restart = true;
    } else if (!run_is_closing(work->run)) {
        work->present[side] = true;
        /* What goes on record from now on is of another folder than the one
         * that the record told of, and knew no message in. */
        if (uids_void)
            run_forget_token(work, side);
        if (request->windowed)
            tell_window(work, side);
        work->partial[side] = !request->complete && !request->windowed;
        r = delta_finish(delta, request, &work->row, &err);
        if (r == DELTA_INCONSISTENT) {
            compare->full[side] = true;
            list_side(work, side);
        }
        if (r < 0)
            run_fail(work->run, side, r, &err);
        if (request->token.object == 0 && is_as_listed(work, side, request))
            request->token.object = work->token[side].object;
        if (r == 0)
            note_shown(work, side);
        work->has_token[side] = true;
        work->token[side] = request->token;
        work->dirty[side] = false;
    }
    if (--compare->pending == 0)
        listed_both(work);
}

/* How many messages of a side the record knows. */
static uint32_t known_on(const struct folder_work *work, enum side side)
{
    return work->row.pairs - work->row.gone[side] + work->row.apart[side];
}

static void on_anew(struct delta_request *request)
{
    struct folder_work *work = request->base.owner;
    struct compare *compare = work->compare;
    enum side side = request == &compare->request[LEFT] ? LEFT : RIGHT;

    delta_deinit(&compare->delta[side]);
    delta_init(&compare->delta[side], side, &compare->known);
}

static void list_side(struct folder_work *work, enum side side)
{
    struct compare *compare = work->compare;
    struct delta_request *request = &compare->request[side];

    delta_deinit(&compare->delta[side]);
    delta_init(&compare->delta[side], side, &compare->known);
    uidset_deinit(&request->vanished);
    memset(request, 0, sizeof(*request));
    request->base.done = on_listed;
    request->base.owner = work;
    request->folder = run_folder_ref(work, side);
    request->folder.uidvalidity = 0; /* another one is told, not refused */
    request->has_since = work->has_token[side];
    request->since = work->token[side];
    request->known = known_on(work, side);
    request->want_full = compare->full[side];
    request->item = on_item;
    request->anew = on_anew;
    compare->pending++;
    endpoint_delta(work->run->options.endpoint[side], request);
}

/* What has its name there is another folder: it is gone. */
static bool is_elsewhere(const struct folder_work *work, enum side side)
{
    return work->ask[side] && !work->present[side] &&
           work->holder[side] != NULL && work->holder[side]->present[side];
}

static void begin(struct folder_work *work)
{
    struct compare *compare;
    struct err err;

    run_compare_free(work);
    compare = MEM_NEW(struct compare);
    work->compare = compare;
    work->copies_left = 0;
    work->looked = true;
    compare->known_state.state = work->run->options.state;
    compare->known_state.folder = work->row.id;
    compare->known = known_of_state(&compare->known_state);
    match_init(&compare->match, run_fidelity(work->run));
    plan_init(&compare->plan);
    run_begin(work->run);
    compare->pending = 1; /* until both are asked */
    for (enum side side = LEFT; side < SIDES; side++) {
        compare->full[side] = work->want_full[side];
        compare->shown[side].known = work->row.has_shown[side];
        compare->shown[side].before = work->row.shown[side];
        work->want_full[side] = false;
        delta_init(&compare->delta[side], side, &compare->known);
        /* A folder that is not in the list is asked for, too: some servers
         * forget to list one that was just made again, and only a plain "no
         * such folder" makes its messages gone. */
        if (is_elsewhere(work, side)) {
            if (delta_all_gone(&compare->delta[side], &err) < 0)
                run_fail(work->run, side, ERR_STATE, &err);
        } else if (work->ask[side]) {
            list_side(work, side);
        }
    }
    if (--compare->pending == 0)
        listed_both(work);
}

static void on_identity(struct identify_request *request, uint32_t uid,
                        const struct identity *identity)
{
    struct folder_work *work = request->base.owner;
    struct compare *compare = work->compare;
    enum side side = request == &compare->identify[LEFT] ? LEFT : RIGHT;

    match_identified(&compare->match, side, uid, identity);
}

static void on_identified(struct request *base)
{
    struct folder_work *work = base->owner;
    struct compare *compare = work->compare;
    enum side side = base == &compare->identify[LEFT].base ? LEFT : RIGHT;

    /* Not knowing who is who, adding anything would double it. */
    if (base->result < 0)
        comparison_failed(work, side, base);
    if (--compare->pending == 0)
        ask_identity(work);
}

/* One step of the ladder, on both sides at once. */
static void ask_identity(struct folder_work *work)
{
    struct compare *compare = work->compare;

    if (work->failed || run_is_closing(work->run) ||
        !match_next(&compare->match)) {
        over(work);
        return;
    }
    for (enum side side = LEFT; side < SIDES; side++) {
        struct identify_request *request = &compare->identify[side];

        memset(request, 0, sizeof(*request));
        request->base.done = on_identified;
        request->base.owner = work;
        request->folder = run_folder_ref(work, side);
        request->uids = &compare->match.want[side];
        request->level = compare->match.level;
        request->item = on_identity;
        compare->pending++;
        endpoint_identify(work->run->options.endpoint[side], request);
    }
}

void run_compare(struct run *run)
{
    run->in_doubt = false;
    run->progress.phase = run->pass == 0 ? "comparing" : "settling";
    run->progress.folders_done = 0;
    run->progress.folders_total = 0;
    run_note_holders(run);
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        run_compare_free(work);
        if (work->failed || (!work->ask[LEFT] && !work->ask[RIGHT]))
            continue;
        run->progress.folders_total++;
        begin(work);
    }
    run_end(run);
}
