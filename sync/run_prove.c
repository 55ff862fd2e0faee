/*
 * Is what was listed under another name the folder on record? Some of its
 * messages are asked for on both sides, and have to be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/rename_order.h"
#include "sync/run_internal.h"

#define SAMPLE_MAX 32u

struct sample {
    uint32_t uid[SIDES];
    uint64_t size; /* on record; 0: not known */
    bool answered[SIDES];
    struct identity identity[SIDES];
};

/* One folder that seems renamed. */
struct proof {
    struct folder_work *work;
    struct sample samples[SAMPLE_MAX];
    size_t n_samples;
    uint32_t seen; /* pairs walked over */
    struct identify_request request[SIDES];
    struct uidset uids[SIDES];
    unsigned pending;
};

/* Some pairs, spread over the folder. */
static int take_sample(void *owner, const struct state_pair *pair)
{
    struct proof *proof = owner;
    uint32_t stride = proof->work->row.pairs / SAMPLE_MAX + 1;
    struct sample *sample;

    if (proof->seen++ % stride != 0 || proof->n_samples == SAMPLE_MAX ||
        pair->gone[LEFT] || pair->gone[RIGHT])
        return 0;
    sample = &proof->samples[proof->n_samples++];
    memcpy(sample->uid, pair->uid, sizeof(sample->uid));
    sample->size = pair->size;
    uidset_add(&proof->uids[LEFT], pair->uid[LEFT]);
    uidset_add(&proof->uids[RIGHT], pair->uid[RIGHT]);
    return 0;
}

static void on_item(struct identify_request *request, uint32_t uid,
                    const struct identity *identity)
{
    struct proof *proof = request->base.owner;
    enum side side = request == &proof->request[LEFT] ? LEFT : RIGHT;

    for (size_t i = 0; i < proof->n_samples; i++) {
        struct sample *sample = &proof->samples[i];

        if (sample->uid[side] != uid)
            continue;
        sample->answered[side] = true;
        sample->identity[side] = *identity;
    }
}

/* Without messages nothing but the token can show that it is the same folder. A
 * Maildir's has to be the very same: numbers of directories come again. */
static bool tokens_agree(const struct folder_work *work)
{
    for (enum side side = LEFT; side < SIDES; side++) {
        if (run_is_renamed(work, side) && !work->ours[side] &&
            work->run->options.endpoint[side]->is_local &&
            !folder_token_equal(&work->row.token[side],
                                &work->entry[side]->token))
            return false;
    }
    return true;
}

/* Is what has the UIDs now, on one side or both, another message? */
static bool is_other_mail(const struct sample *sample, bool sized)
{
    const struct identity *left = &sample->identity[LEFT];
    const struct identity *right = &sample->identity[RIGHT];

    for (int side = 0; side < SIDES; side++) {
        if (sized && sample->answered[side] && sample->size > 0 &&
            sample->identity[side].size != sample->size)
            return true;
    }
    return sample->answered[LEFT] && sample->answered[RIGHT] &&
           (memcmp(left->digest, right->digest, DIGEST_BYTES) != 0 ||
            (sized && left->size != right->size));
}

/* Every message of the sample that is still there is the same, and most are. */
static bool sample_agrees(const struct proof *proof)
{
    bool sized = run_fidelity(proof->work->run) == FIDELITY_EXACT;
    size_t same = 0;

    if (proof->n_samples == 0)
        return tokens_agree(proof->work);

    for (size_t i = 0; i < proof->n_samples; i++) {
        const struct sample *sample = &proof->samples[i];

        if (is_other_mail(sample, sized)) {
            proof->work->disproved = true;
            return false;
        }
        same += sample->answered[LEFT] && sample->answered[RIGHT];
    }
    return same > 0 && same >= proof->n_samples / 2;
}

static void conclude(struct proof *proof)
{
    struct run *run = proof->work->run;

    proof->work->proved = sample_agrees(proof);
    uidset_deinit(&proof->uids[LEFT]);
    uidset_deinit(&proof->uids[RIGHT]);
    free(proof);
    run_end(run);
}

static void on_answered(struct request *base)
{
    struct proof *proof = base->owner;
    enum side side = base == &proof->request[LEFT].base ? LEFT : RIGHT;

    if (base->result < 0 && proof->work->unanswered == NULL)
        proof->work->unanswered = mem_copy(base->err.text);
    run_is_over(proof->work->run, side, base->result, &base->err);
    if (--proof->pending == 0)
        conclude(proof);
}

void run_prove(struct folder_work *work)
{
    struct run *run = work->run;
    struct known_state on = {run->options.state, work->row.id};
    struct known known = known_of_state(&on);
    struct proof *proof = MEM_NEW(struct proof);
    struct err err;

    run_begin(run);
    proof->work = work;
    if (known.each_pair(known.owner, LEFT, take_sample, proof, &err) < 0)
        run_fail(run, LEFT, ERR_STATE, &err);
    if (proof->n_samples == 0) {
        conclude(proof);
        return;
    }
    for (enum side side = LEFT; side < SIDES; side++) {
        struct identify_request *request = &proof->request[side];

        request->base.done = on_answered;
        request->base.owner = proof;
        /* A Maildir's UIDs are kept under the folder's number. */
        request->folder.id = work->row.id;
        request->folder.name = work->entry[side]->name;
        request->uids = &proof->uids[side];
        request->level = run_header_level(run);
        request->item = on_item;
        proof->pending++;
        endpoint_identify(run->options.endpoint[side], request);
    }
}

/* --- what shows nothing itself ---------------------------------------------------- */

/* Has a folder above it, whose new name is proved, taken it along to the name
 * that it has there? */
static bool went_along(const struct folder_work *work, enum side side)
{
    const struct run *run = work->run;
    bool along = !run_is_renamed(work, side);

    for (size_t i = 0; i < run->n_folders && !along; i++) {
        const struct folder_work *above = run->folders[i];
        char *name;

        if (!above->proved || !run_is_renamed(above, side) ||
            !rename_order_is_below(work->row.name[side], above->row.name[side]))
            continue;
        name = rename_order_follow(work->row.name[side], above->row.name[side],
                                   above->entry[side]->name);
        along = strcmp(name, work->entry[side]->name) == 0;
        free(name);
    }
    return along;
}

/* Until the next run, with all that is in it. */
static void let_wait(struct folder_work *work, const struct err *err)
{
    run_folder_failed(work, run_is_renamed(work, LEFT) ? LEFT : RIGHT, err);
    work->unseen = true;
}

/* What shows nothing itself, as none of its messages is left on both sides, was
 * taken along. But what could not be looked at may be anything: if the one above
 * it were renamed, its twin would go along, and meet what may be its own mail or
 * another folder's. */
static bool prove_by_parents(struct run *run)
{
    bool any_waits = false;
    struct err err;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (work->proved || work->disproved || !run_seems_renamed(work) ||
            !went_along(work, LEFT) || !went_along(work, RIGHT))
            continue;
        work->proved = work->unanswered == NULL;
        if (work->proved)
            continue;
        err_set(&err, ERR_REFUSED,
                "it seems to be renamed, and waits: whether its messages are "
                "the same could not be looked at: %s",
                work->unanswered);
        let_wait(work, &err);
        any_waits = true;
    }
    return any_waits;
}

static bool is_on_its_way(const struct folder_work *work)
{
    return work->entry[LEFT] != NULL && work->entry[RIGHT] != NULL &&
           (run_seems_renamed(work) || work->winner != SIDES);
}

/* Has, had, or will have the one a name that is the other's, or below it? */
static bool get_in_the_way(const struct folder_work *one,
                           const struct folder_work *two)
{
    const char *const names[][4] = {
        {one->row.name[LEFT], one->row.name[RIGHT], one->entry[LEFT]->name,
         one->entry[RIGHT]->name},
        {two->row.name[LEFT], two->row.name[RIGHT], two->entry[LEFT]->name,
         two->entry[RIGHT]->name},
    };

    for (size_t i = 0; i < 16; i++) {
        const char *a = names[0][i / 4];
        const char *b = names[1][i % 4];

        if (strcmp(a, b) == 0 || rename_order_is_below(a, b) ||
            rename_order_is_below(b, a))
            return true;
    }
    return false;
}

/* Who waits already, and has a name in the way of @work? NULL: nobody. */
static const struct folder_work *find_waiting(const struct folder_work *work)
{
    const struct run *run = work->run;

    for (size_t i = 0; i < run->n_folders; i++) {
        const struct folder_work *one = run->folders[i];

        if (one->failed && is_on_its_way(one) && get_in_the_way(one, work))
            return one;
    }
    return NULL;
}

/* Renames are carried out together, or not at all. */
static void wait_together(struct run *run)
{
    bool again = true;
    struct err err;

    while (again) {
        again = false;
        for (size_t i = 0; i < run->n_folders; i++) {
            struct folder_work *work = run->folders[i];
            const struct folder_work *one = !work->failed && is_on_its_way(work)
                                                ? find_waiting(work)
                                                : NULL;

            if (one == NULL)
                continue;
            err_set(&err, ERR_REFUSED,
                    "it seems to be renamed, and waits together with %s",
                    run_folder_name(one));
            let_wait(work, &err);
            again = true; /* others may be in the way of this one */
        }
    }
}

void run_prove_rest(struct run *run)
{
    if (prove_by_parents(run))
        wait_together(run);
}
