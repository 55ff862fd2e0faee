#include "sync/heirs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* How sure it is that a folder is the one on record. */
enum likeness {
    UNLIKE,
    LIKELY, /* nothing speaks against it */
    ALIKE,  /* nothing has changed */
    KNOWN   /* what stays with a folder is the same */
};

/* An entry while heirs are sought. */
struct offer {
    const struct folder_entry *entry;
    size_t index;
    bool is_taken;
};

struct search {
    struct heir *rows;
    size_t n_rows;
    struct offer *offers; /* by name */
    size_t n_offers;
    bool *is_lost;     /* of rows: not to be found under its name */
    enum likeness now; /* what is looked for */
};

static int by_name(const void *a, const void *b)
{
    const struct offer *one = a;
    const struct offer *two = b;

    return strcmp(one->entry->name, two->entry->name);
}

static struct offer *find(const struct search *search, const char *name)
{
    size_t low = 0;
    size_t high = search->n_offers;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(search->offers[middle].entry->name, name);

        if (order == 0)
            return &search->offers[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* RENAME leaves INBOX where it is, and makes another folder (RFC 9051 section
 * 6.3.6). */
static bool is_inbox(const char *name)
{
    return strcmp(name, "INBOX") == 0;
}

static enum likeness likeness(const struct folder_token *was,
                              const struct folder_entry *entry)
{
    const struct folder_token *now = &entry->token;

    if (!entry->has_token || was->uidvalidity == 0)
        return UNLIKE;
    if (was->object != 0 && now->object != 0)
        return was->object == now->object ? KNOWN : UNLIKE;
    if (was->uidvalidity != now->uidvalidity)
        return UNLIKE;
    /* A Maildir's directories keep their times when they are renamed. */
    if (was->cur_mtime_ns != 0 || now->cur_mtime_ns != 0)
        return was->cur_mtime_ns == now->cur_mtime_ns &&
                       was->new_mtime_ns == now->new_mtime_ns
                   ? ALIKE
                   : UNLIKE;
    if (now->uidnext < was->uidnext ||
        (now->highestmodseq != 0 && now->highestmodseq < was->highestmodseq))
        return UNLIKE;
    return folder_token_equal(was, now) ? ALIKE : LIKELY;
}

/* Does the folder of that name look like another one? Where a side cannot
 * tell, the name counts. */
static bool is_another(const struct folder_token *was,
                       const struct folder_entry *entry)
{
    bool is_maildir = was->cur_mtime_ns != 0 || entry->token.cur_mtime_ns != 0;
    bool knows_object = was->object != 0 && entry->token.object != 0;

    if (!entry->has_token || was->uidvalidity == 0 ||
        (is_maildir && !knows_object))
        return false;
    return likeness(was, entry) == UNLIKE;
}

static void take(struct heir *row, struct offer *offer)
{
    row->entry = offer->index;
    offer->is_taken = true;
}

/* The offer of the row's name, if it is still to be had. */
static struct offer *free_of_name(const struct search *search,
                                  const struct heir *row)
{
    struct offer *offer = find(search, row->name);

    return offer != NULL && !offer->is_taken ? offer : NULL;
}

/* Of two rows of one name the one that is like the folder has it. */
static void find_by_name(struct search *search, bool only_alike)
{
    for (size_t i = 0; i < search->n_rows; i++) {
        struct heir *row = &search->rows[i];
        struct offer *offer;
        bool is_it;

        if (row->entry != HEIR_NONE || row->by_name)
            continue;
        offer = free_of_name(search, row);
        if (offer == NULL)
            is_it = false;
        else if (only_alike)
            is_it = likeness(row->token, offer->entry) != UNLIKE;
        else
            is_it =
                is_inbox(row->name) || !is_another(row->token, offer->entry);
        if (is_it)
            take(row, offer);
        search->is_lost[i] = !is_it && !is_inbox(row->name);
    }
}

static bool fits(const struct search *search, size_t row,
                 const struct offer *offer)
{
    return search->is_lost[row] && search->rows[row].entry == HEIR_NONE &&
           !offer->is_taken && !is_inbox(offer->entry->name) &&
           likeness(search->rows[row].token, offer->entry) == search->now;
}

/* The only offer that fits a row, and fits no other row. */
static struct offer *only_offer(const struct search *search, size_t row)
{
    struct offer *found = NULL;

    for (size_t i = 0; i < search->n_offers; i++) {
        if (!fits(search, row, &search->offers[i]))
            continue;
        if (found != NULL)
            return NULL;
        found = &search->offers[i];
    }
    for (size_t i = 0; i < search->n_rows && found != NULL; i++) {
        if (i != row && fits(search, i, found))
            return NULL;
    }
    return found;
}

/* First find all, then take them: what one row takes may not make another
 * row's choice look like the only one. */
static void find_renamed(struct search *search)
{
    struct offer **found = mem_new(search->n_rows, sizeof(struct offer *));

    for (size_t i = 0; i < search->n_rows; i++) {
        if (search->is_lost[i] && search->rows[i].entry == HEIR_NONE)
            found[i] = only_offer(search, i);
    }
    for (size_t i = 0; i < search->n_rows; i++) {
        if (found[i] != NULL)
            take(&search->rows[i], found[i]);
    }
    free(found);
}

static void collect_offers(struct search *search,
                           const struct folder_entry *entries, size_t n_entries)
{
    search->offers = mem_new(n_entries, sizeof(*search->offers));
    for (size_t i = 0; i < n_entries; i++) {
        if (entries[i].selectable && entries[i].problem == NULL)
            search->offers[search->n_offers++] =
                (struct offer){.entry = &entries[i], .index = i};
    }
    if (search->n_offers > 1)
        qsort(search->offers, search->n_offers, sizeof(*search->offers),
              by_name);
}

void heirs_find(struct heir *rows, size_t n_rows,
                const struct folder_entry *entries, size_t n_entries)
{
    struct search search = {.rows = rows, .n_rows = n_rows};

    collect_offers(&search, entries, n_entries);
    search.is_lost = mem_new(n_rows, sizeof(*search.is_lost));
    for (size_t i = 0; i < n_rows; i++)
        rows[i].entry = HEIR_NONE;
    find_by_name(&search, true);
    find_by_name(&search, false);
    for (search.now = KNOWN; search.now > UNLIKE; search.now--)
        find_renamed(&search);
    /* What was not found elsewhere is what has its name now, if anything. */
    for (size_t i = 0; i < n_rows; i++) {
        struct offer *offer =
            rows[i].entry == HEIR_NONE ? free_of_name(&search, &rows[i]) : NULL;

        if (offer != NULL)
            take(&rows[i], offer);
    }
    free(search.is_lost);
    free(search.offers);
}
