/*
 * A copy that this run has made is gone already, and its original is not.
 * Somebody over there was quick to delete it, or the server did not keep it:
 * of equal messages some keep one (endpoint.merges), and answer as if the other
 * had been added. Nothing is deleted for it on this side.
 *
 * It is taken for merged where it is that kind of server, or where it went that
 * way twice and is no Maildir, which merges nothing; and only if there is a
 * message to have been merged into: a pair of the same folder, still on both
 * sides, whose original equals this one. Then it stays apart. Else it is copied
 * again; what is gone twice is left to the next run, and said.
 *
 * Both originals are the words of one side, which is where they are asked: in
 * every byte on a disk, elsewhere by size and header.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/inquiry.h"
#include "sync/run_internal.h"

struct paper {
    struct state_pair pair;
    uint64_t size; /* 0 where sizes tell nothing */
    bool again;    /* a suspect: not for the first time */
    bool known;
    struct identity identity;
};

enum { SUSPECT, ORIGINAL, PAPERS };

/* Of one folder and one side. */
struct search {
    struct inquiry inquiry; /* first */
    struct folder_work *work;
    enum side side; /* where the copies are gone */
    struct paper *papers[PAPERS];
    size_t n[PAPERS];
    size_t cap[PAPERS];
};

static void add_paper(struct search *search, int of,
                      const struct state_pair *pair)
{
    struct paper *paper;

    search->papers[of] = mem_grow(search->papers[of], search->n[of],
                                  &search->cap[of], sizeof(*paper));
    paper = &search->papers[of][search->n[of]++];
    memset(paper, 0, sizeof(*paper));
    paper->pair = *pair;
    if (run_fidelity(search->work->run) == FIDELITY_EXACT)
        paper->size = pair->size;
}

static int by_size(const void *a, const void *b)
{
    const struct paper *one = a;
    const struct paper *two = b;

    return one->size < two->size ? -1 : one->size > two->size;
}

static int by_identity(const void *a, const void *b)
{
    const struct paper *one = a;
    const struct paper *two = b;
    int r = by_size(one, two);

    if (r != 0 || one->known != two->known)
        return r != 0 ? r : (int)one->known - (int)two->known;
    return memcmp(one->identity.digest, two->identity.digest, DIGEST_BYTES);
}

static void sort(struct search *search, int of,
                 int (*order)(const void *, const void *))
{
    if (search->n[of] > 1)
        qsort(search->papers[of], search->n[of], sizeof(struct paper), order);
}

/* --- who is to be asked -------------------------------------------------------- */

static void add_suspects(struct search *search)
{
    struct folder_work *work = search->work;
    const struct plan *plan = &work->compare->plan;
    enum side from = other(search->side);

    for (size_t i = 0; i < plan->n_vanished[search->side]; i++) {
        const struct state_pair *pair = &plan->vanished[search->side][i];
        bool again = uidset_has(&work->vanished[from], pair->uid[from]);

        if (uidset_has(&work->compare->delta[from].gone, pair->uid[from]))
            continue;
        if (!again && !work->run->options.endpoint[search->side]->merges) {
            uidset_add(&work->vanished[from], pair->uid[from]);
            continue;
        }
        add_paper(search, SUSPECT, pair);
        search->papers[SUSPECT][search->n[SUSPECT] - 1].again = again;
    }
    sort(search, SUSPECT, by_size);
}

static int on_pair(void *owner, const struct state_pair *pair)
{
    struct search *search = owner;
    const struct delta *delta = search->work->compare->delta;
    struct paper key = {.size = pair->size};

    if (run_fidelity(search->work->run) != FIDELITY_EXACT)
        key.size = 0;
    for (int side = 0; side < SIDES; side++) {
        if (pair->gone[side] || uidset_has(&delta[side].gone, pair->uid[side]))
            return 0;
    }
    if (bsearch(&key, search->papers[SUSPECT], search->n[SUSPECT], sizeof(key),
                by_size) != NULL)
        add_paper(search, ORIGINAL, pair);
    return 0;
}

static void ask(struct search *search, int of)
{
    enum side from = other(search->side);
    struct inquiry_item *items = mem_new(search->n[of], sizeof(*items));

    for (size_t i = 0; i < search->n[of]; i++)
        items[i] = (struct inquiry_item){search->work,
                                         search->papers[of][i].pair.uid[from],
                                         (uint32_t)i * PAPERS + (uint32_t)of};
    inquiry_send(&search->inquiry, from, items, search->n[of]);
    free(items);
}

static void on_identity(struct inquiry *inquiry, enum side side,
                        uint32_t number, const struct identity *identity)
{
    struct search *search = (struct search *)inquiry;
    struct paper *paper = &search->papers[number % PAPERS][number / PAPERS];

    (void)side;
    paper->known = inquiry->level == IDENTIFY_BODY || identity->has_header;
    paper->identity = *identity;
}

/* --- the answer ---------------------------------------------------------------- */

static bool is_merged(const struct search *search, const struct paper *suspect)
{
    const struct endpoint *endpoint =
        search->work->run->options.endpoint[search->side];

    return !endpoint->is_local && suspect->known && search->n[ORIGINAL] > 0 &&
           bsearch(suspect, search->papers[ORIGINAL], search->n[ORIGINAL],
                   sizeof(*suspect), by_identity) != NULL;
}

static void judge(struct search *search, const struct paper *suspect)
{
    struct folder_work *work = search->work;
    enum side from = other(search->side);
    uint32_t uid = suspect->pair.uid[from];

    if (is_merged(search, suspect)) {
        plan_set_apart(&work->compare->plan,
                       &(struct state_apart){.folder = work->row.id,
                                             .side = from,
                                             .uid = uid,
                                             .kind = APART_MERGED,
                                             .size = suspect->pair.size});
    } else if (suspect->again) {
        work->unconsumed[from] = true;
        run_message_failed(work, from, uid,
                           "was added and is gone again, twice: somebody "
                           "deletes it there, or it is not kept");
    } else {
        uidset_add(&work->vanished[from], uid);
    }
}

static void conclude(struct inquiry *inquiry)
{
    struct search *search = (struct search *)inquiry;
    struct run *run = inquiry->run;

    sort(search, ORIGINAL, by_identity);
    for (size_t i = 0; i < search->n[SUSPECT] && !run_is_closing(run); i++)
        judge(search, &search->papers[SUSPECT][i]);
    free(search->papers[SUSPECT]);
    free(search->papers[ORIGINAL]);
    free(search);
    run_end(run);
}

static void find_merged(struct folder_work *work, enum side side)
{
    struct run *run = work->run;
    struct search *search = MEM_NEW(struct search);
    bool on_disk = run->options.endpoint[other(side)]->is_local;
    struct err err;
    int r = 0;

    search->inquiry = (struct inquiry){
        .run = run,
        .level = on_disk ? IDENTIFY_BODY : run_header_level(run),
        .item = on_identity,
        .over = conclude,
    };
    search->work = work;
    search->side = side;
    add_suspects(search);
    if (search->n[SUSPECT] > 0)
        r = state_pair_each(run->options.state, work->row.id, LEFT, on_pair,
                            search, &err);
    if (r < 0)
        run_fail(run, side, r, &err);
    run_begin(run);
    if (search->n[ORIGINAL] > 0 && !run_is_closing(run)) {
        ask(search, SUSPECT);
        ask(search, ORIGINAL);
    } else {
        conclude(&search->inquiry);
    }
}

void run_find_merged(struct run *run)
{
    run_begin(run);
    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        for (enum side side = LEFT; side < SIDES; side++) {
            if (run_takes_part(work) &&
                work->compare->plan.n_vanished[side] > 0)
                find_merged(work, side);
        }
    }
    run_end(run);
}
