/*
 * A new message that is a copy of one on record: the other side has the
 * original, too, and can copy it there by itself. As with moves this is only
 * an optimisation, but one must be certain of it: what is taken for a copy is
 * never read.
 *
 * Size and INTERNALDATE have to be those of the original: the server's copy will
 * have its date, and both sides are to be equal (cp without -p makes another
 * one, and is sent). Beyond that,
 *
 * - where the copy lies in a Maildir, it and its likely originals are read, and
 *   have to be equal in every byte: no octet of that is on the wire;
 * - elsewhere the ladder of match.h ends below the body, which it would be no
 *   gain to fetch: the digests of the header fields have to be equal, and no
 *   other message in either folder may be so, too.
 *
 * Where a side does not give back exactly what it was given, nothing is certain.
 *
 * Likely originals are found in one walk over the pairs when there is any new
 * message: 0.1 s for a million pairs, about what the check of the state takes
 * when it is opened. An index by size and date would spare that, and cost every
 * message another 24 bytes on disk; the date in the pair costs 6. Where there is
 * no original of that size and date nothing is asked, else it is one flight.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/inquiry.h"
#include "sync/run_internal.h"

/* Of one size and date: where there are more, these tell nothing. */
#define ORIGINALS_MAX 8u

/* New messages of one size and date. */
struct kind {
    uint64_t size;
    int64_t date;
    unsigned originals;
};

/* A new message, or what it may be a copy of. */
struct paper {
    struct folder_work *work;
    struct listed listed;   /* of an original only its size and date */
    struct state_pair pair; /* of an original */
    size_t index;           /* of a new one, in plan.copies */
    bool gone_there;        /* the original, on the side of the copy */
    bool known;
    bool doubtful; /* there is another one like it in its folder */
    struct identity identity;
};

enum { COPY, ORIGINAL, PAPERS };

/* The search for what is to be copied on one side. */
struct search {
    struct run *run;
    enum side side; /* where the copies are to be made */
    enum identify_level level;
    struct kind *kinds; /* sorted */
    size_t n_kinds;
    struct paper *papers[PAPERS];
    size_t n[PAPERS];
    size_t cap[PAPERS];
    struct folder_work *walked;
    struct inquiry inquiry;
};

static struct paper *add_paper(struct search *search, int of)
{
    struct paper *paper;

    search->papers[of] = mem_grow(search->papers[of], search->n[of],
                                  &search->cap[of], sizeof(*paper));
    paper = &search->papers[of][search->n[of]++];
    memset(paper, 0, sizeof(*paper));
    return paper;
}

/* --- what is new ------------------------------------------------------------- */

static int compare_kinds(uint64_t size, int64_t date, const struct kind *kind)
{
    if (size != kind->size)
        return size < kind->size ? -1 : 1;
    return date < kind->date ? -1 : date > kind->date;
}

static int by_kind(const void *a, const void *b)
{
    const struct kind *one = a;

    return compare_kinds(one->size, one->date, b);
}

static size_t count_new(const struct search *search)
{
    const struct run *run = search->run;
    size_t n = 0;

    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            n += run->folders[i]->compare->plan.n_copies[search->side];
    }
    return n;
}

static void add_kinds(struct search *search, const struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_copies[search->side]; i++) {
        struct listed listed = plan_copy(plan, search->side, i);

        search->kinds[search->n_kinds++] =
            (struct kind){.size = listed.size, .date = listed.date};
    }
}

/* Of all that is new. */
static void find_kinds(struct search *search)
{
    const struct run *run = search->run;
    size_t n = 0;

    search->kinds = mem_new(count_new(search), sizeof(*search->kinds));
    for (size_t i = 0; i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            add_kinds(search, run->folders[i]);
    }
    qsort(search->kinds, search->n_kinds, sizeof(*search->kinds), by_kind);
    for (size_t i = 0; i < search->n_kinds; i++) {
        if (n == 0 || by_kind(&search->kinds[n - 1], &search->kinds[i]) != 0)
            search->kinds[n++] = search->kinds[i];
    }
    search->n_kinds = n;
}

static struct kind *find_kind(const struct search *search, uint64_t size,
                              int64_t date)
{
    struct kind key = {.size = size, .date = date};

    return bsearch(&key, search->kinds, search->n_kinds, sizeof(key), by_kind);
}

/* --- likely originals --------------------------------------------------------- */

static bool is_gone(const struct folder_work *work, enum side side,
                    const struct state_pair *pair)
{
    return pair->gone[side] ||
           (work->compare != NULL &&
            uidset_has(&work->compare->delta[side].gone, pair->uid[side]));
}

static int on_pair(void *owner, const struct state_pair *pair)
{
    struct search *search = owner;
    struct kind *kind = find_kind(search, pair->size, pair->date);
    struct paper *paper;

    if (kind == NULL || pair->date <= 0 ||
        is_gone(search->walked, search->side, pair) ||
        ++kind->originals > ORIGINALS_MAX)
        return 0;
    paper = add_paper(search, ORIGINAL);
    paper->work = search->walked;
    paper->pair = *pair;
    paper->listed.size = pair->size;
    paper->listed.date = pair->date;
    paper->gone_there = is_gone(search->walked, other(search->side), pair);
    return 0;
}

/* Can it have originals of what is new? */
static bool has_pairs(const struct search *search,
                      const struct folder_work *work)
{
    return !work->failed && work->row.pairs > 0 &&
           work->present[search->side] && work->has_token[search->side];
}

static bool has_any_pairs(const struct search *search)
{
    const struct run *run = search->run;
    bool any = false;

    for (size_t i = 0; !any && i < run->n_folders; i++)
        any = has_pairs(search, run->folders[i]);
    return any;
}

static int walk_pairs(struct search *search, struct err *err)
{
    struct run *run = search->run;

    for (size_t i = 0; i < run->n_folders; i++) {
        struct folder_work *work = run->folders[i];
        int r;

        search->walked = work;
        if (!has_pairs(search, work))
            continue;
        r = state_pair_each(run->options.state, work->row.id, LEFT, on_pair,
                            search, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- identity ------------------------------------------------------------------ */

/* Is there something to compare it with, and not too much? */
static bool is_worth_asking(const struct search *search,
                            const struct paper *paper)
{
    const struct kind *kind =
        find_kind(search, paper->listed.size, paper->listed.date);

    return kind != NULL && kind->originals > 0 &&
           kind->originals <= ORIGINALS_MAX;
}

/* What is new and has likely originals. */
static void add_new(struct search *search, struct folder_work *work)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_copies[search->side]; i++) {
        struct paper paper = {.work = work,
                              .listed = plan_copy(plan, search->side, i),
                              .index = i};

        if (is_worth_asking(search, &paper))
            *add_paper(search, COPY) = paper;
    }
}

/* Where an original is asked: on a disk, if there is one; else beside the copy,
 * where size, date and header are the same server's words. */
static enum side asked_at(const struct search *search,
                          const struct paper *original)
{
    enum side there = other(search->side);

    if (search->level == IDENTIFY_BODY)
        return there;
    if (search->run->options.endpoint[search->side]->is_local ||
        original->gone_there || !original->work->has_token[there])
        return search->side;
    return there;
}

/* Ask @side about those that are to be asked there. */
static void ask(struct search *search, enum side side, int of)
{
    struct inquiry_item *items = mem_new(search->n[of], sizeof(*items));
    size_t n = 0;

    for (size_t i = 0; i < search->n[of]; i++) {
        const struct paper *paper = &search->papers[of][i];
        bool is_copy = of == COPY;

        if (!is_worth_asking(search, paper) ||
            side != (is_copy ? other(search->side) : asked_at(search, paper)))
            continue;
        items[n++] = (struct inquiry_item){
            paper->work, is_copy ? paper->listed.uid : paper->pair.uid[side],
            (uint32_t)i * PAPERS + (uint32_t)of};
    }
    inquiry_send(&search->inquiry, side, items, n);
    free(items);
}

static void on_identity(struct inquiry *inquiry, enum side side,
                        uint32_t number, const struct identity *identity)
{
    struct search *search = inquiry->owner;
    struct paper *paper = &search->papers[number % PAPERS][number / PAPERS];

    (void)side;
    paper->known = true;
    paper->identity = *identity;
}

/* --- who is a copy of whom ------------------------------------------------------ */

static int compare_papers(const struct paper *one, const struct paper *two)
{
    if (one->known != two->known)
        return one->known ? -1 : 1;
    if (one->listed.size != two->listed.size)
        return one->listed.size < two->listed.size ? -1 : 1;
    if (one->listed.date != two->listed.date)
        return one->listed.date < two->listed.date ? -1 : 1;
    return memcmp(one->identity.digest, two->identity.digest, DIGEST_BYTES);
}

static int by_identity(const void *a, const void *b)
{
    const struct paper *one = a;
    const struct paper *two = b;
    int r = compare_papers(one, two);

    if (r == 0 && one->work != two->work)
        return one->work->row.id < two->work->row.id ? -1 : 1;
    return r;
}

/* Sorted; where a header has to tell, those that it does not tell apart are
 * marked. */
static void sort_papers(struct search *search, int of)
{
    struct paper *papers = search->papers[of];

    if (search->n[of] > 1)
        qsort(papers, search->n[of], sizeof(*papers), by_identity);
    for (size_t i = 0; search->level == IDENTIFY_HEADER && i < search->n[of];
         i++) {
        if (!papers[i].identity.has_header)
            papers[i].doubtful = true;
        if (i > 0 && by_identity(&papers[i - 1], &papers[i]) == 0) {
            papers[i - 1].doubtful = true;
            papers[i].doubtful = true;
        }
    }
}

/* An original of @copy, or NULL. */
static const struct paper *find_original(const struct search *search,
                                         const struct paper *copy)
{
    const struct paper *originals = search->papers[ORIGINAL];
    size_t low = 0;
    size_t high = search->n[ORIGINAL];

    if (!copy->known || copy->doubtful)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_papers(&originals[middle], copy) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < search->n[ORIGINAL] &&
           compare_papers(&originals[low], copy) == 0) {
        if (!originals[low].doubtful)
            return &originals[low];
        low++;
    }
    return NULL;
}

static void take_copies(struct search *search)
{
    enum side side = search->side;

    sort_papers(search, COPY);
    sort_papers(search, ORIGINAL);
    for (size_t i = 0; i < search->n[COPY]; i++) {
        const struct paper *copy = &search->papers[COPY][i];
        const struct paper *original = find_original(search, copy);

        if (original == NULL)
            continue;
        *run_placement_add(search->run) = (struct placement){
            .side = side,
            .from = original->work,
            .to = copy->work,
            .pair = original->pair,
            .item = copy->listed,
        };
        /* Out of the plan: its octets stay where they are. */
        plan_drop_copy(&copy->work->compare->plan, side, copy->index);
    }
}

static void conclude(struct search *search)
{
    struct run *run = search->run;

    take_copies(search);
    run_close_gaps(run, search->side);
    free(search->kinds);
    free(search->papers[COPY]);
    free(search->papers[ORIGINAL]);
    free(search);
    run_end(run);
}

static void on_answered(struct inquiry *inquiry)
{
    conclude(inquiry->owner);
}

/* Both of them. Returns 0 or the state's error. */
static int find_papers(struct search *search, struct err *err)
{
    struct run *run = search->run;
    int r;

    if (count_new(search) == 0 || !has_any_pairs(search))
        return 0;
    find_kinds(search);
    r = walk_pairs(search, err);
    for (size_t i = 0; r == 0 && i < run->n_folders; i++) {
        if (run_takes_part(run->folders[i]))
            add_new(search, run->folders[i]);
    }
    return r;
}

static void find_copies(struct run *run, enum side side)
{
    struct search *search = MEM_NEW(struct search);
    struct err err;
    int r;

    search->run = run;
    search->side = side;
    search->level = run->options.endpoint[other(side)]->is_local
                        ? IDENTIFY_BODY
                        : IDENTIFY_HEADER;
    run_begin(run);
    r = find_papers(search, &err);
    if (r < 0)
        run_fail(run, side, r, &err);
    search->inquiry = (struct inquiry){.run = run,
                                       .level = search->level,
                                       .item = on_identity,
                                       .over = on_answered,
                                       .owner = search};
    if (search->n[ORIGINAL] > 0 && !run_is_closing(run)) {
        ask(search, LEFT, COPY);
        ask(search, RIGHT, COPY);
        ask(search, LEFT, ORIGINAL);
        ask(search, RIGHT, ORIGINAL);
    }
    if (search->inquiry.pending == 0)
        conclude(search);
}

void run_find_copies(struct run *run)
{
    if (!run->options.policy->moves || run_fidelity(run) != FIDELITY_EXACT)
        return;
    run_begin(run);
    for (enum side side = LEFT; side < SIDES; side++) {
        if (!run->no_copies[side])
            find_copies(run, side);
    }
    run_end(run);
}
