/* Streaming merge of a listing with the record. */
#include "sync/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sabotage.h"

void delta_init(struct delta *delta, enum side side, const struct known *known)
{
    memset(delta, 0, sizeof(*delta));
    delta->side = side;
    delta->known = known;
    delta->complete = true;
    delta->storable.system = FLAGS_SYSTEM;
    delta->storable.any_keyword = true;
}

void delta_deinit(struct delta *delta)
{
    free(delta->items);
    uidset_deinit(&delta->gone);
    uidset_deinit(&delta->gone_apart);
    uidset_deinit(&delta->seen);
    uidset_deinit(&delta->kept);
    memset(delta, 0, sizeof(*delta));
}

#define HAS_META      0x80u
#define SIZE_MAX_KEPT (((uint64_t)1 << 48) - 1)
#define DATE_MAX_KEPT (((int64_t)1 << 39) - 1)

static struct delta_item pack(const struct listed *listed)
{
    uint64_t size = listed->size < SIZE_MAX_KEPT ? listed->size : SIZE_MAX_KEPT;
    int64_t date = listed->date < DATE_MAX_KEPT ? listed->date : DATE_MAX_KEPT;
    uint64_t shifted; /* never negative */

    if (date < -DATE_MAX_KEPT)
        date = -DATE_MAX_KEPT;
    shifted = (uint64_t)(date + DATE_MAX_KEPT);
    return (struct delta_item){
        .uid = listed->uid,
        .keywords = listed->flags.keywords,
        .size_low = (uint32_t)size,
        .size_high = (uint16_t)(size >> 32),
        .date_low = (uint32_t)shifted,
        .date_high = (uint8_t)(shifted >> 32),
        .bits = (uint8_t)((listed->flags.system & FLAGS_SYSTEM) |
                          (listed->has_meta ? HAS_META : 0)),
    };
}

static struct listed unpack(const struct delta_item *item)
{
    uint64_t shifted = (uint64_t)item->date_high << 32 | item->date_low;

    return (struct listed){
        .uid = item->uid,
        .flags = {item->bits & FLAGS_SYSTEM, item->keywords},
        .has_meta = (item->bits & HAS_META) != 0,
        .size = (uint64_t)item->size_high << 32 | item->size_low,
        .date = (int64_t)shifted - DATE_MAX_KEPT,
    };
}

static void keep(struct delta *delta, const struct listed *listed)
{
    delta->items = mem_grow(delta->items, delta->n_items, &delta->cap,
                            sizeof(*delta->items));
    delta->items[delta->n_items++] = pack(listed);
    uidset_add(&delta->kept, listed->uid);
}

int delta_add(struct delta *delta, const struct listed *listed, struct err *err)
{
    const struct known *known = delta->known;
    struct state_pair pair;
    struct state_apart apart;
    int r;

    uidset_add(&delta->seen, listed->uid);
    if (uidset_has(&delta->kept, listed->uid)) {
        keep(delta, listed); /* the later one wins, whatever it says */
        return 0;
    }
    r = known->pair(known->owner, delta->side, listed->uid, &pair, err);
    if (r < 0)
        return r;
    if (r == 0) {
        /* What was gone and came back is news, too. */
        if (pair.gone[delta->side] || !flags_equal(pair.flags, listed->flags))
            keep(delta, listed);
        return 0;
    }
    r = known->apart(known->owner, delta->side, listed->uid, &apart, err);
    if (r < 0)
        return r;
    if (r == 0)
        return 0;
    delta->fresh++;
    keep(delta, listed);
    return 0;
}

/* A later line of the same UID wins, but its size and date may have come with
 * an earlier one. */
static void merge_repeat(struct delta_item *into,
                         const struct delta_item *later)
{
    struct delta_item old = *into;

    *into = *later;
    if ((later->bits & HAS_META) == 0 && (old.bits & HAS_META) != 0) {
        old.keywords = later->keywords;
        old.bits = later->bits | HAS_META;
        *into = old;
    }
}

struct arrival {
    struct delta_item item;
    uint32_t order;
};

static int by_uid_then_order(const void *a, const void *b)
{
    const struct arrival *one = a;
    const struct arrival *two = b;

    if (one->item.uid != two->item.uid)
        return one->item.uid < two->item.uid ? -1 : 1;
    return one->order < two->order ? -1 : one->order > two->order;
}

/* Sort by UID and fold repeats. Nearly always the listing came sorted, and
 * there is nothing to do. */
static void sort_items(struct delta *delta)
{
    struct arrival *arrivals;
    size_t n = delta->n_items;
    size_t out = 0;
    bool sorted = true;

    for (size_t i = 1; i < n && sorted; i++)
        sorted = delta->items[i - 1].uid < delta->items[i].uid;
    if (sorted)
        return;
    arrivals = mem_new(n, sizeof(*arrivals));
    for (size_t i = 0; i < n; i++) {
        arrivals[i].item = delta->items[i];
        arrivals[i].order = (uint32_t)i;
    }
    qsort(arrivals, n, sizeof(*arrivals), by_uid_then_order);
    for (size_t i = 0; i < n; i++) {
        const struct delta_item *next = &arrivals[i].item;

        if (out > 0 && delta->items[out - 1].uid == next->uid)
            merge_repeat(&delta->items[out - 1], next);
        else
            delta->items[out++] = *next;
    }
    delta->n_items = out;
    free(arrivals);
}

/* Which recorded messages are gone: not seen (full), or named as vanished. */
struct gone_search {
    struct delta *delta;
    const struct uidset *vanished; /* NULL: all that was not seen */
};

static bool is_gone(const struct gone_search *search, uint32_t uid)
{
    if (search->vanished != NULL && !uidset_has(search->vanished, uid))
        return false;
    return !uidset_has(&search->delta->seen, uid);
}

static int gone_pair(void *owner, const struct state_pair *pair)
{
    struct gone_search *search = owner;
    enum side side = search->delta->side;

    if (!pair->gone[side] && is_gone(search, pair->uid[side]))
        uidset_add(&search->delta->gone, pair->uid[side]);
    return 0;
}

static int gone_apart(void *owner, const struct state_apart *apart)
{
    struct gone_search *search = owner;

    if (apart->side == search->delta->side && is_gone(search, apart->uid))
        uidset_add(&search->delta->gone_apart, apart->uid);
    return 0;
}

/* A short list of vanished UIDs is looked up one by one: O(changes). */
static int gone_by_lookup(struct delta *delta, const struct uidset *vanished,
                          struct err *err)
{
    struct gone_search search = {.delta = delta, .vanished = vanished};
    struct uidset_walk walk = {.set = vanished};
    const struct known *known = delta->known;
    struct state_pair pair;
    struct state_apart apart;
    uint32_t uid;

    while (uidset_next(&walk, &uid)) {
        int r = known->pair(known->owner, delta->side, uid, &pair, err);

        if (r == 0)
            gone_pair(&search, &pair);
        if (r != 1) {
            if (r < 0)
                return r;
            continue;
        }
        r = known->apart(known->owner, delta->side, uid, &apart, err);
        if (r < 0)
            return r;
        if (r == 0)
            gone_apart(&search, &apart);
    }
    return 0;
}

static int gone_by_walk(struct delta *delta, const struct uidset *vanished,
                        struct err *err)
{
    struct gone_search search = {.delta = delta, .vanished = vanished};
    const struct known *known = delta->known;
    int r;

    r = known->each_pair(known->owner, delta->side, gone_pair, &search, err);
    if (r < 0)
        return r;
    return known->each_apart(known->owner, gone_apart, &search, err);
}

/* A server may name any range as vanished, 1:4294967295 too: never walk more
 * of it than there are records. */
static int find_gone(struct delta *delta, const struct uidset *vanished,
                     const struct state_folder *row, struct err *err)
{
    uint64_t records = (uint64_t)row->pairs + row->apart[delta->side];

    if (uidset_count(vanished) < records / 8)
        return gone_by_lookup(delta, vanished, err);
    return gone_by_walk(delta, vanished, err);
}

int delta_finish(struct delta *delta, const struct delta_request *listing,
                 const struct state_folder *row, struct err *err)
{
    enum side side = delta->side;
    uint64_t was;
    uint64_t gone;
    int r;

    delta->asked = true;
    delta->complete = listing->complete;
    delta->token = listing->token;
    delta->storable = listing->storable;
    sort_items(delta);
    if (listing->kind == LISTING_FULL)
        return listing->complete ? gone_by_walk(delta, NULL, err) : 0;
    r = find_gone(delta, &listing->vanished, row, err);
    if (r < 0)
        return r;
    /* RFC 7162 lets a server forget; what was, less what went, plus what came
     * must be what is. */
    was = (uint64_t)row->pairs - row->gone[side] + row->apart[side];
    gone = uidset_count(&delta->gone) + uidset_count(&delta->gone_apart);
    if (was + delta->fresh != gone + delta->token.messages &&
        !SABOTAGED(any_vanished))
        return DELTA_INCONSISTENT;
    return 0;
}

int delta_all_gone(struct delta *delta, struct err *err)
{
    delta->asked = true;
    delta->complete = true;
    return gone_by_walk(delta, NULL, err);
}

struct listed delta_item(const struct delta *delta, size_t index)
{
    return unpack(&delta->items[index]);
}

size_t delta_place(const struct delta *delta, uint32_t uid)
{
    size_t low = 0;
    size_t high = delta->n_items;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (delta->items[middle].uid == uid)
            return middle;
        if (delta->items[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return delta->n_items;
}

bool delta_find(const struct delta *delta, uint32_t uid, struct listed *out)
{
    size_t place = delta_place(delta, uid);

    if (place == delta->n_items)
        return false;
    if (out != NULL)
        *out = delta_item(delta, place);
    return true;
}
