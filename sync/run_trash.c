/*
 * Messages on their way into the Trash of a side where a move is a copy and,
 * after it, a removal. Broken off between the two, or where the original could
 * not be expunged, the message is in both folders: sent once more it would be
 * in the Trash twice, and once more with each run. So what is sent is noted, on
 * record before it goes. Of what is noted, and to be deleted still, a run looks
 * for the copy first (run_trashed.c). What has one is known to be there from
 * then on, and only removed; what has none is sent again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/run_internal.h"

#define UNDER_WAY  "trashing"
#define LINE_BYTES 1000u /* of the UIDs in a line, about */

/* How much it looks like the Trash of that side: by its own use, its twin's, or
 * its usual name. */
static unsigned trash_rank(const struct folder_work *work, enum side side)
{
    if (!work->present[side])
        return 0;
    if (run_folder_use(work, side) == USE_TRASH)
        return 3;
    if (run_folder_use(work, other(side)) == USE_TRASH)
        return 2;
    return strcmp(work->row.name[side], "Trash") == 0 ? 1 : 0;
}

struct folder_work *run_find_trash(const struct run *run, enum side side)
{
    struct folder_work *found = NULL;
    unsigned best = 0;

    for (size_t i = 0; i < run->n_folders; i++) {
        unsigned rank = trash_rank(run->folders[i], side);

        if (rank > best) {
            found = run->folders[i];
            best = rank;
        }
    }
    return found;
}

/* --- the notes -------------------------------------------------------------- */

static bool is_of(const struct trash_note *note, const struct folder_work *work,
                  enum side side)
{
    return note->folder == work->row.id && note->side == side &&
           note->uidvalidity == work->token[side].uidvalidity &&
           note->uidvalidity != 0;
}

/* Can the copies be looked for there? */
static bool leads_to(const struct trash_note *note,
                     const struct folder_work *trash)
{
    return note->trash == trash->row.id && note->trash_uidnext != 0 &&
           note->trash_uidvalidity == trash->token[note->side].uidvalidity;
}

static struct trash_note *add_note(struct run *run)
{
    struct trash_note *note;

    run->trash_notes =
        mem_grow(run->trash_notes, run->n_trash_notes, &run->trash_notes_cap,
                 sizeof(*run->trash_notes));
    note = &run->trash_notes[run->n_trash_notes++];
    memset(note, 0, sizeof(*note));
    return note;
}

static bool take_number(struct bytes *text, uint32_t *out)
{
    uint64_t number;

    if (!bytes_take_u64(text, UINT32_MAX, &number))
        return false;
    *out = (uint32_t)number;
    *text = bytes_skip(*text, 1);
    return true;
}

static bool take_line(struct trash_note *note, struct bytes line)
{
    uint32_t side;

    if (!take_number(&line, &note->folder) || !take_number(&line, &side) ||
        !take_number(&line, &note->uidvalidity) ||
        !take_number(&line, &note->trash) ||
        !take_number(&line, &note->trash_uidvalidity) ||
        !take_number(&line, &note->trash_uidnext) || side >= SIDES)
        return false;
    note->side = (enum side)side;
    return uidset_parse(&note->uids, line);
}

/* A note that was printed in several lines is one again. */
static bool is_continued(const struct trash_note *one,
                         const struct trash_note *next)
{
    return one->folder == next->folder && one->side == next->side &&
           one->uidvalidity == next->uidvalidity && one->trash == next->trash &&
           one->trash_uidvalidity == next->trash_uidvalidity &&
           one->trash_uidnext == next->trash_uidnext;
}

static void take_text(struct run *run, struct bytes text)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t n = end != NULL ? (size_t)(end - text.ptr) : text.len;
        struct trash_note *note = add_note(run);
        bool good = take_line(note, (struct bytes){text.ptr, n});
        bool continued =
            good && run->n_trash_notes > 1 && is_continued(note - 1, note);

        if (continued)
            uidset_add_set(&note[-1].uids, &note->uids);
        if (!good || continued) {
            uidset_deinit(&note->uids);
            run->n_trash_notes--;
        }
        text = bytes_skip(text, n + 1);
    }
}

int run_trash_recall(struct run *run, struct err *err)
{
    char *text = NULL;
    int r = state_meta_get(run->options.state, UNDER_WAY, &text, err);

    if (r == 0 && text != NULL)
        take_text(run, bytes_of(text));
    free(text);
    return r;
}

bool run_trash_is_open(const struct run *run, enum side side)
{
    for (size_t i = 0; i < run->n_trash_notes; i++) {
        if (run->trash_notes[i].side == side && run->trash_notes[i].trash != 0)
            return true;
    }
    return false;
}

static void print_note(const struct trash_note *note, struct buf *out)
{
    size_t from = 0;

    while (from < note->uids.n) {
        buf_printf(out, "%u %u %u %u %u %u ", note->folder,
                   (unsigned)note->side, note->uidvalidity, note->trash,
                   note->trash_uidvalidity, note->trash_uidnext);
        uidset_print(&note->uids, &from, LINE_BYTES, out);
        buf_add_char(out, '\n');
    }
}

void run_trash_write(struct run *run)
{
    struct buf text;

    if (!run->trash_news)
        return;
    run->trash_news = false;
    buf_init(&text, 0);
    for (size_t i = 0; i < run->n_trash_notes; i++)
        print_note(&run->trash_notes[i], &text);
    state_meta_put(run->options.state, UNDER_WAY,
                   buf_len(&text) > 0 ? buf_text(&text) : NULL);
    buf_deinit(&text);
}

void run_trash_announce(struct folder_work *work, enum side side,
                        const struct folder_work *trash)
{
    struct run *run = work->run;
    const struct plan *plan = &work->compare->plan;
    struct uidset fresh = {0};
    struct trash_note *note;

    for (size_t i = 0; i < plan->n_deletes[side]; i++)
        uidset_add(&fresh, plan->deletes[side][i].uid[side]);
    for (size_t i = 0; i < run->n_trash_notes; i++) {
        note = &run->trash_notes[i];
        if (is_of(note, work, side) &&
            (note->trash == 0 || leads_to(note, trash)))
            uidset_remove_set(&fresh, &note->uids);
        else if (note->folder == work->row.id && note->side == side)
            uidset_clear(&note->uids);
    }
    if (fresh.n > 0) {
        note = add_note(run);
        *note = (struct trash_note){
            .folder = work->row.id,
            .side = side,
            .uidvalidity = work->token[side].uidvalidity,
            .trash = trash->row.id,
            .trash_uidvalidity = trash->token[side].uidvalidity,
            .trash_uidnext = trash->token[side].uidnext,
            .uids = fresh,
        };
    } else {
        uidset_deinit(&fresh);
    }
    run->trash_news = true;
}

void run_trash_gone(struct folder_work *work, enum side side,
                    const struct uidset *uids)
{
    struct run *run = work->run;

    for (size_t i = 0; i < run->n_trash_notes; i++) {
        struct trash_note *note = &run->trash_notes[i];

        if (note->folder != work->row.id || note->side != side)
            continue;
        uidset_remove_set(&note->uids, uids);
        run->trash_news = true;
    }
}

void run_trash_arrived(struct folder_work *work, enum side side,
                       const struct uidset *uids)
{
    struct trash_note *note;

    if (uids->n == 0)
        return;
    run_trash_gone(work, side, uids);
    note = add_note(work->run);
    note->folder = work->row.id;
    note->side = side;
    note->uidvalidity = work->token[side].uidvalidity;
    uidset_add_set(&note->uids, uids);
    work->run->trash_news = true;
}

bool run_trash_may_hold(const struct folder_work *trash,
                        const struct trash_note *note,
                        const struct folder_work *work, enum side side)
{
    return note->trash != 0 && is_of(note, work, side) && leads_to(note, trash);
}

/* Is it noted, as one that is there, or as one that may be in @trash? */
static bool is_noted(const struct folder_work *work, enum side side,
                     uint32_t uid, const struct folder_work *trash)
{
    const struct run *run = work->run;

    for (size_t i = 0; i < run->n_trash_notes; i++) {
        const struct trash_note *note = &run->trash_notes[i];

        if (is_of(note, work, side) && uidset_has(&note->uids, uid) &&
            (trash == NULL ? note->trash == 0 : leads_to(note, trash)))
            return true;
    }
    return false;
}

void run_trash_there(const struct folder_work *work, enum side side,
                     struct uidset *out)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; i < plan->n_deletes[side]; i++) {
        uint32_t uid = plan->deletes[side][i].uid[side];

        if (is_noted(work, side, uid, NULL))
            uidset_add(out, uid);
    }
}

bool run_trash_is_blind(const struct folder_work *work, enum side side,
                        const struct folder_work *trash)
{
    const struct plan *plan = &work->compare->plan;

    for (size_t i = 0; trash->failed && i < plan->n_deletes[side]; i++) {
        if (is_noted(work, side, plan->deletes[side][i].uid[side], trash))
            return true;
    }
    return false;
}

/* Those that are in no pair any more are not to be deleted, either. */
static int keep_pending(struct run *run, struct trash_note *note,
                        struct err *err)
{
    struct uidset pending = {0};
    struct uidset_walk walk = {.set = &note->uids};
    struct state_pair pair;
    uint32_t uid;
    int r = 0;

    while (r >= 0 && uidset_next(&walk, &uid)) {
        r = state_pair_get(run->options.state, note->folder, note->side, uid,
                           &pair, err);
        if (r == 0)
            uidset_add(&pending, uid);
    }
    if (r >= 0 && uidset_count(&pending) < uidset_count(&note->uids)) {
        run->trash_news = true;
        uidset_clear(&note->uids);
        uidset_add_set(&note->uids, &pending);
    }
    uidset_deinit(&pending);
    return r < 0 ? r : 0;
}

void run_trash_settle(struct run *run)
{
    struct err err;

    /* Where the record cannot be read, they stay. */
    for (size_t i = 0; i < run->n_trash_notes; i++) {
        if (keep_pending(run, &run->trash_notes[i], &err) < 0)
            break;
    }
    run_trash_write(run);
}

void run_trash_deinit(struct run *run)
{
    for (size_t i = 0; i < run->n_trash_notes; i++)
        uidset_deinit(&run->trash_notes[i].uids);
    free(run->trash_notes);
}
