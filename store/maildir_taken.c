#include "store/maildir_taken.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/maildir_name.h"
#include "store/maildir_scan.h"

#define SCAN_ENTRIES 4096u

void maildir_taken_deinit(struct maildir_taken *taken)
{
    free(taken->hashes);
    *taken = (struct maildir_taken){0};
}

/* FNV-1a. */
static uint64_t hash_of(struct bytes base)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < base.len; i++) {
        hash = (hash ^ (unsigned char)base.ptr[i]) * 1099511628211u;
    }
    return hash;
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* Records as of maildir_scan_read(). */
static void take_names(struct maildir_taken *taken, struct bytes names)
{
    while (names.len > 0) {
        const char *name = names.ptr + 1;
        struct maildir_name parts;
        bool plain;

        maildir_name_parse(bytes_of(name), &parts);
        taken->hashes = mem_grow(taken->hashes, taken->n, &taken->cap,
                                 sizeof(*taken->hashes));
        taken->hashes[taken->n] = hash_of(parts.base);
        taken->n++;
        if (names.ptr[0] == 'c') {
            taken->letters |= maildir_name_letters(&parts, &plain);
        }
        names = bytes_skip(names, 2 + strlen(name));
    }
}

int maildir_taken_load(struct maildir_taken *taken,
                       const struct maildir_dirs *dirs, struct err *err)
{
    struct maildir_scan *scan = maildir_scan_new(dirs->cur, dirs->new);
    struct buf names;
    int r;

    maildir_taken_deinit(taken);
    buf_init(&names, 0);
    r = maildir_scan_begin(scan, NULL, err);
    if (r == 0) {
        r = MAILDIR_SCAN_MORE;
    }
    while (r == MAILDIR_SCAN_MORE) {
        buf_clear(&names);
        r = maildir_scan_read(scan, &names, SCAN_ENTRIES, err);
        take_names(taken, buf_peek(&names));
    }
    if (taken->n > 0) {
        qsort(taken->hashes, taken->n, sizeof(*taken->hashes), compare_hashes);
    }
    buf_deinit(&names);
    maildir_scan_free(scan);
    return r;
}

bool maildir_taken_has(const struct maildir_taken *taken, struct bytes base)
{
    uint64_t hash = hash_of(base);

    return taken->n > 0 &&
           bsearch(&hash, taken->hashes, taken->n, sizeof(*taken->hashes),
                   compare_hashes) != NULL;
}
