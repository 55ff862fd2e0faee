#include "store/maildir_census.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/siphash.h"

/*
 * A hit is taken without a look at the name itself, as that is what costs. The
 * key of the digests is random, and of this scan only: nobody can choose a name
 * that meets another one. By chance two names on record do so once in 2^64; then
 * neither is found here. One that is not on record meets each that is once in
 * 2^64. Where the file of that one is there, too, it is found twice: twins, which
 * are told apart by new names.
 */
struct slot {
    uint32_t row; /* 1 + place in seen; 0: free; NOBODY */
    uint32_t low; /* of the digest; the upper half is in seen, as letters, until
                     the file is found */
};

#define NOBODY UINT32_MAX

struct maildir_census {
    struct maildir_files *files;
    struct maildir_files_walk walk;
    bool is_read;
    struct maildir_seen *seen; /* by UID, as far as they were read */
    size_t n_seen;
    size_t cap_seen;
    struct slot *slots; /* open addressing */
    size_t n_slots;
    size_t n_used;
    uint8_t key[SIPHASH_KEY_BYTES];
};

/* Full to three quarters: what is there takes three looks, side by side. */
static size_t slots_for(size_t rows)
{
    return rows + rows / 3 + 16;
}

static bool is_full(const struct maildir_census *census)
{
    return census->n_used >= census->n_slots - census->n_slots / 5;
}

struct maildir_census *maildir_census_new(struct maildir_files *files,
                                          size_t about)
{
    struct maildir_census *census = MEM_NEW(struct maildir_census);

    census->files = files;
    maildir_files_walk_begin(files, &census->walk);
    census->cap_seen = about + 16;
    census->seen = mem_new(census->cap_seen, sizeof(*census->seen));
    census->n_slots = slots_for(about);
    census->slots = mem_new(census->n_slots, sizeof(*census->slots));
    digest_random(census->key, sizeof(census->key));
    return census;
}

void maildir_census_free(struct maildir_census *census)
{
    if (census != NULL) {
        free(census->slots);
        free(census->seen);
        free(census);
    }
}

/* --- the table ------------------------------------------------------------- */

static struct slot *first_slot(const struct maildir_census *census,
                               uint32_t high)
{
    return &census->slots[(uint64_t)high * census->n_slots >> 32];
}

static struct slot *next_slot(const struct maildir_census *census,
                              struct slot *slot)
{
    slot++;
    return slot == census->slots + census->n_slots ? census->slots : slot;
}

static bool is_at(const struct maildir_census *census, const struct slot *slot,
                  uint64_t digest)
{
    const struct maildir_seen *seen;

    if (slot->row == NOBODY || slot->low != (uint32_t)digest) {
        return false;
    }
    seen = &census->seen[slot->row - 1];
    return !seen->found && seen->letters == (uint32_t)(digest >> 32);
}

/* The slot of a digest, or the free one where it would be. */
static struct slot *seek(const struct maildir_census *census, uint64_t digest)
{
    struct slot *slot = first_slot(census, (uint32_t)(digest >> 32));

    while (slot->row != 0 && !is_at(census, slot, digest)) {
        slot = next_slot(census, slot);
    }
    return slot;
}

static void put(struct maildir_census *census, uint32_t row, uint32_t low)
{
    uint64_t digest = (uint64_t)census->seen[row - 1].letters << 32 | low;
    struct slot *slot = seek(census, digest);

    if (slot->row != 0) {
        slot->row = NOBODY;
    } else {
        *slot = (struct slot){.row = row, .low = low};
        census->n_used++;
    }
}

static void grow(struct maildir_census *census)
{
    struct slot *old = census->slots;
    size_t n = census->n_slots;

    census->n_slots = slots_for(2 * n);
    census->slots = mem_new(census->n_slots, sizeof(*census->slots));
    census->n_used = 0;
    for (size_t i = 0; i < n; i++) {
        if (old[i].row != 0 && old[i].row != NOBODY) {
            put(census, old[i].row, old[i].low);
        }
    }
    free(old);
}

static struct maildir_seen *add_seen(struct maildir_census *census,
                                     uint32_t uid)
{
    struct maildir_seen *seen;

    census->seen = mem_grow(census->seen, census->n_seen, &census->cap_seen,
                            sizeof(*census->seen));
    seen = &census->seen[census->n_seen];
    census->n_seen++;
    *seen = (struct maildir_seen){.uid = uid};
    return seen;
}

/* --- maildir_census.h ------------------------------------------------------ */

static void on_record(void *owner, uint32_t uid, struct bytes base)
{
    struct maildir_census *census = owner;
    uint64_t digest = siphash(census->key, base);

    add_seen(census, uid)->letters = (uint32_t)(digest >> 32);
    if (is_full(census)) {
        grow(census);
    }
    put(census, (uint32_t)census->n_seen, (uint32_t)digest);
}

int maildir_census_read(struct maildir_census *census, size_t rows,
                        struct err *err)
{
    int r = census->is_read ? 0
                            : maildir_files_walk(census->files, &census->walk,
                                                 rows, on_record, census, err);

    census->is_read = r == 0;
    return r;
}

/* The row of a file that is on record, or NULL where that is not known here. */
static struct maildir_seen *find(struct maildir_census *census,
                                 struct bytes base)
{
    const struct slot *slot;

    if (!maildir_files_walk_stands(census->files, &census->walk)) {
        return NULL;
    }
    slot = seek(census, siphash(census->key, base));
    return slot->row != 0 ? &census->seen[slot->row - 1] : NULL;
}

int maildir_census_count(struct maildir_census *census, struct bytes base,
                         struct maildir_seen **seen, struct err *err)
{
    uint32_t uid;
    int r = 0;

    *seen = find(census, base);
    if (*seen == NULL) {
        r = maildir_files_uid(census->files, base, &uid, err);
        if (r < 0) {
            return r;
        }
        *seen = add_seen(census, uid);
    }
    **seen = (struct maildir_seen){
        .uid = (*seen)->uid, .found = true, .fresh = r == MAILDIR_FILES_FRESH};
    return r;
}

struct maildir_seen *maildir_census_end(struct maildir_census *census,
                                        size_t *n, struct uidset *doubled)
{
    struct maildir_seen *seen = census->seen;
    size_t found = 0;

    for (size_t i = 0; i < census->n_seen; i++) {
        if (seen[i].found) {
            seen[found++] = seen[i];
        }
    }
    census->seen = NULL;
    maildir_census_free(census);
    seen = mem_resize(seen, found, sizeof(*seen));
    *n = maildir_files_sort_seen(seen, found, doubled);
    return seen;
}
