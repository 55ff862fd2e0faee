/*
 * What was noted as sent to the Trash, and is to be deleted still: has it
 * arrived? Its copy is looked for in the Trash, among what came there after the
 * note: on the same side, so it has the same size, date and header.
 *
 * Where fewer such copies are there than messages that are looked for, nobody
 * knows whose they are: all of these are sent again. Nothing is removed but for
 * a message in the Trash that is equal to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"
#include "sync/inquiry.h"
#include "sync/run_internal.h"

/* A message that was sent, or one that may be its copy. */
struct paper {
    struct folder_work *work;
    uint32_t uid;
    uint32_t uidnext; /* of the Trash when it was sent; 0: a copy */
    bool known;
    bool arrived;
    struct identity identity;
};

struct search {
    struct inquiry inquiry; /* first */
    enum side side;
    struct folder_work *trash;
    uint32_t uidnext; /* the lowest one */
    struct uidset copies;
    struct paper *papers;
    size_t n;
    size_t cap;
};

static void add_paper(struct search *search, struct folder_work *work,
                      uint32_t uid, uint32_t uidnext)
{
    search->papers = mem_grow(search->papers, search->n, &search->cap,
                              sizeof(*search->papers));
    search->papers[search->n++] =
        (struct paper){.work = work, .uid = uid, .uidnext = uidnext};
}

static void add_sent(struct search *search, struct folder_work *work,
                     const struct trash_note *note)
{
    const struct plan *plan = &work->compare->plan;
    enum side side = search->side;

    if (!run_trash_may_hold(search->trash, note, work, side))
        return;
    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        uint32_t uid = plan->deletes[side][i].uid[side];

        if (!uidset_has(&note->uids, uid))
            continue;
        add_paper(search, work, uid, note->trash_uidnext);
        if (search->uidnext == 0 || note->trash_uidnext < search->uidnext)
            search->uidnext = note->trash_uidnext;
    }
}

static void add_all_sent(struct search *search)
{
    const struct run *run = search->inquiry.run;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];

        if (!run_takes_part(work) ||
            work->compare->plan.n_deletes[search->side] == 0)
            continue;
        for (size_t k = 0; k < run->n_trash_notes; k++)
            add_sent(search, work, &run->trash_notes[k]);
    }
}

static void add_copy(struct search *search, uint32_t uid)
{
    if (uid >= search->uidnext)
        uidset_add(&search->copies, uid);
}

static int on_pair(void *owner, const struct state_pair *pair)
{
    struct search *search = owner;

    if (!pair->gone[search->side])
        add_copy(search, pair->uid[search->side]);
    return 0;
}

static int on_apart(void *owner, const struct state_apart *apart)
{
    struct search *search = owner;

    if (apart->side == search->side)
        add_copy(search, apart->uid);
    return 0;
}

/* What the Trash holds is on record, or was listed in this pass. */
static int add_copies(struct search *search, struct err *err)
{
    const struct compare *compare = search->trash->compare;
    struct state *state = search->inquiry.run->options.state;
    uint32_t folder = search->trash->row.id;
    struct uidset_walk walk = {.set = &search->copies};
    uint32_t uid;
    int r;

    for (size_t i = 0;
         compare != NULL && i < compare->delta[search->side].n_items; i++)
        add_copy(search, compare->delta[search->side].items[i].uid);
    r = state_pair_each(state, folder, search->side, on_pair, search, err);
    if (r == 0)
        r = state_apart_each(state, folder, on_apart, search, err);
    while (r == 0 && uidset_next(&walk, &uid))
        add_paper(search, search->trash, uid, 0);
    return r;
}

static void on_identity(struct inquiry *inquiry, enum side side,
                        uint32_t number, const struct identity *identity)
{
    struct search *search = (struct search *)inquiry;
    struct paper *paper = &search->papers[number];

    (void)side;
    paper->known = identity->has_header;
    paper->identity = *identity;
    /* Made anew for each reader: its size tells nothing. */
    if (inquiry->level == IDENTIFY_ENVELOPE)
        paper->identity.size = 0;
}

static int by_identity(const void *a, const void *b)
{
    const struct paper *one = a;
    const struct paper *two = b;

    if (one->known != two->known)
        return (int)one->known - (int)two->known;
    if (one->identity.size != two->identity.size)
        return one->identity.size < two->identity.size ? -1 : 1;
    if (one->identity.date != two->identity.date)
        return one->identity.date < two->identity.date ? -1 : 1;
    return memcmp(one->identity.digest, two->identity.digest, DIGEST_BYTES);
}

static int by_place(const void *a, const void *b)
{
    const struct paper *one = a;
    const struct paper *two = b;

    if (one->work != two->work)
        return one->work->row.id < two->work->row.id ? -1 : 1;
    return one->uid < two->uid ? -1 : one->uid > two->uid;
}

/* Of papers that are equal: is there a copy for each that was sent? */
static void judge(struct paper *papers, size_t n)
{
    uint32_t uidnext = 0;
    size_t n_sent = 0;
    size_t n_copies = 0;

    for (size_t i = 0; i < n; i++) {
        n_sent += papers[i].uidnext != 0;
        if (papers[i].uidnext > uidnext)
            uidnext = papers[i].uidnext;
    }
    for (size_t i = 0; i < n; i++)
        n_copies += papers[i].uidnext == 0 && papers[i].uid >= uidnext;
    if (!papers->known || n_copies < n_sent)
        return;
    for (size_t i = 0; i < n; i++)
        papers[i].arrived = papers[i].uidnext != 0;
}

static void judge_all(struct search *search)
{
    size_t end;

    if (search->n > 1)
        qsort(search->papers, search->n, sizeof(*search->papers), by_identity);
    for (size_t first = 0; first < search->n; first = end) {
        end = first + 1;
        while (end < search->n &&
               by_identity(&search->papers[first], &search->papers[end]) == 0)
            end++;
        judge(search->papers + first, end - first);
    }
}

/* Folder by folder. */
static void note_arrived(struct search *search)
{
    struct uidset uids = {0};

    if (search->n > 1)
        qsort(search->papers, search->n, sizeof(*search->papers), by_place);
    for (size_t i = 0; i < search->n; i++) {
        if (search->papers[i].arrived)
            uidset_add(&uids, search->papers[i].uid);
        if (i + 1 < search->n &&
            search->papers[i + 1].work == search->papers[i].work)
            continue;
        run_trash_arrived(search->papers[i].work, search->side, &uids);
        uidset_clear(&uids);
    }
    uidset_deinit(&uids);
}

static void conclude(struct inquiry *inquiry)
{
    struct search *search = (struct search *)inquiry;
    struct run *run = inquiry->run;

    judge_all(search);
    note_arrived(search);
    uidset_deinit(&search->copies);
    free(search->papers);
    free(search);
    run_end(run);
}

static void ask(struct search *search)
{
    struct inquiry_item *items = mem_new(search->n, sizeof(*items));

    for (size_t i = 0; i < search->n; i++)
        items[i] = (struct inquiry_item){search->papers[i].work,
                                         search->papers[i].uid, (uint32_t)i};
    inquiry_send(&search->inquiry, search->side, items, search->n);
    free(items);
}

static void find_trashed(struct run *run, enum side side,
                         struct folder_work *trash)
{
    struct search *search = MEM_NEW(struct search);
    const struct endpoint *endpoint = run->options.endpoint[side];
    size_t n_sent;
    struct err err;
    int r = 0;

    search->inquiry = (struct inquiry){
        .run = run,
        .level = endpoint->fidelity == FIDELITY_ENVELOPE ? IDENTIFY_ENVELOPE
                                                         : IDENTIFY_HEADER,
        .item = on_identity,
        .over = conclude,
    };
    search->side = side;
    search->trash = trash;
    add_all_sent(search);
    n_sent = search->n;
    if (n_sent > 0)
        r = add_copies(search, &err);
    if (r < 0)
        run_fail(run, side, r, &err);
    run_begin(run);
    if (search->n > n_sent && !run_is_closing(run)) {
        ask(search);
    } else {
        search->n = 0;
        conclude(&search->inquiry);
    }
}

void run_find_trashed(struct run *run)
{
    if (!run->options.policy->delete_to_trash || run->n_trash_notes == 0 ||
        SABOTAGED(trash_again))
        return;
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        struct folder_work *trash = run_find_trash(run, side);

        if (trash != NULL && !trash->failed)
            find_trashed(run, side, trash);
    }
    run_end(run);
}
